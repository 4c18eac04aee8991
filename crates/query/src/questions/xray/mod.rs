//! The questions of X-Ray's API about traces: which traces a filter finds, newest first, and the service map with its
//! numbers. Its door calls them; rows of X-Ray documents and of OpenTelemetry spans answer alike, and what a row stands for
//! on the map is decided here.

mod client;
mod documents;
mod find;
mod kept_maps;
mod map;
mod names;
mod node;
mod rows;
mod scan;
mod shape;
mod view;

pub use documents::{
    DocumentLimits, StoredDocument, StoredEvent, StoredLink, StoredSpan, TraceDocuments, documents,
};
pub use find::{Find, Found, Page, Position, RangeBy, RootCauses, find};
pub use kept_maps::KeptMaps;
pub use map::{
    EDGES_MAX, Entity, Histogram, MapEdge, MapNode, ServiceMap, Statistics, Traffic, series, service_map,
    trace_map,
};
pub use names::{NODES_MAX, Node};
pub use node::subsegment_node;
pub use view::Filter;

#[cfg(test)]
mod tests;
