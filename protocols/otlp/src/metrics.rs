//! Metrics as events, the way Honeycomb has them: the data points of one request that share second, resource, scope
//! and attributes become one row, in which each metric is a field. `README.md` says what of a metric is not kept.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use tracery_columnar::Fixed;
use tracery_model::{Origin, Value};

use crate::any_value::{RawAttribute, parse_attribute, text};
use crate::dataset;
use crate::decode::{DecodeError, Decoder, RECORD_ITEMS_MAX, Resource, Scope, for_each_scope, instant};
use crate::notes::Note;
use crate::quantiles::{self, ExponentialSide, QUANTILES};
use crate::wire::{Field, Reader, WireError};

/// Bit of a data point's flags: the series has ended, the point has no value.
const NO_RECORDED_VALUE: u32 = 1;

/// Rows that are gathered before they are written; later points start rows of their own.
const EVENTS_MAX: usize = 16_384;
/// Attributes, metrics and quantiles of those rows together, for the same reason.
const EVENTS_ITEMS_MAX: usize = 1_000_000;
/// Exponential histograms with more buckets a side have no percentiles; SDKs send 160.
const EXPONENTIAL_BUCKETS_MAX: usize = 64 << 10;

/// What a data point says.
#[derive(Debug)]
enum Measure {
    None,
    Int(i64),
    Float(f64),
    Histogram(Box<Histogram>),
    Exponential(Box<Histogram>),
    Summary { count: u64, sum: f64, quantiles: Vec<(f64, f64)> },
}

/// The fields of both kinds of histogram.
#[derive(Debug, Default)]
struct Histogram {
    count: u64,
    sum: Option<f64>,
    min: Option<f64>,
    max: Option<f64>,
    counts: Vec<u64>,
    /// Bits of doubles, as they lie on the wire.
    bounds: Vec<u64>,
    scale: i32,
    zero_count: u64,
    zero_threshold: f64,
    positive: ExponentialSide,
    negative: ExponentialSide,
}

#[derive(Debug)]
struct Point<'a> {
    time_ns: u64,
    flags: u32,
    /// `KeyValue`s, unread.
    attributes: Vec<&'a [u8]>,
    measure: Measure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Histogram,
    Exponential,
    Summary,
}

/// What a metric says of all its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Nature {
    /// `gauge`, `sum`, `histogram`, `exponential_histogram`, `summary`.
    kind: &'static str,
    /// `delta` or `cumulative`; empty for kinds that have none, and where nothing was said.
    temporality: &'static str,
    is_monotonic: bool,
}

/// A row in the making.
struct Event<'a> {
    time_ns: i64,
    time_unset: bool,
    attributes: Vec<&'a [u8]>,
    fields: Vec<(usize, Nature, Measure)>,
}

/// Rows of one scope, with the names they use.
#[derive(Default)]
struct Events<'a> {
    events: Vec<Event<'a>>,
    /// Second and attributes → the newest event that has them.
    by_key: HashMap<(i64, Vec<&'a [u8]>), usize, ahash::RandomState>,
    /// (event, metric name) that is taken: a second point of one series starts another event.
    taken: HashSet<(usize, usize), ahash::RandomState>,
    names: Vec<Cow<'a, str>>,
    by_name: HashMap<&'a [u8], usize, ahash::RandomState>,
    /// What counts for [`EVENTS_ITEMS_MAX`].
    item_count: usize,
}

pub(crate) fn decode(body: &[u8], decoder: &mut Decoder<'_>) -> Result<(), DecodeError> {
    let header = decoder.options.dataset_header;
    for_each_scope(body, decoder, |decoder, resource, scope, mut metrics| {
        let dataset = dataset::of_metrics(resource.service_name, header);
        let mut events = Events::default();
        while let Some(field) = metrics.next_field()? {
            if field.number == 2 {
                read_metric(field.bytes()?, &mut events, decoder, &mut |events, decoder| {
                    write(events, dataset, resource, scope, decoder)
                })?;
            }
        }
        write(&mut events, dataset, resource, scope, decoder)
    })
}

/// Adds the points of a metric to `events`, which `flush` empties when they are many.
fn read_metric<'a>(
    bytes: &'a [u8],
    events: &mut Events<'a>,
    decoder: &mut Decoder<'_>,
    flush: &mut impl FnMut(&mut Events<'a>, &mut Decoder<'_>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut name: &[u8] = &[];
    let mut has_data = false;
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => name = field.bytes()?,
            number => has_data |= data_kind(number).is_some(),
        }
    }
    if !has_data {
        decoder.notes.add(Note::MetricKind);
        return Ok(());
    }
    // The name may stand behind the points.
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        let Some(kind) = data_kind(field.number) else { continue };
        let nature = read_nature(field.number, field.bytes()?)?;
        let mut points = Reader::new(field.bytes()?);
        while let Some(field) = points.next_field()? {
            if field.number != 1 {
                continue;
            }
            let point = read_point(kind, field.bytes()?)?;
            if name.is_empty() {
                decoder.notes.add(Note::MetricName);
                continue;
            }
            if events.events.len() >= EVENTS_MAX || events.item_count >= EVENTS_ITEMS_MAX {
                flush(events, decoder)?;
            }
            let name_idx = events.name_idx(name, decoder);
            add_point(point, (name_idx, nature), events, decoder);
        }
    }
    Ok(())
}

/// The kind of the points in this field of a metric.
fn data_kind(field_number: u32) -> Option<Kind> {
    match field_number {
        5 | 7 => Some(Kind::Number),
        9 => Some(Kind::Histogram),
        10 => Some(Kind::Exponential),
        11 => Some(Kind::Summary),
        _ => None,
    }
}

/// What stands beside the points, before or behind them.
fn read_nature(field_number: u32, data: &[u8]) -> Result<Nature, WireError> {
    let kind = match field_number {
        5 => "gauge",
        7 => "sum",
        9 => "histogram",
        10 => "exponential_histogram",
        _ => "summary",
    };
    let mut nature = Nature { kind, temporality: "", is_monotonic: false };
    if !matches!(field_number, 7 | 9 | 10) {
        return Ok(nature);
    }
    let mut reader = Reader::new(data);
    while let Some(field) = reader.next_field()? {
        match field.number {
            2 => {
                nature.temporality = match field.uint32()? {
                    1 => "delta",
                    2 => "cumulative",
                    _ => "",
                };
            }
            3 if field_number == 7 => nature.is_monotonic = field.uint32()? != 0,
            _ => {}
        }
    }
    Ok(nature)
}

impl<'a> Events<'a> {
    fn name_idx(&mut self, name: &'a [u8], decoder: &mut Decoder<'_>) -> usize {
        *self.by_name.entry(name).or_insert_with(|| {
            self.names.push(text(name, &mut decoder.notes));
            self.names.len() - 1
        })
    }
}

fn add_point<'a>(
    mut point: Point<'a>,
    (name_idx, nature): (usize, Nature),
    events: &mut Events<'a>,
    decoder: &mut Decoder<'_>,
) {
    if point.flags & NO_RECORDED_VALUE != 0 {
        decoder.notes.add(Note::NoRecordedValue);
        return;
    }
    let quantile_count =
        if let Measure::Summary { quantiles, .. } = &point.measure { quantiles.len() } else { 0 };
    let item_count = point.attributes.len() + quantile_count;
    if item_count > RECORD_ITEMS_MAX {
        decoder.notes.add(Note::TooMany);
        return;
    }
    if matches!(point.measure, Measure::None) {
        decoder.notes.add(Note::NoValue);
        return;
    }
    let Some(sent_ns) = instant(point.time_ns) else {
        decoder.notes.add(Note::Time);
        return;
    };
    let time_unset = sent_ns == 0;
    let time_ns = if time_unset { decoder.options.received_ns } else { sent_ns };
    // Equal sets of attributes have equal bytes once they are in one order.
    point.attributes.sort_unstable();
    let newest = events.events.len();
    let event_idx = *events
        .by_key
        .entry((time_ns.div_euclid(1_000_000_000), point.attributes.clone()))
        .and_modify(|event_idx| {
            let is_full = events.events[*event_idx].fields.len() >= RECORD_ITEMS_MAX;
            if is_full || events.taken.contains(&(*event_idx, name_idx)) {
                *event_idx = newest;
            }
        })
        .or_insert(newest);
    if event_idx == newest {
        events.events.push(Event { time_ns, time_unset, attributes: point.attributes, fields: Vec::new() });
    }
    events.item_count += item_count + 1;
    events.taken.insert((event_idx, name_idx));
    events.events[event_idx].fields.push((name_idx, nature, point.measure));
    decoder.record_count += 1;
}

fn read_point(kind: Kind, bytes: &[u8]) -> Result<Point<'_>, WireError> {
    let mut point = Point { time_ns: 0, flags: 0, attributes: Vec::new(), measure: Measure::None };
    let mut histogram = Histogram::default();
    let (mut sum, mut quantiles) = (0.0, Vec::new());
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        // Too many already: the point will be rejected.
        let is_too_long = point.attributes.len() + quantiles.len() > RECORD_ITEMS_MAX;
        match (kind, field.number) {
            (_, 3) => point.time_ns = field.fixed64()?,
            (Kind::Number, 4) => point.measure = Measure::Float(field.double()?),
            #[expect(clippy::cast_possible_wrap, reason = "sfixed64 is two's complement")]
            (Kind::Number, 6) => point.measure = Measure::Int(field.fixed64()? as i64),
            (Kind::Exponential, 1) | (Kind::Number | Kind::Summary, 7) | (Kind::Histogram, 9) => {
                if !is_too_long {
                    point.attributes.push(field.bytes()?);
                }
            }
            (Kind::Number | Kind::Summary, 8) | (Kind::Histogram | Kind::Exponential, 10) => {
                point.flags = field.uint32()?;
            }
            (Kind::Number, _) => {}
            (_, 4) => histogram.count = field.fixed64()?,
            (Kind::Summary, 5) => sum = field.double()?,
            (Kind::Summary, 6) if is_too_long => {}
            (Kind::Summary, 6) => quantiles.push(read_quantile(field.bytes()?)?),
            (Kind::Summary, _) => {}
            (_, 5) => histogram.sum = Some(field.double()?),
            (Kind::Histogram, 6) => field.fixed64_list(&mut histogram.counts)?,
            (Kind::Histogram, 7) => field.fixed64_list(&mut histogram.bounds)?,
            (Kind::Histogram, 11) | (Kind::Exponential, 12) => histogram.min = Some(field.double()?),
            (Kind::Histogram, 12) | (Kind::Exponential, 13) => histogram.max = Some(field.double()?),
            (Kind::Exponential, 6) => histogram.scale = field.sint32()?,
            (Kind::Exponential, 7) => histogram.zero_count = field.fixed64()?,
            (Kind::Exponential, 8) => histogram.positive = read_side(&field)?,
            (Kind::Exponential, 9) => histogram.negative = read_side(&field)?,
            (Kind::Exponential, 14) => histogram.zero_threshold = field.double()?,
            _ => {}
        }
    }
    match kind {
        Kind::Number => {}
        Kind::Histogram => point.measure = Measure::Histogram(Box::new(histogram)),
        Kind::Exponential => point.measure = Measure::Exponential(Box::new(histogram)),
        Kind::Summary => point.measure = Measure::Summary { count: histogram.count, sum, quantiles },
    }
    Ok(point)
}

fn read_side(field: &Field<'_>) -> Result<ExponentialSide, WireError> {
    let mut side = ExponentialSide::default();
    let mut reader = Reader::new(field.bytes()?);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => side.offset = field.sint32()?,
            2 if side.counts.len() > EXPONENTIAL_BUCKETS_MAX
                || field.bytes().is_ok_and(|bytes| bytes.len() > EXPONENTIAL_BUCKETS_MAX) =>
            {
                side.is_cut = true;
            }
            2 => field.varint_list(&mut side.counts)?,
            _ => {}
        }
    }
    Ok(side)
}

fn read_quantile(bytes: &[u8]) -> Result<(f64, f64), WireError> {
    let (mut quantile, mut value) = (0.0, 0.0);
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => quantile = field.double()?,
            2 => value = field.double()?,
            _ => {}
        }
    }
    Ok((quantile, value))
}

fn write<'a>(
    events: &mut Events<'a>,
    dataset: &str,
    resource: &Resource<'a>,
    scope: &Scope<'a>,
    decoder: &mut Decoder<'_>,
) -> Result<(), DecodeError> {
    let mut attributes: Vec<RawAttribute<'a>> = Vec::new();
    let (mut field, mut natures) = (String::new(), String::new());
    events.by_key.clear();
    events.taken.clear();
    events.item_count = 0;
    if decoder.refuses(dataset) {
        let points = events.events.drain(..).map(|event| event.fields.len()).sum();
        decoder.notes.add_many(Note::Dataset, points);
        decoder.record_count -= points;
        return Ok(());
    }
    let shared = series_hash(SERIES_HASH_SEED, [resource.bytes, scope.name]);
    for event in events.events.drain(..) {
        attributes.clear();
        for attribute in &event.attributes {
            attributes.push(parse_attribute(attribute)?);
        }
        decoder.ensure_room(resource, scope)?;
        decoder.batches.builder.begin_row(event.time_ns, dataset);
        if event.time_unset {
            decoder.batches.builder.int(Fixed::TimeUnset, 1);
        }
        // Metrics come first: a point attribute of the same name must not take their place.
        natures.clear();
        for (name_idx, nature, measure) in &event.fields {
            field.clear();
            field.push_str(&events.names[*name_idx]);
            note_nature(&field, *nature, &mut natures);
            write_measure(measure, &mut field, decoder);
        }
        decoder.own_attributes(&attributes)?;
        let series = series_hash(shared, event.attributes.iter().copied());
        decoder.batches.builder.attribute(
            Origin::Derived,
            "meta.series",
            Value::Str(&format!("{series:016x}")),
        );
        decoder.batches.builder.attribute(Origin::Derived, "meta.metric_kinds", Value::Str(&natures));
    }
    Ok(())
}

/// Bytes of `meta.metric_kinds`: a row of more metrics says it of the first ones.
const NATURES_BYTES_MAX: usize = 32 << 10;

/// Adds a word such as `requests:sum:cumulative:monotonic`; words are parted by commas, and begin and end with one, so that
/// each can be searched for.
fn note_nature(name: &str, nature: Nature, natures: &mut String) {
    if natures.len() + name.len() > NATURES_BYTES_MAX {
        return;
    }
    if natures.is_empty() {
        natures.push(',');
    }
    natures.push_str(name);
    let is_monotonic = if nature.is_monotonic { "monotonic" } else { "" };
    for part in [nature.kind, nature.temporality, is_monotonic].into_iter().filter(|part| !part.is_empty()) {
        natures.push(':');
        natures.push_str(part);
    }
    natures.push(',');
}

/// The start of the FNV-1a hash, which is the same in every process, as the name of a series has to be.
const SERIES_HASH_SEED: u64 = 0xcbf2_9ce4_8422_2325;

/// Tells data points of one resource, scope and set of attributes from all others.
fn series_hash<'a>(seed: u64, texts: impl IntoIterator<Item = &'a [u8]>) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    texts.into_iter().fold(seed, |hash, text| {
        // The length keeps neighbours apart.
        text.len().to_le_bytes().iter().chain(text).fold(hash, |hash, byte| step(hash, *byte))
    })
}

fn write_measure(measure: &Measure, field: &mut String, decoder: &mut Decoder<'_>) {
    match measure {
        Measure::None => {}
        Measure::Int(value) => decoder.batches.builder.attribute(Origin::Own, field, Value::Int(*value)),
        Measure::Float(value) => decoder.batches.builder.attribute(Origin::Own, field, Value::Float(*value)),
        Measure::Histogram(histogram) => {
            let bounds: Vec<f64> = histogram.bounds.iter().map(|bits| f64::from_bits(*bits)).collect();
            let buckets = quantiles::explicit(&bounds, &histogram.counts, histogram.min, histogram.max);
            // A histogram may come without buckets; with some, they have to match.
            if buckets.is_none() && !(bounds.is_empty() && histogram.counts.is_empty()) {
                decoder.notes.add(Note::Quantiles);
            }
            write_histogram(histogram, &buckets.unwrap_or_default(), field, decoder);
        }
        Measure::Exponential(histogram) => {
            let Histogram { scale, zero_count, zero_threshold, positive, negative, .. } = &**histogram;
            let buckets = if positive.is_cut || negative.is_cut {
                decoder.notes.add(Note::Quantiles);
                Vec::new()
            } else {
                quantiles::exponential(*scale, *zero_count, *zero_threshold, positive, negative)
            };
            write_histogram(histogram, &buckets, field, decoder);
        }
        Measure::Summary { count, sum, quantiles } => {
            write_count_and_sum(*count, Some(*sum), field, decoder);
            for (quantile, value) in quantiles {
                write_part(&quantile_suffix(*quantile), Value::Float(*value), field, decoder);
            }
        }
    }
}

fn write_histogram(
    histogram: &Histogram,
    buckets: &[quantiles::Bucket],
    field: &mut String,
    decoder: &mut Decoder<'_>,
) {
    write_count_and_sum(histogram.count, histogram.sum, field, decoder);
    for (suffix, value) in [("min", histogram.min), ("max", histogram.max)] {
        if let Some(value) = value {
            write_part(suffix, Value::Float(value), field, decoder);
        }
    }
    if let Some(values) = quantiles::interpolate(buckets, histogram.min, histogram.max) {
        for ((suffix, _), value) in QUANTILES.iter().zip(values) {
            write_part(suffix, Value::Float(value), field, decoder);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "an average of more than 2^53 values")]
fn write_count_and_sum(count: u64, sum: Option<f64>, field: &mut String, decoder: &mut Decoder<'_>) {
    write_part("count", Value::Int(i64::try_from(count).unwrap_or(i64::MAX)), field, decoder);
    if let Some(sum) = sum {
        write_part("sum", Value::Float(sum), field, decoder);
        if count > 0 {
            write_part("avg", Value::Float(sum / count as f64), field, decoder);
        }
    }
}

/// Writes the field `<metric>.<suffix>`.
fn write_part(suffix: &str, value: Value<'_>, field: &mut String, decoder: &mut Decoder<'_>) {
    let metric_len = field.len();
    field.push('.');
    field.push_str(suffix);
    decoder.batches.builder.attribute(Origin::Own, field, value);
    field.truncate(metric_len);
}

/// `p99` for 0.99, `p999` for 0.999, `p05` for 0.05; the outermost are `min` and `max`.
fn quantile_suffix(quantile: f64) -> String {
    if quantile <= 0.0 {
        return "min".to_owned();
    }
    if quantile >= 1.0 {
        return "max".to_owned();
    }
    let digits = format!("{quantile:.6}");
    let digits = digits.trim_start_matches("0.").trim_end_matches('0');
    format!("p{digits:0<2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_named_like_percentiles() {
        for (quantile, suffix) in [
            (0.0, "min"),
            (0.05, "p05"),
            (0.5, "p50"),
            (0.99, "p99"),
            (0.999, "p999"),
            (1.0, "max"),
            (f64::NAN, "pNaN"),
        ] {
            assert_eq!(quantile_suffix(quantile), suffix);
        }
    }
}
