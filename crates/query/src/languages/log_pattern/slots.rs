//! Which field of a message stands for which slot of a pattern.

use super::ast::{Slot, Slots};
use super::split::split;

/// Fields that are looked at; a message with more of them does not fit a pattern without `...`.
const FIELDS_MAX: usize = 10_000;

impl Slots {
    /// The slots with their fields, and the fields that `...` stands for; `None` where the message has too few or too many.
    pub(super) fn assign<'p, 'm>(
        &'p self,
        message: &'m str,
    ) -> Option<(Vec<(&'p Slot, &'m str)>, Vec<&'m str>)> {
        let fields = split(message, FIELDS_MAX);
        let behind: &[Slot] = self.after.as_deref().unwrap_or_default();
        let fits = match self.after {
            Some(_) => fields.len() >= self.before.len() + behind.len() && fields.len() <= FIELDS_MAX,
            None => fields.len() == self.before.len(),
        };
        if !fits {
            return None;
        }
        let (front, rest) = fields.split_at(self.before.len());
        let (middle, back) = rest.split_at(rest.len() - behind.len());
        let front = self.before.iter().zip(front.iter().copied());
        let assigned = front.chain(behind.iter().zip(back.iter().copied())).collect();
        Some((assigned, middle.to_vec()))
    }
}
