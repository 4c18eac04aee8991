//! What a query can read: one table of events, with a column for each field that the query names.

mod events;
mod fields;
mod flat;
mod fresh;
mod outline;
mod resolve;
mod rows;
mod trace;
mod transform;

pub use events::{STORE_URL, StoreEvents};
pub(crate) use fields::own_types;
pub(crate) use flat::flat;
pub(crate) use outline::Outline;
pub use trace::TraceRows;
pub(crate) use trace::value_bytes;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::catalog::TableProvider;
use tracery_model::{EnvironmentId, Signal, TimeRange};

use crate::{QueryError, ScanProgress};

/// What a query may see.
#[derive(Debug, Clone)]
pub struct Scope {
    pub environment: EnvironmentId,
    /// `None` is every dataset of the environment.
    pub datasets: Option<Vec<String>>,
    pub signals: Vec<Signal>,
    pub time: TimeRange,
}

/// The type a field has in queries: one per field and dataset, however its values were sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FieldType {
    Text,
    Integer,
    Float,
    Boolean,
}

impl FieldType {
    pub fn data_type(self) -> DataType {
        match self {
            FieldType::Text => DataType::Utf8View,
            FieldType::Integer => DataType::Int64,
            FieldType::Float => DataType::Float64,
            FieldType::Boolean => DataType::Boolean,
        }
    }
}

/// A field as autocomplete and the column API show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldInfo {
    pub name: String,
    pub field_type: FieldType,
    pub last_written_ms: i64,
}

/// Columns every event has besides its fields. Their names start with `#`, which no field's flat name may.
pub const SYSTEM_COLUMNS: &[(&str, DataType)] = &[
    ("#time", DataType::Timestamp(TimeUnit::Nanosecond, None)),
    ("#dataset", DataType::Utf8View),
    ("#sample_rate", DataType::Int64),
    ("#trace_id", DataType::FixedSizeBinary(16)),
    ("#span_id", DataType::FixedSizeBinary(8)),
    ("#parent_id", DataType::FixedSizeBinary(8)),
    // `tracery_model::RowKind` as a number.
    ("#kind", DataType::UInt8),
    ("#duration_ns", DataType::Int64),
    ("#received_ns", DataType::Int64),
];

/// Before an attribute's key: the text that the resource has under it, whatever the event itself says. Doors that put
/// what a reader must be able to rely on there (a log's region and stream) have it read this way.
pub const RESOURCE: &str = "#resource:";
/// Before an attribute's key: what the event itself says, and nothing else. The field has the type of all such values.
pub const OWN: &str = "#own:";

/// Doors (`#source`) whose errors were found in rows that are in the store themselves: OTLP's and X-Ray's.
pub(crate) const MADE_OF: [u8; 2] = [0, 2];

/// Where events come from: the store, or rows in memory in tests.
#[async_trait]
pub trait EventSource: Send + Sync {
    /// The fields of the scope's datasets, by name.
    async fn fields(&self, scope: &Scope) -> Result<Vec<FieldInfo>, QueryError>;

    /// A table of the events in scope with one column for each of `columns`, in that order. Names that start with
    /// `#` are [`SYSTEM_COLUMNS`]; any other is a field under its flat name (`http.route`, `duration_ms`,
    /// `trace.trace_id`), of the type [`Self::fields`] gives it; an unknown field is text and null everywhere.
    /// Rows outside the scope's environment, datasets, signals and time are not in the table.
    async fn events(&self, scope: &Scope, columns: &[String]) -> Result<Arc<dyn TableProvider>, QueryError>;

    /// What the scans of these events have read, where somebody watches them.
    fn progress(&self) -> Option<&ScanProgress> {
        None
    }
}
