//! The tracker against SQLite, and against PostgreSQL when `TRACERY_TEST_POSTGRES_URL` names a database that may be written
//! to (each run makes projects of its own, so a used database will do).

use std::sync::Arc;

use tracery_errors::{Grouping, Level, Occurrence, Person, Rules, Source, Summary, group, payload};
use tracery_model::EnvironmentId;
use tracery_stdx::{Clock, ManualClock, SystemClock};
use tracery_testkit::{RecordingSink, TestDatabase};
use tracery_tracker::{
    Delivery, Deploy, DeployStatus, Item, ItemFilter, ItemUpdate, Notice, NotificationRule, Order, Search,
    Status, Taken, Tracker, TrackerError, VersionEvent,
};

struct Bench {
    tracker: Tracker,
    /// The same database as another process sees it.
    other: Tracker,
    clock: Arc<ManualClock>,
    project_id: i64,
    _database: TestDatabase,
}

async fn benches() -> Vec<Bench> {
    let mut benches = Vec::new();
    for database in TestDatabase::every() {
        let now_ns = SystemClock.now_ns();
        let clock = Arc::new(ManualClock::at_ns(now_ns));
        let tracker = Tracker::open(&database.url, clock.clone()).await.unwrap();
        let project_id = tracker.first_project(EnvironmentId(now_ns), "shop").await.unwrap().id;
        let other = Tracker::open(&database.url, clock.clone()).await.unwrap();
        benches.push(Bench { tracker, other, clock, project_id, _database: database });
    }
    benches
}

impl Bench {
    fn now_s(&self) -> i64 {
        self.clock.now_ms() / 1_000
    }

    async fn summary(&self, fingerprint: &str) -> Summary {
        let occurrence_id = self.tracker.occurrence_ids(1).await.unwrap()[0];
        Summary {
            occurrence_id,
            project_id: self.project_id,
            uuid: format!("u{occurrence_id}"),
            source: Source::Rollbar,
            received_s: self.now_s(),
            environment: "production".into(),
            fingerprint: fingerprint.into(),
            title: format!("KeyError: '{fingerprint}'"),
            grouping: "{}".into(),
            old_fingerprint: None,
            level: Level::Error,
            platform: None,
            framework: Some("flask".into()),
            code_version: None,
            context: None,
            host: None,
            user_ip: None,
            person: None,
            trace_id: None,
            identity: None,
            shape: None,
            is_repeated: false,
        }
    }

    async fn arrives(&self, fingerprint: &str, change: impl FnOnce(&mut Summary)) -> i64 {
        let mut summary = self.summary(fingerprint).await;
        change(&mut summary);
        let id = summary.occurrence_id;
        self.tracker.note(vec![summary]).await.unwrap();
        self.tracker.settle().await.unwrap();
        id
    }

    async fn item(&self, fingerprint: &str) -> Item {
        let id = self.tracker.item_of(self.project_id, "production", fingerprint).await.unwrap().unwrap();
        self.tracker.item(id).await.unwrap().unwrap()
    }

    async fn history(&self, item: &Item) -> Vec<String> {
        self.tracker.changes(item.id).await.unwrap().into_iter().map(|change| change.kind).rev().collect()
    }

    fn filter(&self) -> ItemFilter {
        ItemFilter { projects: vec![self.project_id], ..ItemFilter::default() }
    }
}

#[tokio::test]
async fn occurrences_become_items_and_are_counted_once() {
    for bench in benches().await {
        let Bench { tracker, project_id, .. } = &bench;
        let first = bench.arrives("a", |one| one.user_ip = Some("10.0.0.1".into())).await;
        bench.clock.advance_ns(7_200_000_000_000);
        let mut batch = Vec::new();
        for fingerprint in ["a", "b", "a"] {
            batch.push(Summary { user_ip: Some("10.0.0.2".into()), ..bench.summary(fingerprint).await });
        }
        let last = batch[2].occurrence_id;
        tracker.note(batch).await.unwrap();
        // Both processes look; each occurrence counts once.
        let counts = tokio::join!(tracker.settle(), bench.other.settle());
        assert!(counts.0.is_ok() && counts.1.is_ok());
        let (a, b) = (bench.item("a").await, bench.item("b").await);
        assert_eq!((a.counter, a.total, a.unique_ips, b.counter, b.total), (1, 3, 2, 2, 1));
        assert_eq!(
            (a.first_occurrence_id, a.last_occurrence_id, a.title.as_str()),
            (first, last, "KeyError: 'a'")
        );
        assert_eq!((a.last_s - a.first_s, a.status, a.framework.as_str()), (7_200, Status::Active, "flask"));
        assert_eq!(
            tracker.hours(a.id, 0).await.unwrap().iter().map(|(_, count)| *count).collect::<Vec<_>>(),
            [1, 2]
        );
        // Tests that share a database settle for each other, so what this one returns says nothing of these.
        tracker.settle().await.unwrap();
        assert_eq!(bench.item("a").await.total, 3, "nothing is counted again");
        assert!(tracker.is_known(*project_id, &format!("u{first}")).await.unwrap());
        assert!(!tracker.is_known(*project_id, "nobody").await.unwrap());
        assert_eq!(tracker.item_by_counter(*project_id, 2).await.unwrap().unwrap().id, b.id);
        // Another environment is another item.
        bench.arrives("a", |one| one.environment = "staging".into()).await;
        assert_eq!(bench.item("a").await.total, 3);
    }
}

#[tokio::test]
async fn an_item_goes_through_its_life() {
    for bench in benches().await {
        let tracker = &bench.tracker;
        bench.arrives("a", |one| one.code_version = Some("1.0".into())).await;
        let item = bench.item("a").await;
        let update = |status, version: Option<&str>| ItemUpdate {
            status: Some(status),
            resolved_in_version: version.map(str::to_owned),
            ..ItemUpdate::default()
        };
        tracker.update_item(item.id, &update(Status::Resolved, Some("1.2"))).await.unwrap();
        bench.arrives("a", |one| one.code_version = Some("1.1".into())).await;
        assert_eq!((bench.item("a").await.status, bench.item("a").await.total), (Status::Resolved, 2));
        let activating = bench.arrives("a", |one| one.code_version = Some("1.3".into())).await;
        let back = bench.item("a").await;
        assert_eq!((back.status, back.total, back.activating_occurrence_id), (Status::Active, 1, activating));
        assert_eq!(back.resolved_in_version, None);
        tracker.update_item(item.id, &update(Status::Muted, None)).await.unwrap();
        bench.arrives("a", |_| {}).await;
        assert_eq!((bench.item("a").await.status, bench.item("a").await.total), (Status::Muted, 2));
        tracker.update_item(item.id, &update(Status::Resolved, None)).await.unwrap();
        let change = ItemUpdate {
            status: Some(Status::Active),
            level: Some(Level::Critical),
            title: Some("Cart".into()),
            assigned_user_id: Some(7),
            snoozed: Some(true),
            ..ItemUpdate::default()
        };
        let changed = tracker.update_item(item.id, &change).await.unwrap().unwrap();
        assert_eq!(
            (changed.level, changed.level_lock, changed.title.as_str(), changed.title_lock),
            (Level::Critical, true, "Cart", true)
        );
        assert_eq!((changed.assigned_user_id, changed.snoozed), (7, true));
        assert_eq!(bench.item("a").await, changed);
        assert!(tracker.comment(item.id, 7, "seen").await.unwrap());
        assert!(matches!(tracker.comment(item.id, 7, " ").await, Err(TrackerError::Invalid(_))));
        assert_eq!(
            bench.history(&item).await,
            [
                "new",
                "resolved",
                "reactivated",
                "muted",
                "resolved",
                "reopened",
                "level",
                "title",
                "assigned",
                "snoozed",
                "comment"
            ]
        );
        assert_eq!(tracker.update_item(1, &change).await.unwrap(), None);
        let version = tracker.version(bench.project_id, "production", "1.3").await.unwrap().unwrap();
        let stats = tracker.version_stats(version.id).await.unwrap();
        assert_eq!(
            stats.into_iter().collect::<Vec<_>>(),
            [((VersionEvent::Reactivated, Level::Critical), 1)]
        );
        let fixed = tracker.version(bench.project_id, "production", "1.2").await.unwrap().unwrap();
        let listed = tracker.version_items(fixed.id, VersionEvent::Resolved, &[]).await.unwrap();
        assert_eq!(listed.iter().map(|one| one.item_id).collect::<Vec<_>>(), [item.id]);
    }
}

#[tokio::test]
async fn merging_can_be_undone() {
    for bench in benches().await {
        let tracker = &bench.tracker;
        for fingerprint in ["a", "b", "b"] {
            bench.arrives(fingerprint, |_| {}).await;
        }
        let (a, b) = (bench.item("a").await, bench.item("b").await);
        assert!(matches!(tracker.merge(a.id, &[a.id], 0).await, Err(TrackerError::Invalid(_))));
        let merged = tracker.merge(a.id, &[b.id], 0).await.unwrap().unwrap();
        assert_eq!(
            (merged.total, merged.is_group, merged.last_occurrence_id),
            (3, true, b.last_occurrence_id)
        );
        bench.arrives("b", |_| {}).await;
        assert_eq!((bench.item("b").await.id, bench.item("b").await.total), (a.id, 4));
        assert_eq!(tracker.fingerprints(a.id).await.unwrap(), ["a", "b"]);
        assert_eq!(tracker.items(&bench.filter(), 0, 9).await.unwrap().total, 1, "members are not listed");
        let members = ItemFilter { search: Search::parse("is:member").unwrap(), ..bench.filter() };
        assert_eq!(tracker.items(&members, 0, 9).await.unwrap().items[0].id, b.id);
        let alone = tracker.unmerge(b.id, 0).await.unwrap().unwrap();
        assert_eq!(
            (alone.group_item_id, bench.item("b").await.id, bench.item("a").await.is_group),
            (0, b.id, false)
        );
        assert!(matches!(tracker.unmerge(b.id, 0).await, Err(TrackerError::Invalid(_))));
        assert_eq!(bench.history(&a).await, ["new", "merged", "unmerged"]);
    }
}

#[tokio::test]
async fn a_new_algorithm_finds_the_old_items() {
    for bench in benches().await {
        bench.arrives("old", |_| {}).await;
        let item = bench.item("old").await;
        bench.arrives("new", |one| one.old_fingerprint = Some("old".into())).await;
        bench.arrives("new", |_| {}).await;
        assert_eq!((bench.item("new").await.id, bench.item("new").await.total), (item.id, 3));
        assert_eq!(bench.history(&item).await, ["new"], "nobody is alarmed again");
    }
}

#[tokio::test]
async fn lists_are_filtered_searched_and_ordered() {
    for bench in benches().await {
        let Bench { tracker, .. } = &bench;
        for (number, fingerprint) in ["a", "b", "c%", "a_d"].into_iter().enumerate() {
            bench.clock.advance_ns(1_000_000_000);
            bench
                .arrives(fingerprint, |one| {
                    one.level = if number == 1 { Level::Warning } else { Level::Error };
                    one.code_version = (number == 2).then(|| "9".to_owned());
                    one.user_ip = (number == 0).then(|| "10.0.0.9".to_owned());
                })
                .await;
        }
        bench.clock.advance_ns(1_000_000_000);
        bench.arrives("b", |_| {}).await;
        let b = bench.item("b").await.id;
        tracker
            .update_item(b, &ItemUpdate { assigned_user_id: Some(3), ..ItemUpdate::default() })
            .await
            .unwrap();
        let list = async |filter: ItemFilter| {
            let page = tracker.items(&filter, 0, 100).await.unwrap();
            assert_eq!(page.total, page.items.len() as i64);
            page.items.into_iter().map(|item| item.fingerprint).collect::<Vec<_>>().join(" ")
        };
        let search = |text: &str| ItemFilter { search: Search::parse(text).unwrap(), ..bench.filter() };
        assert_eq!(list(bench.filter()).await, "b a_d c% a");
        assert_eq!(list(ItemFilter { order: Order::FirstSeen, ..bench.filter() }).await, "a_d c% b a");
        assert_eq!(list(ItemFilter { order: Order::Occurrences, ..bench.filter() }).await, "b a_d c% a");
        assert_eq!(list(ItemFilter { levels: vec![Level::Warning], ..bench.filter() }).await, "b");
        assert_eq!(list(ItemFilter { statuses: vec![Status::Resolved], ..bench.filter() }).await, "");
        assert_eq!(list(ItemFilter { environments: vec!["staging".into()], ..bench.filter() }).await, "");
        assert_eq!(
            list(ItemFilter { frameworks: vec!["flask".into()], ..bench.filter() }).await,
            "b a_d c% a"
        );
        assert_eq!(list(ItemFilter { assigned: Some(None), ..bench.filter() }).await, "a_d c% a");
        assert_eq!(list(ItemFilter { is_assigned: true, ..bench.filter() }).await, "b");
        assert_eq!(list(ItemFilter { ids: vec![b], ..bench.filter() }).await, "b");
        for (text, found) in [
            ("keyerror 'A", "a_d a"),
            ("%", "c%"),
            ("_", "a_d"),
            ("!keyerror", ""),
            ("#1", "a"),
            ("!#1", "b a_d c%"),
            ("fingerprint:b", "b"),
            ("code_version:9", "c%"),
            ("ip:10.0.0.9", "a"),
            ("is:group", ""),
            ("has:comments", ""),
        ] {
            assert_eq!(list(search(text)).await, found, "{text}");
        }
        let page = tracker.items(&bench.filter(), 1, 2).await.unwrap();
        assert_eq!((page.total, page.items.len(), page.items[0].fingerprint.as_str()), (4, 2, "a_d"));
        let top = tracker.top_items(bench.project_id, &["production".to_owned()], 0, 2).await.unwrap();
        assert_eq!(
            top.iter().map(|(item, count)| (item.fingerprint.as_str(), *count)).collect::<Vec<_>>()[0].1,
            1
        );
    }
}

#[tokio::test]
async fn people_deploys_rules_and_tokens_are_kept() {
    for bench in benches().await {
        let Bench { tracker, project_id, .. } = &bench;
        let person = |username: Option<&str>| {
            Some(Person { id: "7".into(), username: username.map(str::to_owned), email: Some("a@b".into()) })
        };
        bench.arrives("a", |one| one.person = person(Some("anna"))).await;
        bench.arrives("b", |one| one.person = person(None)).await;
        let people = tracker.people(*project_id, 0, 9).await.unwrap();
        assert_eq!((people.len(), people[0].username.as_str(), people[0].count), (1, "anna", 2));

        let deploy = Deploy {
            id: 0,
            project_id: *project_id,
            environment: "production".into(),
            revision: "abc".into(),
            local_username: String::new(),
            rollbar_username: String::new(),
            comment: String::new(),
            status: DeployStatus::Started,
            started_s: 0,
            finished_s: 0,
        };
        let first = tracker.create_deploy(deploy.clone()).await.unwrap();
        bench.clock.advance_ns(60_000_000_000);
        let second = tracker.create_deploy(deploy).await.unwrap();
        let done = tracker
            .update_deploy(*project_id, first.id, Some(DeployStatus::Succeeded), None)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(done.finished_s - done.started_s, 60);
        assert_eq!(tracker.update_deploy(0, first.id, None, None).await.unwrap(), None, "another project's");
        let listed = tracker.deploys(*project_id, 0, 9).await.unwrap();
        assert_eq!(listed, [second.clone(), done.clone()]);
        let suspect = tracker.deploy_before(*project_id, "production", second.started_s - 1).await.unwrap();
        assert_eq!(suspect, Some(done));

        assert!(matches!(tracker.set_rules(*project_id, "{}").await, Err(TrackerError::Invalid(_))));
        let rules = r#"[{"condition": {"all": []}, "fingerprint": "x"}]"#;
        tracker.set_rules(*project_id, rules).await.unwrap();
        assert_eq!(tracker.project(*project_id).await.unwrap().unwrap().rules, rules);
        for number in 0..105 {
            tracker.reject(*project_id, &format!("reason {number}"), b"{\0").await.unwrap();
        }
        let rejected = tracker.rejected(*project_id).await.unwrap();
        assert_eq!(
            (rejected.len(), rejected[0].reason.as_str(), rejected[0].payload.as_str()),
            (100, "reason 104", "{\u{fffd}")
        );
    }
}

/// An exception of a trace, as a door reports it.
fn reported(source: Source, uuid: &str, environment: &str, file: &str) -> (Occurrence, Grouping) {
    let data = serde_json::json!({
        "environment": environment, "custom": { "trace_id": "07".repeat(16) }, "uuid": uuid,
        "body": { "trace": { "frames": [{ "filename": file }], "exception": { "class": "shop.CartError", "message": "m" } } },
    });
    let arrival = payload::Arrival { received_ns: 1_000_000_000, uuid: "made", peer: None };
    let mut occurrence = payload::read(data.as_object().unwrap(), arrival).unwrap();
    occurrence.source = source;
    let grouping = group(&occurrence, &Rules::default(), &data);
    (occurrence, grouping)
}

#[tokio::test]
async fn an_exception_that_comes_by_two_doors_is_counted_once() {
    use Source::{Otlp, Rollbar, Sentry, Xray};
    // Source, uuid, environment and file of each report; then the totals of the items, their fingerprints, and rows.
    type Reports = &'static [(Source, &'static str, &'static str, &'static str)];
    let cases: [(Reports, &[i64], usize, usize); 9] = [
        (&[(Otlp, "t", "live", "a.py"), (Otlp, "t", "live", "a.py")], &[1], 1, 1),
        (&[(Otlp, "t", "live", "a.py"), (Xray, "t", "live", "b.py")], &[1], 1, 1),
        (&[(Rollbar, "r", "live", "/srv/a.py"), (Otlp, "t", "live", "a.py")], &[1], 2, 1),
        (&[(Otlp, "t", "live", "a.py"), (Rollbar, "r", "live", "/srv/a.py")], &[1], 2, 2),
        (&[(Rollbar, "r", "live", "/srv/a.py"), (Otlp, "t", "unknown", "a.py")], &[1], 2, 1),
        (&[(Rollbar, "r", "live", "a.py"), (Otlp, "t", "test", "a.py")], &[1], 1, 1),
        (&[(Otlp, "t", "test", "a.py"), (Rollbar, "r", "live", "a.py")], &[1, 1], 2, 2),
        (&[(Rollbar, "r", "live", "a.py"), (Rollbar, "q", "live", "a.py")], &[2], 1, 2),
        (
            &[(Sentry, "r", "live", "a.py"), (Rollbar, "q", "live", "b.py"), (Otlp, "t", "live", "c.py")],
            &[1],
            3,
            2,
        ),
    ];
    for bench in benches().await {
        for at_once in [false, true] {
            for (number, (reports, totals, fingerprint_count, row_count)) in cases.iter().enumerate() {
                let name = format!("{at_once} {number}");
                let project =
                    bench.tracker.create_project(EnvironmentId(bench.clock.now_ns()), &name).await.unwrap();
                let (project, sink) = (project.unwrap(), RecordingSink::default());
                for (source, uuid, environment, file) in *reports {
                    let (occurrence, grouping) = reported(*source, uuid, environment, file);
                    bench.tracker.take_in(&sink, &project, &occurrence, grouping).await.unwrap();
                    if !at_once {
                        bench.tracker.settle().await.unwrap();
                    }
                }
                bench.tracker.settle().await.unwrap();
                let filter = ItemFilter { projects: vec![project.id], ..ItemFilter::default() };
                let page = bench.tracker.items(&filter, 0, 10).await.unwrap();
                let counts: Vec<i64> = page.items.iter().map(|item| item.total).collect();
                assert_eq!(counts, *totals, "{reports:?}, {at_once}");
                let mut known = 0;
                for item in &page.items {
                    known += bench.tracker.fingerprints(item.id).await.unwrap().len();
                }
                assert_eq!(
                    (known, sink.row_count()),
                    (*fingerprint_count, *row_count),
                    "{reports:?}, {at_once}"
                );
            }
        }
    }
}

#[tokio::test]
async fn many_are_taken_at_once_and_none_twice() {
    for bench in benches().await {
        let project = bench.tracker.project(bench.project_id).await.unwrap().unwrap();
        let sink = RecordingSink::default();
        let reports: Vec<(Occurrence, Grouping)> =
            ["a", "b", "a"].iter().map(|uuid| reported(Source::Rollbar, uuid, "live", "a.py")).collect();
        let arrivals = || reports.iter().map(|(one, grouping)| (one, grouping.clone())).collect::<Vec<_>>();
        let taken = bench.tracker.take_in_all(&sink, &project, arrivals()).await.unwrap();
        assert!(matches!(taken.as_slice(), [Taken::New(_), Taken::New(_), Taken::Known]), "{taken:?}");
        let again = bench.tracker.take_in_all(&sink, &project, arrivals()).await.unwrap();
        assert_eq!((again, sink.row_count()), (vec![Taken::Known; 3], 2));
        // Two calls that both found nothing known.
        let (one, other) = (bench.summary("f").await, bench.summary("f").await);
        let twice = [one.clone(), Summary { uuid: one.uuid.clone(), ..other }];
        for summary in twice {
            bench.tracker.note(vec![summary]).await.unwrap();
        }
        bench.tracker.settle().await.unwrap();
        let counted = bench.tracker.item_of(project.id, "production", "f").await.unwrap().unwrap();
        assert_eq!(bench.tracker.item(counted).await.unwrap().unwrap().total, 1);
    }
}

fn rule(project_id: i64, event: &str) -> NotificationRule {
    NotificationRule {
        id: 0,
        project_id,
        channel: "webhook".into(),
        event: event.into(),
        enabled: true,
        rule: serde_json::json!({ "filters": [], "config": { "url": "http://127.0.0.1:1/" } }),
    }
}

#[tokio::test]
async fn what_happens_is_noticed_once_and_delivered_until_it_succeeds() {
    for bench in benches().await {
        let (tracker, project_id) = (&bench.tracker, bench.project_id);
        let own = |notices: Vec<Notice>| -> Vec<Notice> {
            notices.into_iter().filter(|notice| notice.project_id == project_id).collect()
        };
        let first = bench.summary("before").await;
        tracker.note(vec![first]).await.unwrap();
        tracker.settle().await.unwrap();
        assert_eq!(own(tracker.notices().await.unwrap()), [], "nobody wants it told");
        let wanted = ["new_item", "exp_repeat_item", "resolved_item", "reactivated_item", "deploy"];
        let rules = wanted.map(|event| rule(project_id, event)).to_vec();
        let rules = tracker.add_notification_rules(project_id, "webhook", rules, false).await.unwrap();
        for _ in 0..12 {
            let summary = bench.summary("noisy").await;
            tracker.note(vec![summary]).await.unwrap();
        }
        tracker.settle().await.unwrap();
        let item = tracker.item_of(project_id, "production", "noisy").await.unwrap().unwrap();
        let resolved = ItemUpdate { status: Some(Status::Resolved), ..ItemUpdate::default() };
        tracker.update_item(item, &resolved).await.unwrap();
        let again = bench.summary("noisy").await;
        tracker.note(vec![again]).await.unwrap();
        tracker.settle().await.unwrap();
        let mut events: Vec<String> =
            own(tracker.notices().await.unwrap()).into_iter().map(|notice| notice.event).collect();
        events.sort();
        assert_eq!(events, ["exp_repeat_item", "new_item", "reactivated_item", "resolved_item"]);

        let notices = own(tracker.notices().await.unwrap());
        let new = notices.iter().find(|notice| notice.event == "new_item").unwrap();
        assert_eq!(new.item_id, item);
        tracker.dispatch(new, &[rules[0].id]).await.unwrap();
        // Another process had read the same.
        bench.other.dispatch(new, &[rules[0].id]).await.unwrap();
        for notice in notices.iter().filter(|notice| notice.id != new.id) {
            tracker.dispatch(notice, &[]).await.unwrap();
        }
        assert_eq!(own(tracker.notices().await.unwrap()), []);
        let claims = |claimed: Vec<Delivery>| claimed.into_iter().find(|one| one.rule_id == rules[0].id);
        let claimed = claims(tracker.claim_deliveries().await.unwrap()).expect("it is due");
        assert_eq!((claimed.attempts, claimed.notice.clone()), (1, new.clone()));
        assert_eq!(
            claims(bench.other.claim_deliveries().await.unwrap()),
            None,
            "one attempt is one process's"
        );
        tracker.settle_delivery(&claimed, Err("away")).await.unwrap();
        assert_eq!(claims(tracker.claim_deliveries().await.unwrap()), None, "the pause is not over");
        bench.clock.advance_ns(2_000_000_000);
        let second = claims(bench.other.claim_deliveries().await.unwrap()).expect("it is tried again");
        assert_eq!(second.attempts, 2);
        bench.other.settle_delivery(&second, Ok(())).await.unwrap();
        bench.clock.advance_ns(86_400_000_000_000);
        assert_eq!(claims(tracker.claim_deliveries().await.unwrap()), None);
        let log = tracker.delivery_log(rules[0].id).await.unwrap();
        let outcomes: Vec<&str> = log.iter().map(|line| line.outcome.as_str()).collect();
        assert_eq!(outcomes, ["delivered", "failed"]);
        assert_eq!(log[1].detail, "away");
        assert!(tracker.delete_notification_rule(project_id, "webhook", rules[0].id).await.unwrap());
        assert_eq!(tracker.delivery_log(rules[0].id).await.unwrap(), []);
    }
}
