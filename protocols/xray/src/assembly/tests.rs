//! Traces from documents and spans: the captured documents of real SDKs, made-up traces in any order and any pieces.

use proptest::prelude::*;
use serde_json::{Value, json};
use tracery_model::TraceId;
use tracery_query::languages::xray::{matches, parse};
use tracery_query::questions::xray::{StoredDocument, StoredEvent, StoredSpan, TraceDocuments};

use super::{CompiledTrace, Graph, compile, facts, spans, summarize};

const TRACE: &str = "1-6b032f03-a10328ac9bad3041624b853e";
const ACCOUNT: &str = "100000000001";

fn stored(texts: &[String]) -> TraceDocuments {
    let documents = texts.iter().zip(0..);
    let documents: Vec<StoredDocument> =
        documents.map(|(text, received_ns)| StoredDocument { text: text.clone(), received_ns }).collect();
    let first = documents.first().and_then(|document| serde_json::from_str::<Value>(&document.text).ok());
    let id = first.and_then(|first| crate::segment::trace_id(first["trace_id"].as_str()?));
    let trace_id = id.unwrap_or(TraceId([1; 16]));
    TraceDocuments { trace_id, received_count: documents.len(), documents, spans: Vec::new(), is_cut: false }
}

fn trace(values: &[Value]) -> CompiledTrace {
    compile(&stored(&values.iter().map(Value::to_string).collect::<Vec<_>>()))
}

fn documents(trace: &CompiledTrace) -> Vec<Value> {
    trace.documents().into_iter().map(|(_, document)| document).collect()
}

fn seed(name: &str) -> Value {
    let path = format!("{}/../../fuzz/seeds/xray_segment/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What an SDK sent, as it comes back: without what says nothing, and without what an embedded one's place says.
fn expected(document: &Value, is_outermost: bool) -> Value {
    let mut members = document.as_object().unwrap().clone();
    for flag in ["in_progress", "fault", "error", "throttle", "traced"] {
        if members.get(flag) == Some(&Value::Bool(false)) {
            members.remove(flag);
        }
    }
    if !is_outermost {
        for key in ["trace_id", "parent_id", "type"] {
            members.remove(key);
        }
    }
    if let Some(exceptions) = members.get_mut("cause").and_then(|cause| cause.get_mut("exceptions")) {
        for exception in exceptions.as_array_mut().unwrap() {
            let exception = exception.as_object_mut().unwrap();
            if exception.get("remote") == Some(&Value::Bool(false)) {
                exception.remove("remote");
            }
        }
    }
    if let Some(Value::Array(inner)) = members.get_mut("subsegments") {
        for subsegment in inner.iter_mut() {
            *subsegment = expected(subsegment, false);
        }
    }
    Value::Object(members)
}

#[test]
fn captured_documents_come_back_as_they_were_sent() {
    for name in [
        "01-py-flask-nested-annotations-metadata",
        "02-py-flask-exception-cause-by-id",
        "03-py-flask-caller-downstream-500",
        "04-py-flask-callee-500",
        "05-py-boto3-aws-namespace",
        "06-py-sqlite3-sql",
        "07-py-streamed-independent-subsegment",
        "08-py-flask-upstream-header-forwarded",
        "09-node-express-caller-traced",
    ] {
        let sent = seed(name);
        let compiled = documents(&trace(std::slice::from_ref(&sent)));
        let own = compiled.iter().find(|document| document["id"] == sent["id"]).unwrap();
        assert_eq!(own, &expected(&sent, true), "{name}");
        for other in compiled.iter().filter(|document| document["id"] != sent["id"]) {
            assert_eq!(other["inferred"], true, "{name}: {other}");
        }
    }
}

#[test]
fn a_call_without_a_callee_has_an_inferred_segment_until_the_callee_arrives() {
    let (caller, callee) = (seed("03-py-flask-caller-downstream-500"), seed("04-py-flask-callee-500"));
    let alone = documents(&trace(std::slice::from_ref(&caller)));
    assert_eq!(alone.len(), 2);
    assert_eq!(alone[1]["parent_id"], "9e89bbf295f02408");
    assert_eq!((&alone[1]["inferred"], &alone[1]["name"]), (&json!(true), &json!("127.0.0.1")));
    assert_eq!((&alone[1]["fault"], &alone[1]["http"]["response"]["status"]), (&json!(true), &json!(500)));
    let again = documents(&trace(std::slice::from_ref(&caller)));
    assert_eq!(alone, again, "with the same id");
    for order in [[&caller, &callee], [&callee, &caller]] {
        let both = documents(&trace(&order.map(Value::clone)));
        let names: Vec<&str> = both.iter().map(|document| document["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["shop-frontend", "inventory-api"]);
    }
    let aws = documents(&trace(&[seed("05-py-boto3-aws-namespace")]));
    let table = aws.iter().find(|document| document["origin"] == "AWS::DynamoDB::Table").unwrap();
    assert_eq!((&table["name"], &table["aws"]["table_name"]), (&json!("dynamodb"), &json!("orders")));
    let sql = documents(&trace(&[seed("06-py-sqlite3-sql")]));
    assert_eq!(sql.iter().filter(|document| document["origin"] == "Database::SQL").count(), 2);
}

fn entity(id: u8, parent: Option<u8>, more: Value) -> Value {
    let mut document = json!({
        "id": format!("{id:016x}"), "name": format!("n{id}"), "trace_id": TRACE,
        "start_time": f64::from(id), "end_time": f64::from(id) + 0.5,
    });
    if let Some(parent) = parent {
        document["parent_id"] = json!(format!("{parent:016x}"));
        document["type"] = json!("subsegment");
    }
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    document
}

#[test]
fn a_complete_version_replaces_one_in_progress_and_keeps_what_came_within_it() {
    let mut open = entity(1, None, json!({ "in_progress": true, "user": "old" }));
    open.as_object_mut().unwrap().remove("end_time");
    open["subsegments"] = json!([entity(2, None, json!({}))]);
    let done = entity(1, None, json!({ "user": "new" }));
    for order in [[open.clone(), done.clone()], [done, open.clone()]] {
        let compiled = documents(&trace(&order));
        assert_eq!(compiled.len(), 1);
        assert_eq!((&compiled[0]["user"], compiled[0].get("in_progress")), (&json!("new"), None));
        assert_eq!(compiled[0]["subsegments"][0]["name"], "n2");
    }
    let summary = summarize(&trace(&[open]), ACCOUNT);
    assert_eq!((summary.is_partial, summary.response_time), (Some(true), None));
}

#[test]
fn orphans_and_circles_are_shown() {
    let compiled = documents(&trace(&[
        entity(9, Some(8), json!({})),
        entity(3, Some(4), json!({})),
        entity(4, Some(3), json!({})),
        entity(5, Some(5), json!({})),
    ]));
    let shown: Vec<&str> = compiled.iter().map(|document| document["id"].as_str().unwrap()).collect();
    assert_eq!(shown, ["0000000000000003", "0000000000000005", "0000000000000009"]);
    assert_eq!(compiled[0]["subsegments"][0]["id"], "0000000000000004");
    assert_eq!(
        (&compiled[2]["type"], &compiled[2]["parent_id"]),
        (&json!("subsegment"), &json!("0000000000000008"))
    );
    let trace = trace(&[entity(5, Some(5), json!({ "fault": true }))]);
    assert!(trace.root().is_none());
    assert_eq!(summarize(&trace, ACCOUNT).http, Some(Default::default()));
    facts(&trace, ACCOUNT);
}

#[test]
fn a_long_chain_is_given_in_pieces_that_any_parser_reads() {
    let chain: Vec<Value> =
        (1..=200).map(|id| entity(id, (id > 1).then(|| id - 1), json!({ "fault": true }))).collect();
    let trace = trace(&chain);
    let compiled = documents(&trace);
    assert_eq!(compiled.len(), 5);
    for document in &compiled {
        serde_json::from_str::<Value>(&document.to_string()).unwrap();
    }
    summarize(&trace, ACCOUNT);
    let mut count = 0;
    trace.walk(&mut |_| count += 1);
    assert_eq!(count, 200);
}

#[test]
fn a_summary_speaks_of_the_entry_point_and_its_root_causes_of_what_is_below() {
    let both = [seed("03-py-flask-caller-downstream-500"), seed("04-py-flask-callee-500")];
    let trace = trace(&both);
    let summary = serde_json::to_value(summarize(&trace, ACCOUNT)).unwrap();
    assert_eq!(summary["Id"], both[0]["trace_id"]);
    assert_eq!(summary["Http"]["HttpStatus"], 200);
    assert_eq!(
        (&summary["HasFault"], &summary["HasError"], &summary["HasThrottle"]),
        (&json!(false), &json!(false), &json!(false))
    );
    assert_eq!((&summary["IsPartial"], &summary["Revision"]), (&json!(false), &json!(2)));
    assert_eq!(summary["EntryPoint"]["Name"], "shop-frontend");
    assert_eq!(summary["Duration"], json!(0.009482));
    assert_eq!(summary["ResponseTime"], json!(0.009482));
    assert_eq!(summary["ServiceIds"].as_array().unwrap().len(), 2);
    let faults = summary["FaultRootCauses"].as_array().unwrap();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0]["ClientImpacting"], false);
    let services = faults[0]["Services"].as_array().unwrap();
    assert_eq!(services.len(), 2);
    assert_eq!(services[0]["EntityPath"][1]["Name"], "127.0.0.1");
    assert_eq!(services[0]["EntityPath"][1]["Remote"], true);
    assert_eq!(
        services[1]["EntityPath"][0]["Exceptions"],
        json!([{ "Name": "RuntimeError", "Message": "leaf broke" }])
    );
    let slow = &summary["ResponseTimeRootCauses"][0];
    assert_eq!(
        (&slow["ClientImpacting"], &slow["Services"][0]["EntityPath"][0]["Coverage"]),
        (&json!(true), &json!(1.0))
    );
    assert_eq!(slow["Services"][1]["Name"], "inventory-api");

    let facts = facts(&trace, ACCOUNT);
    for (expression, holds) in [
        ("ok", true),
        ("fault", false),
        ("service(\"inventory-api\") { fault AND http.status = 500 }", true),
        ("edge(\"shop-frontend\", \"inventory-api\") { fault }", true),
        ("edge(\"inventory-api\", \"shop-frontend\")", false),
        ("rootcause.fault.exception { message = \"leaf broke\" }", true),
        ("rootcause.fault.entity { remote AND name = \"127.0.0.1\" }", true),
        ("rootcause.responsetime.entity { coverage > 0.9 AND name = \"shop-frontend\" }", true),
        ("service(id(account.id: \"100000000001\")) { root }", true),
    ] {
        assert_eq!(matches(&parse(expression).unwrap(), &facts), holds, "{expression}");
    }
}

#[test]
fn an_exception_named_by_its_id_is_told_where_it_is_named() {
    let trace = trace(&[seed("02-py-flask-exception-cause-by-id")]);
    let summary = serde_json::to_value(summarize(&trace, ACCOUNT)).unwrap();
    assert_eq!(summary["HasFault"], true);
    let cause = &summary["FaultRootCauses"][0];
    assert_eq!(cause["ClientImpacting"], true);
    let path = cause["Services"][0]["EntityPath"].as_array().unwrap();
    assert_eq!(path.len(), 2);
    for step in path {
        assert_eq!(step["Exceptions"][0]["Message"], "bad sku A1");
    }
    assert_eq!(summary["Annotations"], json!({}));
}

#[test]
fn annotations_and_users_name_their_services() {
    let trace = trace(&[seed("01-py-flask-nested-annotations-metadata")]);
    let summary = serde_json::to_value(summarize(&trace, ACCOUNT)).unwrap();
    let service =
        json!({ "Name": "shop-frontend", "Names": ["shop-frontend"], "AccountId": ACCOUNT, "Type": "" });
    assert_eq!(
        summary["Annotations"]["cart_size"],
        json!([{ "AnnotationValue": { "NumberValue": 3.0 }, "ServiceIds": [service] }])
    );
    assert_eq!(summary["Annotations"]["returning"][0]["AnnotationValue"], json!({ "BooleanValue": true }));
    assert_eq!(summary["Users"], json!([{ "UserName": "alice", "ServiceIds": [service] }]));
}

fn span(id: u8, parent: Option<u8>, kind: i64, attributes: Value) -> StoredSpan {
    StoredSpan {
        span_id: format!("{id:016x}"),
        parent_id: parent.map(|parent| format!("{parent:016x}")),
        name: format!("GET {id}"),
        service: "cart".to_owned(),
        kind,
        start_ns: i64::from(id) * 1_000_000_000,
        duration_ns: 500_000_000,
        attributes: attributes.as_object().unwrap().clone(),
        resource: json!({ "service.name": "cart", "cloud.platform": "aws_ec2", "host.id": "i-1" })
            .as_object()
            .unwrap()
            .clone(),
        ..StoredSpan::default()
    }
}

#[test]
fn a_trace_of_segments_and_spans_is_one() {
    let call = entity(2, None, json!({ "namespace": "remote", "name": "cart:80" }));
    let mut texts = stored(&[entity(1, None, json!({ "subsegments": [call] })).to_string()]);
    let mut failed = span(
        4,
        Some(3),
        3,
        json!({
            "db.system": "postgresql", "db.namespace": "orders", "server.address": "db.local",
            "db.query.text": "SELECT 1", "tier": "gold", "size": 7, "aws.xray.annotations": ["tier"],
            "aws.xray.metadata.debug": "{\"a\":1}",
        }),
    );
    failed.status_code = 2;
    failed.events.push(StoredEvent {
        name: "exception".to_owned(),
        time_ns: 0,
        attributes: json!({ "exception.type": "Timeout", "exception.message": "slow",
            "exception.stacktrace": "File \"a.py\", line 3, in ask" })
        .as_object()
        .unwrap()
        .clone(),
    });
    texts.spans = vec![
        span(
            3,
            Some(2),
            2,
            json!({
                "http.request.method": "GET", "url.scheme": "https", "url.path": "/cart", "url.query": "a=b",
                "server.address": "cart", "server.port": 443, "http.response.status_code": 429,
                "client.address": "10.0.0.1", "enduser.id": "bob",
            }),
        ),
        failed,
        span(5, Some(3), 1, json!({})),
        span(
            6,
            Some(3),
            3,
            json!({ "rpc.system": "aws-api", "rpc.service": "DynamoDB", "rpc.method": "GetItem",
            "aws.dynamodb.table_names": ["orders"], "aws.request_id": "r1" }),
        ),
    ];
    let trace = compile(&texts);
    let compiled = documents(&trace);
    let named = |name: &str| compiled.iter().find(|document| document["name"] == name).unwrap();
    let cart = named("cart");
    assert_eq!(
        (&cart["parent_id"], &cart["origin"]),
        (&json!("0000000000000002"), &json!("AWS::EC2::Instance"))
    );
    assert_eq!(cart["http"]["request"]["url"], "https://cart/cart?a=b");
    assert_eq!(
        (&cart["http"]["request"]["client_ip"], &cart["http"]["request"]["x_forwarded_for"]),
        (&json!("10.0.0.1"), &json!(true))
    );
    assert_eq!((&cart["error"], &cart["throttle"], cart.get("fault")), (&json!(true), &json!(true), None));
    assert_eq!((&cart["aws"]["ec2"]["instance_id"], &cart["user"]), (&json!("i-1"), &json!("bob")));
    assert_eq!(cart["subsegments"].as_array().unwrap().len(), 3);
    let db = &cart["subsegments"][0];
    assert_eq!(
        (&db["name"], &db["namespace"], &db["fault"]),
        (&json!("orders@db.local"), &json!("remote"), &json!(true))
    );
    assert_eq!(db["sql"]["sanitized_query"], "SELECT 1");
    assert_eq!(db["annotations"], json!({ "tier": "gold" }));
    assert_eq!(
        (&db["metadata"]["debug"], &db["metadata"]["default"]["size"]),
        (&json!({ "a": 1 }), &json!(7))
    );
    assert_eq!(db["cause"]["exceptions"][0]["stack"], json!([{ "path": "a.py", "line": 3, "label": "ask" }]));
    assert_eq!(cart["subsegments"][2]["namespace"], "aws");
    assert_eq!(named("orders@db.local")["origin"], "Database::SQL");
    assert_eq!(
        cart["subsegments"][2]["aws"],
        json!({ "operation": "GetItem", "request_id": "r1", "table_name": "orders" })
    );
    let summary = serde_json::to_value(summarize(&trace, ACCOUNT)).unwrap();
    assert_eq!((&summary["HasThrottle"], &summary["EntryPoint"]["Name"]), (&json!(true), &json!("n1")));
    assert_eq!(summary["InstanceIds"], json!([{ "Id": "i-1" }]));

    let all = spans(&texts, &trace);
    let ids: Vec<&str> = all.iter().map(|(id, _)| id.trim_start_matches('0')).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(
        (&all[0].1["kind"], &all[1].1["kind"], &all[2].1["kind"]),
        (&json!("SERVER"), &json!("CLIENT"), &json!("SERVER"))
    );
    assert_eq!(all[3].1["events"][0]["attributes"]["exception.type"], "Timeout");

    let mut graph = Graph::default();
    graph.add(&trace);
    assert_eq!(graph.services(ACCOUNT, 2).len(), 2);
    let services = graph.services(ACCOUNT, 10);
    let names: Vec<&str> =
        services.iter().map(|one| one.service.as_ref().unwrap().name.as_deref().unwrap()).collect();
    assert_eq!(names, ["cart", "n1", "orders", "orders@db.local"]);
    let cart = services[0].service.as_ref().unwrap();
    assert_eq!(cart.edges.as_ref().unwrap().len(), 2);
    assert_eq!(
        cart.summary_statistics.as_ref().unwrap().error_statistics.as_ref().unwrap().throttle_count,
        Some(1)
    );
}

#[test]
fn a_call_that_begins_a_trace_has_a_segment_of_its_service_around_it() {
    let mut texts = stored(&[]);
    texts.spans = vec![span(1, None, 3, json!({ "peer.service": "billing" }))];
    let compiled = documents(&compile(&texts));
    assert_eq!(compiled.len(), 2);
    assert_eq!(
        (&compiled[0]["name"], &compiled[0]["subsegments"][0]["id"]),
        (&json!("cart"), &json!("0000000000000001"))
    );
    assert_eq!((&compiled[1]["name"], &compiled[1]["inferred"]), (&json!("billing"), &json!(true)));
}

/// A tree of entities: each one's parent is among those before it.
fn trees() -> impl Strategy<Value = Vec<(usize, bool)>> {
    prop::collection::vec((any::<prop::sample::Index>(), any::<bool>()), 1..20).prop_map(|picks| {
        picks.iter().enumerate().map(|(idx, (parent, alone))| (parent.index(idx + 1), *alone)).collect()
    })
}

/// The documents of a tree: entities that are sent alone, each with those embedded in it.
fn pieces(tree: &[(usize, bool)]) -> Vec<Value> {
    let mut nodes = vec![entity(1, None, json!({ "annotations": { "n": 1 } }))];
    for (idx, (parent, _)) in tree.iter().enumerate() {
        let id = u8::try_from(idx + 2).unwrap();
        let namespace = if idx % 3 == 0 { "remote" } else { "local" };
        nodes.push(entity(id, Some(u8::try_from(parent + 1).unwrap()), json!({ "namespace": namespace })));
    }
    let mut alone = Vec::new();
    for idx in (1..nodes.len()).rev() {
        let node = nodes.pop().unwrap();
        let (parent, is_alone) = tree[idx - 1];
        if is_alone {
            alone.push(node);
            continue;
        }
        let parent = nodes[parent].as_object_mut().unwrap();
        parent.entry("subsegments").or_insert_with(|| json!([])).as_array_mut().unwrap().push(node);
    }
    alone.extend(nodes);
    alone
}

proptest! {
    #[test]
    fn any_order_and_any_pieces_compile_to_the_same_trace(tree in trees(), seed in any::<u64>(), twice in any::<bool>()) {
        let embedded: Vec<(usize, bool)> = tree.iter().map(|(parent, _)| (*parent, false)).collect();
        let wanted = documents(&trace(&pieces(&embedded)));
        let mut sent = pieces(&tree);
        if twice {
            sent.extend(sent.clone());
        }
        // Any order that a number makes.
        let mut state = seed | 1;
        sent.sort_by_cached_key(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state
        });
        prop_assert_eq!(documents(&trace(&sent)), wanted);
    }

    #[test]
    fn no_document_breaks_assembly(
        heads in prop::collection::vec((1_u8..6, prop::option::of(0_u8..6), any::<bool>(), -1e10..1e10_f64), 0..12),
        odd in "\\PC{0,12}",
    ) {
        let sent: Vec<Value> = heads.iter().map(|(id, parent, is_sub, start)| {
            let mut value = entity(*id, *parent, json!({
                "start_time": start, "fault": is_sub, "http": odd, "aws": [1], "cause": { "exceptions": [odd, {}] },
                "namespace": if *is_sub { "aws" } else { "remote" }, "annotations": { "k": null, "l": [1] },
                "sql": {}, "links": [{}, 1],
            }));
            if !is_sub {
                value.as_object_mut().unwrap().remove("type");
            }
            value
        }).collect();
        let trace = trace(&sent);
        let _ = (summarize(&trace, ACCOUNT), facts(&trace, ACCOUNT), documents(&trace));
        Graph::default().add(&trace);
    }
}
