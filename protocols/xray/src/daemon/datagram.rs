//! One datagram: a header line, a newline, and a payload, which is segment documents in JSON or, from the exporters of
//! the OpenTelemetry distributions, a letter code and an OTLP message in base64. Nothing here keeps state.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use tracery_model::Signal;

/// Header lines are some 30 bytes long.
const HEADER_BYTES_MAX: usize = 512;
/// What nearly every SDK writes.
const USUAL_HEADER: &[u8] = br#"{"format":"json","version":1}"#;

/// What a datagram carries.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Payload<'d> {
    /// One document, or an array of them.
    Documents(&'d str),
    /// A protobuf message.
    Otlp(OtlpKind, Vec<u8>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OtlpKind {
    /// `TracesData`: `T1S` of sampled spans, `T1U` of others.
    Traces = 0,
    /// `MetricsData`: `M1`.
    Metrics = 1,
}

impl OtlpKind {
    pub(crate) fn signal(self) -> Signal {
        match self {
            Self::Traces => Signal::Span,
            Self::Metrics => Signal::Metric,
        }
    }
}

/// Why a datagram is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Malformed {
    HeaderMissing,
    HeaderMalformed,
    FormatUnknown,
    VersionUnknown,
    PayloadMissing,
    NotUtf8,
    Base64,
    OtlpFraming,
}

impl Malformed {
    /// The stable word of `/metrics`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::HeaderMissing => "header_missing",
            Self::HeaderMalformed => "header_malformed",
            Self::FormatUnknown => "format_unknown",
            Self::VersionUnknown => "version_unknown",
            Self::PayloadMissing => "payload_missing",
            Self::NotUtf8 => "not_utf8",
            Self::Base64 => "otlp_base64",
            Self::OtlpFraming => "otlp_malformed",
        }
    }

    /// For people.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::HeaderMissing => "no header line with a newline behind it",
            Self::HeaderMalformed => "the header line is not a JSON object",
            Self::FormatUnknown => "the header's format is not json",
            Self::VersionUnknown => "the header's version is not 1",
            Self::PayloadMissing => "nothing follows the header line",
            Self::NotUtf8 => "the payload is not UTF-8",
            Self::Base64 => "what follows the letter code is not base64",
            Self::OtlpFraming => "what follows the letter code is not a protobuf message",
        }
    }
}

/// Reads a datagram.
pub(crate) fn parse(datagram: &[u8]) -> Result<Payload<'_>, Malformed> {
    let newline = datagram.iter().take(HEADER_BYTES_MAX).position(|byte| *byte == b'\n');
    let (header, payload) = match newline {
        Some(at) => (&datagram[..at], datagram[at + 1..].trim_ascii()),
        None => return Err(Malformed::HeaderMissing),
    };
    if header != USUAL_HEADER {
        check_header(header)?;
    }
    if payload.is_empty() {
        return Err(Malformed::PayloadMissing);
    }
    for (code, kind) in
        [(&b"T1S"[..], OtlpKind::Traces), (b"T1U", OtlpKind::Traces), (b"M1", OtlpKind::Metrics)]
    {
        if let Some(encoded) = payload.strip_prefix(code) {
            let message = STANDARD.decode(encoded).map_err(|_| Malformed::Base64)?;
            return match is_framed(&message) {
                true => Ok(Payload::Otlp(kind, message)),
                false => Err(Malformed::OtlpFraming),
            };
        }
    }
    std::str::from_utf8(payload).map(Payload::Documents).map_err(|_| Malformed::NotUtf8)
}

fn check_header(header: &[u8]) -> Result<(), Malformed> {
    let Ok(Value::Object(header)) = serde_json::from_slice(header) else {
        return Err(Malformed::HeaderMalformed);
    };
    let format = header.get("format").and_then(Value::as_str).unwrap_or_default();
    if !format.eq_ignore_ascii_case("json") {
        return Err(Malformed::FormatUnknown);
    }
    match header.get("version").and_then(Value::as_f64) {
        Some(1.0) => Ok(()),
        _ => Err(Malformed::VersionUnknown),
    }
}

/// Whether a message is whole fields of its first level, so that others can stand behind it. Both messages have one
/// field, which is a list of messages.
fn is_framed(mut message: &[u8]) -> bool {
    while let [tag, rest @ ..] = message {
        if tag & 7 != 2 {
            return false;
        }
        let Some((len, rest)) = varint(rest) else { return false };
        let Some(rest) = usize::try_from(len).ok().and_then(|len| rest.get(len..)) else { return false };
        message = rest;
    }
    true
}

fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0;
    for (idx, byte) in bytes.iter().take(9).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * idx);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[idx + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_clients_spell_them() {
        for header in [
            r#"{"format":"json","version":1}"#,
            r#"{"format": "json", "version": 1}"#,
            r#"{ "version" : 1.0, "format" : "JSON", "more": null }"#,
        ] {
            let datagram = format!("{header}\n{{}}\n");
            assert_eq!(parse(datagram.as_bytes()), Ok(Payload::Documents("{}")), "{header}");
        }
    }

    #[test]
    fn each_damage_has_its_reason() {
        let good = r#"{"format":"json","version":1}"#;
        for (datagram, reason) in [
            (String::new(), Malformed::HeaderMissing),
            (good.to_owned(), Malformed::HeaderMissing),
            ("x".repeat(600) + "\n{}", Malformed::HeaderMissing),
            ("hello\n{}".into(), Malformed::HeaderMalformed),
            ("7\n{}".into(), Malformed::HeaderMalformed),
            (good.replace("json", "yaml") + "\n{}", Malformed::FormatUnknown),
            (good.replace('1', "2") + "\n{}", Malformed::VersionUnknown),
            (good.replace('1', "\"1\"") + "\n{}", Malformed::VersionUnknown),
            (format!("{good}\n \n"), Malformed::PayloadMissing),
            (format!("{good}\nT1S***"), Malformed::Base64),
            (format!("{good}\nT1UCg8="), Malformed::OtlpFraming),
            (format!("{good}\nM1CAE="), Malformed::OtlpFraming),
        ] {
            assert_eq!(parse(datagram.as_bytes()), Err(reason), "{datagram}");
        }
        assert_eq!(parse(&[good.as_bytes(), b"\n\xff"].concat()), Err(Malformed::NotUtf8));
    }

    #[test]
    fn otlp_is_told_by_its_letters() {
        let header = r#"{"format":"json","version":1}"#;
        for (code, kind) in [("T1S", OtlpKind::Traces), ("T1U", OtlpKind::Traces), ("M1", OtlpKind::Metrics)]
        {
            let datagram = format!("{header}\n{code}CgIKAA==");
            assert_eq!(parse(datagram.as_bytes()), Ok(Payload::Otlp(kind, vec![0x0a, 2, 0x0a, 0])), "{code}");
        }
    }

    #[test]
    fn captured_datagrams_are_read_and_damaged_ones_never_panic() {
        let seeds = tracery_testkit::seeds("xray_datagram");
        for seed in &seeds {
            assert!(parse(seed).is_ok(), "{}", seed.escape_ascii());
        }
        tracery_testkit::each_mutation(&seeds, 3_000, |bytes| drop(parse(bytes)));
    }
}
