// How numbers, times and values are spelled, everywhere the same. Pure.

const LOCALE = "en-US";

/** 1234567 → "1,234,567"; small fractions keep three digits. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  const digits = Number.isInteger(value) || size >= 1000 ? 0 : size >= 100 ? 1 : size >= 1 ? 2 : 4;
  return value.toLocaleString(LOCALE, { maximumFractionDigits: digits });
}

/** 1234567 → "1.2M". */
export function short(value: number): string {
  if (Math.abs(value) < 10_000) return number(value);
  return value.toLocaleString(LOCALE, { notation: "compact", maximumFractionDigits: 1 });
}

/** Milliseconds with the unit that fits. */
export function duration(ms: number): string {
  const size = Math.abs(ms);
  const spell = (value: number, unit: string) => `${value.toLocaleString(LOCALE, { maximumSignificantDigits: 3 })} ${unit}`;
  if (size === 0) return "0 ms";
  if (size < 0.001) return spell(ms * 1e6, "ns");
  if (size < 1) return spell(ms * 1e3, "µs");
  if (size < 1000) return spell(ms, "ms");
  if (size < 120_000) return spell(ms / 1e3, "s");
  if (size < 7_200_000) return spell(ms / 6e4, "min");
  return spell(ms / 3.6e6, "h");
}

export function bytes(count: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = count;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toLocaleString(LOCALE, { maximumSignificantDigits: 3 })} ${units[unit]}`;
}

export type Zone = "local" | "utc";

const pad = (value: number, width = 2) => String(value).padStart(width, "0");

/** Date and time, to the second or the millisecond. */
export function clock(ms: number, zone: Zone, { date = true, millis = false } = {}): string {
  if (!Number.isFinite(ms)) return "–";
  const at = new Date(zone === "utc" ? ms : ms - new Date(ms).getTimezoneOffset() * 60_000);
  const day = `${at.getUTCFullYear()}-${pad(at.getUTCMonth() + 1)}-${pad(at.getUTCDate())}`;
  const time = `${pad(at.getUTCHours())}:${pad(at.getUTCMinutes())}:${pad(at.getUTCSeconds())}${millis ? `.${pad(at.getUTCMilliseconds(), 3)}` : ""}`;
  return date ? `${day} ${time}` : time;
}

/** "3 min ago". */
export function ago(ms: number, nowMs: number): string {
  const seconds = Math.max(0, (nowMs - ms) / 1000);
  if (seconds < 5) return "just now";
  if (seconds < 120) return `${Math.floor(seconds)} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} days ago`;
}

/** A field's value as text; nothing is told apart from an empty text. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "(none)";
  if (value === "") return "(empty)";
  if (typeof value === "number") return number(value);
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

export const plural = (count: number, one: string, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** Nanoseconds since the epoch, as the text the server sends, in milliseconds. */
export const msOfNs = (ns: string): number => {
  const text = ns.padStart(7, "0");
  return Number(text.slice(0, -6)) + Number(text.slice(-6)) / 1e6;
};
