//! Expressions of Insights → expressions of the engine. Native ones are made where the engine means exactly the same, so
//! that scans skip what cannot match and all cores compute; anything else becomes one of the functions in [`columns`].

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::ScalarValue;
use datafusion::functions::expr_fn::contains;
use datafusion::logical_expr::{Expr as Engine, cast, lit, when};

use super::columns::{Column, Inputs, Kind};
use super::place::text;
use crate::functions::regex_functions::reg_match;
use crate::languages::insights::ast::{BinaryOp, Expr, Function, Period};
use crate::languages::insights::functions::{Row, Shared, value};
use crate::languages::insights::value::{Value, number_of};
use crate::operators::patterns::template;

const NS_IN_MS: i64 = 1_000_000;

/// The columns that there are at some point of the pipeline, by name.
#[derive(Clone)]
pub(super) struct Names {
    pub(super) columns: BTreeMap<String, Column>,
    pub(super) account_id: Arc<str>,
    pub(super) shared: Arc<Shared>,
}

struct NoRow;

impl Row for NoRow {
    fn field(&self, _name: &str) -> Value {
        Value::Null
    }
}

impl Names {
    /// A filter's condition; never null.
    pub(super) fn test(&self, expr: &Expr) -> Engine {
        match expr {
            Expr::Binary { op: BinaryOp::And, left, right } => self.test(left).and(self.test(right)),
            Expr::Binary { op: BinaryOp::Or, left, right } => self.test(left).or(self.test(right)),
            Expr::Not(inner) => self.test(inner).is_not_true(),
            _ => match self.native(expr) {
                Some(Column { expr, kind: Kind::Test, .. }) => expr,
                _ => match self.inputs(expr) {
                    Some(inputs) => inputs.test(expr),
                    None => lit(value(expr, &NoRow, &self.shared).is_true()),
                },
            },
        }
    }

    /// Any expression as a column.
    pub(super) fn column(&self, expr: &Expr) -> Column {
        if let Some(native) = self.native(expr) {
            return native;
        }
        let encoded = |expr| Column { expr, kind: Kind::Value, data_type: DataType::Utf8View };
        match self.inputs(expr) {
            Some(inputs) => encoded(inputs.value(expr)),
            None => encoded(lit(ScalarValue::Utf8View(value(expr, &NoRow, &self.shared).encode()))),
        }
    }

    /// The number that an expression is, or null.
    pub(super) fn number(&self, expr: &Expr) -> Engine {
        match self.native(expr) {
            Some(Column { expr, kind: Kind::Int, .. }) => cast(expr, DataType::Float64),
            Some(Column { expr, kind: Kind::Float, .. }) => expr,
            Some(Column { expr, kind: Kind::Test, .. }) => cast(expr.is_true(), DataType::Float64),
            _ => match self.inputs(expr) {
                Some(inputs) => inputs.number(expr),
                None => lit(ScalarValue::Float64(value(expr, &NoRow, &self.shared).number())),
            },
        }
    }

    /// The template of an expression's text.
    pub(super) fn template(&self, expr: &Expr) -> Engine {
        match self.inputs(expr) {
            Some(inputs) => inputs.template(expr),
            None => {
                let found = value(expr, &NoRow, &self.shared);
                lit(ScalarValue::Utf8View((!found.is_null()).then(|| template(&found.to_string()))))
            }
        }
    }

    /// What sorts as an expression does.
    pub(super) fn sort_key(&self, expr: &Expr) -> Engine {
        match self.native(expr) {
            Some(Column { expr, kind: Kind::Int | Kind::Float | Kind::Time, .. }) => expr,
            Some(Column { expr, kind: Kind::Test, .. }) => cast(expr.is_true(), DataType::Int64),
            _ => match self.inputs(expr) {
                Some(inputs) => inputs.sort_key(expr),
                None => lit(0_i64),
            },
        }
    }

    /// The fields of an expression; `None` when it has none.
    pub(super) fn inputs(&self, expr: &Expr) -> Option<Inputs> {
        let mut names = Vec::new();
        fields_of(expr, &mut names);
        names.sort();
        names.dedup();
        names.retain(|name| self.columns.contains_key(name));
        let columns: Vec<Column> = names.iter().map(|name| self.columns[name].clone()).collect();
        (!names.is_empty()).then(|| Inputs {
            names,
            columns,
            account_id: Arc::clone(&self.account_id),
            shared: Arc::clone(&self.shared),
        })
    }

    fn native(&self, expr: &Expr) -> Option<Column> {
        let test = |expr: Engine| Column { expr, kind: Kind::Test, data_type: DataType::Boolean };
        match expr {
            Expr::Field(name) => self.columns.get(name).cloned(),
            Expr::Number(number) => Some(float(lit(*number))),
            Expr::Text(_) => None,
            Expr::Not(_) | Expr::Binary { op: BinaryOp::And | BinaryOp::Or, .. } => {
                Some(test(self.test(expr)))
            }
            Expr::Negative(inner) => Some(float(lit(0.0) - self.float(inner)?)),
            Expr::Binary { op, left, right } => match comparison(*op) {
                Some(_) => self.compared(*op, left, right).map(test),
                None => {
                    let (left, right) = (self.float(left)?, self.float(right)?);
                    let computed = match op {
                        BinaryOp::Add => left + right,
                        BinaryOp::Subtract => left - right,
                        BinaryOp::Multiply => left * right,
                        BinaryOp::Divide => left / right,
                        BinaryOp::Remainder => left % right,
                        _ => return None,
                    };
                    Some(float(finite(computed)))
                }
            },
            Expr::Contains { value, text: part, negated } => {
                let found = contains(self.text(value)?, text(part));
                Some(test(if *negated { found.is_not_true() } else { found.is_true() }))
            }
            Expr::Matches { value, regex, negated } => {
                // It answers false where there is nothing.
                let found = reg_match(self.text(value)?, text(regex));
                Some(test(if *negated { found.is_not_true() } else { found }))
            }
            Expr::In { value, list, negated } => {
                let tests: Option<Vec<Engine>> =
                    list.iter().map(|item| self.compared(BinaryOp::Equal, value, item)).collect();
                let found = tests?.into_iter().reduce(Engine::or)?;
                Some(test(if *negated { found.is_not_true() } else { found }))
            }
            Expr::Bin { period: Period::Millis(step_ms), offset_ms } => {
                let time = self.columns.get("@timestamp").filter(|column| column.kind == Kind::Time)?;
                let ns = cast(time.expr.clone(), DataType::Int64);
                let (step_ns, offset_ns) = (step_ms.checked_mul(NS_IN_MS)?, offset_ms.checked_mul(NS_IN_MS)?);
                // Twice, so that times before the offset go down as well.
                let over = ((ns.clone() - lit(offset_ns)) % lit(step_ns) + lit(step_ns)) % lit(step_ns);
                Some(Column { expr: ns - over, kind: Kind::Time, data_type: DataType::Int64 })
            }
            Expr::Call { function: Function::IsPresent, arguments } => match arguments.first()? {
                Expr::Field(name) => match self.columns.get(name) {
                    Some(column) => Some(test(column.expr.clone().is_not_null())),
                    None => Some(test(lit(false))),
                },
                _ => None,
            },
            Expr::Bin { .. }
            | Expr::DateStep { .. }
            | Expr::Member { .. }
            | Expr::Aggregate(_)
            | Expr::Call { .. } => None,
        }
    }

    /// A number that is one in the engine, too.
    fn float(&self, expr: &Expr) -> Option<Engine> {
        match self.native(expr)? {
            Column { expr, kind: Kind::Int, .. } => Some(cast(expr, DataType::Float64)),
            Column { expr, kind: Kind::Float, .. } => Some(expr),
            _ => None,
        }
    }

    fn text(&self, expr: &Expr) -> Option<Engine> {
        let Expr::Field(name) = expr else { return None };
        self.columns.get(name).filter(|column| column.kind == Kind::Text).map(|column| column.expr.clone())
    }

    /// A comparison that the engine makes with the same meaning; false where there is nothing to compare, but for `!=`.
    fn compared(&self, op: BinaryOp, left: &Expr, right: &Expr) -> Option<Engine> {
        let constant = |expr: &Expr| match expr {
            Expr::Number(number) => Some(Value::Number(*number)),
            Expr::Text(text) => Some(Value::text(text.as_str())),
            Expr::Negative(inner) => match inner.as_ref() {
                Expr::Number(number) => Some(Value::Number(-number)),
                _ => None,
            },
            _ => None,
        };
        let (field, op, constant) = match (constant(left), constant(right)) {
            (None, Some(constant)) => (left, op, constant),
            (Some(constant), None) => (right, mirrored(op), constant),
            (None, None) => {
                return Some(of(op, self.float(left)?, self.float(right)?));
            }
            (Some(_), Some(_)) => return None,
        };
        let column = self.native(field)?;
        let number = constant.number();
        match (column.kind, number, &constant) {
            (Kind::Int, Some(number), _) if number.fract() == 0.0 && number.abs() < 9e15 => {
                Some(of(op, column.expr, lit(number as i64)))
            }
            (Kind::Int, Some(number), _) => Some(of(op, cast(column.expr, DataType::Float64), lit(number))),
            (Kind::Float, Some(number), _) => Some(of(op, column.expr, lit(number))),
            (Kind::Time, Some(at_ms), _) if at_ms.fract() == 0.0 && at_ms.abs() < 9e12 => {
                let ns = at_ms as i64 * NS_IN_MS;
                let ns = match column.data_type {
                    DataType::Int64 => lit(ns),
                    DataType::Timestamp(TimeUnit::Nanosecond, None) => {
                        lit(ScalarValue::TimestampNanosecond(Some(ns), None))
                    }
                    _ => return None,
                };
                // Milliseconds are compared; the column has what lies between them, too.
                match op {
                    BinaryOp::Less | BinaryOp::GreaterOrEqual => Some(of(op, column.expr, ns)),
                    _ => None,
                }
            }
            (Kind::Text, None, Value::Text(wanted)) if number_of(wanted).is_none() => {
                Some(of(op, column.expr, text(wanted)))
            }
            _ => None,
        }
    }
}

/// The fields that an expression reads.
pub(super) fn fields_of(expr: &Expr, names: &mut Vec<String>) {
    match expr {
        Expr::Field(name) => names.push(name.clone()),
        Expr::Bin { .. } => names.push("@timestamp".to_owned()),
        Expr::Call { function: Function::MessageSize, .. } => names.push("@message".to_owned()),
        _ => expr.parts().into_iter().for_each(|part| fields_of(part, names)),
    }
}

fn float(expr: Engine) -> Column {
    Column { expr, kind: Kind::Float, data_type: DataType::Float64 }
}

/// Null where a calculation gives no number.
fn finite(expr: Engine) -> Engine {
    let is = expr.clone().between(lit(f64::MIN), lit(f64::MAX));
    when(is, expr.clone()).end().unwrap_or(expr)
}

fn comparison(op: BinaryOp) -> Option<BinaryOp> {
    use BinaryOp as B;
    matches!(op, B::Equal | B::NotEqual | B::Less | B::LessOrEqual | B::Greater | B::GreaterOrEqual)
        .then_some(op)
}

fn mirrored(op: BinaryOp) -> BinaryOp {
    match op {
        BinaryOp::Less => BinaryOp::Greater,
        BinaryOp::LessOrEqual => BinaryOp::GreaterOrEqual,
        BinaryOp::Greater => BinaryOp::Less,
        BinaryOp::GreaterOrEqual => BinaryOp::LessOrEqual,
        other => other,
    }
}

/// The engine's comparison. Its null keeps no row, as false does, and `Names::test` asks for nothing else of it where that
/// would show.
fn of(op: BinaryOp, left: Engine, right: Engine) -> Engine {
    match op {
        BinaryOp::Equal => left.eq(right),
        BinaryOp::NotEqual => left.eq(right).is_not_true(),
        BinaryOp::Less => left.lt(right),
        BinaryOp::LessOrEqual => left.lt_eq(right),
        BinaryOp::Greater => left.gt(right),
        _ => left.gt_eq(right),
    }
}
