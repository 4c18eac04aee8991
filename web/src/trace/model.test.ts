import { expect, test } from "vitest";
import type { Span } from "../api/__generated__/api";
import { criticalPath, matches, sinceMs, treeOf, unfolded, visible } from "./model";

const span = (id: string, parent: string | null, startMs: number, durationMs: number, more: Partial<Span> = {}): Span => ({
  span_id: id, parent_id: parent, name: id, service: "s", kind: "server", status_code: 0,
  start_ns: String(1_795_000_000_000_000_000n + BigInt(Math.round(startMs * 1e6))), duration_ns: String(Math.round(durationMs * 1e6)), fields: {}, events: [], links: [], logs: [], ...more,
});

test("spans become a tree in order of time, whatever order they come in", () => {
  const tree = treeOf([span("c", "a", 6, 2), span("b", "a", 1, 4), span("a", null, 0, 10), span("d", "b", 2, 1)]);
  expect(visible(tree, new Set()).map((node) => `${node.depth}${node.span.span_id}`)).toEqual(["0a", "1b", "2d", "1c"]);
  expect(tree.durationMs).toBeCloseTo(10);
  expect(tree.roots[0]!.below).toBe(3);
  expect(visible(tree, new Set([tree.byId.get("b")!])).map((node) => node.span.span_id)).toEqual(["a", "b", "c"]);
  expect(unfolded(tree, new Set([tree.byId.get("b")!]), tree.byId.get("d")!).size).toBe(0);
});

test("a parent that is not there makes an orphan, and a ring hides nothing", () => {
  const orphan = treeOf([span("b", "gone", 0, 1)]);
  expect(orphan.roots[0]!.orphan).toBe(true);
  const ring = treeOf([span("a", "b", 0, 1), span("b", "a", 1, 1), span("c", null, 0, 3)]);
  expect(visible(ring, new Set()).length).toBe(3);
});

test("the critical path goes back from the end through what ended last", () => {
  const tree = treeOf([span("root", null, 0, 10), span("early", "root", 0, 3), span("late", "root", 5, 5), span("beside", "root", 5, 2), span("inner", "late", 6, 4)]);
  expect([...criticalPath(tree)].map((node) => node.span.span_id).sort()).toEqual(["early", "inner", "late", "root"]);
});

test("nanoseconds keep what a double would lose", () => expect(sinceMs("1795000000000000001", "1795000000000000000")).toBe(0.000001));

test("a match may be in any field", () => {
  const tree = treeOf([span("a", null, 0, 1, { fields: { "user.id": "andrew" } })]);
  expect(matches(tree.nodes[0]!, "USER.ID=andrew")).toBe(true);
  expect(matches(tree.nodes[0]!, "bob")).toBe(false);
});

test("100,000 spans take no while", () => {
  const spans = Array.from({ length: 100_000 }, (_, index) => span(`s${index}`, index === 0 ? null : `s${Math.floor((index - 1) / 4)}`, index / 100, 1));
  expect(visible(treeOf(spans), new Set()).length).toBe(100_000);
});
