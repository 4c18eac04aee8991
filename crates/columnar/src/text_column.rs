//! A growing column of text in Arrow's view form: 16 bytes a row, and the bytes of a repeated value stored once as
//! long as it stays among the recent ones.

use arrow::array::{ArrayRef, StringViewArray, make_view};
use arrow::buffer::{Buffer, NullBuffer, ScalarBuffer};
use std::sync::Arc;

const RECENT_LEN: usize = 32;

#[derive(Debug)]
pub(crate) struct TextColumn {
    views: Vec<u128>,
    bytes: Vec<u8>,
    /// Views of recent long values, at a slot picked by a cheap hash.
    recent: Box<[u128; RECENT_LEN]>,
}

impl TextColumn {
    pub(crate) fn new() -> Self {
        Self { views: Vec::new(), bytes: Vec::new(), recent: Box::new([0; RECENT_LEN]) }
    }

    pub(crate) fn push_nulls(&mut self, count: usize) {
        self.views.resize(self.views.len() + count, 0);
    }

    pub(crate) fn push(&mut self, text: &str) {
        let view = self.view(text);
        self.views.push(view);
    }

    pub(crate) fn push_repeated(&mut self, text: &str, count: usize) {
        let view = self.view(text);
        self.views.resize(self.views.len() + count, view);
    }

    /// Bytes of the values that do not fit into their view.
    pub(crate) fn long_bytes(&self) -> usize {
        self.bytes.len()
    }

    fn view(&mut self, text: &str) -> u128 {
        if text.len() <= 12 {
            return make_view(text.as_bytes(), 0, 0);
        }
        let slot = slot_of(text.as_bytes());
        let recent = self.recent[slot];
        if recent != 0 && self.long_value(recent) == text.as_bytes() {
            return recent;
        }
        let offset = u32::try_from(self.bytes.len()).expect("a batch is bounded far below 4 GiB of text");
        self.bytes.extend_from_slice(text.as_bytes());
        let view = make_view(text.as_bytes(), 0, offset);
        self.recent[slot] = view;
        view
    }

    #[expect(clippy::cast_possible_truncation, reason = "a view packs a 32-bit length and offset")]
    fn long_value(&self, view: u128) -> &[u8] {
        let len = view as u32 as usize;
        let offset = (view >> 96) as u32 as usize;
        &self.bytes[offset..offset + len]
    }

    pub(crate) fn finish(self, nulls: Option<NullBuffer>) -> ArrayRef {
        let buffers: Vec<Buffer> =
            if self.bytes.is_empty() { Vec::new() } else { vec![Buffer::from_vec(self.bytes)] };
        // Every view was made above from a `&str` that lies inline or in the one buffer.
        let array = unsafe { StringViewArray::new_unchecked(ScalarBuffer::from(self.views), buffers, nulls) };
        Arc::new(array)
    }
}

/// A slot from the length and the last eight bytes, where ids, paths and URLs differ most.
fn slot_of(bytes: &[u8]) -> usize {
    let tail: [u8; 8] = bytes[bytes.len() - 8..].try_into().expect("long values have more than 12 bytes");
    let mixed = (u64::from_le_bytes(tail) ^ bytes.len() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 59) as usize % RECENT_LEN
}
