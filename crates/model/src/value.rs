//! Attribute values, and where on a record an attribute was set.

/// An attribute's value, borrowed from the payload it came in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Value<'a> {
    Str(&'a str),
    Int(i64),
    Float(f64),
    Bool(bool),
    /// Arrays, maps, bytes and the empty value: the OTLP JSON form of the `AnyValue`, as text, so that it can be
    /// given back exactly. Example: `{"arrayValue":{"values":[{"stringValue":"a"}]}}`.
    Json(&'a str),
}

impl Value<'_> {
    pub fn value_type(&self) -> ValueType {
        match self {
            Value::Str(_) => ValueType::Str,
            Value::Int(_) => ValueType::Int,
            Value::Float(_) => ValueType::Float,
            Value::Bool(_) => ValueType::Bool,
            Value::Json(_) => ValueType::Json,
        }
    }
}

/// The type of an attribute column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ValueType {
    Str,
    Int,
    Float,
    Bool,
    Json,
}

/// Where an attribute was set. A field of a query is looked for in this order and the first value wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Origin {
    /// On the span, log record, event or link itself.
    Own,
    /// On the instrumentation scope.
    Scope,
    /// On the resource.
    Resource,
    /// Not sent: computed on the way in (flattened maps), and left out when the record is given back.
    Derived,
}
