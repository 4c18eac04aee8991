//! The crate through its public face: bytes in, columns and replies out.

#![recursion_limit = "512"]

mod edge_payloads;
mod grpc;
mod http;
mod metrics;
mod random_bytes;
mod round_trip;
mod support;
