//! Trace and span ids as they arrive: 16 and 8 bytes, or what a client made of them that took their hex text for
//! base64 (24 and 12 bytes), which can be undone.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tracery_model::{SpanId, TraceId};

#[inline]
pub(crate) fn trace_id(bytes: &[u8]) -> Option<TraceId> {
    match bytes.len() {
        24 => TraceId::from_bytes(&unmangle(bytes)?),
        _ => TraceId::from_bytes(bytes),
    }
}

#[inline]
pub(crate) fn span_id(bytes: &[u8]) -> Option<SpanId> {
    match bytes.len() {
        12 => SpanId::from_bytes(&unmangle(bytes)?),
        _ => SpanId::from_bytes(bytes),
    }
}

/// Whether an id stands for "none": absent, or all zero.
#[inline]
pub(crate) fn is_absent(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

fn unmangle(bytes: &[u8]) -> Option<Vec<u8>> {
    hex::decode(STANDARD.encode(bytes)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mangled_ids_come_back() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let span = "00f067aa0ba902b7";
        assert_eq!(trace_id(&STANDARD.decode(trace).unwrap()).unwrap().to_string(), trace);
        assert_eq!(span_id(&STANDARD.decode(span).unwrap()).unwrap().to_string(), span);
        assert_eq!(trace_id(&hex::decode(trace).unwrap()).unwrap().to_string(), trace);
        for bad in [&[][..], &[0; 16], &[1; 15], &[0xff; 24], &[1; 12]] {
            assert_eq!(trace_id(bad), None, "{bad:?}");
        }
        assert_eq!(span_id(&[0xff; 12]), None);
    }
}
