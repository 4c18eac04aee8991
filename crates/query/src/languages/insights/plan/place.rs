//! Where a query looks: log groups of one region and what may be read of them. [`Place::scan`] gives their events as a
//! frame of the engine, with the columns that somebody needs and nothing outside the place.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampNanosecondType};
use datafusion::common::ScalarValue;
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{ColumnarValue, Expr, Volatility, create_udf, lit};
use datafusion::prelude::{SessionContext, ident};
use tracery_model::{EnvironmentId, Signal, TimeRange};

use crate::questions::private;
use crate::{EventSource, OWN, QueryError, RESOURCE, Scope, StoreEvents};

/// What the door writes as the source of its rows.
const SOURCE: u8 = 3;
pub(super) const TIME: &str = "#time";
pub(super) const DATASET: &str = "#dataset";
pub(super) const RECEIVED: &str = "#received_ns";
pub(super) const ORDINAL: &str = "#ordinal";
pub(super) const BODY: &str = "#body";
pub(super) const STREAM_KEY: &str = "aws.log.stream.name";
const REGION_KEY: &str = "cloud.region";

/// The column of an event's stream.
pub(super) fn stream() -> String {
    format!("{RESOURCE}{STREAM_KEY}")
}

/// The column of a discovered field.
pub(super) fn own(key: &str) -> String {
    format!("{OWN}{key}")
}

/// What may be read of a log group.
#[derive(Clone, Debug)]
pub struct Group {
    pub name: String,
    /// What was received earlier belongs to a group that had the name before.
    pub received_from_ns: i64,
    /// Events before this time are too old to be shown.
    pub oldest_ns: i64,
    /// Events of these streams that were received until then are deleted.
    pub gone: Arc<HashMap<String, i64>>,
}

/// Log groups of an account in a region, at a time.
#[derive(Clone, Debug)]
pub struct Place {
    pub environment: EnvironmentId,
    pub region: String,
    /// As it stands in `@log`.
    pub account_id: String,
    pub groups: Vec<Group>,
    pub time: TimeRange,
}

impl Place {
    pub(super) fn scope(&self) -> Scope {
        let oldest_ns = self.groups.iter().map(|group| group.oldest_ns).min().unwrap_or(i64::MIN);
        let start_ns = self.time.start_ns.max(oldest_ns).min(self.time.end_ns);
        Scope {
            environment: self.environment,
            datasets: Some(self.groups.iter().map(|group| group.name.clone()).collect()),
            signals: vec![Signal::Log],
            time: TimeRange::new(start_ns, self.time.end_ns),
        }
    }

    /// The events of the place with at least these columns. Where `counts`, every event that the filters keep comes out of
    /// the scan, also one that a TopK above it knows it will not want.
    pub(super) async fn scan(
        &self,
        context: &SessionContext,
        events: &StoreEvents,
        columns: impl IntoIterator<Item = String>,
        counts: bool,
    ) -> Result<DataFrame, QueryError> {
        let region = format!("{RESOURCE}{REGION_KEY}");
        let mut wanted: Vec<String> = columns.into_iter().collect();
        wanted.extend(["#source", RECEIVED, TIME, DATASET].map(str::to_owned));
        wanted.extend([stream(), region.clone()]);
        wanted.sort();
        wanted.dedup();
        let scope = self.scope();
        let table = events.events(&scope, &wanted).await?;
        let mut condition = ident("#source").eq(lit(SOURCE)).and(ident(&region).eq(text(&self.region)));
        let from_ns = self.groups.iter().map(|group| group.received_from_ns).min().unwrap_or(0);
        condition = condition.and(ident(RECEIVED).gt_eq(lit(from_ns)));
        if self.groups.len() > 1 || self.groups.iter().any(|group| !group.gone.is_empty()) {
            let arguments = [DATASET, &stream(), RECEIVED, TIME].map(ident).to_vec();
            condition = condition.and(self.readable().call(arguments));
        }
        let private = private(context);
        if counts {
            let state = private.state_ref();
            state.write().config_mut().options_mut().optimizer.enable_topk_dynamic_filter_pushdown = false;
        }
        Ok(private.read_table(table)?.filter(condition)?)
    }

    /// Whether an event of a group may be read, where a comparison with one time does not say it.
    fn readable(&self) -> datafusion::logical_expr::ScalarUDF {
        let groups: HashMap<String, Group> =
            self.groups.iter().map(|group| (group.name.clone(), group.clone())).collect();
        let arguments = vec![
            DataType::Utf8View,
            DataType::Utf8View,
            DataType::Int64,
            DataType::Timestamp(TimeUnit::Nanosecond, None),
        ];
        let invoke = move |arguments: &[ColumnarValue]| {
            let arrays = ColumnarValue::values_to_arrays(arguments)?;
            let (datasets, streams) = (arrays[0].as_string_view(), arrays[1].as_string_view());
            let received = arrays[2].as_primitive::<Int64Type>();
            let times = arrays[3].as_primitive::<TimestampNanosecondType>();
            let mut last: Option<(&str, &Group)> = None;
            let found: BooleanArray = (0..datasets.len())
                .map(|row| {
                    if datasets.is_null(row) || received.is_null(row) || times.is_null(row) {
                        return Some(false);
                    }
                    let dataset = datasets.value(row);
                    let group = match last {
                        Some((name, group)) if name == dataset => group,
                        _ => match groups.get(dataset) {
                            Some(group) => group,
                            None => return Some(false),
                        },
                    };
                    last = Some((dataset, group));
                    let (received_ns, time_ns) = (received.value(row), times.value(row));
                    let gone = || streams.is_valid(row).then(|| group.gone.get(streams.value(row))).flatten();
                    Some(
                        received_ns >= group.received_from_ns
                            && time_ns >= group.oldest_ns
                            && gone().is_none_or(|until_ns| received_ns > *until_ns),
                    )
                })
                .collect();
            Ok(ColumnarValue::Array(Arc::new(found)))
        };
        create_udf(
            "tracery_log_readable",
            arguments,
            DataType::Boolean,
            Volatility::Immutable,
            Arc::new(invoke),
        )
    }
}

/// A text of the type that columns have.
pub(super) fn text(value: &str) -> Expr {
    lit(ScalarValue::Utf8View(Some(value.to_owned())))
}
