//! .NET: `Exception.ToString()`. Heads of inner exceptions come one after the other, then the frames from the innermost out.

use super::{CHAIN_MAX, add_line, frame, headed, lines, turned};
use crate::{Exception, Frame};

const INNER_ENDS: &str = "--- End of inner exception stack trace ---";

pub(super) fn read(text: &str) -> Vec<Exception> {
    let mut chain: Vec<Exception> = Vec::new();
    // Those whose frames are still to come, the innermost last.
    let mut open: Vec<usize> = Vec::new();
    for line in lines(text) {
        let inner = line.trim_start();
        if inner == INNER_ENDS {
            if open.len() > 1 {
                open.pop();
            }
            continue;
        }
        if inner.starts_with("--- End of stack trace") {
            continue;
        }
        let (inner, is_last) = match inner.strip_suffix("<---") {
            Some(inner) => (inner, true),
            None => (inner, false),
        };
        if let Some(found) = inner.strip_prefix("at ").and_then(place) {
            if chain.is_empty() {
                chain.push(Exception::default());
                open.push(0);
            }
            if let Some(last) = open.last().and_then(|idx| chain.get_mut(*idx)) {
                last.frames.push(found);
            }
            if is_last && open.len() > 1 {
                open.pop();
            }
            continue;
        }
        let is_first = chain.is_empty();
        // Where an aggregate lists what is in it, nothing new is told.
        let is_list = inner.starts_with("---> (Inner Exception #");
        if is_first || inner.starts_with("---> ") {
            if inner.is_empty() {
                continue;
            }
            for head in inner.split("---> ").filter(|head| !head.trim().is_empty()) {
                if chain.len() == CHAIN_MAX {
                    break;
                }
                let head = head.trim();
                let head = match head.strip_prefix("(Inner Exception #") {
                    Some(rest) => rest.split_once(") ").map_or(rest, |(_, rest)| rest),
                    None => head,
                };
                let head = head.strip_prefix("Unhandled exception. ").unwrap_or(head);
                if is_list && open.len() > 1 {
                    open.truncate(1);
                }
                open.push(chain.len());
                chain.push(headed(head));
            }
        } else if let Some(last) = chain.last_mut().filter(|last| last.frames.is_empty()) {
            add_line(last, line);
        }
    }
    turned(chain)
}

/// `Shop.Cart.Pay(String id) in /src/Cart.cs:line 12`.
fn place(text: &str) -> Option<Frame> {
    let (call, rest) = match text.split_once(") in ") {
        Some((call, rest)) => (call, Some(rest)),
        None => (text.strip_suffix(')')?, None),
    };
    let (name, arguments) = call.split_once('(')?;
    let is_name = !name.is_empty() && !name.contains(' ') && name.contains('.') && !name.contains('/');
    // Java has files there, JavaScript places.
    let is_other = arguments.contains(':')
        || arguments.ends_with(".java")
        || matches!(arguments, "Native Method" | "Unknown Source");
    if !is_name || is_other {
        return None;
    }
    let (file, line) = match rest.and_then(|rest| rest.rsplit_once(":line ")) {
        Some((file, line)) => (file, Some(line.trim().parse().ok()?)),
        None => (rest.unwrap_or_default(), None),
    };
    let (module, method) = method_of(name);
    Some(Frame { module, ..frame(file, line, &method) })
}

/// The method that was written: an asynchronous one runs as `MoveNext` of a class of its own.
fn method_of(name: &str) -> (Option<String>, String) {
    // A constructor is called `.ctor`.
    let (module, method) = match name.rsplit_once("..") {
        Some((module, method)) => (module, format!(".{method}")),
        None => match name.rsplit_once('.') {
            Some((module, method)) => (module, method.to_owned()),
            None => return (None, name.to_owned()),
        },
    };
    let written = module.rsplit_once(".<").and_then(|(class, rest)| Some((class, rest.split_once('>')?.0)));
    match written {
        Some((class, written)) if method == "MoveNext" && !written.is_empty() => {
            (Some(class.to_owned()), written.to_owned())
        }
        _ => (Some(module.to_owned()), method),
    }
}
