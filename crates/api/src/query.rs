//! `POST /query`: a Honeycomb query specification, answered at once or as events (see [`crate::running`]).

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ApiError;
use crate::extract::{JsonBody, Params};
use crate::identity::Identity;
use crate::{Api, QueryKind, running};

#[derive(Deserialize)]
pub(crate) struct Asked {
    environment: Option<String>,
    dataset: Option<String>,
    #[serde(default = "with_series")]
    series: bool,
}

fn with_series() -> bool {
    true
}

#[derive(Deserialize)]
pub(crate) struct Place {
    pub(crate) environment: Option<String>,
    pub(crate) dataset: Option<String>,
}

impl Place {
    /// `None` is every dataset.
    pub(crate) fn dataset(&self) -> Option<&str> {
        self.dataset.as_deref().filter(|name| !name.is_empty() && *name != "__all__")
    }
}

pub(crate) async fn run(
    State(api): State<Api>,
    identity: Identity,
    headers: HeaderMap,
    Params(Asked { environment, dataset, series }): Params<Asked>,
    JsonBody(spec): JsonBody<Value>,
) -> Result<Response, ApiError> {
    let place = Place { environment, dataset };
    let environment = identity.environment(&api, place.environment.as_deref()).await?.id;
    let specs = api.specs.clone().ok_or_else(|| ApiError::not_available("Honeycomb's query language"))?;
    let metrics = api.metrics.clone();
    running::answer(&api, (environment, QueryKind::Spec), &headers, |progress| async move {
        let ask = specs.run(environment, place.dataset(), (&spec, series), &progress);
        Ok(metrics.observe(QueryKind::Spec, ask).await?)
    })
    .await
}
