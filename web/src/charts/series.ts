// Answers of the query API made ready for charts. Pure, so that it is tested without a browser.

import type { QueryAnswer } from "../api/__generated__/api";
import { type Calculation, calculationName, type Spec } from "../pages/query/spec";
import { shown } from "../util/format";

export interface Line { label: string; values: (number | null)[] }
export interface Lines { times: number[]; lines: Line[]; stepMs: number; omitted: number }
export interface Cell { low: number; high: number; count: number }
export interface Heat { times: number[]; stepMs: number; columns: Cell[][]; low: number; high: number; log: boolean; most: number; total: number }

/** More lines than this are not told apart by anybody. */
export const LINES_MAX = 10;
const COUNTED = ["COUNT", "COUNT_DISTINCT", "CONCURRENCY"];

export const msOf = (time: string | number): number => (typeof time === "number" ? time * (time < 1e12 ? 1000 : 1) : Date.parse(time));

/** The start of every step of the answer's range: a series leaves out steps in which nothing happened. */
export function stepsOf(answer: QueryAnswer): { times: number[]; stepMs: number } {
  const stepMs = Math.max(1, answer.granularity) * 1000;
  const first = Math.floor((answer.start_time * 1000) / stepMs) * stepMs;
  const times: number[] = [];
  for (let ms = first; ms < answer.end_time * 1000 && times.length < 5000; ms += stepMs) times.push(ms);
  return { times, stepMs };
}

export const groupLabel = (data: Record<string, unknown>, breakdowns: string[]) => breakdowns.map((name) => shown(data[name])).join(" · ");

/** One line a group, in the order of the results. */
export function linesOf(answer: QueryAnswer, spec: Spec, calculation: Calculation): Lines {
  const { times, stepMs } = stepsOf(answer);
  const at = new Map(times.map((ms, index) => [ms, index]));
  const name = calculationName(calculation);
  const breakdowns = spec.breakdowns ?? [];
  // Nothing counted is zero; nothing averaged is a gap.
  const missing = COUNTED.includes(calculation.op) ? 0 : null;
  const groups = new Map<string, Line>();
  const labels = breakdowns.length === 0 ? [""] : answer.results.map((row) => groupLabel(row.data, breakdowns));
  for (const label of labels.slice(0, LINES_MAX)) groups.set(label, { label, values: times.map(() => missing) });
  for (const point of answer.series) {
    const line = groups.get(groupLabel(point.data, breakdowns));
    const index = at.get(Math.floor(msOf(point.time) / stepMs) * stepMs);
    const value = point.data[name];
    if (line && index !== undefined && typeof value === "number") line.values[index] = value;
  }
  return { times, stepMs, lines: [...groups.values()], omitted: Math.max(0, labels.length - groups.size) };
}

/** The buckets of a heatmap's cell: equal steps from low to high, or equal ratios where the scale is `log`. */
export function bucketsOf(cell: unknown): Cell[] {
  const given = cell as { scale?: string; low?: number; high?: number; counts?: number[] } | null;
  if (!given || !Array.isArray(given.counts) || typeof given.low !== "number" || typeof given.high !== "number") return [];
  const { low, high, counts } = given;
  const ratio = given.scale === "log" && low > 0;
  const edge = (index: number) => (ratio ? low * (high / low) ** (index / counts.length) : low + (high - low) * (index / counts.length));
  return counts.map((count, index) => ({ low: edge(index), high: edge(index + 1), count })).filter((bucket) => bucket.count > 0);
}

/** All groups together: a heatmap shows one distribution. */
export function heatOf(answer: QueryAnswer, calculation: Calculation): Heat | null {
  const { times, stepMs } = stepsOf(answer);
  const at = new Map(times.map((ms, index) => [ms, index]));
  const name = calculationName(calculation);
  const merged: Map<number, Cell>[] = times.map(() => new Map());
  let log = false;
  for (const point of answer.series) {
    const index = at.get(Math.floor(msOf(point.time) / stepMs) * stepMs);
    if (index === undefined) continue;
    log ||= (point.data[name] as { scale?: string } | null)?.scale === "log";
    for (const bucket of bucketsOf(point.data[name])) {
      const known = merged[index]?.get(bucket.low);
      if (known) known.count += bucket.count;
      else merged[index]?.set(bucket.low, { ...bucket });
    }
  }
  const columns = merged.map((cells) => [...cells.values()]);
  const all = columns.flat();
  if (all.length === 0) return null;
  return {
    times, stepMs, columns, log,
    low: all.reduce((low, cell) => Math.min(low, cell.low), Infinity),
    high: all.reduce((high, cell) => Math.max(high, cell.high), -Infinity),
    most: all.reduce((most, cell) => Math.max(most, cell.count), 1),
    total: all.reduce((sum, cell) => sum + cell.count, 0),
  };
}

/** 1, 2 or 5 times a power of ten, so that about four fit. */
export function roundLevels(low: number, high: number): number[] {
  if (!(high > low)) return [low];
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough) ?? rough;
  const levels: number[] = [];
  for (let level = Math.ceil(low / step) * step; level <= high + step * 1e-9; level += step) levels.push(Number(level.toPrecision(12)));
  return levels;
}

/** Values at which a cumulative histogram passes each share. */
export function percentile(histogram: { Value: number; Count: number }[], share: number): number | null {
  const total = histogram.reduce((sum, entry) => sum + entry.Count, 0);
  if (total === 0) return null;
  let seen = 0;
  for (const entry of [...histogram].sort((a, b) => a.Value - b.Value)) {
    seen += entry.Count;
    if (seen >= total * share) return entry.Value;
  }
  return null;
}
