//! A query over rows in memory, command by command, as plainly as it can be said. It is what the planner is tested
//! against; it bounds nothing, so it is for tests and small inputs only.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashSet};

use super::ast::{Aggregate, AggregateFunction, Command, Expr, Named, PATTERN_COLUMNS, Query, SortKey, slot};
use super::functions::{Row, Shared, extract, value};
use super::members::of_json;
use super::value::Value;
use crate::operators::patterns::{Miner, Pattern, template};

/// An event or a row that stats made.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Record {
    pub fields: BTreeMap<String, Value>,
    /// Its place in the order of events; the newest is the largest.
    pub position: (i64, i64, i64),
}

impl Row for Record {
    fn field(&self, name: &str) -> Value {
        self.fields.get(name).cloned().unwrap_or_default()
    }
}

/// Names of the columns, and rows of printed values.
pub(crate) type Printed = (Vec<String>, Vec<Vec<Option<String>>>);

/// Answers a query over events in any order.
pub(crate) fn run(query: &Query, mut rows: Vec<Record>, limit: usize, now_s: i64) -> Printed {
    let shared = Shared::new(now_s);
    let mut shown: Vec<String> = Vec::new();
    let mut displayed: Option<Vec<String>> = None;
    let mut keys: Vec<String> = Vec::new();
    let mut order: Vec<SortKey> = Vec::new();
    let mut is_raw = true;
    let mut limited = false;
    for command in &query.commands {
        match command {
            Command::Fields(list) => {
                define(&mut rows, list, &shared);
                for named in list {
                    if !shown.contains(&named.name) {
                        shown.push(named.name.clone());
                    }
                }
            }
            Command::Display(list) => {
                define(&mut rows, list, &shared);
                displayed = Some(list.iter().map(|named| named.name.clone()).collect());
            }
            Command::Filter(expr) => rows.retain(|row| value(expr, row, &shared).is_true()),
            Command::Stats { results, by } => {
                let mut aggregates = Vec::new();
                let mut lifted = results.clone();
                lifted.iter_mut().for_each(|named| named.expr.lift(&mut aggregates));
                let mut groups: BTreeMap<Vec<Option<String>>, Vec<Record>> = BTreeMap::new();
                for row in rows {
                    let key = by.iter().map(|named| value(&named.expr, &row, &shared).encode()).collect();
                    groups.entry(key).or_default().push(row);
                }
                if by.is_empty() {
                    groups.entry(Vec::new()).or_default();
                }
                rows = groups
                    .into_iter()
                    .map(|(key, members)| {
                        let mut fields = BTreeMap::new();
                        for (named, key) in by.iter().zip(&key) {
                            let key = key.as_deref().map_or(Value::Null, Value::decode);
                            fields.insert(named.name.clone(), key);
                        }
                        let mut computed = Record::default();
                        for (idx, wanted) in aggregates.iter().enumerate() {
                            computed.fields.insert(slot(idx), aggregate(wanted, &members, &shared));
                        }
                        for named in &lifted {
                            fields.insert(named.name.clone(), value(&named.expr, &computed, &shared));
                        }
                        Record { fields, position: (0, 0, 0) }
                    })
                    .collect();
                keys = by.iter().map(|named| named.name.clone()).collect();
                shown = keys.iter().cloned().chain(results.iter().map(|named| named.name.clone())).collect();
                displayed = None;
                order.clear();
                is_raw = false;
            }
            Command::Sort(by) => order = by.clone(),
            Command::Limit(count) => {
                limited = true;
                sort(&mut rows, &order, &keys, is_raw, &shared);
                rows.truncate(*count);
            }
            Command::Parse { source, pattern } => {
                for row in &mut rows {
                    let found = match value(source, row, &shared) {
                        Value::Null => None,
                        text => extract(pattern, &text.to_string(), &shared),
                    };
                    let mut found = found.into_iter().flatten();
                    for name in pattern.names() {
                        let part = found.next().unwrap_or_default();
                        row.fields.insert(name.to_owned(), part);
                    }
                }
            }
            Command::Pattern(source) => {
                let mut templates: BTreeMap<String, u64> = BTreeMap::new();
                for row in &rows {
                    let found = value(source, row, &shared);
                    if !found.is_null() {
                        *templates.entry(template(&found.to_string())).or_default() += 1;
                    }
                }
                let total: u64 = templates.values().sum();
                let mut templates: Vec<(String, u64)> = templates.into_iter().collect();
                templates.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
                let mut miner = Miner::default();
                templates.iter().for_each(|(template, count)| miner.add(template, *count));
                let record = |found: Pattern| {
                    let severity = found.severity.map_or(Value::Null, Value::text);
                    let ratio = Value::Number(found.count as f64 / total as f64);
                    let cells = [Value::Text(found.text), ratio, Value::Number(found.count as f64), severity];
                    let names = PATTERN_COLUMNS.map(str::to_owned);
                    Record { fields: names.into_iter().zip(cells).collect(), position: (0, 0, 0) }
                };
                rows = miner.finish().into_iter().map(record).collect();
                shown = PATTERN_COLUMNS.map(str::to_owned).to_vec();
                (displayed, keys, is_raw) = (None, Vec::new(), false);
                order.clear();
            }
            Command::Unnest { source, name } => {
                let items = |row: &Record| match value(source, row, &shared) {
                    Value::Json(serde_json::Value::Array(items)) => items,
                    _ => Vec::new(),
                };
                let one = |mut row: Record, item: &serde_json::Value| {
                    row.fields.insert(name.clone(), of_json(item));
                    row
                };
                let each =
                    |row: Record| items(&row).iter().map(|item| one(row.clone(), item)).collect::<Vec<_>>();
                rows = rows.into_iter().flat_map(each).collect();
            }
            Command::Dedup(fields) => {
                sort(&mut rows, &order, &keys, is_raw, &shared);
                let mut seen = HashSet::new();
                rows.retain(|row| {
                    let key: Option<Vec<String>> =
                        fields.iter().map(|field| value(field, row, &shared).encode()).collect();
                    key.is_none_or(|key| seen.insert(key))
                });
            }
        }
    }
    sort(&mut rows, &order, &keys, is_raw, &shared);
    if !limited {
        rows.truncate(limit);
    }
    let mut columns = match displayed {
        Some(displayed) => displayed,
        None if shown.is_empty() => vec!["@timestamp".to_owned(), "@message".to_owned()],
        None => shown,
    };
    columns.retain(|name| name != "@ptr");
    let print = |row: &Record, name: &String| {
        let found = row.field(name);
        (!found.is_null()).then(|| found.to_string())
    };
    let printed = rows.iter().map(|row| columns.iter().map(|name| print(row, name)).collect()).collect();
    (columns, printed)
}

fn define(rows: &mut [Record], list: &[Named], shared: &Shared) {
    for row in rows {
        for Named { expr, name } in list {
            if !matches!(expr, Expr::Field(field) if field == name) {
                let found = value(expr, row, shared);
                row.fields.insert(name.clone(), found);
            }
        }
    }
}

fn sort(rows: &mut [Record], order: &[SortKey], keys: &[String], is_raw: bool, shared: &Shared) {
    let natural = |left: &Value, right: &Value, descending: bool| match (left.is_null(), right.is_null()) {
        (false, false) if descending => right.natural(left),
        (false, false) => left.natural(right),
        // Nothing is last, whichever way.
        (left, right) => left.cmp(&right),
    };
    rows.sort_by(|left, right| {
        for key in order {
            let (a, b) = (value(&key.expr, left, shared), value(&key.expr, right, shared));
            let found = natural(&a, &b, key.descending);
            if found != Ordering::Equal {
                return found;
            }
        }
        if is_raw {
            return right.position.cmp(&left.position);
        }
        for key in keys {
            let found = natural(&left.field(key), &right.field(key), false);
            if found != Ordering::Equal {
                return found;
            }
        }
        Ordering::Equal
    });
}

fn aggregate(aggregate: &Aggregate, rows: &[Record], shared: &Shared) -> Value {
    use AggregateFunction as F;
    let Some(argument) = &aggregate.argument else { return Value::Number(rows.len() as f64) };
    let mut set: Vec<(&Record, Value)> = rows
        .iter()
        .map(|row| (row, value(argument, row, shared)))
        .filter(|(_, value)| !value.is_null())
        .collect();
    let numbers: Vec<f64> = set.iter().filter_map(|(_, value)| value.number()).collect();
    let count = numbers.len() as f64;
    let number =
        |found: Option<f64>| found.filter(|found| found.is_finite()).map_or(Value::Null, Value::Number);
    match aggregate.function {
        F::Count => Value::Number(set.len() as f64),
        F::CountDistinct => {
            let distinct: HashSet<Option<String>> = set.iter().map(|(_, value)| value.encode()).collect();
            Value::Number(distinct.len() as f64)
        }
        F::Sum => number((count > 0.0).then(|| numbers.iter().sum())),
        F::Avg => number((count > 0.0).then(|| numbers.iter().sum::<f64>() / count)),
        F::Min => number(numbers.into_iter().reduce(f64::min)),
        F::Max => number(numbers.into_iter().reduce(f64::max)),
        F::Stddev => number((count > 0.0).then(|| {
            let mean = numbers.iter().sum::<f64>() / count;
            (numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / count).sqrt()
        })),
        F::Pct => {
            let mut sorted = numbers;
            sorted.sort_by(f64::total_cmp);
            let rank = (aggregate.percent / 100.0 * count).ceil() as usize;
            number(sorted.get(rank.saturating_sub(1)).copied())
        }
        F::Earliest | F::Latest => {
            set.sort_by_key(|(row, _)| row.position);
            let found = if aggregate.function == F::Earliest { set.first() } else { set.last() };
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        }
        F::SortsFirst | F::SortsLast => {
            set.sort_by(|(_, left), (_, right)| left.sort_key().cmp(&right.sort_key()));
            let found = if aggregate.function == F::SortsFirst { set.first() } else { set.last() };
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        }
    }
}
