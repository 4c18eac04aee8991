//! One row for each event, as every reader of log telemetry expects them. [`RowWriter`] takes the events of one stream, in
//! the order of the request; the batches it gives are what the sink takes.

use tracery_columnar::{BatchBuilder, EventBatch, Fixed};
use tracery_model::{Signal, Value};

use super::json_fields::JsonFields;
use super::severity;
use super::trace_link::TraceLink;
use crate::log_place::{LOG_GROUP_NAME, LOG_REGION, LOG_STREAM_NAME, SOURCE_CLOUDWATCH_LOGS};

/// Memory of one batch: a column of a rare field is padded over all its rows.
const BATCH_BYTES_MAX: usize = 8 << 20;
/// Adding the memory up takes longer than writing a row.
const BATCH_BYTES_CHECK_ROWS: usize = 128;

/// Where events come from, which all rows of a request share.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'a> {
    pub(crate) group: &'a str,
    pub(crate) stream: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account_id: &'a str,
    /// Names and values of what the client says of itself.
    pub(crate) more: &'a [(String, String)],
}

/// Writes events to batches.
pub(crate) struct RowWriter<'a> {
    origin: Origin<'a>,
    received_ns: i64,
    builder: BatchBuilder,
    done: Vec<EventBatch>,
    json: JsonFields,
}

impl<'a> RowWriter<'a> {
    pub(crate) fn new(origin: Origin<'a>, received_ns: i64) -> Self {
        let builder = BatchBuilder::new(Signal::Log, received_ns);
        let mut writer = Self { origin, received_ns, builder, done: Vec::new(), json: JsonFields::default() };
        writer.open();
        writer
    }

    fn open(&mut self) {
        use tracery_model::Origin::Resource;
        self.builder.begin_resource();
        let Origin { group, stream, region, account_id, more } = self.origin;
        for (name, value) in [
            (LOG_GROUP_NAME, group),
            (LOG_STREAM_NAME, stream),
            (LOG_REGION, region),
            ("cloud.account.id", account_id),
        ] {
            self.builder.shared_attribute(Resource, name, Value::Str(value));
        }
        for (name, value) in more {
            self.builder.shared_attribute(Resource, name, Value::Str(value));
        }
        self.builder.begin_scope();
    }

    fn close(&mut self) {
        let next = BatchBuilder::new(Signal::Log, self.received_ns);
        self.done.extend(std::mem::replace(&mut self.builder, next).finish());
    }

    /// Writes one event. `ordinal` is its place in the request, `time_ms` since 1970.
    pub(crate) fn write(&mut self, ordinal: usize, time_ms: i64, message: &str) {
        let row_count = self.builder.row_count();
        if row_count % BATCH_BYTES_CHECK_ROWS == BATCH_BYTES_CHECK_ROWS - 1
            && self.builder.byte_count() >= BATCH_BYTES_MAX
        {
            self.close();
            self.open();
        }
        let builder = &mut self.builder;
        builder.begin_row(time_ms.saturating_mul(1_000_000), self.origin.group);
        builder.int(Fixed::Source, i64::from(SOURCE_CLOUDWATCH_LOGS));
        builder.int(Fixed::Ordinal, i64::try_from(ordinal).unwrap_or(i64::MAX));
        builder.whole_text(Fixed::Body, message);
        let mut link = TraceLink::default();
        let mut level = None;
        let is_json = self.json.read(message);
        for (name, value) in self.json.iter() {
            builder.attribute(tracery_model::Origin::Own, name, value);
            link.field(name, value);
            level = level.or_else(|| severity::of_field(name, value));
        }
        if link.trace_id.is_none() {
            link.text(message);
        }
        if !is_json {
            level = severity::of_text(message);
        }
        if let Some(trace_id) = link.trace_id {
            builder.id(Fixed::TraceId, &trace_id.0);
        }
        if let Some(span_id) = link.span_id {
            builder.id(Fixed::ParentId, &span_id.0);
        }
        if let Some((word, number)) = level {
            builder.text(Fixed::SeverityText, word);
            builder.int(Fixed::SeverityNumber, number);
        }
    }

    /// The batches, of which there are none when nothing was written.
    pub(crate) fn finish(mut self) -> Vec<EventBatch> {
        self.close();
        self.done
    }
}
