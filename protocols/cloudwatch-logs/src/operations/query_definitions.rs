//! Saved queries: PutQueryDefinition, DescribeQueryDefinitions and DeleteQueryDefinition. They are kept as documents of the
//! region. A query with parameters is kept as it is written, because nothing runs it by its name.

use serde::{Deserialize, Serialize};
use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    DeleteQueryDefinitionRequest, DeleteQueryDefinitionResponse, DescribeQueryDefinitionsRequest,
    DescribeQueryDefinitionsResponse, PutQueryDefinitionRequest, PutQueryDefinitionResponse, QueryDefinition,
    QueryLanguage, QueryParameter,
};
use tracery_settings::DocumentKind;
use uuid::Uuid;

use super::kept::{Added, Shelf};
use super::pages::page;
use super::queries::{cited, size};
use super::{invalid, limit_exceeded, not_found};
use crate::{Caller, CloudWatchLogs};

const PAGE_MAX: usize = 1_000;
const PARAMETERS_MAX: usize = 20;

/// What is kept of one; its id is the document's.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Saved {
    name: String,
    query: String,
    language: QueryLanguage,
    groups: Vec<String>,
    parameters: Vec<QueryParameter>,
    /// The token of the request that made it: the same request made again makes no second one.
    token: Option<String>,
}

fn shelf<'a>(state: &'a CloudWatchLogs, caller: &Caller) -> Shelf<'a> {
    let settings = &state.intake.settings;
    Shelf::new(settings, caller.environment, DocumentKind::LogsQueryDefinition, caller.region.as_str())
}

pub(super) async fn put_query_definition(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: PutQueryDefinitionRequest,
) -> Result<PutQueryDefinitionResponse, Error> {
    let parameters = call.parameters.unwrap_or_default();
    let language = call.query_language.unwrap_or(QueryLanguage::Cwli);
    check_parameters(&parameters, language, &call.query_string)?;
    let shelf = shelf(state, caller);
    let mut saved = Saved {
        name: call.name,
        query: call.query_string,
        language,
        groups: call.log_group_names.unwrap_or_default(),
        parameters,
        token: call.client_token,
    };
    if let Some(id) = call.query_definition_id {
        let found = shelf.get::<Saved>(&id).await?.ok_or_else(|| unknown(&id))?;
        saved.token = found.value.token;
        if !shelf.replace(&id, None, &saved).await? {
            return Err(unknown(&id));
        }
        return Ok(PutQueryDefinitionResponse { query_definition_id: Some(id) });
    }
    if saved.token.is_some() {
        let known = shelf.all::<Saved>().await?;
        if let Some(same) = known.into_iter().find(|kept| kept.value.token == saved.token) {
            return Ok(PutQueryDefinitionResponse { query_definition_id: Some(same.id) });
        }
    }
    match shelf.add(Some(Uuid::new_v4().to_string()), None, &saved).await? {
        Added::Made(id) => Ok(PutQueryDefinitionResponse { query_definition_id: Some(id) }),
        Added::Exists | Added::Full => Err(limit_exceeded()),
    }
}

fn check_parameters(
    parameters: &[QueryParameter],
    language: QueryLanguage,
    query: &str,
) -> Result<(), Error> {
    if parameters.is_empty() {
        return Ok(());
    }
    if language != QueryLanguage::Cwli {
        return Err(invalid("Only queries in CWLI can have parameters."));
    }
    if parameters.len() > PARAMETERS_MAX {
        return Err(invalid(format!("A query can have at most {PARAMETERS_MAX} parameters.")));
    }
    for (idx, parameter) in parameters.iter().enumerate() {
        let name = parameter.name.as_str();
        if parameters[..idx].iter().any(|other| other.name == name) {
            return Err(invalid(format!("The parameter {} is given twice.", cited(name))));
        }
        if !query.contains(&format!("{{{{{name}}}}}")) {
            return Err(invalid(format!("The query does not use the parameter {}.", cited(name))));
        }
    }
    Ok(())
}

pub(super) async fn describe_query_definitions(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DescribeQueryDefinitionsRequest,
) -> Result<DescribeQueryDefinitionsResponse, Error> {
    let mut found = shelf(state, caller).all::<Saved>().await?;
    let prefix = call.query_definition_name_prefix.as_deref().unwrap_or_default();
    found.retain(|kept| kept.value.name.starts_with(prefix));
    found.retain(|kept| call.query_language.is_none_or(|language| language == kept.value.language));
    found.sort_by(|left, right| (&left.value.name, &left.id).cmp(&(&right.value.name, &right.id)));
    let max = size(call.max_results, PAGE_MAX);
    let (found, next_token) = page("query-definitions", found, call.next_token.as_deref(), max)?;
    let shown = found.into_iter().map(|kept| QueryDefinition {
        query_language: Some(kept.value.language),
        query_definition_id: Some(kept.id),
        name: Some(kept.value.name),
        query_string: Some(kept.value.query),
        last_modified: Some(kept.updated_ms),
        log_group_names: Some(kept.value.groups),
        parameters: (!kept.value.parameters.is_empty()).then_some(kept.value.parameters),
    });
    Ok(DescribeQueryDefinitionsResponse { query_definitions: Some(shown.collect()), next_token })
}

pub(super) async fn delete_query_definition(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DeleteQueryDefinitionRequest,
) -> Result<DeleteQueryDefinitionResponse, Error> {
    if !shelf(state, caller).remove(&call.query_definition_id).await? {
        return Err(unknown(&call.query_definition_id));
    }
    Ok(DeleteQueryDefinitionResponse { success: Some(true) })
}

fn unknown(id: &str) -> Error {
    not_found(format!("The query definition {} does not exist.", cited(id)))
}
