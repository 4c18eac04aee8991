//! Several processes on one catalog, and a catalog that does not answer for a while.

use std::time::Duration;

use sqlx::{AnyConnection, Connection, Executor};
use tracery_columnar::{BatchBuilder, Sink};
use tracery_model::{Origin, Signal, SinkError, Value};
use tracery_store::{Catalog, MergePolicy, Store, StoreError, StoreOptions};

use crate::bed::{AGES_NS, Bed, ENVIRONMENT, START_NS, batch, ids};

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_share_a_catalog() {
    let Some(bed) = Bed::postgres().await else { return };
    let (one, two) = (bed.open().await, bed.open().await);
    for start in 0..6 {
        let store = if start % 2 == 0 { &one } else { &two };
        store.accept(ENVIRONMENT, vec![batch(start * 10..start * 10 + 10, START_NS)]).await.unwrap();
    }
    one.refresh().await.unwrap();
    two.refresh().await.unwrap();
    let all: Vec<i64> = (0..60).collect();
    assert_eq!((ids(&one).await, ids(&two).await), (all.clone(), all.clone()));
    assert_eq!(
        two.columns(ENVIRONMENT, None, &[Signal::Span]),
        one.columns(ENVIRONMENT, None, &[Signal::Span])
    );

    // Both want to merge the same parts; one of them is faster, and no row is there twice.
    let (left, right) = tokio::join!(one.merge_all(true), two.merge_all(true));
    assert!(left.unwrap() + right.unwrap() > 0);
    for store in [&one, &two] {
        store.refresh().await.unwrap();
        assert_eq!(ids(store).await, all);
        assert!(store.snapshot().parts().iter().all(|part| part.meta.level > 0));
    }
    one.accept(ENVIRONMENT, vec![batch(60..70, START_NS)]).await.unwrap();
    assert_eq!(ids(&two).await.len(), 60, "another process is heard of by refreshing");
    two.refresh().await.unwrap();
    assert_eq!(ids(&two).await.len(), 70);
    assert_eq!(two.verify().await.unwrap().problems, vec![]);
}

/// Both tell of the same new keys, in opposite order: they wait for each other in turn and never in a circle.
#[tokio::test(flavor = "multi_thread")]
async fn commits_of_two_processes_do_not_deadlock() {
    let Some(bed) = Bed::postgres().await else { return };
    let stores = [bed.open().await, bed.open().await];
    for round in 0..5_i64 {
        let batches = [false, true].map(|reversed| {
            let mut builder = BatchBuilder::new(Signal::Log, START_NS);
            builder.begin_row(START_NS, "a");
            for idx in 0..300 {
                let number = if reversed { 299 - idx } else { idx };
                builder.attribute(Origin::Own, &format!("r{round}.k{number}"), Value::Int(1));
            }
            builder.finish().unwrap()
        });
        let [left, right] = batches;
        let (left, right) = tokio::join!(
            stores[0].accept(ENVIRONMENT, vec![left]),
            stores[1].accept(ENVIRONMENT, vec![right])
        );
        left.unwrap();
        right.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_process_merged_away_stays_readable_for_the_other() {
    let Some(mut bed) = Bed::postgres().await else { return };
    bed.options.removed_age = Duration::from_secs(600);
    let (one, two) = (bed.open().await, bed.open().await);
    for start in 0..3 {
        one.accept(ENVIRONMENT, vec![batch(start * 10..start * 10 + 10, START_NS)]).await.unwrap();
        one.merge_all(true).await.unwrap();
        if start == 0 {
            // A query of the other process begins.
            two.refresh().await.unwrap();
        }
    }
    one.expire_and_sweep().await.unwrap();
    assert_eq!(ids(&two).await, (0..10).collect::<Vec<_>>(), "its part was merged away and is still there");
    let before = bed.paths().await.len();
    bed.clock.advance_ns(AGES_NS);
    one.expire_and_sweep().await.unwrap();
    assert!(bed.paths().await.len() < before);
    assert_eq!(
        bed.paths().await.len(),
        2 * one.snapshot().parts().len(),
        "parts and their indexes, nothing else"
    );
    assert_eq!(ids(&one).await.len(), 30);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_merged_away_by_another_process_is_not_taken_for_damaged() {
    let Some(bed) = Bed::postgres().await else { return };
    let (one, two) = (bed.open().await, bed.open().await);
    one.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
    two.refresh().await.unwrap();
    one.merge_all(true).await.unwrap();
    bed.clock.advance_ns(AGES_NS);
    one.expire_and_sweep().await.unwrap();
    // The list of the second is old: it merges what is gone from the catalog, and is told so.
    two.merge_all(true).await.unwrap();
    assert_eq!(two.catalog().parts_set_aside().await.unwrap(), vec![]);
    two.refresh().await.unwrap();
    assert_eq!((ids(&one).await.len(), ids(&two).await.len()), (10, 10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_locked_catalog_means_busy_and_nothing_is_lost() {
    for bed in [Some(Bed::local()), Bed::postgres().await].into_iter().flatten() {
        println!("{}", bed.name);
        let store = bed.open().await;
        store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
        let mut other = AnyConnection::connect(&bed.catalog_url).await.unwrap();
        let lock = if bed.catalog_url.starts_with("sqlite") {
            "BEGIN IMMEDIATE"
        } else {
            "BEGIN; LOCK TABLE parts, catalog_version IN ACCESS EXCLUSIVE MODE"
        };
        other.execute(lock).await.unwrap();
        let refused = store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await;
        assert!(matches!(&refused, Err(SinkError::Unavailable { retry_after_ms: 1.., .. })), "{refused:?}");
        assert_eq!(ids(&store).await.len(), 10, "what was accepted can be asked for meanwhile");
        assert!(store.merge_all(true).await.is_err());
        other.execute("ROLLBACK").await.unwrap();

        store.accept(ENVIRONMENT, vec![batch(20..30, START_NS)]).await.unwrap();
        store.merge_all(true).await.unwrap();
        let expected: Vec<i64> = (0..10).chain(20..30).collect();
        assert_eq!(ids(&store).await, expected);
        store.close().await;
        drop(store);
        assert_eq!(ids(&bed.open().await).await, expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_commit_leaves_no_object_behind() {
    let bed = Bed::local();
    let store = bed.open().await;
    let mut other = AnyConnection::connect(&bed.catalog_url).await.unwrap();
    other.execute("BEGIN IMMEDIATE").await.unwrap();
    store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap_err();
    // A disk that is full because of refused batches would never be free again.
    for _ in 0..200 {
        if bed.paths().await.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{:?} is left", bed.paths().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_of_another_catalog_is_refused() {
    let (bed, other) = (Bed::local(), Bed::local());
    let store = bed.open().await;
    store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
    store.close().await;
    other.open().await.close().await;

    let strangers = [
        // A new catalog would take every part for an orphan.
        (&other.catalog_url, bed.objects()),
        // A directory that is not mounted would make every part look lost.
        (&bed.catalog_url, Bed::local().objects()),
    ];
    for (catalog_url, objects) in strangers {
        let catalog = Catalog::open(catalog_url).await.unwrap();
        let opened = Store::open(catalog, objects, bed.clock.clone(), bed.options).await;
        assert!(matches!(opened.err(), Some(StoreError::Stranger(_))));
    }
    let store = bed.open().await;
    assert_eq!(ids(&store).await.len(), 10);
    assert_eq!(store.catalog().parts_set_aside().await.unwrap(), vec![]);
    store.ready().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_background_work_of_several_processes_agrees() {
    for bed in Bed::all().await {
        println!("{}", bed.name);
        let options = StoreOptions {
            maintenance: true,
            merge: MergePolicy { fresh_rows: 30, fresh_age_ms: 0, merged_count: 2, ..MergePolicy::default() },
            ..bed.options
        };
        let mut stores = vec![bed.open_with(bed.objects(), options).await];
        if bed.catalog_url.starts_with("postgres") {
            stores.push(bed.open_with(bed.objects(), options).await);
        }
        let mut tasks = Vec::new();
        for start in 0..20_i64 {
            let store = stores[start as usize % stores.len()].clone();
            tasks.push(tokio::spawn(async move {
                store.accept(ENVIRONMENT, vec![batch(start * 10..start * 10 + 10, START_NS)]).await
            }));
        }
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        for store in &stores {
            store.close().await;
        }
        let store = bed.open().await;
        assert_eq!(ids(&store).await, (0..200).collect::<Vec<_>>());
        assert_eq!(store.verify().await.unwrap().problems, vec![]);
    }
}
