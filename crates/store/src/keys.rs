//! The key catalogue in memory: answers autocomplete and type resolution, and tells a commit which columns of which
//! datasets are new, so that only those cost a row in its transaction.

use std::collections::{BTreeMap, HashMap};

use parking_lot::RwLock;
use tracery_columnar::DatasetSummary;
use tracery_model::{EnvironmentId, Signal};

use crate::catalog::SeenKey;

/// Columns remembered per dataset and signal; more stay queryable but are not suggested.
const COLUMNS_MAX: usize = 10_000;
/// How old a remembered time may be before a commit writes it again.
const LAST_WRITTEN_STALE_MS: i64 = 60_000;

type Columns = HashMap<String, Written>;

#[derive(Debug, Clone, Copy)]
struct Written {
    last_ms: i64,
    /// What the catalog has.
    saved_ms: i64,
}

/// Per environment, dataset and signal: column → when it was last written.
#[derive(Debug, Default)]
pub(crate) struct KeyCatalogue {
    datasets: RwLock<BTreeMap<(EnvironmentId, String, Signal), Columns>>,
}

impl KeyCatalogue {
    /// Takes in what the catalog has; what was written here since then stays newer.
    pub(crate) fn load(&self, keys: Vec<SeenKey>) {
        let mut datasets = self.datasets.write();
        for key in keys {
            let columns = datasets.entry((key.environment, key.dataset, key.signal)).or_default();
            let full = columns.len() >= COLUMNS_MAX;
            match columns.get_mut(&key.column) {
                Some(written) => {
                    written.last_ms = written.last_ms.max(key.last_written_ms);
                    written.saved_ms = key.last_written_ms;
                }
                None if !full => {
                    let written = Written { last_ms: key.last_written_ms, saved_ms: key.last_written_ms };
                    columns.insert(key.column, written);
                }
                None => {}
            }
        }
    }

    /// Notes that `summary` is being written and returns what the catalog must learn with it.
    pub(crate) fn note(
        &self,
        environment: EnvironmentId,
        signal: Signal,
        summary: &DatasetSummary,
        now_ms: i64,
    ) -> Vec<SeenKey> {
        let mut datasets = self.datasets.write();
        let columns = datasets.entry((environment, summary.dataset.clone(), signal)).or_default();
        let mut stale = Vec::new();
        for column in &summary.columns {
            let full = columns.len() >= COLUMNS_MAX;
            match columns.get_mut(column) {
                Some(written) => {
                    written.last_ms = written.last_ms.max(now_ms);
                    if now_ms - written.saved_ms < LAST_WRITTEN_STALE_MS {
                        continue;
                    }
                    written.saved_ms = now_ms;
                }
                None if !full => {
                    columns.insert(column.clone(), Written { last_ms: now_ms, saved_ms: now_ms });
                }
                None => continue,
            }
            stale.push(SeenKey {
                environment,
                dataset: summary.dataset.clone(),
                signal,
                column: column.clone(),
                last_written_ms: now_ms,
            });
        }
        stale
    }

    /// After a commit failed: its keys are told again with the next one.
    pub(crate) fn forget_saved(&self, keys: &[SeenKey]) {
        let mut datasets = self.datasets.write();
        for key in keys {
            let columns = datasets.get_mut(&(key.environment, key.dataset.clone(), key.signal));
            if let Some(written) = columns.and_then(|columns| columns.get_mut(&key.column)) {
                written.saved_ms = i64::MIN / 2;
            }
        }
    }

    pub(crate) fn columns(
        &self,
        environment: EnvironmentId,
        wanted: Option<&[String]>,
        signals: &[Signal],
    ) -> BTreeMap<String, i64> {
        let mut found: BTreeMap<String, i64> = BTreeMap::new();
        for ((owner, dataset, signal), columns) in self.datasets.read().iter() {
            let inside = wanted.is_none_or(|wanted| wanted.contains(dataset));
            if *owner != environment || !inside || !signals.contains(signal) {
                continue;
            }
            for (column, written) in columns {
                let last = found.entry(column.clone()).or_insert(written.last_ms);
                *last = (*last).max(written.last_ms);
            }
        }
        found
    }

    /// Dataset → when it was last written.
    pub(crate) fn datasets(&self, environment: EnvironmentId) -> BTreeMap<String, i64> {
        let mut found: BTreeMap<String, i64> = BTreeMap::new();
        for ((owner, dataset, _), columns) in self.datasets.read().iter() {
            if *owner == environment {
                let newest = columns.values().map(|written| written.last_ms).max().unwrap_or(0);
                let last = found.entry(dataset.clone()).or_insert(newest);
                *last = (*last).max(newest);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVIRONMENT: EnvironmentId = EnvironmentId(1);

    fn seen(column: &str, last_written_ms: i64) -> SeenKey {
        let (dataset, column) = ("a".to_owned(), column.to_owned());
        SeenKey { environment: ENVIRONMENT, dataset, signal: Signal::Log, column, last_written_ms }
    }

    #[test]
    fn what_the_catalog_says_makes_nothing_older_and_no_list_endless() {
        let keys = KeyCatalogue::default();
        let summary = DatasetSummary { dataset: "a".into(), columns: vec!["os:k".into()] };
        keys.note(ENVIRONMENT, Signal::Log, &summary, 900);
        keys.load(vec![seen("os:k", 100), seen("os:other", 200)]);
        let columns = keys.columns(ENVIRONMENT, None, &[Signal::Log]);
        assert_eq!((columns["os:k"], columns["os:other"]), (900, 200));
        keys.load((0..2 * COLUMNS_MAX).map(|number| seen(&format!("os:{number}"), 5)).collect());
        assert_eq!(keys.columns(ENVIRONMENT, None, &[Signal::Log]).len(), COLUMNS_MAX);
    }
}
