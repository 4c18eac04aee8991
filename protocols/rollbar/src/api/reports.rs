//! Reports over items. They give levels and statuses as numbers, where lists of items give words.

use axum::extract::State;
use serde_json::{Value, json};

use super::{Answer, answer};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::READ;

const HOURS_MAX: i64 = 168;
const ITEMS: i64 = 10;
const HOUR_S: i64 = 3_600;

pub(crate) async fn top_active_items(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let hours = asked.parameters.number("hours", 24, i64::MAX)?;
    if !(1..=HOURS_MAX).contains(&hours) {
        return Err(Refusal::invalid("hours must be between 1 and 168"));
    }
    let environments: Vec<String> = asked.parameters.all("environments").map(str::to_owned).collect();
    state.tracker.settle().await?;
    let this_hour_s = state.intake.clock.now_ms().div_euclid(HOUR_S * 1_000) * HOUR_S;
    let from_s = this_hour_s - (hours - 1) * HOUR_S;
    let mut list = Vec::new();
    for (item, occurrences) in state.tracker.top_items(project.id, &environments, from_s, ITEMS).await? {
        let mut counts = vec![0; usize::try_from(hours).unwrap_or(0)];
        for (hour_s, count) in state.tracker.hours(item.id, from_s).await? {
            let idx = usize::try_from((hour_s - from_s) / HOUR_S).unwrap_or(usize::MAX);
            if let Some(own) = counts.get_mut(idx) {
                *own = count;
            }
        }
        let shown: Value = json!({
            "item": {
                "id": item.id,
                "counter": item.counter,
                "environment": item.environment,
                "framework": framework_number(&item.framework),
                "level": item.level.number(),
                "status": item.status.number(),
                "title": item.title,
                "occurrences": occurrences,
                "unique_occurrences": item.unique_ips,
                "last_occurrence_timestamp": item.last_s,
                "project_id": item.project_id,
            },
            "counts": counts,
        });
        list.push(shown);
    }
    Ok(answer(&asked, list.into()))
}

/// The vendor's numbers of frameworks.
fn framework_number(name: &str) -> usize {
    const NAMES: [&str; 19] = [
        "unknown",
        "rails",
        "django",
        "pyramid",
        "node-js",
        "pylons",
        "php",
        "browser-js",
        "rollbar-system",
        "android",
        "ios",
        "mailgun",
        "logentries",
        "python",
        "ruby",
        "sidekiq",
        "flask",
        "celery",
        "rq",
    ];
    let name = name.to_ascii_lowercase();
    NAMES.iter().position(|known| *known == name).unwrap_or(0)
}
