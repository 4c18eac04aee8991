//! Metric filters: put, listed, deleted, and tried on messages. What they do with events is in `ingest`.

use std::collections::BTreeMap;

use tracery_aws_wire::Error;
use tracery_aws_wire::logs::{
    DeleteMetricFilterRequest, DescribeMetricFiltersRequest, DescribeMetricFiltersResponse, MetricFilter,
    MetricFilterMatchRecord, MetricTransformation, PutMetricFilterRequest, TestMetricFilterRequest,
    TestMetricFilterResponse,
};
use tracery_settings::LogGroup;

use super::kept::Kept;
use super::live_tail::pattern;
use super::pages::page_by_name;
use super::{invalid, limit_exceeded, not_found};
use crate::filters::{StoredMetricFilter, document_name, shelf};
use crate::names::find_group;
use crate::{Caller, CloudWatchLogs};

/// Filters that one group may have.
const FILTERS_MAX: usize = 100;
const DIMENSIONS_MAX: usize = 3;
const PAGE_DEFAULT: i32 = 50;
const LIST: &str = "metric-filters";
const NO_FILTER: &str = "The specified metric filter does not exist.";
const STANDARD: &str = "STANDARD";

pub(super) async fn put_metric_filter(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: PutMetricFilterRequest,
) -> Result<(), Error> {
    pattern(&call.filter_pattern)?;
    call.metric_transformations.iter().try_for_each(check)?;
    if call.field_selection_criteria.is_some() || call.emit_system_field_dimensions.is_some() {
        return Err(invalid(
            "Metric filters have no fieldSelectionCriteria and no emitSystemFieldDimensions here.",
        ));
    }
    let group = find_group(state, caller, &call.log_group_name).await?;
    if group.class != STANDARD {
        return Err(invalid(format!("Log groups of class {} have no metric filters.", group.class)));
    }
    let _changing = state.changes.lock().await;
    let shelf = shelf(state, caller);
    let name = document_name(&group.name, &call.filter_name);
    let stored = StoredMetricFilter {
        group_id: group.id.clone(),
        created_ms: state.intake.clock.now_ms(),
        filter: call,
    };
    let known = shelf.find::<StoredMetricFilter>(&name).await?;
    if known.is_none() {
        let all = shelf.all::<StoredMetricFilter>().await?;
        if all.iter().filter(|known| known.value.group_id == group.id).count() >= FILTERS_MAX {
            return Err(limit_exceeded());
        }
    }
    shelf.put(known.as_ref(), &name, &stored).await?;
    state.filters.forget(caller);
    Ok(())
}

/// What the model does not say of a transformation.
fn check(transformation: &MetricTransformation) -> Result<(), Error> {
    let dimensions = transformation.dimensions.as_ref().map_or(0, BTreeMap::len);
    if dimensions > DIMENSIONS_MAX {
        return Err(invalid("A metric transformation has at most 3 dimensions."));
    }
    if dimensions > 0 && transformation.default_value.is_some() {
        return Err(invalid("A metric transformation with dimensions has no default value."));
    }
    if transformation.metric_name.is_empty() || transformation.metric_namespace.is_empty() {
        return Err(invalid("A metric has a name and a namespace."));
    }
    let value = &transformation.metric_value;
    if value.is_empty() || !value.starts_with('$') && value.trim().parse::<f64>().is_err() {
        return Err(invalid("metricValue must be a number, a selector like $.size or a field like $size."));
    }
    Ok(())
}

pub(super) async fn delete_metric_filter(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DeleteMetricFilterRequest,
) -> Result<(), Error> {
    let group = find_group(state, caller, &call.log_group_name).await?;
    let _changing = state.changes.lock().await;
    let shelf = shelf(state, caller);
    let known = shelf.find::<StoredMetricFilter>(&document_name(&group.name, &call.filter_name)).await?;
    let known = known.filter(|known| known.value.group_id == group.id).ok_or_else(|| not_found(NO_FILTER))?;
    shelf.remove(&known.id).await?;
    state.filters.forget(caller);
    Ok(())
}

/// A deleted group has no filters any more.
pub(super) async fn forget_group(
    state: &CloudWatchLogs,
    caller: &Caller,
    group: &LogGroup,
) -> Result<(), Error> {
    shelf(state, caller).remove_all(|stored: &StoredMetricFilter| stored.group_id == group.id).await?;
    state.filters.forget(caller);
    Ok(())
}

pub(super) async fn describe_metric_filters(
    state: &CloudWatchLogs,
    caller: &Caller,
    call: DescribeMetricFiltersRequest,
) -> Result<DescribeMetricFiltersResponse, Error> {
    let group = match &call.log_group_name {
        Some(name) => Some(find_group(state, caller, name).await?),
        None => None,
    };
    let count = usize::try_from(call.limit.unwrap_or(PAGE_DEFAULT)).unwrap_or(0);
    let is_wanted = |stored: &StoredMetricFilter| {
        let metric = stored.filter.metric_transformations.first();
        let is = |wanted: &Option<String>, found: Option<&String>| {
            wanted.as_ref().is_none_or(|wanted| Some(wanted) == found)
        };
        group.as_ref().is_none_or(|group| group.id == stored.group_id)
            && call
                .filter_name_prefix
                .as_ref()
                .is_none_or(|prefix| stored.filter.filter_name.starts_with(prefix))
            && is(&call.metric_name, metric.map(|metric| &metric.metric_name))
            && is(&call.metric_namespace, metric.map(|metric| &metric.metric_namespace))
    };
    let mut found = shelf(state, caller).all::<StoredMetricFilter>().await?;
    found.retain(|kept| is_wanted(&kept.value));
    let (found, next_token) = page_by_name(LIST, found, call.next_token.as_deref(), count)?;
    Ok(DescribeMetricFiltersResponse {
        metric_filters: Some(found.into_iter().map(wire).collect()),
        next_token,
    })
}

fn wire(kept: Kept<StoredMetricFilter>) -> MetricFilter {
    let StoredMetricFilter { created_ms, filter, .. } = kept.value;
    MetricFilter {
        filter_name: Some(filter.filter_name),
        filter_pattern: Some(filter.filter_pattern),
        metric_transformations: Some(filter.metric_transformations),
        creation_time: Some(created_ms),
        log_group_name: Some(filter.log_group_name),
        apply_on_transformed_logs: Some(filter.apply_on_transformed_logs.unwrap_or(false)),
        field_selection_criteria: filter.field_selection_criteria,
        emit_system_field_dimensions: filter.emit_system_field_dimensions,
    }
}

pub(super) async fn test_metric_filter(
    _: &CloudWatchLogs,
    _: &Caller,
    call: TestMetricFilterRequest,
) -> Result<TestMetricFilterResponse, Error> {
    let pattern = pattern(&call.filter_pattern)?;
    let messages = (1..).zip(call.log_event_messages);
    let matches = messages.filter(|(_, message)| pattern.matches(message)).map(|(number, message)| {
        let extracted_values = Some(pattern.extract(&message).into_iter().collect());
        MetricFilterMatchRecord { event_number: Some(number), event_message: Some(message), extracted_values }
    });
    Ok(TestMetricFilterResponse { matches: Some(matches.collect()) })
}
