//! What tests share: databases, a sink that records, damaged inputs, and a server that is a real process. A dev-dependency only.
//!
//! **Invariant:** nothing here waits for a moment; it waits for the state it means, and gives up loudly.

mod databases;
mod mutations;
mod recording_sink;
mod test_server;

pub use databases::TestDatabase;
pub use mutations::{each_mutation, seeds};
pub use recording_sink::RecordingSink;
pub use test_server::TestServer;
