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
    let mut operation = json!({
        "summary": endpoint.about,
        "operationId": operation_id(endpoint),
        "parameters": parameters,
        "responses": {
            status: success,
            "default": { "description": "What went wrong.", "content": reference("Error") },
        },
    });
    if !endpoint.body.is_empty() {
        operation["requestBody"] = json!({ "required": true, "content": reference(endpoint.body) });
    }
    operation
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
    let attached: &[(&str, &str)] = &[("name", "string"), ("time_ns", "integer"), ("fields", "fields")];
    json!({
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
            ("total_by_aggregate", "fields"),
        ], 1),
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
            ("start_ns", "integer"),
            ("duration_ns", "integer"),
            ("fields", "fields"),
            ("events", "Attached[]"),
            ("links", "Link[]"),
            ("logs", "Attached[]"),
        ]),
        "Trace": object(&[
            ("trace_id", "string"),
            ("start_ns", "integer"),
            ("duration_ns", "integer"),
            ("span_count", "integer"),
            ("offset", "integer"),
            ("spans", "Span[]"),
        ]),
        "SavedQuery": object(&[
            ("id", "string"),
            ("name", "string"),
            ("dataset", "string"),
            ("query", "QuerySpec"),
            ("created_ms", "integer"),
        ]),
        "SavedQueries": object(&[("saved_queries", "SavedQuery[]")]),
        "NewSavedQuery": partial(&[("name", "string"), ("query", "QuerySpec"), ("dataset", "string")], 1),
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
