//! Random traces of X-Ray and OpenTelemetry rows in a real store, fresh and merged: filters find what the plain evaluator
//! finds over the same rows in memory, and the map of a range is the map of its traces.

use std::collections::{BTreeMap, HashMap};

use proptest::prelude::*;
use tracery_columnar::{BatchBuilder, EventBatch, Fixed, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, TimeRange, TraceId, Value};

use super::names::{Names, Node, NodeId};
use super::shape::{RowFlags, Shape, TraceRow};
use super::view::view;
use super::*;
use crate::QueryError;
use crate::languages::xray::{
    AnnotationValue, Cause, Expression, Facts, Group, Number, RootCause, RootCauseService, Text, matches,
    parse,
};
use crate::test_store::{TestStore, test_store};

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
const SECOND_NS: i64 = 1_000_000_000;
const BEGIN_NS: i64 = 1_800_000_000 * SECOND_NS;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Wrote {
    Segment,
    Subsegment,
    /// OTLP, with the number of its kind.
    Span(u8),
}

/// A row as doors write it.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) trace: u8,
    pub(super) span: u8,
    pub(super) parent: u8,
    pub(super) start_ms: i64,
    pub(super) duration_ms: i64,
    pub(super) wrote: Wrote,
    pub(super) service: &'static str,
    /// Origin of a segment; what a subsegment or client calls.
    pub(super) node: Option<(&'static str, &'static str)>,
    /// Bits of [`RowFlags`]; of OTLP rows they follow from the status.
    pub(super) flags: u16,
    pub(super) status: Option<i64>,
    pub(super) url: Option<&'static str>,
    pub(super) user: Option<&'static str>,
    pub(super) tier: Option<&'static str>,
    pub(super) age: Option<i64>,
    pub(super) beta: Option<bool>,
}

const FLAGS: [(&str, u16); 4] = [
    ("aws.xray.fault", RowFlags::FAULT),
    ("aws.xray.error", RowFlags::ERROR),
    ("aws.xray.throttle", RowFlags::THROTTLE),
    ("aws.xray.inprogress", RowFlags::IN_PROGRESS),
];

pub(super) fn batch(rows: &[Row]) -> Option<EventBatch> {
    let mut builder = BatchBuilder::new(Signal::Span, 77);
    for row in rows {
        builder.begin_row(BEGIN_NS + row.start_ms * 1_000_000, row.service);
        builder.id(Fixed::TraceId, &[row.trace; 16]);
        builder.id(Fixed::SpanId, &[row.span; 8]);
        if row.parent != 0 {
            builder.id(Fixed::ParentId, &[row.parent; 8]);
        }
        builder.int(Fixed::DurationNs, row.duration_ms * 1_000_000);
        builder.text(Fixed::Name, "work");
        let mut own = |key: &str, value: Value<'_>| builder.attribute(Origin::Own, key, value);
        match row.wrote {
            Wrote::Segment | Wrote::Subsegment => {
                let is_segment = row.wrote == Wrote::Segment;
                own("aws.xray.type", Value::Str(if is_segment { "segment" } else { "subsegment" }));
                for (key, flag) in FLAGS {
                    if row.flags & flag != 0 {
                        own(key, Value::Bool(true));
                    }
                }
                if let Some((name, r#type)) = row.node {
                    own("aws.xray.node", Value::Str(if is_segment { row.service } else { name }));
                    own("aws.xray.node_type", Value::Str(r#type));
                }
                if let Some(status) = row.status {
                    own("http.status_code", Value::Int(status));
                }
            }
            Wrote::Span(kind) => {
                if let Some((name, _)) = row.node {
                    own("peer.service", Value::Str(name));
                }
                if let Some(status) = row.status {
                    own("http.response.status_code", Value::Int(status));
                }
                builder.int(Fixed::SpanKind, i64::from(kind));
                builder.int(Fixed::StatusCode, if row.flags & RowFlags::FAULT != 0 { 2 } else { 0 });
            }
        }
        let mut own = |key: &str, value: Value<'_>| builder.attribute(Origin::Own, key, value);
        if let Some(url) = row.url {
            own(if row.wrote == Wrote::Segment { "http.url" } else { "url.full" }, Value::Str(url));
        }
        row.user.into_iter().for_each(|user| own("enduser.id", Value::Str(user)));
        row.tier.into_iter().for_each(|tier| own("tier", Value::Str(tier)));
        row.age.into_iter().for_each(|age| own("age", Value::Int(age)));
        row.beta.into_iter().for_each(|beta| own("beta", Value::Bool(beta)));
    }
    builder.finish()
}

/// The same row as a door's reader would make it, without the engine.
fn in_memory(row: &Row, names: &mut Names) -> (TraceRow, Facts) {
    let mut id = |name: &str, r#type: &str| {
        names.named(&Node { name: name.to_owned(), r#type: r#type.to_owned(), account_id: String::new() })
    };
    let (mut flags, own, target);
    match row.wrote {
        Wrote::Segment => {
            flags = RowFlags::SEGMENT | row.flags;
            own = id(row.service, row.node.map_or("", |node| node.1));
            target = NodeId::NONE;
        }
        Wrote::Subsegment => {
            flags = RowFlags::SUBSEGMENT | row.flags;
            own = id(row.service, "");
            target = row.node.map_or(NodeId::NONE, |node| id(node.0, node.1));
        }
        Wrote::Span(kind) => {
            flags = [0, 0, RowFlags::SERVER, RowFlags::CLIENT, RowFlags::PRODUCER, RowFlags::CONSUMER]
                [usize::from(kind)];
            flags |= match row.status {
                Some(500..) => RowFlags::FAULT,
                Some(429) => RowFlags::ERROR | RowFlags::THROTTLE,
                Some(400..) => RowFlags::ERROR,
                Some(_) => 0,
                None => row.flags & RowFlags::FAULT,
            };
            own = id(row.service, "");
            target = match row.node.filter(|_| kind == 3 || kind == 4) {
                Some(node) => id(node.0, "remote"),
                None => NodeId::NONE,
            };
        }
    }
    if !matches!(row.wrote, Wrote::Span(_)) {
        flags |= row.flags;
    }
    let found = TraceRow {
        span_id: u64::from_be_bytes([row.span; 8]),
        parent_id: u64::from_be_bytes([row.parent; 8]),
        start_ns: BEGIN_NS + row.start_ms * 1_000_000,
        duration_ns: if flags & RowFlags::IN_PROGRESS != 0 { 0 } else { row.duration_ms * 1_000_000 },
        own,
        target,
        flags: RowFlags(flags),
    };
    let mut facts = Facts::default();
    facts.numbers.extend(row.status.map(|status| (Number::HttpStatus, status as f64)));
    facts.texts.extend(row.url.map(|url| (Text::HttpUrl, url.to_owned())));
    facts.texts.extend(row.user.map(|user| (Text::User, user.to_owned())));
    let annotations = &mut facts.annotations;
    annotations.extend(row.tier.map(|tier| ("tier".to_owned(), AnnotationValue::Text(tier.to_owned()))));
    annotations.extend(row.age.map(|age| ("age".to_owned(), AnnotationValue::Number(age as f64))));
    annotations.extend(row.beta.map(|beta| ("beta".to_owned(), AnnotationValue::Flag(beta))));
    (found, facts)
}

pub(super) struct Bed {
    of: TestStore,
    pub(super) kept: KeptMaps,
}

pub(super) async fn bed() -> Bed {
    Bed { of: test_store().await, kept: KeptMaps::new(16 << 20) }
}

impl std::ops::Deref for Bed {
    type Target = TestStore;

    fn deref(&self) -> &TestStore {
        &self.of
    }
}

impl Bed {
    pub(super) async fn write(&self, rows: &[Row]) {
        if let Some(batch) = batch(rows) {
            self.store.accept(ENVIRONMENT, vec![batch]).await.unwrap();
        }
    }

    /// All pages together.
    async fn find(&self, question: &Find) -> Vec<Found> {
        self.find_with(question, None).await
    }

    async fn find_with(&self, question: &Find, causes: Option<&dyn RootCauses>) -> Vec<Found> {
        let mut question = question.clone();
        let mut all = Vec::new();
        loop {
            let page = find(&self.context, &self.events, ENVIRONMENT, &question, causes).await.unwrap();
            assert!(page.traces.len() <= question.limit);
            all.extend(page.traces);
            match page.next {
                Some(next) => question.after = Some(next.to_string().parse().unwrap()),
                None => return all,
            }
        }
    }
}

/// Root causes as plainly as rows have them: each fault and error is one, and each second that a row took.
struct Causes(Vec<Row>);

impl Causes {
    fn of_trace(&self, trace: u8) -> Vec<RootCause> {
        let mut names = Names::default();
        let mut causes = Vec::new();
        for row in self.0.iter().filter(|row| row.trace == trace) {
            let (seen, _) = in_memory(row, &mut names);
            let is_slow = seen.duration_ns > SECOND_NS;
            let all = [
                (Cause::Fault, seen.flags.has(RowFlags::FAULT)),
                (Cause::Error, seen.flags.has(RowFlags::ERROR)),
                (Cause::ResponseTime, is_slow),
            ];
            for (cause, _) in all.into_iter().filter(|(_, is)| *is) {
                let named = |name: &str| (Text::Name, name.to_owned());
                let of = |numbers: &[(Number, f64)], texts: Vec<(Text, String)>| Facts {
                    numbers: numbers.to_vec(),
                    texts,
                    ..Facts::default()
                };
                let coverage = seen.duration_ns as f64 / 3e9;
                let service = RootCauseService {
                    facts: of(&[], vec![named(row.service)]),
                    entities: vec![of(&[(Number::Coverage, coverage)], vec![named("work")])],
                    exceptions: vec![of(&[], vec![(Text::Message, format!("boom {}", row.span))])],
                };
                let json = serde_json::json!({"Services": [{"Name": row.service}], "ClientImpacting": row.parent == 0});
                causes.push(RootCause { cause, services: vec![service], json });
            }
        }
        causes
    }
}

#[async_trait::async_trait]
impl RootCauses for Causes {
    async fn of(&self, traces: &[TraceId]) -> Result<HashMap<TraceId, Vec<RootCause>>, QueryError> {
        Ok(traces.iter().map(|trace| (*trace, self.of_trace(trace.0[0]))).collect())
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let wrote = prop_oneof![
        2 => Just(Wrote::Segment),
        2 => Just(Wrote::Subsegment),
        3 => (0..6_u8).prop_map(Wrote::Span),
    ];
    let node = prop::option::weighted(
        0.5,
        prop_oneof![Just(("table", "AWS::DynamoDB::Table")), Just(("api", "remote")), Just(("web", ""))],
    );
    let flags = prop_oneof![
        4 => Just(0),
        1 => Just(RowFlags::FAULT),
        1 => Just(RowFlags::ERROR),
        1 => Just(RowFlags::ERROR | RowFlags::THROTTLE),
        1 => Just(RowFlags::IN_PROGRESS),
    ];
    let status = prop::option::of(prop_oneof![Just(200), Just(404), Just(429), Just(503)]);
    let text = |values: [&'static str; 2]| prop::option::weighted(0.3, prop::sample::select(values.to_vec()));
    let place = (1..9_u8, 1..6_u8, 0..6_u8, 0..4_000_i64, 0..3_000_i64);
    let what = (wrote, prop::sample::select(vec!["api", "web"]), node, flags, status);
    let facts = (
        text(["http://a/x", "http://a/y"]),
        text(["ann", "bob"]),
        text(["gold", "tin"]),
        prop::option::weighted(0.3, 1..4_i64),
        prop::option::weighted(0.2, any::<bool>()),
    );
    let row = (place, what, facts).prop_map(|(place, what, facts)| {
        let (trace, span, parent, start_ms, duration_ms) = place;
        let (wrote, service, node, flags, status) = what;
        let (url, user, tier, age, beta) = facts;
        // Traces lie a minute apart, so that slices of time part them.
        let start_ms = start_ms + i64::from(trace) * 60_000;
        let parent = if parent == span { 0 } else { parent };
        let is_node_less = wrote == Wrote::Span(0) || wrote == Wrote::Span(1);
        let node = if is_node_less { None } else { node };
        Row {
            trace,
            span,
            parent,
            start_ms,
            duration_ms,
            wrote,
            service,
            node,
            flags,
            status,
            url,
            user,
            tier,
            age,
            beta,
        }
    });
    prop::collection::vec(row, 1..40).prop_map(|mut rows| {
        rows.sort_by_key(|row| (row.trace, row.span));
        rows.dedup_by_key(|row| (row.trace, row.span));
        rows
    })
}

const LEAVES: &[&str] = &[
    "ok",
    "fault",
    "error",
    "throttle",
    "partial",
    "fault = false",
    "responsetime > 1.5",
    "responsetime = 0",
    "duration >= 2",
    "http.status = 404",
    "http.status != 200",
    r#"http.url ENDSWITH "/x""#,
    r#"http.url CONTAINS """#,
    r#"user = "ann""#,
    r#"user != "ann""#,
    "annotation.tier",
    r#"annotation.tier = "gold""#,
    r#"annotation.tier != "gold""#,
    r#"annotation.tier BEGINSWITH "t""#,
    "annotation.tier > 3",
    "annotation.age >= 2",
    r#"annotation.age = "2""#,
    "annotation.beta = true",
    "annotation.beta = false",
    "annotation.nothing",
    "annotation[\"#time\"]",
    "service()",
    r#"service("api")"#,
    r#"service("table")"#,
    "service() { fault }",
    "service() { inferred AND error }",
    r#"service("web") { !error AND responsetime > 1 }"#,
    r#"service("api") { annotation.tier = "gold" }"#,
    r#"service(id(type: "AWS::DynamoDB::Table"))"#,
    r#"service(id(name: "api", type: "client"))"#,
    r#"edge("api", "web")"#,
    r#"edge("web", "table") { ok }"#,
    r#"edge(id(), "api") { http.status = 503 }"#,
    r#"edge(id(type: "client"), "web") { fault }"#,
    r#"group.name = "slow""#,
    r#"group.arn = "arn:none""#,
    r#"group.name = "broken""#,
    "ok = false",
    "responsetime != 0.5",
    "duration < 1",
    "http.status >= 500",
    r#"http.url = "http://a/x""#,
    r#"user BEGINSWITH "b""#,
    "first",
    r#"name = "api""#,
    "service() { ok }",
    r#"service("web") { inferred }"#,
    r#"service("api") { !annotation.tier }"#,
    r#"service("api") { responsetime > 1 OR http.status = 404 }"#,
    r#"service(id(type: ""))"#,
    r#"service(id(type: "remote"))"#,
    r#"service(id(name: "web", account.id: ""))"#,
    r#"service(id(account.id: "1"))"#,
    r#"rootcause.fault.service { name = "api" }"#,
    r#"rootcause.error.exception { message ENDSWITH "2" }"#,
    "rootcause.responsetime.entity { coverage > 0.5 }",
    r#"rootcause.json = #[{"Services":[{"Name":"web"}],"ClientImpacting":true}]"#,
];

fn expression() -> impl Strategy<Value = Expression> {
    let leaf = prop::sample::select(LEAVES.to_vec()).prop_map(|text| parse(text).unwrap());
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::Any),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
}

fn groups() -> Vec<(Group, Expression)> {
    let group = Group { name: "slow".to_owned(), arn: "arn:slow".to_owned() };
    let broken = Group { name: "broken".to_owned(), arn: "arn:broken".to_owned() };
    vec![
        (group, parse("responsetime > 1 OR annotation.age = 3").unwrap()),
        (broken, parse(r#"rootcause.fault.service { name = "web" } OR group.name = "slow""#).unwrap()),
    ]
}

/// What the plain evaluator finds, the newest first.
fn expected(rows: &[Row], question: &Find) -> Vec<(TraceId, i64)> {
    let causes = Causes(rows.to_vec());
    let mut traces: BTreeMap<u8, Vec<&Row>> = BTreeMap::new();
    rows.iter().for_each(|row| traces.entry(row.trace).or_default().push(row));
    let mut names = Names::default();
    let mut found = Vec::new();
    for (trace, rows) in traces {
        let (mut rows, facts): (Vec<TraceRow>, Vec<Facts>) =
            rows.into_iter().map(|row| in_memory(row, &mut names)).unzip();
        let mut shape = Shape::default();
        shape.of(&mut rows);
        let mut seen = view(&names, &shape, (&rows, &facts), "");
        seen.root_causes = causes.of_trace(trace);
        let groups = question.filter.groups.iter().filter(|(_, expression)| matches(expression, &seen));
        seen.groups = groups.map(|(group, _)| group.clone()).collect();
        let start_ns = rows.iter().map(|row| row.start_ns).min().unwrap();
        let in_range = match question.by {
            RangeBy::TraceId => question.time.contains(start_ns),
            RangeBy::Event => rows.iter().any(|row| question.time.contains(row.start_ns)),
            RangeBy::Service => rows.iter().enumerate().any(|(idx, row)| {
                shape.owners[idx] == Some(idx)
                    && !row.flags.has(RowFlags::IN_PROGRESS)
                    && question.time.contains(row.start_ns + row.duration_ns)
            }),
        };
        if in_range && question.filter.expression.as_ref().is_none_or(|wanted| matches(wanted, &seen)) {
            found.push((TraceId([trace; 16]), start_ns));
        }
    }
    found.sort_by_key(|(trace, start_ns)| std::cmp::Reverse((*start_ns, trace.0)));
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn filters_find_what_the_evaluator_finds(
        rows in rows(),
        expressions in prop::collection::vec(expression(), 6),
        cut in 0..40_usize,
        (from_s, to_s) in (0..600_i64, 0..600_i64),
        limit in 1..5_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let bed = bed().await;
            let (one, two) = rows.split_at(cut.min(rows.len()));
            bed.write(one).await;
            bed.write(two).await;
            let all = TimeRange::new(BEGIN_NS, BEGIN_NS + 3_600 * SECOND_NS);
            let part = TimeRange::new(BEGIN_NS + from_s.min(to_s) * SECOND_NS, BEGIN_NS + from_s.max(to_s) * SECOND_NS);
            for is_merged in [false, true] {
                if is_merged {
                    bed.store.merge_all(true).await.unwrap();
                }
                let questions = expressions.iter().map(Some).chain([None]).enumerate();
                for (number, expression) in questions {
                    let by = [RangeBy::TraceId, RangeBy::Event, RangeBy::Service][number % 3];
                    for time in [all, part] {
                        let filter = Filter { expression: expression.cloned(), groups: groups(), account_id: String::new() };
                        let question = Find { time, by, filter, share: 1.0, after: None, limit };
                        let causes = Causes(rows.clone());
                        let found = bed.find_with(&question, Some(&causes)).await;
                        let found: Vec<_> = found.iter().map(|found| (found.trace_id, found.start_ns)).collect();
                        let text = expression.map(ToString::to_string);
                        assert_eq!(found, expected(&rows, &question), "{text:?} {by:?} {time:?} merged: {is_merged}");
                    }
                }
            }
        });
    }

    #[test]
    fn the_map_of_a_range_is_that_of_its_traces(rows in rows(), cut in 0..40_usize) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let bed = bed().await;
            let (one, two) = rows.split_at(cut.min(rows.len()));
            bed.write(one).await;
            let time = TimeRange::new(BEGIN_NS, BEGIN_NS + 3_600 * SECOND_NS);
            let traces: Vec<TraceId> = (1..9).map(|trace| TraceId([trace; 16])).collect();
            for state in ["fresh", "one merged part", "merged and fresh", "all merged"] {
                match state {
                    "merged and fresh" => bed.write(two).await,
                    "fresh" => {}
                    _ => drop(bed.store.merge_all(state == "all merged").await.unwrap()),
                }
                let map = service_map(&bed.context, &bed.events, ENVIRONMENT, time, Filter::default(), None, &bed.kept).await.unwrap();
                let same = trace_map(&bed.context, &bed.events, ENVIRONMENT, &traces, time).await.unwrap();
                assert_eq!(map, same, "{state}");
                let entries = series(&bed.context, &bed.events, ENVIRONMENT, (time, 60 * SECOND_NS), vec![Entity::Entries], (Filter::default(), None)).await.unwrap();
                let entered: u64 = entries.values().map(Statistics::count).sum();
                let clients = map.edges.iter().filter(|edge| map.nodes[edge.from_idx].is_client);
                assert_eq!(entered, clients.map(|edge| edge.traffic.statistics.count()).sum::<u64>());
            }
        });
    }

    #[test]
    fn what_is_kept_of_parts_changes_no_map(
        rows in rows(),
        cuts in proptest::collection::vec((0..600_i64, 1..600_i64), 1..4),
        cut in 0..40_usize,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let bed = bed().await;
            let (one, two) = rows.split_at(cut.min(rows.len()));
            for (written, merged) in [(one, true), (two, false), (&[][..], true)] {
                bed.write(written).await;
                if merged {
                    bed.store.merge_all(false).await.unwrap();
                }
                for (start_s, length_s) in &cuts {
                    let start_ns = BEGIN_NS + start_s * SECOND_NS;
                    let time = TimeRange::new(start_ns, start_ns + length_s * SECOND_NS);
                    let filter = Filter::default;
                    let none = KeptMaps::new(0);
                    let map = service_map(&bed.context, &bed.events, ENVIRONMENT, time, filter(), None, &bed.kept).await.unwrap();
                    let scanned = super::map::scanned_map(&bed.context, &bed.events, ENVIRONMENT, time).await.unwrap();
                    assert_eq!(map, scanned);
                    let again = service_map(&bed.context, &bed.events, ENVIRONMENT, time, filter(), None, &bed.kept).await.unwrap();
                    assert_eq!(again, scanned);
                    let small = service_map(&bed.context, &bed.events, ENVIRONMENT, time, filter(), None, &none).await.unwrap();
                    assert_eq!(small, scanned);
                }
            }
        });
    }
}

const SAMPLE: &str = "xray-sample.elasticbeanstalk.com";
const TABLE: &str = "awseb-e-dixzws4s9p-stack-StartupSignupsTable-4IMSMHAYX2BA";

fn row(trace: u8, span: u8, parent: u8, wrote: Wrote, duration_ms: i64) -> Row {
    Row {
        trace,
        span,
        parent,
        start_ms: i64::from(trace) * 5_000,
        duration_ms,
        wrote,
        service: SAMPLE,
        node: None,
        flags: 0,
        status: None,
        url: None,
        user: None,
        tier: None,
        age: None,
        beta: None,
    }
}

/// The application of the vendor's documentation: four requests, of which two write to a table and notify a topic.
fn sample() -> Vec<Row> {
    let mut rows = Vec::new();
    for (trace, (duration_ms, flags, calls)) in (1..).zip([
        (5, 0, None),
        (15, RowFlags::ERROR, None),
        (157, 0, Some((76, 76))),
        (96, 0, Some((44, 49))),
    ]) {
        let mut segment = row(trace, 1, 0, Wrote::Segment, duration_ms);
        segment.node = Some((SAMPLE, "AWS::EC2::Instance"));
        segment.flags = flags;
        rows.push(segment);
        if let Some((table_ms, topic_ms)) = calls {
            let mut table = row(trace, 2, 1, Wrote::Subsegment, table_ms);
            table.node = Some((TABLE, "AWS::DynamoDB::Table"));
            let mut topic = row(trace, 3, 1, Wrote::Subsegment, topic_ms);
            topic.node = Some(("SNS", "AWS::SNS"));
            rows.extend([table, topic]);
        }
    }
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_sample_comes_out_as_documented() {
    let bed = bed().await;
    bed.write(&sample()).await;
    bed.store.merge_all(true).await.unwrap();
    let time = TimeRange::new(BEGIN_NS, BEGIN_NS + 600 * SECOND_NS);
    let map = service_map(&bed.context, &bed.events, ENVIRONMENT, time, Filter::default(), None, &bed.kept)
        .await
        .unwrap();
    let nodes: Vec<_> = map
        .nodes
        .iter()
        .map(|node| {
            let numbers = &node.traffic.statistics;
            let numbers =
                (numbers.ok_count, numbers.error_count, numbers.count(), numbers.time_ns / 1_000_000);
            let node_id = (node.node.name.as_str(), node.node.r#type.as_str());
            (node_id, node.is_root, node.reports, numbers)
        })
        .collect();
    assert_eq!(
        nodes,
        [
            (("SNS", "AWS::SNS"), false, false, (2, 0, 2, 125)),
            ((TABLE, "AWS::DynamoDB::Table"), false, false, (2, 0, 2, 120)),
            ((SAMPLE, "AWS::EC2::Instance"), true, true, (3, 1, 4, 273)),
            ((SAMPLE, "client"), false, false, (0, 0, 0, 0)),
        ]
    );
    let edges: Vec<_> = map
        .edges
        .iter()
        .map(|edge| {
            let times: Vec<_> = edge.traffic.statistics.times.entries().collect();
            (edge.from_idx, edge.to_idx, edge.traffic.statistics.count(), times)
        })
        .collect();
    assert_eq!(
        edges,
        [
            (2, 0, 2, vec![(0.049, 1), (0.076, 1)]),
            (2, 1, 2, vec![(0.044, 1), (0.076, 1)]),
            (3, 2, 4, vec![(0.005, 1), (0.015, 1), (0.096, 1), (0.157, 1)]),
        ]
    );
    let entity = Entity::Service(crate::languages::xray::Selector {
        name: Some(SAMPLE.to_owned()),
        ..crate::languages::xray::Selector::default()
    });
    let series = series(
        &bed.context,
        &bed.events,
        ENVIRONMENT,
        (time, 10 * SECOND_NS),
        vec![entity],
        (Filter::default(), None),
    );
    let series: Vec<_> = series
        .await
        .unwrap()
        .into_iter()
        .map(|(start_ns, numbers)| ((start_ns - BEGIN_NS) / SECOND_NS, numbers.count(), numbers.error_count))
        .collect();
    assert_eq!(series, [(0, 1, 0), (10, 2, 1), (20, 1, 0)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rows_say_is_decided_by_the_engine() {
    let bed = bed().await;
    let mut rows = sample();
    for row in rows.iter_mut().filter(|row| row.wrote == Wrote::Segment) {
        (row.status, row.url) = (Some(200), Some("http://a/x"));
        row.tier = Some(if row.trace == 3 { "gold" } else { "tin" });
    }
    bed.write(&rows).await;
    bed.store.merge_all(true).await.unwrap();
    let time = TimeRange::new(BEGIN_NS, BEGIN_NS + 600 * SECOND_NS);
    for (text, found, undecided) in [
        ("ok", 3, 0),
        ("!ok", 1, 0),
        ("error AND !fault AND !throttle", 1, 0),
        ("duration > 0.05 AND duration < 0.1", 1, 0),
        ("responsetime < 0.01 OR responsetime > 0.15", 2, 0),
        (r#"http.status = 200 AND http.url BEGINSWITH "http" AND ok"#, 3, 0),
        (r#"annotation.tier = "gold" AND !error"#, 1, 0),
        (r#"annotation.tier != "gold""#, 3, 0),
        (r#"service(id(name: "xray-sample.elasticbeanstalk.com", type: "AWS::EC2::Instance"))"#, 4, 0),
        (r#"!service("nobody")"#, 4, 0),
        (r#"service("xray-sample.elasticbeanstalk.com") { responsetime > 0.05 } AND ok"#, 2, 0),
        (r#"service("SNS")"#, 2, 0),
        (r#"!service(id(type: "AWS::DynamoDB::Table")) { responsetime > 0.05 }"#, 3, 0),
        // Who called is a matter of the trace's shape.
        ("edge(id(), id()) { responsetime > 0.07 }", 2, 2),
    ] {
        let filter = Filter { expression: Some(parse(text).unwrap()), ..Filter::default() };
        let question = Find { time, by: RangeBy::TraceId, filter, share: 1.0, after: None, limit: 10 };
        let page = find(&bed.context, &bed.events, ENVIRONMENT, &question, None).await.unwrap();
        assert_eq!((page.traces.len(), page.undecided), (found, undecided), "{text}");
    }
    // A span that was delivered twice, running and finished, is for the evaluator.
    let mut running = row(1, 1, 0, Wrote::Segment, 0);
    running.flags = RowFlags::IN_PROGRESS;
    bed.write(&[running]).await;
    for (text, found) in [("ok", 3), ("partial", 0), ("responsetime < 0.01", 1)] {
        let filter = Filter { expression: Some(parse(text).unwrap()), ..Filter::default() };
        let question = Find { time, by: RangeBy::TraceId, filter, share: 1.0, after: None, limit: 10 };
        let page = find(&bed.context, &bed.events, ENVIRONMENT, &question, None).await.unwrap();
        assert_eq!((page.traces.len(), page.undecided), (found, 1), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_map_of_a_group_by_root_causes_is_that_of_the_traces_that_have_them() {
    let bed = bed().await;
    let mut rows = sample();
    rows.iter_mut().find(|row| row.node == Some(("SNS", "AWS::SNS"))).unwrap().flags = RowFlags::FAULT;
    bed.write(&rows).await;
    let time = TimeRange::new(BEGIN_NS, BEGIN_NS + 600 * SECOND_NS);
    let causes = Causes(rows.clone());
    for (text, requests) in [
        (r#"rootcause.fault.exception { message = "boom 3" }"#, 1),
        (r#"rootcause.error.exception { message = "boom 1" }"#, 1),
        (r#"!rootcause.fault.exception { message = "boom 3" }"#, 3),
        (r#"rootcause.fault.exception { message = "boom 4" }"#, 0),
    ] {
        let filter = Filter { expression: Some(parse(text).unwrap()), ..Filter::default() };
        let of_map = service_map(
            &bed.context,
            &bed.events,
            ENVIRONMENT,
            time,
            filter.clone(),
            Some(&causes),
            &bed.kept,
        )
        .await
        .unwrap();
        let clients = of_map.edges.iter().filter(|edge| of_map.nodes[edge.from_idx].is_client);
        let of_map: u64 = clients.map(|edge| edge.traffic.statistics.count()).sum();
        let of_series = series(
            &bed.context,
            &bed.events,
            ENVIRONMENT,
            (time, 60 * SECOND_NS),
            vec![Entity::Entries],
            (filter, Some(&causes)),
        );
        let of_series: u64 = of_series.await.unwrap().values().map(Statistics::count).sum();
        assert_eq!((of_map, of_series), (requests, requests), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_is_the_same_traces_each_time() {
    let bed = bed().await;
    bed.write(&sample()).await;
    let time = TimeRange::new(BEGIN_NS, BEGIN_NS + 600 * SECOND_NS);
    let question =
        |share| Find { time, by: RangeBy::TraceId, filter: Filter::default(), share, after: None, limit: 10 };
    let half = bed.find(&question(0.5)).await;
    assert_eq!(half, bed.find(&question(0.5)).await);
    let all = bed.find(&question(1.0)).await;
    assert_eq!((all.len(), bed.find(&question(0.0)).await.len()), (4, 0));
    assert!(half.iter().all(|found| all.contains(found)) && half.len() < 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_between_traces_is_an_edge_with_the_age_of_the_message() {
    let bed = bed().await;
    let mut send = row(1, 1, 0, Wrote::Span(2), 100);
    send.service = "web";
    let mut left = row(1, 2, 1, Wrote::Span(4), 10);
    (left.service, left.node) = ("web", Some(("jobs", "")));
    let mut taken = row(2, 3, 0, Wrote::Span(5), 50);
    taken.service = "worker";
    bed.write(&[send, left, taken.clone()]).await;
    let mut builder = BatchBuilder::new(Signal::Span, 77);
    builder.begin_row(BEGIN_NS + taken.start_ms * 1_000_000, "worker");
    builder.int(Fixed::Kind, 2);
    builder.id(Fixed::TraceId, &[2; 16]);
    builder.id(Fixed::ParentId, &[3; 8]);
    builder.id(Fixed::LinkTraceId, &[1; 16]);
    builder.id(Fixed::LinkSpanId, &[2; 8]);
    bed.store.accept(ENVIRONMENT, vec![builder.finish().unwrap()]).await.unwrap();
    let time = TimeRange::new(BEGIN_NS, BEGIN_NS + 600 * SECOND_NS);
    for is_merged in [false, true] {
        if is_merged {
            bed.store.merge_all(true).await.unwrap();
        }
        let of_range =
            service_map(&bed.context, &bed.events, ENVIRONMENT, time, Filter::default(), None, &bed.kept)
                .await
                .unwrap();
        let of_trace =
            trace_map(&bed.context, &bed.events, ENVIRONMENT, &[TraceId([1; 16]), TraceId([2; 16])], time)
                .await;
        for map in [of_range, of_trace.unwrap()] {
            let links: Vec<_> = map
                .edges
                .iter()
                .filter(|edge| edge.is_link)
                .map(|edge| {
                    let name = |idx: usize| map.nodes[idx].node.name.as_str();
                    let ages: Vec<_> = edge.ages.entries().collect();
                    (name(edge.from_idx), name(edge.to_idx), edge.traffic.statistics.count(), ages)
                })
                .collect();
            assert_eq!(links, [("jobs", "worker", 1, vec![(4.99, 1)])]);
        }
    }
}
