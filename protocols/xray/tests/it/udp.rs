//! The UDP port: what real SDKs sent, odd and damaged datagrams, a busy sink, and the end.

use std::net::UdpSocket;
use std::sync::Arc;

use tracery_columnar::{BatchBuilder, EventBatch};
use tracery_intake::AuthMode;
use tracery_model::{Signal, SinkError};
use tracery_testkit::seeds;
use tracery_xray::{Daemon, DecodedOtlp, OtlpDecoder, bind_udp};

use crate::bed::Bed;

const GOOD: &str = "{\"format\":\"json\",\"version\":1}\n{\"id\":\"1f3bebbaafbf83e2\",\"name\":\"shop\",\"trace_id\":\"1-6b032f03-a10328ac9bad3041624b853e\",\"start_time\":1.5,\"end_time\":2}";

/// Writes a row for each message of the list, named after its length; the message `0a 01 ff` is damaged.
fn decoder() -> OtlpDecoder {
    Arc::new(|signal, message, received_ns| {
        let mut builder = BatchBuilder::new(signal, received_ns);
        let (mut rest, mut record_count) = (message, 0);
        while let [_, len, after @ ..] = rest {
            let (record, after) = after.split_at(usize::from(*len));
            if record == [0xff] {
                return Err("damaged".into());
            }
            builder.begin_row(1, "otlp");
            record_count += 1;
            rest = after;
        }
        Ok(DecodedOtlp { batches: builder.finish().into_iter().collect(), record_count, rejected_count: 0 })
    })
}

struct Port {
    bed: Bed,
    daemon: Daemon,
    client: UdpSocket,
}

impl Port {
    async fn open() -> Self {
        let bed = Bed::make(AuthMode::Required).await;
        let socket = bind_udp(([127, 0, 0, 1], 0).into()).unwrap();
        let daemon = Daemon::start(bed.xray.clone(), socket, bed.default, decoder()).unwrap();
        let client = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        client.connect(daemon.address()).unwrap();
        Self { bed, daemon, client }
    }

    fn send(&self, datagram: &[u8]) {
        assert_eq!(self.client.send(datagram).unwrap(), datagram.len());
    }

    /// Ends the port, which takes in what was sent.
    async fn finish(&self) -> Vec<EventBatch> {
        self.daemon.finish().await;
        assert!(self.bed.sink.taken().iter().all(|(environment, _)| *environment == self.bed.default));
        self.bed.sink.taken().into_iter().map(|(_, batch)| batch).collect()
    }

    fn count(&self, outcome: &'static str, reason: &'static str) -> u64 {
        self.bed.intake.metrics.snapshot().get(&(outcome, "xray_udp", reason)).copied().unwrap_or(0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn captured_datagrams_become_rows() {
    let port = Port::open().await;
    let documents: Vec<_> = seeds("xray_datagram")
        .into_iter()
        .filter(|seed| !seed.windows(4).any(|bytes| bytes == b"\nT1S"))
        .collect();
    assert_eq!(documents.len(), 9);
    documents.iter().for_each(|datagram| port.send(datagram));
    let batches = port.finish().await;
    assert_eq!(port.count("accepted", ""), 9);
    assert!(port.bed.xray.rejected(port.bed.default).is_empty());
    let mut originals = Vec::new();
    for batch in &batches {
        let column = batch.records.column_by_name("original").unwrap();
        let column = datafusion::arrow::array::AsArray::as_string_view(column);
        originals.extend(column.iter().flatten().map(str::to_owned));
    }
    let mut sent: Vec<String> = documents
        .iter()
        .map(|datagram| String::from_utf8(datagram.clone()).unwrap().split_once('\n').unwrap().1.to_owned())
        .collect();
    sent.sort();
    originals.sort();
    assert_eq!(originals, sent, "byte for byte");
    let figures = port.daemon.figures();
    assert_eq!(figures.datagrams, 9);
    assert_eq!(figures.bytes, documents.iter().map(|datagram| datagram.len() as u64).sum::<u64>());
    assert_eq!(figures.waiting_bytes, 0);
    assert!(figures.receive_buffer_bytes > 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn damage_is_counted_and_shown_and_the_rest_is_kept() {
    let port = Port::open().await;
    for datagram in [
        &b""[..],
        b"\xff\xfe\n{}",
        b"{\"format\":\"json\",\"version\":2}\n{}",
        b"{\"format\":\"json\",\"version\":1}\nT1S!",
        b"{\"format\":\"json\",\"version\":1}\n{\"id\":7}",
        GOOD.as_bytes(),
    ] {
        port.send(datagram);
    }
    port.finish().await;
    assert_eq!(port.count("accepted", ""), 1);
    let shown = port.bed.xray.rejected(port.bed.default);
    for reason in ["header_missing", "header_malformed", "version_unknown", "otlp_base64", "trace_id_missing"]
    {
        assert_eq!(port.count("rejected", reason), 1, "{reason}");
        assert_eq!(shown.iter().filter(|shown| shown.reason == reason).count(), 1, "{reason}");
    }
    assert_eq!(shown[0].text, "{\"id\":7}");
}

#[tokio::test(flavor = "multi_thread")]
async fn otlp_is_handed_to_its_decoder_and_one_damaged_message_spoils_no_other() {
    let port = Port::open().await;
    let header = "{\"format\":\"json\",\"version\":1}\n";
    // Messages of one record each: good, good, damaged; and metrics.
    for payload in ["T1SCgEB", "T1UCgEC", "T1SCgH/", "M1CgED"] {
        port.send(format!("{header}{payload}").as_bytes());
    }
    let batches = port.finish().await;
    let rows = |signal| {
        batches.iter().filter(|batch| batch.signal == signal).map(EventBatch::row_count).sum::<usize>()
    };
    assert_eq!((rows(Signal::Span), rows(Signal::Metric)), (2, 1));
    assert_eq!(port.count("rejected", "otlp_malformed"), 1);
    assert_eq!(port.count("accepted", ""), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_datagram_is_taken() {
    let port = Port::open().await;
    let room = 65_507 - GOOD.len() - r#","user":"""#.len();
    let large = GOOD.replace("}", "").replacen("\"version\":1", "\"version\":1}", 1)
        + &format!(r#","user":"{}"}}"#, "x".repeat(room));
    assert_eq!(large.len(), 65_507);
    port.send(large.as_bytes());
    assert_eq!(port.finish().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_sink_is_asked_again() {
    let port = Port::open().await;
    port.bed.sink.refuse(Some(SinkError::Busy { retry_after_ms: 1 }));
    port.send(GOOD.as_bytes());
    while port.daemon.figures().datagrams == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(port.bed.sink.row_count(), 0);
    port.bed.sink.refuse(None);
    assert_eq!(port.finish().await.len(), 1);
    assert_eq!(port.count("accepted", ""), 1);
}
