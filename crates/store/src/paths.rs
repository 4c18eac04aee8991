//! Where objects lie. A path says whose rows a part holds, so that a person can find their way in the bucket.

use tracery_model::{EnvironmentId, Signal};

/// Every object of the store lies below this prefix; nothing else does, so the sweeper may remove what is unlisted.
pub(crate) const ROOT: &str = "parts";
const FRESH: &str = "fresh";
const MERGED: &str = "parquet";
const TRACES_SUFFIX: &str = ".traces";
const VALUES_SUFFIX: &str = ".values";

pub(crate) fn fresh(environment: EnvironmentId, signal: Signal, id: &str) -> String {
    format!("{ROOT}/{environment}/{signal}/{id}.{FRESH}")
}

pub(crate) fn merged(environment: EnvironmentId, signal: Signal, id: &str) -> String {
    format!("{ROOT}/{environment}/{signal}/{id}.{MERGED}")
}

/// The trace-id index beside a merged part.
pub(crate) fn trace_index(merged_path: &str) -> String {
    format!("{merged_path}{TRACES_SUFFIX}")
}

/// The value index beside a merged part.
pub(crate) fn value_index(merged_path: &str) -> String {
    format!("{merged_path}{VALUES_SUFFIX}")
}

/// What lies at `path` and beside it, the part itself last.
pub(crate) fn with_indexes(path: String) -> [String; 3] {
    [trace_index(&path), value_index(&path), path]
}

/// The part an index object belongs to; `None` for the part itself.
pub(crate) fn indexed_part(path: &str) -> Option<&str> {
    path.strip_suffix(TRACES_SUFFIX).or_else(|| path.strip_suffix(VALUES_SUFFIX))
}
