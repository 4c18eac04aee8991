// The request view's one time axis: traces with their spans, lines and errors, each with how surely it belongs. Pure.

import type { Member, Span } from "../../api/__generated__/api";
import { treeOf, visible } from "../../trace/model";

export type Certainty = "certain" | "strong" | "likely" | "possible";

export function certainty(strength: number): Certainty {
  if (strength >= 1) return "certain";
  if (strength >= 0.9) return "strong";
  return strength >= 0.5 ? "likely" : "possible";
}

/** In per cent; only ids make it a hundred. */
export const percent = (strength: number): string => (strength >= 1 ? "100 %" : `${Math.min(99, Math.round(strength * 100))} %`);

/** What a line says, where it is JSON that has a message. */
export function messageOf(text: string): string {
  if (!text.startsWith("{")) return text;
  try {
    const parsed = JSON.parse(text) as { message?: unknown; msg?: unknown };
    const message = parsed.message ?? parsed.msg;
    return typeof message === "string" ? message : text;
  } catch {
    return text;
  }
}

export const DOORS: Record<string, string> = {
  otlp: "OpenTelemetry", honeycomb: "Honeycomb event", xray: "AWS X-Ray", "cloudwatch-logs": "CloudWatch Logs", rollbar: "Rollbar", sentry: "Sentry", unknown: "unknown door",
};

export const REASONS: Record<string, string> = {
  trace_id: "bears the same trace id", joined_trace_id: "bears the id of a trace that is joined", id_in_text: "names the trace in its text", path: "same path", route: "path fits the route", method: "same method",
  status: "same status", failed: "the request failed, and this says why", service: "same service", host: "same host", process: "same process", time: "at the same time",
};

export interface AxisRow {
  id: string;
  kind: "span" | "log" | "error";
  door: string;
  title: string;
  detail: string;
  depth: number;
  /** Nanoseconds since the epoch. */
  startNs: bigint;
  durationNs: bigint;
  strength: number;
  failed: boolean;
  member: Member | null;
  span: Span | null;
  traceId: string | null;
}

export interface TraceOfRequest { traceId: string; door: string; strength: number; member: Member | null; spans: Span[] }

/** Rows by time; the spans of a trace stay together as its tree, which begins where its first span does. */
export function axisRows(traces: TraceOfRequest[], members: Member[], least: number, endNs: bigint): AxisRow[] {
  const groups: { startNs: bigint; rows: AxisRow[] }[] = [];
  for (const trace of traces.filter((one) => one.strength >= least && one.spans.length > 0)) {
    const tree = treeOf(trace.spans);
    const rows = visible(tree, new Set()).slice(0, 500).map((node): AxisRow => ({
      id: `${trace.traceId}-${node.index}`, kind: "span", door: trace.door, title: node.span.name || "(no name)", detail: node.span.service, depth: node.depth,
      startNs: BigInt(node.span.start_ns), durationNs: BigInt(node.span.duration_ns), strength: trace.strength, failed: node.failed, member: node.depth === 0 ? trace.member : null, span: node.span, traceId: trace.traceId,
    }));
    groups.push({ startNs: rows.reduce((least, row) => (row.startNs < least ? row.startNs : least), rows[0]!.startNs), rows });
  }
  members.forEach((member, index) => {
    if (member.kind === "trace" || member.strength < least) return;
    // A clock of whole seconds leaves a second to choose from: the end of the request, if it lies there.
    const from = BigInt(member.time_ns);
    const until = from + BigInt(member.precision_ns);
    const startNs = member.kind !== "error" || endNs < from ? from : endNs > until ? until : endNs;
    groups.push({
      startNs,
      rows: [{
        id: `m${index}`, kind: member.kind === "error" ? "error" : "log", door: member.source, title: member.kind === "error" ? member.name : messageOf(member.text), detail: member.kind === "error" ? member.text : member.service, depth: 0,
        startNs, durationNs: 0n, strength: member.strength, failed: member.kind === "error" && member.failed, member, span: null, traceId: member.trace_id,
      }],
    });
  });
  groups.sort((a, b) => (a.startNs < b.startNs ? -1 : a.startNs > b.startNs ? 1 : 0));
  return groups.flatMap((group) => group.rows);
}

/** What the axis spans: from the first to the last, but errors of whole seconds do not stretch it. */
export function axisRange(rows: AxisRow[]): { fromNs: bigint; toNs: bigint } {
  const exact = rows.filter((row) => row.kind === "span" || (row.member?.precision_ns ?? 0) <= 1_000_000);
  const used = exact.length > 0 ? exact : rows;
  let fromNs = used[0]?.startNs ?? 0n;
  let toNs = fromNs + 1n;
  for (const row of used) {
    if (row.startNs < fromNs) fromNs = row.startNs;
    const end = row.startNs + (row.durationNs > 0n ? row.durationNs : 0n);
    if (end > toNs) toNs = end;
  }
  return { fromNs, toNs };
}
