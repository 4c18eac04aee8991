//! Honeycomb's query language: a JSON specification in, result rows and series out.
//!
//! [`Spec::parse`] reads and checks the specification; [`run()`] answers it with one pass over the events: `one_pass.rs`
//! (or the engine, for what that does not cover) groups by time bucket and breakdowns into states that merge
//! (`plan.rs`), and `rollup.rs` merges these into rows, series, totals and the rest. [`bubble_up()`] compares a selection with everything else.

pub mod bubble_up;
pub mod calculated;
mod cells;
mod filter;
mod grouping;
mod many_groups;
mod one_pass;
mod plan;
mod relation;
mod relational;
mod results;
mod rollup;
mod run;
pub mod spec;
mod spec_parse;
mod temporal;
mod translate;

pub use bubble_up::{BubbleUp, BubbleUpLimits, Selection, bubble_up};
pub use results::{QueryOutput, SeriesPoint};
pub use run::{DatasetFields, Limits, RunOptions, RunScope, check_calculated_fields, run};
pub use spec::{Calculation, CalculationOp, Combination, Filter, FilterOp, Having, Order, Spec, SpecError};
