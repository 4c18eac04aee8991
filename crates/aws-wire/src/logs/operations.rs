//! Amazon CloudWatch Logs: operations, routes and errors. Written by `cargo run -p xtask -- aws-wire` from
//! `models/aws/logs-2014-03-28.json`; a test of xtask fails when it differs from what the model says.

use super::constraints;
use super::shapes::*;
use crate::operation::{Call, Spec};

/// The operations that are built.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Operation {
    CreateLogGroup,
    CreateLogStream,
    CreateLookupTable,
    CreateScheduledQuery,
    DeleteDestination,
    DeleteLogGroup,
    DeleteLogStream,
    DeleteLookupTable,
    DeleteMetricFilter,
    DeleteQueryDefinition,
    DeleteRetentionPolicy,
    DeleteScheduledQuery,
    DeleteSubscriptionFilter,
    DescribeDestinations,
    DescribeLogGroups,
    DescribeLogStreams,
    DescribeLookupTables,
    DescribeMetricFilters,
    DescribeQueries,
    DescribeQueryDefinitions,
    DescribeSubscriptionFilters,
    FilterLogEvents,
    GetLogEvents,
    GetLogGroupFields,
    GetLogRecord,
    GetLookupTable,
    GetQueryResults,
    GetScheduledQuery,
    GetScheduledQueryHistory,
    ListLogGroups,
    ListLogGroupsForQuery,
    ListScheduledQueries,
    ListTagsForResource,
    ListTagsLogGroup,
    PutDestination,
    PutDestinationPolicy,
    PutLogEvents,
    PutLogGroupDeletionProtection,
    PutMetricFilter,
    PutQueryDefinition,
    PutRetentionPolicy,
    PutSubscriptionFilter,
    StartLiveTail,
    StartQuery,
    StopQuery,
    TagLogGroup,
    TagResource,
    TestMetricFilter,
    UntagLogGroup,
    UntagResource,
    UpdateLookupTable,
    UpdateScheduledQuery,
}

impl Operation {
    /// Every operation that is built.
    pub const ALL: &[Self] = &[
        Self::CreateLogGroup,
        Self::CreateLogStream,
        Self::CreateLookupTable,
        Self::CreateScheduledQuery,
        Self::DeleteDestination,
        Self::DeleteLogGroup,
        Self::DeleteLogStream,
        Self::DeleteLookupTable,
        Self::DeleteMetricFilter,
        Self::DeleteQueryDefinition,
        Self::DeleteRetentionPolicy,
        Self::DeleteScheduledQuery,
        Self::DeleteSubscriptionFilter,
        Self::DescribeDestinations,
        Self::DescribeLogGroups,
        Self::DescribeLogStreams,
        Self::DescribeLookupTables,
        Self::DescribeMetricFilters,
        Self::DescribeQueries,
        Self::DescribeQueryDefinitions,
        Self::DescribeSubscriptionFilters,
        Self::FilterLogEvents,
        Self::GetLogEvents,
        Self::GetLogGroupFields,
        Self::GetLogRecord,
        Self::GetLookupTable,
        Self::GetQueryResults,
        Self::GetScheduledQuery,
        Self::GetScheduledQueryHistory,
        Self::ListLogGroups,
        Self::ListLogGroupsForQuery,
        Self::ListScheduledQueries,
        Self::ListTagsForResource,
        Self::ListTagsLogGroup,
        Self::PutDestination,
        Self::PutDestinationPolicy,
        Self::PutLogEvents,
        Self::PutLogGroupDeletionProtection,
        Self::PutMetricFilter,
        Self::PutQueryDefinition,
        Self::PutRetentionPolicy,
        Self::PutSubscriptionFilter,
        Self::StartLiveTail,
        Self::StartQuery,
        Self::StopQuery,
        Self::TagLogGroup,
        Self::TagResource,
        Self::TestMetricFilter,
        Self::UntagLogGroup,
        Self::UntagResource,
        Self::UpdateLookupTable,
        Self::UpdateScheduledQuery,
    ];

    /// The operation's name, path, constraints and errors.
    pub fn spec(self) -> &'static Spec {
        &SPECS[self as usize]
    }

    /// The operation that `X-Amz-Target` names.
    pub fn route(target: &str) -> Option<Self> {
        let name = target.strip_prefix("Logs_20140328.")?;
        Self::ALL.iter().copied().find(|operation| operation.spec().name == name)
    }
}

/// Operations of the model that are not built: the vendor's unknown-operation error answers them.
pub const NOT_BUILT: &[&str] = &[
    "AssociateKmsKey",
    "AssociateSourceToS3TableIntegration",
    "CancelExportTask",
    "CancelImportTask",
    "CreateDelivery",
    "CreateExportTask",
    "CreateImportTask",
    "CreateLogAnomalyDetector",
    "DeleteAccountPolicy",
    "DeleteDataProtectionPolicy",
    "DeleteDelivery",
    "DeleteDeliveryDestination",
    "DeleteDeliveryDestinationPolicy",
    "DeleteDeliverySource",
    "DeleteIndexPolicy",
    "DeleteIntegration",
    "DeleteLogAnomalyDetector",
    "DeleteResourcePolicy",
    "DeleteSyslogConfiguration",
    "DeleteTransformer",
    "DescribeAccountPolicies",
    "DescribeConfigurationTemplates",
    "DescribeDeliveries",
    "DescribeDeliveryDestinations",
    "DescribeDeliverySources",
    "DescribeExportTasks",
    "DescribeFieldIndexes",
    "DescribeImportTaskBatches",
    "DescribeImportTasks",
    "DescribeIndexPolicies",
    "DescribeResourcePolicies",
    "DisassociateKmsKey",
    "DisassociateSourceFromS3TableIntegration",
    "GetDataProtectionPolicy",
    "GetDelivery",
    "GetDeliveryDestination",
    "GetDeliveryDestinationPolicy",
    "GetDeliverySource",
    "GetIntegration",
    "GetLogAnomalyDetector",
    "GetLogFields",
    "GetLogObject",
    "GetStorageTierPolicy",
    "GetTransformer",
    "ListAggregateLogGroupSummaries",
    "ListAnomalies",
    "ListIntegrations",
    "ListLogAnomalyDetectors",
    "ListSourcesForS3TableIntegration",
    "ListSyslogConfigurations",
    "PutAccountPolicy",
    "PutBearerTokenAuthentication",
    "PutDataProtectionPolicy",
    "PutDeliveryDestination",
    "PutDeliveryDestinationPolicy",
    "PutDeliverySource",
    "PutIndexPolicy",
    "PutIntegration",
    "PutResourcePolicy",
    "PutStorageTierPolicy",
    "PutSyslogConfiguration",
    "PutTransformer",
    "TestTransformer",
    "UpdateAnomaly",
    "UpdateDeliveryConfiguration",
    "UpdateLogAnomalyDetector",
];

static SPECS: [Spec; 52] = [
    Spec {
        name: "CreateLogGroup",
        path: "/",
        input: &constraints::CREATE_LOG_GROUP_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_ALREADY_EXISTS_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "CreateLogStream",
        path: "/",
        input: &constraints::CREATE_LOG_STREAM_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_ALREADY_EXISTS_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "CreateLookupTable",
        path: "/",
        input: &constraints::CREATE_LOOKUP_TABLE_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_ALREADY_EXISTS_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::VALIDATION_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "CreateScheduledQuery",
        path: "/",
        input: &constraints::CREATE_SCHEDULED_QUERY_REQUEST,
        invalid: "ValidationException",
        errors: &[
            &errors::VALIDATION_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::CONFLICT_EXCEPTION,
            &errors::SERVICE_QUOTA_EXCEEDED_EXCEPTION,
            &errors::THROTTLING_EXCEPTION,
            &errors::INTERNAL_SERVER_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteDestination",
        path: "/",
        input: &constraints::DELETE_DESTINATION_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteLogGroup",
        path: "/",
        input: &constraints::DELETE_LOG_GROUP_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
            &errors::VALIDATION_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteLogStream",
        path: "/",
        input: &constraints::DELETE_LOG_STREAM_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
            &errors::VALIDATION_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteLookupTable",
        path: "/",
        input: &constraints::DELETE_LOOKUP_TABLE_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteMetricFilter",
        path: "/",
        input: &constraints::DELETE_METRIC_FILTER_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteQueryDefinition",
        path: "/",
        input: &constraints::DELETE_QUERY_DEFINITION_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteRetentionPolicy",
        path: "/",
        input: &constraints::DELETE_RETENTION_POLICY_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteScheduledQuery",
        path: "/",
        input: &constraints::DELETE_SCHEDULED_QUERY_REQUEST,
        invalid: "ValidationException",
        errors: &[
            &errors::VALIDATION_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::THROTTLING_EXCEPTION,
            &errors::INTERNAL_SERVER_EXCEPTION,
        ],
    },
    Spec {
        name: "DeleteSubscriptionFilter",
        path: "/",
        input: &constraints::DELETE_SUBSCRIPTION_FILTER_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DescribeDestinations",
        path: "/",
        input: &constraints::DESCRIBE_DESTINATIONS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[&errors::INVALID_PARAMETER_EXCEPTION, &errors::SERVICE_UNAVAILABLE_EXCEPTION],
    },
    Spec {
        name: "DescribeLogGroups",
        path: "/",
        input: &constraints::DESCRIBE_LOG_GROUPS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[&errors::INVALID_PARAMETER_EXCEPTION, &errors::SERVICE_UNAVAILABLE_EXCEPTION],
    },
    Spec {
        name: "DescribeLogStreams",
        path: "/",
        input: &constraints::DESCRIBE_LOG_STREAMS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DescribeLookupTables",
        path: "/",
        input: &constraints::DESCRIBE_LOOKUP_TABLES_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DescribeMetricFilters",
        path: "/",
        input: &constraints::DESCRIBE_METRIC_FILTERS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DescribeQueries",
        path: "/",
        input: &constraints::DESCRIBE_QUERIES_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "DescribeQueryDefinitions",
        path: "/",
        input: &constraints::DESCRIBE_QUERY_DEFINITIONS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[&errors::INVALID_PARAMETER_EXCEPTION, &errors::SERVICE_UNAVAILABLE_EXCEPTION],
    },
    Spec {
        name: "DescribeSubscriptionFilters",
        path: "/",
        input: &constraints::DESCRIBE_SUBSCRIPTION_FILTERS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "FilterLogEvents",
        path: "/",
        input: &constraints::FILTER_LOG_EVENTS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "GetLogEvents",
        path: "/",
        input: &constraints::GET_LOG_EVENTS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "GetLogGroupFields",
        path: "/",
        input: &constraints::GET_LOG_GROUP_FIELDS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "GetLogRecord",
        path: "/",
        input: &constraints::GET_LOG_RECORD_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "GetLookupTable",
        path: "/",
        input: &constraints::GET_LOOKUP_TABLE_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "GetQueryResults",
        path: "/",
        input: &constraints::GET_QUERY_RESULTS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "GetScheduledQuery",
        path: "/",
        input: &constraints::GET_SCHEDULED_QUERY_REQUEST,
        invalid: "ValidationException",
        errors: &[
            &errors::VALIDATION_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::THROTTLING_EXCEPTION,
            &errors::INTERNAL_SERVER_EXCEPTION,
        ],
    },
    Spec {
        name: "GetScheduledQueryHistory",
        path: "/",
        input: &constraints::GET_SCHEDULED_QUERY_HISTORY_REQUEST,
        invalid: "ValidationException",
        errors: &[
            &errors::VALIDATION_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::THROTTLING_EXCEPTION,
            &errors::INTERNAL_SERVER_EXCEPTION,
        ],
    },
    Spec {
        name: "ListLogGroups",
        path: "/",
        input: &constraints::LIST_LOG_GROUPS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[&errors::INVALID_PARAMETER_EXCEPTION, &errors::SERVICE_UNAVAILABLE_EXCEPTION],
    },
    Spec {
        name: "ListLogGroupsForQuery",
        path: "/",
        input: &constraints::LIST_LOG_GROUPS_FOR_QUERY_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "ListScheduledQueries",
        path: "/",
        input: &constraints::LIST_SCHEDULED_QUERIES_REQUEST,
        invalid: "ValidationException",
        errors: &[
            &errors::VALIDATION_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::THROTTLING_EXCEPTION,
            &errors::INTERNAL_SERVER_EXCEPTION,
        ],
    },
    Spec {
        name: "ListTagsForResource",
        path: "/",
        input: &constraints::LIST_TAGS_FOR_RESOURCE_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "ListTagsLogGroup",
        path: "/",
        input: &constraints::LIST_TAGS_LOG_GROUP_REQUEST,
        invalid: "ValidationException",
        errors: &[&errors::RESOURCE_NOT_FOUND_EXCEPTION, &errors::SERVICE_UNAVAILABLE_EXCEPTION],
    },
    Spec {
        name: "PutDestination",
        path: "/",
        input: &constraints::PUT_DESTINATION_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "PutDestinationPolicy",
        path: "/",
        input: &constraints::PUT_DESTINATION_POLICY_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "PutLogEvents",
        path: "/",
        input: &constraints::PUT_LOG_EVENTS_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::INVALID_SEQUENCE_TOKEN_EXCEPTION,
            &errors::DATA_ALREADY_ACCEPTED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
            &errors::UNRECOGNIZED_CLIENT_EXCEPTION,
        ],
    },
    Spec {
        name: "PutLogGroupDeletionProtection",
        path: "/",
        input: &constraints::PUT_LOG_GROUP_DELETION_PROTECTION_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
            &errors::INVALID_OPERATION_EXCEPTION,
        ],
    },
    Spec {
        name: "PutMetricFilter",
        path: "/",
        input: &constraints::PUT_METRIC_FILTER_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
            &errors::INVALID_OPERATION_EXCEPTION,
        ],
    },
    Spec {
        name: "PutQueryDefinition",
        path: "/",
        input: &constraints::PUT_QUERY_DEFINITION_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "PutRetentionPolicy",
        path: "/",
        input: &constraints::PUT_RETENTION_POLICY_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "PutSubscriptionFilter",
        path: "/",
        input: &constraints::PUT_SUBSCRIPTION_FILTER_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::OPERATION_ABORTED_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
            &errors::INVALID_OPERATION_EXCEPTION,
        ],
    },
    Spec {
        name: "StartLiveTail",
        path: "/",
        input: &constraints::START_LIVE_TAIL_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::INVALID_OPERATION_EXCEPTION,
        ],
    },
    Spec {
        name: "StartQuery",
        path: "/",
        input: &constraints::START_QUERY_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::MALFORMED_QUERY_EXCEPTION,
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::LIMIT_EXCEEDED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "StopQuery",
        path: "/",
        input: &constraints::STOP_QUERY_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "TagLogGroup",
        path: "/",
        input: &constraints::TAG_LOG_GROUP_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[&errors::RESOURCE_NOT_FOUND_EXCEPTION, &errors::INVALID_PARAMETER_EXCEPTION],
    },
    Spec {
        name: "TagResource",
        path: "/",
        input: &constraints::TAG_RESOURCE_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
            &errors::TOO_MANY_TAGS_EXCEPTION,
        ],
    },
    Spec {
        name: "TestMetricFilter",
        path: "/",
        input: &constraints::TEST_METRIC_FILTER_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[&errors::INVALID_PARAMETER_EXCEPTION, &errors::SERVICE_UNAVAILABLE_EXCEPTION],
    },
    Spec {
        name: "UntagLogGroup",
        path: "/",
        input: &constraints::UNTAG_LOG_GROUP_REQUEST,
        invalid: "ValidationException",
        errors: &[&errors::RESOURCE_NOT_FOUND_EXCEPTION],
    },
    Spec {
        name: "UntagResource",
        path: "/",
        input: &constraints::UNTAG_RESOURCE_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "UpdateLookupTable",
        path: "/",
        input: &constraints::UPDATE_LOOKUP_TABLE_REQUEST,
        invalid: "InvalidParameterException",
        errors: &[
            &errors::INVALID_PARAMETER_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::VALIDATION_EXCEPTION,
            &errors::SERVICE_UNAVAILABLE_EXCEPTION,
        ],
    },
    Spec {
        name: "UpdateScheduledQuery",
        path: "/",
        input: &constraints::UPDATE_SCHEDULED_QUERY_REQUEST,
        invalid: "ValidationException",
        errors: &[
            &errors::VALIDATION_EXCEPTION,
            &errors::ACCESS_DENIED_EXCEPTION,
            &errors::RESOURCE_NOT_FOUND_EXCEPTION,
            &errors::CONFLICT_EXCEPTION,
            &errors::THROTTLING_EXCEPTION,
            &errors::INTERNAL_SERVER_EXCEPTION,
        ],
    },
];

impl Call for CreateLogGroupRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::CreateLogGroup as usize];
}

impl Call for CreateLogStreamRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::CreateLogStream as usize];
}

impl Call for CreateLookupTableRequest {
    type Output = CreateLookupTableResponse;
    const SPEC: &'static Spec = &SPECS[Operation::CreateLookupTable as usize];
}

impl Call for CreateScheduledQueryRequest {
    type Output = CreateScheduledQueryResponse;
    const SPEC: &'static Spec = &SPECS[Operation::CreateScheduledQuery as usize];
}

impl Call for DeleteDestinationRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::DeleteDestination as usize];
}

impl Call for DeleteLogGroupRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::DeleteLogGroup as usize];
}

impl Call for DeleteLogStreamRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::DeleteLogStream as usize];
}

impl Call for DeleteLookupTableRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::DeleteLookupTable as usize];
}

impl Call for DeleteMetricFilterRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::DeleteMetricFilter as usize];
}

impl Call for DeleteQueryDefinitionRequest {
    type Output = DeleteQueryDefinitionResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DeleteQueryDefinition as usize];
}

impl Call for DeleteRetentionPolicyRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::DeleteRetentionPolicy as usize];
}

impl Call for DeleteScheduledQueryRequest {
    type Output = DeleteScheduledQueryResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DeleteScheduledQuery as usize];
}

impl Call for DeleteSubscriptionFilterRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::DeleteSubscriptionFilter as usize];
}

impl Call for DescribeDestinationsRequest {
    type Output = DescribeDestinationsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DescribeDestinations as usize];
}

impl Call for DescribeLogGroupsRequest {
    type Output = DescribeLogGroupsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DescribeLogGroups as usize];
}

impl Call for DescribeLogStreamsRequest {
    type Output = DescribeLogStreamsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DescribeLogStreams as usize];
}

impl Call for DescribeLookupTablesRequest {
    type Output = DescribeLookupTablesResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DescribeLookupTables as usize];
}

impl Call for DescribeMetricFiltersRequest {
    type Output = DescribeMetricFiltersResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DescribeMetricFilters as usize];
}

impl Call for DescribeQueriesRequest {
    type Output = DescribeQueriesResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DescribeQueries as usize];
}

impl Call for DescribeQueryDefinitionsRequest {
    type Output = DescribeQueryDefinitionsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DescribeQueryDefinitions as usize];
}

impl Call for DescribeSubscriptionFiltersRequest {
    type Output = DescribeSubscriptionFiltersResponse;
    const SPEC: &'static Spec = &SPECS[Operation::DescribeSubscriptionFilters as usize];
}

impl Call for FilterLogEventsRequest {
    type Output = FilterLogEventsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::FilterLogEvents as usize];
}

impl Call for GetLogEventsRequest {
    type Output = GetLogEventsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::GetLogEvents as usize];
}

impl Call for GetLogGroupFieldsRequest {
    type Output = GetLogGroupFieldsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::GetLogGroupFields as usize];
}

impl Call for GetLogRecordRequest {
    type Output = GetLogRecordResponse;
    const SPEC: &'static Spec = &SPECS[Operation::GetLogRecord as usize];
}

impl Call for GetLookupTableRequest {
    type Output = GetLookupTableResponse;
    const SPEC: &'static Spec = &SPECS[Operation::GetLookupTable as usize];
}

impl Call for GetQueryResultsRequest {
    type Output = GetQueryResultsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::GetQueryResults as usize];
}

impl Call for GetScheduledQueryRequest {
    type Output = GetScheduledQueryResponse;
    const SPEC: &'static Spec = &SPECS[Operation::GetScheduledQuery as usize];
}

impl Call for GetScheduledQueryHistoryRequest {
    type Output = GetScheduledQueryHistoryResponse;
    const SPEC: &'static Spec = &SPECS[Operation::GetScheduledQueryHistory as usize];
}

impl Call for ListLogGroupsRequest {
    type Output = ListLogGroupsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::ListLogGroups as usize];
}

impl Call for ListLogGroupsForQueryRequest {
    type Output = ListLogGroupsForQueryResponse;
    const SPEC: &'static Spec = &SPECS[Operation::ListLogGroupsForQuery as usize];
}

impl Call for ListScheduledQueriesRequest {
    type Output = ListScheduledQueriesResponse;
    const SPEC: &'static Spec = &SPECS[Operation::ListScheduledQueries as usize];
}

impl Call for ListTagsForResourceRequest {
    type Output = ListTagsForResourceResponse;
    const SPEC: &'static Spec = &SPECS[Operation::ListTagsForResource as usize];
}

impl Call for ListTagsLogGroupRequest {
    type Output = ListTagsLogGroupResponse;
    const SPEC: &'static Spec = &SPECS[Operation::ListTagsLogGroup as usize];
}

impl Call for PutDestinationRequest {
    type Output = PutDestinationResponse;
    const SPEC: &'static Spec = &SPECS[Operation::PutDestination as usize];
}

impl Call for PutDestinationPolicyRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::PutDestinationPolicy as usize];
}

impl Call for PutLogEventsRequest {
    type Output = PutLogEventsResponse;
    const SPEC: &'static Spec = &SPECS[Operation::PutLogEvents as usize];
}

impl Call for PutLogGroupDeletionProtectionRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::PutLogGroupDeletionProtection as usize];
}

impl Call for PutMetricFilterRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::PutMetricFilter as usize];
}

impl Call for PutQueryDefinitionRequest {
    type Output = PutQueryDefinitionResponse;
    const SPEC: &'static Spec = &SPECS[Operation::PutQueryDefinition as usize];
}

impl Call for PutRetentionPolicyRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::PutRetentionPolicy as usize];
}

impl Call for PutSubscriptionFilterRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::PutSubscriptionFilter as usize];
}

impl Call for StartLiveTailRequest {
    type Output = StartLiveTailResponseStream;
    const SPEC: &'static Spec = &SPECS[Operation::StartLiveTail as usize];
}

impl Call for StartQueryRequest {
    type Output = StartQueryResponse;
    const SPEC: &'static Spec = &SPECS[Operation::StartQuery as usize];
}

impl Call for StopQueryRequest {
    type Output = StopQueryResponse;
    const SPEC: &'static Spec = &SPECS[Operation::StopQuery as usize];
}

impl Call for TagLogGroupRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::TagLogGroup as usize];
}

impl Call for TagResourceRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::TagResource as usize];
}

impl Call for TestMetricFilterRequest {
    type Output = TestMetricFilterResponse;
    const SPEC: &'static Spec = &SPECS[Operation::TestMetricFilter as usize];
}

impl Call for UntagLogGroupRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::UntagLogGroup as usize];
}

impl Call for UntagResourceRequest {
    type Output = ();
    const SPEC: &'static Spec = &SPECS[Operation::UntagResource as usize];
}

impl Call for UpdateLookupTableRequest {
    type Output = UpdateLookupTableResponse;
    const SPEC: &'static Spec = &SPECS[Operation::UpdateLookupTable as usize];
}

impl Call for UpdateScheduledQueryRequest {
    type Output = UpdateScheduledQueryResponse;
    const SPEC: &'static Spec = &SPECS[Operation::UpdateScheduledQuery as usize];
}

/// The errors that the operations declare.
pub mod errors {
    use crate::answer::ErrorSpec;

    /// `AccessDeniedException`, HTTP 400.
    pub static ACCESS_DENIED_EXCEPTION: ErrorSpec = ErrorSpec { code: "AccessDeniedException", status: 400 };
    /// `ConflictException`, HTTP 400.
    pub static CONFLICT_EXCEPTION: ErrorSpec = ErrorSpec { code: "ConflictException", status: 400 };
    /// `DataAlreadyAcceptedException`, HTTP 400.
    pub static DATA_ALREADY_ACCEPTED_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "DataAlreadyAcceptedException", status: 400 };
    /// `InternalServerException`, HTTP 500.
    pub static INTERNAL_SERVER_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "InternalServerException", status: 500 };
    /// `InvalidOperationException`, HTTP 400.
    pub static INVALID_OPERATION_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "InvalidOperationException", status: 400 };
    /// `InvalidParameterException`, HTTP 400.
    pub static INVALID_PARAMETER_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "InvalidParameterException", status: 400 };
    /// `InvalidSequenceTokenException`, HTTP 400.
    pub static INVALID_SEQUENCE_TOKEN_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "InvalidSequenceTokenException", status: 400 };
    /// `LimitExceededException`, HTTP 400.
    pub static LIMIT_EXCEEDED_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "LimitExceededException", status: 400 };
    /// `MalformedQueryException`, HTTP 400.
    pub static MALFORMED_QUERY_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "MalformedQueryException", status: 400 };
    /// `OperationAbortedException`, HTTP 400.
    pub static OPERATION_ABORTED_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "OperationAbortedException", status: 400 };
    /// `ResourceAlreadyExistsException`, HTTP 400.
    pub static RESOURCE_ALREADY_EXISTS_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "ResourceAlreadyExistsException", status: 400 };
    /// `ResourceNotFoundException`, HTTP 400.
    pub static RESOURCE_NOT_FOUND_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "ResourceNotFoundException", status: 400 };
    /// `ServiceQuotaExceededException`, HTTP 400.
    pub static SERVICE_QUOTA_EXCEEDED_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "ServiceQuotaExceededException", status: 400 };
    /// `ServiceUnavailableException`, HTTP 500.
    pub static SERVICE_UNAVAILABLE_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "ServiceUnavailableException", status: 500 };
    /// `ThrottlingException`, HTTP 400.
    pub static THROTTLING_EXCEPTION: ErrorSpec = ErrorSpec { code: "ThrottlingException", status: 400 };
    /// `TooManyTagsException`, HTTP 400.
    pub static TOO_MANY_TAGS_EXCEPTION: ErrorSpec = ErrorSpec { code: "TooManyTagsException", status: 400 };
    /// `UnrecognizedClientException`, HTTP 400.
    pub static UNRECOGNIZED_CLIENT_EXCEPTION: ErrorSpec =
        ErrorSpec { code: "UnrecognizedClientException", status: 400 };
    /// `ValidationException`, HTTP 400.
    pub static VALIDATION_EXCEPTION: ErrorSpec = ErrorSpec { code: "ValidationException", status: 400 };
}
