//! Who calls, in CloudWatch's terms: an account in a region. The door finds it for each request; operations read it.

use axum::http::request::Parts;
use tracery_aws_wire::Error;
use tracery_intake::{AwsCaller, Intake, Unverified};

/// Whoever made a request: their environment, its account, and the region they named.
pub(crate) type Caller = AwsCaller;

/// The service's name in signatures.
pub(crate) const LOGS: &str = "logs";
pub(crate) const STS: &str = "sts";

/// Finds the caller of a service. `sent` is the body as it came over the wire, which is what was signed.
pub(crate) async fn find(
    intake: &Intake,
    service: &str,
    parts: &Parts,
    sent: &[u8],
) -> Result<Caller, Error> {
    intake.aws_caller(service, parts, sent, Unverified::AsMode).await
}
