//! `/products/{product}/…`: the products' own protocols for whoever logged in. Items of Rollbar, operations of X-Ray and
//! CloudWatch Logs, Honeycomb's boards and markers: the page reads and changes them by the calls that the vendors document
//! and real clients prove, with a session in place of a vendor's credential.

use std::collections::HashMap;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::{HeaderMap, HeaderName, Uri};
use axum::response::Response;

use crate::Api;
use crate::error::ApiError;
use crate::identity::Identity;

/// In headers, since the parameters are the product's own: Rollbar has an `environment` too.
const ENVIRONMENT: HeaderName = HeaderName::from_static("x-tracery-environment");
const REGION: HeaderName = HeaderName::from_static("x-tracery-region");

/// What says who the caller is to this API says nothing to a product.
const CREDENTIALS: [HeaderName; 4] = [
    AUTHORIZATION,
    COOKIE,
    HeaderName::from_static("x-honeycomb-team"),
    HeaderName::from_static("x-rollbar-access-token"),
];

pub(crate) async fn forward(
    State(api): State<Api>,
    identity: Identity,
    Path(mut names): Path<HashMap<String, String>>,
    request: Request,
) -> Result<Response, ApiError> {
    // A key's scopes are words of one API; what it may do in another is for that one's own door to say.
    if matches!(identity, Identity::Configuration(_) | Identity::Management(_)) {
        return Err(ApiError::forbidden(
            "a key asks the product's own endpoint, with the product's credential",
        ));
    }
    let product = names.remove("product").unwrap_or_default();
    let products = api.products.as_ref().ok_or_else(|| ApiError::not_available("the products' protocols"))?;
    let (slug, region) = (text(request.headers(), ENVIRONMENT), text(request.headers(), REGION));
    let environment = identity.environment(&api, slug.as_deref()).await?;
    let (mut parts, body) = request.into_parts();
    for name in CREDENTIALS {
        parts.headers.remove(name);
    }
    parts.uri = own_uri(&parts.uri, &product).ok_or_else(|| ApiError::invalid("the path is no path"))?;
    // What the router noted is about this API's path.
    parts.extensions.clear();
    let request = Request::from_parts(parts, body);
    let answer = products.call(&product, environment, region, request.map(Body::new)).await;
    answer.ok_or_else(|| ApiError::not_found(format_args!("product {product:?}")))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// The path behind the product's name, with the query as it was.
fn own_uri(uri: &Uri, product: &str) -> Option<Uri> {
    let path = uri.path().strip_prefix("/api/v1/products/")?.strip_prefix(product)?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{path}{query}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_sees_its_own_path() {
        let own = |uri: &str, product| own_uri(&uri.parse().unwrap(), product).map(|uri| uri.to_string());
        assert_eq!(
            own("/api/v1/products/rollbar/api/1/items/?page=2", "rollbar").as_deref(),
            Some("/api/1/items/?page=2")
        );
        assert_eq!(own("/api/v1/products/cloudwatch-logs/", "cloudwatch-logs").as_deref(), Some("/"));
        assert_eq!(own("/api/v1/products/x%2fy/a", "x/y"), None);
    }
}
