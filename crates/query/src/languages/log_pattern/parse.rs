//! Text to filter pattern. The first character picks the form: `{` JSON, `[` fields between blanks, anything else terms.

use regex::RegexBuilder;
use thiserror::Error;

use super::ast::{
    Comparison, Condition, Expression, Pattern, Selector, Slot, Slots, Step, Term, Terms, Test,
};
use super::{DEPTH_MAX, PATTERN_CHARS_MAX, REGEXES_MAX};

/// Memory of one compiled regular expression.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// Why a text is not a filter pattern, and where: bytes from the beginning.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("Invalid filter pattern: {message} at {offset}")]
pub struct PatternError {
    pub offset: usize,
    pub message: &'static str,
}

impl Pattern {
    /// Parses a whole pattern.
    ///
    /// # Errors
    /// When the text is none, or is longer or deeper than a pattern may be.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if let Some((offset, _)) = text.char_indices().nth(PATTERN_CHARS_MAX) {
            return Err(PatternError { offset, message: "more than 1024 characters" });
        }
        let mut parser = Parser { text, at: 0, depth: 0, regex_count: 0 };
        parser.blanks();
        let pattern = match parser.peek() {
            None => Self::All,
            Some('{') => parser.json()?,
            Some('[') => Self::Fields(parser.slots()?),
            Some(_) => Self::Terms(parser.terms()?),
        };
        parser.blanks();
        match parser.peek() {
            None => Ok(pattern),
            Some(_) => Err(parser.fails("expected the end")),
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Always at a character's first byte or at the end.
    at: usize,
    depth: usize,
    regex_count: usize,
}

impl Parser<'_> {
    fn fails(&self, message: &'static str) -> PatternError {
        PatternError { offset: self.at, message }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.next();
        }
    }

    fn takes(&mut self, token: &str) -> bool {
        let found = self.text[self.at..].starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    /// A word in any case, not followed by more of a word.
    fn takes_word(&mut self, word: &str) -> bool {
        let rest = &self.text[self.at..];
        let Some(head) = rest.get(..word.len()) else { return false };
        let ends = rest[word.len()..].chars().next().is_none_or(|next| !next.is_alphanumeric());
        let found = head.eq_ignore_ascii_case(word) && ends;
        self.at += if found { word.len() } else { 0 };
        found
    }

    fn expects(&mut self, token: &str, message: &'static str) -> Result<(), PatternError> {
        self.blanks();
        if self.takes(token) { Ok(()) } else { Err(self.fails(message)) }
    }

    /// A text in quotes, the opening one first. A backslash keeps a quote, a backslash, and itself before anything else.
    fn quoted(&mut self) -> Result<String, PatternError> {
        let start = self.at;
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => {
                    self.at = start;
                    return Err(self.fails("a quote that is not closed"));
                }
                Some('"') => return Ok(text),
                Some('\\') => match self.next() {
                    Some(kept @ ('"' | '\\')) => text.push(kept),
                    Some(other) => text.extend(['\\', other]),
                    None => {}
                },
                Some(other) => text.push(other),
            }
        }
    }

    /// A regular expression between percent signs, the opening one first.
    fn regex(&mut self) -> Result<Expression, PatternError> {
        let start = self.at;
        self.next();
        let end = self.text[self.at..].find('%').map(|end| self.at + end);
        let Some(end) = end.filter(|end| *end > self.at) else {
            self.at = start;
            return Err(self.fails("a regular expression that is empty or not closed by %"));
        };
        let text = &self.text[self.at..end];
        let allowed =
            |sign: char| sign.is_ascii_alphanumeric() || ":_#=@/;,-^$?[]{}|\\*+. ~!&\"'<>`".contains(sign);
        if let Some((offset, _)) = text.char_indices().find(|(_, sign)| !allowed(*sign)) {
            self.at += offset;
            return Err(self.fails("a sign that regular expressions here do not have"));
        }
        self.regex_count += 1;
        if self.regex_count > REGEXES_MAX {
            return Err(self.fails("more than two regular expressions"));
        }
        let built =
            RegexBuilder::new(text).size_limit(COMPILED_BYTES_MAX).dfa_size_limit(COMPILED_BYTES_MAX).build();
        let regex = built.map_err(|_| self.fails("a regular expression that cannot be read"))?;
        let expression = Expression { text: text.to_owned(), regex };
        self.at = end + 1;
        Ok(expression)
    }

    fn terms(&mut self) -> Result<Terms, PatternError> {
        let mut terms = Terms::default();
        loop {
            self.blanks();
            let list = match self.peek() {
                None => return Ok(terms),
                Some('-') => {
                    self.next();
                    &mut terms.excluded
                }
                Some('?') => {
                    self.next();
                    &mut terms.optional
                }
                Some(_) => &mut terms.required,
            };
            let term = match self.peek() {
                Some('"') => Term::Text(self.quoted()?),
                Some('%') => Term::Regex(self.regex()?),
                _ => Term::Text(self.word()?),
            };
            list.push(term);
            if self.peek().is_some_and(|next| !next.is_whitespace()) {
                return Err(self.fails("a term with other signs than letters, digits and _ must be quoted"));
            }
        }
    }

    /// Letters, digits and underscores.
    fn word(&mut self) -> Result<String, PatternError> {
        let start = self.at;
        while self.peek().is_some_and(|next| next.is_alphanumeric() || next == '_') {
            self.next();
        }
        match self.at > start {
            true => Ok(self.text[start..self.at].to_owned()),
            false => Err(self.fails("a term with other signs than letters, digits and _ must be quoted")),
        }
    }

    fn json(&mut self) -> Result<Pattern, PatternError> {
        self.next();
        let condition = self.any(&Self::json_test)?;
        self.expects("}", "expected &&, || or }")?;
        Ok(Pattern::Json(condition))
    }

    fn any<S>(
        &mut self,
        test: &impl Fn(&mut Self) -> Result<Condition<S>, PatternError>,
    ) -> Result<Condition<S>, PatternError> {
        let mut parts = vec![self.all(test)?];
        loop {
            self.blanks();
            if !self.takes("||") {
                return Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::Any(parts) });
            }
            parts.push(self.all(test)?);
        }
    }

    fn all<S>(
        &mut self,
        test: &impl Fn(&mut Self) -> Result<Condition<S>, PatternError>,
    ) -> Result<Condition<S>, PatternError> {
        let mut parts = vec![self.one(test)?];
        loop {
            self.blanks();
            if !self.takes("&&") {
                return Ok(if parts.len() == 1 { parts.remove(0) } else { Condition::All(parts) });
            }
            parts.push(self.one(test)?);
        }
    }

    fn one<S>(
        &mut self,
        test: &impl Fn(&mut Self) -> Result<Condition<S>, PatternError>,
    ) -> Result<Condition<S>, PatternError> {
        self.blanks();
        if !self.takes("(") {
            return test(self);
        }
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.fails("too many levels of parentheses"));
        }
        let inner = self.any(test)?;
        self.depth -= 1;
        self.expects(")", "expected )")?;
        Ok(inner)
    }

    fn json_test(&mut self) -> Result<Condition<Selector>, PatternError> {
        let subject = self.selector()?;
        self.blanks();
        if self.takes_word("IS") {
            self.blanks();
            let tests = [("NULL", Test::IsNull), ("TRUE", Test::IsTrue), ("FALSE", Test::IsFalse)];
            let test = tests.into_iter().find_map(|(word, test)| self.takes_word(word).then_some(test));
            let test = test.ok_or_else(|| self.fails("expected NULL, TRUE or FALSE"))?;
            return Ok(Condition::Test { subject, test });
        }
        if self.takes_word("NOT") {
            self.blanks();
            if !self.takes_word("EXISTS") {
                return Err(self.fails("expected EXISTS"));
            }
            return Ok(Condition::Test { subject, test: Test::NotExists });
        }
        let test = self.comparison("}&|() \t\r\n")?;
        Ok(Condition::Test { subject, test })
    }

    /// `$`, `.key`, `["key"]` and `[0]`.
    fn selector(&mut self) -> Result<Selector, PatternError> {
        if !self.takes("$") {
            return Err(self.fails("expected a selector that begins with $"));
        }
        let mut steps = Vec::new();
        loop {
            let is_dot = self.takes(".");
            if is_dot && self.peek() != Some('[') {
                let start = self.at;
                let is_key = |next: char| next.is_alphanumeric() || "_-@#:/".contains(next);
                while self.peek().is_some_and(is_key) {
                    self.next();
                }
                if self.at == start {
                    return Err(self.fails("expected a name"));
                }
                steps.push(Step::Key(self.text[start..self.at].to_owned()));
            } else if self.takes("[") {
                self.blanks();
                let step = match self.peek() {
                    Some('"') => Step::Key(self.quoted()?),
                    Some(quote @ '\'') => {
                        self.next();
                        let end = self.text[self.at..].find(quote);
                        let end = end.ok_or_else(|| self.fails("a quote that is not closed"))?;
                        let key = self.text[self.at..self.at + end].to_owned();
                        self.at += end + 1;
                        Step::Key(key)
                    }
                    _ => {
                        let start = self.at;
                        while self.peek().is_some_and(|next| next.is_ascii_digit()) {
                            self.next();
                        }
                        let index = self.text[start..self.at].parse();
                        Step::Index(index.map_err(|_| self.fails("expected the position in a list"))?)
                    }
                };
                self.expects("]", "expected ]")?;
                steps.push(step);
            } else if steps.is_empty() {
                return Err(self.fails("expected . or ["));
            } else {
                return Ok(Selector(steps));
            }
        }
    }

    /// An operator and what comes after it. A bare value ends at one of `ends`.
    fn comparison(&mut self, ends: &str) -> Result<Test, PatternError> {
        self.blanks();
        let found = Comparison::ALL.iter().find(|(sign, _)| self.takes(sign)).map(|(_, found)| *found);
        let comparison = found.ok_or_else(|| self.fails("expected = != < > <= or >="))?;
        self.blanks();
        let negated = comparison == Comparison::NotEqual;
        let is_equality = negated || comparison == Comparison::Equal;
        match self.peek() {
            Some('"') if is_equality => Ok(Test::Text { negated, glob: self.quoted()?, is_quoted: true }),
            Some('%') if is_equality => Ok(Test::Regex { negated, expression: self.regex()? }),
            _ => {
                let start = self.at;
                while self.peek().is_some_and(|next| !ends.contains(next)) {
                    self.next();
                }
                let text = &self.text[start..self.at];
                if text.is_empty() {
                    return Err(self.fails("expected a value"));
                }
                match text.parse::<f64>() {
                    Ok(number) if number.is_finite() => {
                        Ok(Test::Number { comparison, number, text: text.to_owned() })
                    }
                    _ if is_equality => {
                        if let Some(offset) = text.find(['"', '%']) {
                            self.at = start + offset;
                            return Err(self.fails("a value with such signs must be quoted"));
                        }
                        Ok(Test::Text { negated, glob: text.to_owned(), is_quoted: false })
                    }
                    _ => {
                        self.at = start;
                        Err(self.fails("expected a number"))
                    }
                }
            }
        }
    }

    fn slots(&mut self) -> Result<Slots, PatternError> {
        self.next();
        let mut slots = Slots { before: Vec::new(), after: None };
        loop {
            self.blanks();
            if self.takes("...") {
                if slots.after.replace(Vec::new()).is_some() {
                    return Err(self.fails("more than one ..."));
                }
            } else {
                let slot = self.slot()?;
                slots.after.as_mut().unwrap_or(&mut slots.before).push(slot);
            }
            self.blanks();
            if self.takes("]") {
                return Ok(slots);
            }
            self.expects(",", "expected , or ]")?;
        }
    }

    fn slot(&mut self) -> Result<Slot, PatternError> {
        let start = self.at;
        let name = self.name()?;
        self.blanks();
        if self.peek().is_none_or(|next| next == ',' || next == ']') {
            return Ok(Slot { name, condition: None });
        }
        self.at = start;
        let of_this = name.clone();
        let test = move |parser: &mut Self| {
            let before = parser.at;
            if parser.name()? != of_this {
                parser.at = before;
                return Err(parser.fails("expected the name of this field"));
            }
            let test = parser.comparison(",]&|() \t\r\n")?;
            Ok(Condition::Test { subject: (), test })
        };
        let condition = self.any(&test)?;
        Ok(Slot { name, condition: Some(condition) })
    }

    fn name(&mut self) -> Result<String, PatternError> {
        let start = self.at;
        let is_name = |next: char| next.is_alphanumeric() || "_-$.@#:/".contains(next);
        while self.peek().is_some_and(is_name) {
            self.next();
        }
        match self.at > start {
            true => Ok(self.text[start..self.at].to_owned()),
            false => Err(self.fails("expected the name of a field")),
        }
    }
}
