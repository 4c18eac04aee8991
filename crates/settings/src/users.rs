//! People who log in to the web interface. The first administrator is made from the command line; passwords are
//! kept as Argon2id hashes, session tokens as SHA-256 hashes, and a session ends by itself.

use argon2::Argon2;
use argon2::password_hash::rand_core::OsRng;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use sqlx::Row;

use crate::keys::{hash, random_secret};
use crate::{Settings, SettingsError};

/// A working week: long enough not to be a nuisance, short enough that a forgotten browser is no open door.
pub const SESSION_AGE_MS_MAX: i64 = 7 * 24 * 3_600 * 1_000;
const PASSWORD_CHARS_MIN: usize = 8;
const PASSWORD_BYTES_MAX: usize = 1_024;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub name: String,
    /// `admin`.
    pub role: String,
    pub created_ms: i64,
}

/// Hashing costs tens of milliseconds and 19 MiB by design, so it runs off the async threads.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SettingsError> + Send + 'static,
) -> Result<T, SettingsError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| SettingsError::Invalid("password hashing was interrupted".to_owned()))?
}

fn hash_password(password: &str) -> Result<String, SettingsError> {
    let salt = SaltString::generate(&mut OsRng);
    Argon2::default()
        .hash_password(password.as_bytes(), &salt)
        .map(|hash| hash.to_string())
        .map_err(|error| SettingsError::Invalid(format!("password cannot be hashed: {error}")))
}

impl Settings {
    /// Makes an administrator; [`SettingsError::Exists`] when the name is taken.
    pub async fn create_admin(&self, name: &str, password: &str) -> Result<User, SettingsError> {
        let name = name.trim().to_owned();
        if name.is_empty() || name.len() > 255 {
            return Err(SettingsError::Invalid(format!("{name:?} cannot name a user")));
        }
        if password.chars().count() < PASSWORD_CHARS_MIN || password.len() > PASSWORD_BYTES_MAX {
            return Err(SettingsError::Invalid(format!(
                "a password has at least {PASSWORD_CHARS_MIN} characters and at most {PASSWORD_BYTES_MAX} bytes"
            )));
        }
        let password = password.to_owned();
        let password_hash = blocking(move || hash_password(&password)).await?;
        let created_ms = self.clock.now_ms();
        let done = sqlx::query(
            "INSERT INTO users (name, password_hash, role, created_ms) VALUES ($1, $2, 'admin', $3)
             ON CONFLICT DO NOTHING",
        )
        .bind(&name)
        .bind(password_hash)
        .bind(created_ms)
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 {
            return Err(SettingsError::Exists(format!("user {name:?}")));
        }
        Ok(User { name, role: "admin".to_owned(), created_ms })
    }

    pub async fn users(&self) -> Result<Vec<User>, SettingsError> {
        let rows = sqlx::query("SELECT name, role, created_ms FROM users ORDER BY name")
            .fetch_all(&self.pool)
            .await?;
        rows.iter().map(user_from_row).collect()
    }

    /// The user, if the password is theirs. An unknown name costs as much time as a wrong password.
    pub async fn verify_password(&self, name: &str, password: &str) -> Result<Option<User>, SettingsError> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Ok(None);
        }
        let row = sqlx::query("SELECT name, role, created_ms, password_hash FROM users WHERE name = $1")
            .bind(name.trim())
            .fetch_optional(&self.pool)
            .await?;
        let user = row.as_ref().map(user_from_row).transpose()?;
        let stored: Option<String> = row.map(|row| row.try_get("password_hash")).transpose()?;
        let password = password.to_owned();
        let right = blocking(move || {
            let Some(stored) = stored else {
                hash_password(&password)?;
                return Ok(false);
            };
            let parsed = PasswordHash::new(&stored).map_err(|error| {
                SettingsError::Invalid(format!("stored password hash is broken: {error}"))
            })?;
            Ok(Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok())
        })
        .await?;
        Ok(user.filter(|_| right))
    }

    /// Starts a session; the only time its token is seen.
    pub async fn create_session(&self, user: &User) -> Result<String, SettingsError> {
        let token = random_secret();
        let now_ms = self.clock.now_ms();
        sqlx::query(
            "INSERT INTO sessions (token_hash, user_name, created_ms, expires_ms) VALUES ($1, $2, $3, $4)",
        )
        .bind(hash(&token))
        .bind(&user.name)
        .bind(now_ms)
        .bind(now_ms + SESSION_AGE_MS_MAX)
        .execute(&self.pool)
        .await?;
        Ok(token)
    }

    pub async fn find_session(&self, token: &str) -> Result<Option<User>, SettingsError> {
        let row = sqlx::query(
            "SELECT users.name AS name, users.role AS role, users.created_ms AS created_ms
             FROM sessions JOIN users ON users.name = sessions.user_name
             WHERE sessions.token_hash = $1 AND sessions.expires_ms > $2",
        )
        .bind(hash(token))
        .bind(self.clock.now_ms())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(user_from_row).transpose()
    }

    /// Logs out.
    pub async fn end_session(&self, token: &str) -> Result<(), SettingsError> {
        sqlx::query("DELETE FROM sessions WHERE token_hash = $1")
            .bind(hash(token))
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn user_from_row(row: &sqlx::any::AnyRow) -> Result<User, SettingsError> {
    Ok(User {
        name: row.try_get("name")?,
        role: row.try_get("role")?,
        created_ms: row.try_get("created_ms")?,
    })
}
