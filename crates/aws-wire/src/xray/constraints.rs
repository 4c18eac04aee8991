//! AWS X-Ray: what a request must keep to. Written by `cargo run -p xtask -- aws-wire` from
//! `models/aws/xray-2016-04-12.json`; a test of xtask fails when it differs from what the model says.

use crate::shape::{ANY_TEXT, List, Map, Member, Pattern, Shape, Structure, Text};

static AMAZON_RESOURCE_NAME: Text =
    Text { min: Some(1), max: Some(1011), pattern: None, one_of: &[], too_long: None };
static ATTRIBUTE_KEY: Text = Text { min: Some(1), max: Some(32), pattern: None, one_of: &[], too_long: None };
static ATTRIBUTE_MAP: Map =
    Map { min: None, max: Some(5), key: Shape::Text(&ATTRIBUTE_KEY), value: Shape::Text(&ATTRIBUTE_VALUE) };
static ATTRIBUTE_VALUE: Text =
    Text { min: Some(1), max: Some(32), pattern: None, one_of: &[], too_long: None };
pub(super) static BACKEND_CONNECTION_ERRORS: Structure = Structure {
    name: "BackendConnectionErrors",
    members: &[
        Member {
            name: "TimeoutCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "ConnectionRefusedCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "HTTPCode4XXCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "HTTPCode5XXCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "UnknownHostCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "OtherCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
    ],
};

pub(super) static BATCH_GET_TRACES_REQUEST: Structure = Structure {
    name: "BatchGetTracesRequest",
    members: &[
        Member { name: "TraceIds", alias: None, required: true, shape: Shape::List(&TRACE_ID_LIST) },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

pub(super) static CANCEL_TRACE_RETRIEVAL_REQUEST: Structure = Structure {
    name: "CancelTraceRetrievalRequest",
    members: &[Member {
        name: "RetrievalToken",
        alias: None,
        required: true,
        shape: Shape::Text(&RETRIEVAL_TOKEN),
    }],
};

static CLIENT_ID: Text = Text { min: Some(24), max: Some(24), pattern: None, one_of: &[], too_long: None };
pub(super) static CLOUD_WATCH_LOGS_CONFIGURATION: Structure = Structure {
    name: "CloudWatchLogsConfiguration",
    members: &[Member {
        name: "SpansLogGroupKmsKeyId",
        alias: None,
        required: false,
        shape: Shape::Text(&KMS_KEY_ID),
    }],
};

pub(super) static CREATE_GROUP_REQUEST: Structure = Structure {
    name: "CreateGroupRequest",
    members: &[
        Member { name: "GroupName", alias: None, required: true, shape: Shape::Text(&GROUP_NAME) },
        Member { name: "FilterExpression", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
        Member {
            name: "InsightsConfiguration",
            alias: None,
            required: false,
            shape: Shape::Structure(&INSIGHTS_CONFIGURATION),
        },
        Member { name: "Tags", alias: None, required: false, shape: Shape::List(&TAG_LIST) },
    ],
};

pub(super) static CREATE_SAMPLING_RULE_REQUEST: Structure = Structure {
    name: "CreateSamplingRuleRequest",
    members: &[
        Member { name: "SamplingRule", alias: None, required: true, shape: Shape::Structure(&SAMPLING_RULE) },
        Member { name: "Tags", alias: None, required: false, shape: Shape::List(&TAG_LIST) },
    ],
};

pub(super) static DELETE_GROUP_REQUEST: Structure = Structure {
    name: "DeleteGroupRequest",
    members: &[
        Member { name: "GroupName", alias: None, required: false, shape: Shape::Text(&GROUP_NAME) },
        Member { name: "GroupARN", alias: None, required: false, shape: Shape::Text(&GROUP_ARN) },
    ],
};

pub(super) static DELETE_RESOURCE_POLICY_REQUEST: Structure = Structure {
    name: "DeleteResourcePolicyRequest",
    members: &[
        Member { name: "PolicyName", alias: None, required: true, shape: Shape::Text(&POLICY_NAME) },
        Member { name: "PolicyRevisionId", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

pub(super) static DELETE_SAMPLING_RULE_REQUEST: Structure = Structure {
    name: "DeleteSamplingRuleRequest",
    members: &[
        Member { name: "RuleName", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
        Member { name: "RuleARN", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

static EC2_INSTANCE_ID: Text = Text { min: None, max: Some(20), pattern: None, one_of: &[], too_long: None };
static ENCRYPTION_KEY_ID: Text =
    Text { min: Some(1), max: Some(3000), pattern: None, one_of: &[], too_long: None };
static ENCRYPTION_TYPE: Text =
    Text { min: None, max: None, pattern: None, one_of: &["NONE", "KMS"], too_long: None };
static ENTITY_SELECTOR_EXPRESSION: Text =
    Text { min: Some(1), max: Some(500), pattern: None, one_of: &[], too_long: None };
pub(super) static GET_ENCRYPTION_CONFIG_REQUEST: Structure =
    Structure { name: "GetEncryptionConfigRequest", members: &[] };

pub(super) static GET_GROUP_REQUEST: Structure = Structure {
    name: "GetGroupRequest",
    members: &[
        Member { name: "GroupName", alias: None, required: false, shape: Shape::Text(&GROUP_NAME) },
        Member { name: "GroupARN", alias: None, required: false, shape: Shape::Text(&GROUP_ARN) },
    ],
};

static GET_GROUPS_NEXT_TOKEN: Text =
    Text { min: Some(1), max: Some(100), pattern: None, one_of: &[], too_long: None };
pub(super) static GET_GROUPS_REQUEST: Structure = Structure {
    name: "GetGroupsRequest",
    members: &[Member {
        name: "NextToken",
        alias: None,
        required: false,
        shape: Shape::Text(&GET_GROUPS_NEXT_TOKEN),
    }],
};

pub(super) static GET_INDEXING_RULES_REQUEST: Structure = Structure {
    name: "GetIndexingRulesRequest",
    members: &[Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) }],
};

pub(super) static GET_INSIGHT_EVENTS_REQUEST: Structure = Structure {
    name: "GetInsightEventsRequest",
    members: &[
        Member { name: "InsightId", alias: None, required: true, shape: Shape::Text(&INSIGHT_ID) },
        Member {
            name: "MaxResults",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(50) },
        },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&TOKEN) },
    ],
};

pub(super) static GET_INSIGHT_IMPACT_GRAPH_REQUEST: Structure = Structure {
    name: "GetInsightImpactGraphRequest",
    members: &[
        Member { name: "InsightId", alias: None, required: true, shape: Shape::Text(&INSIGHT_ID) },
        Member { name: "StartTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "EndTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&TOKEN) },
    ],
};

pub(super) static GET_INSIGHT_REQUEST: Structure = Structure {
    name: "GetInsightRequest",
    members: &[Member { name: "InsightId", alias: None, required: true, shape: Shape::Text(&INSIGHT_ID) }],
};

pub(super) static GET_INSIGHT_SUMMARIES_REQUEST: Structure = Structure {
    name: "GetInsightSummariesRequest",
    members: &[
        Member { name: "States", alias: None, required: false, shape: Shape::List(&INSIGHT_STATE_LIST) },
        Member { name: "GroupARN", alias: None, required: false, shape: Shape::Text(&GROUP_ARN) },
        Member { name: "GroupName", alias: None, required: false, shape: Shape::Text(&GROUP_NAME) },
        Member { name: "StartTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "EndTime", alias: None, required: true, shape: Shape::Timestamp },
        Member {
            name: "MaxResults",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(100) },
        },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&TOKEN) },
    ],
};

pub(super) static GET_RETRIEVED_TRACES_GRAPH_REQUEST: Structure = Structure {
    name: "GetRetrievedTracesGraphRequest",
    members: &[
        Member { name: "RetrievalToken", alias: None, required: true, shape: Shape::Text(&RETRIEVAL_TOKEN) },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

pub(super) static GET_SAMPLING_RULES_REQUEST: Structure = Structure {
    name: "GetSamplingRulesRequest",
    members: &[Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) }],
};

pub(super) static GET_SAMPLING_STATISTIC_SUMMARIES_REQUEST: Structure = Structure {
    name: "GetSamplingStatisticSummariesRequest",
    members: &[Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) }],
};

pub(super) static GET_SAMPLING_TARGETS_REQUEST: Structure = Structure {
    name: "GetSamplingTargetsRequest",
    members: &[
        Member {
            name: "SamplingStatisticsDocuments",
            alias: None,
            required: true,
            shape: Shape::List(&SAMPLING_STATISTICS_DOCUMENT_LIST),
        },
        Member {
            name: "SamplingBoostStatisticsDocuments",
            alias: None,
            required: false,
            shape: Shape::List(&SAMPLING_BOOST_STATISTICS_DOCUMENT_LIST),
        },
    ],
};

pub(super) static GET_SERVICE_GRAPH_REQUEST: Structure = Structure {
    name: "GetServiceGraphRequest",
    members: &[
        Member { name: "StartTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "EndTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "GroupName", alias: None, required: false, shape: Shape::Text(&GROUP_NAME) },
        Member { name: "GroupARN", alias: None, required: false, shape: Shape::Text(&GROUP_ARN) },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

pub(super) static GET_TIME_SERIES_SERVICE_STATISTICS_REQUEST: Structure = Structure {
    name: "GetTimeSeriesServiceStatisticsRequest",
    members: &[
        Member { name: "StartTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "EndTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "GroupName", alias: None, required: false, shape: Shape::Text(&GROUP_NAME) },
        Member { name: "GroupARN", alias: None, required: false, shape: Shape::Text(&GROUP_ARN) },
        Member {
            name: "EntitySelectorExpression",
            alias: None,
            required: false,
            shape: Shape::Text(&ENTITY_SELECTOR_EXPRESSION),
        },
        Member {
            name: "Period",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member { name: "ForecastStatistics", alias: None, required: false, shape: Shape::Boolean },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

pub(super) static GET_TRACE_GRAPH_REQUEST: Structure = Structure {
    name: "GetTraceGraphRequest",
    members: &[
        Member { name: "TraceIds", alias: None, required: true, shape: Shape::List(&TRACE_ID_LIST) },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

pub(super) static GET_TRACE_SEGMENT_DESTINATION_REQUEST: Structure =
    Structure { name: "GetTraceSegmentDestinationRequest", members: &[] };

pub(super) static GET_TRACE_SUMMARIES_REQUEST: Structure = Structure {
    name: "GetTraceSummariesRequest",
    members: &[
        Member { name: "StartTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "EndTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "TimeRangeType", alias: None, required: false, shape: Shape::Text(&TIME_RANGE_TYPE) },
        Member { name: "Sampling", alias: None, required: false, shape: Shape::Boolean },
        Member {
            name: "SamplingStrategy",
            alias: None,
            required: false,
            shape: Shape::Structure(&SAMPLING_STRATEGY),
        },
        Member { name: "FilterExpression", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

static GROUP_ARN: Text = Text { min: Some(1), max: Some(400), pattern: None, one_of: &[], too_long: None };
static GROUP_NAME: Text = Text { min: Some(1), max: Some(32), pattern: None, one_of: &[], too_long: None };
static HTTP_METHOD: Text = Text { min: None, max: Some(10), pattern: None, one_of: &[], too_long: None };
static HOST: Text = Text { min: None, max: Some(64), pattern: None, one_of: &[], too_long: None };
static HOSTNAME: Text = Text { min: None, max: Some(255), pattern: None, one_of: &[], too_long: None };
pub(super) static INDEXING_RULE_VALUE_UPDATE: Structure = Structure {
    name: "IndexingRuleValueUpdate",
    members: &[Member {
        name: "Probabilistic",
        alias: None,
        required: false,
        shape: Shape::Structure(&PROBABILISTIC_RULE_VALUE_UPDATE),
    }],
};

static INSIGHT_ID: Text = Text {
    min: None,
    max: None,
    pattern: Some(Pattern::new(
        r##"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[1-5][0-9a-fA-F]{3}-[89abAB][0-9a-fA-F]{3}-[0-9a-fA-F]{12}"##,
    )),
    one_of: &[],
    too_long: None,
};
static INSIGHT_STATE: Text =
    Text { min: None, max: None, pattern: None, one_of: &["ACTIVE", "CLOSED"], too_long: None };
static INSIGHT_STATE_LIST: List = List { min: Some(0), max: Some(1), member: Shape::Text(&INSIGHT_STATE) };
pub(super) static INSIGHTS_CONFIGURATION: Structure = Structure {
    name: "InsightsConfiguration",
    members: &[
        Member { name: "InsightsEnabled", alias: None, required: false, shape: Shape::Boolean },
        Member { name: "NotificationsEnabled", alias: None, required: false, shape: Shape::Boolean },
    ],
};

static KMS_KEY_ID: Text = Text { min: Some(1), max: Some(256), pattern: None, one_of: &[], too_long: None };
pub(super) static LIST_RESOURCE_POLICIES_REQUEST: Structure = Structure {
    name: "ListResourcePoliciesRequest",
    members: &[Member {
        name: "NextToken",
        alias: None,
        required: false,
        shape: Shape::Text(&RESOURCE_POLICY_NEXT_TOKEN),
    }],
};

pub(super) static LIST_RETRIEVED_TRACES_REQUEST: Structure = Structure {
    name: "ListRetrievedTracesRequest",
    members: &[
        Member { name: "RetrievalToken", alias: None, required: true, shape: Shape::Text(&RETRIEVAL_TOKEN) },
        Member { name: "TraceFormat", alias: None, required: false, shape: Shape::Text(&TRACE_FORMAT_TYPE) },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

pub(super) static LIST_TAGS_FOR_RESOURCE_REQUEST: Structure = Structure {
    name: "ListTagsForResourceRequest",
    members: &[
        Member {
            name: "ResourceARN",
            alias: None,
            required: true,
            shape: Shape::Text(&AMAZON_RESOURCE_NAME),
        },
        Member { name: "NextToken", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

static POLICY_NAME: Text = Text {
    min: Some(1),
    max: Some(128),
    pattern: Some(Pattern::new(r##"[\w+=,.@-]+"##)),
    one_of: &[],
    too_long: None,
};
pub(super) static PROBABILISTIC_RULE_VALUE_UPDATE: Structure = Structure {
    name: "ProbabilisticRuleValueUpdate",
    members: &[Member {
        name: "DesiredSamplingPercentage",
        alias: None,
        required: true,
        shape: Shape::Double { min: None, max: None },
    }],
};

pub(super) static PUT_ENCRYPTION_CONFIG_REQUEST: Structure = Structure {
    name: "PutEncryptionConfigRequest",
    members: &[
        Member { name: "KeyId", alias: None, required: false, shape: Shape::Text(&ENCRYPTION_KEY_ID) },
        Member { name: "Type", alias: None, required: true, shape: Shape::Text(&ENCRYPTION_TYPE) },
    ],
};

pub(super) static PUT_RESOURCE_POLICY_REQUEST: Structure = Structure {
    name: "PutResourcePolicyRequest",
    members: &[
        Member { name: "PolicyName", alias: None, required: true, shape: Shape::Text(&POLICY_NAME) },
        Member { name: "PolicyDocument", alias: None, required: true, shape: Shape::Text(&ANY_TEXT) },
        Member { name: "PolicyRevisionId", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
        Member { name: "BypassPolicyLockoutCheck", alias: None, required: false, shape: Shape::Boolean },
    ],
};

pub(super) static PUT_TELEMETRY_RECORDS_REQUEST: Structure = Structure {
    name: "PutTelemetryRecordsRequest",
    members: &[
        Member {
            name: "TelemetryRecords",
            alias: None,
            required: true,
            shape: Shape::List(&TELEMETRY_RECORD_LIST),
        },
        Member { name: "EC2InstanceId", alias: None, required: false, shape: Shape::Text(&EC2_INSTANCE_ID) },
        Member { name: "Hostname", alias: None, required: false, shape: Shape::Text(&HOSTNAME) },
        Member { name: "ResourceARN", alias: None, required: false, shape: Shape::Text(&RESOURCE_ARN) },
    ],
};

pub(super) static PUT_TRACE_SEGMENTS_REQUEST: Structure = Structure {
    name: "PutTraceSegmentsRequest",
    members: &[Member {
        name: "TraceSegmentDocuments",
        alias: None,
        required: true,
        shape: Shape::List(&TRACE_SEGMENT_DOCUMENT_LIST),
    }],
};

static RESOURCE_ARN: Text = Text { min: None, max: Some(500), pattern: None, one_of: &[], too_long: None };
static RESOURCE_POLICY_NEXT_TOKEN: Text =
    Text { min: Some(1), max: Some(100), pattern: None, one_of: &[], too_long: None };
static RETRIEVAL_TOKEN: Text =
    Text { min: Some(0), max: Some(1020), pattern: None, one_of: &[], too_long: None };
static RULE_NAME: Text = Text { min: Some(1), max: Some(32), pattern: None, one_of: &[], too_long: None };
pub(super) static SAMPLING_BOOST_STATISTICS_DOCUMENT: Structure = Structure {
    name: "SamplingBoostStatisticsDocument",
    members: &[
        Member { name: "RuleName", alias: None, required: true, shape: Shape::Text(&RULE_NAME) },
        Member { name: "ServiceName", alias: None, required: true, shape: Shape::Text(&SERVICE_NAME) },
        Member { name: "Timestamp", alias: None, required: true, shape: Shape::Timestamp },
        Member {
            name: "AnomalyCount",
            alias: None,
            required: true,
            shape: Shape::Integer { min: Some(0), max: None },
        },
        Member {
            name: "TotalCount",
            alias: None,
            required: true,
            shape: Shape::Integer { min: Some(0), max: None },
        },
        Member {
            name: "SampledAnomalyCount",
            alias: None,
            required: true,
            shape: Shape::Integer { min: Some(0), max: None },
        },
    ],
};

static SAMPLING_BOOST_STATISTICS_DOCUMENT_LIST: List =
    List { min: None, max: Some(25), member: Shape::Structure(&SAMPLING_BOOST_STATISTICS_DOCUMENT) };
pub(super) static SAMPLING_RATE_BOOST: Structure = Structure {
    name: "SamplingRateBoost",
    members: &[
        Member {
            name: "MaxRate",
            alias: None,
            required: true,
            shape: Shape::Double { min: Some(0.0), max: Some(1.0) },
        },
        Member {
            name: "CooldownWindowMinutes",
            alias: None,
            required: true,
            shape: Shape::Integer { min: Some(0), max: None },
        },
    ],
};

pub(super) static SAMPLING_RULE: Structure = Structure {
    name: "SamplingRule",
    members: &[
        Member { name: "RuleName", alias: None, required: false, shape: Shape::Text(&RULE_NAME) },
        Member { name: "RuleARN", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
        Member { name: "ResourceARN", alias: None, required: true, shape: Shape::Text(&RESOURCE_ARN) },
        Member {
            name: "Priority",
            alias: None,
            required: true,
            shape: Shape::Integer { min: Some(1), max: Some(9999) },
        },
        Member {
            name: "FixedRate",
            alias: None,
            required: true,
            shape: Shape::Double { min: Some(0.0), max: Some(1.0) },
        },
        Member {
            name: "ReservoirSize",
            alias: None,
            required: true,
            shape: Shape::Integer { min: Some(0), max: None },
        },
        Member { name: "ServiceName", alias: None, required: true, shape: Shape::Text(&SERVICE_NAME) },
        Member { name: "ServiceType", alias: None, required: true, shape: Shape::Text(&SERVICE_TYPE) },
        Member { name: "Host", alias: None, required: true, shape: Shape::Text(&HOST) },
        Member { name: "HTTPMethod", alias: None, required: true, shape: Shape::Text(&HTTP_METHOD) },
        Member { name: "URLPath", alias: None, required: true, shape: Shape::Text(&URL_PATH) },
        Member {
            name: "Version",
            alias: None,
            required: true,
            shape: Shape::Integer { min: Some(1), max: None },
        },
        Member { name: "Attributes", alias: None, required: false, shape: Shape::Map(&ATTRIBUTE_MAP) },
        Member {
            name: "SamplingRateBoost",
            alias: None,
            required: false,
            shape: Shape::Structure(&SAMPLING_RATE_BOOST),
        },
    ],
};

pub(super) static SAMPLING_RULE_UPDATE: Structure = Structure {
    name: "SamplingRuleUpdate",
    members: &[
        Member { name: "RuleName", alias: None, required: false, shape: Shape::Text(&RULE_NAME) },
        Member { name: "RuleARN", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
        Member { name: "ResourceARN", alias: None, required: false, shape: Shape::Text(&RESOURCE_ARN) },
        Member {
            name: "Priority",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "FixedRate",
            alias: None,
            required: false,
            shape: Shape::Double { min: None, max: None },
        },
        Member {
            name: "ReservoirSize",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member { name: "Host", alias: None, required: false, shape: Shape::Text(&HOST) },
        Member { name: "ServiceName", alias: None, required: false, shape: Shape::Text(&SERVICE_NAME) },
        Member { name: "ServiceType", alias: None, required: false, shape: Shape::Text(&SERVICE_TYPE) },
        Member { name: "HTTPMethod", alias: None, required: false, shape: Shape::Text(&HTTP_METHOD) },
        Member { name: "URLPath", alias: None, required: false, shape: Shape::Text(&URL_PATH) },
        Member { name: "Attributes", alias: None, required: false, shape: Shape::Map(&ATTRIBUTE_MAP) },
        Member {
            name: "SamplingRateBoost",
            alias: None,
            required: false,
            shape: Shape::Structure(&SAMPLING_RATE_BOOST),
        },
    ],
};

pub(super) static SAMPLING_STATISTICS_DOCUMENT: Structure = Structure {
    name: "SamplingStatisticsDocument",
    members: &[
        Member { name: "RuleName", alias: None, required: true, shape: Shape::Text(&RULE_NAME) },
        Member { name: "ClientID", alias: None, required: true, shape: Shape::Text(&CLIENT_ID) },
        Member { name: "Timestamp", alias: None, required: true, shape: Shape::Timestamp },
        Member {
            name: "RequestCount",
            alias: None,
            required: true,
            shape: Shape::Integer { min: Some(0), max: None },
        },
        Member {
            name: "SampledCount",
            alias: Some("SampleCount"),
            required: true,
            shape: Shape::Integer { min: Some(0), max: None },
        },
        Member {
            name: "BorrowCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(0), max: None },
        },
    ],
};

static SAMPLING_STATISTICS_DOCUMENT_LIST: List =
    List { min: None, max: Some(25), member: Shape::Structure(&SAMPLING_STATISTICS_DOCUMENT) };
pub(super) static SAMPLING_STRATEGY: Structure = Structure {
    name: "SamplingStrategy",
    members: &[
        Member { name: "Name", alias: None, required: false, shape: Shape::Text(&SAMPLING_STRATEGY_NAME) },
        Member { name: "Value", alias: None, required: false, shape: Shape::Double { min: None, max: None } },
    ],
};

static SAMPLING_STRATEGY_NAME: Text =
    Text { min: None, max: None, pattern: None, one_of: &["PartialScan", "FixedRate"], too_long: None };
static SERVICE_NAME: Text = Text { min: None, max: Some(64), pattern: None, one_of: &[], too_long: None };
static SERVICE_TYPE: Text = Text { min: None, max: Some(64), pattern: None, one_of: &[], too_long: None };
pub(super) static START_TRACE_RETRIEVAL_REQUEST: Structure = Structure {
    name: "StartTraceRetrievalRequest",
    members: &[
        Member {
            name: "TraceIds",
            alias: None,
            required: true,
            shape: Shape::List(&TRACE_ID_LIST_FOR_RETRIEVAL),
        },
        Member { name: "StartTime", alias: None, required: true, shape: Shape::Timestamp },
        Member { name: "EndTime", alias: None, required: true, shape: Shape::Timestamp },
    ],
};

pub(super) static TAG: Structure = Structure {
    name: "Tag",
    members: &[
        Member { name: "Key", alias: None, required: true, shape: Shape::Text(&TAG_KEY) },
        Member { name: "Value", alias: None, required: true, shape: Shape::Text(&TAG_VALUE) },
    ],
};

static TAG_KEY: Text = Text { min: Some(1), max: Some(128), pattern: None, one_of: &[], too_long: None };
static TAG_KEY_LIST: List = List { min: Some(0), max: Some(200), member: Shape::Text(&TAG_KEY) };
static TAG_LIST: List = List { min: Some(0), max: Some(200), member: Shape::Structure(&TAG) };
pub(super) static TAG_RESOURCE_REQUEST: Structure = Structure {
    name: "TagResourceRequest",
    members: &[
        Member {
            name: "ResourceARN",
            alias: None,
            required: true,
            shape: Shape::Text(&AMAZON_RESOURCE_NAME),
        },
        Member { name: "Tags", alias: None, required: true, shape: Shape::List(&TAG_LIST) },
    ],
};

static TAG_VALUE: Text = Text { min: Some(0), max: Some(256), pattern: None, one_of: &[], too_long: None };
pub(super) static TELEMETRY_RECORD: Structure = Structure {
    name: "TelemetryRecord",
    members: &[
        Member { name: "Timestamp", alias: None, required: true, shape: Shape::Timestamp },
        Member {
            name: "SegmentsReceivedCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "SegmentsSentCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "SegmentsSpilloverCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "SegmentsRejectedCount",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: None },
        },
        Member {
            name: "BackendConnectionErrors",
            alias: None,
            required: false,
            shape: Shape::Structure(&BACKEND_CONNECTION_ERRORS),
        },
    ],
};

static TELEMETRY_RECORD_LIST: List =
    List { min: None, max: None, member: Shape::Structure(&TELEMETRY_RECORD) };
static TIME_RANGE_TYPE: Text =
    Text { min: None, max: None, pattern: None, one_of: &["TraceId", "Event", "Service"], too_long: None };
static TOKEN: Text = Text { min: Some(1), max: Some(2000), pattern: None, one_of: &[], too_long: None };
static TRACE_FORMAT_TYPE: Text =
    Text { min: None, max: None, pattern: None, one_of: &["XRAY", "OTEL"], too_long: None };
static TRACE_ID: Text = Text { min: Some(1), max: Some(35), pattern: None, one_of: &[], too_long: None };
static TRACE_ID_LIST: List = List { min: None, max: None, member: Shape::Text(&TRACE_ID) };
static TRACE_ID_LIST_FOR_RETRIEVAL: List =
    List { min: Some(0), max: Some(100), member: Shape::Text(&TRACE_ID) };
static TRACE_SEGMENT_DESTINATION: Text =
    Text { min: None, max: None, pattern: None, one_of: &["XRay", "CloudWatchLogs"], too_long: None };
static TRACE_SEGMENT_DOCUMENT_LIST: List = List { min: None, max: None, member: Shape::Text(&ANY_TEXT) };
static URL_PATH: Text = Text { min: None, max: Some(128), pattern: None, one_of: &[], too_long: None };
pub(super) static UNTAG_RESOURCE_REQUEST: Structure = Structure {
    name: "UntagResourceRequest",
    members: &[
        Member {
            name: "ResourceARN",
            alias: None,
            required: true,
            shape: Shape::Text(&AMAZON_RESOURCE_NAME),
        },
        Member { name: "TagKeys", alias: None, required: true, shape: Shape::List(&TAG_KEY_LIST) },
    ],
};

pub(super) static UPDATE_GROUP_REQUEST: Structure = Structure {
    name: "UpdateGroupRequest",
    members: &[
        Member { name: "GroupName", alias: None, required: false, shape: Shape::Text(&GROUP_NAME) },
        Member { name: "GroupARN", alias: None, required: false, shape: Shape::Text(&GROUP_ARN) },
        Member { name: "FilterExpression", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
        Member {
            name: "InsightsConfiguration",
            alias: None,
            required: false,
            shape: Shape::Structure(&INSIGHTS_CONFIGURATION),
        },
    ],
};

pub(super) static UPDATE_INDEXING_RULE_REQUEST: Structure = Structure {
    name: "UpdateIndexingRuleRequest",
    members: &[
        Member { name: "Name", alias: None, required: true, shape: Shape::Text(&ANY_TEXT) },
        Member {
            name: "Rule",
            alias: None,
            required: true,
            shape: Shape::Structure(&INDEXING_RULE_VALUE_UPDATE),
        },
    ],
};

pub(super) static UPDATE_SAMPLING_RULE_REQUEST: Structure = Structure {
    name: "UpdateSamplingRuleRequest",
    members: &[Member {
        name: "SamplingRuleUpdate",
        alias: None,
        required: true,
        shape: Shape::Structure(&SAMPLING_RULE_UPDATE),
    }],
};

pub(super) static UPDATE_TRACE_SEGMENT_DESTINATION_REQUEST: Structure = Structure {
    name: "UpdateTraceSegmentDestinationRequest",
    members: &[
        Member {
            name: "Destination",
            alias: None,
            required: false,
            shape: Shape::Text(&TRACE_SEGMENT_DESTINATION),
        },
        Member {
            name: "CloudWatchLogsConfiguration",
            alias: None,
            required: false,
            shape: Shape::Structure(&CLOUD_WATCH_LOGS_CONFIGURATION),
        },
    ],
};
