//! Request bodies, inflated within bounds.

use std::io::Read;

use bytes::Bytes;
use thiserror::Error;

#[derive(Debug, Error)]
pub enum InflateError {
    #[error("content encoding {encoding:?} is not supported")]
    UnknownEncoding { encoding: String },
    #[error("body is larger than {max} bytes after decompression")]
    TooLarge { max: usize },
    #[error("body is not valid {encoding}")]
    Malformed { encoding: &'static str },
}

/// The largest window a zstd frame may ask for, as a power of two: the 8 MiB that RFC 9659 allows for this encoding.
/// A frame of a few bytes may ask for 128 MiB otherwise, and gets them before a byte is inflated.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;
/// Inflated between two looks at the budget.
const STEP_BYTES: usize = 1 << 20;

/// The body behind `Content-Encoding` (`gzip`, `deflate`, `zstd`, `identity` or absent), at most `max` bytes.
pub fn inflate(encoding: Option<&str>, body: Bytes, max: usize) -> Result<Bytes, InflateError> {
    inflate_admitted(encoding, body, max, |_| Ok::<(), InflateError>(()))
}

/// As [`inflate`]; `admit` is told of every further piece of the body before the next one is inflated, and ends it by
/// an error.
pub(crate) fn inflate_admitted<E: From<InflateError>>(
    encoding: Option<&str>,
    body: Bytes,
    max: usize,
    mut admit: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, E> {
    match encoding.map(|encoding| encoding.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => {
            if body.len() > max {
                return Err(InflateError::TooLarge { max }.into());
            }
            admit(body.len())?;
            Ok(body)
        }
        Some("gzip" | "x-gzip") => {
            read_bounded(flate2::read::MultiGzDecoder::new(&body[..]), max, "gzip", admit)
        }
        Some("deflate") => read_bounded(flate2::read::ZlibDecoder::new(&body[..]), max, "deflate", admit),
        Some("zstd") => {
            let malformed = |_| InflateError::Malformed { encoding: "zstd" };
            let mut decoder = zstd::stream::read::Decoder::new(&body[..]).map_err(malformed)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(malformed)?;
            read_bounded(decoder, max, "zstd", admit)
        }
        Some(other) => Err(InflateError::UnknownEncoding { encoding: other.to_owned() }.into()),
    }
}

fn read_bounded<E: From<InflateError>>(
    mut reader: impl Read,
    max: usize,
    encoding: &'static str,
    mut admit: impl FnMut(usize) -> Result<(), E>,
) -> Result<Bytes, E> {
    let mut inflated = Vec::new();
    loop {
        let step = STEP_BYTES.min(max + 1 - inflated.len());
        let read = reader
            .by_ref()
            .take(step as u64)
            .read_to_end(&mut inflated)
            .map_err(|_| InflateError::Malformed { encoding })?;
        if inflated.len() > max {
            return Err(InflateError::TooLarge { max }.into());
        }
        admit(read)?;
        if read < step {
            return Ok(inflated.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzip(bytes: &[u8]) -> Bytes {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap().into()
    }

    #[test]
    fn each_encoding_is_inflated_up_to_the_bound() {
        let plain = vec![b'a'; 1000];
        let zstd = Bytes::from(zstd::encode_all(&plain[..], 1).unwrap());
        for (encoding, body) in
            [(None, Bytes::from(plain.clone())), (Some("gzip"), gzip(&plain)), (Some("zstd"), zstd)]
        {
            assert_eq!(inflate(encoding, body.clone(), 1000).unwrap(), plain, "{encoding:?}");
            assert!(matches!(inflate(encoding, body, 999), Err(InflateError::TooLarge { max: 999 })));
        }
        assert!(matches!(inflate(Some("br"), Bytes::new(), 1), Err(InflateError::UnknownEncoding { .. })));
        for encoding in ["gzip", "zstd", "deflate"] {
            let result = inflate(Some(encoding), Bytes::from_static(b"not compressed"), 100);
            assert!(matches!(result, Err(InflateError::Malformed { .. })), "{encoding}");
        }
    }

    #[test]
    fn a_frame_that_asks_for_a_huge_window_is_refused() {
        // Magic, no flags, window descriptor for 2^27 bytes, one empty last block.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00];
        let result = inflate(Some("zstd"), Bytes::copy_from_slice(&frame), 1 << 20);
        assert!(matches!(result, Err(InflateError::Malformed { .. })), "{result:?}");
        let mut modest = frame;
        modest[5] = (23 - 10) << 3;
        assert!(inflate(Some("zstd"), Bytes::copy_from_slice(&modest), 1 << 20).unwrap().is_empty());
    }

    #[test]
    fn a_bomb_ends_at_the_first_piece_that_is_not_admitted() {
        let bomb = gzip(&vec![0; 8 << 20]);
        let mut admitted = 0;
        let result = inflate_admitted(Some("gzip"), bomb, 64 << 20, |bytes| {
            admitted += bytes;
            if admitted > 2 << 20 { Err(InflateError::Malformed { encoding: "budget" }) } else { Ok(()) }
        });
        assert!(matches!(result, Err(InflateError::Malformed { encoding: "budget" })));
        assert_eq!(admitted, 3 << 20);
    }

    #[test]
    fn damaged_bodies_never_panic_and_never_pass_the_bound() {
        tracery_testkit::each_mutation(&tracery_testkit::seeds("inflate"), 5_000, |bytes| {
            let [_, max, body @ ..] = bytes else { return };
            let max = usize::from(*max) << 10;
            for encoding in ["gzip", "deflate", "zstd"] {
                if let Ok(inflated) = inflate(Some(encoding), Bytes::copy_from_slice(body), max) {
                    assert!(inflated.len() <= max, "{encoding}");
                }
            }
        });
    }
}
