//! One export request from its bytes to the sink, the same for HTTP and gRPC: who calls, how large, inflate, decode,
//! hand over. The two doors only differ in how they spell the outcome.

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use thiserror::Error;
use tracery_intake::{
    BodyError, Caller, CallerError, ColumnRoom, InflateError, Intake, KnownDatasets, Permission, Permit,
};
use tracery_model::{OWN_SPANS, Signal, SinkError};

use crate::decode::{DecodeError, DecodeOptions, Format, decode};
use crate::notes::{Note, Notes};

/// Columns may take this many times the bound on inflated bodies.
const COLUMN_BYTES_PER_BODY_BYTE_MAX: usize = 8;
/// How long a client is asked to wait when the settings database does not answer.
const SETTINGS_RETRY_MS: u64 = 1_000;

/// What every handler holds.
#[derive(Clone)]
pub(crate) struct Door {
    pub intake: Intake,
}

/// Why a request failed as a whole.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    #[error("missing 'x-honeycomb-team' header")]
    KeyMissing,
    #[error("unknown API key - check your credentials")]
    KeyUnknown,
    #[error("this API key may not send events")]
    KeyMayNot,
    #[error("the dataset does not exist, and the API key may not create datasets")]
    DatasetUnknown,
    #[error("settings do not answer, try again")]
    SettingsUnavailable,
    #[error("{0}")]
    Malformed(String),
    #[error("{0}")]
    TooLarge(String),
    #[error("{0}")]
    UnknownEncoding(String),
    #[error("too much telemetry in flight, try again in {retry_after_ms} ms")]
    Busy { retry_after_ms: u64 },
    #[error("{}", told(.0))]
    Sink(SinkError),
}

impl Failure {
    /// The delay after which the same request may succeed; `None` when it never will.
    pub(crate) fn retry_after_ms(&self) -> Option<u64> {
        match self {
            Failure::Sink(error) => Some(error.retry_after_ms()),
            Failure::Busy { retry_after_ms } => Some(*retry_after_ms),
            Failure::SettingsUnavailable => Some(SETTINGS_RETRY_MS),
            _ => None,
        }
    }

    /// The stable word of `/metrics`.
    fn word(&self) -> &'static str {
        match self {
            Failure::KeyMissing | Failure::KeyUnknown => "unauthenticated",
            Failure::KeyMayNot => "forbidden",
            Failure::DatasetUnknown => "dataset_unknown",
            Failure::SettingsUnavailable => "settings_unavailable",
            Failure::Malformed(_) => "malformed",
            Failure::TooLarge(_) => "too_large",
            Failure::UnknownEncoding(_) => "unknown_encoding",
            Failure::Busy { .. } | Failure::Sink(SinkError::Busy { .. }) => "busy",
            Failure::Sink(SinkError::Unavailable { .. }) => "storage_unavailable",
        }
    }
}

/// What a client is told of the sink; its reason is for the log.
fn told(error: &SinkError) -> &'static str {
    match error {
        SinkError::Busy { .. } => "too much telemetry is waiting to be stored, try again",
        SinkError::Unavailable { .. } => "storage is unavailable, try again",
    }
}

/// Logs why the settings do not answer, which a client is not told.
fn settings_unavailable(reason: &str) -> Failure {
    tracing::warn!(reason, "settings do not answer");
    Failure::SettingsUnavailable
}

impl From<DecodeError> for Failure {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::Busy(busy) => Failure::Busy { retry_after_ms: busy.retry_after_ms },
            DecodeError::TooLarge { .. } | DecodeError::JsonTooLarge { .. } => {
                Failure::TooLarge(error.to_string())
            }
            DecodeError::Wire(_) | DecodeError::Json(_) => Failure::Malformed(error.to_string()),
        }
    }
}

impl From<InflateError> for Failure {
    fn from(error: InflateError) -> Self {
        match error {
            InflateError::UnknownEncoding { .. } => Failure::UnknownEncoding(error.to_string()),
            InflateError::TooLarge { .. } => Failure::TooLarge(error.to_string()),
            InflateError::Malformed { .. } => Failure::Malformed(error.to_string()),
        }
    }
}

impl From<BodyError> for Failure {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::Busy(busy) => Failure::Busy { retry_after_ms: busy.retry_after_ms },
            BodyError::TooLarge { .. } | BodyError::TooManyValues { .. } => {
                Failure::TooLarge(error.to_string())
            }
            BodyError::Interrupted => Failure::Malformed("body ended before it was complete".to_owned()),
            BodyError::Inflate(error) => error.into(),
        }
    }
}

/// The word that `/metrics` has for a door.
pub(crate) fn door_name(signal: Signal) -> &'static str {
    match signal {
        Signal::Log => "otlp_logs",
        Signal::Metric => "otlp_metrics",
        Signal::Span | Signal::Error => "otlp_traces",
    }
}

impl Door {
    pub(crate) fn new(intake: Intake) -> Self {
        Self { intake }
    }

    /// The caller, if it may send events.
    pub(crate) async fn caller(&self, headers: &HeaderMap) -> Result<Caller, Failure> {
        let secret = headers.get("x-honeycomb-team").and_then(|value| value.to_str().ok());
        let caller = self.intake.caller(secret).await.map_err(|error| match error {
            CallerError::Missing => Failure::KeyMissing,
            CallerError::Unknown => Failure::KeyUnknown,
            CallerError::Unavailable(reason) => settings_unavailable(&reason),
        })?;
        if caller.may(Permission::SendEvents) { Ok(caller) } else { Err(Failure::KeyMayNot) }
    }

    /// Reads a body of at most `bytes_max` bytes. Its room is kept until the permit is dropped.
    pub(crate) async fn read(
        &self,
        headers: &HeaderMap,
        body: Body,
        bytes_max: usize,
    ) -> Result<(Bytes, Permit), Failure> {
        Ok(self.intake.read_sent(headers, body, bytes_max).await?)
    }

    /// Inflates and decodes a body and hands it to the sink. When this returns `Ok`, what was accepted is stored.
    pub(crate) async fn export(
        &self,
        caller: &Caller,
        signal: Signal,
        format: Option<Format>,
        encoding: Option<&str>,
        headers: &HeaderMap,
        (body, room): (Bytes, Permit),
    ) -> Result<Notes, Failure> {
        let work = Work {
            signal,
            format,
            encoding: encoding.map(str::to_owned),
            dataset_header: headers
                .get("x-honeycomb-dataset")
                .and_then(|value| value.to_str().ok())
                .map(str::to_owned),
            datasets: self
                .intake
                .known_datasets(caller)
                .await
                .map_err(|error| settings_unavailable(&error.to_string()))?,
            received_ns: self.intake.clock.now_ns(),
            intake: self.intake.clone(),
            body,
            room,
        };
        let (sent_bytes, is_compressed) = (work.body.len(), work.encoding.is_some());
        let span =
            tracing::info_span!(target: OWN_SPANS, "decode", signal = signal.table(), bytes = sent_bytes);
        let outcome =
            self.intake.decode(sent_bytes, is_compressed, move || span.in_scope(|| work.run())).await;
        // The room for the body is given back when the sink has answered.
        let (decoded, _room) = outcome.map_err(|error| Failure::Malformed(error.to_string()))??;
        let door = door_name(signal);
        let refused = decoded.notes.count(Note::Dataset);
        if decoded.record_count == 0 && refused > 0 && refused == decoded.notes.rejected() {
            // A partial success of nothing would be taken for a success.
            self.intake.metrics.rejected(door, Failure::DatasetUnknown.word(), refused);
            return Err(Failure::DatasetUnknown);
        }
        if !decoded.batches.is_empty()
            && let Err(error) = self.intake.sink.accept(caller.environment, decoded.batches).await
        {
            if let SinkError::Unavailable { reason, .. } = &error {
                tracing::warn!(reason, "telemetry cannot be stored");
            }
            let failure = Failure::Sink(error);
            self.intake.metrics.rejected(door, failure.word(), decoded.record_count);
            return Err(failure);
        }
        self.intake.metrics.accepted(door, decoded.record_count);
        decoded.notes.record(&self.intake.metrics, door);
        Ok(decoded.notes)
    }

    /// Counts a request that failed before its records were known, as one record. What the sink or a dataset's absence
    /// refused was counted by its records.
    pub(crate) fn count(&self, signal: Signal, failure: &Failure) {
        if !matches!(failure, Failure::Sink(_) | Failure::DatasetUnknown) {
            self.intake.metrics.rejected(door_name(signal), failure.word(), 1);
        }
    }
}

/// The part of a request that takes time on a processor.
struct Work {
    signal: Signal,
    format: Option<Format>,
    encoding: Option<String>,
    dataset_header: Option<String>,
    datasets: Option<KnownDatasets>,
    received_ns: i64,
    intake: Intake,
    body: Bytes,
    room: Permit,
}

impl Work {
    fn run(mut self) -> Result<(crate::Decoded, Permit), Failure> {
        let body = self.intake.inflate(self.encoding.as_deref(), self.body, &mut self.room)?;
        // Without a content type the first byte tells: no protobuf request begins with a brace.
        let sniffed = if body.first() == Some(&b'{') { Format::Json } else { Format::Protobuf };
        let options = DecodeOptions {
            signal: self.signal,
            format: self.format.unwrap_or(sniffed),
            dataset_header: self.dataset_header.as_deref(),
            datasets: self.datasets.as_ref(),
            received_ns: self.received_ns,
            column_bytes_max: self
                .intake
                .limits
                .inflated_bytes_max
                .saturating_mul(COLUMN_BYTES_PER_BODY_BYTE_MAX),
        };
        // An empty body is the empty request in protobuf; in JSON it is no text at all, and clients send it.
        if body.is_empty() {
            let empty = DecodeOptions { format: Format::Protobuf, ..options };
            return Ok((decode(&empty, &[], &mut |_| Ok(()))?, self.room));
        }
        if options.format == Format::Json {
            Intake::admit_json(&body, &mut self.room)?;
        }
        let mut room = ColumnRoom::new(&mut self.room, body.len());
        let decoded = decode(&options, &body, &mut |bytes| room.take(bytes))?;
        Ok((decoded, self.room))
    }
}
