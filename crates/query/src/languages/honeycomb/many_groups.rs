//! What is done when a query has more groups than may be held at once (a breakdown by trace id, say): the engine picks
//! the groups to show by itself, and the states of these, of everything and of the rest are read in passes of their
//! own. It needs an order that the engine can compute; percentiles and distinct counts are not among them.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::JoinType;
use datafusion::dataframe::DataFrame;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::expr_fn::binary_expr;
use datafusion::logical_expr::{Expr, Operator, cast, ident, lit};
use datafusion::prelude::SessionContext;

use super::plan::CalculationPlan;
use super::results::{OrderKey, Rendering};
use super::run::collect;
use super::spec::FilterOp;
use crate::QueryError;
use crate::functions::first_present::first_present;

/// The query's events and what they are grouped by.
pub(crate) struct ManyGroups<'a> {
    pub(crate) context: &'a SessionContext,
    pub(crate) frame: DataFrame,
    /// Without aliases.
    pub(crate) keys: Vec<Expr>,
    pub(crate) bucket: Option<Expr>,
    /// With aliases.
    pub(crate) states: Vec<Expr>,
    pub(crate) rendering: &'a Rendering,
}

/// States by group and bucket for the groups that are shown, and by bucket for everything and for the rest.
pub(crate) struct ManyGroupsStates {
    pub(crate) shown: Vec<RecordBatch>,
    pub(crate) whole: Option<Vec<RecordBatch>>,
    pub(crate) rest: Option<Vec<RecordBatch>>,
    pub(crate) rows_examined: u64,
}

pub(crate) fn key_name(position: usize) -> String {
    format!("key{position}")
}

pub(crate) fn state_name(position: usize) -> String {
    format!("state{position}")
}

/// The value of a calculation from its states' columns; `None` when only we can compute it.
fn value(plan: &CalculationPlan) -> Option<Expr> {
    let number = |state: usize| cast(ident(state_name(state)), DataType::Float64);
    Some(match plan {
        CalculationPlan::Count(state) => first_present(vec![number(*state), lit(0.0)]),
        CalculationPlan::Sum(state, _) | CalculationPlan::Min(state, _) | CalculationPlan::Max(state, _) => {
            number(*state)
        }
        CalculationPlan::Avg { sum, weight } => number(*sum) / number(*weight),
        _ => return None,
    })
}

impl ManyGroups<'_> {
    /// `None` when the engine cannot tell which groups come first.
    pub(crate) async fn states(&self) -> Result<Option<ManyGroupsStates>, QueryError> {
        let Some(first) = self.first_groups()? else { return Ok(None) };
        let (rows_per_group_max, limit) = (self.rendering.buckets.count as usize + 1, self.rendering.limit);
        let (groups, mut rows_examined) = collect(first, limit).await?;
        let Some(batch) = groups.first() else { return Ok(None) };
        let table = MemTable::try_new(batch.schema(), vec![groups.clone()])?;
        let groups = self.context.read_table(Arc::new(table))?;
        let same = |position: usize, key: &Expr| {
            binary_expr(key.clone(), Operator::IsNotDistinctFrom, ident(shown_name(position)))
        };
        let on = || self.keys.iter().enumerate().map(|(position, key)| same(position, key));

        let shown = self.frame.clone().join_on(groups.clone(), JoinType::LeftSemi, on())?;
        let keys = self.keys.iter().enumerate().map(|(position, key)| key.clone().alias(key_name(position)));
        let keys = keys.chain(self.bucket.clone()).collect();
        let (shown, examined) =
            collect(shown.aggregate(keys, self.states.clone())?, limit * rows_per_group_max).await?;
        rows_examined += examined;
        let by_bucket = || self.bucket.clone().into_iter().collect::<Vec<Expr>>();
        let mut whole = None;
        if self.rendering.needs_whole() {
            let frame = self.frame.clone().aggregate(by_bucket(), self.states.clone())?;
            whole = Some(collect(frame, rows_per_group_max).await?.0);
        }
        let mut rest = None;
        if self.rendering.with_other {
            let frame = self.frame.clone().join_on(groups, JoinType::LeftAnti, on())?;
            rest = Some(
                collect(frame.aggregate(by_bucket(), self.states.clone())?, rows_per_group_max).await?.0,
            );
        }
        Ok(Some(ManyGroupsStates { shown, whole, rest, rows_examined }))
    }

    /// The keys of the groups to show.
    fn first_groups(&self) -> Result<Option<DataFrame>, QueryError> {
        let rendering = self.rendering;
        let number = |position: usize| rendering.calculations.get(position).and_then(value);
        let mut order = Vec::new();
        for (key, descending) in rendering.order_keys() {
            order.push(match key {
                OrderKey::Breakdown(position) => ident(key_name(position)).sort(!descending, !descending),
                OrderKey::Number(position) => match number(position) {
                    Some(number) => number.sort(!descending, false),
                    None => return Ok(None),
                },
            });
        }
        order.extend((0..self.keys.len()).map(|position| ident(key_name(position)).sort(true, true)));
        let keys = self
            .keys
            .iter()
            .enumerate()
            .map(|(position, key)| key.clone().alias(key_name(position)))
            .collect();
        let mut groups = self.frame.clone().aggregate(keys, self.states.clone())?;
        for having in &rendering.spec.havings {
            let Some(number) = rendering.spec.having_calculation(having).and_then(number) else {
                return Ok(None);
            };
            let limit = lit(having.value);
            groups = groups.filter(match having.op {
                FilterOp::Equal => number.eq(limit),
                FilterOp::NotEqual => number.not_eq(limit),
                FilterOp::Greater => number.gt(limit),
                FilterOp::GreaterOrEqual => number.gt_eq(limit),
                FilterOp::Less => number.lt(limit),
                _ => number.lt_eq(limit),
            })?;
        }
        let shown =
            (0..self.keys.len()).map(|position| ident(key_name(position)).alias(shown_name(position)));
        Ok(Some(groups.sort(order)?.limit(0, Some(rendering.limit))?.select(shown.collect::<Vec<_>>())?))
    }
}

fn shown_name(position: usize) -> String {
    format!("#shown{position}")
}
