//! Names and ARNs of groups and streams. Operations find here the group that a request names, by its name or by either form
//! of its ARN.

use std::sync::Arc;

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::errors;
use tracery_settings::{LogGroup, LogRegion, LogStream};

use crate::operations::{invalid, not_found, unavailable};
use crate::{Caller, CloudWatchLogs};

const NO_GROUP: &str = "The specified log group does not exist.";
const NO_STREAM: &str = "The specified log stream does not exist.";

/// The ARN of a group, as it stands in `logGroupArn`; `arn` has `:*` behind it.
pub(crate) fn group_arn(caller: &Caller, name: &str) -> String {
    format!("arn:aws:logs:{}:{}:log-group:{name}", caller.region, caller.account_id)
}

pub(crate) fn stream_arn(caller: &Caller, group: &str, stream: &str) -> String {
    format!("{}:log-stream:{stream}", group_arn(caller, group))
}

/// Where the caller's groups live.
pub(crate) fn region(caller: &Caller) -> LogRegion<'_> {
    LogRegion { environment: caller.environment, region: &caller.region }
}

/// The name of the group that an identifier names: itself, or what an ARN of the caller's account and region says, with or
/// without `:*`.
pub(crate) fn group_name<'a>(caller: &Caller, identifier: &'a str) -> Result<&'a str, Error> {
    if !identifier.starts_with("arn:") {
        return match identifier.contains(':') {
            true => Err(invalid(format!("{identifier} is no log group name and no ARN."))),
            false => Ok(identifier),
        };
    }
    let mut parts = identifier.splitn(7, ':').skip(2);
    let [service, region, account, kind, name] = std::array::from_fn(|_| parts.next().unwrap_or_default());
    let name = name.strip_suffix(":*").unwrap_or(name);
    if service != "logs" || kind != "log-group" || name.is_empty() || name.contains(':') {
        return Err(invalid(format!("{identifier} is not the ARN of a log group.")));
    }
    match region == caller.region && account == caller.account_id {
        true => Ok(name),
        false => Err(not_found(NO_GROUP)),
    }
}

/// The caller's group of a name.
pub(crate) async fn find_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    name: &str,
) -> Result<Arc<LogGroup>, Error> {
    let found = state.intake.settings.log_group(region(caller), name).await.map_err(unavailable)?;
    found.ok_or_else(|| not_found(NO_GROUP))
}

/// The caller's group that a request names in one of two ways.
pub(crate) async fn one_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    name: Option<&str>,
    identifier: Option<&str>,
) -> Result<Arc<LogGroup>, Error> {
    let name = match (name, identifier) {
        (Some(_), Some(_)) => {
            let message = "LogGroup name and LogGroup ARN are mutually exclusive parameters.";
            return Err(Error::new(&errors::VALIDATION_EXCEPTION, message));
        }
        (Some(name), None) => name,
        (None, Some(identifier)) => group_name(caller, identifier)?,
        (None, None) => return Err(invalid("Either logGroupName or logGroupIdentifier must be given.")),
    };
    find_group(state, caller, name).await
}

/// A group's stream of a name.
pub(crate) async fn find_stream(
    state: &CloudWatchLogs,
    group: &LogGroup,
    name: &str,
) -> Result<Arc<LogStream>, Error> {
    let found = state.intake.settings.log_stream(&group.id, name).await.map_err(unavailable)?;
    found.ok_or_else(|| not_found(NO_STREAM))
}

#[cfg(test)]
mod tests {
    use tracery_model::EnvironmentId;

    use super::*;

    #[test]
    fn a_group_is_named_by_its_name_and_both_forms_of_its_arn() {
        let caller = Caller::new(EnvironmentId(7), "eu-west-1");
        let arn = group_arn(&caller, "/aws/a#b");
        assert_eq!(arn, "arn:aws:logs:eu-west-1:100000000007:log-group:/aws/a#b");
        for (identifier, found) in [
            ("/aws/a#b", Ok("/aws/a#b")),
            (arn.as_str(), Ok("/aws/a#b")),
            (&format!("{arn}:*"), Ok("/aws/a#b")),
            ("arn:aws:logs:us-east-1:100000000007:log-group:g", Err("ResourceNotFoundException")),
            ("arn:aws:logs:eu-west-1:100000000008:log-group:g", Err("ResourceNotFoundException")),
            ("arn:aws:logs:eu-west-1:100000000007:destination:g", Err("InvalidParameterException")),
            ("arn:aws:xray:eu-west-1:100000000007:log-group:g", Err("InvalidParameterException")),
            (
                "arn:aws:logs:eu-west-1:100000000007:log-group:g:log-stream:s",
                Err("InvalidParameterException"),
            ),
            ("arn:aws:logs", Err("InvalidParameterException")),
            ("a:b", Err("InvalidParameterException")),
        ] {
            let named = group_name(&caller, identifier);
            let named = named.as_ref().map_err(|error| error.code.as_ref()).copied();
            assert_eq!(named, found, "{identifier}");
        }
    }
}
