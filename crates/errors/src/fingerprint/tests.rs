//! Pairs of occurrences that are the same error, and pairs that are not.

use serde_json::json;

use super::*;
use crate::{Frame, Level, Source};

fn occurrence(kind: Kind) -> Occurrence {
    Occurrence {
        source: Source::Rollbar,
        uuid: "u".into(),
        received_ns: 0,
        customer_time_s: None,
        environment: "production".into(),
        level: Level::Error,
        kind,
        fingerprint: None,
        title: None,
        platform: None,
        language: None,
        framework: None,
        code_version: None,
        context: None,
        person: None,
        host: None,
        root: Some("/srv/shop".into()),
        user_ip: None,
        service: None,
        trace_id: None,
        span_id: None,
        payload: String::new(),
    }
}

/// Class, message, and `file:method` of each frame.
fn exception(class: &str, message: &str, frames: &[&str]) -> Exception {
    let frame = |place: &&str| {
        let (file, method) = place.rsplit_once(':').unwrap();
        Frame { file: file.into(), method: Some(method.into()), ..Frame::default() }
    };
    Exception {
        class: class.into(),
        message: Some(message.into()),
        frames: frames.iter().map(frame).collect(),
    }
}

fn grouped(kind: Kind) -> Grouping {
    group(&occurrence(kind), &Rules::default(), &json!({}))
}

const FLASK: &str = "/usr/lib/python3/site-packages/flask/app.py:dispatch_request";

#[test]
fn the_same_error_has_the_same_fingerprint() {
    let of = |exceptions: &[Exception]| grouped(Kind::Exceptions(exceptions.to_vec())).fingerprint;
    let message = |text: &str| grouped(Kind::Message(text.into())).fingerprint;
    let base = || exception("KeyError", "'a'", &[FLASK, "/srv/shop/cart.py:total"]);
    for (name, left, right, is_same) in [
        (
            "another message",
            of(&[base()]),
            of(&[exception("KeyError", "'b'", &[FLASK, "/srv/shop/cart.py:total"])]),
            true,
        ),
        (
            "another version of a library",
            of(&[base()]),
            of(&[exception(
                "KeyError",
                "'a'",
                &["/v/lib/python3.12/site-packages/flask/app.py:full_dispatch", "/srv/shop/cart.py:total"],
            )]),
            true,
        ),
        (
            "another class",
            of(&[base()]),
            of(&[exception("ValueError", "'a'", &[FLASK, "/srv/shop/cart.py:total"])]),
            false,
        ),
        (
            "another place",
            of(&[base()]),
            of(&[exception("KeyError", "'a'", &[FLASK, "/srv/shop/cart.py:items"])]),
            false,
        ),
        (
            "deeper in a recursion",
            of(&[exception("RecursionError", "", &["/srv/shop/a.py:f", "/srv/shop/a.py:f"])]),
            of(&[exception(
                "RecursionError",
                "",
                &["/srv/shop/a.py:f", "/srv/shop/a.py:f", "/srv/shop/a.py:f"],
            )]),
            true,
        ),
        (
            "another cause",
            of(&[base(), exception("A", "", &[])]),
            of(&[base(), exception("B", "", &[])]),
            false,
        ),
        ("a cause", of(&[base()]), of(&[base(), exception("A", "", &[])]), false),
        (
            "only a library's frames",
            of(&[exception("E", "x", &[FLASK])]),
            of(&[exception("E", "y", &[FLASK])]),
            true,
        ),
        (
            "no frames, other ids",
            of(&[exception("E", "row 5", &[])]),
            of(&[exception("E", "row 77", &[])]),
            true,
        ),
        (
            "no frames, other words",
            of(&[exception("E", "row 5", &[])]),
            of(&[exception("E", "table 5", &[])]),
            false,
        ),
        ("messages with other numbers", message("user 5 is slow"), message("user 12 is slow"), true),
        ("other messages", message("user 5 is slow"), message("user 5 is fast"), false),
    ] {
        assert_eq!(left == right, is_same, "{name}");
    }
    assert_eq!(of(&[base()]), "c0a97778d577687cfc96b04988ef2b45bf1642a3", "it is stored");
}

#[test]
fn titles_say_what_happened() {
    let of = |kind| grouped(kind).title;
    assert_eq!(of(Kind::Exceptions(vec![exception("KeyError", "'a'", &[])])), "KeyError: 'a'");
    assert_eq!(of(Kind::Exceptions(vec![exception("KeyError", "", &[])])), "KeyError");
    assert_eq!(of(Kind::Message("\n  Hello World!\nmore".into())), "Hello World!");
    assert_eq!(of(Kind::Message(String::new())), "(no message)");
    assert_eq!(of(Kind::Message("é".repeat(300))).chars().count(), 255);
}

#[test]
fn rules_come_before_the_payload_and_that_before_the_algorithm() {
    let mut one = occurrence(Kind::Message("m".into()));
    let default = group(&one, &Rules::default(), &json!({}));
    assert_eq!(default.explanation, json!({"version": 1, "by": "the message", "parts": ["message m"]}));
    one.fingerprint = Some("own".into());
    one.title = Some("T".into());
    let own = group(&one, &Rules::default(), &json!({}));
    assert_eq!(
        (own.fingerprint.as_str(), own.title.as_str(), &own.explanation["by"]),
        ("own", "T", &json!("the payload"))
    );
    one.fingerprint = Some("x".repeat(41));
    assert_eq!(group(&one, &Rules::default(), &json!({})).fingerprint.len(), 40);
    let rules = Rules::parse(
        r#"[{"condition": {"path": "a", "eq": 1}, "fingerprint": "{{default_fingerprint}}!", "title": "{{a}}"}]"#,
    );
    let ruled = group(&one, &rules.unwrap(), &json!({"a": 1}));
    assert_eq!(
        (ruled.fingerprint, ruled.title.as_str()),
        (hash(&[format!("{}!", default.fingerprint)]), "1")
    );
    assert_eq!(ruled.explanation["by"], "rule 1");
}
