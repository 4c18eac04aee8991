// The first page: what runs, how often, how fast and how well, and the traces that came in last.

import { ago, duration, el, empty, number, replace, show, table } from "./dom.js";
import * as client from "./client.js";
import { queryAddress } from "./query.js";
import { traceTable } from "./traces.js";

const PERIODS = [[900, "15 minutes"], [3600, "hour"], [21600, "6 hours"], [86400, "24 hours"], [604800, "7 days"]];

export function homePage(page, _caught, parameters) {
  const asked = Number(parameters.get("seconds"));
  const seconds = PERIODS.some(([known]) => known === asked) ? asked : 3600;
  const services = el("section", { "aria-label": "Services" });
  const traces = el("section", { "aria-label": "Recent traces" });
  const period = el("select", { onchange: (event) => { location.hash = `#/?seconds=${event.target.value}`; } },
    PERIODS.map(([value, label]) => el("option", { value, selected: value === seconds }, label)));
  replace(page,
    el("div", { class: "heading" }, el("h1", {}, "Services"), el("label", {}, "of the last ", period)),
    services,
    el("div", { class: "heading" }, el("h2", {}, "Recent traces"), el("a", { href: "#/traces" }, "Search traces")),
    traces);
  show(services, "services", async () => {
    const found = await client.services(seconds);
    return found.length === 0 ? nothingYet() : serviceTable(found, seconds);
  });
  show(traces, "traces", async () => {
    const found = await client.traces({ limit: 20 });
    return found.length === 0 ? empty("No traces yet.", "They appear here as soon as a span was accepted.") : traceTable(found);
  });
}

function nothingYet() {
  return empty("No telemetry in this period.", "Point an OpenTelemetry SDK here: ",
    el("code", {}, `OTEL_EXPORTER_OTLP_ENDPOINT=${location.origin} OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf`),
    " – or run the sample application with ", el("code", {}, "make demo"), ".",
    // Where people log in, senders need a key as well.
    !document.getElementById("leave").hidden && [" A sender needs a key: ", el("code", {}, "tracery keys create --kind ingest"), " makes one, which travels as ", el("code", {}, "OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=KEY"), "."]);
}

function serviceTable(services, seconds) {
  const ask = (service, spec) => queryAddress(service.name, { time_range: seconds, ...spec });
  return table("Services with rate, errors and duration", [
    { title: "Service", cell: (service) => el("a", { href: ask(service, { calculations: [{ op: "COUNT" }], breakdowns: ["name"] }) }, service.name) },
    { title: "Requests", numeric: true, cell: (service) => number(service.request_count) },
    { title: "Per second", numeric: true, cell: (service) => number(service.rate_per_s) },
    { title: "Errors", numeric: true, cell: (service) => errorShare(service, ask(service, { calculations: [{ op: "COUNT" }], filters: [{ column: "error", op: "=", value: true }], breakdowns: ["name"] })) },
    { title: "p50", numeric: true, cell: (service) => duration(service.duration_p50_ms) },
    { title: "p99", numeric: true, cell: (service) => el("a", { href: ask(service, { calculations: [{ op: "HEATMAP", column: "duration_ms" }] }), title: "Heatmap of durations" }, duration(service.duration_p99_ms)) },
    { title: "Last seen", cell: (service) => ago(service.last_seen_ms) },
    { title: "Traces", cell: (service) => el("a", { href: `#/traces?${new URLSearchParams({ service: service.name })}` }, "show", el("span", { class: "hidden" }, ` traces of ${service.name}`)) },
  ], services);
}

function errorShare(service, href) {
  if (!service.error_count) return "0 %";
  const share = service.request_count > 0 ? (100 * service.error_count) / service.request_count : 100;
  return el("a", { class: "bad", href }, `${number(service.error_count)} (${share < 10 ? share.toFixed(1) : Math.round(share)} %)`);
}
