// Asking questions: a builder for the query specification's most used parts, its answer as charts and a table, and
// the saved questions. The address holds the dataset and the specification, so an answer can be linked to.

import { bytes, clock, duration, el, empty, number, replace, show, shown, table } from "./dom.js";
import { heatmap, heatmapBuckets, lineChart } from "./charts.js";
import * as client from "./client.js";

const CALCULATIONS = ["COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "HEATMAP", "P50", "P75", "P90", "P95", "P99", "P999", "RATE_SUM", "RATE_AVG", "RATE_MAX", "CONCURRENCY"];
const WITHOUT_COLUMN = ["COUNT", "CONCURRENCY"];
const OPERATORS = ["=", "!=", ">", ">=", "<", "<=", "starts-with", "does-not-start-with", "ends-with", "does-not-end-with", "contains", "does-not-contain", "exists", "does-not-exist", "in", "not-in"];
const PERIODS = [[600, "10 minutes"], [3600, "hour"], [7200, "2 hours"], [28800, "8 hours"], [86400, "24 hours"], [604800, "7 days"], [2419200, "28 days"]];
const FIRST_SPEC = { calculations: [{ op: "COUNT" }], time_range: 7200 };
/** Stands for the absolute time range of the address. */
const KEPT = "kept";
const TABLE_ROWS_MAX = 1000;

export function queryAddress(dataset, spec) {
  return `#/query?${new URLSearchParams({ dataset, q: JSON.stringify(spec) })}`;
}

export function calculationName(calculation) {
  return calculation.name || (calculation.column ? `${calculation.op}(${calculation.column})` : calculation.op);
}

/** Text as typed → the value a filter sends: numbers and booleans as such, lists for `in`, quotes force text. */
export function filterValue(operator, text, fieldType) {
  if (operator === "in" || operator === "not-in") return text.split(",").map((part) => filterValue("=", part.trim(), fieldType));
  if (/^".*"$/s.test(text)) return text.slice(1, -1);
  if (fieldType === "string" || fieldType === "text") return text;
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

function spelledValue(filter) {
  if (filter.value === undefined || filter.value === null) return "";
  return Array.isArray(filter.value) ? filter.value.map(String).join(", ") : String(filter.value);
}

export function queryPage(page, _caught, parameters) {
  const dataset = parameters.get("dataset") || "__all__";
  let spec = FIRST_SPEC;
  let broken = null;
  if (parameters.get("q")) {
    try { spec = JSON.parse(parameters.get("q")); } catch { broken = "The query in the address is not JSON."; }
    if (spec === null || typeof spec !== "object" || Array.isArray(spec)) { spec = FIRST_SPEC; broken = "The query in the address is not an object."; }
  }
  const answer = el("section", { "aria-label": "Answer" });
  const saved = el("section", { "aria-label": "Saved queries" });
  replace(page, el("h1", {}, "Query"), builder(dataset, spec), broken && el("p", { class: "failed", role: "alert" }, broken), answer,
    el("div", { class: "heading" }, el("h2", {}, "Saved queries")), saved);
  show(answer, "the answer", async (meanwhile) => {
    const cancelling = new AbortController();
    let told = null;
    let cancelled = false;
    const bar = el("progress", { max: "1", "aria-label": "Rows read" });
    const text = el("span", { class: "note" });
    const cancel = el("button", { type: "button", class: "quiet", onclick: () => { cancelled = true; cancelling.abort(); } }, "Cancel");
    const progress = (figures) => {
      if (figures.elapsed_ms < 150) return;
      if (!told) meanwhile(told = el("div", { class: "row", role: "status" }, bar, text, cancel));
      // A bar never goes back: a second pass over the rows makes the whole larger.
      if (figures.rows_total > 0) bar.value = Math.max(bar.value || 0, figures.rows_scanned / figures.rows_total);
      text.textContent = `${number(figures.rows_scanned)} of ${number(figures.rows_total)} rows · ${bytes(figures.bytes_scanned)} read · ${duration(figures.elapsed_ms)}`;
    };
    try {
      return answerView(await client.query(dataset, spec, progress, cancelling.signal), spec, dataset);
    } catch (error) {
      if (cancelled) return empty("Cancelled.", "Run the query again for its answer.");
      throw error;
    }
  });
  const list = () => show(saved, "saved queries", async () => savedList(await client.savedQueries()));
  page.addEventListener("saved", list);
  list();
}

function list(values) { return Array.isArray(values) ? values : []; }

function builder(dataset, spec) {
  const known = new Map();
  const fieldNames = el("datalist", { id: "fields" });
  const datasetNames = el("datalist", { id: "datasets" });
  const calculations = el("div", { class: "rows" });
  const filters = el("div", { class: "rows" });
  const message = el("p", { class: "note", role: "status" });

  const field = (value, label) => el("input", { list: "fields", value, "aria-label": label, placeholder: "field", autocomplete: "off", spellcheck: "false" });
  const options = (names, chosen) => names.map((name) => el("option", { value: name, selected: name === chosen }, name));
  const remove = (row, what) => el("button", { type: "button", class: "quiet", "aria-label": `Remove this ${what}`, onclick: () => { row().remove(); } }, "×");

  function addCalculation(calculation) {
    const column = field(calculation.column ?? "", "Field to calculate");
    const op = el("select", { "aria-label": "Calculation", onchange: () => { column.hidden = WITHOUT_COLUMN.includes(op.value); } },
      options(CALCULATIONS.includes(calculation.op) || !calculation.op ? CALCULATIONS : [...CALCULATIONS, calculation.op], calculation.op));
    column.hidden = WITHOUT_COLUMN.includes(op.value) && !column.value;
    const row = el("div", { class: "row" }, op, column, remove(() => row, "calculation"));
    row.read = () => ({ op: op.value, ...(column.value && !column.hidden ? { column: column.value.trim() } : {}) });
    calculations.append(row);
    return op;
  }

  function addFilter(filter) {
    const valueNames = el("datalist", { id: `values-${Math.random().toString(36).slice(2)}` });
    const column = field(filter.column ?? "", "Field to filter by");
    const value = el("input", { value: spelledValue(filter), "aria-label": "Value", placeholder: "value", autocomplete: "off", list: valueNames.id, onfocus: async () => {
      if (!column.value) return;
      try {
        const found = await client.values(dataset, column.value, "");
        replace(valueNames, found.map((one) => el("option", { value: shown(one.value), label: `${number(one.count)}×` })));
      } catch { /* Typing still works. */ }
    } });
    const op = el("select", { "aria-label": "Operator", onchange: () => { value.hidden = /exist/.test(op.value); } }, options(OPERATORS, filter.op));
    value.hidden = /exist/.test(op.value);
    const row = el("div", { class: "row" }, column, op, value, valueNames, remove(() => row, "filter"));
    row.read = () => ({ column: column.value.trim(), op: op.value, ...(value.hidden ? {} : { value: filterValue(op.value, value.value, known.get(column.value.trim())) }) });
    filters.append(row);
    return column;
  }

  list(spec.calculations).forEach(addCalculation);
  if (!calculations.children.length) addCalculation({ op: "COUNT" });
  list(spec.filters).forEach(addFilter);
  const datasetInput = el("input", { list: "datasets", value: dataset === "__all__" ? "" : dataset, placeholder: "all datasets", "aria-label": "Dataset", autocomplete: "off" });
  const combination = el("select", { "aria-label": "Filters combine with" }, options(["AND", "OR"], spec.filter_combination ?? "AND"));
  const together = el("label", {}, "combine with ", combination);
  // One filter combines with nothing.
  const count = () => { together.hidden = filters.children.length < 2; };
  new MutationObserver(count).observe(filters, { childList: true });
  count();
  const groupBy = el("input", { value: list(spec.breakdowns).join(", "), placeholder: "fields, separated by commas", "aria-label": "Group by", autocomplete: "off", spellcheck: "false" });
  const seconds = Number(spec.time_range ?? 7200);
  const absolute = spec.start_time !== undefined && spec.end_time !== undefined;
  const periods = PERIODS.some(([value]) => value === seconds) ? PERIODS : [[seconds, `${number(seconds)} s`], ...PERIODS];
  const period = el("select", { "aria-label": "Time range" },
    absolute && el("option", { value: KEPT, selected: true }, `${clock(spec.start_time * 1000, true)} to ${clock(spec.end_time * 1000, spec.end_time - spec.start_time > 86400)}`),
    periods.map(([value, label]) => el("option", { value, selected: !absolute && value === seconds }, `last ${label}`)));
  const limit = el("input", { type: "number", min: "1", max: "1000", value: spec.limit ?? 100, "aria-label": "Groups at most" });

  function read() {
    const result = { ...spec, calculations: [...calculations.children].map((row) => row.read()) };
    // An absolute range in the address would contradict a period chosen here.
    if (period.value !== KEPT) {
      delete result.start_time;
      delete result.end_time;
      result.time_range = Number(period.value);
    }
    const setOrDrop = (name, value, wanted) => { if (wanted) result[name] = value; else delete result[name]; };
    const chosen = [...filters.children].map((row) => row.read()).filter((filter) => filter.column);
    const breakdowns = groupBy.value.split(",").map((name) => name.trim()).filter(Boolean);
    setOrDrop("filters", chosen, chosen.length > 0);
    setOrDrop("filter_combination", "OR", chosen.length > 1 && combination.value === "OR");
    setOrDrop("breakdowns", breakdowns, breakdowns.length > 0);
    setOrDrop("limit", Number(limit.value), Number(limit.value) > 0);
    return result;
  }

  const name = el("input", { placeholder: "name", "aria-label": "Name of the saved query", maxlength: "320" });
  const save = el("button", { type: "button", class: "quiet", onclick: async () => {
    if (!name.value.trim()) { message.textContent = "A saved query needs a name."; name.focus(); return; }
    try {
      await client.saveQuery(name.value.trim(), datasetInput.value.trim() || "__all__", read());
      message.textContent = `Saved “${name.value.trim()}”.`;
      form.dispatchEvent(new CustomEvent("saved", { bubbles: true }));
    } catch (error) { message.textContent = `Not saved: ${error.message}`; }
  } }, "Save");

  client.fields(dataset).then((fields) => {
    for (const one of fields) known.set(one.name, one.type);
    replace(fieldNames, fields.map((one) => el("option", { value: one.name, label: one.type })));
  }, () => {});
  client.services(86400).then((services) => replace(datasetNames, services.map((one) => el("option", { value: one.name }))), () => {});

  const part = (title, content, ...more) => el("div", { class: "clause" }, el("span", { class: "clause-title" }, title), content, ...more);
  const add = (label, make) => el("button", { type: "button", class: "quiet", onclick: () => make().focus() }, label);
  const form = el("form", { class: "builder", onsubmit: (event) => {
    event.preventDefault();
    const address = queryAddress(datasetInput.value.trim() || "__all__", read());
    if (location.hash === address) dispatchEvent(new HashChangeEvent("hashchange"));
    else location.hash = address;
  } },
    part("From", el("div", { class: "row" }, datasetInput, period), datasetNames, fieldNames),
    part("Calculate", calculations, add("+ calculation", () => addCalculation({ op: "AVG" }))),
    part("Where", filters, el("div", { class: "row" }, add("+ filter", () => addFilter({ op: "=" })), together)),
    part("Group by", el("div", { class: "row" }, groupBy, el("label", {}, "at most ", limit))),
    el("div", { class: "row actions" }, el("button", {}, "Run query"), name, save),
    message);
  return form;
}

function savedList(queries) {
  if (queries.length === 0) return empty("Nothing saved yet.", "Give the query above a name and press Save.");
  return el("ul", { class: "saved" }, queries.map((one) => el("li", {},
    el("a", { href: queryAddress(one.dataset || "__all__", one.query ?? {}) }, one.name || "(no name)"),
    " ", el("span", { class: "dim" }, describe(one.query ?? {}), one.dataset && one.dataset !== "__all__" ? ` in ${one.dataset}` : ""))));
}

export function describe(spec) {
  const calculations = list(spec.calculations).map(calculationName).join(", ") || "COUNT";
  const where = list(spec.filters).map((filter) => `${filter.column} ${filter.op} ${spelledValue(filter)}`.trim()).join(spec.filter_combination === "OR" ? " or " : " and ");
  return `${calculations}${where ? ` where ${where}` : ""}${list(spec.breakdowns).length ? ` by ${spec.breakdowns.join(", ")}` : ""}`;
}

function answerView(reply, askedSpec, dataset) {
  const spec = { ...askedSpec, ...reply.query };
  const breakdowns = list(spec.breakdowns);
  const calculations = list(spec.calculations).length ? spec.calculations : [{ op: "COUNT" }];
  const results = list(reply.results).map((row) => row.data ?? {});
  if (results.length === 0 || (breakdowns.length === 0 && results.every((row) => calculations.every((one) => !row[calculationName(one)])))) {
    return [facts(reply), empty("No events match.", "Widen the time range or drop a filter.")];
  }
  const formulas = list(spec.formulas).map((formula) => ({ op: "FORMULA", name: formula.name }));
  const columns = [...calculations, ...formulas];
  const charts = columns.map((calculation) => chart(calculation, reply, breakdowns, results)).filter(Boolean);
  const cell = (row, calculation) => {
    const value = row[calculationName(calculation)];
    return calculation.op === "HEATMAP" ? `${number(heatmapBuckets(value).reduce((sum, bucket) => sum + bucket[2], 0))} events` : typeof value === "number" ? number(value) : shown(value);
  };
  const breakdownCell = (row, name) => (name === "trace.trace_id" && typeof row[name] === "string"
    ? el("a", { href: `#/trace/${encodeURIComponent(row[name])}` }, el("code", {}, row[name]))
    : el("a", { href: queryAddress(dataset, withFilter(spec, name, row[name])), title: "Only these" }, shown(row[name])));
  return [
    facts(reply), charts,
    table("Result", [
      ...breakdowns.map((name) => ({ title: name, cell: (row) => breakdownCell(row, name) })),
      ...columns.map((calculation) => ({ title: calculationName(calculation), numeric: true, cell: (row) => cell(row, calculation) })),
    ], results.slice(0, TABLE_ROWS_MAX)),
  ];
}

function withFilter(spec, column, value) {
  const filter = value === null || value === undefined ? { column, op: "does-not-exist" } : { column, op: "=", value };
  const narrowed = { ...spec, filters: [...list(spec.filters), filter] };
  delete narrowed.id;
  return narrowed;
}

function facts(reply) {
  const parts = [];
  if (Number.isFinite(reply.elapsed_ms)) parts.push(`${number(reply.elapsed_ms)} ms`);
  if (Number.isFinite(reply.rows_examined)) parts.push(`${number(reply.rows_examined)} rows examined`);
  return parts.length ? el("p", { class: "note" }, parts.join(" · ")) : null;
}

/** How a chart writes the values of a calculation: times with their unit. */
function speller(calculation) {
  const counts = ["COUNT", "COUNT_DISTINCT", "CONCURRENCY"].includes(calculation.op);
  return !counts && /(^|[._])ms$/.test(calculation.column ?? "") ? (ms) => (ms === 0 ? "0" : duration(ms)) : number;
}

/** The start of every step of the answer's time range: a series leaves out steps in which nothing happened. */
function steps(reply, known) {
  const step = 1000 * reply.granularity;
  if (!(step > 0) || known.length === 0) return known;
  const all = new Set(known);
  for (let ms = known[0]; ms > 1000 * reply.start_time - step && all.size < 5000; ms -= step) all.add(ms);
  for (let ms = known[0]; ms < 1000 * reply.end_time && all.size < 5000; ms += step) all.add(ms);
  return [...all].sort((a, b) => a - b);
}

function chart(calculation, reply, breakdowns, results) {
  const series = list(reply.series);
  const column = calculationName(calculation);
  const points = series.map((point) => ({ ms: typeof point.time === "number" ? point.time : Date.parse(point.time), data: point.data ?? {} })).filter((point) => Number.isFinite(point.ms));
  if (points.length === 0) return null;
  const times = steps(reply, [...new Set(points.map((point) => point.ms))].sort((a, b) => a - b));
  const step = times.slice(1).reduce((least, ms, idx) => Math.min(least, ms - times[idx]), times.length > 1 ? Infinity : 60000);
  const from = times[0];
  const to = times[times.length - 1] + step;
  if (calculation.op === "HEATMAP") {
    const byTime = new Map(times.map((ms) => [ms, []]));
    for (const point of points) byTime.get(point.ms).push(...heatmapBuckets(point.data[column]));
    if ([...byTime.values()].every((buckets) => buckets.length === 0)) return null;
    return heatmap(column, [...byTime], from, to, step, points.some((point) => point.data[column]?.scale === "log"), speller(calculation));
  }
  const groupOf = (data) => breakdowns.map((name) => shown(data[name])).join(" · ");
  // In the order of the table, so that the first lines drawn are those of its first rows.
  const groups = new Map(results.map((row) => [groupOf(row), new Map()]));
  for (const point of points) {
    const group = groupOf(point.data);
    if (groups.has(group)) groups.get(group).set(point.ms, point.data[column]);
  }
  // Nothing counted is zero; nothing averaged is a gap.
  const missing = calculation.op === "COUNT" || calculation.op === "COUNT_DISTINCT" || calculation.op === "CONCURRENCY" ? 0 : null;
  const lines = [...groups].map(([label, values]) => ({ label, points: times.map((ms) => [ms, typeof values.get(ms) === "number" ? values.get(ms) : missing]) }));
  return lineChart(column, lines, from, to, speller(calculation));
}
