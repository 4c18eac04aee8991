//! What the tracker is told of an occurrence: enough to find or make its item and to count it, small enough that many
//! wait in its inbox.

use serde::{Deserialize, Serialize};

use crate::{Level, Person, Source};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Unique over all projects, below 2^53, and later ones are larger within a process.
    pub occurrence_id: i64,
    pub project_id: i64,
    pub uuid: String,
    pub source: Source,
    /// Seconds since 1970 when the server took it in.
    pub received_s: i64,
    pub environment: String,
    /// 40 hex digits; with the project and the environment it names the item.
    pub fingerprint: String,
    /// At most 255 characters.
    pub title: String,
    /// Why the fingerprint is what it is, as JSON: shown with the item.
    pub grouping: String,
    /// One that the item may be known by: of the algorithm version before, during a transition, or of the same exception
    /// by another door. An item that has it takes this one too.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub old_fingerprint: Option<String>,
    pub level: Level,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub platform: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub framework: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code_version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub context: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub user_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub person: Option<Person>,
    /// Hex.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub trace_id: Option<String>,
    /// What makes it the same as one that came by another door: see [`crate::from_rows::identity`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub identity: Option<String>,
    /// Of type and message alone: see [`crate::from_rows::shape`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub shape: Option<String>,
    /// It came by another door and was counted there: the item takes its fingerprint and counts nothing.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_repeated: bool,
}
