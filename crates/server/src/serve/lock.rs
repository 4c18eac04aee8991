//! One server at a time on a SQLite catalog: two would each keep a list of parts of their own and remove what the other
//! still reads. [`take`] is called once when a server starts; commands that only look take no lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::config::Place;
use crate::sqlite_url;

/// The lock of the catalog's file, held until it is dropped or the process ends. `None` for catalogs that several
/// servers may share, and on file systems without locks.
///
/// # Errors
/// When another server has it, or the file cannot be made.
pub(super) fn take(place: &Place) -> Result<Option<File>> {
    let Some(path) = lock_path(&place.catalog_url()?) else { return Ok(None) };
    let open = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
    let file = open.with_context(|| format!("cannot open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => bail!(
            "another server uses this data directory ({} is locked); several servers need a PostgreSQL catalog",
            path.display()
        ),
        Err(TryLockError::Error(error)) => {
            tracing::warn!(%error, path = %path.display(), "cannot lock: nothing keeps a second server away");
            Ok(None)
        }
    }
}

/// Beside the database. SQLite's own locks are in the database's file.
fn lock_path(catalog_url: &str) -> Option<PathBuf> {
    let mut path = sqlite_url::file_of(catalog_url)?.into_os_string();
    path.push(".lock");
    Some(path.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_lies_beside_the_database() {
        for (url, expected) in [
            ("sqlite:///data/catalog.db?mode=rwc", Some("/data/catalog.db.lock")),
            ("sqlite:catalog.db", Some("catalog.db.lock")),
            ("sqlite:///a%20b/catalog.db?mode=rwc", Some("/a b/catalog.db.lock")),
            ("sqlite::memory:", None),
            ("postgres://db/tracery", None),
        ] {
            assert_eq!(lock_path(url), expected.map(PathBuf::from), "{url}");
        }
    }
}
