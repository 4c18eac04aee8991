//! Reads a query specification from JSON, strictly: an unknown key, a wrong type or a missing part is an error that
//! names its place. What the parts say about each other is checked in `spec.rs`.

use serde_json::{Map, Value};

use super::spec::{
    Calculation, CalculationOp, Combination, Filter, FilterOp, Having, LIST_MAX, NamedExpression, Order,
    Spec, SpecError, wrong,
};

/// What a specification may have; `id` is what the vendor adds when it gives one back.
pub(super) const KEYS: &[&str] = &[
    "id",
    "breakdowns",
    "calculations",
    "filters",
    "filter_combination",
    "formulas",
    "granularity",
    "orders",
    "limit",
    "start_time",
    "end_time",
    "time_range",
    "havings",
    "calculated_fields",
    "compare_time_offset_seconds",
    "usage_mode",
];

impl Spec {
    /// Reads and checks a specification.
    ///
    /// # Errors
    /// The first thing that is wrong, with the field it is wrong in.
    pub fn parse(value: &Value) -> Result<Self, SpecError> {
        let object = Object::new(value, "query", "", KEYS)?;
        let mut spec = Spec {
            breakdowns: object.list("breakdowns", |value, path| text(value, path, 255))?,
            calculations: object.list("calculations", calculation)?,
            filters: object.list("filters", filter)?,
            filter_combination: combination(&object)?,
            formulas: object.list("formulas", named_expression)?,
            granularity: object.integer("granularity", 0)?.filter(|seconds| *seconds > 0),
            orders: object.list("orders", order)?,
            limit: object.integer("limit", 1)?.map(|limit| limit as usize),
            start_time: object.integer("start_time", 0)?,
            end_time: object.integer("end_time", 0)?,
            time_range: object.integer("time_range", 1)?,
            havings: object.list("havings", having)?,
            calculated_fields: object.list("calculated_fields", named_expression)?,
            compare_time_offset_seconds: object
                .integer("compare_time_offset_seconds", 0)?
                .filter(|offset| *offset > 0),
            usage_mode: object.boolean("usage_mode")?.unwrap_or(false),
        };
        if spec.calculations.is_empty() {
            spec.calculations.push(Calculation::new(CalculationOp::Count, None));
        }
        spec.check()?;
        Ok(spec)
    }
}

/// A JSON object whose keys are known, and where it is.
struct Object<'a> {
    fields: &'a Map<String, Value>,
    path: String,
}

impl<'a> Object<'a> {
    fn new(value: &'a Value, what: &str, path: &str, keys: &[&str]) -> Result<Self, SpecError> {
        let Some(fields) = value.as_object() else {
            return wrong(if path.is_empty() { what } else { path }, "must be an object");
        };
        let object = Self { fields, path: path.to_owned() };
        match fields.keys().find(|key| !keys.contains(&key.as_str())) {
            Some(key) => wrong(object.at(key), "unknown field"),
            None => Ok(object),
        }
    }

    fn at(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Absent and null are the same.
    fn get(&self, key: &str) -> Option<&'a Value> {
        self.fields.get(key).filter(|value| !value.is_null())
    }

    fn list<T>(
        &self,
        key: &str,
        each: impl Fn(&Value, &str) -> Result<T, SpecError>,
    ) -> Result<Vec<T>, SpecError> {
        let Some(value) = self.get(key) else { return Ok(Vec::new()) };
        let Some(entries) = value.as_array() else { return wrong(self.at(key), "must be an array") };
        if entries.len() > LIST_MAX {
            return wrong(self.at(key), format!("must have at most {LIST_MAX} entries"));
        }
        entries
            .iter()
            .enumerate()
            .map(|(position, entry)| each(entry, &format!("{}[{position}]", self.at(key))))
            .collect()
    }

    fn integer(&self, key: &str, min: i64) -> Result<Option<i64>, SpecError> {
        match self.get(key).map(Value::as_i64) {
            None => Ok(None),
            Some(Some(number)) if number >= min => Ok(Some(number)),
            Some(_) => wrong(self.at(key), format!("must be an integer of at least {min}")),
        }
    }

    fn boolean(&self, key: &str) -> Result<Option<bool>, SpecError> {
        match self.get(key).map(Value::as_bool) {
            Some(None) => wrong(self.at(key), "must be true or false"),
            found => Ok(found.flatten()),
        }
    }

    fn text(&self, key: &str, length_max: usize) -> Result<Option<String>, SpecError> {
        self.get(key).map(|value| text(value, &self.at(key), length_max)).transpose()
    }

    fn word<T>(&self, key: &str, from_word: impl Fn(&str) -> Option<T>) -> Result<Option<T>, SpecError> {
        let Some(value) = self.get(key) else { return Ok(None) };
        match value.as_str().and_then(from_word) {
            Some(known) => Ok(Some(known)),
            None => wrong(self.at(key), format!("unknown value {value}")),
        }
    }

    fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, SpecError> {
        value.map_or_else(|| wrong(self.at(key), "is required"), Ok)
    }
}

fn text(value: &Value, path: &str, length_max: usize) -> Result<String, SpecError> {
    match value.as_str() {
        Some("") => wrong(path, "must not be empty"),
        Some(text) if text.len() <= length_max => Ok(text.to_owned()),
        Some(_) => wrong(path, format!("must have at most {length_max} bytes")),
        None => wrong(path, "must be a string"),
    }
}

fn combination(object: &Object<'_>) -> Result<Combination, SpecError> {
    Ok(object.word("filter_combination", Combination::from_word)?.unwrap_or(Combination::And))
}

fn calculation(value: &Value, path: &str) -> Result<Calculation, SpecError> {
    let object = Object::new(value, "", path, &["op", "column", "name", "filters", "filter_combination"])?;
    let op = object.required("op", object.word("op", CalculationOp::from_word)?)?;
    let column = object.text("column", 255)?;
    match (op, &column) {
        (CalculationOp::Count | CalculationOp::CountDatapoints, _) => {}
        (CalculationOp::Concurrency, Some(_)) => {
            return wrong(object.at("column"), "CONCURRENCY takes no column");
        }
        (CalculationOp::Concurrency, None) => {}
        (_, None) => return wrong(object.at("column"), format!("{} needs a column", op.word())),
        _ => {}
    }
    Ok(Calculation {
        op,
        column,
        name: object.text("name", 255)?,
        filters: object.list("filters", filter)?,
        filter_combination: combination(&object)?,
    })
}

fn filter(value: &Value, path: &str) -> Result<Filter, SpecError> {
    let object = Object::new(value, "", path, &["column", "op", "value"])?;
    let column = object.required("column", object.text("column", 255)?)?;
    let op = object.required("op", object.word("op", FilterOp::from_word)?)?;
    let value = object.get("value").cloned();
    let is_scalar = |value: &Value| value.is_string() || value.is_number() || value.is_boolean();
    let at = object.at("value");
    match (op, &value) {
        (FilterOp::Exists | FilterOp::DoesNotExist, None) => {}
        (FilterOp::Exists | FilterOp::DoesNotExist, Some(_)) => {
            return wrong(at, format!("{} takes no value", op.word()));
        }
        (_, None) => return wrong(at, format!("{} needs a value", op.word())),
        (FilterOp::In | FilterOp::NotIn, Some(Value::Array(values))) => {
            if !values.iter().all(is_scalar) {
                return wrong(at, "must hold strings, numbers or booleans");
            }
            if values.len() > 10 * LIST_MAX {
                return wrong(at, format!("must have at most {} entries", 10 * LIST_MAX));
            }
        }
        (FilterOp::In | FilterOp::NotIn, Some(_)) => {
            return wrong(at, format!("{} needs an array", op.word()));
        }
        (_, Some(value)) if !is_scalar(value) => return wrong(at, "must be a string, a number or a boolean"),
        _ => {}
    }
    Ok(Filter { column, op, value })
}

fn named_expression(value: &Value, path: &str) -> Result<NamedExpression, SpecError> {
    let object = Object::new(value, "", path, &["name", "expression"])?;
    let name = object.required("name", object.text("name", 255)?)?;
    let at = object.at("expression");
    let Some(expression) = object.get("expression").and_then(Value::as_str) else {
        return wrong(at, "must be a string");
    };
    match super::calculated::parse(expression) {
        Ok(_) => Ok(NamedExpression { name, expression: expression.to_owned() }),
        Err(error) => wrong(at, error.to_string()),
    }
}

fn order(value: &Value, path: &str) -> Result<Order, SpecError> {
    let object = Object::new(value, "", path, &["column", "op", "order"])?;
    let descending = object.word("order", |word| match word {
        "ascending" => Some(false),
        "descending" => Some(true),
        _ => None,
    })?;
    Ok(Order {
        op: object.word("op", CalculationOp::from_word)?,
        column: object.text("column", 255)?,
        descending: descending.unwrap_or(false),
    })
}

fn having(value: &Value, path: &str) -> Result<Having, SpecError> {
    let object = Object::new(value, "", path, &["calculate_op", "column", "op", "value"])?;
    let calculate_op =
        object.required("calculate_op", object.word("calculate_op", CalculationOp::from_word)?)?;
    if calculate_op == CalculationOp::Heatmap {
        return wrong(object.at("calculate_op"), "HEATMAP cannot be compared");
    }
    let op = object.required("op", object.word("op", FilterOp::from_word)?)?;
    use FilterOp::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    if !matches!(op, Equal | NotEqual | Greater | GreaterOrEqual | Less | LessOrEqual) {
        return wrong(object.at("op"), "must be one of = != > >= < <=");
    }
    let Some(number) = object.get("value").and_then(Value::as_f64) else {
        return wrong(object.at("value"), "must be a number");
    };
    Ok(Having { calculate_op, column: object.text("column", 255)?, op, value: number })
}
