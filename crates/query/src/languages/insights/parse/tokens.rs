//! The smallest parts of a query: words, names, texts, regular expressions, blanks and comments, and the errors that say where
//! something is wrong.

use super::{ParseError, Parser, Result};
use crate::functions::regex_functions::compile;

impl<'a> Parser<'a> {
    pub(super) fn checked_regex(&mut self) -> Result<String> {
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

    pub(super) fn regex(&mut self) -> Result<String> {
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

    pub(super) fn quoted(&mut self) -> Result<String> {
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
    pub(super) fn field_name(&mut self) -> Result<String> {
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

    pub(super) fn word(&mut self) -> &'a str {
        self.blank();
        self.take_while(|c| c.is_alphanumeric() || c == '_')
    }

    pub(super) fn word_is(&self, expected: &str) -> bool {
        let rest = &self.text[self.at..];
        rest.get(..expected.len()).is_some_and(|word| word.eq_ignore_ascii_case(expected))
            && !rest[expected.len()..].starts_with(is_name)
    }

    pub(super) fn keyword(&mut self, word: &str) -> bool {
        self.blank();
        let found = self.word_is(word);
        if found {
            self.at += word.len();
        }
        found
    }

    pub(super) fn take_while(&mut self, is: impl Fn(char) -> bool) -> &'a str {
        let rest = &self.text[self.at..];
        let length = rest.find(|c| !is(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    pub(super) fn blank(&mut self) {
        loop {
            self.take_while(char::is_whitespace);
            if self.peek() != Some('#') {
                return;
            }
            self.take_while(|c| c != '\n');
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    pub(super) fn is_end(&self) -> bool {
        self.at == self.text.len()
    }

    pub(super) fn next_is(&mut self, expected: char) -> bool {
        self.blank();
        self.peek() == Some(expected)
    }

    pub(super) fn accept(&mut self, expected: char) -> bool {
        let found = self.next_is(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    pub(super) fn expect(&mut self, expected: char) -> Result<()> {
        match self.accept(expected) {
            true => Ok(()),
            false => self.fail(format!("{expected} is expected")),
        }
    }

    /// What is wrong is where the parser stands.
    pub(super) fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        let length = self.peek().map_or(0, char::len_utf8);
        Err(ParseError { start: self.at, end: self.at + length, message: message.into() })
    }

    pub(super) fn fail_at<T>(&self, start: usize, message: impl Into<String>) -> Result<T> {
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

pub(super) fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.' || c == '@'
}
