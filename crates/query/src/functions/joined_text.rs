//! Texts joined end to end: SQL's `concat` (a null adds nothing) and `||` (a null makes the result null), and `CONCAT` of
//! calculated fields. The engine's own are replaced, because one statement can nest them until a batch takes more memory
//! than the machine has, and no pool counts it; these refuse a batch before they build it.

use std::fmt::Debug;
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewArray, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, plan_err, resources_err};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ExprSchemable, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::BinaryOperator;

/// Bytes of text that one batch of rows may become.
pub const BATCH_BYTES_MAX: usize = 64 << 20;

#[derive(Debug, PartialEq, Eq, Hash)]
struct Joined {
    name: &'static str,
    null_makes_null: bool,
    signature: Signature,
}

impl Joined {
    fn udf(name: &'static str, null_makes_null: bool) -> Arc<ScalarUDF> {
        let signature = Signature::user_defined(Volatility::Immutable);
        Arc::new(ScalarUDF::from(Self { name, null_makes_null, signature }))
    }
}

static CONCAT: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Joined::udf("concat", false));
static OPERATOR: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| Joined::udf("tracery_joined", true));

pub fn udf() -> ScalarUDF {
    CONCAT.as_ref().clone()
}

/// The arguments' texts after each other, those that are null left out.
pub fn concat(arguments: Vec<Expr>) -> Expr {
    CONCAT.call(arguments)
}

impl ScalarUDFImpl for Joined {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        match types {
            [] => plan_err!("{} needs arguments", self.name),
            types => Ok(vec![DataType::Utf8View; types.len()]),
        }
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8View)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let row_count = arguments.number_rows;
        let mut bytes: usize = 0;
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(arguments.args.len());
        for argument in &arguments.args {
            // Of a constant the first row says how long all are; it becomes rows only once they are known to fit.
            let (rows, times) = match argument {
                ColumnarValue::Array(array) => (Arc::clone(array), 1),
                ColumnarValue::Scalar(value) => (value.to_array_of_size(1)?, row_count),
            };
            let own: usize = texts(&rows)?.iter().flatten().map(str::len).sum();
            bytes = bytes.saturating_add(own.saturating_mul(times));
            arrays.push(rows);
        }
        if bytes > BATCH_BYTES_MAX {
            return resources_err!(
                "joined texts would take {bytes} bytes for {row_count} rows; at most {BATCH_BYTES_MAX}"
            );
        }
        let columns: Vec<&StringViewArray> = arrays.iter().map(texts).collect::<Result<_>>()?;
        let constant: Vec<bool> =
            arguments.args.iter().map(|argument| matches!(argument, ColumnarValue::Scalar(_))).collect();
        let mut joined = StringViewBuilder::with_capacity(row_count);
        let mut text = String::new();
        for row in 0..row_count {
            text.clear();
            let mut has_null = false;
            for (column, constant) in columns.iter().zip(&constant) {
                let row = if *constant { 0 } else { row };
                if column.is_null(row) {
                    has_null = true;
                } else {
                    text.push_str(column.value(row));
                }
            }
            match has_null && self.null_makes_null {
                true => joined.append_null(),
                false => joined.append_value(&text),
            }
        }
        Ok(ColumnarValue::Array(Arc::new(joined.finish())))
    }
}

fn texts(array: &ArrayRef) -> Result<&StringViewArray> {
    match array.as_string_view_opt() {
        Some(texts) => Ok(texts),
        None => plan_err!("joined texts are of type {}", array.data_type()),
    }
}

/// Plans `||` between anything but lists as the function here.
#[derive(Debug)]
pub struct JoinOperator;

impl ExprPlanner for JoinOperator {
    fn plan_binary_op(
        &self,
        expression: RawBinaryExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawBinaryExpr>> {
        let is_list = |side: &Expr| side.get_type(schema).is_ok_and(|data_type| data_type.is_list());
        if expression.op != BinaryOperator::StringConcat
            || is_list(&expression.left)
            || is_list(&expression.right)
        {
            return Ok(PlannerResult::Original(expression));
        }
        Ok(PlannerResult::Planned(OPERATOR.call(vec![expression.left, expression.right])))
    }
}
