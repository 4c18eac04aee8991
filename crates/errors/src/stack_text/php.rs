//! PHP: an exception as text, and what an uncaught one prints. A line tells where a call was made and what was called, so
//! that the function of a place stands one line below. Previous exceptions come first.

use super::{add_line, frame, headed, lines, turned};
use crate::{Exception, Frame};

pub(super) fn read(text: &str) -> Vec<Exception> {
    let mut chain: Vec<Exception> = Vec::new();
    let mut is_head = true;
    for line in lines(text) {
        if line == "Stack trace:" {
            is_head = false;
            continue;
        }
        if let Some((place, call)) = call(line) {
            is_head = false;
            if chain.is_empty() {
                chain.push(Exception::default());
            }
            let Some(last) = chain.last_mut() else { continue };
            // The last place was within what is called here.
            if let Some(within) = last.frames.last_mut() {
                (within.module, within.method) = named(call);
            }
            if let Some((file, line)) = place {
                last.frames.push(frame(file, line, ""));
            }
            continue;
        }
        let next = line.strip_prefix("Next ");
        let is_first = next.is_some() || chain.is_empty() && !line.is_empty();
        if !is_first && !is_head {
            continue;
        }
        let (text, thrown) = thrown(next.unwrap_or(line));
        if is_first {
            is_head = true;
            chain.push(headed(if next.is_some() { text } else { without_level(text) }));
        } else if let Some(last) = chain.last_mut().filter(|last| last.frames.is_empty()) {
            add_line(last, text);
        }
        if let Some(last) = chain.last_mut().filter(|last| last.frames.is_empty()) {
            last.frames.extend(thrown);
        }
    }
    // A message alone may name a place.
    if !text.contains("#0 ") {
        return Vec::new();
    }
    chain.reverse();
    turned(chain)
}

fn without_level(line: &str) -> &str {
    line.split_once("Uncaught ").map_or(line, |(_, rest)| rest)
}

/// A line without ` in /app/cart.php:12` at its end, which is where the exception was thrown.
fn thrown(line: &str) -> (&str, Option<Frame>) {
    let found = line.rsplit_once(" in ").and_then(|(text, place)| {
        let (file, number) = place.rsplit_once(':')?;
        let number = number.parse().ok()?;
        file.contains(['/', '\\', '.']).then(|| (text, Some(frame(file, Some(number), ""))))
    });
    found.unwrap_or((line, None))
}

/// `#0 /app/index.php(5): Cart->pay('x')`: the place, if there is one, and the call.
#[expect(clippy::type_complexity, reason = "a pair with a pair that may be missing")]
fn call(line: &str) -> Option<(Option<(&str, Option<u32>)>, &str)> {
    let rest = line.trim_start().strip_prefix('#')?;
    let (number, rest) = rest.split_once(' ')?;
    number.parse::<u32>().ok()?;
    if rest == "{main}" {
        return Some((None, rest));
    }
    if let Some(call) = rest.strip_prefix("[internal function]: ") {
        return Some((Some(("[internal function]", None)), call));
    }
    let (place, call) = rest.split_once("): ")?;
    let (file, line) = place.rsplit_once('(')?;
    Some((Some((file, Some(line.parse().ok()?))), call))
}

/// `Shop\Cart->pay('x')` as class and method.
fn named(call: &str) -> (Option<String>, Option<String>) {
    let name = call.split('(').next().unwrap_or(call);
    let parts = name.rsplit_once("->").or_else(|| name.rsplit_once("::"));
    match parts {
        Some((module, method)) => (Some(module.to_owned()), Some(method.to_owned())),
        None => (None, Some(name.to_owned())),
    }
}
