//! The plan against the evaluator: random events, queries put together at random, and the same answer from both, before
//! and after events are merged.

use std::collections::HashMap;
use std::sync::Arc;

use proptest::prelude::*;
use tracery_columnar::{BatchBuilder, Fixed, Sink as _};
use tracery_model::{EnvironmentId, Origin, Signal, TimeRange, Value as Stored};

use super::{Answer, Group, Place, Pointer, Question, run};
use crate::languages::insights::evaluate::{self, Record};
use crate::languages::insights::parse;
use crate::languages::insights::value::Value;
use crate::test_store::{TestStore, test_store};

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "100000000001";
const BEGIN_MS: i64 = 1_795_402_800_000;

#[derive(Clone, Debug)]
struct Event {
    group: &'static str,
    stream: &'static str,
    at_ms: i64,
    message: String,
    level: Option<&'static str>,
    status: Option<i64>,
    took: Option<f64>,
    ok: Option<bool>,
    /// Of several types.
    code: Option<Result<i64, &'static str>>,
}

fn event() -> impl Strategy<Value = Event> {
    let message = prop_oneof![
        (0..9_u8, 0..300_u32).prop_map(|(user, ms)| format!("GET /a?user=u{user} took={ms} ms")),
        (0..5_u8).prop_map(|user| format!("[ERROR] user=u{user}, id={user}7 failed")),
        Just("plain text".to_owned()),
        Just(String::new()),
    ];
    let code =
        prop_oneof![(0..4_i64).prop_map(Ok), prop::sample::select(vec!["7", "x9", "ab"]).prop_map(Err)];
    (
        prop::sample::select(vec!["one", "two"]),
        prop::sample::select(vec!["s1", "s2", "s3"]),
        0..900_i64,
        message,
        prop::option::of(prop::sample::select(vec!["INFO", "WARN", "error", "5"])),
        prop::option::of(prop::sample::select(vec![200_i64, 201, 404, 500])),
        prop::option::of(prop::sample::select(vec![0.5_f64, 1.0, 2.25, -3.0, 1e3])),
        prop::option::of(any::<bool>()),
        prop::option::of(code),
    )
        .prop_map(|(group, stream, at_s, message, level, status, took, ok, code)| Event {
            group,
            stream,
            at_ms: BEGIN_MS + at_s * 1_000,
            message,
            level,
            status,
            took,
            ok,
            code,
        })
}

struct Bed(TestStore);

async fn bed() -> Bed {
    Bed(test_store().await)
}

impl std::ops::Deref for Bed {
    type Target = TestStore;

    fn deref(&self) -> &TestStore {
        &self.0
    }
}

/// When the request with these events came in.
fn received_ns(request: usize) -> i64 {
    BEGIN_MS * 1_000_000 + request as i64
}

impl Bed {
    async fn write(&self, request: usize, region: &str, events: &[Event]) {
        let mut builder = BatchBuilder::new(Signal::Log, received_ns(request));
        for (ordinal, event) in events.iter().enumerate() {
            builder.begin_resource();
            let mut shared = |key, value| builder.shared_attribute(Origin::Resource, key, Stored::Str(value));
            shared("aws.log.group.name", event.group);
            shared("aws.log.stream.name", event.stream);
            shared("cloud.region", region);
            builder.begin_scope();
            builder.begin_row(event.at_ms * 1_000_000, event.group);
            builder.int(Fixed::Source, 3);
            builder.int(Fixed::Ordinal, ordinal as i64);
            builder.whole_text(Fixed::Body, &event.message);
            let mut own = |key, value| builder.attribute(Origin::Own, key, value);
            event.level.into_iter().for_each(|level| own("level", Stored::Str(level)));
            event.status.into_iter().for_each(|status| own("http.status", Stored::Int(status)));
            event.took.into_iter().for_each(|took| own("took", Stored::Float(took)));
            event.ok.into_iter().for_each(|ok| own("ok", Stored::Bool(ok)));
            match event.code {
                Some(Ok(code)) => own("code", Stored::Int(code)),
                Some(Err(code)) => own("code", Stored::Str(code)),
                None => {}
            }
        }
        if let Some(batch) = builder.finish() {
            self.store.accept(ENVIRONMENT, vec![batch]).await.unwrap();
        }
    }

    async fn ask(&self, question: &Question) -> Answer {
        run(&self.context, &self.events, question, &|_| {}).await.unwrap()
    }
}

fn group(name: &str) -> Group {
    Group { name: name.to_owned(), received_from_ns: 0, oldest_ns: i64::MIN, gone: Arc::default() }
}

fn question(text: &str) -> Question {
    Question {
        environment: ENVIRONMENT,
        region: REGION.to_owned(),
        account_id: ACCOUNT.to_owned(),
        groups: vec![group("one"), group("two")],
        time: TimeRange::new(BEGIN_MS * 1_000_000, (BEGIN_MS + 1_000_000) * 1_000_000),
        query: parse(text).unwrap_or_else(|error| panic!("{text}: {error}")),
        limit: None,
        bytes_max: 64 << 20,
        now_ns: BEGIN_MS * 1_000_000,
    }
}

/// The same event as the evaluator has it.
fn record(request: usize, ordinal: usize, event: &Event) -> Record {
    let mut fields = std::collections::BTreeMap::new();
    let mut set = |name: &str, value| fields.insert(name.to_owned(), value);
    set("@timestamp", Value::Time(event.at_ms));
    set("@ingestionTime", Value::Time(received_ns(request).div_euclid(1_000_000)));
    set("@message", Value::text(event.message.as_str()));
    set("@logStream", Value::text(event.stream));
    set("@log", Value::Text(format!("{ACCOUNT}:{}", event.group)));
    event.level.into_iter().for_each(|level| drop(set("level", Value::text(level))));
    event.status.into_iter().for_each(|status| drop(set("http.status", Value::Number(status as f64))));
    event.took.into_iter().for_each(|took| drop(set("took", Value::Number(took))));
    event.ok.into_iter().for_each(|ok| drop(set("ok", Value::text(if ok { "true" } else { "false" }))));
    // Values of several types are texts in the store.
    match event.code {
        Some(Ok(code)) => drop(set("code", Value::text(code.to_string()))),
        Some(Err(code)) => drop(set("code", Value::text(code))),
        None => {}
    }
    Record { fields, position: (event.at_ms * 1_000_000, received_ns(request), ordinal as i64) }
}

const CONDITIONS: &[&str] = &[
    "http.status = 404",
    "http.status != 404",
    "404 <= http.status",
    "http.status = \"200\"",
    "http.status in [200, 500]",
    "http.status not in [200, 500]",
    "not (http.status > 300)",
    "http.status > 300 or level = \"INFO\"",
    "took < 1 and ok = true",
    "took * 2 > 1",
    "took / 0 > 1",
    "level = \"5\"",
    "level = 5",
    "level != \"INFO\"",
    "level < \"J\"",
    "level in [\"INFO\", \"WARN\"]",
    "ok != \"true\"",
    "ok = false",
    "code = 7",
    "code > 1",
    "code = \"ab\"",
    "code like \"9\"",
    "@message like \"user=u1\"",
    "@message not like \"user\"",
    "@message like /(?i)error.*u[0-3]/",
    "@message =~ /took=\\d{3}/",
    "@message not like /user/",
    "level not like /I/",
    "ispresent(took)",
    "not ispresent(took)",
    "isempty(@message)",
    "strcontains(@message, \"took\")",
    "strlen(@message) > 15",
    "toupper(level) = \"ERROR\"",
    "@logStream = \"s1\"",
    "@log like \"two\"",
    "@timestamp >= 1795402900000",
    "@timestamp < 1795402900000 and @logStream != \"s2\"",
    "missing = 1",
    "missing != 1",
    "http.status % 2 = 0",
    "coalesce(took, http.status) > 100",
    "abs(took) = 3",
];

const MIDDLES: &[&str] = &[
    "fields @message, http.status as s, took",
    "fields took + 1 as t, concat(level, \"-\", @logStream) as c",
    "fields @timestamp, bin(5m) as b, http.status >= 400 as bad",
    "parse @message \"user=*,\" as user",
    "parse \"user=u* took=* ms\" as user, ms",
    "parse @message /user=(?<user>\\w+)/",
    "parse @message /id=(\\d+)/ as id",
    "parse logfmt as m | fields m.took as took, m.user as user",
    "parse @message csv as first, second",
    "fields greatest(took, 1) as g, substr(@message, 2, 4) as part",
    "fields level as l | filter l = \"INFO\" or took > 0",
    "parse @message /took=(?<ms>\\d+)/ | filter ms > 100",
    "dedup level",
    "dedup level, ok",
    "fields jsonParse(concat(\"[\", took, \",{\\\"k\\\":\\\"\", level, \"\\\"}]\")) as l, l[0] + 1 as n, l[1].k as k",
    "fields bin(1mo) as m, datefloor(@timestamp, 1q) as q, md5(level) as h",
];

const ENDS: &[&str] = &[
    "fields @timestamp, @message | sort @timestamp desc | limit 7",
    "sort http.status desc, level | limit 9",
    "sort level | display level, code",
    "sort code desc",
    "sort took asc | fields took, ok",
    "limit 5",
    "display @log, @logStream, @ingestionTime",
    "stats count(*)",
    "stats count(*) as n by level | sort n desc, level",
    "stats count(took), sum(took), avg(http.status), min(took), max(code) by bin(1m)",
    "stats count_distinct(level), count_distinct(code) by @logStream",
    "stats pct(took, 50), pct(http.status, 95), stddev(took) by ok",
    "stats earliest(level), latest(took) by @log",
    "stats sortsFirst(code), sortsLast(level) by http.status",
    "stats count(*) as n by bin(30s) as b | stats max(n), sum(n)",
    "stats count(*) as n by level, http.status | filter n > 1 | sort n, level, http.status | limit 3",
    "stats sum(strcontains(@message, \"ERROR\")) as errors, max(@timestamp) by bin(5m)",
    "stats avg(took) as a by level | fields a * 2 as twice | sort a",
    "stats sum(took) / count(*) as mean, max(took) - min(took) as reach by level",
    "stats pct(took, 50) * 2, greatest(max(took), 1) by ok",
    "stats count(*) + count(took) as n, count(*) by bin(1mo) | stats sum(n) / max(n)",
    "pattern @message",
    "pattern toupper(@message) | filter @sampleCount > 1 | fields @pattern, @ratio * 100 as percent",
    "pattern level | stats sum(@sampleCount) as n by @severityLabel",
    "fields split(@message, \" \") as words | unnest words into word | stats count(*) as n by word",
    "stats count_distinct(level) ^ 2, concat(latest(level), \"-\", earliest(level)) by @log",
];

fn query() -> impl Strategy<Value = String> {
    let condition = prop::sample::select(CONDITIONS.to_vec()).prop_map(|text| format!("filter {text}"));
    let middle = prop::sample::select(MIDDLES.to_vec()).prop_map(str::to_owned);
    let end = prop::sample::select(ENDS.to_vec()).prop_map(str::to_owned);
    let steps = prop::collection::vec(prop_oneof![condition, middle], 0..3);
    (steps, end)
        .prop_map(|(mut steps, end)| {
            // Only limit may follow dedup.
            match steps.iter().position(|step| step.starts_with("dedup")) {
                Some(idx) => {
                    steps.truncate(idx + 1);
                    steps.push("limit 20".to_owned());
                }
                None => steps.push(end),
            }
            steps.join(" | ")
        })
        .prop_filter("not every combination is a query", |text| parse(text).is_ok())
}

/// Sums depend on the order in which their parts are added.
fn rounded((columns, mut rows): evaluate::Printed, is_sorted: bool) -> evaluate::Printed {
    for cell in rows.iter_mut().flatten().flatten() {
        if cell.contains('.')
            && let Ok(number) = cell.parse::<f64>()
        {
            *cell = format!("{number:.9}");
        }
    }
    if !is_sorted {
        rows.sort();
    }
    (columns, rows)
}

fn printed(answer: &Answer) -> evaluate::Printed {
    let is_raw = answer.columns.last().is_some_and(|name| &**name == "@ptr");
    let width = answer.columns.len() - usize::from(is_raw);
    let columns = answer.columns[..width].iter().map(|name| name.to_string()).collect();
    let cells = |row: &Vec<Option<Box<str>>>| {
        row[..width].iter().map(|cell| cell.as_ref().map(|cell| cell.to_string())).collect()
    };
    (columns, answer.rows.iter().map(cells).collect())
}

#[test]
fn the_plan_answers_as_the_evaluator() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_stack_size(crate::STACK_BYTES)
        .enable_all()
        .build()
        .unwrap();
    let cases = prop::collection::vec(prop::collection::vec(event(), 0..25), 1..4);
    let strategy = (cases, prop::collection::vec(query(), 12));
    let config = ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |((requests, queries) in strategy)| {
        runtime.block_on(async {
            let bed = bed().await;
            let mut records = Vec::new();
            for (request, events) in requests.iter().enumerate() {
                bed.write(request, REGION, events).await;
                let these = events.iter().enumerate();
                records.extend(these.map(|(ordinal, event)| record(request, ordinal, event)));
            }
            bed.write(9, "us-east-1", &requests[0]).await;
            for merged in [false, true] {
                if merged {
                    bed.store.merge_all(true).await.unwrap();
                }
                for text in &queries {
                    let question = question(text);
                    let wanted = evaluate::run(&question.query, records.clone(), 10_000, BEGIN_MS / 1_000);
                    let answer = bed.ask(&question).await;
                    // Rows that sort alike come in any order; where there are no more than the limit, all must be there.
                    let found = rounded(printed(&answer), false);
                    assert_eq!(found, rounded(wanted, false), "{text} (merged: {merged})");
                }
            }
        });
    });
}

fn plain(at_s: i64, stream: &'static str, message: &str) -> Event {
    Event {
        group: "one",
        stream,
        at_ms: BEGIN_MS + at_s * 1_000,
        message: message.to_owned(),
        level: None,
        status: None,
        took: None,
        ok: None,
        code: None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_may_be_read_is_read() {
    let bed = bed().await;
    bed.write(0, REGION, &[plain(1, "s1", "old group"), plain(2, "s2", "old stream")]).await;
    bed.write(1, REGION, &[plain(3, "s1", "kept"), plain(4, "s2", "gone"), plain(5, "s1", "late")]).await;
    bed.write(2, REGION, &[plain(6, "s2", "new stream")]).await;
    bed.write(3, "us-east-1", &[plain(7, "s1", "elsewhere")]).await;
    let mut question = question("fields @message | sort @timestamp");
    question.groups = vec![Group {
        received_from_ns: received_ns(1),
        oldest_ns: (BEGIN_MS + 3_000) * 1_000_000,
        gone: Arc::new(HashMap::from([("s2".to_owned(), received_ns(1))])),
        ..group("one")
    }];
    let answer = bed.ask(&question).await;
    let messages: Vec<String> = printed(&answer).1.into_iter().map(|row| row[0].clone().unwrap()).collect();
    assert_eq!(messages, ["kept", "late", "new stream"]);
    assert_eq!(answer.records_matched, 3);

    let pointer = answer.rows[1].last().unwrap().as_ref().unwrap();
    let pointer = Pointer::parse(pointer).unwrap();
    let at_ns = pointer.time_ms * 1_000_000;
    let place = Place {
        environment: ENVIRONMENT,
        region: REGION.to_owned(),
        account_id: ACCOUNT.to_owned(),
        groups: question.groups.clone(),
        time: TimeRange::new(at_ns, at_ns + 1_000_000),
    };
    let record = super::record(&bed.context, &bed.events, &place, &pointer).await.unwrap().unwrap();
    assert_eq!((record["@message"].as_str(), record["@log"].as_str()), ("late", "100000000001:one"));
    let place = Place { time: TimeRange::ALL, ..place };
    let shares = super::field_shares(&bed.context, &bed.events, &place).await.unwrap();
    assert!(shares.contains(&("@message".to_owned(), 100)), "{shares:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_bounded_and_the_newest_rows_are_a_top_k() {
    let bed = bed().await;
    let events: Vec<Event> =
        (0..900).map(|at_s| plain(at_s, "s1", "some words that are long enough")).collect();
    bed.write(0, REGION, &events).await;
    let mut asked = question("fields @message");
    asked.bytes_max = 10_000;
    let failed = run(&bed.context, &bed.events, &asked, &|_| {}).await;
    assert!(matches!(failed, Err(crate::QueryError::Limit(_))), "{failed:?}");

    let asked = question("fields @timestamp, @message | sort @timestamp desc | limit 20");
    let place = Place {
        environment: ENVIRONMENT,
        region: REGION.to_owned(),
        account_id: ACCOUNT.to_owned(),
        groups: vec![group("one")],
        time: asked.time,
    };
    let shared = Arc::default();
    let planned =
        super::pipeline::plan(&bed.context, &bed.events, &place, &asked.query, None, &shared).await.unwrap();
    let physical = planned.frame.create_physical_plan().await.unwrap();
    let text = datafusion::physical_plan::displayable(physical.as_ref()).indent(true).to_string();
    assert!(text.contains("TopK(fetch=20)"), "{text}");
    let answer = bed.ask(&asked).await;
    assert_eq!((answer.rows.len(), answer.records_matched), (20, 900));
    bed.store.merge_all(true).await.unwrap();
    let asked = question("filter @message like 'long' | sort @timestamp desc | limit 20");
    let answer = bed.ask(&asked).await;
    assert_eq!((answer.rows.len(), answer.records_matched), (20, 900));
}

/// The rows of an answer, each value after its column.
fn rows(answer: &Answer) -> Vec<String> {
    let (columns, rows) = printed(answer);
    let shown = |row: Vec<Option<String>>| {
        let cells = columns.iter().zip(row).filter_map(|(name, cell)| Some(format!("{name}={}", cell?)));
        cells.collect::<Vec<_>>().join(" ")
    };
    rows.into_iter().map(shown).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_give_the_rows_that_they_ask_for() {
    let bed = bed().await;
    let with = |at_s, level, took, message: &str| Event { level, took, ..plain(at_s, "s1", message) };
    let events = [
        with(1, Some("INFO"), Some(2.0), r#"{"user":{"id":"u1","a.b":7},"tags":["x","y"]}"#),
        with(2, Some("INFO"), Some(4.0), r#"{"user":{"id":"u2"},"tags":[]}"#),
        with(3, Some("WARN"), Some(9.0), "no JSON"),
    ];
    bed.write(0, REGION, &events).await;
    for (text, expected) in [
        ("stats sum(took) / count(*) as x by level", vec!["level=INFO x=3", "level=WARN x=9"]),
        ("stats max(took) - min(took), count(*) * 10 as n", vec!["max(took) - min(took)=7 n=30"]),
        ("stats sum(took) / count(missing) as x, count(*) as n", vec!["n=3"]),
        ("stats round(avg(took)) as x | fields x + 1 as y", vec!["x=5 y=6"]),
        ("stats countOverTime(level) as n, sumOverTime(took) as s", vec!["n=3 s=15"]),
        ("stats count(*) as n by bin(1mo)", vec!["bin(1mo)=2026-11-01 00:00:00.000 n=3"]),
        ("stats count(*) as n by bin(1y) as y", vec!["y=2026-01-01 00:00:00.000 n=3"]),
        (
            "fields jsonParse(@message) as m | sort @timestamp | display m.user.id, m.user.a.b, m.tags[1]",
            vec!["m.user.id=u1 m.user.a.b=7 m.tags[1]=y", "m.user.id=u2", ""],
        ),
        (
            "fields jsonParse(@message) as m | filter m.tags[0] = 'x' | display m.user.`a.b`",
            vec!["m.user.a.b=7"],
        ),
        (
            "fields jsonParse(@message) as m | fields m.tags as t | filter ispresent(t[0]) | display t, t[0]",
            vec![r#"t=["x","y"] t[0]=x"#],
        ),
        ("fields jsonParse(@message) as m | display took | dedup m.none.at | limit 1", vec!["took=9"]),
        (
            "fields jsonParse(@message) as m | stats count(*) as n by m.user.id as u | filter ispresent(u)",
            vec!["u=u1 n=1", "u=u2 n=1"],
        ),
        (
            "fields queryStartTime() as s, queryEndTime() - s as d, queryTimeRange() as r | limit 1 | display s, d, r",
            vec!["s=1795402800000 d=999000 r=999000"],
        ),
        ("fields jsonParse(@message) as m | filter 'x' in m.tags | display took", vec!["took=2"]),
        (
            "fields jsonParse(@message) as m | filter 'x' not in m.tags | sort took | display took",
            vec!["took=4", "took=9"],
        ),
        (
            "fields concat('user=u', took, ' msg=\"a b\" ok') as line | parse line logfmt as m | display m.user, m.msg, m.ok | limit 1",
            vec!["m.user=u9 m.msg=a b m.ok=true"],
        ),
        (
            "fields 'x' as csv, concat(level, ',\"', took, ',5\"') as line | parse line csv as a, b, c | display a, b, c | limit 1",
            vec!["a=WARN b=9,5"],
        ),
        ("fields concat('k:', level) as csv | parse csv 'k:*' as k | display k | limit 1", vec!["k=WARN"]),
        (
            "filter level = 'INFO' | pattern @message",
            vec![
                concat!(
                    r#"@pattern={"user":{"id":"<Token-1>","a.b":<Number-2>},"tags":["x","y"]} "#,
                    "@ratio=0.5 @sampleCount=1"
                ),
                r#"@pattern={"user":{"id":"<Token-1>"},"tags":[]} @ratio=0.5 @sampleCount=1"#,
            ],
        ),
        (
            "pattern concat(level, ' took ', took) | sort @pattern desc",
            vec![
                "@pattern=WARN took <Number-1> @ratio=0.3333333333333333 @sampleCount=1 @severityLabel=Warning",
                "@pattern=INFO took <Number-1> @ratio=0.6666666666666666 @sampleCount=2 @severityLabel=Info",
            ],
        ),
        (
            "fields jsonParse(@message) as m | unnest m.tags into tag | sort tag desc | display tag, took",
            vec!["tag=y took=2", "tag=x took=2"],
        ),
        (
            "fields jsonParse('[{\"a\":1},{\"a\":2}]') as l, took | unnest l into o | stats sum(o.a * took) as s",
            vec!["s=45"],
        ),
    ] {
        assert_eq!(rows(&bed.ask(&question(text)).await), expected, "{text}");
    }
}

#[test]
fn what_stats_cannot_compute_is_refused() {
    for text in [
        "stats took",
        "stats 1",
        "stats took / count(*)",
        "stats sum(sum(took))",
        "stats abs(took)",
        "stats rate(took, 1m)",
        "stats histogram(took, 3)",
        "fields count(*)",
        "filter count(*) > 1",
        "stats count(*) by count(took)",
        "fields parseDate(level, 'yyyy-QQ')",
        "fields bin(5m) offset 1mo",
        "fields m[x]",
        "unnest m.tags",
        "pattern",
        "pattern @message | diff",
    ] {
        assert!(parse(text).is_err(), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_taken_apart_within_a_bound_and_patterns_of_nothing_are_none() {
    let bed = bed().await;
    let list = serde_json::Value::from(vec![0; 20_000]).to_string();
    let events: Vec<Event> = (0..80).map(|at_s| plain(at_s, "s1", &list)).collect();
    bed.write(0, REGION, &events).await;
    let asked = question("fields jsonParse(@message) as l | unnest l into one | stats count(*) as n");
    let failed = run(&bed.context, &bed.events, &asked, &|_| {}).await;
    assert!(matches!(failed, Err(crate::QueryError::Limit(_))), "{failed:?}");
    let first = question(
        "filter @timestamp < 1795402802000 | fields jsonParse(@message) as l | unnest l into one | stats count(*) as n",
    );
    assert_eq!(rows(&bed.ask(&first).await), ["n=40000"]);

    let answer = bed.ask(&question("filter missing = 1 | pattern @message")).await;
    assert_eq!((answer.rows.len(), answer.records_matched), (0, 0));
    assert_eq!(printed(&answer).0, ["@pattern", "@ratio", "@sampleCount", "@severityLabel"]);
    let answer = bed.ask(&question("pattern @message | stats sum(@sampleCount) as n")).await;
    assert_eq!((rows(&answer), answer.records_matched), (vec!["n=80".to_owned()], 80));
}
