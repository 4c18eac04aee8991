//! Who calls, in X-Ray's terms: an account in a region. The door finds it for each request; operations read it.

use axum::http::request::Parts;
use tracery_aws_wire::Error;
use tracery_intake::{AwsCaller, Intake, Unverified};

/// Whoever made a request: their environment, its account, and the region they named.
pub(crate) type Caller = AwsCaller;

/// The service's name in signatures.
const SERVICE: &str = "xray";

/// Finds the caller. `sent` is the body as it came over the wire, which is what was signed.
pub(crate) async fn find(
    intake: &Intake,
    parts: &Parts,
    sent: &[u8],
    unverified: Unverified,
) -> Result<Caller, Error> {
    intake.aws_caller(SERVICE, parts, sent, unverified).await
}
