//! Callers of the AWS protocols: requests signed with an access key, or not signed at all. Their doors call
//! [`Intake::aws_caller`] before they look at a body's meaning; it verifies what can be verified and answers in the
//! vendor's words.

use http::request::Parts;
use tracery_aws_wire::sigv4::{self, Secrets, SignedRequest};
use tracery_aws_wire::{Error, REGION_DEFAULT, account_id, region_or_default};
use tracery_model::EnvironmentId;
use tracery_settings::SettingsError;

use crate::{AuthMode, Intake, Vouched};

/// An account in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsCaller {
    pub environment: EnvironmentId,
    /// 12 digits.
    pub account_id: String,
    /// As the signature names it, `us-east-1` when there is none.
    pub region: String,
}

impl AwsCaller {
    pub fn new(environment: EnvironmentId, region: &str) -> Self {
        Self { environment, account_id: account_id(environment.0), region: region.to_owned() }
    }
}

/// Who a request belongs to that has no signature of a known key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unverified {
    /// As [`AuthMode`] says: the default environment, or nobody.
    AsMode,
    /// This environment, whatever the mode: for ports that only this machine reaches.
    In(EnvironmentId),
}

/// The one key that a request names.
struct Known {
    secret: String,
    environment: EnvironmentId,
}

impl Secrets for Known {
    type Owner = EnvironmentId;

    fn secret(&self, _: &str, _: Option<&str>) -> Option<(String, EnvironmentId)> {
        Some((self.secret.clone(), self.environment))
    }
}

impl Intake {
    /// Finds the caller of `service`. A request that is signed with a known key is verified in every mode; `body` is as it
    /// came over the wire.
    pub async fn aws_caller(
        &self,
        service: &str,
        parts: &Parts,
        body: &[u8],
        unverified: Unverified,
    ) -> Result<AwsCaller, Error> {
        if let Some(Vouched { environment, region }) = parts.extensions.get() {
            return Ok(AwsCaller::new(
                environment.id,
                region_or_default(region.as_deref().unwrap_or_default()),
            ));
        }
        let signed = match SignedRequest::read(parts.uri.query(), &parts.headers) {
            Ok(signed) => signed,
            // SDKs that sign for the daemon's port do it with made-up keys; nobody looks at them there.
            Err(_) if matches!(unverified, Unverified::In(_)) => None,
            Err(error) => return Err(error),
        };
        let Some(signed) = signed else {
            let environment = self.unverified(unverified).await?;
            let environment = environment.ok_or(sigv4::Refusal::Unsigned)?;
            return Ok(AwsCaller::new(environment, REGION_DEFAULT));
        };
        let access_key_id = &signed.credential.access_key_id;
        let known = self.settings.find_aws_key(access_key_id).await.map_err(unavailable)?;
        let Some(known) = known else {
            return match self.unverified(unverified).await? {
                Some(environment) => {
                    Ok(AwsCaller::new(environment, region_or_default(&signed.credential.region)))
                }
                None => Err(Error::common(
                    "UnrecognizedClientException",
                    403,
                    "The security token included in the request is invalid.",
                )),
            };
        };
        let known = Known { secret: known.secret, environment: known.key.environment };
        let verified = sigv4::verify(service, parts, body, &known, self.clock.now_s())?;
        Ok(AwsCaller::new(verified.owner, &verified.credential.region))
    }

    async fn unverified(&self, unverified: Unverified) -> Result<Option<EnvironmentId>, Error> {
        match (unverified, self.mode) {
            (Unverified::In(environment), _) => Ok(Some(environment)),
            (Unverified::AsMode, AuthMode::Required) => Ok(None),
            (Unverified::AsMode, AuthMode::Open) => {
                let environment = self.settings.default_environment().await.map_err(unavailable)?;
                Ok(Some(environment.id))
            }
        }
    }
}

/// The reason is the operator's, not the caller's.
fn unavailable(error: SettingsError) -> Error {
    tracing::warn!(error = ?error, "an access key cannot be looked up");
    Error::internal()
}
