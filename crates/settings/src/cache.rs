//! A small bounded map of recent answers. The settings functions read through it; it promises that nothing older
//! than the caller's bound is returned, and that nothing read before an invalidation is kept after it.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;

use parking_lot::Mutex;

pub(crate) struct Cache<K, V> {
    entries_max: usize,
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    entries: HashMap<K, (V, i64)>,
    generation: u64,
}

/// Taken before the database is read; an answer whose ticket is stale is not kept.
#[derive(Clone, Copy)]
pub(crate) struct Ticket(u64);

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    pub(crate) fn new(entries_max: usize) -> Self {
        Self { entries_max, inner: Mutex::new(Inner { entries: HashMap::new(), generation: 0 }) }
    }

    pub(crate) fn get<Q>(&self, key: &Q, now_ms: i64, age_ms_max: i64) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let inner = self.inner.lock();
        let (value, at_ms) = inner.entries.get(key)?;
        // A clock that was set back must not make an answer live longer.
        (now_ms >= *at_ms && now_ms - *at_ms < age_ms_max).then(|| value.clone())
    }

    pub(crate) fn ticket(&self) -> Ticket {
        Ticket(self.inner.lock().generation)
    }

    pub(crate) fn put(&self, ticket: Ticket, key: K, value: V, now_ms: i64) {
        let mut inner = self.inner.lock();
        if inner.generation != ticket.0 {
            return;
        }
        if inner.entries.len() >= self.entries_max && !inner.entries.contains_key(&key) {
            inner.entries.clear();
        }
        inner.entries.insert(key, (value, now_ms));
    }

    pub(crate) fn invalidate(&self) {
        let mut inner = self.inner.lock();
        inner.generation += 1;
        inner.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_reused_until_it_is_old_or_invalidated() {
        let cache = Cache::new(2);
        cache.put(cache.ticket(), "a", 1, 100);
        assert_eq!(cache.get("a", 1_099, 1_000), Some(1));
        assert_eq!(cache.get("a", 1_100, 1_000), None, "old");
        assert_eq!(cache.get("a", 99, 1_000), None, "clock set back");
        let stale = cache.ticket();
        cache.invalidate();
        cache.put(stale, "a", 1, 100);
        assert_eq!(cache.get("a", 100, 1_000), None, "read before the invalidation");
        for (idx, key) in ["a", "b", "c"].into_iter().enumerate() {
            cache.put(cache.ticket(), key, idx, 100);
        }
        assert_eq!(cache.get("a", 100, 1_000), None, "bounded");
        assert_eq!(cache.get("c", 100, 1_000), Some(2));
    }
}
