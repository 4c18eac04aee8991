//! Runs a specification: resolves names, plans, executes within limits, and renders. The caller passes the engine, the
//! events, the scope and the current time; nothing is read that the scope does not name.

use std::collections::{BTreeSet, HashMap};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datafusion::arrow::array::RecordBatch;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{Expr, ident};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tracery_model::{EnvironmentId, OWN_SPANS, Signal, TimeRange};
use tracing::Instrument as _;

use super::calculated::{self, Ast};
use super::filter::filters_expr;
use super::many_groups::{ManyGroups, ManyGroupsStates, key_name, state_name};
use super::one_pass::OnePass;
use super::plan::{Aggregates, Buckets};
use super::relational::{self, KEY_COLUMNS, Related};
use super::results::{QueryOutput, Rendering, check_formula};
use super::rollup::Rollup;
use super::spec::{Combination, Filter, LIMIT_MAX, LIMIT_MAX_WITHOUT_SERIES, NamedExpression, Spec};
use super::temporal::{self, Steps};
use super::translate::Names;
use crate::functions::time_bucket::time_bucket;
use crate::{EventSource, FieldType, QueryError, Scope};

/// Rows when neither the specification nor the caller says how many.
const LIMIT_DEFAULT: usize = 100;

/// What a query may see, without its time.
#[derive(Debug, Clone)]
pub struct RunScope {
    pub environment: EnvironmentId,
    /// `None` is every dataset of the environment.
    pub datasets: Option<Vec<String>>,
    pub signals: Vec<Signal>,
}

impl RunScope {
    /// The scope at a time in seconds since the epoch.
    pub(crate) fn at(&self, start_s: i64, end_s: i64) -> Scope {
        Scope {
            environment: self.environment,
            datasets: self.datasets.clone(),
            signals: self.signals.clone(),
            time: TimeRange::new(start_s.saturating_mul(1_000_000_000), end_s.saturating_mul(1_000_000_000)),
        }
    }
}

/// Calculated fields of the dataset and the environment: alias and expression.
pub type DatasetFields = [(String, String)];

#[derive(Debug, Clone)]
pub struct RunOptions {
    pub disable_series: bool,
    pub disable_total_by_aggregate: bool,
    pub disable_other_by_aggregate: bool,
    /// Overrides the specification's.
    pub limit: Option<usize>,
    /// Seconds since the epoch: where relative time ranges end.
    pub now_s: i64,
}

impl RunOptions {
    /// The vendor's defaults: series, but neither totals nor the rest.
    pub fn at(now_s: i64) -> Self {
        Self {
            disable_series: false,
            disable_total_by_aggregate: true,
            disable_other_by_aggregate: true,
            limit: None,
            now_s,
        }
    }
}

/// What a query may cost. Memory is limited by the session's pool.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub elapsed_max: Duration,
    /// Groups times time buckets that are held at once. With more, the groups to show are found in a pass of their
    /// own when their order allows, else the query stops.
    pub groups_max: usize,
}

impl Default for Limits {
    /// Ten seconds, as the vendor has; two million groups are some hundred megabytes.
    fn default() -> Self {
        Self { elapsed_max: Duration::from_secs(10), groups_max: 2_000_000 }
    }
}

/// Answers a query.
///
/// # Errors
/// [`QueryError::Invalid`] says what is wrong with the question, [`QueryError::Limit`] which limit it met.
pub async fn run(
    context: &Arc<SessionContext>,
    source: &dyn EventSource,
    scope: &RunScope,
    spec: &Spec,
    dataset_fields: &DatasetFields,
    options: &RunOptions,
    limits: &Limits,
) -> Result<QueryOutput, QueryError> {
    let started = Instant::now();
    let (start_s, end_s) = spec.time_window_s(options.now_s);
    let both = async {
        let query = Query { context, source, scope, spec, dataset_fields, options, limits };
        let mut output = query.answer(start_s, end_s).await?;
        if let Some(offset_s) = spec.compare_time_offset_seconds {
            output.compare = Some(Box::new(query.answer(start_s - offset_s, end_s - offset_s).await?));
        }
        Ok(output)
    };
    let mut output = within(limits, both).await?;
    output.elapsed_ms = started.elapsed().as_millis() as u64;
    if let Some(progress) = source.progress() {
        output.rows_examined = progress.figures().rows_scanned;
    }
    Ok(output)
}

pub(crate) async fn within<T>(
    limits: &Limits,
    work: impl Future<Output = Result<T, QueryError>>,
) -> Result<T, QueryError> {
    match tokio::time::timeout(limits.elapsed_max, work).await {
        Ok(result) => result,
        Err(_) => {
            Err(QueryError::Limit(format!("it took longer than {} ms", limits.elapsed_max.as_millis())))
        }
    }
}

/// Checks the calculated fields of a dataset as the column API does before it keeps one: each must parse, and none may
/// refer to itself through others.
///
/// # Errors
/// [`QueryError::Invalid`] with the alias and what is wrong.
pub fn check_calculated_fields(fields: &DatasetFields) -> Result<(), QueryError> {
    let calculated = calculated_asts(fields, &[])?;
    let no_fields = HashMap::new();
    for name in calculated.keys() {
        Names::new(&no_fields, &calculated).resolve(name)?;
    }
    Ok(())
}

/// Those of the query hide those of the dataset.
pub(crate) fn calculated_asts(
    dataset_fields: &DatasetFields,
    query_fields: &[NamedExpression],
) -> Result<HashMap<String, Ast>, QueryError> {
    let of_query = query_fields.iter().map(|field| (&field.name, &field.expression));
    let of_dataset = dataset_fields.iter().map(|(alias, expression)| (alias, expression));
    of_dataset
        .chain(of_query)
        .map(|(name, expression)| match calculated::parse(expression) {
            Ok(ast) => Ok((name.clone(), ast)),
            Err(error) => Err(QueryError::Invalid(format!("calculated field {name}: {error}"))),
        })
        .collect()
}

pub(crate) async fn field_types(
    source: &dyn EventSource,
    scope: &Scope,
) -> Result<HashMap<String, FieldType>, QueryError> {
    Ok(source.fields(scope).await?.into_iter().map(|field| (field.name, field.field_type)).collect())
}

/// The events of the scope that pass a query's filters, with the columns that `names` used.
pub(crate) async fn filtered_events(
    related: &Related<'_>,
    buckets: Buckets,
    mut names: Names<'_>,
    filters: &[Filter],
    combination: Combination,
) -> Result<DataFrame, QueryError> {
    let Related { context, source, scope, .. } = related;
    let (to_related, own): (Vec<Filter>, Vec<Filter>) =
        filters.iter().cloned().partition(|filter| relational::split(&filter.column).is_some());
    let test = filters_expr(&mut names, &own, combination)?;
    let wanted = relational::wanted(&to_related, &names.relational);
    if !names.temporal.is_empty() {
        if wanted.is_empty() {
            return events_over_time(related, buckets, names, &own, combination).await;
        }
        let reason = "functions over time cannot be combined with relational fields";
        return Err(QueryError::Invalid(reason.to_owned()));
    }
    if !wanted.is_empty() {
        KEY_COLUMNS.iter().for_each(|column| {
            names.system(column);
        });
    }
    if names.columns.is_empty() {
        names.system("#sample_rate");
    }
    let columns: Vec<String> = names.columns.iter().cloned().collect();
    let mut frame = context.read_table(source.events(scope, &columns).await?)?;
    // A test that names a related column has to wait for the join.
    let waits = test.as_ref().is_some_and(|test| {
        test.column_refs().iter().any(|column| relational::split(&column.name).is_some())
    });
    match test {
        Some(test) if waits => {
            frame = related.join(frame, wanted).await?.filter(test)?;
        }
        test => {
            if let Some(test) = test {
                frame = frame.filter(test)?;
            }
            frame = related.join(frame, wanted).await?;
        }
    }
    Ok(frame)
}

/// As [`filtered_events`], with functions over time: what they are computed of passed the filters that do not name
/// them.
async fn events_over_time(
    related: &Related<'_>,
    buckets: Buckets,
    mut names: Names<'_>,
    filters: &[Filter],
    combination: Combination,
) -> Result<DataFrame, QueryError> {
    let Related { context, source, scope, fields, .. } = related;
    let mut waits = Vec::new();
    for filter in filters {
        waits.push(temporal::is_used_in(&names.resolve(&filter.column)?.expr));
    }
    if combination == Combination::Or && waits.contains(&true) {
        waits.fill(true);
    }
    let mut tests = |late: bool| {
        let chosen = filters.iter().zip(&waits).filter(|(_, waits)| **waits == late);
        let chosen: Vec<Filter> = chosen.map(|(filter, _)| filter.clone()).collect();
        filters_expr(&mut names, &chosen, combination)
    };
    let (early, late) = (tests(false)?, tests(true)?);
    let steps = Steps { buckets, start_ns: scope.time.start_ns };
    let mut wider = (*scope).clone();
    let back_ns = temporal::look_back_s(&names.temporal).saturating_mul(1_000_000_000);
    wider.time.start_ns = wider.time.start_ns.saturating_sub(back_ns);
    let columns: Vec<String> = names.columns.iter().cloned().collect();
    let mut frame = context.read_table(source.events(&wider, &columns).await?)?;
    if let Some(test) = early {
        frame = frame.filter(test)?;
    }
    frame = steps.events(frame, &names.temporal, &temporal::series_fields(fields))?;
    match late {
        Some(test) => Ok(frame.filter(test)?),
        None => Ok(frame),
    }
}

/// Runs a plan to its end. Answers the batches and how many rows left its scans.
pub(crate) async fn collect(
    frame: DataFrame,
    rows_max: usize,
) -> Result<(Vec<RecordBatch>, u64), QueryError> {
    let task = Arc::new(frame.task_ctx());
    let span = tracing::info_span!(target: OWN_SPANS, "plan query");
    let plan = frame.create_physical_plan().instrument(span).await?;
    let span = tracing::info_span!(target: OWN_SPANS, "run query", rows_examined = tracing::field::Empty);
    let mut stream = execute_stream(Arc::clone(&plan), task)?;
    let (mut batches, mut row_count) = (Vec::new(), 0);
    while let Some(batch) = stream.next().instrument(span.clone()).await {
        let batch = batch?;
        row_count += batch.num_rows();
        if row_count > rows_max {
            return Err(QueryError::Limit(format!("it has more than {rows_max} groups")));
        }
        if batch.num_rows() > 0 {
            batches.push(batch);
        }
    }
    let rows_examined = rows_scanned(&plan).unwrap_or(0);
    span.record("rows_examined", rows_examined);
    Ok((batches, rows_examined))
}

/// Rows that were looked at, as far as the plan tells: what the scans gave out and what they discarded by a pushed-down
/// filter. A scan that counts nothing (rows in memory) is judged by the operator above it. Where the source is watched
/// ([`EventSource::progress`]), its own count is taken instead.
pub(crate) fn rows_scanned(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    let below: Vec<u64> = plan.children().into_iter().filter_map(rows_scanned).collect();
    if !below.is_empty() {
        return Some(below.into_iter().sum());
    }
    let metrics = plan.metrics()?;
    let pruned = metrics.sum_by_name("pushdown_rows_pruned").map_or(0, |pruned| pruned.as_usize());
    Some((metrics.output_rows()? + pruned) as u64)
}

/// Tells a thread that renders when the future that waits for it is gone.
#[derive(Default)]
struct Wanted(Arc<AtomicBool>);

impl Drop for Wanted {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Query<'a> {
    context: &'a SessionContext,
    source: &'a dyn EventSource,
    scope: &'a RunScope,
    spec: &'a Spec,
    dataset_fields: &'a DatasetFields,
    options: &'a RunOptions,
    limits: &'a Limits,
}

impl Query<'_> {
    fn limit(&self) -> Result<usize, QueryError> {
        let max = if self.options.disable_series { LIMIT_MAX_WITHOUT_SERIES } else { LIMIT_MAX };
        match self.options.limit.or(self.spec.limit).unwrap_or(LIMIT_DEFAULT) {
            limit if (1..=max).contains(&limit) => Ok(limit),
            _ => Err(QueryError::Invalid(format!("limit: must be between 1 and {max}"))),
        }
    }

    fn formulas(&self) -> Result<Vec<(String, Ast)>, QueryError> {
        let keys: BTreeSet<String> = self.spec.calculations.iter().map(|known| known.key()).collect();
        self.spec
            .formulas
            .iter()
            .map(|formula| {
                let wrong =
                    |reason: String| QueryError::Invalid(format!("formula {}: {reason}", formula.name));
                let ast = calculated::parse(&formula.expression).map_err(|error| wrong(error.to_string()))?;
                check_formula(&ast, &|name| keys.contains(name)).map_err(wrong)?;
                Ok((formula.name.clone(), ast))
            })
            .collect()
    }

    async fn answer(&self, start_s: i64, end_s: i64) -> Result<QueryOutput, QueryError> {
        let spec = self.spec;
        let limit = self.limit()?;
        let formulas = self.formulas()?;
        let scope = self.scope.at(start_s, end_s);
        let fields = field_types(self.source, &scope).await?;
        let calculated = calculated_asts(self.dataset_fields, &spec.calculated_fields)?;
        let buckets = Buckets::new(start_s, end_s, spec.granularity);

        let mut names = Names::new(&fields, &calculated);
        let mut keys = Vec::new();
        for breakdown in &spec.breakdowns {
            let key = names.resolve(breakdown)?;
            let key = if key.field_type.is_none() { key.text() } else { key.expr };
            keys.push(key);
        }
        let aggregates = Aggregates::plan(&mut names, &spec.calculations, spec.usage_mode, buckets)?;
        let bucketed = !self.options.disable_series || aggregates.needs_buckets;
        if bucketed {
            names.system("#time");
        }
        let related = Related {
            context: self.context,
            source: self.source,
            scope: &scope,
            fields: &fields,
            calculated: &calculated,
        };
        let frame = filtered_events(&related, buckets, names, &spec.filters, spec.filter_combination).await?;
        let rendering = Rendering {
            spec: spec.clone(),
            calculations: aggregates.calculations.clone(),
            formulas,
            buckets,
            limit,
            with_series: !self.options.disable_series,
            with_total: !self.options.disable_total_by_aggregate,
            with_other: !self.options.disable_other_by_aggregate,
        };
        let key_count = keys.len();
        let one_pass = OnePass {
            keys: &keys,
            buckets: bucketed.then_some(buckets),
            kinds: &aggregates.kinds,
            inputs: &aggregates.inputs,
            cells_max: self.limits.groups_max,
        };
        let mut found = ManyGroupsStates { shown: vec![], whole: None, rest: None, rows_examined: 0 };
        let in_one_pass = one_pass.run(&frame).await?;
        match &in_one_pass {
            Some(states) => found.rows_examined = states.rows_examined,
            None => {
                let bucket = bucketed.then(|| {
                    let (origin_ns, step_ns) = buckets.ns();
                    time_bucket(ident("#time"), origin_ns, step_ns).alias("bucket")
                });
                found = self.by_engine(frame, keys, bucket, &aggregates.exprs, &rendering).await?;
            }
        }
        let rows_examined = found.rows_examined;
        // A million groups take a while to merge, which must not hold up the runtime's other tasks.
        let wanted = Wanted::default();
        let unwanted = Arc::clone(&wanted.0);
        let merge = move || {
            let kinds = aggregates.kinds;
            if let Some(states) = in_one_pass {
                let shown = Rollup::of_cells(states.keys, bucketed, kinds, states.cells)?;
                let output = rendering.render(&shown, None, None, &unwanted);
                drop(states.reservations);
                return output;
            }
            let together = |batches| Rollup::new(batches, 0, bucketed, kinds.clone());
            let whole = found.whole.map(together).transpose()?;
            let rest = found.rest.map(together).transpose()?;
            let shown = Rollup::new(found.shown, key_count, bucketed, kinds.clone())?;
            rendering.render(&shown, whole.as_ref(), rest.as_ref(), &unwanted)
        };
        let output = match tokio::task::spawn_blocking(merge).await {
            Ok(output) => output?,
            Err(error) => return Err(QueryError::Store(format!("merging the groups failed: {error}"))),
        };
        Ok(QueryOutput { rows_examined, granularity_s: buckets.step_s, start_s, end_s, ..output })
    }

    /// The states by the engine's own aggregation, in several passes when there are too many groups for one.
    async fn by_engine(
        &self,
        frame: DataFrame,
        keys: Vec<Expr>,
        bucket: Option<Expr>,
        aggregates: &[Expr],
        rendering: &Rendering,
    ) -> Result<ManyGroupsStates, QueryError> {
        let states: Vec<Expr> =
            aggregates.iter().enumerate().map(|(i, expr)| expr.clone().alias(state_name(i))).collect();
        let named =
            keys.iter().enumerate().map(|(i, key)| key.clone().alias(key_name(i))).chain(bucket.clone());
        let in_one_pass = frame.clone().aggregate(named.collect(), states.clone())?;
        match collect(in_one_pass, self.limits.groups_max).await {
            Ok((shown, rows_examined)) => {
                Ok(ManyGroupsStates { shown, whole: None, rest: None, rows_examined })
            }
            Err(too_many @ QueryError::Limit(_)) if !keys.is_empty() => {
                let many = ManyGroups { context: self.context, frame, keys, bucket, states, rendering };
                many.states().await?.ok_or(too_many)
            }
            Err(error) => Err(error),
        }
    }
}
