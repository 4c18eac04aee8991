//! Java and its relatives: `Throwable.printStackTrace`. OpenTelemetry's SDK for PHP prints its traces the same way, and so are
//! those of X-Ray's segments spelled, whatever their language: files tell it.

use super::{Language, add_line, headed, lines, split_name, turned};
use crate::{Exception, Frame};

/// The language of a chain by the ending of its files.
pub(super) fn language(chain: &[Exception]) -> Language {
    let files = chain.iter().flat_map(|one| &one.frames).map(|frame| frame.file.as_str());
    let by_ending = |file: &str| match file.rsplit_once('.')?.1 {
        "py" => Some(Language::Python),
        "js" | "mjs" | "cjs" | "ts" | "tsx" | "jsx" => Some(Language::JavaScript),
        "go" => Some(Language::Go),
        "cs" => Some(Language::DotNet),
        "rb" => Some(Language::Ruby),
        "php" => Some(Language::Php),
        "rs" => Some(Language::Rust),
        _ => None,
    };
    files.filter_map(by_ending).next().unwrap_or(Language::Java)
}

pub(super) fn read(text: &str) -> Vec<Exception> {
    chain(text).into_iter().filter(|one| !one.class.is_empty() || !one.frames.is_empty()).collect()
}

fn chain(text: &str) -> Vec<Exception> {
    let mut chain: Vec<Exception> = Vec::new();
    // What was suppressed is not what failed.
    let mut is_skipped = false;
    for line in lines(text) {
        let inner = line.trim_start();
        if inner.starts_with("Suppressed: ") && inner.len() < line.len() {
            is_skipped = true;
            continue;
        }
        if let Some(cause) = line.strip_prefix("Caused by: ") {
            is_skipped = false;
            chain.push(headed(cause));
            continue;
        }
        if is_skipped || inner.starts_with("... ") && inner.ends_with(" more") {
            continue;
        }
        if let Some(found) = inner.strip_prefix("at ").and_then(place) {
            if chain.is_empty() {
                chain.push(Exception::default());
            }
            if let Some(last) = chain.last_mut() {
                last.frames.push(found);
            }
            continue;
        }
        match chain.last_mut() {
            Some(last) if last.frames.is_empty() => add_line(last, line),
            Some(_) => {}
            None if line.is_empty() => {}
            None => chain.push(headed(without_thread(line))),
        }
    }
    turned(chain)
}

/// Without `Exception in thread "main" `.
fn without_thread(line: &str) -> &str {
    let rest = line.strip_prefix("Exception in thread \"").and_then(|rest| rest.split_once("\" "));
    rest.map_or(line, |(_, rest)| rest)
}

/// `java.base/java.util.ArrayList.get(ArrayList.java:427)`.
fn place(text: &str) -> Option<Frame> {
    // What packaging tools print behind.
    let text = text.split(" ~[").next().unwrap_or(text).split(" [").next().unwrap_or(text).trim_end();
    let (name, rest) = text.strip_suffix(')')?.rsplit_once('(')?;
    if name.contains(' ') || name.is_empty() {
        return None;
    }
    let (file, line) = match rest.rsplit_once(':') {
        Some((file, line)) => (file, Some(line.parse().ok()?)),
        None => (rest, None),
    };
    let is_file = file.contains('.') && !file.contains(' ') && !file.contains(',');
    let is_without = matches!(file, "Native Method" | "Unknown Source" | "<generated>" | "<Unknown>");
    if !is_file && !is_without || line.is_none() && is_file && !is_source(file) {
        return None;
    }
    // The loader and the module.
    let name = name.rsplit('/').next().unwrap_or(name);
    let (module, method) = split_name(name, ".");
    let file = if is_file { file } else { "" };
    Some(Frame { file: file.to_owned(), line, method: Some(method), module, ..Frame::default() })
}

fn is_source(file: &str) -> bool {
    [".java", ".kt", ".scala", ".groovy", ".clj", ".php"].iter().any(|ending| file.ends_with(ending))
}
