//! The service map over the API: `GetServiceGraph`, `GetTraceGraph` and `GetTimeSeriesServiceStatistics`. Graph and series
//! count the same requests; a node's reference id is its place in the order of names, so that pages agree.

use std::collections::BTreeMap;

use tracery_aws_wire::xray::{
    Edge, EdgeStatistics, ErrorStatistics, FaultStatistics, ForecastStatistics, GetServiceGraphRequest,
    GetServiceGraphResult, GetTimeSeriesServiceStatisticsRequest, GetTimeSeriesServiceStatisticsResult,
    GetTraceGraphRequest, GetTraceGraphResult, HistogramEntry, Service, ServiceStatistics,
    TimeSeriesServiceStatistics,
};
use tracery_aws_wire::{EpochSeconds, Error};
use tracery_model::TimeRange;
use tracery_query::languages::xray::{Expression, Term, parse};
use tracery_query::questions::xray::{
    Entity, Filter, Histogram, MapEdge, MapNode, RootCauses, ServiceMap, Statistics, series, service_map,
    trace_map,
};

use super::selection::{self, failed};
use super::summaries::Assembled;
use super::{groups, invalid};
use crate::{Caller, XRay};

/// Nodes of one page.
const PAGE_NODES: usize = 1_000;
/// Traces of one trace graph.
const TRACES_MAX: usize = 100;
const SECOND_NS: i64 = 1_000_000_000;
/// The longest period of a series.
const PERIOD_S_MAX: i64 = 86_400;
const PERIOD_S: i64 = 60;
/// Periods of one page of a series, and of a whole one.
const PAGE_PERIODS: i64 = 1_440;
const PERIODS_MAX: i64 = 100_000;
/// Periods that a forecast looks back on, and the deviations from their mean that it allows.
const FORECAST_PERIODS: i64 = 30;
const FORECAST_DEVIATIONS: f64 = 3.0;

pub(crate) async fn get_service_graph(
    state: &XRay,
    caller: &Caller,
    call: GetServiceGraphRequest,
) -> Result<GetServiceGraphResult, Error> {
    let time = selection::time(call.start_time, call.end_time)?;
    let offset = offset(call.next_token.as_deref())?;
    let group = Grouped::of(state, caller, call.group_name, call.group_arn).await?;
    let assembled = Assembled { state, caller };
    let contains_old_group_versions = Some(group.changed_within(time));
    let environment = caller.environment;
    let causes: Option<&dyn RootCauses> = Some(&assembled);
    let map =
        service_map(&state.context, &state.events, environment, time, group.filter, causes, &state.maps);
    let (services, next_token) = page(&map.await.map_err(failed)?, offset);
    Ok(GetServiceGraphResult {
        start_time: Some(call.start_time),
        end_time: Some(call.end_time),
        services: Some(services),
        contains_old_group_versions,
        next_token,
    })
}

pub(crate) async fn get_trace_graph(
    state: &XRay,
    caller: &Caller,
    call: GetTraceGraphRequest,
) -> Result<GetTraceGraphResult, Error> {
    if call.trace_ids.len() > TRACES_MAX {
        return Err(invalid(format!("a trace graph shows at most {TRACES_MAX} traces")));
    }
    let offset = offset(call.next_token.as_deref())?;
    let traces = call.trace_ids.iter().map(|id| selection::trace_id(id));
    let traces = traces.collect::<Result<Vec<_>, Error>>()?;
    let map = trace_map(&state.context, &state.events, caller.environment, &traces, TimeRange::ALL);
    let (services, next_token) = page(&map.await.map_err(failed)?, offset);
    Ok(GetTraceGraphResult { services: Some(services), next_token })
}

/// A group, or everything.
struct Grouped {
    filter: Filter,
    /// When the group's expression was last replaced.
    changed_ms: i64,
}

impl Grouped {
    async fn of(
        state: &XRay,
        caller: &Caller,
        name: Option<String>,
        arn: Option<String>,
    ) -> Result<Self, Error> {
        let account_id = caller.account_id.clone();
        let group = groups::group(state, caller, name.as_deref(), arn.as_deref()).await?;
        let expression = selection::expression(group.as_ref().and_then(|group| group.expression.as_deref()))?;
        let groups = selection::named_groups(state, caller, expression.as_ref()).await?;
        let changed_ms = group.map_or(0, |group| group.expression_changed_ms);
        Ok(Self { filter: Filter { expression, groups, account_id }, changed_ms })
    }

    /// Whether traces of the range came while the group had another expression, and others while it had this one.
    fn changed_within(&self, time: TimeRange) -> bool {
        time.contains(self.changed_ms.saturating_mul(1_000_000))
    }
}

fn offset(token: Option<&str>) -> Result<usize, Error> {
    token.map_or(Ok(0), |token| token.parse().map_err(|_| selection::bad_token()))
}

fn page(map: &ServiceMap, offset: usize) -> (Vec<Service>, Option<String>) {
    let end = offset.saturating_add(PAGE_NODES).min(map.nodes.len());
    let mut edges: BTreeMap<usize, Vec<Edge>> = BTreeMap::new();
    for edge in &map.edges {
        edges.entry(edge.from_idx).or_default().push(wire_edge(edge));
    }
    let nodes = map.nodes.iter().enumerate().take(end).skip(offset);
    let services = nodes.map(|(idx, node)| wire_node(idx, node, edges.remove(&idx).unwrap_or_default()));
    let services = services.collect();
    (services, (end < map.nodes.len()).then(|| end.to_string()))
}

fn wire_node(idx: usize, node: &MapNode, edges: Vec<Edge>) -> Service {
    let (start_time, end_time) = whole_seconds(node.traffic.span_ns);
    let histogram = (!node.is_client).then(|| histogram(&node.traffic.statistics.times));
    Service {
        reference_id: reference_id(idx),
        name: Some(node.node.name.clone()),
        names: Some(vec![node.node.name.clone()]),
        root: node.is_root.then_some(true),
        account_id: Some(node.node.account_id.clone()).filter(|account| !account.is_empty()),
        r#type: Some(node.node.r#type.clone()),
        state: Some(if node.reports { "active" } else { "unknown" }.to_owned()),
        start_time,
        end_time,
        edges: Some(edges),
        summary_statistics: (!node.is_client).then(|| of_service(&node.traffic.statistics)),
        duration_histogram: histogram.clone(),
        response_time_histogram: histogram,
    }
}

fn wire_edge(edge: &MapEdge) -> Edge {
    let (start_time, end_time) = whole_seconds(edge.traffic.span_ns);
    Edge {
        reference_id: reference_id(edge.to_idx),
        start_time,
        end_time,
        summary_statistics: Some(of_edge(&edge.traffic.statistics)),
        response_time_histogram: (!edge.is_link).then(|| histogram(&edge.traffic.statistics.times)),
        aliases: Some(Vec::new()),
        edge_type: edge.is_link.then(|| "link".to_owned()),
        received_event_age_histogram: edge.is_link.then(|| histogram(&edge.ages)),
    }
}

fn reference_id(idx: usize) -> Option<i32> {
    Some(i32::try_from(idx).unwrap_or(i32::MAX))
}

/// The whole seconds around a span of time.
fn whole_seconds(span_ns: Option<(i64, i64)>) -> (Option<EpochSeconds>, Option<EpochSeconds>) {
    let second = |ns: i64| EpochSeconds::from_ns(ns.saturating_mul(SECOND_NS));
    let up = |ns: i64| ns.div_euclid(SECOND_NS) + i64::from(ns.rem_euclid(SECOND_NS) > 0);
    let span = span_ns.map(|(start, end)| (second(start.div_euclid(SECOND_NS)), second(up(end))));
    span.unzip()
}

fn count(number: u64) -> Option<i64> {
    Some(i64::try_from(number).unwrap_or(i64::MAX))
}

fn errors(statistics: &Statistics) -> Option<ErrorStatistics> {
    Some(ErrorStatistics {
        throttle_count: count(statistics.throttle_count),
        other_count: count(statistics.error_count),
        total_count: count(statistics.throttle_count + statistics.error_count),
    })
}

fn faults(statistics: &Statistics) -> Option<FaultStatistics> {
    Some(FaultStatistics {
        other_count: count(statistics.fault_count),
        total_count: count(statistics.fault_count),
    })
}

/// Seconds, to the microsecond.
fn response_time(statistics: &Statistics) -> Option<f64> {
    Some((statistics.time_ns / 1_000) as f64 / 1e6)
}

fn of_service(statistics: &Statistics) -> ServiceStatistics {
    ServiceStatistics {
        ok_count: count(statistics.ok_count),
        error_statistics: errors(statistics),
        fault_statistics: faults(statistics),
        total_count: count(statistics.count()),
        total_response_time: response_time(statistics),
    }
}

fn of_edge(statistics: &Statistics) -> EdgeStatistics {
    EdgeStatistics {
        ok_count: count(statistics.ok_count),
        error_statistics: errors(statistics),
        fault_statistics: faults(statistics),
        total_count: count(statistics.count()),
        total_response_time: response_time(statistics),
    }
}

fn histogram(histogram: &Histogram) -> Vec<HistogramEntry> {
    let entries = histogram.entries();
    let entry = |(seconds, count)| HistogramEntry {
        value: Some(seconds),
        count: Some(i32::try_from(count).unwrap_or(i32::MAX)),
    };
    entries.map(entry).collect()
}

pub(crate) async fn get_time_series_service_statistics(
    state: &XRay,
    caller: &Caller,
    call: GetTimeSeriesServiceStatisticsRequest,
) -> Result<GetTimeSeriesServiceStatisticsResult, Error> {
    let time = selection::time(call.start_time, call.end_time)?;
    let period_s = call.period.map_or(PERIOD_S, i64::from);
    if !(1..=PERIOD_S_MAX).contains(&period_s) {
        return Err(invalid(format!("Period must lie between 1 and {PERIOD_S_MAX} seconds")));
    }
    let period_ns = period_s * SECOND_NS;
    let entities = entities(call.entity_selector_expression.as_deref())?;
    let is_service = entities.iter().any(|entity| matches!(entity, Entity::Service(_)));
    let group = Grouped::of(state, caller, call.group_name, call.group_arn).await?;
    let contains_old_group_versions = Some(group.changed_within(time));
    let assembled = Assembled { state, caller };
    let first_ns = match call.next_token {
        None => time.start_ns,
        Some(token) => {
            let next_ns: i64 = token.parse().map_err(|_| selection::bad_token())?;
            if !time.contains(next_ns) {
                return Err(selection::bad_token());
            }
            next_ns
        }
    };
    let last = time.end_ns.saturating_sub(1).div_euclid(period_ns);
    let first = first_ns.div_euclid(period_ns);
    if last.saturating_sub(first) >= PERIODS_MAX {
        return Err(invalid(format!("a series has at most {PERIODS_MAX} periods; take longer ones")));
    }
    let next = (first + PAGE_PERIODS).min(last + 1);
    let end_ns = next.saturating_mul(period_ns).min(time.end_ns);
    let forecasts = call.forecast_statistics == Some(true);
    let past = if forecasts { FORECAST_PERIODS } else { 0 };
    let from_ns = match past {
        0 => first_ns,
        _ => (first - past).saturating_mul(period_ns),
    };
    let scanned = TimeRange::new(from_ns, end_ns);
    let (environment, filter) = (caller.environment, (group.filter, Some(&assembled as &dyn RootCauses)));
    let sums = series(&state.context, &state.events, environment, (scanned, period_ns), entities, filter);
    let sums = sums.await.map_err(failed)?;
    let nothing = Statistics::default();
    let of_period = |number: i64| sums.get(&(number * period_ns)).unwrap_or(&nothing);
    let points = (first..next).map(|number| {
        let statistics = of_period(number);
        TimeSeriesServiceStatistics {
            timestamp: Some(EpochSeconds::from_ns(number * period_ns)),
            edge_summary_statistics: (!is_service).then(|| of_edge(statistics)),
            service_summary_statistics: is_service.then(|| of_service(statistics)),
            service_forecast_statistics: forecasts.then(|| {
                let before = (number - past..number).map(|number| of_period(number).fault_count as f64);
                forecast(&before.collect::<Vec<_>>())
            }),
            response_time_histogram: Some(histogram(&statistics.times)),
        }
    });
    Ok(GetTimeSeriesServiceStatisticsResult {
        time_series_service_statistics: Some(points.collect()),
        contains_old_group_versions,
        next_token: (next <= last).then(|| (next * period_ns).to_string()),
    })
}

/// The counts between which a period's faults are expected, by those of the periods before it.
fn forecast(faults: &[f64]) -> ForecastStatistics {
    let number = faults.len().max(1) as f64;
    let mean = faults.iter().sum::<f64>() / number;
    let variance = faults.iter().map(|count| (count - mean).powi(2)).sum::<f64>() / number;
    let width = FORECAST_DEVIATIONS * variance.sqrt();
    ForecastStatistics {
        fault_count_high: Some((mean + width).ceil() as i64),
        fault_count_low: Some((mean - width).floor().max(0.0) as i64),
    }
}

/// What a series is about: `service()`, `edge()` or `id()`, several of them with OR, and nothing else.
fn entities(expression: Option<&str>) -> Result<Vec<Entity>, Error> {
    let Some(text) = expression.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(vec![Entity::Entries]);
    };
    // A bare `id()` is a service.
    let bare = text.get(..2).is_some_and(|word| word.eq_ignore_ascii_case("id"));
    let wrapped = if bare { format!("service({text})") } else { text.to_owned() };
    let expression =
        parse(&wrapped).map_err(|error| invalid(format!("EntitySelectorExpression is not one: {error}")))?;
    let parts = match expression {
        Expression::Any(parts) => parts,
        one => vec![one],
    };
    let entity = |part: Expression| match part {
        Expression::Term(Term::Service { selector, inside: None }) => Ok(Entity::Service(selector)),
        Expression::Term(Term::Edge { from, to, inside: None }) => Ok(Entity::Edge { from, to }),
        _ => Err(invalid("EntitySelectorExpression takes service(), edge() and id() only".to_owned())),
    };
    parts.into_iter().map(entity).collect()
}

#[cfg(test)]
mod tests {
    use tracery_query::questions::xray::{Node, Traffic};

    use super::*;

    #[test]
    fn selectors_are_nodes_and_edges() {
        for (text, count) in [
            (None, 1),
            (Some(""), 1),
            (Some("service(\"a\")"), 1),
            (Some("id(name: \"a\", type: \"AWS::EC2::Instance\")"), 1),
            (Some("edge(id(name: \"a\"), \"b\") OR service(\"c\")"), 2),
        ] {
            assert_eq!(entities(text).map(|entities| entities.len()), Ok(count), "{text:?}");
        }
        for text in ["fault", "service(\"a\") { fault }", "service(\"a\") AND service(\"b\")", "service("] {
            let error = entities(Some(text)).unwrap_err();
            assert_eq!((error.code.as_ref(), error.status), ("InvalidRequestException", 400), "{text}");
        }
    }

    #[test]
    fn a_forecast_is_around_the_mean_and_never_negative() {
        let of = |faults: &[f64]| {
            let forecast = forecast(faults);
            (forecast.fault_count_low, forecast.fault_count_high)
        };
        assert_eq!(of(&[]), (Some(0), Some(0)));
        assert_eq!(of(&[4.0; 10]), (Some(4), Some(4)));
        assert_eq!(of(&[0.0, 10.0]), (Some(0), Some(20)));
    }

    #[test]
    fn times_are_the_whole_seconds_around() {
        let (start, end) = whole_seconds(Some((1_500_000_000, 2_000_000_001)));
        assert_eq!((start, end), (Some(EpochSeconds(1.0)), Some(EpochSeconds(3.0))));
        assert_eq!(whole_seconds(Some((2 * SECOND_NS, 2 * SECOND_NS))).1, Some(EpochSeconds(2.0)));
    }

    #[test]
    fn clients_have_an_edge_and_no_numbers_and_others_have_both_lists() {
        let node = |name: &str, r#type: &str, is_client: bool| MapNode {
            node: Node { name: name.to_owned(), r#type: r#type.to_owned(), account_id: String::new() },
            is_root: !is_client,
            is_client,
            reports: !is_client,
            traffic: Traffic { span_ns: Some((SECOND_NS, 2 * SECOND_NS)), ..Traffic::default() },
        };
        let traffic = Traffic {
            span_ns: Some((SECOND_NS, 2 * SECOND_NS)),
            statistics: Statistics {
                ok_count: 1,
                throttle_count: 2,
                error_count: 3,
                ..Statistics::default()
            },
        };
        let edge = MapEdge { from_idx: 1, to_idx: 0, is_link: false, traffic, ages: Histogram::default() };
        let map = ServiceMap {
            nodes: vec![node("api", "AWS::EC2::Instance", false), node("api", "client", true)],
            edges: vec![edge],
            omitted: 0,
        };
        let (services, next) = page(&map, 0);
        let json = serde_json::to_value(services).unwrap();
        assert_eq!(next, None);
        assert_eq!(json[0]["Root"], true);
        assert_eq!((&json[0]["State"], &json[1]["State"]), (&"active".into(), &"unknown".into()));
        assert!(json[0]["Edges"].is_array() && json[0]["ResponseTimeHistogram"].is_array());
        assert!(json[0]["SummaryStatistics"]["ErrorStatistics"]["ThrottleCount"].is_number());
        assert!(json[1].get("SummaryStatistics").is_none() && json[1].get("Root").is_none());
        let edge = &json[1]["Edges"][0];
        assert_eq!(edge["ReferenceId"], json[0]["ReferenceId"]);
        assert_eq!(edge["SummaryStatistics"]["ErrorStatistics"]["TotalCount"], 5);
        assert!(edge["ResponseTimeHistogram"].is_array() && edge.get("EdgeType").is_none());
    }
}
