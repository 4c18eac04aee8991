//! Python: `traceback.format_exception`. Causes come first, what was raised last; exceptions of a group stand behind it,
//! behind bars.

use super::{CHAIN_MAX, FRAMES_MAX, add_line, frame, headed, lines, trim};
use crate::{Exception, Frame};

const HEADER: &str = "Traceback (most recent call last):";
const LINKS: [&str; 2] = [
    "The above exception was the direct cause of the following exception:",
    "During handling of the above exception, another exception occurred:",
];

/// One traceback.
#[derive(Default)]
struct Block {
    exception: Exception,
    /// Within a group.
    is_nested: bool,
    /// Its last line was seen.
    is_named: bool,
}

pub(super) fn read(text: &str) -> Vec<Exception> {
    let mut blocks: Vec<Block> = Vec::new();
    for line in lines(text) {
        let (line, depth) = without_bars(line);
        if line.starts_with("+-") || line.starts_with("---------------- ") || LINKS.contains(&line.trim()) {
            if let Some(last) = blocks.last_mut() {
                last.is_named = true;
            }
            continue;
        }
        if line.trim().ends_with(HEADER) {
            blocks.push(Block { is_nested: depth > 1, ..Block::default() });
            continue;
        }
        let found = place(line);
        // A list of frames alone has no header.
        if blocks.is_empty() && found.is_some() {
            blocks.push(Block::default());
        }
        let Some(block) = blocks.last_mut() else { continue };
        match found {
            Some(found) if !block.is_named => block.exception.frames.push(found),
            _ if block.is_named => add_line(&mut block.exception, line),
            _ if line.starts_with(' ') => source(block.exception.frames.last_mut(), line.trim()),
            _ if line.is_empty() => {}
            _ => {
                let Exception { class, message, .. } = headed(line);
                block.exception.class = class;
                block.exception.message = message;
                block.is_named = true;
            }
        }
    }
    let (nested, mut chain): (Vec<Block>, Vec<Block>) = blocks.into_iter().partition(|block| block.is_nested);
    chain.reverse();
    let ordered = chain.into_iter().chain(nested).take(CHAIN_MAX);
    ordered
        .map(|Block { mut exception, .. }| {
            let skipped = exception.frames.len().saturating_sub(FRAMES_MAX);
            exception.frames.drain(..skipped);
            trim(&mut exception);
            exception
        })
        .collect()
}

/// A line of a group without its bars, and how far in it stands.
fn without_bars(line: &str) -> (&str, usize) {
    let inner = line.trim_start_matches(' ');
    let depth = (line.len() - inner.len()) / 2;
    if let Some(rest) = inner.strip_prefix("| ") {
        return (rest, depth);
    }
    if let Some(rest) = inner.strip_prefix("+ ") {
        return (rest, depth);
    }
    if inner == "|" {
        return ("", depth);
    }
    if inner.starts_with("+-") {
        return (inner, depth);
    }
    (line, 0)
}

/// `  File "app.py", line 3, in hello`.
fn place(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("  File \"")?;
    let (file, rest) = rest.rsplit_once("\", line ")?;
    let (number, method) = rest.split_once(", in ").unwrap_or((rest, ""));
    Some(frame(file, Some(number.trim().parse().ok()?), method))
}

/// The line of source below a frame; not the marks below that.
fn source(frame: Option<&mut Frame>, line: &str) {
    let is_marks = line.chars().all(|one| "~^ ".contains(one));
    if let Some(frame) = frame.filter(|frame| frame.source_line.is_none() && !is_marks) {
        frame.source_line = Some(line.to_owned());
    }
}
