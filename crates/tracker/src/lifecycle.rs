//! The states of an item and how it comes from one to another, as pure functions: the worker and the API apply what they
//! say.

use std::cmp::Ordering;

/// Where an item stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Active,
    Resolved,
    Muted,
    Archived,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Resolved => "resolved",
            Self::Muted => "muted",
            Self::Archived => "archived",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Active, Self::Resolved, Self::Muted, Self::Archived]
            .into_iter()
            .find(|status| status.name() == name)
    }

    /// The number that reports and webhooks give.
    pub fn number(self) -> i64 {
        match self {
            Self::Active => 1,
            Self::Resolved => 2,
            Self::Muted => 3,
            Self::Archived => 4,
        }
    }
}

/// What one more occurrence does to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Recurrence {
    /// It is counted.
    Repeated,
    /// It was resolved, and is active again.
    Reactivated,
}

/// An occurrence of an item that is known. A resolved one comes back unless the occurrence is from a version before the
/// one that it was resolved in; an archived one comes back as well, a muted one stays quiet.
pub(crate) fn recurs(status: Status, resolved_in: Option<&str>, code_version: Option<&str>) -> Recurrence {
    let is_older = match (resolved_in, code_version) {
        (Some(resolved_in), Some(version)) => compare(version, resolved_in) == Some(Ordering::Less),
        // A version is not told: nothing says that it is an old one.
        _ => false,
    };
    match status {
        Status::Resolved if !is_older => Recurrence::Reactivated,
        Status::Archived => Recurrence::Reactivated,
        Status::Resolved | Status::Active | Status::Muted => Recurrence::Repeated,
    }
}

/// Which of two versions is later: as numbers, or as versions with dots; others have no order.
pub(crate) fn compare(left: &str, right: &str) -> Option<Ordering> {
    let numbers = |version: &str| -> Option<(Vec<u64>, String)> {
        let version = version.trim().trim_start_matches(['v', 'V']);
        let core = version.split('+').next().unwrap_or_default();
        let (core, suffix) = core.split_once('-').unwrap_or((core, ""));
        let numbers = core.split('.').map(|part| part.parse().ok()).collect::<Option<Vec<u64>>>()?;
        Some((numbers, suffix.to_owned()))
    };
    let ((mut left, left_suffix), (mut right, right_suffix)) = (numbers(left)?, numbers(right)?);
    let length = left.len().max(right.len());
    left.resize(length, 0);
    right.resize(length, 0);
    // A pre-release comes before its release.
    let by_suffix = || match (left_suffix.is_empty(), right_suffix.is_empty()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => left_suffix.cmp(&right_suffix),
    };
    Some(left.cmp(&right).then_with(by_suffix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resolved_item_comes_back_by_version() {
        use Recurrence::{Reactivated, Repeated};
        for (status, resolved_in, version, wanted) in [
            (Status::Active, None, None, Repeated),
            (Status::Muted, None, Some("9"), Repeated),
            (Status::Archived, None, None, Reactivated),
            (Status::Resolved, None, None, Reactivated),
            (Status::Resolved, None, Some("1.0"), Reactivated),
            (Status::Resolved, Some("1.2.0"), None, Reactivated),
            (Status::Resolved, Some("1.2.0"), Some("1.1.9"), Repeated),
            (Status::Resolved, Some("1.2.0"), Some("1.2"), Reactivated),
            (Status::Resolved, Some("1.2.0"), Some("1.2.0-rc.1"), Repeated),
            (Status::Resolved, Some("1.2.0"), Some("1.10.0"), Reactivated),
            (Status::Resolved, Some("41"), Some("40"), Repeated),
            (Status::Resolved, Some("41"), Some("v42"), Reactivated),
            // Hashes have no order.
            (Status::Resolved, Some("da39a3e"), Some("5e6b4b0"), Reactivated),
        ] {
            assert_eq!(
                recurs(status, resolved_in, version),
                wanted,
                "{status:?} {resolved_in:?} {version:?}"
            );
        }
    }
}
