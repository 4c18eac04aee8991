//! No room, no object store, damaged parts: what was accepted stays, what comes is refused with a time to come again,
//! and all is well when the cause goes.

use std::sync::Arc;

use object_store::path::Path;
use tracery_columnar::{BatchBuilder, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, SinkError, Value};
use tracery_store::{Objects, Store};

use crate::bed::{AGES_NS, Bed, ENVIRONMENT, START_NS, batch, ids};
use crate::faulty::{Fault, Faulty};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_or_absent_object_store_means_come_again() {
    for fault in [Fault::NoSpace, Fault::Gone, Fault::Unmounted] {
        println!("{fault:?}");
        let bed = Bed::local();
        let faulty = Arc::new(Faulty::seeded(1));
        let store = bed.open_with(Objects::remote(Arc::clone(&faulty) as _), bed.options).await;
        store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
        faulty.set(fault);
        for _ in 0..3 {
            let refused = store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await;
            assert!(
                matches!(&refused, Err(SinkError::Unavailable { retry_after_ms: 1.., .. })),
                "{refused:?}"
            );
        }
        assert!(store.merge_all(true).await.is_err());
        assert_eq!(store.snapshot().parts().len(), 1, "a merge that failed changed nothing");
        assert_eq!(store.ready().await.is_ok(), fault == Fault::NoSpace, "a full store still answers");

        faulty.set(Fault::Never);
        store.ready().await.unwrap();
        store.accept(ENVIRONMENT, vec![batch(20..30, START_NS)]).await.unwrap();
        store.merge_all(true).await.unwrap();
        let expected: Vec<i64> = (0..10).chain(20..30).collect();
        assert_eq!(ids(&store).await, expected);
        store.close().await;
        let store = bed.open_with(Objects::remote(Arc::clone(&faulty) as _), bed.options).await;
        assert_eq!(ids(&store).await, expected);
        assert_eq!(store.verify().await.unwrap().problems, vec![]);
    }
}

/// Two merged parts and a fresh one.
async fn several_parts(store: &Store) {
    for start in 0..3 {
        store.accept(ENVIRONMENT, vec![batch(start * 10..start * 10 + 10, START_NS)]).await.unwrap();
        if start < 2 {
            store.merge_all(true).await.unwrap();
        }
    }
}

/// What must not be believed of a store that is gone, whichever way it says so.
async fn nothing_is_given_up(store: &Store) {
    assert!(store.ready().await.is_err());
    assert!(store.scrub().await.is_err());
    assert!(store.merge_all(true).await.is_err());
    assert!(store.expire_and_sweep().await.is_err());
    for part in store.snapshot().parts().iter().filter(|part| part.fresh().is_none()) {
        assert!(store.trace_index(part).await.is_err(), "nobody knows what traces it has");
    }
    let refused = store.accept(ENVIRONMENT, vec![batch(90..99, START_NS)]).await;
    assert!(matches!(&refused, Err(SinkError::Unavailable { .. })), "{refused:?}");
    assert_eq!(store.catalog().parts_set_aside().await.unwrap(), vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_is_gone_altogether_is_no_list_of_lost_parts() {
    let mut bed = Bed::local();
    bed.options.merge.merged_count = 100;
    let faulty = Arc::new(Faulty::seeded(1));
    let store = bed.open_with(Objects::remote(Arc::clone(&faulty) as _), bed.options).await;
    several_parts(&store).await;
    bed.clock.advance_ns(AGES_NS);
    faulty.set(Fault::Unmounted);
    nothing_is_given_up(&store).await;
    store.close().await;
    faulty.set(Fault::Never);
    let store = bed.open_with(Objects::remote(Arc::clone(&faulty) as _), bed.options).await;
    assert_eq!(ids(&store).await, (0..30).collect::<Vec<_>>());
    assert_eq!(store.verify().await.unwrap().problems, vec![]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_is_not_mounted_or_is_another_one_stays_as_it_is() {
    for other in [false, true] {
        let (mut bed, stranger) = (Bed::local(), Bed::local());
        bed.options.merge.merged_count = 100;
        let store = bed.open().await;
        several_parts(&store).await;
        bed.clock.advance_ns(AGES_NS);
        let (mounted, away) = (bed.directory(), bed.directory().with_extension("away"));
        std::fs::rename(&mounted, &away).unwrap();
        if other {
            let store = stranger.open().await;
            several_parts(&store).await;
            store.close().await;
            std::fs::rename(stranger.directory(), &mounted).unwrap();
        } else {
            std::fs::create_dir(&mounted).unwrap();
        }
        let before = bed.paths().await;
        if other {
            assert!(store.expire_and_sweep().await.is_err());
            assert!(store.scrub().await.is_err());
            assert_eq!(store.catalog().parts_set_aside().await.unwrap(), vec![]);
        } else {
            nothing_is_given_up(&store).await;
            assert_eq!(std::fs::read_dir(&mounted).unwrap().count(), 0, "nothing lies below the mount point");
        }
        assert_eq!(bed.paths().await, before);
        std::fs::remove_dir_all(&mounted).unwrap();
        std::fs::rename(&away, &mounted).unwrap();
        store.ready().await.unwrap();
        assert_eq!(ids(&store).await, (0..30).collect::<Vec<_>>());
        assert_eq!(store.verify().await.unwrap().problems, vec![]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_set_aside_and_is_whole_is_listed_again() {
    for bed in Bed::all().await {
        println!("{}", bed.name);
        let store = bed.open().await;
        store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
        store.merge_all(true).await.unwrap();
        store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await.unwrap();
        let victim = Path::from(store.snapshot().parts()[0].meta.path.as_str());
        damage(&bed, &victim, Damage::Flipped).await;
        assert_eq!(store.scrub().await.unwrap(), 1);
        assert_eq!(store.restore().await.unwrap(), Vec::<String>::new(), "it is still damaged");
        damage(&bed, &victim, Damage::Flipped).await;
        assert_eq!(store.restore().await.unwrap(), vec![victim.to_string()]);
        assert_eq!(ids(&store).await, (0..20).collect::<Vec<_>>());
        assert_eq!(store.catalog().parts_set_aside().await.unwrap(), vec![]);
        assert_eq!(store.restore().await.unwrap(), Vec::<String>::new());
        store.merge_all(true).await.unwrap();
        assert_eq!(ids(&store).await, (0..20).collect::<Vec<_>>());
        assert_eq!(store.verify().await.unwrap().problems, vec![]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_trace_index_is_made_anew() {
    for kind in [Damage::Flipped, Damage::Cut, Damage::Gone] {
        let bed = Bed::local();
        let store = bed.open().await;
        store.accept(ENVIRONMENT, vec![batch(0..50, START_NS)]).await.unwrap();
        store.merge_all(true).await.unwrap();
        let part = Arc::clone(&store.snapshot().parts()[0]);
        let good = store.trace_index(&part).await.unwrap();
        assert_eq!(good.len(), 17);
        store.close().await;
        damage(&bed, &Path::from(format!("{}.traces", part.meta.path)), kind).await;

        let store = bed.open().await;
        let part = Arc::clone(&store.snapshot().parts()[0]);
        assert_eq!(store.trace_index(&part).await.unwrap(), good, "{kind:?}: by the first question");
        assert_eq!(store.verify().await.unwrap().problems.len(), 1);
        assert_eq!(store.scrub().await.unwrap(), 0);
        assert_eq!(store.verify().await.unwrap().problems, vec![], "{kind:?}: by the look in the background");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_without_traces_needs_no_index_and_a_damaged_value_index_is_not_used() {
    let bed = Bed::local();
    let store = bed.open().await;
    let mut builder = BatchBuilder::new(Signal::Log, START_NS);
    for row in 0..20_000_i64 {
        builder.begin_row(START_NS + row, "a");
        builder.attribute(Origin::Own, "user.id", Value::Str(&format!("user-{}", row / 10)));
    }
    store.accept(ENVIRONMENT, vec![builder.finish().unwrap()]).await.unwrap();
    store.merge_all(true).await.unwrap();
    let parts = store.snapshot();
    assert!(store.trace_index(&parts.parts()[0]).await.unwrap().is_empty());
    assert_eq!(store.scrub().await.unwrap(), 0);
    let values = Path::from(format!("{}.values", parts.parts()[0].meta.path));
    assert_eq!(bed.paths().await.len(), 2, "no trace index was made up");
    damage(&bed, &values, Damage::Flipped).await;
    assert!(store.value_index(&parts.parts()[0]).await.unwrap().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_that_fails_by_itself_holds_up_no_other() {
    let bed = Bed::local();
    let store = bed.open().await;
    // No door makes such a batch: rows without a time cannot be sorted.
    let mut odd = batch(0..1000, START_NS);
    let time = odd.records.schema().index_of("time").unwrap();
    odd.records.remove_column(time);
    let other = EnvironmentId(2);
    store.accept(other, vec![odd]).await.unwrap();
    store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
    assert!(store.merge_all(true).await.is_err(), "it is said");
    let level = |environment| {
        let parts = store.snapshot();
        let part = parts.parts().iter().find(|part| part.meta.environment == environment).cloned();
        part.unwrap().meta.level
    };
    assert_eq!((level(other), level(ENVIRONMENT)), (0, 1));
    assert_eq!(store.merge_all(true).await.unwrap(), 0, "not tried again at once");
    bed.clock.advance_ns(3_600_000_000_000);
    assert!(store.merge_all(true).await.is_err(), "tried again later");
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    Flipped,
    Cut,
    Gone,
}

async fn damage(bed: &Bed, path: &Path, damage: Damage) {
    match damage {
        Damage::Flipped => {
            bed.change(path, |bytes| {
                let middle = bytes.len() / 2;
                bytes[middle] ^= 0x40;
            })
            .await;
        }
        Damage::Cut => bed.change(path, |bytes| bytes.truncate(bytes.len() / 2)).await,
        Damage::Gone => object_store::ObjectStoreExt::delete(&bed.objects().reader(), path).await.unwrap(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_part_is_found_set_aside_and_reported() {
    for kind in [Damage::Flipped, Damage::Cut, Damage::Gone] {
        for merged in [false, true] {
            for bed in Bed::all().await {
                println!("{}, {kind:?}, merged: {merged}", bed.name);
                let store = bed.open().await;
                store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
                if merged {
                    store.merge_all(true).await.unwrap();
                }
                let victim = Path::from(store.snapshot().parts()[0].meta.path.as_str());
                store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await.unwrap();
                damage(&bed, &victim, kind).await;
                let said = store.verify().await.unwrap().problems;
                assert_eq!((said.len(), said[0].0.as_str()), (1, victim.as_ref()), "verify finds it first");

                // Fresh parts are read again at the next start only; merged ones at any time.
                let store = if merged {
                    assert_eq!(store.scrub().await.unwrap(), 1);
                    store
                } else {
                    store.close().await;
                    bed.open().await
                };
                assert_eq!(ids(&store).await, (10..20).collect::<Vec<_>>(), "the rest is served");
                let set_aside = store.catalog().parts_set_aside().await.unwrap();
                assert_eq!(set_aside.len(), 1);
                assert_eq!(set_aside[0].0, victim.to_string());
                let counted = store.stats().parts_set_aside.load(std::sync::atomic::Ordering::Relaxed);
                assert_eq!(counted, 1);
                assert_eq!(store.scrub().await.unwrap(), 0);
                store.accept(ENVIRONMENT, vec![batch(20..30, START_NS)]).await.unwrap();
                store.merge_all(true).await.unwrap();
                store.expire_and_sweep().await.unwrap();
                assert_eq!(ids(&store).await, (10..30).collect::<Vec<_>>());
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_merge_sets_a_damaged_input_aside_and_merges_the_rest() {
    let bed = Bed::local();
    let store = bed.open().await;
    for start in 0..3 {
        store.accept(ENVIRONMENT, vec![batch(start * 10..start * 10 + 10, START_NS)]).await.unwrap();
        if start == 0 {
            store.merge_all(true).await.unwrap();
            let victim = Path::from(store.snapshot().parts()[0].meta.path.as_str());
            damage(&bed, &victim, Damage::Flipped).await;
        } else {
            store.merge_all(true).await.unwrap();
        }
    }
    assert_eq!(store.catalog().parts_set_aside().await.unwrap().len(), 1);
    assert_eq!(ids(&store).await, (10..30).collect::<Vec<_>>());
}
