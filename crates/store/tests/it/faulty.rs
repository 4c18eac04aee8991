//! An object store in memory that fails when it is told to; the oracle and the fault tests stand on it.

use std::fmt;

use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use parking_lot::Mutex;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

/// When calls fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    Never,
    /// A share of them, half of the time after doing what was asked.
    Sometimes,
    /// Writes find no room.
    NoSpace,
    /// Nothing answers.
    Gone,
    /// The answer to everything is that it is not there, as of a bucket or a directory that is gone.
    Unmounted,
}

#[derive(Debug)]
pub(crate) struct Faulty {
    inner: InMemory,
    random: Mutex<StdRng>,
    fault: Mutex<Fault>,
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

fn injected(what: &'static str) -> Error {
    Error::Generic { store: "faulty", source: what.into() }
}

impl Faulty {
    /// One that never fails until it is told to.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self {
            inner: InMemory::new(),
            random: Mutex::new(StdRng::seed_from_u64(seed)),
            fault: Mutex::new(Fault::Never),
        }
    }

    pub(crate) fn set(&self, fault: Fault) {
        *self.fault.lock() = fault;
    }

    fn strike(&self, writes: bool) -> Result<()> {
        match *self.fault.lock() {
            Fault::Sometimes if self.random.lock().random_bool(0.15) => Err(injected("by chance")),
            Fault::NoSpace if writes => Err(injected("no space left on device")),
            Fault::Gone => Err(injected("connection refused")),
            Fault::Unmounted => {
                Err(Error::NotFound { path: "bucket".into(), source: "no such bucket".into() })
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.strike(true)?;
        let result = self.inner.put_opts(location, payload, options).await;
        self.strike(true).and(result)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.strike(false)?;
        self.inner.get_opts(location, options).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        if let Err(error) = self.strike(false) {
            return Box::pin(futures::stream::iter([Err(error)]));
        }
        self.inner.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        if let Err(error) = self.strike(false) {
            return Box::pin(futures::stream::iter([Err(error)]));
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
