//! The protocols that AWS clients speak: requests and answers as the vendor's models define them, signatures, errors and
//! event streams. The X-Ray and CloudWatch Logs doors call it with a request's parts and its body's bytes. It reads and
//! writes bytes only: no I/O, no store, and an input of any kind gives an answer or the vendor's error.

mod account;
pub mod answer;
mod check;
mod epoch;
pub mod event_stream;
pub mod logs;
pub mod operation;
pub mod pages;
pub mod shape;
pub mod sigv4;
pub mod xray;

pub use account::{REGION_DEFAULT, account_id, region_or_default};
pub use answer::{Answer, Error, ErrorSpec, Protocol};
pub use epoch::EpochSeconds;
pub use operation::{Call, Spec, decode, encode, unknown_operation};
