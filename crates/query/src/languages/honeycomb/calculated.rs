//! The language of calculated fields and formulas: lexer, parser and printer. Infix operators become the functions
//! they stand for, so that an expression has one form; `translate.rs` gives it meaning.

use std::fmt;

use thiserror::Error;

/// Bytes of an expression.
pub const EXPRESSION_BYTES_MAX: usize = 4_095;
/// How deep expressions nest.
pub const DEPTH_MAX: usize = 64;

/// Why an expression cannot be read; the texts of the first two are the vendor's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExpressionError {
    #[error("empty expression")]
    Empty,
    #[error("invalid function: {0}")]
    InvalidFunction(String),
    #[error("expression is longer than {EXPRESSION_BYTES_MAX} characters")]
    TooLong,
    #[error("expression nests deeper than {DEPTH_MAX} levels")]
    TooDeep,
    #[error("{function} takes {expected}, not {given}")]
    Arguments { function: &'static str, expected: String, given: usize },
    #[error("timeseries operations cannot be nested")]
    NestedTimeseries,
    #[error("an expression can have only one timeseries operation")]
    ManyTimeseries,
    #[error("at byte {at}: {reason}")]
    Syntax { at: usize, reason: String },
}

macro_rules! functions {
    ($($variant:ident $name:literal $min:literal $max:literal,)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Function { $($variant,)* }

        impl Function {
            pub const ALL: &'static [Function] = &[$(Function::$variant,)*];

            pub fn name(self) -> &'static str {
                match self { $(Function::$variant => $name,)* }
            }

            /// Fewest and most arguments.
            fn arity(self) -> (usize, usize) {
                match self { $(Function::$variant => ($min, $max),)* }
            }
        }
    };
}

functions! {
    If "IF" 2 999,
    Switch "SWITCH" 3 999,
    Coalesce "COALESCE" 1 999,
    Lt "LT" 2 2,
    Lte "LTE" 2 2,
    Gt "GT" 2 2,
    Gte "GTE" 2 2,
    Equals "EQUALS" 2 2,
    In "IN" 2 999,
    And "AND" 1 999,
    Or "OR" 1 999,
    Not "NOT" 1 1,
    Exists "EXISTS" 1 1,
    Sum "SUM" 1 999,
    Sub "SUB" 2 2,
    Mul "MUL" 1 999,
    Div "DIV" 2 2,
    Mod "MOD" 2 2,
    Min "MIN" 1 999,
    Max "MAX" 1 999,
    Log10 "LOG10" 1 1,
    Bucket "BUCKET" 2 4,
    Int "INT" 1 1,
    Float "FLOAT" 1 1,
    Bool "BOOL" 1 1,
    String "STRING" 1 1,
    Concat "CONCAT" 1 999,
    ToLower "TO_LOWER" 1 1,
    StartsWith "STARTS_WITH" 2 2,
    EndsWith "ENDS_WITH" 2 2,
    Contains "CONTAINS" 2 2,
    Length "LENGTH" 1 2,
    RegMatch "REG_MATCH" 2 2,
    RegValue "REG_VALUE" 2 2,
    RegCount "REG_COUNT" 2 2,
    UnixTimestamp "UNIX_TIMESTAMP" 1 1,
    EventTimestamp "EVENT_TIMESTAMP" 0 0,
    IngestTimestamp "INGEST_TIMESTAMP" 0 0,
    FormatTime "FORMAT_TIME" 2 2,
    Last "LAST" 1 1,
    Summarize "SUMMARIZE" 1 1,
    Increase "INCREASE" 1 2,
    Rate "RATE" 1 2,
    RawMetric "RAW_METRIC" 1 1,
}

impl Function {
    /// The functions over the data points of a metric.
    pub fn is_timeseries(self) -> bool {
        matches!(self, Self::Last | Self::Summarize | Self::Increase | Self::Rate | Self::RawMetric)
    }
}

/// An expression.
#[derive(Debug, Clone, PartialEq)]
pub enum Ast {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Column(String),
    Call(Function, Vec<Ast>),
}

/// Reads an expression.
///
/// # Errors
/// [`ExpressionError`], whose text is meant for the person who wrote the expression.
pub fn parse(text: &str) -> Result<Ast, ExpressionError> {
    if text.len() > EXPRESSION_BYTES_MAX {
        return Err(ExpressionError::TooLong);
    }
    let tokens = lex(text)?;
    if tokens.is_empty() {
        return Err(ExpressionError::Empty);
    }
    let mut parser = Parser { tokens, next: 0, end: text.len() };
    let ast = parser.expression(0, 0)?;
    if let Some((at, token)) = parser.tokens.get(parser.next) {
        return syntax(*at, format!("unexpected {token}"));
    }
    check_depth(&ast, 0)?;
    check_timeseries(&ast, false)?;
    if timeseries_count(&ast) > 1 {
        return Err(ExpressionError::ManyTimeseries);
    }
    Ok(ast)
}

fn syntax<T>(at: usize, reason: impl Into<String>) -> Result<T, ExpressionError> {
    Err(ExpressionError::Syntax { at, reason: reason.into() })
}

/// The parser is bounded by itself; chains of infix operators grow the tree without recursion.
fn check_depth(ast: &Ast, depth: usize) -> Result<(), ExpressionError> {
    if depth > DEPTH_MAX {
        return Err(ExpressionError::TooDeep);
    }
    match ast {
        Ast::Call(_, arguments) => arguments.iter().try_for_each(|argument| check_depth(argument, depth + 1)),
        _ => Ok(()),
    }
}

fn check_timeseries(ast: &Ast, inside: bool) -> Result<(), ExpressionError> {
    let Ast::Call(function, arguments) = ast else { return Ok(()) };
    if inside && function.is_timeseries() {
        return Err(ExpressionError::NestedTimeseries);
    }
    arguments.iter().try_for_each(|argument| check_timeseries(argument, inside || function.is_timeseries()))
}

fn timeseries_count(ast: &Ast) -> usize {
    let Ast::Call(function, arguments) = ast else { return 0 };
    usize::from(function.is_timeseries()) + arguments.iter().map(timeseries_count).sum::<usize>()
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Column(String),
    Text(String),
    Int(u64),
    Float(f64),
    Sign(&'static str),
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Token::Word(word) => f.write_str(word),
            Token::Column(name) => write!(f, "${name}"),
            Token::Text(text) => write!(f, "{text:?}"),
            Token::Int(number) => number.fmt(f),
            Token::Float(number) => write!(f, "{number:?}"),
            Token::Sign(sign) => f.write_str(sign),
        }
    }
}

/// What a column name is made of without quotes. It holds operators: `$a-1` is one name.
fn is_column_char(letter: char) -> bool {
    letter.is_alphanumeric() || "_./:=+?-".contains(letter)
}

fn lex(text: &str) -> Result<Vec<(usize, Token)>, ExpressionError> {
    // The longer signs come first.
    const SIGNS: [&str; 16] =
        ["<=", ">=", "!=", "==", "(", ")", ",", "!", "*", "/", "%", "-", "+", "<", ">", "="];
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(letter) = text[at..].chars().next() {
        let rest = &text[at..];
        let take_while = |test: fn(char) -> bool| rest.find(|c| !test(c)).map_or(rest, |end| &rest[..end]);
        let (length, token) = if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        } else if letter == '$' {
            let (length, name) = column(text, at)?;
            (length, Token::Column(name))
        } else if letter == '"' || letter == '`' {
            let (length, value) = quoted(text, at)?;
            (length, Token::Text(value))
        } else if letter.is_ascii_digit()
            || (letter == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit()))
        {
            number(text, at)?
        } else if letter.is_ascii_alphabetic() {
            let word = take_while(|c| c.is_ascii_alphanumeric() || c == '_');
            (word.len(), Token::Word(word.to_owned()))
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            if sign == "==" {
                return syntax(at, "equality is a single =");
            }
            (sign.len(), Token::Sign(sign))
        } else {
            return syntax(at, format!("unexpected {letter:?}"));
        };
        tokens.push((at, token));
        at += length;
    }
    Ok(tokens)
}

/// A column after its `$`: how many bytes it takes, and its name.
fn column(text: &str, at: usize) -> Result<(usize, String), ExpressionError> {
    let rest = &text[at + 1..];
    if rest.starts_with(['"', '`']) {
        let (length, name) = quoted(text, at + 1)?;
        return if name.is_empty() { syntax(at, "empty column name") } else { Ok((length + 1, name)) };
    }
    let length = rest.find(|c| !is_column_char(c)).unwrap_or(rest.len());
    if length == 0 {
        return syntax(at, "a column name must follow $");
    }
    Ok((length + 1, rest[..length].to_owned()))
}

fn number(text: &str, at: usize) -> Result<(usize, Token), ExpressionError> {
    let bytes = &text.as_bytes()[at..];
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut length = digits(0);
    let mut whole = true;
    if bytes.get(length) == Some(&b'.') {
        whole = false;
        length += 1 + digits(length + 1);
    }
    if matches!(bytes.get(length), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
        let exponent = digits((length + 1 + sign).min(bytes.len()));
        if exponent > 0 {
            whole = false;
            length += 1 + sign + exponent;
        }
    }
    let spelled = &text[at..at + length];
    if whole && let Ok(number) = spelled.parse() {
        return Ok((length, Token::Int(number)));
    }
    match spelled.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((length, Token::Float(number))),
        _ => syntax(at, format!("{spelled} is not a number")),
    }
}

/// A string in quotes with Go's escapes, or raw in backquotes: how many bytes it takes, and its value.
fn quoted(text: &str, at: usize) -> Result<(usize, String), ExpressionError> {
    let rest = &text[at + 1..];
    if text[at..].starts_with('`') {
        return match rest.find('`') {
            Some(end) => Ok((end + 2, rest[..end].to_owned())),
            None => syntax(at, "unterminated string"),
        };
    }
    let mut value = String::new();
    let mut letters = rest.char_indices();
    while let Some((offset, letter)) = letters.next() {
        match letter {
            '"' => return Ok((offset + 2, value)),
            '\\' => {
                let Some((_, escape)) = letters.next() else { break };
                let digits = match escape {
                    'x' => 2,
                    'u' => 4,
                    'U' => 8,
                    '0'..='7' => 3,
                    _ => 0,
                };
                let plain = match escape {
                    'a' => '\u{7}',
                    'b' => '\u{8}',
                    'f' => '\u{c}',
                    'n' => '\n',
                    'r' => '\r',
                    't' => '\t',
                    'v' => '\u{b}',
                    '\\' | '"' | '\'' => escape,
                    _ if digits > 0 => {
                        let octal = digits == 3;
                        let start = if octal { offset + 1 } else { offset + 2 };
                        let code = rest
                            .get(start..start + digits)
                            .and_then(|code| u32::from_str_radix(code, if octal { 8 } else { 16 }).ok())
                            .and_then(char::from_u32);
                        let Some(code) = code else { return syntax(at + offset, "bad escape") };
                        for _ in 0..if octal { digits - 1 } else { digits } {
                            letters.next();
                        }
                        code
                    }
                    _ => return syntax(at + offset, "unknown escape"),
                };
                value.push(plain);
            }
            '\n' => return syntax(at + offset, "a string in quotes cannot hold a line break"),
            _ => value.push(letter),
        }
    }
    syntax(at, "unterminated string")
}

/// How tightly an infix operator binds, and the function it stands for.
fn infix(token: &Token) -> Option<(u8, Function, bool)> {
    Some(match token {
        Token::Sign("*") => (7, Function::Mul, false),
        Token::Sign("/") => (7, Function::Div, false),
        Token::Sign("%") => (7, Function::Mod, false),
        Token::Sign("-") => (6, Function::Sub, false),
        Token::Sign("+") => (5, Function::Sum, false),
        Token::Sign("<") => (4, Function::Lt, false),
        Token::Sign("<=") => (4, Function::Lte, false),
        Token::Sign(">") => (4, Function::Gt, false),
        Token::Sign(">=") => (4, Function::Gte, false),
        Token::Sign("=") => (3, Function::Equals, false),
        Token::Sign("!=") => (3, Function::Equals, true),
        Token::Word(word) if word == "AND" => (2, Function::And, false),
        Token::Word(word) if word == "OR" => (1, Function::Or, false),
        _ => return None,
    })
}

struct Parser {
    tokens: Vec<(usize, Token)>,
    next: usize,
    end: usize,
}

impl Parser {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(at, _)| *at)
    }

    fn accept(&mut self, sign: &'static str) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &'static str) -> Result<(), ExpressionError> {
        if self.accept(sign) { Ok(()) } else { syntax(self.at(), format!("expected {sign}")) }
    }

    /// An expression whose infix operators bind tighter than `floor`.
    fn expression(&mut self, floor: u8, depth: usize) -> Result<Ast, ExpressionError> {
        if depth > DEPTH_MAX {
            return Err(ExpressionError::TooDeep);
        }
        let mut left = self.operand(depth)?;
        // Whether `left` is a chain of this operator as written, which a further link joins instead of nesting.
        let mut chain = None;
        while let Some((tightness, function, negated)) = self.peek().and_then(infix) {
            if tightness <= floor {
                break;
            }
            self.next += 1;
            let right = self.expression(tightness, depth + 1)?;
            let flat = matches!(function, Function::Sum | Function::Mul | Function::And | Function::Or);
            left = match left {
                Ast::Call(_, mut arguments) if flat && chain == Some(function) => {
                    arguments.push(right);
                    Ast::Call(function, arguments)
                }
                left => Ast::Call(function, vec![left, right]),
            };
            if negated {
                left = Ast::Call(Function::Not, vec![left]);
            }
            chain = (!negated).then_some(function);
        }
        Ok(left)
    }

    fn operand(&mut self, depth: usize) -> Result<Ast, ExpressionError> {
        if depth > DEPTH_MAX {
            return Err(ExpressionError::TooDeep);
        }
        let at = self.at();
        let Some(token) = self.peek().cloned() else { return syntax(at, "expression ends too early") };
        self.next += 1;
        Ok(match token {
            Token::Column(name) => Ast::Column(name),
            Token::Text(text) => Ast::Text(text),
            Token::Int(number) => i64::try_from(number).map_or(Ast::Float(number as f64), Ast::Int),
            Token::Float(number) => Ast::Float(number),
            Token::Sign("(") => {
                let inner = self.expression(0, depth + 1)?;
                self.expect(")")?;
                inner
            }
            Token::Sign("!") => Ast::Call(Function::Not, vec![self.operand(depth + 1)?]),
            Token::Sign("-") => self.negative(depth)?,
            Token::Word(word) => match word.as_str() {
                "true" => Ast::Bool(true),
                "false" => Ast::Bool(false),
                "null" => Ast::Null,
                _ => self.call(word, depth)?,
            },
            Token::Sign(sign) => return syntax(at, format!("unexpected {sign}")),
        })
    }

    fn negative(&mut self, depth: usize) -> Result<Ast, ExpressionError> {
        if let Some(Token::Int(number)) = self.peek()
            && let Ok(number) = i64::try_from(-i128::from(*number))
        {
            self.next += 1;
            return Ok(Ast::Int(number));
        }
        Ok(match self.operand(depth + 1)? {
            Ast::Float(number) => Ast::Float(-number),
            operand => Ast::Call(Function::Sub, vec![Ast::Int(0), operand]),
        })
    }

    fn call(&mut self, word: String, depth: usize) -> Result<Ast, ExpressionError> {
        let Some(function) = Function::ALL.iter().copied().find(|function| function.name() == word) else {
            return Err(ExpressionError::InvalidFunction(word));
        };
        self.expect("(")?;
        let mut arguments = Vec::new();
        while !self.accept(")") {
            arguments.push(self.expression(0, depth + 1)?);
            if !self.accept(",") {
                self.expect(")")?;
                break;
            }
        }
        let (min, max) = function.arity();
        if !(min..=max).contains(&arguments.len()) {
            let expected = match (min, max) {
                (min, max) if min == max => format!("{min} arguments"),
                (min, 999) => format!("at least {min} arguments"),
                (min, max) => format!("{min} to {max} arguments"),
            };
            return Err(ExpressionError::Arguments {
                function: function.name(),
                expected,
                given: arguments.len(),
            });
        }
        Ok(Ast::Call(function, arguments))
    }
}

/// Prints the function form, which reads back as the same expression.
impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ast::Null => f.write_str("null"),
            Ast::Bool(value) => value.fmt(f),
            Ast::Int(value) => value.fmt(f),
            Ast::Float(value) => write!(f, "{value:?}"),
            Ast::Text(text) => write_quoted(f, text),
            Ast::Column(name) if name.chars().all(is_column_char) => write!(f, "${name}"),
            Ast::Column(name) => {
                f.write_str("$")?;
                write_quoted(f, name)
            }
            Ast::Call(function, arguments) => {
                write!(f, "{}(", function.name())?;
                for (position, argument) in arguments.iter().enumerate() {
                    if position > 0 {
                        f.write_str(", ")?;
                    }
                    argument.fmt(f)?;
                }
                f.write_str(")")
            }
        }
    }
}

fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for letter in text.chars() {
        match letter {
            '"' | '\\' => write!(f, "\\{letter}")?,
            '\n' => f.write_str("\\n")?,
            letter => write!(f, "{letter}")?,
        }
    }
    f.write_str("\"")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, printed: &str) {
        assert_eq!(parse(text).map(|ast| ast.to_string()).as_deref(), Ok(printed), "{text}");
    }

    #[test]
    fn precedence_and_traps_of_the_lexer() {
        check("$a-1", "$a-1");
        check("$a - 1", "SUB($a, 1)");
        check("$a -1", "SUB($a, 1)");
        check("$a=1", "$a=1");
        check("$a = 1", "EQUALS($a, 1)");
        check("$a != 1", "NOT(EQUALS($a, 1))");
        check("1 + 2 * 3 - 4", "SUM(1, SUB(MUL(2, 3), 4))");
        check("1 - 2 + 3 - 4", "SUM(SUB(1, 2), SUB(3, 4))");
        check("1 - 2 - 3", "SUB(SUB(1, 2), 3)");
        check("1 + 2 + 3 + 4", "SUM(1, 2, 3, 4)");
        check("(1 + 2) + 3", "SUM(SUM(1, 2), 3)");
        check("!$a AND $b OR $c", "OR(AND(NOT($a), $b), $c)");
        check("$a < 1 = $b > 2", "EQUALS(LT($a, 1), GT($b, 2))");
        check("AND($a, OR($b,),)", "AND($a, OR($b))");
        check("$\"x y\" + $`z \"w`", "SUM($\"x y\", $\"z \\\"w\")");
        check("CONCAT(\"a\\n\\x41\\u00e9\\101\", `\\d+`)", "CONCAT(\"a\\nAéA\", \"\\\\d+\")");
        check(".5 + 1e3 - -2", "SUM(0.5, SUB(1000.0, -2))");
        check("-9223372036854775808", "-9223372036854775808");
        check("-$a", "SUB(0, $a)");
        check("IF(true, null, false)", "IF(true, null, false)");
    }

    #[test]
    fn errors_speak_the_vendors_words() {
        for (text, expected) in [
            ("", "empty expression"),
            ("  ", "empty expression"),
            ("FOO($a)", "invalid function: FOO"),
            ("sum($a)", "invalid function: sum"),
            ("RATE(LAST($a))", "timeseries operations cannot be nested"),
            ("IF($a)", "IF takes at least 2 arguments, not 1"),
            ("$a $b", "at byte 3: unexpected $b"),
            ("$a == 1", "at byte 3: equality is a single ="),
            ("(1", "at byte 2: expected )"),
            ("\"a", "at byte 0: unterminated string"),
            ("1 +", "at byte 3: expression ends too early"),
        ] {
            assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text}");
        }
        assert_eq!(parse(&"(".repeat(4000)), Err(ExpressionError::TooDeep));
        assert_eq!(parse(&"!".repeat(4000)), Err(ExpressionError::TooDeep));
        assert_eq!(parse(&format!("1{}", " - 1".repeat(900))), Err(ExpressionError::TooDeep));
        assert!(parse(&format!("1{}", " + 1".repeat(900))).is_ok());
        assert_eq!(parse(&" ".repeat(5000)), Err(ExpressionError::TooLong));
    }

    fn any_ast() -> impl Strategy<Value = Ast> {
        let leaf = prop_oneof![
            Just(Ast::Null),
            any::<bool>().prop_map(Ast::Bool),
            any::<i64>().prop_map(Ast::Int),
            any::<f64>().prop_filter("finite", |x| x.is_finite()).prop_map(Ast::Float),
            any::<String>().prop_map(Ast::Text),
            "[ -~é]{1,12}".prop_map(Ast::Column),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            (0..Function::ALL.len(), prop::collection::vec(inner, 4)).prop_map(|(function, mut arguments)| {
                let function = Function::ALL[function];
                // Temporal functions may not nest; any other function shows the same.
                let function = if function.is_timeseries() { Function::Concat } else { function };
                arguments.truncate(function.arity().1);
                Ast::Call(function, arguments)
            })
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(ast in any_ast()) {
            let printed = ast.to_string();
            if printed.len() <= EXPRESSION_BYTES_MAX {
                prop_assert_eq!(parse(&printed), Ok(ast));
            }
        }

        #[test]
        fn any_text_is_an_expression_or_an_error(text in "[ -~é$\"`\\\\]{0,40}") {
            let _ = parse(&text);
        }
    }
}
