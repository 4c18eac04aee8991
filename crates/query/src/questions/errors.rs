//! Occurrences of errors as they are stored: one by its id or uuid, and pages of them, the newest first. Rollbar's API asks
//! it. A page is found by few columns; payloads are read only for the rows that are shown.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::prelude::SessionContext;
use tracery_model::{EnvironmentId, Signal, TimeRange};

use super::{ask, literal};
use crate::tables::StoreEvents;
use crate::{EventSource, QueryError, Scope};

/// Occurrences of one page.
pub const PAGE_MAX: usize = 5_000;

/// Whose occurrences are read.
#[derive(Debug, Clone)]
pub struct OccurrenceScope {
    pub environment: EnvironmentId,
    pub project_id: i64,
    pub time: TimeRange,
    /// Rollbar's environment and the fingerprints of an item; `None` is the whole project.
    pub item: Option<(String, Vec<String>)>,
}

/// Which one is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OccurrenceKey {
    Id(i64),
    Uuid(String),
}

/// A stored occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredOccurrence {
    pub id: i64,
    pub received_ns: i64,
    pub uuid: String,
    pub fingerprint: String,
    pub environment: String,
    /// 32 hex digits.
    pub trace_id: Option<String>,
    /// What the client sent as `data`, as JSON.
    pub payload: String,
}

const ID: &str = "error.occurrence_id";
const COLUMNS: [&str; 7] =
    ["#received_ns", ID, "error.uuid", "error.fingerprint", "error.environment", "#trace_id", "#original"];

/// One occurrence.
///
/// # Errors
/// When the store cannot be read, or a limit of the engine is reached.
pub async fn occurrence(
    context: &SessionContext,
    events: &StoreEvents,
    scope: &OccurrenceScope,
    key: &OccurrenceKey,
) -> Result<Option<StoredOccurrence>, QueryError> {
    let is_it = match key {
        OccurrenceKey::Id(id) => format!(r#""{ID}" = {id}"#),
        OccurrenceKey::Uuid(uuid) => format!(r#""error.uuid" = {}"#, literal(uuid)),
    };
    let table = table(events, scope, &COLUMNS).await?;
    let query = format!("SELECT {} FROM events WHERE {} AND {is_it} LIMIT 1", shown(), condition(scope));
    Ok(read(&ask(context, table, &query).await?).into_iter().next())
}

/// A page of occurrences, the newest first, then by id descending. `before` is where the page before ended.
///
/// # Errors
/// When the store cannot be read, or a limit of the engine is reached.
pub async fn occurrences(
    context: &SessionContext,
    events: &StoreEvents,
    scope: &OccurrenceScope,
    before: Option<(i64, i64)>,
    skip: usize,
    count: usize,
) -> Result<Vec<StoredOccurrence>, QueryError> {
    let mut scope = scope.clone();
    let mut condition = condition(&scope);
    if let Some((received_ns, id)) = before {
        scope.time.end_ns = scope.time.end_ns.min(received_ns.saturating_add(1));
        condition.push_str(&format!(
            r##" AND ("#received_ns" < {received_ns} OR "#received_ns" = {received_ns} AND "{ID}" < {id})"##
        ));
    }
    let names = ["#received_ns", ID, "error.fingerprint", "error.environment"];
    let found = format!(
        r##"SELECT "#received_ns", "{ID}" FROM events WHERE {condition}
           ORDER BY "#received_ns" DESC, "{ID}" DESC LIMIT {} OFFSET {skip}"##,
        count.min(PAGE_MAX)
    );
    let mut ids = Vec::new();
    let mut time: Option<TimeRange> = None;
    for batch in ask(context, table(events, &scope, &names).await?, &found).await? {
        let (received, id) =
            (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_primitive::<Int64Type>());
        for row in 0..batch.num_rows() {
            let at_ns = received.value(row);
            ids.push(id.value(row).to_string());
            let known = time.unwrap_or(TimeRange::new(at_ns, at_ns.saturating_add(1)));
            time = Some(TimeRange::new(known.start_ns.min(at_ns), known.end_ns.max(at_ns.saturating_add(1))));
        }
    }
    let Some(time) = time else { return Ok(Vec::new()) };
    let scope = OccurrenceScope { time, ..scope };
    let page = format!(
        r##"SELECT {} FROM events WHERE {} AND "{ID}" IN ({}) ORDER BY "#received_ns" DESC, "{ID}" DESC"##,
        shown(),
        self::condition(&scope),
        ids.join(", ")
    );
    Ok(read(&ask(context, table(events, &scope, &COLUMNS).await?, &page).await?))
}

/// Occurrences by the bucket of `bucket_s` seconds that they were taken in, those of no bucket left out. Empty lists choose
/// all environments and levels.
///
/// # Errors
/// When the store cannot be read, or a limit of the engine is reached.
pub async fn counts(
    context: &SessionContext,
    events: &StoreEvents,
    scope: &OccurrenceScope,
    bucket_s: i64,
    environments: &[String],
    levels: &[&str],
) -> Result<Vec<(i64, i64)>, QueryError> {
    let mut condition = condition(scope);
    let mut one_of = |column: &str, wanted: Vec<String>| {
        if !wanted.is_empty() {
            condition.push_str(&format!(r#" AND "{column}" IN ({})"#, wanted.join(", ")));
        }
    };
    one_of("error.environment", environments.iter().map(|one| literal(one)).collect());
    one_of("error.level", levels.iter().map(|one| literal(one)).collect());
    let bucket_ns = bucket_s.max(1).saturating_mul(1_000_000_000);
    let query = format!(
        r##"SELECT "#received_ns" / {bucket_ns} AS bucket, count(*) FROM events WHERE {condition} GROUP BY bucket ORDER BY bucket"##
    );
    let names = ["#received_ns", "error.level"];
    let mut counts = Vec::new();
    for batch in ask(context, table(events, scope, &names).await?, &query).await? {
        let (bucket, count) =
            (batch.column(0).as_primitive::<Int64Type>(), batch.column(1).as_primitive::<Int64Type>());
        counts.extend((0..batch.num_rows()).map(|row| (bucket.value(row) * bucket_s, count.value(row))));
    }
    Ok(counts)
}

pub(crate) async fn table(
    events: &StoreEvents,
    scope: &OccurrenceScope,
    names: &[&str],
) -> Result<std::sync::Arc<dyn datafusion::catalog::TableProvider>, QueryError> {
    let scope = Scope {
        environment: scope.environment,
        datasets: None,
        signals: vec![Signal::Error],
        time: scope.time,
    };
    let mut columns: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    for name in ["error.project_id", "error.fingerprint", "error.environment"] {
        if !columns.iter().any(|known| known == name) {
            columns.push(name.to_owned());
        }
    }
    events.events(&scope, &columns).await
}

fn shown() -> String {
    COLUMNS.map(|name| format!("\"{name}\"")).join(", ")
}

pub(crate) fn condition(scope: &OccurrenceScope) -> String {
    let mut condition = format!(r#""error.project_id" = {}"#, scope.project_id);
    if let Some((environment, fingerprints)) = &scope.item {
        condition.push_str(&format!(r#" AND "error.environment" = {}"#, literal(environment)));
        match fingerprints.as_slice() {
            [] => condition.push_str(" AND false"),
            // One value is found by the index.
            [one] => condition.push_str(&format!(r#" AND "error.fingerprint" = {}"#, literal(one))),
            many => {
                let many: Vec<String> = many.iter().map(|one| literal(one)).collect();
                condition.push_str(&format!(r#" AND "error.fingerprint" IN ({})"#, many.join(", ")));
            }
        }
    }
    condition
}

fn read(batches: &[datafusion::arrow::array::RecordBatch]) -> Vec<StoredOccurrence> {
    let mut found = Vec::new();
    for batch in batches {
        let numbers = |idx: usize| batch.column(idx).as_primitive::<Int64Type>();
        let text = |idx: usize, row: usize| {
            let column = batch.column(idx).as_string_view();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let traces = batch.column(5).as_fixed_size_binary();
        for row in 0..batch.num_rows() {
            let trace = || tracery_model::TraceId::from_bytes(traces.value(row)).map(|id| id.to_string());
            found.push(StoredOccurrence {
                id: numbers(1).value(row),
                received_ns: numbers(0).value(row),
                uuid: text(2, row).unwrap_or_default(),
                fingerprint: text(3, row).unwrap_or_default(),
                environment: text(4, row).unwrap_or_default(),
                trace_id: traces.is_valid(row).then(trace).flatten(),
                payload: text(6, row).unwrap_or_default(),
            });
        }
    }
    found
}
