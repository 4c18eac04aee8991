//! The members of a segment or subsegment as attributes in OpenTelemetry's words, by the table that the OpenTelemetry
//! Collector uses: what a row has of its own, and what a segment says about where it ran. `segment::rows` calls it for
//! each row.

use serde_json::Value as Json;
use tracery_columnar::BatchBuilder;
use tracery_model::{Origin, Value};

use super::fields::{Members, int, is_true, object, objects, text};
use crate::node::subsegment_node;

/// Annotations, members of `aws` and namespaces of metadata that become attributes of one row, each; the service takes
/// 50 annotations. The document keeps the rest.
const KEYS_MAX: usize = 500;

/// Writes the attributes of the row itself. Returns how many values were left out.
pub(super) fn own(builder: &mut BatchBuilder, members: &Members, name: &str, is_segment: bool) -> usize {
    let mut row = Row { builder, left_out: 0 };
    row.text("aws.xray.type", if is_segment { "segment" } else { "subsegment" });
    for flag in ["fault", "error", "throttle"] {
        if is_true(members, flag) {
            row.truth(&format!("aws.xray.{flag}"));
        }
    }
    if super::document_is_in_progress(members) {
        row.truth("aws.xray.inprogress");
    }
    row.http(members);
    row.text_of(members, "user", "enduser.id");
    row.text_of(members, "namespace", "aws.xray.namespace");
    if is_segment {
        row.text("aws.xray.node", name);
        row.text("aws.xray.node_type", text(members, "origin").unwrap_or_default());
        row.sampling_rule(members);
    } else {
        row.node(members, name);
        row.aws(members);
    }
    row.sql(members);
    row.annotations(members);
    row.metadata(members);
    row.left_out
}

/// Writes the attributes of a link. Returns how many values were left out.
pub(super) fn of_link(builder: &mut BatchBuilder, attributes: Option<&Members>) -> usize {
    let mut row = Row { builder, left_out: 0 };
    let Some(attributes) = attributes else { return 0 };
    row.left_out += attributes.len().saturating_sub(KEYS_MAX);
    for (key, value) in attributes.iter().take(KEYS_MAX) {
        row.scalar(key, value);
    }
    row.left_out
}

struct Row<'b> {
    builder: &'b mut BatchBuilder,
    left_out: usize,
}

impl Row<'_> {
    fn text(&mut self, key: &str, value: &str) {
        self.builder.attribute(Origin::Own, key, Value::Str(value));
    }

    fn truth(&mut self, key: &str) {
        self.builder.attribute(Origin::Own, key, Value::Bool(true));
    }

    fn text_of(&mut self, members: &Members, member: &str, key: &str) {
        if let Some(value) = text(members, member) {
            self.text(key, value);
        }
    }

    fn int_of(&mut self, members: &Members, member: &str, key: &str) {
        if let Some(value) = int(members, member) {
            self.builder.attribute(Origin::Own, key, Value::Int(value));
        }
    }

    fn http(&mut self, members: &Members) {
        let http = object(members, "http");
        let request = http.and_then(|http| object(http, "request"));
        if let Some(request) = request {
            self.text_of(request, "method", "http.method");
            self.text_of(request, "url", "http.url");
            self.text_of(request, "user_agent", "http.user_agent");
            self.text_of(request, "client_ip", "http.client_ip");
            if is_true(request, "x_forwarded_for") {
                self.truth("aws.xray.x_forwarded_for");
            }
        }
        // One SDK writes it to the request, another to the subsegment.
        if is_true(members, "traced") || request.is_some_and(|request| is_true(request, "traced")) {
            self.truth("aws.xray.traced");
        }
        if let Some(response) = super::document::response(members) {
            self.int_of(response, "status", "http.status_code");
            self.int_of(response, "content_length", "http.response_content_length");
        }
    }

    /// The node of the map that the subsegment stands for, if any.
    fn node(&mut self, members: &Members, name: &str) {
        let block = object(members, "aws");
        let aws = |key: &str| text(block?, key).map(str::to_owned);
        let sql = object(members, "sql")
            .map(|sql| text(sql, "url").or_else(|| text(sql, "connection_string")).unwrap_or_default());
        if let Some((node, kind)) = subsegment_node(name, text(members, "namespace"), &aws, sql) {
            self.text("aws.xray.node", &node);
            self.text("aws.xray.node_type", &kind);
        }
    }

    fn sampling_rule(&mut self, members: &Members) {
        let Some(xray) = object(members, "aws").and_then(|aws| object(aws, "xray")) else { return };
        if let Some(rule) = text(xray, "sampling_rule_name").or_else(|| text(xray, "rule_name")) {
            self.text("aws.xray.sampling_rule", rule);
        }
    }

    fn aws(&mut self, members: &Members) {
        for (member, value) in object(members, "aws").into_iter().flatten().take(KEYS_MAX) {
            let key = format!("aws.{member}");
            match value {
                Json::Array(items) => {
                    let list = list(items.iter().filter_map(Json::as_str));
                    self.builder.attribute(Origin::Own, &key, Value::Json(&list));
                }
                scalar => self.scalar(&key, scalar),
            }
        }
    }

    /// Texts, numbers and booleans; anything else is left out and counted.
    fn scalar(&mut self, key: &str, value: &Json) {
        let value = match value {
            Json::String(text) => Value::Str(text),
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(value), _) => Value::Int(value),
                (None, Some(value)) => Value::Float(value),
                (None, None) => return self.left_out += 1,
            },
            Json::Null => return,
            Json::Array(_) | Json::Object(_) => return self.left_out += 1,
        };
        self.builder.attribute(Origin::Own, key, value);
    }

    fn sql(&mut self, members: &Members) {
        let Some(sql) = object(members, "sql") else { return };
        self.text_of(sql, "database_type", "db.system");
        self.text_of(sql, "sanitized_query", "db.statement");
        self.text_of(sql, "user", "db.user");
        match text(sql, "url").and_then(split_database) {
            Some((connection, database)) => {
                self.text("db.connection_string", connection);
                self.text("db.name", database);
            }
            None => {
                let whole = text(sql, "connection_string").or_else(|| text(sql, "url"));
                if let Some(whole) = whole {
                    self.text("db.connection_string", whole);
                }
            }
        }
    }

    fn annotations(&mut self, members: &Members) {
        let Some(annotations) = object(members, "annotations").filter(|all| !all.is_empty()) else { return };
        self.left_out += annotations.len().saturating_sub(KEYS_MAX);
        let mut keys = Vec::new();
        for (key, value) in annotations.iter().take(KEYS_MAX) {
            let before = self.left_out;
            self.scalar(key, value);
            if self.left_out == before && !value.is_null() {
                keys.push(key.as_str());
            }
        }
        let keys = list(keys.into_iter());
        self.builder.attribute(Origin::Own, "aws.xray.annotations", Value::Json(&keys));
    }

    fn metadata(&mut self, members: &Members) {
        let Some(metadata) = object(members, "metadata") else { return };
        self.left_out += metadata.len().saturating_sub(KEYS_MAX);
        for (namespace, value) in metadata.iter().take(KEYS_MAX) {
            self.text(&format!("aws.xray.metadata.{namespace}"), &value.to_string());
        }
    }
}

/// A list of texts in the OTLP JSON form.
fn list<'t>(texts: impl Iterator<Item = &'t str>) -> String {
    let mut list = String::from(r#"{"arrayValue":{"values":["#);
    for (idx, text) in texts.enumerate() {
        list.push_str(if idx > 0 { r#",{"stringValue":"# } else { r#"{"stringValue":"# });
        // A text as JSON, with what has to be escaped.
        list.push_str(&Json::from(text).to_string());
        list.push('}');
    }
    list.push_str("]}}");
    list
}

/// `jdbc:postgresql://host:5432/orders` is the database `orders` of `jdbc:postgresql://host:5432`.
fn split_database(url: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = url.split_once("://")?;
    let (host, path) = rest.split_once('/')?;
    let database = path.split(['?', ';', '#']).next().unwrap_or(path).trim_end_matches('/');
    let connection = &url[..scheme.len() + 3 + host.len()];
    (!database.is_empty() && !host.is_empty()).then_some((connection, database))
}

fn of<'v>(block: Option<&'v Members>, member: &str) -> Option<&'v str> {
    text(block?, member)
}

/// Writes the name of the service, and what a segment says about it and its machine: the resource of all its rows.
pub(super) fn resource(builder: &mut BatchBuilder, segment: Option<&Members>, service: &str) {
    let mut put = |key: &str, value: Option<&str>| {
        if let Some(value) = value {
            builder.shared_attribute(Origin::Resource, key, Value::Str(value));
        }
    };
    put("service.name", Some(service));
    let Some(members) = segment else { return };
    let about = object(members, "service");
    let aws = object(members, "aws");
    let block = |name: &str| aws.and_then(|aws| object(aws, name));
    let (ec2, ecs, eks, xray) = (block("ec2"), block("ecs"), block("eks"), block("xray"));
    let beanstalk = block("elastic_beanstalk");
    let version = of(about, "version").or_else(|| of(beanstalk, "version_label"));
    put("service.version", version);
    put("aws.xray.origin", text(members, "origin"));
    put("aws.xray.resource_arn", text(members, "resource_arn"));
    for (key, block, member) in [
        ("process.runtime.name", about, "runtime"),
        ("process.runtime.version", about, "runtime_version"),
        ("host.id", ec2, "instance_id"),
        ("host.type", ec2, "instance_size"),
        ("host.image.id", ec2, "ami_id"),
        ("container.name", ecs, "container"),
        ("aws.ecs.container.arn", ecs, "container_arn"),
        ("aws.ecs.task.arn", ecs, "task_arn"),
        ("aws.ecs.task.family", ecs, "task_family"),
        ("aws.ecs.cluster.arn", ecs, "cluster_arn"),
        ("aws.ecs.launchtype", ecs, "launch_type"),
        ("k8s.cluster.name", eks, "cluster_name"),
        ("k8s.pod.name", eks, "pod"),
        ("deployment.environment", beanstalk, "environment_name"),
        ("telemetry.sdk.name", xray, "sdk"),
        ("telemetry.sdk.version", xray, "sdk_version"),
    ] {
        put(key, of(block, member));
    }
    put("cloud.account.id", of(aws, "account_id"));
    let zone = of(ec2, "availability_zone").or_else(|| of(ecs, "availability_zone"));
    put("cloud.availability_zone", zone);
    put("container.id", of(ecs, "container_id").or_else(|| of(eks, "container_id")));
    if let Some(deployment) = beanstalk.and_then(|block| int(block, "deployment_id")) {
        put("service.instance.id", Some(&deployment.to_string()));
    }
    let Some(aws) = aws else { return };
    for (key, member) in [("aws.log.group.names", "log_group"), ("aws.log.group.arns", "arn")] {
        let groups: Vec<&str> =
            objects(aws, "cloudwatch_logs").filter_map(|group| text(group, member)).take(KEYS_MAX).collect();
        if !groups.is_empty() {
            let groups = list(groups.into_iter());
            builder.shared_attribute(Origin::Resource, key, Value::Json(&groups));
        }
    }
}
