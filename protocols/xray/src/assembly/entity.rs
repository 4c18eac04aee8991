//! A segment or subsegment as compiled traces hold it: what the document format knows, and nothing else. `compile` and
//! `infer` make entities of documents, `from_span` of spans; `summary` and the operations read them. Members of unknown
//! names or wrong types are left out, so that what is given back is a document that any client reads.

use serde_json::{Number, Value};
use tracery_model::SpanId;

use crate::node::subsegment_node;
use crate::segment::fields::{Members, int, is_true, object, objects, text};
use crate::segment::{head, span_id};

/// Name and type of a node of the service map.
pub(crate) type Node = (String, String);

/// A segment or subsegment.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entity {
    pub(crate) id: SpanId,
    /// Of a subsegment what encloses it, of a segment the subsegment that called it.
    pub(crate) parent_id: Option<SpanId>,
    pub(crate) name: String,
    pub(crate) is_subsegment: bool,
    pub(crate) is_inferred: bool,
    /// It was made of a span that came by another door.
    pub(crate) is_of_span: bool,
    /// Seconds since 1970.
    pub(crate) start_s: f64,
    /// `None` while it is in progress.
    pub(crate) end_s: Option<f64>,
    pub(crate) fault: bool,
    pub(crate) error: bool,
    pub(crate) throttle: bool,
    pub(crate) traced: bool,
    pub(crate) namespace: Option<String>,
    pub(crate) origin: Option<String>,
    pub(crate) resource_arn: Option<String>,
    pub(crate) user: Option<String>,
    /// The blocks: `http`, `aws`, `annotations`, … by their names, cleaned.
    pub(crate) blocks: Members,
    pub(crate) subsegments: Vec<Entity>,
    /// What it stands for on the map: a segment for its service, a subsegment for what it calls, if anything.
    pub(crate) node: Option<Node>,
}

impl Entity {
    /// An entity with nothing but what each has.
    pub(crate) fn new(id: SpanId, name: String, start_s: f64, end_s: Option<f64>) -> Self {
        Self {
            id,
            parent_id: None,
            name,
            is_subsegment: false,
            is_inferred: false,
            is_of_span: false,
            start_s,
            end_s,
            fault: false,
            error: false,
            throttle: false,
            traced: false,
            namespace: None,
            origin: None,
            resource_arn: None,
            user: None,
            blocks: Members::new(),
            subsegments: Vec::new(),
            node: None,
        }
    }

    /// Reads an entity without its subsegments; `within` is what encloses it, if anything does. `None` for one without
    /// the members that each must have.
    pub(crate) fn read(members: &Members, within: Option<SpanId>) -> Option<Self> {
        let head = head(members).ok()?;
        // As they were sent: nanoseconds would lose digits.
        let seconds = |key: &str| members.get(key).and_then(Value::as_f64);
        let start_s = seconds("start_time")?;
        let end_s = head.end_ns.and_then(|_| seconds("end_time"));
        let mut entity = Self::new(head.id, head.name, start_s, end_s);
        let owned = |key: &str| text(members, key).map(str::to_owned);
        entity.parent_id = within.or(head.parent_id);
        entity.is_subsegment = within.is_some() || text(members, "type") == Some("subsegment");
        entity.fault = is_true(members, "fault");
        entity.error = is_true(members, "error");
        entity.throttle = is_true(members, "throttle");
        entity.traced = is_true(members, "traced");
        entity.namespace = owned("namespace").filter(|_| entity.is_subsegment);
        entity.origin = owned("origin");
        entity.resource_arn = owned("resource_arn");
        entity.user = owned("user");
        entity.blocks = blocks(members);
        entity.node = match entity.is_subsegment {
            false => Some((entity.name.clone(), entity.origin.clone().unwrap_or_default())),
            true => entity.called_node(),
        };
        Some(entity)
    }

    /// The node that a subsegment's blocks speak of.
    pub(crate) fn called_node(&self) -> Option<Node> {
        let block = object(&self.blocks, "aws");
        let aws = |key: &str| text(block?, key).map(str::to_owned);
        let sql = object(&self.blocks, "sql")
            .map(|sql| text(sql, "url").or_else(|| text(sql, "connection_string")).unwrap_or_default());
        let node = subsegment_node(&self.name, self.namespace.as_deref(), &aws, sql);
        node.map(|(name, kind)| (name, kind.into_owned()))
    }

    pub(crate) fn is_in_progress(&self) -> bool {
        self.end_s.is_none()
    }

    /// Whether it lets its whole trace be called failed in any way.
    pub(crate) fn is_failed(&self) -> bool {
        self.fault || self.error || self.throttle
    }

    /// Its end, or its start while it is in progress.
    pub(crate) fn end_or_start_s(&self) -> f64 {
        self.end_s.unwrap_or(self.start_s).max(self.start_s)
    }

    pub(crate) fn block(&self, name: &str) -> Option<&Members> {
        object(&self.blocks, name)
    }

    /// Whether what it did happened elsewhere.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.namespace.as_deref(), Some("aws" | "remote"))
    }

    /// Its document. An embedded one leaves out what its place says. The caller bounds how deep entities nest.
    pub(crate) fn document(&self, trace_id: Option<&str>) -> Value {
        let mut document = Members::new();
        let mut put = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                document.insert(key.to_owned(), value);
            }
        };
        let truth = |flag: bool| flag.then_some(Value::Bool(true));
        put("id", Some(Value::from(self.id.to_string())));
        put("name", Some(Value::from(self.name.as_str())));
        put("start_time", Some(seconds(self.start_s)));
        put("end_time", self.end_s.map(seconds));
        put("in_progress", truth(self.is_in_progress()));
        if let Some(trace_id) = trace_id {
            put("trace_id", Some(Value::from(trace_id)));
            put("parent_id", self.parent_id.map(|id| Value::from(id.to_string())));
            put("type", self.is_subsegment.then(|| Value::from("subsegment")));
        }
        put("inferred", truth(self.is_inferred));
        put("namespace", self.namespace.as_deref().map(Value::from));
        put("origin", self.origin.as_deref().map(Value::from));
        put("resource_arn", self.resource_arn.as_deref().map(Value::from));
        put("user", self.user.as_deref().map(Value::from));
        put("error", truth(self.error));
        put("throttle", truth(self.throttle));
        put("fault", truth(self.fault));
        put("traced", truth(self.traced));
        for (name, block) in &self.blocks {
            put(name, Some(block.clone()));
        }
        let subsegments: Vec<Value> = self.subsegments.iter().map(|inner| inner.document(None)).collect();
        put("subsegments", (!subsegments.is_empty()).then_some(Value::Array(subsegments)));
        Value::Object(document)
    }

    /// Itself and all that it encloses, what encloses first.
    pub(crate) fn walk<'e>(&'e self, each: &mut dyn FnMut(&'e Entity)) {
        each(self);
        self.subsegments.iter().for_each(|inner| inner.walk(each));
    }
}

/// Seconds as a JSON number; a time is finite.
pub(super) fn seconds(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

/// What kind of member a name stands for.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Int,
    Truth,
}

use Kind::{Int, Text, Truth};

const REQUEST: &[(&str, Kind)] = &[
    ("url", Text),
    ("method", Text),
    ("user_agent", Text),
    ("client_ip", Text),
    ("x_forwarded_for", Truth),
    ("traced", Truth),
];
const RESPONSE: &[(&str, Kind)] = &[("status", Int), ("content_length", Int)];
const SERVICE: &[(&str, Kind)] = &[
    ("name", Text),
    ("version", Text),
    ("runtime", Text),
    ("runtime_version", Text),
    ("compiler", Text),
    ("compiler_version", Text),
];
const SQL: &[(&str, Kind)] = &[
    ("connection_string", Text),
    ("url", Text),
    ("sanitized_query", Text),
    ("database_type", Text),
    ("database_version", Text),
    ("driver_version", Text),
    ("user", Text),
    ("preparation", Text),
];
const EXCEPTION: &[(&str, Kind)] = &[
    ("id", Text),
    ("message", Text),
    ("type", Text),
    ("remote", Truth),
    ("truncated", Int),
    ("skipped", Int),
    ("cause", Text),
];
const FRAME: &[(&str, Kind)] = &[("path", Text), ("line", Int), ("label", Text)];

/// The members of an object that have the right type.
fn cleaned(members: &Members, kinds: &[(&str, Kind)]) -> Members {
    let known = kinds.iter().filter_map(|(key, kind)| {
        let value = match kind {
            Text => Value::from(text(members, key)?),
            Int => Value::from(int(members, key)?),
            Truth => is_true(members, key).then_some(Value::Bool(true))?,
        };
        Some(((*key).to_owned(), value))
    });
    known.collect()
}

/// The blocks of an entity in the order of the documentation.
fn blocks(members: &Members) -> Members {
    let mut blocks = Members::new();
    let mut put = |name: &str, block: Members| {
        if !block.is_empty() {
            blocks.insert(name.to_owned(), Value::Object(block));
        }
    };
    if let Some(service) = object(members, "service") {
        put("service", cleaned(service, SERVICE));
    }
    if let Some(http) = object(members, "http") {
        let mut block = Members::new();
        for (name, kinds) in [("request", REQUEST), ("response", RESPONSE)] {
            let part = object(http, name).map(|part| cleaned(part, kinds)).filter(|part| !part.is_empty());
            block.extend(part.map(|part| (name.to_owned(), Value::Object(part))));
        }
        put("http", block);
    }
    if let Some(aws) = object(members, "aws") {
        put("aws", without_nulls(aws));
    }
    if let Some(sql) = object(members, "sql") {
        put("sql", cleaned(sql, SQL));
        // A block that says nothing still says that a database was asked.
        if !blocks.contains_key("sql") {
            blocks.insert("sql".to_owned(), Value::Object(Members::new()));
        }
    }
    if let Some(cause) = cause(members) {
        blocks.insert("cause".to_owned(), cause);
    }
    if let Some(annotations) = object(members, "annotations") {
        let scalars = annotations
            .iter()
            .filter(|(_, value)| matches!(value, Value::String(_) | Value::Number(_) | Value::Bool(_)));
        let scalars: Members = scalars.map(|(key, value)| (key.clone(), value.clone())).collect();
        if !scalars.is_empty() {
            blocks.insert("annotations".to_owned(), Value::Object(scalars));
        }
    }
    if let Some(metadata) = object(members, "metadata").filter(|metadata| !metadata.is_empty()) {
        blocks.insert("metadata".to_owned(), Value::Object(metadata.clone()));
    }
    let precursors: Vec<Value> =
        list(members, "precursor_ids").filter(|id| id.is_string()).cloned().collect();
    if !precursors.is_empty() {
        blocks.insert("precursor_ids".to_owned(), Value::Array(precursors));
    }
    let links: Vec<Value> = objects(members, "links").filter_map(link).collect();
    if !links.is_empty() {
        blocks.insert("links".to_owned(), Value::Array(links));
    }
    blocks
}

fn list<'m>(members: &'m Members, key: &str) -> impl Iterator<Item = &'m Value> {
    members.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn without_nulls(members: &Members) -> Members {
    let kept = members.iter().filter(|(_, value)| !value.is_null());
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// An exception's id, or exceptions.
fn cause(members: &Members) -> Option<Value> {
    if let Some(id) = text(members, "cause") {
        return Some(Value::from(id));
    }
    let cause = object(members, "cause")?;
    let mut cleaned_cause = cleaned(cause, &[("working_directory", Text)]);
    let paths: Vec<Value> = list(cause, "paths").filter(|path| path.is_string()).cloned().collect();
    if !paths.is_empty() {
        cleaned_cause.insert("paths".to_owned(), Value::Array(paths));
    }
    let exceptions = objects(cause, "exceptions").map(|exception| {
        let mut kept = cleaned(exception, EXCEPTION);
        let frames = objects(exception, "stack").map(|frame| Value::Object(cleaned(frame, FRAME)));
        let frames: Vec<Value> = frames.collect();
        if !frames.is_empty() {
            kept.insert("stack".to_owned(), Value::Array(frames));
        }
        Value::Object(kept)
    });
    let exceptions: Vec<Value> = exceptions.collect();
    if !exceptions.is_empty() {
        cleaned_cause.insert("exceptions".to_owned(), Value::Array(exceptions));
    }
    (!cleaned_cause.is_empty()).then_some(Value::Object(cleaned_cause))
}

fn link(link: &Members) -> Option<Value> {
    let mut kept = Members::new();
    kept.insert("trace_id".to_owned(), Value::from(text(link, "trace_id")?));
    let id = text(link, "id").and_then(span_id);
    kept.extend(id.map(|id| ("id".to_owned(), Value::from(id.to_string()))));
    let attributes = object(link, "attributes").filter(|attributes| !attributes.is_empty());
    kept.extend(attributes.map(|attributes| ("attributes".to_owned(), Value::Object(attributes.clone()))));
    Some(Value::Object(kept))
}
