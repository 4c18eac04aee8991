//! Times of Insights: periods of the calendar, and texts of a date in the patterns of Java and of strftime. Everything is in
//! UTC unless a text says another offset; what cannot be read, or lies outside of what a calendar has, gives `None`.

use std::fmt::Write as _;

use chrono::format::{Item, Parsed, StrftimeItems};
use chrono::{DateTime, Datelike as _, NaiveDate, NaiveTime};

use super::ast::Period;

/// A letter can become two dozen characters, in every row.
const PATTERN_BYTES_MAX: usize = 256;

/// The last border between periods up to a time, or the next one from it on.
pub(super) fn step(at_ms: i64, period: Period, up: bool) -> Option<i64> {
    match period {
        Period::Millis(step_ms) => {
            let step_ms = step_ms.max(1);
            let low = at_ms.saturating_sub(at_ms.rem_euclid(step_ms));
            Some(if up && low != at_ms { low.saturating_add(step_ms) } else { low })
        }
        Period::Months(count) => {
            let count = count.max(1);
            let at = DateTime::from_timestamp_millis(at_ms)?;
            let month = i64::from(at.year()) * 12 + i64::from(at.month0());
            let low = month - month.rem_euclid(count);
            let low_ms = month_ms(low)?;
            if up && low_ms != at_ms { month_ms(low + count) } else { Some(low_ms) }
        }
    }
}

/// The start of a month, counted from the year 0.
fn month_ms(month: i64) -> Option<i64> {
    let year = i32::try_from(month.div_euclid(12)).ok()?;
    let month0 = u32::try_from(month.rem_euclid(12)).ok()?;
    let date = NaiveDate::from_ymd_opt(year, month0 + 1, 1)?;
    Some(date.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
}

pub(super) fn is_java_pattern(pattern: &str) -> bool {
    translated(pattern, false).is_some_and(|pattern| items(&pattern).is_some())
}

pub(super) fn is_strftime_pattern(pattern: &str) -> bool {
    items(pattern).is_some()
}

/// Milliseconds since 1970 as a pattern of Java writes them.
pub(super) fn format(at_ms: i64, pattern: &str) -> Option<String> {
    strftime(at_ms, &translated(pattern, false)?)
}

/// Milliseconds since 1970 as a pattern of strftime writes them.
pub(super) fn strftime(at_ms: i64, pattern: &str) -> Option<String> {
    let at = DateTime::from_timestamp_millis(at_ms)?;
    let mut text = String::new();
    write!(text, "{}", at.format_with_items(items(pattern)?.into_iter())).ok()?;
    Some(text)
}

/// Milliseconds since 1970 that a text says in a pattern of Java. What the pattern leaves out is the first there is.
pub(super) fn parse(text: &str, pattern: &str) -> Option<i64> {
    let pattern = translated(pattern, true)?;
    let mut parsed = Parsed::new();
    chrono::format::parse(&mut parsed, text.trim(), items(&pattern)?.iter()).ok()?;
    if let Ok(at) = parsed.to_datetime() {
        return Some(at.timestamp_millis());
    }
    if parsed.month().is_some() && parsed.day().is_none() {
        parsed.set_day(1).ok()?;
    }
    let date = parsed.to_naive_date().ok()?;
    let time = match parsed.hour_mod_12() {
        None => NaiveTime::MIN,
        Some(_) => {
            if parsed.minute().is_none() {
                parsed.set_minute(0).ok()?;
            }
            parsed.to_naive_time().ok()?
        }
    };
    let offset_ms = i64::from(parsed.offset().unwrap_or(0)) * 1_000;
    Some(date.and_time(time).and_utc().timestamp_millis().saturating_sub(offset_ms))
}

fn items(pattern: &str) -> Option<Vec<Item<'_>>> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return None;
    }
    StrftimeItems::new(pattern).parse().ok()
}

/// A pattern of Java as one of strftime. Offsets are read in every form; those that are written are UTC's.
fn translated(pattern: &str, is_read: bool) -> Option<String> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return None;
    }
    let mut found = String::with_capacity(pattern.len() * 2);
    let literal = |found: &mut String, c: char| {
        if c == '%' {
            found.push('%');
        }
        found.push(c);
    };
    let mut rest = pattern;
    while let Some(first) = rest.chars().next() {
        if first == '\'' {
            let after = &rest[1..];
            // Two of them are one.
            if let Some(after) = after.strip_prefix('\'') {
                found.push('\'');
                rest = after;
                continue;
            }
            let end = after.find('\'')?;
            after[..end].chars().for_each(|c| literal(&mut found, c));
            rest = &after[end + 1..];
            continue;
        }
        if !first.is_ascii_alphabetic() {
            literal(&mut found, first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let count = rest.len() - rest.trim_start_matches(first).len();
        rest = &rest[count..];
        found.push_str(match (first, count) {
            ('y' | 'u', 2) => "%y",
            ('y' | 'u', _) => "%Y",
            ('M' | 'L', 1) => "%-m",
            ('M' | 'L', 2) => "%m",
            ('M' | 'L', 3) => "%b",
            ('M' | 'L', _) => "%B",
            ('d', 1) => "%-d",
            ('d', _) => "%d",
            ('D', _) => "%j",
            ('H', 1) => "%-H",
            ('H', _) => "%H",
            ('h', 1) => "%-I",
            ('h', _) => "%I",
            ('m', 1) => "%-M",
            ('m', _) => "%M",
            ('s', 1) => "%-S",
            ('s', _) => "%S",
            ('S', 3) => "%3f",
            ('S', 6) => "%6f",
            ('S', 9) => "%9f",
            ('a', _) => "%p",
            ('E', 1..=3) => "%a",
            ('E', _) => "%A",
            ('X', 1..=3) | ('x', 1..=3) | ('Z', 1..=3) if is_read => "%#z",
            ('X', 1..=3) => "Z",
            ('x', 3) => "%:z",
            ('x', 1..=2) | ('Z', 1..=3) => "%z",
            _ => return None,
        });
    }
    Some(found)
}
