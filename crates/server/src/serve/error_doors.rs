//! Errors that arrive with other telemetry. A sink around the store's that looks for exceptions in the batches of spans and
//! log records and hands them to the tracker, before the batch goes on and is acknowledged. The batch itself is passed on
//! as it is.
//!
//! Exceptions go first: when the store then takes nothing, the client sends again and they are known by their uuids. The
//! other way round a tracker that does not answer would have spans stored twice.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use serde_json::Value;
use tracery_columnar::{EventBatch, Sink};
use tracery_errors::{Grouping, Occurrence, Source, from_rows};
use tracery_intake::IntakeMetrics;
use tracery_model::{EnvironmentId, Receipt, SinkError};
use tracery_settings::Settings;
use tracery_stdx::Clock;
use tracery_tracker::{TakeError, Taken, Tracker};

/// The word of `/metrics`.
const DOOR: &str = "telemetry_errors";
/// Exceptions of one request; each reads a stack and costs a row of the database.
const BATCH_EXCEPTIONS_MAX: usize = 200;
/// Those of an environment within a minute: a hundred each second are told from one another by nobody.
const MINUTE_EXCEPTIONS_MAX: usize = 6_000;
const MINUTE_MS: i64 = 60_000;
const RETRY_MS: u64 = 1_000;

/// Causes of X-Ray's segments wait for so long. Where the same exception is reported by another door, it has another trace
/// id there, and OpenTelemetry's SDKs send every five seconds.
const XRAY_WAIT: Duration = Duration::from_secs(8);
/// Reports of the same type and message within this time are of the same exceptions.
const TOGETHER_S: i64 = 60;

/// Finds exceptions in what it passes on. Cheap to clone.
#[derive(Clone)]
pub(super) struct ErrorDoors {
    pub(super) inner: Arc<dyn Sink>,
    pub(super) tracker: Tracker,
    pub(super) settings: Settings,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) metrics: Arc<IntakeMetrics>,
    pub(super) minutes: Arc<Minutes>,
    /// Held by the causes whose wait is over: of two that were sent together the second is to be known.
    pub(super) causes: Arc<tokio::sync::Mutex<()>>,
}

#[async_trait]
impl Sink for ErrorDoors {
    async fn accept(
        &self,
        environment: EnvironmentId,
        batches: Vec<EventBatch>,
    ) -> Result<Receipt, SinkError> {
        // Copies share their columns.
        let looked_at: Vec<EventBatch> =
            batches.iter().filter(|batch| from_rows::may_have_exceptions(batch)).cloned().collect();
        if !looked_at.is_empty() {
            self.take(environment, looked_at).await?;
        }
        self.inner.accept(environment, batches).await
    }
}

impl ErrorDoors {
    async fn take(&self, environment: EnvironmentId, batches: Vec<EventBatch>) -> Result<(), SinkError> {
        let found = tokio::task::spawn_blocking(move || find(&batches)).await;
        let (found, left_out) = match found {
            Ok(found) => found,
            // A defect in reading stacks must not keep telemetry out, which would be sent again and again.
            Err(error) => {
                tracing::error!(%error, "exceptions of a request could not be read: a defect of the server");
                self.metrics.dropped(DOOR, "defect", 1);
                return Ok(());
            }
        };
        self.metrics.dropped(DOOR, "too_many_in_request", left_out);
        let (causes, found): (Vec<_>, Vec<_>) =
            found.into_iter().partition(|(occurrence, _)| occurrence.source == Source::Xray);
        if !causes.is_empty() {
            let doors = self.clone();
            tokio::spawn(async move {
                tokio::time::sleep(XRAY_WAIT).await;
                let _turn = doors.causes.lock().await;
                // Whoever sent them was answered; the segments are in the store.
                if let Err(error) = doors.take_found(environment, causes).await {
                    tracing::warn!(%error, "causes of segments became no errors");
                }
            });
        }
        self.take_found(environment, found).await
    }

    async fn take_found(
        &self,
        environment: EnvironmentId,
        mut found: Vec<(Occurrence, Value)>,
    ) -> Result<(), SinkError> {
        if found.is_empty() {
            return Ok(());
        }
        let room = self.minutes.take(environment, found.len(), self.clock.now_ms());
        self.metrics.dropped(DOOR, "too_many_in_minute", found.len() - room);
        if room == 0 {
            return Ok(());
        }
        let name = self.settings.environment(environment).await.map_err(|error| unavailable(&error))?;
        let name = name.map_or_else(|| "errors".to_owned(), |known| known.slug);
        let project =
            self.tracker.first_project(environment, &name).await.map_err(|error| unavailable(&error))?;
        found.truncate(room);
        let since_s = self.clock.now_ms().div_euclid(1_000) - TOGETHER_S;
        let mut new = Vec::with_capacity(found.len());
        for (occurrence, payload) in found {
            let shape = from_rows::shape(&occurrence).filter(|_| occurrence.source == Source::Xray);
            let is_told = match shape {
                Some(shape) => self
                    .tracker
                    .is_told_elsewhere(project.id, &shape, Source::Xray, since_s)
                    .await
                    .map_err(|error| unavailable(&error))?,
                None => false,
            };
            if is_told {
                self.metrics.dropped(DOOR, "known", 1);
            } else {
                new.push((occurrence, payload));
            }
        }
        let found = new;
        let rules = self.tracker.rules(project.id).await.map_err(|error| unavailable(&error))?;
        let arrivals: Vec<(&Occurrence, Grouping)> = found
            .iter()
            .map(|(occurrence, payload)| (occurrence, tracery_errors::group(occurrence, &rules, payload)))
            .collect();
        let taken = self.tracker.take_in_all(self.inner.as_ref(), &project, arrivals).await;
        let taken = taken.map_err(|error| match error {
            TakeError::Sink(error) => error,
            TakeError::Tracker(error) => unavailable(&error),
        })?;
        let known_count = taken.iter().filter(|taken| **taken == Taken::Known).count();
        self.metrics.accepted(DOOR, taken.len() - known_count);
        self.metrics.dropped(DOOR, "known", known_count);
        Ok(())
    }
}

/// The exceptions of a request, each once, and how many there were beyond the bound.
fn find(batches: &[EventBatch]) -> (Vec<(Occurrence, Value)>, usize) {
    let mut all: Vec<(Occurrence, Value)> = Vec::new();
    let mut left_out = 0;
    for batch in batches {
        let found = from_rows::read(batch, BATCH_EXCEPTIONS_MAX - all.len());
        all.extend(found.occurrences);
        left_out += found.left_out;
    }
    (all, left_out)
}

fn unavailable(error: &(dyn std::error::Error + 'static)) -> SinkError {
    tracing::warn!(error, "exceptions of telemetry were not taken in");
    SinkError::Unavailable { reason: error.to_string(), retry_after_ms: RETRY_MS }
}

/// How many exceptions each environment had in the running minute.
#[derive(Debug, Default)]
pub(super) struct Minutes {
    /// The minute, and counts of it.
    counts: Mutex<(i64, HashMap<EnvironmentId, usize>)>,
}

impl Minutes {
    /// How many of `wanted` there is room for; they count from now on.
    fn take(&self, environment: EnvironmentId, wanted: usize, now_ms: i64) -> usize {
        let minute = now_ms.div_euclid(MINUTE_MS);
        let mut counts = self.counts.lock();
        if counts.0 != minute {
            *counts = (minute, HashMap::new());
        }
        let count = counts.1.entry(environment).or_default();
        let room = wanted.min(MINUTE_EXCEPTIONS_MAX.saturating_sub(*count));
        *count += room;
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_so_much_room_and_the_next_has_it_again() {
        let minutes = Minutes::default();
        let (one, other) = (EnvironmentId(1), EnvironmentId(2));
        for (environment, wanted, now_ms, room) in [
            (one, MINUTE_EXCEPTIONS_MAX - 1, 0, MINUTE_EXCEPTIONS_MAX - 1),
            (one, 5, 59_999, 1),
            (one, 5, 59_999, 0),
            (other, 5, 59_999, 5),
            (one, 5, 60_000, 5),
        ] {
            assert_eq!(minutes.take(environment, wanted, now_ms), room, "{environment:?} at {now_ms}");
        }
    }
}
