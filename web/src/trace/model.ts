// A trace as rows of a waterfall: the tree, what is folded, the critical path, matches. Pure; 100,000 spans are fine.

import type { Span } from "../api/__generated__/api";
import { msOfNs } from "../util/format";

export interface Node {
  span: Span;
  index: number;
  depth: number;
  children: Node[];
  /** Its parent is named but not in the trace. */
  orphan: boolean;
  /** Milliseconds after the trace's start. */
  startMs: number;
  durationMs: number;
  /** Spans below this one, at any depth. */
  below: number;
  failed: boolean;
  running: boolean;
}

export interface Tree { roots: Node[]; nodes: Node[]; byId: Map<string, Node>; startMs: number; durationMs: number }

const failed = (span: Span) => span.status_code === 2 || span.fields.error === true;

/** Nanoseconds as text → milliseconds after another such text, without losing what a double cannot hold. */
export const sinceMs = (ns: string, startNs: string): number => Number(BigInt(ns) - BigInt(startNs)) / 1e6;

export function treeOf(spans: Span[]): Tree {
  const first = spans.reduce<string | null>((least, span) => (least === null || BigInt(span.start_ns) < BigInt(least) ? span.start_ns : least), null) ?? "0";
  const nodes: Node[] = spans.map((span, index) => ({
    span, index, depth: 0, children: [], orphan: false, below: 0,
    startMs: sinceMs(span.start_ns, first),
    durationMs: Number(BigInt(span.duration_ns)) / 1e6,
    failed: failed(span),
    running: span.fields["aws.xray.inprogress"] === true,
  }));
  const byId = new Map<string, Node>();
  for (const node of nodes) if (node.span.span_id) byId.set(node.span.span_id, node);
  const roots: Node[] = [];
  for (const node of nodes) {
    const parent = node.span.parent_id ? byId.get(node.span.parent_id) : undefined;
    if (parent && parent !== node) parent.children.push(node);
    else {
      node.orphan = Boolean(node.span.parent_id);
      roots.push(node);
    }
  }
  // A ring of parents has no root: its first span becomes one, so that nothing is hidden.
  const seen = new Set<Node>();
  const visit = (root: Node) => {
    const order: Node[] = [];
    const stack = [root];
    while (stack.length > 0) {
      const node = stack.pop()!;
      if (seen.has(node)) continue;
      seen.add(node);
      order.push(node);
      for (const child of node.children) {
        child.depth = node.depth + 1;
        stack.push(child);
      }
    }
    for (const node of order.reverse()) node.below = node.children.reduce((sum, child) => sum + 1 + child.below, 0);
  };
  roots.forEach(visit);
  for (const node of nodes) {
    if (seen.has(node)) continue;
    for (const other of nodes) other.children = other.children.filter((child) => child !== node);
    node.orphan = true;
    roots.push(node);
    visit(node);
  }
  const byStart = (a: Node, b: Node) => a.startMs - b.startMs || a.index - b.index;
  roots.sort(byStart);
  for (const node of nodes) node.children.sort(byStart);
  const endMs = nodes.reduce((end, node) => Math.max(end, node.startMs + Math.max(0, node.durationMs)), 0);
  return { roots, nodes, byId, startMs: msOfNs(first), durationMs: endMs };
}

/** The rows that are not folded away, from top to bottom. */
export function visible(tree: Tree, folded: ReadonlySet<Node>): Node[] {
  const rows: Node[] = [];
  const stack = [...tree.roots].reverse();
  while (stack.length > 0) {
    const node = stack.pop()!;
    rows.push(node);
    if (!folded.has(node)) for (let index = node.children.length - 1; index >= 0; index -= 1) stack.push(node.children[index]!);
  }
  return rows;
}

/** The spans that the length of the trace is made of: from the end backwards, always the child that ended last. */
export function criticalPath(tree: Tree): Set<Node> {
  const path = new Set<Node>();
  const root = tree.roots.reduce<Node | null>((longest, node) => (!longest || node.durationMs > longest.durationMs ? node : longest), null);
  if (!root) return path;
  const stack: [Node, number][] = [[root, root.startMs + root.durationMs]];
  while (stack.length > 0) {
    const [node, untilMs] = stack.pop()!;
    if (path.has(node)) continue;
    path.add(node);
    let atMs = Math.min(untilMs, node.startMs + node.durationMs);
    const byEnd = [...node.children].sort((a, b) => b.startMs + b.durationMs - (a.startMs + a.durationMs));
    for (const child of byEnd) {
      const endMs = child.startMs + child.durationMs;
      if (endMs > atMs + 1e-6 || child.durationMs <= 0) continue;
      stack.push([child, endMs]);
      atMs = child.startMs;
    }
  }
  return path;
}

/** Whether a span has a text anywhere a reader would look. */
export function matches(node: Node, text: string): boolean {
  const wanted = text.toLowerCase();
  const { span } = node;
  if (`${span.name}\n${span.service}\n${span.span_id}`.toLowerCase().includes(wanted)) return true;
  return Object.entries(span.fields).some(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : value}`.toLowerCase().includes(wanted));
}

/** What is open on the way to a node must be unfolded for it to show. */
export function unfolded(tree: Tree, folded: ReadonlySet<Node>, node: Node): Set<Node> {
  const next = new Set(folded);
  let parent = node.span.parent_id ? tree.byId.get(node.span.parent_id) : undefined;
  const seen = new Set<Node>();
  while (parent && !seen.has(parent)) {
    seen.add(parent);
    next.delete(parent);
    parent = parent.span.parent_id ? tree.byId.get(parent.span.parent_id) : undefined;
  }
  return next;
}

/** A hue for each value of what is coloured by, by the order in which they come. */
export function hues(tree: Tree, field: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const node of tree.nodes) {
    const value = colourKey(node, field);
    if (!found.has(value)) found.set(value, found.size % 8);
  }
  return found;
}

export const colourKey = (node: Node, field: string): string => (field === "service" ? node.span.service : String(node.span.fields[field] ?? "(none)"));
