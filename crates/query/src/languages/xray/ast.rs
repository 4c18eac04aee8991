//! A filter expression as a tree. The parser makes it, the printer and whoever plans or evaluates it read it; it keeps what
//! was meant (`ok != false` is `ok`) and not how it was spelled.

use serde_json::Value;

/// A filter. `All` and `Any` hold two or more.
#[derive(Clone, Debug, PartialEq)]
pub enum Expression {
    All(Vec<Expression>),
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Term(Term),
}

/// One condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Term {
    Flag {
        flag: Flag,
        is: bool,
    },
    Number {
        number: Number,
        comparison: Comparison,
        value: f64,
    },
    Text {
        text: Text,
        test: TextTest,
        value: String,
    },
    /// Without a test: the annotation is set.
    Annotation {
        key: String,
        test: Option<AnnotationTest>,
    },
    Service {
        selector: Selector,
        inside: Option<Box<Expression>>,
    },
    Edge {
        from: Selector,
        to: Selector,
        inside: Option<Box<Expression>>,
    },
    Group {
        by: GroupBy,
        value: String,
    },
    RootCause {
        cause: Cause,
        of: CauseOf,
        inside: Box<Expression>,
    },
    /// Root causes as the summaries give them; what is left out fits anything.
    RootCauseJson(Vec<Value>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum AnnotationTest {
    Text(TextTest, String),
    Number(Comparison, f64),
    /// `= false` is `Flag(false)`, and so is `!= true`.
    Flag(bool),
}

/// The nodes that a `service()` or an end of an `edge()` means; a field that is absent fits any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selector {
    pub name: Option<String>,
    pub r#type: Option<String>,
    pub account_id: Option<String>,
}

/// The word of a list that `word` spells, in any case.
pub(super) fn named<W: Copy>(all: &[W], as_str: fn(W) -> &'static str, word: &str) -> Option<W> {
    all.iter().copied().find(|known| as_str(*known).eq_ignore_ascii_case(word))
}

/// A closed list of words, read case-insensitively and printed as here.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $name { $($variant,)* }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word as it is printed.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

words! {
    /// Keywords that are true or false.
    Flag {
        Ok = "ok",
        Error = "error",
        Throttle = "throttle",
        Fault = "fault",
        Partial = "partial",
        Inferred = "inferred",
        First = "first",
        Last = "last",
        Remote = "remote",
        Root = "root",
    }
}

words! {
    /// Keywords that are numbers; times are in seconds.
    Number {
        ResponseTime = "responsetime",
        Duration = "duration",
        HttpStatus = "http.status",
        Index = "index",
        Coverage = "coverage",
    }
}

words! {
    /// Keywords that are texts.
    Text {
        HttpUrl = "http.url",
        HttpMethod = "http.method",
        HttpUserAgent = "http.useragent",
        HttpClientIp = "http.clientip",
        User = "user",
        Name = "name",
        Type = "type",
        Message = "message",
        AvailabilityZone = "availabilityzone",
        InstanceId = "instance.id",
        ResourceArn = "resource.arn",
        AccountId = "account.id",
    }
}

words! {
    /// How numbers are compared.
    Comparison {
        Equal = "=",
        NotEqual = "!=",
        LessOrEqual = "<=",
        Less = "<",
        MoreOrEqual = ">=",
        More = ">",
    }
}

words! {
    /// How texts are compared; case counts.
    TextTest {
        Equal = "=",
        NotEqual = "!=",
        Contains = "CONTAINS",
        BeginsWith = "BEGINSWITH",
        EndsWith = "ENDSWITH",
    }
}

words! {
    /// What of a group is compared.
    GroupBy {
        Name = "group.name",
        Arn = "group.arn",
    }
}

words! {
    /// What a root cause is the cause of.
    Cause {
        Fault = "fault",
        Error = "error",
        ResponseTime = "responsetime",
    }
}

words! {
    /// Which part of a root cause is looked at.
    CauseOf {
        Service = "service",
        Entity = "entity",
        Exception = "exception",
    }
}
