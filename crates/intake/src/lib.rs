//! What every front end shares on the way in: who is calling, how large a body may be, how it is inflated, and the
//! counters of what was accepted, rejected and dropped.
//!
//! **Invariant:** a protocol decides nothing here: it asks, and spells the answer in its own language.

mod aws;
mod body;
mod budget;
mod caller;
mod decoding;
mod inflate;
mod metrics;
mod registry;
mod vouched;

pub use aws::{AwsCaller, Unverified};
pub use body::BodyError;
pub use budget::{Busy, ColumnRoom, MemoryBudget, Permit};
pub use caller::{AuthMode, Caller, CallerError, KnownDatasets, ManagementCaller, Permission};
pub use decoding::DecodingEnded;
pub use inflate::{InflateError, inflate};
pub use metrics::IntakeMetrics;
pub use registry::DatasetRegistry;
pub use vouched::Vouched;

use std::sync::Arc;

use tokio::sync::Semaphore;
use tracery_columnar::Sink;
use tracery_settings::Settings;
use tracery_stdx::Clock;

/// Bounds of one request body, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// As sent. Honeycomb's translator takes 20 MiB.
    pub body_bytes_max: usize,
    /// After decompression.
    pub inflated_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { body_bytes_max: 20 << 20, inflated_bytes_max: 128 << 20 }
    }
}

/// Handed to each front door once, at start.
#[derive(Clone)]
pub struct Intake {
    pub sink: Arc<dyn Sink>,
    pub settings: Settings,
    pub clock: Arc<dyn Clock>,
    pub limits: Limits,
    pub mode: AuthMode,
    pub metrics: Arc<IntakeMetrics>,
    /// What all doors together may hold in memory.
    pub budget: Arc<MemoryBudget>,
    /// What all doors together decode at one time.
    pub decoding: Arc<Semaphore>,
}

impl Intake {
    /// With the default limits and budget.
    pub fn new(sink: Arc<dyn Sink>, settings: Settings, clock: Arc<dyn Clock>, mode: AuthMode) -> Self {
        Self {
            sink,
            settings,
            clock,
            limits: Limits::default(),
            mode,
            metrics: Arc::default(),
            budget: Arc::default(),
            decoding: decoding::places(),
        }
    }
}
