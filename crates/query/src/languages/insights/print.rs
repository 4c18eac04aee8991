//! A query as text: what this prints parses to the tree that was printed. Scheduled and saved queries keep their own text;
//! tests hold the parser to this one, which has brackets only where they are needed.

use std::fmt::{Display, Formatter, Result, Write as _};

use super::ast::{
    Aggregate, AggregateFunction, BinaryOp, Command, Expr, Named, ParsePattern, Period, Query, Source, Step,
};
use crate::functions::regex_functions::compile;

/// Words that mean something where a name may stand.
const KEYWORDS: [&str; 15] = [
    "and", "any", "as", "asc", "by", "csv", "desc", "false", "in", "into", "like", "logfmt", "not", "or",
    "true",
];

impl Display for Query {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let source = self.source.iter().map(ToString::to_string);
        let commands = self.commands.iter().map(ToString::to_string);
        f.write_str(&source.chain(commands).collect::<Vec<_>>().join(" | "))
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let texts = |texts: &[String]| {
            texts.iter().map(|text| Quoted(text).to_string()).collect::<Vec<_>>().join(", ")
        };
        if !self.names.is_empty() {
            return write!(f, "SOURCE {}", texts(&self.names));
        }
        write!(f, "SOURCE logGroups(namePrefix: [{}]", texts(&self.prefixes))?;
        if !self.classes.is_empty() {
            write!(f, ", class: [{}]", texts(&self.classes))?;
        }
        f.write_char(')')
    }
}

impl Display for Command {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Fields(list) => write!(f, "fields {}", listed(list)),
            Self::Display(list) => write!(f, "display {}", listed(list)),
            Self::Filter(expr) => write!(f, "filter {expr}"),
            Self::Stats { results, by } if by.is_empty() => write!(f, "stats {}", listed(results)),
            Self::Stats { results, by } => write!(f, "stats {} by {}", listed(results), listed(by)),
            Self::Sort(keys) => {
                let key =
                    |expr: &Expr, descending| format!("{expr}{}", if descending { " desc" } else { "" });
                let keys: Vec<String> = keys.iter().map(|sort| key(&sort.expr, sort.descending)).collect();
                write!(f, "sort {}", keys.join(", "))
            }
            Self::Limit(count) => write!(f, "limit {count}"),
            Self::Parse { source, pattern } => {
                let source = match source {
                    // A text would be the pattern.
                    Expr::Text(_) => format!("({source})"),
                    source => within(source, Level::Primary),
                };
                write!(f, "parse {source} {pattern}")
            }
            Self::Dedup(fields) => write!(f, "dedup {}", listed(fields)),
            Self::Pattern(expr) => write!(f, "pattern {expr}"),
            Self::Unnest { source, name } => {
                write!(f, "unnest {} into {}", within(source, Level::Primary), Name(name))
            }
        }
    }
}

impl Display for Named {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match &self.expr {
            Expr::Field(name) if *name == self.name => write!(f, "{}", Name(name)),
            expr => write!(f, "{expr} as {}", Name(&self.name)),
        }
    }
}

impl Display for ParsePattern {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let named = |names: Vec<&str>| listed(&names.into_iter().map(Name).collect::<Vec<_>>());
        match self {
            Self::Glob { pieces, .. } => {
                write!(f, "{} as {}", Quoted(&pieces.join("*")), named(self.names()))
            }
            Self::Logfmt { name } => write!(f, "logfmt as {}", Name(name)),
            Self::Csv { .. } => write!(f, "csv as {}", named(self.names())),
            Self::Regex { regex, .. } => {
                Slashed(regex).fmt(f)?;
                // Names within the expression are its own.
                match compile(regex).is_ok_and(|compiled| compiled.capture_names().flatten().next().is_some())
                {
                    true => Ok(()),
                    false => write!(f, " as {}", named(self.names())),
                }
            }
        }
    }
}

/// How tightly an expression holds together, as the parser reads it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Or,
    And,
    Not,
    Comparison,
    Sum,
    Product,
    Power,
    Unary,
    Primary,
}

fn level(expr: &Expr) -> Level {
    match expr {
        Expr::Binary { op, .. } => level_of(*op),
        Expr::Not(_) => Level::Not,
        Expr::Contains { .. } | Expr::Matches { .. } | Expr::In { .. } => Level::Comparison,
        Expr::Negative(_) => Level::Unary,
        Expr::Number(number) if number.is_sign_negative() => Level::Unary,
        _ => Level::Primary,
    }
}

fn level_of(op: BinaryOp) -> Level {
    match op {
        BinaryOp::Or => Level::Or,
        BinaryOp::And => Level::And,
        BinaryOp::Add | BinaryOp::Subtract => Level::Sum,
        BinaryOp::Multiply | BinaryOp::Divide | BinaryOp::Remainder => Level::Product,
        BinaryOp::Power => Level::Power,
        _ => Level::Comparison,
    }
}

/// An expression where the parser wants one of a level, in brackets if it is of a lower one.
fn within(expr: &Expr, wanted: Level) -> String {
    match level(expr) < wanted {
        true => format!("({expr})"),
        false => expr.to_string(),
    }
}

impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let not = |negated: &bool| if *negated { "not " } else { "" };
        match self {
            Self::Field(name) => write!(f, "{}", Name(name)),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) if text == "true" || text == "false" => f.write_str(text),
            Self::Text(text) => write!(f, "{}", Quoted(text)),
            Self::Not(inner) => write!(f, "not {}", within(inner, Level::Not)),
            Self::Negative(inner) => write!(f, "-{}", within(inner, Level::Primary)),
            Self::Binary { op, left, right } => {
                let (first, second) = match level_of(*op) {
                    Level::Or => (Level::Or, Level::And),
                    Level::And => (Level::And, Level::Not),
                    Level::Sum => (Level::Sum, Level::Product),
                    Level::Product => (Level::Product, Level::Power),
                    Level::Power => (Level::Unary, Level::Unary),
                    _ => (Level::Sum, Level::Sum),
                };
                write!(f, "{} {} {}", within(left, first), sign(*op), within(right, second))
            }
            Self::Contains { value, text, negated } => {
                write!(f, "{} {}like {}", within(value, Level::Sum), not(negated), Quoted(text))
            }
            Self::Matches { value, regex, negated } => {
                write!(f, "{} {}like {}", within(value, Level::Sum), not(negated), Slashed(regex))
            }
            Self::In { value, list, negated } => {
                write!(f, "{} {}in [{}]", within(value, Level::Sum), not(negated), listed(list))
            }
            Self::Bin { period, offset_ms: 0 } => write!(f, "bin({period})"),
            Self::Bin { period, offset_ms } => {
                write!(f, "bin({period}) offset {}", Period::Millis(*offset_ms))
            }
            Self::DateStep { value, period, up } => {
                write!(f, "{}({value}, {period})", if *up { "dateceil" } else { "datefloor" })
            }
            Self::Member { value, path } => {
                value.fmt(f)?;
                path.iter().try_for_each(|step| match step {
                    Step::Key(key) => write!(f, "[{}]", Quoted(key)),
                    Step::Index(idx) => write!(f, "[{idx}]"),
                })
            }
            Self::Call { function, arguments } => write!(f, "{}({})", function.name(), listed(arguments)),
            Self::Aggregate(aggregate) => aggregate.fmt(f),
        }
    }
}

impl Display for Aggregate {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        use AggregateFunction as F;
        let name = match self.function {
            F::Count => "count",
            F::CountDistinct => "count_distinct",
            F::Sum => "sum",
            F::Avg => "avg",
            F::Min => "min",
            F::Max => "max",
            F::Stddev => "stddev",
            F::Pct => "pct",
            F::Earliest => "earliest",
            F::Latest => "latest",
            F::SortsFirst => "sortsFirst",
            F::SortsLast => "sortsLast",
        };
        match &self.argument {
            None => write!(f, "{name}(*)"),
            Some(argument) if self.function == F::Pct => write!(f, "{name}({argument}, {})", self.percent),
            Some(argument) => write!(f, "{name}({argument})"),
        }
    }
}

impl Display for Period {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
        let length_ms = match self {
            Self::Months(count) => return write!(f, "{count}mo"),
            Self::Millis(length_ms) => *length_ms,
        };
        // The largest unit: the parser caps the number of small ones.
        let units = [
            (7 * DAY_MS, 520, "w"),
            (DAY_MS, 3_650, "d"),
            (3_600_000, 24, "h"),
            (60_000, 60, "m"),
            (1_000, 60, "s"),
        ];
        let found =
            units.into_iter().find(|(unit, most, _)| length_ms % unit == 0 && length_ms / unit <= *most);
        match found {
            Some((unit, _, name)) => write!(f, "{}{name}", length_ms / unit),
            None => write!(f, "{length_ms}ms"),
        }
    }
}

fn sign(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::And => "and",
        BinaryOp::Or => "or",
        BinaryOp::Equal => "=",
        BinaryOp::NotEqual => "!=",
        BinaryOp::Less => "<",
        BinaryOp::LessOrEqual => "<=",
        BinaryOp::Greater => ">",
        BinaryOp::GreaterOrEqual => ">=",
        BinaryOp::Add => "+",
        BinaryOp::Subtract => "-",
        BinaryOp::Multiply => "*",
        BinaryOp::Divide => "/",
        BinaryOp::Power => "^",
        BinaryOp::Remainder => "%",
    }
}

fn listed<T: Display>(items: &[T]) -> String {
    items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

struct Name<'a>(&'a str);

impl Display for Name<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let is_plain = self.0.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '@')
            && self.0.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.' || c == '@')
            && !KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(self.0));
        match is_plain {
            true => f.write_str(self.0),
            false => write!(f, "`{}`", self.0.replace('`', "``")),
        }
    }
}

struct Quoted<'a>(&'a str);

impl Display for Quoted<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// A regular expression, in which the parser leaves no stroke escaped.
struct Slashed<'a>(&'a str);

impl Display for Slashed<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "/{}/", self.0.replace('/', "\\/"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ast::Function;
    use super::super::parse;
    use super::*;

    fn name() -> impl Strategy<Value = String> {
        prop_oneof![
            prop::sample::select(vec![
                "level", "@message", "a.b", "not", "TRUE", "9x", "a`b", "x y", "bin", "as"
            ])
            .prop_map(str::to_owned),
            "[^\u{0}]{1,6}",
        ]
    }

    fn leaf() -> impl Strategy<Value = Expr> {
        let period = prop_oneof![
            (1..1_000_i64).prop_map(Period::Millis),
            (1..60_i64).prop_map(|count| Period::Millis(count * 60_000)),
            (1..3_650_i64).prop_map(|count| Period::Millis(count * 86_400_000)),
            (1..1_200_i64).prop_map(Period::Months),
        ];
        let step = prop_oneof![any::<String>().prop_map(Step::Key), any::<usize>().prop_map(Step::Index)];
        prop_oneof![
            name().prop_map(Expr::Field),
            prop::num::f64::NORMAL.prop_map(Expr::Number),
            any::<String>().prop_map(Expr::Text),
            (period, 0..60_i64).prop_map(|(period, s)| Expr::Bin { period, offset_ms: s * 1_000 }),
            (name(), prop::collection::vec(step, 1..3))
                .prop_map(|(name, path)| Expr::Member { value: Box::new(Expr::Field(name)), path }),
        ]
    }

    fn expr() -> impl Strategy<Value = Expr> {
        use BinaryOp as B;
        let ops = vec![
            B::And,
            B::Or,
            B::Equal,
            B::NotEqual,
            B::Less,
            B::GreaterOrEqual,
            B::Add,
            B::Subtract,
            B::Multiply,
            B::Divide,
            B::Remainder,
            B::Power,
        ];
        leaf().prop_recursive(5, 24, 3, move |inner| {
            let boxed = || inner.clone().prop_map(Box::new);
            let list = || prop::collection::vec(inner.clone(), 1..3);
            let regex = prop::sample::select(vec!["", "a/b", r"\d+/", r"\\", "(?i)x\"#"]);
            prop_oneof![
                boxed().prop_map(Expr::Not),
                boxed()
                    .prop_filter("a number has its sign", |inner| !matches!(**inner, Expr::Number(_)))
                    .prop_map(Expr::Negative),
                (prop::sample::select(ops.clone()), boxed(), boxed())
                    .prop_map(|(op, left, right)| Expr::Binary { op, left, right }),
                (boxed(), any::<String>(), any::<bool>()).prop_map(|(value, text, negated)| Expr::Contains {
                    value,
                    text,
                    negated
                }),
                (boxed(), regex, any::<bool>()).prop_map(|(value, regex, negated)| Expr::Matches {
                    value,
                    regex: regex.to_owned(),
                    negated
                }),
                (boxed(), list(), any::<bool>()).prop_map(|(value, list, negated)| Expr::In {
                    value,
                    list,
                    negated
                }),
                (boxed(), any::<bool>()).prop_map(|(value, up)| Expr::DateStep {
                    value,
                    period: Period::Millis(60_000),
                    up
                }),
                list().prop_map(|arguments| Expr::Call { function: Function::Concat, arguments }),
            ]
        })
    }

    fn tree() -> impl Strategy<Value = Query> {
        let named = || (expr(), name()).prop_map(|(expr, name)| Named { expr, name });
        let aggregate = prop_oneof![
            Just((AggregateFunction::Count, 0.0)),
            Just((AggregateFunction::SortsLast, 0.0)),
            Just((AggregateFunction::Pct, 99.9)),
        ];
        let result = (aggregate, expr(), name()).prop_map(|((function, percent), expr, name)| {
            let aggregate = Aggregate { function, argument: Some(expr), percent };
            let one = Expr::Aggregate(Box::new(aggregate));
            let all = Aggregate { function: AggregateFunction::Count, argument: None, percent: 0.0 };
            let all = Box::new(Expr::Aggregate(Box::new(all)));
            Named { expr: Expr::Binary { op: BinaryOp::Divide, left: Box::new(one), right: all }, name }
        });
        let pattern = prop_oneof![
            (name(), name()).prop_map(|(a, b)| ParsePattern::Glob {
                pieces: vec!["x=".to_owned(), "\", ".to_owned(), String::new()],
                names: vec![a, b],
            }),
            name()
                .prop_map(|name| ParsePattern::Regex { regex: "/(\\d+)".to_owned(), names: vec![(1, name)] }),
            name().prop_map(|name| ParsePattern::Logfmt { name }),
            prop::collection::vec(name(), 1..3).prop_map(|names| ParsePattern::Csv { names }),
            Just(ParsePattern::Regex { regex: "(?<id>\\w)".to_owned(), names: vec![(1, "id".to_owned())] }),
        ];
        let command = prop_oneof![
            expr().prop_map(Command::Filter),
            prop::collection::vec(named(), 1..3).prop_map(Command::Fields),
            (prop::collection::vec(result, 1..3), prop::collection::vec(named(), 0..2))
                .prop_map(|(results, by)| Command::Stats { results, by }),
            (expr(), any::<bool>()).prop_map(|(expr, descending)| Command::Sort(vec![
                super::super::ast::SortKey { expr, descending }
            ])),
            (expr(), pattern).prop_map(|(source, pattern)| Command::Parse { source, pattern }),
            (expr(), name()).prop_map(|(source, name)| Command::Unnest { source, name }),
            expr().prop_map(Command::Pattern),
        ];
        let source = prop::option::of(prop_oneof![
            prop::collection::vec(any::<String>(), 1..3)
                .prop_map(|names| Source { names, ..Source::default() }),
            any::<String>().prop_map(|prefix| Source {
                prefixes: vec![prefix],
                classes: vec!["STANDARD".to_owned()],
                ..Source::default()
            }),
        ]);
        // One command: a name that one makes changes what the next one means.
        (source, command).prop_map(|(source, command)| Query { source, commands: vec![command] })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn what_is_printed_parses_to_the_tree_that_was_printed(tree in tree()) {
            let text = tree.to_string();
            prop_assume!(text.chars().count() <= 10_000);
            match parse(&text) {
                Ok(parsed) => prop_assert_eq!(parsed, tree, "{}", text),
                Err(error) => prop_assert!(false, "{}: {:?}", text, error),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]
        #[test]
        fn any_text_parses_to_what_prints_or_is_refused_at_a_place(
            parts in prop::collection::vec(prop::sample::select(PARTS.to_vec()), 1..24)
        ) {
            let text = parts.join(" ");
            match parse(&text) {
                Ok(query) => {
                    let printed = query.to_string();
                    prop_assert_eq!(parse(&printed), Ok(query), "{} -> {}", text, printed);
                }
                Err(error) => prop_assert!(error.start <= error.end && error.end <= text.len(), "{}", text),
            }
        }
    }

    /// Put together at random they are sometimes a query.
    const PARTS: &[&str] = &[
        "fields",
        "filter",
        "stats",
        "parse",
        "sort",
        "dedup",
        "unnest",
        "pattern",
        "limit 5",
        "|",
        ",",
        "a",
        "m.k",
        "`x y`",
        "csv",
        "logfmt",
        "as",
        "as m",
        "as a",
        "by",
        "into",
        "in",
        "not",
        "and",
        "or",
        "like",
        "=~",
        "/a(b)/",
        "\"q*\"",
        "'",
        "(",
        ")",
        "[",
        "]",
        "[0]",
        "1",
        "1e999",
        "-",
        "+",
        "*",
        "/",
        "^",
        "=",
        "<",
        "count(*)",
        "pct(a, 5)",
        "sum(",
        "bin(5m)",
        "datefloor(a, 1mo)",
        "jsonParse(m)",
        "if(",
        "desc",
        "true",
        "#",
        "ü",
    ];

    #[test]
    fn a_query_prints_as_one_would_write_it() {
        for (text, expected) in [
            ("fields a,b , -c", "fields a, b, -c as `-c`"),
            ("filter (a=1 or b) and not c like /x\\/y/", "filter (a = 1 or b) and not c like /x\\/y/"),
            ("filter x =~ \"a\\/b\"", "filter x like /a\\/b/"),
            (
                "stats sum(a)/count(*) as x by bin(60s)",
                "stats sum(a) / count(*) as x by bin(1m) as `bin(60s)`",
            ),
            (
                "fields jsonParse(@message) as m | unnest m.tags into t | dedup t, m.`a b`",
                "fields jsonParse(@message) as m | unnest m[\"tags\"] into t | dedup t, m[\"a b\"]",
            ),
            (
                "SOURCE logGroups(class: ['STANDARD']) | limit 3",
                "SOURCE logGroups(namePrefix: [\"\"], class: [\"STANDARD\"]) | limit 3",
            ),
        ] {
            let query = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(query.to_string(), expected, "{text}");
            assert_eq!(parse(expected).unwrap(), query, "{text}");
        }
    }
}
