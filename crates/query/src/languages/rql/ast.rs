//! A query of RQL, and its text: what is printed reads back as the same query.

use std::fmt;

#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Empty for `*`.
    pub(super) select: Vec<Selected>,
    pub(super) table: Table,
    pub(super) filter: Option<Expr>,
    pub(super) group: Vec<Expr>,
    pub(super) order: Vec<Order>,
    /// Rows to skip, and to show.
    pub(super) limit: Option<(u64, u64)>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Selected {
    pub(super) expr: Expr,
    pub(super) name: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Order {
    pub(super) expr: Expr,
    pub(super) is_descending: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    ItemOccurrence,
    Deploy,
}

impl Table {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::ItemOccurrence => "item_occurrence",
            Self::Deploy => "deploy",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Null,
    /// As it was written: digits, maybe with a fraction.
    Number(String),
    Text(String),
    Column(String),
    /// A name in lower case, and its arguments; no arguments and `is_star` for `count(*)`.
    Call {
        name: String,
        arguments: Vec<Expr>,
        is_star: bool,
    },
    Not(Box<Expr>),
    Minus(Box<Expr>),
    Binary {
        operator: Operator,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    In {
        expr: Box<Expr>,
        list: Vec<Expr>,
        is_not: bool,
    },
    Between {
        expr: Box<Expr>,
        low: Box<Expr>,
        high: Box<Expr>,
        is_not: bool,
    },
    Like {
        expr: Box<Expr>,
        pattern: String,
        is_not: bool,
    },
    IsNull {
        expr: Box<Expr>,
        is_not: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Or,
    And,
    Eq,
    NotEq,
    Less,
    LessEq,
    Greater,
    GreaterEq,
    Plus,
    Minus,
    Times,
    Divide,
    WholeDivide,
    Modulo,
}

impl Operator {
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Or => "OR",
            Self::And => "AND",
            Self::Eq => "=",
            Self::NotEq => "!=",
            Self::Less => "<",
            Self::LessEq => "<=",
            Self::Greater => ">",
            Self::GreaterEq => ">=",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Divide => "/",
            Self::WholeDivide => "DIV",
            Self::Modulo => "MOD",
        }
    }

    pub(super) fn is_comparison(self) -> bool {
        matches!(self, Self::Eq | Self::NotEq | Self::Less | Self::LessEq | Self::Greater | Self::GreaterEq)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SELECT ")?;
        if self.select.is_empty() {
            f.write_str("*")?;
        }
        for (idx, selected) in self.select.iter().enumerate() {
            write!(f, "{}{}", if idx > 0 { ", " } else { "" }, selected.expr)?;
            if let Some(name) = &selected.name {
                write!(f, " AS {}", Name(name))?;
            }
        }
        write!(f, " FROM {}", self.table.name())?;
        if let Some(filter) = &self.filter {
            write!(f, " WHERE {filter}")?;
        }
        for (idx, expr) in self.group.iter().enumerate() {
            write!(f, "{}{expr}", if idx > 0 { ", " } else { " GROUP BY " })?;
        }
        for (idx, order) in self.order.iter().enumerate() {
            let direction = if order.is_descending { " DESC" } else { "" };
            write!(f, "{}{}{direction}", if idx > 0 { ", " } else { " ORDER BY " }, order.expr)?;
        }
        match self.limit {
            Some((0, count)) => write!(f, " LIMIT {count}"),
            Some((skip, count)) => write!(f, " LIMIT {skip}, {count}"),
            None => Ok(()),
        }
    }
}

/// A name, quoted where it must be.
struct Name<'n>(&'n str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = self.0.starts_with(|first: char| first.is_ascii_lowercase())
            && self.0.chars().all(|one| one.is_ascii_alphanumeric() || one == '_' || one == '.')
            && !super::parse::is_keyword(self.0);
        if is_plain { f.write_str(self.0) } else { write!(f, "`{}`", self.0) }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let not = |is_not: &bool| if *is_not { "NOT " } else { "" };
        let list = |f: &mut fmt::Formatter<'_>, list: &[Expr]| {
            for (idx, expr) in list.iter().enumerate() {
                write!(f, "{}{expr}", if idx > 0 { ", " } else { "" })?;
            }
            f.write_str(")")
        };
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Number(text) => f.write_str(text),
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Column(name) => Name(name).fmt(f),
            Self::Call { name, is_star: true, .. } => write!(f, "{name}(*)"),
            Self::Call { name, arguments, .. } => {
                write!(f, "{name}(")?;
                list(f, arguments)
            }
            Self::Not(expr) => write!(f, "(NOT {expr})"),
            Self::Minus(expr) => write!(f, "(- {expr})"),
            Self::Binary { operator, left, right } => write!(f, "({left} {} {right})", operator.text()),
            Self::In { expr, list: values, is_not } => {
                write!(f, "({expr} {}IN (", not(is_not))?;
                list(f, values)?;
                f.write_str(")")
            }
            Self::Between { expr, low, high, is_not } => {
                write!(f, "({expr} {}BETWEEN {low} AND {high})", not(is_not))
            }
            Self::Like { expr, pattern, is_not } => {
                write!(f, "({expr} {}LIKE {})", not(is_not), quoted(pattern))
            }
            Self::IsNull { expr, is_not } => write!(f, "({expr} IS {}NULL)", not(is_not)),
        }
    }
}
