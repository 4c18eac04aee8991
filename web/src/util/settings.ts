// What the browser remembers of its user: theme, time zone, environment, the last period. Every reader follows a change.

import { useCallback, useSyncExternalStore } from "react";

export interface Settings {
  theme: "system" | "light" | "dark";
  zone: "local" | "utc";
  environment: string;
  region: string;
  project: number;
  period: number;
}

const listeners = new Set<() => void>();
const cache = new Map<string, unknown>();

export function readSetting<K extends keyof Settings>(name: K, fallback: Settings[K]): Settings[K] {
  if (!cache.has(name)) {
    let value: unknown = null;
    try {
      value = JSON.parse(localStorage.getItem(`tracery.${name}`) ?? "null");
    } catch {
      // Not ours, or storage is closed: as if nothing were kept.
    }
    cache.set(name, typeof value === typeof fallback ? value : null);
  }
  return (cache.get(name) as Settings[K] | null) ?? fallback;
}

export function writeSetting<K extends keyof Settings>(name: K, value: Settings[K]): void {
  cache.set(name, value);
  try {
    localStorage.setItem(`tracery.${name}`, JSON.stringify(value));
  } catch {
    // The page works without remembering.
  }
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export function useSetting<K extends keyof Settings>(name: K, fallback: Settings[K]): [Settings[K], (value: Settings[K]) => void] {
  const value = useSyncExternalStore(subscribe, () => readSetting(name, fallback));
  const set = useCallback((next: Settings[K]) => writeSetting(name, next), [name]);
  return [value, set];
}
