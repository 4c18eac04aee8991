//! One Live Tail session: which events it wants, and those that came since its last update. The hub puts events in, the
//! session's answer takes them out once a second.

use std::collections::BTreeSet;

use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tracery_model::EnvironmentId;
use tracery_query::languages::log_pattern::Pattern;

use super::Arrived;

/// Events of one update. Of more, each has the same chance to be among them.
pub(crate) const UPDATE_EVENTS_MAX: usize = 500;
/// Bytes of one update's messages.
const UPDATE_BYTES_MAX: usize = 4 << 20;

/// What a session wants.
pub(crate) struct Choice {
    pub(crate) environment: EnvironmentId,
    pub(crate) region: String,
    pub(crate) groups: BTreeSet<String>,
    /// Empty is every stream.
    pub(crate) stream_names: Vec<String>,
    pub(crate) stream_prefixes: Vec<String>,
    pub(crate) pattern: Pattern,
    /// Of the choice of samples.
    pub(crate) seed: u64,
}

impl Choice {
    fn wants(&self, arrived: &Arrived<'_>) -> bool {
        let stream = arrived.stream;
        let all = self.stream_names.is_empty() && self.stream_prefixes.is_empty();
        arrived.environment == self.environment
            && arrived.region == self.region
            && self.groups.contains(arrived.group)
            && (all
                || self.stream_names.iter().any(|name| name == stream)
                || self.stream_prefixes.iter().any(|prefix| stream.starts_with(prefix)))
    }
}

/// An event as a session shows it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    /// `account:group`.
    pub(crate) group: String,
    pub(crate) stream: String,
    pub(crate) time_ms: i64,
    pub(crate) received_ms: i64,
    pub(crate) message: String,
}

/// What came since the update before.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Update {
    pub(crate) events: Vec<Shown>,
    /// Some are left out.
    pub(crate) is_sampled: bool,
}

pub(crate) struct Session {
    choice: Choice,
    waiting: Mutex<Waiting>,
}

struct Waiting {
    /// With the number of each in order of arrival.
    events: Vec<(u64, Shown)>,
    byte_count: usize,
    seen: u64,
    chance: StdRng,
}

impl Session {
    pub(super) fn new(choice: Choice) -> Self {
        let chance = StdRng::seed_from_u64(choice.seed);
        let waiting = Waiting { events: Vec::new(), byte_count: 0, seen: 0, chance };
        Self { choice, waiting: Mutex::new(waiting) }
    }

    pub(super) fn environment(&self) -> EnvironmentId {
        self.choice.environment
    }

    pub(super) fn take(&self, arrived: &Arrived<'_>) {
        if !self.choice.wants(arrived) {
            return;
        }
        for (time_ms, message) in arrived.events {
            if !self.choice.pattern.matches(message) {
                continue;
            }
            let mut waiting = self.waiting.lock();
            let Some(place) = waiting.place(message.len()) else { continue };
            let shown = Shown {
                group: format!("{}:{}", arrived.account_id, arrived.group),
                stream: arrived.stream.to_owned(),
                time_ms: *time_ms,
                received_ms: arrived.received_ms,
                message: message.clone().into_owned(),
            };
            waiting.put(place, shown);
        }
    }

    pub(super) fn update(&self) -> Update {
        let mut waiting = self.waiting.lock();
        let mut events = std::mem::take(&mut waiting.events);
        let is_sampled = waiting.seen > events.len() as u64;
        (waiting.seen, waiting.byte_count) = (0, 0);
        drop(waiting);
        events.sort_by_key(|(number, _)| *number);
        Update { events: events.into_iter().map(|(_, shown)| shown).collect(), is_sampled }
    }
}

impl Waiting {
    /// Counts an event, and says where it goes: behind the others, in the place of one, or nowhere.
    fn place(&mut self, byte_count: usize) -> Option<usize> {
        self.seen += 1;
        if self.events.len() < UPDATE_EVENTS_MAX {
            return (self.byte_count + byte_count <= UPDATE_BYTES_MAX).then_some(self.events.len());
        }
        let place = usize::try_from(self.chance.random_range(0..self.seen)).ok()?;
        let (_, replaced) = self.events.get(place)?;
        let bytes = self.byte_count - replaced.message.len() + byte_count;
        (bytes <= UPDATE_BYTES_MAX).then_some(place)
    }

    fn put(&mut self, place: usize, shown: Shown) {
        self.byte_count += shown.message.len();
        let numbered = (self.seen, shown);
        match self.events.get_mut(place) {
            Some(event) => {
                let (_, replaced) = std::mem::replace(event, numbered);
                self.byte_count -= replaced.message.len();
            }
            None => self.events.push(numbered),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;
    use std::sync::Arc;

    use super::*;
    use crate::live::{Hub, SESSIONS_MAX};

    fn choice(pattern: &str) -> Choice {
        Choice {
            environment: EnvironmentId(1),
            region: "eu-west-1".into(),
            groups: ["a".to_owned(), "b".to_owned()].into(),
            stream_names: Vec::new(),
            stream_prefixes: Vec::new(),
            pattern: Pattern::parse(pattern).unwrap(),
            seed: 1,
        }
    }

    fn publish(hub: &Hub, group: &str, stream: &str, messages: &[&str]) {
        let events: Vec<_> = messages.iter().map(|message| (5, Cow::Borrowed(*message))).collect();
        hub.publish(&Arrived {
            environment: EnvironmentId(1),
            region: "eu-west-1",
            account_id: "1",
            group,
            stream,
            received_ms: 6,
            events: &events,
        });
    }

    fn messages(update: Update) -> Vec<String> {
        update.events.into_iter().map(|shown| shown.message).collect()
    }

    #[test]
    fn a_session_shows_what_it_chose() {
        let hub = Arc::new(Hub::default());
        publish(&hub, "a", "s", &["nobody watches"]);
        let all = hub.open(choice("")).unwrap();
        let errors = hub.open(choice("ERROR")).unwrap();
        let named = hub.open(Choice { stream_names: vec!["t".into()], ..choice("") }).unwrap();
        let prefix = hub.open(Choice { stream_prefixes: vec!["web/".into()], ..choice("") }).unwrap();
        let elsewhere = hub.open(Choice { region: "us-east-1".into(), ..choice("") }).unwrap();
        let stranger = hub.open(Choice { environment: EnvironmentId(2), ..choice("") }).unwrap();
        publish(&hub, "a", "s", &["one", "ERROR two"]);
        publish(&hub, "b", "t", &["three"]);
        publish(&hub, "a", "web/1", &["four"]);
        publish(&hub, "c", "s", &["another group"]);
        assert_eq!(messages(all.update()), ["one", "ERROR two", "three", "four"]);
        assert_eq!(messages(all.update()), [] as [&str; 0]);
        assert_eq!(messages(errors.update()), ["ERROR two"]);
        assert_eq!(messages(named.update()), ["three"]);
        assert_eq!(messages(prefix.update()), ["four"]);
        assert_eq!(messages(elsewhere.update()), [] as [&str; 0]);
        assert_eq!(messages(stranger.update()), [] as [&str; 0]);
        drop((all, errors, named, prefix, elsewhere, stranger));
        assert!(!hub.is_watched());
    }

    #[test]
    fn an_update_has_a_sample_of_what_is_too_much() {
        let hub = Arc::new(Hub::default());
        let session = hub.open(choice("")).unwrap();
        let lines: Vec<String> = (0..5_000).map(|number| number.to_string()).collect();
        for chunk in lines.chunks(100) {
            publish(&hub, "a", "s", &chunk.iter().map(String::as_str).collect::<Vec<_>>());
        }
        let update = session.update();
        assert!(update.is_sampled);
        let numbers: Vec<u32> = update.events.iter().map(|shown| shown.message.parse().unwrap()).collect();
        assert_eq!(numbers.len(), UPDATE_EVENTS_MAX);
        assert!(numbers.is_sorted() && numbers[250] > 1_500 && numbers[250] < 3_500, "{}", numbers[250]);
        publish(&hub, "a", "s", &["next"]);
        assert_eq!(session.update(), Update { is_sampled: false, ..session_update("next") });
        let large = "x".repeat(UPDATE_BYTES_MAX / 3);
        publish(&hub, "a", "s", &[&large, &large, &large, &large]);
        let update = session.update();
        assert_eq!((update.events.len(), update.is_sampled), (3, true));
    }

    fn session_update(message: &str) -> Update {
        let shown = Shown {
            group: "1:a".into(),
            stream: "s".into(),
            time_ms: 5,
            received_ms: 6,
            message: message.into(),
        };
        Update { events: vec![shown], is_sampled: false }
    }

    #[test]
    fn an_environment_has_so_many_sessions() {
        let hub = Arc::new(Hub::default());
        let mut open: Vec<_> = (0..SESSIONS_MAX).map(|_| hub.open(choice("")).unwrap()).collect();
        assert!(hub.open(choice("")).is_none());
        assert!(hub.open(Choice { environment: EnvironmentId(2), ..choice("") }).is_some());
        open.pop();
        assert!(hub.open(choice("")).is_some());
    }
}
