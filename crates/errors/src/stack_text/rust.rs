//! Rust: what a panic prints with `RUST_BACKTRACE`, `Backtrace` alone, and errors of `anyhow` and `eyre` with their causes.

use super::{CHAIN_MAX, add_line, lines, place, split_name, turned};
use crate::{Exception, Frame};

#[derive(PartialEq)]
enum State {
    Message,
    Causes,
    Frames,
}

pub(super) fn read(text: &str) -> Vec<Exception> {
    let mut chain = vec![Exception::default()];
    let mut frames: Vec<Frame> = Vec::new();
    let mut state = State::Message;
    for line in lines(text) {
        let inner = line.trim_start();
        if inner.eq_ignore_ascii_case("stack backtrace:") {
            state = State::Frames;
            continue;
        }
        if inner == "Caused by:" && state == State::Message {
            state = State::Causes;
            continue;
        }
        let numbered = numbered(inner).filter(|_| inner.len() < line.len());
        match state {
            State::Frames => {
                if let Some(name) = numbered {
                    frames.push(function(name));
                } else if let Some(found) = inner.strip_prefix("at ") {
                    locate(frames.last_mut(), found);
                }
            }
            State::Causes if inner.is_empty() => {}
            State::Causes if chain.len() < CHAIN_MAX => {
                let message = Some(numbered.unwrap_or(inner).to_owned());
                chain.push(Exception { message, ..Exception::default() });
            }
            State::Causes => {}
            // A backtrace alone has no head.
            State::Message
                if chain[0].message.is_none() && numbered.is_some_and(|name| name.contains("::")) =>
            {
                state = State::Frames;
                frames.extend(numbered.map(function));
            }
            State::Message => message(&mut chain[0], line),
        }
    }
    if frames.is_empty() {
        return Vec::new();
    }
    chain[0].frames = frames;
    turned(chain)
}

/// `   3: shop::pay` without its number.
fn numbered(inner: &str) -> Option<&str> {
    let (number, rest) = inner.split_once(": ")?;
    number.parse::<u32>().ok()?;
    Some(rest.trim_start())
}

fn message(exception: &mut Exception, line: &str) {
    let panicked = line.strip_prefix("thread '").and_then(|rest| rest.split_once(" panicked at "));
    let Some((_, rest)) = panicked else {
        if !(line.is_empty() && exception.message.is_none()) {
            add_line(exception, line.strip_prefix("Error: ").unwrap_or(line));
        }
        return;
    };
    exception.class = "panic".to_owned();
    // Before 1.73 the message stood on the same line.
    exception.message =
        rest.strip_prefix('\'').and_then(|rest| rest.rsplit_once("', ")).map(|(text, _)| text.to_owned());
}

fn function(name: &str) -> Frame {
    // An address stands before the name in the long form.
    let name = match name.split_once(" - ") {
        Some((address, rest)) if address.trim().starts_with("0x") => rest,
        _ => name,
    };
    let name = match name.rsplit_once("::h") {
        Some((name, hash)) if hash.len() == 16 && hash.bytes().all(|one| one.is_ascii_hexdigit()) => name,
        _ => name,
    };
    let (module, method) = split_name(name, "::");
    Frame { module, method: Some(method), ..Frame::default() }
}

fn locate(frame: Option<&mut Frame>, text: &str) {
    if let Some((frame, (file, line, column))) = frame.zip(place(text.trim())) {
        frame.file = file.to_owned();
        frame.line = Some(line);
        frame.column = column;
    }
}
