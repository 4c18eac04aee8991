//! The operations, one file for each family. [`answer`] is the only way in: it decodes by the model and encodes what the
//! operation gave.

use axum::response::Response;
use bytes::Bytes;
use http::HeaderMap;
use tracery_aws_wire::logs::Operation;
use tracery_aws_wire::{Error, Protocol};

use crate::{Caller, CloudWatchLogs};

/// A request whose operation is known; `body` is inflated.
pub(crate) struct Request<'a> {
    pub(crate) operation: Operation,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
    pub(crate) request_id: &'a str,
}

/// What goes back: a whole body, or a response that goes on.
pub(crate) enum Reply {
    Body(Bytes),
    Stream(Response),
}

/// Answers a request whose caller is known.
pub(crate) async fn answer(
    _state: &CloudWatchLogs,
    _caller: &Caller,
    request: Request<'_>,
) -> Result<Reply, Error> {
    match request.operation {
        _ => Err(tracery_aws_wire::unknown_operation(Protocol::Json11)),
    }
}
