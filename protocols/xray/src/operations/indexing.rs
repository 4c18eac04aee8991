//! The indexing rule: what share of spans the vendor indexes as trace summaries. Every span is indexed here, so the share
//! that is asked for is stored and reported, and the actual one is always 100.

use serde::{Deserialize, Serialize};
use tracery_aws_wire::xray::{
    GetIndexingRulesRequest, GetIndexingRulesResult, IndexingRule, IndexingRuleValue, ProbabilisticRuleValue,
    UpdateIndexingRuleRequest, UpdateIndexingRuleResult, errors,
};
use tracery_aws_wire::{EpochSeconds, Error};
use tracery_settings::DocumentKind;

use super::kept::Shelf;
use super::pages::page;
use super::{cited, invalid};
use crate::sampling::rules::DEFAULT_MADE_MS;
use crate::{Caller, XRay};

/// The only rule there is.
const RULE: &str = "Default";
const NAME: &str = "indexing";
const ALL_PERCENT: f64 = 100.0;

/// The setting in the database.
#[derive(Debug, Serialize, Deserialize)]
struct Indexing {
    desired_percent: f64,
    modified_ms: i64,
}

pub(super) async fn get_indexing_rules(
    state: &XRay,
    caller: &Caller,
    call: GetIndexingRulesRequest,
) -> Result<GetIndexingRulesResult, Error> {
    let found = shelf(state, caller).find::<Indexing>(NAME).await?;
    let indexing = found.map(|kept| kept.value);
    let indexing =
        indexing.unwrap_or(Indexing { desired_percent: ALL_PERCENT, modified_ms: DEFAULT_MADE_MS });
    let rules = vec![wire(&indexing)];
    let (rules, next_token) = page("indexing", rules, call.next_token.as_deref(), 10)?;
    Ok(GetIndexingRulesResult { indexing_rules: Some(rules), next_token })
}

pub(super) async fn update_indexing_rule(
    state: &XRay,
    caller: &Caller,
    call: UpdateIndexingRuleRequest,
) -> Result<UpdateIndexingRuleResult, Error> {
    if call.name != RULE {
        let message = "There is no such indexing rule.";
        let missing = Error::new(&errors::RESOURCE_NOT_FOUND_EXCEPTION, message);
        return Err(missing.with("ResourceName", cited(&call.name)));
    }
    let rule =
        call.rule.probabilistic.ok_or_else(|| invalid("The Rule says nothing; it is Probabilistic."))?;
    let desired_percent = rule.desired_sampling_percentage;
    if !(0.0..=ALL_PERCENT).contains(&desired_percent) {
        return Err(invalid("DesiredSamplingPercentage must be from 0 to 100."));
    }
    let _changing = state.changes.lock().await;
    let indexing = Indexing { desired_percent, modified_ms: state.intake.clock.now_ms() };
    let answer = UpdateIndexingRuleResult { indexing_rule: Some(wire(&indexing)) };
    shelf(state, caller).put(NAME, indexing).await?;
    Ok(answer)
}

fn shelf<'a>(state: &'a XRay, caller: &Caller) -> Shelf<'a> {
    Shelf::new(state, caller, DocumentKind::XRaySetting)
}

fn wire(indexing: &Indexing) -> IndexingRule {
    let probabilistic = ProbabilisticRuleValue {
        desired_sampling_percentage: indexing.desired_percent,
        actual_sampling_percentage: Some(ALL_PERCENT),
    };
    IndexingRule {
        name: Some(RULE.to_owned()),
        modified_at: Some(EpochSeconds(indexing.modified_ms as f64 / 1e3)),
        rule: Some(IndexingRuleValue { probabilistic: Some(probabilistic) }),
    }
}
