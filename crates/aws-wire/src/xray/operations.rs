//! AWS X-Ray: operations, routes and errors. Written by `cargo run -p xtask -- aws-wire` from
//! `models/aws/xray-2016-04-12.json`; a test of xtask fails when it differs from what the model says.

use super::constraints;
use super::shapes::*;
use crate::operation::{Call, Spec};

/// The operations that are built.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Operation {
    BatchGetTraces,
    CancelTraceRetrieval,
    CreateGroup,
    CreateSamplingRule,
    DeleteGroup,
    DeleteResourcePolicy,
    DeleteSamplingRule,
    GetEncryptionConfig,
    GetGroup,
    GetGroups,
    GetIndexingRules,
    GetInsight,
    GetInsightEvents,
    GetInsightImpactGraph,
    GetInsightSummaries,
    GetRetrievedTracesGraph,
    GetSamplingRules,
    GetSamplingStatisticSummaries,
    GetSamplingTargets,
    GetServiceGraph,
    GetTimeSeriesServiceStatistics,
    GetTraceGraph,
    GetTraceSegmentDestination,
    GetTraceSummaries,
    ListResourcePolicies,
    ListRetrievedTraces,
    ListTagsForResource,
    PutEncryptionConfig,
    PutResourcePolicy,
    PutTelemetryRecords,
    PutTraceSegments,
    StartTraceRetrieval,
    TagResource,
    UntagResource,
    UpdateGroup,
    UpdateIndexingRule,
    UpdateSamplingRule,
    UpdateTraceSegmentDestination,
}

impl Operation {
    /// Every operation that is built.
    pub const ALL: &[Self] = &[
        Self::BatchGetTraces,
        Self::CancelTraceRetrieval,
        Self::CreateGroup,
        Self::CreateSamplingRule,
        Self::DeleteGroup,
        Self::DeleteResourcePolicy,
        Self::DeleteSamplingRule,
        Self::GetEncryptionConfig,
        Self::GetGroup,
        Self::GetGroups,
        Self::GetIndexingRules,
        Self::GetInsight,
        Self::GetInsightEvents,
        Self::GetInsightImpactGraph,
        Self::GetInsightSummaries,
        Self::GetRetrievedTracesGraph,
        Self::GetSamplingRules,
        Self::GetSamplingStatisticSummaries,
        Self::GetSamplingTargets,
        Self::GetServiceGraph,
        Self::GetTimeSeriesServiceStatistics,
        Self::GetTraceGraph,
        Self::GetTraceSegmentDestination,
        Self::GetTraceSummaries,
        Self::ListResourcePolicies,
        Self::ListRetrievedTraces,
        Self::ListTagsForResource,
        Self::PutEncryptionConfig,
        Self::PutResourcePolicy,
        Self::PutTelemetryRecords,
        Self::PutTraceSegments,
        Self::StartTraceRetrieval,
        Self::TagResource,
        Self::UntagResource,
        Self::UpdateGroup,
        Self::UpdateIndexingRule,
        Self::UpdateSamplingRule,
        Self::UpdateTraceSegmentDestination,
    ];

    /// The operation's name, path, constraints and errors.
    pub fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }

    /// The operation at a path; each is a `POST`.
    pub fn route(method: &http::Method, path: &str) -> Option<Self> {
        if method != http::Method::POST {
            return None;
        }
        Self::ALL.iter().copied().find(|operation| operation.spec().path == path)
    }
}

/// Operations of the model that are not built: the vendor's unknown-operation error answers them.
pub const NOT_BUILT: &[&str] = &[];

static SPECS: [Spec; 38] = [
    Spec {
        name: "BatchGetTraces",
        path: "/Traces",
        input: &constraints::BATCH_GET_TRACES_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "CancelTraceRetrieval",
        path: "/CancelTraceRetrieval",
        input: &constraints::CANCEL_TRACE_RETRIEVAL_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
        ],
    },
    Spec {
        name: "CreateGroup",
        path: "/CreateGroup",
        input: &constraints::CREATE_GROUP_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "CreateSamplingRule",
        path: "/CreateSamplingRule",
        input: &constraints::CREATE_SAMPLING_RULE_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RULE_LIMIT_EXCEEDED_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteGroup",
        path: "/DeleteGroup",
        input: &constraints::DELETE_GROUP_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "DeleteResourcePolicy",
        path: "/DeleteResourcePolicy",
        input: &constraints::DELETE_RESOURCE_POLICY_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::INVALID_POLICY_REVISION_ID_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteSamplingRule",
        path: "/DeleteSamplingRule",
        input: &constraints::DELETE_SAMPLING_RULE_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetEncryptionConfig",
        path: "/EncryptionConfig",
        input: &constraints::GET_ENCRYPTION_CONFIG_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetGroup",
        path: "/GetGroup",
        input: &constraints::GET_GROUP_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetGroups",
        path: "/Groups",
        input: &constraints::GET_GROUPS_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetIndexingRules",
        path: "/GetIndexingRules",
        input: &constraints::GET_INDEXING_RULES_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetInsight",
        path: "/Insight",
        input: &constraints::GET_INSIGHT_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetInsightEvents",
        path: "/InsightEvents",
        input: &constraints::GET_INSIGHT_EVENTS_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetInsightImpactGraph",
        path: "/InsightImpactGraph",
        input: &constraints::GET_INSIGHT_IMPACT_GRAPH_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetInsightSummaries",
        path: "/InsightSummaries",
        input: &constraints::GET_INSIGHT_SUMMARIES_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetRetrievedTracesGraph",
        path: "/GetRetrievedTracesGraph",
        input: &constraints::GET_RETRIEVED_TRACES_GRAPH_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
        ],
    },
    Spec {
        name: "GetSamplingRules",
        path: "/GetSamplingRules",
        input: &constraints::GET_SAMPLING_RULES_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetSamplingStatisticSummaries",
        path: "/SamplingStatisticSummaries",
        input: &constraints::GET_SAMPLING_STATISTIC_SUMMARIES_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetSamplingTargets",
        path: "/SamplingTargets",
        input: &constraints::GET_SAMPLING_TARGETS_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetServiceGraph",
        path: "/ServiceGraph",
        input: &constraints::GET_SERVICE_GRAPH_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetTimeSeriesServiceStatistics",
        path: "/TimeSeriesServiceStatistics",
        input: &constraints::GET_TIME_SERIES_SERVICE_STATISTICS_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetTraceGraph",
        path: "/TraceGraph",
        input: &constraints::GET_TRACE_GRAPH_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetTraceSegmentDestination",
        path: "/GetTraceSegmentDestination",
        input: &constraints::GET_TRACE_SEGMENT_DESTINATION_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "GetTraceSummaries",
        path: "/TraceSummaries",
        input: &constraints::GET_TRACE_SUMMARIES_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "ListResourcePolicies",
        path: "/ListResourcePolicies",
        input: &constraints::LIST_RESOURCE_POLICIES_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "ListRetrievedTraces",
        path: "/ListRetrievedTraces",
        input: &constraints::LIST_RETRIEVED_TRACES_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
        ],
    },
    Spec {
        name: "ListTagsForResource",
        path: "/ListTagsForResource",
        input: &constraints::LIST_TAGS_FOR_RESOURCE_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
        ],
    },
    Spec {
        name: "PutEncryptionConfig",
        path: "/PutEncryptionConfig",
        input: &constraints::PUT_ENCRYPTION_CONFIG_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "PutResourcePolicy",
        path: "/PutResourcePolicy",
        input: &constraints::PUT_RESOURCE_POLICY_REQUEST,
        invalid: "ValidationException",
        errors: &[
            &errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION,
            &errors::LOCKOUT_PREVENTION_EXCEPTION,
            &errors::INVALID_POLICY_REVISION_ID_EXCEPTION,
            &errors::POLICY_SIZE_LIMIT_EXCEEDED_EXCEPTION,
            &errors::POLICY_COUNT_LIMIT_EXCEEDED_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
        ],
    },
    Spec {
        name: "PutTelemetryRecords",
        path: "/TelemetryRecords",
        input: &constraints::PUT_TELEMETRY_RECORDS_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "PutTraceSegments",
        path: "/TraceSegments",
        input: &constraints::PUT_TRACE_SEGMENTS_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "StartTraceRetrieval",
        path: "/StartTraceRetrieval",
        input: &constraints::START_TRACE_RETRIEVAL_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
        ],
    },
    Spec {
        name: "TagResource",
        path: "/TagResource",
        input: &constraints::TAG_RESOURCE_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::TOO_MANY_TAGS_EXCEPTION,
        ],
    },
    Spec {
        name: "UntagResource",
        path: "/UntagResource",
        input: &constraints::UNTAG_RESOURCE_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
        ],
    },
    Spec {
        name: "UpdateGroup",
        path: "/UpdateGroup",
        input: &constraints::UPDATE_GROUP_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "UpdateIndexingRule",
        path: "/UpdateIndexingRule",
        input: &constraints::UPDATE_INDEXING_RULE_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[
            &errors::INVALID_REQUEST_EXCEPTION,
            &errors::THROTTLED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
        ],
    },
    Spec {
        name: "UpdateSamplingRule",
        path: "/UpdateSamplingRule",
        input: &constraints::UPDATE_SAMPLING_RULE_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
    Spec {
        name: "UpdateTraceSegmentDestination",
        path: "/UpdateTraceSegmentDestination",
        input: &constraints::UPDATE_TRACE_SEGMENT_DESTINATION_REQUEST,
        invalid: "InvalidRequestException",
        errors: &[&errors::INVALID_REQUEST_EXCEPTION, &errors::THROTTLED_EXCEPTION],
    },
];

impl Call for BatchGetTracesRequest {
    type Output = BatchGetTracesResult;
    const SPEC: &'static Spec = &SPECS[Operation::BatchGetTraces as usize];
}

impl Call for CancelTraceRetrievalRequest {
    type Output = CancelTraceRetrievalResult;
    const SPEC: &'static Spec = &SPECS[Operation::CancelTraceRetrieval as usize];
}

impl Call for CreateGroupRequest {
    type Output = CreateGroupResult;
    const SPEC: &'static Spec = &SPECS[Operation::CreateGroup as usize];
}

impl Call for CreateSamplingRuleRequest {
    type Output = CreateSamplingRuleResult;
    const SPEC: &'static Spec = &SPECS[Operation::CreateSamplingRule as usize];
}

impl Call for DeleteGroupRequest {
    type Output = DeleteGroupResult;
    const SPEC: &'static Spec = &SPECS[Operation::DeleteGroup as usize];
}

impl Call for DeleteResourcePolicyRequest {
    type Output = DeleteResourcePolicyResult;
    const SPEC: &'static Spec = &SPECS[Operation::DeleteResourcePolicy as usize];
}

impl Call for DeleteSamplingRuleRequest {
    type Output = DeleteSamplingRuleResult;
    const SPEC: &'static Spec = &SPECS[Operation::DeleteSamplingRule as usize];
}

impl Call for GetEncryptionConfigRequest {
    type Output = GetEncryptionConfigResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetEncryptionConfig as usize];
}

impl Call for GetGroupRequest {
    type Output = GetGroupResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetGroup as usize];
}

impl Call for GetGroupsRequest {
    type Output = GetGroupsResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetGroups as usize];
}

impl Call for GetIndexingRulesRequest {
    type Output = GetIndexingRulesResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetIndexingRules as usize];
}

impl Call for GetInsightRequest {
    type Output = GetInsightResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetInsight as usize];
}

impl Call for GetInsightEventsRequest {
    type Output = GetInsightEventsResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetInsightEvents as usize];
}

impl Call for GetInsightImpactGraphRequest {
    type Output = GetInsightImpactGraphResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetInsightImpactGraph as usize];
}

impl Call for GetInsightSummariesRequest {
    type Output = GetInsightSummariesResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetInsightSummaries as usize];
}

impl Call for GetRetrievedTracesGraphRequest {
    type Output = GetRetrievedTracesGraphResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetRetrievedTracesGraph as usize];
}

impl Call for GetSamplingRulesRequest {
    type Output = GetSamplingRulesResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetSamplingRules as usize];
}

impl Call for GetSamplingStatisticSummariesRequest {
    type Output = GetSamplingStatisticSummariesResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetSamplingStatisticSummaries as usize];
}

impl Call for GetSamplingTargetsRequest {
    type Output = GetSamplingTargetsResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetSamplingTargets as usize];
}

impl Call for GetServiceGraphRequest {
    type Output = GetServiceGraphResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetServiceGraph as usize];
}

impl Call for GetTimeSeriesServiceStatisticsRequest {
    type Output = GetTimeSeriesServiceStatisticsResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetTimeSeriesServiceStatistics as usize];
}

impl Call for GetTraceGraphRequest {
    type Output = GetTraceGraphResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetTraceGraph as usize];
}

impl Call for GetTraceSegmentDestinationRequest {
    type Output = GetTraceSegmentDestinationResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetTraceSegmentDestination as usize];
}

impl Call for GetTraceSummariesRequest {
    type Output = GetTraceSummariesResult;
    const SPEC: &'static Spec = &SPECS[Operation::GetTraceSummaries as usize];
}

impl Call for ListResourcePoliciesRequest {
    type Output = ListResourcePoliciesResult;
    const SPEC: &'static Spec = &SPECS[Operation::ListResourcePolicies as usize];
}

impl Call for ListRetrievedTracesRequest {
    type Output = ListRetrievedTracesResult;
    const SPEC: &'static Spec = &SPECS[Operation::ListRetrievedTraces as usize];
}

impl Call for ListTagsForResourceRequest {
    type Output = ListTagsForResourceResponse;
    const SPEC: &'static Spec = &SPECS[Operation::ListTagsForResource as usize];
}

impl Call for PutEncryptionConfigRequest {
    type Output = PutEncryptionConfigResult;
    const SPEC: &'static Spec = &SPECS[Operation::PutEncryptionConfig as usize];
}

impl Call for PutResourcePolicyRequest {
    type Output = PutResourcePolicyResult;
    const SPEC: &'static Spec = &SPECS[Operation::PutResourcePolicy as usize];
}

impl Call for PutTelemetryRecordsRequest {
    type Output = PutTelemetryRecordsResult;
    const SPEC: &'static Spec = &SPECS[Operation::PutTelemetryRecords as usize];
}

impl Call for PutTraceSegmentsRequest {
    type Output = PutTraceSegmentsResult;
    const SPEC: &'static Spec = &SPECS[Operation::PutTraceSegments as usize];
}

impl Call for StartTraceRetrievalRequest {
    type Output = StartTraceRetrievalResult;
    const SPEC: &'static Spec = &SPECS[Operation::StartTraceRetrieval as usize];
}

impl Call for TagResourceRequest {
    type Output = TagResourceResponse;
    const SPEC: &'static Spec = &SPECS[Operation::TagResource as usize];
}

impl Call for UntagResourceRequest {
    type Output = UntagResourceResponse;
    const SPEC: &'static Spec = &SPECS[Operation::UntagResource as usize];
}

impl Call for UpdateGroupRequest {
    type Output = UpdateGroupResult;
    const SPEC: &'static Spec = &SPECS[Operation::UpdateGroup as usize];
}

impl Call for UpdateIndexingRuleRequest {
    type Output = UpdateIndexingRuleResult;
    const SPEC: &'static Spec = &SPECS[Operation::UpdateIndexingRule as usize];
}

impl Call for UpdateSamplingRuleRequest {
    type Output = UpdateSamplingRuleResult;
    const SPEC: &'static Spec = &SPECS[Operation::UpdateSamplingRule as usize];
}

impl Call for UpdateTraceSegmentDestinationRequest {
    type Output = UpdateTraceSegmentDestinationResult;
    const SPEC: &'static Spec = &SPECS[Operation::UpdateTraceSegmentDestination as usize];
}

/// The errors that the operations declare.
pub mod errors {
    use crate::answer::ErrorSpec;

    /// `InvalidPolicyRevisionIdException`, HTTP 400.
    pub static INVALID_POLICY_REVISION_ID_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "InvalidPolicyRevisionIdException", status: 400 };
    /// `InvalidRequestException`, HTTP 400.
    pub static INVALID_REQUEST_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "InvalidRequestException", status: 400 };
    /// `LockoutPreventionException`, HTTP 400.
    pub static LOCKOUT_PREVENTION_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "LockoutPreventionException", status: 400 };
    /// `MalformedPolicyDocumentException`, HTTP 400.
    pub static MALFORMED_POLICY_DOCUMENT_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "MalformedPolicyDocumentException", status: 400 };
    /// `PolicyCountLimitExceededException`, HTTP 400.
    pub static POLICY_COUNT_LIMIT_EXCEEDED_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "PolicyCountLimitExceededException", status: 400 };
    /// `PolicySizeLimitExceededException`, HTTP 400.
    pub static POLICY_SIZE_LIMIT_EXCEEDED_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "PolicySizeLimitExceededException", status: 400 };
    /// `ResourceNotFoundException`, HTTP 404.
    pub static RESOURCE_NOT_FOUND_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "ResourceNotFoundException", status: 404 };
    /// `RuleLimitExceededException`, HTTP 400.
    pub static RULE_LIMIT_EXCEEDED_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "RuleLimitExceededException", status: 400 };
    /// `ThrottledException`, HTTP 429.
    pub static THROTTLED_EXCEPTION: ErrorSpec = ErrorSpec { code: "ThrottledException", status: 429 };
    /// `TooManyTagsException`, HTTP 400.
    pub static TOO_MANY_TAGS_EXCEPTION: ErrorSpec = ErrorSpec { code: "TooManyTagsException", status: 400 };
}
