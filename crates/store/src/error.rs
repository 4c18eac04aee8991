//! What can go wrong below the sink.

use thiserror::Error;

#[derive(Debug, Error)]
pub enum StoreError {
    #[error("cannot open the catalog")]
    CatalogOpen(#[source] sqlx::Error),
    #[error("cannot migrate the catalog")]
    CatalogMigrate(#[from] sqlx::migrate::MigrateError),
    #[error("catalog does not answer")]
    Catalog(#[from] sqlx::Error),
    /// The connection was lost while a transaction was being committed.
    #[error("catalog did not say whether it took a change")]
    Unsure(#[source] sqlx::Error),
    #[error("object store does not answer for {path}")]
    Object { path: String, source: object_store::Error },
    #[error("object store is not the one that the catalog lists: {0}")]
    Stranger(&'static str),
    #[error("cannot write {path}")]
    Write { path: String, source: std::io::Error },
    #[error("part {path} is damaged: {reason}")]
    Damaged { path: String, reason: String },
    #[error("cannot encode or decode columns")]
    Arrow(#[from] arrow::error::ArrowError),
    #[error("cannot encode or decode Parquet")]
    Parquet(#[from] parquet::errors::ParquetError),
    #[error("store URL {url:?} is not understood: {reason}")]
    Url { url: String, reason: String },
    #[error("background work stopped: {0}")]
    Stopped(String),
}

impl StoreError {
    /// Whether the catalog or the object store failed, so that anything else would fail now too.
    pub(crate) fn is_of_storage(&self) -> bool {
        match self {
            Self::CatalogOpen(_)
            | Self::CatalogMigrate(_)
            | Self::Catalog(_)
            | Self::Unsure(_)
            | Self::Object { .. }
            | Self::Stranger(_)
            | Self::Write { .. }
            | Self::Url { .. } => true,
            Self::Damaged { .. } | Self::Arrow(_) | Self::Parquet(_) | Self::Stopped(_) => false,
        }
    }
}
