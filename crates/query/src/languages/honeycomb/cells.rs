//! The states of many cells (a group in a time bucket), state by state, so that each is filled by a loop of its own
//! over the runs of a batch. Called by `one_pass.rs`; the same states as the engine's aggregates give.

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

    /// Adds the rows of the runs. Returns by how many bytes the states grew.
    pub(crate) fn add(&mut self, runs: &[Run], inputs: Inputs<'_>) -> usize {
        let weights = inputs.weight.map(|weight| weight.as_primitive::<Int64Type>());
        match self {
            Self::Weight(sums) => {
                add_weights(sums, runs, weights, inputs.filter);
                0
            }
            Self::Sum(sums) => {
                each_value(runs, inputs, |cell, value, row| {
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
                each_value(runs, inputs, |cell, value, _| {
                    if !lowest[cell].is_some_and(|lowest| lowest <= value) {
                        lowest[cell] = Some(value);
                    }
                });
                0
            }
            Self::Max(highest) => {
                each_value(runs, inputs, |cell, value, _| {
                    if !highest[cell].is_some_and(|highest| highest >= value) {
                        highest[cell] = Some(value);
                    }
                });
                0
            }
            Self::Sketch(sketches) => add_to_sketches(sketches, runs, inputs, weights),
            Self::Distinct(counts) => {
                let mut grown = 0;
                let Some(array) = inputs.value else { return 0 };
                for run in runs {
                    let (start, end) = (run.start as usize, run.end as usize);
                    grown += counts[run.cell as usize].add_rows(array, start..end, inputs.filter);
                }
                grown
            }
        }
    }
}

fn passes(filter: Option<&BooleanArray>, row: usize) -> bool {
    filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row))
}

fn add_weights(sums: &mut [i64], runs: &[Run], weights: Option<&Int64Array>, filter: Option<&BooleanArray>) {
    let plain = weights.is_none_or(|weights| weights.null_count() == 0);
    for run in runs {
        let (start, end) = (run.start as usize, run.end as usize);
        let sum = match (weights, filter) {
            (None, None) => (end - start) as i64,
            (Some(weights), None) if plain => {
                weights.values()[start..end].iter().fold(0_i64, |sum, weight| sum.wrapping_add(*weight))
            }
            _ => (start..end).filter(|row| passes(filter, *row)).fold(0_i64, |sum, row| {
                sum.wrapping_add(match weights {
                    None => 1,
                    Some(weights) if weights.is_null(row) => 0,
                    Some(weights) => weights.value(row),
                })
            }),
        };
        let cell = &mut sums[run.cell as usize];
        *cell = cell.wrapping_add(sum);
    }
}

/// Calls `visit(cell, value, row)` for each value that is there and counts.
#[inline]
fn each_value(runs: &[Run], inputs: Inputs<'_>, mut visit: impl FnMut(usize, f64, usize)) {
    let Some(values) = inputs.value.map(|value| value.as_primitive::<Float64Type>()) else { return };
    for run in runs {
        for row in run.start as usize..run.end as usize {
            if values.is_valid(row) && passes(inputs.filter, row) {
                visit(run.cell as usize, values.value(row), row);
            }
        }
    }
}

fn add_to_sketches(
    sketches: &mut [Sketch],
    runs: &[Run],
    inputs: Inputs<'_>,
    weights: Option<&Int64Array>,
) -> usize {
    let once = weights.is_none_or(|weights| {
        weights.null_count() == 0 && weights.values().iter().all(|weight| *weight == 1)
    });
    let mut grown = 0;
    let values: Option<&Float64Array> = inputs.value.map(|value| value.as_primitive::<Float64Type>());
    match (values, inputs.filter) {
        (Some(values), None) if once => {
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
        _ => each_value(runs, inputs, |cell, value, row| {
            let weight = match weights {
                Some(weights) if weights.is_valid(row) => weights.value(row).max(0) as u64,
                _ => 1,
            };
            grown += sketches[cell].add(value, weight);
        }),
    }
    grown
}
