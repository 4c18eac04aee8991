//! Where a subscription filter delivers to: a webhook, named by an ARN of ours, or a destination of the vendor's kind that
//! stands for one. The vendor's own targets (Lambda, Kinesis, Firehose) are not there and are refused by name.

use serde::{Deserialize, Serialize};
use tracery_aws_wire::Error;
use tracery_settings::DocumentKind;

use crate::operations::invalid;
use crate::operations::kept::Shelf;
use crate::{Caller, CloudWatchLogs};

/// What stands before the URL.
const WEBHOOK: &str = "arn:tracery:webhook:::";

pub(crate) const NO_TARGET: &str = "Subscriptions deliver to webhooks: the ARN must be arn:tracery:webhook:::URL, or that of a \
                                    destination in this account and region.";

/// A destination as it is kept; its name is the document's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Destination {
    pub(crate) target_arn: String,
    pub(crate) role_arn: String,
    pub(crate) access_policy: Option<String>,
    pub(crate) created_ms: i64,
}

/// What an ARN names.
#[derive(Debug, PartialEq)]
pub(crate) enum Target<'a> {
    Webhook(&'a str),
    Destination(&'a str),
}

impl<'a> Target<'a> {
    pub(crate) fn read(caller: &Caller, arn: &'a str) -> Option<Self> {
        if let Some(url) = arn.strip_prefix(WEBHOOK) {
            return Some(Self::Webhook(url));
        }
        let name = arn.strip_prefix(&destination_arn(caller, ""))?;
        (!name.is_empty()).then_some(Self::Destination(name))
    }
}

pub(crate) fn destination_arn(caller: &Caller, name: &str) -> String {
    format!("arn:aws:logs:{}:{}:destination:{name}", caller.region, caller.account_id)
}

/// Where a region's destinations are kept.
pub(crate) fn destinations<'a>(state: &'a CloudWatchLogs, caller: &Caller) -> Shelf<'a> {
    let kind = DocumentKind::LogsDestination;
    Shelf::new(&state.intake.settings, caller.environment, kind, caller.region.as_str())
}

/// The URL that an ARN stands for.
pub(crate) async fn resolve(state: &CloudWatchLogs, caller: &Caller, arn: &str) -> Result<url::Url, Error> {
    let refused = |error: tracery_outbound::OutboundError| invalid(format!("destinationArn: {error}."));
    match Target::read(caller, arn) {
        Some(Target::Webhook(url)) => state.outbound.target(url).map_err(refused),
        Some(Target::Destination(name)) => {
            let found = destinations(state, caller).find::<Destination>(name).await?;
            let found = found.ok_or_else(|| invalid("The specified destination does not exist."))?;
            match Target::read(caller, &found.value.target_arn) {
                Some(Target::Webhook(url)) => state.outbound.target(url).map_err(refused),
                _ => Err(invalid(NO_TARGET)),
            }
        }
        None => Err(invalid(NO_TARGET)),
    }
}

#[cfg(test)]
mod tests {
    use tracery_model::EnvironmentId;

    use super::*;

    #[test]
    fn an_arn_names_a_webhook_or_a_destination_of_the_own_account() {
        let caller = Caller::new(EnvironmentId(7), "eu-west-1");
        for (arn, target) in [
            (
                "arn:tracery:webhook:::https://example.com/a:b",
                Some(Target::Webhook("https://example.com/a:b")),
            ),
            ("arn:aws:logs:eu-west-1:100000000007:destination:d", Some(Target::Destination("d"))),
            ("arn:aws:logs:eu-west-1:100000000007:destination:", None),
            ("arn:aws:logs:us-east-1:100000000007:destination:d", None),
            ("arn:aws:logs:eu-west-1:100000000008:destination:d", None),
            ("arn:aws:lambda:eu-west-1:100000000007:function:f", None),
            ("https://example.com", None),
            ("", None),
        ] {
            assert_eq!(Target::read(&caller, arn), target, "{arn}");
        }
    }
}
