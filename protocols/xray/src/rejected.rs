//! What was sent and not kept, with the reason, so that a sender who hears nothing (UDP has no answer) can find out. The
//! newest few are kept in memory and shown at `/api/v1/xray/rejected`; older ones are forgotten.

use std::collections::VecDeque;

use parking_lot::Mutex;
use tracery_model::EnvironmentId;

/// Entries kept, and bytes of what was sent that each keeps: half a megabyte in all.
const ENTRIES_MAX: usize = 200;
const TEXT_BYTES_MAX: usize = 2 << 10;

/// One datagram or document that was not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedDocument {
    pub environment: EnvironmentId,
    pub received_ms: i64,
    /// `xray_udp` or `xray_segments`, as in `/metrics`.
    pub door: &'static str,
    /// The stable word of `/metrics`.
    pub reason: &'static str,
    /// For people.
    pub message: String,
    /// Of what was sent.
    pub byte_count: usize,
    /// Its first 2 KiB; bytes that are no text are replaced.
    pub text: String,
}

/// The newest of them.
#[derive(Debug, Default)]
pub struct RejectedDocuments {
    entries: Mutex<VecDeque<RejectedDocument>>,
}

impl RejectedDocuments {
    pub(crate) fn add(
        &self,
        environment: EnvironmentId,
        received_ms: i64,
        door: &'static str,
        (reason, message): (&'static str, &str),
        sent: &[u8],
    ) {
        let kept = &sent[..sent.len().min(TEXT_BYTES_MAX)];
        let mut text = String::from_utf8_lossy(kept).into_owned();
        // A replacement character is longer than the byte it stands for.
        text.truncate(text.floor_char_boundary(TEXT_BYTES_MAX));
        let entry = RejectedDocument {
            environment,
            received_ms,
            door,
            reason,
            message: message.to_owned(),
            byte_count: sent.len(),
            text,
        };
        let mut entries = self.entries.lock();
        if entries.len() >= ENTRIES_MAX {
            entries.pop_front();
        }
        entries.push_back(entry);
    }

    /// Those of an environment, newest first.
    pub fn list(&self, environment: EnvironmentId) -> Vec<RejectedDocument> {
        let entries = self.entries.lock();
        entries.iter().rev().filter(|entry| entry.environment == environment).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_cut() {
        let rejected = RejectedDocuments::default();
        for number in 0..ENTRIES_MAX as i64 + 5 {
            let environment = EnvironmentId(number % 2);
            rejected.add(environment, number, "xray_udp", ("word", "why"), &[0xff; 3 * TEXT_BYTES_MAX]);
        }
        let (zero, one) = (rejected.list(EnvironmentId(0)), rejected.list(EnvironmentId(1)));
        assert_eq!(zero.len() + one.len(), ENTRIES_MAX);
        assert_eq!(zero[0].received_ms, ENTRIES_MAX as i64 + 4, "newest first");
        assert!(one.iter().all(|entry| entry.text.len() <= TEXT_BYTES_MAX));
        assert_eq!(one[0].byte_count, 3 * TEXT_BYTES_MAX);
    }
}
