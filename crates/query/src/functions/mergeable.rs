//! One adapter for all aggregates whose result is their own state as bytes, so that the caller can merge results
//! further (buckets into totals, nodes into one answer). A new aggregate writes only its state and its inner loop.

use std::any::type_name;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::mem::size_of;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue, exec_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, EmitTo, GroupsAccumulator, Signature, Volatility,
};

/// A state that can be merged with others of its kind and travels as bytes.
pub(crate) trait Mergeable: Default + Send + Sync + Debug + 'static {
    /// Adds rows to the states of their groups. Returns by how many bytes the states grew.
    fn update(states: &mut [Self], values: &[ArrayRef], rows: Rows<'_>) -> Result<usize>;
    fn encode(&self, out: &mut Vec<u8>);
    /// Returns by how many bytes the state grew; `None` when the bytes are not a state of this kind.
    fn merge_encoded(&mut self, bytes: &[u8]) -> Option<usize>;
}

/// Which rows of a batch count, and for which group.
pub(crate) struct Rows<'a> {
    count: usize,
    groups: Option<&'a [usize]>,
    filter: Option<&'a BooleanArray>,
}

impl Rows<'_> {
    /// Calls `visit(row, group)` for every row that passes the filter.
    #[inline]
    pub(crate) fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        match (self.groups, self.filter) {
            (None, None) => (0..self.count).for_each(|row| visit(row, 0)),
            (Some(groups), None) => groups.iter().enumerate().for_each(|(row, group)| visit(row, *group)),
            (groups, Some(filter)) => {
                for row in 0..self.count {
                    if filter.is_valid(row) && filter.value(row) {
                        visit(row, groups.map_or(0, |groups| groups[row]));
                    }
                }
            }
        }
    }
}

/// The aggregate function over states `S`.
#[derive(Debug)]
pub(crate) struct StateAggregate<S> {
    name: &'static str,
    signature: Signature,
    state: PhantomData<fn() -> S>,
}

impl<S: Mergeable> StateAggregate<S> {
    pub(crate) fn udaf(name: &'static str, arguments: Vec<DataType>) -> AggregateUDF {
        Self::with_signature(name, Signature::exact(arguments, Volatility::Immutable))
    }

    pub(crate) fn with_signature(name: &'static str, signature: Signature) -> AggregateUDF {
        AggregateUDF::new_from_impl(Self { name, signature, state: PhantomData })
    }
}

impl<S> PartialEq for StateAggregate<S> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<S> Eq for StateAggregate<S> {}

impl<S> Hash for StateAggregate<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl<S: Mergeable> AggregateUDFImpl for StateAggregate<S> {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(DataType::Binary)
    }

    fn accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(OneState::<S> { state: [S::default()], heap_bytes: 0 }))
    }

    fn state_fields(&self, arguments: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(vec![Arc::new(Field::new(format!("{}[state]", arguments.name), DataType::Binary, true))])
    }

    fn groups_accumulator_supported(&self, _arguments: AccumulatorArgs) -> bool {
        true
    }

    fn create_groups_accumulator(&self, _arguments: AccumulatorArgs) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(ManyStates::<S> { states: Vec::new(), heap_bytes: 0 }))
    }
}

fn merge_into<S: Mergeable>(
    states: &mut [S],
    values: &[ArrayRef],
    group_of: impl Fn(usize) -> usize,
) -> Result<usize> {
    let encoded = values[0].as_binary::<i32>();
    let mut grown = 0;
    for row in 0..encoded.len() {
        if encoded.is_valid(row) {
            match states[group_of(row)].merge_encoded(encoded.value(row)) {
                Some(bytes) => grown += bytes,
                None => return exec_err!("cannot decode a state of {}", type_name::<S>()),
            }
        }
    }
    Ok(grown)
}

/// The aggregate without GROUP BY.
#[derive(Debug)]
struct OneState<S> {
    state: [S; 1],
    heap_bytes: usize,
}

impl<S: Mergeable> Accumulator for OneState<S> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = Rows { count: values[0].len(), groups: None, filter: None };
        self.heap_bytes += S::update(&mut self.state, values, rows)?;
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let mut bytes = Vec::new();
        self.state[0].encode(&mut bytes);
        Ok(ScalarValue::Binary(Some(bytes)))
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.heap_bytes
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.heap_bytes += merge_into(&mut self.state, states, |_| 0)?;
        Ok(())
    }
}

/// The aggregate with GROUP BY.
struct ManyStates<S> {
    states: Vec<S>,
    heap_bytes: usize,
}

impl<S: Mergeable> ManyStates<S> {
    fn reach(&mut self, group_count: usize) {
        if self.states.len() < group_count {
            self.states.resize_with(group_count, S::default);
        }
    }
}

impl<S: Mergeable> GroupsAccumulator for ManyStates<S> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        groups: &[usize],
        filter: Option<&BooleanArray>,
        group_count: usize,
    ) -> Result<()> {
        self.reach(group_count);
        let rows = Rows { count: groups.len(), groups: Some(groups), filter };
        self.heap_bytes += S::update(&mut self.states, values, rows)?;
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let before = self.states.len().max(1);
        let emitted = emit_to.take_needed(&mut self.states);
        self.heap_bytes -= (self.heap_bytes / before).saturating_mul(emitted.len()).min(self.heap_bytes);
        encode_all(&emitted)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn merge_batch(&mut self, values: &[ArrayRef], groups: &[usize], group_count: usize) -> Result<()> {
        self.reach(group_count);
        self.heap_bytes += merge_into(&mut self.states, values, |row| groups[row])?;
        Ok(())
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let count = values[0].len();
        let mut states = Vec::new();
        states.resize_with(count, S::default);
        let groups: Vec<usize> = (0..count).collect();
        S::update(&mut states, values, Rows { count, groups: Some(&groups), filter })?;
        Ok(vec![encode_all(&states)?])
    }

    fn size(&self) -> usize {
        self.states.capacity() * size_of::<S>() + self.heap_bytes
    }
}

fn encode_all<S: Mergeable>(states: &[S]) -> Result<ArrayRef> {
    let mut builder = BinaryBuilder::with_capacity(states.len(), states.len() * 32);
    let mut bytes = Vec::new();
    let mut total = 0_usize;
    for state in states {
        bytes.clear();
        state.encode(&mut bytes);
        total += bytes.len();
        if total > i32::MAX as usize {
            return datafusion::common::resources_err!("the groups' states are more than 2 GiB");
        }
        builder.append_value(&bytes);
    }
    Ok(Arc::new(builder.finish()))
}

/// Reads fixed-size numbers off the front of a byte slice.
pub(crate) fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*head)
}
