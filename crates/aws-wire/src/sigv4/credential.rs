//! What a request says about its signer, from the `Authorization` header or from the query. `verify` calls it first; what
//! comes out is well formed and bounded, but nothing of it is proven yet.

use http::HeaderMap;

use super::canonical::query_parameters;
use crate::answer::Error;

/// Whose key, and for what, a request was signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Credential {
    pub access_key_id: String,
    /// `YYYYMMDD`, as sent.
    pub date: String,
    pub region: String,
    pub service: String,
    /// The last element, which must be `aws4_request`.
    pub terminator: String,
}

impl Credential {
    fn parse(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.split('/').collect();
        let [access_key_id, date, region, service, terminator] = parts[..] else {
            return Err(incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, \
                 got '{text}'"
            )));
        };
        let owned = str::to_owned;
        Ok(Self {
            access_key_id: owned(access_key_id),
            date: owned(date),
            region: owned(region),
            service: owned(service),
            terminator: owned(terminator),
        })
    }

    pub(super) fn scope(&self) -> String {
        format!("{}/{}/{}/{}", self.date, self.region, self.service, self.terminator)
    }
}

/// What a signed request carries.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SignedRequest {
    pub credential: Credential,
    /// Lower-case names, in the order in which they were signed.
    pub signed_headers: Vec<String>,
    pub signature: String,
    /// `YYYYMMDDTHHMMSSZ`, as sent.
    pub signed_at: String,
    /// `X-Amz-Security-Token`; a header when it is not presigned.
    pub security_token: Option<String>,
    /// The life of a presigned request, in seconds; absent for one that is signed in its header.
    pub expires_seconds: Option<i64>,
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
/// Real clients send a few hundred bytes, and up to some kilobytes of security token.
const HEADER_BYTES_MAX: usize = 16 * 1024;
const SIGNED_HEADERS_MAX: usize = 64;

impl SignedRequest {
    /// Reads the signature of a request; `None` for a request that is not signed at all.
    pub fn read(query: Option<&str>, headers: &HeaderMap) -> Result<Option<Self>, Error> {
        if let Some(authorization) = headers.get(http::header::AUTHORIZATION) {
            let authorization = authorization.to_str().map_err(|_| incomplete(NOT_ASCII.to_owned()))?;
            // Another scheme, as `Bearer`, is not a signature; the caller may know it.
            return match authorization.trim_start().strip_prefix(ALGORITHM) {
                Some(rest) => Self::from_header(rest, authorization, headers).map(Some),
                None => Ok(None),
            };
        }
        match query {
            Some(query) if query.len() <= HEADER_BYTES_MAX => Self::from_query(query),
            _ => Ok(None),
        }
    }

    fn from_header(rest: &str, whole: &str, headers: &HeaderMap) -> Result<Self, Error> {
        if whole.len() > HEADER_BYTES_MAX {
            return Err(incomplete("Authorization header is too long.".to_owned()));
        }
        let parameter = |name: &str| {
            rest.split(',')
                .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
                .map(str::to_owned)
        };
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let (credential, signature, signed_headers) =
            (parameter("Credential"), parameter("Signature"), parameter("SignedHeaders"));
        let signed_at = header("x-amz-date").or_else(|| header("date"));
        let mut missing = String::new();
        for (value, name) in
            [(&credential, "Credential"), (&signature, "Signature"), (&signed_headers, "SignedHeaders")]
        {
            if value.is_none() {
                missing.push_str(&format!("Authorization header requires '{name}' parameter. "));
            }
        }
        if signed_at.is_none() {
            missing.push_str(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. ",
            );
        }
        match (credential, signature, signed_headers, signed_at) {
            (Some(credential), Some(signature), Some(signed_headers), Some(signed_at)) => Ok(Self {
                credential: Credential::parse(&credential)?,
                signed_headers: header_names(&signed_headers)?,
                signature,
                signed_at,
                security_token: header("x-amz-security-token"),
                expires_seconds: None,
            }),
            _ => Err(incomplete(format!("{missing}Authorization={ALGORITHM}"))),
        }
    }

    fn from_query(query: &str) -> Result<Option<Self>, Error> {
        let parameters = query_parameters(query);
        let parameter = |wanted: &str| {
            let found = parameters.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            found.map(|(_, value)| value.clone())
        };
        if parameter("X-Amz-Algorithm").is_none_or(|algorithm| algorithm != ALGORITHM) {
            return Ok(None);
        }
        let required = |name: &str| {
            parameter(name)
                .ok_or_else(|| incomplete(format!("AWS query-string parameters must include '{name}'.")))
        };
        let expires = required("X-Amz-Expires")?;
        let expires_seconds = expires.parse::<i64>().ok().filter(|seconds| *seconds >= 0);
        let Some(expires_seconds) = expires_seconds else {
            return Err(incomplete(format!("X-Amz-Expires should be a number, not '{expires}'.")));
        };
        Ok(Some(Self {
            credential: Credential::parse(&required("X-Amz-Credential")?)?,
            signed_headers: header_names(&required("X-Amz-SignedHeaders")?)?,
            signature: required("X-Amz-Signature")?,
            signed_at: required("X-Amz-Date")?,
            security_token: parameter("X-Amz-Security-Token"),
            expires_seconds: Some(expires_seconds),
        }))
    }
}

const NOT_ASCII: &str = "Authorization header holds characters that are not ASCII.";

fn header_names(text: &str) -> Result<Vec<String>, Error> {
    let names: Vec<String> = text.split(';').map(|name| name.trim().to_ascii_lowercase()).collect();
    let valid = |name: &String| http::HeaderName::from_bytes(name.as_bytes()).is_ok();
    if names.len() > SIGNED_HEADERS_MAX || !names.iter().all(valid) {
        return Err(incomplete("SignedHeaders is not a list of header names.".to_owned()));
    }
    Ok(names)
}

fn incomplete(message: String) -> Error {
    Error::common("IncompleteSignatureException", 403, message)
}
