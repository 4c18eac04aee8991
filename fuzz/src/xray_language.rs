//! X-Ray's filter language without what plans it on the engine: the parser and the printer, compiled from their files.

#![allow(dead_code)]

#[path = "../../crates/query/src/languages/xray/ast.rs"]
mod ast;
#[path = "../../crates/query/src/languages/xray/parse.rs"]
mod parse;
#[path = "../../crates/query/src/languages/xray/print.rs"]
mod print;

pub use parse::parse;

pub const EXPRESSION_CHARS_MAX: usize = 2_000;
pub const EXPRESSION_DEPTH_MAX: usize = 32;
