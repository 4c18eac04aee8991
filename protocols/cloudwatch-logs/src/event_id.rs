//! Identities and times of events. An event id is 56 digits: its time, when it was taken in, its place in the request, and
//! a hash of its stream. Ids sort as events are ordered; tokens of `GetLogEvents` are ids too. [`Stamps`] gives each request
//! a time of its own.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use tracery_query::questions::logs::LogPosition;

const TIME_DIGITS: usize = 13;
const RECEIVED_DIGITS: usize = 19;
const ORDINAL_DIGITS: usize = 5;
const HASH_DIGITS: usize = 19;
const DIGITS: usize = TIME_DIGITS + RECEIVED_DIGITS + ORDINAL_DIGITS + HASH_DIGITS;
const HASH_END: u64 = 10_000_000_000_000_000_000;

/// Where an event stands, in which stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct EventId {
    pub(crate) position: LogPosition,
    pub(crate) stream_hash: u64,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LogPosition { time_ns, received_ns, ordinal } = self.position;
        let time_ms = time_ns.div_euclid(1_000_000);
        let [time_ms, received_ns, ordinal] = [time_ms, received_ns, ordinal].map(|number| number.max(0));
        write!(f, "{time_ms:013}{received_ns:019}{ordinal:05}{:019}", self.stream_hash)
    }
}

impl EventId {
    /// Reads what [`fmt::Display`] wrote.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text.len() != DIGITS || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let (time_ms, rest) = text.split_at(TIME_DIGITS);
        let (received_ns, rest) = rest.split_at(RECEIVED_DIGITS);
        let (ordinal, hash) = rest.split_at(ORDINAL_DIGITS);
        let time_ms: i64 = time_ms.parse().ok()?;
        let position = LogPosition {
            time_ns: time_ms.checked_mul(1_000_000)?,
            received_ns: received_ns.parse().ok()?,
            ordinal: ordinal.parse().ok()?,
        };
        Some(Self { position, stream_hash: hash.parse().ok()? })
    }
}

/// The hash of a stream in event ids (FNV-1a). It is in answers, so it must never change.
pub(crate) fn stream_hash(group: &str, stream: &str) -> u64 {
    let bytes = group.bytes().chain([0]).chain(stream.bytes());
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    hash % HASH_END
}

/// Times of requests: each is later than the one before, whatever the clock says.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    given: Mutex<Given>,
}

#[derive(Debug, Default)]
struct Given {
    last_ns: i64,
    /// Of requests whose rows are not readable yet.
    under_way: BTreeSet<i64>,
}

impl Given {
    fn next_ns(&mut self, now_ns: i64) -> i64 {
        self.last_ns = now_ns.max(self.last_ns.saturating_add(1));
        self.last_ns
    }
}

impl Stamps {
    /// Now, or the nanosecond after the last answer.
    pub(crate) fn next_ns(&self, now_ns: i64) -> i64 {
        self.given.lock().next_ns(now_ns)
    }

    /// The same for a request that writes rows; it is under way until the stamp is dropped.
    pub(crate) fn begin(self: &Arc<Self>, now_ns: i64) -> Stamp {
        let mut given = self.given.lock();
        let ns = given.next_ns(now_ns);
        given.under_way.insert(ns);
        Stamp { ns, of: Arc::clone(self) }
    }

    /// A time until which nothing of this process can become readable any more.
    pub(crate) fn settled_ns(&self, now_ns: i64) -> i64 {
        let mut given = self.given.lock();
        given.last_ns = given.last_ns.max(now_ns);
        given.under_way.first().map_or(given.last_ns, |first| first - 1)
    }
}

/// The time of a request that is under way.
#[derive(Debug)]
pub(crate) struct Stamp {
    pub(crate) ns: i64,
    of: Arc<Stamps>,
}

impl Drop for Stamp {
    fn drop(&mut self) {
        self.of.given.lock().under_way.remove(&self.ns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_56_digits_and_reads_back() {
        let id = EventId {
            position: LogPosition {
                time_ns: 1_795_402_800_123_000_000,
                received_ns: 1_795_402_801_000_000_007,
                ordinal: 42,
            },
            stream_hash: stream_hash("g", "s"),
        };
        let text = id.to_string();
        assert_eq!((text.len(), EventId::parse(&text)), (56, Some(id)));
        assert!(text.starts_with("1795402800123179540280100000000700042"));
        assert_eq!(stream_hash("g", "s"), 5_312_326_801_269_165_907, "it is in stored tokens");
        assert_ne!(stream_hash("g", "s"), stream_hash("gs", ""));
        for text in ["", "1", &"9".repeat(56), &"é".repeat(28), &"x".repeat(56)] {
            assert_eq!(EventId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn every_request_has_a_time_of_its_own() {
        let stamps = Stamps::default();
        let stamps = [5, 5, 4, 9].map(|now_ns| stamps.next_ns(now_ns));
        assert_eq!(stamps, [5, 6, 7, 9]);
    }

    #[test]
    fn what_is_under_way_is_not_settled() {
        let stamps = Arc::new(Stamps::default());
        assert_eq!(stamps.settled_ns(3), 3);
        let (first, second) = (stamps.begin(3), stamps.begin(9));
        assert_eq!((first.ns, second.ns, stamps.settled_ns(20)), (4, 9, 3));
        drop(first);
        assert_eq!(stamps.settled_ns(20), 8);
        drop(second);
        assert_eq!(stamps.settled_ns(20), 20);
        assert_eq!(stamps.next_ns(20), 21, "later than what was settled");
    }
}
