//! `tracery serve`: opens what is kept, connects the parts ([`wire`]), listens, and stops in order.

mod error_doors;
mod guard;
mod health;
mod listen;
mod lock;
mod metrics;
mod ports;
mod products;
mod ready_file;
mod self_trace;

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracery_api::Api;
use tracery_cloudwatch_logs::{CloudWatchLogs, Rates};
use tracery_honeycomb::Honeycomb;
use tracery_intake::{AuthMode, DatasetRegistry, Intake, MemoryBudget};
use tracery_model::{EnvironmentId, OWN_SPANS};
use tracery_outbound::Outbound;
use tracery_query::StoreEvents;
use tracery_rollbar::Rollbar;
use tracery_sentry::Sentry;
use tracery_settings::Settings;
use tracery_stdx::{Clock, SystemClock};
use tracery_store::{Catalog, MergePolicy, Objects, Store, StoreOptions};
use tracery_tracker::Tracker;
use tracery_xray::{Daemon, XRay};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{FilterExt as _, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::allocator;
use crate::cli::{EXIT_FAILED, EXIT_UNREACHABLE};
use crate::commands::{Failure, OrExit};
use crate::config::{Auth, Config, LogFormat, Place};
use crate::secret_key;
use error_doors::ErrorDoors;
use listen::{Bound, Listeners};
use self_trace::{OwnSpans, SelfTrace};

/// A drain takes at most this long: what supervisors wait for before they kill.
const DRAIN_MAX: Duration = Duration::from_secs(10);
/// How often what has expired is removed; it is not found before that either.
const SWEEP_INTERVAL: Duration = Duration::from_secs(600);
/// Of the drain, what is left for the last commit once requests were given their time.
const CLOSE_RESERVE: Duration = Duration::from_secs(3);

/// Opens the store at its place, whose catalog is at `catalog_url`.
pub(crate) async fn open_store(place: &Place, catalog_url: &str, options: StoreOptions) -> Result<Store> {
    let catalog = Catalog::open(catalog_url).await.context("cannot open the catalog")?;
    let objects = match (&place.store, &place.data_dir) {
        (Some(url), _) => Objects::from_url(url, &s3_options())?,
        (None, Some(directory)) => Objects::local(&directory.join("objects"))?,
        (None, None) => anyhow::bail!("give --data-dir or --store"),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    Store::open(catalog, objects, clock, options).await.context("cannot open the store")
}

/// Credentials and endpoint of S3, from the variables that the vendor's own tools read.
fn s3_options() -> Vec<(String, String)> {
    const NAMES: &[(&str, &str)] = &[
        ("AWS_ACCESS_KEY_ID", "aws_access_key_id"),
        ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
        ("AWS_SESSION_TOKEN", "aws_session_token"),
        ("AWS_REGION", "aws_region"),
        ("AWS_DEFAULT_REGION", "aws_default_region"),
        ("AWS_ENDPOINT", "aws_endpoint"),
        ("AWS_ENDPOINT_URL", "aws_endpoint"),
        ("AWS_ALLOW_HTTP", "aws_allow_http"),
    ];
    NAMES
        .iter()
        .filter_map(|(variable, option)| Some(((*option).to_owned(), std::env::var(variable).ok()?)))
        .collect()
}

/// The API over an open store. `query_memory_bytes` is what all questions together may hold.
pub(crate) fn api(
    store: &Store,
    settings: &Settings,
    clock: Arc<dyn Clock>,
    query_memory_bytes: usize,
    verified: bool,
) -> Result<(Api, Arc<ports::Specs>)> {
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let context = Arc::new(
        tracery_query::session_context(query_memory_bytes, threads)
            .context("cannot start the query engine")?,
    );
    let events = StoreEvents::new(store.clone(), &context);
    let specs = Arc::new(ports::Specs::new(
        Arc::clone(&context),
        events.clone(),
        settings.clone(),
        Arc::clone(&clock),
    ));
    let mut api = Api::new(settings.clone(), context, events, clock, verified);
    api.specs = Some(Arc::clone(&specs) as Arc<dyn tracery_api::SpecQueries>);
    api.sessions = Some(Arc::new(ports::People(settings.clone())));
    api.saved_queries = Some(Arc::new(ports::Saved(settings.clone())));
    api.trace_to_otlp = Some(Arc::new(|rows| {
        tracery_otlp::read_back::trace_to_otlp_json(rows).map_err(|error| error.to_string())
    }));
    Ok((api, specs))
}

/// What listens where.
struct Doors {
    /// Everything by path: page, API, and every protocol.
    main: Router,
    /// OTLP alone, for its standard ports.
    otlp: Router,
    /// X-Ray's operations, unsigned, for the daemon's TCP port.
    xray: Router,
}

/// Everything that was opened.
struct House {
    config: Config,
    settings: Settings,
    store: Store,
    tracker: Tracker,
    clock: Arc<dyn Clock>,
    self_trace: Option<SelfTrace>,
    /// Unsigned telemetry on the daemon's port belongs here.
    xray_environment: EnvironmentId,
}

/// Connects the parts: the one place that names them all. A new protocol is one more `merge` here.
fn wire(house: &House, udp: std::net::UdpSocket) -> Result<(Doors, Daemon)> {
    let House { config, settings, store, tracker, clock, self_trace, xray_environment } = house;
    let verified = config.auth == Auth::Required;
    let mode = if verified { AuthMode::Required } else { AuthMode::Open };
    let sink = DatasetRegistry::new(Arc::new(store.clone()), settings.clone());
    let mut intake = Intake {
        budget: Arc::new(MemoryBudget::new(config.memory_bytes / 8)),
        ..Intake::new(Arc::new(sink), settings.clone(), Arc::clone(clock), mode)
    };
    if config.errors_from_telemetry {
        intake.sink = Arc::new(ErrorDoors {
            inner: Arc::clone(&intake.sink),
            tracker: tracker.clone(),
            settings: settings.clone(),
            clock: Arc::clone(clock),
            metrics: Arc::clone(&intake.metrics),
            minutes: Arc::default(),
            causes: Arc::default(),
        });
    }
    let (mut api, specs) = api(store, settings, Arc::clone(clock), config.memory_bytes / 4, verified)?;
    let (events, context) = (api.events.clone(), Arc::clone(&api.context));
    let xray = XRay::new(intake.clone(), events.clone(), Arc::clone(&context), config.memory_bytes / 32);
    api.xray_losses = Some(Arc::new(ports::NotKept(xray.clone())));
    let otlp = ports::otlp_decoder(intake.limits.inflated_bytes_max);
    let daemon =
        Daemon::start(xray.clone(), udp, *xray_environment, otlp).context("cannot receive (xray_udp)")?;
    let figures = metrics::Figures {
        xray: daemon.clone(),
        intake: Arc::clone(&intake.metrics),
        queries: Arc::clone(&api.metrics),
        store: store.clone(),
        requests: Arc::default(),
        self_trace: self_trace.clone(),
    };
    let requests = Arc::clone(&figures.requests);

    let outbound = Outbound::new(config.private_webhooks).context("cannot make requests")?;
    let rollbar =
        Rollbar::new(intake.clone(), tracker.clone(), events.clone(), Arc::clone(&context), outbound.clone())
            .with_public_url(config.public_url.clone());
    tokio::spawn(rollbar.clone().run_notifications());
    let sentry = Sentry::new(intake.clone(), tracker.clone());
    let rates = config.logs_rates.as_deref().unwrap_or_default().parse::<Rates>();
    let rates = rates.map_err(anyhow::Error::msg).context("--logs-rates")?;
    let logs = CloudWatchLogs::new(intake.clone(), events, context, outbound).with_rates(rates);
    tokio::spawn(logs.clone().run_scheduled());
    tokio::spawn(logs.clone().run_subscriptions());
    let honeycomb = Honeycomb::new(intake.clone(), specs, tracery_honeycomb::Options::default())
        .with_metrics(ports::otlp_metrics(intake.limits.inflated_bytes_max));
    let doors = HashMap::from([
        ("honeycomb", tracery_honeycomb::routes(honeycomb)),
        ("xray", tracery_xray::routes(xray.clone())),
        ("cloudwatch-logs", tracery_cloudwatch_logs::routes(logs)),
        ("rollbar", tracery_rollbar::routes(rollbar)),
    ]);
    let protocols = doors
        .values()
        .cloned()
        .fold(Router::new(), Router::merge)
        .merge(tracery_otlp::routes(intake.clone()))
        .merge(tracery_sentry::routes(sentry));
    api.products = Some(Arc::new(products::ProductDoors(doors)));
    let own = Router::new()
        .merge(tracery_ui::routes())
        .merge(tracery_api::routes(api))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready).with_state((store.clone(), settings.clone())))
        .route("/metrics", get(metrics::print).with_state(figures));
    let guard =
        guard::Guard { verified, requests, body_patience: config.body_patience, store: Some(store.clone()) };
    let doors = Doors {
        main: guard::around(own.merge(protocols), guard.clone()),
        otlp: guard::around(tracery_otlp::routes(intake), guard.clone()),
        // Nobody signs there, in any mode: only the checks of open mode keep a page of somebody else away from it.
        xray: guard::around(
            tracery_xray::daemon_routes(xray, *xray_environment),
            guard::Guard { verified: false, ..guard },
        ),
    };
    Ok((doors, daemon))
}

/// The store's share of the memory: of sixteenths, 1 what waits for a commit, 4 fresh parts, 4 a merge. Requests have
/// 2 and questions 4; the last is for everything else.
fn store_options(config: &Config) -> StoreOptions {
    StoreOptions {
        queue_bytes_max: (config.memory_bytes / 16).min(256 << 20),
        fresh_bytes_max: config.memory_bytes / 4,
        merge: MergePolicy::within(config.memory_bytes / 4),
        retention: Some(config.retention),
        ..StoreOptions::default()
    }
}

/// The log, and what listens to the server's own spans when they are wanted. Neither hears the other's.
fn start_logs(config: &Config, own_spans: Option<OwnSpans>) -> Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(&config.log).context("--log")?;
    let filter = filter.and(filter_fn(|metadata| metadata.target() != OWN_SPANS));
    let log = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let log = match config.log_format {
        LogFormat::Text => log.boxed(),
        LogFormat::Json => log.json().boxed(),
    };
    let own_spans =
        own_spans.map(|own| own.with_filter(filter_fn(|metadata| metadata.target() == OWN_SPANS)));
    let started = tracing_subscriber::registry().with(log.with_filter(filter)).with(own_spans).try_init();
    started.map_err(|error| anyhow::anyhow!("cannot start logging: {error}"))
}

/// Runs until a signal says otherwise.
pub(crate) async fn run(config: Config) -> Result<(), Failure> {
    allocator::keep_within(config.memory_bytes);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let own_spans = config.self_trace.then(|| self_trace::layer(Arc::clone(&clock)));
    let (own_spans, waiting) = own_spans.unzip();
    start_logs(&config, own_spans)?;
    // Signals are heard from here on, so that one that comes during the start is not lost.
    let mut signals = Signals::listen()?;
    // Held to the end.
    let _lock = lock::take(&config.place).or_exit(EXIT_UNREACHABLE)?;
    let opened = async {
        let catalog_url = config.place.catalog_url()?;
        let settings = Settings::open(&catalog_url, Arc::clone(&clock)).await?;
        let settings = secret_key::unlock(settings, &config.place)?;
        let default = settings.default_environment().await?;
        let xray_environment = match &config.xray_environment {
            Some(name) => settings.ensure_environment(name).await?,
            None => default,
        };
        let store = open_store(&config.place, &catalog_url, store_options(&config)).await?;
        let tracker = Tracker::open(&catalog_url, Arc::clone(&clock)).await?;
        anyhow::Ok((settings, store, tracker, xray_environment.id))
    };
    let (settings, store, tracker, xray_environment) = tokio::select! {
        opened = opened => opened.or_exit(EXIT_UNREACHABLE)?,
        () = signals.next() => return Ok(()),
    };
    let self_trace = match waiting {
        Some(waiting) => {
            let environment = settings.ensure_environment("tracery").await.or_exit(EXIT_UNREACHABLE)?;
            let sink = Arc::new(store.clone());
            Some(SelfTrace::start(waiting, environment.id, sink, Arc::clone(&clock)))
        }
        None => None,
    };
    let sweeper = tokio::spawn(sweep(settings.clone()));
    let grouping = tokio::spawn(tracker.clone().work());
    let ready_file = config.ready_file.clone();
    let house = House {
        config,
        settings,
        store: store.clone(),
        tracker: tracker.clone(),
        clock,
        self_trace: self_trace.clone(),
        xray_environment,
    };
    let (listeners, daemon) = listen(&house).await?;
    if let Some(path) = &ready_file {
        write_ready_file(path, &listeners)?;
    }
    for Bound { name, address } in listeners.bound() {
        tracing::info!(door = name, %address, "listening");
    }

    signals.next().await;
    sweeper.abort();
    tracing::info!("stopping: no new connections, requests finish, what waits is committed");
    let drained = async {
        // Both at once: what came over UDP already is taken in while requests finish.
        tokio::join!(listeners.drain(DRAIN_MAX.saturating_sub(CLOSE_RESERVE)), daemon.finish());
        if let Some(self_trace) = &self_trace {
            self_trace.finish().await;
        }
        // What was noted is in the inbox; what is not grouped now is grouped at the next start.
        grouping.abort();
        store.close().await;
    };
    let result = tokio::select! {
        result = tokio::time::timeout(DRAIN_MAX, drained) => result,
        () = signals.next() => {
            // Nothing that was acknowledged is lost by this: it was durable before its answer.
            std::process::exit(130);
        }
    };
    if let Some(path) = &ready_file {
        drop(std::fs::remove_file(path));
    }
    let late = anyhow::anyhow!("not everything stopped within {} s", DRAIN_MAX.as_secs());
    result.map_err(|_| Failure { code: EXIT_FAILED, error: late })
}

/// Removes sessions and documents whose time is over, now and from time to time.
async fn sweep(settings: Settings) {
    let mut ticks = tokio::time::interval(SWEEP_INTERVAL);
    loop {
        ticks.tick().await;
        match settings.sweep_expired().await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "removed expired sessions and documents"),
            Err(error) => tracing::warn!(error = ?error, "expired sessions and documents were not removed"),
        }
    }
}

async fn listen(house: &House) -> Result<(Listeners, Daemon), Failure> {
    let config = &house.config;
    let mut listeners = Listeners::new(config.connections);
    let udp = tracery_xray::bind_udp(config.xray)
        .with_context(|| format!("cannot listen on {} (xray_udp)", config.xray))?;
    let (doors, daemon) = wire(house, udp)?;
    let doors = [
        ("http", config.http, doors.main),
        ("otlp_grpc", config.otlp_grpc, doors.otlp.clone()),
        ("otlp_http", config.otlp_http, doors.otlp),
        ("xray_tcp", config.xray, doors.xray),
    ];
    // All are bound before any answers: a server with a door missing never starts.
    let mut bound = Vec::new();
    for (name, address, router) in doors {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address} ({name})"))?;
        bound.push((name, listener, router));
    }
    for (name, listener, router) in bound {
        listeners.serve(name, listener, router).context("cannot listen")?;
    }
    listeners.name("xray_udp", daemon.address());
    Ok((listeners, daemon))
}

fn write_ready_file(path: &Path, listeners: &Listeners) -> Result<()> {
    let addresses = listeners.bound().map(|bound| (bound.name.to_owned(), bound.address.to_string().into()));
    ready_file::write(path, &serde_json::Value::Object(addresses.collect()))
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn listen() -> Result<Self> {
        let listen = |kind| signal(kind).context("cannot listen for signals");
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
