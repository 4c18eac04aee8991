//! OTLP, OpenTelemetry's own protocol, over HTTP and gRPC: traces, logs and metrics, decoded from the wire straight
//! into columns. `server` mounts [`routes`]; `api` gives traces back with [`read_back::trace_to_otlp_json`].
//!
//! | path | what |
//! |---|---|
//! | `POST /v1/traces`, `/v1/logs`, `/v1/metrics` | OTLP/HTTP, protobuf and JSON |
//! | `POST /opentelemetry.proto.collector.{trace,logs,metrics}.v1.…Service/Export` | OTLP/gRPC (HTTP/2) |
//!
//! **Invariant:** no input makes this crate panic or lose a record without counting it; what a reply acknowledges is
//! in the sink.

mod any_value;
mod dataset;
mod decode;
mod export;
mod grpc;
mod http;
mod ids;
mod json;
mod logs;
mod metrics;
mod notes;
mod quantiles;
pub mod read_back;
mod reply;
mod sample_rate;
mod traces;
pub mod wire;

#[doc(hidden)]
pub mod fuzzing;

pub use decode::{DecodeError, DecodeOptions, Decoded, Format, decode};
pub use notes::{Note, Notes};

use axum::Router;
use axum::routing::post;
use tracery_intake::Intake;

/// All doors of the protocol. The same router can be served on 4317 (HTTP/2 without TLS), 4318 and the main port.
pub fn routes(intake: Intake) -> Router {
    let traces = || post(http::traces).options(http::preflight);
    let logs = || post(http::logs).options(http::preflight);
    let metrics = || post(http::metrics).options(http::preflight);
    Router::new()
        .route("/v1/traces", traces())
        .route("/v1/traces/", traces())
        .route("/v1/logs", logs())
        .route("/v1/logs/", logs())
        .route("/v1/metrics", metrics())
        .route("/v1/metrics/", metrics())
        .route("/opentelemetry.proto.collector.trace.v1.TraceService/Export", post(grpc::traces))
        .route("/opentelemetry.proto.collector.logs.v1.LogsService/Export", post(grpc::logs))
        .route("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", post(grpc::metrics))
        .with_state(export::Door::new(intake))
}
