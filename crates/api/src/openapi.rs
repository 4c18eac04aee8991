//! `openapi/api.json`, from which the web page's types come: the list of endpoints, and the shapes they speak.

use serde_json::{Map, Value, json};

use crate::endpoints::{self, Endpoint};

/// The OpenAPI document. `openapi/api.json` is this, indented; a test compares them.
pub fn document() -> Value {
    let mut paths = Map::new();
    for endpoint in endpoints::list() {
        let path = paths.entry(endpoint.full_path()).or_insert_with(|| json!({}));
        path[endpoint.method] = operation(&endpoint);
    }
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Tracery", "version": "1", "license": { "name": "Apache-2.0" } },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": {
                "session": { "type": "apiKey", "in": "cookie", "name": "tracery_session" },
                "bearer": { "type": "http", "scheme": "bearer" },
                "team": { "type": "apiKey", "in": "header", "name": "X-Honeycomb-Team" },
            },
        },
        "security": [{ "session": [] }, { "bearer": [] }, { "team": [] }, {}],
    })
}

fn reference(name: &str) -> Value {
    json!({ "application/json": { "schema": { "$ref": format!("#/components/schemas/{name}") } } })
}

fn operation(endpoint: &Endpoint) -> Value {
    let parameters: Vec<Value> = endpoint
        .parameters
        .iter()
        .map(|parameter| {
            let in_path = endpoint.path.contains(&format!("{{{}}}", parameter.name));
            json!({
                "name": parameter.name,
                "in": if in_path { "path" } else { "query" },
                "required": parameter.required,
                "description": parameter.about,
                "schema": { "type": parameter.kind },
            })
        })
        .collect();
    let made = endpoint.method == "post" && !endpoint.answer.is_empty() && {
        ["/keys", "/saved_queries", "/session"].contains(&endpoint.path)
    };
    let (status, success) = match (endpoint.answer, made) {
        ("", _) => ("204", json!({ "description": "Done." })),
        (answer, true) => ("201", json!({ "description": "Made.", "content": reference(answer) })),
        (answer, false) => ("200", json!({ "description": "The answer.", "content": reference(answer) })),
    };
    let mut responses = Map::new();
    responses.insert(status.into(), success);
    for (status, about) in errors(endpoint) {
        responses.insert(status.into(), json!({ "description": about, "content": reference("Error") }));
    }
    let mut operation = json!({
        "summary": endpoint.about,
        "operationId": operation_id(endpoint),
        "parameters": parameters,
        "responses": responses,
    });
    if !endpoint.body.is_empty() {
        operation["requestBody"] = json!({ "required": true, "content": reference(endpoint.body) });
    }
    operation
}

/// The statuses of errors that an endpoint may answer, and when it does.
fn errors(endpoint: &Endpoint) -> Vec<(&'static str, &'static str)> {
    let asks = ["/query", "/sql", "/bubble_up", "/traces", "/traces/{id}", "/services", "/values", "/fields"]
        .contains(&endpoint.path);
    let cancels = ["/query", "/sql"].contains(&endpoint.path);
    let optional = [
        "/session",
        "/query",
        "/bubble_up",
        "/traces/{id}",
        "/saved_queries",
        "/saved_queries/{id}",
        "/xray/rejected",
    ]
    .contains(&endpoint.path);
    let has_body = endpoint.body != "";
    let mut errors = vec![
        ("401", "No credential, or one that is not known."),
        ("403", "The credential may not do this, or a page of another origin asked."),
        ("503", "The settings database does not answer, or the server is stopping; try again."),
    ];
    for (status, about, when) in [
        ("400", "A parameter or the body is wrong.", has_body || !endpoint.parameters.is_empty()),
        ("404", "What was asked for is not there, or not for the caller.", !endpoint.parameters.is_empty()),
        ("409", "The query was cancelled.", cancels),
        (
            "409",
            "It exists already.",
            endpoint.method == "post" && ["/keys", "/saved_queries"].contains(&endpoint.path),
        ),
        ("408", "The body took longer than the server waits.", has_body),
        ("413", "The body is larger than 1 MiB.", has_body),
        ("415", "The body is not sent as application/json.", has_body),
        ("422", "The question is too big: it met a limit of time, memory or rows.", asks),
        (
            "429",
            "Too many passwords were guessed; try again later.",
            endpoint.method == "post" && endpoint.path == "/session",
        ),
        ("500", "The question failed; the server's log says why.", asks),
        ("501", "This server was built without that.", optional),
    ] {
        if when {
            errors.push((status, about));
        }
    }
    errors
}

fn operation_id(endpoint: &Endpoint) -> String {
    let path = endpoint.path.trim_start_matches('/').replace(['/', '{', '}'], "_");
    format!("{}_{}", endpoint.method, path.replace("__", "_").trim_end_matches('_'))
}

/// An object whose listed properties are all there. A type that ends with `?` may be null; `[]` is a list of what
/// stands before it; a capital letter names a schema.
fn object(properties: &[(&str, &str)]) -> Value {
    let each = properties.iter().map(|(name, kind)| ((*name).to_owned(), kind_schema(kind)));
    let required: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
    json!({ "type": "object", "properties": each.collect::<Map<_, _>>(), "required": required })
}

/// As [`object`], with the last `optional` properties not required.
fn partial(properties: &[(&str, &str)], optional: usize) -> Value {
    let mut schema = object(properties);
    let required: Vec<&str> =
        properties[..properties.len().saturating_sub(optional)].iter().map(|(name, _)| *name).collect();
    schema["required"] = json!(required);
    schema
}

fn kind_schema(kind: &str) -> Value {
    if let Some(item) = kind.strip_suffix("[]") {
        return json!({ "type": "array", "items": kind_schema(item) });
    }
    if let Some(kind) = kind.strip_suffix('?') {
        return json!({ "type": [kind, "null"] });
    }
    match kind {
        "any" => json!({}),
        // A double, which is what a browser makes of a JSON number, holds no nanoseconds since the epoch.
        "nanoseconds" => json!({ "type": "string", "pattern": "^-?[0-9]{1,19}$" }),
        "fields" => json!({ "type": "object", "additionalProperties": true }),
        name if name.starts_with(char::is_uppercase) => {
            json!({ "$ref": format!("#/components/schemas/{name}") })
        }
        name => json!({ "type": name }),
    }
}

fn schemas() -> Value {
    let key: &[(&str, &str)] = &[
        ("id", "string"),
        ("kind", "string"),
        ("name", "string"),
        ("scopes", "string[]"),
        ("created_ms", "integer"),
        ("revoked_ms", "integer?"),
    ];
    let running: &[(&str, &str)] = &[
        ("query_id", "string"),
        ("kind", "string"),
        ("elapsed_ms", "integer"),
        ("rows_scanned", "integer"),
        ("rows_total", "integer"),
        ("bytes_scanned", "integer"),
        ("bytes_total", "integer"),
    ];
    let attached: &[(&str, &str)] = &[("name", "string"), ("time_ns", "nanoseconds"), ("fields", "fields")];
    let mut schemas = json!({
        "Error": { "type": "object", "required": ["error"], "properties": {
            "error": object(&[("code", "string"), ("message", "string")]),
        } },
        "Session": object(&[("user", "string?"), ("kind", "string")]),
        "Login": object(&[("name", "string"), ("password", "string")]),
        "User": object(&[("user", "string")]),
        "Environment": object(&[("id", "integer"), ("slug", "string"), ("name", "string")]),
        "Environments": object(&[("environments", "Environment[]")]),
        "Key": object(key),
        "Keys": object(&[("keys", "Key[]")]),
        "NewKey": partial(&[("kind", "string"), ("name", "string"), ("scopes", "string[]")], 2),
        "CreatedKey": object(&[key, &[("environment", "string"), ("key", "string")]].concat()),
        "Service": object(&[
            ("name", "string"),
            ("request_count", "integer"),
            ("error_count", "integer"),
            ("rate_per_s", "number"),
            ("duration_p50_ms", "number?"),
            ("duration_p99_ms", "number?"),
            ("last_seen_ms", "integer"),
        ]),
        "Services": object(&[("services", "Service[]")]),
        "Field": object(&[("name", "string"), ("type", "string"), ("last_written_ms", "integer")]),
        "Fields": object(&[("fields", "Field[]")]),
        "Value": object(&[("value", "string"), ("count", "integer")]),
        "Values": object(&[("values", "Value[]")]),
        "QuerySpec": { "type": "object", "description": "A Honeycomb query specification.", "additionalProperties": true },
        "ResultRow": object(&[("data", "fields")]),
        "SeriesPoint": object(&[("time", "string"), ("data", "fields")]),
        "QueryAnswer": partial(&[
            ("query", "QuerySpec"),
            ("results", "ResultRow[]"),
            ("series", "SeriesPoint[]"),
            ("rows_examined", "integer"),
            ("elapsed_ms", "integer"),
            ("granularity", "integer"),
            ("start_time", "integer"),
            ("end_time", "integer"),
            ("total_by_aggregate", "fields"),
            ("total_by_aggregate_series", "SeriesPoint[]"),
            ("compare_results", "ResultRow[]"),
            ("compare_series", "SeriesPoint[]"),
        ], 4),
        "RunningQuery": object(running),
        "RunningQueries": object(&[("queries", "RunningQuery[]")]),
        "BubbleUpSelection": partial(&[
            ("start_time", "integer"),
            ("end_time", "integer"),
            ("column", "string"),
            ("min", "number"),
            ("max", "number"),
            ("group", "any[]"),
        ], 6),
        "BubbleUp": object(&[("query", "QuerySpec"), ("selection", "BubbleUpSelection")]),
        "BubbleUpAnswer": object(&[
            ("selection_count", "integer"),
            ("baseline_count", "integer"),
            ("fields_skipped", "integer"),
            ("fields", "fields[]"),
        ]),
        "Sql": object(&[("sql", "string")]),
        "SqlColumn": object(&[("name", "string"), ("type", "string")]),
        "SqlAnswer": object(&[("columns", "SqlColumn[]"), ("rows", "any[][]"), ("truncated", "boolean")]),
        "TraceSummary": object(&[
            ("trace_id", "string"),
            ("root_name", "string"),
            ("root_service", "string"),
            ("start_ms", "integer"),
            ("duration_ms", "number"),
            ("span_count", "integer"),
            ("error_count", "integer"),
        ]),
        "Traces": object(&[("traces", "TraceSummary[]")]),
        "Attached": object(attached),
        "Link": object(&[("trace_id", "string?"), ("span_id", "string?"), ("fields", "fields")]),
        "Span": object(&[
            ("span_id", "string"),
            ("parent_id", "string?"),
            ("name", "string"),
            ("service", "string"),
            ("kind", "string"),
            ("status_code", "integer"),
            ("start_ns", "nanoseconds"),
            ("duration_ns", "nanoseconds"),
            ("fields", "fields"),
            ("events", "Attached[]"),
            ("links", "Link[]"),
            ("logs", "Attached[]"),
        ]),
        "Trace": object(&[
            ("trace_id", "string"),
            ("start_ns", "nanoseconds"),
            ("duration_ns", "nanoseconds"),
            ("span_count", "integer"),
            ("offset", "integer"),
            ("spans", "Span[]"),
            ("attached_omitted", "integer"),
            ("next_cursor", "string?"),
        ]),
        "SavedQuery": object(&[
            ("id", "string"),
            ("name", "string"),
            ("dataset", "string"),
            ("query", "QuerySpec"),
            ("owner", "string"),
            ("created_ms", "integer"),
        ]),
        "SavedQueries": object(&[("saved_queries", "SavedQuery[]"), ("next_cursor", "string?")]),
        "RejectedDocument": object(&[
            ("received_ms", "integer"),
            ("door", "string"),
            ("reason", "string"),
            ("message", "string"),
            ("byte_count", "integer"),
            ("text", "string"),
        ]),
        "RejectedDocuments": object(&[("rejected", "RejectedDocument[]")]),
        "DaemonRecord": object(&[
            ("received_ms", "integer"),
            ("counted_ms", "integer"),
            ("hostname", "string"),
            ("instance_id", "string"),
            ("resource_arn", "string"),
            ("received_count", "integer"),
            ("sent_count", "integer"),
            ("spillover_count", "integer"),
            ("rejected_count", "integer"),
            ("connection_error_count", "integer"),
        ]),
        "DaemonRecords": object(&[("records", "DaemonRecord[]")]),
        "NewSavedQuery": partial(&[("name", "string"), ("query", "QuerySpec"), ("dataset", "string")], 1),
    });
    // As many as one `json!` holds are above.
    if let (Value::Object(all), Value::Object(more)) = (&mut schemas, request_schemas()) {
        all.extend(more);
    }
    schemas
}

fn request_schemas() -> Value {
    let record: &[(&str, &str)] = &[
        ("kind", "string"),
        ("source", "string"),
        ("time_ns", "nanoseconds"),
        ("duration_ns", "nanoseconds"),
        ("precision_ns", "integer"),
        ("trace_id", "string?"),
        ("span_id", "string?"),
        ("service", "string"),
        ("name", "string"),
        ("method", "string?"),
        ("path", "string?"),
        ("status", "integer?"),
        ("failed", "boolean"),
        ("host", "string?"),
        ("process", "string?"),
        ("text", "string"),
        ("occurrence_id", "integer?"),
    ];
    json!({
        "NewEnvironment": object(&[("name", "string")]),
        "LogRegions": object(&[("regions", "string[]")]),
        "Evidence": object(&[("reason", "string"), ("weight", "number?")]),
        "RequestRecord": object(record),
        "Member": object(&[record, &[("strength", "number"), ("evidence", "Evidence[]")]].concat()),
        "RequestView": object(&[
            ("trace_id", "string"),
            ("start_ns", "nanoseconds"),
            ("duration_ns", "nanoseconds"),
            ("entries", "RequestRecord[]"),
            ("members", "Member[]"),
            ("rival_count", "integer"),
            ("is_partial", "boolean"),
        ]),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_names_a_schema_that_is_there() {
        let document = document();
        let text = document.to_string();
        for rest in text.split("#/components/schemas/").skip(1) {
            let name = rest.split('"').next().unwrap();
            assert!(document["components"]["schemas"].get(name).is_some(), "{name}");
        }
    }
}
