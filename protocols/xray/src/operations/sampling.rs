//! Sampling: the rules, each client's share of them, and what clients reported. SDKs ask for rules every five minutes and
//! for their share every ten seconds; they throw away a rule that lacks a field and an answer without a time of the last
//! change, so both are always there.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use tracery_aws_wire::xray::{
    CreateSamplingRuleRequest, CreateSamplingRuleResult, DeleteSamplingRuleRequest, DeleteSamplingRuleResult,
    GetSamplingRulesRequest, GetSamplingRulesResult, GetSamplingStatisticSummariesRequest,
    GetSamplingStatisticSummariesResult, GetSamplingTargetsRequest, GetSamplingTargetsResult, SamplingBoost,
    SamplingRule, SamplingRuleRecord, SamplingStatisticSummary, SamplingStatisticsDocument,
    SamplingTargetDocument, UnprocessedStatistics, UpdateSamplingRuleRequest, UpdateSamplingRuleResult,
    errors,
};
use tracery_aws_wire::{EpochSeconds, Error};
use tracery_settings::DocumentKind;

use super::kept::{Kept, NameOrArn, Shelf, arn, one_of, resource};
use super::pages::page;
use super::{cited, invalid, tags};
use crate::sampling::boosts::Boost;
use crate::sampling::rules::{DEFAULT, DEFAULT_MADE_MS, change, default_rule, refusal};
use crate::sampling::statistics::Counts;
use crate::{Caller, XRay};

/// Rules of an account besides the default one, as the vendor's quota.
const RULES_MAX: usize = 25;
/// More than there can be: some SDKs read the first page only.
const RULES_PER_PAGE: usize = 100;
const SUMMARIES_PER_PAGE: usize = 1_000;
/// Seconds until a client should report again.
const INTERVAL_S: i32 = 10;
/// A report of a time that is further away, in the past or in the future, is not counted.
const REPORT_AGE_MS_MAX: i64 = 600_000;
/// The setting that says when a rule was last deleted.
const DELETED: &str = "sampling_rule_deleted";
const RULE_PREFIX: &str = "sampling-rule/";

/// A rule in the settings database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct KeptRule {
    /// Its ARN is made anew for each caller.
    rule: SamplingRule,
    made_ms: i64,
    modified_ms: i64,
    pub(super) tags: BTreeMap<String, String>,
}

/// When a rule was last deleted.
#[derive(Debug, Serialize, Deserialize)]
struct Deleted {
    at_ms: i64,
}

pub(super) async fn get_sampling_rules(
    state: &XRay,
    caller: &Caller,
    call: GetSamplingRulesRequest,
) -> Result<GetSamplingRulesResult, Error> {
    let rules = all(state, caller).await?;
    let (rules, next_token) = page("rules", rules, call.next_token.as_deref(), RULES_PER_PAGE)?;
    let records = rules.iter().map(|kept| record(caller, kept)).collect();
    Ok(GetSamplingRulesResult { sampling_rule_records: Some(records), next_token })
}

pub(super) async fn create_sampling_rule(
    state: &XRay,
    caller: &Caller,
    call: CreateSamplingRuleRequest,
) -> Result<CreateSamplingRuleResult, Error> {
    let mut rule = call.sampling_rule;
    let wanted = which(rule.rule_name.as_deref(), rule.rule_arn.as_deref())?;
    let name = name_of(caller, wanted)
        .ok_or_else(|| invalid("The RuleARN is not the ARN of a sampling rule in this account."))?
        .to_owned();
    if let Some(reason) = refusal(&name, &rule) {
        return Err(invalid(reason));
    }
    (rule.rule_name, rule.rule_arn) = (Some(name.clone()), None);
    let tags = tags::of_new(call.tags)?;
    let _changing = state.changes.lock().await;
    let shelf = shelf(state, caller);
    let rules = shelf.all::<KeptRule>().await?;
    if rules.iter().any(|kept| kept.name == name) {
        return Err(invalid(format!("A sampling rule named {name} already exists.")));
    }
    let full = || {
        let message = format!("There can be {RULES_MAX} sampling rules besides Default.");
        Error::new(&errors::RULE_LIMIT_EXCEEDED_EXCEPTION, message)
    };
    if rules.iter().filter(|kept| kept.name != DEFAULT).count() >= RULES_MAX {
        return Err(full());
    }
    let made_ms = state.intake.clock.now_ms();
    let value = KeptRule { rule, made_ms, modified_ms: made_ms, tags };
    let made = shelf.add(&name, value).await?.ok_or_else(full)?;
    Ok(CreateSamplingRuleResult { sampling_rule_record: Some(record(caller, &made)) })
}

pub(super) async fn update_sampling_rule(
    state: &XRay,
    caller: &Caller,
    call: UpdateSamplingRuleRequest,
) -> Result<UpdateSamplingRuleResult, Error> {
    let update = call.sampling_rule_update;
    let _changing = state.changes.lock().await;
    let mut kept = named(state, caller, update.rule_name.as_deref(), update.rule_arn.as_deref()).await?;
    change(&mut kept.value.rule, update).map_err(invalid)?;
    kept.value.modified_ms = state.intake.clock.now_ms();
    save(state, caller, &kept).await?;
    Ok(UpdateSamplingRuleResult { sampling_rule_record: Some(record(caller, &kept)) })
}

pub(super) async fn delete_sampling_rule(
    state: &XRay,
    caller: &Caller,
    call: DeleteSamplingRuleRequest,
) -> Result<DeleteSamplingRuleResult, Error> {
    let _changing = state.changes.lock().await;
    let kept = named(state, caller, call.rule_name.as_deref(), call.rule_arn.as_deref()).await?;
    if kept.name == DEFAULT {
        return Err(invalid("The Default sampling rule cannot be deleted."));
    }
    shelf(state, caller).remove(&kept.id).await?;
    let deleted = Deleted { at_ms: state.intake.clock.now_ms() };
    Shelf::new(state, caller, DocumentKind::XRaySetting).put(DELETED, deleted).await?;
    state.sampling.lock().forget(&(caller.environment, kept.name.clone()));
    Ok(DeleteSamplingRuleResult { sampling_rule_record: Some(record(caller, &kept)) })
}

pub(super) async fn get_sampling_targets(
    state: &XRay,
    caller: &Caller,
    call: GetSamplingTargetsRequest,
) -> Result<GetSamplingTargetsResult, Error> {
    let kept = all(state, caller).await?;
    let settings = Shelf::new(state, caller, DocumentKind::XRaySetting);
    let deleted_ms = settings.find::<Deleted>(DELETED).await?.map_or(0, |kept| kept.value.at_ms);
    let modified_ms = kept.iter().map(|kept| kept.value.modified_ms).fold(deleted_ms, i64::max);
    let rules: HashMap<&str, &SamplingRule> =
        kept.iter().map(|kept| (kept.name.as_str(), &kept.value.rule)).collect();
    let now_ms = state.intake.clock.now_ms();

    let mut targets = Vec::new();
    let (mut unprocessed, mut boosts_unprocessed) = (Vec::new(), Vec::new());
    let mut sampling = state.sampling.lock();
    // By rule, the greatest boost of the services that the client speaks for.
    let mut boosts: HashMap<String, Boost> = HashMap::new();
    for report in call.sampling_boost_statistics_documents.unwrap_or_default() {
        let rule = rules.get(report.rule_name.as_str());
        let boosted = rule.and_then(|rule| Some((*rule, rule.sampling_rate_boost.as_ref()?)));
        let refused = match boosted {
            None if rule.is_none() => Some(unknown()),
            None => Some("The rule has no SamplingRateBoost.".to_owned()),
            Some(_) => stale(report.timestamp, now_ms),
        };
        let (Some((rule, config)), None) = (boosted, &refused) else {
            boosts_unprocessed.push(unprocessed_of(report.rule_name, refused.unwrap_or_default()));
            continue;
        };
        let key = (caller.environment, report.rule_name.clone());
        sampling.boosts.report(&key, config, rule.fixed_rate, &report, now_ms);
        let on = sampling.boosts.of(&key, &report.service_name, now_ms);
        // A boost that began under a greater MaxRate does not outlive it.
        let on = on.map(|boost| Boost { rate: boost.rate.min(config.max_rate), ..boost });
        if let Some(boost) = on
            && boosts.get(&report.rule_name).is_none_or(|other| other.rate < boost.rate)
        {
            boosts.insert(report.rule_name, boost);
        }
    }
    for report in call.sampling_statistics_documents {
        let rule = rules.get(report.rule_name.as_str());
        let refused = match rule {
            None => Some(unknown()),
            Some(_) => stale(report.timestamp, now_ms),
        };
        let (Some(rule), None) = (rule, &refused) else {
            unprocessed.push(unprocessed_of(report.rule_name, refused.unwrap_or_default()));
            continue;
        };
        let key = (caller.environment, report.rule_name.clone());
        sampling.statistics.add(&key, ms(report.timestamp), counts(&report), now_ms);
        let lease = sampling.reservoirs.lease(&key, &report.client_id, rule.reservoir_size, now_ms);
        let boost = boosts
            .get(&report.rule_name)
            .map(|boost| SamplingBoost { boost_rate: boost.rate, boost_rate_ttl: time(boost.until_ms) });
        targets.push(SamplingTargetDocument {
            rule_name: Some(report.rule_name),
            fixed_rate: Some(rule.fixed_rate),
            reservoir_quota: lease.map(|lease| lease.quota),
            // Whole seconds: some SDKs read them as such.
            reservoir_quota_ttl: lease.map(|lease| EpochSeconds((lease.until_ms / 1_000) as f64)),
            interval: Some(INTERVAL_S),
            sampling_boost: boost,
        });
    }
    Ok(GetSamplingTargetsResult {
        sampling_target_documents: Some(targets),
        last_rule_modification: Some(time(modified_ms)),
        unprocessed_statistics: Some(unprocessed),
        unprocessed_boost_statistics: Some(boosts_unprocessed),
    })
}

pub(super) async fn get_sampling_statistic_summaries(
    state: &XRay,
    caller: &Caller,
    call: GetSamplingStatisticSummariesRequest,
) -> Result<GetSamplingStatisticSummariesResult, Error> {
    let count = |count: i64| Some(i32::try_from(count).unwrap_or(i32::MAX));
    let summaries: Vec<_> = {
        let sampling = state.sampling.lock();
        let found = sampling.statistics.of(caller.environment).into_iter();
        found
            .map(|(start_ms, rule, counts)| SamplingStatisticSummary {
                rule_name: Some(rule.to_owned()),
                timestamp: Some(time(start_ms)),
                request_count: count(counts.requests),
                borrow_count: count(counts.borrowed),
                sampled_count: count(counts.sampled),
            })
            .collect()
    };
    let token = call.next_token.as_deref();
    let (summaries, next_token) = page("statistics", summaries, token, SUMMARIES_PER_PAGE)?;
    Ok(GetSamplingStatisticSummariesResult { sampling_statistic_summaries: Some(summaries), next_token })
}

/// The rule with this ARN, for its tags.
pub(super) async fn of_arn(
    state: &XRay,
    caller: &Caller,
    arn: &str,
) -> Result<Option<Kept<KeptRule>>, Error> {
    let Some(name) = name_of(caller, NameOrArn::Arn(arn)) else { return Ok(None) };
    Ok(all(state, caller).await?.into_iter().find(|kept| kept.name == name))
}

/// Stores a changed rule. The default one is first stored when it is first changed.
pub(super) async fn save(state: &XRay, caller: &Caller, kept: &Kept<KeptRule>) -> Result<(), Error> {
    match kept.name == DEFAULT {
        true => shelf(state, caller).put(DEFAULT, kept.value.clone()).await,
        false => shelf(state, caller).replace(kept).await,
    }
}

fn shelf<'a>(state: &'a XRay, caller: &Caller) -> Shelf<'a> {
    Shelf::new(state, caller, DocumentKind::XRaySamplingRule)
}

/// In the order in which clients walk them.
async fn all(state: &XRay, caller: &Caller) -> Result<Vec<Kept<KeptRule>>, Error> {
    let mut rules = shelf(state, caller).all::<KeptRule>().await?;
    if !rules.iter().any(|kept| kept.name == DEFAULT) {
        let value = KeptRule {
            rule: default_rule(),
            made_ms: DEFAULT_MADE_MS,
            modified_ms: DEFAULT_MADE_MS,
            tags: BTreeMap::new(),
        };
        rules.push(Kept { id: String::new(), name: DEFAULT.to_owned(), value });
    }
    rules.sort_by(|a, b| (a.value.rule.priority, &a.name).cmp(&(b.value.rule.priority, &b.name)));
    Ok(rules)
}

async fn named(
    state: &XRay,
    caller: &Caller,
    name: Option<&str>,
    arn: Option<&str>,
) -> Result<Kept<KeptRule>, Error> {
    let wanted = which(name, arn)?;
    let found = match name_of(caller, wanted) {
        Some(name) => all(state, caller).await?.into_iter().find(|kept| kept.name == name),
        None => None,
    };
    found.ok_or_else(|| match wanted {
        NameOrArn::Name(text) | NameOrArn::Arn(text) => {
            invalid(format!("Sampling rule {} does not exist.", cited(text)))
        }
    })
}

fn which<'a>(name: Option<&'a str>, arn: Option<&'a str>) -> Result<NameOrArn<'a>, Error> {
    one_of(name, arn).map_err(|reason| invalid(format!("Which sampling rule: {reason}.")))
}

fn name_of<'a>(caller: &Caller, wanted: NameOrArn<'a>) -> Option<&'a str> {
    match wanted {
        NameOrArn::Name(name) => Some(name),
        NameOrArn::Arn(arn) => resource(caller, arn)?.strip_prefix(RULE_PREFIX),
    }
}

/// A rule as clients want it: no field is missing.
fn record(caller: &Caller, kept: &Kept<KeptRule>) -> SamplingRuleRecord {
    let mut rule = kept.value.rule.clone();
    rule.rule_arn = Some(arn(caller, &format!("{RULE_PREFIX}{}", kept.name)));
    rule.attributes.get_or_insert_default();
    SamplingRuleRecord {
        sampling_rule: Some(rule),
        created_at: Some(time(kept.value.made_ms)),
        modified_at: Some(time(kept.value.modified_ms)),
    }
}

fn counts(report: &SamplingStatisticsDocument) -> Counts {
    Counts {
        requests: report.request_count.into(),
        borrowed: report.borrow_count.unwrap_or(0).into(),
        sampled: report.sampled_count.into(),
    }
}

fn unknown() -> String {
    "There is no such sampling rule.".to_owned()
}

fn stale(timestamp: EpochSeconds, now_ms: i64) -> Option<String> {
    let age_ms = now_ms.saturating_sub(ms(timestamp)).saturating_abs();
    (age_ms > REPORT_AGE_MS_MAX)
        .then(|| "The report is of another time, it is older than ten minutes or in the future.".to_owned())
}

/// Clients read the code as an HTTP status.
fn unprocessed_of(rule_name: String, message: String) -> UnprocessedStatistics {
    UnprocessedStatistics {
        rule_name: Some(rule_name),
        error_code: Some("400".to_owned()),
        message: Some(message),
    }
}

fn ms(time: EpochSeconds) -> i64 {
    time.as_ns().div_euclid(1_000_000)
}

fn time(ms: i64) -> EpochSeconds {
    EpochSeconds(ms as f64 / 1e3)
}
