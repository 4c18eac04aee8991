//! The ready file: whoever reads it reads all of it, and finds every listener up.

use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::Value;

/// Writes `content` beside `path` and renames it into place.
pub(crate) fn write(path: &Path, content: &Value) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    let written = (|| {
        let mut file = std::fs::File::create(&unfinished)?;
        writeln!(file, "{content}")?;
        file.sync_all()?;
        std::fs::rename(&unfinished, path)
    })();
    written.with_context(|| format!("cannot write {}", path.display()))
}
