//! The patterns of CloudWatch Logs that choose events by their text: terms, regular expressions, JSON selectors and fields
//! between blanks. FilterLogEvents, Live Tail, metric and subscription filters and the test of a metric filter all parse,
//! match and take values out through here; a pattern of any kind gives a matcher of linear time or an error.

mod ast;
mod evaluate;
mod json;
mod parse;
mod plan;
mod print;
mod slots;
mod split;

pub use ast::Pattern;
pub use parse::PatternError;
pub use plan::Necessary;

/// Characters of one pattern.
pub const PATTERN_CHARS_MAX: usize = 1_024;
/// Regular expressions of one pattern.
pub const REGEXES_MAX: usize = 2;
/// Levels of parentheses.
const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests;
