//! A Logs Insights query as a tree: where it looks, and commands one after the other. The parser makes it; the planner and
//! the evaluator read it. Names are as the query writes them.

/// A whole query.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    /// The log groups that the query names itself.
    pub source: Option<Source>,
    pub commands: Vec<Command>,
}

/// `SOURCE "a", "b"` or `SOURCE logGroups(namePrefix: ["/aws"], class: ["STANDARD"])`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Source {
    pub names: Vec<String>,
    pub prefixes: Vec<String>,
    pub classes: Vec<String>,
}

/// One command of the pipeline.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Fields(Vec<Named>),
    Display(Vec<Named>),
    Filter(Expr),
    Stats { aggregates: Vec<NamedAggregate>, by: Vec<Named> },
    Sort(Vec<SortKey>),
    Limit(usize),
    Parse { source: Expr, pattern: ParsePattern },
    Dedup(Vec<String>),
}

/// An expression and the column that it gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub expr: Expr,
    /// The alias, or the expression as it was written.
    pub name: String,
}

/// An aggregate and the column that it gives.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedAggregate {
    pub aggregate: Aggregate,
    pub name: String,
}

/// A function over the rows of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    pub function: AggregateFunction,
    /// Absent in `count(*)`.
    pub argument: Option<Expr>,
    /// Of `pct`: 0 to 100.
    pub percent: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AggregateFunction {
    Count,
    CountDistinct,
    Sum,
    Avg,
    Min,
    Max,
    Stddev,
    Pct,
    Earliest,
    Latest,
    SortsFirst,
    SortsLast,
}

#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    pub expr: Expr,
    pub descending: bool,
}

/// What `parse` takes out of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum ParsePattern {
    /// Literal pieces around stars, and a name for each star.
    Glob { pieces: Vec<String>, names: Vec<String> },
    /// A regular expression, and the names of its groups by number; groups without a name are left out.
    Regex { regex: String, names: Vec<(usize, String)> },
}

impl ParsePattern {
    /// The fields that it gives, in order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Glob { names, .. } => names.iter().map(String::as_str).collect(),
            Self::Regex { names, .. } => names.iter().map(|(_, name)| name.as_str()).collect(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// `@timestamp`, `status`, `` `odd name` ``; after `parse` or `as` a column of that name.
    Field(String),
    Number(f64),
    Text(String),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `like "x"` and `not like "x"`: contains.
    Contains {
        value: Box<Expr>,
        text: String,
        negated: bool,
    },
    /// `like /x/`, `=~ /x/`.
    Matches {
        value: Box<Expr>,
        regex: String,
        negated: bool,
    },
    In {
        value: Box<Expr>,
        list: Vec<Expr>,
        negated: bool,
    },
    /// The bucket of `@timestamp` or of another time, as long as `step_ms` and beginning `offset_ms` later.
    Bin {
        step_ms: i64,
        offset_ms: i64,
    },
    Call {
        function: Function,
        arguments: Vec<Expr>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryOp {
    And,
    Or,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Remainder,
}

macro_rules! functions {
    ($($variant:ident $name:literal $min:literal $max:literal,)*) => {
        /// A scalar function.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Function {
            $($variant,)*
        }

        impl Function {
            pub const ALL: &'static [Function] = &[$(Self::$variant,)*];

            /// As the vendor spells it.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The fewest and the most arguments.
            pub fn arity(self) -> (usize, usize) {
                match self { $(Self::$variant => ($min, $max),)* }
            }
        }
    };
}

functions! {
    Abs "abs" 1 1,
    Ceil "ceil" 1 1,
    Floor "floor" 1 1,
    Greatest "greatest" 1 64,
    Least "least" 1 64,
    Log "log" 1 1,
    Sqrt "sqrt" 1 1,
    Round "round" 1 2,
    ToNumber "toNumber" 1 1,
    ToInt "toInt" 1 1,
    ToLong "toLong" 1 1,
    ToDouble "toDouble" 1 1,
    DateFloor "datefloor" 2 2,
    DateCeil "dateceil" 2 2,
    FromMillis "fromMillis" 1 1,
    ToMillis "toMillis" 1 1,
    Now "now" 0 0,
    IsEmpty "isempty" 1 1,
    IsBlank "isblank" 1 1,
    Concat "concat" 1 64,
    Ltrim "ltrim" 1 2,
    Rtrim "rtrim" 1 2,
    Trim "trim" 1 2,
    Strlen "strlen" 1 1,
    ToUpper "toupper" 1 1,
    ToLower "tolower" 1 1,
    Substr "substr" 2 3,
    Replace "replace" 3 3,
    RegexReplace "regexReplace" 3 3,
    StrContains "strcontains" 2 3,
    StartsWith "startsWith" 2 2,
    EndsWith "endsWith" 2 2,
    IsPresent "ispresent" 1 1,
    Coalesce "coalesce" 1 64,
    If "if" 2 3,
    IsNumeric "isNumeric" 1 1,
    MessageSize "messageSize" 0 0,
    IsValidIp "isValidIp" 1 1,
    IsValidIpV4 "isValidIpV4" 1 1,
    IsValidIpV6 "isValidIpV6" 1 1,
    IsIpInSubnet "isIpInSubnet" 2 2,
    IsIpv4InSubnet "isIpv4InSubnet" 2 2,
    IsIpv6InSubnet "isIpv6InSubnet" 2 2,
    JsonParse "jsonParse" 1 1,
    JsonStringify "jsonStringify" 1 1,
    JsonArraySize "jsonArraySize" 1 1,
    JsonArrayContains "jsonArrayContains" 2 2,
    Case "case" 2 21,
    Split "split" 2 2,
    UrlEncode "urlencode" 1 1,
    UrlDecode "urldecode" 1 1,
    Base64Encode "base64encode" 1 1,
    Base64Decode "base64decode" 1 1,
    HexToAscii "hexToAscii" 1 1,
    HexToDec "hexToDec" 1 1,
    DecToHex "decToHex" 1 1,
    Ipv4ToNumber "ipv4ToNumber" 1 1,
    IsPrivateIp "isPrivateIP" 1 1,
    IsPublicIp "isPublicIP" 1 1,
    IsReservedIp "isReservedIP" 1 1,
}
