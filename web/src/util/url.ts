// Parts of a page's state that live in its address.

import { useSearchParams } from "react-router";

/** One parameter of the address; setting it to "" removes it. Replaces the entry of the history unless told otherwise. */
export function useParameter(name: string, fallback = ""): [string, (value: string, push?: boolean) => void] {
  const [parameters, setParameters] = useSearchParams();
  const set = (value: string, push = false) =>
    setParameters(
      (known) => {
        const next = new URLSearchParams(known);
        if (value === "" || value === fallback) next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: !push },
    );
  return [parameters.get(name) ?? fallback, set];
}

/** An address that telemetry names, if it is one that a click may open. */
export function safeHref(text: string): string | null {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}
