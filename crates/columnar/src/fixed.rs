//! The fixed columns: what OpenTelemetry gives every record besides attributes. One list serves all signals; a batch
//! has only those that some row set.

use arrow::datatypes::{DataType, TimeUnit};

/// Arrow's form of a fixed column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixedType {
    /// Nanoseconds since the Unix epoch.
    Time,
    Text,
    Int,
    Byte,
    /// 16 bytes.
    TraceId,
    /// 8 bytes.
    SpanId,
}

impl FixedType {
    pub fn data_type(self) -> DataType {
        match self {
            FixedType::Time => DataType::Timestamp(TimeUnit::Nanosecond, None),
            FixedType::Text => DataType::Utf8View,
            FixedType::Int => DataType::Int64,
            FixedType::Byte => DataType::UInt8,
            FixedType::TraceId => DataType::FixedSizeBinary(16),
            FixedType::SpanId => DataType::FixedSizeBinary(8),
        }
    }
}

macro_rules! fixed_columns {
    ($($(#[$doc:meta])* $variant:ident $name:literal $type:ident $(= $default:literal)?,)*) => {
        /// A fixed column, by meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Fixed {
            $($(#[$doc])* $variant,)*
        }

        impl Fixed {
            pub const ALL: &'static [FixedColumn] = &[
                $(FixedColumn {
                    fixed: Fixed::$variant,
                    name: $name,
                    fixed_type: FixedType::$type,
                    default: fixed_columns!(@default $($default)?),
                },)*
            ];
        }
    };
    (@default) => { None };
    (@default $default:literal) => { Some($default) };
}

/// Name, type and default of a fixed column.
#[derive(Debug, Clone, Copy)]
pub struct FixedColumn {
    pub fixed: Fixed,
    pub name: &'static str,
    pub fixed_type: FixedType,
    /// The value of a row that set none, and of every row when the column is left out. `None` is null.
    pub default: Option<i64>,
}

fixed_columns! {
    /// Start of a span, instant of anything else.
    Time "time" Time,
    /// Honeycomb's dataset, usually the service name.
    Dataset "dataset" Text,
    /// [`tracery_model::RowKind`].
    Kind "kind" Byte = 0,
    /// The door the row came through: 0 OTLP, 1 Honeycomb events, 2 X-Ray, 3 CloudWatch Logs.
    Source "source" Byte = 0,
    Name "name" Text,
    TraceId "trace_id" TraceId,
    SpanId "span_id" SpanId,
    /// Parent of a span; the span that an event, link or log record belongs to.
    ParentId "parent_id" SpanId,
    /// End minus start as sent, so possibly negative.
    DurationNs "duration_ns" Int,
    /// How many records this one stands for.
    SampleRate "sample_rate" Int = 1,
    /// OTLP's number: 0 unset, 1 ok, 2 error.
    StatusCode "status_code" Byte = 0,
    StatusMessage "status_message" Text,
    /// OTLP's number: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    SpanKind "span_kind" Byte = 0,
    TraceState "trace_state" Text,
    Flags "flags" Int = 0,
    ScopeName "scope_name" Text,
    ScopeVersion "scope_version" Text,
    ResourceSchemaUrl "resource_schema_url" Text,
    ScopeSchemaUrl "scope_schema_url" Text,
    DroppedAttributes "dropped_attributes" Int = 0,
    DroppedEvents "dropped_events" Int = 0,
    DroppedLinks "dropped_links" Int = 0,
    ResourceDroppedAttributes "resource_dropped_attributes" Int = 0,
    ScopeDroppedAttributes "scope_dropped_attributes" Int = 0,
    /// Events of a span.
    EventCount "event_count" Int = 0,
    /// Links of a span.
    LinkCount "link_count" Int = 0,
    /// Position of an event or link in its span.
    Ordinal "ordinal" Int = 0,
    /// Name of the span that an event or link belongs to.
    ParentName "parent_name" Text,
    /// Time from the span's start to a span event.
    SinceSpanStartNs "since_span_start_ns" Int,
    /// The trace that a link points to; its trace state is in [`Fixed::TraceState`].
    LinkTraceId "link_trace_id" TraceId,
    LinkSpanId "link_span_id" SpanId,
    /// When a collector saw a log record.
    ObservedTimeNs "observed_time_ns" Int,
    /// 1 where a log record came without a time of its own, so that `time` is when it was observed or received.
    TimeUnset "time_unset" Byte = 0,
    /// OTLP's number, 0 to 24.
    SeverityNumber "severity_number" Byte = 0,
    SeverityText "severity_text" Text,
    EventName "event_name" Text,
    /// A log body that is text.
    Body "body" Text,
    /// A log body that is anything else, as the OTLP JSON form of its `AnyValue`.
    BodyJson "body_json" Text,
    /// When the server took the record in.
    ReceivedNs "received_ns" Int,
    /// What must be given back as it came: a metric's data points in the OTLP JSON form, or the X-Ray document, byte
    /// for byte, on the row of what it describes.
    Original "original" Text,
}

impl Fixed {
    pub fn column(self) -> &'static FixedColumn {
        &Self::ALL[self as usize]
    }

    pub fn name(self) -> &'static str {
        self.column().name
    }

    pub fn from_name(name: &str) -> Option<&'static FixedColumn> {
        Self::ALL.iter().find(|column| column.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_in_the_order_of_the_enum() {
        for (idx, column) in Fixed::ALL.iter().enumerate() {
            assert_eq!(column.fixed as usize, idx, "{}", column.name);
            assert_eq!(Fixed::from_name(column.name).unwrap().fixed, column.fixed);
        }
    }
}
