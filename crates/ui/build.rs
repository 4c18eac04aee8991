//! Lists the files that `make web` built, for `src/lib.rs` to embed. Without them (nobody who works on Rust alone needs
//! Node) there is a page that says how to make them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../web/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    list(&dist, &mut files);
    files.sort();
    let mut table = String::from("&[\n");
    for file in files.iter().filter(|file| file.extension().is_none_or(|extension| extension != "gz")) {
        let Ok(inside) = file.strip_prefix(&dist) else { continue };
        let packed = PathBuf::from(format!("{}.gz", file.display()));
        let gzipped = match packed.exists() {
            true => format!("Some(include_bytes!({:?}))", packed.display().to_string()),
            false => "None".to_owned(),
        };
        let path = format!("/{}", inside.display());
        let plain = file.display().to_string();
        let _ = writeln!(
            table,
            "    Asset {{ path: {path:?}, plain: include_bytes!({plain:?}), gzipped: {gzipped} }},"
        );
    }
    table.push_str("]\n");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default()).join("assets.rs");
    if let Err(error) = fs::write(&out, table) {
        println!("cargo:warning=cannot write {}: {error}", out.display());
    }
}

fn list(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            list(&path, files);
        } else {
            files.push(path);
        }
    }
}
