//! The account's encryption setting. It is checked, stored and reported; no key of a key service encrypts anything here,
//! the disk's encryption does that.

use serde::{Deserialize, Serialize};
use tracery_aws_wire::Error;
use tracery_aws_wire::xray::{
    EncryptionConfig, EncryptionStatus, EncryptionType, GetEncryptionConfigRequest,
    GetEncryptionConfigResult, PutEncryptionConfigRequest, PutEncryptionConfigResult,
};
use tracery_settings::DocumentKind;
use uuid::Uuid;

use super::invalid;
use super::kept::Shelf;
use crate::{Caller, XRay};

const NAME: &str = "encryption";

/// The setting in the database.
#[derive(Debug, Serialize, Deserialize)]
struct Encryption {
    r#type: EncryptionType,
    key_id: Option<String>,
}

pub(super) async fn get_encryption_config(
    state: &XRay,
    caller: &Caller,
    _call: GetEncryptionConfigRequest,
) -> Result<GetEncryptionConfigResult, Error> {
    let found = shelf(state, caller).find::<Encryption>(NAME).await?;
    let encryption =
        found.map_or(Encryption { r#type: EncryptionType::None, key_id: None }, |kept| kept.value);
    let config = wire(encryption, EncryptionStatus::Active);
    Ok(GetEncryptionConfigResult { encryption_config: Some(config) })
}

/// The answer says `UPDATING`, as clients expect that then wait for `ACTIVE`; it is so at once.
pub(super) async fn put_encryption_config(
    state: &XRay,
    caller: &Caller,
    call: PutEncryptionConfigRequest,
) -> Result<PutEncryptionConfigResult, Error> {
    match (call.r#type, call.key_id.as_deref()) {
        (EncryptionType::None, None) => {}
        (EncryptionType::None, Some(_)) => return Err(invalid("There is no KeyId for the type NONE.")),
        (EncryptionType::Kms, None) => return Err(invalid("The type KMS needs a KeyId.")),
        (EncryptionType::Kms, Some(key)) if !is_key(key) => {
            return Err(invalid("The KeyId is not the id, the alias or the ARN of a key."));
        }
        (EncryptionType::Kms, Some(_)) => {}
    }
    let _changing = state.changes.lock().await;
    let encryption = Encryption { r#type: call.r#type, key_id: call.key_id };
    let config = wire(
        Encryption { r#type: encryption.r#type, key_id: encryption.key_id.clone() },
        EncryptionStatus::Updating,
    );
    shelf(state, caller).put(NAME, encryption).await?;
    Ok(PutEncryptionConfigResult { encryption_config: Some(config) })
}

fn shelf<'a>(state: &'a XRay, caller: &Caller) -> Shelf<'a> {
    Shelf::new(state, caller, DocumentKind::XRaySetting)
}

fn wire(encryption: Encryption, status: EncryptionStatus) -> EncryptionConfig {
    EncryptionConfig { key_id: encryption.key_id, status: Some(status), r#type: Some(encryption.r#type) }
}

/// A key's id, `alias/name`, or the ARN of either.
pub(super) fn is_key(text: &str) -> bool {
    let letter = |char: char| char.is_ascii_alphanumeric() || "/_-".contains(char);
    let is_id = |id: &str| {
        // The second is a key of several regions.
        Uuid::try_parse(id).is_ok() && id.len() == 36
            || id.strip_prefix("mrk-").is_some_and(|id| id.len() == 32 && hex(id))
    };
    let is_alias = |alias: &str| {
        alias.strip_prefix("alias/").is_some_and(|name| !name.is_empty() && name.chars().all(letter))
    };
    match text.strip_prefix("arn:") {
        None => is_id(text) || is_alias(text),
        Some(rest) => {
            let parts: Vec<&str> = rest.splitn(5, ':').collect();
            let [partition, service, region, account, key] = parts[..] else { return false };
            let account_fits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
            !partition.is_empty()
                && service == "kms"
                && !region.is_empty()
                && account_fits
                && (key.strip_prefix("key/").is_some_and(is_id) || is_alias(key))
        }
    }
}

fn hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_named_in_four_ways() {
        for (text, fine) in [
            ("1234abcd-12ab-34cd-56ef-1234567890ab", true),
            ("mrk-1234abcd12ab34cd56ef1234567890ab", true),
            ("alias/tracing", true),
            ("alias/aws/xray", true),
            ("arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", true),
            ("arn:aws:kms:eu-west-1:111122223333:alias/tracing", true),
            ("arn:aws:kms:eu-west-1:1111:alias/tracing", false),
            ("arn:aws:s3:eu-west-1:111122223333:alias/tracing", false),
            ("arn:aws:kms", false),
            ("1234abcd12ab34cd56ef1234567890ab", false),
            ("alias/", false),
            ("alias/a b", false),
            ("tracing", false),
        ] {
            assert_eq!(is_key(text), fine, "{text}");
        }
    }
}
