//! Decides whether a request was signed by whom it says. Doors call it before they read the body's meaning. It compares in
//! constant time, tells a stranger nothing about secrets, and answers in the vendor's words.

use http::request::Parts;
use subtle::ConstantTimeEq;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use super::canonical::{payload_hash, query_parameters, request, signature, signed_headers};
use super::credential::{Credential, SignedRequest};
use super::{CLOCK_SKEW_MAX_SECONDS, PRESIGNED_LIFE_MAX_SECONDS};
use crate::answer::Error;

/// Where secrets are kept.
pub trait Secrets {
    /// What the caller calls the owner of a key: an environment, say.
    type Owner;

    /// The secret and the owner of an access key; `None` for a key that is not known. `security_token` is what came
    /// with it, for keys that live for a session only.
    fn secret(&self, access_key_id: &str, security_token: Option<&str>) -> Option<(String, Self::Owner)>;
}

/// Who signed a request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Caller<O> {
    pub owner: O,
    pub credential: Credential,
}

/// Why a request's signature does not do.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It has no signature: a door decides whether it takes such requests.
    #[error("the request is not signed")]
    Unsigned,
    #[error(transparent)]
    Wrong(#[from] Error),
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unsigned => {
                Error::common("MissingAuthenticationTokenException", 403, "Missing Authentication Token")
            }
            Refusal::Wrong(error) => error,
        }
    }
}

const FORMAT: &[BorrowedFormatItem<'_>] = format_description!("[year][month][day]T[hour][minute][second]Z");

/// Verifies a request for `service`. `body` is as it came over the wire, before it is inflated; `now` is the server's
/// time in seconds since 1970.
pub fn verify<S: Secrets>(
    service: &str,
    parts: &Parts,
    body: &[u8],
    secrets: &S,
    now: i64,
) -> Result<Caller<S::Owner>, Refusal> {
    let query = parts.uri.query();
    let signed = SignedRequest::read(query, &parts.headers)?.ok_or(Refusal::Unsigned)?;
    scope_fits(service, &signed)?;
    let (secret, owner) = secrets
        .secret(&signed.credential.access_key_id, signed.security_token.as_deref())
        .ok_or_else(|| refused("UnrecognizedClientException", UNKNOWN_TOKEN))?;
    in_time(&signed, now)?;
    host_is_signed(&signed)?;

    let mut parameters = query_parameters(query.unwrap_or_default());
    if signed.expires_seconds.is_some() {
        parameters.retain(|(name, _)| !name.eq_ignore_ascii_case("X-Amz-Signature"));
    }
    let hash = declared_payload_hash(parts, body)?;
    let headers = signed_headers(&signed.signed_headers, &with_host(parts));
    let canonical = request(parts.method.as_str(), parts.uri.path(), &parameters, &headers, &hash);
    let expected = signature(&secret, &signed.credential, &signed.signed_at, &canonical);
    match bool::from(expected.as_bytes().ct_eq(signed.signature.as_bytes())) {
        true => Ok(Caller { owner, credential: signed.credential }),
        false => Err(refused("InvalidSignatureException", MISMATCH).into()),
    }
}

const UNKNOWN_TOKEN: &str = "The security token included in the request is invalid.";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your \
     AWS Secret Access Key and signing method. Consult the service documentation for details.";

fn refused(code: &'static str, message: impl Into<String>) -> Error {
    Error::common(code, 403, message)
}

fn scope_fits(service: &str, signed: &SignedRequest) -> Result<(), Error> {
    let credential = &signed.credential;
    let mut wrong = Vec::new();
    // Every region is served, so it need only look like one: it names where data is kept apart.
    let region = &credential.region;
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if region.is_empty() || region.len() > 32 || !region.bytes().all(letter) {
        wrong.push(format!("Credential should be scoped to a valid region, not '{region}'. "));
    }
    if credential.service != service {
        wrong.push(format!("Credential should be scoped to correct service: '{service}'. "));
    }
    if credential.terminator != "aws4_request" {
        wrong.push(format!(
            "Credential should be scoped with a valid terminator: 'aws4_request', not '{}'. ",
            credential.terminator
        ));
    }
    let (date, signed_at) = (&credential.date, &signed.signed_at);
    if signed_at.get(..8) != Some(date.as_str()) {
        wrong.push(format!(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{date}' != \
             '{}', from '{signed_at}'.",
            signed_at.get(..8).unwrap_or(signed_at)
        ));
    }
    match wrong.is_empty() {
        true => Ok(()),
        false => Err(refused("InvalidSignatureException", wrong.concat().trim_end())),
    }
}

fn in_time(signed: &SignedRequest, now: i64) -> Result<(), Error> {
    let sent = &signed.signed_at;
    let Ok(at) = PrimitiveDateTime::parse(sent, FORMAT) else {
        return Err(refused(
            "IncompleteSignatureException",
            format!(
                "Date must be in ISO-8601 'basic format'. Got '{sent}'. See http://en.wikipedia.org/wiki/ISO_8601"
            ),
        ));
    };
    let at = at.assume_utc().unix_timestamp();
    if at > now.saturating_add(CLOCK_SKEW_MAX_SECONDS) {
        let latest = now.saturating_add(CLOCK_SKEW_MAX_SECONDS);
        let message = format!(
            "Signature not yet current: {sent} is still later than {} ({} + 15 min.)",
            iso(latest),
            iso(now)
        );
        return Err(refused("InvalidSignatureException", message));
    }
    match signed.expires_seconds {
        Some(life) if life > PRESIGNED_LIFE_MAX_SECONDS => {
            Err(refused("InvalidSignatureException", "X-Amz-Expires must be less than a week (in seconds)"))
        }
        Some(life) if at + life < now => Err(refused("RequestExpired", "Request has expired.")),
        None if at < now.saturating_sub(CLOCK_SKEW_MAX_SECONDS) => {
            let earliest = now.saturating_sub(CLOCK_SKEW_MAX_SECONDS);
            let message = format!(
                "Signature expired: {sent} is now earlier than {} ({} - 15 min.)",
                iso(earliest),
                iso(now)
            );
            Err(refused("InvalidSignatureException", message))
        }
        _ => Ok(()),
    }
}

fn iso(seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).ok();
    at.and_then(|at| at.format(FORMAT).ok()).unwrap_or_default()
}

/// A signature that leaves out the host could be replayed against another.
fn host_is_signed(signed: &SignedRequest) -> Result<(), Error> {
    match signed.signed_headers.iter().any(|name| name == "host" || name == ":authority") {
        true => Ok(()),
        false => Err(refused(
            "InvalidSignatureException",
            "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.",
        )),
    }
}

/// HTTP/2 carries the host in the address of the request.
fn with_host(parts: &Parts) -> http::HeaderMap {
    let mut headers = parts.headers.clone();
    if !headers.contains_key(http::header::HOST)
        && let Some(authority) = parts.uri.authority()
        && let Ok(host) = http::HeaderValue::from_str(authority.as_str())
    {
        headers.insert(http::header::HOST, host);
    }
    headers
}

/// The hash that the canonical request holds: the body's, or the header's word for a body that was not hashed.
fn declared_payload_hash(parts: &Parts, body: &[u8]) -> Result<String, Error> {
    let declared = parts.headers.get("x-amz-content-sha256").and_then(|value| value.to_str().ok());
    if declared == Some("UNSIGNED-PAYLOAD") {
        return Ok("UNSIGNED-PAYLOAD".to_owned());
    }
    let actual = payload_hash(body);
    match declared {
        Some(declared) if declared != actual => Err(refused("InvalidSignatureException", MISMATCH)),
        _ => Ok(actual),
    }
}
