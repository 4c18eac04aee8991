//! Traces put together: from stored documents and spans to compiled segments, summaries and facts. Operations call it with
//! what `tracery_query::questions::xray::documents` gave; everything here is a pure function.

mod compile;
mod entity;
#[cfg_attr(not(test), allow(dead_code))]
mod facts;
mod from_span;
mod graph;
mod infer;
mod otel;
mod root_causes;
mod stack;
#[cfg_attr(not(test), allow(dead_code))]
mod summary;

#[cfg(test)]
mod tests;

pub(crate) use compile::{CompiledTrace, compile};
#[cfg_attr(not(test), allow(unused_imports))] // Tests of plans compare with it.
pub(crate) use facts::facts;
pub(crate) use graph::Graph;
pub(crate) use otel::spans;
#[cfg_attr(not(test), allow(unused_imports))] // GetTraceSummaries answers with it.
pub(crate) use summary::summarize;
