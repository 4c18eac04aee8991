//! The physical names of attribute columns.
//!
//! An attribute column is named by where the attribute was set, its type, and its key: `os:user.id` is a string set
//! on the record itself, `ri:process.pid` an integer of the resource. One key may have several columns in one part;
//! readers see one field (`query` decides how they combine).

use std::fmt;

use arrow::datatypes::DataType;
use tracery_model::{Origin, ValueType};

/// One JSON object a row, keyed by physical column name: the attributes beyond the column bound.
pub const TAIL_COLUMN: &str = "tail";

/// A parsed physical column name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AttributeColumn<'a> {
    pub origin: Origin,
    pub value_type: ValueType,
    pub key: &'a str,
}

impl<'a> AttributeColumn<'a> {
    /// `None` for fixed columns and the tail.
    pub fn parse(physical: &'a str) -> Option<Self> {
        let (head, key) = physical.split_at_checked(3)?;
        let &[origin, value_type, b':'] = head.as_bytes() else { return None };
        let origin = match origin {
            b'o' => Origin::Own,
            b'c' => Origin::Scope,
            b'r' => Origin::Resource,
            b'd' => Origin::Derived,
            _ => return None,
        };
        let value_type = match value_type {
            b's' => ValueType::Str,
            b'i' => ValueType::Int,
            b'f' => ValueType::Float,
            b'b' => ValueType::Bool,
            b'j' => ValueType::Json,
            _ => return None,
        };
        Some(Self { origin, value_type, key })
    }

    pub fn data_type(&self) -> DataType {
        match self.value_type {
            ValueType::Str | ValueType::Json => DataType::Utf8View,
            ValueType::Int => DataType::Int64,
            ValueType::Float => DataType::Float64,
            ValueType::Bool => DataType::Boolean,
        }
    }
}

impl fmt::Display for AttributeColumn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = match self.origin {
            Origin::Own => 'o',
            Origin::Scope => 'c',
            Origin::Resource => 'r',
            Origin::Derived => 'd',
        };
        let value_type = match self.value_type {
            ValueType::Str => 's',
            ValueType::Int => 'i',
            ValueType::Float => 'f',
            ValueType::Bool => 'b',
            ValueType::Json => 'j',
        };
        write!(f, "{origin}{value_type}:{}", self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for name in ["os:user.id", "ri:process.pid", "cf:", "dj:ключ:x"] {
            assert_eq!(AttributeColumn::parse(name).unwrap().to_string(), name);
        }
        for name in ["", "time", "o", "xs:a", "ox:a", "os", "añ:b", TAIL_COLUMN] {
            assert_eq!(AttributeColumn::parse(name), None, "{name}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_a_column_that_prints_back_or_none(head in "[ocrdxé:]?[sifbj:é]?:?", key in ".{0,8}") {
            let name = format!("{head}{key}");
            if let Some(column) = AttributeColumn::parse(&name) {
                proptest::prop_assert_eq!(column.to_string(), name);
            }
        }
    }
}
