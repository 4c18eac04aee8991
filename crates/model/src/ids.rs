//! Identities. Trace and span ids are W3C Trace Context's bytes; their text form is lower-case hex.

use std::fmt;

/// The unit that credentials belong to and that data is separated by. Assigned by `settings`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnvironmentId(pub i64);

impl fmt::Display for EnvironmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

macro_rules! hex_id {
    ($(#[$doc:meta])* $name:ident, $bytes:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// Exactly the id's bytes, and not all of them zero (which the specification calls invalid).
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let id: [u8; $bytes] = bytes.try_into().ok()?;
                id.iter().any(|byte| *byte != 0).then_some(Self(id))
            }

            /// Exactly two lower-case hex digits a byte: any other spelling would not come back as it was sent.
            pub fn from_hex(text: &str) -> Option<Self> {
                if text.len() != 2 * $bytes {
                    return None;
                }
                let mut id = [0_u8; $bytes];
                for (byte, pair) in id.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
                    *byte = lower_hex_digit(pair[0])? << 4 | lower_hex_digit(pair[1])?;
                }
                Self::from_bytes(&id)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    };
}

hex_id!(
    /// 16 bytes; 32 hex digits as text.
    TraceId,
    16
);
hex_id!(
    /// 8 bytes; 16 hex digits as text.
    SpanId,
    8
);

fn lower_hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_canonical_spelling_is_an_id() {
        let text = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(TraceId::from_hex(text).unwrap().to_string(), text);
        for bad in ["", "0AF7651916CD43DD8448EB211C80319C", &text[1..], &"0".repeat(32), &"é".repeat(16)] {
            assert_eq!(TraceId::from_hex(bad), None, "{bad}");
        }
    }
}
