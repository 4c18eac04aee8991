//! Expressions over one row. The planner's functions call it batch by batch where the engine has nothing with exactly the
//! same meaning, and the evaluator row by row. What a function cannot take gives nothing rather than an error.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use regex::Regex;

use super::ast::{BinaryOp, Expr, Function, ParsePattern};
use super::value::Value;
use super::{conversions, dates, formats, members};
use crate::functions::regex_functions::compile;

/// A text that a function makes is at most this long.
const TEXT_BYTES_MAX: usize = 1 << 20;

/// Where fields have their values.
pub(crate) trait Row {
    fn field(&self, name: &str) -> Value;
}

/// What is the same for all rows of a query: the time, and compiled expressions.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// When the query began; seconds.
    pub now_s: i64,
    /// The first and the last second that it asks for; milliseconds.
    pub start_ms: i64,
    pub end_ms: i64,
    regexes: Mutex<HashMap<String, Option<Arc<Regex>>>>,
}

impl Shared {
    pub(crate) fn new(now_s: i64) -> Self {
        Self { now_s, ..Self::default() }
    }

    /// The same over a time, from its first to its last second.
    pub(crate) fn over(self, start_ms: i64, end_ms: i64) -> Self {
        Self { start_ms, end_ms, ..self }
    }

    /// A regular expression of the query, which has few of them.
    pub(crate) fn regex(&self, text: &str) -> Option<Arc<Regex>> {
        let mut known = self.regexes.lock();
        if let Some(found) = known.get(text) {
            return found.clone();
        }
        let compiled = compile(text).ok().map(Arc::new);
        known.insert(text.to_owned(), compiled.clone());
        compiled
    }
}

/// The value of an expression on a row.
pub(crate) fn value(expr: &Expr, row: &dyn Row, shared: &Shared) -> Value {
    match expr {
        Expr::Field(name) => row.field(name),
        Expr::Number(number) => Value::Number(*number),
        Expr::Text(text) => Value::Text(text.clone()),
        Expr::Not(inner) => Value::flag(!value(inner, row, shared).is_true()),
        Expr::Negative(inner) => computed(value(inner, row, shared).number().map(|number| -number)),
        Expr::Binary { op, left, right } => binary(*op, left, right, row, shared),
        Expr::Contains { value: inner, text, negated } => match value(inner, row, shared) {
            Value::Null => Value::flag(*negated),
            found => Value::flag(found.to_string().contains(text.as_str()) != *negated),
        },
        Expr::Matches { value: inner, regex, negated } => match value(inner, row, shared) {
            Value::Null => Value::flag(*negated),
            found => {
                let matches = shared.regex(regex).is_some_and(|regex| regex.is_match(&found.to_string()));
                Value::flag(matches != *negated)
            }
        },
        Expr::In { value: inner, list, negated } => {
            let found = value(inner, row, shared);
            let is_in = list.iter().any(|item| equal(&found, &value(item, row, shared)));
            Value::flag(is_in != *negated)
        }
        Expr::Bin { period, offset_ms } => match row.field("@timestamp").number() {
            Some(at_ms) => {
                let at_ms = (at_ms as i64).saturating_sub(*offset_ms);
                dates::step(at_ms, *period, false)
                    .map_or(Value::Null, |at_ms| Value::Time(at_ms.saturating_add(*offset_ms)))
            }
            None => Value::Null,
        },
        Expr::DateStep { value: inner, period, up } => {
            let found = value(inner, row, shared).number();
            found.and_then(|at_ms| dates::step(at_ms as i64, *period, *up)).map_or(Value::Null, Value::Time)
        }
        Expr::Member { value: inner, path } => members::member(value(inner, row, shared), path),
        // Only `stats` has them, and computes them itself.
        Expr::Aggregate(_) => Value::Null,
        Expr::Call { function, arguments } => {
            let arguments: Vec<Value> =
                arguments.iter().map(|argument| value(argument, row, shared)).collect();
            match function {
                Function::MessageSize => {
                    let message = row.field("@message");
                    if message.is_null() {
                        Value::Null
                    } else {
                        Value::Number(message.to_string().len() as f64)
                    }
                }
                function => call(*function, &arguments, shared),
            }
        }
    }
}

fn binary(op: BinaryOp, left: &Expr, right: &Expr, row: &dyn Row, shared: &Shared) -> Value {
    match op {
        BinaryOp::And => {
            return Value::flag(value(left, row, shared).is_true() && value(right, row, shared).is_true());
        }
        BinaryOp::Or => {
            return Value::flag(value(left, row, shared).is_true() || value(right, row, shared).is_true());
        }
        _ => {}
    }
    let (left, right) = (value(left, row, shared), value(right, row, shared));
    let compared = |is: fn(std::cmp::Ordering) -> bool| Value::flag(left.compare(&right).is_some_and(is));
    match op {
        BinaryOp::Equal => Value::flag(equal(&left, &right)),
        BinaryOp::NotEqual => Value::flag(!equal(&left, &right)),
        BinaryOp::Less => compared(std::cmp::Ordering::is_lt),
        BinaryOp::LessOrEqual => compared(std::cmp::Ordering::is_le),
        BinaryOp::Greater => compared(std::cmp::Ordering::is_gt),
        BinaryOp::GreaterOrEqual => compared(std::cmp::Ordering::is_ge),
        _ => {
            let (Some(left), Some(right)) = (left.number(), right.number()) else { return Value::Null };
            computed(Some(match op {
                BinaryOp::Add => left + right,
                BinaryOp::Subtract => left - right,
                BinaryOp::Multiply => left * right,
                BinaryOp::Divide => left / right,
                BinaryOp::Power => left.powf(right),
                _ => left % right,
            }))
        }
    }
}

fn equal(left: &Value, right: &Value) -> bool {
    left.compare(right).is_some_and(std::cmp::Ordering::is_eq)
}

/// What is no number any more is nothing.
fn computed(number: Option<f64>) -> Value {
    number.filter(|number| number.is_finite()).map_or(Value::Null, Value::Number)
}

fn text_of(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| value.to_string())
}

fn made(text: Option<String>) -> Value {
    text.filter(|text| text.len() <= TEXT_BYTES_MAX).map_or(Value::Null, Value::Text)
}

fn call(function: Function, arguments: &[Value], shared: &Shared) -> Value {
    use Function as F;
    let number = |idx: usize| arguments.get(idx).and_then(Value::number);
    let text = |idx: usize| arguments.get(idx).and_then(text_of);
    let both = |test: fn(&str, &str) -> bool| match (text(0), text(1)) {
        (Some(left), Some(right)) => Value::flag(test(&left, &right)),
        _ => Value::Null,
    };
    match function {
        F::Abs => computed(number(0).map(f64::abs)),
        F::Ceil => computed(number(0).map(f64::ceil)),
        F::Floor => computed(number(0).map(f64::floor)),
        F::Greatest => computed(arguments.iter().filter_map(Value::number).reduce(f64::max)),
        F::Least => computed(arguments.iter().filter_map(Value::number).reduce(f64::min)),
        F::Log => computed(number(0).map(f64::ln)),
        F::Sqrt => computed(number(0).map(f64::sqrt)),
        F::Round => {
            let digits = number(1).unwrap_or(0.0).clamp(-15.0, 15.0) as i32;
            let scale = 10_f64.powi(digits);
            computed(number(0).map(|number| (number * scale).round() / scale))
        }
        F::ToNumber | F::ToDouble => computed(number(0)),
        F::ToInt | F::ToLong => computed(number(0).map(f64::trunc)),
        F::FromMillis => number(0).map_or(Value::Null, |at_ms| Value::Time(at_ms as i64)),
        F::ToMillis => computed(number(0)),
        F::Now => Value::Number(shared.now_s as f64),
        F::IsEmpty => Value::flag(text(0).is_none_or(|text| text.is_empty())),
        F::IsBlank => Value::flag(text(0).is_none_or(|text| text.trim().is_empty())),
        F::Concat => {
            let mut joined = String::new();
            for text in arguments.iter().filter_map(text_of) {
                joined.push_str(&text);
                if joined.len() > TEXT_BYTES_MAX {
                    return Value::Null;
                }
            }
            Value::Text(joined)
        }
        F::Ltrim => trimmed(text(0), text(1), true, false),
        F::Rtrim => trimmed(text(0), text(1), false, true),
        F::Trim => trimmed(text(0), text(1), true, true),
        F::Strlen => computed(text(0).map(|text| text.chars().count() as f64)),
        F::ToUpper => made(text(0).map(|text| text.to_uppercase())),
        F::ToLower => made(text(0).map(|text| text.to_lowercase())),
        F::Substr => match (text(0), number(1)) {
            (Some(text), Some(start)) => {
                let count = number(2).map_or(usize::MAX, |count| count.max(0.0) as usize);
                Value::Text(text.chars().skip(start.max(0.0) as usize).take(count).collect())
            }
            _ => Value::Null,
        },
        F::Replace => match (text(0), text(1), text(2)) {
            (Some(text), Some(from), _) if from.is_empty() => Value::Text(text),
            (Some(text), Some(from), Some(to)) => {
                let hits = text.matches(from.as_str()).count();
                if text.len().saturating_add(hits.saturating_mul(to.len())) > TEXT_BYTES_MAX * 2 {
                    return Value::Null;
                }
                made(Some(text.replace(&from, &to)))
            }
            _ => Value::Null,
        },
        F::RegexReplace => match (text(0), text(1), text(2)) {
            (Some(text), Some(regex), Some(to)) => {
                let Some(regex) = shared.regex(&regex) else { return Value::Null };
                let hits = regex.find_iter(&text).count();
                if text.len().saturating_add(hits.saturating_mul(to.len())) > TEXT_BYTES_MAX * 2 {
                    return Value::Null;
                }
                made(Some(regex.replace_all(&text, to.as_str()).into_owned()))
            }
            _ => Value::Null,
        },
        F::StrContains => match (text(0), text(1)) {
            (Some(text), Some(part)) if arguments.get(2).is_some_and(Value::is_true) => {
                Value::flag(text.to_lowercase().contains(&part.to_lowercase()))
            }
            (Some(text), Some(part)) => Value::flag(text.contains(&part)),
            _ => Value::Number(0.0),
        },
        F::StartsWith => both(|text, part| text.starts_with(part)),
        F::EndsWith => both(|text, part| text.ends_with(part)),
        F::IsPresent => Value::flag(!arguments[0].is_null()),
        F::Coalesce => arguments.iter().find(|value| !value.is_null()).cloned().unwrap_or_default(),
        F::If => match arguments[0].is_true() {
            true => arguments[1].clone(),
            false => arguments.get(2).cloned().unwrap_or_default(),
        },
        F::IsNumeric => Value::flag(number(0).is_some()),
        F::MessageSize => Value::Null,
        F::IsValidIp => Value::flag(text(0).is_some_and(|text| text.parse::<IpAddr>().is_ok())),
        F::IsValidIpV4 => Value::flag(text(0).is_some_and(|text| text.parse::<std::net::Ipv4Addr>().is_ok())),
        F::IsValidIpV6 => Value::flag(text(0).is_some_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())),
        F::IsIpInSubnet => both(|ip, net| in_subnet(ip, net, |_| true)),
        F::IsIpv4InSubnet => both(|ip, net| in_subnet(ip, net, |ip| ip.is_ipv4())),
        F::IsIpv6InSubnet => both(|ip, net| in_subnet(ip, net, |ip| ip.is_ipv6())),
        F::JsonParse => match text(0).filter(|text| text.len() <= TEXT_BYTES_MAX) {
            Some(text) => match serde_json::from_str::<serde_json::Value>(&text) {
                Ok(json @ (serde_json::Value::Array(_) | serde_json::Value::Object(_))) => Value::Json(json),
                _ => Value::Null,
            },
            None => Value::Null,
        },
        F::JsonStringify => made(text(0)),
        F::JsonArraySize => computed(conversions::list_of(&arguments[0]).map(|items| items.len() as f64)),
        F::JsonArrayContains => conversions::list_of(&arguments[0])
            .map_or(Value::Null, |items| Value::flag(conversions::list_contains(&items, &arguments[1]))),
        F::Case => {
            let (branches, rest) = arguments.as_chunks::<2>();
            let found = branches.iter().find(|[test, _]| test.is_true()).map(|[_, value]| value);
            found.or(rest.first()).cloned().unwrap_or_default()
        }
        F::Split => match (text(0).filter(|text| text.len() <= TEXT_BYTES_MAX), text(1)) {
            (Some(text), Some(by)) => conversions::split(&text, &by).map_or(Value::Null, Value::Json),
            _ => Value::Null,
        },
        F::UrlEncode => made(text(0).map(|text| conversions::url_encode(&text))),
        F::UrlDecode => made(text(0).and_then(|text| conversions::url_decode(&text))),
        F::Base64Encode => made(text(0).map(|text| conversions::base64_encode(&text))),
        F::Base64Decode => made(text(0).and_then(|text| conversions::base64_decode(&text))),
        F::HexToAscii => made(text(0).and_then(|text| conversions::hex_to_ascii(&text))),
        F::HexToDec => computed(text(0).and_then(|text| conversions::hex_to_dec(&text))),
        F::DecToHex => made(number(0).and_then(conversions::dec_to_hex)),
        F::Ipv4ToNumber => computed(text(0).and_then(|text| conversions::ipv4_number(&text))),
        F::IsPrivateIp => ip_is(text(0), conversions::is_private),
        F::IsPublicIp => ip_is(text(0), |ip| !conversions::is_private(ip) && !conversions::is_reserved(ip)),
        F::IsReservedIp => ip_is(text(0), conversions::is_reserved),
        F::Md5 => made(text(0).map(|text| conversions::md5(&text))),
        F::Sha256 => made(text(0).map(|text| conversions::sha256(&text))),
        F::Haversine => match (number(0), number(1), number(2), number(3)) {
            (Some(lat1), Some(lon1), Some(lat2), Some(lon2)) => {
                computed(Some(conversions::haversine_km((lat1, lon1), (lat2, lon2))))
            }
            _ => Value::Null,
        },
        F::ParseDate => match (text(0), text(1)) {
            (Some(text), Some(pattern)) => computed(dates::parse(&text, &pattern).map(|at_ms| at_ms as f64)),
            _ => Value::Null,
        },
        F::FormatDate => match (number(0), text(1)) {
            (Some(at_ms), Some(pattern)) => made(dates::format(at_ms as i64, &pattern)),
            _ => Value::Null,
        },
        F::Strftime => match (number(0), text(1)) {
            (Some(at_ms), Some(pattern)) => made(dates::strftime(at_ms as i64, &pattern)),
            _ => Value::Null,
        },
        F::QueryStartTime => Value::Number(shared.start_ms as f64),
        F::QueryEndTime => Value::Number(shared.end_ms as f64),
        F::QueryTimeRange => Value::Number(shared.end_ms.saturating_sub(shared.start_ms) as f64),
    }
}

fn ip_is(text: Option<String>, test: fn(&IpAddr) -> bool) -> Value {
    Value::flag(text.and_then(|text| text.parse().ok()).is_some_and(|ip| test(&ip)))
}

fn trimmed(text: Option<String>, of: Option<String>, start: bool, end: bool) -> Value {
    let Some(text) = text else { return Value::Null };
    let is = |c: char| of.as_ref().map_or(c.is_whitespace(), |of| of.contains(c));
    let mut part = text.as_str();
    if start {
        part = part.trim_start_matches(is);
    }
    if end {
        part = part.trim_end_matches(is);
    }
    Value::text(part)
}

fn in_subnet(ip: &str, net: &str, wanted: fn(&IpAddr) -> bool) -> bool {
    let Ok(ip) = ip.parse::<IpAddr>() else { return false };
    let Some((net, bits)) = net.split_once('/') else { return false };
    let (Ok(net), Ok(bits)) = (net.parse::<IpAddr>(), bits.parse::<u32>()) else { return false };
    if !wanted(&ip) {
        return false;
    }
    match (ip, net) {
        (IpAddr::V4(ip), IpAddr::V4(net)) if bits <= 32 => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(ip) & mask == u32::from(net) & mask
        }
        (IpAddr::V6(ip), IpAddr::V6(net)) if bits <= 128 => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(ip) & mask == u128::from(net) & mask
        }
        _ => false,
    }
}

/// What `parse` takes out of a text, a value for each of the pattern's names; `None` when the text is not like it.
pub(crate) fn extract(pattern: &ParsePattern, text: &str, shared: &Shared) -> Option<Vec<Value>> {
    let texts = match pattern {
        ParsePattern::Logfmt { .. } => return Some(vec![Value::Json(formats::logfmt(text)?)]),
        ParsePattern::Csv { names } => Some(formats::csv(text, names.len())),
        ParsePattern::Glob { pieces, .. } => {
            let (first, others) = pieces.split_first()?;
            let mut rest = &text[text.find(first.as_str())? + first.len()..];
            let mut found = Vec::with_capacity(others.len());
            for (idx, piece) in others.iter().enumerate() {
                let is_last = idx + 1 == others.len();
                let end = if piece.is_empty() && is_last { rest.len() } else { rest.find(piece.as_str())? };
                found.push(Some(rest[..end].to_owned()));
                rest = &rest[end + piece.len()..];
            }
            Some(found)
        }
        ParsePattern::Regex { regex, names } => {
            let captures = shared.regex(regex)?;
            let captures = captures.captures(text)?;
            Some(
                names
                    .iter()
                    .map(|(idx, _)| captures.get(*idx).map(|found| found.as_str().to_owned()))
                    .collect(),
            )
        }
    };
    Some(texts?.into_iter().map(|text| text.map_or(Value::Null, Value::Text)).collect())
}
