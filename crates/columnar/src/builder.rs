//! Records in, one Arrow batch out. A front door walks its payload once and calls the builder as it goes:
//! `begin_resource`, `begin_scope`, then for each record `begin_row`, setters and attributes. Resource and scope
//! attributes are written once for the whole run of rows they cover.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, FixedSizeBinaryArray, Float64Array, Int64Array, RecordBatch,
    TimestampNanosecondArray, UInt8Array,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer};
use arrow::datatypes::{DataType, Field, Schema};
use tracery_model::{Origin, Signal, Value, ValueType};

use crate::tail::TailObject;
use crate::text_column::TextColumn;
use crate::{ATTRIBUTE_COLUMNS_MAX, AttributeColumn, Fixed, TAIL_COLUMN};

/// Longer text is cut at a character boundary and ends with [`CUT_MARKER`].
pub const VALUE_BYTES_MAX: usize = 64 * 1024;
/// Attributes with longer keys go to the tail column.
pub const KEY_BYTES_MAX: usize = 255;
const CUT_MARKER: &str = "…[cut]";

/// What happened to values on the way in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchStats {
    /// Values longer than [`VALUE_BYTES_MAX`].
    pub values_cut: usize,
    /// Attributes that went to the tail column.
    pub values_in_tail: usize,
}

/// The rows of one dataset in a batch, for the key catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatasetSummary {
    pub dataset: String,
    /// Physical names of the columns that some row of the dataset set.
    pub columns: Vec<String>,
}

/// Rows of one signal, ready for a [`crate::Sink`].
#[derive(Debug, Clone)]
pub struct EventBatch {
    pub signal: Signal,
    pub records: RecordBatch,
    pub time_min_ns: i64,
    pub time_max_ns: i64,
    pub datasets: Vec<DatasetSummary>,
    pub stats: BatchStats,
}

impl EventBatch {
    pub fn row_count(&self) -> usize {
        self.records.num_rows()
    }

    /// Memory the batch holds.
    pub fn byte_count(&self) -> usize {
        self.records.get_array_memory_size()
    }
}

#[derive(Debug)]
enum Data {
    Text(TextColumn),
    Int(Vec<i64>),
    Float(Vec<f64>),
    Bool(Vec<bool>),
    Byte(Vec<u8>),
    Bytes(Vec<u8>, usize),
}

#[derive(Debug)]
struct Column {
    data: Data,
    /// One flag a row, only once a null has been seen.
    valid: Option<Vec<bool>>,
    len: usize,
}

impl Column {
    fn new(data_type: &DataType) -> Self {
        let data = match data_type {
            DataType::Utf8View => Data::Text(TextColumn::new()),
            DataType::Float64 => Data::Float(Vec::new()),
            DataType::Boolean => Data::Bool(Vec::new()),
            DataType::UInt8 => Data::Byte(Vec::new()),
            DataType::FixedSizeBinary(width) => Data::Bytes(Vec::new(), usize::try_from(*width).unwrap_or(0)),
            _ => Data::Int(Vec::new()),
        };
        Self { data, valid: None, len: 0 }
    }

    /// Fills up to `row` with `default`, or nulls where there is none.
    fn pad_to(&mut self, row: usize, default: Option<i64>) {
        let missing = row.saturating_sub(self.len);
        if missing == 0 {
            return;
        }
        match &mut self.data {
            Data::Text(text) => text.push_nulls(missing),
            Data::Int(values) => values.resize(row, default.unwrap_or(0)),
            Data::Float(values) => values.resize(row, 0.0),
            Data::Bool(values) => values.resize(row, false),
            Data::Byte(values) => {
                values.resize(row, default.and_then(|value| u8::try_from(value).ok()).unwrap_or(0))
            }
            Data::Bytes(values, width) => values.resize(row * *width, 0),
        }
        if default.is_none() {
            self.valid.get_or_insert_with(|| vec![true; self.len]).resize(row, false);
        } else if let Some(valid) = &mut self.valid {
            valid.resize(row, true);
        }
        self.len = row;
    }

    /// Memory of the column once it has `rows` rows.
    fn byte_count(&self, rows: usize) -> usize {
        let values = match &self.data {
            Data::Text(text) => rows * VIEW_BYTES + text.long_bytes(),
            Data::Bytes(_, width) => rows * *width,
            Data::Byte(_) => rows,
            Data::Bool(_) => rows / 8,
            Data::Int(_) | Data::Float(_) => rows * 8,
        };
        values + rows / 8
    }

    fn pushed(&mut self, count: usize) {
        self.len += count;
        if let Some(valid) = &mut self.valid {
            valid.resize(self.len, true);
        }
    }

    fn finish(mut self, row_count: usize, default: Option<i64>, data_type: &DataType) -> ArrayRef {
        self.pad_to(row_count, default);
        let nulls = self.valid.map(|valid| NullBuffer::new(BooleanBuffer::from(valid)));
        match self.data {
            Data::Text(text) => text.finish(nulls),
            Data::Int(values) if matches!(data_type, DataType::Timestamp(_, _)) => {
                Arc::new(TimestampNanosecondArray::new(values.into(), nulls))
            }
            Data::Int(values) => Arc::new(Int64Array::new(values.into(), nulls)),
            Data::Float(values) => Arc::new(Float64Array::new(values.into(), nulls)),
            Data::Bool(values) => Arc::new(BooleanArray::new(BooleanBuffer::from(values), nulls)),
            Data::Byte(values) => Arc::new(UInt8Array::new(values.into(), nulls)),
            Data::Bytes(values, width) => Arc::new(FixedSizeBinaryArray::new(
                i32::try_from(width).unwrap_or(0),
                Buffer::from_vec(values),
                nulls,
            )),
        }
    }
}

#[derive(Debug)]
struct Attribute {
    origin: Origin,
    value_type: ValueType,
    key: Box<str>,
    column: Column,
}

#[derive(Debug, Clone)]
enum Owned {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl Owned {
    fn value(&self) -> Value<'_> {
        match self {
            Owned::Text(text) => Value::Str(text),
            Owned::Int(value) => Value::Int(*value),
            Owned::Float(value) => Value::Float(*value),
            Owned::Bool(value) => Value::Bool(*value),
        }
    }
}

#[derive(Debug, Default)]
struct Dataset {
    name: String,
    /// By attribute column.
    attributes_seen: Vec<bool>,
    fixed_seen: u64,
    tail_keys: BTreeSet<String>,
}

/// Builds one [`EventBatch`].
#[derive(Debug)]
pub struct BatchBuilder {
    signal: Signal,
    received_ns: i64,
    row_count: usize,
    fixed: Vec<Option<Column>>,
    attributes: Vec<Attribute>,
    /// Key → column of each (origin, type), by `slot_of`.
    by_key: HashMap<Box<str>, [u16; SLOTS], ahash::RandomState>,
    /// Column used by the n-th attribute of the last row: records of one kind set the same keys in the same order.
    hints: Vec<u16>,
    hint_idx: usize,
    /// The tails of rows that set attributes of their own beyond the bound.
    tail: Option<Column>,
    tail_row: TailObject,
    /// What `tail_row` has already.
    tail_row_names: HashSet<String, ahash::RandomState>,
    /// Attributes beyond the bound that runs of rows share, by level: first row, row after the last, members. They meet
    /// the rows' own when all is written.
    tail_shared: [Vec<(usize, usize, TailObject)>; 2],
    /// Attributes shared by rows from `start` on: resource, scope.
    shared: [Shared; 2],
    datasets: Vec<Dataset>,
    dataset_idx: usize,
    time_min_ns: i64,
    time_max_ns: i64,
    stats: BatchStats,
}

#[derive(Debug, Default)]
struct Shared {
    start: usize,
    values: Vec<(Origin, Box<str>, ValueType, Owned)>,
    fixed: Vec<(Fixed, Owned)>,
}

/// A text in a row of a column, besides the bytes of a long one.
const VIEW_BYTES: usize = 16;
const SLOTS: usize = 20;
const NO_COLUMN: u16 = u16::MAX;

impl BatchBuilder {
    /// `received_ns` is written to every row ([`Fixed::ReceivedNs`]).
    pub fn new(signal: Signal, received_ns: i64) -> Self {
        Self {
            signal,
            received_ns,
            row_count: 0,
            fixed: (0..Fixed::ALL.len()).map(|_| None).collect(),
            attributes: Vec::new(),
            by_key: HashMap::default(),
            hints: Vec::new(),
            hint_idx: 0,
            tail: None,
            tail_row: TailObject::default(),
            tail_row_names: HashSet::default(),
            tail_shared: Default::default(),
            shared: Default::default(),
            datasets: Vec::new(),
            dataset_idx: 0,
            time_min_ns: i64::MAX,
            time_max_ns: i64::MIN,
            stats: BatchStats::default(),
        }
    }

    pub fn row_count(&self) -> usize {
        self.row_count
    }

    /// Starts a run of rows that share a resource. Follow with [`Self::shared_attribute`] and [`Self::shared_text`].
    pub fn begin_resource(&mut self) {
        self.close_shared(1);
        self.close_shared(0);
    }

    /// Starts a run of rows that share an instrumentation scope, within the current resource.
    pub fn begin_scope(&mut self) {
        self.close_shared(1);
    }

    /// An attribute of the current resource or scope.
    pub fn shared_attribute(&mut self, origin: Origin, key: &str, value: Value<'_>) {
        let level = usize::from(origin == Origin::Scope);
        let owned = match value {
            Value::Str(text) | Value::Json(text) => Owned::Text(cut(text, &mut self.stats)),
            Value::Int(value) => Owned::Int(value),
            Value::Float(value) => Owned::Float(value),
            Value::Bool(value) => Owned::Bool(value),
        };
        self.shared[level].values.push((origin, key.into(), value.value_type(), owned));
    }

    /// A fixed text column that the current resource (or scope) sets on every row.
    pub fn shared_text(&mut self, origin: Origin, fixed: Fixed, text: &str) {
        let level = usize::from(origin == Origin::Scope);
        let text = cut(text, &mut self.stats);
        self.shared[level].fixed.push((fixed, Owned::Text(text)));
    }

    /// A fixed integer column that the current resource (or scope) sets on every row.
    pub fn shared_int(&mut self, origin: Origin, fixed: Fixed, value: i64) {
        let level = usize::from(origin == Origin::Scope);
        self.shared[level].fixed.push((fixed, Owned::Int(value)));
    }

    /// Starts the next row. Everything set until the next call belongs to it.
    pub fn begin_row(&mut self, time_ns: i64, dataset: &str) {
        self.flush_tail();
        self.row_count += 1;
        self.hint_idx = 0;
        self.time_min_ns = self.time_min_ns.min(time_ns);
        self.time_max_ns = self.time_max_ns.max(time_ns);
        if self.datasets.get(self.dataset_idx).is_none_or(|current| current.name != dataset) {
            self.dataset_idx =
                self.datasets.iter().position(|known| known.name == dataset).unwrap_or_else(|| {
                    self.datasets.push(Dataset { name: dataset.to_owned(), ..Dataset::default() });
                    self.datasets.len() - 1
                });
        }
        self.int(Fixed::Time, time_ns);
        self.text(Fixed::Dataset, dataset);
    }

    /// Sets a fixed integer, time or byte column of the current row.
    pub fn int(&mut self, fixed: Fixed, value: i64) {
        let info = fixed.column();
        if info.default == Some(value) && self.fixed[fixed as usize].is_none() {
            return;
        }
        let row = self.row_count - 1;
        let column = self.fixed_column(fixed, row);
        match &mut column.data {
            Data::Int(values) => values.push(value),
            Data::Byte(values) => values.push(u8::try_from(value).unwrap_or(u8::MAX)),
            _ => debug_assert!(false, "{fixed:?} is not a number"),
        }
        column.pushed(1);
    }

    /// Sets a fixed text column of the current row.
    pub fn text(&mut self, fixed: Fixed, text: &str) {
        if text.len() > VALUE_BYTES_MAX {
            let cut_text = cut(text, &mut self.stats);
            self.whole_text(fixed, &cut_text);
        } else {
            self.whole_text(fixed, text);
        }
    }

    /// As [`Self::text`], for what must come back byte for byte whatever its size. The caller bounds it.
    pub fn whole_text(&mut self, fixed: Fixed, text: &str) {
        let row = self.row_count - 1;
        let column = self.fixed_column(fixed, row);
        if let Data::Text(column) = &mut column.data {
            column.push(text);
        }
        column.pushed(1);
    }

    /// Sets a fixed id column of the current row. `id` has exactly the column's width.
    pub fn id(&mut self, fixed: Fixed, id: &[u8]) {
        let row = self.row_count - 1;
        let column = self.fixed_column(fixed, row);
        if let Data::Bytes(bytes, width) = &mut column.data {
            assert_eq!(id.len(), *width, "{fixed:?}");
            bytes.extend_from_slice(id);
        }
        column.pushed(1);
    }

    fn fixed_column(&mut self, fixed: Fixed, row: usize) -> &mut Column {
        let info = fixed.column();
        self.datasets[self.dataset_idx].fixed_seen |= 1 << (fixed as u8);
        let column =
            self.fixed[fixed as usize].get_or_insert_with(|| Column::new(&info.fixed_type.data_type()));
        column.pad_to(row, info.default);
        debug_assert_eq!(column.len, row, "{fixed:?} is set twice in one row");
        column
    }

    /// Sets an attribute of the current row. When a record repeats a key, its first value stays.
    pub fn attribute(&mut self, origin: Origin, key: &str, value: Value<'_>) {
        let row = self.row_count - 1;
        let Some(idx) = self.hinted_column(origin, key, value.value_type()) else {
            return self.push_tail(origin, key, value);
        };
        self.mark_seen(idx);
        let column = &mut self.attributes[idx].column;
        if column.len > row {
            return;
        }
        column.pad_to(row, None);
        match (&mut column.data, value) {
            (Data::Text(column), Value::Str(text) | Value::Json(text)) => {
                if text.len() > VALUE_BYTES_MAX {
                    column.push(&cut(text, &mut self.stats));
                } else {
                    column.push(text);
                }
            }
            (Data::Int(values), Value::Int(value)) => values.push(value),
            (Data::Float(values), Value::Float(value)) => values.push(value),
            (Data::Bool(values), Value::Bool(value)) => values.push(value),
            _ => unreachable!("the column was found by the value's type"),
        }
        column.pushed(1);
    }

    fn mark_seen(&mut self, idx: usize) {
        let seen = &mut self.datasets[self.dataset_idx].attributes_seen;
        if seen.len() <= idx {
            seen.resize(idx + 1, false);
        }
        seen[idx] = true;
    }

    /// The column for the next attribute of a row: the one its predecessor in the last row used, if it fits.
    fn hinted_column(&mut self, origin: Origin, key: &str, value_type: ValueType) -> Option<usize> {
        let hint_idx = self.hint_idx;
        self.hint_idx += 1;
        if let Some(&hint) = self.hints.get(hint_idx)
            && let Some(attribute) = self.attributes.get(usize::from(hint))
            && *attribute.key == *key
            && attribute.value_type == value_type
            && attribute.origin == origin
        {
            return Some(usize::from(hint));
        }
        let idx = self.attribute_column(origin, key, value_type)?;
        if hint_idx >= self.hints.len() {
            self.hints.resize(hint_idx + 1, NO_COLUMN);
        }
        self.hints[hint_idx] = u16::try_from(idx).ok()?;
        Some(idx)
    }

    /// The column for an attribute, made if it is new; `None` when the bound is reached or the key too long.
    fn attribute_column(&mut self, origin: Origin, key: &str, value_type: ValueType) -> Option<usize> {
        let slot = slot_of(origin, value_type);
        let known = self.by_key.get(key).map_or(NO_COLUMN, |slots| slots[slot]);
        if known != NO_COLUMN {
            return Some(usize::from(known));
        }
        if self.attributes.len() >= ATTRIBUTE_COLUMNS_MAX || key.len() > KEY_BYTES_MAX {
            return None;
        }
        let idx = self.attributes.len();
        let column = Column::new(&AttributeColumn { origin, value_type, key }.data_type());
        self.attributes.push(Attribute { origin, value_type, key: key.into(), column });
        self.by_key.entry(key.into()).or_insert([NO_COLUMN; SLOTS])[slot] = u16::try_from(idx).ok()?;
        Some(idx)
    }

    fn push_tail(&mut self, origin: Origin, key: &str, value: Value<'_>) {
        let column = AttributeColumn { origin, value_type: value.value_type(), key };
        let name = column.to_string();
        if self.tail_row_names.contains(&name) {
            return;
        }
        self.stats.values_in_tail += 1;
        let cut_text;
        let value = match value {
            Value::Str(text) if text.len() > VALUE_BYTES_MAX => {
                cut_text = cut(text, &mut self.stats);
                Value::Str(&cut_text)
            }
            Value::Json(text) if text.len() > VALUE_BYTES_MAX => {
                cut_text = cut(text, &mut self.stats);
                Value::Json(&cut_text)
            }
            other => other,
        };
        self.tail_row.push(column, value);
        self.tail_row_names.insert(name.clone());
        let tail_keys = &mut self.datasets[self.dataset_idx].tail_keys;
        if tail_keys.len() < ATTRIBUTE_COLUMNS_MAX {
            tail_keys.insert(name);
        }
    }

    fn flush_tail(&mut self) {
        if self.tail_row.is_empty() {
            return;
        }
        let object = std::mem::take(&mut self.tail_row).finish();
        self.tail_row_names.clear();
        let column = self.tail.get_or_insert_with(|| Column::new(&DataType::Utf8View));
        column.pad_to(self.row_count - 1, None);
        if let Data::Text(text) = &mut column.data {
            text.push(&object);
        }
        column.pushed(1);
    }

    /// Writes the shared values of `level` to the rows that came since it began.
    fn close_shared(&mut self, level: usize) {
        let start = self.shared[level].start;
        let values = std::mem::take(&mut self.shared[level].values);
        let fixed = std::mem::take(&mut self.shared[level].fixed);
        self.shared[level].start = self.row_count;
        let count = self.row_count - start;
        if count == 0 {
            return;
        }
        for (fixed, value) in fixed {
            let column = self.fixed_column(fixed, start);
            push_owned(column, &value, count);
        }
        let mut tail = TailObject::default();
        let mut tail_names = HashSet::new();
        for (origin, key, value_type, owned) in values {
            let Some(idx) = self.attribute_column(origin, &key, value_type) else {
                let column = AttributeColumn { origin, value_type, key: &key };
                if tail_names.insert(column.to_string()) {
                    self.stats.values_in_tail += count;
                    tail.push(column, owned.value());
                }
                continue;
            };
            self.mark_seen(idx);
            let column = &mut self.attributes[idx].column;
            if column.len > start {
                continue;
            }
            column.pad_to(start, None);
            push_owned(column, &owned, count);
        }
        if !tail.is_empty() {
            self.tail_shared[level].push((start, start + count, tail));
        }
    }

    /// The tail column: what each row set itself, then what its scope and its resource did.
    fn take_tail(&mut self) -> Option<ArrayRef> {
        let row_count = self.row_count;
        let own = self.tail.take().map(|column| column.finish(row_count, None, &DataType::Utf8View));
        let [resources, scopes] = std::mem::take(&mut self.tail_shared);
        if resources.is_empty() && scopes.is_empty() {
            return own;
        }
        let own = own.as_ref().map(|column| column.as_string_view());
        let mut column = Column::new(&DataType::Utf8View);
        let mut runs = [scopes.into_iter().peekable(), resources.into_iter().peekable()];
        let mut row = 0;
        while row < row_count {
            // Rows up to `end` share the same.
            let mut end = row_count;
            let mut shared = TailObject::default();
            for runs in &mut runs {
                while runs.next_if(|(_, run_end, _)| *run_end <= row).is_some() {}
                if let Some((run_start, run_end, object)) = runs.peek() {
                    end = end.min(if *run_start > row { *run_start } else { *run_end });
                    if *run_start <= row {
                        shared.extend(object);
                    }
                }
            }
            let shared_text = shared.clone().finish();
            for row in row..end {
                let joined;
                let text = match own.filter(|own| own.is_valid(row)).map(|own| own.value(row)) {
                    Some(own) if shared.is_empty() => own,
                    Some(own) => {
                        let mut object = TailObject::from(own);
                        object.extend(&shared);
                        joined = object.finish();
                        joined.as_str()
                    }
                    None if shared.is_empty() => continue,
                    None => shared_text.as_str(),
                };
                column.pad_to(row, None);
                if let Data::Text(column) = &mut column.data {
                    column.push(text);
                }
                column.pushed(1);
            }
            row = end;
        }
        Some(column.finish(row_count, None, &DataType::Utf8View))
    }

    /// Memory of the batch if it were finished now, roughly: every column becomes as long as the batch has rows,
    /// however few of them set it.
    pub fn byte_count(&self) -> usize {
        let rows = self.row_count;
        let attributes = self.attributes.iter().map(|attribute| &attribute.column);
        let columns = self.fixed.iter().flatten().chain(attributes).chain(&self.tail);
        let columns_bytes: usize = columns.map(|column| column.byte_count(rows)).sum();
        // What rows share is written to them later.
        let shared_bytes: usize = self
            .shared
            .iter()
            .map(|shared| (rows - shared.start) * (shared.values.len() + shared.fixed.len()) * VIEW_BYTES)
            .sum();
        let tails = self.tail_shared.iter().flatten().map(|(.., tail)| tail.byte_count());
        columns_bytes + shared_bytes + self.tail_row.byte_count() + tails.sum::<usize>()
    }

    /// The batch, or `None` when no row was begun.
    pub fn finish(mut self) -> Option<EventBatch> {
        if self.row_count == 0 {
            return None;
        }
        self.begin_resource();
        self.flush_tail();
        let row_count = self.row_count;
        let tail = self.take_tail();
        self.fixed[Fixed::ReceivedNs as usize] =
            Some(Column { data: Data::Int(vec![self.received_ns; row_count]), valid: None, len: row_count });
        let mut fields = Vec::with_capacity(self.attributes.len() + 16);
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(fields.capacity());
        let datasets = self.datasets.iter().map(|dataset| summary(dataset, &self.attributes)).collect();
        for (column, info) in self.fixed.into_iter().zip(Fixed::ALL) {
            let Some(column) = column else { continue };
            let data_type = info.fixed_type.data_type();
            arrays.push(column.finish(row_count, info.default, &data_type));
            fields.push(Field::new(
                info.name,
                data_type,
                info.default.is_none() && info.fixed != Fixed::Time,
            ));
        }
        for attribute in self.attributes {
            let Attribute { origin, value_type, key, column } = attribute;
            let name = AttributeColumn { origin, value_type, key: &key };
            let data_type = name.data_type();
            fields.push(Field::new(name.to_string(), data_type.clone(), true));
            arrays.push(column.finish(row_count, None, &data_type));
        }
        if let Some(tail) = tail {
            fields.push(Field::new(TAIL_COLUMN, DataType::Utf8View, true));
            arrays.push(tail);
        }
        let records = RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
            .expect("every column was padded to the row count");
        Some(EventBatch {
            signal: self.signal,
            records,
            time_min_ns: self.time_min_ns,
            time_max_ns: self.time_max_ns,
            datasets,
            stats: self.stats,
        })
    }
}

fn summary(dataset: &Dataset, attributes: &[Attribute]) -> DatasetSummary {
    let fixed = Fixed::ALL
        .iter()
        .filter(|column| dataset.fixed_seen & (1 << (column.fixed as u8)) != 0)
        .map(|column| column.name.to_owned());
    let own =
        dataset.attributes_seen.iter().zip(attributes).filter(|(seen, _)| **seen).map(|(_, attribute)| {
            AttributeColumn {
                origin: attribute.origin,
                value_type: attribute.value_type,
                key: &attribute.key,
            }
            .to_string()
        });
    DatasetSummary {
        dataset: dataset.name.clone(),
        columns: fixed.chain(own).chain(dataset.tail_keys.iter().cloned()).collect(),
    }
}

fn push_owned(column: &mut Column, value: &Owned, count: usize) {
    match (&mut column.data, value) {
        (Data::Text(column), Owned::Text(text)) => column.push_repeated(text, count),
        (Data::Int(values), Owned::Int(value)) => values.resize(values.len() + count, *value),
        (Data::Byte(values), Owned::Int(value)) => {
            values.resize(values.len() + count, u8::try_from(*value).unwrap_or(u8::MAX));
        }
        (Data::Float(values), Owned::Float(value)) => values.resize(values.len() + count, *value),
        (Data::Bool(values), Owned::Bool(value)) => values.resize(values.len() + count, *value),
        _ => unreachable!("the column was found by the value's type"),
    }
    column.pushed(count);
}

fn slot_of(origin: Origin, value_type: ValueType) -> usize {
    origin as usize * 5 + value_type as usize
}

fn cut(text: &str, stats: &mut BatchStats) -> String {
    if text.len() <= VALUE_BYTES_MAX {
        return text.to_owned();
    }
    stats.values_cut += 1;
    let end = text.floor_char_boundary(VALUE_BYTES_MAX - CUT_MARKER.len());
    format!("{}{CUT_MARKER}", &text[..end])
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::util::pretty::pretty_format_batches;

    fn table(batch: &EventBatch) -> String {
        pretty_format_batches(std::slice::from_ref(&batch.records)).unwrap().to_string()
    }

    #[test]
    fn runs_share_their_resource_and_scope() {
        let mut builder = BatchBuilder::new(Signal::Span, 9);
        builder.begin_resource();
        builder.shared_attribute(Origin::Resource, "service.name", Value::Str("a-service-with-a-long-name"));
        builder.begin_scope();
        builder.shared_text(Origin::Scope, Fixed::ScopeName, "lib");
        builder.begin_row(1, "a");
        builder.attribute(Origin::Own, "n", Value::Int(1));
        builder.begin_row(2, "a");
        builder.attribute(Origin::Own, "n", Value::Str("two"));
        builder.begin_resource();
        builder.shared_attribute(Origin::Resource, "service.name", Value::Str("b"));
        builder.begin_row(3, "b");
        builder.int(Fixed::SampleRate, 10);
        builder.id(Fixed::SpanId, &[7; 8]);
        let batch = builder.finish().unwrap();
        assert_eq!((batch.time_min_ns, batch.time_max_ns), (1, 3));
        assert_eq!(batch.datasets.len(), 2);
        assert_eq!(batch.datasets[1].columns.iter().filter(|name| name.contains(':')).count(), 1);
        insta::assert_snapshot!(table(&batch));
    }

    #[test]
    fn the_column_bound_holds_and_the_rest_is_in_the_tail() {
        let mut builder = BatchBuilder::new(Signal::Log, 0);
        builder.begin_resource();
        builder.shared_attribute(Origin::Resource, "late", Value::Bool(true));
        builder.begin_row(1, "wide");
        for idx in 0..ATTRIBUTE_COLUMNS_MAX + 2 {
            builder.attribute(Origin::Own, &format!("k{idx}"), Value::Int(i64::try_from(idx).unwrap()));
        }
        builder.begin_row(2, "wide");
        builder.attribute(Origin::Own, "k0", Value::Int(5));
        let batch = builder.finish().unwrap();
        assert_eq!(batch.stats.values_in_tail, 4);
        let tail = batch.records.column_by_name(TAIL_COLUMN).unwrap();
        let tail = arrow::array::AsArray::as_string_view(tail);
        assert_eq!(tail.value(0), r#"{"oi:k2000":2000,"oi:k2001":2001,"rb:late":true}"#);
        assert_eq!(tail.value(1), r#"{"rb:late":true}"#);
    }

    #[test]
    fn what_runs_of_rows_share_beyond_the_bound_meets_what_rows_set() {
        let mut builder = BatchBuilder::new(Signal::Log, 0);
        builder.begin_row(0, "wide");
        for idx in 0..ATTRIBUTE_COLUMNS_MAX {
            builder.attribute(Origin::Own, &format!("k{idx}"), Value::Bool(true));
        }
        for resource in 0..3 {
            builder.begin_resource();
            if resource != 1 {
                builder.shared_attribute(Origin::Resource, "r", Value::Int(resource));
                builder.shared_attribute(Origin::Resource, "r", Value::Int(7));
            }
            for scope in 0..2 {
                builder.begin_scope();
                if scope == 1 {
                    builder.shared_attribute(Origin::Scope, "s", Value::Bool(true));
                }
                builder.begin_row(1, "wide");
                builder.begin_row(2, "wide");
                builder.attribute(Origin::Own, "own", Value::Str("first"));
                builder.attribute(Origin::Own, "own", Value::Str("second"));
            }
        }
        let batch = builder.finish().unwrap();
        let tail = batch.records.column_by_name(TAIL_COLUMN).unwrap().as_string_view();
        let rows: Vec<&str> = tail.iter().map(|text| text.unwrap_or_default()).collect();
        let expected = [
            "",
            r#"{"ri:r":0}"#,
            r#"{"os:own":"first","ri:r":0}"#,
            r#"{"cb:s":true,"ri:r":0}"#,
            r#"{"os:own":"first","cb:s":true,"ri:r":0}"#,
            "",
            r#"{"os:own":"first"}"#,
            r#"{"cb:s":true}"#,
            r#"{"os:own":"first","cb:s":true}"#,
            r#"{"ri:r":2}"#,
            r#"{"os:own":"first","ri:r":2}"#,
            r#"{"cb:s":true,"ri:r":2}"#,
            r#"{"os:own":"first","cb:s":true,"ri:r":2}"#,
        ];
        assert_eq!(rows, expected);
        assert_eq!(batch.stats.values_in_tail, 6 + 8 + 6);
    }

    #[test]
    fn long_values_are_cut_with_a_marker_and_counted() {
        let mut builder = BatchBuilder::new(Signal::Span, 0);
        builder.begin_row(0, "d");
        builder.attribute(Origin::Own, "kept", Value::Str(&"x".repeat(VALUE_BYTES_MAX)));
        builder.attribute(Origin::Own, "cut", Value::Str(&"é".repeat(VALUE_BYTES_MAX)));
        builder.attribute(Origin::Own, "cut", Value::Str("a second value is ignored"));
        let batch = builder.finish().unwrap();
        assert_eq!(batch.stats.values_cut, 1);
        let column = batch.records.column_by_name("os:cut").unwrap();
        let text = arrow::array::AsArray::as_string_view(column).value(0);
        assert!(text.ends_with(CUT_MARKER) && text.len() <= VALUE_BYTES_MAX);
    }

    #[test]
    fn a_document_is_kept_whole() {
        let mut builder = BatchBuilder::new(Signal::Span, 0);
        builder.begin_row(0, "d");
        let document = "x".repeat(2 * VALUE_BYTES_MAX);
        builder.whole_text(Fixed::Original, &document);
        let batch = builder.finish().unwrap();
        let column = batch.records.column_by_name(Fixed::Original.name()).unwrap();
        assert_eq!(arrow::array::AsArray::as_string_view(column).value(0), document);
        assert_eq!(batch.stats.values_cut, 0);
    }
}
