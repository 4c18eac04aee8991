// Finding traces: by service, by a field's value, by how long they took. The list of the first page is the same one.

import { ago, clock, duration, el, empty, number, replace, show, table } from "./dom.js";
import * as client from "./client.js";

export function traceTable(traces) {
  const longest = Math.max(...traces.map((trace) => trace.duration_ms || 0), 0.001);
  return table("Traces", [
    { title: "Root", cell: (trace) => el("a", { href: `#/trace/${encodeURIComponent(trace.trace_id)}` }, trace.root_name || "(no root span)") },
    { title: "Service", cell: (trace) => trace.root_service || "–" },
    { title: "Duration", numeric: true, cell: (trace) => el("span", { class: "meter" },
      el("span", { class: "meter-bar", style: { width: `${Math.max(1, (100 * (trace.duration_ms || 0)) / longest)}%` } }),
      el("span", { class: "meter-text" }, duration(trace.duration_ms))) },
    { title: "Spans", numeric: true, cell: (trace) => number(trace.span_count) },
    { title: "Errors", numeric: true, cell: (trace) => (trace.error_count ? el("span", { class: "bad" }, number(trace.error_count)) : "0") },
    { title: "Started", cell: (trace) => el("time", { title: clock(trace.start_ms, true) }, ago(trace.start_ms)) },
  ], traces);
}

export function traceSearchPage(page, _caught, parameters) {
  const search = Object.fromEntries(["service", "field", "value", "min_duration_ms"].map((name) => [name, parameters.get(name) ?? ""]));
  const names = el("datalist", { id: "services" });
  const input = (name, label, more = {}) => el("label", {}, label, el("input", { name, value: search[name], autocomplete: "off", ...more }));
  const form = el("form", { class: "search", onsubmit: (event) => {
    event.preventDefault();
    const chosen = [...new FormData(form)].filter(([, value]) => value !== "");
    const address = `#/traces?${new URLSearchParams(chosen)}`;
    if (location.hash === address) dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = address;
  } },
    input("service", "Service", { list: "services" }),
    input("field", "Field", { placeholder: "user.id" }),
    input("value", "equals"),
    input("min_duration_ms", "At least, ms", { type: "number", min: "0", step: "any", inputmode: "decimal" }),
    names,
    el("button", {}, "Search"));
  const open = el("form", { class: "search", onsubmit: (event) => {
    event.preventDefault();
    const id = String(new FormData(open).get("id")).trim();
    if (id) location.hash = `#/trace/${encodeURIComponent(id)}`;
  } }, el("label", {}, "Trace id", el("input", { name: "id", autocomplete: "off", spellcheck: "false", size: "34" })), el("button", { class: "quiet" }, "Open"));
  const results = el("section", { "aria-label": "Traces" });
  replace(page, el("h1", {}, "Traces"), form, open, results);
  show(results, "traces", async () => {
    const found = await client.traces({ ...search, limit: 100 });
    return found.length === 0 ? empty("No trace matches.", "Try fewer conditions.") : traceTable(found);
  });
  client.services(86400).then((services) => replace(names, services.map((service) => el("option", { value: service.name }))), () => {});
}
