//! The object store, and the one way a part is written to it: durable before it is listed.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::{
    ClientOptions, GetOptions, GetRange, ObjectStore, ObjectStoreExt, PutPayload, RetryConfig,
};

use crate::{StoreError, identity};

/// A store that is gone is told to the client while it still waits; it comes again.
const RETRIES_MAX: usize = 4;
const RETRY_TIME_MAX: Duration = Duration::from_secs(5);
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// An object store. For a local directory, writes go around `object_store`, which does not sync: the file is synced,
/// renamed into place, and its directory synced.
#[derive(Debug, Clone)]
pub struct Objects {
    store: Arc<dyn ObjectStore>,
    local_root: Option<PathBuf>,
}

impl Objects {
    /// Objects below a local directory, which is made if it is missing.
    pub fn local(root: &Path) -> Result<Self, StoreError> {
        let error = |source| StoreError::Write { path: root.display().to_string(), source };
        std::fs::create_dir_all(root).map_err(error)?;
        let root = root.canonicalize().map_err(error)?;
        let store = LocalFileSystem::new_with_prefix(&root)
            .map_err(|source| StoreError::Object { path: root.display().to_string(), source })?;
        Ok(Self { store: Arc::new(store), local_root: Some(root) })
    }

    /// `file:///dir` or `s3://bucket/prefix`; credentials and endpoint of S3 come from `options`
    /// (`aws_access_key_id`, `aws_secret_access_key`, `aws_endpoint`, `aws_region`, `aws_allow_http`).
    pub fn from_url(url: &str, options: &[(String, String)]) -> Result<Self, StoreError> {
        let bad = |reason: String| StoreError::Url { url: url.to_owned(), reason };
        let parsed = url::Url::parse(url).map_err(|error| bad(error.to_string()))?;
        match parsed.scheme() {
            "file" => Self::local(&parsed.to_file_path().map_err(|()| bad("it names no directory".into()))?),
            "s3" => {
                let bucket = parsed.host_str().ok_or_else(|| bad("it names no bucket".into()))?;
                let mut builder = AmazonS3Builder::new()
                    .with_bucket_name(bucket)
                    .with_retry(RetryConfig {
                        max_retries: RETRIES_MAX,
                        retry_timeout: RETRY_TIME_MAX,
                        ..RetryConfig::default()
                    })
                    .with_client_options(ClientOptions::new().with_connect_timeout(CONNECT_TIME_MAX));
                for (key, value) in options {
                    let key = key.parse().map_err(|_| bad(format!("{key} is no S3 option")))?;
                    builder = builder.with_config(key, value);
                }
                let store = builder.build().map_err(|error| bad(error.to_string()))?;
                let prefix = parsed.path().trim_matches('/');
                let store: Arc<dyn ObjectStore> = if prefix.is_empty() {
                    Arc::new(store)
                } else {
                    Arc::new(object_store::prefix::PrefixStore::new(store, prefix))
                };
                Ok(Self { store, local_root: None })
            }
            scheme => Err(bad(format!("scheme {scheme:?} is neither file nor s3"))),
        }
    }

    /// Any implementation whose `put` is durable; tests pass faulty ones.
    pub fn remote(store: Arc<dyn ObjectStore>) -> Self {
        Self { store, local_root: None }
    }

    /// The store to read from.
    pub fn reader(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// Writes an object; durable when this returns. A directory without the mark of its catalog is not written to:
    /// what was mounted there is gone, and what is below it would be lost with the next mount.
    pub(crate) async fn put(&self, path: &str, pieces: Vec<Bytes>) -> Result<(), StoreError> {
        if let Some(root) = &self.local_root {
            let mark = root.join(identity::PATH);
            if path != identity::PATH && !tokio::fs::try_exists(&mark).await.unwrap_or(false) {
                return Err(identity::stranger(false));
            }
            let target = root.join(path);
            let written = tokio::task::spawn_blocking(move || write_synced(&target, &pieces)).await;
            return written
                .map_err(|error| StoreError::Stopped(error.to_string()))?
                .map_err(|source| StoreError::Write { path: path.to_owned(), source });
        }
        let payload: PutPayload = pieces.into_iter().collect();
        self.store
            .put(&ObjectPath::from(path), payload)
            .await
            .map(drop)
            .map_err(|source| StoreError::Object { path: path.to_owned(), source })
    }

    pub(crate) async fn get(&self, path: &str) -> Result<Bytes, StoreError> {
        let error = |source| StoreError::Object { path: path.to_owned(), source };
        let result = self.store.get(&ObjectPath::from(path)).await.map_err(error)?;
        result.bytes().await.map_err(error)
    }

    /// Whether the object is there.
    pub(crate) async fn exists(&self, path: &str) -> Result<bool, StoreError> {
        match self.store.head(&ObjectPath::from(path)).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(StoreError::Object { path: path.to_owned(), source }),
        }
    }

    /// The last `len` bytes of an object, or all of a shorter one, and how long it is.
    pub(crate) async fn get_end(&self, path: &str, len: u64) -> Result<(Bytes, u64), StoreError> {
        let error = |source| StoreError::Object { path: path.to_owned(), source };
        let options = GetOptions { range: Some(GetRange::Suffix(len)), ..GetOptions::default() };
        let result = self.store.get_opts(&ObjectPath::from(path), options).await.map_err(error)?;
        let whole_len = result.meta.size;
        Ok((result.bytes().await.map_err(error)?, whole_len))
    }

    /// Removes an object; one that is gone already is fine.
    pub(crate) async fn delete(&self, path: &str) -> Result<(), StoreError> {
        match self.store.delete(&ObjectPath::from(path)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(source) => Err(StoreError::Object { path: path.to_owned(), source }),
        }
    }

    /// Length and CRC-32 of an object, read piece by piece.
    pub(crate) async fn checksum(&self, path: &str) -> Result<(u64, u32), StoreError> {
        let error = |source| StoreError::Object { path: path.to_owned(), source };
        let mut stream = self.store.get(&ObjectPath::from(path)).await.map_err(error)?.into_stream();
        let mut hasher = crc32fast::Hasher::new();
        let mut len = 0;
        while let Some(piece) = stream.try_next().await.map_err(error)? {
            hasher.update(&piece);
            len += piece.len() as u64;
        }
        Ok((len, hasher.finalize()))
    }

    /// Path and last-modified time (ms since the epoch) of every object below `prefix`.
    pub(crate) async fn list(&self, prefix: &str) -> Result<Vec<(String, i64)>, StoreError> {
        self.store
            .list(Some(&ObjectPath::from(prefix)))
            .map_ok(|object| (object.location.to_string(), object.last_modified.timestamp_millis()))
            .try_collect()
            .await
            .map_err(|source| StoreError::Object { path: prefix.to_owned(), source })
    }
}

/// Whether the object store answered that it has no such object. It says the same of a bucket or a directory that is
/// gone altogether.
pub(crate) fn is_not_found(error: &StoreError) -> bool {
    matches!(error, StoreError::Object { source: object_store::Error::NotFound { .. }, .. })
}

fn write_synced(target: &Path, pieces: &[Bytes]) -> std::io::Result<()> {
    let directory = target.parent().unwrap_or(Path::new("."));
    make_directories(directory)?;
    let unfinished = target.with_extension("unfinished");
    let result = (|| {
        let mut file = File::create(&unfinished)?;
        for piece in pieces {
            file.write_all(piece)?;
        }
        file.sync_data()?;
        std::fs::rename(&unfinished, target)?;
        File::open(directory)?.sync_all()
    })();
    if result.is_err() {
        // The disk may be full: what was begun must not keep it so.
        drop(std::fs::remove_file(&unfinished));
    }
    result
}

/// Makes missing directories from the top, syncing each parent so that the new entry survives a crash.
fn make_directories(directory: &Path) -> std::io::Result<()> {
    if directory.is_dir() {
        return Ok(());
    }
    if let Some(parent) = directory.parent() {
        make_directories(parent)?;
        match std::fs::create_dir(directory) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error),
            _ => File::open(parent)?.sync_all()?,
        }
    }
    Ok(())
}
