//! From texts of segment documents to batches of rows: what `PutTraceSegments` and the UDP port have in common. A text is
//! read, names of segments are remembered for subsegments that come alone, rows are written, and what is refused is
//! counted, kept for a look, and given back.

use tracery_columnar::EventBatch;
use tracery_intake::IntakeMetrics;
use tracery_model::EnvironmentId;

use crate::rejected::RejectedDocuments;
use crate::segment::{Code, Document, Refusal, RowWriter, SegmentNames, for_each_document};

/// What is remembered between requests.
#[derive(Debug, Default)]
pub(crate) struct Ingest {
    names: SegmentNames,
    pub(crate) rejected: RejectedDocuments,
}

/// Where texts come from and belong.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    pub(crate) environment: EnvironmentId,
    pub(crate) received_ns: i64,
    /// The word of `/metrics`.
    pub(crate) door: &'static str,
    /// Memory that the rows may take.
    pub(crate) row_bytes_max: usize,
}

/// Rows that wait for the sink, and what became of the documents.
#[derive(Debug)]
pub(crate) struct Written {
    sent: Sent,
    rows: RowWriter,
    pub(crate) document_count: usize,
    pub(crate) refusals: Vec<Refusal>,
}

impl Written {
    pub(crate) fn new(sent: Sent) -> Self {
        Self { sent, rows: RowWriter::new(sent.received_ns), document_count: 0, refusals: Vec::new() }
    }

    /// The batches. Values that were left out are counted; documents are counted by whoever hears of the sink.
    pub(crate) fn finish(self, metrics: &IntakeMetrics) -> Vec<EventBatch> {
        metrics.dropped(self.sent.door, "left_out", self.rows.left_out);
        self.rows.finish()
    }
}

impl Ingest {
    /// Writes the documents of some texts. A segment is known to the subsegments that come with it, in whatever order.
    pub(crate) fn write<'t>(
        &self,
        written: &mut Written,
        metrics: &IntakeMetrics,
        texts: impl IntoIterator<Item = &'t str>,
    ) {
        let Sent { environment, .. } = written.sent;
        let mut documents = Vec::new();
        for text in texts {
            for_each_document(text, |original, document| match document {
                Ok(document) => {
                    if !document.is_subsegment {
                        let Document { trace_id, head, .. } = &document;
                        self.names.learn(environment, *trace_id, head.id, &head.name);
                    }
                    documents.push(document);
                }
                Err(refusal) => self.refuse(written, metrics, refusal, original),
            });
        }
        for document in documents {
            if written.rows.byte_count() > written.sent.row_bytes_max {
                let id = Some(document.head.id.to_string());
                let is_subsegment = document.is_subsegment;
                let refusal = Refusal { id, code: Code::TooLarge, is_subsegment };
                self.refuse(written, metrics, refusal, document.original);
                continue;
            }
            let service = document
                .head
                .parent_id
                .filter(|_| document.is_subsegment)
                .and_then(|parent_id| self.names.find(environment, document.trace_id, parent_id));
            written.rows.write(&document, service.as_deref());
            written.document_count += 1;
        }
    }

    fn refuse(&self, written: &mut Written, metrics: &IntakeMetrics, refusal: Refusal, text: &str) {
        let Sent { environment, received_ns, door, .. } = written.sent;
        metrics.rejected(door, refusal.code.word(), 1);
        let reason = (refusal.code.word(), refusal.code.about());
        self.rejected.add(environment, received_ns / 1_000_000, door, reason, text.as_bytes());
        written.refusals.push(refusal);
    }
}
