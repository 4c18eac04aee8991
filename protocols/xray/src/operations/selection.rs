//! What operations that select traces have in common: time ranges, trace ids, groups and filter expressions as clients spell
//! them, and the errors for those that are none.

use tracery_aws_wire::{EpochSeconds, Error};
use tracery_model::{TimeRange, TraceId};
use tracery_query::QueryError;
use tracery_query::languages::xray::{Expression, Group, Term, parse};

use super::{groups, invalid};
use crate::{Caller, XRay};

pub(crate) fn bad_token() -> Error {
    invalid("NextToken is not one of this operation")
}

/// A question's failure: the asker's own in words, anything else in the log.
pub(crate) fn failed(error: QueryError) -> Error {
    match error {
        QueryError::Invalid(reason) | QueryError::Limit(reason) => invalid(reason),
        QueryError::Engine(_) | QueryError::Store(_) => {
            tracing::error!(error = &error as &dyn std::error::Error, "a question about traces failed");
            Error::internal()
        }
    }
}

pub(crate) fn time(start: EpochSeconds, end: EpochSeconds) -> Result<TimeRange, Error> {
    let time = TimeRange::new(start.as_ns(), end.as_ns());
    match time.start_ns < time.end_ns {
        true => Ok(time),
        false => Err(invalid("StartTime must lie before EndTime")),
    }
}

/// `1-` 8 digits `-` 24 digits, or 32 digits as OpenTelemetry writes them.
pub(crate) fn trace_id(text: &str) -> Result<TraceId, Error> {
    let bare = match text.strip_prefix("1-").and_then(|rest| rest.split_once('-')) {
        Some((epoch, rest)) if epoch.len() == 8 && rest.len() == 24 => format!("{epoch}{rest}"),
        _ => text.to_owned(),
    };
    TraceId::from_hex(&bare.to_ascii_lowercase()).ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        invalid(format!("{shown:?} is no trace id"))
    })
}

/// A trace id as this API writes it.
pub(crate) fn trace_id_text(id: TraceId) -> String {
    let hex = id.to_string();
    format!("1-{}-{}", &hex[..8], &hex[8..])
}

/// A filter expression of a client. Absent and empty ones are none.
pub(crate) fn expression(text: Option<&str>) -> Result<Option<Expression>, Error> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => {
            parse(text).map(Some).map_err(|error| invalid(format!("Invalid filter expression: {error}")))
        }
    }
}

/// The groups that an expression may name, with their own expressions; none are read when it names none.
pub(crate) async fn named_groups(
    state: &XRay,
    caller: &Caller,
    expression: Option<&Expression>,
) -> Result<Vec<(Group, Expression)>, Error> {
    if !expression.is_some_and(names_groups) {
        return Ok(Vec::new());
    }
    let mut named = Vec::new();
    for group in groups::groups(state, caller).await? {
        // The default group takes every trace.
        let everything = Expression::All(Vec::new());
        let expression = self::expression(group.expression.as_deref())?.unwrap_or(everything);
        named.push((Group { name: group.name, arn: group.arn }, expression));
    }
    Ok(named)
}

fn names_groups(expression: &Expression) -> bool {
    match expression {
        Expression::All(parts) | Expression::Any(parts) => parts.iter().any(names_groups),
        Expression::Not(inner) => names_groups(inner),
        Expression::Term(term) => matches!(term, Term::Group { .. }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_of_a_trace_id_are_read() {
        let hex = "5759e988bd862e3fe1be46a994272793";
        let id = trace_id("1-5759e988-bd862e3fe1be46a994272793").unwrap();
        assert_eq!(id.to_string(), hex);
        assert_eq!(trace_id(hex), Ok(id));
        assert_eq!(trace_id("1-5759E988-BD862E3FE1BE46A994272793"), Ok(id));
        assert_eq!(trace_id_text(id), "1-5759e988-bd862e3fe1be46a994272793");
        for text in ["", "1-", "1-5759e988-", "1-5759e98-8bd862e3fe1be46a994272793", "é", &"0".repeat(32)] {
            assert_eq!(trace_id(text).unwrap_err().code, "InvalidRequestException", "{text}");
        }
    }

    #[test]
    fn an_expression_that_is_none_says_where() {
        assert_eq!(expression(None), Ok(None));
        assert_eq!(expression(Some("  ")), Ok(None));
        let error = expression(Some("fault AND colour")).unwrap_err();
        assert!(error.message.unwrap().contains("at 10"));
    }
}
