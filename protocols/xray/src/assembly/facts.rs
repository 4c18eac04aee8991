//! A compiled trace as the plain evaluator of filter expressions sees it. Whoever plans filters compares what a plan finds
//! with what `tracery_query::languages::xray::matches` says of these facts.

use serde_json::Value;
use tracery_query::languages::xray::{
    AnnotationValue, Cause, Edge, Facts, Flag, Number, RootCause, RootCauseService, Service, Text, Trace,
};

use super::compile::CompiledTrace;
use super::entity::Entity;
use super::root_causes::Places;
use super::summary::{RootCauses, http, machine, node_or_name, response_time_s};

/// The facts of a trace of an account. Each segment is a service of its own in them, so that conditions within one
/// `service()` hold of the same request. Groups are for the caller to add.
pub(crate) fn facts(trace: &CompiledTrace, account_id: &str) -> Trace {
    let places = Places::of(trace);
    let root = trace.root();
    let segments: Vec<&Entity> = trace.segments.iter().filter(|segment| !segment.is_subsegment).collect();
    let services = segments.iter().map(|segment| {
        let (name, kind) = node_or_name(segment);
        let mut facts = Facts::default();
        add_own(&mut facts, segment);
        add_within(&mut facts, segment);
        if root.is_some_and(|root| root.id == segment.id) {
            facts.flags.push(Flag::Root);
        }
        Service { name: name.to_owned(), r#type: kind.to_owned(), account_id: account_id.to_owned(), facts }
    });
    let services: Vec<Service> = services.collect();
    let edges = segments.iter().enumerate().filter_map(|(to_idx, segment)| {
        let (calling, call) = places.caller(segment)?;
        let from_idx = segments.iter().position(|segment| segment.id == calling.id)?;
        let mut facts = Facts::default();
        add_own(&mut facts, call);
        add_within(&mut facts, call);
        Some(Edge { from_idx, to_idx, facts })
    });
    let edges = edges.collect();
    let mut facts = Facts::default();
    if let Some(root) = root {
        add_own(&mut facts, root);
    }
    facts.numbers.push((Number::Duration, trace.duration_s()));
    trace.segments.iter().for_each(|segment| add_within(&mut facts, segment));
    let causes = RootCauses::of(trace, account_id);
    let mut root_causes = Vec::new();
    for (cause, list) in [
        (Cause::Fault, causes.fault),
        (Cause::Error, causes.error),
        (Cause::ResponseTime, causes.response_time),
    ] {
        root_causes.extend(list.into_iter().map(|json| root_cause(cause, json)));
    }
    Trace { facts, services, edges, groups: Vec::new(), root_causes }
}

/// What an entity says of its own request.
fn add_own(facts: &mut Facts, entity: &Entity) {
    let flags = [(entity.fault, Flag::Fault), (entity.error, Flag::Error), (entity.throttle, Flag::Throttle)];
    facts.flags.extend(flags.into_iter().filter_map(|(is_set, flag)| is_set.then_some(flag)));
    if !entity.is_failed() {
        facts.flags.push(Flag::Ok);
    }
    if entity.is_inferred {
        facts.flags.push(Flag::Inferred);
    }
    facts.numbers.extend(response_time_s(entity).map(|seconds| (Number::ResponseTime, seconds)));
    let http = http(entity);
    facts.numbers.extend(http.http_status.map(|status| (Number::HttpStatus, f64::from(status))));
    for (text, value) in [
        (Text::HttpUrl, http.http_url),
        (Text::HttpMethod, http.http_method),
        (Text::HttpUserAgent, http.user_agent),
        (Text::HttpClientIp, http.client_ip),
    ] {
        facts.texts.extend(value.map(|value| (text, value)));
    }
}

/// What an entity and all within it say together.
fn add_within(facts: &mut Facts, outer: &Entity) {
    if !outer.is_subsegment && !outer.is_inferred {
        let (instance_id, zone) = machine(outer);
        facts.texts.extend(instance_id.map(|id| (Text::InstanceId, id)));
        facts.texts.extend(zone.map(|zone| (Text::AvailabilityZone, zone)));
    }
    outer.walk(&mut |entity| {
        if entity.is_in_progress() && !facts.flags.contains(&Flag::Partial) {
            facts.flags.push(Flag::Partial);
        }
        facts.texts.extend(entity.user.clone().map(|user| (Text::User, user)));
        facts.texts.extend(entity.resource_arn.clone().map(|arn| (Text::ResourceArn, arn)));
        for (key, value) in entity.block("annotations").into_iter().flatten() {
            let value = match value {
                Value::String(text) => AnnotationValue::Text(text.clone()),
                Value::Bool(flag) => AnnotationValue::Flag(*flag),
                Value::Number(number) => AnnotationValue::Number(number.as_f64().unwrap_or_default()),
                _ => continue,
            };
            facts.annotations.push((key.clone(), value));
        }
    });
}

fn root_cause(cause: Cause, json: Value) -> RootCause {
    let services = positions(&json["Services"]).map(|(service, place)| {
        let exceptions = positions(&service["EntityPath"]).flat_map(|(entity, _)| {
            positions(&entity["Exceptions"]).map(|(exception, place)| part(exception, place))
        });
        RootCauseService {
            facts: part(service, place),
            exceptions: exceptions.collect(),
            entities: positions(&service["EntityPath"]).map(|(entity, place)| part(entity, place)).collect(),
        }
    });
    RootCause { cause, services: services.collect(), json: json.clone() }
}

/// Index, first, last.
type Position = (usize, bool, bool);

fn positions(list: &Value) -> impl Iterator<Item = (&Value, Position)> {
    let items = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let last = items.len().saturating_sub(1);
    items.iter().enumerate().map(move |(idx, item)| (item, (idx, idx == 0, idx == last)))
}

/// What filters see of a service, entity or exception of a root cause.
fn part(json: &Value, (idx, is_first, is_last): Position) -> Facts {
    let mut facts = Facts::default();
    let is_true = |key: &str| json[key] == Value::Bool(true);
    for (is_set, flag) in [
        (is_first, Flag::First),
        (is_last, Flag::Last),
        (is_true("Remote"), Flag::Remote),
        (is_true("Inferred"), Flag::Inferred),
    ] {
        if is_set {
            facts.flags.push(flag);
        }
    }
    facts.numbers.push((Number::Index, idx as f64));
    facts.numbers.extend(json["Coverage"].as_f64().map(|coverage| (Number::Coverage, coverage)));
    for (key, text) in [
        ("Name", Text::Name),
        ("Type", Text::Type),
        ("AccountId", Text::AccountId),
        ("Message", Text::Message),
    ] {
        facts.texts.extend(json[key].as_str().map(|value| (text, value.to_owned())));
    }
    facts
}
