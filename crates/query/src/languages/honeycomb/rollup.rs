//! Merges what the engine answered (one row per group and time bucket, holding states) into one set of states per
//! group, per bucket, and for everything together. One pass over the data thus gives rows, series, totals and rest.

use std::collections::BTreeMap;
use std::sync::Arc;

use ahash::HashMap;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::arrow::row::{RowConverter, SortField};

use super::many_groups::key_name;
use super::plan::{CalculationPlan, StateKind};
use crate::QueryError;
use crate::functions::concurrency::Ends;
use crate::functions::distinct::Distinct;
use crate::functions::sketch::Sketch;

/// One aggregate's state, in memory.
#[derive(Debug, Clone)]
pub(crate) enum State {
    Sum(Option<f64>),
    Min(Option<f64>),
    Max(Option<f64>),
    Sketch(Box<Sketch>),
    Distinct(Box<Distinct>),
    /// By how much the number of running spans changes, by bucket.
    #[expect(
        clippy::box_collection,
        reason = "a state is kept for every group: this one is rare and would set the size of all"
    )]
    Running(Box<BTreeMap<i64, f64>>),
}

/// Where the states of one group and bucket are.
#[derive(Clone, Copy)]
enum Found<'a> {
    /// In a row of the engine's answer, as bytes.
    Row(&'a RecordBatch, usize),
    Held(&'a States),
}

/// The states of one group in one bucket, as [`super::one_pass`] finds them.
pub(crate) struct Cell {
    pub(crate) group: u32,
    pub(crate) bucket: i64,
    pub(crate) states: States,
}

impl State {
    fn new(kind: StateKind) -> Self {
        match kind {
            StateKind::Sum => Self::Sum(None),
            StateKind::Min => Self::Min(None),
            StateKind::Max => Self::Max(None),
            StateKind::Sketch => Self::Sketch(Box::default()),
            StateKind::Distinct => Self::Distinct(Box::default()),
            StateKind::Running => Self::Running(Box::default()),
        }
    }

    fn absorb(&mut self, array: &ArrayRef, row: usize, bucket: i64) -> Result<(), QueryError> {
        if array.is_null(row) {
            return Ok(());
        }
        match self {
            State::Sum(sum) => *sum = Some(sum.unwrap_or(0.0) + number(array, row)?),
            State::Min(min) => {
                *min = Some(min.map_or(number(array, row)?, |min| min.min(number_or_nan(array, row))))
            }
            State::Max(max) => {
                *max = Some(max.map_or(number(array, row)?, |max| max.max(number_or_nan(array, row))))
            }
            State::Sketch(sketch) => sketch.absorb(bytes(array, row)?).ok_or_else(bad_state)?,
            State::Distinct(distinct) => distinct.absorb(bytes(array, row)?).ok_or_else(bad_state)?,

            State::Running(changes) => {
                for (last, weight) in Ends::decode(bytes(array, row)?).ok_or_else(bad_state)?.0 {
                    *changes.entry(bucket).or_default() += weight as f64;
                    *changes.entry(last.max(bucket) + 1).or_default() -= weight as f64;
                }
            }
        }
        Ok(())
    }
}

impl State {
    fn merge(&mut self, other: &State) {
        match (self, other) {
            (State::Sum(a), State::Sum(Some(b))) => *a = Some(a.unwrap_or(0.0) + b),
            (State::Min(a), State::Min(Some(b))) => *a = Some(a.map_or(*b, |a| a.min(*b))),
            (State::Max(a), State::Max(Some(b))) => *a = Some(a.map_or(*b, |a| a.max(*b))),
            (State::Sketch(a), State::Sketch(b)) => a.merge(b),
            (State::Distinct(a), State::Distinct(b)) => a.merge(b),
            (State::Running(a), State::Running(b)) => {
                b.iter().for_each(|(bucket, change)| *a.entry(*bucket).or_default() += change);
            }
            // Sums, minima and maxima of nothing change nothing; the kinds are the same by position.
            _ => {}
        }
    }
}

fn bad_state() -> QueryError {
    QueryError::Store("an aggregate's state cannot be read".to_owned())
}

fn number(array: &ArrayRef, row: usize) -> Result<f64, QueryError> {
    match array.data_type() {
        DataType::Int64 => Ok(array.as_primitive::<Int64Type>().value(row) as f64),
        DataType::Float64 => Ok(array.as_primitive::<Float64Type>().value(row)),
        _ => Err(bad_state()),
    }
}

fn number_or_nan(array: &ArrayRef, row: usize) -> f64 {
    number(array, row).unwrap_or(f64::NAN)
}

fn bytes(array: &ArrayRef, row: usize) -> Result<&[u8], QueryError> {
    array.as_binary_opt::<i32>().map(|array| array.value(row)).ok_or_else(bad_state)
}

/// States of everything, of one group or of one bucket, in the order of the aggregates.
pub(crate) type States = Vec<State>;

/// The engine's answer, with its rows told apart by group.
pub(crate) struct Rollup {
    kinds: Vec<StateKind>,
    batches: Vec<RecordBatch>,
    key_count: usize,
    /// The column of the time bucket, when there is one, follows the keys.
    bucketed: bool,
    /// For each batch and row, its group.
    group_of: Vec<Vec<u32>>,
    /// For each group, a batch and row that shows its keys.
    samples: Vec<(u32, u32)>,
    /// Comparable form of each group's keys.
    pub(crate) sort_keys: Vec<Box<[u8]>>,
    /// What was found without the engine's aggregates; then `batches` has only the keys. A group and bucket may have
    /// several.
    cells: Vec<Cell>,
}

impl Rollup {
    /// `batches` have `key_count` key columns, then the bucket if `bucketed`, then one column per kind.
    pub(crate) fn new(
        batches: Vec<RecordBatch>,
        key_count: usize,
        bucketed: bool,
        kinds: Vec<StateKind>,
    ) -> Result<Self, QueryError> {
        let mut rollup = Self {
            kinds,
            batches,
            key_count,
            bucketed,
            group_of: vec![],
            samples: vec![],
            sort_keys: vec![],
            cells: vec![],
        };
        if key_count == 0 {
            rollup.group_of = rollup.batches.iter().map(|batch| vec![0; batch.num_rows()]).collect();
            rollup.samples.push((0, 0));
            rollup.sort_keys.push(Box::default());
            return Ok(rollup);
        }
        let mut groups: HashMap<Box<[u8]>, u32> = HashMap::default();
        let Some(first) = rollup.batches.first() else { return Ok(rollup) };
        let fields =
            first.columns()[..key_count].iter().map(|key| SortField::new(key.data_type().clone())).collect();
        let converter = RowConverter::new(fields)?;
        for (batch_idx, batch) in rollup.batches.iter().enumerate() {
            let rows = converter.convert_columns(&batch.columns()[..key_count])?;
            let mut group_of = Vec::with_capacity(batch.num_rows());
            for (row_idx, row) in rows.iter().enumerate() {
                let group = match groups.get(row.as_ref()) {
                    Some(group) => *group,
                    None => {
                        let group = rollup.samples.len() as u32;
                        rollup.samples.push((batch_idx as u32, row_idx as u32));
                        rollup.sort_keys.push(row.as_ref().into());
                        groups.insert(row.as_ref().into(), group);
                        group
                    }
                };
                group_of.push(group);
            }
            rollup.group_of.push(group_of);
        }
        Ok(rollup)
    }

    /// From states in memory. `keys` has a row for each group.
    pub(crate) fn of_cells(
        keys: Vec<ArrayRef>,
        bucketed: bool,
        kinds: Vec<StateKind>,
        cells: Vec<Cell>,
    ) -> Result<Self, QueryError> {
        let key_count = keys.len();
        let batches = match keys.first() {
            None => vec![],
            Some(_) => {
                let names = keys.iter().enumerate().map(|(i, key)| (key_name(i), Arc::clone(key), true));
                vec![RecordBatch::try_from_iter_with_nullable(names)?]
            }
        };
        // The keys of different groups differ, so that each row makes its group, in order.
        let mut rollup = Self::new(batches, key_count, bucketed, kinds)?;
        rollup.group_of = vec![];
        rollup.cells = cells;
        Ok(rollup)
    }

    pub(crate) fn group_count(&self) -> usize {
        self.samples.len()
    }

    /// The array and row that hold a group's key.
    pub(crate) fn key(&self, group: usize, key: usize) -> (&ArrayRef, usize) {
        let (batch, row) = self.samples[group];
        (self.batches[batch as usize].column(key), row as usize)
    }

    pub(crate) fn empty(&self) -> States {
        self.kinds.iter().map(|kind| State::new(*kind)).collect()
    }

    fn absorb(&self, states: &mut States, found: Found<'_>, bucket: i64) -> Result<(), QueryError> {
        match found {
            Found::Row(batch, row) => {
                let first = self.key_count + usize::from(self.bucketed);
                states
                    .iter_mut()
                    .enumerate()
                    .try_for_each(|(i, state)| state.absorb(batch.column(first + i), row, bucket))
            }
            Found::Held(held) => {
                states.iter_mut().zip(held).for_each(|(state, held)| state.merge(held));
                Ok(())
            }
        }
    }

    fn for_each(
        &self,
        mut visit: impl FnMut(usize, i64, Found<'_>) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        for cell in &self.cells {
            visit(cell.group as usize, cell.bucket, Found::Held(&cell.states))?;
        }
        for (batch, groups) in self.batches.iter().zip(&self.group_of) {
            let buckets = self.bucketed.then(|| batch.column(self.key_count).as_primitive::<Int64Type>());
            for (row, group) in groups.iter().enumerate() {
                let bucket = buckets.map_or(0, |buckets| buckets.value(row));
                visit(*group as usize, bucket, Found::Row(batch, row))?;
            }
        }
        Ok(())
    }

    /// The states of every group over the whole time.
    pub(crate) fn by_group(&self) -> Result<Vec<States>, QueryError> {
        let mut groups: Vec<States> = (0..self.group_count()).map(|_| self.empty()).collect();
        self.for_each(|group, bucket, found| self.absorb(&mut groups[group], found, bucket))?;
        Ok(groups)
    }

    /// The states of several groups together.
    pub(crate) fn together<'a>(&self, groups: impl Iterator<Item = &'a States>) -> States {
        let mut together = self.empty();
        for states in groups {
            together.iter_mut().zip(states).for_each(|(state, other)| state.merge(other));
        }
        together
    }

    /// States by bucket: of each chosen group by its number, or of all together when `merge` is set (as group 0).
    pub(crate) fn by_bucket(
        &self,
        chosen: impl Fn(usize) -> bool,
        merge: bool,
    ) -> Result<HashMap<usize, BTreeMap<i64, States>>, QueryError> {
        let mut groups: HashMap<usize, BTreeMap<i64, States>> = HashMap::default();
        self.for_each(|group, bucket, found| {
            if !chosen(group) {
                return Ok(());
            }
            let group = if merge { 0 } else { group };
            let states = groups.entry(group).or_default().entry(bucket).or_insert_with(|| self.empty());
            self.absorb(states, found, bucket)
        })?;
        Ok(groups)
    }
}

/// How many spans were running in each bucket, from the changes of all buckets; only buckets with any.
pub(crate) fn running(changes: &BTreeMap<i64, f64>, bucket_count: i64) -> BTreeMap<i64, f64> {
    let mut series = BTreeMap::new();
    let mut current = 0.0;
    let mut steps = changes.iter().peekable();
    while let Some((bucket, change)) = steps.next() {
        current += change;
        let until = steps.peek().map_or(bucket_count, |(next, _)| **next).min(bucket_count);
        if current > 0.0 {
            series.extend((*bucket..until).map(|bucket| (bucket, current)));
        }
    }
    series
}

impl CalculationPlan {
    /// The value over the whole of the states. Rates have none; a heatmap is not a number.
    pub(crate) fn value(&self, states: &States, bucket_count: i64) -> Option<f64> {
        match (self, &states[self.state()]) {
            (Self::Count(_), State::Sum(sum)) => Some(sum.unwrap_or(0.0)),
            (Self::Sum(..), State::Sum(sum)) => *sum,
            (Self::Avg { weight, .. }, State::Sum(sum)) => match states[*weight] {
                State::Sum(Some(weight)) if weight > 0.0 => Some((*sum)? / weight),
                _ => None,
            },
            (Self::Min(..), State::Min(value)) | (Self::Max(..), State::Max(value)) => *value,
            (Self::Distinct(_), State::Distinct(distinct)) => Some(distinct.count() as f64),
            (Self::Quantile(_, quantile), State::Sketch(sketch)) => sketch.quantile(*quantile),
            (Self::Running(_), State::Running(changes)) => {
                Some(running(changes, bucket_count).into_values().fold(0.0, f64::max))
            }
            _ => None,
        }
        .filter(|value| value.is_finite())
    }

    /// The position of the (first) state it reads.
    pub(crate) fn state(&self) -> usize {
        match self {
            Self::Count(state)
            | Self::Sum(state, _)
            | Self::Avg { sum: state, .. }
            | Self::Min(state, _)
            | Self::Max(state, _)
            | Self::Distinct(state)
            | Self::Quantile(state, _)
            | Self::Heatmap(state)
            | Self::Running(state) => *state,
            Self::Rate(inner) => inner.state(),
        }
    }
}
