//! A trace as span documents, in the form in which CloudWatch keeps spans: what came as spans as it came, segments by the
//! table of the OpenTelemetry Collector's X-Ray receiver. Trace retrieval gives them where its caller asks for OTEL.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use tracery_model::TraceId;
use tracery_query::questions::xray::{StoredSpan, TraceDocuments};

use super::compile::CompiledTrace;
use super::entity::Entity;
use crate::segment::fields::{Members, int, is_true, object, objects, text};

/// The documents, each with its span's id, by start. Inferred segments are no spans.
pub(crate) fn spans(stored: &TraceDocuments, trace: &CompiledTrace) -> Vec<(String, Value)> {
    let mut found: Vec<(i64, String, Value)> = Vec::new();
    for span in &stored.spans {
        found.push((span.start_ns, span.span_id.clone(), of_span(stored.trace_id, span)));
    }
    for segment in &trace.segments {
        segment.walk(&mut |entity| {
            if !entity.is_inferred && !entity.is_of_span {
                let document = of_entity(stored.trace_id, segment, entity);
                found.push((nanos(entity.start_s), entity.id.to_string(), document));
            }
        });
    }
    found.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    found.into_iter().map(|(_, id, document)| (id, document)).collect()
}

fn nanos(seconds: f64) -> i64 {
    tracery_aws_wire::EpochSeconds(seconds).as_ns()
}

fn of_span(trace_id: TraceId, span: &StoredSpan) -> Value {
    let events: Vec<Value> = span
        .events
        .iter()
        .map(|event| json!({ "timeUnixNano": event.time_ns, "name": event.name, "attributes": event.attributes }))
        .collect();
    let links: Vec<Value> = span
        .links
        .iter()
        .map(
            |link| json!({ "traceId": link.trace_id, "spanId": link.span_id, "attributes": link.attributes }),
        )
        .collect();
    let kind = match span.kind {
        2 => "SERVER",
        3 => "CLIENT",
        4 => "PRODUCER",
        5 => "CONSUMER",
        _ => "INTERNAL",
    };
    let mut status = Map::new();
    let code = match span.status_code {
        1 => "OK",
        2 => "ERROR",
        _ => "UNSET",
    };
    status.insert("code".to_owned(), Value::from(code));
    status.extend(span.status_message.clone().map(|message| ("message".to_owned(), Value::from(message))));
    let mut document = Map::new();
    document.insert("resource".to_owned(), json!({ "attributes": span.resource }));
    if let Some(scope) = &span.scope_name {
        document.insert("scope".to_owned(), json!({ "name": scope }));
    }
    document.insert("traceId".to_owned(), Value::from(trace_id.to_string()));
    document.insert("spanId".to_owned(), Value::from(span.span_id.as_str()));
    document.extend(span.parent_id.clone().map(|id| ("parentSpanId".to_owned(), Value::from(id))));
    document.insert("name".to_owned(), Value::from(span.name.as_str()));
    document.insert("kind".to_owned(), Value::from(kind));
    document.insert("startTimeUnixNano".to_owned(), Value::from(span.start_ns));
    document
        .insert("endTimeUnixNano".to_owned(), Value::from(span.start_ns.saturating_add(span.duration_ns)));
    document.insert("durationNano".to_owned(), Value::from(span.duration_ns));
    document.insert("attributes".to_owned(), Value::Object(span.attributes.clone()));
    document.insert("status".to_owned(), Value::Object(status));
    document.insert("events".to_owned(), Value::Array(events));
    document.insert("links".to_owned(), Value::Array(links));
    Value::Object(document)
}

fn of_entity(trace_id: TraceId, segment: &Entity, entity: &Entity) -> Value {
    let kind = match (entity.is_subsegment, entity.is_remote()) {
        (false, _) => "SERVER",
        (true, true) => "CLIENT",
        (true, false) => "INTERNAL",
    };
    let start_ns = nanos(entity.start_s);
    let mut document = Map::new();
    document.insert("resource".to_owned(), json!({ "attributes": resource(segment) }));
    document.insert("traceId".to_owned(), Value::from(trace_id.to_string()));
    document.insert("spanId".to_owned(), Value::from(entity.id.to_string()));
    document.extend(entity.parent_id.map(|id| ("parentSpanId".to_owned(), Value::from(id.to_string()))));
    document.insert("name".to_owned(), Value::from(entity.name.as_str()));
    document.insert("kind".to_owned(), Value::from(kind));
    document.insert("startTimeUnixNano".to_owned(), Value::from(start_ns));
    if let Some(end_s) = entity.end_s {
        let end_ns = nanos(end_s).max(start_ns);
        document.insert("endTimeUnixNano".to_owned(), Value::from(end_ns));
        document.insert("durationNano".to_owned(), Value::from(end_ns - start_ns));
    }
    document.insert("attributes".to_owned(), Value::Object(attributes(entity)));
    let code = if entity.is_failed() { "ERROR" } else { "UNSET" };
    document.insert("status".to_owned(), json!({ "code": code }));
    document.insert("events".to_owned(), Value::Array(exceptions(entity)));
    let links = objects(&entity.blocks, "links").filter_map(|link| {
        let trace_id = crate::segment::trace_id(text(link, "trace_id")?)?.to_string();
        Some(json!({ "traceId": trace_id, "spanId": link.get("id"), "attributes": link.get("attributes") }))
    });
    document.insert("links".to_owned(), links.collect());
    Value::Object(document)
}

fn resource(segment: &Entity) -> Members {
    let aws = segment.block("aws");
    let block = |name: &str| object(aws?, name);
    let mut attributes = Members::new();
    attributes.insert("service.name".to_owned(), Value::from(segment.name.as_str()));
    for (key, block, member) in [
        ("service.version", segment.block("service"), "version"),
        ("cloud.account.id", aws, "account_id"),
        ("host.id", block("ec2"), "instance_id"),
        ("host.type", block("ec2"), "instance_size"),
        ("host.image.id", block("ec2"), "ami_id"),
        ("cloud.availability_zone", block("ec2").or(block("ecs")), "availability_zone"),
        ("container.name", block("ecs"), "container"),
        ("container.id", block("ecs").or(block("eks")), "container_id"),
        ("aws.ecs.task.arn", block("ecs"), "task_arn"),
        ("k8s.cluster.name", block("eks"), "cluster_name"),
        ("k8s.pod.name", block("eks"), "pod"),
        ("telemetry.sdk.name", block("xray"), "sdk"),
        ("telemetry.sdk.version", block("xray"), "sdk_version"),
    ] {
        let value = block.and_then(|block| text(block, member));
        attributes.extend(value.map(|value| (key.to_owned(), Value::from(value))));
    }
    if let Some(origin) = &segment.origin {
        attributes.insert("aws.xray.origin".to_owned(), Value::from(origin.as_str()));
    }
    attributes
}

fn attributes(entity: &Entity) -> Members {
    let mut attributes = Members::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            attributes.insert(key.to_owned(), value);
        }
    };
    let http = entity.block("http");
    let part = |name: &str| object(http?, name);
    let (request, response) = (part("request"), part("response"));
    for (key, member) in [
        ("http.method", "method"),
        ("http.url", "url"),
        ("http.user_agent", "user_agent"),
        ("http.client_ip", "client_ip"),
    ] {
        put(key, request.and_then(|request| text(request, member)).map(Value::from));
    }
    for (key, member) in [("http.status_code", "status"), ("http.response_content_length", "content_length")]
    {
        put(key, response.and_then(|response| int(response, member)).map(Value::from));
    }
    let truth = |flag: bool| flag.then_some(Value::Bool(true));
    put(
        "aws.xray.x_forwarded_for",
        truth(request.is_some_and(|request| is_true(request, "x_forwarded_for"))),
    );
    put("aws.xray.traced", truth(entity.traced));
    put("aws.xray.inprogress", truth(entity.is_in_progress()));
    put("enduser.id", entity.user.as_deref().map(Value::from));
    if entity.namespace.as_deref() == Some("aws") {
        put("aws.service", Some(Value::from(entity.name.as_str())));
    }
    if entity.is_subsegment {
        for (member, value) in entity.block("aws").into_iter().flatten() {
            put(&format!("aws.{member}"), Some(value.clone()));
        }
    }
    if let Some(sql) = entity.block("sql") {
        for (key, member) in [
            ("db.system", "database_type"),
            ("db.statement", "sanitized_query"),
            ("db.user", "user"),
            ("db.connection_string", "connection_string"),
        ] {
            put(key, text(sql, member).map(Value::from));
        }
    }
    let annotations = entity.block("annotations");
    for (key, value) in annotations.into_iter().flatten() {
        put(key, Some(value.clone()));
    }
    put("aws.xray.annotations", annotations.map(|all| all.keys().map(String::as_str).collect()));
    for (namespace, value) in entity.block("metadata").into_iter().flatten() {
        put(&format!("aws.xray.metadata.{namespace}"), Some(Value::from(value.to_string())));
    }
    attributes
}

fn exceptions(entity: &Entity) -> Vec<Value> {
    let Some(cause) = entity.block("cause") else { return Vec::new() };
    let time_ns = nanos(entity.end_or_start_s());
    let event = |exception: &Members| {
        let mut attributes = Members::new();
        for (key, member) in
            [("exception.type", "type"), ("exception.message", "message"), ("aws.xray.exception.id", "id")]
        {
            let value = text(exception, member);
            attributes.extend(value.map(|value| (key.to_owned(), Value::from(value))));
        }
        let mut trace = String::new();
        for frame in objects(exception, "stack") {
            let of = |key| text(frame, key).unwrap_or("?");
            let line = int(frame, "line").map(|line| format!(":{line}")).unwrap_or_default();
            // Writing to a string does not fail.
            let _ = writeln!(trace, "\tat {}({}{line})", of("label"), of("path"));
        }
        if !trace.is_empty() {
            attributes.insert("exception.stacktrace".to_owned(), Value::from(trace));
        }
        json!({ "timeUnixNano": time_ns, "name": "exception", "attributes": attributes })
    };
    objects(cause, "exceptions").map(event).collect()
}
