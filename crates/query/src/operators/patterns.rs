//! Texts → the patterns that they share, after the idea of Drain. [`template`] takes out of one text what looks like data, and
//! the engine counts equal templates on all cores; [`Miner`] then joins templates that differ in a few words. The answer
//! depends only on the templates' order, which the caller fixes, and memory and time are bounded whatever the texts are.

use std::collections::HashMap;
use std::net::IpAddr;

/// More of a text is not looked at.
const TEXT_BYTES_MAX: usize = 4_096;
const WORDS_MAX: usize = 256;
/// Patterns that differ; what fits none of them any more counts for the one that fits all.
const PATTERNS_MAX: usize = 10_000;
/// Words and separators of all patterns.
const PIECES_MAX: usize = 1 << 20;
/// Patterns with the same separators: a template is compared with each.
const ALIKE_MAX: usize = 200;
/// Templates that are compared. The caller brings the most frequent ones first.
const TEMPLATES_MAX: usize = 100_000;
/// Stands before the letter of a kind of data in a template.
const MARK: char = '\u{1}';

/// What a word is, when it is no word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Date,
    IpAddress,
    Number,
    Time,
    Timestamp,
    Token,
    Uuid,
}

const KINDS: [(char, Kind, &str); 7] = [
    ('d', Kind::Date, "Date"),
    ('i', Kind::IpAddress, "IPAddress"),
    ('n', Kind::Number, "Number"),
    ('t', Kind::Time, "Time"),
    ('s', Kind::Timestamp, "Timestamp"),
    ('x', Kind::Token, "Token"),
    ('u', Kind::Uuid, "UUID"),
];

/// A text without what looks like data: equal for texts that differ in data only.
pub(crate) fn template(text: &str) -> String {
    let cut = text.floor_char_boundary(TEXT_BYTES_MAX);
    let mut rest = &text[..cut];
    let mut found = String::with_capacity(rest.len());
    let mut words = 0;
    while let Some(first) = rest.chars().next() {
        let length = word_length(rest);
        if length == 0 {
            rest = &rest[first.len_utf8()..];
            // Blanks count once, and nothing may look like a mark.
            match first.is_whitespace() || first.is_control() {
                true if found.ends_with(' ') => {}
                true => found.push(' '),
                false => found.push(first),
            }
            continue;
        }
        if words == WORDS_MAX {
            break;
        }
        words += 1;
        let (word, after) = rest.split_at(length);
        rest = after;
        match kind(word) {
            Some(kind) => mark(&mut found, kind),
            None => found.push_str(word),
        }
    }
    if !rest.is_empty() || cut < text.len() {
        mark(&mut found, Kind::Token);
    }
    found.truncate(found.trim_end().len());
    found
}

fn mark(found: &mut String, kind: Kind) {
    let letter = KINDS.iter().find(|(_, known, _)| *known == kind).map_or('x', |(letter, ..)| *letter);
    found.extend([MARK, letter]);
}

/// How long the word is that a text begins with. Colons between digits belong to it: they are times.
fn word_length(text: &str) -> usize {
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let is_end = |(at, c): &(usize, char)| {
        let is_time = *c == ':' && *at > 0 && is_digit(at - 1) && is_digit(at + 1);
        !is_time && (c.is_whitespace() || c.is_control() || "\"'`()[]{}<>,;=|/?&!:".contains(*c))
    };
    text.char_indices().find(is_end).map_or(text.len(), |(at, _)| at)
}

fn kind(word: &str) -> Option<Kind> {
    let is = |at: usize, wanted: fn(&u8) -> bool| word.as_bytes().get(at).is_some_and(wanted);
    if !word.bytes().any(|byte| byte.is_ascii_digit()) {
        return is_uuid(word).then_some(Kind::Uuid);
    }
    let number = word.strip_suffix('%').unwrap_or(word).trim_end_matches('.');
    if number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte))
        && number.parse::<f64>().is_ok()
    {
        return Some(Kind::Number);
    }
    if is_uuid(word) {
        return Some(Kind::Uuid);
    }
    let is_date = [0, 1, 2, 3, 5, 6, 8, 9].into_iter().all(|at| is(at, u8::is_ascii_digit))
        && [4, 7].into_iter().all(|at| is(at, |byte| *byte == b'-'));
    if is_date {
        return Some(if word.len() > 10 { Kind::Timestamp } else { Kind::Date });
    }
    let address = word.trim_end_matches('.');
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    if host.parse::<IpAddr>().is_ok() {
        return Some(Kind::IpAddress);
    }
    let is_time =
        word.contains(':') && word.bytes().all(|byte| byte.is_ascii_digit() || b":.Z".contains(&byte));
    Some(if is_time { Kind::Time } else { Kind::Token })
}

fn is_uuid(word: &str) -> bool {
    word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Separator(char),
    Word(String),
    Data(Kind),
}

fn pieces(template: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut rest = template;
    while let Some(first) = rest.chars().next() {
        let length = word_length(rest);
        if length > 0 {
            found.push(Piece::Word(rest[..length].to_owned()));
            rest = &rest[length..];
            continue;
        }
        rest = &rest[first.len_utf8()..];
        if first != MARK {
            found.push(Piece::Separator(first));
            continue;
        }
        let letter = rest.chars().next().unwrap_or('x');
        let known = KINDS.iter().find(|(known, ..)| *known == letter);
        found.push(Piece::Data(known.map_or(Kind::Token, |(_, kind, _)| *kind)));
        rest = rest.strip_prefix(letter).unwrap_or(rest);
    }
    found
}

/// A pattern that texts share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    /// The words, with `<Kind-number>` for data.
    pub(crate) text: String,
    pub(crate) count: u64,
    /// How bad it is, where a word says so.
    pub(crate) severity: Option<&'static str>,
}

struct Cluster {
    pieces: Vec<Piece>,
    count: u64,
    severity: Option<&'static str>,
}

/// What patterns have in common that may become one: everything but their words.
type Shape = (Option<&'static str>, String);

/// Joins templates that are alike.
#[derive(Default)]
pub(crate) struct Miner {
    clusters: Vec<Cluster>,
    by_shape: HashMap<Shape, Vec<usize>>,
    template_count: usize,
    piece_count: usize,
    /// Texts that fit no pattern.
    other_count: u64,
}

impl Miner {
    /// Adds a template that `count` texts have.
    pub(crate) fn add(&mut self, template: &str, count: u64) {
        self.template_count += 1;
        if self.template_count > TEMPLATES_MAX {
            self.other_count += count;
            return;
        }
        let pieces = pieces(template);
        let severity = severity(&pieces);
        let shape: String =
            pieces.iter().map(|piece| if let Piece::Separator(c) = piece { *c } else { MARK }).collect();
        let shape = (severity, shape);
        let alike = self.by_shape.get(&shape).map_or(&[][..], Vec::as_slice);
        let mut best: Option<(usize, usize)> = None;
        for &idx in alike {
            let same = same_words(&self.clusters[idx].pieces, &pieces);
            if best.is_none_or(|(most, _)| same > most) {
                best = Some((same, idx));
            }
        }
        let words = pieces.iter().filter(|piece| !matches!(piece, Piece::Separator(_))).count();
        if let Some((same, idx)) = best
            && same * 2 > words
        {
            let cluster = &mut self.clusters[idx];
            join(&mut cluster.pieces, &pieces);
            cluster.count += count;
            return;
        }
        let is_full = self.clusters.len() >= PATTERNS_MAX || self.piece_count + pieces.len() > PIECES_MAX;
        if alike.len() >= ALIKE_MAX || is_full {
            self.other_count += count;
            return;
        }
        self.piece_count += pieces.len();
        self.by_shape.entry(shape).or_default().push(self.clusters.len());
        self.clusters.push(Cluster { pieces, count, severity });
    }

    /// The patterns, the most frequent first.
    pub(crate) fn finish(self) -> Vec<Pattern> {
        let mut found: Vec<Pattern> = self
            .clusters
            .into_iter()
            .map(|cluster| Pattern {
                text: shown(&cluster.pieces),
                count: cluster.count,
                severity: cluster.severity,
            })
            .collect();
        if self.other_count > 0 {
            found.push(Pattern { text: "<Token-1>".to_owned(), count: self.other_count, severity: None });
        }
        found.sort_by(|left, right| right.count.cmp(&left.count).then_with(|| left.text.cmp(&right.text)));
        found
    }
}

fn same_words(left: &[Piece], right: &[Piece]) -> usize {
    let both = left.iter().zip(right);
    both.filter(|(left, right)| left == right && !matches!(left, Piece::Separator(_))).count()
}

fn join(into: &mut [Piece], other: &[Piece]) {
    for (piece, other) in into.iter_mut().zip(other) {
        if piece != other {
            *piece = Piece::Data(Kind::Token);
        }
    }
}

fn shown(pieces: &[Piece]) -> String {
    let mut text = String::new();
    let mut number = 0;
    for piece in pieces {
        match piece {
            Piece::Separator(c) => text.push(*c),
            Piece::Word(word) => text.push_str(word),
            Piece::Data(kind) => {
                number += 1;
                let name =
                    KINDS.iter().find(|(_, known, _)| known == kind).map_or("Token", |(.., name)| *name);
                text.push_str(&format!("<{name}-{number}>"));
            }
        }
    }
    text
}

/// The first word that is a level.
fn severity(pieces: &[Piece]) -> Option<&'static str> {
    pieces.iter().find_map(|piece| {
        let Piece::Word(word) = piece else { return None };
        Some(match word.to_ascii_lowercase().as_str() {
            "error" | "fatal" | "critical" | "severe" | "panic" => "Error",
            "warn" | "warning" => "Warning",
            "info" | "notice" => "Info",
            "debug" | "trace" => "Debug",
            _ => return None,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mined(texts: &[&str]) -> Vec<(String, u64, Option<&'static str>)> {
        let mut miner = Miner::default();
        texts.iter().for_each(|text| miner.add(&template(text), 1));
        miner.finish().into_iter().map(|found| (found.text, found.count, found.severity)).collect()
    }

    #[test]
    fn data_is_named_for_what_it_is() {
        for (text, expected) in [
            ("took 12 ms, 3.5% of 1e3", "took <Number-1> ms, <Number-2> of <Number-3>"),
            ("2026-11-23T10:20:30.123Z up", "<Timestamp-1> up"),
            ("2026-11-23 10:20:30,5 up", "<Date-1> <Time-2>,<Number-3> up"),
            ("from 10.0.0.1:8080 and 10.0.0.2.", "from <IPAddress-1> and <IPAddress-2>"),
            ("id=0b2d8a5e-6f1c-4a55-9d27-1f0e8a2b3c4d", "id=<UUID-1>"),
            ("GET /users/12/cart?x=a1", "GET /users/<Number-1>/cart?x=<Token-2>"),
            (r#"{"level":"INFO","n":1}"#, r#"{"level":"INFO","n":<Number-1>}"#),
            ("a \t\n b\u{1}n ", "a b n"),
            ("", ""),
        ] {
            assert_eq!(mined(&[text]), [(expected.to_owned(), 1, severity(&pieces(text)))], "{text}");
        }
    }

    #[test]
    fn texts_that_differ_in_few_words_share_a_pattern() {
        let found = mined(&[
            "[ERROR] user alice failed to log in",
            "[ERROR] user bob failed to log in",
            "[WARN] user bob failed to log in",
            "cache cleared",
        ]);
        let expected = [
            ("[ERROR] user <Token-1> failed to log in", 2, Some("Error")),
            ("[WARN] user bob failed to log in", 1, Some("Warning")),
            ("cache cleared", 1, None),
        ];
        assert_eq!(found, expected.map(|(text, count, severity)| (text.to_owned(), count, severity)));
    }

    #[test]
    fn whatever_comes_patterns_are_bounded_and_nothing_is_uncounted() {
        let mut miner = Miner::default();
        let word = |mut n: usize| {
            let mut text = String::new();
            while n > 0 {
                text.push(char::from(b'a' + (n % 26) as u8));
                n /= 26;
            }
            text
        };
        for n in 1..3_000 {
            miner.add(&template(&word(n)), 2);
        }
        let found = miner.finish();
        assert_eq!(found.len(), ALIKE_MAX + 1);
        assert_eq!(
            found[0],
            Pattern { text: "<Token-1>".to_owned(), count: 2 * (2_999 - 200), severity: None }
        );
        let long = template(&"word ".repeat(100_000));
        assert!(long.len() <= TEXT_BYTES_MAX + 2 && long.ends_with("\u{1}x"), "{}", long.len());
    }
}
