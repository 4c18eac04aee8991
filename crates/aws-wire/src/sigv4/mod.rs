//! Signature version 4: who signed a request, and whether they did. Doors call [`verify`] with a request's parts and the
//! hash of its body as it came over the wire; the secret is asked of the caller. A request that passes was signed with
//! that secret, over these bytes, within the clock skew.

mod canonical;
mod credential;
mod verify;

pub use canonical::{payload_hash, signature};
pub use credential::{Credential, SignedRequest};
pub use verify::{Caller, Refusal, Secrets, verify};

/// How far a client's clock may be off, in seconds.
pub const CLOCK_SKEW_MAX_SECONDS: i64 = 15 * 60;

/// The longest life of a presigned request, in seconds: a week.
pub const PRESIGNED_LIFE_MAX_SECONDS: i64 = 7 * 24 * 60 * 60;
