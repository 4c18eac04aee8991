//! Log records from the wire to rows. A record without a usable time gets the observed one, else now; one with
//! broken ids is kept without them: a log line is worth more than its link to a trace.

use tracery_columnar::{Batches, Fixed};
use tracery_model::Value;

use crate::any_value::{RawAttribute, RawValue, emit_leaves, parse_attribute, parse_value, text, write_json};
use crate::decode::{DecodeError, Decoder, RECORD_ITEMS_MAX, for_each_scope, instant};
use crate::notes::Note;
use crate::wire::{Reader, WireError};
use crate::{dataset, ids};

#[derive(Default)]
struct RawLog<'a> {
    time_ns: u64,
    observed_ns: u64,
    severity_number: i32,
    severity_text: &'a [u8],
    body: Option<RawValue<'a>>,
    dropped_attributes: u32,
    flags: u32,
    trace_id: &'a [u8],
    span_id: &'a [u8],
    event_name: &'a [u8],
}

pub(crate) fn decode(body: &[u8], decoder: &mut Decoder<'_>) -> Result<(), DecodeError> {
    let mut attributes = Vec::new();
    let header = decoder.options.dataset_header;
    for_each_scope(body, decoder, |decoder, resource, scope, mut records| {
        let dataset = dataset::of_logs(resource.service_name, header);
        let refused = decoder.refuses(dataset);
        while let Some(field) = records.next_field()? {
            if field.number != 2 {
                continue;
            }
            let log = read_log(field.bytes()?, &mut attributes)?;
            if refused {
                decoder.notes.add(Note::Dataset);
                continue;
            }
            if attributes.len() > RECORD_ITEMS_MAX {
                decoder.notes.add(Note::TooMany);
                continue;
            }
            let (Some(time_ns), Some(observed_ns)) = (instant(log.time_ns), instant(log.observed_ns)) else {
                decoder.notes.add(Note::Time);
                continue;
            };
            decoder.ensure_room(resource, scope)?;
            let sent_ns = [time_ns, observed_ns].into_iter().find(|time_ns| *time_ns != 0);
            decoder.batches.builder.begin_row(sent_ns.unwrap_or(decoder.options.received_ns), dataset);
            if time_ns == 0 {
                decoder.batches.builder.int(Fixed::TimeUnset, 1);
            }
            if observed_ns != 0 {
                decoder.batches.builder.int(Fixed::ObservedTimeNs, observed_ns);
            }
            if let Some(sample_rate) = scope.sample_rate(resource, &attributes) {
                decoder.batches.builder.int(Fixed::SampleRate, sample_rate);
            }
            write(&log, &attributes, decoder)?;
            decoder.record_count += 1;
        }
        Ok(())
    })
}

fn read_log<'a>(bytes: &'a [u8], attributes: &mut Vec<RawAttribute<'a>>) -> Result<RawLog<'a>, WireError> {
    attributes.clear();
    let mut log = RawLog::default();
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => log.time_ns = field.fixed64()?,
            2 => log.severity_number = field.int32()?,
            3 => log.severity_text = field.bytes()?,
            5 => log.body = Some(parse_value(field.bytes()?)?),
            // Too many already: the record will be rejected.
            6 if attributes.len() > RECORD_ITEMS_MAX => {}
            6 => attributes.push(parse_attribute(field.bytes()?)?),
            7 => log.dropped_attributes = field.uint32()?,
            8 => log.flags = field.fixed32()?,
            9 => log.trace_id = field.bytes()?,
            10 => log.span_id = field.bytes()?,
            11 => log.observed_ns = field.fixed64()?,
            12 => log.event_name = field.bytes()?,
            _ => {}
        }
    }
    Ok(log)
}

fn write(
    log: &RawLog<'_>,
    attributes: &[RawAttribute<'_>],
    decoder: &mut Decoder<'_>,
) -> Result<(), WireError> {
    let (trace_id, span_id) = (ids::trace_id(log.trace_id), ids::span_id(log.span_id));
    if let Some(trace_id) = trace_id {
        decoder.batches.builder.id(Fixed::TraceId, &trace_id.0);
    }
    if let Some(span_id) = span_id {
        decoder.batches.builder.id(Fixed::ParentId, &span_id.0);
    }
    let broken_trace_id = trace_id.is_none() && !ids::is_absent(log.trace_id);
    let broken_span_id = span_id.is_none() && !ids::is_absent(log.span_id);
    if broken_trace_id || broken_span_id {
        decoder.notes.add(Note::LogIds);
    }
    for (fixed, value) in [
        (Fixed::SeverityNumber, i64::from(log.severity_number)),
        (Fixed::Flags, i64::from(log.flags)),
        (Fixed::DroppedAttributes, i64::from(log.dropped_attributes)),
    ] {
        if value != 0 {
            decoder.batches.builder.int(fixed, value);
        }
    }
    for (fixed, value) in [(Fixed::SeverityText, log.severity_text), (Fixed::EventName, log.event_name)] {
        if !value.is_empty() {
            let value = text(value, &mut decoder.notes);
            decoder.batches.builder.text(fixed, &value);
        }
    }
    match log.body {
        None => {}
        Some(RawValue::Str(body)) => {
            let body = text(body, &mut decoder.notes);
            decoder.batches.builder.text(Fixed::Body, &body);
        }
        Some(body) => {
            let mut json = String::new();
            write_json(&mut json, body, 0, &mut decoder.notes)?;
            decoder.batches.builder.text(Fixed::BodyJson, &json);
        }
    }
    decoder.own_attributes(attributes)?;
    if let Some(RawValue::Map(body)) = log.body {
        let Decoder { batches: Batches { builder, .. }, scratch, .. } = decoder;
        emit_leaves("body", body, scratch, &mut |origin, key, value: Value<'_>| {
            builder.attribute(origin, key, value);
        })?;
    }
    Ok(())
}
