//! Text as distinct values and a code a row. Telemetry repeats itself: most text columns of a batch have a handful of
//! values, and a merge that moves 4-byte codes does not touch the text again until it writes the dictionary.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, StringViewArray, make_view};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};

/// Code 0 is null; code `n` is value `n - 1`. Values may repeat.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct CodedText {
    /// Where each value ends in `bytes`.
    pub(crate) ends: Vec<u32>,
    pub(crate) bytes: Vec<u8>,
    pub(crate) codes: Vec<u32>,
}

impl CodedText {
    /// Equal views are equal text, so no text is compared.
    pub(crate) fn from_views(array: &StringViewArray) -> Self {
        let views = array.views();
        let mut coded = Self { codes: Vec::with_capacity(views.len()), ..Self::default() };
        let mut memo = ViewMemo::new(views.len());
        let mut last: Option<(u128, u32)> = None;
        for (row, view) in views.iter().enumerate() {
            if array.is_null(row) {
                coded.codes.push(0);
                continue;
            }
            if let Some((last_view, code)) = last
                && last_view == *view
            {
                coded.codes.push(code);
                continue;
            }
            let next = u32::try_from(coded.ends.len() + 1).expect("a part has fewer than 2^32 rows");
            let code = memo.code(*view, next);
            if code == next {
                coded.bytes.extend_from_slice(array.value(row).as_bytes());
                let end =
                    u32::try_from(coded.bytes.len()).expect("merges and batches are bounded below 4 GiB");
                coded.ends.push(end);
            }
            coded.codes.push(code);
            last = Some((*view, code));
        }
        coded
    }

    /// One value on every row.
    pub(crate) fn nulls(row_count: usize) -> Self {
        Self { codes: vec![0; row_count], ..Self::default() }
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let value = &self.bytes[start..*end as usize];
            start = *end as usize;
            value
        })
    }

    /// The rows as Arrow's text views. `bytes` must be UTF-8 and each end a character boundary.
    pub(crate) fn into_views(self) -> ArrayRef {
        let views: Vec<u128> = {
            let mut start = 0_u32;
            let values = self.ends.iter().map(|end| {
                let view = make_view(&self.bytes[start as usize..*end as usize], 0, start);
                start = *end;
                view
            });
            std::iter::once(0).chain(values).collect()
        };
        let nulls =
            self.codes.contains(&0).then(|| self.codes.iter().map(|code| *code != 0).collect::<NullBuffer>());
        let rows: ScalarBuffer<u128> = self.codes.iter().map(|code| views[*code as usize]).collect();
        let buffers = if self.bytes.is_empty() { Vec::new() } else { vec![Buffer::from_vec(self.bytes)] };
        // Each view was made above from a range of the one buffer, whose text is UTF-8 as the caller promises.
        Arc::new(unsafe { StringViewArray::new_unchecked(rows, buffers, nulls) })
    }
}

/// View → code, by open addressing.
struct ViewMemo {
    slots: Vec<(u128, u32)>,
    used: usize,
}

impl ViewMemo {
    fn new(row_count: usize) -> Self {
        Self { slots: vec![(0, 0); (row_count / 8).next_power_of_two().max(64)], used: 0 }
    }

    /// The code of `view`, which is `next` if the view is new.
    fn code(&mut self, view: u128, next: u32) -> u32 {
        if self.used * 2 > self.slots.len() {
            self.grow();
        }
        let slot = self.slot(view);
        if self.slots[slot].1 == 0 {
            self.slots[slot] = (view, next);
            self.used += 1;
        }
        self.slots[slot].1
    }

    /// Where the view is or belongs.
    #[expect(clippy::cast_possible_truncation, reason = "folding 128 bits into 64 is the hash")]
    fn slot(&self, view: u128) -> usize {
        let folded = (view as u64) ^ ((view >> 64) as u64).rotate_left(23);
        let mixed = folded.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let mask = self.slots.len() - 1;
        let mut slot = (mixed >> 32) as usize & mask;
        while self.slots[slot].1 != 0 && self.slots[slot].0 != view {
            slot = (slot + 1) & mask;
        }
        slot
    }

    fn grow(&mut self) {
        let larger = vec![(0, 0); self.slots.len() * 4];
        let old = std::mem::replace(&mut self.slots, larger);
        for (view, code) in old {
            if code != 0 {
                let slot = self.slot(view);
                self.slots[slot] = (view, code);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringViewBuilder;

    #[test]
    fn text_survives_its_codes() {
        let long = "a value that does not fit into a view ".repeat(3);
        let rows: Vec<Option<String>> = (0..3000)
            .map(|row| match row % 5 {
                0 => None,
                1 => Some(String::new()),
                2 => Some(format!("{long}{}", row % 700)),
                3 => Some(format!("é{row}")),
                _ => Some("short".into()),
            })
            .collect();
        for rows in [&rows[..], &rows[..1], &rows[1..2], &[]] {
            let array: StringViewArray = rows.iter().map(|row| row.as_deref()).collect();
            let coded = CodedText::from_views(&array);
            assert_eq!(coded.values().count(), coded.ends.len());
            let again = coded.into_views();
            assert_eq!(arrow::array::AsArray::as_string_view(&again), &array);
        }
    }

    #[test]
    fn repeated_views_share_a_code() {
        let mut builder = StringViewBuilder::new();
        for row in 0..1000 {
            builder.append_value(["get", "put", "delete"][row % 3]);
        }
        assert_eq!(CodedText::from_views(&builder.finish()).ends.len(), 3);
    }
}
