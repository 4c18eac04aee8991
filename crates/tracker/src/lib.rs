//! Items and what people do with them: counting occurrences, states, assignment, comments, people, versions and deploys.
//! Everything small and transactional about errors; the occurrences themselves are in the store. Doors note what they
//! took in, a worker groups it, and Rollbar's API reads and changes items here.
//!
//! **Invariant:** an occurrence that was noted is counted once, whatever crashes; an item changes its state only as
//! `lifecycle` says.

mod database;
mod deploys;
mod inbox;
mod item_changes;
mod items;
mod lifecycle;
mod notifications;
mod people;
mod projects;
mod search;
mod sequences;
mod statement;
mod take;
mod versions;
mod worker;

pub use database::{Tracker, TrackerError};
pub use deploys::{Deploy, DeployStatus};
pub use inbox::Rejected;
pub use item_changes::{ItemChange, ItemUpdate};
pub use items::{Item, ItemFilter, ItemPage, Order};
pub use lifecycle::Status;
pub use notifications::{ATTEMPTS_MAX, Delivery, DeliveryLine, EVENTS, Notice, NotificationRule, RULES_MAX};
pub use people::PersonSeen;
pub use projects::{Project, TokenSettings};
pub use search::{Search, SearchError};
pub use take::{TakeError, Taken};
pub use versions::{Version, VersionEvent, VersionItem, VersionStats};
