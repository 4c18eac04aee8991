//! What this door needs to read metrics in OTLP, which it does not know itself: a metric stream of CloudWatch comes through
//! `/1/kinesis_events`. `server` supplies it; without it such records are refused and counted.

use std::sync::Arc;

use tracery_columnar::EventBatch;
use tracery_intake::Busy;

/// Metrics of one message.
#[derive(Debug, Default)]
pub struct DecodedMetrics {
    pub batches: Vec<EventBatch>,
    /// Data points that were kept, and those that were not.
    pub record_count: usize,
    pub rejected_count: usize,
}

#[derive(Debug)]
pub enum MetricsError {
    /// There is no room for the columns.
    Busy(Busy),
    /// The message is none, or its columns are too large.
    Malformed,
}

/// Decodes an export request in protobuf: the message, the dataset, when it came (ns since 1970), and who is told of the
/// memory of each batch.
pub type OtlpMetrics = Arc<
    dyn Fn(
            &[u8],
            &str,
            i64,
            &mut dyn FnMut(usize) -> Result<(), Busy>,
        ) -> Result<DecodedMetrics, MetricsError>
        + Send
        + Sync,
>;
