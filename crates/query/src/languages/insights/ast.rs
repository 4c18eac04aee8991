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
    /// The results have [`Expr::Aggregate`] in them, and fields nowhere else.
    Stats {
        results: Vec<Named>,
        by: Vec<Named>,
    },
    Sort(Vec<SortKey>),
    Limit(usize),
    Parse {
        source: Expr,
        pattern: ParsePattern,
    },
    Dedup(Vec<Expr>),
    /// The patterns that texts share, and how many have each.
    Pattern(Expr),
    /// A row for each item of a list, as a column of that name.
    Unnest {
        source: Expr,
        name: String,
    },
}

/// An expression and the column that it gives.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    pub expr: Expr,
    /// The alias, or the expression as it was written.
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
    Glob {
        pieces: Vec<String>,
        names: Vec<String>,
    },
    /// A regular expression, and the names of its groups by number; groups without a name are left out.
    Regex {
        regex: String,
        names: Vec<(usize, String)>,
    },
    /// A map of the pairs.
    Logfmt {
        name: String,
    },
    Csv {
        names: Vec<String>,
    },
}

/// The columns of [`Command::Pattern`].
pub const PATTERN_COLUMNS: [&str; 4] = ["@pattern", "@ratio", "@sampleCount", "@severityLabel"];

impl Command {
    /// The expressions that it computes, in the order in which they are written.
    pub fn expressions(&self) -> Vec<&Expr> {
        match self {
            Self::Fields(list) | Self::Display(list) => list.iter().map(|named| &named.expr).collect(),
            Self::Filter(expr)
            | Self::Pattern(expr)
            | Self::Unnest { source: expr, .. }
            | Self::Parse { source: expr, .. } => vec![expr],
            Self::Stats { results, by } => results.iter().chain(by).map(|named| &named.expr).collect(),
            Self::Sort(keys) => keys.iter().map(|key| &key.expr).collect(),
            Self::Dedup(fields) => fields.iter().collect(),
            Self::Limit(_) => Vec::new(),
        }
    }

    pub fn expressions_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Fields(list) | Self::Display(list) => {
                list.iter_mut().map(|named| &mut named.expr).collect()
            }
            Self::Filter(expr)
            | Self::Pattern(expr)
            | Self::Unnest { source: expr, .. }
            | Self::Parse { source: expr, .. } => vec![expr],
            Self::Stats { results, by } => {
                results.iter_mut().chain(by).map(|named| &mut named.expr).collect()
            }
            Self::Sort(keys) => keys.iter_mut().map(|key| &mut key.expr).collect(),
            Self::Dedup(fields) => fields.iter_mut().collect(),
            Self::Limit(_) => Vec::new(),
        }
    }
}

impl Expr {
    /// The expressions directly below.
    pub fn parts(&self) -> Vec<&Expr> {
        match self {
            Self::Field(_) | Self::Number(_) | Self::Text(_) | Self::Bin { .. } => Vec::new(),
            Self::Not(value)
            | Self::Negative(value)
            | Self::Contains { value, .. }
            | Self::Matches { value, .. }
            | Self::DateStep { value, .. }
            | Self::Member { value, .. } => vec![value],
            Self::Binary { left, right, .. } => vec![left, right],
            Self::In { value, list, .. } => std::iter::once(&**value).chain(list).collect(),
            Self::Call { arguments, .. } => arguments.iter().collect(),
            Self::Aggregate(aggregate) => aggregate.argument.iter().collect(),
        }
    }

    pub fn parts_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Field(_) | Self::Number(_) | Self::Text(_) | Self::Bin { .. } => Vec::new(),
            Self::Not(value)
            | Self::Negative(value)
            | Self::Contains { value, .. }
            | Self::Matches { value, .. }
            | Self::DateStep { value, .. }
            | Self::Member { value, .. } => vec![value],
            Self::Binary { left, right, .. } => vec![left, right],
            Self::In { value, list, .. } => std::iter::once(&mut **value).chain(list).collect(),
            Self::Call { arguments, .. } => arguments.iter_mut().collect(),
            Self::Aggregate(aggregate) => aggregate.argument.iter_mut().collect(),
        }
    }

    /// The expression over the columns that its aggregates become; [`slot`] names them by their place in `found`.
    pub fn lift(&mut self, found: &mut Vec<Aggregate>) {
        if let Self::Aggregate(aggregate) = self {
            let idx = found.iter().position(|known| *known == **aggregate).unwrap_or_else(|| {
                found.push((**aggregate).clone());
                found.len() - 1
            });
            *self = Self::Field(slot(idx));
            return;
        }
        self.parts_mut().into_iter().for_each(|part| part.lift(found));
    }
}

/// The column of an aggregate.
pub fn slot(idx: usize) -> String {
    format!("#{idx}")
}

impl ParsePattern {
    /// The fields that it gives, in order.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Self::Logfmt { name } => vec![name],
            Self::Glob { names, .. } | Self::Csv { names } => names.iter().map(String::as_str).collect(),
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
    /// The bucket of `@timestamp`, as long as the period and beginning `offset_ms` later.
    Bin {
        period: Period,
        offset_ms: i64,
    },
    /// `datefloor` and, where `up`, `dateceil`.
    DateStep {
        value: Box<Expr>,
        period: Period,
        up: bool,
    },
    /// What a map or a list has at a place: `m.key`, `l[0]`.
    Member {
        value: Box<Expr>,
        path: Vec<Step>,
    },
    /// Only in the results of `stats`.
    Aggregate(Box<Aggregate>),
    Call {
        function: Function,
        arguments: Vec<Expr>,
    },
}

/// A length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    Millis(i64),
    /// Of the calendar, in UTC.
    Months(i64),
}

/// One step into a map or a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Key(String),
    Index(usize),
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
    Md5 "md5" 1 1,
    Sha256 "sha256" 1 1,
    Haversine "haversine" 4 4,
    ParseDate "parseDate" 2 2,
    FormatDate "formatDate" 2 2,
    Strftime "strftime" 2 2,
    QueryStartTime "queryStartTime" 0 0,
    QueryEndTime "queryEndTime" 0 0,
    QueryTimeRange "queryTimeRange" 0 0,
}
