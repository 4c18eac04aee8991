//! How rows are sorted: first by window, so that old rows can be dropped as whole parts; then spans by when their
//! trace begins, trace and time, so that a trace is one run of rows and time still ascends from page to page; all
//! other signals by dataset and time.

use std::collections::{BTreeSet, HashMap};

use arrow::array::{Array, AsArray, UInt32Array};
use arrow::datatypes::{TimestampNanosecondType, UInt8Type};
use tracery_columnar::Fixed;
use tracery_model::Signal;

use super::inputs::Input;
use crate::StoreError;

const HOUR_NS: i64 = 3_600_000_000_000;
const DAY_NS: i64 = 24 * HOUR_NS;
/// Windows of one merge at most; rows older than the newest this many share the last part.
const WINDOWS_MAX: usize = 48;

/// A run of the sorted rows that becomes one part.
#[derive(Debug)]
pub(crate) struct Window {
    pub(crate) rows: std::ops::Range<usize>,
    pub(crate) time_min_ns: i64,
    pub(crate) time_max_ns: i64,
    pub(crate) datasets: BTreeSet<String>,
    /// (trace id, first row within the window, row count).
    pub(crate) traces: Vec<([u8; 16], usize, usize)>,
}

pub(crate) struct Order {
    /// Rows of the inputs, numbered one input after the other, in their new order.
    pub(crate) rows: UInt32Array,
    /// The trace of each row in its new order: 0 none, `n` the id `n - 1` of `trace_ids`.
    pub(crate) trace_codes: Vec<u32>,
    pub(crate) trace_ids: Vec<[u8; 16]>,
    pub(crate) windows: Vec<Window>,
}

struct Key {
    window: i64,
    /// Start of the trace, or rank of the dataset.
    first: i64,
    trace: u32,
    time_ns: i64,
    kind: u8,
    row: u32,
    dataset: u32,
}

const NO_TRACE: u32 = u32::MAX;

/// The rows of all inputs in at most `windows_max` windows (one at least), of which there are never more than
/// [`WINDOWS_MAX`].
pub(crate) fn sort(inputs: &[Input], signal: Signal, windows_max: usize) -> Result<Order, StoreError> {
    let mut keys: Vec<Key> = Vec::with_capacity(inputs.iter().map(Input::row_count).sum());
    let mut traces: HashMap<[u8; 16], u32, ahash::RandomState> = HashMap::default();
    let mut trace_ids: Vec<[u8; 16]> = Vec::new();
    let mut trace_starts: Vec<i64> = Vec::new();
    let mut datasets: Vec<String> = Vec::new();
    let mut dataset_numbers: HashMap<String, u32, ahash::RandomState> = HashMap::default();
    for input in inputs {
        let missing =
            || StoreError::Damaged { path: "input of a merge".into(), reason: "it has no time".into() };
        let times = input.column(Fixed::Time.name())?.ok_or_else(missing)?;
        let times = times.as_primitive_opt::<TimestampNanosecondType>().ok_or_else(missing)?;
        let ids = input.column(Fixed::TraceId.name())?;
        let ids = ids.as_ref().and_then(|column| column.as_fixed_size_binary_opt());
        let kinds = input.column(Fixed::Kind.name())?;
        let kinds = kinds.as_ref().and_then(|column| column.as_primitive_opt::<UInt8Type>());
        let names = input.coded_text(Fixed::Dataset.name())?;
        let numbers: Vec<u32> = std::iter::once(&b""[..])
            .chain(names.values())
            .map(|name| {
                let name = String::from_utf8_lossy(name);
                if let Some(known) = dataset_numbers.get(&*name) {
                    return *known;
                }
                let number = u32::try_from(datasets.len()).unwrap_or(0);
                datasets.push(name.clone().into_owned());
                dataset_numbers.insert(name.into_owned(), number);
                number
            })
            .collect();
        let mut last: Option<([u8; 16], u32)> = None;
        for row in 0..times.len() {
            let time_ns = times.value(row);
            let id: Option<[u8; 16]> =
                ids.filter(|ids| ids.is_valid(row)).and_then(|ids| ids.value(row).try_into().ok());
            let trace = id.map_or(NO_TRACE, |id| {
                let trace = match last {
                    Some((last_id, trace)) if last_id == id => trace,
                    _ => *traces.entry(id).or_insert_with(|| {
                        trace_ids.push(id);
                        trace_starts.push(i64::MAX);
                        u32::try_from(trace_ids.len() - 1).unwrap_or(NO_TRACE - 1)
                    }),
                };
                last = Some((id, trace));
                let start = &mut trace_starts[trace as usize];
                *start = time_ns.min(*start);
                trace
            });
            keys.push(Key {
                window: 0,
                first: 0,
                trace,
                time_ns,
                kind: kinds.map_or(0, |kinds| kinds.value(row)),
                row: u32::try_from(keys.len()).unwrap_or(0),
                dataset: numbers[names.codes[row] as usize],
            });
        }
    }
    let ranks = ranks(&datasets);
    let window_of = windows(&keys, windows_max.clamp(1, WINDOWS_MAX));
    for key in &mut keys {
        key.window = window_of(key.time_ns);
        key.first = match signal {
            Signal::Span if key.trace != NO_TRACE => trace_starts[key.trace as usize],
            Signal::Span => key.time_ns,
            _ => ranks[key.dataset as usize],
        };
        if signal != Signal::Span {
            // Only the order of time matters; ties keep the order of arrival.
            key.kind = 0;
        }
    }
    let by_trace = signal == Signal::Span;
    keys.sort_unstable_by_key(|key| {
        let trace = if by_trace { key.trace } else { 0 };
        (key.window, key.first, trace, key.time_ns, key.kind, key.row)
    });
    Ok(Order {
        rows: keys.iter().map(|key| key.row).collect::<Vec<u32>>().into(),
        trace_codes: keys.iter().map(|key| key.trace.wrapping_add(1)).collect(),
        windows: cut_windows(&keys, &trace_ids, &datasets),
        trace_ids,
    })
}

fn ranks(datasets: &[String]) -> Vec<i64> {
    let mut sorted: Vec<usize> = (0..datasets.len()).collect();
    sorted.sort_unstable_by_key(|number| &datasets[*number]);
    let mut ranks = vec![0; datasets.len()];
    for (rank, number) in (0..).zip(sorted) {
        ranks[number] = rank;
    }
    ranks
}

/// Hours; days when there are too many hours; and one window for all that is older than the newest few days.
fn windows(keys: &[Key], windows_max: usize) -> impl Fn(i64) -> i64 + use<> {
    let mut hours: Vec<i64> = Vec::new();
    let mut last = i64::MIN;
    for key in keys {
        let hour = key.time_ns.div_euclid(HOUR_NS);
        if hour != last {
            hours.push(hour);
            last = hour;
        }
    }
    let hours: BTreeSet<i64> = hours.into_iter().collect();
    let days: BTreeSet<i64> = hours.iter().map(|hour| hour.div_euclid(24)).collect();
    let unit = if hours.len() <= windows_max { HOUR_NS } else { DAY_NS };
    let oldest = if hours.len() <= windows_max {
        i64::MIN
    } else {
        days.iter().rev().nth(windows_max - 1).copied().unwrap_or(i64::MIN)
    };
    move |time_ns| time_ns.div_euclid(unit).max(oldest)
}

fn cut_windows(keys: &[Key], trace_ids: &[[u8; 16]], datasets: &[String]) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut start = 0;
    while start < keys.len() {
        let len = keys[start..].partition_point(|key| key.window == keys[start].window);
        let rows = &keys[start..start + len];
        let mut traces: Vec<([u8; 16], usize, usize)> = Vec::new();
        let mut last = NO_TRACE;
        let mut seen = vec![false; datasets.len()];
        for (idx, key) in rows.iter().enumerate() {
            seen[key.dataset as usize] = true;
            if key.trace != NO_TRACE && key.trace == last {
                if let Some(run) = traces.last_mut() {
                    run.2 += 1;
                }
            } else if key.trace != NO_TRACE {
                traces.push((trace_ids[key.trace as usize], idx, 1));
            }
            last = key.trace;
        }
        windows.push(Window {
            rows: start..start + len,
            time_min_ns: rows.iter().map(|key| key.time_ns).min().unwrap_or(0),
            time_max_ns: rows.iter().map(|key| key.time_ns).max().unwrap_or(0),
            datasets: datasets
                .iter()
                .zip(seen)
                .filter(|(_, seen)| *seen)
                .map(|(name, _)| name.clone())
                .collect(),
            traces,
        });
        start += len;
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datasets_rank_by_name() {
        let names = ["web", "api", "", "cart"].map(str::to_owned);
        assert_eq!(ranks(&names), [3, 1, 0, 2]);
        assert_eq!(ranks(&[]), [0_i64; 0]);
    }
}
