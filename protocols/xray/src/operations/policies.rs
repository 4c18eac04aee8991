//! Resource policies: who else may use the account's X-Ray, in the vendor's policy language. They are checked, stored and
//! listed; access itself is decided by keys, so a policy gives and takes nothing here.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tracery_aws_wire::xray::{
    DeleteResourcePolicyRequest, DeleteResourcePolicyResult, ListResourcePoliciesRequest,
    ListResourcePoliciesResult, PutResourcePolicyRequest, PutResourcePolicyResult, ResourcePolicy, errors,
};
use tracery_aws_wire::{EpochSeconds, Error};
use tracery_settings::DocumentKind;

use super::invalid;
use super::kept::{Kept, Shelf};
use super::pages::page;
use crate::{Caller, XRay};

const POLICIES_MAX: usize = 5;
const POLICIES_PER_PAGE: usize = 100;
const DOCUMENT_BYTES_MAX: usize = 5 << 10;
/// The revision that means: only if there is no such policy.
const NONE_YET: &str = "0";
/// What a policy must leave to the account itself.
const KEPT_ACTION: &str = "xray:putresourcepolicy";

/// A policy in the settings database.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct KeptPolicy {
    document: String,
    revision: i64,
    updated_ms: i64,
}

pub(super) async fn put_resource_policy(
    state: &XRay,
    caller: &Caller,
    call: PutResourcePolicyRequest,
) -> Result<PutResourcePolicyResult, Error> {
    if call.policy_document.len() > DOCUMENT_BYTES_MAX {
        let message = format!("A policy document can have {DOCUMENT_BYTES_MAX} bytes.");
        return Err(Error::new(&errors::POLICY_SIZE_LIMIT_EXCEEDED_EXCEPTION, message));
    }
    let statements = statements(&call.policy_document).map_err(|reason| {
        let message = format!("The policy document is malformed: {reason}.");
        Error::new(&errors::MALFORMED_POLICY_DOCUMENT_EXCEPTION, message)
    })?;
    let bypass = call.bypass_policy_lockout_check == Some(true);
    if !bypass && statements.iter().any(|statement| locks_out(statement, &caller.account_id)) {
        let message =
            "The policy would keep the account from changing it; BypassPolicyLockoutCheck allows that.";
        return Err(Error::new(&errors::LOCKOUT_PREVENTION_EXCEPTION, message));
    }
    let _changing = state.changes.lock().await;
    let shelf = shelf(state, caller);
    let policies = shelf.all::<KeptPolicy>().await?;
    let name = call.policy_name;
    let before = policies.iter().find(|kept| kept.name == name);
    let current = before.map_or_else(|| NONE_YET.to_owned(), |kept| kept.value.revision.to_string());
    check_revision(call.policy_revision_id.as_deref(), &current)?;
    let full = || {
        let message = format!("There can be {POLICIES_MAX} policies.");
        Error::new(&errors::POLICY_COUNT_LIMIT_EXCEEDED_EXCEPTION, message)
    };
    if before.is_none() && policies.len() >= POLICIES_MAX {
        return Err(full());
    }
    let value = KeptPolicy {
        document: call.policy_document,
        revision: before.map_or(0, |kept| kept.value.revision).saturating_add(1),
        updated_ms: state.intake.clock.now_ms(),
    };
    let kept = match before {
        Some(before) => {
            let kept = Kept { value, ..before.clone() };
            shelf.replace(&kept).await?;
            kept
        }
        None => shelf.add(&name, value).await?.ok_or_else(full)?,
    };
    Ok(PutResourcePolicyResult { resource_policy: Some(wire(kept)) })
}

pub(super) async fn list_resource_policies(
    state: &XRay,
    caller: &Caller,
    call: ListResourcePoliciesRequest,
) -> Result<ListResourcePoliciesResult, Error> {
    let mut policies = shelf(state, caller).all::<KeptPolicy>().await?;
    policies.sort_by(|a, b| a.name.cmp(&b.name));
    let (policies, next_token) = page("policies", policies, call.next_token.as_deref(), POLICIES_PER_PAGE)?;
    let policies = policies.into_iter().map(wire).collect();
    Ok(ListResourcePoliciesResult { resource_policies: Some(policies), next_token })
}

pub(super) async fn delete_resource_policy(
    state: &XRay,
    caller: &Caller,
    call: DeleteResourcePolicyRequest,
) -> Result<DeleteResourcePolicyResult, Error> {
    let _changing = state.changes.lock().await;
    let shelf = shelf(state, caller);
    let found = shelf.find::<KeptPolicy>(&call.policy_name).await?;
    let kept = found.ok_or_else(|| invalid(format!("Policy {} does not exist.", call.policy_name)))?;
    check_revision(call.policy_revision_id.as_deref(), &kept.value.revision.to_string())?;
    shelf.remove(&kept.id).await?;
    Ok(DeleteResourcePolicyResult {})
}

fn shelf<'a>(state: &'a XRay, caller: &Caller) -> Shelf<'a> {
    Shelf::new(state, caller, DocumentKind::XRayPolicy)
}

fn wire(kept: Kept<KeptPolicy>) -> ResourcePolicy {
    ResourcePolicy {
        policy_name: Some(kept.name),
        policy_document: Some(kept.value.document),
        policy_revision_id: Some(kept.value.revision.to_string()),
        last_updated_time: Some(EpochSeconds(kept.value.updated_ms as f64 / 1e3)),
    }
}

fn check_revision(sent: Option<&str>, current: &str) -> Result<(), Error> {
    if sent.is_none_or(|sent| sent == current) {
        return Ok(());
    }
    let message = "The PolicyRevisionId is not that of the latest revision.";
    Err(Error::new(&errors::INVALID_POLICY_REVISION_ID_EXCEPTION, message))
}

/// The statements of a policy that says who may do what with which resource.
fn statements(document: &str) -> Result<Vec<Value>, &'static str> {
    let policy: Value = serde_json::from_str(document).map_err(|_| "it is not JSON")?;
    let policy = policy.as_object().ok_or("it is not an object")?;
    match policy.get("Version") {
        None => {}
        Some(version) if version == "2012-10-17" || version == "2008-10-17" => {}
        Some(_) => return Err("its Version is not known"),
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.clone(),
        Some(statement @ Value::Object(_)) => vec![statement.clone()],
        _ => return Err("it has no Statement"),
    };
    statements.iter().try_for_each(check_statement)?;
    Ok(statements)
}

fn check_statement(statement: &Value) -> Result<(), &'static str> {
    let statement = statement.as_object().ok_or("a Statement is not an object")?;
    if !statement.get("Effect").is_some_and(|effect| effect == "Allow" || effect == "Deny") {
        return Err("the Effect of a Statement is Allow or Deny");
    }
    // Each is there as itself or as its opposite.
    let either = |member: &str, fine: fn(&Value) -> bool| {
        let opposite = format!("Not{member}");
        match (statement.get(member), statement.get(&opposite)) {
            (Some(value), None) | (None, Some(value)) => fine(value),
            _ => false,
        }
    };
    if !either("Action", texts) {
        return Err("a Statement needs an Action");
    }
    if !either("Resource", texts) {
        return Err("a Statement needs a Resource");
    }
    if !either("Principal", principals) {
        return Err("a Statement needs a Principal");
    }
    match statement.get("Condition").is_none_or(Value::is_object) {
        true => Ok(()),
        false => Err("a Condition is an object"),
    }
}

fn texts(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(texts) => !texts.is_empty() && texts.iter().all(Value::is_string),
        _ => false,
    }
}

fn principals(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "*",
        Value::Object(kinds) => !kinds.is_empty() && kinds.values().all(texts),
        _ => false,
    }
}

/// Whether a statement denies the account, under no condition, what it needs to change the policy again.
fn locks_out(statement: &Value, account_id: &str) -> bool {
    if statement["Effect"] != "Deny" || statement.get("Condition").is_some() {
        return false;
    }
    let kept = |action: &str| wildcard(&action.to_ascii_lowercase(), KEPT_ACTION);
    let denied = match statement.get("Action") {
        Some(actions) => any(actions, kept),
        None => !any(&statement["NotAction"], kept),
    };
    let root = format!("arn:aws:iam::{account_id}:root");
    let us = |principal: &str| principal == "*" || principal == account_id || principal == root;
    let of_us = |principals: &Value| match principals {
        Value::Object(kinds) => kinds.get("AWS").is_some_and(|principals| any(principals, us)),
        other => any(other, us),
    };
    denied
        && match statement.get("Principal") {
            Some(principals) => of_us(principals),
            None => !of_us(&statement["NotPrincipal"]),
        }
}

fn any(value: &Value, fits: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => fits(text),
        Value::Array(texts) => texts.iter().filter_map(Value::as_str).any(fits),
        _ => false,
    }
}

/// Whether `text` fits a pattern with `*` and `?`, in time that is no more than the product of their lengths.
fn wildcard(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut at, mut read) = (0, 0);
    // Where the last star was, and how much of the text it has taken.
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(&byte) if byte == b'?' || byte == text[read] => {
                at += 1;
                read += 1;
            }
            _ => match star {
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    at = star_at + 1;
                    read = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(effect: &str, principal: &str, action: &str, more: &str) -> String {
        format!(
            r#"{{"Version": "2012-10-17", "Statement": [{{"Effect": "{effect}", "Principal": {principal},
            "Action": {action}, "Resource": "*"{more}}}]}}"#
        )
    }

    #[test]
    fn a_policy_that_is_none_is_malformed() {
        let deep = format!("{{\"Statement\": {}", "[".repeat(2_000));
        for (document, fine) in [
            (
                statement("Allow", r#"{"Service": "sns.amazonaws.com"}"#, r#"["xray:PutTraceSegments"]"#, ""),
                true,
            ),
            (statement("Allow", "\"*\"", "\"xray:*\"", r#", "Condition": {"StringLike": {}}"#), true),
            (statement("Permit", "\"*\"", "\"xray:*\"", ""), false),
            (statement("Allow", "\"me\"", "\"xray:*\"", ""), false),
            (statement("Allow", "{}", "\"xray:*\"", ""), false),
            (statement("Allow", "\"*\"", "[]", ""), false),
            (statement("Allow", "\"*\"", "\"a\"", r#", "NotAction": "b""#), false),
            (statement("Allow", "\"*\"", "\"a\"", r#", "Condition": 1"#), false),
            (r#"{"Version": "2013", "Statement": {}}"#.to_owned(), false),
            (r#"{"Statement": []}"#.to_owned(), false),
            ("{}".to_owned(), false),
            ("[]".to_owned(), false),
            ("nonsense".to_owned(), false),
            (deep, false),
        ] {
            assert_eq!(statements(&document).is_ok(), fine, "{document}");
        }
    }

    #[test]
    fn a_policy_that_shuts_its_account_out_is_found() {
        let us = r#"{"AWS": ["arn:aws:iam::100000000001:root"]}"#;
        for (document, out) in [
            (statement("Deny", "\"*\"", "\"*\"", ""), true),
            (statement("Deny", us, "\"xray:Put*\"", ""), true),
            (statement("Deny", "{\"AWS\": \"100000000001\"}", "[\"xray:PutResourcePolic?\"]", ""), true),
            (statement("Deny", us, "\"xray:Get*\"", ""), false),
            (statement("Deny", "{\"AWS\": \"100000000002\"}", "\"*\"", ""), false),
            (statement("Deny", "\"*\"", "\"*\"", r#", "Condition": {}"#), false),
            (statement("Allow", "\"*\"", "\"*\"", ""), false),
        ] {
            let statements = statements(&document).unwrap();
            assert_eq!(locks_out(&statements[0], "100000000001"), out, "{document}");
        }
    }

    #[test]
    fn a_revision_is_the_latest_or_none() {
        for (sent, current, fine) in [
            (None, "3", true),
            (Some("3"), "3", true),
            (Some("2"), "3", false),
            (Some("0"), "0", true),
            (Some("0"), "1", false),
        ] {
            assert_eq!(check_revision(sent, current).is_ok(), fine, "{sent:?} {current}");
        }
    }
}
