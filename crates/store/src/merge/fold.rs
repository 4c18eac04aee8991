//! Keeps a merged part within the bound of attribute columns. Where the inputs have more, the attributes that the
//! fewest rows set are folded into the tail column, row by row, in the form the batch builder writes there. All columns
//! of a key go or none: where a key is set twice, the same one wins afterwards.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use tracery_columnar::{ATTRIBUTE_COLUMNS_MAX, AttributeColumn, TAIL_COLUMN, TailObject};
use tracery_model::{Value, ValueType};

use super::inputs::Input;
use crate::StoreError;

/// Which columns of a merge go to the tail.
#[derive(Default)]
pub(crate) struct Fold {
    names: HashSet<String>,
}

impl Fold {
    /// Chooses the attribute keys that the fewest rows set, until no more than `columns_max` columns are left.
    pub(crate) fn choose(inputs: &[Input], columns_max: usize) -> Result<Self, StoreError> {
        // Key → its columns, and how often rows set one of them.
        let mut keys: HashMap<&str, (BTreeSet<&str>, usize)> = HashMap::new();
        for field in inputs.iter().flat_map(|input| input.schema().fields()) {
            if let Some(attribute) = AttributeColumn::parse(field.name()) {
                keys.entry(attribute.key).or_default().0.insert(field.name());
            }
        }
        let mut left: usize = keys.values().map(|(columns, _)| columns.len()).sum();
        if left <= columns_max {
            return Ok(Self::default());
        }
        for input in inputs {
            for (name, set) in input.set_counts()? {
                let key = AttributeColumn::parse(&name).and_then(|attribute| keys.get_mut(attribute.key));
                if let Some((_, count)) = key {
                    *count += set;
                }
            }
        }
        let mut by_count: Vec<(usize, &str)> = keys.iter().map(|(key, (_, count))| (*count, *key)).collect();
        by_count.sort_unstable();
        let mut names = HashSet::new();
        for (_, key) in by_count {
            if left <= columns_max {
                break;
            }
            let columns = &keys[key].0;
            left -= columns.len();
            names.extend(columns.iter().map(|name| (*name).to_owned()));
        }
        Ok(Self { names })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub(crate) fn takes(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The tail column of an input with its rare columns in it; `None` when it has neither.
    pub(crate) fn tail(&self, input: &Input) -> Result<Option<ArrayRef>, StoreError> {
        let own = input.column(TAIL_COLUMN)?;
        let rare: Vec<&str> = input
            .schema()
            .fields()
            .iter()
            .map(|field| field.name().as_str())
            .filter(|name| self.takes(name))
            .collect();
        if rare.is_empty() {
            return Ok(own);
        }
        let mut objects: HashMap<usize, TailObject> = HashMap::new();
        if let Some(own) = &own {
            for (row, text) in own.as_string_view().iter().enumerate() {
                if let Some(text) = text {
                    objects.insert(row, TailObject::from(text));
                }
            }
        }
        for name in rare {
            let (Some(attribute), Some(column)) = (AttributeColumn::parse(name), input.column(name)?) else {
                continue;
            };
            for row in (0..column.len()).filter(|row| column.is_valid(*row)) {
                let value = value(&column, row, attribute.value_type);
                objects.entry(row).or_default().push(attribute, value);
            }
        }
        let mut tail = StringViewBuilder::with_capacity(input.row_count());
        for row in 0..input.row_count() {
            tail.append_option(objects.remove(&row).map(TailObject::finish));
        }
        Ok(Some(Arc::new(tail.finish())))
    }

    /// What is folded needs a tail, whether or not an input had one.
    pub(crate) fn tail_field(&self) -> Option<(String, DataType)> {
        (!self.is_empty()).then(|| (TAIL_COLUMN.to_owned(), DataType::Utf8View))
    }
}

/// The bound of every merge.
pub(crate) fn within_bound(inputs: &[Input]) -> Result<Fold, StoreError> {
    Fold::choose(inputs, ATTRIBUTE_COLUMNS_MAX)
}

fn value(column: &ArrayRef, row: usize, value_type: ValueType) -> Value<'_> {
    match value_type {
        ValueType::Str => Value::Str(column.as_string_view().value(row)),
        ValueType::Json => Value::Json(column.as_string_view().value(row)),
        ValueType::Int => Value::Int(column.as_primitive::<Int64Type>().value(row)),
        ValueType::Float => Value::Float(column.as_primitive::<Float64Type>().value(row)),
        ValueType::Bool => Value::Bool(column.as_boolean().value(row)),
    }
}
