//! What is done with events as they arrive: the metric filters of each group, ready to be matched. `PutLogEvents` asks for
//! its group's before it writes, so they are kept in memory; a change here counts at once, one of another process after a
//! second.

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{MetricTransformation, PutMetricFilterRequest};
use tracery_query::languages::log_pattern::Pattern;
use tracery_settings::DocumentKind;

use crate::operations::kept::{Kept, Shelf};
use crate::{Caller, CloudWatchLogs};

/// How long what was read is believed.
const AGE_MS_MAX: i64 = 1_000;
/// Regions whose filters are kept; a client may name any region.
const REGIONS_MAX: usize = 1_000;
/// Names of groups and filters have no control characters.
const SEPARATOR: char = '\u{1f}';

/// A metric filter as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct StoredMetricFilter {
    /// A group that is made again under the name of a deleted one does not have its filters.
    pub(crate) group_id: String,
    pub(crate) created_ms: i64,
    pub(crate) filter: PutMetricFilterRequest,
}

/// A metric filter that can be matched.
#[derive(Debug)]
pub(crate) struct MetricRule {
    pub(crate) id: String,
    pub(crate) pattern: Pattern,
    pub(crate) transformation: MetricTransformation,
}

/// The rules of a region by the id of their group.
pub(crate) type Rules = HashMap<String, Vec<MetricRule>, RandomState>;

/// The rules of all regions that were asked for lately.
#[derive(Default)]
pub(crate) struct Filters {
    regions: Mutex<HashMap<(i64, String), (i64, Arc<Rules>), RandomState>>,
}

/// Where a region's metric filters are kept.
pub(crate) fn shelf<'a>(state: &'a CloudWatchLogs, caller: &Caller) -> Shelf<'a> {
    let kind = DocumentKind::LogsMetricFilter;
    Shelf::new(&state.intake.settings, caller.environment, kind, caller.region.as_str())
}

/// What a filter's document is called: by group, then by name.
pub(crate) fn document_name(group: &str, filter: &str) -> String {
    format!("{group}{SEPARATOR}{filter}")
}

impl Filters {
    /// The rules of the caller's region.
    pub(crate) async fn of_region(
        &self,
        state: &CloudWatchLogs,
        caller: &Caller,
    ) -> Result<Arc<Rules>, Error> {
        let key = (caller.environment.0, caller.region.clone());
        let now_ms = state.intake.clock.now_ms();
        if let Some((read_ms, rules)) = self.regions.lock().get(&key)
            && (0..AGE_MS_MAX).contains(&(now_ms - read_ms))
        {
            return Ok(Arc::clone(rules));
        }
        let mut rules = Rules::default();
        for Kept { id, value, .. } in shelf(state, caller).all::<StoredMetricFilter>().await? {
            let StoredMetricFilter { group_id, filter, .. } = value;
            // Both were looked at when the filter was put.
            let (Ok(pattern), Some(transformation)) =
                (Pattern::parse(&filter.filter_pattern), filter.metric_transformations.into_iter().next())
            else {
                continue;
            };
            rules.entry(group_id).or_default().push(MetricRule { id, pattern, transformation });
        }
        let rules = Arc::new(rules);
        let mut regions = self.regions.lock();
        if regions.len() >= REGIONS_MAX && !regions.contains_key(&key) {
            regions.clear();
        }
        regions.insert(key, (now_ms, Arc::clone(&rules)));
        Ok(rules)
    }

    /// A filter was changed.
    pub(crate) fn forget(&self, caller: &Caller) {
        self.regions.lock().remove(&(caller.environment.0, caller.region.clone()));
    }
}
