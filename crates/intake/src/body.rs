//! Reading one request body: admitted by bytes, bounded as sent and inflated. Every HTTP door calls
//! [`Intake::read_body`] and keeps the permit until its sink has answered.

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use http_body_util::BodyExt;
use thiserror::Error;

use crate::{Busy, InflateError, Intake, Permit, inflate};

/// Memory the decoded form may take beside each inflated byte: parsed values and columns.
const DECODED_BYTES_PER_BYTE: usize = 2;

#[derive(Debug, Error)]
pub enum BodyError {
    #[error(transparent)]
    Busy(#[from] Busy),
    #[error("body is larger than {max} bytes")]
    TooLarge { max: usize },
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
        let mut permit = self.admit(declared.unwrap_or(0))?;
        let mut sent = BytesMut::with_capacity(declared.unwrap_or(0));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| BodyError::Interrupted)?;
            let Ok(chunk) = frame.into_data() else { continue };
            if sent.len() + chunk.len() > bytes_max {
                return Err(BodyError::TooLarge { max: bytes_max });
            }
            if declared.is_none() {
                permit.grow(chunk.len())?;
            }
            sent.extend_from_slice(&chunk);
        }
        let encoding = headers.get(CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable"));
        let inflated = inflate(encoding, sent.freeze(), self.limits.inflated_bytes_max)?;
        permit.grow(inflated.len().saturating_mul(DECODED_BYTES_PER_BYTE))?;
        Ok((inflated, permit))
    }
}
