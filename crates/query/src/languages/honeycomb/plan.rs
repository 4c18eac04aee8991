//! From a specification to one aggregate plan: group by time bucket and breakdowns, and compute for each calculation
//! the mergeable states it needs. Equal states are computed once, however many calculations share them.

use datafusion::arrow::datatypes::DataType;
use datafusion::functions_aggregate::expr_fn::{count, max, min, sum};
use datafusion::logical_expr::{Expr, ExprFunctionExt, cast, lit, when};

use super::filter::filters_expr;
use super::spec::{Calculation, CalculationOp};
use super::translate::{Names, Typed};
use crate::functions::{concurrency, distinct, sketch};
use crate::{FieldType, QueryError};

/// What kind of state an aggregate's column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateKind {
    Sum,
    Min,
    Max,
    Sketch,
    Distinct,
    Running,
}

/// How a calculation is read off the states, by their positions.
#[derive(Debug, Clone)]
pub(crate) enum CalculationPlan {
    Count(usize),
    /// The flag says that the column is whole numbers.
    Sum(usize, bool),
    Avg {
        sum: usize,
        weight: usize,
    },
    Min(usize, bool),
    Max(usize, bool),
    Distinct(usize),
    Quantile(usize, f64),
    Heatmap(usize),
    Running(usize),
    /// The change of another calculation from one time bucket to the next.
    Rate(Box<CalculationPlan>),
}

impl CalculationPlan {
    pub(crate) fn needs_buckets(&self) -> bool {
        matches!(self, Self::Running(_) | Self::Rate(_))
    }

    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::Count(_) | Self::Distinct(_) | Self::Running(_) => true,
            Self::Sum(_, whole) | Self::Min(_, whole) | Self::Max(_, whole) => *whole,
            Self::Rate(inner) => inner.is_whole(),
            _ => false,
        }
    }
}

/// The time buckets of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buckets {
    /// Start of the first bucket: a multiple of the step.
    pub(crate) origin_s: i64,
    pub(crate) step_s: i64,
    pub(crate) count: i64,
}

/// Steps that read well on an axis.
const STEPS_S: [i64; 21] = [
    1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400,
    172_800, 259_200, 604_800,
];
/// Buckets when the specification leaves the choice.
const BUCKETS_WANTED: i64 = 120;

impl Buckets {
    pub(crate) fn new(start_s: i64, end_s: i64, granularity_s: Option<i64>) -> Self {
        let range_s = (end_s - start_s).max(1);
        let step_s = granularity_s.unwrap_or_else(|| {
            let wanted = STEPS_S.into_iter().find(|step| step * BUCKETS_WANTED >= range_s);
            wanted.unwrap_or((range_s + BUCKETS_WANTED - 1) / BUCKETS_WANTED)
        });
        let origin_s = start_s.div_euclid(step_s) * step_s;
        Self {
            origin_s,
            step_s,
            count: (end_s - origin_s).max(1).div_euclid(step_s)
                + i64::from((end_s - origin_s).rem_euclid(step_s) > 0),
        }
    }

    /// Origin and step in nanoseconds.
    pub(crate) fn ns(&self) -> (i64, i64) {
        (self.origin_s.saturating_mul(1_000_000_000), self.step_s.saturating_mul(1_000_000_000))
    }

    /// The bucket of an instant in nanoseconds.
    pub(crate) fn index(&self, ns: Expr) -> Expr {
        let (origin_ns, step_ns) = self.ns();
        (ns - lit(origin_ns)) / lit(step_ns)
    }
}

/// What a state is computed from, for those who compute it without the engine's aggregates.
#[derive(Debug, Clone)]
pub(crate) struct StateInput {
    /// A float, except for distinct counts; `None` where only rows are counted.
    pub(crate) value: Option<Expr>,
    /// A whole number; `None` is one for each row.
    pub(crate) weight: Option<Expr>,
    /// Which rows count; `None` is all.
    pub(crate) filter: Option<Expr>,
}

/// The aggregate columns of a query and what to make of them.
#[derive(Debug, Default)]
pub(crate) struct Aggregates {
    pub(crate) exprs: Vec<Expr>,
    pub(crate) kinds: Vec<StateKind>,
    /// In the order of `exprs`.
    pub(crate) inputs: Vec<StateInput>,
    pub(crate) calculations: Vec<CalculationPlan>,
    pub(crate) needs_buckets: bool,
}

impl Aggregates {
    pub(crate) fn plan(
        names: &mut Names<'_>,
        calculations: &[Calculation],
        usage_mode: bool,
        buckets: Buckets,
    ) -> Result<Self, QueryError> {
        let mut aggregates = Self::default();
        let weight = if usage_mode { lit(1_i64) } else { names.system("#sample_rate") };
        for calculation in calculations {
            let filter = filters_expr(names, &calculation.filters, calculation.filter_combination)?;
            let column = match (&calculation.column, calculation.op) {
                (None, _) => None,
                // A histogram is kept as fields of its parts.
                (Some(column), CalculationOp::HistogramCount) => {
                    Some(names.resolve(&format!("{column}.count"))?)
                }
                (Some(column), _) => Some(names.resolve(column)?),
            };
            let mut builder = Builder {
                names,
                aggregates: &mut aggregates,
                filter,
                weight: weight.clone(),
                usage_mode,
                buckets,
            };
            let plan = builder.calculation(calculation.op, column.as_ref())?;
            aggregates.needs_buckets |= plan.needs_buckets();
            aggregates.calculations.push(plan);
        }
        Ok(aggregates)
    }

    fn add(&mut self, expr: Expr, kind: StateKind, input: StateInput) -> usize {
        if let Some(position) = self.exprs.iter().position(|known| *known == expr) {
            return position;
        }
        self.exprs.push(expr);
        self.kinds.push(kind);
        self.inputs.push(input);
        self.exprs.len() - 1
    }
}

struct Builder<'a, 'b> {
    names: &'a mut Names<'b>,
    aggregates: &'a mut Aggregates,
    filter: Option<Expr>,
    weight: Expr,
    usage_mode: bool,
    buckets: Buckets,
}

impl Builder<'_, '_> {
    /// `value` and `weight` are what `aggregate` is computed from.
    fn add(
        &mut self,
        aggregate: Expr,
        value: Option<Expr>,
        weight: Option<Expr>,
        filter: Option<Expr>,
        kind: StateKind,
    ) -> Result<usize, QueryError> {
        let input = StateInput { value, weight, filter: filter.clone() };
        let expr = match filter {
            Some(filter) => aggregate.filter(filter).build()?,
            None => aggregate,
        };
        Ok(self.aggregates.add(expr, kind, input))
    }

    /// The weight of a row; `None` when every row counts once.
    fn row_weight(&self) -> Option<Expr> {
        (!self.usage_mode).then(|| self.weight.clone())
    }

    fn with_filter(&self, test: Expr) -> Option<Expr> {
        Some(match &self.filter {
            Some(filter) => filter.clone().and(test),
            None => test,
        })
    }

    fn weight_of(&mut self, value: Option<Expr>) -> Result<usize, QueryError> {
        let filter = match value {
            Some(value) => self.with_filter(value.is_not_null()),
            None => self.filter.clone(),
        };
        let counted = if self.usage_mode { count(lit(1_i64)) } else { sum(self.weight.clone()) };
        self.add(counted, None, self.row_weight(), filter, StateKind::Sum)
    }

    fn sum_of(&mut self, value: &Expr) -> Result<usize, QueryError> {
        let weighted = if self.usage_mode {
            value.clone()
        } else {
            value.clone() * cast(self.weight.clone(), DataType::Float64)
        };
        self.add(sum(weighted), Some(value.clone()), self.row_weight(), self.filter.clone(), StateKind::Sum)
    }

    fn sketch_of(&mut self, value: Expr) -> Result<usize, QueryError> {
        let aggregate = sketch::sketch(value.clone(), self.weight.clone());
        self.add(aggregate, Some(value), self.row_weight(), self.filter.clone(), StateKind::Sketch)
    }

    fn calculation(
        &mut self,
        op: CalculationOp,
        column: Option<&Typed>,
    ) -> Result<CalculationPlan, QueryError> {
        use CalculationOp as Op;
        let Some(column) = column else {
            return match op {
                Op::Concurrency => self.running(),
                _ => Ok(CalculationPlan::Count(self.weight_of(None)?)),
            };
        };
        let (value, filter) = (column.number(), self.filter.clone());
        let whole = matches!(column.field_type, Some(FieldType::Integer | FieldType::Boolean));
        Ok(match op {
            Op::Count | Op::CountDatapoints => {
                CalculationPlan::Count(self.weight_of(Some(column.expr.clone()))?)
            }
            Op::Concurrency => self.running()?,
            Op::CountDistinct => {
                let column = match column.field_type {
                    None => column.text(),
                    Some(_) => column.expr.clone(),
                };
                CalculationPlan::Distinct(self.add(
                    distinct::distinct(column.clone()),
                    Some(column),
                    None,
                    filter,
                    StateKind::Distinct,
                )?)
            }
            Op::Sum | Op::HistogramCount => CalculationPlan::Sum(self.sum_of(&value)?, whole),
            Op::Avg => {
                CalculationPlan::Avg { sum: self.sum_of(&value)?, weight: self.weight_of(Some(value))? }
            }
            Op::Min => {
                let aggregate = min(value.clone());
                CalculationPlan::Min(self.add(aggregate, Some(value), None, filter, StateKind::Min)?, whole)
            }
            Op::Max => {
                let aggregate = max(value.clone());
                CalculationPlan::Max(self.add(aggregate, Some(value), None, filter, StateKind::Max)?, whole)
            }
            Op::Heatmap => CalculationPlan::Heatmap(self.sketch_of(value)?),
            Op::RateSum => CalculationPlan::Rate(Box::new(self.calculation(Op::Sum, Some(column))?)),
            Op::RateAvg => CalculationPlan::Rate(Box::new(self.calculation(Op::Avg, Some(column))?)),
            Op::RateMax => CalculationPlan::Rate(Box::new(self.calculation(Op::Max, Some(column))?)),
            _ => CalculationPlan::Quantile(self.sketch_of(value)?, op.quantile().unwrap_or(0.5)),
        })
    }

    fn running(&mut self) -> Result<CalculationPlan, QueryError> {
        let start_ns = cast(self.names.system("#time"), DataType::Int64);
        let duration_ns = self.names.system("#duration_ns");
        let is_span = self.names.system("#kind").eq(lit(0_u8));
        let last = self.buckets.index(start_ns + duration_ns);
        let last = when(last.clone().gt(lit(self.buckets.count)), lit(self.buckets.count)).otherwise(last)?;
        let aggregate = concurrency::concurrency(last, self.weight.clone());
        let filter = self.with_filter(is_span);
        Ok(CalculationPlan::Running(self.add(aggregate, None, None, filter, StateKind::Running)?))
    }
}

#[cfg(test)]
mod tests {
    use super::Buckets;

    #[test]
    fn buckets_cover_the_range_and_begin_at_multiples_of_the_step() {
        for (start, end, granularity, expected) in [
            (0, 7_200, None, (0, 60, 120)),
            (30, 7_230, None, (0, 60, 121)),
            (100, 101, None, (100, 1, 1)),
            (0, 100 * 604_800 * 3, None, (0, 604_800 * 5 / 2, 120)),
            (5, 25, Some(10), (0, 10, 3)),
        ] {
            let buckets = Buckets::new(start, end, granularity);
            assert_eq!((buckets.origin_s, buckets.step_s, buckets.count), expected);
        }
    }
}
