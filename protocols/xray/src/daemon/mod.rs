//! The daemon's UDP port: datagrams of SDKs in, batches of rows out. `server` binds the socket ([`bind_udp`]) and starts a
//! [`Daemon`] on it. A datagram has no answer, so everything that is not kept is counted by its reason, and what the
//! system dropped before this process saw it is counted, too.

mod datagram;
mod socket;
mod waiting;

use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tracery_columnar::EventBatch;
use tracery_model::{EnvironmentId, Signal, SinkError};

use crate::XRay;
use crate::ingest::{Sent, Written};
use datagram::{OtlpKind, Payload};
pub use socket::bind_udp;
use waiting::{Datagrams, Waiting};

/// The word of `/metrics`.
const DOOR: &str = "xray_udp";
/// A little later there is more to commit at once; SDKs wait for nothing.
const COLLECT_TIME: Duration = Duration::from_millis(5);
/// Documents are parsed in rounds of this many bytes: parsed values take many times their text.
const ROUND_BYTES_MAX: usize = 1 << 20;
/// Rows of what waited at one time may take this much memory. Datagrams are bounded before.
const ROW_BYTES_MAX: usize = 512 << 20;
/// How long a batch is offered to a sink that is busy: for ever while running, this long at the end.
const LAST_OFFER_TIME: Duration = Duration::from_secs(3);
const RETRY_MS_MAX: u64 = 250;
/// Batches that wait for the sink at the same time; while there are so many, no more are made.
const OFFERS_MAX: usize = 3;

/// What OTLP payloads were decoded to.
#[derive(Debug)]
pub struct DecodedOtlp {
    pub batches: Vec<EventBatch>,
    pub record_count: usize,
    /// Records that were left out; the decoder knows why.
    pub rejected_count: usize,
}

/// Decodes a protobuf `TracesData` (`Signal::Span`) or `MetricsData` received at a time in nanoseconds. `server` hands it
/// over, since doors do not know each other. Fails with a reason for people.
pub type OtlpDecoder = Arc<dyn Fn(Signal, &[u8], i64) -> Result<DecodedOtlp, String> + Send + Sync>;

/// Numbers for `/metrics`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DaemonFigures {
    pub datagrams: u64,
    pub bytes: u64,
    /// Dropped by the system because the socket's buffer was full; `None` where it does not tell.
    pub kernel_drops: Option<u64>,
    /// What the system granted.
    pub receive_buffer_bytes: usize,
    pub waiting_bytes: usize,
}

/// A running port. Cheap to clone.
#[derive(Clone)]
pub struct Daemon {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: Arc<Mutex<Option<JoinHandle<()>>>>,
}

struct Shared {
    socket: UdpSocket,
    receive_buffer_bytes: usize,
    waiting: Waiting,
    stopping: AtomicBool,
    datagrams: AtomicU64,
    bytes: AtomicU64,
}

impl Daemon {
    /// Receives on a socket of [`bind_udp`]; what comes belongs to `environment`.
    pub fn start(
        xray: XRay,
        socket: UdpSocket,
        environment: EnvironmentId,
        otlp: OtlpDecoder,
    ) -> std::io::Result<Self> {
        let address = socket.local_addr()?;
        let shared = Arc::new(Shared {
            receive_buffer_bytes: socket::receive_buffer_bytes(&socket)?,
            socket,
            waiting: Waiting::default(),
            stopping: AtomicBool::new(false),
            datagrams: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        });
        let receiver = Arc::clone(&shared);
        // A thread of its own: the system's buffer holds some milliseconds, and tasks may have to wait longer.
        let thread = std::thread::Builder::new().name("xray-udp".into()).spawn(move || receiver.receive())?;
        let stop = CancellationToken::new();
        let writer =
            Arc::new(Writer { xray, environment, otlp, shared: Arc::clone(&shared), stop: stop.clone() });
        let task = tokio::spawn(async move {
            writer.run().await;
            drop(tokio::task::spawn_blocking(move || thread.join()).await);
        });
        Ok(Self { address, shared, stop, tasks: Arc::new(Mutex::new(Some(task))) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn figures(&self) -> DaemonFigures {
        DaemonFigures {
            datagrams: self.shared.datagrams.load(Ordering::Relaxed),
            bytes: self.shared.bytes.load(Ordering::Relaxed),
            kernel_drops: socket::kernel_drops(&self.shared.socket),
            receive_buffer_bytes: self.shared.receive_buffer_bytes,
            waiting_bytes: self.shared.waiting.byte_count(),
        }
    }

    /// Receives what came already, hands it to the sink, and ends.
    pub async fn finish(&self) {
        self.shared.stopping.store(true, Ordering::Release);
        self.stop.cancel();
        let task = self.tasks.lock().take();
        if let Some(task) = task {
            drop(task.await);
        }
    }
}

impl Shared {
    /// Runs on the thread until it is told to stop and the system's buffer is empty.
    fn receive(&self) {
        let mut buffer = vec![0; socket::DATAGRAM_BYTES_MAX];
        loop {
            match self.socket.recv(&mut buffer) {
                Ok(len) => {
                    self.datagrams.fetch_add(1, Ordering::Relaxed);
                    self.bytes.fetch_add(len as u64, Ordering::Relaxed);
                    self.waiting.push(&buffer[..len]);
                }
                Err(error) if socket::is_timeout(&error) => {
                    if self.stopping.load(Ordering::Acquire) {
                        break;
                    }
                }
                Err(error) => {
                    // A report about an earlier datagram of somebody else; the socket itself goes on.
                    tracing::debug!(%error, "cannot receive a datagram");
                    std::thread::sleep(socket::PATIENCE);
                }
            }
        }
        self.waiting.close();
    }
}

struct Writer {
    xray: XRay,
    environment: EnvironmentId,
    otlp: OtlpDecoder,
    shared: Arc<Shared>,
    stop: CancellationToken,
}

/// What a sink is offered, and how much it is.
struct Offer {
    batches: Vec<EventBatch>,
    record_count: usize,
}

impl Writer {
    async fn run(self: Arc<Self>) {
        // The next are read while the sink makes the last durable.
        let mut offered = JoinSet::new();
        loop {
            let is_last = self.shared.waiting.wait().await;
            if !is_last && !self.stop.is_cancelled() {
                tokio::time::sleep(COLLECT_TIME).await;
            }
            let (datagrams, dropped) = self.shared.waiting.take();
            if dropped > 0 {
                self.xray.intake.metrics.dropped(DOOR, "no_room", dropped);
            }
            if !datagrams.is_empty()
                && let Some(offer) = self.read(datagrams).await
            {
                while offered.len() >= OFFERS_MAX {
                    offered.join_next().await;
                }
                offered.spawn(Arc::clone(&self).write(offer));
            }
            if is_last && self.shared.waiting.is_drained() {
                while offered.join_next().await.is_some() {}
                return;
            }
        }
    }

    /// `None` when nothing is to be written.
    async fn read(&self, datagrams: Datagrams) -> Option<Offer> {
        let reader = Reader {
            xray: self.xray.clone(),
            environment: self.environment,
            otlp: Arc::clone(&self.otlp),
            received_ns: self.xray.intake.clock.now_ns(),
        };
        let read = tokio::task::spawn_blocking(move || reader.read(&datagrams)).await;
        if read.is_err() {
            // A panic, which is a defect and printed where it happened.
            self.xray.intake.metrics.dropped(DOOR, "failed", 1);
        }
        read.ok().filter(|offer| !offer.batches.is_empty())
    }

    async fn write(self: Arc<Self>, offer: Offer) {
        match self.offer(offer.batches).await {
            Ok(()) => self.xray.intake.metrics.accepted(DOOR, offer.record_count),
            Err(error) => {
                tracing::warn!(%error, documents = offer.record_count, "what came over UDP was not stored");
                let word = match error {
                    SinkError::Busy { .. } => "busy",
                    SinkError::Unavailable { .. } => "storage_unavailable",
                };
                self.xray.intake.metrics.dropped(DOOR, word, offer.record_count);
            }
        }
    }

    /// Nobody would send it again, so it is offered until it is taken; meanwhile what comes has its own bound.
    async fn offer(&self, batches: Vec<EventBatch>) -> Result<(), SinkError> {
        let deadline = async {
            self.stop.cancelled().await;
            tokio::time::sleep(LAST_OFFER_TIME).await;
        };
        let mut deadline = std::pin::pin!(deadline);
        loop {
            let error = match self.xray.intake.sink.accept(self.environment, batches.clone()).await {
                Ok(_) => return Ok(()),
                Err(error) => error,
            };
            let pause = Duration::from_millis(error.retry_after_ms().clamp(1, RETRY_MS_MAX));
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = &mut deadline => return Err(error),
            }
        }
    }
}

/// The part that takes time on a processor.
struct Reader {
    xray: XRay,
    environment: EnvironmentId,
    otlp: OtlpDecoder,
    received_ns: i64,
}

impl Reader {
    fn read(&self, datagrams: &Datagrams) -> Offer {
        let mut written = Written::new(Sent {
            environment: self.environment,
            received_ns: self.received_ns,
            door: DOOR,
            row_bytes_max: ROW_BYTES_MAX,
        });
        let (mut texts, mut text_bytes) = (Vec::new(), 0);
        let mut otlp: [Vec<Vec<u8>>; 2] = Default::default();
        for datagram in datagrams.iter() {
            match datagram::parse(datagram) {
                Ok(Payload::Documents(text)) => {
                    texts.push(text);
                    text_bytes += text.len();
                    if text_bytes >= ROUND_BYTES_MAX {
                        self.documents(&mut written, &mut texts);
                        text_bytes = 0;
                    }
                }
                Ok(Payload::Otlp(kind, message)) => otlp[kind as usize].push(message),
                Err(reason) => {
                    self.xray.intake.metrics.rejected(DOOR, reason.word(), 1);
                    self.reject((reason.word(), reason.about()), datagram);
                }
            }
        }
        self.documents(&mut written, &mut texts);
        let mut record_count = written.document_count;
        let mut batches = written.finish(&self.xray.intake.metrics);
        for (kind, messages) in [OtlpKind::Traces, OtlpKind::Metrics].into_iter().zip(otlp) {
            for decoded in self.decode(kind, messages) {
                record_count += decoded.record_count;
                batches.extend(decoded.batches);
            }
        }
        Offer { batches, record_count }
    }

    fn documents(&self, written: &mut Written, texts: &mut Vec<&str>) {
        self.xray.ingest.write(written, &self.xray.intake.metrics, texts.drain(..));
        written.refusals.clear();
    }

    /// Messages of one kind are one message when they are written one behind the other. When that cannot be decoded, each
    /// is tried alone.
    fn decode(&self, kind: OtlpKind, messages: Vec<Vec<u8>>) -> Vec<DecodedOtlp> {
        let metrics = &self.xray.intake.metrics;
        let count = |decoded: DecodedOtlp| {
            metrics.rejected(DOOR, "otlp_records", decoded.rejected_count);
            decoded
        };
        let decode = |message: &[u8]| (self.otlp)(kind.signal(), message, self.received_ns);
        if messages.is_empty() {
            return Vec::new();
        }
        if let Ok(decoded) = decode(&messages.concat()) {
            return vec![count(decoded)];
        }
        let mut kept = Vec::new();
        for message in messages {
            match decode(&message) {
                Ok(decoded) => kept.push(count(decoded)),
                Err(message_text) => {
                    metrics.rejected(DOOR, "otlp_malformed", 1);
                    self.reject(("otlp_malformed", &message_text), &message);
                }
            }
        }
        kept
    }

    fn reject(&self, reason: (&'static str, &str), sent: &[u8]) {
        let received_ms = self.received_ns / 1_000_000;
        self.xray.ingest.rejected.add(self.environment, received_ms, DOOR, reason, sent);
    }
}
