//! What keeps a web page out of open mode: the Host header must be a loopback name or one of the vendors' own (their
//! clients come through a proxy setting), and our own API and pages answer only their own Origin.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracery_intake::AuthMode;

const VENDOR_HOSTS: &[&str] = &["api.honeycomb.io", "api.eu1.honeycomb.io"];

/// Refuses requests that a page of another site may have made.
pub(crate) async fn check(State(mode): State<AuthMode>, request: Request, next: Next) -> Response {
    if mode == AuthMode::Open
        && let Some(host) = host(request.uri(), request.headers())
        && !is_known(&host)
    {
        let reason = format!("open mode answers loopback names only, and the Host is {host:?}");
        return (StatusCode::FORBIDDEN, reason).into_response();
    }
    let own = is_own(request.uri().path());
    if own && !same_origin(request.uri(), request.headers()) {
        return (StatusCode::FORBIDDEN, "another site's page may not ask here").into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    if own {
        headers.insert(header::REFERRER_POLICY, header::HeaderValue::from_static("same-origin"));
        headers.insert(header::X_FRAME_OPTIONS, header::HeaderValue::from_static("DENY"));
    }
    response
}

/// The API of our own pages, the pages, and what operators read. The other paths are the vendors' doors.
fn is_own(path: &str) -> bool {
    path.starts_with("/api/v1/") || path == "/" || path.starts_with("/assets/") || path == "/metrics"
}

/// The host a request names, without its port.
fn host(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let named = uri.host().or_else(|| {
        let value = headers.get(header::HOST)?.to_str().ok()?;
        Some(without_port(value))
    })?;
    Some(named.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase())
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

fn is_known(host: &str) -> bool {
    host == "localhost"
        || host.ends_with(".localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        || VENDOR_HOSTS.contains(&host)
}

/// Whether the Origin, if there is one, is the address the request came to.
fn same_origin(uri: &Uri, headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return true };
    let authority = uri.authority().map(|authority| authority.as_str());
    let authority = authority.or_else(|| headers.get(header::HOST)?.to_str().ok());
    let (Ok(origin), Some(authority)) = (origin.to_str(), authority) else { return false };
    origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) == Some(authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_vendor_names_are_known() {
        for (value, known) in [
            ("localhost:8080", true),
            ("127.0.0.1", true),
            ("[::1]:8080", true),
            ("app.localhost:1", true),
            ("api.honeycomb.io", true),
            ("evil.example", false),
            ("localhost.evil.example:8080", false),
            ("10.0.0.1:8080", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, value.parse().unwrap());
            let host = host(&Uri::from_static("/x"), &headers).unwrap();
            assert_eq!(is_known(&host), known, "{value}");
        }
    }

    #[test]
    fn an_origin_must_be_our_own() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "localhost:8080".parse().unwrap());
        assert!(same_origin(&Uri::from_static("/"), &headers));
        for (origin, same) in
            [("http://localhost:8080", true), ("http://localhost:8081", false), ("null", false), ("http://evil", false)]
        {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
            assert_eq!(same_origin(&Uri::from_static("/"), &headers), same, "{origin}");
        }
    }
}
