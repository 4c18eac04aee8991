//! What the API takes from elsewhere, connected: Honeycomb's language over the store, people from the settings, and
//! saved queries as the documents that Honeycomb's own API shows too.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion::prelude::SessionContext;
use serde::Deserialize;
use serde_json::{Value, json};
use tracery_api::{
    DaemonCounts, NewSavedQuery, Rejected, SavedQueries, SavedQuery, Sessions, SpecQueries, XRayLosses,
};
use tracery_honeycomb::{ColumnInfo, FieldError, Queries};
use tracery_model::{EnvironmentId, Signal, TimeRange};
use tracery_query::languages::honeycomb::spec::{Calculation, CalculationOp};
use tracery_query::languages::honeycomb::{
    BubbleUpLimits, Limits, RunOptions, RunScope, Selection, Spec, bubble_up, calculated, run,
};
use tracery_query::{EventSource, FieldInfo, FieldType, QueryError, ScanProgress, Scope, StoreEvents};
use tracery_settings::{
    ALL_DATASETS, Document, DocumentKind, NewDocument, Place, Settings, SettingsError, slugify,
};
use tracery_stdx::Clock;

/// What the X-Ray door did not keep, and what daemons say of theirs.
pub(crate) struct NotKept(pub(crate) tracery_xray::XRay);

impl XRayLosses for NotKept {
    fn rejected(&self, environment: EnvironmentId) -> Vec<Rejected> {
        let documents = self.0.rejected(environment).into_iter();
        documents
            .map(|document| Rejected {
                received_ms: document.received_ms,
                door: document.door,
                reason: document.reason,
                message: document.message,
                byte_count: document.byte_count,
                text: document.text,
            })
            .collect()
    }

    fn daemons(&self, environment: EnvironmentId) -> Vec<DaemonCounts> {
        let records = self.0.daemon_records(environment).into_iter();
        records
            .map(|record| DaemonCounts {
                received_ms: record.received_ms,
                counted_ms: record.counted_ms,
                hostname: record.hostname,
                instance_id: record.instance_id,
                resource_arn: record.resource_arn,
                received_count: record.received_count,
                sent_count: record.sent_count,
                spillover_count: record.spillover_count,
                rejected_count: record.rejected_count,
                connection_error_count: record.connection_error_count,
            })
            .collect()
    }
}

/// Decodes the OTLP messages that come over X-Ray's UDP port. Rows may take as much memory as those of one request.
pub(crate) fn otlp_decoder(column_bytes_max: usize) -> tracery_xray::OtlpDecoder {
    Arc::new(move |signal, message, received_ns| {
        let options = tracery_otlp::DecodeOptions {
            signal,
            format: tracery_otlp::Format::Protobuf,
            dataset_header: None,
            datasets: None,
            received_ns,
            column_bytes_max,
        };
        // Datagrams are small: the bound on columns is enough without a share of the budget.
        let decoded = tracery_otlp::decode(&options, message, &mut |_| Ok(()));
        let decoded = decoded.map_err(|error| error.to_string())?;
        Ok(tracery_xray::DecodedOtlp {
            batches: decoded.batches,
            record_count: decoded.record_count,
            rejected_count: decoded.notes.rejected(),
        })
    })
}

/// Decodes the metric streams that Firehose delivers to Honeycomb's door.
pub(crate) fn otlp_metrics(column_bytes_max: usize) -> tracery_honeycomb::OtlpMetrics {
    use tracery_honeycomb::{DecodedMetrics, MetricsError};
    Arc::new(move |message, dataset, received_ns, admit| {
        let options = tracery_otlp::DecodeOptions {
            signal: Signal::Metric,
            format: tracery_otlp::Format::Protobuf,
            dataset_header: Some(dataset),
            datasets: None,
            received_ns,
            column_bytes_max,
        };
        let decoded = tracery_otlp::decode(&options, message, admit).map_err(|error| match error {
            tracery_otlp::DecodeError::Busy(busy) => MetricsError::Busy(busy),
            _ => MetricsError::Malformed,
        })?;
        Ok(DecodedMetrics {
            batches: decoded.batches,
            record_count: decoded.record_count,
            rejected_count: decoded.notes.rejected(),
        })
    })
}

/// A background run of `/1/query_results` may take this long, a little less than its door waits.
const RESULT_TIME_MAX: Duration = Duration::from_secs(295);

/// Honeycomb's query language over the store.
pub(crate) struct Specs {
    context: Arc<SessionContext>,
    events: StoreEvents,
    settings: Settings,
    clock: Arc<dyn Clock>,
}

impl Specs {
    pub(crate) fn new(
        context: Arc<SessionContext>,
        events: StoreEvents,
        settings: Settings,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { context, events, settings, clock }
    }

    /// Where relative times end: the running second is part of what was asked.
    fn now_s(&self) -> i64 {
        self.clock.now_s().saturating_add(1)
    }

    /// A dataset is all that was written under names of its slug, since services spell theirs as they like.
    fn scope(&self, environment: EnvironmentId, dataset: Option<&str>) -> RunScope {
        let datasets = dataset.map(|dataset| {
            let slug = slugify(dataset);
            let written = self.events.store().datasets(environment).into_keys();
            let mut names: Vec<String> = written.filter(|name| slugify(name) == slug).collect();
            if names.is_empty() {
                names.push(dataset.to_owned());
            }
            names
        });
        RunScope { environment, datasets, signals: Signal::ALL.to_vec() }
    }

    /// Calculated fields of the environment and the dataset: alias and expression.
    async fn calculated_fields(
        &self,
        environment: EnvironmentId,
        dataset: Option<&str>,
    ) -> Result<Vec<(String, String)>, QueryError> {
        let own = dataset.map(slugify);
        let mut fields = Vec::new();
        for scope in own.as_deref().into_iter().chain([ALL_DATASETS]) {
            let place = Place { environment, kind: DocumentKind::CalculatedField, scope };
            let documents = self.settings.documents(place).await;
            for document in documents.map_err(|error| QueryError::Store(error.to_string()))? {
                let (Some(alias), Some(expression)) = (
                    document.body["alias"].as_str().or(document.name.as_deref()),
                    document.body["expression"].as_str(),
                ) else {
                    continue;
                };
                // The dataset's own hides the environment's.
                if !fields.iter().any(|(known, _): &(String, String)| known == alias) {
                    fields.push((alias.to_owned(), expression.to_owned()));
                }
            }
        }
        Ok(fields)
    }
}

fn parse(spec: &Value) -> Result<Spec, QueryError> {
    Spec::parse(spec).map_err(|error| QueryError::Invalid(error.to_string()))
}

#[async_trait]
impl SpecQueries for Specs {
    async fn run(
        &self,
        environment: EnvironmentId,
        dataset: Option<&str>,
        (spec, series): (&Value, bool),
        progress: &Arc<ScanProgress>,
    ) -> Result<Value, QueryError> {
        let spec = parse(spec)?;
        let fields = self.calculated_fields(environment, dataset).await?;
        let options = RunOptions {
            disable_total_by_aggregate: false,
            disable_series: !series,
            ..RunOptions::at(self.now_s())
        };
        let scope = self.scope(environment, dataset);
        let limits = Limits::default();
        let events = self.events.watched(progress);
        let ask = run(&self.context, &events, &scope, &spec, &fields, &options, &limits);
        let output = Box::pin(ask).await?;
        let mut answer = output.to_json();
        answer["query"] = spec.to_json();
        answer["rows_examined"] = output.rows_examined.into();
        answer["elapsed_ms"] = output.elapsed_ms.into();
        answer["granularity"] = output.granularity_s.into();
        answer["start_time"] = output.start_s.into();
        answer["end_time"] = output.end_s.into();
        Ok(answer)
    }

    async fn bubble_up(
        &self,
        environment: EnvironmentId,
        dataset: Option<&str>,
        spec: &Value,
        selection: &Value,
    ) -> Result<Value, QueryError> {
        let spec = parse(spec)?;
        let selection = read_selection(selection)?;
        let fields = self.calculated_fields(environment, dataset).await?;
        let scope = self.scope(environment, dataset);
        let now_s = self.now_s();
        let limits = BubbleUpLimits::default();
        let events = self.events.watched(&Arc::default());
        let ask = bubble_up(&self.context, &events, &scope, &spec, &fields, &selection, now_s, &limits);
        let found = Box::pin(ask).await?;
        let mut answer = found.to_json();
        answer["rows_examined"] = found.rows_examined.into();
        Ok(answer)
    }
}

#[async_trait]
impl Queries for Specs {
    fn check(&self, spec: &Value, is_metrics: bool) -> Result<Value, FieldError> {
        let wrong = |field: String, description: String| FieldError { field, code: "invalid", description };
        let parsed = Spec::parse(spec).map_err(|error| wrong(error.field, error.reason))?;
        if is_metrics {
            let asked = spec["calculations"].as_array().is_some_and(|calculations| !calculations.is_empty());
            if !asked {
                let description = "metrics datasets require at least one calculation".to_owned();
                return Err(wrong("calculations".to_owned(), description));
            }
            if let Some(op) = parsed.calculations.iter().find_map(of_events_only) {
                let description = format!("operation not allowed in metrics dataset: {}", op.word());
                return Err(wrong("calculations".to_owned(), description));
            }
        }
        Ok(parsed.to_json())
    }

    async fn run(
        &self,
        environment: EnvironmentId,
        dataset: Option<String>,
        spec: Value,
        options: tracery_honeycomb::RunOptions,
    ) -> Result<Value, String> {
        let asked = async {
            let spec = parse(&spec)?;
            let fields = self.calculated_fields(environment, dataset.as_deref()).await?;
            let options = RunOptions {
                disable_series: options.disable_series,
                disable_total_by_aggregate: options.disable_total_by_aggregate,
                disable_other_by_aggregate: options.disable_other_by_aggregate,
                limit: options.limit.and_then(|limit| usize::try_from(limit).ok()),
                now_s: self.now_s(),
            };
            let scope = self.scope(environment, dataset.as_deref());
            // Nobody waits on a connection for this one: whoever runs it bounds its time.
            let limits = Limits { elapsed_max: RESULT_TIME_MAX, ..Limits::default() };
            let events = self.events.watched(&Arc::default());
            let ask = run(&self.context, &events, &scope, &spec, &fields, &options, &limits);
            Box::pin(ask).await
        };
        asked.await.map(|output| output.to_json()).map_err(|error: QueryError| error.to_string())
    }

    async fn columns(&self, environment: EnvironmentId, dataset: &str) -> Result<Vec<ColumnInfo>, String> {
        let RunScope { datasets, signals, .. } = self.scope(environment, Some(dataset));
        let scope = Scope { environment, datasets, signals, time: TimeRange::ALL };
        let fields = self.events.fields(&scope).await.map_err(|error| error.to_string())?;
        let column = |field: FieldInfo| ColumnInfo {
            name: field.name,
            column_type: match field.field_type {
                FieldType::Text => "string",
                FieldType::Integer => "integer",
                FieldType::Float => "float",
                FieldType::Boolean => "boolean",
            },
            last_written_ms: Some(field.last_written_ms),
        };
        Ok(fields.into_iter().map(column).collect())
    }

    fn check_expression(&self, expression: &str) -> Result<(), String> {
        calculated::parse(expression).map(drop).map_err(|error| error.to_string())
    }
}

/// An operation that means nothing for data points.
fn of_events_only(calculation: &Calculation) -> Option<CalculationOp> {
    use CalculationOp::{Concurrency, Count, RateAvg, RateMax, RateSum};
    let op = calculation.op;
    let is_bare_count = op == Count && calculation.column.is_none();
    (is_bare_count || matches!(op, Concurrency | RateAvg | RateMax | RateSum)).then_some(op)
}

/// What `POST /bubble_up` calls a selection.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SelectionBody {
    start_time: Option<i64>,
    end_time: Option<i64>,
    column: Option<String>,
    min: Option<f64>,
    max: Option<f64>,
    group: Option<Vec<Value>>,
}

fn read_selection(selection: &Value) -> Result<Selection, QueryError> {
    let chosen = SelectionBody::deserialize(selection)
        .map_err(|error| QueryError::Invalid(format!("selection: {error}")))?;
    let range = chosen
        .column
        .map(|column| (column, chosen.min.unwrap_or(f64::NEG_INFINITY), chosen.max.unwrap_or(f64::INFINITY)));
    Ok(Selection { time_s: chosen.start_time.zip(chosen.end_time), range, group: chosen.group })
}

/// People of the settings database.
pub(crate) struct People(pub(crate) Settings);

#[async_trait]
impl Sessions for People {
    async fn log_in(&self, name: &str, password: &str) -> Result<Option<String>, SettingsError> {
        match self.0.verify_password(name, password).await? {
            Some(user) => self.0.create_session(&user).await.map(Some),
            None => Ok(None),
        }
    }

    async fn user(&self, token: &str) -> Result<Option<String>, SettingsError> {
        Ok(self.0.find_session(token).await?.map(|user| user.name))
    }

    async fn log_out(&self, token: &str) -> Result<(), SettingsError> {
        self.0.end_session(token).await
    }
}

/// Saved queries. One is a document of its own kind of scope: `saved`, which no dataset's slug reaches through
/// Honeycomb's paths, with name, dataset and specification in its body.
pub(crate) struct Saved(pub(crate) Settings);

const SAVED_SCOPE: &str = "/saved";

impl Saved {
    fn place(environment: EnvironmentId) -> Place<'static> {
        Place { environment, kind: DocumentKind::QueryAnnotation, scope: SAVED_SCOPE }
    }
}

fn saved(document: Document) -> SavedQuery {
    let text = |name: &str| document.body[name].as_str().unwrap_or_default().to_owned();
    SavedQuery {
        name: text("name"),
        dataset: text("dataset"),
        owner: text("owner"),
        query: document.body["query"].clone(),
        created_ms: document.created_ms,
        id: document.id,
    }
}

#[async_trait]
impl SavedQueries for Saved {
    async fn list(
        &self,
        environment: EnvironmentId,
        after: Option<(i64, &str)>,
        limit: usize,
    ) -> Result<Vec<SavedQuery>, SettingsError> {
        let documents = self.0.documents_newest(Self::place(environment), after, limit).await?;
        Ok(documents.into_iter().map(saved).collect())
    }

    async fn find(&self, environment: EnvironmentId, id: &str) -> Result<Option<SavedQuery>, SettingsError> {
        Ok(self.0.document(Self::place(environment), id).await?.map(saved))
    }

    async fn create(
        &self,
        environment: EnvironmentId,
        new: NewSavedQuery<'_>,
    ) -> Result<SavedQuery, SettingsError> {
        let NewSavedQuery { name, dataset, query, owner } = new;
        let body = json!({ "name": name, "dataset": dataset, "query": query, "owner": owner });
        let new = NewDocument { body, ..NewDocument::default() };
        Ok(saved(self.0.create_document(Self::place(environment), new).await?))
    }

    async fn delete(&self, environment: EnvironmentId, id: &str) -> Result<bool, SettingsError> {
        self.0.delete_document(Self::place(environment), id).await
    }
}
