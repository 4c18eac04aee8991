//! Functions of Insights that turn a text or an address into something else: encodings, JSON lists and the kinds of IP
//! addresses. [`super::functions`] calls them with values it has taken; what they cannot read gives `None`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use serde_json::Value as Json;
use sha2::Sha256;

use super::value::Value;

/// A list that `split` makes has at most this many items: each costs more memory than its bytes.
const SPLIT_ITEMS_MAX: usize = 10_000;

/// Everything but letters, digits and `-_.~` as `%XX`.
pub(super) fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&hex::encode_upper([byte]));
        }
    }
    encoded
}

/// `%XX` as its byte and `+` as a blank; nothing when an escape is cut off or the bytes are no UTF-8.
pub(super) fn url_decode(text: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'+' => decoded.push(b' '),
            b'%' => decoded.extend(hex::decode([bytes.next()?, bytes.next()?]).ok()?),
            byte => decoded.push(byte),
        }
    }
    String::from_utf8(decoded).ok()
}

pub(super) fn base64_encode(text: &str) -> String {
    STANDARD.encode(text)
}

pub(super) fn base64_decode(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()
}

fn hex_digits(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text)
}

/// The text whose bytes the digits are; only ASCII.
pub(super) fn hex_to_ascii(text: &str) -> Option<String> {
    String::from_utf8(hex::decode(hex_digits(text)).ok()?).ok().filter(|text| text.is_ascii())
}

pub(super) fn hex_to_dec(text: &str) -> Option<f64> {
    let digits = hex_digits(text);
    // The parser of integers would take a sign.
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hex { u64::from_str_radix(digits, 16).ok().map(|number| number as f64) } else { None }
}

/// Of whole numbers from 0 to 2^53, where numbers are still exact.
pub(super) fn dec_to_hex(number: f64) -> Option<String> {
    let is_whole = number.fract() == 0.0 && (0.0..=9_007_199_254_740_992.0).contains(&number);
    is_whole.then(|| format!("{:x}", number as u64))
}

/// The list of the pieces between separators.
pub(super) fn split(text: &str, separator: &str) -> Option<Json> {
    if separator.is_empty() {
        return None;
    }
    let items: Vec<Json> = text.split(separator).take(SPLIT_ITEMS_MAX + 1).map(Json::from).collect();
    (items.len() <= SPLIT_ITEMS_MAX).then_some(Json::Array(items))
}

/// A list, or a text that is one.
pub(super) fn list_of(value: &Value) -> Option<Vec<Json>> {
    match value {
        Value::Json(Json::Array(items)) => Some(items.clone()),
        Value::Text(text) if text.trim_start().starts_with('[') => serde_json::from_str(text).ok(),
        _ => None,
    }
}

pub(super) fn list_contains(items: &[Json], wanted: &Value) -> bool {
    items.iter().any(|item| {
        let item = match item {
            Json::String(text) => Value::text(text.as_str()),
            Json::Number(number) => number.as_f64().map_or(Value::Null, Value::Number),
            Json::Bool(is) => Value::text(is.to_string()),
            Json::Null | Json::Array(_) | Json::Object(_) => Value::Null,
        };
        item.compare(wanted).is_some_and(std::cmp::Ordering::is_eq)
    })
}

pub(super) fn ipv4_number(text: &str) -> Option<f64> {
    text.parse::<Ipv4Addr>().ok().map(|ip| f64::from(u32::from(ip)))
}

pub(super) fn md5(text: &str) -> String {
    hex::encode(Md5::digest(text))
}

pub(super) fn sha256(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// The way along the earth's surface between two places, each a latitude and a longitude in degrees.
pub(super) fn haversine_km(from: (f64, f64), to: (f64, f64)) -> f64 {
    const EARTH_RADIUS_KM: f64 = 6_371.0;
    let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let between =
        half(from.0, to.0) + from.0.to_radians().cos() * to.0.to_radians().cos() * half(from.1, to.1);
    2.0 * EARTH_RADIUS_KM * between.clamp(0.0, 1.0).sqrt().asin()
}

/// Addresses of networks of one's own: RFC 1918 and RFC 4193.
pub(super) fn is_private(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// Addresses with a purpose of their own: this host, links, groups, documentation, shared and future ones.
pub(super) fn is_reserved(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [first, second, third, _] = ip.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            let is_benchmark = first == 198 && second & 0xfe == 18;
            let is_protocol = [first, second, third] == [192, 0, 0];
            first == 0
                || first >= 240
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_multicast()
                || ip.is_documentation()
                || is_shared
                || is_benchmark
                || is_protocol
        }
        IpAddr::V6(ip) => {
            let is_documentation = ip.segments()[..2] == [0x2001, 0xdb8];
            *ip == Ipv6Addr::UNSPECIFIED
                || ip.is_loopback()
                || ip.is_unicast_link_local()
                || ip.is_multicast()
                || is_documentation
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::ast::{Command, Expr};
    use super::super::functions::{Row, Shared, value};
    use super::super::parse::parse;
    use super::*;

    struct Nothing;

    impl Row for Nothing {
        fn field(&self, _: &str) -> Value {
            Value::Null
        }
    }

    fn shown(text: &str) -> String {
        let query = parse(&format!("fields {text} as x")).unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let Some(Command::Fields(list)) = query.commands.first() else { panic!("{text}: no fields") };
        let expr: &Expr = &list[0].expr;
        value(expr, &Nothing, &Shared::new(0)).to_string()
    }

    #[test]
    fn each_function_gives_what_it_says() {
        for (text, expected) in [
            (r#"urlencode("a b&c/ü~")"#, "a%20b%26c%2F%C3%BC~"),
            (r#"urldecode("a%20b+c%C3%BC")"#, "a b cü"),
            (r#"urldecode("a%2")"#, ""),
            (r#"urldecode("%ff")"#, ""),
            (r#"base64encode("hello")"#, "aGVsbG8="),
            (r#"base64decode("aGVsbG8=")"#, "hello"),
            (r#"base64decode("a*b")"#, ""),
            (r#"hexToAscii("48656c6c6f")"#, "Hello"),
            (r#"hexToAscii("486")"#, ""),
            (r#"hexToDec("ff")"#, "255"),
            (r#"hexToDec("0xFF")"#, "255"),
            (r#"hexToDec("+f")"#, ""),
            ("decToHex(255)", "ff"),
            ("decToHex(1.5)", ""),
            (r#"split("a,b,,c", ",")"#, r#"["a","b","","c"]"#),
            (r#"split("a", "")"#, ""),
            (r#"jsonArraySize(split("a,b", ","))"#, "2"),
            (r#"jsonArraySize("[1, 2, 3]")"#, "3"),
            (r#"jsonArraySize("{}")"#, ""),
            (r#"jsonArrayContains("[1, \"x\"]", "x")"#, "1"),
            (r#"jsonArrayContains("[1, \"x\"]", 1)"#, "1"),
            (r#"jsonArrayContains("[1]", 2)"#, "0"),
            (r#"ipv4ToNumber("1.2.3.4")"#, "16909060"),
            (r#"ipv4ToNumber("::1")"#, ""),
            (r#"isPrivateIP("10.1.2.3")"#, "1"),
            (r#"isPrivateIP("8.8.8.8")"#, "0"),
            (r#"isPrivateIP("fd00::1")"#, "1"),
            (r#"isPublicIP("8.8.8.8")"#, "1"),
            (r#"isPublicIP("127.0.0.1")"#, "0"),
            (r#"isPublicIP("x")"#, "0"),
            (r#"isReservedIP("100.64.0.1")"#, "1"),
            (r#"isReservedIP("2001:db8::1")"#, "1"),
            (r#"isReservedIP("8.8.8.8")"#, "0"),
            (r#"case(1 = 2, "a", 1 = 1, "b", "c")"#, "b"),
            (r#"case(1 = 2, "a", "c")"#, "c"),
            (r#"case(1 = 2, "a")"#, ""),
            (r#"md5("hello")"#, "5d41402abc4b2a76b9719d911017c592"),
            (r#"sha256("hello")"#, "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"),
            ("md5(missing)", ""),
            ("round(haversine(52.52, 13.405, 48.8566, 2.3522))", "877"),
            ("haversine(1, 1, 1, 1)", "0"),
            (r#"parseDate("2026-11-23 10:20:30.456", "yyyy-MM-dd HH:mm:ss.SSS")"#, "1795429230456"),
            (r#"parseDate("23/Nov/2026:10:20:30 +0100", "dd/MMM/yyyy:HH:mm:ss Z")"#, "1795425630000"),
            (r#"parseDate("2026-11-23T10:20:30Z", "yyyy-MM-dd'T'HH:mm:ssXXX")"#, "1795429230000"),
            (r#"parseDate("2026-11-23", "yyyy-MM-dd")"#, "1795392000000"),
            (r#"parseDate("2026-11", "yyyy-MM")"#, "1793491200000"),
            (r#"parseDate("soon", "yyyy-MM-dd")"#, ""),
            (
                r#"formatDate(1795429230456, "EEE, d MMM yyyy h:mm a '100%' SSS")"#,
                "Mon, 23 Nov 2026 10:20 AM 100% 456",
            ),
            (r#"strftime(1795429230456, "%Y-%m-%d %H:%M")"#, "2026-11-23 10:20"),
            ("datefloor(1795429230456, 1mo)", "2026-11-01 00:00:00.000"),
            ("dateceil(1795429230456, 1q)", "2027-01-01 00:00:00.000"),
            ("dateceil(1793491200000, 1mo)", "2026-11-01 00:00:00.000"),
            ("datefloor(1795429230456, 1y)", "2026-01-01 00:00:00.000"),
            ("dateceil(1795429230456, 1h)", "2026-11-23 11:00:00.000"),
            ("datefloor(1e30, 1mo)", ""),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
        assert_eq!(split(&",".repeat(SPLIT_ITEMS_MAX), ","), None);
    }
}
