//! Decoders of this door that are not public otherwise, as functions of bytes. The fuzz targets and the test of damaged
//! inputs call them; nothing else does.

use bytes::Bytes;

use crate::grpc::{FRAME_HEAD_BYTES, unframe};

/// What a gRPC call does with its body before the message is read; whether there was a message.
pub fn grpc_frame(body: &[u8]) -> bool {
    let Ok((is_compressed, message)) = unframe(Bytes::copy_from_slice(body)) else { return false };
    assert_eq!(body[0], u8::from(is_compressed));
    assert_eq!(&body[FRAME_HEAD_BYTES..], message, "the message is the body after its head");
    true
}
