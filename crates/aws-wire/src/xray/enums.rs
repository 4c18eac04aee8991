//! AWS X-Ray: words of which one must be used. Written by `cargo run -p xtask -- aws-wire` from
//! `models/aws/xray-2016-04-12.json`; a test of xtask fails when it differs from what the model says.

use serde::{Deserialize, Serialize};

/// The vendor's `EncryptionStatus`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum EncryptionStatus {
    #[serde(rename = "UPDATING")]
    Updating,
    #[serde(rename = "ACTIVE")]
    Active,
}

impl EncryptionStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Updating => "UPDATING",
            Self::Active => "ACTIVE",
        }
    }
}

/// The vendor's `EncryptionType`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum EncryptionType {
    #[serde(rename = "NONE")]
    None,
    #[serde(rename = "KMS")]
    Kms,
}

impl EncryptionType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Kms => "KMS",
        }
    }
}

/// The vendor's `InsightCategory`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum InsightCategory {
    #[serde(rename = "FAULT")]
    Fault,
}

impl InsightCategory {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fault => "FAULT",
        }
    }
}

/// The vendor's `InsightState`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum InsightState {
    #[serde(rename = "ACTIVE")]
    Active,
    #[serde(rename = "CLOSED")]
    Closed,
}

impl InsightState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Closed => "CLOSED",
        }
    }
}

/// The vendor's `RetrievalStatus`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum RetrievalStatus {
    #[serde(rename = "SCHEDULED")]
    Scheduled,
    #[serde(rename = "RUNNING")]
    Running,
    #[serde(rename = "COMPLETE")]
    Complete,
    #[serde(rename = "FAILED")]
    Failed,
    #[serde(rename = "CANCELLED")]
    Cancelled,
    #[serde(rename = "TIMEOUT")]
    Timeout,
}

impl RetrievalStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "SCHEDULED",
            Self::Running => "RUNNING",
            Self::Complete => "COMPLETE",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::Timeout => "TIMEOUT",
        }
    }
}

/// The vendor's `SamplingStrategyName`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum SamplingStrategyName {
    PartialScan,
    FixedRate,
}

impl SamplingStrategyName {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::PartialScan => "PartialScan",
            Self::FixedRate => "FixedRate",
        }
    }
}

/// The vendor's `TimeRangeType`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum TimeRangeType {
    TraceId,
    Event,
    Service,
}

impl TimeRangeType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TraceId => "TraceId",
            Self::Event => "Event",
            Self::Service => "Service",
        }
    }
}

/// The vendor's `TraceFormatType`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum TraceFormatType {
    #[serde(rename = "XRAY")]
    Xray,
    #[serde(rename = "OTEL")]
    Otel,
}

impl TraceFormatType {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Xray => "XRAY",
            Self::Otel => "OTEL",
        }
    }
}

/// The vendor's `TraceSegmentDestination`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum TraceSegmentDestination {
    XRay,
    CloudWatchLogs,
}

impl TraceSegmentDestination {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::XRay => "XRay",
            Self::CloudWatchLogs => "CloudWatchLogs",
        }
    }
}

/// The vendor's `TraceSegmentDestinationStatus`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
pub enum TraceSegmentDestinationStatus {
    #[serde(rename = "PENDING")]
    Pending,
    #[serde(rename = "ACTIVE")]
    Active,
}

impl TraceSegmentDestinationStatus {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Active => "ACTIVE",
        }
    }
}
