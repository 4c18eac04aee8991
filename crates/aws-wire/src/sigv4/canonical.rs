//! The canonical form of a request and the signature over it. `verify` builds both from what a client sent; every rule
//! here (path, query, headers) is the published algorithm's for services other than object storage.

use hmac::{Hmac, Mac};
use http::HeaderMap;
use sha2::{Digest, Sha256};

use super::credential::Credential;

/// The hash of a body as a canonical request holds it.
pub fn payload_hash(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// The signature, in lower-case hex, of a canonical request under a secret.
pub fn signature(secret: &str, credential: &Credential, signed_at: &str, canonical_request: &str) -> String {
    let scope = credential.scope();
    let hash = payload_hash(canonical_request.as_bytes());
    let to_sign = format!("AWS4-HMAC-SHA256\n{signed_at}\n{scope}\n{hash}");
    let mut key = hmac(format!("AWS4{secret}").as_bytes(), credential.date.as_bytes());
    for step in [credential.region.as_str(), credential.service.as_str(), "aws4_request"] {
        key = hmac(&key, step.as_bytes());
    }
    hex::encode(hmac(&key, to_sign.as_bytes()))
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    // A key of any length is a key: the constructor has no failing case.
    let mut mac = match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mac) => mac,
        Err(_) => return [0; 32],
    };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// The canonical request, of decoded parameters (without the signature) and of the signed headers in their order.
pub(super) fn request(
    method: &str,
    path: &str,
    query: &[(String, String)],
    headers: &[(String, String)],
    payload_hash: &str,
) -> String {
    let mut text = format!("{method}\n{}\n{}\n", canonical_path(path), canonical_query(query));
    for (name, value) in headers {
        text.extend([name, ":", value, "\n"]);
    }
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    text.extend(["\n", &names.join(";"), "\n", payload_hash]);
    text
}

/// Dots resolved, slashes folded, each segment percent-encoded once more (it came encoded once).
fn canonical_path(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                segments.pop();
            }
            segment => segments.push(segment),
        }
    }
    let mut canonical = String::from("/");
    for (idx, segment) in segments.iter().enumerate() {
        if idx > 0 {
            canonical.push('/');
        }
        encode(segment.as_bytes(), &mut canonical);
    }
    if canonical.len() > 1 && (path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..")) {
        canonical.push('/');
    }
    canonical
}

/// The decoded parameters of a query.
pub(super) fn query_parameters(query: &str) -> Vec<(String, String)> {
    let parameters = query.split('&').filter(|parameter| !parameter.is_empty());
    parameters
        .map(|parameter| {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            (decode(name), decode(value))
        })
        .collect()
}

/// Percent-decoded bytes as Latin-1 characters, so that every byte comes through whether or not it is UTF-8.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |idx: usize| bytes.get(idx).and_then(|byte| char::from(*byte).to_digit(16));
    let mut decoded = String::new();
    let mut idx = 0;
    while let Some(&byte) = bytes.get(idx) {
        match (byte, digit(idx + 1), digit(idx + 2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push(char::from((high * 16 + low) as u8));
                idx += 3;
            }
            _ => {
                decoded.push(char::from(byte));
                idx += 1;
            }
        }
    }
    decoded
}

fn canonical_query(parameters: &[(String, String)]) -> String {
    let mut encoded: Vec<(String, String)> = parameters
        .iter()
        .map(|(name, value)| {
            let part = |text: &str| {
                let bytes: Vec<u8> = text.chars().map(|latin| latin as u32 as u8).collect();
                let mut encoded = String::new();
                encode(&bytes, &mut encoded);
                encoded
            };
            (part(name), part(value))
        })
        .collect();
    encoded.sort();
    let pairs: Vec<String> = encoded.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

fn encode(bytes: &[u8], encoded: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for &byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => {
                let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 15)]];
                encoded.push('%');
                encoded.extend(digits.map(char::from));
            }
        }
    }
}

/// The values of the signed headers: several of one name joined by commas, runs of blanks folded. A header that was
/// signed but did not come is empty, so that the signature does not match. Values that are not UTF-8 count as Latin-1.
pub(super) fn signed_headers(names: &[String], headers: &HeaderMap) -> Vec<(String, String)> {
    names
        .iter()
        .map(|name| {
            let values: Vec<String> = headers.get_all(name.as_str()).iter().map(folded).collect();
            (name.clone(), values.join(","))
        })
        .collect()
}

fn folded(value: &http::HeaderValue) -> String {
    let text = match std::str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => value.as_bytes().iter().map(|byte| char::from(*byte)).collect(),
    };
    text.split([' ', '\t', '\r', '\n']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
