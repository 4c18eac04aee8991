//! Frames against `data/event_stream.json`, each of which botocore's parser reads (see `data/make.py`), and the decoder
//! against what is cut off, changed or made up.

use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;
use tracery_aws_wire::event_stream::{self, EventStreamError, Message, MessageType};
use tracery_aws_wire::logs;

fn frames() -> Vec<(Message, Vec<u8>)> {
    let frames: Vec<Value> = serde_json::from_str(include_str!("data/event_stream.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let frame = |frame: &Value| {
        let headers = frame["headers"].as_array().unwrap().iter();
        let headers = headers.map(|pair| (text(&pair[0]), text(&pair[1]))).collect();
        let message = Message { headers, payload: Bytes::from(text(&frame["payload"])) };
        (message, hex::decode(text(&frame["hex"])).unwrap())
    };
    frames.iter().map(frame).collect()
}

#[test]
fn frames_are_what_botocore_reads() {
    for (message, bytes) in frames() {
        assert_eq!(message.encode().unwrap(), bytes);
        assert_eq!(Message::decode(&bytes), Ok((message, bytes.len())));
    }
}

#[test]
fn the_stream_opens_with_the_initial_response() {
    assert_eq!(event_stream::initial_response().encode().unwrap(), frames()[0].1);
}

#[test]
fn generated_events_know_their_headers() {
    let update = logs::StartLiveTailResponseStream::SessionUpdate(logs::LiveTailSessionUpdate {
        session_metadata: Some(logs::LiveTailSessionMetadata { sampled: Some(false) }),
        session_results: Some(vec![logs::LiveTailSessionLogEvent {
            message: Some("é 日本".to_owned()),
            ..Default::default()
        }]),
    });
    let over = logs::StartLiveTailResponseStream::SessionTimeoutException(logs::SessionTimeoutException {
        message: Some("over".to_owned()),
    });
    assert_eq!(over.message().0, MessageType::Exception);
    for (event, frame) in [(update, 1), (over, 2)] {
        let message = event_stream::event(event.message(), &event).unwrap();
        assert_eq!(message.encode().unwrap(), frames()[frame].1);
    }
}

#[test]
fn a_damaged_frame_is_never_taken() {
    for (_, bytes) in frames() {
        for end in 0..bytes.len() {
            assert_eq!(Message::decode(&bytes[..end]), Err(EventStreamError::Incomplete), "{end}");
        }
        for idx in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[idx] ^= 1;
            assert_eq!(Message::decode(&damaged), Err(EventStreamError::Checksum), "{idx}");
        }
    }
}

#[test]
fn lengths_beyond_the_format_are_refused_before_anything_is_read() {
    for (total, headers, error) in [
        (u32::MAX, 0, EventStreamError::TooLarge),
        (16, u32::MAX, EventStreamError::TooLarge),
        (15, 0, EventStreamError::Lengths),
        (20, 5, EventStreamError::Lengths),
    ] {
        let mut bytes = [total.to_be_bytes(), headers.to_be_bytes()].concat();
        bytes.extend(crc32fast::hash(&bytes).to_be_bytes());
        assert_eq!(Message::decode(&bytes), Err(error), "{total} {headers}");
    }
    let long = Message { headers: vec![("n".repeat(256), String::new())], payload: Bytes::new() };
    assert_eq!(long.encode(), Err(EventStreamError::Header));
}

proptest! {
    #[test]
    fn any_message_comes_back(
        headers in proptest::collection::vec(("[a-z:-]{1,40}", "\\PC{0,80}"), 0..6),
        payload in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let message = Message { headers, payload: payload.into() };
        let bytes = message.encode().unwrap();
        prop_assert_eq!(Message::decode(&bytes), Ok((message, bytes.len())));
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Message::decode(&bytes).is_err());
    }
}
