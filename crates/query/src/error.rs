//! What can go wrong with a query, by whose fault it is.

use datafusion::arrow::error::ArrowError;
use datafusion::error::DataFusionError;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum QueryError {
    /// The question is wrong; the text is for the person who asked.
    #[error("{0}")]
    Invalid(String),
    /// The question is too big for its limits.
    #[error("query stopped: {0}")]
    Limit(String),
    /// The engine or the store failed.
    #[error("query failed")]
    Engine(#[source] Box<DataFusionError>),
    #[error("query failed: {0}")]
    Store(String),
}

impl From<DataFusionError> for QueryError {
    fn from(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(reason) => Self::Limit(reason.clone()),
            // A cast or a calculation that a value does not allow: the question named it.
            DataFusionError::ArrowError(cause, _) => match cause.as_ref() {
                ArrowError::CastError(_)
                | ArrowError::ParseError(_)
                | ArrowError::DivideByZero
                | ArrowError::ArithmeticOverflow(_) => Self::Invalid(cause.to_string()),
                _ => Self::Engine(Box::new(error)),
            },
            _ => Self::Engine(Box::new(error)),
        }
    }
}

impl From<ArrowError> for QueryError {
    fn from(error: ArrowError) -> Self {
        DataFusionError::from(error).into()
    }
}
