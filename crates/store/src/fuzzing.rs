//! The readers of stored objects as functions of bytes, with no store around them. The fuzz targets and the test of
//! damaged objects call them; nothing else does. Merged parts are not among them: they are Parquet, whose reader panics
//! on some damaged files, so that merges and `verify` show it no byte before the checksum of the whole object held.

use bytes::Bytes;

use crate::index::{TraceIndex, ValueIndex};
use crate::part::FreshPart;

/// Opens a fresh part and reads every column of every chunk.
pub fn fresh_part(object: &[u8]) {
    let Ok(part) = FreshPart::open("damaged", &Bytes::copy_from_slice(object)) else { return };
    for chunk in &part.chunks {
        let all: Vec<usize> = (0..chunk.schema().fields().len()).collect();
        drop(chunk.read(&all));
    }
}

pub fn trace_index(object: &[u8]) {
    if let Ok(index) = TraceIndex::decode("damaged", object) {
        index.find(&[1; 16]);
    }
}

pub fn value_index(object: &[u8]) {
    if let Ok(index) = ValueIndex::decode("damaged", object) {
        for key in index.keys() {
            index.find(key, "value-1");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merge::run::{Input, merge};
    use crate::part::{MergedFooter, Values, encode_chunk, seal};
    use tracery_columnar::BatchBuilder;
    use tracery_columnar::Fixed;
    use tracery_model::{Origin, Signal, Value};
    use tracery_testkit::{each_mutation, seeds};

    /// A fresh part, the part it is merged to, that one's trace index, and a value index as small as they come.
    fn objects() -> [(&'static str, Bytes); 4] {
        let mut builder = BatchBuilder::new(Signal::Span, 5);
        for idx in 0..20_u8 {
            builder.begin_row(1_700_000_000_000_000_000 + i64::from(idx), "shop");
            builder.id(Fixed::TraceId, &[idx % 4; 16]);
            builder.id(Fixed::SpanId, &[idx; 8]);
            builder.text(Fixed::Name, "a name that is longer than twelve bytes");
            builder.attribute(Origin::Own, "text", Value::Str("text"));
            builder.attribute(Origin::Resource, "number", Value::Int(i64::from(idx)));
            builder.attribute(Origin::Own, "ratio", Value::Float(0.5));
            builder.attribute(Origin::Own, "flag", Value::Bool(idx % 2 == 0));
        }
        let records = builder.finish().unwrap().records;
        let chunk = encode_chunk(&records).unwrap();
        let (pieces, _, _) = seal(&[(chunk.clone(), 20), (chunk, 20)]);
        let fresh = Bytes::from(pieces.concat());
        let part = FreshPart::open("seed", &fresh).unwrap();
        let inputs: Vec<Input> = part.chunks.into_iter().map(Input::Fresh).collect();
        let merged = merge(&inputs, Signal::Span).unwrap().remove(0);
        let texts: Vec<String> = (0..1_000).map(|number| format!("value-{number}")).collect();
        let ends: Vec<usize> = texts
            .iter()
            .scan(0, |end, text| {
                *end += text.len();
                Some(*end)
            })
            .collect();
        let codes: Vec<u32> = (1..=1_000).flat_map(|code| [code; 16]).collect();
        let mut values = ValueIndex::new(codes.len());
        values.add("user.id", Values::Text { ends: &ends, bytes: texts.concat().as_bytes() }, &codes);
        [
            ("fresh_part", fresh),
            ("merged_part", merged.object),
            ("trace_index", merged.trace_index.unwrap()),
            ("value_index", values.encode().unwrap()),
        ]
    }

    /// `TRACERY_BLESS=1` writes the seeds; without it they are what an older build wrote, and still readable.
    #[test]
    fn stored_objects_stay_readable() {
        if std::env::var_os("TRACERY_BLESS").is_some() {
            for (target, object) in objects() {
                let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
                std::fs::create_dir_all(&folder).unwrap();
                std::fs::write(format!("{folder}/small"), object).unwrap();
            }
        }
        for object in seeds("fresh_part") {
            FreshPart::open("seed", &object.into()).unwrap();
        }
        for object in seeds("merged_part") {
            MergedFooter::read(&object.into()).unwrap();
        }
        for object in seeds("trace_index") {
            TraceIndex::decode("seed", &object).unwrap();
        }
        for object in seeds("value_index") {
            let index = ValueIndex::decode("seed", &object).unwrap();
            assert!(!index.find("user.id", "value-1").unwrap().is_empty());
        }
    }

    #[test]
    fn damaged_objects_never_panic() {
        each_mutation(&seeds("fresh_part"), 3_000, fresh_part);
        each_mutation(&seeds("trace_index"), 3_000, trace_index);
        each_mutation(&seeds("value_index"), 3_000, value_index);
    }
}
