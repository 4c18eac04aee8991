//! AWS X-Ray: what its API says and takes. Written by `cargo run -p xtask -- aws-wire` from
//! `models/aws/xray-2016-04-12.json`; a test of xtask fails when it differs from what the model says.

mod constraints;
mod enums;
mod operations;
mod shapes;

pub use enums::*;
pub use operations::*;
pub use shapes::*;
