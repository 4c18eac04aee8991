//! Visitors: page loads as a browser would make them, each a trace that starts in the front end and continues in the
//! backend. `main` plays them for the demo; with one visitor, the same seed asks for the same pages in the same order.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt, Tracer};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracer;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::activities::{self, USERS};
use crate::app::USER_HEADER;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit {
    For(Duration),
    Requests(u64),
}

pub(crate) struct Plan {
    pub(crate) limit: Limit,
    pub(crate) visitors: u32,
    pub(crate) seed: u64,
}

/// What was played.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Tally {
    pub(crate) page_loads: u64,
    pub(crate) requests: u64,
    /// Answers of 500 and above.
    pub(crate) failures: u64,
}

/// People who only read: they have an id and no handle.
const READER_COUNT: usize = 188;
const BROWSERS: &[&str] = &[
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15",
    "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36",
];

struct Site {
    client: reqwest::Client,
    base: String,
    tracer: SdkTracer,
    started_at: Instant,
    limit: Limit,
    requests: AtomicU64,
}

impl Site {
    /// Whether another request may be made; counts it if so.
    fn take_request(&self) -> bool {
        match self.limit {
            Limit::For(duration) => {
                self.requests.fetch_add(1, Ordering::Relaxed);
                self.started_at.elapsed() < duration
            }
            Limit::Requests(most) => self.requests.fetch_add(1, Ordering::Relaxed) < most,
        }
    }
}

/// Plays until the limit is reached. Fails only when the site cannot be reached at all.
pub(crate) async fn play(plan: &Plan, address: SocketAddr, tracer: SdkTracer) -> anyhow::Result<Tally> {
    let site = Arc::new(Site {
        client: reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build()?,
        base: format!("http://{address}"),
        tracer,
        started_at: Instant::now(),
        limit: plan.limit,
        requests: AtomicU64::new(0),
    });
    let visitors: Vec<_> = (0..plan.visitors)
        .map(|visitor_idx| {
            let random =
                StdRng::seed_from_u64(plan.seed.wrapping_mul(1_000).wrapping_add(u64::from(visitor_idx)));
            tokio::spawn(visit(Arc::clone(&site), random))
        })
        .collect();
    let mut total = Tally::default();
    for visitor in visitors {
        let tally = visitor.await??;
        total.page_loads += tally.page_loads;
        total.requests += tally.requests;
        total.failures += tally.failures;
    }
    Ok(total)
}

async fn visit(site: Arc<Site>, mut random: StdRng) -> anyhow::Result<Tally> {
    let mut tally = Tally::default();
    loop {
        let page = choose_page(&mut random);
        // Squaring makes a few people visit a lot and many people a little.
        let skewed: f64 = random.random::<f64>().powi(2);
        let user_idx = (skewed * (USERS.len() + READER_COUNT) as f64) as usize;
        let user_id = random.random_bool(0.9).then(|| activities::user_id(user_idx).to_string());
        let browser = BROWSERS[random.random_range(0..BROWSERS.len())];
        if !load_page(&site, &page, user_id.as_deref(), browser, &mut tally).await? {
            return Ok(tally);
        }
        let pause_ms = random.random_range(5..60);
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    }
}

struct Page {
    name: &'static str,
    paths: Vec<String>,
}

fn choose_page(random: &mut StdRng) -> Page {
    let handle = USERS[random.random_range(0..USERS.len())].handle;
    let post = activities::activity_id(random.random_range(0..activities::ACTIVITY_COUNT));
    match random.random_range(0..100) {
        0..=49 => Page { name: "home", paths: vec!["/api/activities/home".into()] },
        50..=74 => Page {
            name: "profile",
            paths: vec![format!("/api/activities/@{handle}"), "/api/activities/home".into()],
        },
        75..=92 => Page {
            name: "activity",
            paths: vec![format!("/api/activities/{post}"), format!("/api/activities/@{handle}")],
        },
        93..=94 => Page { name: "activity", paths: vec!["/api/activities/last-week".into()] },
        95..=97 => Page { name: "profile", paths: vec!["/api/activities/@nobody".into()] },
        _ => Page { name: "settings", paths: vec!["/rollbar/test".into()] },
    }
}

/// One trace; `false` once the limit is reached.
async fn load_page(
    site: &Site,
    page: &Page,
    user_id: Option<&str>,
    browser: &str,
    tally: &mut Tally,
) -> anyhow::Result<bool> {
    let mut root = None;
    for path in &page.paths {
        if !site.take_request() {
            return Ok(false);
        }
        let root = root.get_or_insert_with(|| {
            tally.page_loads += 1;
            let mut attributes = vec![
                KeyValue::new("app.page", page.name),
                KeyValue::new("user_agent.original", browser.to_owned()),
            ];
            attributes.extend(user_id.map(|id| KeyValue::new("user.id", id.to_owned())));
            let span = site.tracer.span_builder(format!("load {}", page.name)).with_attributes(attributes);
            // The span ends when the last reference to its context goes, at the end of the page load.
            Context::new().with_span(span.start_with_context(&site.tracer, &Context::new()))
        });
        let status = request(site, root, path, user_id, browser).await?;
        tally.requests += 1;
        tally.failures += u64::from(status >= 500);
        if status >= 500 {
            root.span().set_status(Status::error("a request of this page failed"));
        }
    }
    Ok(true)
}

async fn request(
    site: &Site,
    parent: &Context,
    path: &str,
    user_id: Option<&str>,
    browser: &str,
) -> anyhow::Result<u16> {
    let url = format!("{}{path}", site.base);
    let mut attributes =
        vec![KeyValue::new("http.request.method", "GET"), KeyValue::new("url.full", url.clone())];
    attributes.extend(user_id.map(|id| KeyValue::new("user.id", id.to_owned())));
    let span = site
        .tracer
        .span_builder("GET")
        .with_kind(SpanKind::Client)
        .with_attributes(attributes)
        .start_with_context(&site.tracer, parent);
    let context = parent.with_span(span);
    let mut headers = crate::telemetry::HeaderWriter::default();
    TraceContextPropagator::new().inject_context(&context, &mut headers);
    let mut request = site.client.get(&url).header("user-agent", browser);
    for (name, value) in headers.0 {
        request = request.header(name, value);
    }
    if let Some(user_id) = user_id {
        request = request.header(USER_HEADER, user_id);
    }
    let response = request.send().await?;
    let status = response.status().as_u16();
    response.bytes().await?;
    let span = context.span();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(status)));
    if status >= 400 {
        span.set_status(Status::error(format!("status {status}")));
    }
    span.end();
    Ok(status)
}
