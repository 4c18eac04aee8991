//! Which errors are the same: an occurrence's fingerprint and title, and why. What a project's rules say comes first, then
//! what the payload asks for, then the algorithm: classes and frames of the whole chain, the application's own frames
//! where there are any, without what changes from build to build; without frames, classes and messages.

mod normalise;
mod parameterise;
mod rules;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

pub(crate) use parameterise::cut;
pub use rules::{Rules, RulesError};

use crate::{Code, Exception, Kind, Occurrence};

/// The version of the algorithm, which every fingerprint depends on. A change of what is grouped is a new version.
pub const VERSION: u32 = 1;
/// Longer fingerprints of payloads are hashed, as the vendor does.
const ASKED_CHARS_MAX: usize = 40;
const TITLE_CHARS_MAX: usize = 255;
/// Of a stack: more are those of a recursion.
const FRAMES_MAX: usize = 100;
/// Parts that an explanation shows.
const SHOWN_MAX: usize = 30;

/// How an occurrence is grouped.
#[derive(Debug, Clone, PartialEq)]
pub struct Grouping {
    /// 40 hex digits, or what a payload or rule asked for, if that is no longer.
    pub fingerprint: String,
    /// At most 255 characters.
    pub title: String,
    /// What decided, for people: `version`, `by` and `parts`.
    pub explanation: Value,
}

/// Groups an occurrence. `payload` is what rules look at.
pub fn group(occurrence: &Occurrence, rules: &Rules, payload: &Value) -> Grouping {
    let (by, parts) = parts(occurrence);
    let default_fingerprint = hash(&parts);
    let default_title = default_title(occurrence);
    let title_asked = occurrence.title.clone().filter(|title| !title.trim().is_empty());
    if let Some(found) = rules.apply(payload, &default_fingerprint, &default_title) {
        return Grouping {
            fingerprint: asked(&found.fingerprint),
            title: title(found.title.as_deref().or(title_asked.as_deref()).unwrap_or(&default_title)),
            explanation: json!({
                "version": VERSION, "by": format!("rule {}", found.number), "parts": [found.fingerprint],
            }),
        };
    }
    let shown_title = title(title_asked.as_deref().unwrap_or(&default_title));
    if let Some(own) = occurrence.fingerprint.as_deref().filter(|own| !own.is_empty()) {
        let explanation = json!({ "version": VERSION, "by": "the payload", "parts": [own] });
        // Sentry's word for what would be without the wish.
        let own =
            own.replace("{{ default }}", &default_fingerprint).replace("{{default}}", &default_fingerprint);
        return Grouping { fingerprint: asked(&own), title: shown_title, explanation };
    }
    let more = parts.len().saturating_sub(SHOWN_MAX);
    let mut shown: Vec<String> = parts.into_iter().take(SHOWN_MAX).collect();
    if more > 0 {
        shown.push(format!("… and {more} more"));
    }
    let explanation = json!({ "version": VERSION, "by": by, "parts": shown });
    Grouping { fingerprint: default_fingerprint, title: shown_title, explanation }
}

/// What makes an occurrence the same as another, and how that is called.
fn parts(occurrence: &Occurrence) -> (&'static str, Vec<String>) {
    match &occurrence.kind {
        Kind::Message(text) => {
            ("the message", vec![format!("message {}", parameterise::parameterised(text))])
        }
        Kind::Crash(text) => {
            let beginning = text.lines().filter(|line| !line.trim().is_empty()).take(5);
            ("the beginning of the report", beginning.map(parameterise::parameterised).collect())
        }
        Kind::Exceptions(chain) => {
            let root = occurrence.root.as_deref();
            let has_frames = chain.iter().any(|exception| !exception.frames.is_empty());
            let has_own = chain
                .iter()
                .flat_map(|exception| &exception.frames)
                .any(|frame| normalise::code(frame, root) == Code::InApp);
            let by = match (has_frames, has_own) {
                (false, _) => "classes and messages",
                (true, true) => "classes and the application's frames",
                (true, false) => "classes and all frames",
            };
            (by, chain.iter().flat_map(|exception| of_exception(exception, root, has_own)).collect())
        }
    }
}

/// Whose code a frame is, by its place alone.
pub(crate) fn code_of(frame: &crate::Frame) -> Code {
    normalise::code(frame, None)
}

fn of_exception(exception: &Exception, root: Option<&str>, own_only: bool) -> Vec<String> {
    let mut parts = vec![format!("class {}", exception.class)];
    let wanted =
        exception.frames.iter().filter(|frame| !own_only || normalise::code(frame, root) == Code::InApp);
    for frame in wanted.rev().take(FRAMES_MAX) {
        let place = match frame.module.as_deref().filter(|module| !module.is_empty()) {
            Some(module) if !frame.file.contains('/') => normalise::method(module),
            _ => normalise::path(&frame.file, root),
        };
        let part = format!("{place} {}", normalise::method(frame.method.as_deref().unwrap_or_default()));
        // A recursion is the same error however deep it went.
        if parts.last() != Some(&part) {
            parts.push(part);
        }
    }
    if parts.len() == 1 {
        let message = exception.message.as_deref().unwrap_or_default();
        parts.push(format!("message {}", parameterise::parameterised(message)));
    }
    parts
}

fn hash(parts: &[String]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(VERSION.to_be_bytes());
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hex::encode(&hasher.finalize()[..20])
}

/// A fingerprint that somebody chose.
fn asked(text: &str) -> String {
    match text.chars().count() > ASKED_CHARS_MAX {
        true => hash(&[text.to_owned()]),
        false => text.to_owned(),
    }
}

fn default_title(occurrence: &Occurrence) -> String {
    match &occurrence.kind {
        Kind::Message(text) | Kind::Crash(text) => text.clone(),
        Kind::Exceptions(chain) => match chain.first() {
            Some(Exception { class, message: Some(message), .. }) if !message.is_empty() => {
                format!("{class}: {message}")
            }
            Some(exception) => exception.class.clone(),
            None => String::new(),
        },
    }
}

/// One line of at most 255 characters; never empty.
fn title(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("(no message)");
    line.chars().filter(|one| !one.is_control()).take(TITLE_CHARS_MAX).collect()
}

#[cfg(test)]
mod tests;
