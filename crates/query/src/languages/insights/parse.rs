//! The text of a query → its tree. Every error has the place of what is wrong, in bytes, and a command or function that is
//! not built is one, so that no part of a query is ever skipped. Depth and size are bounded before anything recurses.

mod expressions;
mod tokens;

use thiserror::Error;

use super::ast::{
    Aggregate, AggregateFunction, Command, Expr, Function, Named, ParsePattern, Query, SortKey, Source,
};
use super::members;
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
