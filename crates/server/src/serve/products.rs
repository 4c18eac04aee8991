//! The products' doors as the page reaches them: the same routers that SDKs come to, behind a caller who was looked at
//! already.

use std::collections::HashMap;

use async_trait::async_trait;
use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::ServiceExt as _;
use tracery_api::Products;
use tracery_intake::Vouched;
use tracery_settings::Environment;

/// By the word of the path.
pub(crate) struct ProductDoors(pub(crate) HashMap<&'static str, Router>);

#[async_trait]
impl Products for ProductDoors {
    async fn call(
        &self,
        product: &str,
        environment: Environment,
        region: Option<String>,
        mut request: Request,
    ) -> Option<Response> {
        let door = self.0.get(product)?.clone();
        request.extensions_mut().insert(Vouched { environment, region });
        let Ok(answer) = door.oneshot(request).await;
        Some(answer)
    }
}
