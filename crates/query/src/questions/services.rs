//! Services with how many requests they took, how many failed and how long they ran.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::{Int64Type, TimestampNanosecondType};
use datafusion::prelude::SessionContext;

use super::ask;
use crate::functions::sketch::Sketch;
use crate::{EventSource, QueryError, Scope};

/// A service in a time range. Requests are spans that enter it: servers, consumers and roots.
#[derive(Debug, Clone, PartialEq)]
pub struct Service {
    pub name: String,
    /// Weighted by sample rate.
    pub request_count: i64,
    pub error_count: i64,
    /// As the counts, weighted by sample rate; within 1 %.
    pub duration_p50_ms: Option<f64>,
    pub duration_p99_ms: Option<f64>,
    pub last_seen_ms: i64,
}

/// The busiest services first, at most `limit`.
pub async fn services(
    context: &SessionContext,
    source: &dyn EventSource,
    scope: &Scope,
    limit: usize,
) -> Result<Vec<Service>, QueryError> {
    let columns =
        ["#dataset", "#kind", "#parent_id", "#duration_ns", "#sample_rate", "#time", "error", "span.kind"];
    let table = source.events(scope, &columns.map(str::to_owned)).await?;
    let text = format!(
        r##"SELECT "#dataset" AS name, sum("#sample_rate") AS requests,
                  sum(CASE WHEN error THEN "#sample_rate" ELSE 0 END) AS errors,
                  tracery_sketch(CAST("#duration_ns" AS DOUBLE) / 1e6, "#sample_rate") AS durations,
                  max("#time") AS last_seen
           FROM events
           WHERE "#kind" = 0 AND "#duration_ns" IS NOT NULL
             AND ("#parent_id" IS NULL OR "span.kind" IN ('server', 'consumer'))
           GROUP BY "#dataset" ORDER BY requests DESC, name LIMIT {limit}"##
    );
    let mut found = Vec::new();
    for batch in ask(context, table, &text).await? {
        let names = batch.column(0).as_string_view();
        let (requests, errors) =
            (batch.column(1).as_primitive::<Int64Type>(), batch.column(2).as_primitive::<Int64Type>());
        let durations = batch.column(3).as_binary::<i32>();
        let seen = batch.column(4).as_primitive::<TimestampNanosecondType>();
        for row in 0..batch.num_rows() {
            let durations = Sketch::decode(durations.value(row)).unwrap_or_default();
            found.push(Service {
                name: names.value(row).to_owned(),
                request_count: requests.value(row),
                error_count: errors.value(row),
                duration_p50_ms: durations.quantile(0.5),
                duration_p99_ms: durations.quantile(0.99),
                last_seen_ms: seen.value(row) / 1_000_000,
            });
        }
    }
    Ok(found)
}
