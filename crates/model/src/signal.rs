//! The kinds of telemetry. Each has a table of its own; together they are read as `events`.

use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    Span,
    Log,
    Error,
    Metric,
}

impl Signal {
    pub const ALL: [Signal; 4] = [Signal::Span, Signal::Log, Signal::Error, Signal::Metric];

    /// The name of the signal's table, which is also its folder in the object store.
    pub fn table(self) -> &'static str {
        match self {
            Signal::Span => "spans",
            Signal::Log => "logs",
            Signal::Error => "errors",
            Signal::Metric => "metrics",
        }
    }

    pub fn from_table(table: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.table() == table)
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.table())
    }
}

/// What a row of `spans` is: a span has rows of its own for its events and links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum RowKind {
    /// A span, a log record, a metric event, or an event that came without a kind.
    Record = 0,
    SpanEvent = 1,
    SpanLink = 2,
}
