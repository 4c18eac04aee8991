//! What a store test stands on: a catalog and an object store of its own. Tests run on SQLite with a local directory,
//! on PostgreSQL when `TRACERY_TEST_POSTGRES_URL` names a server, and on S3 when `TRACERY_TEST_S3_URL` names a bucket
//! (with the usual `AWS_…` variables); `scripts/test` sets both.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use bytes::Bytes;
use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use sqlx::{AnyConnection, Connection, Executor};
use tracery_columnar::{BatchBuilder, EventBatch, Fixed};
use tracery_model::{EnvironmentId, Origin, Signal, TimeRange, Value};
use tracery_stdx::ManualClock;
use tracery_store::{Catalog, MergePolicy, Objects, Part, Store, StoreOptions};
use uuid::Uuid;

pub(crate) const ENVIRONMENT: EnvironmentId = EnvironmentId(1);
pub(crate) const START_NS: i64 = 1_700_000_000_000_000_000;
/// Takes the clock past the age of every object, whose times are the system's.
pub(crate) const AGES_NS: i64 = i64::MAX / 4;

pub(crate) struct Bed {
    /// What it is made of, for a failing test to say.
    pub(crate) name: &'static str,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) options: StoreOptions,
    pub(crate) catalog_url: String,
    pub(crate) store_url: String,
    _directory: tempfile::TempDir,
}

impl Bed {
    /// SQLite and a local directory.
    pub(crate) fn local() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = StoreOptions {
            maintenance: false,
            orphan_age: Duration::ZERO,
            merge: MergePolicy { fresh_rows: 10, merged_count: 2, ..MergePolicy::default() },
            ..StoreOptions::default()
        };
        Self {
            name: "SQLite and a directory",
            clock: Arc::new(ManualClock::at_ns(START_NS)),
            options,
            catalog_url: format!("sqlite://{}?mode=rwc", directory.path().join("catalog.db").display()),
            store_url: format!("file://{}", directory.path().join("objects").display()),
            _directory: directory,
        }
    }

    /// PostgreSQL and a local directory.
    pub(crate) async fn postgres() -> Option<Self> {
        let Ok(url) = std::env::var("TRACERY_TEST_POSTGRES_URL") else {
            eprintln!("TRACERY_TEST_POSTGRES_URL is not set: PostgreSQL is not tested");
            return None;
        };
        let schema = format!("bed_{}", Uuid::now_v7().simple());
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        connection.execute(format!("CREATE SCHEMA {schema}").as_str()).await.unwrap();
        connection.close().await.unwrap();
        let join = if url.contains('?') { '&' } else { '?' };
        let catalog_url = format!("{url}{join}options[search_path]={schema}");
        Some(Self { name: "PostgreSQL and a directory", catalog_url, ..Self::local() })
    }

    /// SQLite and S3.
    pub(crate) fn s3() -> Option<Self> {
        let Ok(url) = std::env::var("TRACERY_TEST_S3_URL") else {
            eprintln!("TRACERY_TEST_S3_URL is not set: S3 is not tested");
            return None;
        };
        let store_url = format!("{}/bed-{}", url.trim_end_matches('/'), Uuid::now_v7().simple());
        Some(Self { name: "SQLite and S3", store_url, ..Self::local() })
    }

    pub(crate) async fn all() -> Vec<Self> {
        let mut beds = vec![Self::local()];
        beds.extend(Self::postgres().await);
        beds.extend(Self::s3());
        beds
    }

    pub(crate) fn objects(&self) -> Objects {
        let names = [
            ("AWS_ACCESS_KEY_ID", "aws_access_key_id"),
            ("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key"),
            ("AWS_REGION", "aws_region"),
            ("AWS_ENDPOINT_URL", "aws_endpoint"),
            ("AWS_ALLOW_HTTP", "aws_allow_http"),
        ];
        let options: Vec<(String, String)> = names
            .iter()
            .filter_map(|(variable, option)| Some(((*option).to_owned(), std::env::var(variable).ok()?)))
            .collect();
        Objects::from_url(&self.store_url, &options).unwrap()
    }

    /// Where a local store lies.
    pub(crate) fn directory(&self) -> PathBuf {
        self._directory.path().join("objects")
    }

    pub(crate) async fn open(&self) -> Store {
        self.open_with(self.objects(), self.options).await
    }

    pub(crate) async fn open_with(&self, objects: Objects, options: StoreOptions) -> Store {
        let catalog = Catalog::open(&self.catalog_url).await.unwrap();
        Store::open(catalog, objects, self.clock.clone(), options).await.unwrap()
    }

    /// The paths of all objects of parts, sorted.
    pub(crate) async fn paths(&self) -> Vec<Path> {
        let reader = self.objects().reader();
        let mut paths: Vec<Path> = reader
            .list(Some(&Path::from("parts")))
            .map_ok(|object| object.location)
            .try_collect()
            .await
            .unwrap();
        paths.sort();
        paths
    }

    /// Replaces an object behind the store's back.
    pub(crate) async fn change(&self, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
        let reader = self.objects().reader();
        let mut bytes = reader.get(path).await.unwrap().bytes().await.unwrap().to_vec();
        change(&mut bytes);
        reader.put(path, bytes.into()).await.unwrap();
    }
}

/// Spans that carry their number as `id`.
pub(crate) fn batch(ids: std::ops::Range<i64>, at_ns: i64) -> EventBatch {
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

/// Every `oi:id` of any signal in the store, sorted.
pub(crate) async fn ids(store: &Store) -> Vec<i64> {
    let mut found = Vec::new();
    for part in store.snapshot().select(ENVIRONMENT, &Signal::ALL, TimeRange::ALL, None) {
        if let Some(fresh) = part.fresh() {
            for chunk in &fresh.chunks {
                let column = chunk.schema().index_of("oi:id").unwrap();
                found.extend(chunk.read(&[column]).unwrap().column(0).as_primitive::<Int64Type>().values());
            }
            continue;
        }
        for batch in merged(store, &part).await {
            let column = batch.column_by_name("oi:id").unwrap();
            assert_eq!(column.null_count(), 0);
            found.extend(column.as_primitive::<Int64Type>().values());
        }
    }
    found.sort_unstable();
    found
}

/// The rows of a merged part.
pub(crate) async fn merged(store: &Store, part: &Part) -> Vec<arrow::array::RecordBatch> {
    let reader: Arc<dyn ObjectStore> = store.objects().reader();
    let object = reader.get(&Path::from(part.meta.path.as_str())).await.unwrap();
    let bytes: Bytes = object.bytes().await.unwrap();
    parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(bytes)
        .unwrap()
        .build()
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap()
}
