//! Cruddur, the sample application: a small social backend whose requests make real traces. `make demo` runs it
//! against Tracery with `--traffic`; run by hand it is a plain web server. It promises only telemetry that a real
//! application would send, through the unmodified OpenTelemetry SDK, configured by the usual `OTEL_*` variables, as X-Ray
//! segments where a daemon is named, and as lines in CloudWatch Logs where an endpoint is named.

mod activities;
mod app;
mod errors;
mod logs;
mod telemetry;
mod traffic;
mod xray;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;

/// The sample application of Tracery.
///
/// Telemetry goes to OTEL_EXPORTER_OTLP_ENDPOINT (http://127.0.0.1:4318 when unset) with the headers of
/// OTEL_EXPORTER_OTLP_HEADERS, as the service OTEL_SERVICE_NAME (cruddur when unset). With AWS_XRAY_DAEMON_ADDRESS each
/// request is an X-Ray segment, too; with AWS_ENDPOINT_URL_CLOUDWATCH_LOGS there are lines in the log group cruddur;
/// with ROLLBAR_ENDPOINT, the item URL, errors are reported there.
#[derive(Parser)]
#[command(version, about, long_about)]
struct Arguments {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:4567")]
    listen: SocketAddr,
    /// Play visitors for this many seconds, then stop.
    #[arg(long, value_name = "SECONDS", conflicts_with = "requests")]
    traffic: Option<u64>,
    /// Play visitors until this many requests were made, then stop.
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// How many visitors are on the site at the same time.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=64))]
    visitors: u32,
    /// The same seed plays the same visits.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    // Exporters are built and shut down outside the runtime: their HTTP client blocks.
    let backend = telemetry::provider(&telemetry::service_name())?;
    let limit = match (arguments.traffic, arguments.requests) {
        (Some(seconds), _) => Some(traffic::Limit::For(Duration::from_secs(seconds))),
        (None, Some(count)) => Some(traffic::Limit::Requests(count)),
        (None, None) => None,
    };
    let frontend = match limit {
        Some(_) => Some(telemetry::provider(&format!("{}-web", telemetry::service_name()))?),
        None => None,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(run(&arguments, limit, &backend, frontend.as_ref()));
    drop(runtime);
    for provider in [Some(backend), frontend].into_iter().flatten() {
        provider.shutdown().context("cannot send the last spans")?;
    }
    result
}

async fn run(
    arguments: &Arguments,
    limit: Option<traffic::Limit>,
    backend: &opentelemetry_sdk::trace::SdkTracerProvider,
    frontend: Option<&opentelemetry_sdk::trace::SdkTracerProvider>,
) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("cannot listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;
    let instance = format!("cruddur/{}", uuid::Uuid::new_v4());
    let (logs, sender) = logs::Logs::from_environment(&instance).await?.unzip();
    let (errors, reporter) = errors::Errors::from_environment().unzip();
    let daemon = xray::Daemon::from_environment();
    let router = app::router(telemetry::tracer(backend), address, daemon, logs, errors);
    println!("cruddur listens on http://{address}");
    let served = serve(arguments, limit, frontend, listener, router).await;
    if let Some(sender) = sender {
        sender.end().await;
    }
    if let Some(reporter) = reporter {
        reporter.end().await;
    }
    served
}

async fn serve(
    arguments: &Arguments,
    limit: Option<traffic::Limit>,
    frontend: Option<&opentelemetry_sdk::trace::SdkTracerProvider>,
    listener: tokio::net::TcpListener,
    router: axum::Router,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let (Some(limit), Some(frontend)) = (limit, frontend) else {
        return axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>())
            .with_graceful_shutdown(async {
                // Without a handler for the signal there is nothing better to do than to serve on.
                if tokio::signal::ctrl_c().await.is_err() {
                    std::future::pending::<()>().await;
                }
            })
            .await
            .context("cannot serve");
    };
    let server = tokio::spawn(async move {
        axum::serve(listener, router.into_make_service_with_connect_info::<SocketAddr>()).await
    });
    let plan = traffic::Plan { limit, visitors: arguments.visitors, seed: arguments.seed };
    let tally = tokio::select! {
        tally = traffic::play(&plan, address, telemetry::tracer(frontend)) => tally?,
        _ = tokio::signal::ctrl_c() => return Ok(()),
    };
    server.abort();
    println!(
        "played {} requests in {} page loads; {} of them failed, as some should",
        tally.requests, tally.page_loads, tally.failures
    );
    Ok(())
}
