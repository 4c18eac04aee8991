//! A file of SQLite as the URL that the database layer reads, and back. Paths are what people have: a `%`, `?` or `#` in one
//! means itself.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What makes the file when it is not there, and what does not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    Make,
    Existing,
}

/// # Errors
/// When the path is no text, or where it lies cannot be found out.
pub(crate) fn of_file(path: &Path, mode: Mode) -> Result<String> {
    let path = std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))?;
    let text = path.to_str().with_context(|| format!("{} is not UTF-8", path.display()))?;
    let mode = match mode {
        Mode::Make => "rwc",
        Mode::Existing => "rw",
    };
    Ok(format!("sqlite://{}?mode={mode}", encoded(text)))
}

fn encoded(path: &str) -> String {
    let mut text = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(byte.into())
            }
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

/// The file that a URL names; `None` for memory and other databases.
pub(crate) fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split_once(['?', '#']).map_or(path, |(path, _)| path);
    (!path.is_empty() && path != ":memory:").then(|| PathBuf::from(decoded(path)))
}

fn decoded(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let code = others.get(..2).filter(|_| *first == b'%');
        match code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_means_itself() {
        for path in ["/data/catalog.db", "/a b/50% #1?.db", "/é/%41/x", "/data/a&mode=memory"] {
            let url = of_file(Path::new(path), Mode::Make).unwrap();
            assert!(url.ends_with("?mode=rwc") && url.matches(['?', '#', ' ']).count() == 1, "{url}");
            assert_eq!(file_of(&url), Some(PathBuf::from(path)), "{url}");
        }
        for (url, file) in [
            ("sqlite:catalog.db", Some("catalog.db")),
            ("sqlite::memory:", None),
            ("postgres://db/tracery", None),
            ("sqlite:///broken%", Some("/broken%")),
            ("sqlite:///broken%zz", Some("/broken%zz")),
        ] {
            assert_eq!(file_of(url), file.map(PathBuf::from), "{url}");
        }
    }

    #[tokio::test]
    async fn the_database_lies_where_the_path_says() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("50% of #1?");
        std::fs::create_dir(&path).unwrap();
        let file = path.join("catalog.db");
        let missing = of_file(&file, Mode::Existing).unwrap();
        assert!(tracery_store::Catalog::open(&missing).await.is_err());
        assert!(!file.exists());
        tracery_store::Catalog::open(&of_file(&file, Mode::Make).unwrap()).await.unwrap();
        assert!(file.exists());
        tracery_store::Catalog::open(&missing).await.unwrap();
    }
}
