//! What came to streams (times, bytes) and is not in the settings yet. `PutLogEvents` notes it here once its events are
//! stored, so that it never waits for SQL; it is written a moment later, many streams at a time, and at the latest before
//! somebody reads it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tracery_settings::{LogStreamFigures, Settings, SettingsError};

/// How long figures may wait.
const WAIT: Duration = Duration::from_millis(500);
/// Streams whose figures may wait; those of more are lost, as when the database does not answer for long.
const STREAMS_MAX: usize = 50_000;

/// By group and stream.
type Came = HashMap<(String, String), LogStreamFigures>;

#[derive(Debug, Default)]
pub(crate) struct StreamFigures {
    waiting: Mutex<Waiting>,
    /// One writer at a time, so that who waits for it knows that all before is written.
    writing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Waiting {
    came: Came,
    is_scheduled: bool,
}

impl Waiting {
    fn add(&mut self, key: (String, String), came: LogStreamFigures) -> bool {
        if self.came.len() >= STREAMS_MAX && !self.came.contains_key(&key) {
            return false;
        }
        self.came.entry(key).or_default().add(came);
        true
    }
}

impl StreamFigures {
    /// Notes what came to a stream, and sees to it that it is written soon. Whether there was room for it.
    pub(crate) fn note(
        self: &Arc<Self>,
        settings: &Settings,
        group_id: &str,
        stream: &str,
        came: LogStreamFigures,
    ) -> bool {
        let mut waiting = self.waiting.lock();
        if !waiting.add((group_id.to_owned(), stream.to_owned()), came) {
            return false;
        }
        if !std::mem::replace(&mut waiting.is_scheduled, true) {
            let (figures, settings) = (Arc::clone(self), settings.clone());
            tokio::spawn(async move {
                tokio::time::sleep(WAIT).await;
                figures.waiting.lock().is_scheduled = false;
                if let Err(error) = figures.write(&settings).await {
                    tracing::warn!(
                        error = &error as &dyn std::error::Error,
                        "stream figures are not written"
                    );
                }
            });
        }
        true
    }

    /// Writes what waits.
    pub(crate) async fn write(&self, settings: &Settings) -> Result<(), SettingsError> {
        let _writing = self.writing.lock().await;
        let came = std::mem::take(&mut self.waiting.lock().came);
        if came.is_empty() {
            return Ok(());
        }
        let written = settings.note_log_streams(&came).await;
        if written.is_err() {
            let mut waiting = self.waiting.lock();
            // What does not fit any more is lost: it is a hint for readers and nothing that events depend on.
            for (key, figures) in came {
                waiting.add(key, figures);
            }
        }
        written
    }
}
