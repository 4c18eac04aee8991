//! Calculated fields as expressions over columns. Every field has one type, so types are known before anything runs:
//! what a function does with a wrong type is decided here and not row by row.

use std::collections::{BTreeSet, HashMap};

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::functions::expr_fn as functions;
use datafusion::logical_expr::{Expr, cast, ident, lit, not, try_cast, when};

use super::calculated::{self, Ast, Function};
use super::temporal::{self, Temporal};
use crate::functions::first_present::first_present;
use crate::functions::number_text::number_text;
use crate::functions::{bucket_label, format_time, joined_text, log10, regex_functions, unix_timestamp};
use crate::{FieldType, QueryError};

/// Nodes an expression may have after the calculated fields that it names are put in their places.
const NODES_MAX: usize = 20_000;

/// Levels of the engine's expressions, of which a function of ours makes up to four. The engine walks them by recursion
/// many times over; this many fit [`STACK_BYTES`](crate::STACK_BYTES), with room to spare.
const LEVELS_MAX: usize = 80;

fn levels(expr: &Expr) -> usize {
    let mut deepest = 0;
    // The visitor never fails.
    let _ = expr.apply_children(|child| {
        deepest = deepest.max(levels(child));
        Ok(TreeNodeRecursion::Continue)
    });
    deepest + 1
}

/// An expression and its type; `None` is the literal null, which has none.
#[derive(Debug, Clone)]
pub(crate) struct Typed {
    pub(crate) expr: Expr,
    pub(crate) field_type: Option<FieldType>,
}

impl Typed {
    pub(crate) fn new(expr: Expr, field_type: FieldType) -> Self {
        Self { expr, field_type: Some(field_type) }
    }

    fn null() -> Self {
        Self { expr: lit(ScalarValue::Null), field_type: None }
    }

    fn boolean(expr: Expr) -> Self {
        Self::new(expr, FieldType::Boolean)
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self.field_type, Some(FieldType::Integer | FieldType::Float))
    }

    /// As a float; null for what is not a number.
    pub(crate) fn number(&self) -> Expr {
        match self.field_type {
            None => lit(ScalarValue::Float64(None)),
            Some(FieldType::Float) => self.expr.clone(),
            Some(FieldType::Integer) => cast(self.expr.clone(), DataType::Float64),
            Some(FieldType::Boolean) => cast(cast(self.expr.clone(), DataType::Int64), DataType::Float64),
            Some(FieldType::Text) => try_cast(self.expr.clone(), DataType::Float64),
        }
    }

    fn number_or_zero(&self) -> Expr {
        first_present(vec![self.number(), lit(0.0)])
    }

    /// As text; null stays null. A whole float is written without its fraction.
    pub(crate) fn text(&self) -> Expr {
        match self.field_type {
            None => lit(ScalarValue::Utf8View(None)),
            Some(FieldType::Text) => self.expr.clone(),
            Some(FieldType::Float) => number_text(self.expr.clone()),
            Some(_) => cast(self.expr.clone(), DataType::Utf8View),
        }
    }

    /// Non-zero numbers, true and "true" are; nothing else is, and null is not.
    fn truthy(&self) -> Expr {
        let truth = match self.field_type {
            None => return lit(false),
            Some(FieldType::Boolean) => self.expr.clone(),
            Some(FieldType::Integer) => self.expr.clone().not_eq(lit(0_i64)),
            Some(FieldType::Float) => self.expr.clone().not_eq(lit(0.0)),
            Some(FieldType::Text) => self.expr.clone().eq(text_literal("true")),
        };
        truth.is_true()
    }

    fn coerce(&self, to: FieldType) -> Expr {
        match (self.field_type, to) {
            (None, _) => cast(self.expr.clone(), to.data_type()),
            (Some(same), _) if same == to => self.expr.clone(),
            (_, FieldType::Text) => self.text(),
            (_, FieldType::Float) => self.number(),
            _ => cast(self.expr.clone(), to.data_type()),
        }
    }
}

pub(crate) fn text_literal(text: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(text.to_owned())))
}

/// CASE WHEN … ELSE. The branches have one type already.
fn case(branches: Vec<(Expr, Expr)>, otherwise: Expr) -> Expr {
    let mut branches = branches.into_iter();
    let Some((condition, value)) = branches.next() else { return otherwise };
    let mut builder = when(condition, value);
    for (condition, value) in branches {
        builder = builder.when(condition, value);
    }
    // It fails only when the branches' types differ.
    builder.otherwise(otherwise.clone()).unwrap_or(otherwise)
}

/// Combines many expressions with a tree as flat as can be, since deep trees cost stack.
pub(crate) fn combine(mut expressions: Vec<Expr>, with: fn(Expr, Expr) -> Expr) -> Option<Expr> {
    while expressions.len() > 1 {
        let mut pairs = expressions.into_iter();
        let mut next = Vec::new();
        while let Some(left) = pairs.next() {
            next.push(match pairs.next() {
                Some(right) => with(left, right),
                None => left,
            });
        }
        expressions = next;
    }
    expressions.pop()
}

fn unified(values: &[Typed]) -> Option<FieldType> {
    let mut types = values.iter().filter_map(|value| value.field_type);
    let first = types.next()?;
    Some(types.fold(first, |left, right| match (left, right) {
        (left, right) if left == right => left,
        (FieldType::Integer | FieldType::Float, FieldType::Integer | FieldType::Float) => FieldType::Float,
        _ => FieldType::Text,
    }))
}

/// The names a query may use: fields of the data, and calculated fields, which win.
pub(crate) struct Names<'a> {
    fields: &'a HashMap<String, FieldType>,
    calculated: &'a HashMap<String, Ast>,
    /// Columns of the table that were used, system columns too.
    pub(crate) columns: BTreeSet<String>,
    /// Relational fields that were used.
    pub(crate) relational: BTreeSet<String>,
    /// Functions over time that were used.
    pub(crate) temporal: Vec<Temporal>,
    resolving: Vec<String>,
    node_count: usize,
    /// How deep the expression being translated is, counting through the calculated fields it names: what the engine
    /// does with a tree costs stack for each level.
    depth: usize,
}

impl<'a> Names<'a> {
    pub(crate) fn new(fields: &'a HashMap<String, FieldType>, calculated: &'a HashMap<String, Ast>) -> Self {
        Self {
            fields,
            calculated,
            columns: BTreeSet::new(),
            relational: BTreeSet::new(),
            temporal: Vec::new(),
            resolving: Vec::new(),
            node_count: 0,
            depth: 0,
        }
    }

    /// A column every event has.
    pub(crate) fn system(&mut self, name: &'static str) -> Expr {
        self.columns.insert(name.to_owned());
        ident(name)
    }

    /// A column of the data, whatever calculated field has its name.
    pub(crate) fn column(&mut self, name: &str) -> Expr {
        self.columns.insert(name.to_owned());
        ident(name)
    }

    /// The expression a name stands for.
    pub(crate) fn resolve(&mut self, name: &str) -> Result<Typed, QueryError> {
        if let Some(ast) = self.calculated.get(name)
            // Inside itself a calculated field's name is the field of the data that it hides, if there is one.
            && !(self.resolving.iter().any(|known| known == name) && self.fields.contains_key(name))
        {
            if self.resolving.iter().any(|known| known == name) {
                let path = self.resolving.join(" → ");
                return Err(QueryError::Invalid(format!(
                    "calculated field {name} refers to itself: {path} → {name}"
                )));
            }
            self.resolving.push(name.to_owned());
            let typed = self.translate(ast);
            self.resolving.pop();
            let typed = typed?;
            if levels(&typed.expr) > LEVELS_MAX {
                return invalid(format!("calculated field {name} is nested too deep"));
            }
            return Ok(typed);
        }
        if name.starts_with('#') {
            return Err(QueryError::Invalid(format!("{name} is not a field: names do not start with #")));
        }
        let (name, field_type) = match super::relational::split(name) {
            // A column of a joined span: the frame has it under this name, not the table.
            Some(_) if !self.resolving.is_empty() => {
                return invalid(format!("{name}: relational fields are for filters and breakdowns"));
            }
            Some((_, field)) => {
                self.relational.insert(name.to_owned());
                (name, self.type_of(field)?)
            }
            None => {
                self.columns.insert(name.to_owned());
                (name, self.fields.get(name).copied().unwrap_or(FieldType::Text))
            }
        };
        Ok(Typed::new(ident(name), field_type))
    }

    /// The type of a name, without marking it as used.
    pub(crate) fn type_of(&self, name: &str) -> Result<FieldType, QueryError> {
        let mut names = Names::new(self.fields, self.calculated);
        Ok(names.resolve(name)?.field_type.unwrap_or(FieldType::Text))
    }

    pub(crate) fn translate(&mut self, ast: &Ast) -> Result<Typed, QueryError> {
        if self.depth >= calculated::DEPTH_MAX {
            return invalid("calculated fields nest too deep");
        }
        self.depth += 1;
        let typed = self.translate_inner(ast);
        self.depth -= 1;
        typed
    }

    fn translate_inner(&mut self, ast: &Ast) -> Result<Typed, QueryError> {
        self.node_count += 1;
        if self.node_count > NODES_MAX {
            return Err(QueryError::Invalid("calculated fields are too large together".to_owned()));
        }
        Ok(match ast {
            Ast::Null => Typed::null(),
            Ast::Bool(value) => Typed::boolean(lit(*value)),
            Ast::Int(value) => Typed::new(lit(*value), FieldType::Integer),
            Ast::Float(value) => Typed::new(lit(*value), FieldType::Float),
            Ast::Text(value) => Typed::new(text_literal(value), FieldType::Text),
            Ast::Column(name) => self.resolve(name)?,
            Ast::Call(function, arguments) => {
                let values = arguments
                    .iter()
                    .map(|argument| self.translate(argument))
                    .collect::<Result<Vec<_>, _>>()?;
                self.call(*function, arguments, &values)?
            }
        })
    }

    /// Counts what copies of an expression add to the whole.
    fn spend(&mut self, value: &Typed, copies: usize) -> Result<(), QueryError> {
        let mut nodes = 0_usize;
        value.expr.apply(|_| {
            nodes += 1;
            Ok(TreeNodeRecursion::Continue)
        })?;
        self.node_count = self.node_count.saturating_add(nodes.saturating_mul(copies));
        if self.node_count > NODES_MAX { invalid("calculated fields are too large together") } else { Ok(()) }
    }

    fn call(&mut self, function: Function, asts: &[Ast], values: &[Typed]) -> Result<Typed, QueryError> {
        let typed = Typed::new;
        let first = values.first();
        Ok(match (function, values) {
            (Function::If, _) => {
                let (pairs, otherwise) = pairs(values);
                choose(pairs.map(|pair| (pair[0].truthy(), &pair[1])).collect(), otherwise)
            }
            (Function::Switch, [subject, rest @ ..]) => {
                self.spend(subject, rest.len())?;
                let (pairs, otherwise) = pairs(rest);
                choose(pairs.map(|pair| (equals(subject, &pair[0]), &pair[1])).collect(), otherwise)
            }
            (Function::Coalesce, _) => match unified(values) {
                None => Typed::null(),
                Some(to) => typed(first_present(values.iter().map(|value| value.coerce(to)).collect()), to),
            },
            (Function::Lt, [a, b]) => Typed::boolean(compare(a, b, Expr::lt)),
            (Function::Lte, [a, b]) => Typed::boolean(compare(a, b, Expr::lt_eq)),
            (Function::Gt, [a, b]) => Typed::boolean(compare(a, b, Expr::gt)),
            (Function::Gte, [a, b]) => Typed::boolean(compare(a, b, Expr::gt_eq)),
            (Function::Equals, [a, b]) => Typed::boolean(equals(a, b)),
            (Function::In, [subject, candidates @ ..]) => {
                let is_plain = |(ast, value): &(&Ast, &Typed)| {
                    !matches!(ast, Ast::Column(_) | Ast::Call(..)) && value.field_type == subject.field_type
                };
                let (plain, rest): (Vec<_>, Vec<_>) = asts[1..].iter().zip(candidates).partition(is_plain);
                self.spend(subject, rest.len())?;
                let mut each: Vec<Expr> = rest.into_iter().map(|(_, value)| equals(subject, value)).collect();
                if !plain.is_empty() && subject.field_type.is_some() {
                    let constants = plain.into_iter().map(|(_, value)| value.expr.clone()).collect();
                    each.push(subject.expr.clone().in_list(constants, false).is_true());
                }
                Typed::boolean(combine(each, Expr::or).unwrap_or(lit(false)))
            }
            (Function::And, _) => Typed::boolean(
                combine(values.iter().map(Typed::truthy).collect(), Expr::and).unwrap_or(lit(true)),
            ),
            (Function::Or, _) => Typed::boolean(
                combine(values.iter().map(Typed::truthy).collect(), Expr::or).unwrap_or(lit(false)),
            ),
            (Function::Not, [a]) => Typed::boolean(not(a.truthy())),
            (Function::Exists, [a]) => {
                Typed::boolean(if a.field_type.is_none() { lit(false) } else { a.expr.clone().is_not_null() })
            }
            (Function::Sum, _) => arithmetic(values, |a, b| a + b),
            (Function::Mul, _) => arithmetic(values, |a, b| a * b),
            (Function::Sub, _) => arithmetic(values, |a, b| a - b),
            (Function::Div, [a, b]) => typed(unless_zero(a, b, |a, b| a / b), FieldType::Float),
            (Function::Mod, [a, b]) => typed(unless_zero(a, b, |a, b| a % b), FieldType::Float),
            (Function::Min, _) => typed(functions::least(numbers(values)), FieldType::Float),
            (Function::Max, _) => typed(functions::greatest(numbers(values)), FieldType::Float),
            (Function::Log10, [a]) => typed(log10::log10(a.number()), FieldType::Float),
            (Function::Bucket, _) => {
                let mut arguments = numbers(values);
                arguments.resize(4, lit(ScalarValue::Float64(None)));
                typed(bucket_label::bucket_label(arguments), FieldType::Text)
            }
            (Function::Int, [a]) => {
                let whole = match a.field_type {
                    Some(FieldType::Integer) => a.expr.clone(),
                    _ => try_cast(a.number(), DataType::Int64),
                };
                typed(first_present(vec![whole, lit(0_i64)]), FieldType::Integer)
            }
            (Function::Float, [a]) => typed(a.number_or_zero(), FieldType::Float),
            (Function::Bool, [a]) => Typed::boolean(a.truthy()),
            (Function::String, [a]) => {
                typed(first_present(vec![a.text(), text_literal("")]), FieldType::Text)
            }
            (Function::Concat, _) => {
                let joined = joined_text::concat(values.iter().map(Typed::text).collect());
                typed(cast(joined, DataType::Utf8View), FieldType::Text)
            }
            (Function::ToLower, [a]) => {
                typed(cast(functions::lower(a.text()), DataType::Utf8View), FieldType::Text)
            }
            (Function::StartsWith, [a, b]) => Typed::boolean(text_test(a, b, functions::starts_with)),
            (Function::EndsWith, [a, b]) => Typed::boolean(text_test(a, b, functions::ends_with)),
            (Function::Contains, [a, b]) => Typed::boolean(text_test(a, b, functions::contains)),
            (Function::Length, [a, ..]) => {
                let length = match asts.get(1) {
                    None => functions::character_length(a.text()),
                    Some(Ast::Text(unit)) if unit == "chars" => functions::character_length(a.text()),
                    Some(Ast::Text(unit)) if unit == "bytes" => functions::octet_length(a.text()),
                    Some(_) => return invalid("LENGTH counts \"chars\" or \"bytes\""),
                };
                typed(cast(length, DataType::Int64), FieldType::Integer)
            }
            (Function::RegMatch | Function::RegValue | Function::RegCount, [a, _]) => {
                let Some(Ast::Text(pattern)) = asts.get(1) else {
                    return invalid(format!("the pattern of {} must be a string", function.name()));
                };
                if let Err(error) = regex_functions::compile(pattern) {
                    return invalid(format!("bad regular expression in {}: {error}", function.name()));
                }
                let (text, pattern) = (a.text(), text_literal(pattern));
                match function {
                    Function::RegMatch => Typed::boolean(regex_functions::reg_match(text, pattern)),
                    Function::RegValue => typed(regex_functions::reg_value(text, pattern), FieldType::Text),
                    _ => typed(regex_functions::reg_count(text, pattern), FieldType::Integer),
                }
            }
            (Function::UnixTimestamp, [a]) => {
                typed(unix_timestamp::unix_timestamp(a.text()), FieldType::Float)
            }
            (Function::EventTimestamp, _) => {
                let ns = cast(self.system("#time"), DataType::Int64);
                typed(cast(ns, DataType::Float64) / lit(1e9), FieldType::Float)
            }
            (Function::IngestTimestamp, _) => {
                let ns = self.system("#received_ns");
                typed(cast(ns, DataType::Float64) / lit(1e9), FieldType::Float)
            }
            (Function::FormatTime, [_, seconds]) => {
                let Some(Ast::Text(format)) = asts.first() else {
                    return invalid("the format of FORMAT_TIME must be a string");
                };
                if format.len() > format_time::FORMAT_BYTES_MAX {
                    return invalid("the format of FORMAT_TIME is too long");
                }
                let text = format_time::format_time_expr(text_literal(format), seconds.number());
                typed(text, FieldType::Text)
            }
            (_, [metric, ..]) if function.is_timeseries() => self.over_time(function, asts, metric)?,
            _ => return invalid(format!("{} cannot take {first:?}", function.name())),
        })
    }
}

impl Names<'_> {
    /// The value of a function over time, which a column of the frame will hold.
    fn over_time(&mut self, function: Function, asts: &[Ast], metric: &Typed) -> Result<Typed, QueryError> {
        let name = function.name();
        if !matches!(asts.first(), Some(Ast::Column(_))) {
            return invalid(format!("{name} takes a column"));
        }
        if temporal::is_used_in(&metric.expr) {
            return invalid(calculated::ExpressionError::NestedTimeseries.to_string());
        }
        let window_s = match asts.get(1) {
            None => None,
            Some(Ast::Int(seconds)) if (1..=temporal::WINDOW_S_MAX).contains(seconds) => Some(*seconds),
            Some(_) => {
                return invalid(format!(
                    "the window of {name} must be a whole number of seconds, at most {}",
                    temporal::WINDOW_S_MAX
                ));
            }
        };
        if function == Function::RawMetric {
            return Ok(Typed::new(metric.number(), FieldType::Float));
        }
        for column in ["#time", "#dataset"] {
            self.system(column);
        }
        let series = temporal::series_fields(self.fields);
        self.columns.extend(series);
        let used = Temporal { function, value: metric.number(), window_s };
        let position = self.temporal.iter().position(|known| *known == used).unwrap_or_else(|| {
            self.temporal.push(used);
            self.temporal.len() - 1
        });
        Ok(Typed::new(ident(Temporal::column(position)), FieldType::Float))
    }
}

fn invalid<T>(reason: impl Into<String>) -> Result<T, QueryError> {
    Err(QueryError::Invalid(reason.into()))
}

/// Conditions with results, and the value that is left over when their number is odd.
fn pairs(values: &[Typed]) -> (std::slice::ChunksExact<'_, Typed>, Option<&Typed>) {
    let pairs = values.chunks_exact(2);
    let otherwise = pairs.remainder().first();
    (pairs, otherwise)
}

fn choose(branches: Vec<(Expr, &Typed)>, otherwise: Option<&Typed>) -> Typed {
    let results: Vec<Typed> = branches.iter().map(|(_, value)| *value).chain(otherwise).cloned().collect();
    let Some(to) = unified(&results) else { return Typed::null() };
    let otherwise = otherwise.map_or_else(|| Typed::null().coerce(to), |value| value.coerce(to));
    Typed::new(
        case(branches.into_iter().map(|(test, value)| (test, value.coerce(to))).collect(), otherwise),
        to,
    )
}

fn numbers(values: &[Typed]) -> Vec<Expr> {
    values.iter().map(Typed::number).collect()
}

/// Whole numbers stay whole, anything else becomes a float; what is no number is zero.
fn arithmetic(values: &[Typed], with: fn(Expr, Expr) -> Expr) -> Typed {
    if values.iter().all(|value| value.field_type == Some(FieldType::Integer)) {
        let whole = values.iter().map(|value| first_present(vec![value.expr.clone(), lit(0_i64)])).collect();
        return Typed::new(combine(whole, with).unwrap_or(lit(0_i64)), FieldType::Integer);
    }
    let numbers = values.iter().map(Typed::number_or_zero).collect();
    Typed::new(combine(numbers, with).unwrap_or(lit(0.0)), FieldType::Float)
}

fn unless_zero(a: &Typed, b: &Typed, with: fn(Expr, Expr) -> Expr) -> Expr {
    let divisor = functions::nullif(b.number_or_zero(), lit(0.0));
    with(a.number_or_zero(), divisor)
}

/// Strict in types: a number never equals a text. Null equals the literal null only.
fn equals(a: &Typed, b: &Typed) -> Expr {
    match (a.field_type, b.field_type) {
        (None, None) => lit(true),
        (None, Some(_)) => b.expr.clone().is_null(),
        (Some(_), None) => a.expr.clone().is_null(),
        (Some(left), Some(right)) if left == right => a.expr.clone().eq(b.expr.clone()).is_true(),
        _ if a.is_number() && b.is_number() => a.number().eq(b.number()).is_true(),
        _ => lit(false),
    }
}

/// Numbers by value and texts by their letters; false for anything mixed or missing.
fn compare(a: &Typed, b: &Typed, with: fn(Expr, Expr) -> Expr) -> Expr {
    let test = match (a.field_type, b.field_type) {
        _ if a.is_number() && b.is_number() && a.field_type != b.field_type => with(a.number(), b.number()),
        (Some(left), Some(right)) if left == right && left != FieldType::Boolean => {
            with(a.expr.clone(), b.expr.clone())
        }
        _ => return lit(false),
    };
    test.is_true()
}

fn text_test(a: &Typed, b: &Typed, test: fn(Expr, Expr) -> Expr) -> Expr {
    if a.field_type != Some(FieldType::Text) || b.field_type != Some(FieldType::Text) {
        return lit(false);
    }
    test(a.expr.clone(), b.expr.clone()).is_true()
}
