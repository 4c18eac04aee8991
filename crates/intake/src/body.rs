//! Reading one request body: admitted by bytes, bounded as sent and inflated. Every HTTP door calls
//! [`Intake::read_body`] and keeps the permit until its sink has answered.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt;
use thiserror::Error;

use crate::inflate::inflate_admitted;
use crate::{Busy, InflateError, Intake, Permit};

/// Memory the decoded form may take beside each inflated byte: parsed values and columns.
const DECODED_BYTES_PER_BYTE: usize = 2;

/// Set aside for a body that was announced, before any of it came.
const ANNOUNCED_BYTES_MAX: usize = 64 << 10;

/// Values of one parsed body: objects, lists, their members. A full body of ordinary events has a third of it.
const VALUES_MAX: usize = 2_000_000;
/// Memory of one parsed value with its key and its share of unused room.
const VALUE_BYTES: usize = 100;

#[derive(Debug, Error)]
pub enum BodyError {
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("body is larger than {max} bytes")]
    TooLarge { max: usize },
    #[error("body holds more than {max} values; send fewer at a time")]
    TooManyValues { max: usize },
    #[error("body could not be read")]
    Interrupted,
    #[error(transparent)]
    Inflate(#[from] InflateError),
}

impl Intake {
    /// Room for `bytes` of telemetry, until the permit is dropped.
    pub fn admit(&self, bytes: usize) -> Result<Permit, Busy> {
        Permit::new(&self.budget, bytes)
    }

    /// Reads and inflates a body of at most `bytes_max` bytes as sent.
    pub async fn read_body(
        &self,
        headers: &HeaderMap,
        body: Body,
        bytes_max: usize,
    ) -> Result<(Bytes, Permit), BodyError> {
        let (sent, mut permit) = self.read_sent(headers, body, bytes_max).await?;
        let encoding = headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable"));
        let inflated = self.inflate(encoding, sent, &mut permit)?;
        Ok((inflated, permit))
    }

    /// Reads a body of at most `bytes_max` bytes as it was sent.
    pub async fn read_sent(
        &self,
        headers: &HeaderMap,
        mut body: Body,
        bytes_max: usize,
    ) -> Result<(Bytes, Permit), BodyError> {
        let declared = headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.parse::<usize>().ok());
        if declared.is_some_and(|bytes| bytes > bytes_max) {
            return Err(BodyError::TooLarge { max: bytes_max });
        }
        // Room is taken for what has come, not for what was promised: a promise costs a client nothing.
        let mut permit = self.admit(0)?;
        let mut sent = BytesMut::with_capacity(declared.unwrap_or(0).min(ANNOUNCED_BYTES_MAX));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyError::Interrupted)?;
            let Ok(chunk) = frame.into_data() else { continue };
            if sent.len() + chunk.len() > bytes_max {
                return Err(BodyError::TooLarge { max: bytes_max });
            }
            permit.grow(chunk.len())?;
            sent.extend_from_slice(&chunk);
        }
        Ok((sent.freeze(), permit))
    }

    /// Inflates what was sent, taking room for each piece, and for what it is decoded to, before the next.
    pub fn inflate(
        &self,
        encoding: Option<&str>,
        sent: Bytes,
        permit: &mut Permit,
    ) -> Result<Bytes, BodyError> {
        inflate_admitted(encoding, sent, self.limits.inflated_bytes_max, |bytes| {
            Ok(permit.grow(bytes.saturating_mul(DECODED_BYTES_PER_BYTE))?)
        })
    }

    /// Takes room for the values of a text in JSON, which are many times its size: `[0,0,…]` becomes 36 bytes for each
    /// that was sent. To be called before the text is parsed.
    pub fn admit_json(text: &[u8], permit: &mut Permit) -> Result<(), BodyError> {
        // Every value but the first stands behind one of these. Those within strings only make it a little more.
        let values = text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{' | b':')).count();
        Self::admit_values(values, permit)
    }

    /// Takes room for parsed values.
    pub fn admit_values(values: usize, permit: &mut Permit) -> Result<(), BodyError> {
        if values > VALUES_MAX {
            return Err(BodyError::TooManyValues { max: VALUES_MAX });
        }
        Ok(permit.grow(values * VALUE_BYTES)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemoryBudget;
    use std::sync::Arc;

    #[test]
    fn a_text_of_many_small_values_is_refused_before_it_is_parsed() {
        let budget = Arc::new(MemoryBudget::new(1 << 20));
        let mut permit = Permit::new(&budget, 0).unwrap();
        Intake::admit_json(br#"{"a":[1,2,{"b":"c"}]}"#, &mut permit).unwrap();
        assert_eq!(budget.bytes_used(), 7 * VALUE_BYTES);
        let bomb = "0,".repeat(VALUES_MAX + 1);
        let refused = Intake::admit_json(bomb.as_bytes(), &mut permit);
        assert!(matches!(refused, Err(BodyError::TooManyValues { .. })));
        let _other = Permit::new(&budget, 1).unwrap();
        let large = "0,".repeat(100_000);
        assert!(matches!(Intake::admit_json(large.as_bytes(), &mut permit), Err(BodyError::Busy(_))));
    }
}
