//! The table of events over the store: prunes parts by environment, signal, time, dataset and trace id, and scans what
//! is left: Parquet through DataFusion's own reader, fresh parts from memory.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{Column as LogicalColumn, DFSchema, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::{CachedParquetFileReaderFactory, ParquetRowSelection};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, FileSource as _, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use datafusion::physical_plan::union::UnionExec;
use datafusion::prelude::SessionContext;
use object_store::ObjectMeta;
use object_store::path::Path;
use parquet::arrow::arrow_reader::{RowSelection, RowSelector};
use tracery_columnar::Fixed;
use tracery_model::{Signal, TraceId};
use tracery_store::{Part, RowRun, Store};

use super::fields;
use super::fresh::FreshStream;
use super::resolve::FieldAdapterFactory;
use super::{EventSource, FieldInfo, MADE_OF, OWN, RESOURCE, SYSTEM_COLUMNS, Scope};
use crate::{QueryError, ScanProgress};

/// The address under which the session knows the store's objects.
pub const STORE_URL: &str = "tracery://store/";
const TIME: &str = "#time";
const DATASET: &str = "#dataset";
/// The door; of errors, what they were made of.
const SOURCE: &str = "#source";
const TRACE_ID: &str = "#trace_id";

/// Events of a [`Store`].
#[derive(Clone)]
pub struct StoreEvents {
    store: Store,
    readers: Arc<CachedParquetFileReaderFactory>,
    progress: Option<Arc<ScanProgress>>,
}

impl StoreEvents {
    /// Events of `store`, whose objects `context` will read.
    pub fn new(store: Store, context: &SessionContext) -> Self {
        let url = url::Url::parse(STORE_URL).expect("a constant");
        context.register_object_store(&url, store.objects().reader());
        let footers = context.runtime_env().cache_manager.get_file_metadata_cache();
        let readers = Arc::new(CachedParquetFileReaderFactory::new(store.objects().reader(), footers));
        Self { store, readers, progress: None }
    }

    /// The same events for one question, whose scans tell `progress` what they read.
    #[must_use]
    pub fn watched(&self, progress: &Arc<ScanProgress>) -> Self {
        Self { progress: Some(Arc::clone(progress)), ..self.clone() }
    }

    /// Opens parts; parsed footers are kept in the session's cache.
    pub(crate) fn readers(&self) -> &Arc<CachedParquetFileReaderFactory> {
        &self.readers
    }

    pub fn store(&self) -> &Store {
        &self.store
    }
}

#[async_trait]
impl EventSource for StoreEvents {
    async fn fields(&self, scope: &Scope) -> Result<Vec<FieldInfo>, QueryError> {
        self.store.refresh().await.map_err(|error| QueryError::Store(error.to_string()))?;
        let columns = self.store.columns(scope.environment, scope.datasets.as_deref(), &scope.signals);
        Ok(fields::fields(&columns, &scope.signals))
    }

    async fn events(&self, scope: &Scope, columns: &[String]) -> Result<Arc<dyn TableProvider>, QueryError> {
        let parts = self.store.snapshot().select(
            scope.environment,
            &scope.signals,
            scope.time,
            scope.datasets.as_deref(),
        );
        self.events_in(scope, columns, parts, None).await
    }

    fn progress(&self) -> Option<&ScanProgress> {
        self.progress.as_deref()
    }
}

impl StoreEvents {
    /// The events of `parts` that are in scope. With `traces`, of merged parts only the rows that their indexes give for
    /// these traces; rows of other traces may be among them, and fresh parts are read whole. Columns may also be fixed
    /// columns under `#` and their name.
    pub(crate) async fn events_in(
        &self,
        scope: &Scope,
        columns: &[String],
        parts: Vec<Arc<Part>>,
        traces: Option<Arc<Vec<TraceId>>>,
    ) -> Result<Arc<dyn TableProvider>, QueryError> {
        let known = self.fields(scope).await?;
        let physical = match columns.iter().any(|name| name.starts_with(OWN)) {
            true => self.store.columns(scope.environment, scope.datasets.as_deref(), &scope.signals),
            false => BTreeMap::new(),
        };
        let mut wanted: Vec<Field> = Vec::with_capacity(columns.len() + 3);
        for name in columns.iter().map(String::as_str).chain([TIME, DATASET, TRACE_ID, SOURCE]) {
            if wanted.iter().any(|field| field.name() == name) {
                continue;
            }
            let system =
                SYSTEM_COLUMNS.iter().find(|(system, _)| *system == name).map(|(_, data_type)| data_type);
            let fixed = || name.strip_prefix('#').and_then(Fixed::from_name);
            let own = || own_type(name, &physical);
            let of_row = system.cloned().or_else(|| Some(fixed()?.fixed_type.data_type())).or_else(own);
            let data_type = match of_row {
                Some(data_type) => data_type,
                None => known
                    .iter()
                    .find(|field| field.name == name)
                    .map_or(DataType::Utf8View, |field| field.field_type.data_type()),
            };
            wanted.push(Field::new(name, data_type, true));
        }
        let shown = columns.len();
        let all = Arc::new(Schema::new(wanted));
        let schema = if all.fields().len() == shown {
            Arc::clone(&all)
        } else {
            // The columns a scope filters by are read but not shown.
            Arc::new(all.project(&(0..shown.min(all.fields().len())).collect::<Vec<_>>())?)
        };
        let readers = Arc::clone(&self.readers);
        Ok(Arc::new(EventTable {
            store: self.store.clone(),
            readers,
            scope: scope.clone(),
            schema,
            all,
            parts,
            traces,
            progress: self.progress.clone(),
        }))
    }
}

#[derive(Clone)]
struct EventTable {
    store: Store,
    readers: Arc<CachedParquetFileReaderFactory>,
    scope: Scope,
    schema: SchemaRef,
    /// `schema` and then the columns of the scope that it lacks.
    all: SchemaRef,
    parts: Vec<Arc<Part>>,
    /// The traces whose rows are wanted, where not all are.
    traces: Option<Arc<Vec<TraceId>>>,
    progress: Option<Arc<ScanProgress>>,
}

impl std::fmt::Debug for EventTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "events ({} parts)", self.parts.len())
    }
}

/// Parts that are scanned alike.
#[derive(Default)]
struct Group {
    merged: Vec<(Arc<Part>, Option<Vec<RowRun>>)>,
    fresh: Vec<Arc<Part>>,
}

#[async_trait]
impl TableProvider for EventTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let projection: Vec<usize> =
            projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let trace_id = filters.iter().find_map(trace_id_of);
        let mut values = Vec::new();
        filters.iter().for_each(|filter| values_of(filter, &mut values));
        let mut plans: Vec<Arc<dyn ExecutionPlan>> = Vec::new();
        for ((signal, time_inside, datasets_inside), group) in self.groups(trace_id.as_ref(), &values).await?
        {
            // Errors that were found in spans and logs are those rows once more: only who asks for errors alone sees them.
            let skips_made = signal == Signal::Error && self.scope.signals.len() > 1;
            let predicate = self.scope_predicate(time_inside, datasets_inside, skips_made, trace_id.as_ref());
            let mut read = projection.clone();
            for name in [
                (TIME, !time_inside),
                (DATASET, !datasets_inside),
                (TRACE_ID, trace_id.is_some()),
                (SOURCE, skips_made),
            ] {
                let idx = self.all.index_of(name.0)?;
                if name.1 && !read.contains(&idx) {
                    read.push(idx);
                }
            }
            let read_schema = Arc::new(self.all.project(&read)?);
            let mut sources = Vec::new();
            if !group.merged.is_empty() {
                sources.push(self.merged_scan(state, signal, &group.merged, &read_schema)?);
            }
            if !group.fresh.is_empty() {
                sources.push(self.fresh_scan(state, signal, &group.fresh, &read_schema)?);
            }
            for source in sources {
                plans.push(filtered(state, source, predicate.as_ref(), projection.len())?);
            }
        }
        let schema = Arc::new(self.schema.project(&projection)?);
        match plans.len() {
            0 => Ok(Arc::new(EmptyExec::new(schema))),
            1 => Ok(plans.remove(0)),
            _ => UnionExec::try_new(plans),
        }
    }
}

impl EventTable {
    /// Parts by what they need: signal, whether all their rows are inside the time range, and inside the datasets.
    /// Of a merged part only the rows that its indexes name.
    async fn groups(
        &self,
        trace_id: Option<&TraceId>,
        values: &[(&str, &str)],
    ) -> Result<Vec<((Signal, bool, bool), Group)>> {
        let mut groups: Vec<((Signal, bool, bool), Group)> = Vec::new();
        for part in &self.parts {
            let meta = &part.meta;
            let time_inside =
                self.scope.time.contains(meta.time_min_ns) && self.scope.time.contains(meta.time_max_ns);
            let datasets_inside = self
                .scope
                .datasets
                .as_ref()
                .is_none_or(|wanted| meta.datasets.iter().all(|own| wanted.contains(own)));
            let key = (meta.signal, time_inside, datasets_inside);
            let group = match groups.iter_mut().position(|(known, _)| *known == key) {
                Some(idx) => &mut groups[idx].1,
                None => {
                    groups.push((key, Group::default()));
                    &mut groups.last_mut().expect("just pushed").1
                }
            };
            if part.fresh().is_some() {
                self.plan(part, None);
                group.fresh.push(Arc::clone(part));
                continue;
            }
            let mut runs = None;
            let wanted = match (&self.traces, trace_id) {
                (_, Some(trace_id)) => Some(std::slice::from_ref(trace_id)),
                (Some(traces), None) => Some(traces.as_slice()),
                (None, None) => None,
            };
            if let Some(wanted) = wanted {
                let index = self.store.trace_index(part).await;
                let index = index.map_err(|error| DataFusionError::External(Box::new(error)))?;
                let found: Vec<RowRun> = wanted.iter().flat_map(|id| index.find(&id.0)).collect();
                if found.is_empty() {
                    continue;
                }
                runs = Some(found);
            } else if !values.is_empty() {
                let index = self.store.value_index(part).await;
                let index = index.map_err(|error| DataFusionError::External(Box::new(error)))?;
                let found = values.iter().filter_map(|(key, value)| index.as_ref()?.find(key, value));
                runs = found.min_by_key(|runs| runs.iter().map(|run| run.row_count).sum::<usize>());
                if runs.as_ref().is_some_and(Vec::is_empty) {
                    continue;
                }
            }
            self.plan(part, runs.as_deref());
            group.merged.push((Arc::clone(part), runs));
        }
        Ok(groups)
    }

    /// A part, or only some runs of it, will be scanned.
    fn plan(&self, part: &Part, runs: Option<&[RowRun]>) {
        let Some(progress) = &self.progress else { return };
        let rows = u64::try_from(part.meta.row_count).unwrap_or(0);
        let bytes = u64::try_from(part.meta.byte_count).unwrap_or(0);
        match runs {
            None => progress.plan(rows, bytes),
            Some(runs) => {
                let selected = runs.iter().map(|run| run.row_count as u64).sum::<u64>().min(rows);
                progress.plan(selected, bytes * selected / rows.max(1));
            }
        }
    }

    fn scope_predicate(
        &self,
        time_inside: bool,
        datasets_inside: bool,
        skips_made: bool,
        trace_id: Option<&TraceId>,
    ) -> Option<Expr> {
        let mut terms = Vec::new();
        let column = |name: &str| Expr::Column(LogicalColumn::new_unqualified(name));
        let instant = |time_ns: i64| lit(ScalarValue::TimestampNanosecond(Some(time_ns), None));
        if let Some(trace_id) = trace_id {
            terms.push(column(TRACE_ID).eq(lit(ScalarValue::FixedSizeBinary(16, Some(trace_id.0.to_vec())))));
        }
        if !time_inside {
            terms.push(column(TIME).gt_eq(instant(self.scope.time.start_ns)));
            terms.push(column(TIME).lt(instant(self.scope.time.end_ns)));
        }
        if let (false, Some(wanted)) = (datasets_inside, &self.scope.datasets) {
            let mut wanted: Vec<Expr> =
                wanted.iter().map(|name| lit(ScalarValue::Utf8View(Some(name.clone())))).collect();
            // A list is looked up by hash, which for one name costs more than the comparison.
            terms.push(match wanted.len() {
                1 => column(DATASET).eq(wanted.remove(0)),
                _ => column(DATASET).in_list(wanted, false),
            });
        }
        if skips_made {
            let made = MADE_OF.iter().map(|source| lit(ScalarValue::UInt8(Some(*source)))).collect();
            terms.push(column(SOURCE).in_list(made, true));
        }
        terms.into_iter().reduce(Expr::and)
    }

    fn merged_scan(
        &self,
        state: &dyn Session,
        signal: Signal,
        parts: &[(Arc<Part>, Option<Vec<RowRun>>)],
        schema: &SchemaRef,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let url = ObjectStoreUrl::parse(STORE_URL)?;
        let source = ParquetSource::new(Arc::clone(schema))
            .with_table_parquet_options(state.table_options().parquet.clone())
            .with_pushdown_filters(true)
            .with_parquet_file_reader_factory(Arc::clone(&self.readers) as _);
        if let Some(progress) = &self.progress {
            progress.watch(source.metrics().clone());
        }
        let mut groups: Vec<Vec<PartitionedFile>> =
            vec![Vec::new(); state.config().target_partitions().max(1)];
        let mut loads = vec![0_i64; groups.len()];
        let mut newest_first: Vec<&(Arc<Part>, Option<Vec<RowRun>>)> = parts.iter().collect();
        newest_first.sort_by_key(|(part, _)| std::cmp::Reverse(part.meta.time_max_ns));
        for (part, runs) in newest_first {
            let lightest = (0..loads.len()).min_by_key(|idx| loads[*idx]).unwrap_or(0);
            loads[lightest] += part.meta.row_count;
            let mut file = file(part);
            if let Some(runs) = runs {
                file = file.with_extension(ParquetRowSelection::new(selection(runs, part.meta.row_count)));
            }
            groups[lightest].push(file);
        }
        let groups = groups.into_iter().filter(|files| !files.is_empty()).map(FileGroup::new).collect();
        let config = FileScanConfigBuilder::new(url, Arc::new(source))
            .with_file_groups(groups)
            .with_expr_adapter(Some(Arc::new(FieldAdapterFactory { signal })))
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn fresh_scan(
        &self,
        state: &dyn Session,
        signal: Signal,
        parts: &[Arc<Part>],
        schema: &SchemaRef,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let mut lists: Vec<Vec<(Arc<Part>, usize)>> =
            vec![Vec::new(); state.config().target_partitions().max(1)];
        let chunks = parts.iter().flat_map(|part| {
            (0..part.fresh().map_or(0, |fresh| fresh.chunks.len())).map(move |idx| (part, idx))
        });
        for (number, (part, idx)) in chunks.enumerate() {
            let list = number % lists.len();
            lists[list].push((Arc::clone(part), idx));
        }
        let streams = lists
            .into_iter()
            .filter(|chunks| !chunks.is_empty())
            .map(|chunks| {
                let (schema, progress) = (Arc::clone(schema), self.progress.clone());
                Arc::new(FreshStream { schema, signal, chunks, progress }) as Arc<dyn PartitionStream>
            })
            .collect();
        Ok(Arc::new(StreamingTableExec::try_new(Arc::clone(schema), streams, None, [], false, None)?))
    }
}

/// The type of what events themselves say under a key.
fn own_type(name: &str, physical: &BTreeMap<String, i64>) -> Option<DataType> {
    let key = name.strip_prefix(OWN)?;
    Some(fields::own_types(physical).get(key).map_or(DataType::Utf8View, |own| own.data_type()))
}

/// A merged part as the engine's readers name it.
pub(crate) fn file(part: &Arc<Part>) -> PartitionedFile {
    let object = ObjectMeta {
        location: Path::from(part.meta.path.as_str()),
        // Parts never change: any fixed time keeps their cached footers valid.
        last_modified: Default::default(),
        size: u64::try_from(part.meta.byte_count).unwrap_or(0),
        e_tag: None,
        version: None,
    };
    // The part is held so that its object outlives the query.
    PartitionedFile::new_from_meta(object).with_extension(Arc::clone(part))
}

/// `source` with the scope's predicate applied and the columns that only the predicate needed left out.
fn filtered(
    state: &dyn Session,
    source: Arc<dyn ExecutionPlan>,
    predicate: Option<&Expr>,
    shown: usize,
) -> Result<Arc<dyn ExecutionPlan>> {
    let Some(predicate) = predicate else { return Ok(source) };
    let schema = DFSchema::try_from(source.schema().as_ref().clone())?;
    let predicate = state.create_physical_expr(predicate.clone(), &schema)?;
    let filter =
        FilterExecBuilder::new(predicate, source).apply_projection(Some((0..shown).collect()))?.build()?;
    Ok(Arc::new(filter))
}

pub(crate) fn selection(runs: &[RowRun], row_count: i64) -> RowSelection {
    let row_count = usize::try_from(row_count).unwrap_or(0);
    let mut sorted = runs.to_vec();
    sorted.sort_by_key(|run| run.first_row);
    let mut selectors = Vec::new();
    let mut position = 0;
    for run in sorted {
        let start = run.first_row.clamp(position, row_count);
        let end = (run.first_row + run.row_count).clamp(start, row_count);
        selectors.push(RowSelector::skip(start - position));
        selectors.push(RowSelector::select(end - start));
        position = end;
    }
    selectors.push(RowSelector::skip(row_count - position));
    selectors.into()
}

/// Attributes that a filter demands to have a value, with that value.
fn values_of<'a>(filter: &'a Expr, values: &mut Vec<(&'a str, &'a str)>) {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return };
    match (left.as_ref(), op, right.as_ref()) {
        (left, Operator::And, right) => {
            values_of(left, values);
            values_of(right, values);
        }
        (
            Expr::Column(column),
            Operator::Eq,
            Expr::Literal(ScalarValue::Utf8View(Some(value)) | ScalarValue::Utf8(Some(value)), _),
        ) if !fields::is_builtin(&column.name) => {
            // An index names an attribute that has one column in its part, so of whatever origin.
            let name = column.name.as_str();
            let key = name.strip_prefix(RESOURCE).or_else(|| name.strip_prefix(OWN)).unwrap_or(name);
            values.push((key, value));
        }
        _ => {}
    }
}

/// The trace that a filter narrows the scan to.
fn trace_id_of(filter: &Expr) -> Option<TraceId> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else { return None };
    if *op == Operator::And {
        return trace_id_of(left).or_else(|| trace_id_of(right));
    }
    if *op != Operator::Eq {
        return None;
    }
    let (Expr::Column(column), Expr::Literal(value, _)) = (left.as_ref(), right.as_ref()) else {
        return None;
    };
    match (column.name.as_str(), value) {
        (TRACE_ID, ScalarValue::FixedSizeBinary(16, Some(id))) => TraceId::from_bytes(id),
        // Any other spelling is no id but an attribute of that name, which no index knows.
        ("trace.trace_id", ScalarValue::Utf8View(Some(text)) | ScalarValue::Utf8(Some(text))) => {
            TraceId::from_hex(text)
        }
        _ => None,
    }
}
