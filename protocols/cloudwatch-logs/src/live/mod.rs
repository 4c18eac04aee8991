//! What goes on while events arrive: Live Tail. `PutLogEvents` publishes to the [`Hub`] what the sink has acknowledged; each
//! session keeps what it wants of it until its next update. Memory is bounded for each session: what is too much for an
//! update is a sample.

mod session;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use tracery_model::EnvironmentId;

pub(crate) use session::{Choice, Session, Update};

/// Sessions of one environment at a time.
pub(crate) const SESSIONS_MAX: usize = 15;

/// A batch that was acknowledged.
pub(crate) struct Arrived<'a> {
    pub(crate) environment: EnvironmentId,
    pub(crate) region: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) group: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) received_ms: i64,
    /// Time in milliseconds since 1970, and message.
    pub(crate) events: &'a [(i64, std::borrow::Cow<'a, str>)],
}

/// All sessions.
#[derive(Default)]
pub(crate) struct Hub {
    sessions: Mutex<Vec<Arc<Session>>>,
    /// So that a batch that nobody watches costs nothing.
    session_count: AtomicUsize,
}

impl Hub {
    /// Whether anybody watches.
    pub(crate) fn is_watched(&self) -> bool {
        self.session_count.load(Ordering::Relaxed) > 0
    }

    /// Shows a batch to every session that wants some of it.
    pub(crate) fn publish(&self, arrived: &Arrived<'_>) {
        if !self.is_watched() {
            return;
        }
        let sessions = self.sessions.lock().clone();
        sessions.iter().for_each(|session| session.take(arrived));
    }

    /// Opens a session until the answer is dropped; `None` when the environment has as many as it may.
    pub(crate) fn open(self: &Arc<Self>, choice: Choice) -> Option<Open> {
        let mut sessions = self.sessions.lock();
        let own = sessions.iter().filter(|session| session.environment() == choice.environment);
        if own.count() >= SESSIONS_MAX {
            return None;
        }
        let session = Arc::new(Session::new(choice));
        sessions.push(Arc::clone(&session));
        self.session_count.store(sessions.len(), Ordering::Relaxed);
        Some(Open { hub: Arc::clone(self), session })
    }
}

/// A session that somebody reads.
pub(crate) struct Open {
    hub: Arc<Hub>,
    session: Arc<Session>,
}

impl Open {
    /// What came since the last update.
    pub(crate) fn update(&self) -> Update {
        self.session.update()
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let mut sessions = self.hub.sessions.lock();
        sessions.retain(|session| !Arc::ptr_eq(session, &self.session));
        self.hub.session_count.store(sessions.len(), Ordering::Relaxed);
    }
}
