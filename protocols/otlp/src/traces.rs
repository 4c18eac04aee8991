//! Spans from the wire to rows: one row for the span, one for each of its events, one for each of its links. A span
//! is read completely before its first row begins, so that a span that cannot be kept leaves nothing behind.

use std::ops::Range;

use tracery_columnar::Fixed;
use tracery_model::{Origin, RowKind, SpanId, TraceId};

use crate::any_value::{RawAttribute, parse_attribute, text};
use crate::decode::{DecodeError, Decoder, RECORD_ITEMS_MAX, Resource, Scope, for_each_scope, instant};
use crate::notes::Note;
use crate::wire::{Reader, WireError};
use crate::{dataset, ids, sample_rate};

/// What the first `exception` event tells is found on the span, too.
const EXCEPTION_KEYS: [&[u8]; 4] =
    [b"exception.message", b"exception.type", b"exception.stacktrace", b"exception.escaped"];

/// A span's own fields.
#[derive(Default)]
struct RawSpan<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    parent_id: &'a [u8],
    trace_state: &'a [u8],
    name: &'a [u8],
    kind: i32,
    start_ns: u64,
    end_ns: u64,
    flags: u32,
    status_code: i32,
    status_message: &'a [u8],
    dropped_attributes: u32,
    dropped_events: u32,
    dropped_links: u32,
}

struct RawEvent<'a> {
    time_ns: u64,
    name: &'a [u8],
    attributes: Range<usize>,
    dropped_attributes: u32,
}

struct RawLink<'a> {
    trace_id: &'a [u8],
    span_id: &'a [u8],
    trace_state: &'a [u8],
    flags: u32,
    attributes: Range<usize>,
    dropped_attributes: u32,
}

/// The lists of one span, in room that is used again for the next.
#[derive(Default)]
struct Lists<'a> {
    attributes: Vec<RawAttribute<'a>>,
    events: Vec<RawEvent<'a>>,
    links: Vec<RawLink<'a>>,
    /// Attributes of events and links.
    nested: Vec<RawAttribute<'a>>,
}

impl Lists<'_> {
    fn are_too_long(&self) -> bool {
        self.attributes.len() + self.events.len() + self.links.len() + self.nested.len() > RECORD_ITEMS_MAX
    }
}

/// A span whose ids and times were checked.
struct Span<'a> {
    raw: RawSpan<'a>,
    trace_id: TraceId,
    span_id: SpanId,
    parent_id: Option<SpanId>,
    start_ns: i64,
    duration_ns: i64,
    sample_rate: i64,
}

pub(crate) fn decode(body: &[u8], decoder: &mut Decoder<'_>) -> Result<(), DecodeError> {
    let mut lists = Lists::default();
    for_each_scope(body, decoder, |decoder, resource, scope, mut records| {
        let dataset = dataset::of_traces(resource.service_name);
        let refused = decoder.refuses(dataset);
        while let Some(field) = records.next_field()? {
            if field.number == 2 {
                let raw = read_span(field.bytes()?, &mut lists)?;
                match check(raw, &lists, resource, scope) {
                    Ok(_) if refused => decoder.notes.add(Note::Dataset),
                    Ok(span) => {
                        decoder.ensure_room(resource, scope)?;
                        let name = text(span.raw.name, &mut decoder.notes);
                        write(&span, &lists, &name, dataset, decoder)?;
                        for (ordinal, event) in lists.events.iter().enumerate() {
                            decoder.ensure_room(resource, scope)?;
                            write_event(&span, event, ordinal, &lists, &name, dataset, decoder)?;
                        }
                        for (ordinal, link) in lists.links.iter().enumerate() {
                            decoder.ensure_room(resource, scope)?;
                            write_link(&span, link, ordinal, &lists, &name, dataset, decoder)?;
                        }
                        decoder.record_count += 1;
                    }
                    Err(note) => decoder.notes.add(note),
                }
            }
        }
        Ok(())
    })
}

fn read_span<'a>(bytes: &'a [u8], lists: &mut Lists<'a>) -> Result<RawSpan<'a>, WireError> {
    lists.attributes.clear();
    lists.events.clear();
    lists.links.clear();
    lists.nested.clear();
    let mut span = RawSpan::default();
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => span.trace_id = field.bytes()?,
            2 => span.span_id = field.bytes()?,
            3 => span.trace_state = field.bytes()?,
            4 => span.parent_id = field.bytes()?,
            5 => span.name = field.bytes()?,
            6 => span.kind = field.int32()?,
            7 => span.start_ns = field.fixed64()?,
            8 => span.end_ns = field.fixed64()?,
            // Too many already: the span will be rejected.
            9 | 11 | 13 if lists.are_too_long() => {}
            9 => lists.attributes.push(parse_attribute(field.bytes()?)?),
            10 => span.dropped_attributes = field.uint32()?,
            11 => lists.events.push(read_event(field.bytes()?, &mut lists.nested)?),
            12 => span.dropped_events = field.uint32()?,
            13 => lists.links.push(read_link(field.bytes()?, &mut lists.nested)?),
            14 => span.dropped_links = field.uint32()?,
            15 => read_status(field.bytes()?, &mut span)?,
            16 => span.flags = field.fixed32()?,
            _ => {}
        }
    }
    Ok(span)
}

fn read_status<'a>(bytes: &'a [u8], span: &mut RawSpan<'a>) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            2 => span.status_message = field.bytes()?,
            3 => span.status_code = field.int32()?,
            _ => {}
        }
    }
    Ok(())
}

fn read_event<'a>(bytes: &'a [u8], nested: &mut Vec<RawAttribute<'a>>) -> Result<RawEvent<'a>, WireError> {
    let start = nested.len();
    let mut event = RawEvent { time_ns: 0, name: &[], attributes: 0..0, dropped_attributes: 0 };
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => event.time_ns = field.fixed64()?,
            2 => event.name = field.bytes()?,
            3 if nested.len() > RECORD_ITEMS_MAX => {}
            3 => nested.push(parse_attribute(field.bytes()?)?),
            4 => event.dropped_attributes = field.uint32()?,
            _ => {}
        }
    }
    event.attributes = start..nested.len();
    Ok(event)
}

fn read_link<'a>(bytes: &'a [u8], nested: &mut Vec<RawAttribute<'a>>) -> Result<RawLink<'a>, WireError> {
    let start = nested.len();
    let mut link = RawLink {
        trace_id: &[],
        span_id: &[],
        trace_state: &[],
        flags: 0,
        attributes: 0..0,
        dropped_attributes: 0,
    };
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => link.trace_id = field.bytes()?,
            2 => link.span_id = field.bytes()?,
            3 => link.trace_state = field.bytes()?,
            4 if nested.len() > RECORD_ITEMS_MAX => {}
            4 => nested.push(parse_attribute(field.bytes()?)?),
            5 => link.dropped_attributes = field.uint32()?,
            6 => link.flags = field.fixed32()?,
            _ => {}
        }
    }
    link.attributes = start..nested.len();
    Ok(link)
}

fn check<'a>(
    raw: RawSpan<'a>,
    lists: &Lists<'a>,
    resource: &Resource<'a>,
    scope: &Scope<'a>,
) -> Result<Span<'a>, Note> {
    if lists.are_too_long() {
        return Err(Note::TooMany);
    }
    let trace_id = ids::trace_id(raw.trace_id).ok_or(Note::TraceId)?;
    let span_id = ids::span_id(raw.span_id).ok_or(Note::SpanId)?;
    let parent_id = if ids::is_absent(raw.parent_id) {
        None
    } else {
        Some(ids::span_id(raw.parent_id).ok_or(Note::ParentSpanId)?)
    };
    let start_ns = instant(raw.start_ns).ok_or(Note::Time)?;
    let end_ns = instant(raw.end_ns).ok_or(Note::Time)?;
    let sample_rate = scope
        .sample_rate(resource, &lists.attributes)
        .or_else(|| sample_rate::from_trace_state(raw.trace_state, u64::from_le_bytes(span_id.0)))
        .unwrap_or(1);
    // Both are positive, so that the difference fits.
    Ok(Span { raw, trace_id, span_id, parent_id, start_ns, duration_ns: end_ns - start_ns, sample_rate })
}

fn write(
    span: &Span<'_>,
    lists: &Lists<'_>,
    name: &str,
    dataset: &str,
    decoder: &mut Decoder<'_>,
) -> Result<(), WireError> {
    let raw = &span.raw;
    decoder.batches.builder.begin_row(span.start_ns, dataset);
    decoder.batches.builder.id(Fixed::TraceId, &span.trace_id.0);
    decoder.batches.builder.id(Fixed::SpanId, &span.span_id.0);
    if let Some(parent_id) = span.parent_id {
        decoder.batches.builder.id(Fixed::ParentId, &parent_id.0);
    }
    decoder.batches.builder.int(Fixed::DurationNs, span.duration_ns);
    if !name.is_empty() {
        decoder.batches.builder.text(Fixed::Name, name);
    }
    set_text(decoder, Fixed::StatusMessage, raw.status_message);
    set_text(decoder, Fixed::TraceState, raw.trace_state);
    set_int(decoder, Fixed::StatusCode, i64::from(raw.status_code));
    set_int(decoder, Fixed::SpanKind, i64::from(raw.kind));
    set_int(decoder, Fixed::Flags, i64::from(raw.flags));
    set_int(decoder, Fixed::DroppedAttributes, i64::from(raw.dropped_attributes));
    set_int(decoder, Fixed::DroppedEvents, i64::from(raw.dropped_events));
    set_int(decoder, Fixed::DroppedLinks, i64::from(raw.dropped_links));
    set_int(decoder, Fixed::EventCount, count(lists.events.len()));
    set_int(decoder, Fixed::LinkCount, count(lists.links.len()));
    decoder.batches.builder.int(Fixed::SampleRate, span.sample_rate);
    decoder.own_attributes(&lists.attributes)?;
    if let Some(exception) = lists.events.iter().find(|event| event.name == b"exception") {
        write_exception(&lists.nested[exception.attributes.clone()], &lists.attributes, decoder)?;
    }
    Ok(())
}

fn write_exception(
    exception: &[RawAttribute<'_>],
    own: &[RawAttribute<'_>],
    decoder: &mut Decoder<'_>,
) -> Result<(), WireError> {
    // The texts are noted where they stand, on the event.
    let notes = decoder.notes;
    for attribute in exception {
        if EXCEPTION_KEYS.contains(&attribute.key) && own.iter().all(|own| own.key != attribute.key) {
            decoder.attribute(Origin::Derived, attribute)?;
        }
    }
    decoder.notes = notes;
    Ok(())
}

fn write_event(
    span: &Span<'_>,
    event: &RawEvent<'_>,
    ordinal: usize,
    lists: &Lists<'_>,
    span_name: &str,
    dataset: &str,
    decoder: &mut Decoder<'_>,
) -> Result<(), WireError> {
    let Some(time_ns) = instant(event.time_ns) else {
        decoder.notes.add(Note::EventTime);
        return Ok(());
    };
    decoder.batches.builder.begin_row(time_ns, dataset);
    begin_nested(span, RowKind::SpanEvent, ordinal, span_name, decoder);
    set_text(decoder, Fixed::Name, event.name);
    // So that `error` is true on the events of a failed span.
    set_int(decoder, Fixed::StatusCode, i64::from(span.raw.status_code));
    decoder.batches.builder.int(Fixed::SinceSpanStartNs, time_ns - span.start_ns);
    set_int(decoder, Fixed::DroppedAttributes, i64::from(event.dropped_attributes));
    decoder.own_attributes(&lists.nested[event.attributes.clone()])
}

fn write_link(
    span: &Span<'_>,
    link: &RawLink<'_>,
    ordinal: usize,
    lists: &Lists<'_>,
    span_name: &str,
    dataset: &str,
    decoder: &mut Decoder<'_>,
) -> Result<(), WireError> {
    decoder.batches.builder.begin_row(span.start_ns, dataset);
    begin_nested(span, RowKind::SpanLink, ordinal, span_name, decoder);
    let (trace_id, span_id) = (ids::trace_id(link.trace_id), ids::span_id(link.span_id));
    if trace_id.is_none() || span_id.is_none() {
        decoder.notes.add(Note::LinkId);
    }
    if let Some(trace_id) = trace_id {
        decoder.batches.builder.id(Fixed::LinkTraceId, &trace_id.0);
    }
    if let Some(span_id) = span_id {
        decoder.batches.builder.id(Fixed::LinkSpanId, &span_id.0);
    }
    set_text(decoder, Fixed::TraceState, link.trace_state);
    set_int(decoder, Fixed::Flags, i64::from(link.flags));
    set_int(decoder, Fixed::DroppedAttributes, i64::from(link.dropped_attributes));
    decoder.own_attributes(&lists.nested[link.attributes.clone()])
}

/// What the rows of events and links have in common.
fn begin_nested(span: &Span<'_>, kind: RowKind, ordinal: usize, span_name: &str, decoder: &mut Decoder<'_>) {
    let builder = &mut decoder.batches.builder;
    builder.int(Fixed::Kind, kind as i64);
    builder.id(Fixed::TraceId, &span.trace_id.0);
    builder.id(Fixed::ParentId, &span.span_id.0);
    builder.int(Fixed::SampleRate, span.sample_rate);
    builder.int(Fixed::Ordinal, count(ordinal));
    if !span_name.is_empty() {
        builder.text(Fixed::ParentName, span_name);
    }
}

#[inline]
fn set_text(decoder: &mut Decoder<'_>, fixed: Fixed, value: &[u8]) {
    if !value.is_empty() {
        let value = text(value, &mut decoder.notes);
        decoder.batches.builder.text(fixed, &value);
    }
}

/// Zero is the default of every column this is called for.
#[inline]
fn set_int(decoder: &mut Decoder<'_>, fixed: Fixed, value: i64) {
    if value != 0 {
        decoder.batches.builder.int(fixed, value);
    }
}

fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
