//! The web page, embedded: static files and the headers they travel with. `server` mounts [`routes`] at the root
//! beside `/api/v1`, which the page talks to.
//!
//! **Invariant:** no state and no query here: a file is the same for everybody, and the page runs under a policy
//! that allows no inline script or style, no frame and no other origin.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;

/// A page that reads telemetry shows text that strangers wrote: whatever slips through must find nothing to run.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

struct Asset {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
}

macro_rules! asset {
    ($path:literal, $file:literal, $content_type:literal) => {
        Asset { path: $path, content_type: $content_type, text: include_str!(concat!("../assets/", $file)) }
    };
}

/// Every file there is.
const ASSETS: &[Asset] = &[
    asset!("/", "index.html", "text/html; charset=utf-8"),
    asset!("/assets/style.css", "style.css", "text/css; charset=utf-8"),
    asset!("/assets/icon.svg", "icon.svg", "image/svg+xml"),
    asset!("/assets/app.js", "app.js", "text/javascript; charset=utf-8"),
    asset!("/assets/charts.js", "charts.js", "text/javascript; charset=utf-8"),
    asset!("/assets/client.js", "client.js", "text/javascript; charset=utf-8"),
    asset!("/assets/dom.js", "dom.js", "text/javascript; charset=utf-8"),
    asset!("/assets/home.js", "home.js", "text/javascript; charset=utf-8"),
    asset!("/assets/query.js", "query.js", "text/javascript; charset=utf-8"),
    asset!("/assets/trace.js", "trace.js", "text/javascript; charset=utf-8"),
    asset!("/assets/traces.js", "traces.js", "text/javascript; charset=utf-8"),
    asset!("/assets/tree.js", "tree.js", "text/javascript; charset=utf-8"),
];

/// `/` and `/assets/*`. Anything else is left to the other routers.
pub fn routes() -> Router {
    let mut router = Router::new().route(
        "/assets/{*path}",
        get(|| async { (StatusCode::NOT_FOUND, headers("text/plain"), "no such file\n") }),
    );
    for asset in ASSETS {
        router = router.route(asset.path, get(|| async { serve(asset) }));
    }
    router
}

fn serve(asset: &'static Asset) -> impl IntoResponse {
    (headers(asset.content_type), asset.text)
}

fn headers(content_type: &'static str) -> [(HeaderName, &'static str); 6] {
    [
        (CONTENT_TYPE, content_type),
        // The names carry no version, so a new binary's files must be asked for.
        (CACHE_CONTROL, "no-cache"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
    ]
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;
    use tower::ServiceExt as _;

    use super::*;

    #[tokio::test]
    async fn every_file_is_served_with_its_type_and_the_policy() {
        for asset in ASSETS {
            let response =
                routes().oneshot(Request::get(asset.path).body(Body::empty()).unwrap()).await.unwrap();
            assert_eq!(response.status(), StatusCode::OK, "{}", asset.path);
            assert_eq!(response.headers()[CONTENT_TYPE], asset.content_type);
            assert_eq!(response.headers()[CONTENT_SECURITY_POLICY], POLICY);
            assert_eq!(response.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        }
        let missing =
            routes().oneshot(Request::get("/assets/none.js").body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(missing.status(), StatusCode::NOT_FOUND);
    }

    #[test]
    fn files_name_only_files_that_are_embedded() {
        for asset in ASSETS {
            let imports = asset
                .text
                .split("from \"./")
                .skip(1)
                .map(|rest| format!("/assets/{}", rest.split('"').next().unwrap()));
            let links = asset
                .text
                .split("=\"/assets/")
                .skip(1)
                .map(|rest| format!("/assets/{}", rest.split('"').next().unwrap()));
            for path in imports.chain(links) {
                assert!(ASSETS.iter().any(|known| known.path == path), "{} names {path}", asset.path);
            }
        }
    }

    #[test]
    fn nothing_needs_what_the_policy_forbids() {
        for asset in ASSETS {
            for forbidden in [
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "eval(",
                " style=\"",
                "<style",
                "onclick=\"",
            ] {
                assert!(!asset.text.contains(forbidden), "{} has {forbidden}", asset.path);
            }
        }
    }
}
