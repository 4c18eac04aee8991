//! The settings functions against SQLite, and against PostgreSQL when `TRACERY_TEST_POSTGRES_URL` names a database
//! that may be written to (each run makes environments of its own, so a used database will do).

use std::sync::Arc;

use serde_json::json;
use tracery_model::EnvironmentId;
use tracery_settings::{
    DatasetChange, DocumentKind, EnvironmentChange, KeyKind, NewDocument, Place, SESSION_AGE_MS_MAX,
    ServerKey, Settings, SettingsError,
};
use tracery_stdx::{Clock, ManualClock, SystemClock};
use tracery_testkit::TestDatabase;

struct Bench {
    settings: Settings,
    /// The same database as another process sees it.
    other: Settings,
    clock: Arc<ManualClock>,
    /// Makes names unique in a database that was used before.
    run: String,
    _database: TestDatabase,
}

async fn benches() -> Vec<Bench> {
    let mut benches = Vec::new();
    for database in TestDatabase::every() {
        let now_ns = SystemClock.now_ns();
        let clock = Arc::new(ManualClock::at_ns(now_ns));
        benches.push(Bench {
            settings: Settings::open(&database.url, clock.clone()).await.unwrap(),
            other: Settings::open(&database.url, clock.clone()).await.unwrap(),
            clock,
            run: format!("r{now_ns}"),
            _database: database,
        });
    }
    benches
}

impl Bench {
    async fn environment(&self, name: &str) -> EnvironmentId {
        self.settings.ensure_environment(&format!("{name}-{}", self.run)).await.unwrap().id
    }
}

#[tokio::test]
async fn an_environment_is_deleted_only_unprotected_and_its_id_is_never_used_again() {
    for bench in benches().await {
        let settings = &bench.settings;
        let id = bench.environment("Prod").await;
        assert_eq!(bench.environment("prod").await, id, "one slug, one environment");
        let key = settings.create_key(id, KeyKind::Ingest, "k", &[]).await.unwrap();
        assert!(matches!(settings.delete_environment(id).await, Err(SettingsError::Invalid(_))));
        let change = EnvironmentChange { delete_protected: Some(false), ..Default::default() };
        assert!(!settings.update_environment(id, &change).await.unwrap().unwrap().delete_protected);
        assert!(settings.delete_environment(id).await.unwrap());
        assert!(!settings.delete_environment(id).await.unwrap());
        assert_eq!(settings.environment(id).await.unwrap(), None);
        assert_eq!(settings.find_key(&key.secret).await.unwrap(), None);
        assert!(bench.environment("Prod").await > id);
        let name = format!("prod-{}", bench.run);
        let again = settings.create_environment(&name, &EnvironmentChange::default()).await;
        assert!(matches!(again, Err(SettingsError::Exists(_))));
    }
}

#[tokio::test]
async fn environments_made_at_once_get_different_ids() {
    for bench in benches().await {
        let mut tasks = tokio::task::JoinSet::new();
        for idx in 0..12 {
            let settings = if idx % 2 == 0 { bench.settings.clone() } else { bench.other.clone() };
            let name = format!("e{}-{}", idx / 2, bench.run);
            tasks.spawn(async move { settings.ensure_environment(&name).await.unwrap().id });
        }
        let mut ids = tasks.join_all().await;
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 6);
    }
}

#[tokio::test]
async fn a_revoked_key_stops_here_at_once_and_elsewhere_within_a_second() {
    for bench in benches().await {
        let environment = bench.environment("keys").await;
        let made = bench.settings.create_key(environment, KeyKind::Configuration, "k", &[]).await.unwrap();
        assert_ne!(made.secret.len(), 32, "that length means a classic key");
        for settings in [&bench.settings, &bench.other] {
            assert_eq!(settings.find_key(&made.secret).await.unwrap().as_ref(), Some(&made.key));
        }
        assert!(bench.settings.revoke_key(&made.key.id).await.unwrap());
        assert!(!bench.settings.revoke_key(&made.key.id).await.unwrap());
        assert_eq!(bench.settings.find_key(&made.secret).await.unwrap(), None);
        bench.clock.advance_ns(1_000_000_000);
        assert_eq!(bench.other.find_key(&made.secret).await.unwrap(), None);

        let made = bench.settings.create_key(environment, KeyKind::Ingest, "k", &[]).await.unwrap();
        bench.settings.update_key(&made.key.id, Some("new"), Some(true)).await.unwrap();
        assert_eq!(bench.settings.find_key(&made.secret).await.unwrap(), None);
        bench.settings.update_key(&made.key.id, None, Some(false)).await.unwrap();
        assert_eq!(bench.settings.find_key(&made.secret).await.unwrap().unwrap().name, "new");
    }
}

#[tokio::test]
async fn a_dataset_keeps_its_first_spelling() {
    for bench in benches().await {
        let settings = &bench.settings;
        let environment = bench.environment("datasets").await;
        let first = settings.ensure_dataset(environment, "MyDataset!").await.unwrap();
        assert_eq!((first.slug.as_str(), first.name.as_str()), ("mydataset-", "MyDataset!"));
        assert_eq!(settings.ensure_dataset(environment, "mydataset?").await.unwrap(), first);
        let (again, created) =
            settings.create_dataset(environment, "MYDATASET!", &DatasetChange::default()).await.unwrap();
        assert_eq!((again.name.as_str(), created), ("MyDataset!", false));
        for bad in ["", "  ", "__all__", &"x".repeat(256)] {
            assert!(settings.ensure_dataset(environment, bad).await.is_err(), "{bad:?}");
        }
        settings.note_written(environment, &first.slug).await.unwrap();
        let written = settings.dataset(environment, "mydataset-").await.unwrap().unwrap();
        assert_eq!(written.last_written_ms, Some(bench.clock.now_ms()));
        assert!(!settings.delete_dataset(environment, &first.slug).await.unwrap(), "protected");
        let change = DatasetChange {
            delete_protected: Some(false),
            expand_json_depth: Some(3),
            description: Some("d".into()),
            is_metrics: false,
        };
        let changed = settings.update_dataset(environment, &first.slug, &change).await.unwrap().unwrap();
        assert_eq!((changed.expand_json_depth, changed.description.as_str()), (3, "d"));
        let elsewhere = bench.environment("datasets-2").await;
        assert_eq!(settings.dataset(elsewhere, &first.slug).await.unwrap(), None);
        assert!(settings.delete_dataset(environment, &first.slug).await.unwrap());
        assert!(settings.datasets(environment).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn documents_live_in_one_environment_kind_and_scope() {
    for bench in benches().await {
        let settings = &bench.settings;
        let environment = bench.environment("documents").await;
        let other = bench.environment("documents-2").await;
        let place = Place { environment, kind: DocumentKind::CalculatedField, scope: "web" };
        let new = NewDocument { name: Some("slow".into()), body: json!({"a": 1}), ..Default::default() };
        let made = settings.create_document(place, new.clone()).await.unwrap();
        assert!(matches!(settings.create_document(place, new.clone()).await, Err(SettingsError::Exists(_))));
        assert_eq!(settings.document(place, &made.id).await.unwrap().as_ref(), Some(&made));
        assert_eq!(settings.document_named(place, "slow").await.unwrap().as_ref(), Some(&made));
        for elsewhere in [
            Place { environment: other, ..place },
            Place { kind: DocumentKind::Board, ..place },
            Place { scope: "api", ..place },
        ] {
            assert_eq!(settings.document(elsewhere, &made.id).await.unwrap(), None, "{elsewhere:?}");
            let replaced = settings.replace_document(elsewhere, &made.id, None, &json!({})).await.unwrap();
            assert_eq!(replaced, None);
            assert!(!settings.delete_document(elsewhere, &made.id).await.unwrap());
        }
        let changed = settings
            .replace_document(place, &made.id, Some("slower"), &json!({"a": 2}))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((changed.name.as_deref(), &changed.body), (Some("slower"), &json!({"a": 2})));
        assert!(settings.delete_document(place, &made.id).await.unwrap());

        let place = Place { environment, kind: DocumentKind::BoardView, scope: "board" };
        for _ in 0..DocumentKind::BoardView.documents_max() {
            settings.create_document(place, NewDocument::default()).await.unwrap();
        }
        let full = settings.create_document(place, NewDocument::default()).await;
        assert!(matches!(full, Err(SettingsError::Full { .. })), "{full:?}");

        let place = Place { environment, kind: DocumentKind::QueryResult, scope: "web" };
        let expires_ms = Some(bench.clock.now_ms() + 10);
        let made =
            settings.create_document(place, NewDocument { expires_ms, ..Default::default() }).await.unwrap();
        assert!(settings.document(place, &made.id).await.unwrap().is_some());
        bench.clock.advance_ns(10_000_000);
        assert_eq!(settings.document(place, &made.id).await.unwrap(), None);
        assert!(settings.sweep_expired().await.unwrap() >= 1);
    }
}

#[tokio::test]
async fn a_session_ends_by_itself_and_a_wrong_password_starts_none() {
    for bench in benches().await {
        let settings = &bench.settings;
        let name = format!("ada-{}", bench.run);
        assert!(settings.create_admin(&name, "short").await.is_err());
        let user = settings.create_admin(&name, "correct horse").await.unwrap();
        assert!(matches!(settings.create_admin(&name, "another one").await, Err(SettingsError::Exists(_))));
        assert_eq!(settings.verify_password(&name, "correct horse").await.unwrap(), Some(user.clone()));
        assert_eq!(settings.verify_password(&name, "correct cow").await.unwrap(), None);
        assert_eq!(settings.verify_password("nobody", "correct horse").await.unwrap(), None);
        let token = settings.create_session(&user).await.unwrap();
        assert_eq!(settings.find_session(&token).await.unwrap(), Some(user.clone()));
        assert_eq!(settings.find_session("guess").await.unwrap(), None);
        settings.end_session(&token).await.unwrap();
        assert_eq!(settings.find_session(&token).await.unwrap(), None);
        let token = settings.create_session(&user).await.unwrap();
        bench.clock.advance_ns(SESSION_AGE_MS_MAX * 1_000_000);
        assert_eq!(settings.find_session(&token).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_document_put_at_once_from_two_sides_is_one_document() {
    for bench in benches().await {
        let environment = bench.environment("puts").await;
        let mut tasks = tokio::task::JoinSet::new();
        for idx in 0..10 {
            let settings = if idx % 2 == 0 { bench.settings.clone() } else { bench.other.clone() };
            tasks.spawn(async move {
                let place = Place { environment, kind: DocumentKind::DatasetDefinition, scope: "web" };
                settings.put_document(place, "definition", None, &json!({ "by": idx })).await.unwrap();
            });
        }
        tasks.join_all().await;
        let place = Place { environment, kind: DocumentKind::DatasetDefinition, scope: "web" };
        assert_eq!(bench.settings.documents(place).await.unwrap().len(), 1);
        let more = bench.settings.put_document(place, "second", None, &json!({})).await;
        assert!(matches!(more, Err(SettingsError::Full { max: 1, .. })), "{more:?}");
        bench.settings.put_document(place, "definition", None, &json!({ "by": "last" })).await.unwrap();
        let stored = bench.settings.document(place, "definition").await.unwrap().unwrap();
        assert_eq!(stored.body, json!({ "by": "last" }));
        let place = Place { environment, kind: DocumentKind::Column, scope: "web" };
        bench.settings.put_document(place, "a", Some("name"), &json!({})).await.unwrap();
        let taken = bench.settings.put_document(place, "b", Some("name"), &json!({})).await;
        assert!(matches!(taken, Err(SettingsError::Exists(_))), "{taken:?}");
    }
}

#[tokio::test]
async fn the_oldest_documents_make_room_for_the_newest() {
    for bench in benches().await {
        let environment = bench.environment("trim").await;
        let body = json!({ "text": "é".repeat(45) });
        for (idx, scope) in ["web", "web", "other", "web"].into_iter().enumerate() {
            let place = Place { environment, kind: DocumentKind::QueryResult, scope };
            let new = NewDocument { id: Some(format!("r{idx}")), body: body.clone(), ..Default::default() };
            bench.settings.create_document(place, new).await.unwrap();
            bench.clock.advance_ns(1_000_000);
        }
        let bytes = i64::try_from(body.to_string().len()).unwrap();
        let trim =
            |bytes_max| bench.settings.trim_documents(environment, DocumentKind::QueryResult, bytes_max);
        assert_eq!(trim(4 * bytes).await.unwrap(), 0);
        assert_eq!(trim(2 * bytes).await.unwrap(), 2);
        for (scope, left) in [("web", vec!["r3"]), ("other", vec!["r2"])] {
            let place = Place { environment, kind: DocumentKind::QueryResult, scope };
            let documents = bench.settings.documents(place).await.unwrap();
            assert_eq!(documents.iter().map(|document| document.id.as_str()).collect::<Vec<_>>(), left);
        }
    }
}

#[tokio::test]
async fn a_management_key_outlives_the_environment_it_was_made_in() {
    for bench in benches().await {
        let settings = &bench.settings;
        let id = bench.environment("short-lived").await;
        let management = settings.create_key(id, KeyKind::Management, "m", &[]).await.unwrap();
        let ingest = settings.create_key(id, KeyKind::Ingest, "i", &[]).await.unwrap();
        let change = EnvironmentChange { delete_protected: Some(false), ..Default::default() };
        settings.update_environment(id, &change).await.unwrap();
        assert!(settings.delete_environment(id).await.unwrap());
        assert_eq!(settings.find_key(&management.secret).await.unwrap(), Some(management.key));
        assert_eq!(settings.find_key(&ingest.secret).await.unwrap(), None);
    }
}

#[tokio::test]
async fn slugs_of_datasets_are_a_second_old_at_most() {
    for bench in benches().await {
        let environment = bench.environment("slugs").await;
        let slugs = || async {
            let mut slugs: Vec<_> =
                bench.settings.dataset_slugs(environment).await.unwrap().iter().cloned().collect();
            slugs.sort();
            slugs.join(" ")
        };
        assert_eq!(slugs().await, "");
        bench.settings.ensure_dataset(environment, "One").await.unwrap();
        assert_eq!(slugs().await, "one", "made here");
        bench.other.ensure_dataset(environment, "Two").await.unwrap();
        assert_eq!(slugs().await, "one");
        bench.clock.advance_ns(1_000_000_000);
        assert_eq!(slugs().await, "one two");
    }
}

#[tokio::test]
async fn an_access_key_is_read_back_with_the_servers_key_only() {
    for bench in benches().await {
        let environment = bench.environment("aws").await;
        let without = bench.settings.create_key(environment, KeyKind::Aws, "k", &[]).await;
        assert!(matches!(without, Err(SettingsError::Invalid(_))), "no server key");
        let text = ServerKey::random_text();
        let with =
            |settings: &Settings| settings.clone().with_server_key(ServerKey::from_text(&text).unwrap());
        let (settings, other) = (with(&bench.settings), with(&bench.other));
        let made = settings.create_key(environment, KeyKind::Aws, "k", &[]).await.unwrap();
        for settings in [&settings, &other] {
            let found = settings.find_aws_key(&made.key.id).await.unwrap().unwrap();
            assert_eq!((found.secret, found.key.environment), (made.secret.clone(), environment));
        }
        for unknown in ["", "AKIA", "AKIAABCDEFGHIJKLMNOP", "test"] {
            assert_eq!(settings.find_aws_key(unknown).await.unwrap(), None, "{unknown}");
        }
        let refused = settings.create_key(environment, KeyKind::Aws, "k", &["send_events".into()]).await;
        assert!(refused.is_err(), "there are no scopes");
        assert!(settings.revoke_key(&made.key.id).await.unwrap());
        assert_eq!(settings.find_aws_key(&made.key.id).await.unwrap(), None, "at once here");
        bench.clock.advance_ns(1_001_000_000);
        assert_eq!(other.find_aws_key(&made.key.id).await.unwrap(), None, "a second later elsewhere");
        let made = settings.create_key(environment, KeyKind::Aws, "k", &[]).await.unwrap();
        let stranger =
            bench.other.clone().with_server_key(ServerKey::from_text(&ServerKey::random_text()).unwrap());
        bench.clock.advance_ns(1_001_000_000);
        assert!(stranger.find_aws_key(&made.key.id).await.is_err(), "another server's key");
    }
}
