//! Where bodies are inflated and decoded: off the threads that serve connections, and no more at a time than the cores
//! can do. Every door that takes telemetry calls [`Intake::decode`] with the work of one request.

use std::sync::Arc;

use thiserror::Error;
use tokio::sync::Semaphore;

use crate::Intake;

/// Smaller bodies are decoded where they arrive: handing them to another thread takes longer than decoding.
const IN_PLACE_BYTES_MAX: usize = 16 << 10;

/// The work ended before its time: a panic, or the server is being stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("body cannot be decoded")]
pub struct DecodingEnded;

/// Places for bodies that are inflated and decoded at the same time; more would only take memory.
pub(crate) fn places() -> Arc<Semaphore> {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Arc::new(Semaphore::new(2 * cores))
}

impl Intake {
    /// Does the work of decoding a body of `sent_bytes`, once there is a place for it.
    pub async fn decode<T: Send + 'static>(
        &self,
        sent_bytes: usize,
        is_compressed: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, DecodingEnded> {
        // The place goes with the work: when the client leaves, the work it started still runs to its end.
        let place = Arc::clone(&self.decoding).acquire_owned().await.map_err(|_| DecodingEnded)?;
        if sent_bytes <= IN_PLACE_BYTES_MAX && !is_compressed {
            return Ok(work());
        }
        let running = tokio::task::spawn_blocking(move || {
            let _place = place;
            work()
        });
        running.await.map_err(|_| DecodingEnded)
    }
}
