//! The key that secrets of access keys are encrypted with: given as a setting, or kept in a file of the data directory that
//! only its owner reads. Every command that opens the settings asks for it; the first one makes it.

use std::io::{ErrorKind, Write as _};
use std::path::Path;

use anyhow::{Context as _, Result};
use tracery_settings::{ServerKey, Settings};

use crate::config::Place;

const FILE_NAME: &str = "secret.key";

/// The settings with the key; without one where there is neither a setting nor a data directory.
pub(crate) fn unlock(settings: Settings, place: &Place) -> Result<Settings> {
    let text = match (&place.secret_key, &place.data_dir) {
        (Some(text), _) => text.clone(),
        (None, Some(directory)) => kept(directory)?,
        (None, None) => return Ok(settings),
    };
    Ok(settings.with_server_key(ServerKey::from_text(&text).context("--secret-key")?))
}

fn kept(directory: &Path) -> Result<String> {
    let path = directory.join(FILE_NAME);
    let read = || std::fs::read_to_string(&path);
    match read() {
        Ok(text) => return Ok(text),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    // Whole as soon as it is there; whoever comes second takes the first one's.
    let made = (|| {
        let mut file = tempfile::NamedTempFile::new_in(directory)?;
        writeln!(file, "{}", ServerKey::random_text())?;
        file.as_file().sync_all()?;
        match file.persist_noclobber(&path) {
            Err(error) if error.error.kind() != ErrorKind::AlreadyExists => Err(error.error),
            _ => read(),
        }
    })();
    made.with_context(|| format!("cannot make {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_nobody_else_reads_it() {
        let directory = tempfile::tempdir().unwrap();
        let place = directory.path().join("data");
        let key = kept(&place).unwrap();
        assert_eq!(kept(&place).unwrap(), key);
        ServerKey::from_text(&key).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(place.join(FILE_NAME)).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
