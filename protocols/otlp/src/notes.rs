//! What had to be said about the records of one request: which were rejected, and which were kept although a part of
//! them could not be. The decoders count, the replies spell it out, `/metrics` adds it up.

use std::fmt::Write;

use tracery_intake::IntakeMetrics;

macro_rules! notes {
    ($($(#[$doc:meta])* $variant:ident $rejects:literal $word:literal $text:literal,)*) => {
        /// One thing worth saying about a record.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Note {
            $($(#[$doc])* $variant,)*
        }

        impl Note {
            const ALL: &'static [NoteText] =
                &[$(NoteText { note: Note::$variant, rejects: $rejects, word: $word, text: $text },)*];
        }

        const NOTE_COUNT: usize = [$(Note::$variant,)*].len();
    };
}

struct NoteText {
    note: Note,
    /// Whether the record was left out altogether.
    rejects: bool,
    /// The stable word of `/metrics`.
    word: &'static str,
    text: &'static str,
}

notes! {
    TraceId true "invalid_trace_id" "trace id is not 16 bytes, or all of them are zero",
    SpanId true "invalid_span_id" "span id is not 8 bytes, or all of them are zero",
    ParentSpanId true "invalid_parent_span_id" "parent span id is not 8 bytes",
    Time true "time_out_of_range" "time is later than 2262-04-11, the last that fits nanoseconds in 63 bits",
    MetricName true "metric_without_name" "metric has no name",
    MetricKind true "unknown_metric_kind" "metric holds no data of a known kind",
    NoValue true "no_value" "data point has neither value nor the flag that says so",
    Dataset true "dataset_unknown" "dataset does not exist, and the API key may not create datasets",
    TooMany true "too_many_items" "record has more than 100000 attributes, events and links",
    SharedTooMany false "too_many_shared_attributes" "attributes of a resource or scope beyond the first 10000 left out",
    EventTime false "event_time_out_of_range" "span event left out, its time is out of range",
    LinkId false "invalid_link_id" "ids of a span link left out, they have not 16 and 8 bytes",
    LogIds false "invalid_log_ids" "trace or span id of a log record left out, it has not 16 or 8 bytes",
    Utf8 false "invalid_utf8" "text is not UTF-8, replacement characters stand where it was not",
    TooDeep false "value_too_deep" "attribute value nests deeper than 32, what lies deeper is left out",
    ValueCut false "value_cut" "value is longer than 64 KiB and was cut",
    NoRecordedValue false "no_recorded_value" "data point is flagged as having no recorded value",
    Quantiles false "histogram_inconsistent" "percentiles of a histogram left out, its buckets and bounds do not match or are too many",
}

/// Counts of [`Note`]s.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Notes {
    counts: [usize; NOTE_COUNT],
}

impl Notes {
    pub fn add(&mut self, note: Note) {
        self.add_many(note, 1);
    }

    pub fn add_many(&mut self, note: Note, count: usize) {
        self.counts[note as usize] += count;
    }

    pub fn count(&self, note: Note) -> usize {
        self.counts[note as usize]
    }

    /// Records that were left out.
    pub fn rejected(&self) -> usize {
        self.said().filter(|(text, _)| text.rejects).map(|(_, count)| count).sum()
    }

    /// One sentence for the client, or `None` when there is nothing to say.
    pub fn message(&self) -> Option<String> {
        let mut message = String::new();
        for (text, count) in self.said() {
            let separator = if message.is_empty() { "" } else { "; " };
            let verb = if text.rejects { "rejected" } else { "mended" };
            let _ = write!(message, "{separator}{count} {verb}: {}", text.text);
        }
        (!message.is_empty()).then_some(message)
    }

    pub fn record(&self, metrics: &IntakeMetrics, door: &'static str) {
        for (text, count) in self.said() {
            if text.rejects {
                metrics.rejected(door, text.word, count);
            } else {
                metrics.dropped(door, text.word, count);
            }
        }
    }

    fn said(&self) -> impl Iterator<Item = (&'static NoteText, usize)> {
        Note::ALL.iter().map(|text| (text, self.counts[text.note as usize])).filter(|(_, count)| *count > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_names_each_reason_with_its_count() {
        let mut notes = Notes::default();
        assert_eq!((notes.message(), notes.rejected()), (None, 0));
        notes.add_many(Note::TraceId, 2);
        notes.add(Note::ValueCut);
        assert_eq!(notes.rejected(), 2);
        assert_eq!(
            notes.message().unwrap(),
            "2 rejected: trace id is not 16 bytes, or all of them are zero; \
             1 mended: value is longer than 64 KiB and was cut"
        );
    }
}
