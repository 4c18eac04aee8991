//! The store against an oracle: random accepts, merges, expiries, sweeps and restarts over an object store that fails
//! at random, before or after it did what it was asked. Whatever happens, every acknowledged row is found exactly
//! once, and a row whose batch was refused at most once.
//!
//! The seed is printed; `TRACERY_TEST_SEED=n` replays it.

use std::collections::BTreeSet;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tracery_columnar::{BatchBuilder, EventBatch, Fixed, Sink};
use tracery_model::{Origin, Signal, Value};
use tracery_store::{MergePolicy, Objects, Store, StoreOptions};

use crate::bed::{Bed, ENVIRONMENT, START_NS, ids};
use crate::faulty::{Fault, Faulty};

const STEPS: usize = 150;
const SEEDS: u64 = 4;

fn batch(signal: Signal, ids: &[i64], random: &mut StdRng) -> EventBatch {
    let mut builder = BatchBuilder::new(signal, 0);
    for id in ids {
        let hour_ns = 3_600_000_000_000 * random.random_range(0..4);
        builder.begin_row(hour_ns + random.random_range(0..1000), ["a", "b", "c"][random.random_range(0..3)]);
        if random.random_bool(0.8) {
            builder.id(Fixed::TraceId, &[random.random_range(1..9); 16]);
        }
        builder.attribute(Origin::Own, "id", Value::Int(*id));
        if random.random_bool(0.3) {
            let key = format!("sometimes.{}", random.random_range(0..5));
            builder.attribute(Origin::Own, &key, Value::Str("a text that is longer than twelve bytes"));
        }
    }
    builder.finish().unwrap()
}

async fn open(bed: &Bed, faulty: &Arc<Faulty>) -> Store {
    let merge = MergePolicy { fresh_rows: 60, merged_count: 2, ..MergePolicy::default() };
    bed.open_with(Objects::remote(Arc::clone(faulty) as _), StoreOptions { merge, ..bed.options }).await
}

async fn run(bed: Bed, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let faulty = Arc::new(Faulty::seeded(seed ^ 0xfa));
    // Far enough ahead that no object is too young to be swept.
    bed.clock.advance_ns(i64::MAX / 2 - START_NS);
    let mut store = open(&bed, &faulty).await;
    let mut acknowledged: BTreeSet<i64> = BTreeSet::new();
    let mut refused: BTreeSet<i64> = BTreeSet::new();
    let mut next_id = 0_i64;
    for step in 0..STEPS {
        faulty.set(Fault::Sometimes);
        match random.random_range(0..10) {
            0..=5 => {
                let mut batches = Vec::new();
                let mut written = Vec::new();
                for signal in [Signal::Span, Signal::Log] {
                    let count = random.random_range(1..20);
                    let ids: Vec<i64> = (next_id..next_id + count).collect();
                    next_id += count;
                    batches.push(batch(signal, &ids, &mut random));
                    written.extend(ids);
                }
                let accepted = store.accept(ENVIRONMENT, batches).await.is_ok();
                if accepted { &mut acknowledged } else { &mut refused }.extend(written);
            }
            6 | 7 => drop(store.merge_all(random.random_bool(0.3)).await),
            8 => drop(store.expire_and_sweep().await),
            _ => {
                // The old one is never told to stop: its tasks go on beside the new one, as those of a process that
                // is slow to die would. A process that is killed is what `tests/crash` is for.
                drop(store);
                faulty.set(Fault::Never);
                store = open(&bed, &faulty).await;
            }
        }
        faulty.set(Fault::Never);
        let found = ids(&store).await;
        let unique: BTreeSet<i64> = found.iter().copied().collect();
        let at = format!("{}, seed {seed}, step {step}", bed.name);
        assert_eq!(unique.len(), found.len(), "{at}: a row is there twice");
        let missing: Vec<_> = acknowledged.difference(&unique).collect();
        assert!(missing.is_empty(), "{at}: acknowledged rows are gone: {missing:?}");
        let unknown: Vec<_> =
            unique.iter().filter(|id| !acknowledged.contains(id) && !refused.contains(id)).collect();
        assert!(unknown.is_empty(), "{at}: nobody wrote {unknown:?}");
    }
    assert_eq!(store.verify().await.unwrap().problems, vec![], "seed {seed}");
    assert!(!acknowledged.is_empty(), "seed {seed}: nothing was tested");
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_rows_are_found_exactly_once() {
    let seeds: Vec<u64> = match std::env::var("TRACERY_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("TRACERY_TEST_SEED is a number")],
        Err(_) => {
            let first: u64 = rand::random();
            (0..SEEDS).map(|offset| first.wrapping_add(offset)).collect()
        }
    };
    for &seed in &seeds {
        println!("seed {seed}");
        run(Bed::local(), seed).await;
    }
    if let Some(bed) = Bed::postgres().await {
        run(bed, seeds[0]).await;
    }
}
