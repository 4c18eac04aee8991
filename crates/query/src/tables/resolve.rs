//! A field's name → an expression over the physical columns of one part. Called by the engine for each file it opens
//! ([`FieldAdapterFactory`]) and for each fresh chunk.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::{ScalarUDF, ScalarUDFImpl};
use datafusion::physical_expr::expressions::{CaseExpr, CastExpr, Column, IsNotNullExpr, Literal};
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_expr_adapter::{PhysicalExprAdapter, PhysicalExprAdapterFactory};
use tracery_columnar::{AttributeColumn, Fixed, TAIL_COLUMN};
use tracery_model::{Origin, Signal, ValueType};

use super::fields::{BUILTINS, candidates, derived_candidates, own_candidates};
use super::transform::{TailFunction, Transform, TransformFunction};
use super::{FieldType, OWN, RESOURCE};

/// Rewrites expressions over fields into expressions over a part of one signal.
#[derive(Debug)]
pub(crate) struct FieldAdapterFactory {
    pub(crate) signal: Signal,
}

#[derive(Debug)]
struct FieldAdapter {
    signal: Signal,
    fields: SchemaRef,
    physical: SchemaRef,
}

impl PhysicalExprAdapterFactory for FieldAdapterFactory {
    fn create(
        &self,
        logical_file_schema: SchemaRef,
        physical_file_schema: SchemaRef,
    ) -> Result<Arc<dyn PhysicalExprAdapter>> {
        Ok(Arc::new(FieldAdapter {
            signal: self.signal,
            fields: logical_file_schema,
            physical: physical_file_schema,
        }))
    }
}

impl PhysicalExprAdapter for FieldAdapter {
    fn rewrite(&self, expr: Arc<dyn PhysicalExpr>) -> Result<Arc<dyn PhysicalExpr>> {
        expr.transform(|expr| {
            let Some(column) = expr.downcast_ref::<Column>() else { return Ok(Transformed::no(expr)) };
            let data_type = self.fields.field_with_name(column.name())?.data_type();
            // The replacement holds physical columns, which must not be looked up as fields again.
            let replaced = resolve(column.name(), data_type, self.signal, &self.physical)?;
            Ok(Transformed::new(replaced, true, datafusion::common::tree_node::TreeNodeRecursion::Jump))
        })
        .data()
    }
}

/// The expression for `#system` column or field `name`, of type `data_type`.
pub(crate) fn resolve(
    name: &str,
    data_type: &DataType,
    signal: Signal,
    physical: &Schema,
) -> Result<Arc<dyn PhysicalExpr>> {
    if let Some(key) = name.strip_prefix(OWN) {
        let mut choices = Choices::new(field_type_of(data_type), signal, physical)?;
        choices.add_attributes(&own_candidates(key).collect::<Vec<_>>())?;
        return first_value(choices.finish(), data_type);
    }
    if let Some(key) = name.strip_prefix(RESOURCE) {
        let column = AttributeColumn { origin: Origin::Resource, value_type: ValueType::Str, key };
        let mut choices = Choices::new(FieldType::Text, signal, physical)?;
        choices.add_attributes(&[column])?;
        return first_value(choices.finish(), data_type);
    }
    if let Some(system) = name.strip_prefix('#') {
        let fixed = Fixed::from_name(system).map(|column| column.fixed);
        return match fixed {
            Some(fixed) => fixed_column(fixed, physical),
            None => null(data_type),
        };
    }
    let field_type = field_type_of(data_type);
    let mut choices = Choices::new(field_type, signal, physical)?;
    let attributes: Vec<AttributeColumn<'_>> = candidates(name).collect();
    for of_origin in attributes.chunk_by(|left, right| left.origin == right.origin) {
        choices.add_attributes(of_origin)?;
    }
    for builtin in BUILTINS.iter().filter(|builtin| builtin.name == name && builtin.signals.contains(&signal))
    {
        let main = builtin.inputs[0];
        let present = has(physical, main.name())
            || main.column().default.is_some()
            || builtin.transform == Transform::Body && has(physical, Fixed::BodyJson.name());
        if !present {
            continue;
        }
        let mut inputs = Vec::with_capacity(builtin.inputs.len());
        for input in builtin.inputs {
            inputs.push(fixed_column(*input, physical)?);
        }
        let value = match builtin.transform {
            Transform::Copy => inputs.remove(0),
            transform => {
                let function = TransformFunction::new(transform, signal, builtin.field_type);
                call(function, inputs, builtin.field_type.data_type())
            }
        };
        choices.add(convert(value, &builtin.field_type.data_type(), physical, field_type));
        break;
    }
    choices.add_attributes(&derived_candidates(name).collect::<Vec<_>>())?;
    first_value(choices.finish(), data_type)
}

/// Where the value of a field may be, what wins first. An attribute beyond the column bound is in the tail and keeps its
/// rank there, so that a row answers the same before and after a merge that folds it.
struct Choices<'a> {
    values: Vec<Arc<dyn PhysicalExpr>>,
    tail: Option<Arc<dyn PhysicalExpr>>,
    /// What was not looked for in the tail yet: one look does for all until something of lower rank comes.
    in_tail: Vec<AttributeColumn<'a>>,
    field_type: FieldType,
    signal: Signal,
    physical: &'a Schema,
}

impl<'a> Choices<'a> {
    fn new(field_type: FieldType, signal: Signal, physical: &'a Schema) -> Result<Self> {
        let tail: Option<Arc<dyn PhysicalExpr>> = match has(physical, TAIL_COLUMN) {
            true => Some(Arc::new(Column::new_with_schema(TAIL_COLUMN, physical)?)),
            false => None,
        };
        Ok(Self { values: Vec::new(), tail, in_tail: Vec::new(), field_type, signal, physical })
    }

    /// Attributes of one origin.
    fn add_attributes(&mut self, columns: &[AttributeColumn<'a>]) -> Result<()> {
        for column in columns {
            if let Some(value) = attribute(column, self.field_type, self.signal, self.physical)? {
                self.add(value);
            }
        }
        self.in_tail.extend(columns);
        Ok(())
    }

    fn add(&mut self, value: Arc<dyn PhysicalExpr>) {
        self.look_into_tail();
        self.values.push(value);
    }

    fn look_into_tail(&mut self) {
        let columns = std::mem::take(&mut self.in_tail);
        if let Some(tail) = self.tail.as_ref().filter(|_| !columns.is_empty()) {
            let function = TailFunction::new(&columns, self.field_type);
            self.values.push(call(function, vec![Arc::clone(tail)], self.field_type.data_type()));
        }
    }

    fn finish(mut self) -> Vec<Arc<dyn PhysicalExpr>> {
        self.look_into_tail();
        self.values
    }
}

/// Arrow's own `index_of` writes an error with every name when there is none, and most candidates of a field are not
/// there.
fn has(physical: &Schema, name: &str) -> bool {
    physical.fields().find(name).is_some()
}

fn attribute(
    column: &AttributeColumn<'_>,
    field_type: FieldType,
    signal: Signal,
    physical: &Schema,
) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let name = column.to_string();
    if !has(physical, &name) {
        return Ok(None);
    }
    let value: Arc<dyn PhysicalExpr> = Arc::new(Column::new_with_schema(&name, physical)?);
    if column.value_type == ValueType::Json {
        let function = TransformFunction::new(Transform::AnyValueText, signal, FieldType::Text);
        let text = call(function, vec![value], DataType::Utf8View);
        return Ok(Some(convert(text, &DataType::Utf8View, physical, field_type)));
    }
    Ok(Some(convert(value, &column.data_type(), physical, field_type)))
}

fn convert(
    value: Arc<dyn PhysicalExpr>,
    from: &DataType,
    physical: &Schema,
    field_type: FieldType,
) -> Arc<dyn PhysicalExpr> {
    let to = field_type.data_type();
    let actual = value.data_type(physical).unwrap_or_else(|_| from.clone());
    if actual == to {
        return value;
    }
    // A value that cannot be read as the field's type is null there rather than an error of the whole query.
    let options = datafusion::arrow::compute::CastOptions { safe: true, ..Default::default() };
    Arc::new(CastExpr::new(value, to, Some(options)))
}

/// A fixed column, its default, or null.
fn fixed_column(fixed: Fixed, physical: &Schema) -> Result<Arc<dyn PhysicalExpr>> {
    let info = fixed.column();
    if has(physical, info.name) {
        return Ok(Arc::new(Column::new_with_schema(info.name, physical)?));
    }
    let data_type = info.fixed_type.data_type();
    let value = match (info.default, &data_type) {
        (Some(default), DataType::UInt8) => ScalarValue::UInt8(u8::try_from(default).ok()),
        (Some(default), DataType::Int64) => ScalarValue::Int64(Some(default)),
        _ => return null(&data_type),
    };
    Ok(Arc::new(Literal::new(value)))
}

fn null(data_type: &DataType) -> Result<Arc<dyn PhysicalExpr>> {
    Ok(Arc::new(Literal::new(ScalarValue::try_from(data_type)?)))
}

fn first_value(
    mut choices: Vec<Arc<dyn PhysicalExpr>>,
    data_type: &DataType,
) -> Result<Arc<dyn PhysicalExpr>> {
    let Some(last) = choices.pop() else { return null(data_type) };
    if choices.is_empty() {
        return Ok(last);
    }
    let branches = choices
        .into_iter()
        .map(|value| (Arc::new(IsNotNullExpr::new(Arc::clone(&value))) as Arc<dyn PhysicalExpr>, value))
        .collect();
    Ok(Arc::new(CaseExpr::try_new(None, branches, Some(last))?))
}

fn call(
    function: impl ScalarUDFImpl + 'static,
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    data_type: DataType,
) -> Arc<dyn PhysicalExpr> {
    let function = Arc::new(ScalarUDF::from(function));
    let name = function.name().to_owned();
    Arc::new(ScalarFunctionExpr::new(
        &name,
        function,
        arguments,
        Arc::new(Field::new(&name, data_type, true)),
        Arc::new(ConfigOptions::default()),
    ))
}

fn field_type_of(data_type: &DataType) -> FieldType {
    match data_type {
        DataType::Int64 => FieldType::Integer,
        DataType::Float64 => FieldType::Float,
        DataType::Boolean => FieldType::Boolean,
        _ => FieldType::Text,
    }
}
