//! Amazon CloudWatch Logs: what a request must keep to. Written by `cargo run -p xtask -- aws-wire` from
//! `models/aws/logs-2014-03-28.json`; a test of xtask fails when it differs from what the model says.

use crate::shape::{ANY_TEXT, List, Map, Member, Pattern, Shape, Structure, Text};

static ACCESS_POLICY: Text = Text { min: Some(1), max: None, pattern: None, one_of: &[], too_long: None };
static ACCOUNT_ID: Text = Text {
    min: Some(12),
    max: Some(12),
    pattern: Some(Pattern::new(r##"^\d{12}$"##)),
    one_of: &[],
    too_long: None,
};
static ACCOUNT_IDS: List = List { min: Some(0), max: Some(20), member: Shape::Text(&ACCOUNT_ID) };
static AMAZON_RESOURCE_NAME: Text = Text {
    min: Some(1),
    max: Some(1011),
    pattern: Some(Pattern::new(r##"[\w+=/:,.@-]*"##)),
    one_of: &[],
    too_long: None,
};
static CLIENT_TOKEN: Text = Text {
    min: Some(36),
    max: Some(128),
    pattern: Some(Pattern::new(r##"\S{36,128}"##)),
    one_of: &[],
    too_long: None,
};
pub(super) static CREATE_LOG_GROUP_REQUEST: Structure = Structure {
    name: "CreateLogGroupRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "kmsKeyId", alias: None, required: false, shape: Shape::Text(&KMS_KEY_ID) },
        Member { name: "tags", alias: None, required: false, shape: Shape::Map(&TAGS) },
        Member { name: "logGroupClass", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_CLASS) },
        Member { name: "deletionProtectionEnabled", alias: None, required: false, shape: Shape::Boolean },
    ],
};

pub(super) static CREATE_LOG_STREAM_REQUEST: Structure = Structure {
    name: "CreateLogStreamRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "logStreamName", alias: None, required: true, shape: Shape::Text(&LOG_STREAM_NAME) },
    ],
};

pub(super) static CREATE_LOOKUP_TABLE_REQUEST: Structure = Structure {
    name: "CreateLookupTableRequest",
    members: &[
        Member {
            name: "lookupTableName",
            alias: None,
            required: true,
            shape: Shape::Text(&LOOKUP_TABLE_NAME),
        },
        Member {
            name: "description",
            alias: None,
            required: false,
            shape: Shape::Text(&LOOKUP_TABLE_DESCRIPTION),
        },
        Member { name: "tableBody", alias: None, required: false, shape: Shape::Text(&TABLE_BODY) },
        Member { name: "queryId", alias: None, required: false, shape: Shape::Text(&QUERY_ID) },
        Member { name: "kmsKeyId", alias: None, required: false, shape: Shape::Text(&KMS_KEY_ID) },
        Member { name: "tags", alias: None, required: false, shape: Shape::Map(&TAGS) },
    ],
};

pub(super) static CREATE_SCHEDULED_QUERY_REQUEST: Structure = Structure {
    name: "CreateScheduledQueryRequest",
    members: &[
        Member { name: "name", alias: None, required: true, shape: Shape::Text(&SCHEDULED_QUERY_NAME) },
        Member {
            name: "description",
            alias: None,
            required: false,
            shape: Shape::Text(&SCHEDULED_QUERY_DESCRIPTION),
        },
        Member { name: "queryLanguage", alias: None, required: true, shape: Shape::Text(&QUERY_LANGUAGE) },
        Member { name: "queryString", alias: None, required: true, shape: Shape::Text(&QUERY_STRING) },
        Member {
            name: "logGroupIdentifiers",
            alias: None,
            required: false,
            shape: Shape::List(&SCHEDULED_QUERY_LOG_GROUP_IDENTIFIERS),
        },
        Member {
            name: "scheduleExpression",
            alias: None,
            required: true,
            shape: Shape::Text(&SCHEDULE_EXPRESSION),
        },
        Member { name: "timezone", alias: None, required: false, shape: Shape::Text(&SCHEDULE_TIMEZONE) },
        Member {
            name: "startTimeOffset",
            alias: None,
            required: false,
            shape: Shape::Long { min: None, max: None },
        },
        Member {
            name: "endTimeOffset",
            alias: None,
            required: false,
            shape: Shape::Long { min: None, max: None },
        },
        Member {
            name: "destinationConfiguration",
            alias: None,
            required: false,
            shape: Shape::Structure(&DESTINATION_CONFIGURATION),
        },
        Member {
            name: "scheduleStartTime",
            alias: None,
            required: false,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member {
            name: "scheduleEndTime",
            alias: None,
            required: false,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member { name: "executionRoleArn", alias: None, required: true, shape: Shape::Text(&ROLE_ARN) },
        Member { name: "state", alias: None, required: false, shape: Shape::Text(&SCHEDULED_QUERY_STATE) },
        Member { name: "tags", alias: None, required: false, shape: Shape::Map(&TAGS) },
    ],
};

pub(super) static DATA_SOURCE_FILTER: Structure = Structure {
    name: "DataSourceFilter",
    members: &[
        Member { name: "name", alias: None, required: true, shape: Shape::Text(&ANY_TEXT) },
        Member { name: "type", alias: None, required: false, shape: Shape::Text(&ANY_TEXT) },
    ],
};

static DATA_SOURCE_FILTERS: List =
    List { min: Some(1), max: Some(5), member: Shape::Structure(&DATA_SOURCE_FILTER) };
pub(super) static DELETE_DESTINATION_REQUEST: Structure = Structure {
    name: "DeleteDestinationRequest",
    members: &[Member {
        name: "destinationName",
        alias: None,
        required: true,
        shape: Shape::Text(&DESTINATION_NAME),
    }],
};

pub(super) static DELETE_LOG_GROUP_REQUEST: Structure = Structure {
    name: "DeleteLogGroupRequest",
    members: &[Member {
        name: "logGroupName",
        alias: None,
        required: true,
        shape: Shape::Text(&LOG_GROUP_NAME),
    }],
};

pub(super) static DELETE_LOG_STREAM_REQUEST: Structure = Structure {
    name: "DeleteLogStreamRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "logStreamName", alias: None, required: true, shape: Shape::Text(&LOG_STREAM_NAME) },
    ],
};

pub(super) static DELETE_LOOKUP_TABLE_REQUEST: Structure = Structure {
    name: "DeleteLookupTableRequest",
    members: &[Member { name: "lookupTableArn", alias: None, required: true, shape: Shape::Text(&ANY_TEXT) }],
};

pub(super) static DELETE_METRIC_FILTER_REQUEST: Structure = Structure {
    name: "DeleteMetricFilterRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "filterName", alias: None, required: true, shape: Shape::Text(&FILTER_NAME) },
    ],
};

pub(super) static DELETE_QUERY_DEFINITION_REQUEST: Structure = Structure {
    name: "DeleteQueryDefinitionRequest",
    members: &[Member {
        name: "queryDefinitionId",
        alias: None,
        required: true,
        shape: Shape::Text(&QUERY_ID),
    }],
};

pub(super) static DELETE_RETENTION_POLICY_REQUEST: Structure = Structure {
    name: "DeleteRetentionPolicyRequest",
    members: &[Member {
        name: "logGroupName",
        alias: None,
        required: true,
        shape: Shape::Text(&LOG_GROUP_NAME),
    }],
};

pub(super) static DELETE_SCHEDULED_QUERY_REQUEST: Structure = Structure {
    name: "DeleteScheduledQueryRequest",
    members: &[Member {
        name: "identifier",
        alias: None,
        required: true,
        shape: Shape::Text(&SCHEDULED_QUERY_IDENTIFIER),
    }],
};

pub(super) static DELETE_SUBSCRIPTION_FILTER_REQUEST: Structure = Structure {
    name: "DeleteSubscriptionFilterRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "filterName", alias: None, required: true, shape: Shape::Text(&FILTER_NAME) },
    ],
};

pub(super) static DESCRIBE_DESTINATIONS_REQUEST: Structure = Structure {
    name: "DescribeDestinationsRequest",
    members: &[
        Member {
            name: "DestinationNamePrefix",
            alias: None,
            required: false,
            shape: Shape::Text(&DESTINATION_NAME),
        },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(50) },
        },
    ],
};

static DESCRIBE_LOG_GROUPS_LOG_GROUP_IDENTIFIERS: List =
    List { min: Some(1), max: Some(50), member: Shape::Text(&LOG_GROUP_IDENTIFIER) };
pub(super) static DESCRIBE_LOG_GROUPS_REQUEST: Structure = Structure {
    name: "DescribeLogGroupsRequest",
    members: &[
        Member { name: "accountIdentifiers", alias: None, required: false, shape: Shape::List(&ACCOUNT_IDS) },
        Member {
            name: "logGroupNamePrefix",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_GROUP_NAME),
        },
        Member {
            name: "logGroupNamePattern",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_GROUP_NAME_PATTERN),
        },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(50) },
        },
        Member { name: "includeLinkedAccounts", alias: None, required: false, shape: Shape::Boolean },
        Member { name: "logGroupClass", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_CLASS) },
        Member {
            name: "logGroupIdentifiers",
            alias: None,
            required: false,
            shape: Shape::List(&DESCRIBE_LOG_GROUPS_LOG_GROUP_IDENTIFIERS),
        },
    ],
};

pub(super) static DESCRIBE_LOG_STREAMS_REQUEST: Structure = Structure {
    name: "DescribeLogStreamsRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member {
            name: "logGroupIdentifier",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_GROUP_IDENTIFIER),
        },
        Member {
            name: "logStreamNamePrefix",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_STREAM_NAME),
        },
        Member { name: "orderBy", alias: None, required: false, shape: Shape::Text(&ORDER_BY) },
        Member { name: "descending", alias: None, required: false, shape: Shape::Boolean },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(50) },
        },
    ],
};

pub(super) static DESCRIBE_LOOKUP_TABLES_REQUEST: Structure = Structure {
    name: "DescribeLookupTablesRequest",
    members: &[
        Member {
            name: "lookupTableNamePrefix",
            alias: None,
            required: false,
            shape: Shape::Text(&LOOKUP_TABLE_NAME),
        },
        Member {
            name: "maxResults",
            alias: None,
            required: false,
            shape: Shape::Integer { min: None, max: Some(100) },
        },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
    ],
};

pub(super) static DESCRIBE_METRIC_FILTERS_REQUEST: Structure = Structure {
    name: "DescribeMetricFiltersRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "filterNamePrefix", alias: None, required: false, shape: Shape::Text(&FILTER_NAME) },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(50) },
        },
        Member { name: "metricName", alias: None, required: false, shape: Shape::Text(&METRIC_NAME) },
        Member {
            name: "metricNamespace",
            alias: None,
            required: false,
            shape: Shape::Text(&METRIC_NAMESPACE),
        },
    ],
};

pub(super) static DESCRIBE_QUERIES_REQUEST: Structure = Structure {
    name: "DescribeQueriesRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "status", alias: None, required: false, shape: Shape::Text(&QUERY_STATUS) },
        Member {
            name: "maxResults",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(1000) },
        },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member { name: "queryLanguage", alias: None, required: false, shape: Shape::Text(&QUERY_LANGUAGE) },
    ],
};

pub(super) static DESCRIBE_QUERY_DEFINITIONS_REQUEST: Structure = Structure {
    name: "DescribeQueryDefinitionsRequest",
    members: &[
        Member { name: "queryLanguage", alias: None, required: false, shape: Shape::Text(&QUERY_LANGUAGE) },
        Member {
            name: "queryDefinitionNamePrefix",
            alias: None,
            required: false,
            shape: Shape::Text(&QUERY_DEFINITION_NAME),
        },
        Member {
            name: "maxResults",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(1000) },
        },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
    ],
};

pub(super) static DESCRIBE_SUBSCRIPTION_FILTERS_REQUEST: Structure = Structure {
    name: "DescribeSubscriptionFiltersRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "filterNamePrefix", alias: None, required: false, shape: Shape::Text(&FILTER_NAME) },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(50) },
        },
    ],
};

static DESTINATION_ARN: Text = Text { min: Some(1), max: None, pattern: None, one_of: &[], too_long: None };
pub(super) static DESTINATION_CONFIGURATION: Structure = Structure {
    name: "DestinationConfiguration",
    members: &[
        Member {
            name: "s3Configuration",
            alias: None,
            required: false,
            shape: Shape::Structure(&S3_CONFIGURATION),
        },
        Member {
            name: "lookupTableConfiguration",
            alias: None,
            required: false,
            shape: Shape::Structure(&LOOKUP_TABLE_CONFIGURATION),
        },
    ],
};

static DESTINATION_NAME: Text = Text {
    min: Some(1),
    max: Some(512),
    pattern: Some(Pattern::new(r##"[^:*]*"##)),
    one_of: &[],
    too_long: None,
};
static DIMENSIONS: Map =
    Map { min: None, max: None, key: Shape::Text(&DIMENSIONS_KEY), value: Shape::Text(&DIMENSIONS_VALUE) };
static DIMENSIONS_KEY: Text = Text { min: None, max: Some(255), pattern: None, one_of: &[], too_long: None };
static DIMENSIONS_VALUE: Text =
    Text { min: None, max: Some(255), pattern: None, one_of: &[], too_long: None };
static DISTRIBUTION: Text =
    Text { min: None, max: None, pattern: None, one_of: &["Random", "ByLogStream"], too_long: None };
static EMIT_SYSTEM_FIELDS: List = List { min: None, max: None, member: Shape::Text(&ANY_TEXT) };
pub(super) static ENTITY: Structure = Structure {
    name: "Entity",
    members: &[
        Member {
            name: "keyAttributes",
            alias: None,
            required: false,
            shape: Shape::Map(&ENTITY_KEY_ATTRIBUTES),
        },
        Member { name: "attributes", alias: None, required: false, shape: Shape::Map(&ENTITY_ATTRIBUTES) },
    ],
};

static ENTITY_ATTRIBUTES: Map = Map {
    min: Some(0),
    max: Some(10),
    key: Shape::Text(&ENTITY_ATTRIBUTES_KEY),
    value: Shape::Text(&ENTITY_ATTRIBUTES_VALUE),
};
static ENTITY_ATTRIBUTES_KEY: Text =
    Text { min: Some(1), max: Some(256), pattern: None, one_of: &[], too_long: None };
static ENTITY_ATTRIBUTES_VALUE: Text =
    Text { min: Some(1), max: Some(512), pattern: None, one_of: &[], too_long: None };
static ENTITY_KEY_ATTRIBUTES: Map = Map {
    min: Some(2),
    max: Some(4),
    key: Shape::Text(&ENTITY_KEY_ATTRIBUTES_KEY),
    value: Shape::Text(&ENTITY_KEY_ATTRIBUTES_VALUE),
};
static ENTITY_KEY_ATTRIBUTES_KEY: Text =
    Text { min: Some(1), max: Some(32), pattern: None, one_of: &[], too_long: None };
static ENTITY_KEY_ATTRIBUTES_VALUE: Text =
    Text { min: Some(1), max: Some(512), pattern: None, one_of: &[], too_long: None };
static EVENT_MESSAGE: Text = Text { min: Some(1), max: None, pattern: None, one_of: &[], too_long: None };
static EXECUTION_STATUS: Text = Text {
    min: None,
    max: None,
    pattern: None,
    one_of: &["Running", "InvalidQuery", "Complete", "Failed", "Timeout"],
    too_long: None,
};
static EXECUTION_STATUS_LIST: List = List { min: None, max: None, member: Shape::Text(&EXECUTION_STATUS) };
static FIELD_INDEX_NAME: Text = Text {
    min: Some(1),
    max: Some(512),
    pattern: Some(Pattern::new(r##"[\.\-_/#A-Za-z0-9]+"##)),
    one_of: &[],
    too_long: None,
};
static FIELD_INDEX_NAMES: List = List { min: Some(1), max: Some(20), member: Shape::Text(&FIELD_INDEX_NAME) };
static FIELD_SELECTION_CRITERIA: Text =
    Text { min: Some(0), max: Some(2000), pattern: None, one_of: &[], too_long: None };
pub(super) static FILTER_LOG_EVENTS_REQUEST: Structure = Structure {
    name: "FilterLogEventsRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member {
            name: "logGroupIdentifier",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_GROUP_IDENTIFIER),
        },
        Member {
            name: "logStreamNames",
            alias: None,
            required: false,
            shape: Shape::List(&INPUT_LOG_STREAM_NAMES),
        },
        Member {
            name: "logStreamNamePrefix",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_STREAM_NAME),
        },
        Member {
            name: "startTime",
            alias: None,
            required: false,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member {
            name: "endTime",
            alias: None,
            required: false,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member { name: "filterPattern", alias: None, required: false, shape: Shape::Text(&FILTER_PATTERN) },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(10000) },
        },
        Member { name: "startFromHead", alias: None, required: false, shape: Shape::Boolean },
        Member { name: "interleaved", alias: None, required: false, shape: Shape::Boolean },
        Member { name: "unmask", alias: None, required: false, shape: Shape::Boolean },
    ],
};

static FILTER_NAME: Text = Text {
    min: Some(1),
    max: Some(512),
    pattern: Some(Pattern::new(r##"[^:*]*"##)),
    one_of: &[],
    too_long: None,
};
static FILTER_PATTERN: Text =
    Text { min: Some(0), max: Some(1024), pattern: None, one_of: &[], too_long: None };
pub(super) static GET_LOG_EVENTS_REQUEST: Structure = Structure {
    name: "GetLogEventsRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member {
            name: "logGroupIdentifier",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_GROUP_IDENTIFIER),
        },
        Member { name: "logStreamName", alias: None, required: true, shape: Shape::Text(&LOG_STREAM_NAME) },
        Member {
            name: "startTime",
            alias: None,
            required: false,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member {
            name: "endTime",
            alias: None,
            required: false,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(10000) },
        },
        Member { name: "startFromHead", alias: None, required: false, shape: Shape::Boolean },
        Member { name: "unmask", alias: None, required: false, shape: Shape::Boolean },
    ],
};

pub(super) static GET_LOG_GROUP_FIELDS_REQUEST: Structure = Structure {
    name: "GetLogGroupFieldsRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "time", alias: None, required: false, shape: Shape::Long { min: Some(0), max: None } },
        Member {
            name: "logGroupIdentifier",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_GROUP_IDENTIFIER),
        },
    ],
};

pub(super) static GET_LOG_RECORD_REQUEST: Structure = Structure {
    name: "GetLogRecordRequest",
    members: &[
        Member { name: "logRecordPointer", alias: None, required: true, shape: Shape::Text(&ANY_TEXT) },
        Member { name: "unmask", alias: None, required: false, shape: Shape::Boolean },
    ],
};

pub(super) static GET_LOOKUP_TABLE_REQUEST: Structure = Structure {
    name: "GetLookupTableRequest",
    members: &[Member { name: "lookupTableArn", alias: None, required: true, shape: Shape::Text(&ANY_TEXT) }],
};

static GET_QUERY_RESULTS_NEXT_TOKEN: Text =
    Text { min: None, max: Some(1024), pattern: None, one_of: &[], too_long: None };
pub(super) static GET_QUERY_RESULTS_REQUEST: Structure = Structure {
    name: "GetQueryResultsRequest",
    members: &[
        Member { name: "queryId", alias: None, required: true, shape: Shape::Text(&QUERY_ID) },
        Member {
            name: "nextToken",
            alias: None,
            required: false,
            shape: Shape::Text(&GET_QUERY_RESULTS_NEXT_TOKEN),
        },
        Member {
            name: "maxItems",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(0), max: Some(10000) },
        },
    ],
};

pub(super) static GET_SCHEDULED_QUERY_HISTORY_REQUEST: Structure = Structure {
    name: "GetScheduledQueryHistoryRequest",
    members: &[
        Member {
            name: "identifier",
            alias: None,
            required: true,
            shape: Shape::Text(&SCHEDULED_QUERY_IDENTIFIER),
        },
        Member {
            name: "startTime",
            alias: None,
            required: true,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member {
            name: "endTime",
            alias: None,
            required: true,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member {
            name: "executionStatuses",
            alias: None,
            required: false,
            shape: Shape::List(&EXECUTION_STATUS_LIST),
        },
        Member {
            name: "maxResults",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(1000) },
        },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
    ],
};

pub(super) static GET_SCHEDULED_QUERY_REQUEST: Structure = Structure {
    name: "GetScheduledQueryRequest",
    members: &[Member {
        name: "identifier",
        alias: None,
        required: true,
        shape: Shape::Text(&SCHEDULED_QUERY_IDENTIFIER),
    }],
};

pub(super) static INPUT_LOG_EVENT: Structure = Structure {
    name: "InputLogEvent",
    members: &[
        Member {
            name: "timestamp",
            alias: None,
            required: true,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member { name: "message", alias: None, required: true, shape: Shape::Text(&EVENT_MESSAGE) },
    ],
};

static INPUT_LOG_EVENTS: List =
    List { min: Some(1), max: Some(10000), member: Shape::Structure(&INPUT_LOG_EVENT) };
static INPUT_LOG_STREAM_NAMES: List =
    List { min: Some(1), max: Some(100), member: Shape::Text(&LOG_STREAM_NAME) };
static KMS_KEY_ID: Text = Text { min: None, max: Some(256), pattern: None, one_of: &[], too_long: None };
pub(super) static LIST_LOG_GROUPS_FOR_QUERY_REQUEST: Structure = Structure {
    name: "ListLogGroupsForQueryRequest",
    members: &[
        Member { name: "queryId", alias: None, required: true, shape: Shape::Text(&QUERY_ID) },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "maxResults",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(50), max: Some(500) },
        },
    ],
};

pub(super) static LIST_LOG_GROUPS_REQUEST: Structure = Structure {
    name: "ListLogGroupsRequest",
    members: &[
        Member {
            name: "logGroupNamePattern",
            alias: None,
            required: false,
            shape: Shape::Text(&LOG_GROUP_NAME_REGEX_PATTERN),
        },
        Member { name: "logGroupClass", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_CLASS) },
        Member { name: "includeLinkedAccounts", alias: None, required: false, shape: Shape::Boolean },
        Member { name: "accountIdentifiers", alias: None, required: false, shape: Shape::List(&ACCOUNT_IDS) },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(1000) },
        },
        Member {
            name: "dataSources",
            alias: None,
            required: false,
            shape: Shape::List(&DATA_SOURCE_FILTERS),
        },
        Member {
            name: "fieldIndexNames",
            alias: None,
            required: false,
            shape: Shape::List(&FIELD_INDEX_NAMES),
        },
        Member { name: "logGroupTags", alias: None, required: false, shape: Shape::List(&TAG_FILTERS) },
    ],
};

pub(super) static LIST_SCHEDULED_QUERIES_REQUEST: Structure = Structure {
    name: "ListScheduledQueriesRequest",
    members: &[
        Member {
            name: "maxResults",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(1000) },
        },
        Member { name: "nextToken", alias: None, required: false, shape: Shape::Text(&NEXT_TOKEN) },
        Member { name: "state", alias: None, required: false, shape: Shape::Text(&SCHEDULED_QUERY_STATE) },
        Member { name: "scheduleType", alias: None, required: false, shape: Shape::Text(&SCHEDULE_TYPE) },
    ],
};

pub(super) static LIST_TAGS_FOR_RESOURCE_REQUEST: Structure = Structure {
    name: "ListTagsForResourceRequest",
    members: &[Member {
        name: "resourceArn",
        alias: None,
        required: true,
        shape: Shape::Text(&AMAZON_RESOURCE_NAME),
    }],
};

pub(super) static LIST_TAGS_LOG_GROUP_REQUEST: Structure = Structure {
    name: "ListTagsLogGroupRequest",
    members: &[Member {
        name: "logGroupName",
        alias: None,
        required: true,
        shape: Shape::Text(&LOG_GROUP_NAME),
    }],
};

static LOG_GROUP_CLASS: Text = Text {
    min: None,
    max: None,
    pattern: None,
    one_of: &["STANDARD", "INFREQUENT_ACCESS", "DELIVERY", "ESSENTIALS"],
    too_long: None,
};
static LOG_GROUP_IDENTIFIER: Text = Text {
    min: Some(1),
    max: Some(2048),
    pattern: Some(Pattern::new(r##"[\w#+=/:,.@-]*"##)),
    one_of: &[],
    too_long: None,
};
static LOG_GROUP_IDENTIFIERS: List =
    List { min: None, max: None, member: Shape::Text(&LOG_GROUP_IDENTIFIER) };
static LOG_GROUP_NAME: Text = Text {
    min: Some(1),
    max: Some(512),
    pattern: Some(Pattern::new(r##"[\.\-_/#A-Za-z0-9]+"##)),
    one_of: &[],
    too_long: Some("Invalid LogGroup or LogStream, both must have length less than or equal to 512."),
};
static LOG_GROUP_NAME_PATTERN: Text = Text {
    min: Some(0),
    max: Some(512),
    pattern: Some(Pattern::new(r##"[\.\-_/#A-Za-z0-9]*"##)),
    one_of: &[],
    too_long: None,
};
static LOG_GROUP_NAME_REGEX_PATTERN: Text = Text {
    min: Some(3),
    max: Some(129),
    pattern: Some(Pattern::new(r##"(\^?[\.\-_\/#A-Za-z0-9]{3,24})(\|\^?[\.\-_\/#A-Za-z0-9]{3,24}){0,4}"##)),
    one_of: &[],
    too_long: None,
};
static LOG_GROUP_NAMES: List = List { min: None, max: None, member: Shape::Text(&LOG_GROUP_NAME) };
static LOG_STREAM_NAME: Text = Text {
    min: Some(1),
    max: Some(512),
    pattern: Some(Pattern::new(r##"[^:*]*"##)),
    one_of: &[],
    too_long: Some("Invalid LogGroup or LogStream, both must have length less than or equal to 512."),
};
pub(super) static LOOKUP_TABLE_CONFIGURATION: Structure = Structure {
    name: "LookupTableConfiguration",
    members: &[
        Member { name: "tableName", alias: None, required: true, shape: Shape::Text(&LOOKUP_TABLE_NAME) },
        Member { name: "roleArn", alias: None, required: true, shape: Shape::Text(&ROLE_ARN) },
        Member {
            name: "description",
            alias: None,
            required: false,
            shape: Shape::Text(&LOOKUP_TABLE_DESCRIPTION),
        },
        Member { name: "kmsKeyId", alias: None, required: false, shape: Shape::Text(&KMS_KEY_ID) },
        Member { name: "tags", alias: None, required: false, shape: Shape::Map(&TAGS) },
    ],
};

static LOOKUP_TABLE_DESCRIPTION: Text =
    Text { min: Some(0), max: Some(1024), pattern: None, one_of: &[], too_long: None };
static LOOKUP_TABLE_NAME: Text = Text {
    min: Some(1),
    max: Some(256),
    pattern: Some(Pattern::new(r##"^[a-zA-Z0-9_]+$"##)),
    one_of: &[],
    too_long: None,
};
static METRIC_NAME: Text = Text {
    min: None,
    max: Some(255),
    pattern: Some(Pattern::new(r##"[^:*$]*"##)),
    one_of: &[],
    too_long: None,
};
static METRIC_NAMESPACE: Text = Text {
    min: None,
    max: Some(255),
    pattern: Some(Pattern::new(r##"[^:*$]*"##)),
    one_of: &[],
    too_long: None,
};
pub(super) static METRIC_TRANSFORMATION: Structure = Structure {
    name: "MetricTransformation",
    members: &[
        Member { name: "metricName", alias: None, required: true, shape: Shape::Text(&METRIC_NAME) },
        Member {
            name: "metricNamespace",
            alias: None,
            required: true,
            shape: Shape::Text(&METRIC_NAMESPACE),
        },
        Member { name: "metricValue", alias: None, required: true, shape: Shape::Text(&METRIC_VALUE) },
        Member {
            name: "defaultValue",
            alias: None,
            required: false,
            shape: Shape::Double { min: None, max: None },
        },
        Member { name: "dimensions", alias: None, required: false, shape: Shape::Map(&DIMENSIONS) },
        Member { name: "unit", alias: None, required: false, shape: Shape::Text(&STANDARD_UNIT) },
    ],
};

static METRIC_TRANSFORMATIONS: List =
    List { min: Some(1), max: Some(1), member: Shape::Structure(&METRIC_TRANSFORMATION) };
static METRIC_VALUE: Text = Text { min: None, max: Some(100), pattern: None, one_of: &[], too_long: None };
static NEXT_TOKEN: Text = Text { min: Some(1), max: None, pattern: None, one_of: &[], too_long: None };
static ORDER_BY: Text =
    Text { min: None, max: None, pattern: None, one_of: &["LogStreamName", "LastEventTime"], too_long: None };
pub(super) static PUT_DESTINATION_POLICY_REQUEST: Structure = Structure {
    name: "PutDestinationPolicyRequest",
    members: &[
        Member {
            name: "destinationName",
            alias: None,
            required: true,
            shape: Shape::Text(&DESTINATION_NAME),
        },
        Member { name: "accessPolicy", alias: None, required: true, shape: Shape::Text(&ACCESS_POLICY) },
        Member { name: "forceUpdate", alias: None, required: false, shape: Shape::Boolean },
    ],
};

pub(super) static PUT_DESTINATION_REQUEST: Structure = Structure {
    name: "PutDestinationRequest",
    members: &[
        Member {
            name: "destinationName",
            alias: None,
            required: true,
            shape: Shape::Text(&DESTINATION_NAME),
        },
        Member { name: "targetArn", alias: None, required: true, shape: Shape::Text(&TARGET_ARN) },
        Member { name: "roleArn", alias: None, required: true, shape: Shape::Text(&ROLE_ARN) },
        Member { name: "tags", alias: None, required: false, shape: Shape::Map(&TAGS) },
    ],
};

pub(super) static PUT_LOG_EVENTS_REQUEST: Structure = Structure {
    name: "PutLogEventsRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "logStreamName", alias: None, required: true, shape: Shape::Text(&LOG_STREAM_NAME) },
        Member { name: "logEvents", alias: None, required: true, shape: Shape::List(&INPUT_LOG_EVENTS) },
        Member { name: "sequenceToken", alias: None, required: false, shape: Shape::Text(&SEQUENCE_TOKEN) },
        Member { name: "entity", alias: None, required: false, shape: Shape::Structure(&ENTITY) },
    ],
};

pub(super) static PUT_LOG_GROUP_DELETION_PROTECTION_REQUEST: Structure = Structure {
    name: "PutLogGroupDeletionProtectionRequest",
    members: &[
        Member {
            name: "logGroupIdentifier",
            alias: None,
            required: true,
            shape: Shape::Text(&LOG_GROUP_IDENTIFIER),
        },
        Member { name: "deletionProtectionEnabled", alias: None, required: true, shape: Shape::Boolean },
    ],
};

pub(super) static PUT_METRIC_FILTER_REQUEST: Structure = Structure {
    name: "PutMetricFilterRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "filterName", alias: None, required: true, shape: Shape::Text(&FILTER_NAME) },
        Member { name: "filterPattern", alias: None, required: true, shape: Shape::Text(&FILTER_PATTERN) },
        Member {
            name: "metricTransformations",
            alias: None,
            required: true,
            shape: Shape::List(&METRIC_TRANSFORMATIONS),
        },
        Member { name: "applyOnTransformedLogs", alias: None, required: false, shape: Shape::Boolean },
        Member {
            name: "fieldSelectionCriteria",
            alias: None,
            required: false,
            shape: Shape::Text(&FIELD_SELECTION_CRITERIA),
        },
        Member {
            name: "emitSystemFieldDimensions",
            alias: None,
            required: false,
            shape: Shape::List(&EMIT_SYSTEM_FIELDS),
        },
    ],
};

pub(super) static PUT_QUERY_DEFINITION_REQUEST: Structure = Structure {
    name: "PutQueryDefinitionRequest",
    members: &[
        Member { name: "queryLanguage", alias: None, required: false, shape: Shape::Text(&QUERY_LANGUAGE) },
        Member { name: "name", alias: None, required: true, shape: Shape::Text(&QUERY_DEFINITION_NAME) },
        Member { name: "queryDefinitionId", alias: None, required: false, shape: Shape::Text(&QUERY_ID) },
        Member { name: "logGroupNames", alias: None, required: false, shape: Shape::List(&LOG_GROUP_NAMES) },
        Member {
            name: "queryString",
            alias: None,
            required: true,
            shape: Shape::Text(&QUERY_DEFINITION_STRING),
        },
        Member { name: "clientToken", alias: None, required: false, shape: Shape::Text(&CLIENT_TOKEN) },
        Member {
            name: "parameters",
            alias: None,
            required: false,
            shape: Shape::List(&QUERY_PARAMETER_LIST),
        },
    ],
};

pub(super) static PUT_RETENTION_POLICY_REQUEST: Structure = Structure {
    name: "PutRetentionPolicyRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member {
            name: "retentionInDays",
            alias: None,
            required: true,
            shape: Shape::Integer { min: None, max: None },
        },
    ],
};

pub(super) static PUT_SUBSCRIPTION_FILTER_REQUEST: Structure = Structure {
    name: "PutSubscriptionFilterRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "filterName", alias: None, required: true, shape: Shape::Text(&FILTER_NAME) },
        Member { name: "filterPattern", alias: None, required: true, shape: Shape::Text(&FILTER_PATTERN) },
        Member { name: "destinationArn", alias: None, required: true, shape: Shape::Text(&DESTINATION_ARN) },
        Member { name: "roleArn", alias: None, required: false, shape: Shape::Text(&ROLE_ARN) },
        Member { name: "distribution", alias: None, required: false, shape: Shape::Text(&DISTRIBUTION) },
        Member { name: "applyOnTransformedLogs", alias: None, required: false, shape: Shape::Boolean },
        Member {
            name: "fieldSelectionCriteria",
            alias: None,
            required: false,
            shape: Shape::Text(&FIELD_SELECTION_CRITERIA),
        },
        Member {
            name: "emitSystemFields",
            alias: None,
            required: false,
            shape: Shape::List(&EMIT_SYSTEM_FIELDS),
        },
    ],
};

static QUERY_DEFINITION_NAME: Text =
    Text { min: Some(1), max: Some(255), pattern: None, one_of: &[], too_long: None };
static QUERY_DEFINITION_STRING: Text =
    Text { min: Some(1), max: Some(10000), pattern: None, one_of: &[], too_long: None };
static QUERY_ID: Text = Text { min: Some(1), max: Some(256), pattern: None, one_of: &[], too_long: None };
static QUERY_LANGUAGE: Text =
    Text { min: None, max: None, pattern: None, one_of: &["CWLI", "SQL", "PPL"], too_long: None };
pub(super) static QUERY_PARAMETER: Structure = Structure {
    name: "QueryParameter",
    members: &[
        Member { name: "name", alias: None, required: true, shape: Shape::Text(&QUERY_PARAMETER_NAME) },
        Member {
            name: "defaultValue",
            alias: None,
            required: false,
            shape: Shape::Text(&QUERY_PARAMETER_DEFAULT_VALUE),
        },
        Member {
            name: "description",
            alias: None,
            required: false,
            shape: Shape::Text(&QUERY_PARAMETER_DESCRIPTION),
        },
    ],
};

static QUERY_PARAMETER_DEFAULT_VALUE: Text =
    Text { min: None, max: Some(1024), pattern: None, one_of: &[], too_long: None };
static QUERY_PARAMETER_DESCRIPTION: Text =
    Text { min: None, max: Some(512), pattern: None, one_of: &[], too_long: None };
static QUERY_PARAMETER_LIST: List =
    List { min: None, max: Some(20), member: Shape::Structure(&QUERY_PARAMETER) };
static QUERY_PARAMETER_NAME: Text = Text {
    min: Some(1),
    max: Some(128),
    pattern: Some(Pattern::new(r##"^[a-zA-Z_][a-zA-Z0-9_]*"##)),
    one_of: &[],
    too_long: None,
};
static QUERY_STATUS: Text = Text {
    min: None,
    max: None,
    pattern: None,
    one_of: &["Scheduled", "Running", "Complete", "Failed", "Cancelled", "Timeout", "Unknown"],
    too_long: None,
};
static QUERY_STRING: Text =
    Text { min: Some(0), max: Some(10000), pattern: None, one_of: &[], too_long: None };
static ROLE_ARN: Text = Text { min: Some(1), max: None, pattern: None, one_of: &[], too_long: None };
pub(super) static S3_CONFIGURATION: Structure = Structure {
    name: "S3Configuration",
    members: &[
        Member { name: "destinationIdentifier", alias: None, required: true, shape: Shape::Text(&S3_URI) },
        Member { name: "roleArn", alias: None, required: true, shape: Shape::Text(&ROLE_ARN) },
        Member { name: "ownerAccountId", alias: None, required: false, shape: Shape::Text(&ACCOUNT_ID) },
        Member { name: "kmsKeyId", alias: None, required: false, shape: Shape::Text(&KMS_KEY_ID) },
    ],
};

static S3_URI: Text = Text {
    min: None,
    max: Some(1024),
    pattern: Some(Pattern::new(r##"s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?"##)),
    one_of: &[],
    too_long: None,
};
static SCHEDULE_EXPRESSION: Text =
    Text { min: None, max: Some(256), pattern: None, one_of: &[], too_long: None };
static SCHEDULE_TIMEZONE: Text = Text { min: Some(1), max: None, pattern: None, one_of: &[], too_long: None };
static SCHEDULE_TYPE: Text = Text {
    min: None,
    max: None,
    pattern: None,
    one_of: &["CUSTOMER_MANAGED", "AWS_MANAGED"],
    too_long: None,
};
static SCHEDULED_QUERY_DESCRIPTION: Text =
    Text { min: None, max: Some(1024), pattern: None, one_of: &[], too_long: None };
static SCHEDULED_QUERY_IDENTIFIER: Text =
    Text { min: Some(1), max: Some(300), pattern: None, one_of: &[], too_long: None };
static SCHEDULED_QUERY_LOG_GROUP_IDENTIFIERS: List =
    List { min: Some(1), max: Some(50), member: Shape::Text(&LOG_GROUP_IDENTIFIER) };
static SCHEDULED_QUERY_NAME: Text =
    Text { min: Some(1), max: Some(300), pattern: None, one_of: &[], too_long: None };
static SCHEDULED_QUERY_STATE: Text =
    Text { min: None, max: None, pattern: None, one_of: &["ENABLED", "DISABLED"], too_long: None };
static SEQUENCE_TOKEN: Text = Text { min: Some(1), max: None, pattern: None, one_of: &[], too_long: None };
static STANDARD_UNIT: Text = Text {
    min: None,
    max: None,
    pattern: None,
    one_of: &[
        "Seconds",
        "Microseconds",
        "Milliseconds",
        "Bytes",
        "Kilobytes",
        "Megabytes",
        "Gigabytes",
        "Terabytes",
        "Bits",
        "Kilobits",
        "Megabits",
        "Gigabits",
        "Terabits",
        "Percent",
        "Count",
        "Bytes/Second",
        "Kilobytes/Second",
        "Megabytes/Second",
        "Gigabytes/Second",
        "Terabytes/Second",
        "Bits/Second",
        "Kilobits/Second",
        "Megabits/Second",
        "Gigabits/Second",
        "Terabits/Second",
        "Count/Second",
        "None",
    ],
    too_long: None,
};
static START_LIVE_TAIL_LOG_GROUP_IDENTIFIERS: List =
    List { min: Some(1), max: Some(10), member: Shape::Text(&LOG_GROUP_IDENTIFIER) };
pub(super) static START_LIVE_TAIL_REQUEST: Structure = Structure {
    name: "StartLiveTailRequest",
    members: &[
        Member {
            name: "logGroupIdentifiers",
            alias: None,
            required: true,
            shape: Shape::List(&START_LIVE_TAIL_LOG_GROUP_IDENTIFIERS),
        },
        Member {
            name: "logStreamNames",
            alias: None,
            required: false,
            shape: Shape::List(&INPUT_LOG_STREAM_NAMES),
        },
        Member {
            name: "logStreamNamePrefixes",
            alias: None,
            required: false,
            shape: Shape::List(&INPUT_LOG_STREAM_NAMES),
        },
        Member {
            name: "logEventFilterPattern",
            alias: None,
            required: false,
            shape: Shape::Text(&FILTER_PATTERN),
        },
    ],
};

pub(super) static START_QUERY_REQUEST: Structure = Structure {
    name: "StartQueryRequest",
    members: &[
        Member { name: "queryLanguage", alias: None, required: false, shape: Shape::Text(&QUERY_LANGUAGE) },
        Member { name: "logGroupName", alias: None, required: false, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "logGroupNames", alias: None, required: false, shape: Shape::List(&LOG_GROUP_NAMES) },
        Member {
            name: "logGroupIdentifiers",
            alias: None,
            required: false,
            shape: Shape::List(&LOG_GROUP_IDENTIFIERS),
        },
        Member {
            name: "startTime",
            alias: None,
            required: true,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member {
            name: "endTime",
            alias: None,
            required: true,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member { name: "queryString", alias: None, required: true, shape: Shape::Text(&QUERY_STRING) },
        Member {
            name: "limit",
            alias: None,
            required: false,
            shape: Shape::Integer { min: Some(1), max: Some(100000) },
        },
    ],
};

pub(super) static STOP_QUERY_REQUEST: Structure = Structure {
    name: "StopQueryRequest",
    members: &[Member { name: "queryId", alias: None, required: true, shape: Shape::Text(&QUERY_ID) }],
};

static TABLE_BODY: Text =
    Text { min: Some(1), max: Some(10485760), pattern: None, one_of: &[], too_long: None };
pub(super) static TAG_FILTER: Structure = Structure {
    name: "TagFilter",
    members: &[
        Member { name: "key", alias: None, required: true, shape: Shape::Text(&TAG_FILTER_KEY) },
        Member { name: "values", alias: None, required: false, shape: Shape::List(&TAG_FILTER_VALUES) },
    ],
};

static TAG_FILTER_KEY: Text = Text {
    min: Some(1),
    max: Some(128),
    pattern: Some(Pattern::new(r##"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$"##)),
    one_of: &[],
    too_long: None,
};
static TAG_FILTER_VALUE: Text = Text {
    min: Some(0),
    max: Some(259),
    pattern: Some(Pattern::new(r##"^!?\*?([\p{L}\p{Z}\p{N}_.:/=+\-@]*)\*?$"##)),
    one_of: &[],
    too_long: None,
};
static TAG_FILTER_VALUES: List = List { min: Some(0), max: Some(5), member: Shape::Text(&TAG_FILTER_VALUE) };
static TAG_FILTERS: List = List { min: Some(1), max: Some(5), member: Shape::Structure(&TAG_FILTER) };
static TAG_KEY: Text = Text {
    min: Some(1),
    max: Some(128),
    pattern: Some(Pattern::new(r##"^([\p{L}\p{Z}\p{N}_.:/=+\-@]+)$"##)),
    one_of: &[],
    too_long: None,
};
static TAG_KEY_LIST: List = List { min: Some(0), max: Some(50), member: Shape::Text(&TAG_KEY) };
static TAG_LIST: List = List { min: Some(1), max: None, member: Shape::Text(&TAG_KEY) };
pub(super) static TAG_LOG_GROUP_REQUEST: Structure = Structure {
    name: "TagLogGroupRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "tags", alias: None, required: true, shape: Shape::Map(&TAGS) },
    ],
};

pub(super) static TAG_RESOURCE_REQUEST: Structure = Structure {
    name: "TagResourceRequest",
    members: &[
        Member {
            name: "resourceArn",
            alias: None,
            required: true,
            shape: Shape::Text(&AMAZON_RESOURCE_NAME),
        },
        Member { name: "tags", alias: None, required: true, shape: Shape::Map(&TAGS) },
    ],
};

static TAG_VALUE: Text = Text {
    min: None,
    max: Some(256),
    pattern: Some(Pattern::new(r##"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"##)),
    one_of: &[],
    too_long: None,
};
static TAGS: Map =
    Map { min: Some(1), max: Some(50), key: Shape::Text(&TAG_KEY), value: Shape::Text(&TAG_VALUE) };
static TARGET_ARN: Text = Text { min: Some(1), max: None, pattern: None, one_of: &[], too_long: None };
static TEST_EVENT_MESSAGES: List = List { min: Some(1), max: Some(50), member: Shape::Text(&EVENT_MESSAGE) };
pub(super) static TEST_METRIC_FILTER_REQUEST: Structure = Structure {
    name: "TestMetricFilterRequest",
    members: &[
        Member { name: "filterPattern", alias: None, required: true, shape: Shape::Text(&FILTER_PATTERN) },
        Member {
            name: "logEventMessages",
            alias: None,
            required: true,
            shape: Shape::List(&TEST_EVENT_MESSAGES),
        },
    ],
};

pub(super) static UNTAG_LOG_GROUP_REQUEST: Structure = Structure {
    name: "UntagLogGroupRequest",
    members: &[
        Member { name: "logGroupName", alias: None, required: true, shape: Shape::Text(&LOG_GROUP_NAME) },
        Member { name: "tags", alias: None, required: true, shape: Shape::List(&TAG_LIST) },
    ],
};

pub(super) static UNTAG_RESOURCE_REQUEST: Structure = Structure {
    name: "UntagResourceRequest",
    members: &[
        Member {
            name: "resourceArn",
            alias: None,
            required: true,
            shape: Shape::Text(&AMAZON_RESOURCE_NAME),
        },
        Member { name: "tagKeys", alias: None, required: true, shape: Shape::List(&TAG_KEY_LIST) },
    ],
};

pub(super) static UPDATE_LOOKUP_TABLE_REQUEST: Structure = Structure {
    name: "UpdateLookupTableRequest",
    members: &[
        Member { name: "lookupTableArn", alias: None, required: true, shape: Shape::Text(&ANY_TEXT) },
        Member {
            name: "description",
            alias: None,
            required: false,
            shape: Shape::Text(&LOOKUP_TABLE_DESCRIPTION),
        },
        Member { name: "tableBody", alias: None, required: false, shape: Shape::Text(&TABLE_BODY) },
        Member { name: "queryId", alias: None, required: false, shape: Shape::Text(&QUERY_ID) },
        Member { name: "kmsKeyId", alias: None, required: false, shape: Shape::Text(&KMS_KEY_ID) },
    ],
};

pub(super) static UPDATE_SCHEDULED_QUERY_REQUEST: Structure = Structure {
    name: "UpdateScheduledQueryRequest",
    members: &[
        Member {
            name: "identifier",
            alias: None,
            required: true,
            shape: Shape::Text(&SCHEDULED_QUERY_IDENTIFIER),
        },
        Member {
            name: "description",
            alias: None,
            required: false,
            shape: Shape::Text(&SCHEDULED_QUERY_DESCRIPTION),
        },
        Member { name: "queryLanguage", alias: None, required: true, shape: Shape::Text(&QUERY_LANGUAGE) },
        Member { name: "queryString", alias: None, required: true, shape: Shape::Text(&QUERY_STRING) },
        Member {
            name: "logGroupIdentifiers",
            alias: None,
            required: false,
            shape: Shape::List(&SCHEDULED_QUERY_LOG_GROUP_IDENTIFIERS),
        },
        Member {
            name: "scheduleExpression",
            alias: None,
            required: true,
            shape: Shape::Text(&SCHEDULE_EXPRESSION),
        },
        Member { name: "timezone", alias: None, required: false, shape: Shape::Text(&SCHEDULE_TIMEZONE) },
        Member {
            name: "startTimeOffset",
            alias: None,
            required: false,
            shape: Shape::Long { min: None, max: None },
        },
        Member {
            name: "endTimeOffset",
            alias: None,
            required: false,
            shape: Shape::Long { min: None, max: None },
        },
        Member {
            name: "destinationConfiguration",
            alias: None,
            required: false,
            shape: Shape::Structure(&DESTINATION_CONFIGURATION),
        },
        Member {
            name: "scheduleStartTime",
            alias: None,
            required: false,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member {
            name: "scheduleEndTime",
            alias: None,
            required: false,
            shape: Shape::Long { min: Some(0), max: None },
        },
        Member { name: "executionRoleArn", alias: None, required: true, shape: Shape::Text(&ROLE_ARN) },
        Member { name: "state", alias: None, required: false, shape: Shape::Text(&SCHEDULED_QUERY_STATE) },
    ],
};
