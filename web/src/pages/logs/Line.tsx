// One log event in a list: its time, its text with what was searched for marked, and what it holds when it is opened.

import { useMemo, useState } from "react";
import { Link } from "react-router";
import { Json } from "../../ui/parts";
import { clock } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";

/** The trace that a line names: 32 hex digits under a name that says so, an X-Ray id, or 32 hex digits alone. */
export function traceIdIn(text: string): string | null {
  const xray = /\b1-([0-9a-f]{8})-([0-9a-f]{24})\b/i.exec(text);
  if (xray) return `${xray[1]}${xray[2]}`.toLowerCase();
  const named = /trace[_. -]?id["'\s:=]+([0-9a-f]{32})\b/i.exec(text) ?? /\b00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}\b/i.exec(text);
  return named?.[1] ? named[1].toLowerCase() : null;
}

/** The words of a filter pattern that stand in a line as they are. */
export function wordsOf(pattern: string): string[] {
  const trimmed = pattern.trim();
  if (!trimmed || /^[[{%]/.test(trimmed)) return [];
  return [...trimmed.matchAll(/"([^"]+)"|(\S+)/g)].map((found) => found[1] ?? found[2] ?? "").filter((word) => word && !word.startsWith("-")).map((word) => word.replace(/^\?/, ""));
}

export function Marked({ text, words }: { text: string; words: string[] }) {
  if (words.length === 0) return <>{text}</>;
  const pattern = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|")})`, "g");
  return <>{text.split(pattern).map((piece, index) => (index % 2 ? <mark key={index}>{piece}</mark> : piece))}</>;
}

export function Line({ event, words, stream, around }: { event: { timestamp: number; message: string; logStreamName?: string | undefined }; words: string[]; stream?: boolean; around?: (() => void) | undefined }) {
  const [zone] = useSetting("zone", "local");
  const [open, setOpen] = useState(false);
  const trace = useMemo(() => traceIdIn(event.message), [event.message]);
  const level = /\b(error|critical|fatal|exception)\b/i.test(event.message.slice(0, 200)) ? "bad" : /\bwarn(ing)?\b/i.test(event.message.slice(0, 200)) ? "warn" : "";
  let parsed: unknown = null;
  if (open) {
    try { parsed = JSON.parse(event.message); } catch { parsed = null; }
  }
  return (
    <li className={`log-line ${level}`}>
      <button type="button" className="log-open" aria-expanded={open} onClick={() => setOpen(!open)}>
        <time>{clock(event.timestamp, zone, { millis: true })}</time>
        {stream && event.logStreamName && <span className="dim stream">{event.logStreamName}</span>}
        <span className={open ? "log-text open" : "log-text"}><Marked text={event.message} words={words} /></span>
      </button>
      {open && (
        <div className="log-more">
          {parsed !== null && typeof parsed === "object" && <Json value={parsed} />}
          <p>{event.logStreamName && <span className="dim">{event.logStreamName} </span>}
            {trace && <><Link to={paths.request(trace)}>request</Link> · <Link to={paths.trace(trace)}>trace</Link></>}
            {around && <> · <button type="button" className="link" onClick={around}>lines around</button></>}
          </p>
        </div>
      )}
    </li>
  );
}
