//! People whom errors happened to. The vendor has no such list in its API; the form is that of its other lists.

use axum::extract::State;
use serde_json::{Value, json};

use super::{Answer, answer};
use crate::Rollbar;
use crate::body::Asked;
use crate::token::READ;

const PAGE: i64 = 100;
const PAGE_MAX: i64 = 5_000;
const PAGES_MAX: i64 = 10_000;

pub(crate) async fn list(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let page = asked.parameters.number("page", 1, PAGES_MAX)?.max(1);
    let count = asked.parameters.number("limit", PAGE, PAGE_MAX)?.max(1);
    state.tracker.settle().await?;
    let found = state.tracker.people(project.id, (page - 1) * count, count).await?;
    let text = |text: String| if text.is_empty() { Value::Null } else { text.into() };
    let people = found.into_iter().map(|person| {
        json!({
            "id": person.id,
            "username": text(person.username),
            "email": text(person.email),
            "last_occurrence_id": person.last_occurrence_id,
            "last_occurrence_timestamp": person.last_s,
            "occurrences": person.count,
        })
    });
    let people: Vec<Value> = people.collect();
    Ok(answer(&asked, json!({ "page": page, "people": people })))
}
