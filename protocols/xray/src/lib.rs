//! AWS X-Ray. What stands here so far is its filter language, which GetTraceSummaries, groups and the trace list take.
//! Nothing in it does I/O, and no input panics.

pub mod filter;
