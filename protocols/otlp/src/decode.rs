//! One request body to batches of columns: the entry of the three decoders, and what they share. A body either
//! decodes as a whole or not at all; single records that cannot be kept are counted in [`Notes`] and left out.

use thiserror::Error;
use tracery_columnar::{Batches, EventBatch};
use tracery_intake::{Busy, KnownDatasets};
use tracery_model::{Origin, Signal, Value};

use crate::any_value::{RawAttribute, RawValue, Scratch, emit_attribute, parse_attribute, text};
use crate::json::{self, JsonError};
use crate::notes::{Note, Notes};
use crate::wire::{Reader, WireError};
use crate::{logs, metrics, sample_rate, traces};

/// Resources of one batch: each may be a dataset of its own, and a batch looks for its datasets one by one.
const BATCH_RESOURCES_MAX: usize = 1_000;
/// Attributes, events and links a record may have. They are listed before the record is written, in more room than
/// they take on the wire.
pub(crate) const RECORD_ITEMS_MAX: usize = 100_000;
/// Attributes a resource or a scope may have: they are written to every record.
const SHARED_ATTRIBUTES_MAX: usize = 10_000;
/// A JSON text takes many times its size when it is read; protobuf is walked in place.
const JSON_BYTES_MAX: usize = 32 << 20;

/// The two forms of OTLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Protobuf,
    Json,
}

/// What a decoder has to know besides the body.
#[derive(Debug, Clone, Copy)]
pub struct DecodeOptions<'a> {
    /// `Span`, `Log` or `Metric`.
    pub signal: Signal,
    pub format: Format,
    /// The `x-honeycomb-dataset` header.
    pub dataset_header: Option<&'a str>,
    /// The only datasets whose records are kept; `None` keeps all.
    pub datasets: Option<&'a KnownDatasets>,
    /// Now, in nanoseconds since the Unix epoch.
    pub received_ns: i64,
    /// Columns of one request may take this much memory. Sparse attributes take more room in columns than on the
    /// wire, so that a bound on the body alone would not hold.
    pub column_bytes_max: usize,
}

/// A decoded body.
#[derive(Debug)]
pub struct Decoded {
    pub batches: Vec<EventBatch>,
    /// Spans, log records or data points that were kept. Rows can be more (span events) or fewer (metrics).
    pub record_count: usize,
    pub notes: Notes,
}

#[derive(Debug, Error)]
pub enum DecodeError {
    #[error("body is not an OTLP request: {0}")]
    Wire(#[from] WireError),
    #[error("body is not an OTLP request in JSON: {0}")]
    Json(#[from] JsonError),
    #[error("records of the request take more than {max} bytes of memory; send fewer at a time")]
    TooLarge { max: usize },
    #[error("body in JSON is larger than {max} bytes; send less at a time, or protobuf")]
    JsonTooLarge { max: usize },
    #[error(transparent)]
    Busy(#[from] Busy),
}

/// Decodes the body of an export request. `admit` is told of the memory of each batch, and ends the work by an error.
pub fn decode(
    options: &DecodeOptions<'_>,
    body: &[u8],
    admit: &mut dyn FnMut(usize) -> Result<(), Busy>,
) -> Result<Decoded, DecodeError> {
    let transcoded;
    let body = match options.format {
        Format::Protobuf => body,
        Format::Json if body.len() > JSON_BYTES_MAX => {
            return Err(DecodeError::JsonTooLarge { max: JSON_BYTES_MAX });
        }
        Format::Json => {
            transcoded = json::to_protobuf(options.signal, body)?;
            &transcoded
        }
    };
    let mut decoder = Decoder {
        options,
        batches: Batches::new(options.signal, options.received_ns),
        admit,
        resource_count: 0,
        shared_bytes: 0,
        shared_bytes_of_rows: 0,
        record_count: 0,
        notes: Notes::default(),
        scratch: Scratch::default(),
    };
    match options.signal {
        Signal::Log => logs::decode(body, &mut decoder)?,
        Signal::Metric => metrics::decode(body, &mut decoder)?,
        Signal::Span | Signal::Error => traces::decode(body, &mut decoder)?,
    }
    decoder.finish()
}

/// The state of decoding one body.
pub(crate) struct Decoder<'o> {
    pub options: &'o DecodeOptions<'o>,
    pub batches: Batches,
    pub record_count: usize,
    pub notes: Notes,
    pub scratch: Scratch,
    admit: &'o mut dyn FnMut(usize) -> Result<(), Busy>,
    /// Resources of the batch.
    resource_count: usize,
    /// What a row gets from its resource, and all rows of the batch together, at most.
    shared_bytes: usize,
    shared_bytes_of_rows: usize,
}

/// A resource and the schema of what it holds.
#[derive(Debug, Default)]
pub(crate) struct Resource<'a> {
    pub attributes: Vec<RawAttribute<'a>>,
    dropped_attributes: u32,
    schema_url: &'a [u8],
    pub service_name: Option<&'a str>,
    /// As it came, for a hash of it.
    pub bytes: &'a [u8],
    sample_rate: Option<i64>,
    byte_count: usize,
    attributes_left_out: bool,
}

/// An instrumentation scope and the schema of what it holds.
#[derive(Debug, Default)]
pub(crate) struct Scope<'a> {
    attributes: Vec<RawAttribute<'a>>,
    dropped_attributes: u32,
    schema_url: &'a [u8],
    pub name: &'a [u8],
    version: &'a [u8],
    sample_rate: Option<i64>,
    byte_count: usize,
    attributes_left_out: bool,
}

impl<'a> Scope<'a> {
    /// The sample rate of a record with these attributes: its own, else its scope's, else its resource's.
    pub(crate) fn sample_rate(&self, resource: &Resource<'a>, own: &[RawAttribute<'a>]) -> Option<i64> {
        sample_rate::from_attributes(own).or(self.sample_rate).or(resource.sample_rate)
    }
}

/// `ResourceSpans`, `ScopeLogs` and the rest all have one layout: 1 what it is, 2 what it holds, 3 the schema URL.
struct Layer<'a> {
    head: &'a [u8],
    schema_url: &'a [u8],
}

fn read_layer(bytes: &[u8]) -> Result<Layer<'_>, WireError> {
    let mut layer = Layer { head: &[], schema_url: &[] };
    let mut reader = Reader::new(bytes);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => layer.head = field.bytes()?,
            3 => layer.schema_url = field.bytes()?,
            _ => {}
        }
    }
    Ok(layer)
}

fn read_resource<'a>(layer: &Layer<'a>) -> Result<Resource<'a>, WireError> {
    let byte_count = layer.head.len() + layer.schema_url.len();
    let mut resource =
        Resource { schema_url: layer.schema_url, bytes: layer.head, byte_count, ..Resource::default() };
    let mut reader = Reader::new(layer.head);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 if resource.attributes.len() >= SHARED_ATTRIBUTES_MAX => resource.attributes_left_out = true,
            1 => resource.attributes.push(parse_attribute(field.bytes()?)?),
            2 => resource.dropped_attributes = field.uint32()?,
            _ => {}
        }
    }
    resource.service_name = resource.attributes.iter().find_map(|attribute| match attribute.value {
        RawValue::Str(name) if attribute.key == b"service.name" => std::str::from_utf8(name).ok(),
        _ => None,
    });
    resource.sample_rate = sample_rate::from_attributes(&resource.attributes);
    Ok(resource)
}

fn read_scope<'a>(layer: &Layer<'a>) -> Result<Scope<'a>, WireError> {
    let byte_count = layer.head.len() + layer.schema_url.len();
    let mut scope = Scope { schema_url: layer.schema_url, byte_count, ..Scope::default() };
    let mut reader = Reader::new(layer.head);
    while let Some(field) = reader.next_field()? {
        match field.number {
            1 => scope.name = field.bytes()?,
            2 => scope.version = field.bytes()?,
            3 if scope.attributes.len() >= SHARED_ATTRIBUTES_MAX => scope.attributes_left_out = true,
            3 => scope.attributes.push(parse_attribute(field.bytes()?)?),
            4 => scope.dropped_attributes = field.uint32()?,
            _ => {}
        }
    }
    scope.sample_rate = sample_rate::from_attributes(&scope.attributes);
    Ok(scope)
}

/// Walks resources and scopes of an export request and calls `records` with each scope and a reader over the fields
/// of its layer (field 2 is a record).
pub(crate) fn for_each_scope<'a>(
    body: &'a [u8],
    decoder: &mut Decoder<'_>,
    mut records: impl FnMut(&mut Decoder<'_>, &Resource<'a>, &Scope<'a>, Reader<'a>) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    let mut request = Reader::new(body);
    while let Some(field) = request.next_field()? {
        if field.number != 1 {
            continue;
        }
        let resource_layer = field.bytes()?;
        let resource = read_resource(&read_layer(resource_layer)?)?;
        if decoder.resource_count >= BATCH_RESOURCES_MAX {
            decoder.close_batch()?;
        }
        decoder.open_resource(&resource)?;
        let mut scopes = Reader::new(resource_layer);
        while let Some(field) = scopes.next_field()? {
            if field.number != 2 {
                continue;
            }
            let scope_layer = field.bytes()?;
            let scope = read_scope(&read_layer(scope_layer)?)?;
            decoder.open_scope(&scope)?;
            records(decoder, &resource, &scope, Reader::new(scope_layer))?;
        }
    }
    Ok(())
}

impl Decoder<'_> {
    fn open_resource(&mut self, resource: &Resource<'_>) -> Result<(), WireError> {
        self.resource_count += 1;
        self.shared_bytes = resource.byte_count;
        if resource.attributes_left_out {
            self.notes.add(Note::SharedTooMany);
        }
        self.scratch.begin_record();
        self.batches.builder.begin_resource();
        self.share_attributes(Origin::Resource, &resource.attributes)?;
        if !resource.schema_url.is_empty() {
            let url = text(resource.schema_url, &mut self.notes);
            self.batches.builder.shared_text(
                Origin::Resource,
                tracery_columnar::Fixed::ResourceSchemaUrl,
                &url,
            );
        }
        if resource.dropped_attributes > 0 {
            self.batches.builder.shared_int(
                Origin::Resource,
                tracery_columnar::Fixed::ResourceDroppedAttributes,
                i64::from(resource.dropped_attributes),
            );
        }
        Ok(())
    }

    fn open_scope(&mut self, scope: &Scope<'_>) -> Result<(), WireError> {
        use tracery_columnar::Fixed;
        if scope.attributes_left_out {
            self.notes.add(Note::SharedTooMany);
        }
        self.scratch.begin_record();
        self.batches.builder.begin_scope();
        self.share_attributes(Origin::Scope, &scope.attributes)?;
        for (fixed, value) in [
            (Fixed::ScopeName, scope.name),
            (Fixed::ScopeVersion, scope.version),
            (Fixed::ScopeSchemaUrl, scope.schema_url),
        ] {
            if !value.is_empty() {
                let value = text(value, &mut self.notes);
                self.batches.builder.shared_text(Origin::Scope, fixed, &value);
            }
        }
        if scope.dropped_attributes > 0 {
            let dropped = i64::from(scope.dropped_attributes);
            self.batches.builder.shared_int(Origin::Scope, Fixed::ScopeDroppedAttributes, dropped);
        }
        Ok(())
    }

    fn share_attributes(&mut self, origin: Origin, attributes: &[RawAttribute<'_>]) -> Result<(), WireError> {
        let Self { batches: Batches { builder, .. }, scratch, notes, .. } = self;
        for attribute in attributes {
            emit_attribute(attribute, origin, scratch, notes, &mut |emitted, key, value| {
                // A derived value is written for the whole resource; what is a scope's own would spread beyond it.
                if emitted != Origin::Derived || origin == Origin::Resource {
                    builder.shared_attribute(emitted, key, value);
                }
            })?;
        }
        Ok(())
    }

    /// Attributes of the current row.
    #[inline]
    pub(crate) fn own_attributes(&mut self, attributes: &[RawAttribute<'_>]) -> Result<(), WireError> {
        self.scratch.begin_record();
        for attribute in attributes {
            self.attribute(Origin::Own, attribute)?;
        }
        Ok(())
    }

    #[inline]
    pub(crate) fn attribute(
        &mut self,
        origin: Origin,
        attribute: &RawAttribute<'_>,
    ) -> Result<(), WireError> {
        let Self { batches: Batches { builder, .. }, scratch, notes, .. } = self;
        emit_attribute(attribute, origin, scratch, notes, &mut |origin, key, value: Value<'_>| {
            builder.attribute(origin, key, value);
        })
    }

    /// To be called before each row: starts the next batch when this one is full.
    #[inline]
    pub(crate) fn ensure_room(
        &mut self,
        resource: &Resource<'_>,
        scope: &Scope<'_>,
    ) -> Result<(), DecodeError> {
        // A small resource shared by many rows is stored once, unless the rows differ beyond the column bound.
        self.shared_bytes_of_rows += self.shared_bytes + scope.byte_count;
        let is_full = self.batches.is_full() || Batches::are_full_by(self.shared_bytes_of_rows);
        if !is_full || self.batches.builder.row_count() == 0 {
            return Ok(());
        }
        self.close_batch()?;
        // The texts were noted when the resource was opened first.
        let notes = self.notes;
        self.open_resource(resource)?;
        self.open_scope(scope)?;
        self.notes = notes;
        Ok(())
    }

    /// Whether records of this dataset are refused.
    pub(crate) fn refuses(&self, dataset: &str) -> bool {
        self.options.datasets.is_some_and(|known| !known.contains(dataset))
    }

    fn close_batch(&mut self) -> Result<(), DecodeError> {
        self.resource_count = 0;
        self.shared_bytes_of_rows = 0;
        let bytes = self.batches.close();
        if self.batches.closed_bytes() > self.options.column_bytes_max {
            return Err(DecodeError::TooLarge { max: self.options.column_bytes_max });
        }
        Ok((self.admit)(bytes)?)
    }

    fn finish(mut self) -> Result<Decoded, DecodeError> {
        self.close_batch()?;
        let batches = self.batches.into_closed();
        let values_cut = batches.iter().map(|batch| batch.stats.values_cut).sum();
        self.notes.add_many(Note::ValueCut, values_cut);
        Ok(Decoded { batches, record_count: self.record_count, notes: self.notes })
    }
}

/// An instant as OTLP has it, if it fits ours.
#[inline]
pub(crate) fn instant(unix_ns: u64) -> Option<i64> {
    i64::try_from(unix_ns).ok()
}
