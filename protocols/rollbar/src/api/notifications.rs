//! Notifications: what a channel of the project is set to, its rules, what became of their deliveries, and the test button.
//! Lists of rules come as the whole body, as the vendor has it.

use axum::extract::{Path, State};
use serde_json::{Value, json};
use tracery_tracker::{EVENTS, NotificationRule, Project, TrackerError};

use super::{Answer, answer};
use crate::Rollbar;
use crate::body::Asked;
use crate::notify::{CHANNELS, filter, test_of, url_of};
use crate::reply::Refusal;
use crate::token::{READ, WRITE};

const TEMPLATE_CHARS_MAX: usize = 4_000;

fn shown(rule: &NotificationRule) -> Value {
    json!({
        "id": rule.id,
        "status": if rule.enabled { "enabled" } else { "disabled" },
        "action": format!("send_{}", rule.channel),
        "trigger": rule.event,
        "filters": rule.rule["filters"],
        "config": rule.rule["config"],
    })
}

/// The channel of a path; one that is not built is not there.
fn channel(name: &str) -> Result<&str, Refusal> {
    if CHANNELS.contains(&name) { Ok(name) } else { Err(Refusal::not_found()) }
}

/// Reads a rule of a body; what is not there is refused, so that nobody waits for what never comes.
fn read(
    state: &Rollbar,
    project: &Project,
    channel: &str,
    id: i64,
    rule: &Value,
) -> Result<NotificationRule, Refusal> {
    let event = rule["trigger"].as_str().unwrap_or_default();
    if !EVENTS.contains(&event) {
        let known = EVENTS.join(", ");
        return Err(Refusal::invalid(format!("trigger must be one of {known}; {event:?} is not there")));
    }
    filter::read(&rule["filters"]).map_err(Refusal::invalid)?;
    let config = match &rule["config"] {
        Value::Null => json!({}),
        Value::Object(_) => rule["config"].clone(),
        _ => return Err(Refusal::invalid("config should be an object.")),
    };
    check(state, &config)?;
    let enabled = match rule["status"].as_str() {
        None | Some("enabled") => true,
        Some("disabled") => false,
        Some(_) => return Err(Refusal::invalid("status must be enabled or disabled")),
    };
    let filters = if rule["filters"].is_null() { json!([]) } else { rule["filters"].clone() };
    Ok(NotificationRule {
        id,
        project_id: project.id,
        channel: channel.to_owned(),
        event: event.to_owned(),
        enabled,
        rule: json!({ "filters": filters, "config": config }),
    })
}

/// What a channel's or a rule's settings may say of the receiver.
fn check(state: &Rollbar, config: &Value) -> Result<(), Refusal> {
    if let Some(url) = url_of(&Value::Null, config) {
        state.outbound.target(url).map_err(|error| Refusal::invalid(format!("url: {error}")))?;
    }
    let template = config["message_template"].as_str().unwrap_or_default();
    if template.chars().count() > TEMPLATE_CHARS_MAX {
        return Err(Refusal::invalid(format!(
            "message_template has at most {TEMPLATE_CHARS_MAX} characters"
        )));
    }
    Ok(())
}

fn refused(error: TrackerError) -> Refusal {
    match error {
        TrackerError::Invalid(reason) => Refusal::invalid(reason),
        other => other.into(),
    }
}

pub(crate) async fn settings(State(state): State<Rollbar>, Path(name): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let found = state.tracker.channel(project.id, channel(&name)?).await?;
    Ok(answer(&asked, found.unwrap_or_else(|| json!({ "enabled": false }))))
}

pub(crate) async fn configure(
    State(state): State<Rollbar>,
    Path(name): Path<String>,
    asked: Asked,
) -> Answer {
    let project = state.project(&asked, WRITE).await?;
    let name = channel(&name)?;
    let mut config = Value::Object(asked.fields.clone());
    if let Value::Object(members) = &mut config {
        members.remove("access_token");
        members.remove("project_id");
    }
    if !matches!(config["enabled"], Value::Null | Value::Bool(_)) {
        return Err(Refusal::invalid("enabled must be true or false"));
    }
    check(&state, &config)?;
    state.tracker.set_channel(project.id, name, &config).await?;
    Ok(answer(&asked, config))
}

pub(crate) async fn rules(State(state): State<Rollbar>, Path(name): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let rules = state.tracker.notification_rules(project.id, Some(channel(&name)?)).await?;
    Ok(answer(&asked, rules.iter().map(shown).collect()))
}

pub(crate) async fn add_rules(
    State(state): State<Rollbar>,
    Path(name): Path<String>,
    asked: Asked,
) -> Answer {
    put(&state, &name, &asked, false).await
}

pub(crate) async fn set_rules(
    State(state): State<Rollbar>,
    Path(name): Path<String>,
    asked: Asked,
) -> Answer {
    put(&state, &name, &asked, true).await
}

async fn put(state: &Rollbar, name: &str, asked: &Asked, replace: bool) -> Answer {
    let project = state.project(asked, WRITE).await?;
    let name = channel(name)?;
    let list = asked.fields.get("rules").and_then(Value::as_array);
    let list = list.ok_or_else(|| Refusal::invalid("the body should be an array of rules."))?;
    let read: Result<Vec<_>, _> = list.iter().map(|rule| read(state, &project, name, 0, rule)).collect();
    let made =
        state.tracker.add_notification_rules(project.id, name, read?, replace).await.map_err(refused)?;
    Ok(answer(asked, made.iter().map(shown).collect()))
}

/// The rule of a path.
async fn own(state: &Rollbar, project: &Project, name: &str, id: &str) -> Result<NotificationRule, Refusal> {
    let id: i64 = id.parse().map_err(|_| Refusal::not_found())?;
    let rules = state.tracker.notification_rules(project.id, Some(channel(name)?)).await?;
    rules.into_iter().find(|rule| rule.id == id).ok_or_else(Refusal::not_found)
}

pub(crate) async fn rule(
    State(state): State<Rollbar>,
    Path((name, id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let project = state.project(&asked, READ).await?;
    Ok(answer(&asked, shown(&own(&state, &project, &name, &id).await?)))
}

pub(crate) async fn change_rule(
    State(state): State<Rollbar>,
    Path((name, id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let project = state.project(&asked, WRITE).await?;
    let known = own(&state, &project, &name, &id).await?;
    let mut next = shown(&known);
    for (member, value) in &asked.fields {
        next[member] = value.clone();
    }
    let changed = read(&state, &project, &known.channel, known.id, &next)?;
    if !state.tracker.change_notification_rule(&changed).await? {
        return Err(Refusal::not_found());
    }
    Ok(answer(&asked, shown(&changed)))
}

pub(crate) async fn delete_rule(
    State(state): State<Rollbar>,
    Path((name, id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let project = state.project(&asked, WRITE).await?;
    let known = own(&state, &project, &name, &id).await?;
    state.tracker.delete_notification_rule(project.id, &known.channel, known.id).await?;
    Ok(answer(&asked, json!("Rule has been deleted.")))
}

/// What became of a rule's deliveries, newest first.
pub(crate) async fn history(
    State(state): State<Rollbar>,
    Path((name, id)): Path<(String, String)>,
    asked: Asked,
) -> Answer {
    let project = state.project(&asked, READ).await?;
    let known = own(&state, &project, &name, &id).await?;
    let lines = state.tracker.delivery_log(known.id).await?.into_iter().map(|line| {
        json!({ "timestamp": line.at_s, "event": line.event, "outcome": line.outcome, "detail": line.detail })
    });
    Ok(answer(&asked, lines.collect()))
}

/// Sends a test now; the answer says whether it was taken.
pub(crate) async fn test(State(state): State<Rollbar>, Path(name): Path<String>, asked: Asked) -> Answer {
    let project = state.project(&asked, WRITE).await?;
    let name = channel(&name)?;
    let set = state.tracker.channel(project.id, name).await?.unwrap_or_default();
    let config = asked.fields.get("config").cloned().unwrap_or_default();
    match state.send(name, &set, &config, &test_of(&project)).await {
        Ok(()) => Ok(answer(&asked, json!("A test was delivered."))),
        Err(reason) => Err(Refusal::invalid(format!("the test was not delivered: {reason}"))),
    }
}
