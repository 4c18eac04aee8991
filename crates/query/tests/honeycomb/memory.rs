//! Events in memory behind the `EventSource` contract, for tests of the query languages.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, FixedSizeBinaryBuilder, Float64Array, Int64Array, RecordBatch, StringViewArray,
    TimestampNanosecondArray, UInt8Array,
};
use datafusion::arrow::datatypes::{Field, Schema};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use tracery_query::tables::SYSTEM_COLUMNS;
use tracery_query::{EventSource, FieldInfo, FieldType, QueryError, Scope};

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Val {
    Text(String),
    Int(i64),
    Float(f64),
    Bool(bool),
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Val::Text(text.to_owned())
    }
}

impl From<i64> for Val {
    fn from(number: i64) -> Self {
        Val::Int(number)
    }
}

impl From<f64> for Val {
    fn from(number: f64) -> Self {
        Val::Float(number)
    }
}

impl From<bool> for Val {
    fn from(flag: bool) -> Self {
        Val::Bool(flag)
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) time_ns: i64,
    pub(crate) dataset: String,
    pub(crate) sample_rate: i64,
    pub(crate) trace: u8,
    pub(crate) span: u8,
    pub(crate) parent: u8,
    pub(crate) kind: u8,
    pub(crate) duration_ns: i64,
    pub(crate) fields: Vec<(String, Val)>,
}

impl Event {
    /// An event at a second, of sample rate 1, in no trace.
    pub(crate) fn at(seconds: f64) -> Self {
        Self {
            time_ns: (seconds * 1e9) as i64,
            dataset: "shop".to_owned(),
            sample_rate: 1,
            trace: 0,
            span: 0,
            parent: 0,
            kind: 0,
            duration_ns: 0,
            fields: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &str, value: impl Into<Val>) -> Self {
        self.fields.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn weighing(mut self, sample_rate: i64) -> Self {
        self.sample_rate = sample_rate;
        self
    }

    /// Ids of one byte each; 0 is none.
    pub(crate) fn span(mut self, trace: u8, span: u8, parent: u8) -> Self {
        (self.trace, self.span, self.parent) = (trace, span, parent);
        self
    }

    pub(crate) fn lasting(mut self, seconds: f64) -> Self {
        self.duration_ns = (seconds * 1e9) as i64;
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Val> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

pub(crate) struct MemorySource {
    pub(crate) types: Vec<(&'static str, FieldType)>,
    pub(crate) events: Vec<Event>,
}

fn ids<'a>(events: &'a [&'a Event], width: usize, id: fn(&Event) -> u8) -> ArrayRef {
    let mut builder = FixedSizeBinaryBuilder::new(width as i32);
    for event in events {
        match id(event) {
            0 => builder.append_null(),
            id => builder.append_value(vec![id; width]).unwrap(),
        }
    }
    Arc::new(builder.finish())
}

fn system(events: &[&Event], name: &str) -> ArrayRef {
    let numbers = |of: fn(&Event) -> i64| -> ArrayRef {
        Arc::new(events.iter().map(|event| Some(of(event))).collect::<Int64Array>())
    };
    match name {
        "#time" => {
            Arc::new(events.iter().map(|event| Some(event.time_ns)).collect::<TimestampNanosecondArray>())
        }
        "#dataset" => Arc::new(events.iter().map(|event| Some(&event.dataset)).collect::<StringViewArray>()),
        "#sample_rate" => numbers(|event| event.sample_rate),
        "#trace_id" => ids(events, 16, |event| event.trace),
        "#span_id" => ids(events, 8, |event| event.span),
        "#parent_id" => ids(events, 8, |event| event.parent),
        "#kind" => Arc::new(events.iter().map(|event| Some(event.kind)).collect::<UInt8Array>()),
        "#duration_ns" => numbers(|event| event.duration_ns),
        "#received_ns" => numbers(|event| event.time_ns + 1_000_000_000),
        other => panic!("no system column {other}"),
    }
}

fn field(events: &[&Event], name: &str, field_type: FieldType) -> ArrayRef {
    let values = events.iter().map(|event| event.get(name));
    match field_type {
        FieldType::Text => Arc::new(
            values
                .map(|value| {
                    value.map(|value| match value {
                        Val::Text(text) => text.clone(),
                        other => panic!("{name} is not text: {other:?}"),
                    })
                })
                .collect::<StringViewArray>(),
        ),
        FieldType::Integer => Arc::new(
            values
                .map(|value| {
                    value.map(|value| match value {
                        Val::Int(number) => *number,
                        other => panic!("{name} is not an integer: {other:?}"),
                    })
                })
                .collect::<Int64Array>(),
        ),
        FieldType::Float => Arc::new(
            values
                .map(|value| {
                    value.map(|value| match value {
                        Val::Float(number) => *number,
                        other => panic!("{name} is not a float: {other:?}"),
                    })
                })
                .collect::<Float64Array>(),
        ),
        FieldType::Boolean => Arc::new(
            values
                .map(|value| {
                    value.map(|value| match value {
                        Val::Bool(flag) => *flag,
                        other => panic!("{name} is not a boolean: {other:?}"),
                    })
                })
                .collect::<BooleanArray>(),
        ),
    }
}

#[async_trait]
impl EventSource for MemorySource {
    async fn fields(&self, _scope: &Scope) -> Result<Vec<FieldInfo>, QueryError> {
        let fields = self.types.iter().map(|(name, field_type)| FieldInfo {
            name: (*name).to_owned(),
            field_type: *field_type,
            last_written_ms: 0,
        });
        Ok(fields.collect())
    }

    async fn events(&self, scope: &Scope, columns: &[String]) -> Result<Arc<dyn TableProvider>, QueryError> {
        let in_scope = |event: &&Event| {
            scope.time.contains(event.time_ns)
                && scope.datasets.as_ref().is_none_or(|datasets| datasets.contains(&event.dataset))
        };
        let events: Vec<&Event> = self.events.iter().filter(in_scope).collect();
        let fields: Vec<Field> = columns
            .iter()
            .map(|name| {
                let known =
                    self.types.iter().find(|(known, _)| known == name).map(|(_, known)| known.data_type());
                let system =
                    SYSTEM_COLUMNS.iter().find(|(known, _)| known == name).map(|(_, known)| known.clone());
                Field::new(name, system.or(known).unwrap_or(FieldType::Text.data_type()), true)
            })
            .collect();
        let schema = Arc::new(Schema::new(fields));
        let batch = |events: &[&Event]| {
            let arrays = columns.iter().map(|name| {
                if name.starts_with('#') {
                    return system(events, name);
                }
                let known = self.types.iter().find(|(known, _)| known == name).map(|(_, known)| *known);
                field(events, name, known.unwrap_or(FieldType::Text))
            });
            RecordBatch::try_new(Arc::clone(&schema), arrays.collect())
        };
        let (left, right) = events.split_at(events.len() / 2);
        let partitions = vec![vec![batch(left)?], vec![batch(right)?]];
        Ok(Arc::new(MemTable::try_new(schema, partitions)?))
    }
}
