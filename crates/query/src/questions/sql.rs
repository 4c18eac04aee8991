//! SQL over `spans`, `logs`, `errors`, `metrics` and `events` (all of them): one read-only statement, bounded in rows
//! and time. A field is a column under its flat name (quoted where it has dots); `time`, `dataset` and `sample_rate`
//! are there as well.

use std::ops::ControlFlow;
use std::time::Duration;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::{Expr, ident};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, ObjectName, Statement as SqlStatement, TableFactor, Visit, Visitor,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};
use futures::StreamExt;
use tracery_model::{OWN_SPANS, Signal};
use tracing::Instrument as _;

use super::private;
use crate::tables::value_bytes;
use crate::{EventSource, QueryError, Scope};

/// Fields that `*` stands for, in alphabetical order.
const WILDCARD_FIELDS_MAX: usize = 500;
/// Values of all rows together.
const ANSWER_BYTES_MAX: usize = 128 << 20;
const TEXT_BYTES_MAX: usize = 64 << 10;
/// Words and signs of a statement, without white space: a list of a thousand values has two thousand.
const TOKENS_MAX: usize = 4_000;
/// What fits into [`STACK_BYTES`](crate::STACK_BYTES) in every build, with room to spare.
const EXPRESSION_DEPTH_MAX: usize = 64;
/// Tables, subqueries and combined selects. A common table expression that is named twice is planned twice, and so is
/// what it names: the plan can double with each.
const TABLES_MAX: usize = 16;
/// Functions whose result is as large as an argument says, or several times as large as their arguments: nested, or
/// through names that a `WITH` gives, they take any amount of memory, and the pool does not count it.
const FUNCTIONS_REFUSED: &[&str] = &[
    "repeat",
    "lpad",
    "rpad",
    "space",
    "range",
    "generate_series",
    "array_repeat",
    "list_repeat",
    "array_resize",
    "list_resize",
    "replace",
    "regexp_replace",
    "overlay",
    "concat_ws",
    "array_to_string",
    "list_to_string",
    "array_join",
    "list_join",
    "array_concat",
    "array_cat",
    "list_concat",
    "list_cat",
    "array_append",
    "list_append",
    "array_push_back",
    "list_push_back",
    "array_prepend",
    "list_prepend",
    "array_push_front",
    "list_push_front",
    "make_array",
    "make_list",
    "array",
    "struct",
    "named_struct",
    "row",
    "map",
    "make_map",
    "to_char",
    "date_format",
];

#[derive(Debug, Clone, Copy)]
pub struct SqlLimits {
    pub row_count_max: usize,
    pub wall_time_max: Duration,
}

impl Default for SqlLimits {
    fn default() -> Self {
        Self { row_count_max: 10_000, wall_time_max: Duration::from_secs(60) }
    }
}

#[derive(Debug, Clone)]
pub struct SqlAnswer {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
    /// Whether there were more rows than the limit.
    pub truncated: bool,
}

/// Runs one statement within the scope's environment and time.
///
/// # Errors
/// [`QueryError::Invalid`] for anything but one query, [`QueryError::Limit`] when it runs too long.
pub async fn sql(
    context: &SessionContext,
    source: &dyn EventSource,
    scope: &Scope,
    text: &str,
    limits: SqlLimits,
) -> Result<SqlAnswer, QueryError> {
    check(text)?;
    let private = private(context);
    let tables = Signal::ALL.iter().map(|signal| (signal.table(), vec![*signal]));
    for (name, signals) in tables.chain([("events", Signal::ALL.to_vec())]) {
        if !text.to_ascii_lowercase().contains(name) {
            continue;
        }
        let scope = Scope { signals, ..scope.clone() };
        let fields = source.fields(&scope).await?.into_iter().map(|field| field.name);
        let named = mentioned(text, fields.collect());
        let mut columns = named.clone();
        columns.extend(["#time", "#dataset", "#sample_rate"].map(str::to_owned));
        let table = private.read_table(source.events(&scope, &columns).await?)?;
        let system = [("#time", "time"), ("#dataset", "dataset"), ("#sample_rate", "sample_rate")]
            .into_iter()
            .filter(|(_, alias)| !named.iter().any(|field| field == alias))
            .map(|(column, alias)| ident(column).alias(alias));
        let fields: Vec<Expr> = system.chain(named.iter().map(|field| ident(field.as_str()))).collect();
        private.register_table(name, table.select(fields)?.into_view())?;
    }
    let run = async {
        // A SELECT can hide what is none (`SELECT … INTO`), which the engine would run while it plans.
        let only_reads =
            SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
        let frame = private.sql_with_options(text, only_reads).await.map_err(invalid)?;
        let frame = frame.limit(0, Some(limits.row_count_max + 1))?;
        let schema: SchemaRef = frame.schema().inner().clone();
        let span = tracing::info_span!(target: OWN_SPANS, "plan query");
        let mut stream = frame.execute_stream().instrument(span).await?;
        let span = tracing::info_span!(target: OWN_SPANS, "run query");
        let (mut batches, mut row_count, mut bytes, mut truncated) = (Vec::new(), 0, 0, false);
        while let Some(batch) = stream.next().instrument(span.clone()).await {
            let batch = batch?;
            let room = limits.row_count_max - row_count;
            truncated |= batch.num_rows() > room;
            let kept = batch.slice(0, batch.num_rows().min(room));
            row_count += kept.num_rows();
            bytes += value_bytes(&kept);
            if bytes > ANSWER_BYTES_MAX {
                return Err(QueryError::Limit(format!("the answer has more than {ANSWER_BYTES_MAX} bytes")));
            }
            batches.push(kept);
        }
        Ok(SqlAnswer { schema, batches, truncated })
    };
    tokio::time::timeout(limits.wall_time_max, run)
        .await
        .map_err(|_| QueryError::Limit(format!("it ran longer than {} s", limits.wall_time_max.as_secs())))?
}

/// The fields that a statement names, and, where it has a `*`, others up to [`WILDCARD_FIELDS_MAX`] together. A word
/// that only looks like a field costs a column that nobody reads.
fn mentioned(text: &str, fields: Vec<String>) -> Vec<String> {
    let lower = text.to_lowercase();
    let is_named = |field: &String| lower.contains(&field.to_lowercase().replace('"', "\"\""));
    let (mut named, others): (Vec<String>, Vec<String>) = fields.into_iter().partition(is_named);
    if text.contains('*') {
        let room = WILDCARD_FIELDS_MAX.saturating_sub(named.len());
        named.extend(others.into_iter().take(room));
        named.sort_unstable();
    }
    named
}

/// Planning errors are the asker's.
fn invalid(error: datafusion::error::DataFusionError) -> QueryError {
    QueryError::Invalid(error.strip_backtrace())
}

fn check(text: &str) -> Result<(), QueryError> {
    let refuse = |reason: String| Err(QueryError::Invalid(reason));
    if text.len() > TEXT_BYTES_MAX {
        return refuse(format!("the statement is longer than {TEXT_BYTES_MAX} bytes"));
    }
    // Counted before parsing: a chain of operators becomes a tree as deep as the chain is long, and even to drop it
    // takes stack.
    let tokens = Tokenizer::new(&GenericDialect {}, text)
        .tokenize()
        .map_err(|error| QueryError::Invalid(error.to_string()))?;
    if tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_))).count() > TOKENS_MAX {
        return refuse(format!("the statement has more than {TOKENS_MAX} words and signs"));
    }
    let joins_selects = |token: &&Token| match token {
        Token::Word(word) => {
            use Keyword::{EXCEPT, INTERSECT, MINUS, UNION};
            matches!(word.keyword, UNION | INTERSECT | EXCEPT | MINUS)
        }
        _ => false,
    };
    if tokens.iter().filter(joins_selects).count() > TABLES_MAX {
        return refuse(format!("the statement joins more than {TABLES_MAX} selects"));
    }
    let mut statements = DFParser::parse_sql(text).map_err(invalid)?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(Statement::Statement(statement)), true) if matches!(*statement, SqlStatement::Query(_)) => {
            match statement.visit(&mut Bounds::default()) {
                ControlFlow::Continue(()) => Ok(()),
                ControlFlow::Break(reason) => refuse(reason),
            }
        }
        _ => refuse("only one SELECT or WITH statement is run here".into()),
    }
}

/// Walks a statement and ends at the first thing that would take too much stack or memory.
#[derive(Default)]
struct Bounds {
    depth: usize,
    tables: usize,
}

impl Visitor for Bounds {
    type Break = String;

    fn pre_visit_expr(&mut self, expression: &SqlExpr) -> ControlFlow<String> {
        self.depth += 1;
        if self.depth > EXPRESSION_DEPTH_MAX {
            return ControlFlow::Break(format!(
                "an expression nests deeper than {EXPRESSION_DEPTH_MAX} levels; a chain of operators is as deep as it is long"
            ));
        }
        match expression {
            SqlExpr::Function(function) => allowed(&function.name),
            SqlExpr::Overlay { .. } => refused("overlay"),
            SqlExpr::Array(_) => refused("array"),
            SqlExpr::Struct { .. } | SqlExpr::Tuple(_) | SqlExpr::Dictionary(_) | SqlExpr::Map(_) => {
                refused("struct")
            }
            _ => ControlFlow::Continue(()),
        }
    }

    fn post_visit_expr(&mut self, _: &SqlExpr) -> ControlFlow<String> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<String> {
        self.tables += 1;
        if self.tables > TABLES_MAX {
            return ControlFlow::Break(format!("the statement names more than {TABLES_MAX} tables"));
        }
        match table {
            TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
                allowed(name)
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

fn allowed(function: &ObjectName) -> ControlFlow<String> {
    let name = function.0.last().map(ToString::to_string).unwrap_or_default();
    let name = name.trim_matches('"').to_ascii_lowercase();
    if FUNCTIONS_REFUSED.contains(&name.as_str()) {
        return refused(&name);
    }
    ControlFlow::Continue(())
}

fn refused(function: &str) -> ControlFlow<String> {
    ControlFlow::Break(format!("the function {function} is not available here"))
}

impl SqlAnswer {
    /// (name, type) of each column.
    pub fn columns(&self) -> Vec<(String, &'static str)> {
        self.schema
            .fields()
            .iter()
            .map(|field| (field.name().clone(), type_name(field.data_type())))
            .collect()
    }

    /// A cell as JSON.
    pub fn cell(column: &ArrayRef, row: usize) -> serde_json::Value {
        use datafusion::arrow::array::{Array, AsArray};
        use datafusion::arrow::datatypes::Float64Type;
        if column.is_null(row) {
            return serde_json::Value::Null;
        }
        if column.data_type().is_integer() || *column.data_type() == DataType::Float32 {
            let text =
                datafusion::arrow::util::display::array_value_to_string(column, row).unwrap_or_default();
            return serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
        }
        match column.data_type() {
            DataType::Boolean => column.as_boolean().value(row).into(),
            DataType::Float64 => {
                let value = column.as_primitive::<Float64Type>().value(row);
                serde_json::Number::from_f64(value).map_or_else(|| value.to_string().into(), Into::into)
            }
            _ => datafusion::arrow::util::display::array_value_to_string(column, row)
                .unwrap_or_default()
                .into(),
        }
    }
}

fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "boolean",
        DataType::Timestamp(_, _) => "time",
        other if other.is_integer() => "integer",
        other if other.is_floating() => "float",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use datafusion::prelude::SessionContext;

    #[test]
    fn one_question_within_bounds_is_asked() {
        let list = vec!["1"; 1_000].join(", ");
        for text in [
            "SELECT 1",
            "WITH a AS (SELECT 1 AS x) SELECT x FROM a UNION ALL SELECT 2",
            &format!("SELECT count(*) FROM spans WHERE \"n\" IN ({list})"),
            &format!("SELECT 1{}", " + 1".repeat(60)),
        ] {
            assert!(check(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_would_take_too_much_stack_or_memory_is_refused() {
        for (text, reason) in [
            (format!("SELECT 1{}", " + 1".repeat(16_000)), "words and signs"),
            (format!("SELECT 1{}", " + 1".repeat(1_900)), "deeper"),
            (format!("SELECT 1{}", "::int".repeat(1_900)), "deeper"),
            (format!("SELECT x{}", " IS NULL".repeat(1_300)), "deeper"),
            (format!("SELECT {}1{}", "(".repeat(1_900), ")".repeat(1_900)), "RecursionLimit"),
            (format!("SELECT {}1", "- ".repeat(3_000)), "RecursionLimit"),
            (format!("SELECT 1{}", " UNION SELECT 1".repeat(1_200)), "joins more"),
            (format!("SELECT 1 FROM a{}", ", a".repeat(1_900)), "tables"),
            (format!("SELECT 1 FROM a{}", " CROSS JOIN a".repeat(1_200)), "tables"),
            ("SELECT Repeat('x', 2000000000)".into(), "function repeat"),
            ("SELECT * FROM generate_series(1, 1000000000000)".into(), "function generate_series"),
            ("SELECT 1; SELECT 2".into(), "only one"),
            ("DROP TABLE spans".into(), "only one"),
            ("SELECT 'a".into(), "Unterminated"),
        ] {
            let error = check(&text).expect_err(&text).to_string();
            assert!(error.contains(reason), "{}: {error}", &text[..text.len().min(40)]);
        }
    }

    /// With half the stack that the server gives its threads.
    #[test]
    fn the_deepest_that_is_allowed_is_planned_and_run() {
        let deepest = || async {
            let chain = "x = 1 OR x + 2 > 3 AND ".repeat(60);
            for text in [
                format!("SELECT 1{}", " + 1".repeat(62)),
                format!("SELECT x FROM (VALUES (1)) AS t(x) WHERE {chain} x = 7"),
                format!("SELECT 1{}", " UNION SELECT 1".repeat(15)),
            ] {
                check(&text).unwrap();
                SessionContext::new().sql(&text).await.unwrap().collect().await.unwrap();
            }
        };
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(deepest());
        };
        let thread = std::thread::Builder::new().stack_size(crate::STACK_BYTES / 2);
        thread.spawn(run).unwrap().join().unwrap();
    }
}
