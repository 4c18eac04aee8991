//! A filter pattern as a tree. The parser makes it; printer, matcher and planner read it. Texts are as the pattern means
//! them, without quotes and escapes.

use regex::Regex;

/// A pattern that can be matched.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// Matches every event.
    All,
    Terms(Terms),
    /// Matches events that are JSON and of which this is true.
    Json(Condition<Selector>),
    Fields(Slots),
}

/// What must be, may be (one of them) and must not be in a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Terms {
    pub required: Vec<Term>,
    /// Ignored where there are required or excluded ones.
    pub optional: Vec<Term>,
    pub excluded: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Text(String),
    Regex(Expression),
}

/// A regular expression with its text, by which two are compared.
#[derive(Clone, Debug)]
pub struct Expression {
    pub text: String,
    pub regex: Regex,
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

/// Tests that are joined by `&&` and `||`.
#[derive(Clone, Debug, PartialEq)]
pub enum Condition<S> {
    All(Vec<Condition<S>>),
    Any(Vec<Condition<S>>),
    Test { subject: S, test: Test },
}

/// What a value is held against.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// A text; `*` stands for anything. `is_quoted` keeps the pattern's form.
    Text {
        negated: bool,
        glob: String,
        is_quoted: bool,
    },
    Regex {
        negated: bool,
        expression: Expression,
    },
    Number {
        comparison: Comparison,
        number: f64,
        text: String,
    },
    IsNull,
    IsTrue,
    IsFalse,
    NotExists,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub const ALL: &'static [(&'static str, Self)] = &[
        ("!=", Self::NotEqual),
        ("<=", Self::LessOrEqual),
        (">=", Self::GreaterOrEqual),
        ("=", Self::Equal),
        ("<", Self::Less),
        (">", Self::Greater),
    ];

    pub fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Less => left < right,
            Self::LessOrEqual => left <= right,
            Self::Greater => left > right,
            Self::GreaterOrEqual => left >= right,
        }
    }
}

/// `$.a.b[0]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector(pub Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    Key(String),
    Index(usize),
}

/// `[ip, user, ..., status = 4*, bytes]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Slots {
    pub before: Vec<Slot>,
    /// The slots behind `...`, if there is one.
    pub after: Option<Vec<Slot>>,
}

/// One field: its name and what must be true of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    pub name: String,
    pub condition: Option<Condition<()>>,
}
