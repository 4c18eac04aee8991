//! Keeps a merged part within the bound of attribute columns. Where the inputs have more, the attributes that the
//! fewest rows set are folded into the tail column, row by row, in the form the batch builder writes there.

use std::collections::{BTreeMap, HashMap, HashSet};
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
    /// Chooses the attribute columns that the fewest rows set, as many as are beyond `columns_max`.
    pub(crate) fn choose(inputs: &[Input], columns_max: usize) -> Result<Self, StoreError> {
        let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
        for input in inputs {
            for field in input.schema().fields() {
                if AttributeColumn::parse(field.name()).is_some() {
                    *rows.entry(field.name()).or_default() += 0;
                }
            }
        }
        if rows.len() <= columns_max {
            return Ok(Self::default());
        }
        for input in inputs {
            for (name, set) in input.set_counts()? {
                if let Some(count) = rows.get_mut(name.as_str()) {
                    *count += set;
                }
            }
        }
        let beyond = rows.len() - columns_max;
        let mut by_count: Vec<(usize, &str)> = rows.into_iter().map(|(name, count)| (count, name)).collect();
        by_count.sort_unstable();
        Ok(Self { names: by_count.into_iter().take(beyond).map(|(_, name)| name.to_owned()).collect() })
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
