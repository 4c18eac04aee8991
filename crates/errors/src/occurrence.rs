//! One error that happened, in one shape for all doors. What a door knows beyond it stays in the payload.

use serde::{Deserialize, Serialize};

use crate::Level;

/// The door an occurrence came through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    Rollbar,
    Sentry,
    Otlp,
    Xray,
}

impl Source {
    /// The word that serialisations have.
    pub fn name(self) -> &'static str {
        match self {
            Source::Rollbar => "rollbar",
            Source::Sentry => "sentry",
            Source::Otlp => "otlp",
            Source::Xray => "xray",
        }
    }

    /// Whether errors come as a part of other telemetry, whose own uuids tell repeats.
    pub fn is_telemetry(self) -> bool {
        matches!(self, Source::Otlp | Source::Xray)
    }
}

/// One error. Texts are as long as the door let them be; what is longer was cut there.
#[derive(Debug, Clone, PartialEq)]
pub struct Occurrence {
    pub source: Source,
    /// At most 36 characters; the door makes one where the client sent none.
    pub uuid: String,
    /// When the server took it in.
    pub received_ns: i64,
    /// The client's clock, in seconds since 1970.
    pub customer_time_s: Option<i64>,
    /// Rollbar's environment, such as `production`: not the unit that credentials belong to.
    pub environment: String,
    pub level: Level,
    pub kind: Kind,
    /// What the payload asks to be grouped by and called.
    pub fingerprint: Option<String>,
    pub title: Option<String>,
    pub platform: Option<String>,
    pub language: Option<String>,
    pub framework: Option<String>,
    pub code_version: Option<String>,
    pub context: Option<String>,
    pub person: Option<Person>,
    pub host: Option<String>,
    /// The folder of the application, which paths of frames start with.
    pub root: Option<String>,
    pub user_ip: Option<String>,
    pub service: Option<String>,
    pub trace_id: Option<[u8; 16]>,
    pub span_id: Option<[u8; 8]>,
    /// What Rollbar's API gives back as `data`, as JSON text: for Rollbar the client's own, for other doors their
    /// contents in its form.
    pub payload: String,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// Outermost first, at least one: what was raised, then its causes.
    Exceptions(Vec<Exception>),
    Message(String),
    /// A crash report as text.
    Crash(String),
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exception {
    pub class: String,
    pub message: Option<String>,
    /// The most recent call last.
    pub frames: Vec<Frame>,
}

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Frame {
    pub file: String,
    pub line: Option<u32>,
    pub column: Option<u32>,
    /// Function or method.
    pub method: Option<String>,
    /// Class or module that the method belongs to.
    pub module: Option<String>,
    pub code: Code,
    /// The line of source, where it was sent.
    pub source_line: Option<String>,
}

/// Whose code a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Code {
    /// The client did not say.
    #[default]
    Unknown,
    InApp,
    Library,
}

/// The person an error happened to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// At most 40 characters.
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub email: Option<String>,
}
