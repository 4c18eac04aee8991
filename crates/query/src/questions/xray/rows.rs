//! Spans out of the engine and into [`TraceRow`]s: which columns a question needs, how they are selected, and what each row
//! says, whether an X-Ray document or an OpenTelemetry span wrote it. Scans of the map and of filters read through it.

use std::collections::{BTreeMap, BTreeSet};

use super::client::client_node;
use super::names::{ABSENT, ClientKey, Code, Names, NodeId};
use super::shape::{RowFlags, TraceRow};
use crate::languages::xray::columns::{ACCOUNT, CLIENT, STATUS, fields_of, is_mixed, typed};
use crate::languages::xray::{AnnotationValue, Expression, Facts, Number, Term, Text};
use crate::questions::identifier;
use crate::{FieldInfo, FieldType, QueryError};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type, TimestampNanosecondType, UInt8Type};

/// What filters look at besides the columns of the map.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    texts: BTreeSet<Text>,
    status: bool,
    annotations: BTreeSet<String>,
}

impl Wanted {
    pub(super) fn add(&mut self, expression: &Expression) {
        match expression {
            Expression::All(parts) | Expression::Any(parts) => parts.iter().for_each(|part| self.add(part)),
            Expression::Not(inner) => self.add(inner),
            Expression::Term(Term::Text { text, .. }) => {
                self.texts.insert(*text);
            }
            Expression::Term(Term::Number { number: Number::HttpStatus, .. }) => self.status = true,
            Expression::Term(Term::Annotation { key, .. }) => {
                self.annotations.insert(key.clone());
            }
            Expression::Term(
                Term::Service { inside: Some(inside), .. } | Term::Edge { inside: Some(inside), .. },
            ) => self.add(inside),
            Expression::Term(_) => {}
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty() && !self.status && self.annotations.is_empty()
    }
}

const FLAGS: [(&str, u16); 4] = [
    ("aws.xray.fault", RowFlags::FAULT),
    ("aws.xray.error", RowFlags::ERROR),
    ("aws.xray.throttle", RowFlags::THROTTLE),
    ("aws.xray.inprogress", RowFlags::IN_PROGRESS),
];

/// The fixed columns, first in the selection and in this order.
const FIXED: [&str; 8] = [
    "#trace_id",
    "#span_id",
    "#parent_id",
    "#time",
    "#duration_ns",
    "#dataset",
    "#span_kind",
    "#status_code",
];

/// An annotation's column.
#[derive(Clone, Debug)]
struct AnnotationColumn {
    key: String,
    idx: usize,
    field_type: FieldType,
    /// Sent as texts and as something else: the column's texts may be numbers or truths.
    mixed: bool,
}

/// Which columns are read, and where each is in the selection.
#[derive(Clone, Debug, Default)]
pub(super) struct Layout {
    /// Of the table.
    pub(super) columns: Vec<String>,
    selected: Vec<String>,
    x_type: Option<usize>,
    x_node: Option<usize>,
    x_node_type: Option<usize>,
    account: Option<usize>,
    flags: Vec<(usize, u16)>,
    status: Vec<usize>,
    client: [Option<usize>; 16],
    texts: Vec<(Text, Vec<usize>)>,
    annotations: Vec<AnnotationColumn>,
    wants_status: bool,
    pub(super) has_facts: bool,
}

impl Layout {
    /// `fields` are those of the environment and `physical` its columns.
    pub(super) fn new(fields: &[FieldInfo], physical: &BTreeMap<String, i64>, wanted: &Wanted) -> Self {
        let mut layout =
            Self { has_facts: !wanted.is_empty(), wants_status: wanted.status, ..Self::default() };
        for name in FIXED {
            layout.columns.push(name.to_owned());
            layout.selected.push(format!("{} AS c{}", identifier(name), layout.selected.len()));
        }
        layout.columns.push("#kind".to_owned());
        let mut add =
            |name: &str, field_type: Option<FieldType>| layout_add(&mut layout, fields, name, field_type);
        let x_type = add("aws.xray.type", Some(FieldType::Text));
        let (x_node, x_node_type) =
            (add("aws.xray.node", Some(FieldType::Text)), add("aws.xray.node_type", Some(FieldType::Text)));
        let account = add(ACCOUNT, Some(FieldType::Text));
        let flags =
            FLAGS.iter().filter_map(|(name, flag)| Some((add(name, Some(FieldType::Boolean))?.0, *flag)));
        let flags: Vec<(usize, u16)> = flags.collect();
        let status: Vec<usize> =
            STATUS.iter().filter_map(|name| Some(add(name, Some(FieldType::Integer))?.0)).collect();
        let client = CLIENT.map(|name| Some(add(name, Some(FieldType::Text))?.0));
        let mut texts = Vec::new();
        for text in &wanted.texts {
            let found = fields_of(*text).iter().filter_map(|name| Some(add(name, Some(FieldType::Text))?.0));
            let found: Vec<usize> = found.collect();
            texts.push((*text, found));
        }
        let mut annotations = Vec::new();
        for key in &wanted.annotations {
            if let Some((idx, field_type)) = add(key, None) {
                let mixed = is_mixed(key, physical);
                annotations.push(AnnotationColumn { key: key.clone(), idx, field_type, mixed });
            }
        }
        let place = |found: Option<(usize, FieldType)>| found.map(|(idx, _)| idx);
        layout.x_type = place(x_type);
        (layout.x_node, layout.x_node_type) = (place(x_node), place(x_node_type));
        layout.account = place(account);
        (layout.flags, layout.status, layout.client) = (flags, status, client);
        (layout.texts, layout.annotations) = (texts, annotations);
        layout
    }

    /// What is asked of a table with [`Self::columns`].
    pub(super) fn sql(&self) -> String {
        format!(
            r##"SELECT {} FROM events WHERE "#kind" = 0 AND "#trace_id" IS NOT NULL"##,
            self.selected.join(", ")
        )
    }
}

/// Selects a field, if it exists, as `wanted` or as its own type.
fn layout_add(
    layout: &mut Layout,
    fields: &[FieldInfo],
    name: &str,
    wanted: Option<FieldType>,
) -> Option<(usize, FieldType)> {
    let (sql, field_type) = typed(fields, name, wanted)?;
    let idx = layout.selected.len();
    layout.selected.push(format!("{sql} AS c{idx}"));
    if !layout.columns.iter().any(|known| known == name) {
        layout.columns.push(name.to_owned());
    }
    Some((idx, field_type))
}

/// A text column of one batch.
struct Texts {
    array: StringViewArray,
    last: Option<(u128, Code)>,
}

impl Texts {
    fn of(batch: &RecordBatch, idx: usize) -> Result<Self, QueryError> {
        let array = cast(batch.column(idx), &DataType::Utf8View)?;
        Ok(Self { array: array.as_string_view().clone(), last: None })
    }

    fn code(&mut self, row: usize, names: &mut Names) -> Code {
        if self.array.is_null(row) {
            return ABSENT;
        }
        let view = self.array.views()[row];
        if let Some((known, code)) = self.last
            && known == view
        {
            return code;
        }
        let code = names.viewed(view, self.array.value(row));
        self.last = Some((view, code));
        code
    }

    fn text(&self, row: usize) -> Option<&str> {
        self.array.is_valid(row).then(|| self.array.value(row))
    }
}

fn is_true(array: &BooleanArray, row: usize) -> bool {
    array.is_valid(row) && array.value(row)
}

fn id8(array: &datafusion::arrow::array::FixedSizeBinaryArray, row: usize) -> u64 {
    match array.is_valid(row) {
        true => <[u8; 8]>::try_from(array.value(row)).map_or(0, u64::from_be_bytes),
        false => 0,
    }
}

/// Hands over each row of a batch whose trace `keep` wants: its trace, itself, and what filters see of it.
pub(super) fn read(
    batch: &RecordBatch,
    layout: &Layout,
    names: &mut Names,
    keep: impl Fn(u128) -> bool,
    mut each: impl FnMut(&Names, u128, TraceRow, Facts),
) -> Result<(), QueryError> {
    let traces = batch.column(0).as_fixed_size_binary();
    let (spans, parents) = (batch.column(1).as_fixed_size_binary(), batch.column(2).as_fixed_size_binary());
    let times = batch.column(3).as_primitive::<TimestampNanosecondType>();
    let durations = batch.column(4).as_primitive::<Int64Type>();
    let mut datasets = Texts::of(batch, 5)?;
    let (kinds, statuses) =
        (batch.column(6).as_primitive::<UInt8Type>(), batch.column(7).as_primitive::<UInt8Type>());
    let texts = |idx: Option<usize>| idx.map(|idx| Texts::of(batch, idx)).transpose();
    let (x_type, mut x_node, mut x_node_type) =
        (texts(layout.x_type)?, texts(layout.x_node)?, texts(layout.x_node_type)?);
    let mut account = texts(layout.account)?;
    let flag_columns: Vec<(&BooleanArray, u16)> =
        layout.flags.iter().map(|(idx, flag)| (batch.column(*idx).as_boolean(), *flag)).collect();
    let http: Vec<_> =
        layout.status.iter().map(|idx| batch.column(*idx).as_primitive::<Int64Type>()).collect();
    let mut client: Vec<(usize, Texts)> = Vec::new();
    for (place, idx) in layout.client.iter().enumerate() {
        if let Some(idx) = idx
            && batch.column(*idx).null_count() < batch.num_rows()
        {
            client.push((place, Texts::of(batch, *idx)?));
        }
    }
    let mut fact_texts: Vec<(Text, Vec<Texts>)> = Vec::new();
    for (text, columns) in &layout.texts {
        let columns: Result<Vec<Texts>, _> = columns.iter().map(|idx| Texts::of(batch, *idx)).collect();
        fact_texts.push((*text, columns?));
    }
    let of_code = |texts: &mut Option<Texts>, row: usize, names: &mut Names| match texts {
        Some(texts) => texts.code(row, names),
        None => ABSENT,
    };
    for row in 0..batch.num_rows() {
        let Ok(trace) = <[u8; 16]>::try_from(traces.value(row)).map(u128::from_be_bytes) else { continue };
        if !keep(trace) {
            continue;
        }
        let x_type = x_type.as_ref().and_then(|texts| texts.text(row));
        let status = http.iter().find(|array| array.is_valid(row)).map(|array| array.value(row));
        let mut flags = 0;
        let account = of_code(&mut account, row, names);
        let (own, target);
        if let Some(x_type) = x_type {
            let is_segment = x_type == "segment";
            flags |= if is_segment { RowFlags::SEGMENT } else { RowFlags::SUBSEGMENT };
            for (column, flag) in &flag_columns {
                if is_true(column, row) {
                    flags |= flag;
                }
            }
            let (name, r#type) = (of_code(&mut x_node, row, names), of_code(&mut x_node_type, row, names));
            let dataset = datasets.code(row, names);
            (own, target) = match is_segment {
                true => {
                    let name = if name == ABSENT { dataset } else { name };
                    (names.node(name, r#type, account), NodeId::NONE)
                }
                false => (names.node(dataset, ABSENT, account), names.node(name, r#type, ABSENT)),
            };
        } else {
            let kind = if kinds.is_valid(row) { kinds.value(row) } else { 0 };
            flags |= match kind {
                2 => RowFlags::SERVER,
                3 => RowFlags::CLIENT,
                4 => RowFlags::PRODUCER,
                5 => RowFlags::CONSUMER,
                _ => 0,
            };
            flags |= match status {
                Some(500..) => RowFlags::FAULT,
                Some(429) => RowFlags::ERROR | RowFlags::THROTTLE,
                Some(400..500) => RowFlags::ERROR,
                Some(_) => 0,
                None if statuses.is_valid(row) && statuses.value(row) == 2 => RowFlags::FAULT,
                None => 0,
            };
            let dataset = datasets.code(row, names);
            own = names.node(dataset, ABSENT, account);
            target = match flags & (RowFlags::CLIENT | RowFlags::PRODUCER) != 0 {
                true => {
                    let mut key: ClientKey = [ABSENT; 16];
                    for (place, texts) in &mut client {
                        key[*place] = texts.code(row, names);
                    }
                    names.derived(&key, |names| client_node(key.map(|code| names.text(code))))
                }
                false => NodeId::NONE,
            };
        }
        let in_progress = flags & RowFlags::IN_PROGRESS != 0;
        let duration_ns =
            if durations.is_valid(row) && !in_progress { durations.value(row).max(0) } else { 0 };
        let found = TraceRow {
            span_id: id8(spans, row),
            parent_id: id8(parents, row),
            start_ns: times.value(row),
            duration_ns,
            own,
            target,
            flags: RowFlags(flags),
        };
        let mut facts = Facts::default();
        if layout.has_facts {
            if layout.wants_status {
                facts.numbers.extend(status.map(|status| (Number::HttpStatus, status as f64)));
            }
            for (text, columns) in &fact_texts {
                let value = columns.iter().find_map(|texts| texts.text(row));
                facts.texts.extend(value.map(|value| (*text, value.to_owned())));
            }
            for column in &layout.annotations {
                annotation(column, batch.column(column.idx), row, &mut facts);
            }
        }
        each(names, trace, found, facts);
    }
    Ok(())
}

fn annotation(column: &AnnotationColumn, array: &ArrayRef, row: usize, facts: &mut Facts) {
    if array.is_null(row) {
        return;
    }
    let mut add = |value| facts.annotations.push((column.key.clone(), value));
    match column.field_type {
        FieldType::Integer => {
            add(AnnotationValue::Number(array.as_primitive::<Int64Type>().value(row) as f64))
        }
        FieldType::Float => add(AnnotationValue::Number(array.as_primitive::<Float64Type>().value(row))),
        FieldType::Boolean => add(AnnotationValue::Flag(array.as_boolean().value(row))),
        FieldType::Text => {
            let text = array.as_string_view().value(row);
            add(AnnotationValue::Text(text.to_owned()));
            if column.mixed {
                match text {
                    "true" | "false" => add(AnnotationValue::Flag(text == "true")),
                    _ => {
                        text.parse().ok().into_iter().for_each(|number| add(AnnotationValue::Number(number)))
                    }
                }
            }
        }
    }
}
