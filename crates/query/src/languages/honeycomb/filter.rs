//! Filters as expressions. A value is read as its field's type, so `"500"` finds the number 500. An event without the
//! field passes the negative operators only: each is the exact opposite of its positive.

use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn as functions;
use datafusion::logical_expr::{Expr, lit, not};
use serde_json::Value;

use super::spec::{Combination, Filter, FilterOp};
use super::translate::{Names, Typed, combine, text_literal};
use crate::{FieldType, QueryError};

/// All filters of a list together; `None` when there are none.
pub(crate) fn filters_expr(
    names: &mut Names<'_>,
    filters: &[Filter],
    combination: Combination,
) -> Result<Option<Expr>, QueryError> {
    let each = filters
        .iter()
        .map(|filter| Ok(filter_expr(&names.resolve(&filter.column)?, filter.op, filter.value.as_ref())))
        .collect::<Result<Vec<_>, QueryError>>()?;
    Ok(combine(each, if combination == Combination::And { Expr::and } else { Expr::or }))
}

/// One filter on a field. Plain comparisons of columns with constants, so that the store can prune by them.
pub(crate) fn filter_expr(field: &Typed, op: FilterOp, value: Option<&Value>) -> Expr {
    let Some(field_type) = field.field_type else {
        return lit(is_negative(op));
    };
    let column = || field.expr.clone();
    let value = value.unwrap_or(&Value::Null);
    match op {
        FilterOp::Exists => column().is_not_null(),
        FilterOp::DoesNotExist => column().is_null(),
        FilterOp::Equal => constant(field_type, value).map_or(lit(false), |value| column().eq(value)),
        FilterOp::NotEqual => opposite(filter_expr(field, FilterOp::Equal, Some(value)), column()),
        FilterOp::In => {
            let values = value.as_array().map_or(&[][..], Vec::as_slice);
            let constants: Vec<Expr> =
                values.iter().filter_map(|value| constant(field_type, value)).collect();
            if constants.is_empty() { lit(false) } else { column().in_list(constants, false) }
        }
        FilterOp::NotIn => opposite(filter_expr(field, FilterOp::In, Some(value)), column()),
        FilterOp::Greater => ordered(field, field_type, value, Expr::gt),
        FilterOp::GreaterOrEqual => ordered(field, field_type, value, Expr::gt_eq),
        FilterOp::Less => ordered(field, field_type, value, Expr::lt),
        FilterOp::LessOrEqual => ordered(field, field_type, value, Expr::lt_eq),
        FilterOp::StartsWith => functions::starts_with(field.text(), text_literal(&text_of(value))),
        FilterOp::EndsWith => functions::ends_with(field.text(), text_literal(&text_of(value))),
        FilterOp::Contains => functions::contains(field.text(), text_literal(&text_of(value))),
        FilterOp::DoesNotStartWith => {
            opposite(filter_expr(field, FilterOp::StartsWith, Some(value)), column())
        }
        FilterOp::DoesNotEndWith => opposite(filter_expr(field, FilterOp::EndsWith, Some(value)), column()),
        FilterOp::DoesNotContain => opposite(filter_expr(field, FilterOp::Contains, Some(value)), column()),
    }
}

fn is_negative(op: FilterOp) -> bool {
    use FilterOp::{DoesNotContain, DoesNotEndWith, DoesNotExist, DoesNotStartWith, NotEqual, NotIn};
    matches!(op, NotEqual | NotIn | DoesNotContain | DoesNotEndWith | DoesNotExist | DoesNotStartWith)
}

fn opposite(test: Expr, column: Expr) -> Expr {
    not(test).or(column.is_null())
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn number_of(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(flag) => Some(f64::from(u8::from(*flag))),
        _ => None,
    }
}

fn whole_of(value: &Value) -> Option<i64> {
    let exact = value.as_i64().or_else(|| value.as_str().and_then(|text| text.trim().parse().ok()));
    exact.or_else(|| {
        let number = number_of(value)?;
        (number.fract() == 0.0 && number.abs() < 9e18).then_some(number as i64)
    })
}

/// The value as the field's type; `None` when no value of that type can be equal to it.
fn constant(field_type: FieldType, value: &Value) -> Option<Expr> {
    Some(match field_type {
        FieldType::Text => text_literal(&text_of(value)),
        FieldType::Integer => lit(whole_of(value)?),
        FieldType::Float => lit(number_of(value)?),
        FieldType::Boolean => match value {
            Value::Bool(flag) => lit(*flag),
            Value::String(text) => lit(text.trim().parse::<bool>().ok()?),
            other => lit(match number_of(other)? {
                0.0 => false,
                1.0 => true,
                _ => return None,
            }),
        },
    })
}

fn ordered(field: &Typed, field_type: FieldType, value: &Value, with: fn(Expr, Expr) -> Expr) -> Expr {
    match field_type {
        FieldType::Text => with(field.expr.clone(), text_literal(&text_of(value))),
        FieldType::Integer => match (whole_of(value), number_of(value)) {
            (Some(whole), _) => with(field.expr.clone(), lit(whole)),
            (None, Some(number)) => with(field.number(), lit(number)),
            (None, None) => lit(ScalarValue::Boolean(Some(false))),
        },
        FieldType::Float | FieldType::Boolean => match number_of(value) {
            Some(number) => with(field.number(), lit(number)),
            None => lit(false),
        },
    }
}
