//! Go: what a panic and `debug.Stack` print, and the form of `pkg/errors`. Of several goroutines only the first, which
//! is the one that failed.

use super::{add_line, frame, lines, turned};
use crate::{Exception, Frame};

pub(super) fn read(text: &str) -> Vec<Exception> {
    let mut exception = Exception::default();
    let mut before = "";
    let mut goroutines = 0;
    let mut is_panic = false;
    for line in lines(text) {
        if line.starts_with("goroutine ") && line.ends_with(':') {
            goroutines += 1;
            if goroutines > 1 {
                break;
            }
            before = "";
            is_panic = false;
            continue;
        }
        if let Some(message) = line.strip_prefix("panic: ").filter(|_| exception.frames.is_empty()) {
            let message = message.trim_end_matches(" [recovered]");
            exception.class =
                if message.starts_with("runtime error: ") { "runtime.Error" } else { "panic" }.to_owned();
            exception.message = Some(message.to_owned());
            is_panic = true;
            continue;
        }
        if let Some(found) = line.strip_prefix('\t').and_then(|place| place_of(before, place)) {
            exception.frames.push(found);
            before = "";
            continue;
        }
        if is_panic && !line.is_empty() && !line.starts_with("[signal ") {
            add_line(&mut exception, line.trim_start());
        } else if goroutines == 0 && exception.frames.is_empty() && !before.is_empty() && !is_panic {
            // The message of an error stands before its first function.
            add_line(&mut exception, before);
        }
        before = line;
    }
    if exception.frames.is_empty() { Vec::new() } else { turned(vec![exception]) }
}

/// A function and the line below it: `main.(*Cart).Pay(0xc000012, {0x1, 0x2})` and `/app/cart.go:12 +0x1d`.
fn place_of(function: &str, place: &str) -> Option<Frame> {
    let place = place.split(" +0x").next().unwrap_or(place).trim();
    let (file, line) = place.rsplit_once(':')?;
    if function.is_empty() || function.starts_with('\t') || !(file.ends_with(".go") || file.ends_with(".s")) {
        return None;
    }
    let line = line.parse().ok()?;
    let function = function.strip_prefix("created by ").unwrap_or(function);
    let function = function.split(" in goroutine ").next().unwrap_or(function);
    let function = match function.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
        Some((name, _)) => name,
        None => function,
    };
    // The package ends at the first point behind its last slash.
    let start = function.rfind('/').map_or(0, |slash| slash + 1);
    let (module, method) = match function[start..].split_once('.') {
        Some((_, method)) => (function[..function.len() - method.len() - 1].to_owned(), method),
        None => (String::new(), function),
    };
    Some(Frame {
        module: Some(module).filter(|module| !module.is_empty()),
        ..frame(file, Some(line), method)
    })
}
