//! What receivers get: the vendor's webhook, and messages of Slack's incoming webhooks. Templates name what is known with
//! `{{title}}`, or a path into the newest occurrence with `{{body.person.id}}`.

use serde_json::{Value, json};
use tracery_tracker::{Deploy, Item, Notice};

use super::filter::{Facts, at, text_of};
use crate::api;

/// A message of a template is cut to so much.
const TEXT_CHARS_MAX: usize = 4_000;

/// All that is told of one notice.
pub(crate) struct Told {
    pub(crate) notice: Notice,
    pub(crate) project_name: String,
    pub(crate) item: Option<Item>,
    pub(crate) deploy: Option<Deploy>,
    pub(crate) facts: Facts,
    /// Where the item's page is; empty when the server's address is not known.
    pub(crate) link: String,
}

/// What happened, in a few words.
fn described(event: &str) -> &'static str {
    match event {
        "new_item" => "New item",
        "reactivated_item" => "Reactivated item",
        "reopened_item" => "Reopened item",
        "resolved_item" => "Resolved item",
        "exp_repeat_item" => "Repeated item",
        "occurrence" => "Occurrence",
        "deploy" => "Deploy",
        _ => "Test",
    }
}

/// The vendor's webhook. Levels, states and frameworks are numbers there.
pub(crate) fn webhook(told: &Told) -> Value {
    let mut data = serde_json::Map::new();
    if let Some(item) = &told.item {
        let mut shown = api::items::shown(item);
        shown["level"] = item.level.number().into();
        shown["status"] = item.status.number().into();
        shown["framework"] = api::reports::framework_number(&item.framework).into();
        if told.notice.event == "occurrence" {
            data.insert("occurrence".to_owned(), told.facts.payload.clone());
        } else {
            shown["last_occurrence"] = told.facts.payload.clone();
        }
        if told.notice.event == "exp_repeat_item" {
            data.insert("occurrences".to_owned(), told.notice.detail["count"].clone());
        }
        data.insert("item".to_owned(), shown);
    }
    if let Some(deploy) = &told.deploy {
        data.insert("deploy".to_owned(), api::deploys::shown(deploy));
    }
    if data.is_empty() {
        data.insert("message".to_owned(), "This is a test payload from Tracery.".into());
    }
    json!({ "event_name": told.notice.event, "data": data })
}

/// Text of strangers as Slack shows it: without the marks that would call people or hide where a link leads.
fn plain(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A message for an incoming webhook of Slack, or of what takes the same.
pub(crate) fn slack(told: &Told, config: &Value) -> Value {
    let text = match config["message_template"].as_str().filter(|template| !template.is_empty()) {
        Some(template) => filled(template, told, plain),
        None => plain(&summary(told)),
    };
    let color = match told.facts.level.map(|level| level.number()) {
        Some(40..) => "danger",
        Some(30) => "warning",
        _ => "good",
    };
    let field = |title: &str, value: String| json!({ "title": title, "value": value, "short": true });
    let mut fields = vec![field("Environment", plain(&told.facts.environment))];
    if let Some(item) = &told.item {
        fields.push(field("Level", item.level.name().to_owned()));
        fields.push(field("Occurrences", item.total.to_string()));
    }
    let mut message = json!({
        "text": text,
        "attachments": [{ "color": color, "fallback": text, "title": plain(&told.facts.title), "fields": fields }],
    });
    if !told.link.is_empty() {
        message["attachments"][0]["title_link"] = told.link.as_str().into();
    }
    if let Some(channel) = config["channel"].as_str().filter(|channel| !channel.is_empty()) {
        message["channel"] = channel.into();
    }
    message
}

fn summary(told: &Told) -> String {
    let what = described(&told.notice.event);
    let number = told.item.as_ref().map(|item| format!(" #{}", item.counter)).unwrap_or_default();
    let times = match (told.notice.event.as_str(), told.notice.detail["count"].as_i64()) {
        ("exp_repeat_item", Some(count)) => format!(", {count} times"),
        _ => String::new(),
    };
    format!(
        "[{}] {} - {what}{number}{times}: {}",
        told.project_name, told.facts.environment, told.facts.title
    )
}

/// A template with what it names in place, as `spelled` spells it; what is not known is empty.
fn filled(template: &str, told: &Told, spelled: fn(&str) -> String) -> String {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        text.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            text.push_str("{{");
            rest = after;
            continue;
        };
        text.push_str(&spelled(&named(name.trim(), told)));
        rest = behind;
    }
    text.push_str(rest);
    if text.chars().count() > TEXT_CHARS_MAX {
        text = text.chars().take(TEXT_CHARS_MAX).collect();
    }
    text
}

fn named(name: &str, told: &Told) -> String {
    let item = |of: &dyn Fn(&Item) -> String| told.item.as_ref().map(of).unwrap_or_default();
    let deploy = |of: &dyn Fn(&Deploy) -> String| told.deploy.as_ref().map(of).unwrap_or_default();
    match name {
        "title" => told.facts.title.clone(),
        "environment" => told.facts.environment.clone(),
        "level" => told.facts.level.map(|level| level.name().to_owned()).unwrap_or_default(),
        "status" => item(&|item| item.status.name().to_owned()),
        "counter" => item(&|item| item.counter.to_string()),
        "total_occurrences" => item(&|item| item.total.to_string()),
        "last_occurrence_time" => item(&|item| item.last_s.to_string()),
        "project_slug" | "project" => told.project_name.clone(),
        "trigger_description" => described(&told.notice.event).to_owned(),
        "link" => told.link.clone(),
        "revision" => deploy(&|deploy| deploy.revision.clone()),
        "comment" => deploy(&|deploy| deploy.comment.clone()),
        "username" => deploy(&|deploy| deploy.local_username.clone()),
        path => {
            let path = path.strip_prefix("body.").unwrap_or(path);
            let path: Vec<String> = path.split('.').take(20).map(str::to_owned).collect();
            at(&told.facts.payload, &path).and_then(text_of).unwrap_or_default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_filled_and_what_is_unknown_is_empty() {
        let mut told = Told {
            notice: Notice {
                id: 1,
                project_id: 1,
                event: "new_item".into(),
                item_id: 0,
                occurrence_id: 0,
                at_s: 0,
                detail: Value::Null,
            },
            project_name: "shop".into(),
            item: None,
            deploy: None,
            facts: Facts {
                title: "KeyError".into(),
                environment: "prod".into(),
                payload: json!({ "body": { "message": { "body": "hi" } }, "person": { "id": 5 } }),
                ..Facts::default()
            },
            link: String::new(),
        };
        for (template, text) in [
            ("{{title}} in {{ environment }}", "KeyError in prod"),
            ("{{body.body.message.body}}/{{person.id}}", "hi/5"),
            ("{{nothing}}|{{body.no.way}}", "|"),
            ("{{open", "{{open"),
            ("{{project_slug}}: {{trigger_description}}", "shop: New item"),
        ] {
            assert_eq!(filled(template, &told, str::to_owned), text, "{template}");
        }
        assert_eq!(webhook(&told)["event_name"], "new_item");
        assert!(slack(&told, &json!({ "channel": "#ops" }))["text"].as_str().unwrap().contains("New item"));
        told.facts.title = "<!channel> & <https://evil.test|here>".into();
        for config in [json!({}), json!({ "message_template": "<!here> {{title}}" })] {
            let message = slack(&told, &config);
            let (text, title) = (message["text"].to_string(), message["attachments"][0]["title"].to_string());
            for shown in [&text, &title] {
                assert!(!shown.contains("<!channel>") && !shown.contains("<https"), "{shown}");
            }
            // What the rule's owner wrote is meant.
            assert_eq!(text.contains("<!here>"), config["message_template"].is_string(), "{text}");
        }
    }
}
