//! Values of breakdowns → dense group numbers, without hashing each row: texts of one dictionary page share their
//! view, so that a small table of views answers for nearly all rows. Called by `one_pass.rs` for each batch.

use std::sync::Arc;

use ahash::HashMap;
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringViewArray,
};
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};

/// The groups of one partition, numbered in the order in which they were met.
#[derive(Debug)]
pub(crate) struct Grouping {
    keys: Vec<Dictionary>,
    /// Joins the number so far with the number of the next key.
    pairs: Vec<Pairs>,
    scratch: Vec<u32>,
}

impl Grouping {
    /// `None` when a type cannot be grouped by.
    pub(crate) fn new(types: &[DataType]) -> Option<Self> {
        let keys = types.iter().map(Dictionary::new).collect::<Option<Vec<_>>>()?;
        let pairs = (1..keys.len()).map(|_| Pairs::default()).collect();
        Some(Self { keys, pairs, scratch: Vec::new() })
    }

    pub(crate) fn group_count(&self) -> usize {
        match (self.pairs.last(), self.keys.first()) {
            (Some(pairs), _) => pairs.list.len(),
            (None, Some(key)) => key.len(),
            (None, None) => 1,
        }
    }

    /// Bytes that the groups hold, roughly.
    pub(crate) fn byte_count(&self) -> usize {
        let texts: usize = self.keys.iter().map(Dictionary::byte_count).sum();
        texts + self.pairs.iter().map(|pairs| pairs.list.len() * 32).sum::<usize>()
    }

    /// The group of each row, in `groups`.
    pub(crate) fn assign(&mut self, arrays: &[ArrayRef], groups: &mut Vec<u32>) {
        groups.clear();
        let Some((first, rest)) = arrays.split_first() else { return };
        self.keys[0].assign(first, groups);
        for (position, array) in rest.iter().enumerate() {
            self.scratch.clear();
            self.keys[position + 1].assign(array, &mut self.scratch);
            self.pairs[position].join(groups, &self.scratch);
        }
    }

    /// For each group of `other` its number here, where it is added if it is new.
    pub(crate) fn absorb(&mut self, other: &Grouping) -> Vec<u32> {
        let Some((first, rest)) = self.keys.split_first_mut() else { return vec![0] };
        let mut numbers = first.absorb(&other.keys[0]);
        for (position, key) in rest.iter_mut().enumerate() {
            let seconds = key.absorb(&other.keys[position + 1]);
            let pairs = &mut self.pairs[position];
            numbers = other.pairs[position]
                .list
                .iter()
                .map(|(left, right)| pairs.number(numbers[*left as usize], seconds[*right as usize]))
                .collect();
        }
        numbers
    }

    /// One array for each key, with a row for each group.
    pub(crate) fn values(&self) -> Vec<ArrayRef> {
        (0..self.keys.len())
            .map(|key| {
                let rows: Vec<usize> =
                    (0..self.group_count()).map(|group| self.value_of(key, group)).collect();
                self.keys[key].values(&rows)
            })
            .collect()
    }

    fn value_of(&self, key: usize, group: usize) -> usize {
        let mut number = group as u32;
        for (position, pairs) in self.pairs.iter().enumerate().rev() {
            let (left, right) = pairs.list[number as usize];
            if position + 1 == key {
                return right as usize;
            }
            number = left;
        }
        number as usize
    }
}

/// Numbers of pairs of numbers.
#[derive(Debug, Default)]
struct Pairs {
    numbers: HashMap<u64, u32>,
    list: Vec<(u32, u32)>,
}

impl Pairs {
    fn number(&mut self, left: u32, right: u32) -> u32 {
        *self.numbers.entry(u64::from(left) << 32 | u64::from(right)).or_insert_with(|| {
            self.list.push((left, right));
            (self.list.len() - 1) as u32
        })
    }

    fn join(&mut self, lefts: &mut [u32], rights: &[u32]) {
        let mut last: Option<(u32, u32, u32)> = None;
        for (left, right) in lefts.iter_mut().zip(rights) {
            let number = match last {
                Some((l, r, number)) if l == *left && r == *right => number,
                _ => self.number(*left, *right),
            };
            last = Some((*left, *right, number));
            *left = number;
        }
    }
}

/// The values of one key, numbered. Null is a value like others.
#[derive(Debug)]
enum Dictionary {
    Text(Box<Texts>),
    /// Whole numbers, floats and booleans, by their bits.
    Bits {
        data_type: DataType,
        numbers: HashMap<Option<u64>, u32>,
        values: Vec<Option<u64>>,
    },
}

impl Dictionary {
    fn new(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Utf8View => Some(Self::Text(Box::default())),
            DataType::Int64 | DataType::Float64 | DataType::Boolean => Some(Self::Bits {
                data_type: data_type.clone(),
                numbers: HashMap::default(),
                values: Vec::new(),
            }),
            _ => None,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(texts) => texts.values.len(),
            Self::Bits { values, .. } => values.len(),
        }
    }

    fn byte_count(&self) -> usize {
        match self {
            Self::Text(texts) => texts.byte_count + texts.values.len() * 64,
            Self::Bits { values, .. } => values.len() * 48,
        }
    }

    fn assign(&mut self, array: &ArrayRef, out: &mut Vec<u32>) {
        out.reserve(array.len());
        let (numbers, values) = match self {
            Self::Text(texts) => return texts.assign(array.as_string_view(), out),
            Self::Bits { numbers, values, .. } => (numbers, values),
        };
        let mut last: Option<(Option<u64>, u32)> = None;
        let mut add = |bits: Option<u64>| match last {
            Some((known, number)) if known == bits => out.push(number),
            _ => {
                let number = bits_number(numbers, values, bits);
                last = Some((bits, number));
                out.push(number);
            }
        };
        match array.data_type() {
            DataType::Int64 => {
                array
                    .as_primitive::<Int64Type>()
                    .iter()
                    .for_each(|value| add(value.map(|value| value as u64)));
            }
            DataType::Float64 => {
                array.as_primitive::<Float64Type>().iter().for_each(|value| add(value.map(f64::to_bits)));
            }
            _ => array.as_boolean().iter().for_each(|value| add(value.map(u64::from))),
        }
    }

    fn absorb(&mut self, other: &Dictionary) -> Vec<u32> {
        match (self, other) {
            (Self::Text(mine), Self::Text(theirs)) => {
                theirs.values.iter().map(|value| mine.number(value.as_deref())).collect()
            }
            (Self::Bits { numbers, values, .. }, Self::Bits { values: theirs, .. }) => {
                theirs.iter().map(|bits| bits_number(numbers, values, *bits)).collect()
            }
            // Partitions of one plan have the same types.
            _ => Vec::new(),
        }
    }

    fn values(&self, rows: &[usize]) -> ArrayRef {
        match self {
            Self::Text(texts) => {
                Arc::new(rows.iter().map(|row| texts.values[*row].as_deref()).collect::<StringViewArray>())
            }
            Self::Bits { data_type, values, .. } => {
                let each = rows.iter().map(|row| values[*row]);
                match data_type {
                    DataType::Int64 => {
                        Arc::new(each.map(|bits| bits.map(|bits| bits as i64)).collect::<Int64Array>())
                    }
                    DataType::Float64 => {
                        Arc::new(each.map(|bits| bits.map(f64::from_bits)).collect::<Float64Array>())
                    }
                    _ => Arc::new(each.map(|bits| bits.map(|bits| bits != 0)).collect::<BooleanArray>()),
                }
            }
        }
    }
}

fn bits_number(
    numbers: &mut HashMap<Option<u64>, u32>,
    values: &mut Vec<Option<u64>>,
    bits: Option<u64>,
) -> u32 {
    *numbers.entry(bits).or_insert_with(|| {
        values.push(bits);
        (values.len() - 1) as u32
    })
}

#[derive(Debug, Default)]
struct Texts {
    numbers: HashMap<Box<str>, u32>,
    null: Option<u32>,
    values: Vec<Option<Box<str>>>,
    byte_count: usize,
    memo: Memo,
}

impl Texts {
    fn number(&mut self, text: Option<&str>) -> u32 {
        let next = self.values.len() as u32;
        let Some(text) = text else {
            if self.null.is_none() {
                self.values.push(None);
            }
            return *self.null.get_or_insert(next);
        };
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        self.byte_count += 2 * text.len();
        self.values.push(Some(text.into()));
        self.numbers.insert(text.into(), next);
        next
    }

    fn assign(&mut self, array: &StringViewArray, out: &mut Vec<u32>) {
        self.memo.begin(array.data_buffers());
        let nulls = array.nulls();
        // Which rows are null or like the one before cannot be guessed; that the memo knows the view can.
        for (row, view) in array.views().iter().enumerate() {
            let is_null = nulls.is_some_and(|nulls| nulls.is_null(row));
            let view = if is_null { NULL_VIEW } else { *view };
            let number = match self.memo.get(view) {
                Some(number) => number,
                None => {
                    let number = self.number((!is_null).then(|| array.value(row)));
                    self.memo.put(view, number);
                    number
                }
            };
            out.push(number);
        }
    }
}

/// Longer than any text, so that no text has it.
const NULL_VIEW: u128 = u128::MAX;
const MEMO_SLOTS: usize = 1024;
/// A fuller table is emptied rather than searched long.
const MEMO_MAX: usize = MEMO_SLOTS / 2;

/// Numbers of views. A view means the same text as long as the buffers are the same.
#[derive(Debug, Default)]
struct Memo {
    /// Held so that their addresses are not given to others.
    buffers: Vec<Buffer>,
    slots: Vec<(u128, u32)>,
    used: usize,
}

impl Memo {
    fn begin(&mut self, buffers: &[Buffer]) {
        let same = self.buffers.len() == buffers.len()
            && self.buffers.iter().zip(buffers).all(|(a, b)| a.as_ptr() == b.as_ptr() && a.len() == b.len());
        if !same || self.slots.is_empty() {
            self.clear();
            self.buffers = buffers.to_vec();
        }
    }

    fn clear(&mut self) {
        self.slots.clear();
        self.slots.resize(MEMO_SLOTS, (0, u32::MAX));
        self.used = 0;
    }

    /// Where the view is or would be put.
    #[inline]
    fn slot(&self, view: u128) -> usize {
        let mixed = (view as u64 ^ (view >> 64) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mut slot = (mixed >> 54) as usize % MEMO_SLOTS;
        while self.slots[slot].1 != u32::MAX && self.slots[slot].0 != view {
            slot = (slot + 1) % MEMO_SLOTS;
        }
        slot
    }

    #[inline]
    fn get(&self, view: u128) -> Option<u32> {
        let number = self.slots[self.slot(view)].1;
        (number != u32::MAX).then_some(number)
    }

    fn put(&mut self, view: u128, number: u32) {
        if self.used == MEMO_MAX {
            self.clear();
        }
        let slot = self.slot(view);
        self.slots[slot] = (view, number);
        self.used += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[Option<&str>]) -> ArrayRef {
        Arc::new(values.iter().copied().collect::<StringViewArray>())
    }

    fn rows(grouping: &mut Grouping, arrays: &[ArrayRef]) -> Vec<String> {
        let mut groups = Vec::new();
        grouping.assign(arrays, &mut groups);
        shown(grouping, &groups)
    }

    fn shown(grouping: &Grouping, groups: &[u32]) -> Vec<String> {
        let values = grouping.values();
        groups
            .iter()
            .map(|group| {
                format!(
                    "{:?}",
                    values.iter().map(|value| value.slice(*group as usize, 1)).collect::<Vec<_>>()
                )
            })
            .collect()
    }

    #[test]
    fn equal_values_share_a_group_across_batches_and_partitions() {
        let long: Vec<String> =
            (0..3000).map(|number| format!("a text longer than a view holds {number}")).collect();
        let types = [DataType::Utf8View, DataType::Int64];
        let (mut left, mut right) = (Grouping::new(&types).unwrap(), Grouping::new(&types).unwrap());
        for (grouping, step) in [(&mut left, 1), (&mut right, 7)] {
            for _ in 0..2 {
                let values: Vec<Option<&str>> = (0..6000)
                    .map(|row| if row % 11 == 0 { None } else { Some(long[row * step % 3000].as_str()) })
                    .collect();
                let numbers: ArrayRef = Arc::new(
                    (0..6000_i64).map(|row| (row % 5 > 0).then_some(row % 5)).collect::<Int64Array>(),
                );
                let arrays = [texts(&values), numbers];
                let expected: Vec<String> = (0..6000)
                    .map(|row| {
                        format!("{:?}", arrays.iter().map(|array| array.slice(row, 1)).collect::<Vec<_>>())
                    })
                    .collect();
                assert_eq!(rows(grouping, &arrays), expected);
            }
        }
        let before = shown(&right, &(0..right.group_count() as u32).collect::<Vec<_>>());
        let numbers = left.absorb(&right);
        assert_eq!(shown(&left, &numbers), before);
        let all = shown(&left, &(0..left.group_count() as u32).collect::<Vec<_>>());
        assert_eq!(
            all.iter().collect::<std::collections::BTreeSet<_>>().len(),
            all.len(),
            "no group is there twice"
        );
    }

    #[test]
    fn an_empty_text_is_not_null_and_only_groups_that_were_met_exist() {
        let mut grouping = Grouping::new(&[DataType::Utf8View]).unwrap();
        assert_eq!(grouping.group_count(), 0);
        let mut groups = Vec::new();
        grouping.assign(&[texts(&[Some(""), None, Some(""), Some("x")])], &mut groups);
        assert_eq!((groups[0], grouping.group_count()), (groups[2], 3));
        assert_ne!(groups[0], groups[1]);
    }
}
