//! Access tokens of a project: listed without their values, made, limited, revoked. A token's value is shown once, when it
//! is made; lists name it by its id, and paths take either.

use axum::extract::{Path, State};
use serde_json::{Value, json};
use tracery_settings::{Key, KeyKind, SettingsError};
use tracery_tracker::{Project, TokenSettings};

use super::projects::named;
use super::{Answer, answer};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::{
    ACCOUNT_READ, ACCOUNT_WRITE, POST_CLIENT_ITEM, POST_SERVER_ITEM, READ, WRITE, unavailable,
};

const NAME_CHARS_MAX: usize = 40;
const WINDOW_S_MAX: i64 = 30 * 24 * 60 * 60;

impl Rollbar {
    fn shown_token(
        &self,
        project: &Project,
        key: &Key,
        value: Option<&str>,
        settings: TokenSettings,
    ) -> Value {
        let (count, start_s) = self.limits.current(&key.id);
        let number = |number: i64| if number == 0 { Value::Null } else { number.into() };
        json!({
            "access_token": value.unwrap_or(&key.id),
            "public_id": key.id,
            "name": key.name,
            "project_id": project.id,
            "scopes": key.scopes,
            "status": if key.disabled { "disabled" } else { "enabled" },
            "rate_limit_window_count": number(settings.window_count),
            "rate_limit_window_size": number(settings.window_s),
            "cur_rate_limit_window_count": count,
            "cur_rate_limit_window_start": start_s,
            "date_created": key.created_ms.div_euclid(1_000),
            "date_modified": if settings.modified_s == 0 { key.created_ms.div_euclid(1_000) } else { settings.modified_s },
        })
    }

    /// The tokens of a project, with what each has beside its scopes.
    async fn tokens(&self, project: &Project) -> Result<Vec<(Key, TokenSettings)>, Refusal> {
        let first = self.tracker.projects(project.environment).await?.first().map(|project| project.id);
        let mut found = Vec::new();
        for key in self.intake.settings.keys().await.map_err(|error| unavailable(&error))? {
            let is_account = key.may(ACCOUNT_READ) || key.may(ACCOUNT_WRITE);
            if key.kind != KeyKind::Rollbar
                || key.environment != project.environment
                || key.revoked_ms.is_some()
                || is_account
            {
                continue;
            }
            let settings = self.tracker.token_settings(&key.id).await?;
            let belongs =
                settings.map_or(first == Some(project.id), |settings| settings.project_id == project.id);
            if belongs {
                let unset = TokenSettings { project_id: project.id, ..TokenSettings::default() };
                found.push((key, settings.unwrap_or(unset)));
            }
        }
        Ok(found)
    }

    /// A token of a project, by its id or its value.
    async fn token(&self, project: &Project, text: &str) -> Result<(Key, TokenSettings), Refusal> {
        let by_value = self.intake.settings.find_key(text).await.map_err(|error| unavailable(&error))?;
        let id = by_value.map_or_else(|| text.to_owned(), |key| key.id);
        let found = self.tokens(project).await?.into_iter().find(|(key, _)| key.id == id);
        found.ok_or_else(|| Refusal::new(http::StatusCode::NOT_FOUND, "Access token not found."))
    }
}

pub(crate) async fn list(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    asked.caller.needs_account(ACCOUNT_READ)?;
    let project = named(&state, &asked, &id, READ).await?;
    let tokens = state.tokens(&project).await?;
    let shown = tokens.iter().map(|(key, settings)| state.shown_token(&project, key, None, *settings));
    Ok(answer(&asked, shown.collect()))
}

/// The limit that a body asks for; 0 and null are none.
fn limit(asked: &Asked, known: TokenSettings) -> Result<TokenSettings, Refusal> {
    let number = |name: &str, known: i64, max: i64| match asked.number(name)? {
        None => Ok(known),
        Some(None) => Ok(0),
        Some(Some(number)) if (0..=max).contains(&number) => Ok(number),
        Some(Some(_)) => Err(Refusal::invalid(format!("{name} must be between 0 and {max}"))),
    };
    Ok(TokenSettings {
        window_count: number("rate_limit_window_count", known.window_count, 1_000_000_000)?,
        window_s: number("rate_limit_window_size", known.window_s, WINDOW_S_MAX)?,
        ..known
    })
}

pub(crate) async fn create(State(state): State<Rollbar>, Path(id): Path<String>, asked: Asked) -> Answer {
    asked.caller.needs_account(ACCOUNT_WRITE)?;
    let project = named(&state, &asked, &id, WRITE).await?;
    let name = asked.text("name").filter(|name| !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX);
    let name = name.ok_or_else(|| Refusal::invalid("name has between 1 and 40 characters"))?;
    let scopes: Vec<String> = match asked.fields.get("scopes") {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(one)) => vec![one.clone()],
        _ => Vec::new(),
    };
    let known = [POST_SERVER_ITEM, POST_CLIENT_ITEM, READ, WRITE];
    if scopes.is_empty() || scopes.iter().any(|scope| !known.contains(&scope.as_str())) {
        return Err(Refusal::invalid(
            "scopes must be some of post_server_item, post_client_item, read, write",
        ));
    }
    let settings = limit(&asked, TokenSettings { project_id: project.id, ..TokenSettings::default() })?;
    let created =
        state.intake.settings.create_key(project.environment, KeyKind::Rollbar, &name, &scopes).await;
    let created = created.map_err(|error| match error {
        SettingsError::Full { .. } => Refusal::invalid("there are too many tokens"),
        error => unavailable(&error),
    })?;
    state.tracker.set_token_settings(&created.key.id, settings).await?;
    Ok(answer(&asked, state.shown_token(&project, &created.key, Some(&created.secret), settings)))
}

pub(crate) async fn update(
    State(state): State<Rollbar>,
    Path((id, token)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    asked.caller.needs_account(ACCOUNT_WRITE)?;
    let project = named(&state, &asked, &id, WRITE).await?;
    let (mut key, known) = state.token(&project, &token).await?;
    let settings = limit(&asked, TokenSettings { project_id: project.id, ..known })?;
    let disabled = match asked.text("status").as_deref() {
        None => None,
        Some("enabled") => Some(false),
        Some("disabled") => Some(true),
        Some(_) => return Err(Refusal::invalid("status must be enabled or disabled")),
    };
    let name = asked.text("name").filter(|name| !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX);
    if name.is_some() || disabled.is_some() {
        let changed = state.intake.settings.update_key(&key.id, name.as_deref(), disabled).await;
        key = changed.map_err(|error| unavailable(&error))?.unwrap_or(key);
    }
    state.tracker.set_token_settings(&key.id, settings).await?;
    Ok(answer(&asked, state.shown_token(&project, &key, None, settings)))
}

pub(crate) async fn remove(
    State(state): State<Rollbar>,
    Path((id, token)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    asked.caller.needs_account(ACCOUNT_WRITE)?;
    let project = named(&state, &asked, &id, WRITE).await?;
    let (key, _) = state.token(&project, &token).await?;
    state.intake.settings.revoke_key(&key.id).await.map_err(|error| unavailable(&error))?;
    Ok(answer(&asked, json!("Access token has been deleted.")))
}
