//! CloudWatch Logs Insights: a query's text becomes a tree (`parse`), which `plan` runs on the engine and `evaluate` runs
//! over rows in memory. Both have values and functions in common, and a test holds their answers against each other.

pub mod ast;
mod conversions;
mod dates;
#[cfg(test)]
mod evaluate;
mod formats;
mod functions;
mod members;
mod parse;
pub mod plan;
mod print;
mod value;

pub use ast::Query;
pub use parse::{ParseError, parse};
pub use value::Value;
