//! The states of many cells (a group in a time bucket), state by state, so that each is filled by a loop of its own
//! over a batch. Called by `one_pass.rs`; the same states as the engine's aggregates give.

use std::ops::Range;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};

use super::plan::StateKind;
use super::rollup::State;
use crate::functions::distinct::Distinct;
use crate::functions::sketch::Sketch;

/// Rows of a batch, one after the other, that belong to one cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) cell: u32,
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// The cells of a batch's rows.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rows<'a> {
    /// Without breakdowns, runs are long.
    Runs(&'a [Run]),
    /// With breakdowns they are not: a loop over rows has no branch at the end of each run to guess.
    Each(&'a [u32]),
}

impl Rows<'_> {
    fn for_each(self, mut visit: impl FnMut(usize, usize)) {
        match self {
            Self::Runs(runs) => {
                for run in runs {
                    (run.start as usize..run.end as usize).for_each(|row| visit(run.cell as usize, row));
                }
            }
            Self::Each(cells) => {
                cells.iter().enumerate().for_each(|(row, cell)| visit(*cell as usize, row));
            }
        }
    }

    fn for_each_run(self, mut visit: impl FnMut(usize, Range<usize>)) {
        match self {
            Self::Runs(runs) => {
                runs.iter().for_each(|run| visit(run.cell as usize, run.start as usize..run.end as usize));
            }
            Self::Each(cells) => {
                let mut start = 0;
                for run in cells.chunk_by(|a, b| a == b) {
                    visit(run[0] as usize, start..start + run.len());
                    start += run.len();
                }
            }
        }
    }
}

/// The arrays of one state's inputs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inputs<'a> {
    pub(crate) value: Option<&'a ArrayRef>,
    pub(crate) weight: Option<&'a ArrayRef>,
    pub(crate) filter: Option<&'a BooleanArray>,
}

/// One state of every cell.
#[derive(Debug)]
pub(crate) enum Cells {
    /// Weights are whole, so that their sum is exact.
    Weight(Vec<i64>),
    Sum(Vec<Option<f64>>),
    Min(Vec<Option<f64>>),
    Max(Vec<Option<f64>>),
    Sketch(Vec<Sketch>),
    Distinct(Vec<Distinct>),
}

impl Cells {
    /// `None` for a kind that only the engine computes.
    pub(crate) fn new(kind: StateKind, has_value: bool) -> Option<Self> {
        Some(match (kind, has_value) {
            (StateKind::Sum, false) => Self::Weight(Vec::new()),
            (StateKind::Sum, true) => Self::Sum(Vec::new()),
            (StateKind::Min, _) => Self::Min(Vec::new()),
            (StateKind::Max, _) => Self::Max(Vec::new()),
            (StateKind::Sketch, _) => Self::Sketch(Vec::new()),
            (StateKind::Distinct, _) => Self::Distinct(Vec::new()),
            (StateKind::Running, _) => return None,
        })
    }

    /// The state of a cell; what was there is gone.
    pub(crate) fn take(&mut self, cell: usize) -> State {
        match self {
            Self::Weight(sums) => State::Sum(Some(sums[cell] as f64)),
            Self::Sum(sums) => State::Sum(sums[cell]),
            Self::Min(values) => State::Min(values[cell]),
            Self::Max(values) => State::Max(values[cell]),
            Self::Sketch(sketches) => State::Sketch(Box::new(std::mem::take(&mut sketches[cell]))),
            Self::Distinct(counts) => State::Distinct(Box::new(std::mem::take(&mut counts[cell]))),
        }
    }

    /// Makes room for cells. Returns by how many bytes the state grew.
    pub(crate) fn reach(&mut self, cell_count: usize) -> usize {
        fn resize<T: Default>(cells: &mut Vec<T>, cell_count: usize) -> usize {
            let before = cells.capacity();
            cells.resize_with(cell_count, T::default);
            (cells.capacity() - before) * size_of::<T>()
        }
        match self {
            Self::Weight(cells) => resize(cells, cell_count),
            Self::Sum(cells) | Self::Min(cells) | Self::Max(cells) => resize(cells, cell_count),
            Self::Sketch(cells) => resize(cells, cell_count),
            Self::Distinct(cells) => resize(cells, cell_count),
        }
    }

    /// Adds the rows of a batch. Returns by how many bytes the states grew.
    pub(crate) fn add(&mut self, rows: Rows<'_>, inputs: Inputs<'_>) -> usize {
        let weights = inputs.weight.map(|weight| weight.as_primitive::<Int64Type>());
        match self {
            Self::Weight(sums) => {
                add_weights(sums, rows, weights, inputs.filter);
                0
            }
            Self::Sum(sums) => {
                each_value(rows, inputs, |cell, value, row| {
                    let weighted = match weights {
                        None => value,
                        Some(weights) if weights.is_null(row) => return,
                        Some(weights) => value * weights.value(row) as f64,
                    };
                    sums[cell] = Some(sums[cell].unwrap_or(0.0) + weighted);
                });
                0
            }
            // What cannot be compared replaces what is there, as the engine has it.
            Self::Min(lowest) => {
                each_value(rows, inputs, |cell, value, _| {
                    if !lowest[cell].is_some_and(|lowest| lowest <= value) {
                        lowest[cell] = Some(value);
                    }
                });
                0
            }
            Self::Max(highest) => {
                each_value(rows, inputs, |cell, value, _| {
                    if !highest[cell].is_some_and(|highest| highest >= value) {
                        highest[cell] = Some(value);
                    }
                });
                0
            }
            Self::Sketch(sketches) => add_to_sketches(sketches, rows, inputs, weights),
            Self::Distinct(counts) => {
                let mut grown = 0;
                let Some(array) = inputs.value else { return 0 };
                rows.for_each_run(|cell, run| grown += counts[cell].add_rows(array, run, inputs.filter));
                grown
            }
        }
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

fn add_weights(
    sums: &mut [i64],
    rows: Rows<'_>,
    weights: Option<&Int64Array>,
    filter: Option<&BooleanArray>,
) {
    let plain = weights.is_none_or(|weights| weights.null_count() == 0);
    match (rows, weights, filter) {
        (Rows::Runs(runs), None, None) => {
            for run in runs {
                let sum = &mut sums[run.cell as usize];
                *sum = sum.wrapping_add(i64::from(run.end - run.start));
            }
        }
        (Rows::Runs(runs), Some(weights), None) if plain => {
            for run in runs {
                let own = &weights.values()[run.start as usize..run.end as usize];
                let own = own.iter().fold(0_i64, |sum, weight| sum.wrapping_add(*weight));
                let sum = &mut sums[run.cell as usize];
                *sum = sum.wrapping_add(own);
            }
        }
        (Rows::Each(cells), Some(weights), None) if plain => {
            for (cell, weight) in cells.iter().zip(weights.values()) {
                let sum = &mut sums[*cell as usize];
                *sum = sum.wrapping_add(*weight);
            }
        }
        _ => rows.for_each(|cell, row| {
            if passes(filter, row) {
                let weight = match weights {
                    None => 1,
                    Some(weights) if weights.is_null(row) => 0,
                    Some(weights) => weights.value(row),
                };
                sums[cell] = sums[cell].wrapping_add(weight);
            }
        }),
    }
}

/// Calls `visit(cell, value, row)` for each value that is there and counts.
#[inline]
fn each_value(rows: Rows<'_>, inputs: Inputs<'_>, mut visit: impl FnMut(usize, f64, usize)) {
    let Some(values) = inputs.value.map(|value| value.as_primitive::<Float64Type>()) else { return };
    rows.for_each(|cell, row| {
        if values.is_valid(row) && passes(inputs.filter, row) {
            visit(cell, values.value(row), row);
        }
    });
}

fn add_to_sketches(
    sketches: &mut [Sketch],
    rows: Rows<'_>,
    inputs: Inputs<'_>,
    weights: Option<&Int64Array>,
) -> usize {
    let once = weights.is_none_or(|weights| {
        weights.null_count() == 0 && weights.values().iter().all(|weight| *weight == 1)
    });
    let mut grown = 0;
    let values: Option<&Float64Array> = inputs.value.map(|value| value.as_primitive::<Float64Type>());
    match (rows, values, inputs.filter) {
        (Rows::Runs(runs), Some(values), None) if once => {
            let nulls = values.nulls().filter(|nulls| nulls.null_count() > 0);
            for run in runs {
                let (start, end) = (run.start as usize, run.end as usize);
                let sketch = &mut sketches[run.cell as usize];
                match nulls {
                    None => grown += sketch.add_all(values.values()[start..end].iter().copied()),
                    Some(nulls) => {
                        let valid = (start..end).filter(|row| nulls.is_valid(*row));
                        grown += sketch.add_all(valid.map(|row| values.value(row)));
                    }
                }
            }
        }
        (Rows::Each(_), Some(_), None) if once => {
            each_value(rows, inputs, |cell, value, _| grown += sketches[cell].add(value, 1));
        }
        _ => each_value(rows, inputs, |cell, value, row| {
            let weight = match weights {
                Some(weights) if weights.is_valid(row) => weights.value(row).max(0) as u64,
                _ => 1,
            };
            grown += sketches[cell].add(value, weight);
        }),
    }
    grown
}
