//! What the API takes from elsewhere, as traits small enough to implement in a test: questions in Honeycomb's
//! language, sessions of people, and saved queries. `server` connects them.

use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::Request;
use axum::response::Response;
use datafusion::arrow::array::RecordBatch;
use serde_json::Value;
use tracery_model::EnvironmentId;
use tracery_query::{QueryError, ScanProgress};
use tracery_settings::{Environment, SettingsError};

/// Questions as Honeycomb query specifications. Dropping a future cancels its question.
#[async_trait]
pub trait SpecQueries: Send + Sync + 'static {
    /// `dataset` `None` asks all of the environment. Answers an object with `query`, `results`, `series`,
    /// `total_by_aggregate`, `rows_examined` and `elapsed_ms`; `series` is empty unless it is asked for. Scans tell
    /// `progress` what they read.
    async fn run(
        &self,
        environment: EnvironmentId,
        dataset: Option<&str>,
        (spec, series): (&Value, bool),
        progress: &Arc<ScanProgress>,
    ) -> Result<Value, QueryError>;

    /// Compares the selected events of a query with its others. `selection` is an object that may have
    /// `start_time` and `end_time` (seconds since the epoch), `column` with `min` and `max`, and `group` (one value
    /// for each breakdown).
    async fn bubble_up(
        &self,
        environment: EnvironmentId,
        dataset: Option<&str>,
        spec: &Value,
        selection: &Value,
    ) -> Result<Value, QueryError>;
}

/// People who log in. All of them are administrators and see every environment.
#[async_trait]
pub trait Sessions: Send + Sync + 'static {
    /// The token of a new session, or `None` when name and password do not fit.
    async fn log_in(&self, name: &str, password: &str) -> Result<Option<String>, SettingsError>;
    /// The name of the session's user.
    async fn user(&self, token: &str) -> Result<Option<String>, SettingsError>;
    async fn log_out(&self, token: &str) -> Result<(), SettingsError>;
}

/// A query somebody gave a name.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedQuery {
    pub id: String,
    pub name: String,
    pub dataset: String,
    /// A Honeycomb query specification.
    pub query: Value,
    /// Who saved it: `key:` and an id, or `user:` and a name; empty for nobody known.
    pub owner: String,
    pub created_ms: i64,
}

/// A query to be saved.
#[derive(Debug, Clone, Copy)]
pub struct NewSavedQuery<'a> {
    pub name: &'a str,
    pub dataset: &'a str,
    pub query: &'a Value,
    pub owner: &'a str,
}

#[async_trait]
pub trait SavedQueries: Send + Sync + 'static {
    /// At most `limit`, newest first, beginning after the one that was made then and has that id.
    async fn list(
        &self,
        environment: EnvironmentId,
        after: Option<(i64, &str)>,
        limit: usize,
    ) -> Result<Vec<SavedQuery>, SettingsError>;
    async fn find(&self, environment: EnvironmentId, id: &str) -> Result<Option<SavedQuery>, SettingsError>;
    async fn create(
        &self,
        environment: EnvironmentId,
        new: NewSavedQuery<'_>,
    ) -> Result<SavedQuery, SettingsError>;
    /// Whether there was one.
    async fn delete(&self, environment: EnvironmentId, id: &str) -> Result<bool, SettingsError>;
}

/// The protocols of the products, for a caller whose environment is known: no credential of theirs is asked for.
#[async_trait]
pub trait Products: Send + Sync + 'static {
    /// Answers a request whose path is the product's own. `product` is a word of the path `/products`; `None` is no
    /// product. `region` is for those of AWS.
    async fn call(
        &self,
        product: &str,
        environment: Environment,
        region: Option<String>,
        request: Request,
    ) -> Option<Response>;
}

/// Stored rows of one trace as OTLP JSON, or why that is not possible.
pub type TraceToOtlp = Arc<dyn Fn(&[RecordBatch]) -> Result<Value, String> + Send + Sync>;

/// Something that was sent and not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub received_ms: i64,
    /// Door and reason as in `/metrics`.
    pub door: &'static str,
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// Of what was sent.
    pub byte_count: usize,
    /// Its beginning.
    pub text: String,
}

/// What an X-Ray daemon counted of its own work in one stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DaemonCounts {
    pub received_ms: i64,
    /// When the daemon says it counted.
    pub counted_ms: i64,
    /// Its names, as far as it sent them.
    pub hostname: String,
    pub instance_id: String,
    pub resource_arn: String,
    pub received_count: i64,
    pub sent_count: i64,
    pub spillover_count: i64,
    pub rejected_count: i64,
    pub connection_error_count: i64,
}

/// What X-Ray's ports did not keep lately, and what daemons say that they lost before.
pub trait XRayLosses: Send + Sync + 'static {
    /// Newest first; bounded.
    fn rejected(&self, environment: EnvironmentId) -> Vec<Rejected>;
    /// Newest first; bounded.
    fn daemons(&self, environment: EnvironmentId) -> Vec<DaemonCounts>;
}
