//! Keys and what they may do. A key is shown once, when it is made; only its hash is kept.

use sha2::{Digest, Sha256};
use sqlx::Row;
use tracery_model::EnvironmentId;

use crate::database::CACHE_AGE_MS_MAX;
use crate::{Settings, SettingsError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    Ingest,
    Configuration,
    Management,
    /// An access key of AWS clients, whose requests are signed with its secret.
    Aws,
    /// A token of Rollbar's: of a project, or of an account.
    Rollbar,
}

impl KeyKind {
    pub fn name(self) -> &'static str {
        match self {
            KeyKind::Ingest => "ingest",
            KeyKind::Configuration => "configuration",
            KeyKind::Management => "management",
            KeyKind::Aws => "aws",
            KeyKind::Rollbar => "rollbar",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [KeyKind::Ingest, KeyKind::Configuration, KeyKind::Management, KeyKind::Aws, KeyKind::Rollbar]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A key that was found by its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    pub id: String,
    pub environment: EnvironmentId,
    pub kind: KeyKind,
    pub name: String,
    pub scopes: Vec<String>,
    pub created_ms: i64,
    pub revoked_ms: Option<i64>,
    /// A disabled key is refused until it is enabled again.
    pub disabled: bool,
}

impl Key {
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }
}

/// A new key; the only time its secret is seen.
#[derive(Debug, Clone)]
pub struct CreatedKey {
    pub key: Key,
    pub secret: String,
}

/// An access key that was found by its id.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKey {
    pub key: Key,
    pub secret: String,
}

impl std::fmt::Debug for AwsKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AwsKey").field("key", &self.key).finish_non_exhaustive()
    }
}

const INGEST_SCOPES: &[&str] = &["send_events", "create_datasets"];
const CONFIGURATION_SCOPES: &[&str] =
    &["send_events", "create_datasets", "manage_markers", "manage_boards", "run_queries", "manage_columns"];
const MANAGEMENT_SCOPES: &[&str] =
    &["api-keys:read", "api-keys:write", "environments:read", "environments:write"];

/// Those of a project's token, then those of an account's.
const ROLLBAR_SCOPES: &[&str] =
    &["post_server_item", "post_client_item", "read", "write", "account:read", "account:write"];
/// What a token gets when none are named: a project's.
const ROLLBAR_SCOPES_DEFAULT: &[&str] = &["post_server_item", "post_client_item", "read", "write"];

impl KeyKind {
    /// Every scope a key of this kind can have; also what it gets when none are named.
    pub fn scopes(self) -> &'static [&'static str] {
        match self {
            KeyKind::Ingest => INGEST_SCOPES,
            KeyKind::Configuration => CONFIGURATION_SCOPES,
            KeyKind::Management => MANAGEMENT_SCOPES,
            // What is signed with it may do everything in its environment.
            KeyKind::Aws => &[],
            KeyKind::Rollbar => ROLLBAR_SCOPES,
        }
    }
}

/// Keys that are not revoked. Lists of keys are read as a whole.
const KEYS_MAX: i64 = 10_000;
/// Revoked keys that are remembered, the latest.
const REVOKED_KEYS_MAX: i64 = 1_000;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ALPHABET_MIXED: &[u8; 62] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

const ALPHABET_HEX: &[u8; 16] = b"0123456789abcdef";
const ALPHABET_ACCESS_KEY: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALPHABET_AWS_SECRET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn random_text(alphabet: &[u8], len: usize) -> String {
    (0..len).map(|_| char::from(alphabet[rand::random_range(0..alphabet.len())])).collect()
}

/// 22 characters; what documents are called when nothing else names them.
pub(crate) fn random_id() -> String {
    random_text(ALPHABET_MIXED, 22)
}

/// 43 characters, about 256 bits.
pub(crate) fn random_secret() -> String {
    random_text(ALPHABET_MIXED, 43)
}

pub(crate) fn hash(secret: &str) -> String {
    hex::encode(Sha256::digest(secret.as_bytes()))
}

impl Settings {
    /// Makes a key in an environment. `scopes` empty gives all that the kind can have.
    ///
    /// The forms are Honeycomb's, because clients look at them: ingest `hcaik_` and 58 characters (64 in all),
    /// configuration 22 characters, management `id:secret`, Rollbar 32 hexadecimal digits, AWS an
    /// access key id of 20 characters (the key's id) and a secret of 40. Honeycomb's have not the 32 characters of a
    /// classic key.
    pub async fn create_key(
        &self,
        environment: EnvironmentId,
        kind: KeyKind,
        name: &str,
        scopes: &[String],
    ) -> Result<CreatedKey, SettingsError> {
        if let Some(unknown) = scopes.iter().find(|scope| !kind.scopes().contains(&scope.as_str())) {
            return Err(SettingsError::Invalid(format!(
                "{} keys have no scope {unknown:?}; they have {}",
                kind.name(),
                kind.scopes().join(", ")
            )));
        }
        let scopes: Vec<String> = if scopes.is_empty() {
            let default = if kind == KeyKind::Rollbar { ROLLBAR_SCOPES_DEFAULT } else { kind.scopes() };
            default.iter().map(|scope| (*scope).to_owned()).collect()
        } else {
            scopes.to_vec()
        };
        let (id, secret) = match kind {
            KeyKind::Ingest => {
                let id = format!("hcaik_{}", random_text(ALPHABET, 26));
                let secret = format!("{id}{}", random_text(ALPHABET, 32));
                (id, secret)
            }
            KeyKind::Configuration => {
                (format!("hcalk_{}", random_text(ALPHABET, 26)), random_text(ALPHABET_MIXED, 22))
            }
            KeyKind::Management => {
                let id = format!("hcamk_{}", random_text(ALPHABET, 26));
                let secret = format!("{id}:{}", random_text(ALPHABET, 32));
                (id, secret)
            }
            KeyKind::Aws => {
                let id = format!("AKIA{}", random_text(ALPHABET_ACCESS_KEY, 16));
                (id, random_text(ALPHABET_AWS_SECRET, 40))
            }
            // Scripts refuse any other length.
            KeyKind::Rollbar => (format!("rbk_{}", random_text(ALPHABET, 20)), random_text(ALPHABET_HEX, 32)),
        };
        let sealed = match kind {
            // A signature is verified with the secret itself, so a hash of it would not do.
            KeyKind::Aws => Some(self.server_key()?.seal(&id, &secret)?),
            _ => None,
        };
        let created_ms = self.clock.now_ms();
        let done = sqlx::query(
            "INSERT INTO keys (id, environment, kind, name, secret_hash, scopes, created_ms, secret_sealed)
             SELECT $1, $2, $3, $4, $5, $6, $7, $8
             WHERE (SELECT COUNT(*) FROM keys WHERE revoked_ms IS NULL) < $9",
        )
        .bind(&id)
        .bind(environment.0)
        .bind(kind.name())
        .bind(name)
        .bind(hash(&secret))
        .bind(scopes.join(","))
        .bind(created_ms)
        .bind(sealed)
        .bind(KEYS_MAX)
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 {
            return Err(SettingsError::Full { kind: "key", max: KEYS_MAX });
        }
        // A secret that was asked for before it existed is remembered as unknown.
        self.caches.forget_keys();
        let key = Key {
            id,
            environment,
            kind,
            name: name.to_owned(),
            scopes,
            created_ms,
            revoked_ms: None,
            disabled: false,
        };
        Ok(CreatedKey { key, secret })
    }

    /// The key with this secret, unless it was revoked or disabled. An answer may be a second old where another
    /// process changed the key; what this process changes takes effect at once.
    pub async fn find_key(&self, secret: &str) -> Result<Option<Key>, SettingsError> {
        let wanted = hash(secret);
        let cache = &self.caches.keys;
        if let Some(known) = cache.get(&wanted, self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(known);
        }
        let ticket = cache.ticket();
        let row = sqlx::query(
            "SELECT id, environment, kind, name, scopes, created_ms, revoked_ms, disabled
             FROM keys WHERE secret_hash = $1 AND revoked_ms IS NULL AND disabled = 0",
        )
        .bind(&wanted)
        .fetch_optional(&self.pool)
        .await?;
        let found = row.as_ref().map(key_from_row).transpose()?;
        cache.put(ticket, wanted, found.clone(), self.clock.now_ms());
        Ok(found)
    }

    /// The access key with this id and its secret, unless it was revoked or disabled. Cached as [`Self::find_key`] is.
    pub async fn find_aws_key(&self, access_key_id: &str) -> Result<Option<AwsKey>, SettingsError> {
        // Clients make up ids of any length; ours have 20 characters.
        if access_key_id.len() != 20 || !access_key_id.starts_with("AKIA") {
            return Ok(None);
        }
        let cache = &self.caches.aws_keys;
        if let Some(known) = cache.get(access_key_id, self.clock.now_ms(), CACHE_AGE_MS_MAX) {
            return Ok(known);
        }
        let ticket = cache.ticket();
        let row = sqlx::query(
            "SELECT id, environment, kind, name, scopes, created_ms, revoked_ms, disabled, secret_sealed
             FROM keys WHERE id = $1 AND kind = 'aws' AND revoked_ms IS NULL AND disabled = 0",
        )
        .bind(access_key_id)
        .fetch_optional(&self.pool)
        .await?;
        let found = match row {
            None => None,
            Some(row) => {
                let sealed: String = row.try_get("secret_sealed")?;
                let secret = self.server_key()?.open(access_key_id, &sealed)?;
                Some(AwsKey { key: key_from_row(&row)?, secret })
            }
        };
        cache.put(ticket, access_key_id.to_owned(), found.clone(), self.clock.now_ms());
        Ok(found)
    }

    /// The key with this id, whatever its state.
    pub async fn key(&self, id: &str) -> Result<Option<Key>, SettingsError> {
        let row = sqlx::query(
            "SELECT id, environment, kind, name, scopes, created_ms, revoked_ms, disabled FROM keys WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(key_from_row).transpose()
    }

    /// Renames, enables or disables a key; `None` when there is no such key.
    pub async fn update_key(
        &self,
        id: &str,
        name: Option<&str>,
        disabled: Option<bool>,
    ) -> Result<Option<Key>, SettingsError> {
        sqlx::query(
            "UPDATE keys SET name = COALESCE($1, name), disabled = COALESCE($2, disabled)
             WHERE id = $3 AND revoked_ms IS NULL",
        )
        .bind(name.map(str::to_owned))
        .bind(disabled.map(i64::from))
        .bind(id)
        .execute(&self.pool)
        .await?;
        self.caches.forget_keys();
        self.key(id).await
    }

    /// Every key, the latest revoked ones too, oldest first.
    pub async fn keys(&self) -> Result<Vec<Key>, SettingsError> {
        let rows = sqlx::query(
            "SELECT id, environment, kind, name, scopes, created_ms, revoked_ms, disabled FROM keys ORDER BY created_ms, id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(key_from_row).collect()
    }

    /// Whether there was such a key that was not revoked yet.
    pub async fn revoke_key(&self, id: &str) -> Result<bool, SettingsError> {
        let done = sqlx::query("UPDATE keys SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL")
            .bind(self.clock.now_ms())
            .bind(id)
            .execute(&self.pool)
            .await?;
        self.caches.forget_keys();
        sqlx::query(
            "DELETE FROM keys WHERE revoked_ms IS NOT NULL AND id NOT IN (
                 SELECT id FROM keys WHERE revoked_ms IS NOT NULL ORDER BY revoked_ms DESC, id LIMIT $1
             )",
        )
        .bind(REVOKED_KEYS_MAX)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected() > 0)
    }
}

fn key_from_row(row: &sqlx::any::AnyRow) -> Result<Key, SettingsError> {
    let kind: String = row.try_get("kind")?;
    let scopes: String = row.try_get("scopes")?;
    Ok(Key {
        id: row.try_get("id")?,
        environment: EnvironmentId(row.try_get("environment")?),
        kind: KeyKind::from_name(&kind)
            .ok_or_else(|| SettingsError::Invalid(format!("key kind {kind:?} is not known")))?,
        name: row.try_get("name")?,
        scopes: scopes.split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
        created_ms: row.try_get("created_ms")?,
        revoked_ms: row.try_get("revoked_ms")?,
        disabled: row.try_get::<i64, _>("disabled")? != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::tests::memory;

    #[tokio::test]
    async fn keys_are_bounded_and_only_the_latest_revoked_ones_are_kept() {
        let settings = memory().await;
        let environment = settings.default_environment().await.unwrap().id;
        let fill = |from: i64, count: i64, revoked: &'static str| {
            let statement = format!(
                "INSERT INTO keys (id, environment, kind, secret_hash, scopes, created_ms, revoked_ms)
                 WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {})
                 SELECT 'k' || i, {environment}, 'ingest', 'h' || i, '', i, {revoked} FROM n",
                from + count
            );
            let pool = settings.pool.clone();
            async move { sqlx::query(&statement).execute(&pool).await.unwrap() }
        };
        fill(1, REVOKED_KEYS_MAX + 5, "-i").await;
        fill(1_000_000, KEYS_MAX - 1, "NULL").await;
        let last = settings.create_key(environment, KeyKind::Ingest, "last", &[]).await.unwrap();
        let more = settings.create_key(environment, KeyKind::Ingest, "more", &[]).await;
        assert!(matches!(more, Err(SettingsError::Full { max: KEYS_MAX, .. })));
        assert!(settings.revoke_key(&last.key.id).await.unwrap());
        let keys = settings.keys().await.unwrap();
        assert_eq!(keys.len(), usize::try_from(KEYS_MAX - 1 + REVOKED_KEYS_MAX).unwrap());
        assert!(keys.iter().any(|key| key.id == last.key.id));
    }
}
