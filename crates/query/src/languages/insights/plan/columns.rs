//! How a column of the engine becomes a value of Insights, once for all: columns keep the types that the store has, and a
//! kind says what their values mean. What the engine has no function for is computed here, batch by batch, by the
//! language's own functions.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryBuilder, BooleanArray, Float64Array, ListBuilder, StringViewBuilder,
    StructArray,
};
use datafusion::arrow::datatypes::{
    DataType, Field, Fields, Float64Type, Int64Type, TimestampNanosecondType,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{ColumnarValue, Expr as Engine, Volatility, create_udf};
use serde_json::Value as Json;

use crate::languages::insights::ast::{Expr, ParsePattern};
use crate::languages::insights::functions::{Row, Shared, extract, value};
use crate::languages::insights::members::of_json;
use crate::languages::insights::value::Value;
use crate::operators::patterns::template;

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Int,
    Float,
    /// A boolean that an event says: the texts `true` and `false`.
    Flag,
    /// A boolean that a test gave: 1 and 0, and 0 where there is nothing.
    Test,
    /// Nanoseconds as a time or as a number.
    Time,
    /// Any value, encoded.
    Value,
    /// The log group, after the account.
    Log,
}

/// A column of a frame: how to get at it, and what it means.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) expr: Engine,
    pub(super) kind: Kind,
    pub(super) data_type: DataType,
}

const NS_IN_MS: i64 = 1_000_000;
/// Items of the lists of a batch: all of them become rows of the batch that follows.
const ITEMS_MAX: usize = 1 << 20;

/// The value of a column in a row.
pub(super) fn value_at(column: &ArrayRef, kind: Kind, row: usize, account_id: &str) -> Value {
    if column.is_null(row) {
        return if kind == Kind::Test { Value::flag(false) } else { Value::Null };
    }
    match (kind, column.data_type()) {
        (Kind::Text, DataType::Utf8View) => Value::text(column.as_string_view().value(row)),
        (Kind::Log, DataType::Utf8View) => {
            Value::Text(format!("{account_id}:{}", column.as_string_view().value(row)))
        }
        (Kind::Value, DataType::Utf8View) => Value::decode(column.as_string_view().value(row)),
        (Kind::Value, DataType::Binary) => Value::of_sort_key(column.as_binary::<i32>().value(row)),
        (Kind::Int, DataType::Int64) => {
            let number = column.as_primitive::<Int64Type>().value(row);
            // Beyond this a float is not exact; the number prints whole all the same.
            if number.unsigned_abs() < 1 << 53 {
                Value::Number(number as f64)
            } else {
                Value::text(number.to_string())
            }
        }
        (Kind::Float, DataType::Float64) => {
            let number = column.as_primitive::<Float64Type>().value(row);
            if number.is_finite() { Value::Number(number) } else { Value::Null }
        }
        (Kind::Flag, DataType::Boolean) => {
            Value::text(if column.as_boolean().value(row) { "true" } else { "false" })
        }
        (Kind::Test, DataType::Boolean) => Value::flag(column.as_boolean().value(row)),
        (Kind::Time, DataType::Int64) => {
            Value::Time(column.as_primitive::<Int64Type>().value(row).div_euclid(NS_IN_MS))
        }
        (Kind::Time, DataType::Timestamp(_, _)) => {
            Value::Time(column.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(NS_IN_MS))
        }
        _ => Value::Null,
    }
}

/// The rows of a batch whose columns are the fields of an expression.
struct Batch<'a> {
    names: &'a [String],
    kinds: &'a [Kind],
    arrays: &'a [ArrayRef],
    account_id: &'a str,
}

struct BatchRow<'a> {
    batch: &'a Batch<'a>,
    row: usize,
}

impl Batch<'_> {
    fn rows(&self) -> impl Iterator<Item = BatchRow<'_>> {
        let count = self.arrays.first().map_or(0, |array| array.len());
        (0..count).map(|row| BatchRow { batch: self, row })
    }
}

impl Row for BatchRow<'_> {
    fn field(&self, name: &str) -> Value {
        let Batch { names, kinds, arrays, account_id } = self.batch;
        match names.iter().position(|known| known == name) {
            Some(idx) => value_at(&arrays[idx], kinds[idx], self.row, account_id),
            None => Value::Null,
        }
    }
}

/// The fields that an expression reads, as arguments of a function of the engine.
pub(super) struct Inputs {
    pub(super) names: Vec<String>,
    pub(super) columns: Vec<Column>,
    pub(super) account_id: Arc<str>,
    pub(super) shared: Arc<Shared>,
}

impl Inputs {
    /// A function over the rows of a batch. There is an input: what reads no field is a constant.
    fn function(
        self,
        name: &str,
        returns: DataType,
        compute: impl Fn(&Batch<'_>) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Engine {
        let Self { names, columns, account_id, .. } = self;
        let kinds: Vec<Kind> = columns.iter().map(|column| column.kind).collect();
        let types = columns.iter().map(|column| column.data_type.clone()).collect();
        let invoke = move |arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let batch = Batch { names: &names, kinds: &kinds, arrays: &arrays, account_id: &account_id };
            Ok(ColumnarValue::Array(compute(&batch)?))
        };
        let function = create_udf(name, types, returns, Volatility::Immutable, Arc::new(invoke));
        function.call(columns.into_iter().map(|column| column.expr).collect())
    }

    /// The value of an expression, encoded.
    pub(super) fn value(self, expr: &Expr) -> Engine {
        let (expr, shared) = (expr.clone(), Arc::clone(&self.shared));
        self.function(&unique(&expr, "value"), DataType::Utf8View, move |batch| {
            let mut builder = StringViewBuilder::new();
            batch.rows().for_each(|row| builder.append_option(value(&expr, &row, &shared).encode()));
            Ok(Arc::new(builder.finish()))
        })
    }

    /// Whether an expression is true.
    pub(super) fn test(self, expr: &Expr) -> Engine {
        let (expr, shared) = (expr.clone(), Arc::clone(&self.shared));
        self.function(&unique(&expr, "test"), DataType::Boolean, move |batch| {
            let found: Vec<bool> = batch.rows().map(|row| value(&expr, &row, &shared).is_true()).collect();
            Ok(Arc::new(BooleanArray::from(found)))
        })
    }

    /// The number that an expression is.
    pub(super) fn number(self, expr: &Expr) -> Engine {
        let (expr, shared) = (expr.clone(), Arc::clone(&self.shared));
        self.function(&unique(&expr, "number"), DataType::Float64, move |batch| {
            let found: Float64Array = batch.rows().map(|row| value(&expr, &row, &shared).number()).collect();
            Ok(Arc::new(found))
        })
    }

    /// Bytes that sort as the values of an expression do.
    pub(super) fn sort_key(self, expr: &Expr) -> Engine {
        let (expr, shared) = (expr.clone(), Arc::clone(&self.shared));
        self.function(&unique(&expr, "sort_key"), DataType::Binary, move |batch| {
            let mut builder = BinaryBuilder::new();
            batch.rows().for_each(|row| builder.append_option(value(&expr, &row, &shared).sort_key()));
            Ok(Arc::new(builder.finish()))
        })
    }

    /// The template of an expression's text.
    pub(super) fn template(self, source: &Expr) -> Engine {
        let (source, shared) = (source.clone(), Arc::clone(&self.shared));
        self.function(&unique(&source, "template"), DataType::Utf8View, move |batch| {
            let mut builder = StringViewBuilder::new();
            for row in batch.rows() {
                let found = value(&source, &row, &shared);
                builder.append_option((!found.is_null()).then(|| template(&found.to_string())));
            }
            Ok(Arc::new(builder.finish()))
        })
    }

    /// The items of a list, encoded; nothing where there is no list.
    pub(super) fn items(self, source: &Expr) -> Engine {
        let (source, shared) = (source.clone(), Arc::clone(&self.shared));
        let item = Arc::new(Field::new_list_field(DataType::Utf8View, true));
        self.function(&unique(&source, "items"), DataType::List(Arc::clone(&item)), move |batch| {
            let mut item_count = 0;
            let mut builder = ListBuilder::new(StringViewBuilder::new()).with_field(Arc::clone(&item));
            for row in batch.rows() {
                let found = value(&source, &row, &shared);
                let Value::Json(Json::Array(items)) = found else {
                    builder.append(false);
                    continue;
                };
                item_count += items.len();
                if item_count > ITEMS_MAX {
                    let message = "the lists that unnest takes apart have too many items";
                    return Err(DataFusionError::ResourcesExhausted(message.to_owned()));
                }
                items.iter().for_each(|item| builder.values().append_option(of_json(item).encode()));
                builder.append(true);
            }
            Ok(Arc::new(builder.finish()))
        })
    }

    /// What a pattern takes out of an expression's text: a struct with a text for each of its names, or an encoded map.
    pub(super) fn extract(self, source: &Expr, pattern: &ParsePattern) -> Engine {
        let shared = Arc::clone(&self.shared);
        let (source, pattern) = (source.clone(), pattern.clone());
        let width = pattern.names().len();
        let is_map = matches!(pattern, ParsePattern::Logfmt { .. });
        let fields: Fields =
            (0..width).map(|idx| Field::new(format!("f{idx}"), DataType::Utf8View, true)).collect();
        let name = format!("tracery_insights_extract {source:?} {pattern:?}");
        self.function(&name, DataType::Struct(fields.clone()), move |batch| {
            let mut builders: Vec<StringViewBuilder> = (0..width).map(|_| StringViewBuilder::new()).collect();
            for row in batch.rows() {
                let found = match value(&source, &row, &shared) {
                    Value::Null => None,
                    text => extract(&pattern, &text.to_string(), &shared),
                };
                let mut found = found.into_iter().flatten();
                for builder in &mut builders {
                    builder.append_option(found.next().and_then(|value| match is_map {
                        true => value.encode(),
                        false => (!value.is_null()).then(|| value.to_string()),
                    }));
                }
            }
            let arrays: Vec<ArrayRef> =
                builders.iter_mut().map(|builder| Arc::new(builder.finish()) as ArrayRef).collect();
            Ok(Arc::new(StructArray::try_new(fields.clone(), arrays, None)?))
        })
    }
}

/// A name that differs when the function does: the engine takes equal names of equal arguments for the same column.
fn unique(expr: &Expr, what: &str) -> String {
    format!("tracery_insights_{what} {expr:?}")
}
