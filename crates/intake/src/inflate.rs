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

/// The body behind `Content-Encoding` (`gzip`, `deflate`, `zstd`, `identity` or absent), at most `max` bytes.
pub fn inflate(encoding: Option<&str>, body: Bytes, max: usize) -> Result<Bytes, InflateError> {
    match encoding.map(|encoding| encoding.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity") => {
            if body.len() > max {
                return Err(InflateError::TooLarge { max });
            }
            Ok(body)
        }
        Some("gzip" | "x-gzip") => read_bounded(flate2::read::MultiGzDecoder::new(&body[..]), max, "gzip"),
        Some("deflate") => read_bounded(flate2::read::ZlibDecoder::new(&body[..]), max, "deflate"),
        Some("zstd") => {
            let decoder = zstd::stream::read::Decoder::new(&body[..])
                .map_err(|_| InflateError::Malformed { encoding: "zstd" })?;
            read_bounded(decoder, max, "zstd")
        }
        Some(other) => Err(InflateError::UnknownEncoding { encoding: other.to_owned() }),
    }
}

fn read_bounded(reader: impl Read, max: usize, encoding: &'static str) -> Result<Bytes, InflateError> {
    let mut inflated = Vec::new();
    reader
        .take(max as u64 + 1)
        .read_to_end(&mut inflated)
        .map_err(|_| InflateError::Malformed { encoding })?;
    if inflated.len() > max {
        return Err(InflateError::TooLarge { max });
    }
    Ok(inflated.into())
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
}
