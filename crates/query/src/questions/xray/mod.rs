//! Questions in X-Ray's terms over the rows of both doors: its own segments and OpenTelemetry's spans. The X-Ray door
//! asks them; what a row stands for on the service map is decided here, in one place.

mod documents;
mod node;

pub use documents::{
    DocumentLimits, StoredDocument, StoredEvent, StoredLink, StoredSpan, TraceDocuments, documents,
};
pub use node::subsegment_node;
