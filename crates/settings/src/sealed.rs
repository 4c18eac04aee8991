//! Secrets that must be read again, encrypted (ChaCha20-Poly1305) under the server's key. `keys` seals the secrets of
//! access keys with it; `server` keeps the key beside the data and not in the database, so that a copy of the database
//! alone tells nothing.

use std::fmt;

use rand::RngCore as _;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use crate::SettingsError;

const KEY_LEN: usize = 32;

/// The key that secrets are encrypted with.
pub struct ServerKey(LessSafeKey);

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey")
    }
}

impl ServerKey {
    /// A new key as text, for a file.
    pub fn random_text() -> String {
        let mut key = [0; KEY_LEN];
        rand::rng().fill_bytes(&mut key);
        hex::encode(key)
    }

    /// Reads a key of 64 hex digits.
    pub fn from_text(text: &str) -> Result<Self, SettingsError> {
        let bytes = hex::decode(text.trim()).ok().filter(|bytes| bytes.len() == KEY_LEN);
        let key = bytes.and_then(|bytes| UnboundKey::new(&CHACHA20_POLY1305, &bytes).ok());
        let key = key.ok_or_else(|| {
            SettingsError::Invalid("the server's secret key is not 64 hexadecimal digits".into())
        })?;
        Ok(Self(LessSafeKey::new(key)))
    }

    /// Encrypts a secret. It opens only with the same `owner`, so that one cannot be put in the place of another.
    pub(crate) fn seal(&self, owner: &str, secret: &str) -> Result<String, SettingsError> {
        let mut nonce = [0; NONCE_LEN];
        // Random nonces of 96 bits do not repeat among the few keys that there are.
        rand::rng().fill_bytes(&mut nonce);
        let mut sealed = secret.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(owner), &mut sealed)
            .map_err(|_| SettingsError::Invalid("a secret cannot be encrypted".into()))?;
        Ok(format!("{}{}", hex::encode(nonce), hex::encode(sealed)))
    }

    /// The secret, if it was sealed with this key for this owner.
    pub(crate) fn open(&self, owner: &str, sealed: &str) -> Result<String, SettingsError> {
        let opened = hex::decode(sealed).ok().and_then(|bytes| {
            let (nonce, rest) = bytes.split_at_checked(NONCE_LEN)?;
            let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
            let mut rest = rest.to_vec();
            let secret = self.0.open_in_place(nonce, Aad::from(owner), &mut rest).ok()?;
            String::from_utf8(secret.to_vec()).ok()
        });
        opened.ok_or_else(|| {
            SettingsError::Invalid(format!(
                "the secret of {owner:?} was not made with this server's secret key"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_with_its_key_for_its_owner_only() {
        let key = ServerKey::from_text(&ServerKey::random_text()).unwrap();
        let sealed = key.seal("AKIAONE", "secret").unwrap();
        assert_eq!(key.open("AKIAONE", &sealed).unwrap(), "secret");
        assert!(!sealed.contains(&hex::encode("secret")));
        assert_ne!(key.seal("AKIAONE", "secret").unwrap(), sealed, "nonces differ");
        let other = ServerKey::from_text(&ServerKey::random_text()).unwrap();
        for (key, owner, sealed) in [
            (&key, "AKIATWO", sealed.as_str()),
            (&other, "AKIAONE", sealed.as_str()),
            (&key, "AKIAONE", &sealed[2..]),
            (&key, "AKIAONE", "00"),
            (&key, "AKIAONE", ""),
            (&key, "AKIAONE", "not hex"),
        ] {
            assert!(key.open(owner, sealed).is_err(), "{owner} {sealed}");
        }
        for bad in ["", "00", &"zz".repeat(32), &"00".repeat(33)] {
            assert!(ServerKey::from_text(bad).is_err(), "{bad}");
        }
    }
}
