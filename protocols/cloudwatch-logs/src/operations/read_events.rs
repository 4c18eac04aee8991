//! Events read back: `GetLogEvents`, one stream in either direction, and `FilterLogEvents`, a group by streams and pattern.
//! A token says where the next page starts and for which question; pages hold at most 10,000 events or 1 MiB.

use std::collections::HashMap;
use std::sync::Arc;

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    FilterLogEventsRequest, FilterLogEventsResponse, FilteredLogEvent, GetLogEventsRequest,
    GetLogEventsResponse, OutputLogEvent,
};
use tracery_model::TimeRange;
use tracery_query::languages::log_pattern::Pattern;
use tracery_query::questions::logs::{LogEvent, LogPage, LogPosition, LogQuestion, LogStreams, log_events};
use tracery_settings::LogGroup;

use super::{failed, invalid, pages, unavailable};
use crate::event_id::{EventId, stream_hash};
use crate::names::{find_stream, one_group};
use crate::{Caller, CloudWatchLogs};

const EVENTS_MAX: i32 = 10_000;
const PAGE_BYTES_MAX: usize = 1 << 20;
const DAY_MS: i64 = 24 * 3_600_000;
/// Tokens of `FilterLogEvents` live a day.
const TOKEN_AGE_MS_MAX: i64 = DAY_MS;
const FILTER: &str = "filter";
/// 2024-01-01T00:00:00Z, from when on events can be read newest first.
const NEWEST_FIRST_FROM_MS: i64 = 1_704_067_200_000;

pub(super) async fn get_log_events(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: GetLogEventsRequest,
) -> Result<GetLogEventsResponse, Error> {
    let (name, identifier) = (call.log_group_name.as_deref(), call.log_group_identifier.as_deref());
    let group = one_group(state, caller, name, identifier).await?;
    let stream = find_stream(state, &group, &call.log_stream_name).await?;
    let stream_hash = stream_hash(&group.name, &stream.name);
    let token = call.next_token.as_deref().map(|token| Token::read(token, stream_hash)).transpose()?;
    let start_ns = ms_to_ns(call.start_time.unwrap_or(0));
    let descending = match token {
        Some(token) => token.is_backward,
        None => !call.start_from_head.unwrap_or(false),
    };
    let question = Question {
        streams: LogStreams::Named(vec![stream.name.clone()]),
        // The end is not part of what is asked for.
        time: TimeRange::new(start_ns, call.end_time.map_or(i64::MAX, ms_to_ns)),
        pattern: None,
        descending,
        from: token.map(|token| token.position),
        count_max: call.limit.unwrap_or(EVENTS_MAX),
    };
    let mut events = question.ask_until_some(state, caller, &group).await?;
    if descending {
        // A page is always in the order of time.
        events.reverse();
    }
    // A token names a place between two events: what is at it or behind it lies ahead.
    let nowhere = LogPosition { time_ns: start_ns, received_ns: 0, ordinal: 0 };
    let here = token.map_or(nowhere, |token| token.position);
    let forward = events.last().map_or(here, |last| last.position.after());
    let backward = events.first().map_or(here, |first| first.position);
    let token = |is_backward, position| Token { is_backward, position }.written(stream_hash);
    let shown = |event: LogEvent| OutputLogEvent {
        timestamp: Some(ns_to_ms(event.position.time_ns)),
        ingestion_time: Some(ns_to_ms(event.position.received_ns)),
        message: Some(event.message),
    };
    Ok(GetLogEventsResponse {
        events: Some(events.into_iter().map(shown).collect()),
        next_forward_token: Some(token(false, forward)),
        next_backward_token: Some(token(true, backward)),
    })
}

/// A token of `GetLogEvents`: `f/` or `b/` and an event id.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Token {
    is_backward: bool,
    position: LogPosition,
}

impl Token {
    fn read(text: &str, stream_hash: u64) -> Result<Self, Error> {
        let read = || {
            let (direction, id) = text.split_once('/')?;
            let is_backward = match direction {
                "f" => false,
                "b" => true,
                _ => return None,
            };
            let id = EventId::parse(id).filter(|id| id.stream_hash == stream_hash)?;
            Some(Self { is_backward, position: id.position })
        };
        read().ok_or_else(pages::bad_token)
    }

    fn written(self, stream_hash: u64) -> String {
        let direction = if self.is_backward { "b" } else { "f" };
        format!("{direction}/{}", EventId { position: self.position, stream_hash })
    }
}

pub(super) async fn filter_log_events(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: FilterLogEventsRequest,
) -> Result<FilterLogEventsResponse, Error> {
    let (name, identifier) = (call.log_group_name.as_deref(), call.log_group_identifier.as_deref());
    let group = one_group(state, caller, name, identifier).await?;
    let pattern = parsed(call.filter_pattern.as_deref())?;
    let streams = match (&call.log_stream_names, &call.log_stream_name_prefix) {
        (Some(_), Some(_)) => {
            return Err(invalid("logStreamNames and logStreamNamePrefix are mutually exclusive parameters."));
        }
        (Some(names), None) => {
            for name in names {
                find_stream(state, &group, name).await?;
            }
            LogStreams::Named(names.clone())
        }
        (None, Some(prefix)) => LogStreams::Prefix(prefix.clone()),
        (None, None) => LogStreams::All,
    };
    let asked = asked(&call, &group);
    let now_ms = state.intake.clock.now_ms();
    let token = call.next_token.as_deref().map(|token| filter_position(token, &asked, now_ms)).transpose()?;
    let is_newest_first = call.start_from_head == Some(false);
    if is_newest_first && token.is_none() && call.start_time.unwrap_or(0) < NEWEST_FIRST_FROM_MS {
        return Err(invalid(
            "startFromHead can be false only for a startTime of 2024-01-01 00:00:00 UTC or later.",
        ));
    }
    let question = Question {
        streams,
        // The end is part of what is asked for.
        time: TimeRange::new(
            ms_to_ns(call.start_time.unwrap_or(0)),
            call.end_time.map_or(i64::MAX, |ms| ms_to_ns(ms.saturating_add(1))),
        ),
        pattern,
        descending: token.map_or(is_newest_first, |(descending, _)| descending),
        from: token.map(|(_, position)| position),
        count_max: call.limit.unwrap_or(EVENTS_MAX),
    };
    let page = question.ask(state, caller, &group, question.from).await?;
    let next_token = page.next.map(|position| {
        let direction = if question.descending { "d" } else { "a" };
        let id = EventId { position, stream_hash: 0 }.to_string();
        pages::token(FILTER, &[direction, &id, &now_ms.to_string(), &asked])
    });
    let shown = |event: LogEvent| {
        let stream_hash = stream_hash(&group.name, &event.stream);
        FilteredLogEvent {
            timestamp: Some(ns_to_ms(event.position.time_ns)),
            ingestion_time: Some(ns_to_ms(event.position.received_ns)),
            event_id: Some(EventId { position: event.position, stream_hash }.to_string()),
            message: Some(event.message),
            log_stream_name: Some(event.stream),
        }
    };
    Ok(FilterLogEventsResponse {
        events: Some(page.events.into_iter().map(shown).collect()),
        searched_log_streams: Some(Vec::new()),
        next_token,
    })
}

/// What a token's question was, in short: a token is good for that question only.
fn asked(call: &FilterLogEventsRequest, group: &LogGroup) -> String {
    let FilterLogEventsRequest {
        log_stream_names,
        log_stream_name_prefix,
        filter_pattern,
        start_time,
        end_time,
        ..
    } = call;
    let asked = format!(
        "{log_stream_names:?} {log_stream_name_prefix:?} {filter_pattern:?} {start_time:?} {end_time:?}"
    );
    format!("{:019}", stream_hash(&group.id, &asked))
}

/// Direction and place of a token of `FilterLogEvents`.
fn filter_position(token: &str, asked: &str, now_ms: i64) -> Result<(bool, LogPosition), Error> {
    let [direction, id, made_ms, of] = pages::parts(FILTER, token)?;
    let made_ms: i64 = made_ms.parse().map_err(|_| pages::bad_token())?;
    if of != asked || now_ms.saturating_sub(made_ms) > TOKEN_AGE_MS_MAX {
        return Err(pages::bad_token());
    }
    let id = EventId::parse(&id).ok_or_else(pages::bad_token)?;
    Ok((direction == "d", id.position))
}

/// A filter pattern; none where there is no text of one.
fn parsed(pattern: Option<&str>) -> Result<Option<Arc<Pattern>>, Error> {
    let parsed = pattern.map(Pattern::parse).transpose().map_err(|error| invalid(error.to_string()))?;
    Ok(parsed.map(Arc::new))
}

/// A page of a group's events, in the words of both operations.
struct Question {
    streams: LogStreams,
    time: TimeRange,
    pattern: Option<Arc<Pattern>>,
    descending: bool,
    from: Option<LogPosition>,
    count_max: i32,
}

impl Question {
    /// A page that is empty only when there is nothing: an empty one is the end of a stream to its readers.
    async fn ask_until_some(
        &self,
        state: &CloudWatchLogs,
        caller: &Caller,
        group: &LogGroup,
    ) -> Result<Vec<LogEvent>, Error> {
        let mut from = self.from;
        loop {
            let page = self.ask(state, caller, group, from).await?;
            match page.next {
                Some(next) if page.events.is_empty() => from = Some(next),
                _ => return Ok(page.events),
            }
        }
    }

    async fn ask(
        &self,
        state: &CloudWatchLogs,
        caller: &Caller,
        group: &LogGroup,
        from: Option<LogPosition>,
    ) -> Result<LogPage, Error> {
        let deleted: Arc<HashMap<String, i64>> =
            state.intake.settings.deleted_log_streams(&group.id).await.map_err(unavailable)?;
        let mut time = self.time;
        if let Some(days) = group.retention_days {
            let kept_ms = state.intake.clock.now_ms().saturating_sub(days.saturating_mul(DAY_MS));
            time.start_ns = time.start_ns.max(ms_to_ns(kept_ms));
        }
        let question = LogQuestion {
            environment: caller.environment,
            group: group.name.clone(),
            region: caller.region.clone(),
            received_from_ns: group.created_ns,
            deleted,
            streams: self.streams.clone(),
            time,
            pattern: self.pattern.clone(),
            descending: self.descending,
            from,
            count_max: usize::try_from(self.count_max).unwrap_or(1),
            byte_count_max: PAGE_BYTES_MAX,
        };
        log_events(&state.context, &state.events, &question).await.map_err(failed)
    }
}

fn ms_to_ns(ms: i64) -> i64 {
    ms.saturating_mul(1_000_000)
}

fn ns_to_ms(ns: i64) -> i64 {
    ns.div_euclid(1_000_000)
}
