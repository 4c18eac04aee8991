//! The filter expression language: `service("api") { fault } AND annotation.tier = "gold"`. Doors parse with [`parse`];
//! the tree prints back to text that parses to the same tree; [`matches`] says what a tree means, trace by trace, and is
//! what any faster plan is compared with.

mod ast;
pub(crate) mod columns;
mod decide;
mod evaluate;
mod parse;
pub(crate) mod plan;
mod print;

pub use ast::{
    AnnotationTest, Cause, CauseOf, Comparison, Expression, Flag, GroupBy, Number, Selector, Term, Text,
    TextTest,
};
pub(crate) use decide::Decision;
pub use evaluate::{
    AnnotationValue, Edge, Facts, Group, RootCause, RootCauseService, Service, Trace, matches,
};
pub use parse::{FilterError, parse};

/// The longest expression, in characters, that is read.
pub const EXPRESSION_CHARS_MAX: usize = 2_000;

/// How deep `!`, parentheses and braces may nest.
pub const EXPRESSION_DEPTH_MAX: usize = 32;
