//! Stack traces as text, the way languages print them, as chains of exceptions with frames. `from_rows` reads what
//! SDKs of OpenTelemetry send as `exception.stacktrace` with it. Any text gives an answer, in time that grows with its length
//! and no faster; what no language prints gives no chain.

mod dotnet;
mod go;
mod javascript;
mod jvm;
mod php;
mod python;
mod ruby;
mod rust;
mod whose;

use crate::fingerprint::cut;
use crate::{Exception, Frame};

/// What is read of a text. SDKs cut theirs far below.
const TEXT_BYTES_MAX: usize = 256 << 10;
const LINE_BYTES_MAX: usize = 4 << 10;
const MESSAGE_BYTES_MAX: usize = 64 << 10;
const CLASS_CHARS_MAX: usize = 255;
/// Exceptions of a chain, and frames of one.
const CHAIN_MAX: usize = 50;
const FRAMES_MAX: usize = 1_000;

/// A language whose traces can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    Python,
    JavaScript,
    Java,
    Go,
    DotNet,
    Ruby,
    Php,
    Rust,
}

impl Language {
    /// Where two find as many frames, the first has it: places of Rust's traces look like JavaScript's.
    pub const ALL: [Language; 8] = [
        Language::Rust,
        Language::Python,
        Language::JavaScript,
        Language::Java,
        Language::Go,
        Language::DotNet,
        Language::Ruby,
        Language::Php,
    ];

    /// As payloads of errors spell it.
    pub fn name(self) -> &'static str {
        match self {
            Language::Python => "python",
            Language::JavaScript => "javascript",
            Language::Java => "java",
            Language::Go => "go",
            Language::DotNet => "dotnet",
            Language::Ruby => "ruby",
            Language::Php => "php",
            Language::Rust => "rust",
        }
    }

    /// What `telemetry.sdk.language` says; `None` for what is not read.
    pub fn from_sdk(word: &str) -> Option<Self> {
        match word {
            "nodejs" | "webjs" => Some(Language::JavaScript),
            _ => Self::ALL.into_iter().find(|language| language.name() == word),
        }
    }

    fn read(self, text: &str) -> Vec<Exception> {
        match self {
            Language::Python => python::read(text),
            Language::JavaScript => javascript::read(text),
            Language::Java => jvm::read(text),
            Language::Go => go::read(text),
            Language::DotNet => dotnet::read(text),
            Language::Ruby => ruby::read(text),
            Language::Php => php::read(text),
            Language::Rust => rust::read(text),
        }
    }
}

/// What a text says.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    pub language: Language,
    /// Outermost first, each with its frames, the most recent call last. A class that the text does not tell is empty.
    pub chain: Vec<Exception>,
}

/// Reads a text. The language is that which `hint` names where its form fits, else the one most of whose frames are found.
pub fn read(text: &str, hint: Option<Language>) -> Option<Trace> {
    let text = cut(text, TEXT_BYTES_MAX);
    let frame_count = |chain: &[Exception]| chain.iter().map(|one| one.frames.len()).sum::<usize>();
    let mut best: Option<(usize, Trace)> = None;
    for language in hint.into_iter().chain(Language::ALL) {
        let mut chain = language.read(text);
        let count = frame_count(&chain);
        if count == 0 || best.as_ref().is_some_and(|(most, _)| *most >= count) {
            continue;
        }
        chain.truncate(CHAIN_MAX);
        let language = if language == Language::Java { jvm::language(&chain) } else { language };
        best = Some((count, Trace { language, chain }));
        if hint == Some(language) {
            break;
        }
    }
    let (_, mut trace) = best?;
    for exception in &mut trace.chain {
        for frame in &mut exception.frames {
            frame.code = whose::code(trace.language, frame);
        }
    }
    Some(trace)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().map(|line| cut(line, LINE_BYTES_MAX).trim_end())
}

/// `Class: message` as an exception without frames. What begins with no name of a class is a message.
fn headed(line: &str) -> Exception {
    let line = line.trim();
    let (class, message) = match line.split_once(": ") {
        Some((class, message)) => (class, Some(message)),
        None => (line.trim_end_matches(':'), None),
    };
    if is_class(class) {
        return Exception {
            class: class.to_owned(),
            message: message.map(str::to_owned),
            frames: Vec::new(),
        };
    }
    Exception { message: Some(line.to_owned()).filter(|line| !line.is_empty()), ..Exception::default() }
}

fn is_class(text: &str) -> bool {
    let is_part = |one: char| one.is_alphanumeric() || "._$\\:+-`[]<>,@/".contains(one);
    text.starts_with(|one: char| one.is_alphabetic() || one == '_' || one == '\\')
        && text.chars().all(is_part)
        && text.chars().count() <= CLASS_CHARS_MAX
}

/// A further line of a message.
fn add_line(exception: &mut Exception, line: &str) {
    let message = exception.message.get_or_insert_default();
    if message.len() + line.len() < MESSAGE_BYTES_MAX {
        if !message.is_empty() {
            message.push('\n');
        }
        message.push_str(line);
    }
}

/// Brings what was read with the most recent call first into order.
fn turned(mut chain: Vec<Exception>) -> Vec<Exception> {
    for exception in &mut chain {
        exception.frames.truncate(FRAMES_MAX);
        exception.frames.reverse();
        trim(exception);
    }
    chain
}

/// No blank lines at the end of a message, and no empty one.
fn trim(exception: &mut Exception) {
    if let Some(message) = exception.message.take() {
        exception.message = Some(message.trim_end().to_owned()).filter(|message| !message.is_empty());
    }
}

/// `path:12` or `path:12:5`.
fn place(text: &str) -> Option<(&str, u32, Option<u32>)> {
    let (rest, last) = text.rsplit_once(':')?;
    let last: u32 = last.parse().ok()?;
    let before = rest.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<u32>().ok()?)));
    match before {
        Some((file, line)) if !file.is_empty() => Some((file, line, Some(last))),
        _ if rest.is_empty() => None,
        _ => Some((rest, last, None)),
    }
}

/// A name and what it belongs to.
fn split_name(name: &str, separator: &str) -> (Option<String>, String) {
    match name.rsplit_once(separator) {
        Some((module, method)) if !module.is_empty() && !method.is_empty() => {
            (Some(module.to_owned()), method.to_owned())
        }
        _ => (None, name.to_owned()),
    }
}

fn frame(file: &str, line: Option<u32>, method: &str) -> Frame {
    let method = Some(method.to_owned()).filter(|method| !method.is_empty());
    Frame { file: file.to_owned(), line, method, ..Frame::default() }
}

#[cfg(test)]
mod tests;
