//! Fresh parts become sorted Parquet parts; small merged parts become larger ones. [`plan`] decides what to merge,
//! [`run`] does it in one blocking task, [`order`] says how rows are sorted.

mod dictionary;
mod fold;
mod inputs;
pub(crate) mod order;
pub(crate) mod plan;
pub(crate) mod run;
