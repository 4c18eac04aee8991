//! Subscription filters at work: what arrives in a group and matches goes to a webhook. One task for each filter reads on
//! from where the last delivery ended, which is kept, so that a stop or a receiver that is away loses nothing: an event is
//! delivered once at least. One process of those that share a database is meant to have the door open: each would deliver.

mod parcel;
mod target;
mod work;

use std::collections::HashMap;
use std::sync::Arc;

use ahash::RandomState;
use parking_lot::RwLock;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tracery_aws_wire::logs::PutSubscriptionFilterRequest;
use tracery_settings::DocumentKind;

use crate::operations::kept::Shelf;
use crate::{Caller, CloudWatchLogs};

pub(crate) use target::{Destination, NO_TARGET, Target, destination_arn, destinations, resolve};
pub(crate) use work::{run, try_target};

/// A subscription filter as it is kept; its name is the group's and its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Subscription {
    /// A group that is made again under the name of a deleted one does not have its filters.
    pub(crate) group_id: String,
    pub(crate) account_id: String,
    pub(crate) created_ms: i64,
    /// What was taken in before is not delivered.
    pub(crate) from_ns: i64,
    pub(crate) filter: PutSubscriptionFilterRequest,
}

/// How far a filter's deliveries came; the document has the id of the filter's.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Place {
    pub(super) until_ns: i64,
}

/// Where a region's subscription filters are kept.
pub(crate) fn shelf<'a>(state: &'a CloudWatchLogs, caller: &Caller) -> Shelf<'a> {
    let kind = DocumentKind::LogsSubscription;
    Shelf::new(&state.intake.settings, caller.environment, kind, caller.region.as_str())
}

/// Whom to wake when something arrives, and when filters change.
#[derive(Default)]
pub(crate) struct Subscriptions {
    /// By the id of the group.
    waiting: RwLock<HashMap<String, Vec<Arc<Notify>>, RandomState>>,
    changed: Notify,
}

impl Subscriptions {
    /// Rows of a group became readable.
    pub(crate) fn arrived(&self, group_id: &str) {
        if let Some(waiting) = self.waiting.read().get(group_id) {
            waiting.iter().for_each(|task| task.notify_one());
        }
    }

    /// Filters were changed: the tasks are looked at again.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }
}
