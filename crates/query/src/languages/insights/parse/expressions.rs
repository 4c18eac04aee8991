//! Expressions of a query, from the loosest to the tightest. Every level that recurses counts its depth, and a chain of one
//! level has a bounded length, because it nests in the tree.

use super::super::ast::{AggregateFunction, BinaryOp, Expr, Function, Period, Step};
use super::super::{dates, members};
use super::tokens::is_name;
use super::{DEPTH_MAX, Parser, Result};
use crate::functions::regex_functions::compile;

impl<'a> Parser<'a> {
    pub(super) fn expr(&mut self) -> Result<Expr> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.fail("the expression is nested too deeply");
        }
        let found = self.or();
        self.depth -= 1;
        found
    }

    pub(super) fn or(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        let mut count = 0;
        while self.keyword("or") {
            count = self.counted(count)?;
            left = binary(BinaryOp::Or, left, self.and()?);
        }
        Ok(left)
    }

    pub(super) fn and(&mut self) -> Result<Expr> {
        let mut left = self.not()?;
        let mut count = 0;
        while self.keyword("and") {
            count = self.counted(count)?;
            left = binary(BinaryOp::And, left, self.not()?);
        }
        Ok(left)
    }

    /// Chains nest in the tree: they are as long as the tree may be deep.
    pub(super) fn counted(&mut self, count: usize) -> Result<usize> {
        const CHAIN_MAX: usize = 100;
        if count >= CHAIN_MAX {
            return self.fail("the expression is too long");
        }
        Ok(count + 1)
    }

    pub(super) fn not(&mut self) -> Result<Expr> {
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

    pub(super) fn comparison(&mut self) -> Result<Expr> {
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
            self.blank();
            if self.peek().is_some_and(|c| is_name(c) || c == '`') {
                let arguments = vec![self.field()?, left];
                let contains = Expr::Call { function: Function::JsonArrayContains, arguments };
                return Ok(if negated { Expr::Not(Box::new(contains)) } else { contains });
            }
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

    pub(super) fn sum(&mut self) -> Result<Expr> {
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

    pub(super) fn product(&mut self) -> Result<Expr> {
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

    pub(super) fn power(&mut self) -> Result<Expr> {
        let base = self.unary()?;
        if self.sign() != Some('^') {
            return Ok(base);
        }
        self.at += 1;
        Ok(binary(BinaryOp::Power, base, self.unary()?))
    }

    pub(super) fn sign(&mut self) -> Option<char> {
        self.blank();
        self.peek()
    }

    pub(super) fn unary(&mut self) -> Result<Expr> {
        if self.accept('-') {
            return Ok(match self.primary()? {
                Expr::Number(number) => Expr::Number(-number),
                other => Expr::Negative(Box::new(other)),
            });
        }
        self.primary()
    }

    pub(super) fn primary(&mut self) -> Result<Expr> {
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
    pub(super) fn field(&mut self) -> Result<Expr> {
        let name = self.field_name()?;
        self.member(Expr::Field(name))
    }

    /// The steps in brackets, and those behind them.
    pub(super) fn member(&mut self, value: Expr) -> Result<Expr> {
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

    pub(super) fn number_text(&mut self) -> &'a str {
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

    pub(super) fn call(&mut self, name: &str, start: usize) -> Result<Expr> {
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
    pub(super) fn period(&mut self) -> Result<Period> {
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

fn binary(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
}
