//! The filter language: examples with their printed form, errors with their places, what each term means over one trace,
//! and that whatever is printed parses to the same tree.

use proptest::prelude::*;
use serde_json::{Value, json};
use tracery_query::languages::xray::*;

#[test]
fn examples_parse_and_print() {
    let examples = [
        // As people and consoles write them, and as they are kept.
        ("ok", "ok"),
        ("ok = true", "ok"),
        ("ok != false", "ok"),
        ("FAULT=false", "fault = false"),
        ("!ok", "!ok"),
        ("responsetime > 5", "responsetime > 5"),
        ("responseTime>=0.5 and duration <1e2", "responsetime >= 0.5 AND duration < 100"),
        ("ok !partial duration <3", "ok AND !partial AND duration < 3"),
        ("http.status != 200", "http.status != 200"),
        (r#"http.url CONTAINS "/api/game/""#, r#"http.url CONTAINS "/api/game/""#),
        (
            r#"http.method = "GET" AND http.clientip BeginsWith "10.""#,
            r#"http.method = "GET" AND http.clientip BEGINSWITH "10.""#,
        ),
        (r#"user CONTAINS """#, r#"user CONTAINS """#),
        (r#"http.useragent ENDSWITH "\"x\\\"""#, r#"http.useragent ENDSWITH "\"x\\\"""#),
        ("name = traces", r#"name = "traces""#),
        ("annotation.age", "annotation.age"),
        ("annotation[tier.name] = \"gold\"", "annotation[tier.name] = \"gold\""),
        ("annotation.age > 29", "annotation.age > 29"),
        ("annotation.age !fault", "annotation.age AND !fault"),
        (r#"annotation.teamid = "555""#, r#"annotation.teamid = "555""#),
        ("annotation.beta = TRUE", "annotation.beta = true"),
        ("annotation.beta != true", "annotation.beta = false"),
        ("annotation.team = red", r#"annotation.team = "red""#),
        (r#"service("api.example.com")"#, r#"service("api.example.com")"#),
        (r#"!service("api.example.com")"#, r#"!service("api.example.com")"#),
        ("service() {fault}", "service() { fault }"),
        (
            r#"service(id(name: "api", type: "AWS::EC2::Instance"))"#,
            r#"service(id(name: "api", type: "AWS::EC2::Instance"))"#,
        ),
        (
            r#"service(id(name: "api")) { error and responsetime > 2 }"#,
            r#"service("api") { error AND responsetime > 2 }"#,
        ),
        (r#"service(id(account.id: "123456789012"))"#, r#"service(id(account.id: "123456789012"))"#),
        (r#"edge("a", "b")"#, r#"edge("a", "b")"#),
        (
            r#"edge("a",id(name:"b",type:"client")){ fault }"#,
            r#"edge("a", id(name: "b", type: "client")) { fault }"#,
        ),
        (r#"group.name = "high" AND http.status = 500"#, r#"group.name = "high" AND http.status = 500"#),
        (
            r#"group.arn = "arn:aws:xray:us-east-1:1:group/high/X""#,
            r#"group.arn = "arn:aws:xray:us-east-1:1:group/high/X""#,
        ),
        (
            r#"rootcause.fault.exception { last and message = "boom" }"#,
            r#"rootcause.fault.exception { last AND message = "boom" }"#,
        ),
        (
            "rootcause.responsetime.entity{coverage>0.5 and !remote}",
            "rootcause.responsetime.entity { coverage > 0.5 AND !remote }",
        ),
        (
            r#"rootcause.json = #[{ "Services": [ {"Name": "a", "EntityPath": [{"Name": "b"}]} ] }] AND ok"#,
            r#"rootcause.json = #[{"Services":[{"Name":"a","EntityPath":[{"Name":"b"}]}]}] AND ok"#,
        ),
        ("ok OR error AND fault", "ok OR error AND fault"),
        ("(ok OR error) AND fault", "(ok OR error) AND fault"),
        ("((ok))", "ok"),
        ("!(ok or (error or fault))", "!(ok OR (error OR fault))"),
        ("!!ok", "!!ok"),
    ];
    for (text, printed) in examples {
        let tree = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(tree.to_string(), printed, "{text}");
        assert_eq!(parse(printed), Ok(tree), "{text}");
    }
}

#[test]
fn an_error_says_where_and_what() {
    let deep = "(".repeat(100);
    let bangs = format!("{}ok", "!".repeat(1_900));
    let long = "ok ".repeat(1_000);
    for (text, offset, expected, found) in [
        ("", 0, "a keyword, `!` or `(`", "the end"),
        ("  colour = \"red\"", 2, "a keyword, `!` or `(`", "`colour`"),
        ("ok AND", 6, "a keyword, `!` or `(`", "the end"),
        ("ok or and", 6, "a keyword, `!` or `(`", "`and`"),
        ("ok = maybe", 5, "true or false", "`maybe`"),
        ("duration 5", 9, "a comparison of numbers", "`5`"),
        ("duration > fast", 11, "a number", "`fast`"),
        ("duration > inf", 11, "a number", "`inf`"),
        ("duration > 1e999", 11, "a number", "`1e999`"),
        ("http.url > 5", 9, "a comparison of texts", "`>`"),
        ("http.url = \"é", 14, "the text's closing quote", "the end"),
        ("user = ü", 7, "a text in quotes", "`ü`"),
        ("(ok", 3, "AND, OR or `)`", "the end"),
        ("ok)", 2, "AND, OR or the end", "`)`"),
        ("service(\"a\"", 11, "`)`", "the end"),
        ("service {ok}", 8, "`(`", "`{`"),
        ("service() { ok", 14, "AND, OR or `}`", "the end"),
        ("service() { service() }", 12, "a keyword of nodes, edges or causes", "`service`"),
        ("service() { group.name = \"g\" }", 12, "a keyword of nodes, edges or causes", "`group.name`"),
        ("service(id(colour: \"a\"))", 11, "name, type or account.id", "`colour`"),
        ("service(id(name: \"a\", name: \"b\"))", 22, "each field once", "`name`"),
        ("edge(\"a\")", 8, "`,` and the edge's other end", "`)`"),
        ("annotation.", 11, "an annotation's key", "the end"),
        ("annotation[a", 12, "`]`", "the end"),
        ("annotation.a > x", 15, "a number", "`x`"),
        ("rootcause.fault.service", 23, "`{`", "the end"),
        ("rootcause.fault.thing { ok }", 0, "a keyword, `!` or `(`", "`rootcause.fault.thing`"),
        ("rootcause.json = #[{]", 18, "a JSON list of root causes", "`[`"),
        (&deep, 33, "fewer levels of nesting", "`(`"),
        (&bangs, 33, "fewer levels of nesting", "`!`"),
        (&long, 2_000, "at most 2000 characters", "a longer expression"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.offset, error.expected, error.found.as_str()), (offset, expected, found), "{text}");
    }
}

fn facts(flags: &[Flag], numbers: &[(Number, f64)], texts: &[(Text, &str)]) -> Facts {
    Facts {
        flags: flags.to_vec(),
        numbers: numbers.to_vec(),
        texts: texts.iter().map(|(text, value)| (*text, (*value).to_owned())).collect(),
        annotations: Vec::new(),
    }
}

/// A client asks `web`, which answers 200 although its table `orders` failed.
fn trace() -> Trace {
    let mut entry = facts(
        &[Flag::Ok],
        &[(Number::Duration, 1.5), (Number::ResponseTime, 1.2), (Number::HttpStatus, 200.0)],
        &[(Text::HttpUrl, "http://web/api/orders"), (Text::User, "ada"), (Text::User, "bob")],
    );
    entry.annotations = vec![
        ("tier".to_owned(), AnnotationValue::Text("gold".to_owned())),
        ("age".to_owned(), AnnotationValue::Number(30.0)),
        ("beta".to_owned(), AnnotationValue::Flag(false)),
    ];
    let service = |name: &str, r#type: &str, facts: Facts| Service {
        name: name.to_owned(),
        r#type: r#type.to_owned(),
        account_id: "1".to_owned(),
        facts,
    };
    let failed = || facts(&[Flag::Fault], &[(Number::ResponseTime, 0.8)], &[]);
    Trace {
        services: vec![
            service("web", "client", Facts::default()),
            service("web", "AWS::EC2::Instance", entry.clone()),
            service("orders", "AWS::DynamoDB::Table", failed()),
        ],
        edges: vec![
            Edge { from_idx: 0, to_idx: 1, facts: facts(&[Flag::Ok], &[], &[]) },
            Edge { from_idx: 1, to_idx: 2, facts: failed() },
        ],
        groups: vec![Group { name: "slow".to_owned(), arn: "arn:slow".to_owned() }],
        root_causes: vec![RootCause {
            cause: Cause::Fault,
            services: vec![RootCauseService {
                facts: facts(&[], &[], &[(Text::Name, "web")]),
                entities: vec![facts(
                    &[Flag::Last, Flag::Remote],
                    &[(Number::Coverage, 0.6)],
                    &[(Text::Name, "orders")],
                )],
                exceptions: vec![facts(&[Flag::Last], &[], &[(Text::Message, "boom")])],
            }],
            json: json!({"Services": [{"Name": "web", "Type": "x", "EntityPath": [{"Name": "orders", "Remote": true}]}]}),
        }],
        facts: entry,
    }
}

#[test]
fn each_term_means_what_it_says() {
    let trace = trace();
    for (text, expected) in [
        ("ok", true),
        ("ok = false", false),
        ("fault", false),
        ("fault = false", true),
        ("service() { fault }", true),
        (r#"service("web") { fault }"#, false),
        (r#"service(id(type: "client"))"#, true),
        (r#"service(id(name: "orders", type: "client"))"#, false),
        (r#"service(id(account.id: "2"))"#, false),
        (r#"!service("cache")"#, true),
        (r#"edge("web", "orders") { fault }"#, true),
        (r#"edge("orders", "web")"#, false),
        (r#"edge(id(type: "client"), "web") { fault }"#, false),
        ("edge(id(), id()) { responsetime < 1 }", true),
        ("duration >= 1.5 AND duration <= 1.5 AND duration = 1.5", true),
        ("duration > 1.5", false),
        ("http.status != 200", false),
        ("coverage > 0", false),
        ("!coverage > 0", true),
        (r#"user = "bob""#, true),
        (r#"user CONTAINS """#, true),
        (r#"http.useragent CONTAINS """#, false),
        (r#"http.useragent != "x""#, false),
        (r#"http.url ENDSWITH "/orders" http.url BEGINSWITH "http://" http.url CONTAINS "api""#, true),
        (r#"http.url = "HTTP://web/api/orders""#, false),
        ("annotation.tier", true),
        ("annotation.Tier", false),
        ("annotation.tier = gold", true),
        ("annotation.tier = 5", false),
        ("annotation.age > 29 AND annotation.age != 31", true),
        (r#"annotation.age = "30""#, false),
        ("annotation.beta = false", true),
        ("annotation.beta", true),
        (r#"group.name = "slow" AND group.arn = "arn:slow""#, true),
        (r#"group.name = "fast""#, false),
        (r#"rootcause.fault.service { name = "web" }"#, true),
        (r#"rootcause.fault.entity { name = "orders" and remote and coverage > 0.5 }"#, true),
        (r#"rootcause.fault.exception { last and message = "boom" }"#, true),
        (r#"rootcause.error.service { name = "web" }"#, false),
        (r#"rootcause.json = #[{"Services": [{"Name": "web", "EntityPath": [{"Name": "orders"}]}]}]"#, true),
        (r#"rootcause.json = #[{"Services": [{"Name": "web", "EntityPath": []}]}]"#, false),
        ("fault OR ok AND error", false),
        ("ok OR ok AND error", true),
        ("(ok OR ok) AND error", false),
    ] {
        assert_eq!(matches(&parse(text).unwrap(), &trace), expected, "{text}");
    }
}

fn word<W: Copy + std::fmt::Debug + 'static>(all: &'static [W]) -> impl Strategy<Value = W> {
    proptest::sample::select(all)
}

fn number() -> impl Strategy<Value = f64> {
    prop_oneof![any::<i32>().prop_map(f64::from), 0.0..1.0]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z ]{0,5}", "\\PC{0,5}", Just("\\\"".to_owned()), Just("and".to_owned())]
}

fn selector() -> impl Strategy<Value = Selector> {
    let part = || proptest::option::of(text());
    (part(), part(), part()).prop_map(|(name, r#type, account_id)| Selector { name, r#type, account_id })
}

fn plain_term() -> impl Strategy<Value = Term> {
    let key = prop_oneof!["[A-Za-z0-9_]{1,5}", "[a-z.]{1,5}", text()];
    let test = prop_oneof![
        (word(TextTest::ALL), text()).prop_map(|(test, value)| AnnotationTest::Text(test, value)),
        (word(Comparison::ALL), number()).prop_map(|(test, value)| AnnotationTest::Number(test, value)),
        any::<bool>().prop_map(AnnotationTest::Flag),
    ];
    prop_oneof![
        (word(Flag::ALL), any::<bool>()).prop_map(|(flag, is)| Term::Flag { flag, is }),
        (word(Number::ALL), word(Comparison::ALL), number())
            .prop_map(|(number, comparison, value)| Term::Number { number, comparison, value }),
        (word(Text::ALL), word(TextTest::ALL), text()).prop_map(|(text, test, value)| Term::Text {
            text,
            test,
            value
        }),
        (key, proptest::option::of(test)).prop_map(|(key, test)| Term::Annotation { key, test }),
    ]
}

fn expression(leaf: BoxedStrategy<Term>) -> BoxedStrategy<Expression> {
    let leaf = leaf.prop_map(Expression::Term);
    let tree = leaf.prop_recursive(3, 10, 3, |inner| {
        let several = || proptest::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            several().prop_map(Expression::All),
            several().prop_map(Expression::Any),
            inner.clone().prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    });
    tree.boxed()
}

fn any_term() -> impl Strategy<Value = Term> {
    let inside = || expression(plain_term().boxed()).prop_map(Box::new);
    let cause = proptest::collection::btree_map("[A-Z][a-z]{0,4}", text().prop_map(Value::from), 0..3)
        .prop_map(|members| members.into_iter().collect::<Value>());
    prop_oneof![
        4 => plain_term(),
        1 => (selector(), proptest::option::of(inside()))
            .prop_map(|(selector, inside)| Term::Service { selector, inside }),
        1 => (selector(), selector(), proptest::option::of(inside()))
            .prop_map(|(from, to, inside)| Term::Edge { from, to, inside }),
        1 => (word(GroupBy::ALL), text()).prop_map(|(by, value)| Term::Group { by, value }),
        1 => (word(Cause::ALL), word(CauseOf::ALL), inside())
            .prop_map(|(cause, of, inside)| Term::RootCause { cause, of, inside }),
        1 => proptest::collection::vec(cause, 0..3).prop_map(Term::RootCauseJson),
    ]
}

proptest! {
    #[test]
    fn what_is_printed_parses_to_the_same_tree(tree in expression(any_term().boxed())) {
        let printed = tree.to_string();
        prop_assume!(printed.chars().count() <= EXPRESSION_CHARS_MAX);
        prop_assert_eq!(parse(&printed), Ok(tree), "{}", printed);
    }

    #[test]
    fn a_negation_asks_for_the_other_traces(tree in expression(any_term().boxed())) {
        let negated = Expression::Not(Box::new(tree.clone()));
        prop_assert_ne!(matches(&tree, &trace()), matches(&negated, &trace()));
    }

    #[test]
    fn any_text_gives_a_tree_or_a_place_in_it(tokens in proptest::collection::vec(prop_oneof![
        proptest::sample::select(vec![
            "ok", "!", "(", ")", "{", "}", "and", "OR", "=", "!=", ">", "5", "-1e3", "\"", "\"x\"", "service", "service()",
            "edge(", "id(", ",", "name", ":", "annotation.", "annotation[", "]", "user", "contains", "duration", "true",
            "rootcause.json", "rootcause.fault.entity", "#", "[", "{\"a\":1}", "\\", "é", " ",
        ]).prop_map(str::to_owned),
        "\\PC{0,3}",
    ], 0..30)) {
        let text = tokens.concat();
        match parse(&text) {
            Ok(tree) => prop_assert_eq!(parse(&tree.to_string()), Ok(tree)),
            Err(error) => prop_assert!(text.is_char_boundary(error.offset)),
        }
    }
}

#[test]
fn damaged_expressions_are_refused_or_print_what_they_are() {
    let seeds = tracery_testkit::seeds("xray_filter");
    for seed in &seeds {
        parse(std::str::from_utf8(seed).unwrap()).unwrap();
    }
    tracery_testkit::each_mutation(&seeds, 5_000, |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else { return };
        let Ok(expression) = parse(text) else { return };
        let printed = expression.to_string();
        if printed.chars().count() <= EXPRESSION_CHARS_MAX {
            assert_eq!(parse(&printed).as_ref(), Ok(&expression), "{printed}");
        }
    });
}
