//! One row for each segment and each subsegment, and one for each exception and link, as every reader of X-Ray telemetry
//! expects them: ids and times in fixed columns, everything else in OpenTelemetry's words, and the document itself, whole, on the
//! row of its outermost entity. Both doors (HTTP and UDP) write through [`RowWriter`].

use tracery_columnar::{BatchBuilder, EventBatch, Fixed};
use tracery_model::{Origin, RowKind, Signal, SpanId, TraceId, Value};

use super::document::{Document, Head, subsegments};
use super::fields::{Members, int, is_true, text};
use super::{attributes, exceptions, links};

/// [`Fixed::Source`] of rows that came as segment documents.
pub(crate) const SOURCE_XRAY: i64 = 2;
/// The dataset of a subsegment whose segment is not known.
const UNKNOWN_SERVICE: &str = "unknown_service";
/// Subsegments of one document that become rows. The document keeps the rest.
const SUBSEGMENTS_MAX: usize = 20_000;
/// Rows, documents and memory of one batch. A batch looks for its datasets one by one, and a column of a rare attribute
/// is padded over all rows.
const BATCH_ROWS_MAX: usize = 16_384;
const BATCH_DOCUMENTS_MAX: usize = 2_000;
const BATCH_BYTES_MAX: usize = 64 << 20;
/// Adding the memory up takes longer than writing a row.
const BATCH_BYTES_CHECK_ROWS: usize = 256;

const SPAN_KIND_INTERNAL: i64 = 1;
const SPAN_KIND_SERVER: i64 = 2;
const SPAN_KIND_CLIENT: i64 = 3;
const STATUS_ERROR: i64 = 2;

/// Writes documents to batches.
#[derive(Debug)]
pub(crate) struct RowWriter {
    builder: BatchBuilder,
    received_ns: i64,
    done: Vec<EventBatch>,
    done_bytes: usize,
    document_count: usize,
    /// Texts of documents, which are most of what a batch holds.
    text_bytes: usize,
    /// Values and subsegments that were left out although their document was kept.
    pub(crate) left_out: usize,
}

/// What all rows of a document share.
struct Shared<'d> {
    members: &'d Members,
    trace_id: TraceId,
    dataset: &'d str,
    /// Whether its outermost entity is a subsegment.
    is_subsegment: bool,
    original: &'d str,
}

impl RowWriter {
    pub(crate) fn new(received_ns: i64) -> Self {
        Self {
            builder: BatchBuilder::new(Signal::Span, received_ns),
            received_ns,
            done: Vec::new(),
            done_bytes: 0,
            document_count: 0,
            text_bytes: 0,
            left_out: 0,
        }
    }

    /// Memory of what was written, roughly.
    pub(crate) fn byte_count(&self) -> usize {
        self.done_bytes + self.builder.byte_count()
    }

    /// Writes all rows of a document. `service` is the name of the segment that a subsegment belongs to, if it is known.
    pub(crate) fn write(&mut self, document: &Document<'_>, service: Option<&str>) {
        self.document_count += 1;
        self.text_bytes += document.original.len();
        if self.document_count > BATCH_DOCUMENTS_MAX || self.text_bytes > BATCH_BYTES_MAX {
            self.close();
        }
        let dataset = match document.is_subsegment {
            true => service.unwrap_or(UNKNOWN_SERVICE),
            false => &document.head.name,
        };
        let shared = Shared {
            members: &document.members,
            trace_id: document.trace_id,
            dataset,
            is_subsegment: document.is_subsegment,
            original: document.original,
        };
        self.open(&shared);
        let mut room = SUBSEGMENTS_MAX;
        self.entity(
            &shared,
            &document.members,
            &document.head,
            Place::Outermost(document.is_subsegment),
            &mut room,
        );
    }

    /// The batches, of which there are none when nothing was written.
    pub(crate) fn finish(mut self) -> Vec<EventBatch> {
        self.close();
        self.done
    }

    fn open(&mut self, shared: &Shared<'_>) {
        self.builder.begin_resource();
        // A subsegment that came alone says nothing about where its service runs.
        let about = (!shared.is_subsegment).then_some(shared.members);
        attributes::resource(&mut self.builder, about, shared.dataset);
        self.builder.begin_scope();
    }

    fn close(&mut self) {
        (self.document_count, self.text_bytes) = (0, 0);
        let next = BatchBuilder::new(Signal::Span, self.received_ns);
        if let Some(batch) = std::mem::replace(&mut self.builder, next).finish() {
            self.done_bytes += batch.byte_count();
            self.done.push(batch);
        }
    }

    fn begin_row(&mut self, shared: &Shared<'_>, time_ns: i64) {
        let row_count = self.builder.row_count();
        let is_full = row_count >= BATCH_ROWS_MAX
            || (row_count % BATCH_BYTES_CHECK_ROWS == BATCH_BYTES_CHECK_ROWS - 1
                && self.builder.byte_count() >= BATCH_BYTES_MAX);
        if is_full {
            self.close();
            self.open(shared);
        }
        self.builder.begin_row(time_ns, shared.dataset);
        self.builder.int(Fixed::Source, SOURCE_XRAY);
        self.builder.id(Fixed::TraceId, &shared.trace_id.0);
    }

    /// Writes an entity and what it encloses. The parser stops at a depth of 128, which is 63 subsegments in one another.
    fn entity(
        &mut self,
        shared: &Shared<'_>,
        members: &Members,
        head: &Head,
        place: Place,
        room: &mut usize,
    ) {
        self.begin_row(shared, head.start_ns);
        let is_segment = place == Place::Outermost(false);
        let found = links::links(members);
        self.span(shared, members, head, place, found.links.len());
        let told = exceptions::exceptions(members);
        for (ordinal, exception) in told.iter().enumerate() {
            self.exception(shared, head, exception, ordinal, is_failed(members, is_segment));
        }
        self.left_out += found.left_out;
        for (ordinal, link) in found.links.iter().enumerate() {
            self.link(shared, head, link, ordinal);
        }
        for inner in subsegments(members) {
            let Some(left) = room.checked_sub(1) else {
                self.left_out += 1;
                continue;
            };
            *room = left;
            match super::document::head(inner) {
                Ok(inner_head) => self.entity(shared, inner, &inner_head, Place::Within(head.id), room),
                Err(_) => self.left_out += 1,
            }
        }
    }

    fn span(&mut self, shared: &Shared<'_>, members: &Members, head: &Head, place: Place, link_count: usize) {
        let is_segment = place == Place::Outermost(false);
        let builder = &mut self.builder;
        builder.id(Fixed::SpanId, &head.id.0);
        let parent_id = match place {
            Place::Outermost(_) => head.parent_id,
            Place::Within(parent_id) => Some(parent_id),
        };
        if let Some(parent_id) = parent_id {
            builder.id(Fixed::ParentId, &parent_id.0);
        }
        builder.text(Fixed::Name, &head.name);
        // Both are bounded, so that the difference fits.
        builder.int(Fixed::DurationNs, head.end_ns.map_or(0, |end_ns| end_ns - head.start_ns));
        let kind = match (is_segment, text(members, "namespace")) {
            (true, _) => SPAN_KIND_SERVER,
            (false, Some("aws" | "remote")) => SPAN_KIND_CLIENT,
            (false, _) => SPAN_KIND_INTERNAL,
        };
        builder.int(Fixed::SpanKind, kind);
        if is_failed(members, is_segment) {
            builder.int(Fixed::StatusCode, STATUS_ERROR);
        }
        if matches!(place, Place::Outermost(_)) {
            builder.whole_text(Fixed::Original, shared.original);
        }
        let own = exceptions::exceptions(members);
        if !own.is_empty() {
            builder.int(Fixed::EventCount, i64::try_from(own.len()).unwrap_or(i64::MAX));
        }
        if link_count > 0 {
            builder.int(Fixed::LinkCount, i64::try_from(link_count).unwrap_or(i64::MAX));
        }
        self.left_out += attributes::own(builder, members, &head.name, is_segment);
        let named = exceptions::cause_id(members).map(|id| (id, exceptions::find(members, id)));
        if let Some((id, found)) = named {
            let message = found.and_then(|exception| text(exception, "message"));
            builder.text(Fixed::StatusMessage, message.unwrap_or(id));
        }
        if let Some(first) = own.first().copied().or_else(|| named.and_then(|(_, found)| found)) {
            for (key, value) in exceptions::told(first) {
                if let Some(value) = value {
                    builder.attribute(Origin::Derived, key, Value::Str(&value));
                }
            }
        }
    }

    fn exception(
        &mut self,
        shared: &Shared<'_>,
        head: &Head,
        exception: &Members,
        ordinal: usize,
        is_failed: bool,
    ) {
        // It ended what it happened in, or is the last that is known of it.
        let time_ns = head.end_ns.unwrap_or(head.start_ns);
        self.begin_row(shared, time_ns);
        let builder = &mut self.builder;
        builder.int(Fixed::Kind, RowKind::SpanEvent as i64);
        builder.id(Fixed::ParentId, &head.id.0);
        builder.int(Fixed::Ordinal, i64::try_from(ordinal).unwrap_or(i64::MAX));
        builder.text(Fixed::ParentName, &head.name);
        builder.text(Fixed::Name, "exception");
        builder.int(Fixed::SinceSpanStartNs, time_ns - head.start_ns);
        if is_failed {
            builder.int(Fixed::StatusCode, STATUS_ERROR);
        }
        for (key, value) in exceptions::told(exception) {
            if let Some(value) = value {
                builder.attribute(Origin::Own, key, Value::Str(&value));
            }
        }
        for (key, value) in exceptions::texts(exception) {
            builder.attribute(Origin::Own, key, Value::Str(value));
        }
        for (key, value) in exceptions::counts(exception) {
            builder.attribute(Origin::Own, key, Value::Int(value));
        }
        if exceptions::is_remote(exception) {
            builder.attribute(Origin::Own, "aws.xray.exception.remote", Value::Bool(true));
        }
    }

    /// A link, as that of an OpenTelemetry span: maps make an edge of it.
    fn link(&mut self, shared: &Shared<'_>, head: &Head, link: &links::Link<'_>, ordinal: usize) {
        self.begin_row(shared, head.start_ns);
        let builder = &mut self.builder;
        builder.int(Fixed::Kind, RowKind::SpanLink as i64);
        builder.id(Fixed::ParentId, &head.id.0);
        builder.int(Fixed::Ordinal, i64::try_from(ordinal).unwrap_or(i64::MAX));
        builder.text(Fixed::ParentName, &head.name);
        builder.id(Fixed::LinkTraceId, &link.trace_id.0);
        builder.id(Fixed::LinkSpanId, &link.span_id.0);
        self.left_out += attributes::of_link(builder, link.attributes);
    }
}

/// Where in its document an entity stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    /// Whether it is a subsegment that came alone.
    Outermost(bool),
    /// Within the entity of this id.
    Within(SpanId),
}

/// Whether the row's status is an error, as OpenTelemetry has it: what a service refused with a status of 400 to 499 is its
/// caller's failure and not its own. X-Ray's flags stay as they were sent.
fn is_failed(members: &Members, is_segment: bool) -> bool {
    let flagged = |flags: &[&str]| flags.iter().any(|flag| is_true(members, flag));
    let status = super::document::response(members).and_then(|response| int(response, "status"));
    match status {
        Some(400..=499) if is_segment => flagged(&["fault"]),
        _ => flagged(&["fault", "error", "throttle"]),
    }
}
