//! No room, no object store, damaged parts: what was accepted stays, what comes is refused with a time to come again,
//! and all is well when the cause goes.

use std::sync::Arc;

use object_store::path::Path;
use tracery_columnar::Sink;
use tracery_model::SinkError;
use tracery_store::Objects;

use crate::bed::{Bed, ENVIRONMENT, START_NS, batch, ids};
use crate::faulty::{Fault, Faulty};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_or_absent_object_store_means_come_again() {
    for fault in [Fault::NoSpace, Fault::Gone] {
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
