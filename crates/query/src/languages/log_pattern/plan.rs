//! What the query engine can say of a pattern before any message is read whole: a condition on the message's column that
//! every match fulfils. Scans narrow with it; [`Pattern::matches`] decides where it is not exact.

use datafusion::functions::string::expr_fn::contains;
use datafusion::logical_expr::{Expr, lit};

use super::ast::{Condition, Pattern, Selector, Term, Test};

/// A condition of the engine.
#[derive(Clone, Debug, PartialEq)]
pub struct Necessary {
    pub condition: Expr,
    /// Whether every row that fulfils it is a match.
    pub is_exact: bool,
}

impl Pattern {
    /// What a message in the column `body` must fulfil; `None` where nothing can be said.
    pub fn necessary(&self, body: &Expr) -> Option<Necessary> {
        match self {
            Self::All | Self::Fields(_) => None,
            Self::Terms(terms) => {
                let has = |term: &Term| match term {
                    Term::Text(text) => Some(contains(body.clone(), lit(text.as_str()))),
                    Term::Regex(_) => None,
                };
                let plain = terms.required.iter().chain(&terms.excluded);
                if terms.required.is_empty() && terms.excluded.is_empty() {
                    let any = terms.optional.iter().map(has).collect::<Option<Vec<Expr>>>()?;
                    let condition = any.into_iter().reduce(Expr::or)?;
                    return Some(Necessary { condition, is_exact: true });
                }
                let is_exact = plain.clone().all(|term| has(term).is_some());
                let required = terms.required.iter().filter_map(has);
                let excluded = terms.excluded.iter().filter_map(has).map(|has| !has);
                let condition = required.chain(excluded).reduce(Expr::and)?;
                Some(Necessary { condition, is_exact })
            }
            Self::Json(condition) => {
                let condition = in_json(condition, body)?;
                Some(Necessary { condition, is_exact: false })
            }
        }
    }
}

/// A text without anything that JSON might escape stands in the message as it is.
fn in_json(condition: &Condition<Selector>, body: &Expr) -> Option<Expr> {
    match condition {
        Condition::All(parts) => parts.iter().filter_map(|part| in_json(part, body)).reduce(Expr::and),
        Condition::Any(parts) => {
            let parts = parts.iter().map(|part| in_json(part, body)).collect::<Option<Vec<Expr>>>()?;
            parts.into_iter().reduce(Expr::or)
        }
        Condition::Test { test: Test::Text { negated: false, glob, .. }, .. } => {
            let is_plain = |piece: &&str| {
                piece.contains(|sign: char| sign.is_ascii_alphabetic())
                    && piece.chars().all(|sign| sign.is_ascii_alphanumeric() || " _-.:".contains(sign))
            };
            // Letters may be escaped as well (`\u0041`), which no writer does for them; numbers are told as written.
            let longest = glob.split('*').filter(is_plain).max_by_key(|piece| piece.len())?;
            Some(contains(body.clone(), lit(longest)).or(contains(body.clone(), lit("\\u00"))))
        }
        Condition::Test { .. } => None,
    }
}
