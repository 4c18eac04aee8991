//! GetQueryResults: the rows that a query has found so far, all values as texts, in pages once it is complete.

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    GetQueryResultsRequest, GetQueryResultsResponse, QueryLanguage, QueryStatistics, QueryStatus, ResultField,
};
use tracery_aws_wire::pages::{place_of_token, token_of_place};

use super::pages::bad_token;
use super::queries::{find, size};
use crate::queries::Query;
use crate::{Caller, CloudWatchLogs};

/// Rows on a page.
const PAGE_ROWS_MAX: usize = 10_000;
/// Bytes of values on a page, so that one answer is bounded; a page has a row in any case.
const PAGE_BYTES_MAX: usize = 32 << 20;
/// How long a token is good for.
const TOKEN_LIFETIME_MS: i64 = 60 * 60 * 1_000;

pub(super) async fn get_query_results(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: GetQueryResultsRequest,
) -> Result<GetQueryResultsResponse, Error> {
    let query = find(state, caller, &call.query_id)?;
    let now_ms = state.intake.clock.now_ms();
    let first = match call.next_token.as_deref() {
        Some(token) => first_row(&query, token, now_ms).ok_or_else(bad_token)?,
        None => 0,
    };
    let max = size(call.max_items, PAGE_ROWS_MAX);
    let mut results = Vec::new();
    let mut bytes = 0;
    for row in query.answer.rows.iter().skip(first).take(max) {
        bytes += row.iter().flatten().map(|value| value.len()).sum::<usize>();
        if bytes > PAGE_BYTES_MAX && !results.is_empty() {
            break;
        }
        results.push(fields(&query.answer.columns, row));
    }
    let end = first + results.len();
    let more = query.status == QueryStatus::Complete && end < query.answer.rows.len();
    Ok(GetQueryResultsResponse {
        query_language: Some(QueryLanguage::Cwli),
        statistics: Some(statistics(&query)),
        status: Some(query.status),
        encryption_key: None,
        next_token: more.then(|| token_of_place(&list(&query, now_ms), end)),
        results: Some(results),
    })
}

/// What a row has no value for is left out.
fn fields(columns: &[Box<str>], row: &[Option<Box<str>>]) -> Vec<ResultField> {
    let set = columns.iter().zip(row).filter_map(|(name, value)| Some((name, value.as_ref()?)));
    set.map(|(name, value)| ResultField { field: Some(name.to_string()), value: Some(value.to_string()) })
        .collect()
}

fn statistics(query: &Query) -> QueryStatistics {
    let figures = query.progress.figures();
    let skipped = |total: u64, read: u64| Some(total.saturating_sub(read) as f64);
    QueryStatistics {
        records_matched: Some(query.answer.records_matched as f64),
        records_scanned: Some(figures.rows_scanned as f64),
        estimated_records_skipped: skipped(figures.rows_total, figures.rows_scanned),
        bytes_scanned: Some(figures.bytes_scanned as f64),
        estimated_bytes_skipped: skipped(figures.bytes_total, figures.bytes_scanned),
        log_groups_scanned: Some(query.groups.len() as f64),
        result_count: Some(query.answer.rows.len() as f64),
    }
}

/// The list that a token belongs to: the query's rows, and when the token was made.
fn list(query: &Query, now_ms: i64) -> String {
    format!("rows-{}-{now_ms}", query.id)
}

fn first_row(query: &Query, token: &str, now_ms: i64) -> Option<usize> {
    use base64::Engine as _;
    let text =
        base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(token.get(..300).unwrap_or(token)).ok()?;
    let text = String::from_utf8(text).ok()?;
    let (head, _) = text.strip_prefix("1 ")?.split_once(' ')?;
    let made_ms: i64 = head.rsplit_once('-')?.1.parse().ok()?;
    let is_alive = (0..TOKEN_LIFETIME_MS).contains(&now_ms.saturating_sub(made_ms));
    place_of_token(&list(query, made_ms), token).ok().filter(|_| is_alive)
}
