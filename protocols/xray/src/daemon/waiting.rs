//! Datagrams between the thread that receives them and the task that writes them: bytes one behind the other, bounded;
//! what finds no room is counted.

use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// More than a second of 20,000 datagrams a second, for when the sink is busy.
const WAITING_BYTES_MAX: usize = 32 << 20;
/// A datagram without bytes takes room, too.
const DATAGRAM_OVERHEAD: usize = 8;

#[derive(Debug, Default)]
pub(super) struct Datagrams {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Datagrams {
    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    pub(super) fn byte_count(&self) -> usize {
        self.bytes.len() + self.ends.len() * DATAGRAM_OVERHEAD
    }
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    inner: Mutex<(Datagrams, usize)>,
    come: Notify,
    closed: AtomicBool,
}

impl Waiting {
    pub(super) fn push(&self, datagram: &[u8]) {
        let mut inner = self.inner.lock();
        let (datagrams, dropped) = &mut *inner;
        if datagrams.byte_count() + datagram.len() > WAITING_BYTES_MAX {
            *dropped += 1;
            return;
        }
        let was_empty = datagrams.is_empty();
        datagrams.bytes.extend_from_slice(datagram);
        datagrams.ends.push(datagrams.bytes.len());
        drop(inner);
        if was_empty {
            self.come.notify_one();
        }
    }

    /// Nothing more will come.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.come.notify_one();
    }

    /// Waits until something may be there. Whether nothing more will come.
    pub(super) async fn wait(&self) -> bool {
        if !self.closed.load(Ordering::Acquire) {
            self.come.notified().await;
        }
        self.closed.load(Ordering::Acquire)
    }

    /// What waits, and how many found no room since this was last asked.
    pub(super) fn take(&self) -> (Datagrams, usize) {
        let mut inner = self.inner.lock();
        // As much will come again: growing costs the receiving thread time while the system's buffer fills.
        let (bytes, ends) = (inner.0.bytes.len(), inner.0.ends.len());
        let next = Datagrams { bytes: Vec::with_capacity(bytes), ends: Vec::with_capacity(ends) };
        std::mem::replace(&mut *inner, (next, 0))
    }

    pub(super) fn is_drained(&self) -> bool {
        self.inner.lock().0.is_empty()
    }

    pub(super) fn byte_count(&self) -> usize {
        self.inner.lock().0.byte_count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn datagrams_come_out_as_they_went_in_until_there_is_no_room() {
        let waiting = Waiting::default();
        for datagram in [&b"one"[..], b"", b"three"] {
            waiting.push(datagram);
        }
        assert!(!waiting.wait().await);
        let (datagrams, dropped) = waiting.take();
        assert_eq!(datagrams.iter().collect::<Vec<_>>(), [&b"one"[..], b"", b"three"]);
        assert_eq!(dropped, 0);
        let large = vec![0; 65_000];
        let count = WAITING_BYTES_MAX / large.len() + 10;
        (0..count).for_each(|_| waiting.push(&large));
        let (datagrams, dropped) = waiting.take();
        assert_eq!(datagrams.iter().count() + dropped, count);
        assert!(dropped >= 9 && datagrams.byte_count() <= WAITING_BYTES_MAX);
        waiting.close();
        assert!(waiting.wait().await && waiting.is_drained());
    }
}
