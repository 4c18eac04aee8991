// The time range of a page: the last so many seconds, or from one instant to another. It lies in the address and is
// carried from page to page.

import { useMemo } from "react";
import { useSearchParams } from "react-router";
import { clock, type Zone } from "./format";
import { useSetting } from "./settings";

export interface TimeRange {
  /** Seconds back from now; null for a fixed range. */
  last: number | null;
  startMs: number;
  endMs: number;
}

export const PERIODS: [number, string][] = [
  [600, "10 minutes"], [3600, "hour"], [7200, "2 hours"], [28_800, "8 hours"], [86_400, "24 hours"], [604_800, "7 days"], [2_419_200, "28 days"],
];

export function readTime(parameters: URLSearchParams, nowMs: number, fallbackS: number): TimeRange {
  const from = Number(parameters.get("from"));
  const to = Number(parameters.get("to"));
  if (parameters.has("from") && parameters.has("to") && Number.isFinite(from) && to > from) return { last: null, startMs: from, endMs: to };
  const last = Number(parameters.get("last"));
  const seconds = Number.isFinite(last) && last > 0 ? last : fallbackS;
  return { last: seconds, startMs: nowMs - seconds * 1000, endMs: nowMs };
}

export function describeTime(range: TimeRange, zone: Zone): string {
  if (range.last !== null) return `last ${PERIODS.find(([seconds]) => seconds === range.last)?.[1] ?? `${range.last} s`}`;
  return `${clock(range.startMs, zone)} – ${clock(range.endMs, zone, { date: range.endMs - range.startMs > 86_400_000 })}`;
}

/** The page's range. `key` changes when it is set again, so that "now" is another. */
export function useTime(fallbackS = 3600) {
  const [parameters, setParameters] = useSearchParams();
  const [kept, keep] = useSetting("period", fallbackS);
  const text = ["from", "to", "last"].map((name) => parameters.get(name) ?? "").join("|");
  const range = useMemo(() => readTime(parameters, Date.now(), kept), [text, kept]); // eslint-disable-line
  const set = (next: { last: number } | { startMs: number; endMs: number }) => {
    const changed = new URLSearchParams(parameters);
    for (const name of ["from", "to", "last"]) changed.delete(name);
    if ("last" in next) {
      changed.set("last", String(next.last));
      keep(next.last);
    } else {
      changed.set("from", String(Math.floor(next.startMs)));
      changed.set("to", String(Math.ceil(next.endMs)));
    }
    setParameters(changed);
  };
  return { range, set };
}
