//! The store against an oracle: random accepts, merges, expiries, sweeps and restarts over an object store that fails
//! at random, before or after it did what it was asked. Whatever happens, every acknowledged row is found exactly
//! once, and a row whose batch was refused at most once.
//!
//! The seed is printed; `TRACERY_TEST_SEED=n` replays it.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tracery_columnar::{BatchBuilder, EventBatch, Fixed, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, TimeRange, Value};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, MergePolicy, Objects, Store, StoreOptions};

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
const STEPS: usize = 150;
const SEEDS: u64 = 6;

/// Fails a share of the calls while it is told to, half of the time after doing what was asked.
#[derive(Debug)]
struct Faulty {
    inner: InMemory,
    random: Mutex<StdRng>,
    failing: AtomicBool,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

fn fault() -> object_store::Error {
    object_store::Error::Generic { store: "faulty", source: "injected".into() }
}

impl Faulty {
    fn strikes(&self) -> bool {
        self.failing.load(Ordering::Relaxed) && self.random.lock().random_bool(0.15)
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        if self.strikes() {
            return Err(fault());
        }
        let result = self.inner.put_opts(location, payload, options).await;
        if self.strikes() { Err(fault()) } else { result }
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        if self.strikes() { Err(fault()) } else { self.inner.get_opts(location, options).await }
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        if self.strikes() {
            return Box::pin(futures::stream::iter([Err(fault())]));
        }
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if self.strikes() {
            return Box::pin(futures::stream::iter([Err(fault())]));
        }
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

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

async fn ids(store: &Store) -> Vec<i64> {
    let mut found = Vec::new();
    for part in store.snapshot().select(ENVIRONMENT, &Signal::ALL, TimeRange::ALL, None) {
        if let Some(fresh) = part.fresh() {
            for chunk in &fresh.chunks {
                let column = chunk.schema().index_of("oi:id").unwrap();
                found.extend(chunk.read(&[column]).unwrap().column(0).as_primitive::<Int64Type>().values());
            }
            continue;
        }
        let object = store.objects().reader().get(&Path::from(part.meta.path.as_str())).await.unwrap();
        let bytes = object.bytes().await.unwrap();
        for batch in ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap() {
            let batch = batch.unwrap();
            found.extend(batch.column_by_name("oi:id").unwrap().as_primitive::<Int64Type>().values());
        }
    }
    found.sort_unstable();
    found
}

async fn open(directory: &std::path::Path, faulty: &Arc<Faulty>, clock: &Arc<ManualClock>) -> Store {
    let options = StoreOptions {
        maintenance: false,
        orphan_age: Duration::ZERO,
        merge: MergePolicy { fresh_rows: 60, merged_count: 2, ..MergePolicy::default() },
        ..StoreOptions::default()
    };
    let url = format!("sqlite://{}?mode=rwc", directory.join("catalog.db").display());
    let objects = Objects::remote(Arc::clone(faulty) as Arc<dyn ObjectStore>);
    Store::open(Catalog::open(&url).await.unwrap(), objects, clock.clone(), options).await.unwrap()
}

async fn run(seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let faulty = Arc::new(Faulty {
        inner: InMemory::new(),
        random: Mutex::new(StdRng::seed_from_u64(seed ^ 0xfa)),
        failing: AtomicBool::new(true),
    });
    let directory = tempfile::tempdir().unwrap();
    // Far enough ahead that no object is too young to be swept.
    let clock = Arc::new(ManualClock::at_ns(i64::MAX / 2));
    faulty.failing.store(false, Ordering::Relaxed);
    let mut store = open(directory.path(), &faulty, &clock).await;
    let mut acknowledged: BTreeSet<i64> = BTreeSet::new();
    let mut refused: BTreeSet<i64> = BTreeSet::new();
    let mut next_id = 0_i64;
    for step in 0..STEPS {
        faulty.failing.store(true, Ordering::Relaxed);
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
                // Leaves without a word, as a killed process would.
                drop(store);
                faulty.failing.store(false, Ordering::Relaxed);
                store = open(directory.path(), &faulty, &clock).await;
            }
        }
        faulty.failing.store(false, Ordering::Relaxed);
        let found = ids(&store).await;
        let unique: BTreeSet<i64> = found.iter().copied().collect();
        assert_eq!(unique.len(), found.len(), "seed {seed}, step {step}: a row is there twice");
        let missing: Vec<_> = acknowledged.difference(&unique).collect();
        assert!(missing.is_empty(), "seed {seed}, step {step}: acknowledged rows are gone: {missing:?}");
        let unknown: Vec<_> =
            unique.iter().filter(|id| !acknowledged.contains(id) && !refused.contains(id)).collect();
        assert!(unknown.is_empty(), "seed {seed}, step {step}: nobody wrote {unknown:?}");
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
    for seed in seeds {
        println!("seed {seed}");
        run(seed).await;
    }
}
