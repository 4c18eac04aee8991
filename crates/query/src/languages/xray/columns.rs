//! Which fields the keywords of filters are read from: the one list that plans and readers of rows share. New semantic
//! conventions come before old ones.

use std::collections::{BTreeMap, BTreeSet};

use tracery_columnar::AttributeColumn;
use tracery_model::ValueType;

use super::ast::Text;
use crate::questions::identifier;
use crate::{FieldInfo, FieldType};

pub(crate) const ACCOUNT: &str = "cloud.account.id";

/// The fields with the HTTP status, the first that is there.
pub(crate) const STATUS: [&str; 2] = ["http.response.status_code", "http.status_code"];

/// The fields that name what an OpenTelemetry client calls.
pub(crate) const CLIENT: [&str; 16] = [
    "db.system.name",
    "db.system",
    "db.namespace",
    "db.name",
    "server.address",
    "net.peer.name",
    "messaging.system",
    "messaging.destination.name",
    "messaging.destination",
    "peer.service",
    "http.host",
    "rpc.system",
    "rpc.service",
    "aws.table_name",
    "aws.dynamodb.table_names",
    "aws.queue_url",
];

/// The fields that a text keyword is read from, the first that is there.
pub(crate) fn fields_of(text: Text) -> &'static [&'static str] {
    match text {
        Text::HttpUrl => &["url.full", "http.url", "url.path", "http.target"],
        Text::HttpMethod => &["http.request.method", "http.method"],
        Text::HttpUserAgent => &["user_agent.original", "http.user_agent"],
        Text::HttpClientIp => &["client.address", "http.client_ip"],
        Text::User => &["enduser.id"],
        Text::Message => &["exception.message"],
        Text::AvailabilityZone => &["cloud.availability_zone"],
        Text::InstanceId => &["host.id"],
        Text::ResourceArn => &["aws.xray.resource_arn"],
        Text::AccountId => &[ACCOUNT],
        // Of the node, which has them.
        Text::Name | Text::Type => &[],
    }
}

/// The type of a field that some row has; names that start with `#` are no fields.
pub(crate) fn known_type(fields: &[FieldInfo], name: &str) -> Option<FieldType> {
    if name.starts_with('#') {
        return None;
    }
    fields.iter().find(|field| field.name == name).map(|field| field.field_type)
}

/// Whether a keyword of the trace looks at every row and not only at the entry point.
pub(crate) fn of_every_row(text: Text) -> bool {
    matches!(
        text,
        Text::User | Text::AvailabilityZone | Text::InstanceId | Text::ResourceArn | Text::AccountId
    )
}

/// A field, if it exists, as `wanted` or as its own type.
pub(crate) fn typed(
    fields: &[FieldInfo],
    name: &str,
    wanted: Option<FieldType>,
) -> Option<(String, FieldType)> {
    let own = known_type(fields, name)?;
    let field_type = wanted.unwrap_or(own);
    let column = identifier(name);
    let sql = match (field_type == own, field_type) {
        (true, _) => column,
        (false, FieldType::Text) => format!("CAST({column} AS VARCHAR)"),
        (false, FieldType::Integer) => format!("TRY_CAST({column} AS BIGINT)"),
        (false, FieldType::Float) => format!("TRY_CAST({column} AS DOUBLE)"),
        (false, FieldType::Boolean) => format!("TRY_CAST({column} AS BOOLEAN)"),
    };
    Some((sql, field_type))
}

/// Whether an attribute was sent both as text and as a number or truth.
pub(crate) fn is_mixed(key: &str, physical: &BTreeMap<String, i64>) -> bool {
    let columns = physical.keys().filter_map(|name| AttributeColumn::parse(name));
    let are_texts: BTreeSet<bool> = columns
        .filter(|column| column.key == key)
        .map(|column| matches!(column.value_type, ValueType::Str | ValueType::Json))
        .collect();
    are_texts.len() > 1
}
