// The pure parts of the pages.

import { expect, test } from "vitest";
import type { Member, QueryAnswer } from "../api/__generated__/api";
import { decodeFrames } from "../api/logs";
import { bucketsOf, heatOf, linesOf, percentile, roundLevels } from "../charts/series";
import { stacked } from "../charts/LineChart";
import { bytes, clock, duration, msOfNs, number } from "../util/format";
import { safeHref } from "../util/url";
import { chartOf } from "./logs/InsightsPage";
import { traceIdIn, wordsOf } from "./logs/Line";
import { layout } from "./map/layout";
import { axisRange, axisRows, certainty, messageOf, percent } from "./request/model";
import { readMetrics } from "./settings/SettingsPage";
import { LANGUAGES, PRODUCTS, snippet } from "./start/snippets";

const answer = (series: { time: string; data: { [name: string]: unknown } }[], results: { data: { [name: string]: unknown } }[]): QueryAnswer =>
  ({ query: {}, results, series, granularity: 60, start_time: 0, end_time: 240, rows_examined: 0, elapsed_ms: 0, total_by_aggregate: {} }) as unknown as QueryAnswer;

test("steps without events are zero for counts and gaps for averages", () => {
  const given = answer([{ time: "1970-01-01T00:01:00Z", data: { COUNT: 3, "AVG(d)": 2 } }], [{ data: { COUNT: 3, "AVG(d)": 2 } }]);
  expect(linesOf(given, {}, { op: "COUNT" }).lines[0]!.values).toEqual([0, 3, 0, 0]);
  expect(linesOf(given, {}, { op: "AVG", column: "d" }).lines[0]!.values).toEqual([null, 2, null, null]);
});

test("groups beyond ten are counted, not drawn", () => {
  const results = Array.from({ length: 14 }, (_, index) => ({ data: { g: index, COUNT: 1 } }));
  expect(linesOf(answer([], results), { breakdowns: ["g"] }, { op: "COUNT" })).toMatchObject({ omitted: 4 });
});

test("buckets of a heatmap, linear and logarithmic, add up over groups", () => {
  const cell = { scale: "log", low: 1, high: 100, counts: [2, 0, 1, 0] };
  expect(bucketsOf(cell).map((one) => [Math.round(one.low), one.count])).toEqual([[1, 2], [10, 1]]);
  const heat = heatOf(answer([{ time: "1970-01-01T00:00:00Z", data: { g: 1, "HEATMAP(d)": cell } }, { time: "1970-01-01T00:00:00Z", data: { g: 2, "HEATMAP(d)": cell } }], []), { op: "HEATMAP", column: "d" });
  expect(heat).toMatchObject({ total: 6, most: 4, log: true });
});

test("levels, percentiles and stacks", () => {
  expect(roundLevels(0, 10)).toEqual([0, 5, 10]);
  expect(percentile([{ Value: 1, Count: 90 }, { Value: 9, Count: 10 }], 0.95)).toBe(9);
  expect(stacked([[1, null], [2, 3]])).toEqual([[1, 0], [3, 3]]);
});

test("numbers, times and sizes have their units", () => {
  expect([duration(0.0005), duration(12.3456), duration(90_000), duration(0)]).toEqual(["500 ns", "12.3 ms", "90 s", "0 ms"]);
  expect([number(1234567), number(0.12345), bytes(1_500_000)]).toEqual(["1,234,567", "0.1235", "1.5 MB"]);
  expect(clock(1_795_435_271_430, "utc", { millis: true })).toBe("2026-11-23 12:01:11.430");
  expect(msOfNs("1795435271430384997")).toBeCloseTo(1_795_435_271_430.385, 2);
});

test("only what a click may open is a link", () => {
  for (const hostile of ["javascript:alert(1)", "data:text/html,x", " vbscript:x", "//x"]) expect(safeHref(hostile), hostile).toBeNull();
  expect(safeHref("https://shop.test/a")).toBe("https://shop.test/a");
});

test("a line names its trace in either form", () => {
  expect(traceIdIn('{"trace_id":"c1c64774d50a6a7de955bb7bb0a1b2c3"}')).toBe("c1c64774d50a6a7de955bb7bb0a1b2c3");
  expect(traceIdIn("Root=1-6b042b07-e427eb4a3b18124f9a1947e4;Sampled=1")).toBe("6b042b07e427eb4a3b18124f9a1947e4");
  expect(traceIdIn("md5 c1c64774d50a6a7de955bb7bb0a1b2c3")).toBeNull();
  expect(wordsOf('ERROR "two words" -not ?maybe')).toEqual(["ERROR", "two words", "maybe"]);
  expect(wordsOf("{ $.a = 1 }")).toEqual([]);
});

test("rows of Insights with times and numbers make a chart", () => {
  const rows = [{ "bin(1m)": "2026-11-23 10:00:00.000", level: "error", "count(*)": "3" }, { "bin(1m)": "2026-11-23 10:02:00.000", level: "error", "count(*)": "1" }];
  const chart = chartOf(rows, ["bin(1m)", "level", "count(*)"]);
  expect(chart?.lines).toEqual([{ label: "error", values: [3, 1] }]);
  expect(chartOf([{ "@timestamp": "2026-11-23 10:00:00.000", "@message": "x" }], ["@timestamp", "@message"])).toBeNull();
});

test("frames of an event stream come in any pieces", () => {
  const text = new TextEncoder();
  const header = (name: string, value: string) => [name.length, ...text.encode(name), 7, value.length >> 8, value.length & 255, ...text.encode(value)];
  const headers = header(":event-type", "sessionUpdate");
  const payload = [...text.encode('{"a":1}')];
  const total = 12 + headers.length + payload.length + 4;
  const word = (value: number) => [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
  const frame = new Uint8Array([...word(total), ...word(headers.length), 0, 0, 0, 0, ...headers, ...payload, 0, 0, 0, 0]);
  const both = new Uint8Array([...frame, ...frame]);
  const first = decodeFrames(both.slice(0, total + 5));
  expect(first.messages).toEqual([{ headers: { ":event-type": "sessionUpdate" }, payload: '{"a":1}' }]);
  expect(decodeFrames(new Uint8Array([...first.rest, ...both.slice(total + 5)])).messages.length).toBe(1);
});

test("a map has callers before called, and survives rings", () => {
  const { nodes } = layout([1, 2, 3, 4], [[1, 2], [2, 3], [3, 2], [1, 4]]);
  expect([1, 2, 3, 4].map((id) => nodes.get(id)!.layer)).toEqual([0, 1, 2, 1]);
  const many = Array.from({ length: 300 }, (_, index) => index);
  expect(layout(many, many.slice(1).map((id) => [Math.floor(id / 3), id])).nodes.size).toBe(300);
});

test("the request's axis: imprecise clocks do not stretch it, and nothing weaker is shown", () => {
  const member = (more: Partial<Member>): Member => ({ kind: "log", source: "cloudwatch-logs", time_ns: "1000", duration_ns: "0", precision_ns: 1_000_000, trace_id: null, span_id: null, service: "s", name: "n", method: null, path: null, status: null, failed: false, host: null, process: null, text: "t", occurrence_id: null, strength: 0.9, evidence: [], ...more });
  const rows = axisRows([], [member({}), member({ kind: "error", time_ns: "0", precision_ns: 1_000_000_000 }), member({ strength: 0.2 })], 0.5, 5_000n);
  expect(rows.map((row) => [row.kind, row.startNs])).toEqual([["log", 1_000n], ["error", 5_000n]]);
  expect(axisRange(rows)).toEqual({ fromNs: 1_000n, toNs: 1_001n });
  expect([certainty(1), certainty(0.95), certainty(0.5), certainty(0.3)]).toEqual(["certain", "strong", "likely", "possible"]);
  expect([percent(1), percent(0.998), percent(0.5)]).toEqual(["100 %", "99 %", "50 %"]);
  expect(messageOf('{"message":"hello"}')).toBe("hello");
});

test("metrics of the server are rows", () => expect(readMetrics('# HELP a b\na{x="1"} 3\nb 4.5\nbroken')).toEqual([{ name: "a", labels: '{x="1"}', value: 3 }, { name: "b", labels: "", value: 4.5 }]));

test("every product has lines in every language, with address and key filled in", () => {
  for (const product of PRODUCTS) {
    for (const language of LANGUAGES) {
      const text = snippet(product.id, language, { origin: "http://127.0.0.1:8080", host: "127.0.0.1:8080", key: "secret key", service: "shop" });
      expect(text, `${product.id} ${language}`).not.toMatch(/ORIGIN|HOST\b|SERVICE'/);
    }
  }
});
