//! Amazon CloudWatch Logs: words of which one must be used. Written by `cargo run -p xtask -- aws-wire` from
//! `models/aws/logs-2014-03-28.json`; a test of xtask fails when it differs from what the model says.

use serde::{Deserialize, Serialize};

/// The vendor's `ActionStatus`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ActionStatus {
    #[serde(rename = "IN_PROGRESS")]
    InProgress,
    #[serde(rename = "CLIENT_ERROR")]
    ClientError,
    #[serde(rename = "FAILED")]
    Failed,
    #[serde(rename = "COMPLETE")]
    Complete,
}

impl ActionStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::ClientError => "CLIENT_ERROR",
            Self::Failed => "FAILED",
            Self::Complete => "COMPLETE",
        }
    }
}

/// The vendor's `DataProtectionStatus`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum DataProtectionStatus {
    #[serde(rename = "ACTIVATED")]
    Activated,
    #[serde(rename = "DELETED")]
    Deleted,
    #[serde(rename = "ARCHIVED")]
    Archived,
    #[serde(rename = "DISABLED")]
    Disabled,
}

impl DataProtectionStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Activated => "ACTIVATED",
            Self::Deleted => "DELETED",
            Self::Archived => "ARCHIVED",
            Self::Disabled => "DISABLED",
        }
    }
}

/// The vendor's `Distribution`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum Distribution {
    Random,
    ByLogStream,
}

impl Distribution {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Random => "Random",
            Self::ByLogStream => "ByLogStream",
        }
    }
}

/// The vendor's `EntityRejectionErrorType`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum EntityRejectionErrorType {
    InvalidEntity,
    InvalidTypeValue,
    InvalidKeyAttributes,
    InvalidAttributes,
    EntitySizeTooLarge,
    UnsupportedLogGroupType,
    MissingRequiredFields,
}

impl EntityRejectionErrorType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidEntity => "InvalidEntity",
            Self::InvalidTypeValue => "InvalidTypeValue",
            Self::InvalidKeyAttributes => "InvalidKeyAttributes",
            Self::InvalidAttributes => "InvalidAttributes",
            Self::EntitySizeTooLarge => "EntitySizeTooLarge",
            Self::UnsupportedLogGroupType => "UnsupportedLogGroupType",
            Self::MissingRequiredFields => "MissingRequiredFields",
        }
    }
}

/// The vendor's `ExecutionStatus`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ExecutionStatus {
    Running,
    InvalidQuery,
    Complete,
    Failed,
    Timeout,
}

impl ExecutionStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "Running",
            Self::InvalidQuery => "InvalidQuery",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Timeout => "Timeout",
        }
    }
}

/// The vendor's `InheritedProperty`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum InheritedProperty {
    #[serde(rename = "ACCOUNT_DATA_PROTECTION")]
    AccountDataProtection,
}

impl InheritedProperty {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountDataProtection => "ACCOUNT_DATA_PROTECTION",
        }
    }
}

/// The vendor's `LogGroupClass`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum LogGroupClass {
    #[serde(rename = "STANDARD")]
    Standard,
    #[serde(rename = "INFREQUENT_ACCESS")]
    InfrequentAccess,
    #[serde(rename = "DELIVERY")]
    Delivery,
    #[serde(rename = "ESSENTIALS")]
    Essentials,
}

impl LogGroupClass {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "STANDARD",
            Self::InfrequentAccess => "INFREQUENT_ACCESS",
            Self::Delivery => "DELIVERY",
            Self::Essentials => "ESSENTIALS",
        }
    }
}

/// The vendor's `OrderBy`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum OrderBy {
    LogStreamName,
    LastEventTime,
}

impl OrderBy {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LogStreamName => "LogStreamName",
            Self::LastEventTime => "LastEventTime",
        }
    }
}

/// The vendor's `QueryLanguage`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum QueryLanguage {
    #[serde(rename = "CWLI")]
    Cwli,
    #[serde(rename = "SQL")]
    Sql,
    #[serde(rename = "PPL")]
    Ppl,
}

impl QueryLanguage {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cwli => "CWLI",
            Self::Sql => "SQL",
            Self::Ppl => "PPL",
        }
    }
}

/// The vendor's `QueryStatus`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum QueryStatus {
    Scheduled,
    Running,
    Complete,
    Failed,
    Cancelled,
    Timeout,
    Unknown,
}

impl QueryStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "Scheduled",
            Self::Running => "Running",
            Self::Complete => "Complete",
            Self::Failed => "Failed",
            Self::Cancelled => "Cancelled",
            Self::Timeout => "Timeout",
            Self::Unknown => "Unknown",
        }
    }
}

/// The vendor's `ScheduleType`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ScheduleType {
    #[serde(rename = "CUSTOMER_MANAGED")]
    CustomerManaged,
    #[serde(rename = "AWS_MANAGED")]
    AwsManaged,
}

impl ScheduleType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CustomerManaged => "CUSTOMER_MANAGED",
            Self::AwsManaged => "AWS_MANAGED",
        }
    }
}

/// The vendor's `ScheduledQueryDestinationType`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ScheduledQueryDestinationType {
    S3,
    #[serde(rename = "LOOKUP_TABLE")]
    LookupTable,
}

impl ScheduledQueryDestinationType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::S3 => "S3",
            Self::LookupTable => "LOOKUP_TABLE",
        }
    }
}

/// The vendor's `ScheduledQueryState`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum ScheduledQueryState {
    #[serde(rename = "ENABLED")]
    Enabled,
    #[serde(rename = "DISABLED")]
    Disabled,
}

impl ScheduledQueryState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "ENABLED",
            Self::Disabled => "DISABLED",
        }
    }
}

/// The vendor's `StandardUnit`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum StandardUnit {
    Seconds,
    Microseconds,
    Milliseconds,
    Bytes,
    Kilobytes,
    Megabytes,
    Gigabytes,
    Terabytes,
    Bits,
    Kilobits,
    Megabits,
    Gigabits,
    Terabits,
    Percent,
    Count,
    #[serde(rename = "Bytes/Second")]
    BytesSecond,
    #[serde(rename = "Kilobytes/Second")]
    KilobytesSecond,
    #[serde(rename = "Megabytes/Second")]
    MegabytesSecond,
    #[serde(rename = "Gigabytes/Second")]
    GigabytesSecond,
    #[serde(rename = "Terabytes/Second")]
    TerabytesSecond,
    #[serde(rename = "Bits/Second")]
    BitsSecond,
    #[serde(rename = "Kilobits/Second")]
    KilobitsSecond,
    #[serde(rename = "Megabits/Second")]
    MegabitsSecond,
    #[serde(rename = "Gigabits/Second")]
    GigabitsSecond,
    #[serde(rename = "Terabits/Second")]
    TerabitsSecond,
    #[serde(rename = "Count/Second")]
    CountSecond,
    None,
}

impl StandardUnit {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seconds => "Seconds",
            Self::Microseconds => "Microseconds",
            Self::Milliseconds => "Milliseconds",
            Self::Bytes => "Bytes",
            Self::Kilobytes => "Kilobytes",
            Self::Megabytes => "Megabytes",
            Self::Gigabytes => "Gigabytes",
            Self::Terabytes => "Terabytes",
            Self::Bits => "Bits",
            Self::Kilobits => "Kilobits",
            Self::Megabits => "Megabits",
            Self::Gigabits => "Gigabits",
            Self::Terabits => "Terabits",
            Self::Percent => "Percent",
            Self::Count => "Count",
            Self::BytesSecond => "Bytes/Second",
            Self::KilobytesSecond => "Kilobytes/Second",
            Self::MegabytesSecond => "Megabytes/Second",
            Self::GigabytesSecond => "Gigabytes/Second",
            Self::TerabytesSecond => "Terabytes/Second",
            Self::BitsSecond => "Bits/Second",
            Self::KilobitsSecond => "Kilobits/Second",
            Self::MegabitsSecond => "Megabits/Second",
            Self::GigabitsSecond => "Gigabits/Second",
            Self::TerabitsSecond => "Terabits/Second",
            Self::CountSecond => "Count/Second",
            Self::None => "None",
        }
    }
}
