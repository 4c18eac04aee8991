//! The web pages, embedded: what `web/` was built to, and the headers it travels with. `server` mounts [`routes`] at the
//! root beside `/api/v1`, which the pages talk to.
//!
//! **Invariant:** no state and no query here: a file is the same for everybody, and pages run under a policy that allows
//! no inline script, no frame and no other origin. The one style element is the editor's, which proves itself by a nonce.

use axum::Router;
use axum::http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use uuid::Uuid;

struct Asset {
    path: &'static str,
    plain: &'static [u8],
    gzipped: Option<&'static [u8]>,
}

/// Every file that was built; empty where nothing was.
const ASSETS: &[Asset] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// Addresses of pages: all are the same document, and its script shows the page. A test holds them against the site's own
/// list.
const PAGES: [&str; 15] = [
    "/",
    "/connect",
    "/query",
    "/traces",
    "/trace/{*rest}",
    "/request/{*rest}",
    "/map",
    "/xray",
    "/logs",
    "/logs/{*rest}",
    "/errors",
    "/errors/{*rest}",
    "/boards",
    "/boards/{*rest}",
    "/settings",
];

const INDEX: &str = "/index.html";
/// What stands in the document for the nonce of one answer.
const NONCE: &str = "__NONCE__";
const STUB: &str = "<!doctype html><html lang=\"en\"><title>Tracery</title><h1>Tracery runs</h1>\
                    <p>Its pages were not built into this binary: run <code>make web</code>, then build again. \
                    The API and all endpoints work.</p></html>";

/// Pages, and files by name.
pub fn routes() -> Router {
    let mut router =
        Router::new().route("/assets/{*path}", get(|| async { (StatusCode::NOT_FOUND, "no such file\n") }));
    for page in PAGES {
        router = router.route(page, get(document));
    }
    for asset in ASSETS.iter().filter(|asset| asset.path != INDEX) {
        router =
            router.route(asset.path, get(move |headers: HeaderMap| async move { file(asset, &headers) }));
    }
    router
}

/// Telemetry is text that strangers wrote: whatever slips through must find nothing to run.
fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

async fn document() -> Response {
    let nonce = Uuid::new_v4().simple().to_string();
    let built = ASSETS.iter().find(|asset| asset.path == INDEX);
    let text = built.map_or(STUB, |asset| std::str::from_utf8(asset.plain).unwrap_or(STUB));
    let mut answer =
        ([(CONTENT_TYPE, "text/html; charset=utf-8")], text.replace(NONCE, &nonce)).into_response();
    let headers = answer.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy(&nonce)) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    // It names the files of this binary; another binary has others.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    secure(headers);
    answer
}

fn file(asset: &'static Asset, asked: &HeaderMap) -> Response {
    let accepts = asked.get(ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    let gzipped = asset.gzipped.filter(|_| accepts.is_some_and(|accepts| accepts.contains("gzip")));
    let mut answer = gzipped.unwrap_or(asset.plain).into_response();
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type(asset.path)));
    if gzipped.is_some() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    // Names of what is built carry a hash of the contents.
    let cache = match asset.path.starts_with("/assets/") {
        true => "public, max-age=31536000, immutable",
        false => "no-cache",
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(cache));
    secure(headers);
    answer
}

fn secure(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    async fn get(path: &str, encoding: &str) -> Response {
        let request = Request::get(path).header(ACCEPT_ENCODING, encoding).body(Body::empty()).unwrap();
        routes().oneshot(request).await.unwrap()
    }

    #[tokio::test]
    async fn every_page_of_the_site_is_the_document() {
        let site = include_str!("../../../web/src/routes.tsx");
        let paths: Vec<String> = site
            .split("path: \"")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().replace(":id", "7").replace(":group", "a%2Fb"))
            .collect();
        assert!(paths.len() > 10, "{paths:?}");
        for path in paths {
            let answer = get(&path, "gzip").await;
            assert_eq!(answer.status(), StatusCode::OK, "{path}");
            assert_eq!(answer.headers()[CONTENT_TYPE], "text/html; charset=utf-8", "{path}");
        }
    }

    #[tokio::test]
    async fn a_document_has_a_policy_with_a_nonce_of_its_own() {
        let mut policies = Vec::new();
        for _ in 0..2 {
            let answer = get("/", "").await;
            let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap().to_owned();
            assert!(!policy.contains("unsafe"), "{policy}");
            let body = to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let body = String::from_utf8(body.to_vec()).unwrap();
            assert!(!body.contains(NONCE) && !body.contains("<style") && !body.contains("onclick"), "{body}");
            policies.push(policy);
        }
        assert_ne!(policies[0], policies[1]);
    }

    #[tokio::test]
    async fn files_have_their_type_and_are_packed_for_those_who_unpack() {
        for asset in ASSETS.iter().filter(|asset| asset.path != INDEX) {
            for encoding in ["gzip, br", "identity"] {
                let answer = get(asset.path, encoding).await;
                assert_eq!(answer.status(), StatusCode::OK, "{}", asset.path);
                assert_eq!(answer.headers()[CONTENT_TYPE], content_type(asset.path));
                assert_eq!(answer.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
                let packed = answer.headers().contains_key(CONTENT_ENCODING);
                assert_eq!(packed, asset.gzipped.is_some() && encoding != "identity", "{}", asset.path);
            }
        }
        assert_eq!(get("/assets/none.js", "gzip").await.status(), StatusCode::NOT_FOUND);
    }
}
