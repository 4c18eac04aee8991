//! Text to filter expression, by recursive descent. Doors call [`parse`] on what a client sent; a text of any kind gives a
//! tree of bounded depth or an error that says where, what was expected and what was found.

use serde_json::Value;
use thiserror::Error;

use super::ast::named;
use super::ast::{
    AnnotationTest, Cause, CauseOf, Comparison, Expression, Flag, GroupBy, Number, Selector, Term, Text,
    TextTest,
};
use super::{EXPRESSION_CHARS_MAX, EXPRESSION_DEPTH_MAX};

/// Why a text is not a filter expression.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
#[error("at {offset}: expected {expected}, found {found}")]
pub struct FilterError {
    /// Bytes from the beginning; at a character's first byte or at the end.
    pub offset: usize,
    pub expected: &'static str,
    pub found: String,
}

/// Parses a whole expression.
pub fn parse(text: &str) -> Result<Expression, FilterError> {
    let mut parser = Parser { text, at: 0, depth: 0, in_braces: false };
    if let Some((offset, _)) = text.char_indices().nth(EXPRESSION_CHARS_MAX) {
        return Err(FilterError {
            offset,
            expected: "at most 2000 characters",
            found: "a longer expression".to_owned(),
        });
    }
    let expression = parser.any()?;
    parser.blanks();
    match parser.rest().is_empty() {
        true => Ok(expression),
        false => Err(parser.expected("AND, OR or the end")),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Always at a character's first byte or at the end.
    at: usize,
    depth: usize,
    /// Whether the walk is inside the braces of a node, an edge or a root cause.
    in_braces: bool,
}

const TERM: &str = "a keyword, `!` or `(`";
const VALUE: &str = "a text in quotes";
const NUMBER: &str = "a number";
/// How much of the text an error repeats.
const FOUND_CHARS_MAX: usize = 24;

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// An error at the next thing that is not a blank.
    fn expected(&mut self, expected: &'static str) -> FilterError {
        self.blanks();
        self.expected_at(self.at, expected)
    }

    fn expected_at(&self, offset: usize, expected: &'static str) -> FilterError {
        let rest = &self.text[offset..];
        let word = rest.find(|letter: char| !is_keyword(letter)).unwrap_or(rest.len());
        let found = if word > 0 { &rest[..word] } else { rest };
        let chars = if word > 0 { FOUND_CHARS_MAX } else { 1 };
        let found: String = found.chars().take(chars).collect();
        let found = if found.is_empty() { "the end".to_owned() } else { format!("`{found}`") };
        FilterError { offset, expected, found }
    }

    /// Takes `symbol` if it comes next.
    fn take(&mut self, symbol: &str) -> bool {
        self.blanks();
        let found = self.rest().starts_with(symbol);
        if found {
            self.at += symbol.len();
        }
        found
    }

    fn require(&mut self, symbol: &str, expected: &'static str) -> Result<(), FilterError> {
        if self.take(symbol) { Ok(()) } else { Err(self.expected(expected)) }
    }

    /// The letters that come next and that `belongs` admits; empty if there are none.
    fn peek_while(&mut self, belongs: fn(char) -> bool) -> &'a str {
        self.blanks();
        let rest = self.rest();
        &rest[..rest.find(|letter| !belongs(letter)).unwrap_or(rest.len())]
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.peek_while(is_keyword).eq_ignore_ascii_case(word);
        if found {
            self.at += word.len();
        }
        found
    }

    fn nested<T>(
        &mut self,
        inside: impl FnOnce(&mut Self) -> Result<T, FilterError>,
    ) -> Result<T, FilterError> {
        if self.depth == EXPRESSION_DEPTH_MAX {
            return Err(self.expected("fewer levels of nesting"));
        }
        self.depth += 1;
        let result = inside(self);
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.all()?];
        while self.take_word("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let mut parts = vec![self.unary()?];
        loop {
            if !self.take_word("and") {
                // Side by side means AND.
                let next = self.peek_while(is_keyword);
                let begins = !next.is_empty() && !next.eq_ignore_ascii_case("or");
                if !begins && !self.rest().starts_with(['!', '(']) {
                    return Ok(one_or(parts, Expression::All));
                }
            }
            parts.push(self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expression, FilterError> {
        if self.take("!") {
            let inner = self.nested(Self::unary)?;
            return Ok(Expression::Not(Box::new(inner)));
        }
        if self.take("(") {
            let inner = self.nested(Self::any)?;
            self.require(")", "AND, OR or `)`")?;
            return Ok(inner);
        }
        Ok(Expression::Term(self.term()?))
    }

    fn term(&mut self) -> Result<Term, FilterError> {
        let word = self.peek_while(is_keyword);
        let start = self.at;
        self.at += word.len();
        let lower = word.to_ascii_lowercase();
        if let Some(flag) = named(Flag::ALL, Flag::as_str, word) {
            return Ok(Term::Flag { flag, is: self.flag_test()?.unwrap_or(true) });
        }
        if let Some(number) = named(Number::ALL, Number::as_str, word) {
            let comparison = self.comparison()?;
            return Ok(Term::Number { number, comparison, value: self.number()? });
        }
        if let Some(text) = named(Text::ALL, Text::as_str, word) {
            let test = self.text_test()?.ok_or_else(|| self.expected("a comparison of texts"))?;
            return Ok(Term::Text { text, test, value: self.value()? });
        }
        if lower.starts_with("annotation.") {
            let key = &word["annotation.".len()..];
            if key.is_empty() {
                return Err(self.expected_at(self.at, "an annotation's key"));
            }
            return Ok(Term::Annotation { key: key.to_owned(), test: self.annotation_test()? });
        }
        if lower == "annotation" {
            let key = self.bracketed_key()?;
            return Ok(Term::Annotation { key, test: self.annotation_test()? });
        }
        if !self.in_braces {
            if let Some(by) = named(GroupBy::ALL, GroupBy::as_str, word) {
                self.require("=", "`=`")?;
                return Ok(Term::Group { by, value: self.value()? });
            }
            match lower.as_str() {
                "service" => return self.service(),
                "edge" => return self.edge(),
                "rootcause.json" => return self.root_cause_json(),
                _ => {}
            }
            if let Some((cause, of)) = lower.strip_prefix("rootcause.").and_then(|path| path.split_once('.'))
                && let (Some(cause), Some(of)) =
                    (named(Cause::ALL, Cause::as_str, cause), named(CauseOf::ALL, CauseOf::as_str, of))
            {
                let inside = self.braces()?.ok_or_else(|| self.expected("`{`"))?;
                return Ok(Term::RootCause { cause, of, inside });
            }
        }
        let expected = if self.in_braces { "a keyword of nodes, edges or causes" } else { TERM };
        Err(self.expected_at(start, expected))
    }

    fn service(&mut self) -> Result<Term, FilterError> {
        self.require("(", "`(`")?;
        let selector = if self.take(")") {
            Selector::default()
        } else {
            let selector = self.selector()?;
            self.require(")", "`)`")?;
            selector
        };
        Ok(Term::Service { selector, inside: self.braces()? })
    }

    fn edge(&mut self) -> Result<Term, FilterError> {
        self.require("(", "`(`")?;
        let from = self.selector()?;
        self.require(",", "`,` and the edge's other end")?;
        let to = self.selector()?;
        self.require(")", "`)`")?;
        Ok(Term::Edge { from, to, inside: self.braces()? })
    }

    fn selector(&mut self) -> Result<Selector, FilterError> {
        let before = self.at;
        if !(self.take_word("id") && self.take("(")) {
            self.at = before;
            return Ok(Selector { name: Some(self.value()?), ..Selector::default() });
        }
        let mut selector = Selector::default();
        if self.take(")") {
            return Ok(selector);
        }
        loop {
            let word = self.peek_while(is_keyword).to_ascii_lowercase();
            let field = match word.as_str() {
                "name" => &mut selector.name,
                "type" => &mut selector.r#type,
                "account.id" => &mut selector.account_id,
                _ => return Err(self.expected("name, type or account.id")),
            };
            if field.is_some() {
                return Err(self.expected("each field once"));
            }
            self.at += word.len();
            self.require(":", "`:`")?;
            *field = Some(self.value()?);
            if !self.take(",") {
                self.require(")", "`,` or `)`")?;
                return Ok(selector);
            }
        }
    }

    fn braces(&mut self) -> Result<Option<Box<Expression>>, FilterError> {
        if !self.take("{") {
            return Ok(None);
        }
        self.in_braces = true;
        let inside = self.nested(Self::any)?;
        self.in_braces = false;
        self.require("}", "AND, OR or `}`")?;
        Ok(Some(Box::new(inside)))
    }

    fn root_cause_json(&mut self) -> Result<Term, FilterError> {
        self.require("=", "`=`")?;
        self.require("#", "`#[`")?;
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<Value>();
        match values.next() {
            Some(Ok(Value::Array(causes))) => {
                self.at += values.byte_offset();
                Ok(Term::RootCauseJson(causes))
            }
            _ => Err(self.expected("a JSON list of root causes")),
        }
    }

    /// `= true` and its like, if that comes next.
    fn flag_test(&mut self) -> Result<Option<bool>, FilterError> {
        let equal = match (self.take("!="), self.rest().starts_with('=')) {
            (true, _) => false,
            (false, true) => self.take("="),
            (false, false) => return Ok(None),
        };
        match self.truth() {
            Some(truth) => Ok(Some(truth == equal)),
            None => Err(self.expected("true or false")),
        }
    }

    fn truth(&mut self) -> Option<bool> {
        let truth = [("true", true), ("false", false)];
        truth.into_iter().find(|(word, _)| self.take_word(word)).map(|(_, truth)| truth)
    }

    fn comparison(&mut self) -> Result<Comparison, FilterError> {
        // The longer signs come first in the list.
        let found = Comparison::ALL.iter().copied().find(|comparison| self.take(comparison.as_str()));
        found.ok_or_else(|| self.expected("a comparison of numbers"))
    }

    fn text_test(&mut self) -> Result<Option<TextTest>, FilterError> {
        let sign = [TextTest::NotEqual, TextTest::Equal].into_iter().find(|test| self.take(test.as_str()));
        let words = [TextTest::Contains, TextTest::BeginsWith, TextTest::EndsWith];
        Ok(sign.or_else(|| words.into_iter().find(|test| self.take_word(test.as_str()))))
    }

    fn annotation_test(&mut self) -> Result<Option<AnnotationTest>, FilterError> {
        self.blanks();
        let start = self.at;
        if let Some(test) = self.text_test()? {
            let quoted = self.peek_while(is_value).is_empty();
            if quoted || !matches!(test, TextTest::Equal | TextTest::NotEqual) {
                return Ok(Some(AnnotationTest::Text(test, self.value()?)));
            }
            if let Some(truth) = self.truth() {
                return Ok(Some(AnnotationTest::Flag(truth == (test == TextTest::Equal))));
            }
            let bare = self.peek_while(is_value);
            if finite(bare).is_none() {
                return Ok(Some(AnnotationTest::Text(test, self.value()?)));
            }
            self.at = start;
        }
        if !self.rest().starts_with(['<', '>', '=', '!']) || self.is_negation() {
            return Ok(None);
        }
        let comparison = self.comparison()?;
        Ok(Some(AnnotationTest::Number(comparison, self.number()?)))
    }

    /// Whether the `!` that comes next begins another term.
    fn is_negation(&self) -> bool {
        self.rest().starts_with('!') && !self.rest().starts_with("!=")
    }

    fn number(&mut self) -> Result<f64, FilterError> {
        let text = self.peek_while(is_value);
        let value = finite(text).ok_or_else(|| self.expected(NUMBER))?;
        self.at += text.len();
        Ok(value)
    }

    fn bracketed_key(&mut self) -> Result<String, FilterError> {
        self.require("[", "`.` or `[` and an annotation's key")?;
        let key = self.value()?;
        self.require("]", "`]`")?;
        Ok(key)
    }

    /// A text in quotes, or a bare word.
    fn value(&mut self) -> Result<String, FilterError> {
        let bare = self.peek_while(is_value);
        if !bare.is_empty() && !["and", "or"].iter().any(|word| bare.eq_ignore_ascii_case(word)) {
            self.at += bare.len();
            return Ok(bare.to_owned());
        }
        self.require("\"", VALUE)?;
        let mut value = String::new();
        let mut letters = self.rest().char_indices();
        while let Some((offset, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at += offset + 1;
                    return Ok(value);
                }
                '\\' if self.rest()[offset + 1..].starts_with(['"', '\\']) => {
                    value.extend(letters.next().map(|(_, escaped)| escaped));
                }
                letter => value.push(letter),
            }
        }
        Err(self.expected_at(self.text.len(), "the text's closing quote"))
    }
}

fn one_or(mut parts: Vec<Expression>, several: fn(Vec<Expression>) -> Expression) -> Expression {
    if parts.len() > 1 {
        return several(parts);
    }
    parts.pop().unwrap_or(Expression::All(Vec::new()))
}

/// A number; never infinite, and never a word such as `inf`.
fn finite(text: &str) -> Option<f64> {
    let number = |letter: char| letter.is_ascii_digit() || ".+-eE".contains(letter);
    text.parse::<f64>().ok().filter(|value| value.is_finite() && text.chars().all(number))
}

fn is_keyword(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '.')
}

fn is_value(letter: char) -> bool {
    is_keyword(letter) || matches!(letter, '-' | '+' | ':' | '/')
}
