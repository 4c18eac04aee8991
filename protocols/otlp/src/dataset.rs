//! Which dataset a record belongs to: Honeycomb's rules, from the resource's `service.name` and the
//! `x-honeycomb-dataset` header.

/// Where spans go whose service says nothing about itself.
const UNKNOWN_SERVICE: &str = "unknown_service";
const UNKNOWN_LOG_SOURCE: &str = "unknown_log_source";
const UNKNOWN_METRICS: &str = "unknown_metrics";
/// Longer names are cut at a character boundary.
const NAME_BYTES_MAX: usize = 255;

/// Spans: the service. The header does not count.
pub(crate) fn of_traces(service_name: Option<&str>) -> &str {
    known_service(service_name).unwrap_or(UNKNOWN_SERVICE)
}

/// Logs: the service, else the header.
pub(crate) fn of_logs<'a>(service_name: Option<&'a str>, header: Option<&'a str>) -> &'a str {
    known_service(service_name).or_else(|| name(header)).unwrap_or(UNKNOWN_LOG_SOURCE)
}

/// Metrics: the header, else the service.
pub(crate) fn of_metrics<'a>(service_name: Option<&'a str>, header: Option<&'a str>) -> &'a str {
    name(header).or_else(|| known_service(service_name)).unwrap_or(UNKNOWN_METRICS)
}

/// SDKs call a service without a name `unknown_service` or `unknown_service:<program>`.
fn known_service(service_name: Option<&str>) -> Option<&str> {
    name(service_name).filter(|service| !service.starts_with(UNKNOWN_SERVICE))
}

fn name(text: Option<&str>) -> Option<&str> {
    let text = text?.trim();
    (!text.is_empty()).then(|| &text[..text.floor_char_boundary(NAME_BYTES_MAX)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_signal_has_its_rule() {
        let header = Some("from-header");
        for (service, traces, logs, metrics) in [
            (Some("shop"), "shop", "shop", "from-header"),
            (Some("  shop \t"), "shop", "shop", "from-header"),
            (None, "unknown_service", "from-header", "from-header"),
            (Some("  "), "unknown_service", "from-header", "from-header"),
            (Some("unknown_service:node"), "unknown_service", "from-header", "from-header"),
        ] {
            assert_eq!(of_traces(service), traces, "{service:?}");
            assert_eq!(of_logs(service, header), logs, "{service:?}");
            assert_eq!(of_metrics(service, header), metrics, "{service:?}");
        }
        assert_eq!(of_logs(None, Some(" ")), "unknown_log_source");
        assert_eq!(of_metrics(Some("shop"), None), "shop");
        assert_eq!(of_metrics(None, None), "unknown_metrics");
        assert_eq!(of_traces(Some(&"é".repeat(200))).len(), 254);
    }
}
