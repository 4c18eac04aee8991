//! Reports over items. They give levels and statuses as numbers, where lists of items give words.

use axum::extract::State;
use serde_json::{Value, json};
use tracery_errors::Level;
use tracery_model::TimeRange;
use tracery_query::questions::errors::{OccurrenceScope, counts};

use super::{Answer, answer};
use crate::Rollbar;
use crate::body::Asked;
use crate::reply::Refusal;
use crate::token::READ;

const HOURS_MAX: i64 = 168;
const ITEMS: i64 = 10;
const HOUR_S: i64 = 3_600;
const DAY_S: i64 = 24 * HOUR_S;

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

/// What both series are about.
struct Series {
    bucket_s: i64,
    /// The start of the first bucket.
    from_s: i64,
    buckets: i64,
    environments: Vec<String>,
    levels: Vec<Level>,
}

impl Series {
    fn of(state: &Rollbar, asked: &Asked, days_only: bool) -> Result<Self, Refusal> {
        let parameters = &asked.parameters;
        let bucket_s = match days_only {
            true => DAY_S,
            false => parameters.number("bucket_size", DAY_S, i64::MAX)?,
        };
        let buckets_max = match bucket_s {
            60 => 240,
            HOUR_S | DAY_S => 366,
            _ => return Err(Refusal::invalid("bucket_size must be one of 60, 3600, 86400")),
        };
        let buckets = parameters.number("buckets", 60, i64::MAX)?;
        if !(2..=buckets_max).contains(&buckets) {
            return Err(Refusal::invalid(format!("buckets must be between 2 and {buckets_max}")));
        }
        let level = |name: &str, default: Level| match parameters.get(name) {
            None => Ok(default),
            Some(text) => {
                Level::from_name(text).ok_or_else(|| Refusal::invalid(format!("{text} is not a valid level")))
            }
        };
        let (min, max) = (level("min_level", Level::Error)?, level("max_level", Level::Critical)?);
        let now_s = state.intake.clock.now_ms().div_euclid(1_000);
        Ok(Self {
            bucket_s,
            from_s: (now_s.div_euclid(bucket_s) - buckets + 1) * bucket_s,
            buckets,
            environments: parameters.all("environments").map(str::to_owned).collect(),
            levels: Level::ALL.into_iter().filter(|level| (min..=max).contains(level)).collect(),
        })
    }

    /// Every bucket, the empty ones too, oldest first.
    fn filled(&self, counts: &[(i64, i64)]) -> Value {
        let bucket = |idx: i64| {
            let start_s = self.from_s + idx * self.bucket_s;
            let count = counts.iter().find(|(own_s, _)| *own_s == start_s).map_or(0, |(_, count)| *count);
            json!([start_s, count])
        };
        (0..self.buckets).map(bucket).collect()
    }
}

pub(crate) async fn occurrence_counts(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let series = Series::of(&state, &asked, false)?;
    let item = match asked.parameters.get("item_id") {
        Some(id) => {
            let item = state.own_item(&asked, id, READ).await?;
            Some((item.environment.clone(), state.tracker.fingerprints(item.id).await?))
        }
        None => None,
    };
    let scope = OccurrenceScope {
        environment: project.environment,
        project_id: project.id,
        time: TimeRange::new(series.from_s.saturating_mul(1_000_000_000), i64::MAX),
        item,
    };
    let levels: Vec<&str> = series.levels.iter().map(|level| level.name()).collect();
    let found =
        counts(&state.context, &state.events, &scope, series.bucket_s, &series.environments, &levels).await?;
    Ok(answer(&asked, series.filled(&found)))
}

/// Days only.
pub(crate) async fn activated_counts(State(state): State<Rollbar>, asked: Asked) -> Answer {
    let project = state.project(&asked, READ).await?;
    let series = Series::of(&state, &asked, true)?;
    state.tracker.settle().await?;
    let tracker = &state.tracker;
    let found = tracker.activations(project.id, &series.environments, &series.levels, series.from_s).await?;
    Ok(answer(&asked, series.filled(&found)))
}

/// The vendor's numbers of frameworks.
pub(crate) fn framework_number(name: &str) -> usize {
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
