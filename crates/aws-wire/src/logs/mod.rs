//! Amazon CloudWatch Logs: what its API says and takes. Written by `cargo run -p xtask -- aws-wire` from
//! `models/aws/logs-2014-03-28.json`; a test of xtask fails when it differs from what the model says.

mod constraints;
mod enums;
mod operations;
mod shapes;

pub use enums::*;
pub use operations::*;
pub use shapes::*;
