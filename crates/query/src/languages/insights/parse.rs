//! The text of a query → its tree. Every error has the place of what is wrong, in bytes, and a command or function that is
//! not built is one, so that no part of a query is ever skipped. Depth and size are bounded before anything recurses.

use thiserror::Error;

use super::ast::{
    Aggregate, AggregateFunction, BinaryOp, Command, Expr, Function, Named, ParsePattern, Period, Query,
    SortKey, Source, Step,
};
use super::{dates, members};
use crate::functions::regex_functions::compile;

/// The vendor's bound.
const QUERY_CHARS_MAX: usize = 10_000;
const DEPTH_MAX: usize = 48;
const LIMIT_MAX: usize = 100_000;
const STATS_MAX: usize = 2;

/// What is wrong, and where.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct ParseError {
    /// Byte offsets of what is wrong.
    pub start: usize,
    pub end: usize,
    pub message: String,
}

type Result<T> = std::result::Result<T, ParseError>;

/// Parses a query.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(text: &str) -> Result<Query> {
    let mut parser = Parser { text, at: 0, depth: 0, aggregates: false };
    if text.chars().count() > QUERY_CHARS_MAX {
        return parser.fail(format!("a query has at most {QUERY_CHARS_MAX} characters"));
    }
    let mut query = parser.query()?;
    members::resolve(&mut query);
    check_order(&query, text)?;
    Ok(query)
}

fn check_order(query: &Query, text: &str) -> Result<()> {
    let fail = |message: &str| Err(ParseError { start: 0, end: text.len(), message: message.to_owned() });
    let is_stats = |command: &&Command| matches!(command, Command::Stats { .. });
    if query.commands.iter().filter(is_stats).count() > STATS_MAX {
        return fail("a query has at most two stats commands");
    }
    let last_stats = query.commands.iter().rposition(|command| is_stats(&command));
    for (idx, command) in query.commands.iter().enumerate() {
        let before_stats = last_stats.is_some_and(|last| idx < last);
        match command {
            Command::Sort(_) | Command::Limit(_) if before_stats => {
                return fail("sort and limit follow the last stats command");
            }
            Command::Dedup(_)
                if query.commands[idx + 1..].iter().any(|next| !matches!(next, Command::Limit(_))) =>
            {
                return fail("only limit may follow dedup");
            }
            _ => {}
        }
    }
    Ok(())
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// Whether functions may be aggregates.
    aggregates: bool,
}

/// Commands of the vendor's language that are not built.
const NOT_BUILT: &[&str] = &[
    "diff",
    "anomaly",
    "unmask",
    "expand",
    "filterindex",
    "join",
    "lookup",
    "cidrlookup",
    "json",
    "addtotals",
    "accum",
    "autoregress",
    "filldown",
    "fillmissing",
    "appendcols",
    "countfrequent",
    "sessionize",
    "outlier",
    "logcompare",
    "relevantfields",
    "estimate",
];

impl<'a> Parser<'a> {
    fn query(&mut self) -> Result<Query> {
        let mut query = Query::default();
        self.blank();
        if self.is_end() {
            return self.fail("the query is empty");
        }
        if self.word_is("source") {
            query.source = Some(self.source()?);
            self.blank();
            if self.is_end() {
                return Ok(query);
            }
            self.expect('|')?;
        }
        loop {
            query.commands.push(self.command()?);
            self.blank();
            if self.is_end() {
                return Ok(query);
            }
            self.expect('|')?;
        }
    }

    fn source(&mut self) -> Result<Source> {
        let mut source = Source::default();
        self.word();
        self.blank();
        if self.word_is("loggroups") {
            self.word();
            self.expect('(')?;
            loop {
                let start = self.at;
                let key = self.word();
                self.expect(':')?;
                let values = self.texts()?;
                match key.to_ascii_lowercase().as_str() {
                    "nameprefix" => source.prefixes = values,
                    "class" => source.classes = values,
                    _ => return self.fail_at(start, format!("logGroups has no argument {key}")),
                }
                if !self.accept(',') {
                    break;
                }
            }
            self.expect(')')?;
            if source.prefixes.is_empty() {
                source.prefixes.push(String::new());
            }
            return Ok(source);
        }
        loop {
            source.names.push(self.quoted()?);
            if !self.accept(',') {
                return Ok(source);
            }
        }
    }

    fn texts(&mut self) -> Result<Vec<String>> {
        self.expect('[')?;
        let mut values = vec![self.quoted()?];
        while self.accept(',') {
            values.push(self.quoted()?);
        }
        self.expect(']')?;
        Ok(values)
    }

    fn command(&mut self) -> Result<Command> {
        self.blank();
        let start = self.at;
        let word = self.word().to_ascii_lowercase();
        match word.as_str() {
            "fields" => Ok(Command::Fields(self.named_list()?)),
            "display" => Ok(Command::Display(self.named_list()?)),
            "filter" | "where" => Ok(Command::Filter(self.expr()?)),
            "stats" => self.stats(),
            "sort" => self.sort(),
            "limit" | "head" => self.limit(),
            "parse" => self.parse_command(),
            "dedup" => {
                let mut fields = vec![self.field()?];
                while self.accept(',') {
                    fields.push(self.field()?);
                }
                Ok(Command::Dedup(fields))
            }
            "pattern" => Ok(Command::Pattern(self.expr()?)),
            "unnest" => {
                let source = self.primary()?;
                if !self.keyword("into") {
                    return self.fail("a name is expected after into");
                }
                Ok(Command::Unnest { source, name: self.field_name()? })
            }
            "" => self.fail("a command is missing"),
            other if NOT_BUILT.contains(&other) => {
                self.fail_at(start, format!("the command {other} is not supported"))
            }
            other => self.fail_at(start, format!("there is no command {other}")),
        }
    }

    fn named_list(&mut self) -> Result<Vec<Named>> {
        let mut list = vec![self.named()?];
        loop {
            self.blank();
            // Commas between fields may be left out.
            let comma = self.accept(',');
            if !comma && (self.is_end() || self.peek() == Some('|')) {
                return Ok(list);
            }
            list.push(self.named()?);
        }
    }

    fn named(&mut self) -> Result<Named> {
        self.blank();
        let start = self.at;
        let expr = self.expr()?;
        let written = self.text[start..self.at].trim().to_owned();
        let name = match (&expr, self.alias()?) {
            (_, Some(alias)) => alias,
            (Expr::Field(name), None) => name.clone(),
            (_, None) => written,
        };
        Ok(Named { expr, name })
    }

    fn alias(&mut self) -> Result<Option<String>> {
        self.blank();
        if !self.word_is("as") {
            return Ok(None);
        }
        self.word();
        self.field_name().map(Some)
    }

    fn stats(&mut self) -> Result<Command> {
        let mut results = Vec::new();
        loop {
            self.blank();
            let start = self.at;
            self.aggregates = true;
            let named = self.named()?;
            self.aggregates = false;
            if let Some(outside) = outside_aggregate(&named.expr) {
                return self.fail_at(start, format!("{outside} is not within an aggregate function"));
            }
            if !has_aggregate(&named.expr) {
                return self.fail_at(start, "an aggregate function is expected");
            }
            results.push(named);
            if !self.accept(',') {
                break;
            }
        }
        self.blank();
        let mut by = Vec::new();
        if self.word_is("by") {
            self.word();
            loop {
                by.push(self.named()?);
                if !self.accept(',') {
                    break;
                }
            }
        }
        Ok(Command::Stats { results, by })
    }

    /// What follows the name of an aggregate function.
    fn aggregate(&mut self, function: AggregateFunction) -> Result<Aggregate> {
        use AggregateFunction as F;
        self.expect('(')?;
        let mut percent = 0.0;
        let argument = if function == F::Count && (self.accept('*') || self.next_is(')')) {
            None
        } else {
            self.aggregates = false;
            let argument = self.expr()?;
            if function == F::Pct {
                self.expect(',')?;
                let start = self.at;
                percent = match self.expr()? {
                    Expr::Number(percent) if (0.0..=100.0).contains(&percent) => percent,
                    _ => return self.fail_at(start, "a percentile is a number from 0 to 100"),
                };
            }
            self.aggregates = true;
            Some(argument)
        };
        self.expect(')')?;
        Ok(Aggregate { function, argument, percent })
    }

    fn sort(&mut self) -> Result<Command> {
        let mut keys = Vec::new();
        loop {
            let expr = self.expr()?;
            self.blank();
            let descending = self.word_is("desc");
            if descending || self.word_is("asc") {
                self.word();
            }
            keys.push(SortKey { expr, descending });
            if !self.accept(',') {
                return Ok(Command::Sort(keys));
            }
        }
    }

    fn limit(&mut self) -> Result<Command> {
        self.blank();
        if self.word_is("any") {
            self.word();
            self.blank();
        }
        let start = self.at;
        let digits = self.take_while(|c| c.is_ascii_digit());
        match digits.parse() {
            Ok(count) if (1..=LIMIT_MAX).contains(&count) => Ok(Command::Limit(count)),
            _ => self.fail_at(start, format!("a limit is a number from 1 to {LIMIT_MAX}")),
        }
    }

    fn parse_command(&mut self) -> Result<Command> {
        self.blank();
        if let Some(pattern) = self.format()? {
            return Ok(Command::Parse { source: Expr::Field("@message".to_owned()), pattern });
        }
        let source = match self.peek() {
            Some('"' | '\'' | '/') => Expr::Field("@message".to_owned()),
            // No whole expression: a stroke after it begins the regular expression and divides nothing.
            _ => self.primary()?,
        };
        self.blank();
        if let Some(pattern) = self.format()? {
            return Ok(Command::Parse { source, pattern });
        }
        let start = self.at;
        if self.peek() == Some('/') {
            let regex = self.regex()?;
            let compiled = match compile(&regex) {
                Ok(compiled) => compiled,
                Err(error) => {
                    return self.fail_at(start, format!("the regular expression is wrong: {error}"));
                }
            };
            let mut names: Vec<(usize, String)> = compiled
                .capture_names()
                .enumerate()
                .filter_map(|(idx, name)| Some((idx, name?.to_owned())))
                .collect();
            if names.is_empty() {
                let given = self.names()?;
                if given.len() != compiled.captures_len() - 1 {
                    return self.fail_at(start, "there must be as many names as groups");
                }
                names = given.into_iter().enumerate().map(|(idx, name)| (idx + 1, name)).collect();
            }
            if names.is_empty() {
                return self.fail_at(start, "the regular expression has no groups");
            }
            return Ok(Command::Parse { source, pattern: ParsePattern::Regex { regex, names } });
        }
        let glob = self.quoted()?;
        let pieces: Vec<String> = glob.split('*').map(str::to_owned).collect();
        let names = self.names()?;
        if names.len() != pieces.len() - 1 || names.is_empty() {
            return self.fail_at(start, "there must be as many names as stars");
        }
        Ok(Command::Parse { source, pattern: ParsePattern::Glob { pieces, names } })
    }

    /// A format by its name. A field may be called like one: names follow only a format.
    fn format(&mut self) -> Result<Option<ParsePattern>> {
        let start = self.at;
        let is_csv = self.keyword("csv");
        if !is_csv && !self.keyword("logfmt") {
            return Ok(None);
        }
        self.blank();
        if !self.word_is("as") {
            self.at = start;
            return Ok(None);
        }
        let start = self.at;
        let names = self.names()?;
        match (is_csv, <[String; 1]>::try_from(names)) {
            (true, Ok(names)) => Ok(Some(ParsePattern::Csv { names: names.into() })),
            (true, Err(names)) => Ok(Some(ParsePattern::Csv { names })),
            (false, Ok([name])) => Ok(Some(ParsePattern::Logfmt { name })),
            (false, Err(_)) => self.fail_at(start, "logfmt gives one map"),
        }
    }

    fn names(&mut self) -> Result<Vec<String>> {
        self.blank();
        if !self.word_is("as") {
            return self.fail("names are expected after as");
        }
        self.word();
        let mut names = vec![self.field_name()?];
        while self.accept(',') {
            names.push(self.field_name()?);
        }
        Ok(names)
    }

    fn expr(&mut self) -> Result<Expr> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail("the expression is nested too deeply");
        }
        let found = self.or();
        self.depth -= 1;
        found
    }

    fn or(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        let mut count = 0;
        while self.keyword("or") {
            count = self.counted(count)?;
            left = binary(BinaryOp::Or, left, self.and()?);
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.not()?;
        let mut count = 0;
        while self.keyword("and") {
            count = self.counted(count)?;
            left = binary(BinaryOp::And, left, self.not()?);
        }
        Ok(left)
    }

    /// Chains nest in the tree: they are as long as the tree may be deep.
    fn counted(&mut self, count: usize) -> Result<usize> {
        const CHAIN_MAX: usize = 100;
        if count >= CHAIN_MAX {
            return self.fail("the expression is too long");
        }
        Ok(count + 1)
    }

    fn not(&mut self) -> Result<Expr> {
        if self.keyword("not") {
            self.depth += 1;
            if self.depth > DEPTH_MAX {
                return self.fail("the expression is nested too deeply");
            }
            let inner = self.not()?;
            self.depth -= 1;
            return Ok(Expr::Not(Box::new(inner)));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr> {
        let left = self.sum()?;
        self.blank();
        let start = self.at;
        let negated = self.keyword("not");
        if self.keyword("like") {
            self.blank();
            let value = Box::new(left);
            if self.peek() == Some('/') {
                return Ok(Expr::Matches { value, regex: self.checked_regex()?, negated });
            }
            return Ok(Expr::Contains { value, text: self.quoted()?, negated });
        }
        if self.keyword("in") {
            self.expect('[')?;
            let mut list = vec![self.expr()?];
            while self.accept(',') {
                list.push(self.expr()?);
            }
            self.expect(']')?;
            return Ok(Expr::In { value: Box::new(left), list, negated });
        }
        if negated {
            return self.fail_at(start, "like or in is expected after not");
        }
        for (sign, op) in [
            ("=~", None),
            ("!=", Some(BinaryOp::NotEqual)),
            ("<=", Some(BinaryOp::LessOrEqual)),
            (">=", Some(BinaryOp::GreaterOrEqual)),
            ("==", Some(BinaryOp::Equal)),
            ("=", Some(BinaryOp::Equal)),
            ("<", Some(BinaryOp::Less)),
            (">", Some(BinaryOp::Greater)),
        ] {
            if !self.text[self.at..].starts_with(sign) {
                continue;
            }
            self.at += sign.len();
            let Some(op) = op else {
                self.blank();
                let regex = self.checked_regex()?;
                return Ok(Expr::Matches { value: Box::new(left), regex, negated: false });
            };
            return Ok(binary(op, left, self.sum()?));
        }
        Ok(left)
    }

    fn sum(&mut self) -> Result<Expr> {
        let mut left = self.product()?;
        let mut count = 0;
        loop {
            let op = match self.sign() {
                Some('+') => BinaryOp::Add,
                Some('-') => BinaryOp::Subtract,
                _ => return Ok(left),
            };
            count = self.counted(count)?;
            self.at += 1;
            left = binary(op, left, self.product()?);
        }
    }

    fn product(&mut self) -> Result<Expr> {
        let mut left = self.power()?;
        let mut count = 0;
        loop {
            let op = match self.sign() {
                Some('*') => BinaryOp::Multiply,
                Some('/') => BinaryOp::Divide,
                Some('%') => BinaryOp::Remainder,
                _ => return Ok(left),
            };
            count = self.counted(count)?;
            self.at += 1;
            left = binary(op, left, self.power()?);
        }
    }

    fn power(&mut self) -> Result<Expr> {
        let base = self.unary()?;
        if self.sign() != Some('^') {
            return Ok(base);
        }
        self.at += 1;
        Ok(binary(BinaryOp::Power, base, self.unary()?))
    }

    fn sign(&mut self) -> Option<char> {
        self.blank();
        self.peek()
    }

    fn unary(&mut self) -> Result<Expr> {
        if self.accept('-') {
            return Ok(match self.primary()? {
                Expr::Number(number) => Expr::Number(-number),
                other => Expr::Negative(Box::new(other)),
            });
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Expr> {
        self.blank();
        let start = self.at;
        match self.peek() {
            Some('(') => {
                self.at += 1;
                let inner = self.expr()?;
                self.expect(')')?;
                Ok(inner)
            }
            Some('"' | '\'') => self.quoted().map(Expr::Text),
            Some('0'..='9') => {
                let digits = self.number_text();
                match digits.parse() {
                    Ok(number) if f64::is_finite(number) => Ok(Expr::Number(number)),
                    _ => self.fail_at(start, "this is no number"),
                }
            }
            Some(first) if is_name(first) || first == '`' => {
                let is_quoted = first == '`';
                let name = self.field_name()?;
                if self.peek() == Some('(') && !is_quoted {
                    return self.call(&name, start);
                }
                match name.to_ascii_lowercase().as_str() {
                    "true" | "false" if !is_quoted => Ok(Expr::Text(name.to_ascii_lowercase())),
                    _ => self.member(Expr::Field(name)),
                }
            }
            Some(other) => self.fail_at(start, format!("unexpected symbol {other}")),
            None => self.fail("unexpected end of the query"),
        }
    }

    /// A field, or what lies in one.
    fn field(&mut self) -> Result<Expr> {
        let name = self.field_name()?;
        self.member(Expr::Field(name))
    }

    /// The steps in brackets, and those behind them.
    fn member(&mut self, value: Expr) -> Result<Expr> {
        let mut path = Vec::new();
        loop {
            let start = self.at;
            match self.peek() {
                Some('[') => {
                    self.at += 1;
                    self.blank();
                    match self.peek() {
                        Some('"' | '\'') => path.push(Step::Key(self.quoted()?)),
                        _ => match self.take_while(|c| c.is_ascii_digit()).parse() {
                            Ok(idx) => path.push(Step::Index(idx)),
                            Err(_) => return self.fail_at(start, "a place in a list is a number"),
                        },
                    }
                    self.expect(']')?;
                }
                Some('.') if !path.is_empty() => {
                    self.at += 1;
                    path.extend(members::keys(&self.field_name()?));
                }
                _ => break,
            }
        }
        match path.is_empty() {
            true => Ok(value),
            false => Ok(Expr::Member { value: Box::new(value), path }),
        }
    }

    fn number_text(&mut self) -> &'a str {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        if self.peek() == Some('.') && self.text[self.at + 1..].starts_with(|c: char| c.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let rest = &self.text[self.at..];
        if let Some(rest) = rest.strip_prefix(['e', 'E']) {
            let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            if digits.starts_with(|c: char| c.is_ascii_digit()) {
                self.at = self.text.len() - digits.len();
                self.take_while(|c| c.is_ascii_digit());
            }
        }
        &self.text[start..self.at]
    }

    fn call(&mut self, name: &str, start: usize) -> Result<Expr> {
        if self.aggregates
            && let Some(function) = aggregate_function(name)
        {
            return Ok(Expr::Aggregate(Box::new(self.aggregate(function)?)));
        }
        self.expect('(')?;
        if name.eq_ignore_ascii_case("bin") {
            let period = self.period()?;
            let mut offset_ms = 0;
            self.expect(')')?;
            if self.keyword("offset") {
                let start = self.at;
                offset_ms = match self.period()? {
                    Period::Millis(offset_ms) => offset_ms,
                    Period::Months(_) => return self.fail_at(start, "an offset has no months"),
                };
            }
            return Ok(Expr::Bin { period, offset_ms });
        }
        let up = name.eq_ignore_ascii_case("dateceil");
        if up || name.eq_ignore_ascii_case("datefloor") {
            let value = Box::new(self.expr()?);
            self.expect(',')?;
            let period = self.period()?;
            self.expect(')')?;
            return Ok(Expr::DateStep { value, period, up });
        }
        let function =
            Function::ALL.iter().copied().find(|function| function.name().eq_ignore_ascii_case(name));
        let Some(function) = function else {
            return self.fail_at(start, format!("there is no function {name}"));
        };
        let mut arguments = Vec::new();
        if !self.next_is(')') {
            loop {
                arguments.push(self.expr()?);
                if !self.accept(',') {
                    break;
                }
            }
        }
        self.expect(')')?;
        let (min, max) = function.arity();
        if !(min..=max).contains(&arguments.len()) {
            return self
                .fail_at(start, format!("{} does not take {} arguments", function.name(), arguments.len()));
        }
        if function == Function::RegexReplace {
            match &arguments[1] {
                Expr::Text(regex) if compile(regex).is_ok() => {}
                _ => return self.fail_at(start, "regexReplace takes a regular expression as a text"),
            }
        }
        let is_known: Option<fn(&str) -> bool> = match function {
            Function::ParseDate | Function::FormatDate => Some(dates::is_java_pattern),
            Function::Strftime => Some(dates::is_strftime_pattern),
            _ => None,
        };
        if let (Some(is_known), Some(Expr::Text(pattern))) = (is_known, arguments.get(1))
            && !is_known(pattern)
        {
            return self.fail_at(start, "the pattern of the date has letters that are not supported");
        }
        Ok(Expr::Call { function, arguments })
    }

    /// `5m`, `1 hour`. The vendor's caps are applied.
    fn period(&mut self) -> Result<Period> {
        self.blank();
        let start = self.at;
        let digits = self.take_while(|c| c.is_ascii_digit());
        let number: i64 = match digits {
            "" => 1,
            digits => match digits.parse() {
                Ok(number) if number > 0 => number,
                _ => return self.fail_at(start, "a period is a positive number and a unit"),
            },
        };
        self.blank();
        let unit = self.take_while(|c| c.is_ascii_alphabetic()).to_owned();
        const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
        let (unit_ms, most) = match unit.as_str() {
            "ms" | "msec" | "millisecond" | "milliseconds" => (1, 1_000),
            "s" | "sec" | "secs" | "second" | "seconds" => (1_000, 60),
            "m" | "min" | "mins" | "minute" | "minutes" => (60_000, 60),
            "h" | "hr" | "hrs" | "hour" | "hours" => (3_600_000, 24),
            "d" | "day" | "days" => (DAY_MS, 3_650),
            "w" | "week" | "weeks" => (7 * DAY_MS, 520),
            "mo" | "mos" | "mon" | "mons" | "month" | "months" => {
                return Ok(Period::Months(number.min(1_200)));
            }
            "q" | "qtr" | "qtrs" | "quarter" | "quarters" => return Ok(Period::Months(3 * number.min(400))),
            "y" | "yr" | "yrs" | "year" | "years" => return Ok(Period::Months(12 * number.min(100))),
            _ => return self.fail_at(start, "a period ends with ms, s, m, h, d, w, mo, q or y"),
        };
        Ok(Period::Millis(number.min(most) * unit_ms))
    }

    fn checked_regex(&mut self) -> Result<String> {
        let start = self.at;
        let regex = match self.peek() {
            Some('/') => self.regex()?,
            _ => without_escaped_strokes(&self.quoted()?),
        };
        match compile(&regex) {
            Ok(_) => Ok(regex),
            Err(error) => self.fail_at(start, format!("the regular expression is wrong: {error}")),
        }
    }

    fn regex(&mut self) -> Result<String> {
        let start = self.at;
        self.expect('/')?;
        let mut regex = String::new();
        let mut chars = self.text[self.at..].char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                '/' => {
                    self.at += offset + 1;
                    return Ok(regex);
                }
                '\\' => match chars.next() {
                    Some((_, '/')) => regex.push('/'),
                    Some((_, other)) => regex.extend(['\\', other]),
                    None => break,
                },
                c => regex.push(c),
            }
        }
        self.fail_at(start, "the regular expression does not end")
    }

    fn quoted(&mut self) -> Result<String> {
        self.blank();
        let start = self.at;
        let Some(quote @ ('"' | '\'')) = self.peek() else {
            return self.fail("a text in quotes is expected");
        };
        let mut text = String::new();
        let mut chars = self.text[self.at + 1..].char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += offset + 2;
                    return Ok(text);
                }
                '\\' => match chars.next() {
                    Some((_, c)) if c == quote || c == '\\' => text.push(c),
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                c => text.push(c),
            }
        }
        self.fail_at(start, "the text does not end")
    }

    /// A field or an alias.
    fn field_name(&mut self) -> Result<String> {
        self.blank();
        let start = self.at;
        let mut name = String::new();
        loop {
            let part = self.take_while(is_name);
            name.push_str(part);
            if self.peek() != Some('`') {
                break;
            }
            // Two of them within are one.
            loop {
                let rest = &self.text[self.at + 1..];
                let Some(length) = rest.find('`') else {
                    return self.fail("the name in backticks does not end");
                };
                name.push_str(&rest[..length]);
                self.at += length + 2;
                if self.peek() != Some('`') {
                    break;
                }
                name.push('`');
            }
        }
        if name.is_empty() {
            return self.fail_at(start, "a name is expected");
        }
        Ok(name)
    }

    fn word(&mut self) -> &'a str {
        self.blank();
        self.take_while(|c| c.is_alphanumeric() || c == '_')
    }

    fn word_is(&self, expected: &str) -> bool {
        let rest = &self.text[self.at..];
        rest.get(..expected.len()).is_some_and(|word| word.eq_ignore_ascii_case(expected))
            && !rest[expected.len()..].starts_with(is_name)
    }

    fn keyword(&mut self, word: &str) -> bool {
        self.blank();
        let found = self.word_is(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn blank(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if self.peek() != Some('#') {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn is_end(&self) -> bool {
        self.at == self.text.len()
    }

    fn next_is(&mut self, expected: char) -> bool {
        self.blank();
        self.peek() == Some(expected)
    }

    fn accept(&mut self, expected: char) -> bool {
        let found = self.next_is(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    fn expect(&mut self, expected: char) -> Result<()> {
        match self.accept(expected) {
            true => Ok(()),
            false => self.fail(format!("{expected} is expected")),
        }
    }

    /// What is wrong is where the parser stands.
    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        let length = self.peek().map_or(0, char::len_utf8);
        Err(ParseError { start: self.at, end: self.at + length, message: message.into() })
    }

    fn fail_at<T>(&self, start: usize, message: impl Into<String>) -> Result<T> {
        Err(ParseError { start, end: self.at.max(start), message: message.into() })
    }
}

/// A stroke means itself in a regular expression; between strokes it is escaped, in quotes it may be.
fn without_escaped_strokes(regex: &str) -> String {
    let mut found = String::with_capacity(regex.len());
    let mut chars = regex.chars();
    while let Some(c) = chars.next() {
        match (c, chars.clone().next()) {
            ('\\', Some('/')) => {}
            ('\\', Some(next)) => {
                found.extend([c, next]);
                chars.next();
            }
            _ => found.push(c),
        }
    }
    found
}

fn aggregate_function(name: &str) -> Option<AggregateFunction> {
    use AggregateFunction as F;
    Some(match name.to_ascii_lowercase().as_str() {
        "count" | "countovertime" | "count_over_time" => F::Count,
        "count_distinct" => F::CountDistinct,
        "sum" | "sumovertime" | "sum_over_time" => F::Sum,
        "avg" => F::Avg,
        "min" => F::Min,
        "max" => F::Max,
        "stddev" => F::Stddev,
        "pct" => F::Pct,
        "earliest" => F::Earliest,
        "latest" => F::Latest,
        "sortsfirst" => F::SortsFirst,
        "sortslast" => F::SortsLast,
        _ => return None,
    })
}

fn has_aggregate(expr: &Expr) -> bool {
    matches!(expr, Expr::Aggregate(_)) || expr.parts().into_iter().any(has_aggregate)
}

/// What of an expression needs a single row.
fn outside_aggregate(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Field(name) => Some(name),
        Expr::Bin { .. } => Some("bin"),
        Expr::Call { function: Function::MessageSize, .. } => Some("messageSize"),
        Expr::Aggregate(_) => None,
        _ => expr.parts().into_iter().find_map(outside_aggregate),
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.' || c == '@'
}

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}
