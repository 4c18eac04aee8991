//! What is printed reads back; what RQL does not have is refused with its place; plans are what they should be.

use proptest::prelude::*;

use super::ast::{Expr, Operator};
use super::*;

#[test]
fn what_is_read_is_printed() {
    for (text, wanted) in [
        ("select * from item_occurrence", "SELECT * FROM item_occurrence"),
        ("SELECT count(*) FROM deploy;", "SELECT count(*) FROM deploy"),
        (
            "select item.counter, COUNT(*) as n from item_occurrence where body.trace_chain.0.exception.class = \"It's\" \
             and not level in ('error', 5) group by 1 order by 2 desc, item.counter limit 5, 10",
            "SELECT item.counter, count(*) AS n FROM item_occurrence WHERE ((body.trace_chain.0.exception.class = 'It\\'s') AND \
             (NOT (level IN ('error', 5)))) GROUP BY 1 ORDER BY 2 DESC, item.counter LIMIT 5, 10",
        ),
        (
            "select `odd name`, 1 + 2 * 3 - -4 div 2 mod 3 from item_occurrence where a is not null or b not between 1 and 2",
            "SELECT `odd name`, ((1 + (2 * 3)) - (((- 4) DIV 2) MOD 3)) FROM item_occurrence WHERE ((a IS NOT NULL) OR (b NOT \
             BETWEEN 1 AND 2))",
        ),
        (
            "select left(a, 2) from item_occurrence where a like 'x%'",
            "SELECT left(a, 2) FROM item_occurrence WHERE (a LIKE 'x%')",
        ),
    ] {
        let query = parse(text).unwrap();
        assert_eq!(query.to_string(), wanted);
        assert_eq!(parse(wanted).unwrap(), query);
    }
}

#[test]
fn what_is_not_there_is_refused_with_its_place() {
    for (text, wanted) in [
        ("", "SELECT is expected at position 0"),
        ("select", "a column, a function or a value is expected at position 6"),
        (
            "select distinct a from item_occurrence",
            "there is no DISTINCT; use GROUP BY or count_distinct() at position 7",
        ),
        ("select a from items", "the tables are item_occurrence and deploy at position 14"),
        ("select a from item_occurrence having a", "the query should end here at position 30"),
        ("select a from item_occurrence where (a = 1", ") is expected at position 42"),
        ("select * from item_occurrence group by a", "* does not go with GROUP BY at position 39"),
        (
            "select a from item_occurrence group by lower(a)",
            "a group is a column or the number of one at position 39",
        ),
        ("select a from item_occurrence where a = 'x", "the text is not closed at position 40"),
        ("select a from item_occurrence limit 1.5", "a whole number is expected at position 36"),
        ("select a ~ b from item_occurrence", "this sign is not known at position 9"),
        (
            "select a from item_occurrence where a in (select 1)",
            "a column, a function or a value is expected at position 42",
        ),
    ] {
        assert_eq!(parse(text).unwrap_err().to_string(), wanted, "{text}");
    }
    let deep = format!("select {}a{} from item_occurrence", "(".repeat(100), ")".repeat(100));
    assert!(parse(&deep).unwrap_err().message.contains("too deep"));
    for (text, wanted) in [
        ("select odd(a) from item_occurrence", "there is no function odd"),
        ("select a from deploy", "deploy has no column a"),
        ("select item.odd from item_occurrence", "items have no column odd"),
        ("select a from item_occurrence where count(*) > 1", "count() cannot stand here"),
        ("select a, count(*) from item_occurrence", "a is neither in GROUP BY nor an aggregate"),
        ("select a from item_occurrence order by 2", "there is no column of that number"),
        ("select left(a) from item_occurrence", "left() has other arguments"),
    ] {
        let refused = parse(text).unwrap().needs().unwrap_err();
        assert_eq!(refused.message, wanted, "{text}");
    }
}

fn any_expr() -> impl Strategy<Value = Expr> {
    let leaf = prop_oneof![
        Just(Expr::Null),
        (0_u32..1_000).prop_map(|number| Expr::Number(number.to_string())),
        "[a '\"\\\\%é]{0,4}".prop_map(Expr::Text),
        "[a-z][a-z0-9_.]{0,6}|item\\.id|select|A b".prop_map(Expr::Column),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let operator = prop::sample::select(vec![
            Operator::Or,
            Operator::And,
            Operator::Eq,
            Operator::NotEq,
            Operator::Less,
            Operator::GreaterEq,
            Operator::Plus,
            Operator::Minus,
            Operator::Times,
            Operator::Divide,
            Operator::WholeDivide,
            Operator::Modulo,
        ]);
        prop_oneof![
            (operator, boxed.clone(), boxed.clone()).prop_map(|(operator, left, right)| Expr::Binary {
                operator,
                left,
                right
            }),
            boxed.clone().prop_map(Expr::Not),
            boxed.clone().prop_map(Expr::Minus),
            (boxed.clone(), any::<bool>()).prop_map(|(expr, is_not)| Expr::IsNull { expr, is_not }),
            (boxed.clone(), "[a%_']{0,3}", any::<bool>()).prop_map(|(expr, pattern, is_not)| Expr::Like {
                expr,
                pattern,
                is_not
            }),
            (boxed.clone(), boxed.clone(), boxed.clone(), any::<bool>())
                .prop_map(|(expr, low, high, is_not)| Expr::Between { expr, low, high, is_not }),
            (boxed, prop::collection::vec(inner.clone(), 1..3), any::<bool>())
                .prop_map(|(expr, list, is_not)| Expr::In { expr, list, is_not }),
            ("count|lower|left|concat", prop::collection::vec(inner, 0..3))
                .prop_map(|(name, arguments)| Expr::Call { name, arguments, is_star: false }),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(filter in any_expr(), shown in any_expr()) {
        let mut query = parse("select a as b from item_occurrence where a order by a desc limit 3").unwrap();
        query.filter = Some(filter);
        query.select[0].expr = shown;
        prop_assert_eq!(parse(&query.to_string()).unwrap(), query);
    }

    #[test]
    fn any_text_is_read_or_refused(text in "(select |from |where |item_occurrence|[a'\"`(),.*<>=!0-9 ]|group by |limit |in |not |null|é){0,20}") {
        if let Ok(query) = parse(&text) {
            prop_assert_eq!(parse(&query.to_string()).unwrap(), query);
        }
    }
}
