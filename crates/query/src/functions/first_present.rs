//! The first argument that is not null. The engine's own `coalesce` is rewritten to a CASE that holds every argument
//! twice, which doubles at each level of nesting; calculated fields nest deeply, so they use this one.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::buffer::BooleanBuffer;
use datafusion::arrow::compute::kernels::zip::zip;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

#[derive(Debug, PartialEq, Eq, Hash)]
struct FirstPresent {
    signature: Signature,
}

static UDF: LazyLock<Arc<ScalarUDF>> = LazyLock::new(|| {
    Arc::new(ScalarUDF::from(FirstPresent { signature: Signature::variadic_any(Volatility::Immutable) }))
});

pub fn udf() -> ScalarUDF {
    UDF.as_ref().clone()
}

/// The arguments must have one type.
pub fn first_present(arguments: Vec<Expr>) -> Expr {
    UDF.call(arguments)
}

impl ScalarUDFImpl for FirstPresent {
    fn name(&self) -> &str {
        "tracery_first_present"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        match types {
            [first, rest @ ..] if rest.iter().all(|other| other == first) => Ok(first.clone()),
            _ => plan_err!("tracery_first_present needs arguments of one type, not {types:?}"),
        }
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let row_count = arguments.number_rows;
        let mut found: Option<ArrayRef> = None;
        for argument in arguments.args {
            found = Some(match found {
                None => argument.into_array(row_count)?,
                Some(found) if found.null_count() == 0 => found,
                Some(found) => {
                    let nulls = found.logical_nulls();
                    let present = nulls.map_or(BooleanBuffer::new_set(row_count), |nulls| nulls.into_inner());
                    let present = BooleanArray::new(present, None);
                    match argument {
                        ColumnarValue::Scalar(value) => zip(&present, &found, &value.to_scalar()?)?,
                        ColumnarValue::Array(array) => zip(&present, &found, &array)?,
                    }
                }
            });
        }
        match found {
            Some(found) => Ok(ColumnarValue::Array(found)),
            None => plan_err!("tracery_first_present needs arguments"),
        }
    }
}
