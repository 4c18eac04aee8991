//! Honeycomb's HTTP API: events in, and the management endpoints its clients and its Terraform provider call.
//! `server` merges [`routes`] into its router and supplies the query engine as [`Queries`].
//!
//! **Invariant:** every handler reaches settings and events through the environment of its caller's key, so no
//! request sees another environment. A 4xx says what is wrong; a 5xx means that trying again may help.

mod access;
mod auth;
mod boards;
mod calculated_fields;
mod columns;
mod convert;
mod datasets;
mod decode;
mod definitions;
mod documents;
mod event_time;
mod firehose;
mod graph;
mod ingest;
mod input;
mod markers;
mod metrics_port;
mod problem;
mod queries;
mod queries_port;
mod results;
mod team;

#[doc(hidden)]
pub mod fuzzing;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use tracery_intake::Intake;

pub use metrics_port::{DecodedMetrics, MetricsError, OtlpMetrics};
pub use problem::FieldError;
pub use queries_port::{ColumnInfo, Queries, RunOptions};

/// What this door says of itself. One server is one team.
#[derive(Debug, Clone)]
pub struct Options {
    pub team_name: String,
    pub team_slug: String,
    /// Where links in replies lead, such as `https://tracery.example.org`; the request's Host when `None`.
    pub public_url: Option<String>,
    /// Management requests an environment may make in a minute. Far above the vendor's 100, because one team's
    /// own machine is nobody else's; a bound all the same, since a client in a loop should learn of it.
    pub requests_per_minute_max: u32,
    /// Query results computed at one time; up to eight times as many wait.
    pub runs_max: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            team_name: "Tracery".to_owned(),
            team_slug: "tracery".to_owned(),
            public_url: None,
            requests_per_minute_max: 6_000,
            runs_max: 4,
        }
    }
}

/// The state of this door. Cheap to clone.
#[derive(Clone)]
pub struct Honeycomb {
    intake: Intake,
    /// `None` where metrics in OTLP are not taken.
    metrics: Option<OtlpMetrics>,
    queries: Arc<dyn Queries>,
    options: Arc<Options>,
    rate_limit: Arc<access::RateLimit>,
    runs: Arc<results::Runs>,
}

impl Honeycomb {
    pub fn new(intake: Intake, queries: Arc<dyn Queries>, options: Options) -> Self {
        Self {
            intake,
            metrics: None,
            queries,
            rate_limit: access::RateLimit::new(options.requests_per_minute_max),
            runs: Arc::new(results::Runs::new(options.runs_max)),
            options: Arc::new(options),
        }
    }

    /// The same with what decodes the metrics in OTLP that Firehose delivers.
    #[must_use]
    pub fn with_metrics(mut self, metrics: OtlpMetrics) -> Self {
        self.metrics = Some(metrics);
        self
    }
}

/// Every endpoint. Paths under `/1` and `/2` that are not listed answer 404 as the vendor does; `docs/compat/honeycomb.md`
/// says which of the vendor's those are.
pub fn routes(state: Honeycomb) -> Router {
    let ingest = Router::new()
        .route("/1/events/{dataset}", post(ingest::event).options(auth::nothing))
        .route("/1/batch/{dataset}", post(ingest::batch).options(auth::nothing))
        .route("/1/kinesis_events/{dataset}", post(firehose::deliver))
        .layer(DefaultBodyLimit::disable())
        .layer(from_fn(access::cors));

    let environment = Router::new()
        .route("/1/auth", get(auth::environment))
        .route("/1/datasets", get(datasets::list).post(datasets::create))
        .route("/1/datasets/{slug}", get(datasets::read).put(datasets::update).delete(datasets::delete))
        .route("/1/columns/{slug}", get(columns::list).post(columns::create))
        .route("/1/columns/{slug}/{id}", get(columns::read).put(columns::update).delete(columns::delete))
        .route("/1/derived_columns/{slug}", get(calculated_fields::list).post(calculated_fields::create))
        .route(
            "/1/derived_columns/{slug}/{id}",
            get(calculated_fields::read).put(calculated_fields::update).delete(calculated_fields::delete),
        )
        .route("/1/dataset_definitions/{slug}", get(definitions::read).patch(definitions::update))
        .route("/1/queries/{slug}", post(queries::create))
        .route("/1/queries/{slug}/{id}", get(queries::read))
        .route("/1/query_annotations/{slug}", get(queries::list_annotations).post(queries::create_annotation))
        .route(
            "/1/query_annotations/{slug}/{id}",
            get(queries::read_annotation).put(queries::update_annotation).delete(queries::delete_annotation),
        )
        .route("/1/query_results/{slug}", post(results::create))
        .route("/1/query_results/{slug}/{id}", get(results::read))
        .route("/1/query_results/{slug}/{id}/snapshot", get(results::snapshot))
        .route("/1/boards", get(boards::list).post(boards::create))
        .route("/1/boards/{id}", get(boards::read).put(boards::update).delete(boards::delete))
        .route("/1/boards/{id}/views", get(boards::list_views).post(boards::create_view))
        .route(
            "/1/boards/{id}/views/{view}",
            get(boards::read_view).put(boards::update_view).delete(boards::delete_view),
        )
        .route("/1/markers/{slug}", get(markers::list).post(markers::create))
        .route("/1/markers/{slug}/{id}", get(markers::read).put(markers::update).delete(markers::delete))
        .route("/1/marker_settings/{slug}", get(markers::list_settings).post(markers::create_setting))
        .route(
            "/1/marker_settings/{slug}/{id}",
            get(markers::read_setting).put(markers::update_setting).delete(markers::delete_setting),
        )
        .route("/1/{*rest}", any(auth::unknown))
        .layer(from_fn_with_state(state.clone(), access::environment_caller));

    let team = Router::new()
        .route("/2/auth", get(team::auth))
        .route("/2/teams/{team}/environments", get(team::list_environments).post(team::create_environment))
        .route(
            "/2/teams/{team}/environments/{id}",
            get(team::read_environment).patch(team::update_environment).delete(team::delete_environment),
        )
        .route("/2/teams/{team}/api-keys", get(team::list_keys).post(team::create_key))
        .route(
            "/2/teams/{team}/api-keys/{id}",
            get(team::read_key).patch(team::update_key).delete(team::delete_key),
        )
        .route("/2/{*rest}", any(team::unknown))
        .layer(from_fn_with_state(state.clone(), access::team_caller));

    Router::new()
        .route("/x/alive", get(auth::alive))
        .merge(ingest)
        .merge(environment)
        .merge(team)
        .with_state(state)
}
