//! Telling people: turns notices into deliveries by the rules of their projects, and makes the deliveries, again with
//! growing pauses while a receiver is away. All that waits lies in the database, so that a restart forgets nothing.
//! `server` spawns [`Rollbar::run_notifications`]; the API's test button uses the same way out.

pub(crate) mod filter;
pub(crate) mod message;

use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use tracery_model::TimeRange;
use tracery_query::questions::errors::{OccurrenceKey, OccurrenceScope, occurrence};
use tracery_tracker::{Delivery, Notice, NotificationRule, Project, Status, TrackerError};

use self::filter::Facts;
use self::message::Told;
use crate::Rollbar;

/// How often what is due is looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// What the vendor gives a receiver is 3 seconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// The channels there are.
pub(crate) const CHANNELS: [&str; 2] = ["webhook", "slack"];

/// The address that a rule, or else its channel, delivers to.
pub(crate) fn url_of<'c>(channel: &'c Value, config: &'c Value) -> Option<&'c str> {
    let of = |value: &'c Value| value["url"].as_str().filter(|url| !url.is_empty());
    of(config).or_else(|| of(channel))
}

impl Rollbar {
    /// Delivers for as long as the process lives.
    pub async fn run_notifications(self) {
        loop {
            if let Err(error) = self.deliver_due().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "notifications could not be read; it is tried again"
                );
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Turns what happened into deliveries and makes those that are due.
    ///
    /// # Errors
    /// When the database does not answer; what was not done is done later.
    pub(crate) async fn deliver_due(&self) -> Result<(), TrackerError> {
        for notice in self.tracker.notices().await? {
            let wanting = self.wanting(&notice).await?;
            self.tracker.dispatch(&notice, &wanting).await?;
        }
        for delivery in self.tracker.claim_deliveries().await? {
            let outcome = self.deliver(&delivery).await?;
            self.tracker
                .settle_delivery(&delivery, outcome.as_ref().map(|()| ()).map_err(String::as_str))
                .await?;
        }
        Ok(())
    }

    /// The rules that want a notice.
    async fn wanting(&self, notice: &Notice) -> Result<Vec<i64>, TrackerError> {
        let rules = self.tracker.notification_rules(notice.project_id, None).await?;
        let rules: Vec<&NotificationRule> =
            rules.iter().filter(|rule| rule.enabled && rule.event == notice.event).collect();
        if rules.is_empty() {
            return Ok(Vec::new());
        }
        let Some(told) = self.told(notice).await? else { return Ok(Vec::new()) };
        // What was put away on purpose is not told of, but for its coming back or being done with.
        let is_quiet = told
            .item
            .as_ref()
            .is_some_and(|item| item.snoozed || matches!(item.status, Status::Muted | Status::Archived));
        if is_quiet && matches!(notice.event.as_str(), "occurrence" | "exp_repeat_item" | "new_item") {
            return Ok(Vec::new());
        }
        let wants = |rule: &&NotificationRule| match filter::read(&rule.rule["filters"]) {
            Ok(filters) => filters.iter().all(|filter| filter.holds(&told.facts)),
            Err(_) => false,
        };
        Ok(rules.into_iter().filter(wants).map(|rule| rule.id).collect())
    }

    async fn deliver(&self, delivery: &Delivery) -> Result<Result<(), String>, TrackerError> {
        let rules = self.tracker.notification_rules(delivery.notice.project_id, None).await?;
        let Some(rule) = rules.into_iter().find(|rule| rule.id == delivery.rule_id && rule.enabled) else {
            return Ok(Err("the rule is gone or switched off".to_owned()));
        };
        let channel = self.tracker.channel(rule.project_id, &rule.channel).await?.unwrap_or_default();
        if channel["enabled"].as_bool() == Some(false) {
            return Ok(Err("the channel is switched off".to_owned()));
        }
        let Some(told) = self.told(&delivery.notice).await? else {
            return Ok(Err("what it tells of is gone".to_owned()));
        };
        Ok(self.send(&rule.channel, &channel, &rule.rule["config"], &told).await)
    }

    /// Posts what is told; the text says why not.
    pub(crate) async fn send(
        &self,
        channel_name: &str,
        channel: &Value,
        config: &Value,
        told: &Told,
    ) -> Result<(), String> {
        let url = url_of(channel, config).ok_or("neither the rule nor its channel has a url")?;
        let body = match channel_name {
            "slack" => message::slack(told, config),
            _ => message::webhook(told),
        };
        let target = self.outbound.target(url).map_err(|error| error.to_string())?;
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
        let body = Bytes::from(body.to_string());
        self.outbound.post(&target, headers, body, PATIENCE).await.map_err(|error| error.to_string())
    }

    /// All that a notice tells of; `None` when that is gone.
    async fn told(&self, notice: &Notice) -> Result<Option<Told>, TrackerError> {
        let Some(project) = self.tracker.project(notice.project_id).await? else { return Ok(None) };
        let mut told = Told {
            notice: notice.clone(),
            project_name: project.name.clone(),
            item: None,
            deploy: None,
            facts: Facts::default(),
            link: String::new(),
        };
        if notice.event == "deploy" {
            let id = notice.detail["deploy_id"].as_i64().unwrap_or_default();
            let Some(deploy) = self.tracker.deploy(project.id, id).await? else { return Ok(None) };
            told.facts.environment.clone_from(&deploy.environment);
            told.facts.title = format!("{} deployed to {}", deploy.revision, deploy.environment);
            told.facts.comment.clone_from(&deploy.comment);
            told.deploy = Some(deploy);
            return Ok(Some(told));
        }
        let Some(item) = self.tracker.item(notice.item_id).await? else { return Ok(None) };
        let occurrence_id = match notice.occurrence_id {
            0 => item.last_occurrence_id,
            id => id,
        };
        told.facts = Facts {
            environment: item.environment.clone(),
            level: Some(item.level),
            title: item.title.clone(),
            framework: item.framework.clone(),
            unique: item.unique_ips,
            comment: String::new(),
            payload: self.payload(&project, occurrence_id).await,
        };
        told.link = self.page_of(item.id);
        told.item = Some(item);
        Ok(Some(told))
    }

    /// What was sent for an occurrence; null where it is not kept any more, or cannot be read now.
    async fn payload(&self, project: &Project, occurrence_id: i64) -> Value {
        let scope = OccurrenceScope {
            environment: project.environment,
            project_id: project.id,
            time: TimeRange::new(i64::MIN, i64::MAX),
            item: None,
        };
        let found = occurrence(&self.context, &self.events, &scope, &OccurrenceKey::Id(occurrence_id)).await;
        match found {
            Ok(found) => {
                found.and_then(|found| serde_json::from_str(&found.payload).ok()).unwrap_or_default()
            }
            Err(error) => {
                tracing::warn!(%error, "the occurrence of a notification cannot be read");
                Value::Null
            }
        }
    }

    fn page_of(&self, item_id: i64) -> String {
        match self.public_url.as_deref() {
            Some(url) => format!("{}/errors/item/{item_id}", url.trim_end_matches('/')),
            None => String::new(),
        }
    }
}

/// What the test button sends.
pub(crate) fn test_of(project: &Project) -> Told {
    Told {
        notice: Notice {
            id: 0,
            project_id: project.id,
            event: "test".to_owned(),
            item_id: 0,
            occurrence_id: 0,
            at_s: 0,
            detail: Value::Null,
        },
        project_name: project.name.clone(),
        item: None,
        deploy: None,
        facts: Facts { title: "A test from Tracery".to_owned(), ..Facts::default() },
        link: String::new(),
    }
}
