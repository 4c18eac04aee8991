use proptest::prelude::*;

use super::Pattern;

fn parsed(text: &str) -> Pattern {
    Pattern::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The examples of the vendor's page, and what lies between them.
#[test]
fn patterns_choose_the_messages_that_the_vendor_says() {
    let json = r#"{"eventType":"UpdateTrail","sourceIPAddress":"111.111.111.111","arrayKey":["value","another value"],
        "objectList":[{"name":"a","id":1},{"name":"b","id":2}],"SomeObject":null,"ThisFlag":true,"errorCode":400,
        "latency":3.5,"odd key":"x","Message":"INFO start"}"#;
    let line = r#"127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    for (pattern, message, expected) in [
        ("", "anything", true),
        (" ", "anything", true),
        ("ERROR", "[ERROR 400] BAD REQUEST", true),
        ("ERROR", "[error 400]", false),
        ("ERROR ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", true),
        ("ERROR ARGUMENTS", "ARGUMENTS before ERROR", true),
        ("ERROR ARGUMENTS", "[ERROR 400]", false),
        ("?ERROR ?ARGUMENTS", "[ERROR 400]", true),
        ("?ERROR ?ARGUMENTS", "MISSING ARGUMENTS", true),
        ("?ERROR ?ARGUMENTS", "fine", false),
        ("?ERROR ARGUMENTS", "only ARGUMENTS", true),
        ("?ERROR -EXIT", "nothing of both", true),
        ("\"INTERNAL SERVER ERROR\"", "[ERROR 500] INTERNAL SERVER ERROR", true),
        ("\"INTERNAL SERVER ERROR\"", "INTERNAL ERROR", false),
        ("ERROR -ARGUMENTS", "[ERROR 400]", true),
        ("ERROR -ARGUMENTS", "[ERROR 419] MISSING ARGUMENTS", false),
        ("-\"BAD REQUEST\" ERROR", "[ERROR 400] BAD REQUEST", false),
        (r#""say \"hi\"""#, r#"they say "hi" again"#, true),
        ("%AUTHORIZED%", "UNAUTHORIZED", true),
        ("%AUTH\\w+%", "AUTH", false),
        ("%[0-9]{3}%", "status 404", true),
        ("ERROR %4[0-9]{2}%", "[ERROR 419]", true),
        ("{ $.eventType = \"UpdateTrail\" }", json, true),
        ("{$.eventType = UpdateTrail}", json, true),
        ("{ $.eventType != \"UpdateTrail\" }", json, false),
        ("{ $.eventType = \"Update*\" }", json, true),
        ("{ $.eventType = \"*Trail\" && $.latency > 3 }", json, true),
        ("{ $.sourceIPAddress = \"111.*\" }", json, true),
        ("{ $.sourceIPAddress != 123.123.* }", json, true),
        ("{ $.eventType = %Trail% }", json, true),
        ("{ $.arrayKey[0] = \"value\" }", json, true),
        ("{ $.arrayKey[1] = \"value\" }", json, false),
        ("{ $.arrayKey[9] = \"value\" }", json, false),
        ("{ $.objectList[1].id = 2 }", json, true),
        ("{ $.SomeObject IS NULL }", json, true),
        ("{ $.SomeOtherObject IS NULL }", json, false),
        ("{ $.SomeOtherObject NOT EXISTS }", json, true),
        ("{ $.SomeObject NOT EXISTS }", json, false),
        ("{ $.ThisFlag IS TRUE }", json, true),
        ("{ $.ThisFlag IS FALSE }", json, false),
        ("{ $.errorCode = 400 }", json, true),
        ("{ $.errorCode = 4* }", json, true),
        ("{ $.errorCode != 4* }", json, false),
        ("{ $.errorCode >= 4e2 && $.errorCode < 500.5 }", json, true),
        ("{ $.latency = 3.5 || $.nothing = 1 && $.eventType = \"no\" }", json, true),
        ("{ ($.latency = 3.5 || $.nothing = 1) && $.eventType = \"no\" }", json, false),
        ("{ $.nothing != 1 }", json, false),
        ("{ $[\"odd key\"] = \"x\" }", json, true),
        ("{ $['odd key'] = x }", json, true),
        ("{ $.['odd key'] = x }", json, true),
        ("{ $.latency > 3 }", "latency 4", false),
        ("{ $.latency > 3 }", "{\"latency\":", false),
        ("[ip, id, user, timestamp, request, status_code, size]", line, true),
        ("[ip, id, user, timestamp, request, status_code = 4*, size]", line, true),
        ("[ip, id, user, timestamp, request = *html*, status_code = 4*, size]", line, true),
        ("[ip, id, user, timestamp, request, status_code = 5*, size]", line, false),
        ("[ip, id, user, timestamp, request, status_code, size > 1534]", line, false),
        (
            "[ip, id, user, timestamp, request, status_code = 404 || status_code = 410, size >= 1000 && size < 2000]",
            line,
            true,
        ),
        ("[ip, id, user, timestamp, request, status_code]", line, false),
        ("[..., size]", line, true),
        ("[..., status_code = 4*, size]", line, true),
        ("[ip = 127.*, ...]", line, true),
        ("[ip != 127.*, ...]", line, false),
        ("[ip, ..., user = frank]", line, false),
        ("[ip, id, user = %f.*k%, ...]", line, true),
        ("[w1=ERROR || w1=%WARN%, w2]", "WARNING disk", true),
        ("[w1=ERROR || w1=%WARN%, w2]", "INFO disk", false),
        ("[w1=\"a b\", w2]", "[a b] c", true),
    ] {
        assert_eq!(parsed(pattern).matches(message), expected, "{pattern} on {message}");
        let printed = parsed(pattern).to_string();
        assert_eq!(parsed(&printed), parsed(pattern), "{pattern} printed as {printed}");
    }
}

#[test]
fn what_is_no_pattern_says_where() {
    let mut wrong = Vec::new();
    for (pattern, offset) in [
        ("ERROR: x", 5),
        ("\"open", 0),
        ("a%b%", 1),
        ("%open", 0),
        ("%%", 0),
        ("%(a)%", 1),
        ("%é%", 1),
        ("%a[%", 1),
        ("%a% %b% %c%", 9),
        ("{ $.a = }", 8),
        ("{ $.a = 1", 9),
        ("{ a = 1 }", 2),
        ("{ $ = 1 }", 3),
        ("{ $.a > x }", 8),
        ("{ $.a IS MAYBE }", 9),
        ("{ $.a = 1 } more", 12),
        ("{ $.a[x] = 1 }", 6),
        ("[a, b", 5),
        ("[..., ...]", 9),
        ("[a = 1 || b = 2]", 10),
        ("[]", 1),
    ] {
        match Pattern::parse(pattern) {
            Err(error) if error.offset == offset => {}
            other => wrong.push((pattern, offset, other)),
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(Pattern::parse(&"a".repeat(1_025)).unwrap_err().offset, 1_024);
    assert!(Pattern::parse(&"a".repeat(1_024)).is_ok());
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(400), ")".repeat(400));
    assert!(Pattern::parse(&deep).is_err());
}

#[test]
fn values_are_taken_out_by_name() {
    let pairs = |found: Vec<(String, String)>| -> Vec<String> {
        found.into_iter().map(|(name, value)| format!("{name}={value}")).collect()
    };
    let line = "127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 1534";
    assert_eq!(
        pairs(parsed("[ip, identity, ..., status_code, bytes]").extract(line)),
        [
            "$ip=127.0.0.1",
            "$identity=-",
            "$3=frank",
            "$4=10/Oct/2000:13:25:15 -0700",
            "$5=GET /apache_pb.gif HTTP/1.0",
            "$status_code=200",
            "$bytes=1534",
        ]
    );
    let json = parsed("{ $.latency > 1 && $.user.name = \"*\" && $.latency < 9 && $.none NOT EXISTS }");
    let message = r#"{"latency": 2.5, "user": {"name": "ann"}, "size": 7}"#;
    assert_eq!(pairs(json.extract(message)), ["$.latency=2.5", "$.user.name=ann"]);
    assert_eq!(json.value(message, "$.size"), Some("7".to_owned()));
    assert_eq!(json.value(message, "$.nothing"), None);
    assert_eq!(json.value(message, "$.broken["), None);
    assert_eq!(parsed("[a, b]").value("x y", "$b"), Some("y".to_owned()));
    assert_eq!(pairs(parsed("ERROR").extract("ERROR x")), [] as [&str; 0]);
}

fn pattern() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        "[a-z]{1,4}",
        "[a-z]{0,2}\\*[a-z]{0,2}",
        "\"[a-z \\\\*]{0,6}\"".prop_filter("an escaped quote", |text| !text.ends_with("\\\"")),
        "%[a-z.+]{1,3}%"
            .prop_filter("a regular expression", |text| regex::Regex::new(text.trim_matches('%')).is_ok()),
        "-?[0-9]{1,3}(\\.5)?",
    ];
    let sign = prop_oneof![Just("="), Just("!=")];
    let test =
        ("[a-c]", sign, value.clone()).prop_map(|(key, sign, value)| format!("$.{key} {sign} {value}"));
    let more = prop_oneof![
        "[a-c]".prop_map(|key| format!("$.{key} IS NULL")),
        "[a-c]".prop_map(|key| format!("$.x[\"{key}\"] NOT EXISTS")),
        "[a-c]".prop_map(|key| format!("$.{key}[1] IS TRUE")),
    ];
    let leaf = prop_oneof![3 => test, 1 => more];
    let condition = leaf.prop_recursive(3, 12, 3, |inner| {
        (prop::collection::vec(inner, 2..4), prop_oneof![Just(" && "), Just(" || ")])
            .prop_map(|(parts, sign)| format!("({})", parts.join(sign)))
    });
    let term =
        ("[-?]?", prop_oneof!["[a-z_]{1,5}", "\"[a-z: ]{1,6}\""]).prop_map(|(sign, term)| sign + &term);
    let terms = prop::collection::vec(term, 0..5).prop_map(|terms| terms.join(" "));
    let slot = ("[a-z]{1,3}", prop::option::of(value)).prop_map(|(name, value)| match value {
        Some(value) => format!("{name} = {value}"),
        None => name,
    });
    let slots = (prop::collection::vec(slot, 1..4), any::<bool>())
        .prop_map(|(slots, dots)| format!("[{}{}]", slots.join(", "), if dots { ", ..." } else { "" }));
    prop_oneof![terms, condition.prop_map(|condition| format!("{{ {condition} }}")), slots]
}

proptest! {
    #[test]
    fn a_printed_pattern_is_the_same_pattern(text in pattern()) {
        if let Ok(pattern) = Pattern::parse(&text) {
            let printed = pattern.to_string();
            prop_assert_eq!(Pattern::parse(&printed).map_err(|error| format!("{printed}: {error}")), Ok(pattern));
        }
    }

    #[test]
    fn no_text_breaks_the_parser(text in "\\PC{0,60}", message in "\\PC{0,60}") {
        if let Ok(pattern) = Pattern::parse(&text) {
            pattern.matches(&message);
            pattern.extract(&message);
        }
    }
}
