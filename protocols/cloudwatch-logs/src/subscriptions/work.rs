//! The tasks of subscription filters: one that keeps the others, and one for each filter, which reads what arrived and
//! posts it, again and again with growing pauses while the receiver is away, as the vendor for a day.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tracery_aws_wire::Error;
use tracery_query::languages::log_pattern::Pattern;
use tracery_query::questions::arrivals::{Arrival, Arrivals, ArrivalsQuestion, arrivals};
use tracery_settings::DocumentKind;

use super::parcel::{control, parcels, written};
use super::{Place, Subscription, resolve};
use crate::operations::kept::{Added, Shelf};
use crate::operations::{invalid, unavailable};
use crate::queries::scope;
use crate::{Caller, CloudWatchLogs};

/// How often filters are looked at that another process may have changed, and groups that one may have written to.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// One attempt.
const PATIENCE: Duration = Duration::from_secs(10);
const TRY_PATIENCE: Duration = Duration::from_secs(5);
const PAUSE_FIRST: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_secs(300);
/// What could not be delivered for so long is given up.
const GIVE_UP_NS: i64 = 24 * 60 * 60 * 1_000_000_000;
/// One page of what arrived.
const PAGE_EVENTS_MAX: usize = 20_000;
const PAGE_BYTES_MAX: usize = 8 << 20;
/// The word of `/metrics`.
const DOOR: &str = "cloudwatch_logs";

/// Posts the vendor's control message, so that a filter whose target does not answer is refused.
pub(crate) async fn try_target(state: &CloudWatchLogs, caller: &Caller, arn: &str) -> Result<(), Error> {
    let target = resolve(state, caller, arn).await?;
    let body = control(state.intake.clock.now_ms());
    state.outbound.post(&target, headers(), body, TRY_PATIENCE).await.map_err(|error| {
        invalid(format!(
            "Could not deliver test message to specified destination. Check if the destination is valid: {error}."
        ))
    })
}

fn headers() -> HeaderMap {
    HeaderMap::from_iter([
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CONTENT_ENCODING, HeaderValue::from_static("gzip")),
    ])
}

/// Keeps a task for each filter, for as long as the process lives.
pub(crate) async fn run(state: CloudWatchLogs) {
    let mut running: HashMap<String, Running> = HashMap::new();
    loop {
        match look(&state, &mut running).await {
            Ok(()) => {}
            Err(error) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "subscription filters cannot be read"
                );
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = state.subscriptions.changed.notified() => {}
        }
    }
}

/// A filter's task; it ends when this is dropped.
struct Running {
    subscription: Subscription,
    wake: Arc<Notify>,
    _task: JoinSet<()>,
}

/// Starts the tasks of filters that are new or changed, and ends those of filters that are gone.
async fn look(state: &CloudWatchLogs, running: &mut HashMap<String, Running>) -> Result<(), Error> {
    let settings = &state.intake.settings;
    let found = settings.documents_of_kind(DocumentKind::LogsSubscription).await.map_err(unavailable)?;
    let mut seen = Vec::with_capacity(found.len());
    for (environment, document) in found {
        let Ok(subscription) = serde_json::from_value::<Subscription>(document.body) else { continue };
        seen.push(document.id.clone());
        if running.get(&document.id).is_some_and(|known| known.subscription == subscription) {
            continue;
        }
        let Ok(pattern) = Pattern::parse(&subscription.filter.filter_pattern) else { continue };
        let wake = Arc::new(Notify::new());
        let mut caller = scope::owner(environment, &document.scope);
        caller.account_id.clone_from(&subscription.account_id);
        let delivery = Delivery {
            state: state.clone(),
            id: document.id.clone(),
            caller,
            subscription: subscription.clone(),
            pattern: Arc::new(pattern),
            wake: Arc::clone(&wake),
        };
        let mut task = JoinSet::new();
        task.spawn(delivery.go_on());
        running.insert(document.id, Running { subscription, wake, _task: task });
    }
    running.retain(|id, _| seen.contains(id));
    let mut waiting: HashMap<String, Vec<Arc<Notify>>, ahash::RandomState> = HashMap::default();
    for task in running.values() {
        waiting.entry(task.subscription.group_id.clone()).or_default().push(Arc::clone(&task.wake));
    }
    *state.subscriptions.waiting.write() = waiting;
    // Whatever arrived before they could be woken.
    running.values().for_each(|task| task.wake.notify_one());
    Ok(())
}

/// One filter at work.
struct Delivery {
    state: CloudWatchLogs,
    id: String,
    caller: Caller,
    subscription: Subscription,
    pattern: Arc<Pattern>,
    wake: Arc<Notify>,
}

impl Delivery {
    fn places(&self) -> Shelf<'_> {
        let kind = DocumentKind::LogsSubscriptionPlace;
        Shelf::new(&self.state.intake.settings, self.caller.environment, kind, self.id.as_str())
    }

    async fn go_on(self) {
        let mut pause = PAUSE_FIRST;
        let mut place = loop {
            match self.places().get::<Place>(&self.id).await {
                // A filter that was replaced starts anew.
                Ok(found) => {
                    let until_ns = found.map_or(0, |kept| kept.value.until_ns);
                    break until_ns.max(self.subscription.from_ns);
                }
                Err(_) => wait(&mut pause).await,
            }
        };
        loop {
            match self.read(place).await {
                Ok(page) => {
                    pause = PAUSE_FIRST;
                    let is_last = page.events.is_empty();
                    for parcel in parcels(&page.events) {
                        let events = &page.events[parcel];
                        self.deliver(events).await;
                        if let Some(last) = events.last() {
                            self.keep(last.position.received_ns).await;
                        }
                    }
                    place = page.until_ns.max(place);
                    if is_last {
                        drop(tokio::time::timeout(LOOK_EVERY, self.wake.notified()).await);
                    }
                }
                Err(error) => {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        filter = self.subscription.filter.filter_name,
                        "events for a subscription filter cannot be read"
                    );
                    wait(&mut pause).await;
                }
            }
        }
    }

    async fn read(&self, after_ns: i64) -> Result<Arrivals, tracery_query::QueryError> {
        let settings = &self.state.intake.settings;
        let deleted = settings.deleted_log_streams(&self.subscription.group_id).await;
        let deleted = deleted.map_err(|error| tracery_query::QueryError::Store(error.to_string()))?;
        let question = ArrivalsQuestion {
            environment: self.caller.environment,
            group: self.subscription.filter.log_group_name.clone(),
            region: self.caller.region.clone(),
            after_ns,
            until_ns: self.state.stamps.settled_ns(self.state.intake.clock.now_ns()),
            deleted,
            pattern: Arc::clone(&self.pattern),
            count_max: PAGE_EVENTS_MAX,
            byte_count_max: PAGE_BYTES_MAX,
        };
        arrivals(&self.state.context, &self.state.events, &question).await
    }

    /// Comes back when the receiver has the events, or when they are given up.
    async fn deliver(&self, events: &[Arrival]) {
        let body = written(&self.subscription, &self.pattern, &self.caller.region, events);
        let received_ns = events.first().map_or(0, |event| event.position.received_ns);
        let filter = self.subscription.filter.filter_name.as_str();
        let mut pause = PAUSE_FIRST;
        loop {
            let reason =
                match resolve(&self.state, &self.caller, &self.subscription.filter.destination_arn).await {
                    Ok(target) => {
                        match self.state.outbound.post(&target, headers(), body.clone(), PATIENCE).await {
                            Ok(()) => return,
                            Err(error) => error.to_string(),
                        }
                    }
                    Err(error) => error.to_string(),
                };
            if self.state.intake.clock.now_ns().saturating_sub(received_ns) > GIVE_UP_NS {
                tracing::warn!(
                    filter,
                    reason,
                    events = events.len(),
                    "events for a subscription filter are given up"
                );
                self.state.intake.metrics.dropped(DOOR, "subscription_undelivered", events.len());
                return;
            }
            tracing::info!(filter, reason, "a subscription filter's receiver is away; it is tried again");
            wait(&mut pause).await;
        }
    }

    async fn keep(&self, until_ns: i64) {
        let place = Place { until_ns };
        let kept = match self.places().replace(&self.id, None, &place).await {
            Ok(false) => self
                .places()
                .add(Some(self.id.clone()), None, &place)
                .await
                .map(|added| matches!(added, Added::Made(_))),
            other => other,
        };
        if let Err(error) = kept {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the place of a subscription filter was not kept"
            );
        }
    }
}

/// Waits, the next time twice as long.
async fn wait(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 2).min(PAUSE_MAX);
}
