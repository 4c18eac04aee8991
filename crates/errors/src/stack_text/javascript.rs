//! JavaScript: `error.stack` of V8 (Node, Chrome), of Firefox and of Safari; also what Node prints of a cause.

use super::{add_line, headed, lines, place, turned};
use crate::{Exception, Frame};

pub(super) fn read(text: &str) -> Vec<Exception> {
    let mut chain: Vec<Exception> = Vec::new();
    for line in lines(text) {
        let inner = line.trim_start();
        let cause = inner.strip_prefix("[cause]: ").or_else(|| inner.strip_prefix("Caused by: "));
        if let Some(cause) = cause {
            chain.push(headed(cause));
            continue;
        }
        if let Some(found) = v8(inner).or_else(|| other(inner)) {
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
            None if inner.is_empty() => {}
            None => {
                let inner = inner.strip_prefix("Uncaught ").unwrap_or(inner);
                chain.push(headed(inner.strip_prefix("(in promise) ").unwrap_or(inner)));
            }
        }
    }
    turned(chain)
}

/// `at async Cart.pay [as checkout] (/app/cart.js:10:15)`, or without a name.
fn v8(line: &str) -> Option<Frame> {
    let rest = line.strip_prefix("at ")?.trim_end_matches([' ', '{', ',']);
    let (method, inner) = match rest.strip_suffix(')').and_then(|rest| rest.split_once(" (")) {
        Some((method, inner)) => (method, inner),
        None => ("", rest),
    };
    let method = method.strip_prefix("async ").unwrap_or(method);
    let method = method.split(" [as ").next().unwrap_or(method);
    // Of what `eval` made, the place where it was called.
    let inner = match inner.strip_prefix("eval at ").and_then(|rest| rest.rsplit_once(" (")) {
        Some((_, rest)) => rest.split(')').next().unwrap_or(rest),
        None => inner.strip_prefix("async ").unwrap_or(inner),
    };
    let Some((file, line, Some(column))) = place(inner) else {
        let is_without = matches!(inner, "native" | "<anonymous>") || inner.starts_with("index ");
        let named = is_without && !method.is_empty();
        return named.then(|| super::frame(&format!("<{}>", inner.trim_matches(['<', '>'])), None, method));
    };
    Some(Frame {
        column: Some(column),
        ..super::frame(file.trim_start_matches("file://"), Some(line), method)
    })
}

/// `pay@https://shop.example/cart.js:10:15`.
fn other(line: &str) -> Option<Frame> {
    let (method, rest) = line.split_once('@')?;
    if method.contains(' ') && method != "global code" && method != "module code" {
        return None;
    }
    let (file, line, column) = place(rest)?;
    if !file.contains('/') {
        return None;
    }
    let method = method.trim_end_matches(['/', '<']);
    Some(Frame { column, ..super::frame(file, Some(line), method) })
}
