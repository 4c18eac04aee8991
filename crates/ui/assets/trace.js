// One trace as a waterfall. Only the rows in view exist as elements, so a trace of 100,000 spans scrolls as a small
// one does; arrow keys walk the tree, and the chosen span's fields, events and links are shown beside it.

import { clock, duration, el, empty, number, replace, show, shown } from "./dom.js";
import * as client from "./client.js";
import { queryAddress } from "./query.js";
import { parentIdx, spanTree, visibleRows } from "./tree.js";

const ROW_PX = 28;
const SPANS_PER_CALL = 5000;
const SPANS_MAX = 200000;

export function tracePage(page, [id], parameters) {
  const body = el("section", { "aria-label": "Trace" });
  const reload = () => show(body, "the trace", async () => traceView(await wholeTrace(id), parameters.get("span")));
  replace(page,
    el("div", { class: "heading" }, el("h1", {}, "Trace"), el("code", { class: "id" }, id), el("button", { type: "button", class: "quiet", onclick: reload }, "Reload")),
    body);
  reload();
}

async function wholeTrace(id) {
  const trace = await client.trace(id, null, SPANS_PER_CALL);
  let cursor = trace.next_cursor;
  while (cursor && trace.spans.length < SPANS_MAX) {
    const next = await client.trace(id, cursor, SPANS_PER_CALL);
    trace.spans.push(...next.spans);
    cursor = next.next_cursor;
  }
  placeInTime(trace);
  return trace;
}

/** Nanoseconds come as text, since numbers here cannot hold an instant: what is drawn is the distance from the start. */
function placeInTime(trace) {
  const origin = BigInt(trace.start_ns);
  const since = (ns) => Number(BigInt(ns) - origin);
  for (const span of trace.spans) {
    span.start_ns = since(span.start_ns);
    span.duration_ns = Number(span.duration_ns);
    for (const row of [...(span.events ?? []), ...(span.logs ?? [])]) row.time_ns = since(row.time_ns);
  }
  trace.start_ms = Number(origin / 1000000n);
}

const isError = (span) => span.status_code === 2 || span.status_code === "error" || span.status_code === "ERROR" || span.status_code === "STATUS_CODE_ERROR";

function traceView(trace, wantedSpan) {
  if (trace.spans.length === 0) return empty("This trace has no spans.", "They may still be on their way; reload in a moment.");
  const { rows, missing } = spanTree(trace.spans);
  const start = rows.reduce((least, row) => Math.min(least, row.span.start_ns), Infinity);
  const end = rows.reduce((most, row) => Math.max(most, row.span.start_ns + row.span.duration_ns), -Infinity);
  const services = [...new Set(rows.map((row) => row.span.service ?? ""))];
  const view = { rows, start, length: Math.max(1, end - start), hue: new Map(services.map((service, idx) => [service, idx % 8])) };
  const errors = rows.filter((row) => isError(row.span)).length;
  const root = rows[0].span;
  const details = el("aside", { class: "details", "aria-label": "Span" });
  const summary = el("p", { class: "summary" },
    el("strong", {}, root.parent_id ? "(no root span yet)" : root.name), ` · ${root.service ?? "–"} · ${duration(view.length / 1e6)} · ${number(rows.length)} span${rows.length === 1 ? "" : "s"} · `,
    errors ? el("span", { class: "bad" }, `${number(errors)} with errors`) : "no errors", ` · ${clock(trace.start_ms, true)}`);
  const warnings = [];
  if (missing.size) warnings.push(`${number(missing.size)} parent span${missing.size === 1 ? " is" : "s are"} missing: what hung below is shown at the top level.`);
  if ((trace.span_count ?? 0) > trace.spans.length) warnings.push(`Only ${number(trace.spans.length)} of ${number(trace.span_count)} spans are shown.`);
  const chosen = Math.max(0, rows.findIndex((row) => row.span.span_id === wantedSpan));
  return [
    summary, warnings.map((text) => el("p", { class: "warning", role: "status" }, text)),
    el("ul", { class: "legend" }, services.slice(0, 12).map((service) => el("li", {}, el("span", { class: `swatch hue-${view.hue.get(service)}` }), service || "(no service)"))),
    el("div", { class: "trace" }, waterfall(view, details, chosen), details),
  ];
}

function waterfall(view, details, chosenRow) {
  const collapsed = new Set();
  let visible = visibleRows(view.rows, collapsed);
  let chosen = chosenRow;
  const canvas = el("div", { class: "rows-all" });
  const box = el("div", { class: "waterfall", role: "tree", tabindex: "0", "aria-label": "Spans. Arrow keys move; left and right close and open." }, canvas);
  const find = el("input", { type: "search", placeholder: "find in spans", "aria-label": "Find in spans", autocomplete: "off" });
  const found = el("span", { class: "note", role: "status" });

  function paint() {
    canvas.style.height = `${visible.length * ROW_PX}px`;
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_PX) - 10);
    const last = Math.min(visible.length, Math.ceil((box.scrollTop + box.clientHeight) / ROW_PX) + 10);
    const needle = find.value.trim().toLowerCase();
    replace(canvas, visible.slice(first, last).map((row, offset) => rowElement(row, first + offset, needle)));
    box.setAttribute("aria-activedescendant", `row-${chosen}`);
  }

  function rowElement(row, idx, needle) {
    const { span, depth } = row;
    const left = (100 * (span.start_ns - view.start)) / view.length;
    const width = Math.max(0.15, (100 * span.duration_ns) / view.length);
    const open = !collapsed.has(span.span_id);
    const error = isError(span);
    const text = duration(span.duration_ns / 1e6);
    return el("div", {
      class: ["span-row", idx === chosen && "chosen", error && "error", needle && matches(span, needle) && "found"].filter(Boolean).join(" "),
      role: "treeitem", id: `row-${idx}`, "aria-level": depth + 1, "aria-selected": String(idx === chosen), "aria-expanded": row.childCount ? String(open) : null,
      "aria-label": `${span.name}, ${span.service ?? ""}, ${text}${error ? ", error" : ""}`, style: { top: `${idx * ROW_PX}px` }, onclick: () => choose(idx),
    },
    el("div", { class: "span-name", style: { "padding-left": `calc(${Math.min(depth, 24)} * var(--indent) + 4px)` } },
      row.childCount
        ? el("button", { type: "button", class: "twist", tabindex: "-1", "aria-hidden": "true", onclick: (event) => { event.stopPropagation(); toggle(idx); } }, open ? "▾" : "▸", el("span", { class: "dim" }, ` ${row.childCount}`))
        : el("span", { class: "twist" }),
      el("span", { class: `swatch hue-${view.hue.get(span.service ?? "")}` }), error && el("span", { class: "bad", title: "error" }, "! "), row.orphan && el("span", { class: "dim", title: "its parent is missing" }, "⌁ "), el("span", { class: "text", title: span.name }, span.name)),
    el("div", { class: "span-time" },
      el("div", { class: `bar hue-${view.hue.get(span.service ?? "")}`, style: { left: `${Math.min(left, 99.85)}%`, width: `${Math.min(width, 100 - Math.min(left, 99.85))}%` } }),
      (span.events ?? []).slice(0, 100).map((event) => el("i", { class: "dot", title: event.name, style: { left: `${Math.min(100, Math.max(0, (100 * (event.time_ns - view.start)) / view.length))}%` } })),
      barText(left, width, text)));
  }

  /** Right of the bar, left of it, or, where there is no room, on it. */
  function barText(left, width, text) {
    if (left + width < 70) return el("span", { class: "bar-text", style: { left: `${left + width}%` } }, text);
    if (left > 25) return el("span", { class: "bar-text", style: { right: `${100 - left}%` } }, text);
    return el("span", { class: "bar-text on-bar", style: { right: `${Math.max(0, 100 - left - width)}%` } }, text);
  }

  function choose(idx) {
    chosen = Math.max(0, Math.min(visible.length - 1, idx));
    const top = chosen * ROW_PX;
    if (top < box.scrollTop) box.scrollTop = top;
    else if (top + ROW_PX > box.scrollTop + box.clientHeight) box.scrollTop = top + ROW_PX - box.clientHeight;
    paint();
    replace(details, spanDetails(visible[chosen].span, view));
  }

  function toggle(idx) {
    const id = visible[idx].span.span_id;
    if (!visible[idx].childCount) return;
    if (!collapsed.delete(id)) collapsed.add(id);
    const kept = visible[chosen]?.span.span_id;
    visible = visibleRows(view.rows, collapsed);
    const again = visible.findIndex((row) => row.span.span_id === kept);
    choose(again >= 0 ? again : Math.min(idx, visible.length - 1));
  }

  const KEYS = {
    ArrowDown: () => choose(chosen + 1), ArrowUp: () => choose(chosen - 1),
    PageDown: () => choose(chosen + 15), PageUp: () => choose(chosen - 15),
    Home: () => choose(0), End: () => choose(visible.length - 1),
    ArrowRight: () => (collapsed.has(visible[chosen].span.span_id) ? toggle(chosen) : visible[chosen].childCount && choose(chosen + 1)),
    ArrowLeft: () => (visible[chosen].childCount && !collapsed.has(visible[chosen].span.span_id) ? toggle(chosen) : choose(Math.max(0, parentIdx(visible, chosen)))),
    Enter: () => { details.tabIndex = -1; details.focus(); },
  };
  box.addEventListener("keydown", (event) => {
    if (!KEYS[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  box.addEventListener("scroll", paint, { passive: true });
  find.addEventListener("input", () => {
    const needle = find.value.trim().toLowerCase();
    const count = needle ? view.rows.filter((row) => matches(row.span, needle)).length : 0;
    found.textContent = needle ? `${number(count)} match` : "";
    paint();
  });
  find.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    const needle = find.value.trim().toLowerCase();
    const order = visible.map((_, idx) => (chosen + 1 + idx) % visible.length);
    const next = needle && order.find((idx) => matches(visible[idx].span, needle));
    if (next !== undefined && next !== "") choose(next);
  });
  new ResizeObserver(paint).observe(box);
  // Heights are known only once the box is on the page.
  requestAnimationFrame(() => choose(chosen));
  return el("div", { class: "waterfall-side" }, el("div", { class: "row" }, find, found), scale(view), box);
}

function scale(view) {
  return el("div", { class: "span-row scale", "aria-hidden": "true" }, el("div", { class: "span-name" }, "span"),
    el("div", { class: "span-time" }, [0, 25, 50, 75].map((at) => el("span", { class: "tick", style: { left: `${at}%` } }, at === 0 ? "0" : duration((view.length * at) / 1e8)))));
}

function matches(span, needle) {
  if (`${span.name} ${span.service} ${span.span_id}`.toLowerCase().includes(needle)) return true;
  return Object.entries(span.fields ?? {}).some(([name, value]) => name.toLowerCase().includes(needle) || shown(value).toLowerCase().includes(needle));
}

function spanDetails(span, view) {
  const query = (name, value) => queryAddress(span.service || "__all__", { calculations: [{ op: "COUNT" }, { op: "HEATMAP", column: "duration_ms" }], filters: [{ column: name, op: "=", value }], time_range: 86400 });
  const list = (fields, linked) => el("dl", {}, Object.entries(fields ?? {}).sort(([a], [b]) => a.localeCompare(b)).map(([name, value]) => [
    el("dt", {}, name),
    el("dd", {}, linked && ["string", "number", "boolean"].includes(typeof value) ? el("a", { href: query(name, value), title: `Query ${name} = this` }, shown(value)) : el("span", {}, shown(value)))]));
  const attached = (title, rows) => rows?.length > 0 && [el("h3", {}, `${title} (${number(rows.length)})`), rows.slice(0, 200).map((row) => el("details", { open: row.name === "exception" }, el("summary", {}, `${row.name || row.fields?.body || "(no name)"} at ${offset(row.time_ns)}`), list(row.fields, false)))];
  const offset = (ns) => duration((ns - view.start) / 1e6);
  return [
    el("h2", {}, span.name),
    el("p", { class: "summary" }, `${span.service ?? "–"} · ${span.kind ?? ""} · ${duration(span.duration_ns / 1e6)} · starts at ${offset(span.start_ns)}`, isError(span) && el("span", { class: "bad" }, " · error")),
    list({ "trace.span_id": span.span_id, "trace.parent_id": span.parent_id || null }, false),
    attached("Events", span.events), attached("Logs", span.logs),
    span.links?.length ? [el("h3", {}, `Links (${number(span.links.length)})`), el("ul", {}, span.links.slice(0, 200).map((link) => el("li", {}, el("a", { href: `#/trace/${encodeURIComponent(link.trace_id)}?${new URLSearchParams({ span: link.span_id ?? "" })}` }, el("code", {}, link.trace_id)))))] : null,
    el("h3", {}, "Fields"), list(span.fields, true),
  ];
}
