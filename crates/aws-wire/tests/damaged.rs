//! Damaged requests, signatures and messages are refused; nothing of what arrives panics.

use http::{HeaderMap, HeaderName, HeaderValue};
use tracery_aws_wire::event_stream::Message;
use tracery_aws_wire::operation::checked;
use tracery_aws_wire::sigv4::SignedRequest;
use tracery_aws_wire::{logs, xray};
use tracery_testkit::{each_mutation, seeds};

/// Lines: the query, then headers as `name: value`.
fn request(text: &str) -> (Option<&str>, HeaderMap) {
    let (query, rest) = text.split_once('\n').unwrap_or((text, ""));
    let mut headers = HeaderMap::new();
    for (name, value) in rest.lines().filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) =
            (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value.trim()))
        {
            headers.append(name, value);
        }
    }
    ((!query.is_empty()).then_some(query), headers)
}

#[test]
fn signatures() {
    let seeds = seeds("aws_signed_request");
    for seed in &seeds {
        let (query, headers) = request(std::str::from_utf8(seed).unwrap());
        assert!(SignedRequest::read(query, &headers).unwrap().is_some(), "{}", seed.escape_ascii());
    }
    each_mutation(&seeds, 5_000, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let (query, headers) = request(text);
        drop(SignedRequest::read(query, &headers));
    });
}

#[test]
fn requests_of_every_operation() {
    let specs: Vec<_> = xray::Operation::ALL
        .iter()
        .map(|operation| operation.spec())
        .chain(logs::Operation::ALL.iter().map(|operation| operation.spec()))
        .collect();
    let seeds = seeds("aws_operation");
    for seed in &seeds {
        assert!(checked(specs[usize::from(seed[0])], &seed[1..], 1 << 20).is_ok(), "{}", seed.escape_ascii());
    }
    each_mutation(&seeds, 5_000, |bytes| {
        let [choice, body @ ..] = bytes else { return };
        if let Ok(value) = checked(specs[usize::from(*choice) % specs.len()], body, 1 << 20) {
            assert!(value.is_object());
        }
    });
}

#[test]
fn messages_of_event_streams() {
    let seeds = seeds("aws_event_stream");
    assert!(seeds.iter().all(|seed| Message::decode(seed).is_ok()));
    each_mutation(&seeds, 5_000, |bytes| {
        if let Ok((message, len)) = Message::decode(bytes)
            && let Ok(encoded) = message.encode()
        {
            assert_eq!(encoded[..], bytes[..len]);
        }
    });
}
