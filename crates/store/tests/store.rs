//! The store through its public door: what is accepted is found again, after merges, restarts and expiry.

use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use tracery_columnar::{BatchBuilder, EventBatch, Fixed, Sink};
use tracery_model::{EnvironmentId, Origin, Signal, SinkError, TimeRange, Value};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, MergePolicy, Objects, Store, StoreOptions};

const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
const START_NS: i64 = 1_700_000_000_000_000_000;

struct Bed {
    directory: tempfile::TempDir,
    clock: Arc<ManualClock>,
    options: StoreOptions,
}

impl Bed {
    fn new() -> Self {
        let options = StoreOptions {
            maintenance: false,
            orphan_age: Duration::ZERO,
            merge: MergePolicy { fresh_rows: 10, merged_count: 2, ..MergePolicy::default() },
            ..StoreOptions::default()
        };
        Self {
            directory: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::at_ns(START_NS)),
            options,
        }
    }

    async fn open(&self) -> Store {
        let url = format!("sqlite://{}?mode=rwc", self.directory.path().join("catalog.db").display());
        let catalog = Catalog::open(&url).await.unwrap();
        let objects = Objects::local(&self.directory.path().join("objects")).unwrap();
        Store::open(catalog, objects, self.clock.clone(), self.options).await.unwrap()
    }

    fn objects(&self) -> Vec<std::path::PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![self.directory.path().join("objects")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }
}

fn batch(ids: std::ops::Range<i64>, at_ns: i64) -> EventBatch {
    let mut builder = BatchBuilder::new(Signal::Span, START_NS);
    for id in ids {
        builder.begin_row(at_ns + id, if id % 2 == 0 { "even" } else { "odd" });
        let mut trace_id = [1; 16];
        trace_id[..8].copy_from_slice(&(id / 3).to_be_bytes());
        builder.id(Fixed::TraceId, &trace_id);
        builder.attribute(Origin::Own, "id", Value::Int(id));
        if id % 5 == 0 {
            builder.attribute(Origin::Own, "five", Value::Str("a value that is set now and then"));
        }
    }
    builder.finish().unwrap()
}

/// Every `oi:id` in the store, sorted.
async fn ids(store: &Store) -> Vec<i64> {
    let mut found = Vec::new();
    for part in store.snapshot().select(ENVIRONMENT, &[Signal::Span], TimeRange::ALL, None) {
        if let Some(fresh) = part.fresh() {
            for chunk in &fresh.chunks {
                let column = chunk.schema().index_of("oi:id").unwrap();
                found.extend(chunk.read(&[column]).unwrap().column(0).as_primitive::<Int64Type>().values());
            }
            continue;
        }
        let path = object_store::path::Path::from(part.meta.path.as_str());
        let reader = store.objects().reader();
        let bytes = object_store::ObjectStoreExt::get(&reader, &path).await.unwrap().bytes().await.unwrap();
        for batch in parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes)
            .unwrap()
            .build()
            .unwrap()
        {
            let batch = batch.unwrap();
            let column = batch.column_by_name("oi:id").unwrap();
            assert_eq!(column.null_count(), 0);
            found.extend(column.as_primitive::<Int64Type>().values());
        }
    }
    found.sort_unstable();
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn accepted_rows_outlive_merges_and_restarts() {
    let bed = Bed::new();
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
    bed.clock.advance_ns(i64::MAX / 4);
    store.expire_and_sweep().await.unwrap();
    assert_eq!(
        bed.objects().len(),
        2 * store.snapshot().parts().len(),
        "each part and its index, nothing else"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn one_environment_never_sees_another() {
    let bed = Bed::new();
    let store = bed.open().await;
    store.accept(ENVIRONMENT, vec![batch(0..3, START_NS)]).await.unwrap();
    let other = EnvironmentId(2);
    assert!(store.snapshot().select(other, &Signal::ALL, TimeRange::ALL, None).is_empty());
    assert!(store.columns(other, None, &Signal::ALL).is_empty());
    assert!(store.datasets(other).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_drops_whole_windows() {
    let mut bed = Bed::new();
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

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_part_is_set_aside_and_the_rest_is_served() {
    let bed = Bed::new();
    let store = bed.open().await;
    store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
    let victim = bed.objects().pop().unwrap();
    store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await.unwrap();
    store.close().await;
    let mut bytes = std::fs::read(&victim).unwrap();
    bytes[20] ^= 0xff;
    std::fs::write(&victim, bytes).unwrap();

    let store = bed.open().await;
    assert_eq!(ids(&store).await, (10..20).collect::<Vec<_>>());
    assert_eq!(store.verify().await.unwrap().problems.len(), 1);
    store.expire_and_sweep().await.unwrap();
    assert!(victim.exists(), "what was set aside is kept for a person to look at");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_store_says_busy_and_recovers() {
    let mut bed = Bed::new();
    bed.options.fresh_bytes_max = 1;
    let store = bed.open().await;
    store.accept(ENVIRONMENT, vec![batch(0..10, START_NS)]).await.unwrap();
    let refused = store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await;
    assert!(matches!(refused, Err(SinkError::Busy { .. })));
    store.merge_all(true).await.unwrap();
    store.accept(ENVIRONMENT, vec![batch(10..20, START_NS)]).await.unwrap();
    assert_eq!(ids(&store).await.len(), 20);
}
