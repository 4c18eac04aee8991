//! A query as SQL for the engine. Columns that rows have are read as such; every other name is a path into the payload,
//! whose values have the types that the client gave them: they are numbers where numbers are asked for, and texts elsewhere.

use super::ast::{Expr, Operator, Order, Query, Selected, Table};
use super::parse::RqlError;
use crate::questions::literal;

/// Rows of an answer.
pub const ROWS_MAX: u64 = 1_000;

/// What an expression gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Number,
    Text,
    /// A value's text in JSON.
    Json,
    Truth,
}

/// A plan: the text, what it needs, and what its columns are.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    pub(super) sql: String,
    pub(super) columns: Vec<(String, Type)>,
    /// Whether columns of items are asked for.
    pub(super) needs_items: bool,
    /// Whether payloads are read.
    pub(super) needs_payload: bool,
}

/// What `*` shows.
const ALL_OCCURRENCE: [&str; 8] = [
    "occurrence_id",
    "timestamp",
    "environment",
    "level",
    "item.id",
    "item.counter",
    "item.title",
    "item.status",
];

/// Columns of items, and whether they are numbers.
pub const ITEM_COLUMNS: [(&str, bool); 20] = [
    ("id", true),
    ("counter", true),
    ("environment", false),
    ("platform", false),
    ("framework", false),
    ("hash", false),
    ("first_occurrence_id", true),
    ("first_occurrence_timestamp", true),
    ("activating_occurrence_id", true),
    ("last_activated_timestamp", true),
    ("last_resolved_timestamp", true),
    ("last_muted_timestamp", true),
    ("last_occurrence_id", true),
    ("last_occurrence_timestamp", true),
    ("last_modified_by", true),
    ("level", true),
    ("resolved_in_version", false),
    ("status", true),
    ("title", false),
    ("total_occurrences", true),
];

/// Columns of deploys, and whether they are numbers.
pub const DEPLOY_COLUMNS: [(&str, bool); 7] = [
    ("id", true),
    ("user_id", true),
    ("environment", false),
    ("revision", false),
    ("local_username", false),
    ("comment", false),
    ("timestamp", true),
];

const AGGREGATES: [&str; 6] = ["count", "count_distinct", "sum", "avg", "min", "max"];

struct Planner {
    table: Table,
    needs_items: bool,
    needs_payload: bool,
}

/// Plans a query. `now_s` is what `unix_timestamp()` gives, `condition` what rows must be besides.
pub(super) fn plan(query: &Query, now_s: i64, condition: &str) -> Result<Plan, RqlError> {
    let mut planner = Planner { table: query.table, needs_items: false, needs_payload: false };
    let all: Vec<Selected> = match query.table {
        Table::ItemOccurrence => ALL_OCCURRENCE.to_vec(),
        Table::Deploy => DEPLOY_COLUMNS.iter().map(|(name, _)| *name).collect(),
    }
    .into_iter()
    .map(|name| Selected { expr: Expr::Column(name.to_owned()), name: None })
    .collect();
    let select = if query.select.is_empty() { &all } else { &query.select };
    let mut columns = Vec::new();
    let mut shown = Vec::new();
    for (idx, selected) in select.iter().enumerate() {
        let (sql, of) = planner.expr(&selected.expr, now_s, true)?;
        let name = selected.name.clone().unwrap_or_else(|| match &selected.expr {
            Expr::Column(name) => name.clone(),
            other => other.to_string(),
        });
        // Rows are objects: each column has a name of its own.
        let again = columns.iter().filter(|(own, _)| *own == name).count();
        let name = if again == 0 { name } else { format!("{name} ({})", idx + 1) };
        shown.push(format!("{sql} AS c{idx}"));
        columns.push((name, of));
    }
    let mut terms = vec![condition.to_owned()];
    if let Some(filter) = &query.filter {
        terms.push(planner.truth(filter, now_s, false)?);
    }
    let named = |expr: &Expr| match expr {
        Expr::Column(name) => columns.iter().position(|(own, _)| own == name),
        Expr::Number(text) => text.parse::<usize>().ok().and_then(|number| number.checked_sub(1)),
        other => columns.iter().position(|(own, _)| *own == other.to_string()),
    };
    let mut group = Vec::new();
    for expr in &query.group {
        match named(expr).filter(|idx| *idx < select.len()) {
            Some(idx) => {
                if is_aggregate(&select[idx].expr) {
                    return Err(fails("a group cannot be an aggregate"));
                }
                group.push(planner.expr(&select[idx].expr, now_s, false)?.0);
            }
            None if matches!(expr, Expr::Number(_)) => {
                return Err(fails("there is no column of that number"));
            }
            None => group.push(planner.expr(expr, now_s, false)?.0),
        }
    }
    let has_aggregate = select.iter().any(|selected| is_aggregate(&selected.expr));
    if has_aggregate || !group.is_empty() {
        for selected in select.iter().filter(|selected| !is_aggregate(&selected.expr)) {
            let (sql, _) = planner.expr(&selected.expr, now_s, false)?;
            let is_constant = matches!(selected.expr, Expr::Number(_) | Expr::Text(_) | Expr::Null);
            if !group.contains(&sql) && !is_constant {
                return Err(fails(&format!("{} is neither in GROUP BY nor an aggregate", selected.expr)));
            }
        }
    }
    let mut order = Vec::new();
    for Order { expr, is_descending } in &query.order {
        let direction = if *is_descending { "DESC NULLS LAST" } else { "ASC NULLS FIRST" };
        let (sql, of) = match named(expr).filter(|idx| *idx < select.len()) {
            Some(idx) => (format!("c{idx}"), columns[idx].1),
            None if matches!(expr, Expr::Number(_)) => {
                return Err(fails("there is no column of that number"));
            }
            None => planner.expr(expr, now_s, true)?,
        };
        // Values of a payload: numbers by their size, then texts.
        if of == Type::Json {
            order.push(format!("tracery_json_number({sql}) {direction}"));
            order.push(format!("tracery_json_text({sql}) {direction}"));
        } else {
            order.push(format!("{sql} {direction}"));
        }
    }
    let (skip, count) = query.limit.unwrap_or((0, ROWS_MAX));
    let mut from = query.table.name().to_owned();
    if planner.needs_items {
        from.push_str(
            r#" LEFT JOIN items ON items.of_environment = "error.environment" AND items.of_fingerprint = "error.fingerprint""#,
        );
    }
    let mut sql = format!("SELECT {} FROM {from} WHERE {}", shown.join(", "), terms.join(" AND "));
    for (word, list) in [("GROUP BY", group), ("ORDER BY", order)] {
        if !list.is_empty() {
            sql.push_str(&format!(" {word} {}", list.join(", ")));
        }
    }
    sql.push_str(&format!(" LIMIT {} OFFSET {skip}", count.min(ROWS_MAX)));
    Ok(Plan { sql, columns, needs_items: planner.needs_items, needs_payload: planner.needs_payload })
}

fn fails(message: &str) -> RqlError {
    RqlError { message: message.to_owned(), position: 0 }
}

fn is_aggregate(expr: &Expr) -> bool {
    match expr {
        Expr::Call { name, arguments, .. } => {
            AGGREGATES.contains(&name.as_str()) || arguments.iter().any(is_aggregate)
        }
        Expr::Not(inner) | Expr::Minus(inner) => is_aggregate(inner),
        Expr::Binary { left, right, .. } => is_aggregate(left) || is_aggregate(right),
        Expr::In { expr, .. }
        | Expr::Between { expr, .. }
        | Expr::Like { expr, .. }
        | Expr::IsNull { expr, .. } => is_aggregate(expr),
        Expr::Null | Expr::Number(_) | Expr::Text(_) | Expr::Column(_) => false,
    }
}

impl Planner {
    /// SQL and type. `may` is whether an aggregate may stand here.
    fn expr(&mut self, expr: &Expr, now_s: i64, may: bool) -> Result<(String, Type), RqlError> {
        Ok(match expr {
            Expr::Null => ("CAST(NULL AS TEXT)".to_owned(), Type::Text),
            Expr::Number(text) => (format!("CAST({text} AS DOUBLE)"), Type::Number),
            Expr::Text(text) => (format!("arrow_cast({}, 'Utf8View')", literal(text)), Type::Text),
            Expr::Column(name) => self.column(name)?,
            Expr::Call { name, arguments, is_star } => self.call(name, arguments, *is_star, now_s, may)?,
            Expr::Minus(inner) => (format!("(- {})", self.number(inner, now_s, may)?), Type::Number),
            Expr::Binary { operator, left, right } => {
                let arithmetic = match operator {
                    Operator::Plus => "+",
                    Operator::Minus => "-",
                    Operator::Times => "*",
                    Operator::Divide => "/",
                    Operator::Modulo => "%",
                    Operator::WholeDivide => "div",
                    _ => return Ok((self.truth(expr, now_s, may)?, Type::Truth)),
                };
                let (left, right) = (self.number(left, now_s, may)?, self.number(right, now_s, may)?);
                // A division by nothing gives nothing.
                let sql = match arithmetic {
                    "div" => format!("trunc({left} / NULLIF({right}, 0))"),
                    "/" | "%" => format!("({left} {arithmetic} NULLIF({right}, 0))"),
                    sign => format!("({left} {sign} {right})"),
                };
                (sql, Type::Number)
            }
            other => (self.truth(other, now_s, may)?, Type::Truth),
        })
    }

    fn column(&mut self, name: &str) -> Result<(String, Type), RqlError> {
        let of = |is_number: bool| if is_number { Type::Number } else { Type::Text };
        let read = |column: String, is_number: bool| match is_number {
            true => format!("CAST({column} AS DOUBLE)"),
            false => column,
        };
        if self.table == Table::Deploy {
            let known = DEPLOY_COLUMNS.iter().find(|(own, _)| *own == name);
            let (_, is_number) = known.ok_or_else(|| fails(&format!("deploy has no column {name}")))?;
            return Ok((read(format!("\"{name}\""), *is_number), of(*is_number)));
        }
        if let Some(item) = name.strip_prefix("item.") {
            let known = ITEM_COLUMNS.iter().find(|(own, _)| *own == item);
            let (_, is_number) = known.ok_or_else(|| fails(&format!("items have no column {item}")))?;
            self.needs_items = true;
            return Ok((read(format!("items.\"{item}\""), *is_number), of(*is_number)));
        }
        Ok(match name {
            "occurrence_id" => (read("\"error.occurrence_id\"".to_owned(), true), Type::Number),
            "timestamp" => (read("(\"#received_ns\" / 1000000000)".to_owned(), true), Type::Number),
            "environment" => ("\"error.environment\"".to_owned(), Type::Text),
            "level" => ("\"error.level\"".to_owned(), Type::Text),
            "uuid" => ("\"error.uuid\"".to_owned(), Type::Text),
            path => {
                self.needs_payload = true;
                // The client's clock is what it sent as its time.
                let path = if path == "metadata.customer_timestamp" { "timestamp" } else { path };
                (format!("tracery_json_path(\"#original\", {})", literal(path)), Type::Json)
            }
        })
    }

    fn number(&mut self, expr: &Expr, now_s: i64, may: bool) -> Result<String, RqlError> {
        let (sql, of) = self.expr(expr, now_s, may)?;
        Ok(match of {
            Type::Number => sql,
            Type::Json => format!("tracery_json_number({sql})"),
            Type::Text => format!("TRY_CAST({sql} AS DOUBLE)"),
            Type::Truth => format!("CASE WHEN {sql} THEN 1.0 WHEN NOT {sql} THEN 0.0 END"),
        })
    }

    fn text(&mut self, expr: &Expr, now_s: i64, may: bool) -> Result<String, RqlError> {
        let (sql, of) = self.expr(expr, now_s, may)?;
        Ok(match of {
            Type::Text => sql,
            Type::Json => format!("tracery_json_text({sql})"),
            Type::Number => format!("tracery_number_text({sql})"),
            Type::Truth => format!("CASE WHEN {sql} THEN '1' WHEN NOT {sql} THEN '0' END"),
        })
    }

    /// Both sides as what they are compared as: numbers where either is one, else texts.
    fn pair(
        &mut self,
        left: &Expr,
        right: &Expr,
        now_s: i64,
        may: bool,
    ) -> Result<(String, String), RqlError> {
        let (_, left_of) = self.expr(left, now_s, may)?;
        let (_, right_of) = self.expr(right, now_s, may)?;
        match [left_of, right_of].iter().any(|of| matches!(of, Type::Number | Type::Truth)) {
            true => Ok((self.number(left, now_s, may)?, self.number(right, now_s, may)?)),
            false => Ok((self.text(left, now_s, may)?, self.text(right, now_s, may)?)),
        }
    }

    fn truth(&mut self, expr: &Expr, now_s: i64, may: bool) -> Result<String, RqlError> {
        let not = |is_not: &bool| if *is_not { "NOT " } else { "" };
        Ok(match expr {
            Expr::Not(inner) => format!("(NOT {})", self.truth(inner, now_s, may)?),
            Expr::Binary { operator: operator @ (Operator::And | Operator::Or), left, right } => {
                format!(
                    "({} {} {})",
                    self.truth(left, now_s, may)?,
                    operator.text(),
                    self.truth(right, now_s, may)?
                )
            }
            Expr::Binary { operator, left, right } if operator.is_comparison() => {
                let (left, right) = self.pair(left, right, now_s, may)?;
                format!("({left} {} {right})", operator.text())
            }
            Expr::In { expr, list, is_not } => {
                let mut choices = Vec::with_capacity(list.len());
                for value in list {
                    let (left, right) = self.pair(expr, value, now_s, may)?;
                    choices.push(format!("{left} = {right}"));
                }
                format!("({}({}))", not(is_not), choices.join(" OR "))
            }
            Expr::Between { expr, low, high, is_not } => {
                let (left, low) = self.pair(expr, low, now_s, may)?;
                let (same, high) = self.pair(expr, high, now_s, may)?;
                format!("({}({left} >= {low} AND {same} <= {high}))", not(is_not))
            }
            Expr::Like { expr, pattern, is_not } => {
                format!("({} {}LIKE {})", self.text(expr, now_s, may)?, not(is_not), literal(pattern))
            }
            Expr::IsNull { expr, is_not } => {
                format!("({} IS {}NULL)", self.expr(expr, now_s, may)?.0, not(is_not))
            }
            // What is not nothing is true.
            other => format!("({} <> 0)", self.number(other, now_s, may)?),
        })
    }

    fn call(
        &mut self,
        name: &str,
        arguments: &[Expr],
        is_star: bool,
        now_s: i64,
        may: bool,
    ) -> Result<(String, Type), RqlError> {
        if AGGREGATES.contains(&name) && !may {
            return Err(fails(&format!("{name}() cannot stand here")));
        }
        if is_star {
            return match name {
                "count" => Ok(("CAST(COUNT(*) AS DOUBLE)".to_owned(), Type::Number)),
                _ => Err(fails(&format!("{name}(*) is not there"))),
            };
        }
        let wrong = || fails(&format!("{name}() has other arguments"));
        let one = || match arguments {
            [one] => Ok(one),
            _ => Err(wrong()),
        };
        let number = |sql: String| Ok((sql, Type::Number));
        let text = |sql: String| Ok((sql, Type::Text));
        match name {
            "count" => number(format!("CAST(COUNT({}) AS DOUBLE)", self.expr(one()?, now_s, false)?.0)),
            "count_distinct" => {
                number(format!("CAST(COUNT(DISTINCT {}) AS DOUBLE)", self.expr(one()?, now_s, false)?.0))
            }
            "sum" | "avg" => number(format!("{name}({})", self.number(one()?, now_s, false)?)),
            "min" | "max" => {
                let (sql, of) = self.expr(one()?, now_s, false)?;
                if of != Type::Json {
                    return Ok((format!("{name}({sql})"), of));
                }
                // Numbers where all are, texts elsewhere.
                let numbers = format!("tracery_json_number({sql})");
                text(format!(
                    "CASE WHEN COUNT({numbers}) = COUNT({sql}) THEN tracery_number_text({name}({numbers})) \
                     ELSE {name}(tracery_json_text({sql})) END"
                ))
            }
            "unix_timestamp" if arguments.is_empty() => number(format!("CAST({now_s} AS DOUBLE)")),
            "lower" | "upper" => text(format!("{name}({})", self.text(one()?, now_s, may)?)),
            "char_length" => {
                number(format!("CAST(character_length({}) AS DOUBLE)", self.text(one()?, now_s, may)?))
            }
            "length" => number(format!("CAST(octet_length({}) AS DOUBLE)", self.text(one()?, now_s, may)?)),
            "left" | "right" => {
                let [value, count] = arguments else { return Err(wrong()) };
                let (value, count) = (self.text(value, now_s, may)?, self.number(count, now_s, may)?);
                text(format!("{name}({value}, CAST(GREATEST({count}, 0) AS BIGINT))"))
            }
            "substring" => {
                let (value, start, count) = match arguments {
                    [value, start] => (value, start, None),
                    [value, start, count] => (value, start, Some(count)),
                    _ => return Err(wrong()),
                };
                let (value, start) = (self.text(value, now_s, may)?, self.number(start, now_s, may)?);
                match count {
                    None => text(format!("substr({value}, CAST(GREATEST({start}, 1) AS BIGINT))")),
                    Some(count) => {
                        let count = self.number(count, now_s, may)?;
                        text(format!(
                            "substr({value}, CAST(GREATEST({start}, 1) AS BIGINT), CAST(GREATEST({count}, 0) AS BIGINT))"
                        ))
                    }
                }
            }
            "locate" => {
                let (wanted, value, from) = match arguments {
                    [wanted, value] => (wanted, value, None),
                    [wanted, value, from] => (wanted, value, Some(from)),
                    _ => return Err(wrong()),
                };
                let (wanted, value) = (self.text(wanted, now_s, may)?, self.text(value, now_s, may)?);
                match from {
                    None => number(format!("CAST(strpos({value}, {wanted}) AS DOUBLE)")),
                    Some(from) => {
                        let from = format!("CAST(GREATEST({}, 1) AS BIGINT)", self.number(from, now_s, may)?);
                        let found = format!("strpos(substr({value}, {from}), {wanted})");
                        number(format!(
                            "CAST(CASE WHEN {found} = 0 THEN 0 ELSE {found} + {from} - 1 END AS DOUBLE)"
                        ))
                    }
                }
            }
            "concat" | "concat_ws" => {
                if arguments.len() < 1 + usize::from(name == "concat_ws") {
                    return Err(wrong());
                }
                let mut parts = Vec::with_capacity(arguments.len());
                for argument in arguments {
                    parts.push(self.text(argument, now_s, may)?);
                }
                // One part that is nothing makes nothing of concat, and is left out of concat_ws.
                if name == "concat" {
                    return text(format!("({})", parts.join(" || ")));
                }
                text(format!("concat_ws({})", parts.join(", ")))
            }
            other => Err(fails(&format!("there is no function {other}"))),
        }
    }
}
