//! `StartLiveTail`: an event stream that shows what arrives, an update each second until the client goes or three hours have
//! passed. A client that reads slowly gets updates that are samples of more.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval};
use tracery_aws_wire::event_stream::{self, CONTENT_TYPE, EventStreamError, MessageType};
use tracery_aws_wire::logs::{
    LiveTailSessionLogEvent, LiveTailSessionMetadata, LiveTailSessionStart, LiveTailSessionUpdate,
    SessionTimeoutException, StartLiveTailRequest, StartLiveTailResponseStream,
};
use tracery_aws_wire::{Error, decode};
use tracery_query::languages::log_pattern::Pattern;
use uuid::Uuid;

use super::{Reply, Request, invalid, limit_exceeded};
use crate::live::{Choice, Open, Update};
use crate::names::{find_group, group_name};
use crate::{Caller, CloudWatchLogs};

/// How long a session lasts.
const SESSION_MAX: Duration = Duration::from_secs(3 * 3_600);
const UPDATE_EVERY: Duration = Duration::from_secs(1);

pub(super) async fn start_live_tail(
    state: &CloudWatchLogs,
    caller: &Caller,
    request: Request<'_>,
) -> Result<Reply, Error> {
    let call = decode::<StartLiveTailRequest>(request.body, state.intake.limits.inflated_bytes_max)?;
    let names = call.log_stream_names.clone().unwrap_or_default();
    let prefixes = call.log_stream_name_prefixes.clone().unwrap_or_default();
    if !names.is_empty() && !prefixes.is_empty() {
        return Err(invalid("logStreamNames and logStreamNamePrefixes are mutually exclusive parameters."));
    }
    if call.log_group_identifiers.len() > 1 && !(names.is_empty() && prefixes.is_empty()) {
        return Err(invalid("Log streams can only be chosen in one log group."));
    }
    let pattern = pattern(call.log_event_filter_pattern.as_deref().unwrap_or_default())?;
    let mut groups = BTreeSet::new();
    for identifier in &call.log_group_identifiers {
        if identifier.ends_with('*') {
            return Err(invalid(format!("{identifier} must not end with *.")));
        }
        let group = find_group(state, caller, group_name(caller, identifier)?).await?;
        groups.insert(group.name.clone());
    }
    let session_id = Uuid::new_v4();
    let choice = Choice {
        environment: caller.environment,
        region: caller.region.clone(),
        groups,
        stream_names: names,
        stream_prefixes: prefixes,
        pattern,
        seed: session_id.as_u64_pair().0,
    };
    let open = state.live.open(choice).ok_or_else(limit_exceeded)?;
    let start = LiveTailSessionStart {
        request_id: Some(request.request_id.to_owned()),
        session_id: Some(session_id.to_string()),
        log_group_identifiers: Some(call.log_group_identifiers),
        log_stream_names: call.log_stream_names,
        log_stream_name_prefixes: call.log_stream_name_prefixes,
        log_event_filter_pattern: call.log_event_filter_pattern,
    };
    let mut every = interval(UPDATE_EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let ends = Instant::now() + SESSION_MAX;
    let tail = Tail { open, every, ends, next: Next::Initial(Box::new(start)) };
    let body = Body::from_stream(stream::unfold(tail, Tail::frame));
    Ok(Reply::Stream(respond(body, request.request_id)))
}

/// A pattern, or the vendor's error.
pub(super) fn pattern(text: &str) -> Result<Pattern, Error> {
    Pattern::parse(text).map_err(|error| invalid(error.to_string()))
}

fn respond(body: Body, request_id: &str) -> Response {
    ([("content-type", CONTENT_TYPE), ("x-amzn-requestid", request_id)], body).into_response()
}

/// A session's answer as it is read.
struct Tail {
    open: Open,
    every: Interval,
    ends: Instant,
    next: Next,
}

enum Next {
    Initial(Box<LiveTailSessionStart>),
    Start(Box<LiveTailSessionStart>),
    Update,
    End,
}

impl Tail {
    /// The next message.
    async fn frame(mut self) -> Option<(Result<Bytes, EventStreamError>, Self)> {
        let (message, next) = match self.next {
            Next::Initial(start) => (event_stream::initial_response().encode(), Next::Start(start)),
            Next::Start(start) => {
                // The first tick comes at once: updates start a second later.
                self.every.tick().await;
                (encoded(&StartLiveTailResponseStream::SessionStart(*start)), Next::Update)
            }
            Next::Update => {
                self.every.tick().await;
                if Instant::now() >= self.ends {
                    let message = Some("The session has lasted for three hours.".to_owned());
                    let end = SessionTimeoutException { message };
                    (encoded(&StartLiveTailResponseStream::SessionTimeoutException(end)), Next::End)
                } else {
                    let update = StartLiveTailResponseStream::SessionUpdate(wire(self.open.update()));
                    (encoded(&update), Next::Update)
                }
            }
            Next::End => return None,
        };
        self.next = next;
        Some((message, self))
    }
}

fn encoded(message: &StartLiveTailResponseStream) -> Result<Bytes, EventStreamError> {
    let (kind, name) = message.message();
    debug_assert!(matches!(kind, MessageType::Event | MessageType::Exception));
    let message = event_stream::event((kind, name), message);
    // Only texts and numbers are in there, which are always JSON.
    message.map_err(|_| EventStreamError::Header)?.encode()
}

fn wire(update: Update) -> LiveTailSessionUpdate {
    let events = update.events.into_iter().map(|shown| LiveTailSessionLogEvent {
        log_stream_name: Some(shown.stream),
        log_group_identifier: Some(shown.group),
        message: Some(shown.message),
        timestamp: Some(shown.time_ms),
        ingestion_time: Some(shown.received_ms),
    });
    LiveTailSessionUpdate {
        session_metadata: Some(LiveTailSessionMetadata { sampled: Some(update.is_sampled) }),
        session_results: Some(events.collect()),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracery_aws_wire::event_stream::Message;
    use tracery_model::EnvironmentId;

    use super::*;
    use crate::live::Hub;

    #[tokio::test]
    async fn a_session_that_lasted_long_enough_ends_with_an_exception() {
        let hub = Arc::new(Hub::default());
        let choice = Choice {
            environment: EnvironmentId(1),
            region: "us-east-1".into(),
            groups: BTreeSet::new(),
            stream_names: Vec::new(),
            stream_prefixes: Vec::new(),
            pattern: Pattern::All,
            seed: 1,
        };
        let open = hub.open(choice).unwrap();
        let tail = Tail { open, every: interval(UPDATE_EVERY), ends: Instant::now(), next: Next::Update };
        let (message, tail) = tail.frame().await.unwrap();
        let (message, _) = Message::decode(&message.unwrap()).unwrap();
        assert!(message.headers.contains(&(":exception-type".into(), "SessionTimeoutException".into())));
        assert!(tail.frame().await.is_none());
        assert!(!hub.is_watched());
    }
}
