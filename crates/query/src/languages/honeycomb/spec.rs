//! Honeycomb's query specification: strict parsing from JSON, with errors that name the field, and the canonical JSON
//! that clients compare with what they sent. Nothing here knows the data.

use serde_json::{Map, Value, json};
use thiserror::Error;

/// Entries in any list of a specification.
pub const LIST_MAX: usize = 100;
/// Result rows with series.
pub const LIMIT_MAX: usize = 1_000;
/// Result rows without series.
pub const LIMIT_MAX_WITHOUT_SERIES: usize = 10_000;
const TIME_RANGE_DEFAULT_S: i64 = 7_200;
const COMPARE_OFFSETS_S: [i64; 8] = [1_800, 3_600, 7_200, 28_800, 86_400, 604_800, 2_419_200, 15_724_800];

/// What is wrong with a specification, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{field}: {reason}")]
pub struct SpecError {
    /// The JSON path, as `filters[0].op`.
    pub field: String,
    pub reason: String,
}

pub(crate) fn wrong<T>(field: impl Into<String>, reason: impl Into<String>) -> Result<T, SpecError> {
    Err(SpecError { field: field.into(), reason: reason.into() })
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($variant,)* }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant,)*];

            /// As the specification spells it.
            pub fn word(self) -> &'static str {
                match self { $($name::$variant => $word,)* }
            }

            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word() == word)
            }
        }
    };
}

words!(CalculationOp {
    Count "COUNT",
    Concurrency "CONCURRENCY",
    CountDistinct "COUNT_DISTINCT",
    Sum "SUM",
    Avg "AVG",
    Min "MIN",
    Max "MAX",
    Heatmap "HEATMAP",
    P001 "P001",
    P01 "P01",
    P05 "P05",
    P10 "P10",
    P20 "P20",
    P25 "P25",
    P50 "P50",
    P75 "P75",
    P80 "P80",
    P90 "P90",
    P95 "P95",
    P99 "P99",
    P999 "P999",
    RateSum "RATE_SUM",
    RateAvg "RATE_AVG",
    RateMax "RATE_MAX",
    CountDatapoints "COUNT_DATAPOINTS",
    HistogramCount "HISTOGRAM_COUNT",
});

impl CalculationOp {
    /// The quantile of a percentile: 0.999 for `P999`.
    pub fn quantile(self) -> Option<f64> {
        let digits = self.word().strip_prefix('P')?;
        format!("0.{digits}").parse().ok()
    }
}

words!(FilterOp {
    Equal "=",
    NotEqual "!=",
    Greater ">",
    GreaterOrEqual ">=",
    Less "<",
    LessOrEqual "<=",
    StartsWith "starts-with",
    DoesNotStartWith "does-not-start-with",
    EndsWith "ends-with",
    DoesNotEndWith "does-not-end-with",
    Contains "contains",
    DoesNotContain "does-not-contain",
    Exists "exists",
    DoesNotExist "does-not-exist",
    In "in",
    NotIn "not-in",
});

words!(
    /// How a list of filters is combined.
    Combination {
    And "AND",
    Or "OR",
});

#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    pub column: String,
    pub op: FilterOp,
    /// Absent for exists and does-not-exist, an array for in and not-in, else a scalar.
    pub value: Option<Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Calculation {
    pub op: CalculationOp,
    pub column: Option<String>,
    pub name: Option<String>,
    pub filters: Vec<Filter>,
    pub filter_combination: Combination,
}

impl Calculation {
    pub fn new(op: CalculationOp, column: Option<&str>) -> Self {
        let column = column.map(str::to_owned);
        Self { op, column, name: None, filters: Vec::new(), filter_combination: Combination::And }
    }

    /// The key of the calculation in result rows: its name, or `COUNT`, `AVG(duration_ms)`.
    pub fn key(&self) -> String {
        match (&self.name, &self.column) {
            (Some(name), _) => name.clone(),
            (None, Some(column)) => format!("{}({column})", self.op.word()),
            (None, None) => self.op.word().to_owned(),
        }
    }
}

/// A name and an expression: a formula over calculations, or a calculated field of this query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedExpression {
    pub name: String,
    pub expression: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub op: Option<CalculationOp>,
    pub column: Option<String>,
    pub descending: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Having {
    pub calculate_op: CalculationOp,
    pub column: Option<String>,
    pub op: FilterOp,
    pub value: f64,
}

/// A query specification whose parts agree with each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub breakdowns: Vec<String>,
    /// Never empty.
    pub calculations: Vec<Calculation>,
    pub filters: Vec<Filter>,
    pub filter_combination: Combination,
    pub formulas: Vec<NamedExpression>,
    /// Seconds; `None` lets the run choose.
    pub granularity: Option<i64>,
    pub orders: Vec<Order>,
    pub limit: Option<usize>,
    /// Seconds since the epoch.
    pub start_time: Option<i64>,
    pub end_time: Option<i64>,
    /// Seconds.
    pub time_range: Option<i64>,
    pub havings: Vec<Having>,
    pub calculated_fields: Vec<NamedExpression>,
    pub compare_time_offset_seconds: Option<i64>,
    pub usage_mode: bool,
}

impl Default for Spec {
    fn default() -> Self {
        Self {
            breakdowns: Vec::new(),
            calculations: vec![Calculation::new(CalculationOp::Count, None)],
            filters: Vec::new(),
            filter_combination: Combination::And,
            formulas: Vec::new(),
            granularity: None,
            orders: Vec::new(),
            limit: None,
            start_time: None,
            end_time: None,
            time_range: None,
            havings: Vec::new(),
            calculated_fields: Vec::new(),
            compare_time_offset_seconds: None,
            usage_mode: false,
        }
    }
}

impl Spec {
    /// What the parts say about each other.
    pub(super) fn check(&self) -> Result<(), SpecError> {
        if self.limit.is_some_and(|limit| limit > LIMIT_MAX) {
            return wrong("limit", format!("must be at most {LIMIT_MAX}"));
        }
        self.check_time()?;
        self.check_names()?;
        for (position, order) in self.orders.iter().enumerate() {
            if !self.has_order_term(order) {
                return wrong(format!("orders[{position}]"), "matches no breakdown, calculation or formula");
            }
        }
        for (position, having) in self.havings.iter().enumerate() {
            if self.having_calculation(having).is_none() {
                return wrong(format!("havings[{position}]"), "matches no calculation");
            }
        }
        let relational = self.names().any(|name| super::relation::split(name).is_some());
        if relational
            && (!self.formulas.is_empty() || self.calculations.iter().any(|c| !c.filters.is_empty()))
        {
            return wrong(
                "filters",
                "relational fields cannot be combined with formulas or filters of a calculation",
            );
        }
        if relational && self.filter_combination == Combination::Or {
            return wrong("filter_combination", "must be AND with relational fields");
        }
        for (position, calculation) in self.calculations.iter().enumerate() {
            let columns =
                calculation.column.iter().chain(calculation.filters.iter().map(|filter| &filter.column));
            if columns.into_iter().any(|column| super::relation::split(column).is_some()) {
                let at = format!("calculations[{position}]");
                return wrong(at, "relational fields are for filters and breakdowns");
            }
        }
        for (position, breakdown) in self.breakdowns.iter().enumerate() {
            if breakdown.starts_with("none.") {
                return wrong(format!("breakdowns[{position}]"), "none. is for filters only");
            }
        }
        Ok(())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.breakdowns
            .iter()
            .map(String::as_str)
            .chain(self.filters.iter().map(|filter| filter.column.as_str()))
    }

    fn check_time(&self) -> Result<(), SpecError> {
        if self.start_time.is_some() && self.end_time.is_some() && self.time_range.is_some() {
            return wrong("time_range", "at most two of time_range, start_time and end_time may be given");
        }
        if let (Some(start), Some(end)) = (self.start_time, self.end_time)
            && start >= end
        {
            return wrong("start_time", "must be before end_time");
        }
        // A century: what nanoseconds since the epoch can hold, with room to add.
        for (field, seconds) in
            [("start_time", self.start_time), ("end_time", self.end_time), ("time_range", self.time_range)]
        {
            if seconds.is_some_and(|seconds| seconds > 4_102_444_800) {
                return wrong(field, "is too far in the future");
            }
        }
        let range = self.time_range_s();
        if let Some(granularity) = self.granularity
            && (granularity > range || granularity * 1_000 < range)
        {
            return wrong("granularity", "must be between time_range / 1000 and time_range");
        }
        if let Some(offset) = self.compare_time_offset_seconds {
            if !COMPARE_OFFSETS_S.contains(&offset) {
                return wrong("compare_time_offset_seconds", format!("must be one of {COMPARE_OFFSETS_S:?}"));
            }
            if offset < range {
                return wrong("compare_time_offset_seconds", "must not be smaller than the time range");
            }
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), SpecError> {
        let mut keys = std::collections::HashSet::new();
        for (position, calculation) in self.calculations.iter().enumerate() {
            if !keys.insert(calculation.key()) {
                return wrong(format!("calculations[{position}]"), "is given twice; give one of them a name");
            }
        }
        for (position, formula) in self.formulas.iter().enumerate() {
            if !keys.insert(formula.name.clone()) {
                return wrong(format!("formulas[{position}].name"), "is taken");
            }
        }
        for (position, breakdown) in self.breakdowns.iter().enumerate() {
            if !keys.insert(breakdown.clone()) {
                return wrong(format!("breakdowns[{position}]"), "is given twice");
            }
        }
        let mut fields = std::collections::HashSet::new();
        for (position, field) in self.calculated_fields.iter().enumerate() {
            if !fields.insert(&field.name) {
                return wrong(format!("calculated_fields[{position}].name"), "is given twice");
            }
        }
        Ok(())
    }

    fn has_order_term(&self, order: &Order) -> bool {
        match (order.op, &order.column) {
            (None, None) => false,
            (None, Some(name)) => {
                self.breakdowns.contains(name)
                    || self.formulas.iter().any(|formula| formula.name == *name)
                    || self.calculations.iter().any(|calculation| calculation.name.as_ref() == Some(name))
            }
            (Some(op), column) => {
                op != CalculationOp::Heatmap
                    && self.calculations.iter().any(|known| {
                        known.op == op
                            && (known.column == *column || known.name.is_some() && known.name == *column)
                    })
            }
        }
    }

    /// Position of the calculation that a having is about.
    pub(crate) fn having_calculation(&self, having: &Having) -> Option<usize> {
        self.calculations
            .iter()
            .position(|known| known.op == having.calculate_op && known.column == having.column)
    }

    /// Length of the time range, which does not depend on the current time.
    pub fn time_range_s(&self) -> i64 {
        match (self.start_time, self.end_time, self.time_range) {
            (Some(start), Some(end), _) => end - start,
            (_, _, range) => range.unwrap_or(TIME_RANGE_DEFAULT_S),
        }
    }

    /// Start (included) and end (excluded) in seconds since the epoch.
    pub fn time_window_s(&self, now_s: i64) -> (i64, i64) {
        let range = self.time_range_s();
        match (self.start_time, self.end_time) {
            (Some(start), _) => (start, start + range),
            (None, end) => {
                let end = end.unwrap_or(now_s);
                (end - range, end)
            }
        }
    }

    /// The canonical form: defaults left out, filters in the order they came.
    pub fn to_json(&self) -> Value {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| {
            let empty = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            if !empty {
                out.insert(key.to_owned(), value);
            }
        };
        put("breakdowns", json!(self.breakdowns));
        put("calculations", self.calculations.iter().map(calculation_json).collect());
        put("filters", self.filters.iter().map(filter_json).collect());
        put("filter_combination", combination_json(self.filter_combination));
        put("formulas", self.formulas.iter().map(named_expression_json).collect());
        put("granularity", json!(self.granularity));
        put("orders", self.orders.iter().map(order_json).collect());
        put("limit", json!(self.limit));
        put("start_time", json!(self.start_time));
        put("end_time", json!(self.end_time));
        put("time_range", json!(self.time_range));
        put("havings", self.havings.iter().map(having_json).collect());
        put("calculated_fields", self.calculated_fields.iter().map(named_expression_json).collect());
        put("compare_time_offset_seconds", json!(self.compare_time_offset_seconds));
        put("usage_mode", if self.usage_mode { json!(true) } else { Value::Null });
        Value::Object(out)
    }
}

fn combination_json(combination: Combination) -> Value {
    if combination == Combination::And { Value::Null } else { json!(combination.word()) }
}

fn calculation_json(calculation: &Calculation) -> Value {
    let mut out = Map::new();
    out.insert("op".into(), json!(calculation.op.word()));
    if let Some(column) = &calculation.column {
        out.insert("column".into(), json!(column));
    }
    if let Some(name) = &calculation.name {
        out.insert("name".into(), json!(name));
    }
    if !calculation.filters.is_empty() {
        out.insert("filters".into(), calculation.filters.iter().map(filter_json).collect());
    }
    if calculation.filter_combination == Combination::Or {
        out.insert("filter_combination".into(), json!("OR"));
    }
    Value::Object(out)
}

fn filter_json(filter: &Filter) -> Value {
    let mut out = Map::new();
    out.insert("column".into(), json!(filter.column));
    out.insert("op".into(), json!(filter.op.word()));
    if let Some(value) = &filter.value {
        out.insert("value".into(), value.clone());
    }
    Value::Object(out)
}

fn named_expression_json(named: &NamedExpression) -> Value {
    json!({ "name": named.name, "expression": named.expression })
}

fn order_json(order: &Order) -> Value {
    let mut out = Map::new();
    if let Some(column) = &order.column {
        out.insert("column".into(), json!(column));
    }
    if let Some(op) = order.op {
        out.insert("op".into(), json!(op.word()));
    }
    if order.descending {
        out.insert("order".into(), json!("descending"));
    }
    Value::Object(out)
}

fn having_json(having: &Having) -> Value {
    let mut out = Map::new();
    out.insert("calculate_op".into(), json!(having.calculate_op.word()));
    if let Some(column) = &having.column {
        out.insert("column".into(), json!(column));
    }
    out.insert("op".into(), json!(having.op.word()));
    let whole = having.value.fract() == 0.0 && having.value.abs() < 9e15;
    out.insert("value".into(), if whole { json!(having.value as i64) } else { json!(having.value) });
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_error(spec: Value, expected: &str) {
        let error = Spec::parse(&spec).expect_err(&spec.to_string()).to_string();
        assert!(error.starts_with(expected), "{spec} said {error:?}");
    }

    #[test]
    fn the_empty_query_counts() {
        let spec = Spec::parse(&json!({})).unwrap();
        assert_eq!(spec.to_json(), json!({ "calculations": [{ "op": "COUNT" }] }));
        assert_eq!(spec.time_window_s(10_000), (2_800, 10_000));
    }

    #[test]
    fn the_canonical_form_leaves_defaults_out_and_keeps_order() {
        let spec = json!({
            "breakdowns": ["b", "a"],
            "calculations": [{ "op": "AVG", "column": "x", "filters": [{ "column": "z", "op": "exists" }] }],
            "filters": [{ "column": "z", "op": "=", "value": 1 }, { "column": "a", "op": "in", "value": ["x", 2] }],
            "orders": [{ "op": "AVG", "column": "x", "order": "descending" }, { "column": "a" }],
            "limit": 10,
            "havings": [{ "calculate_op": "AVG", "column": "x", "op": ">", "value": 1.5 }],
        });
        assert_eq!(Spec::parse(&spec).unwrap().to_json(), spec);
        let mut verbose = spec.clone();
        verbose["filter_combination"] = json!("AND");
        verbose["orders"][1]["order"] = json!("ascending");
        verbose["id"] = json!("abc");
        verbose["granularity"] = json!(0);
        assert_eq!(Spec::parse(&verbose).unwrap().to_json(), spec);
    }

    #[test]
    fn what_is_wrong_is_named() {
        check_error(json!([]), "query: must be an object");
        check_error(json!({ "calculation": [] }), "calculation: unknown field");
        check_error(
            json!({ "filters": [{ "column": "a", "op": "=", "value": 1, "x": 1 }] }),
            "filters[0].x: unknown field",
        );
        check_error(
            json!({ "filters": [{ "column": "a", "op": "like", "value": 1 }] }),
            "filters[0].op: unknown value",
        );
        check_error(
            json!({ "filters": [{ "column": "a", "op": "exists", "value": 1 }] }),
            "filters[0].value:",
        );
        check_error(json!({ "filters": [{ "column": "a", "op": "in", "value": 1 }] }), "filters[0].value:");
        check_error(
            json!({ "filters": [{ "column": "a", "op": "=" }] }),
            "filters[0].value: = needs a value",
        );
        check_error(json!({ "calculations": [{ "op": "AVG" }] }), "calculations[0].column:");
        check_error(
            json!({ "calculations": [{ "op": "CONCURRENCY", "column": "a" }] }),
            "calculations[0].column:",
        );
        check_error(json!({ "orders": [{ "column": "a" }] }), "orders[0]: matches no");
        check_error(
            json!({ "havings": [{ "calculate_op": "AVG", "column": "a", "op": ">", "value": 1 }] }),
            "havings[0]: matches no",
        );
        check_error(json!({ "breakdowns": vec!["a"; 101] }), "breakdowns: must have at most 100");
        check_error(json!({ "limit": 1001 }), "limit:");
        check_error(json!({ "limit": 0 }), "limit:");
        check_error(json!({ "limit": "7" }), "limit:");
        check_error(json!({ "time_range": 1, "start_time": 1, "end_time": 2 }), "time_range: at most two");
        check_error(json!({ "start_time": 2, "end_time": 2 }), "start_time:");
        check_error(json!({ "time_range": 1000, "granularity": 1001 }), "granularity:");
        check_error(json!({ "time_range": 2001, "granularity": 2 }), "granularity:");
        check_error(json!({ "compare_time_offset_seconds": 5 }), "compare_time_offset_seconds:");
        check_error(
            json!({ "time_range": 3601, "compare_time_offset_seconds": 3600 }),
            "compare_time_offset_seconds:",
        );
        check_error(
            json!({ "formulas": [{ "name": "f", "expression": "NOPE(1)" }] }),
            "formulas[0].expression: invalid function: NOPE",
        );
        check_error(json!({ "breakdowns": ["none.a"] }), "breakdowns[0]:");
        check_error(
            json!({ "filters": [{ "column": "root.a", "op": "exists" }], "filter_combination": "OR" }),
            "filter_combination:",
        );
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let word = prop::sample::select(vec![
            "COUNT",
            "AVG",
            "a",
            "root.a",
            "none.a",
            "AND",
            "=",
            "in",
            "exists",
            "DIV($a, 1)",
        ]);
        let leaf =
            prop_oneof![word.prop_map(Value::from), any::<i64>().prop_map(Value::from), Just(Value::Null)];
        leaf.prop_recursive(4, 60, 6, |inner| {
            let inner_keys = ["op", "column", "value", "name", "expression"];
            let key = prop::sample::select([super::super::spec_parse::KEYS, &inner_keys].concat());
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..5).prop_map(|pairs| {
                    Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_a_query_or_an_error(value in any_json()) {
            if let Ok(spec) = Spec::parse(&value) {
                prop_assert_eq!(Spec::parse(&spec.to_json()).unwrap(), spec);
            }
        }
    }

    #[test]
    fn percentiles_know_their_quantile() {
        let known: Vec<f64> = CalculationOp::ALL.iter().filter_map(|op| op.quantile()).collect();
        assert_eq!(known, [0.001, 0.01, 0.05, 0.1, 0.2, 0.25, 0.5, 0.75, 0.8, 0.9, 0.95, 0.99, 0.999]);
    }
}
