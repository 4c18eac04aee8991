//! Values of Insights: nothing, numbers, times, texts, and JSON that jsonParse gave. A text that reads as a number is one where
//! numbers are compared or computed; tests answer 1 or 0.

use std::cmp::Ordering;
use std::fmt;

use datafusion::arrow::temporal_conversions::timestamp_ms_to_datetime;
use serde_json::Value as Json;

#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// The field is not there.
    #[default]
    Null,
    Number(f64),
    /// Milliseconds since 1970: a number that prints as a time.
    Time(i64),
    Text(String),
    /// A list or an object.
    Json(Json),
}

impl Value {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// What a test answers.
    pub fn flag(is: bool) -> Self {
        Self::Number(if is { 1.0 } else { 0.0 })
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// As a number, if it is or reads as one.
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Time(at_ms) => Some(*at_ms as f64),
            Self::Text(text) => number_of(text),
            Self::Null | Self::Json(_) => None,
        }
    }

    /// Whether a filter that gives it keeps a row.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Number(number) => *number != 0.0,
            Self::Time(at_ms) => *at_ms != 0,
            Self::Text(text) => {
                text.eq_ignore_ascii_case("true") || number_of(text).is_some_and(|n| n != 0.0)
            }
            Self::Null | Self::Json(_) => false,
        }
    }

    /// Of two values that can be compared. Numbers with numbers, anything else by the bytes of its text.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if matches!((self, other), (Self::Null | Self::Json(_), _) | (_, Self::Null | Self::Json(_))) {
            return None;
        }
        match (self.number(), other.number()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => Some(self.to_string().cmp(&other.to_string())),
        }
    }

    /// The order of `sort` and of the functions by order: what begins with a symbol, with a digit, with a letter, and then
    /// numbers. Nothing is after everything.
    pub fn natural(&self, other: &Self) -> Ordering {
        let rank = |value: &Self| match value {
            Self::Number(_) | Self::Time(_) => 3,
            Self::Text(text) if number_of(text).is_some() => 3,
            Self::Text(text) => match text.chars().next() {
                Some(first) if first.is_numeric() => 1,
                Some(first) if first.is_alphabetic() => 2,
                _ => 0,
            },
            Self::Json(_) => 4,
            Self::Null => 5,
        };
        let (left, right) = (rank(self), rank(other));
        left.cmp(&right).then_with(|| match (self.number(), other.number()) {
            (Some(left), Some(right)) => left.total_cmp(&right),
            _ if left == 5 => Ordering::Equal,
            _ => self.to_string().cmp(&other.to_string()),
        })
    }
}

/// The number that a text reads as.
pub(super) fn number_of(text: &str) -> Option<f64> {
    let trimmed = text.trim();
    // Words such as "inf" and "nan" are no numbers here.
    let last = trimmed.bytes().last()?;
    if !(last.is_ascii_digit() || last == b'.') {
        return None;
    }
    trimmed.parse().ok().filter(|number: &f64| number.is_finite())
}

/// As the vendor prints it. Nothing prints as nothing.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Number(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
                write!(f, "{}", *number as i64)
            }
            Self::Number(number) => write!(f, "{number}"),
            Self::Time(at_ms) => f.write_str(&stamp(*at_ms)),
            Self::Text(text) => f.write_str(text),
            Self::Json(json) => write!(f, "{json}"),
        }
    }
}

/// Milliseconds since 1970 as results show times, in UTC.
pub(super) fn stamp(at_ms: i64) -> String {
    match timestamp_ms_to_datetime(at_ms) {
        Some(at) => at.format("%Y-%m-%d %H:%M:%S%.3f").to_string(),
        None => at_ms.to_string(),
    }
}

impl Value {
    /// The value as one text that [`Self::decode`] reads back; equal values have equal texts. `None` for nothing.
    pub(super) fn encode(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Number(number) => Some(format!("n{number}")),
            Self::Time(at_ms) => Some(format!("m{at_ms}")),
            Self::Text(text) => Some(format!("t{text}")),
            Self::Json(json) => Some(format!("j{json}")),
        }
    }

    pub(super) fn decode(text: &str) -> Self {
        let Some((tag, rest)) = text.split_at_checked(1) else { return Self::Null };
        match tag {
            "n" => rest.parse().map_or(Self::Null, Self::Number),
            "m" => rest.parse().map_or(Self::Null, Self::Time),
            "j" => serde_json::from_str(rest).map_or(Self::Null, Self::Json),
            _ => Self::Text(rest.to_owned()),
        }
    }

    /// Bytes that sort as [`Self::natural`] does, with the value at their end. `None` for nothing.
    pub(super) fn sort_key(&self) -> Option<Vec<u8>> {
        let encoded = self.encode()?;
        let mut key = Vec::with_capacity(encoded.len() * 2 + 16);
        let number = self.number();
        match (self, number) {
            (Self::Json(_), _) => key.push(4),
            (_, Some(number)) => {
                key.push(3);
                let bits = number.to_bits();
                let ordered = if bits >> 63 == 0 { bits | 1 << 63 } else { !bits };
                key.extend(ordered.to_be_bytes());
            }
            (value, None) => {
                let text = value.to_string();
                key.push(match text.chars().next() {
                    Some(first) if first.is_numeric() => 1,
                    Some(first) if first.is_alphabetic() => 2,
                    _ => 0,
                });
                key.extend(text.as_bytes());
            }
        }
        // Less than any byte of a text that goes on.
        key.push(0);
        key.extend(encoded.as_bytes());
        key.extend((encoded.len() as u32).to_be_bytes());
        Some(key)
    }

    /// The value of a sort key.
    pub(super) fn of_sort_key(key: &[u8]) -> Self {
        let value = || {
            let (rest, length) = key.split_last_chunk::<4>()?;
            let start = rest.len().checked_sub(u32::from_be_bytes(*length) as usize)?;
            Some(Self::decode(std::str::from_utf8(&rest[start..]).ok()?))
        };
        value().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_natural_order_has_symbols_digits_letters_and_numbers() {
        let mut values: Vec<Value> = vec![
            Value::Null,
            Value::Number(5.0),
            Value::text("apple"),
            Value::text("1st"),
            Value::text("[x]"),
            Value::text("12"),
            Value::text("Zoo"),
        ];
        values.sort_by(Value::natural);
        let shown: Vec<String> = values.iter().map(ToString::to_string).collect();
        assert_eq!(shown, ["[x]", "1st", "Zoo", "apple", "5", "12", ""]);
    }

    #[test]
    fn texts_that_read_as_numbers_compare_as_numbers() {
        let compare = |left: &str, right: f64| Value::text(left).compare(&Value::Number(right));
        assert_eq!(compare("10", 9.0), Some(Ordering::Greater));
        assert_eq!(compare(" 1e3 ", 1_000.0), Some(Ordering::Equal));
        assert_eq!(compare("inf", 1.0), Some(Ordering::Greater));
        assert_eq!(Value::Null.compare(&Value::Null), None);
        assert_eq!(Value::Number(0.1 + 0.2).to_string(), "0.30000000000000004");
        assert_eq!(Value::Number(-3.0).to_string(), "-3");
    }
}
