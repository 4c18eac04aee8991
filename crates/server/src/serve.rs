//! `tracery serve`: opens everything, wires the doors together, listens, and stops in order. [`wire`] is the one
//! function that names every crate.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracery_api::Api;
use tracery_intake::{Intake, IntakeMetrics, Limits, MemoryBudget};
use tracery_model::Signal;
use tracery_query::TraceRows;
use tracery_stdx::{Clock, SystemClock};
use tracery_store::{Store, StoreOptions};
use tracing_subscriber::EnvFilter;

use crate::cli::{LogFormat, ServeArguments};
use crate::config::Config;
use crate::{guard, listen, metrics, state};

/// Requests under way get this long after the first signal.
const DRAIN: Duration = Duration::from_secs(8);

pub(crate) async fn run(arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    let config = Config::from_arguments(arguments)?;
    serve(config, false).await
}

/// `tracery demo`: as `serve`, from `tracery-demo` here unless told otherwise, with a word on what to do next.
pub(crate) async fn demo(mut arguments: ServeArguments) -> anyhow::Result<ExitCode> {
    arguments.data_dir.get_or_insert_with(|| "tracery-demo".into());
    let config = Config::from_arguments(arguments)?;
    serve(config, true).await
}

/// What the routers share.
#[derive(Clone)]
pub(crate) struct Parts {
    pub(crate) store: Store,
    pub(crate) intake: Intake,
}

fn to_otlp(rows: &[TraceRows]) -> Result<serde_json::Value, String> {
    let spans = rows.iter().filter(|rows| rows.signal == Signal::Span);
    let batches: Vec<_> = spans.map(|rows| rows.records.clone()).collect();
    tracery_otlp::read_back::trace_to_otlp_json(&batches).map_err(|error| error.to_string())
}

/// Every door on the main port, and OTLP's own.
fn wire(parts: &Parts, api: Api) -> (Router, Router) {
    let otlp = tracery_otlp::routes(parts.intake.clone());
    let operations = Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics::show))
        .with_state(parts.clone());
    let guarded = |router: Router| {
        router.layer(axum::middleware::from_fn_with_state(parts.intake.mode, guard::check))
    };
    let main = Router::new()
        .merge(operations)
        .merge(tracery_api::routes(api))
        .merge(tracery_ui::routes())
        .merge(otlp.clone());
    (guarded(main), guarded(otlp))
}

async fn ready(State(parts): State<Parts>) -> (StatusCode, String) {
    let checks = [
        ("store", parts.store.ready().await.map_err(|error| error.to_string())),
        ("settings", parts.intake.settings.ping().await.map_err(|error| error.to_string())),
    ];
    let failed: Vec<String> = checks
        .into_iter()
        .filter_map(|(name, result)| result.err().map(|error| format!("{name}: {error}\n")))
        .collect();
    if failed.is_empty() {
        (StatusCode::OK, "ready\n".to_owned())
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, failed.concat())
    }
}

async fn serve(config: Config, talkative: bool) -> anyhow::Result<ExitCode> {
    start_log(config.log_format);
    let memory = usize::try_from(config.memory_bytes).unwrap_or(usize::MAX);
    let options = StoreOptions {
        queue_bytes_max: (memory / 16).clamp(16 << 20, 256 << 20),
        fresh_bytes_max: memory / 4,
        retention: Some(config.retention),
        ..StoreOptions::default()
    };
    let settings = state::settings(&config.place).await?;
    settings.default_environment().await?;
    let store = state::store(&config.place, options).await?;
    let (context, events) = state::engine(&store, config.memory_bytes / 2)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let intake = Intake {
        sink: Arc::new(store.clone()),
        settings,
        clock,
        limits: Limits::default(),
        mode: config.mode,
        metrics: Arc::new(IntakeMetrics::default()),
        budget: Arc::new(MemoryBudget::new(memory / 8)),
    };
    let parts = Parts { store: store.clone(), intake: intake.clone() };
    let (main, otlp) = wire(&parts, Api { intake, context, events, to_otlp: Arc::new(to_otlp) });

    let http = listen::bind("--http", config.http).await?;
    let otlp_grpc = listen::bind("--otlp-grpc", config.otlp_grpc).await?;
    let otlp_http = listen::bind("--otlp-http", config.otlp_http).await?;
    let bound = json!({
        "http": http.local_addr()?.to_string(),
        "otlp_grpc": otlp_grpc.local_addr()?.to_string(),
        "otlp_http": otlp_http.local_addr()?.to_string(),
    });
    let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
    for (listener, router) in [(http, main), (otlp_grpc, otlp.clone()), (otlp_http, otlp)] {
        tracker.spawn(listen::serve(listener, router, stop.clone(), tracker.clone()));
    }
    if let Some(path) = &config.ready_file {
        write_ready_file(path, &bound)?;
    }
    tracing::info!(addresses = %bound, data_dir = %config.place.data_dir.display(), "ready");
    if talkative || std::io::stdout().is_terminal() {
        greet(&bound);
    }
    wait_for_signal().await?;
    tracing::info!("stopping: no new connections, requests under way are finished");
    stop.cancel();
    tracker.close();
    let drained = tokio::select! {
        done = tokio::time::timeout(DRAIN, tracker.wait()) => done.is_ok(),
        // A second signal: what is acknowledged is durable, so leaving at once loses nothing.
        result = wait_for_signal() => {
            result?;
            return Ok(ExitCode::from(130));
        }
    };
    if !drained {
        tracing::warn!("some clients did not finish in time");
    }
    store.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

fn start_log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("TRACERY_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => builder.json().init(),
    }
}

/// Whole or not at all: whoever waits for the file may read it the moment it is there.
fn write_ready_file(path: &Path, bound: &serde_json::Value) -> anyhow::Result<()> {
    let unfinished = path.with_extension("unfinished");
    let write = || {
        let mut file = std::fs::File::create(&unfinished)?;
        writeln!(file, "{bound}")?;
        std::fs::rename(&unfinished, path)
    };
    write().with_context(|| format!("cannot write the ready file {}", path.display()))
}

fn greet(bound: &serde_json::Value) {
    let address = |name: &str| bound[name].as_str().unwrap_or_default().to_owned();
    println!(
        "\nTracery is ready.\n\n  page and API      http://{}/\n  OTLP/HTTP         http://{}   \
         (OTEL_EXPORTER_OTLP_ENDPOINT, protocol http/protobuf)\n  OTLP/gRPC         http://{}\n\nCtrl-C stops it.",
        address("http"),
        address("otlp_http"),
        address("otlp_grpc")
    );
}

async fn wait_for_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for signals")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for signals")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
