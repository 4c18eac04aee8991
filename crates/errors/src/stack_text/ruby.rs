//! Ruby: `exception.full_message`, and a backtrace alone, one place a line.

use super::{add_line, frame, lines, turned};
use crate::{Exception, Frame};

pub(super) fn read(text: &str) -> Vec<Exception> {
    let mut chain: Vec<Exception> = Vec::new();
    for line in lines(text) {
        let inner = line.trim_start();
        let (is_from, inner) = match inner.strip_prefix("from ") {
            Some(rest) => (true, rest),
            None => (false, inner),
        };
        let Some((found, rest)) = place(inner) else {
            if let Some(last) =
                chain.last_mut().filter(|last| last.frames.len() == 1 && last.message.is_some())
            {
                add_line(last, line);
            }
            continue;
        };
        let head = rest.strip_prefix(": ").filter(|_| !is_from);
        if head.is_some() || chain.is_empty() {
            chain.push(Exception::default());
        }
        let Some(last) = chain.last_mut() else { continue };
        if let Some(head) = head {
            // A long message has the class behind its first line.
            match head.strip_suffix(')').and_then(|head| head.rsplit_once(" (")) {
                Some((message, class)) if super::is_class(class) => {
                    last.class = class.to_owned();
                    last.message = Some(message.to_owned());
                }
                _ => last.message = Some(head.to_owned()),
            }
        }
        last.frames.push(found);
    }
    turned(chain)
}

/// ``/app/cart.rb:12:in `pay'`` or `/app/cart.rb:12:in 'Cart#pay'`, and what stands behind it.
fn place(text: &str) -> Option<(Frame, &str)> {
    if let Some((before, rest)) = text.split_once(":in ") {
        let rest = rest.strip_prefix(['`', '\''])?;
        let (name, rest) = rest.split_once('\'')?;
        let (file, line) = before.rsplit_once(':')?;
        let line = line.parse().ok()?;
        let (module, method) = match name.rsplit_once('#') {
            Some((module, method)) => {
                let (block, module) = match module.rsplit_once(" in ") {
                    Some((block, module)) => (format!("{block} in "), module),
                    None => (String::new(), module),
                };
                (Some(module.to_owned()), format!("{block}{method}"))
            }
            None => (None, name.to_owned()),
        };
        return Some((Frame { module, ..frame(file, Some(line), &method) }, rest));
    }
    // Outside of any method: `/app/main.rb:3: message (ArgumentError)`, or nothing behind.
    let start = text.find(".rb:")? + ".rb:".len();
    let digits = text[start..].bytes().take_while(u8::is_ascii_digit).count();
    let line = text[start..start + digits].parse().ok()?;
    let rest = &text[start + digits..];
    let file = &text[..start - 1];
    if file.contains(' ') || !(rest.is_empty() || rest.starts_with(": ")) {
        return None;
    }
    Some((frame(file, Some(line), ""), rest))
}
