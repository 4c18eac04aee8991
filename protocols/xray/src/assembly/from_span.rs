//! OpenTelemetry spans as segments and subsegments, by the table of the OpenTelemetry Collector's X-Ray exporter, old and
//! new semantic conventions alike. `compile` calls it for each span that came by another door; the span stays as it is.

use std::collections::{BTreeSet, HashSet};

use serde_json::{Map, Value, json};
use tracery_model::{SpanId, TraceId};
use tracery_query::questions::xray::{StoredEvent, StoredSpan};

use super::compile::spelled;
use super::entity::{Entity, Node};
use super::infer::derived_id;
use super::stack;
use crate::node::subsegment_node;
use crate::segment::fields::Members;
use crate::segment::{span_id, trace_id as read_trace_id};

const KIND_SERVER: i64 = 2;
const KIND_CLIENT: i64 = 3;
const KIND_PRODUCER: i64 = 4;
const KIND_CONSUMER: i64 = 5;
const STATUS_ERROR: i64 = 2;

/// Databases whose statements make an `sql` block.
const SQL_SYSTEMS: &[&str] = &[
    "db2",
    "derby",
    "hive",
    "mariadb",
    "mssql",
    "microsoft.sql_server",
    "mysql",
    "oracle",
    "oracle.db",
    "postgresql",
    "sqlite",
    "teradata",
    "other_sql",
    "cockroachdb",
    "h2",
    "redshift",
    "aws.redshift",
];

/// The entities that a span is: one, or for a call that nothing of its service encloses a segment of that service
/// around it.
pub(super) fn entities(trace_id: TraceId, span: &StoredSpan) -> Vec<Entity> {
    let Some(id) = span_id(&span.span_id) else { return Vec::new() };
    let parent_id = span.parent_id.as_deref().and_then(span_id);
    let reader = Reader { span, used: BTreeSet::new() };
    let calls = matches!(span.kind, KIND_CLIENT | KIND_PRODUCER);
    let is_local_root = parent_id.is_none() || reader.span_text("aws.span.kind") == Some("LOCAL_ROOT");
    let is_segment = matches!(span.kind, KIND_SERVER | KIND_CONSUMER) || parent_id.is_none();
    if calls && is_local_root {
        let mut call = reader.entity(trace_id, id, false);
        let around = derived_id(trace_id, id, &mut HashSet::from([id]));
        let reader = Reader { span, used: BTreeSet::new() };
        let mut segment = Entity::new(around, reader.service(), call.start_s, call.end_s);
        segment.parent_id = parent_id;
        segment.is_of_span = true;
        segment.node = Some((reader.service(), String::new()));
        (segment.fault, segment.error, segment.throttle) = (call.fault, call.error, call.throttle);
        reader.about_service(&mut segment);
        call.parent_id = Some(around);
        return vec![segment, call];
    }
    let mut entity = reader.entity(trace_id, id, is_segment);
    entity.parent_id = parent_id;
    vec![entity]
}

/// Reads attributes and remembers which ones found a place.
struct Reader<'s> {
    span: &'s StoredSpan,
    used: BTreeSet<&'static str>,
}

impl<'s> Reader<'s> {
    fn span_text(&self, key: &str) -> Option<&'s str> {
        self.span.attributes.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn resource_text(&self, key: &str) -> Option<&'s str> {
        self.span.resource.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    /// The first of some attributes that is a text.
    fn text(&mut self, keys: &[&'static str]) -> Option<&'s str> {
        let key = keys.iter().find(|key| self.span_text(key).is_some())?;
        self.used.insert(key);
        self.span_text(key)
    }

    /// The first that is a whole number, also one written as a text.
    fn int(&mut self, keys: &[&'static str]) -> Option<i64> {
        let attributes = &self.span.attributes;
        let (key, number) = keys.iter().find_map(|key| {
            let value = attributes.get(*key)?;
            Some((*key, value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?))
        })?;
        self.used.insert(key);
        Some(number)
    }

    fn is_true(&mut self, key: &'static str) -> bool {
        let is_true = self.span.attributes.get(key) == Some(&Value::Bool(true));
        if is_true {
            self.used.insert(key);
        }
        is_true
    }

    fn service(&self) -> String {
        let named = self.span_text("aws.local.service").or_else(|| self.resource_text("service.name"));
        clean(named.unwrap_or(&self.span.service))
    }

    fn entity(mut self, trace_id: TraceId, id: SpanId, is_segment: bool) -> Entity {
        let span = self.span;
        let start_s = span.start_ns as f64 / 1e9;
        let end_s = span.start_ns.saturating_add(span.duration_ns) as f64 / 1e9;
        let end_s = (!self.is_true("aws.xray.inprogress")).then_some(end_s);
        let name = if is_segment { self.service() } else { self.called_name() };
        let mut entity = Entity::new(id, name, start_s, end_s);
        entity.is_subsegment = !is_segment;
        entity.is_of_span = true;
        if !is_segment {
            entity.namespace = self.namespace().map(str::to_owned);
        }
        entity.traced = self.is_true("aws.xray.traced");
        entity.user = self.text(&["enduser.id", "user.id"]).map(str::to_owned);
        let status = self.http(&mut entity);
        match status {
            Some(500..) => entity.fault = true,
            Some(400..) => {
                entity.error = true;
                entity.throttle = status == Some(429);
            }
            Some(_) => {}
            None => entity.fault = span.status_code == STATUS_ERROR,
        }
        if is_segment {
            entity.node = Some((self.service(), String::new()));
            self.about_service(&mut entity);
        } else {
            self.aws(&mut entity);
            entity.node = self.node(&entity);
        }
        self.sql(&mut entity);
        self.cause(trace_id, &mut entity);
        self.annotations_and_metadata(&mut entity, is_segment);
        links(span, &mut entity);
        entity
    }

    /// Whose work the span is.
    fn namespace(&self) -> Option<&'static str> {
        if self.span_text("rpc.system") == Some("aws-api") || self.span_text("aws.service").is_some() {
            return Some("aws");
        }
        matches!(self.span.kind, KIND_CLIENT | KIND_PRODUCER).then_some("remote")
    }

    fn called_name(&mut self) -> String {
        if !matches!(self.span.kind, KIND_CLIENT | KIND_PRODUCER) && self.namespace().is_none() {
            return clean(&self.span.name);
        }
        let called = self.span_text("aws.remote.service").or_else(|| self.span_text("peer.service"));
        let called = called.or_else(|| self.span_text("aws.service"));
        if let Some(name) = called {
            return clean(name);
        }
        if let (Some(database), Some(host)) = (self.database(), self.host()) {
            return clean(&format!("{database}@{host}"));
        }
        clean(self.span_text("rpc.service").or_else(|| self.host()).unwrap_or(&self.span.name))
    }

    fn database(&self) -> Option<&'s str> {
        self.system()?;
        self.span_text("db.namespace").or_else(|| self.span_text("db.name"))
    }

    fn system(&self) -> Option<&'s str> {
        self.span_text("db.system.name").or_else(|| self.span_text("db.system"))
    }

    fn host(&self) -> Option<&'s str> {
        ["server.address", "http.host", "net.peer.name"].iter().find_map(|key| self.span_text(key))
    }

    /// What a call stands for on the map.
    fn node(&self, entity: &Entity) -> Option<Node> {
        if entity.namespace.as_deref() == Some("aws") {
            let name = self.span_text("aws.service").or_else(|| self.span_text("rpc.service"));
            let block = entity.block("aws");
            let aws = |key: &str| block?.get(key)?.as_str().map(str::to_owned);
            let node = subsegment_node(name.unwrap_or(&entity.name), Some("aws"), &aws, None);
            return node.map(|(name, kind)| (name, kind.into_owned()));
        }
        if !matches!(self.span.kind, KIND_CLIENT | KIND_PRODUCER) {
            return None;
        }
        if let Some(system) = self.system() {
            let host = self.span_text("server.address").or_else(|| self.span_text("net.peer.name"));
            let name = match (self.database(), host) {
                (Some(database), Some(host)) => format!("{database}@{host}"),
                _ => system.to_owned(),
            };
            return Some((name, "Database::SQL".to_owned()));
        }
        if let Some(system) = self.span_text("messaging.system") {
            let destination = self
                .span_text("messaging.destination.name")
                .or_else(|| self.span_text("messaging.destination"));
            return Some((destination.unwrap_or(system).to_owned(), system.to_owned()));
        }
        let name = ["peer.service", "server.address", "net.peer.name", "http.host"]
            .iter()
            .find_map(|key| self.span_text(key))?;
        Some((name.to_owned(), "remote".to_owned()))
    }

    /// Writes the `http` block; gives the status.
    fn http(&mut self, entity: &mut Entity) -> Option<i64> {
        let mut request = Members::new();
        let mut put = |key: &str, value: Option<&str>| {
            request.extend(value.map(|value| (key.to_owned(), Value::from(value))));
        };
        let method = self.text(&["http.request.method", "http.method"]);
        put("method", method);
        let whole = self.text(&["url.full", "http.url"]).map(str::to_owned);
        let url = whole.or_else(|| method.and_then(|_| self.url()));
        put("url", url.as_deref());
        put("user_agent", self.text(&["user_agent.original", "http.user_agent"]));
        let client = self.text(&["client.address", "http.client_ip"]);
        let peer = self.span_text("network.peer.address").or_else(|| self.span_text("net.sock.peer.addr"));
        let peer = peer.or_else(|| self.span_text("net.peer.ip"));
        let is_server = self.span.kind == KIND_SERVER;
        put("client_ip", client.or(peer.filter(|_| is_server && method.is_some())));
        if client.is_some() && (peer.is_none() || self.is_true("aws.xray.x_forwarded_for")) && is_server {
            request.insert("x_forwarded_for".to_owned(), Value::Bool(true));
        }
        let mut response = Members::new();
        let status = self.int(&["http.response.status_code", "http.status_code"]);
        response.extend(status.map(|status| ("status".to_owned(), Value::from(status))));
        let length = self.int(&[
            "http.response.body.size",
            "http.response_content_length",
            "http.response.header.content-length",
        ]);
        response.extend(length.map(|length| ("content_length".to_owned(), Value::from(length))));
        let mut http = Members::new();
        for (name, part) in [("request", request), ("response", response)] {
            if !part.is_empty() {
                http.insert(name.to_owned(), Value::Object(part));
            }
        }
        if !http.is_empty() {
            entity.blocks.insert("http".to_owned(), Value::Object(http));
        }
        status
    }

    /// A URL from its pieces.
    fn url(&mut self) -> Option<String> {
        let target = self.text(&["http.target"]).map(str::to_owned).or_else(|| {
            let path = self.text(&["url.path"])?;
            Some(match self.text(&["url.query"]) {
                Some(query) => format!("{path}?{query}"),
                None => path.to_owned(),
            })
        });
        let scheme = self.text(&["url.scheme", "http.scheme"]).unwrap_or("http");
        let host = self.text(&["server.address", "http.host", "net.host.name", "net.peer.name"]);
        let Some(host) = host else { return target };
        let port = self.int(&["server.port", "net.host.port", "net.peer.port"]);
        let port = port.filter(|port| !matches!((scheme, port), ("http", 80) | ("https", 443)));
        let port = port.filter(|_| !host.contains(':')).map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{scheme}://{host}{port}{}", target.unwrap_or_else(|| "/".to_owned())))
    }

    /// The `aws` block of a call.
    fn aws(&mut self, entity: &mut Entity) {
        if entity.namespace.as_deref() != Some("aws") {
            return;
        }
        let mut block = Members::new();
        for (key, value) in &self.span.attributes {
            if let Some(member) = key.strip_prefix("aws.")
                && !member.contains('.')
                && !value.is_object()
            {
                block.insert(member.to_owned(), value.clone());
            }
        }
        for (member, keys) in [
            ("operation", &["rpc.method"][..]),
            ("region", &["cloud.region"]),
            ("request_id", &["aws.requestId"]),
            ("queue_url", &["aws.sqs.queue.url", "aws.queue.url"]),
            ("topic_arn", &["aws.sns.topic.arn"]),
            ("bucket_name", &["aws.s3.bucket"]),
            ("function_name", &["aws.lambda.function.name", "faas.invoked_name"]),
        ] {
            if !block.contains_key(member)
                && let Some(value) = self.text(keys)
            {
                block.insert(member.to_owned(), Value::from(value));
            }
        }
        let tables = self.span.attributes.get("aws.dynamodb.table_names").and_then(Value::as_array);
        if let Some([Value::String(table)]) = tables.map(Vec::as_slice) {
            block.entry("table_name").or_insert_with(|| Value::from(table.as_str()));
        }
        if !block.is_empty() {
            entity.blocks.insert("aws".to_owned(), Value::Object(block));
        }
    }

    /// What the resource says about service and machine.
    fn about_service(&self, segment: &mut Entity) {
        let of = |key: &str| self.resource_text(key);
        let block = |members: &[(&str, &str)]| -> Members {
            members
                .iter()
                .filter_map(|(member, key)| Some(((*member).to_owned(), Value::from(of(key)?))))
                .collect()
        };
        if let Some(version) = of("service.version").or_else(|| of("container.image.tag")) {
            segment.blocks.insert("service".to_owned(), json!({ "version": version }));
        }
        let mut aws = block(&[("account_id", "cloud.account.id")]);
        let mut put = |name: &str, members: Members| {
            if !members.is_empty() {
                aws.insert(name.to_owned(), Value::Object(members));
            }
        };
        let platform = of("cloud.platform");
        if platform == Some("aws_ec2") || of("host.id").is_some() {
            put(
                "ec2",
                block(&[
                    ("instance_id", "host.id"),
                    ("instance_size", "host.type"),
                    ("ami_id", "host.image.id"),
                    ("availability_zone", "cloud.availability_zone"),
                ]),
            );
        }
        if platform == Some("aws_ecs") {
            put(
                "ecs",
                block(&[
                    ("container", "container.name"),
                    ("container_id", "container.id"),
                    ("container_arn", "aws.ecs.container.arn"),
                    ("task_arn", "aws.ecs.task.arn"),
                    ("task_family", "aws.ecs.task.family"),
                    ("cluster_arn", "aws.ecs.cluster.arn"),
                    ("launch_type", "aws.ecs.launchtype"),
                    ("availability_zone", "cloud.availability_zone"),
                ]),
            );
        }
        if of("k8s.cluster.name").is_some() {
            put(
                "eks",
                block(&[
                    ("cluster_name", "k8s.cluster.name"),
                    ("pod", "k8s.pod.name"),
                    ("container_id", "container.id"),
                ]),
            );
        }
        if platform == Some("aws_elastic_beanstalk") {
            put(
                "elastic_beanstalk",
                block(&[("environment_name", "service.namespace"), ("version_label", "service.version")]),
            );
        }
        let sdk = of("telemetry.sdk.name").zip(of("telemetry.sdk.language"));
        let mut xray = block(&[("sdk", "telemetry.sdk.name"), ("sdk_version", "telemetry.sdk.version")]);
        xray.extend(
            sdk.map(|(name, language)| ("sdk".to_owned(), Value::from(format!("{name} for {language}")))),
        );
        put("xray", xray);
        let groups: Vec<Value> = match self.span.resource.get("aws.log.group.names") {
            Some(Value::Array(groups)) => groups
                .iter()
                .filter(|group| group.is_string())
                .map(|group| json!({ "log_group": group }))
                .collect(),
            _ => Vec::new(),
        };
        if !groups.is_empty() {
            aws.insert("cloudwatch_logs".to_owned(), Value::Array(groups));
        }
        if !aws.is_empty() {
            segment.blocks.insert("aws".to_owned(), Value::Object(aws));
        }
        let launch = of("aws.ecs.launchtype").unwrap_or_default();
        segment.origin = match platform {
            Some("aws_ec2") => Some("AWS::EC2::Instance"),
            Some("aws_ecs") if launch.eq_ignore_ascii_case("ec2") => Some("AWS::ECS::EC2"),
            Some("aws_ecs") if launch.eq_ignore_ascii_case("fargate") => Some("AWS::ECS::Fargate"),
            Some("aws_ecs") => Some("AWS::ECS::Container"),
            Some("aws_eks") => Some("AWS::EKS::Container"),
            Some("aws_elastic_beanstalk") => Some("AWS::ElasticBeanstalk::Environment"),
            Some("aws_app_runner") => Some("AWS::AppRunner::Service"),
            _ => None,
        }
        .map(str::to_owned);
    }

    fn sql(&mut self, entity: &mut Entity) {
        let Some(system) = self.system().filter(|system| SQL_SYSTEMS.contains(system)) else { return };
        self.used.extend(["db.system", "db.system.name"]);
        let mut sql = Members::new();
        sql.insert("database_type".to_owned(), Value::from(system));
        sql.insert("url".to_owned(), Value::from(self.span.name.as_str()));
        let connection = self.text(&["db.connection_string"]).unwrap_or("localhost");
        let whole = match self.text(&["db.namespace", "db.name"]) {
            Some(database) => format!("{connection}/{database}"),
            None => connection.to_owned(),
        };
        sql.insert("connection_string".to_owned(), Value::from(whole));
        for (member, keys) in
            [("sanitized_query", &["db.query.text", "db.statement"][..]), ("user", &["db.user"])]
        {
            if let Some(value) = self.text(keys) {
                sql.insert(member.to_owned(), Value::from(value));
            }
        }
        entity.blocks.insert("sql".to_owned(), Value::Object(sql));
    }

    fn cause(&mut self, trace_id: TraceId, entity: &mut Entity) {
        let mut ids = HashSet::from([entity.id]);
        let told: Vec<&StoredEvent> =
            self.span.events.iter().filter(|event| event.name == "exception").collect();
        let mut exceptions = Vec::new();
        for event in told {
            let text = |key: &str| event.attributes.get(key).and_then(Value::as_str);
            let mut exception = Members::new();
            let id = derived_id(trace_id, entity.id, &mut ids);
            exception.insert("id".to_owned(), Value::from(id.to_string()));
            for (member, key) in [("type", "exception.type"), ("message", "exception.message")] {
                exception.extend(text(key).map(|text| (member.to_owned(), Value::from(text))));
            }
            if entity.is_remote() {
                exception.insert("remote".to_owned(), Value::Bool(true));
            }
            let frames = text("exception.stacktrace").map(stack::frames).unwrap_or_default();
            if !frames.is_empty() {
                exception.insert("stack".to_owned(), Value::Array(frames));
            }
            exceptions.push(Value::Object(exception));
        }
        let message = self.span.status_message.as_deref().filter(|_| entity.is_failed());
        if exceptions.is_empty()
            && let Some(message) = message
        {
            let id = derived_id(trace_id, entity.id, &mut ids);
            exceptions.push(json!({ "id": id.to_string(), "message": message }));
        }
        if !exceptions.is_empty() {
            entity.blocks.insert("cause".to_owned(), json!({ "exceptions": exceptions }));
        }
    }

    /// Attributes that are declared annotations, and all that found no other place.
    fn annotations_and_metadata(&self, entity: &mut Entity, is_segment: bool) {
        let attributes = &self.span.attributes;
        let declared: BTreeSet<&str> = match attributes.get("aws.xray.annotations") {
            Some(Value::Array(keys)) => keys.iter().filter_map(Value::as_str).collect(),
            _ => BTreeSet::new(),
        };
        let (mut annotations, mut metadata, mut other) = (Map::new(), Map::new(), Map::new());
        for (key, value) in attributes {
            let is_scalar = !(value.is_array() || value.is_object() || value.is_null());
            if declared.contains(key.as_str()) && is_scalar {
                annotations.insert(annotation_key(key), value.clone());
            } else if let Some(namespace) = key.strip_prefix("aws.xray.metadata.") {
                let parsed = value.as_str().and_then(|text| serde_json::from_str(text).ok());
                metadata.insert(namespace.to_owned(), parsed.unwrap_or_else(|| value.clone()));
            } else if !self.used.contains(key.as_str()) && !key.starts_with("aws.xray.") {
                other.insert(key.clone(), value.clone());
            }
        }
        if is_segment {
            for (key, value) in &self.span.resource {
                other.insert(format!("otel.resource.{key}"), value.clone());
            }
        }
        if !other.is_empty() {
            let default = metadata.entry("default").or_insert_with(|| json!({}));
            if let Value::Object(default) = default {
                default.extend(other);
            }
        }
        for (name, block) in [("annotations", annotations), ("metadata", metadata)] {
            if !block.is_empty() {
                entity.blocks.insert(name.to_owned(), Value::Object(block));
            }
        }
    }
}

fn links(span: &StoredSpan, entity: &mut Entity) {
    let links = span.links.iter().filter_map(|link| {
        let mut members = Members::new();
        members.insert("trace_id".to_owned(), Value::from(spelled(read_trace_id(&link.trace_id)?)));
        members.insert("id".to_owned(), Value::from(link.span_id.as_str()));
        if !link.attributes.is_empty() {
            members.insert("attributes".to_owned(), Value::Object(link.attributes.clone()));
        }
        Some(Value::Object(members))
    });
    let links: Vec<Value> = links.collect();
    if !links.is_empty() {
        entity.blocks.insert("links".to_owned(), Value::Array(links));
    }
}

/// The service's limit on names, in characters.
const NAME_CHARS_MAX: usize = 200;

/// A name as documents may have it.
fn clean(name: &str) -> String {
    let is_allowed = |c: &char| c.is_alphanumeric() || " _.:/%&#=+\\-@".contains(*c);
    let name: String = name.chars().filter(is_allowed).take(NAME_CHARS_MAX).collect();
    let name = name.trim();
    if name.is_empty() { "span".to_owned() } else { name.to_owned() }
}

fn annotation_key(key: &str) -> String {
    key.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' || c == '.' { c } else { '_' }).collect()
}
