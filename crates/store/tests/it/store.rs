//! The store through its public door: what is accepted is found again, after merges, restarts and expiry.

use std::time::Duration;

use tracery_columnar::Sink;
use tracery_model::{EnvironmentId, Signal, SinkError, TimeRange};

use crate::bed::{AGES_NS, Bed, ENVIRONMENT, START_NS, batch, ids, merged};

#[tokio::test(flavor = "multi_thread")]
async fn accepted_rows_outlive_merges_and_restarts() {
    for bed in Bed::all().await {
        println!("{}", bed.name);
        let store = bed.open().await;
        for start in 0..8 {
            let receipt =
                store.accept(ENVIRONMENT, vec![batch(start * 10..start * 10 + 10, START_NS)]).await.unwrap();
            assert_eq!(receipt.row_count, 10);
        }
        let all: Vec<i64> = (0..80).collect();
        assert_eq!(ids(&store).await, all);
        store.close().await;

        let store = bed.open().await;
        assert_eq!(ids(&store).await, all);
        assert!(store.merge_all(true).await.unwrap() > 0);
        assert_eq!(ids(&store).await, all);
        assert!(store.snapshot().parts().iter().all(|part| part.meta.level > 0));
        let report = store.verify().await.unwrap();
        assert_eq!((report.row_count, report.problems), (80, vec![]));
        assert_eq!(
            store
                .columns(ENVIRONMENT, Some(&["odd".into()]), &[Signal::Span])
                .keys()
                .filter(|key| key.contains(':'))
                .count(),
            2
        );
        store.close().await;

        let store = bed.open().await;
        assert_eq!(ids(&store).await, all);
        bed.clock.advance_ns(AGES_NS);
        store.expire_and_sweep().await.unwrap();
        assert_eq!(
            bed.paths().await.len(),
            2 * store.snapshot().parts().len(),
            "each part and its index, nothing else"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_environment_never_sees_another() {
    for bed in Bed::all().await {
        println!("{}", bed.name);
        let store = bed.open().await;
        store.accept(ENVIRONMENT, vec![batch(0..3, START_NS)]).await.unwrap();
        let other = EnvironmentId(2);
        assert!(store.snapshot().select(other, &Signal::ALL, TimeRange::ALL, None).is_empty());
        assert!(store.columns(other, None, &Signal::ALL).is_empty());
        assert!(store.datasets(other).is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_drops_whole_windows() {
    for mut bed in Bed::all().await {
        println!("{}", bed.name);
        bed.options.retention = Some(Duration::from_secs(24 * 3600));
        let store = bed.open().await;
        let two_days_ns = 48 * 3_600_000_000_000;
        store
            .accept(ENVIRONMENT, vec![batch(0..10, START_NS - two_days_ns), batch(10..20, START_NS)])
            .await
            .unwrap();
        store.expire_and_sweep().await.unwrap();
        assert_eq!(ids(&store).await.len(), 20, "a part with one young row stays");
        store.merge_all(true).await.unwrap();
        store.expire_and_sweep().await.unwrap();
        assert_eq!(ids(&store).await, (10..20).collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_part_is_set_aside_and_the_rest_is_served() {
    for bed in Bed::all().await {
        println!("{}", bed.name);
        let store = bed.open().await;
        store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
        let victim = bed.paths().await.pop().unwrap();
        store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await.unwrap();
        store.close().await;
        bed.change(&victim, |bytes| bytes[20] ^= 0xff).await;

        let store = bed.open().await;
        assert_eq!(ids(&store).await, (10..20).collect::<Vec<_>>());
        assert_eq!(store.verify().await.unwrap().problems.len(), 1);
        store.expire_and_sweep().await.unwrap();
        assert!(bed.paths().await.contains(&victim), "what was set aside is kept for a person to look at");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_says_busy_and_recovers() {
    for mut bed in Bed::all().await {
        println!("{}", bed.name);
        bed.options.fresh_bytes_max = 1;
        let store = bed.open().await;
        store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
        let refused = store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await;
        assert!(matches!(refused, Err(SinkError::Busy { .. })));
        store.merge_all(true).await.unwrap();
        store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await.unwrap();
        assert_eq!(ids(&store).await.len(), 20);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_question_still_reads_is_not_swept() {
    for expires in [false, true] {
        for mut bed in Bed::all().await {
            println!("{}, expires: {expires}", bed.name);
            bed.options.retention = expires.then_some(Duration::from_secs(24 * 3600));
            bed.options.removed_age = Duration::ZERO;
            let store = bed.open().await;
            store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
            store.merge_all(true).await.unwrap();
            let held = store.snapshot();
            store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await.unwrap();
            store.merge_all(true).await.unwrap();
            bed.clock.advance_ns(AGES_NS);
            store.expire_and_sweep().await.unwrap();
            store.expire_and_sweep().await.unwrap();
            let part = &held.parts()[0];
            assert!(store.snapshot().parts().iter().all(|listed| listed.meta.id != part.meta.id));
            let rows: usize = merged(&store, part).await.iter().map(|batch| batch.num_rows()).sum();
            assert_eq!(rows, 10);
            store.trace_index(part).await.unwrap();
        }
    }
}

/// The client leaves while its batch is encoded: the batch still takes its room in the queue until that is done.
#[test]
fn what_is_encoded_for_nobody_still_counts() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .max_blocking_threads(1)
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let bed = Bed::local();
        let store = bed.open().await;
        let (release, released) = std::sync::mpsc::channel::<()>();
        let occupied = tokio::task::spawn_blocking(move || released.recv());
        {
            let mut accepting = store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]);
            assert!(futures::poll!(accepting.as_mut()).is_pending());
        }
        assert!(store.queued_bytes() > 0, "it waits for a thread");
        release.send(()).unwrap();
        occupied.await.unwrap().unwrap();
        while store.queued_bytes() > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(ids(&store).await, Vec::<i64>::new());
    });
}
