//! Which operations are routed, as a list that a change must change; and that garbage never gets past the decoder.

use std::fmt::Write as _;

use proptest::prelude::*;
use tracery_aws_wire::operation::checked;
use tracery_aws_wire::{Protocol, Spec, decode, encode, logs, unknown_operation, xray};

fn specs() -> impl Iterator<Item = &'static Spec> {
    let xray = xray::Operation::ALL.iter().map(|operation| operation.spec());
    xray.chain(logs::Operation::ALL.iter().map(|operation| operation.spec()))
}

#[test]
fn the_routed_operations_are_the_listed_ones() {
    let mut listed = String::new();
    for operation in xray::Operation::ALL {
        let Spec { name, path, .. } = operation.spec();
        assert_eq!(xray::Operation::route(&http::Method::POST, path), Some(*operation));
        writeln!(listed, "xray routed {name} {path}").unwrap();
    }
    for operation in logs::Operation::ALL {
        let name = operation.spec().name;
        assert_eq!(logs::Operation::route(&format!("Logs_20140328.{name}")), Some(*operation));
        writeln!(listed, "logs routed {name}").unwrap();
    }
    for name in logs::NOT_BUILT {
        assert_eq!(logs::Operation::route(&format!("Logs_20140328.{name}")), None);
        writeln!(listed, "logs not-built {name}").unwrap();
    }
    let committed = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/operations.txt"));
    assert!(committed.unwrap_or_default() == listed, "tests/operations.txt should be:\n{listed}");
    assert_eq!((xray::Operation::ALL.len() + xray::NOT_BUILT.len(), logs::Operation::ALL.len()), (38, 52));
    assert_eq!(logs::Operation::ALL.len() + logs::NOT_BUILT.len(), 118);
}

#[test]
fn what_is_not_routed_is_an_unknown_operation() {
    for (path, method) in
        [("/TraceSegments/", "POST"), ("/tracesegments", "POST"), ("/", "POST"), ("/TraceSegments", "GET")]
    {
        assert_eq!(xray::Operation::route(&method.parse().unwrap(), path), None, "{method} {path}");
    }
    for target in
        ["", "PutLogEvents", "Logs_20140328.", "Logs_20140329.PutLogEvents", "Logs_20140328.putLogEvents"]
    {
        assert_eq!(logs::Operation::route(target), None, "{target}");
    }
    for (protocol, status) in [(Protocol::RestJson, 404), (Protocol::Json11, 400)] {
        let answer = protocol.error(&unknown_operation(protocol), "id");
        assert_eq!(answer.status(), status);
        assert_eq!(answer.body(), r#"{"__type":"UnknownOperationException"}"#);
    }
}

#[test]
fn answers_are_written_in_the_wires_names() {
    let answer = xray::GetSamplingTargetsResult {
        last_rule_modification: Some(tracery_aws_wire::EpochSeconds(1_795_370_400.5)),
        ..Default::default()
    };
    let body = encode::<xray::GetSamplingTargetsRequest>(&answer).unwrap();
    assert_eq!(body, r#"{"LastRuleModification":1795370400.5}"#);
    let answer =
        logs::PutLogEventsResponse { next_sequence_token: Some("1".to_owned()), ..Default::default() };
    assert_eq!(encode::<logs::PutLogEventsRequest>(&answer).unwrap(), r#"{"nextSequenceToken":"1"}"#);
    assert_eq!(encode::<logs::CreateLogGroupRequest>(&()).unwrap(), "{}");
}

#[test]
fn a_request_reads_into_its_type() {
    let body = br#"{"SamplingRule": {"RuleName": "r", "ResourceARN": "*", "Priority": 1, "FixedRate": 0.5,
        "ReservoirSize": 1, "ServiceName": "*", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*",
        "Version": 1, "Attributes": {"k": "v"}}}"#;
    let request: xray::CreateSamplingRuleRequest = decode(body, 1 << 20).unwrap();
    assert_eq!((request.sampling_rule.fixed_rate, request.sampling_rule.http_method.as_str()), (0.5, "*"));
    let again = serde_json::to_vec(&request).unwrap();
    assert_eq!(decode::<xray::CreateSamplingRuleRequest>(&again, 1 << 20).unwrap(), request);
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let names: Vec<&'static str> =
        specs().flat_map(|spec| spec.input.members.iter().map(|member| member.name)).collect();
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 8, move |inner| {
        let name = proptest::sample::select(names.clone()).prop_map(str::to_owned);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name, inner), 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn any_request_is_taken_or_told_the_vendors_error(value in json()) {
        let body = serde_json::to_vec(&value).unwrap();
        for spec in specs() {
            if let Err(error) = checked(spec, &body, 1 << 20) {
                prop_assert!(error.code == spec.invalid || error.code == "SerializationException");
                prop_assert!(error.message.is_some());
            }
        }
        // What passes the check is what the type reads.
        if checked(<logs::PutMetricFilterRequest as tracery_aws_wire::Call>::SPEC, &body, 1 << 20).is_ok() {
            prop_assert!(decode::<logs::PutMetricFilterRequest>(&body, 1 << 20).is_ok());
        }
        if checked(<xray::GetTraceSummariesRequest as tracery_aws_wire::Call>::SPEC, &body, 1 << 20).is_ok() {
            prop_assert!(decode::<xray::GetTraceSummariesRequest>(&body, 1 << 20).is_ok());
        }
    }
}
