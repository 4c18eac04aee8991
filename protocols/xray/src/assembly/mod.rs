//! Traces put together: from stored documents and spans to compiled segments, summaries and facts. Operations call it with
//! what `tracery_query::questions::xray::documents` gave; everything here is a pure function.

mod compile;
mod entity;
mod facts;
mod from_span;
mod graph;
mod infer;
mod otel;
mod root_causes;
mod stack;
mod summary;

#[cfg(test)]
mod tests;

pub(crate) use compile::{CompiledTrace, compile};
pub(crate) use facts::facts;
pub(crate) use graph::Graph;
pub(crate) use otel::spans;
pub(crate) use summary::summarize;
