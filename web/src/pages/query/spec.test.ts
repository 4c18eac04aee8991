import { describe as group, expect, test } from "vitest";
import { describe, filterValue, narrowed, parse, print, type Spec } from "./spec";

group("the text form of a query", () => {
  const specs: Spec[] = [
    { calculations: [{ op: "COUNT" }] },
    { calculations: [{ op: "HEATMAP", column: "duration_ms" }, { op: "COUNT_DISTINCT", column: "user.id" }], breakdowns: ["service.name", "http.route"] },
    { calculations: [{ op: "P99", column: "duration_ms" }], filters: [{ column: "name", op: "=", value: "GET /a b" }, { column: "error", op: "exists" }, { column: "n", op: ">", value: 3.5 }] },
    { calculations: [{ op: "COUNT" }], filters: [{ column: "a", op: "in", value: ["x", 2] }, { column: "b", op: "!=", value: true }], filter_combination: "OR" },
    { calculations: [{ op: "AVG", column: "duration_ms" }], breakdowns: ["trace.trace_id"], havings: [{ calculate_op: "AVG", column: "duration_ms", op: ">", value: 10 }], orders: [{ op: "AVG", column: "duration_ms", order: "descending" }], limit: 20 },
    { calculations: [{ op: "COUNT" }], filters: [{ column: "a", op: "=", value: "7" }, { column: "b", op: "=", value: "" }], orders: [{ column: "a", order: "ascending" }], breakdowns: ["a"] },
  ];
  for (const spec of specs) test(print(spec), () => expect(parse(print(spec), {})).toEqual(spec));

  test("mistakes are told", () => {
    for (const [text, reason] of [["MEDIAN(x)", "no calculation"], ["AVG", "needs a field"], ["COUNT where a ~ b", "no operator"], ["COUNT where a = 1 and b = 2 or c = 3", "not by both"], ["COUNT limit many", "1 to 1000"], ["COUNT where a =", "needs a value"]] as const) {
      expect(() => parse(text, {}), text).toThrow(reason);
    }
  });
  test("what the text does not tell is kept", () => expect(parse("COUNT", { time_range: 600, granularity: 5 })).toEqual({ calculations: [{ op: "COUNT" }], time_range: 600, granularity: 5 }));
});

test("values are of the type they look like, unless the field or quotes say otherwise", () => {
  expect(filterValue("=", "7", "integer")).toBe(7);
  expect(filterValue("=", "7", "string")).toBe("7");
  expect(filterValue("=", '"7"', "")).toBe("7");
  expect(filterValue("in", "a, 2,true", "")).toEqual(["a", 2, true]);
});

test("narrowing adds a filter; nothing is asked for as missing", () => {
  expect(describe(narrowed({}, "a", null))).toBe("COUNT where a does-not-exist");
  expect(describe(narrowed({}, "a", 1, true))).toBe("COUNT where a != 1");
});
