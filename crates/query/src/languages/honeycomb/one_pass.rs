//! The roll-up of a query in one pass over its events: each partition numbers its groups and time buckets densely and
//! fills their states with plain loops, and the partitions' states are handed on to `rollup.rs`. Called by `run.rs`
//! before the engine's own aggregation, which is several times slower but bounded by no number of groups.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use datafusion::common::runtime::SpawnedTask;
use datafusion::dataframe::DataFrame;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::logical_expr::{Expr, ident, lit};
use datafusion::physical_plan::ExecutionPlanProperties;
use futures::StreamExt;

use super::cells::{Cells, Inputs, Rows, Run};
use super::grouping::Grouping;
use super::plan::{Buckets, StateInput, StateKind};
use super::rollup::Cell;
use super::run::rows_scanned;
use crate::QueryError;

/// Groups times buckets of one partition. With more, hashing is no longer what a query costs, and the engine's
/// aggregation takes over.
const CELLS_MAX: usize = 200_000;
/// Buckets have a list of groups each, so both together are bounded as well.
const SLOTS_MAX: usize = 4_000_000;

pub(crate) struct OnePass<'a> {
    pub(crate) keys: &'a [Expr],
    /// `None` when only the whole time is asked for.
    pub(crate) buckets: Option<Buckets>,
    pub(crate) kinds: &'a [StateKind],
    pub(crate) inputs: &'a [StateInput],
    /// Groups times buckets that may be held.
    pub(crate) cells_max: usize,
}

pub(crate) struct OnePassStates {
    /// A row for each group.
    pub(crate) keys: Vec<ArrayRef>,
    pub(crate) cells: Vec<Cell>,
    pub(crate) rows_examined: u64,
    /// What the cells take of the queries' memory, until they are rendered.
    pub(crate) reservations: Vec<MemoryReservation>,
}

/// Which column of the scan holds what.
#[derive(Debug, Clone)]
struct Layout {
    keys: Vec<usize>,
    time: Option<(usize, Buckets)>,
    /// Value, weight and filter of each state.
    states: Vec<(Option<usize>, Option<usize>, Option<usize>)>,
    kinds: Vec<StateKind>,
    cells_max: usize,
}

impl OnePass<'_> {
    /// `None` when a state, a type or the number of groups is beyond this way, or memory is short.
    pub(crate) async fn run(&self, frame: &DataFrame) -> Result<Option<OnePassStates>, QueryError> {
        let mut columns: Vec<Expr> = Vec::new();
        let mut position = |expr: &Expr| {
            columns.iter().position(|known| known == expr).unwrap_or_else(|| {
                columns.push(expr.clone());
                columns.len() - 1
            })
        };
        let layout = Layout {
            keys: self.keys.iter().map(&mut position).collect(),
            time: self.buckets.map(|buckets| (position(&ident("#time")), buckets)),
            states: self
                .inputs
                .iter()
                .map(|input| {
                    let mut position = |expr: &Option<Expr>| expr.as_ref().map(&mut position);
                    (position(&input.value), position(&input.weight), position(&input.filter))
                })
                .collect(),
            kinds: self.kinds.to_vec(),
            cells_max: self.cells_max.min(CELLS_MAX),
        };
        if columns.is_empty() {
            columns.push(lit(0_i64));
        }
        let named = columns.into_iter().enumerate().map(|(i, column)| column.alias(format!("input{i}")));
        let frame = frame.clone().select(named.collect::<Vec<_>>())?;
        let task = Arc::new(frame.task_ctx());
        let plan = frame.create_physical_plan().await?;
        let types: Vec<DataType> =
            plan.schema().fields().iter().map(|field| field.data_type().clone()).collect();
        let Some(mut whole) = Partial::new(&layout, &types) else { return Ok(None) };
        let mut tasks = Vec::new();
        for partition in 0..plan.output_partitioning().partition_count() {
            let Some(partial) = Partial::new(&layout, &types) else { return Ok(None) };
            let reservation = MemoryConsumer::new("roll-up").register(task.memory_pool());
            let stream = plan.execute(partition, Arc::clone(&task))?;
            tasks.push(SpawnedTask::spawn(partial.fill(stream, reservation)));
        }
        let mut cells = Vec::new();
        let mut reservations = Vec::new();
        for task in tasks {
            let filled = match task.join().await {
                Ok(filled) => filled?,
                Err(error) => return Err(QueryError::Store(format!("a roll-up failed: {error}"))),
            };
            let Some((mut partial, reservation)) = filled else { return Ok(None) };
            let groups = whole.grouping.absorb(&partial.grouping);
            cells.extend(partial.cells(&groups));
            reservations.push(reservation);
            if cells.len() > self.cells_max {
                return Ok(None);
            }
        }
        let rows_examined = rows_scanned(&plan).unwrap_or(0);
        Ok(Some(OnePassStates { keys: whole.grouping.values(), cells, rows_examined, reservations }))
    }
}

/// What one partition has found.
struct Partial {
    layout: Layout,
    grouping: Grouping,
    states: Vec<Cells>,
    /// By bucket and group the number of the cell plus one; 0 is none.
    slots: Vec<Vec<u32>>,
    slot_count: usize,
    /// Group and bucket of each cell.
    places: Vec<(u32, u32)>,
    groups: Vec<u32>,
    /// The rows of the batch: in runs without breakdowns, else the cell of each.
    runs: Vec<Run>,
    row_cells: Vec<u32>,
}

impl Partial {
    fn new(layout: &Layout, types: &[DataType]) -> Option<Self> {
        let keys: Vec<DataType> = layout.keys.iter().map(|column| types[*column].clone()).collect();
        let grouping = Grouping::new(&keys)?;
        if let Some((time, buckets)) = &layout.time
            && (types[*time] != DataType::Timestamp(TimeUnit::Nanosecond, None) || buckets.step_s < 1)
        {
            return None;
        }
        let mut states = Vec::with_capacity(layout.states.len());
        for ((value, weight, filter), kind) in layout.states.iter().zip(&layout.kinds) {
            let is = |column: &Option<usize>, wanted: &[DataType]| {
                column.is_none_or(|column| wanted.contains(&types[column]))
            };
            let values: &[DataType] = match kind {
                StateKind::Distinct => {
                    &[DataType::Utf8View, DataType::Int64, DataType::Float64, DataType::Boolean]
                }
                _ => &[DataType::Float64],
            };
            if !is(value, values) || !is(weight, &[DataType::Int64]) || !is(filter, &[DataType::Boolean]) {
                return None;
            }
            states.push(Cells::new(*kind, value.is_some())?);
        }
        Some(Self {
            layout: layout.clone(),
            grouping,
            states,
            slots: Vec::new(),
            slot_count: 0,
            places: Vec::new(),
            groups: Vec::new(),
            runs: Vec::new(),
            row_cells: Vec::new(),
        })
    }

    /// Reads a partition to its end; `None` when it has too many cells or there is no memory for them.
    async fn fill(
        mut self,
        mut stream: SendableRecordBatchStream,
        reservation: MemoryReservation,
    ) -> Result<Option<(Self, MemoryReservation)>, QueryError> {
        let mut keys_counted = 0;
        while let Some(batch) = stream.next().await {
            let Some(grown) = self.add(&batch?) else { return Ok(None) };
            let keys = self.grouping.byte_count();
            // The engine's aggregation may still have a way, on disk or in several passes; if not, it says so.
            if reservation.try_grow(grown + keys.saturating_sub(keys_counted)).is_err() {
                return Ok(None);
            }
            keys_counted = keys;
        }
        Ok(Some((self, reservation)))
    }

    /// Returns by how many bytes the states grew.
    fn add(&mut self, batch: &RecordBatch) -> Option<usize> {
        let keys: Vec<ArrayRef> =
            self.layout.keys.iter().map(|column| Arc::clone(batch.column(*column))).collect();
        self.grouping.assign(&keys, &mut self.groups);
        let (cells_before, slots_before) = (self.places.len(), self.slot_count);
        self.find_cells(batch)?;
        let mut grown = (self.places.len() - cells_before) * 8 + (self.slot_count - slots_before) * 4;
        let rows = if keys.is_empty() { Rows::Runs(&self.runs) } else { Rows::Each(&self.row_cells) };
        for (cells, (value, weight, filter)) in self.states.iter_mut().zip(&self.layout.states) {
            let inputs = Inputs {
                value: value.map(|column| batch.column(column)),
                weight: weight.map(|column| batch.column(column)),
                filter: filter.map(|column| batch.column(column).as_boolean()),
            };
            grown += cells.reach(self.places.len());
            grown += cells.add(rows, inputs);
        }
        Some(grown)
    }

    /// Finds the cells of the batch's rows. `None` when there are too many cells.
    fn find_cells(&mut self, batch: &RecordBatch) -> Option<()> {
        self.runs.clear();
        self.row_cells.clear();
        let row_count = batch.num_rows();
        let Some((time, buckets)) = self.layout.time else {
            return self.cells_in(0, 0, row_count);
        };
        let times = batch.column(time).as_primitive::<TimestampNanosecondType>().values();
        let (origin_ns, step_ns) = buckets.ns();
        let mut start = 0;
        while start < row_count {
            // Those before the first bucket are in it too, and none is at or after the last one's end.
            let bucket = (times[start].saturating_sub(origin_ns).max(0) / step_ns).min(buckets.count.max(1));
            let from = if bucket == 0 { i64::MIN } else { origin_ns.saturating_add(bucket * step_ns) };
            let until = origin_ns.saturating_add((bucket + 1).saturating_mul(step_ns));
            let rest = times[start + 1..].iter().position(|time| *time < from || *time >= until);
            let end = rest.map_or(row_count, |rows| start + 1 + rows);
            self.cells_in(u32::try_from(bucket).ok()?, start, end)?;
            start = end;
        }
        Some(())
    }

    /// The cells of rows that are in one bucket.
    fn cells_in(&mut self, bucket: u32, start: usize, end: usize) -> Option<()> {
        if self.slots.len() <= bucket as usize {
            self.slots.resize_with(bucket as usize + 1, Vec::new);
        }
        let slots = &mut self.slots[bucket as usize];
        let wanted = self.grouping.group_count();
        if slots.len() < wanted {
            self.slot_count += wanted - slots.len();
            slots.resize(wanted, 0);
        }
        if self.slot_count > SLOTS_MAX {
            return None;
        }
        let mut cell_of = |group: u32| {
            let slot = &mut slots[group as usize];
            if *slot == 0 {
                self.places.push((group, bucket));
                *slot = self.places.len() as u32;
            }
            *slot - 1
        };
        if self.layout.keys.is_empty() {
            if start < end {
                let cell = cell_of(0);
                self.runs.push(Run { cell, start: start as u32, end: end as u32 });
            }
            return Some(());
        }
        let groups = &self.groups[start..end];
        self.row_cells.extend(groups.iter().map(|group| cell_of(*group)));
        (self.places.len() <= self.layout.cells_max).then_some(())
    }

    /// What was found, under the numbers that the groups have elsewhere.
    fn cells(&mut self, groups: &[u32]) -> Vec<Cell> {
        let places = std::mem::take(&mut self.places);
        places
            .into_iter()
            .enumerate()
            .map(|(cell, (group, bucket))| Cell {
                group: groups[group as usize],
                bucket: i64::from(bucket),
                states: self.states.iter_mut().map(|states| states.take(cell)).collect(),
            })
            .collect()
    }
}
