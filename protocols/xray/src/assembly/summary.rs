//! A trace in summary, as `GetTraceSummaries` lists it. Flags of failure are those of the entry point only; everything that
//! a dashboard reads without looking is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tracery_aws_wire::EpochSeconds;
use tracery_aws_wire::xray::{
    AnnotationValue, AvailabilityZoneDetail, ErrorRootCause, FaultRootCause, Http, InstanceIdDetail,
    ResourceARNDetail, ResponseTimeRootCause, ServiceId, TraceSummary, TraceUser, ValueWithServiceIds,
};

use super::compile::{CompiledTrace, micro};
use super::entity::Entity;
use super::root_causes::{Places, Way};
use crate::segment::fields::{Members, int, object, text};

/// Different values of one annotation, users, services and other lists of a summary.
const LIST_LEN_MAX: usize = 1_000;

/// Summarizes a trace of an account.
pub(crate) fn summarize(trace: &CompiledTrace, account_id: &str) -> TraceSummary {
    let root = trace.root();
    let start_s = trace.start_s().unwrap_or_default();
    let mut gathered = Gathered::default();
    for segment in &trace.segments {
        gathered.segment(segment, account_id);
    }
    let causes = RootCauses::of(trace, account_id);
    let details = |texts: BTreeSet<String>| texts.into_iter().take(LIST_LEN_MAX);
    TraceSummary {
        id: Some(trace.id()),
        start_time: Some(EpochSeconds(start_s)),
        duration: Some(trace.duration_s()),
        response_time: root.and_then(response_time_s),
        has_fault: Some(root.is_some_and(|root| root.fault)),
        has_error: Some(root.is_some_and(|root| root.error)),
        has_throttle: Some(gathered.has_throttle),
        is_partial: Some(gathered.is_partial),
        http: Some(root.map(http).unwrap_or_default()),
        annotations: Some(gathered.annotations),
        users: Some(gathered.users),
        service_ids: Some(gathered.services),
        resource_ar_ns: Some(
            details(gathered.resource_arns).map(|arn| ResourceARNDetail { arn: Some(arn) }).collect(),
        ),
        instance_ids: Some(
            details(gathered.instance_ids).map(|id| InstanceIdDetail { id: Some(id) }).collect(),
        ),
        availability_zones: Some(
            details(gathered.zones).map(|name| AvailabilityZoneDetail { name: Some(name) }).collect(),
        ),
        entry_point: root.and_then(|root| service_id(root, account_id)),
        fault_root_causes: Some(typed(causes.fault, serde_json::from_value::<FaultRootCause>)),
        error_root_causes: Some(typed(causes.error, serde_json::from_value::<ErrorRootCause>)),
        response_time_root_causes: Some(typed(
            causes.response_time,
            serde_json::from_value::<ResponseTimeRootCause>,
        )),
        revision: Some(i32::try_from(trace.revision).unwrap_or(i32::MAX)),
        matched_event_time: Some(EpochSeconds(start_s)),
    }
}

/// Root causes in the API's JSON.
pub(super) struct RootCauses {
    pub(super) fault: Vec<Value>,
    pub(super) error: Vec<Value>,
    pub(super) response_time: Vec<Value>,
}

impl RootCauses {
    pub(super) fn of(trace: &CompiledTrace, account_id: &str) -> Self {
        let places = Places::of(trace);
        let failures = |ways: Vec<Way<'_>>| once(ways.iter().map(|way| failure(way, account_id)));
        Self {
            fault: failures(places.failures(|entity| entity.fault)),
            error: failures(places.failures(|entity| entity.error)),
            response_time: once(places.slowness().iter().map(|way| slowness(way, account_id))),
        }
    }
}

fn once(causes: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut different = Vec::new();
    for cause in causes {
        if !different.contains(&cause) {
            different.push(cause);
        }
    }
    different
}

/// Our own JSON fits the model's types; a test reads every cause back.
fn typed<T>(causes: Vec<Value>, read: fn(Value) -> serde_json::Result<T>) -> Vec<T> {
    causes.into_iter().filter_map(|cause| read(cause).ok()).collect()
}

fn failure(way: &Way<'_>, account_id: &str) -> Value {
    cause(way, account_id, |step| {
        let exceptions: Vec<Value> = step
            .exceptions
            .iter()
            .map(|(name, message)| json!({ "Name": name, "Message": message }))
            .collect();
        json!({ "Name": step.entity.name, "Exceptions": exceptions, "Remote": step.entity.is_remote() })
    })
}

fn slowness(way: &Way<'_>, account_id: &str) -> Value {
    cause(
        way,
        account_id,
        |step| json!({ "Name": step.entity.name, "Coverage": step.coverage, "Remote": step.entity.is_remote() }),
    )
}

fn cause(way: &Way<'_>, account_id: &str, step: impl Fn(&super::root_causes::Step<'_>) -> Value) -> Value {
    let services: Vec<Value> = way
        .services
        .iter()
        .map(|service| {
            let (name, kind) = node_or_name(service.segment);
            let path: Vec<Value> = service.path.iter().map(&step).collect();
            json!({
                "Name": name, "Names": [name], "Type": kind, "AccountId": account_id,
                "EntityPath": path, "Inferred": service.segment.is_inferred,
            })
        })
        .collect();
    json!({ "Services": services, "ClientImpacting": way.is_client_impacting })
}

/// An orphan stands for no node: it is called by its name.
pub(super) fn node_or_name(segment: &Entity) -> (&str, &str) {
    match &segment.node {
        Some((name, kind)) if !segment.is_subsegment => (name, kind),
        _ => (&segment.name, ""),
    }
}

/// `None` for a subsegment, which is no service.
fn service_id(segment: &Entity, account_id: &str) -> Option<ServiceId> {
    if segment.is_subsegment {
        return None;
    }
    let (name, kind) = node_or_name(segment);
    Some(ServiceId {
        name: Some(name.to_owned()),
        names: Some(vec![name.to_owned()]),
        account_id: Some(account_id.to_owned()),
        r#type: Some(kind.to_owned()),
    })
}

/// `None` while it is in progress.
pub(super) fn response_time_s(entity: &Entity) -> Option<f64> {
    entity.end_s.map(|end_s| micro((end_s - entity.start_s).max(0.0)))
}

pub(super) fn http(entity: &Entity) -> Http {
    let http = entity.block("http");
    let request = http.and_then(|http| object(http, "request"));
    let of = |key: &str| text(request?, key).map(str::to_owned);
    Http {
        http_url: of("url"),
        http_status: http_status(entity),
        http_method: of("method"),
        user_agent: of("user_agent"),
        client_ip: of("client_ip"),
    }
}

fn http_status(entity: &Entity) -> Option<i32> {
    let response = object(entity.block("http")?, "response")?;
    i32::try_from(int(response, "status")?).ok()
}

/// Machine and zone of a segment.
pub(super) fn machine(segment: &Entity) -> (Option<String>, Option<String>) {
    let aws = segment.block("aws");
    let block = |name: &str| object(aws?, name);
    let of = |block: Option<&Members>, key: &str| text(block?, key).map(str::to_owned);
    let zone = of(block("ec2"), "availability_zone").or_else(|| of(block("ecs"), "availability_zone"));
    (of(block("ec2"), "instance_id"), zone)
}

/// What all segments have together.
#[derive(Default)]
struct Gathered {
    has_throttle: bool,
    is_partial: bool,
    annotations: BTreeMap<String, Vec<ValueWithServiceIds>>,
    users: Vec<TraceUser>,
    services: Vec<ServiceId>,
    resource_arns: BTreeSet<String>,
    instance_ids: BTreeSet<String>,
    zones: BTreeSet<String>,
}

impl Gathered {
    fn segment(&mut self, segment: &Entity, account_id: &str) {
        let service = service_id(segment, account_id);
        add(&mut self.services, service.clone());
        if !segment.is_inferred {
            let (instance_id, zone) = machine(segment);
            self.instance_ids.extend(instance_id);
            self.zones.extend(zone);
        }
        segment.walk(&mut |entity| {
            self.has_throttle |= entity.throttle;
            self.is_partial |= entity.is_in_progress();
            self.resource_arns.extend(entity.resource_arn.clone());
            if let Some(user) = &entity.user {
                self.user(user, service.as_ref());
            }
            for (key, value) in entity.block("annotations").into_iter().flatten() {
                self.annotation(key, value, service.as_ref());
            }
        });
    }

    fn user(&mut self, name: &str, service: Option<&ServiceId>) {
        let has_room = self.users.len() < LIST_LEN_MAX;
        let known = self.users.iter_mut().find(|user| user.user_name.as_deref() == Some(name));
        match known {
            Some(user) => add(user.service_ids.get_or_insert_default(), service.cloned()),
            None if has_room => self.users.push(TraceUser {
                user_name: Some(name.to_owned()),
                service_ids: Some(service.cloned().into_iter().collect()),
            }),
            None => {}
        }
    }

    fn annotation(&mut self, key: &str, value: &Value, service: Option<&ServiceId>) {
        let Some(value) = annotation_value(value) else { return };
        if self.annotations.len() >= LIST_LEN_MAX && !self.annotations.contains_key(key) {
            return;
        }
        let values = self.annotations.entry(key.to_owned()).or_default();
        let has_room = values.len() < LIST_LEN_MAX;
        let known = values.iter_mut().find(|known| known.annotation_value.as_ref() == Some(&value));
        match known {
            Some(known) => add(known.service_ids.get_or_insert_default(), service.cloned()),
            None if has_room => values.push(ValueWithServiceIds {
                annotation_value: Some(value),
                service_ids: Some(service.cloned().into_iter().collect()),
            }),
            None => {}
        }
    }
}

fn add(services: &mut Vec<ServiceId>, service: Option<ServiceId>) {
    if let Some(service) = service.filter(|service| !services.contains(service))
        && services.len() < LIST_LEN_MAX
    {
        services.push(service);
    }
}

fn annotation_value(value: &Value) -> Option<AnnotationValue> {
    Some(match value {
        Value::String(text) => AnnotationValue { string_value: Some(text.clone()), ..Default::default() },
        Value::Bool(value) => AnnotationValue { boolean_value: Some(*value), ..Default::default() },
        Value::Number(number) => AnnotationValue { number_value: number.as_f64(), ..Default::default() },
        _ => return None,
    })
}
