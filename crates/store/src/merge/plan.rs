//! What to merge next. Pure: a list of parts in, a list of ids out.

use std::collections::BTreeMap;

use tracery_model::{EnvironmentId, Signal};

use crate::part::PartMeta;

/// When and how much to merge.
#[derive(Debug, Clone, Copy)]
pub struct MergePolicy {
    /// Fresh rows that make a merge worthwhile at once.
    pub fresh_rows: i64,
    /// Fresh bytes that do.
    pub fresh_bytes: i64,
    /// Bytes of decoded rows that one merge may hold at once ([`PartMeta::raw_byte_count`]). A single part may have
    /// more: it is merged alone.
    pub raw_bytes_max: i64,
    /// Age at which fresh parts are merged however few they are.
    pub fresh_age_ms: i64,
    /// What a merge of merged parts makes at most; parts of half as many rows are left alone.
    pub merged_rows_max: i64,
    /// Small merged parts of one window that make a merge.
    pub merged_count: usize,
}

impl Default for MergePolicy {
    fn default() -> Self {
        Self {
            fresh_rows: 400_000,
            fresh_bytes: 96 << 20,
            raw_bytes_max: 1 << 30,
            fresh_age_ms: 30_000,
            // So that what a busy server merges at once from fresh parts is not rewritten.
            merged_rows_max: 800_000,
            merged_count: 6,
        }
    }
}

impl MergePolicy {
    /// The default, made smaller where a merge could take more than `memory_bytes`.
    pub fn within(memory_bytes: usize) -> Self {
        let budget = i64::try_from(memory_bytes).unwrap_or(i64::MAX);
        let default = Self::default();
        // A wide column is there four times: decoded, in its dictionary, as the dictionary's page, and compressed. The
        // keys to sort by take 128 bytes a row.
        Self {
            fresh_bytes: default.fresh_bytes.min(budget / 4),
            raw_bytes_max: default.raw_bytes_max.min(budget / 4),
            fresh_rows: default.fresh_rows.min(budget / 512),
            merged_rows_max: default.merged_rows_max.min(budget / 512),
            ..default
        }
    }
}

/// What a merge holds of a part at once; a guess where it was not written down.
fn raw_bytes(part: &PartMeta) -> i64 {
    const USUAL_RATIO: i64 = 8;
    if part.raw_byte_count > 0 { part.raw_byte_count } else { part.byte_count.saturating_mul(USUAL_RATIO) }
}

/// Parts to merge into one (or, for fresh parts, one a window).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) environment: EnvironmentId,
    pub(crate) signal: Signal,
    pub(crate) ids: Vec<String>,
    pub(crate) level: i64,
}

/// The most urgent job, if any. Fresh parts come before merged ones: they are what holds memory.
pub(crate) fn next_job<'a>(
    parts: impl Iterator<Item = &'a PartMeta> + Clone,
    policy: &MergePolicy,
    now_ms: i64,
) -> Option<Job> {
    fresh_job(parts.clone(), policy, now_ms).or_else(|| merged_job(parts, policy))
}

fn fresh_job<'a>(
    parts: impl Iterator<Item = &'a PartMeta>,
    policy: &MergePolicy,
    now_ms: i64,
) -> Option<Job> {
    let mut groups: BTreeMap<(EnvironmentId, Signal), Vec<&PartMeta>> = BTreeMap::new();
    for part in parts.filter(|part| part.level == 0) {
        groups.entry((part.environment, part.signal)).or_default().push(part);
    }
    let due = groups.into_iter().filter(|(_, parts)| {
        let rows: i64 = parts.iter().map(|part| part.row_count).sum();
        let bytes: i64 = parts.iter().map(|part| part.byte_count).sum();
        let raw = parts.iter().map(|part| raw_bytes(part)).fold(0, i64::saturating_add);
        let oldest_ms = parts.iter().map(|part| part.created_ms).min().unwrap_or(now_ms);
        rows >= policy.fresh_rows
            || bytes >= policy.fresh_bytes
            || raw >= policy.raw_bytes_max
            || now_ms - oldest_ms >= policy.fresh_age_ms
    });
    let ((environment, signal), mut parts) =
        due.max_by_key(|(_, parts)| parts.iter().map(|part| part.byte_count).sum::<i64>())?;
    parts.sort_by(|left, right| left.id.cmp(&right.id));
    let mut rows = 0;
    let mut bytes = 0;
    let mut raw: i64 = 0;
    // A backlog is worked off in bounded pieces, so that memory does not depend on it.
    let ids = parts
        .into_iter()
        .take_while(|part| {
            let first = rows == 0;
            rows += part.row_count;
            bytes += part.byte_count;
            raw = raw.saturating_add(raw_bytes(part));
            first
                || rows <= policy.fresh_rows + policy.fresh_rows / 4
                    && bytes <= policy.fresh_bytes
                    && raw <= policy.raw_bytes_max
        })
        .map(|part| part.id.clone())
        .collect();
    Some(Job { environment, signal, ids, level: 1 })
}

/// Parts of one hour (by their newest row) whose sizes are alike. Joining like with like keeps the number of times a
/// row is rewritten logarithmic.
fn merged_job<'a>(parts: impl Iterator<Item = &'a PartMeta>, policy: &MergePolicy) -> Option<Job> {
    const HOUR_NS: i64 = 3_600_000_000_000;
    let mut groups: BTreeMap<(EnvironmentId, Signal, i64, u32), Vec<&PartMeta>> = BTreeMap::new();
    let small = |part: &&PartMeta| {
        part.row_count < policy.merged_rows_max / 2 && raw_bytes(part) < policy.raw_bytes_max / 2
    };
    for part in parts.filter(|part| part.level > 0).filter(small) {
        let tier = part.row_count.max(1).ilog2() / 3;
        let hour = part.time_max_ns.div_euclid(HOUR_NS);
        groups.entry((part.environment, part.signal, hour, tier)).or_default().push(part);
    }
    let ((environment, signal, ..), mut parts) =
        groups.into_iter().find(|(_, parts)| parts.len() >= policy.merged_count)?;
    parts.sort_by_key(|part| part.time_min_ns);
    let mut rows = 0;
    let mut raw: i64 = 0;
    let mut taken: Vec<&PartMeta> = Vec::new();
    for part in parts {
        rows += part.row_count;
        raw = raw.saturating_add(raw_bytes(part));
        if rows > policy.merged_rows_max || raw > policy.raw_bytes_max {
            break;
        }
        taken.push(part);
    }
    if taken.len() < 2 {
        return None;
    }
    let level = taken.iter().map(|part| part.level).max().unwrap_or(1) + 1;
    Some(Job { environment, signal, ids: taken.iter().map(|part| part.id.clone()).collect(), level })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(id: &str, level: i64, row_count: i64, created_ms: i64) -> PartMeta {
        PartMeta {
            id: id.into(),
            environment: EnvironmentId(1),
            signal: Signal::Span,
            level,
            path: String::new(),
            time_min_ns: 0,
            time_max_ns: 1,
            row_count,
            byte_count: row_count * 100,
            raw_byte_count: row_count * 1000,
            crc32: 0,
            datasets: vec![],
            created_ms,
        }
    }

    const POLICY: MergePolicy = MergePolicy {
        fresh_rows: 1000,
        fresh_bytes: 1 << 30,
        raw_bytes_max: 1 << 40,
        fresh_age_ms: 60,
        merged_rows_max: 10_000,
        merged_count: 3,
    };

    fn ids(parts: &[PartMeta], now_ms: i64) -> Option<Vec<String>> {
        next_job(parts.iter(), &POLICY, now_ms).map(|job| job.ids)
    }

    #[test]
    fn fresh_parts_wait_for_company_or_age() {
        let parts = [part("a", 0, 400, 0), part("b", 0, 500, 10)];
        assert_eq!(ids(&parts, 20), None);
        assert_eq!(ids(&parts, 60), Some(vec!["a".into(), "b".into()]));
        let parts = [parts.to_vec(), vec![part("c", 0, 100, 15)]].concat();
        assert_eq!(ids(&parts, 20).unwrap().len(), 3);
    }

    #[test]
    fn a_backlog_is_taken_in_pieces() {
        let parts: Vec<_> = (0..100).map(|idx| part(&format!("{idx:03}"), 0, 100, 0)).collect();
        assert_eq!(ids(&parts, 0).unwrap().len(), 12);
        let narrow = MergePolicy { raw_bytes_max: 350_000, ..POLICY };
        let job = next_job(parts.iter(), &narrow, 0).unwrap();
        assert_eq!(job.ids.len(), 3, "what the rows take in memory counts too");
        let tiny = MergePolicy { raw_bytes_max: 1, ..POLICY };
        assert_eq!(next_job(parts.iter(), &tiny, 0).unwrap().ids.len(), 1, "one part is always taken");
    }

    #[test]
    fn merged_parts_join_their_like() {
        let parts = [part("a", 1, 100, 0), part("b", 1, 101, 0), part("c", 1, 4000, 0)];
        assert_eq!(ids(&parts, 0), None);
        let parts = [parts.to_vec(), vec![part("d", 1, 90, 0), part("e", 2, 9_999, 0)]].concat();
        let job = next_job(parts.iter(), &POLICY, 0).unwrap();
        assert_eq!((job.ids.len(), job.level), (3, 2));
    }
}
