//! The distinct values of one text column over all inputs of a merge. Each input brings its own few values; they get
//! their number here, and the rows move as numbers.

use crate::part::{CodedText, Values};

/// Values in the order in which they were first seen.
#[derive(Default)]
pub(crate) struct Dictionary {
    ends: Vec<usize>,
    bytes: Vec<u8>,
    /// (upper half of the hash, value number + 1) by open addressing; 0 is free.
    slots: Vec<(u32, u32)>,
    hasher: ahash::RandomState,
}

impl Dictionary {
    /// Appends the rows of one input to `codes`, in the numbers of this dictionary.
    pub(crate) fn add(&mut self, text: &CodedText, codes: &mut Vec<u32>) {
        let mut numbers = Vec::with_capacity(text.ends.len() + 1);
        numbers.push(0);
        for value in text.values() {
            numbers.push(self.code(value));
        }
        codes.extend(text.codes.iter().map(|code| numbers[*code as usize]));
    }

    pub(crate) fn values(&self) -> Values<'_> {
        Values::Text { ends: &self.ends, bytes: &self.bytes }
    }

    #[expect(clippy::cast_possible_truncation, reason = "both halves of the hash are used")]
    fn code(&mut self, value: &[u8]) -> u32 {
        if self.ends.len() * 2 >= self.slots.len() {
            self.grow();
        }
        let hash = self.hasher.hash_one(value);
        let tag = (hash >> 32) as u32;
        let mask = self.slots.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            let (known_tag, code) = self.slots[slot];
            if code == 0 {
                self.bytes.extend_from_slice(value);
                self.ends.push(self.bytes.len());
                let code = u32::try_from(self.ends.len()).expect("a merge has fewer than 2^32 rows");
                self.slots[slot] = (tag, code);
                return code;
            }
            if known_tag == tag && self.values().get(code - 1) == value {
                return code;
            }
            slot = (slot + 1) & mask;
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half picks the slot")]
    fn grow(&mut self) {
        let len = (self.slots.len() * 4).max(64);
        self.slots = vec![(0, 0); len];
        let mut start = 0;
        for (idx, end) in self.ends.iter().enumerate() {
            let hash = self.hasher.hash_one(&self.bytes[start..*end]);
            start = *end;
            let mut slot = hash as usize & (len - 1);
            while self.slots[slot].1 != 0 {
                slot = (slot + 1) & (len - 1);
            }
            self.slots[slot] = ((hash >> 32) as u32, u32::try_from(idx + 1).unwrap_or(u32::MAX));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::StringViewArray;

    #[test]
    fn inputs_share_numbers() {
        let mut dictionary = Dictionary::default();
        let mut codes = Vec::new();
        let texts: Vec<Vec<Option<String>>> = (0..5)
            .map(|input| {
                (0..400).map(|row| (row % 9 != 0).then(|| format!("value {}", row * (input + 1)))).collect()
            })
            .collect();
        for rows in &texts {
            let array: StringViewArray = rows.iter().map(|row| row.as_deref()).collect();
            dictionary.add(&CodedText::from_views(&array), &mut codes);
        }
        let values = dictionary.values();
        let back: Vec<Option<&[u8]>> =
            codes.iter().map(|code| (*code != 0).then(|| values.get(*code - 1))).collect();
        let expected: Vec<Option<&[u8]>> =
            texts.iter().flatten().map(|row| row.as_deref().map(str::as_bytes)).collect();
        assert_eq!(back, expected);
        let distinct: std::collections::HashSet<_> = expected.iter().flatten().collect();
        assert_eq!(distinct.len(), dictionary.ends.len());
    }
}
