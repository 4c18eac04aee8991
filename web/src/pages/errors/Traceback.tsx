// What an error says: its chain of exceptions with frames, code and locals, the most recent call first.

import { useState } from "react";
import type { Frame, OccurrenceData, Trace } from "../../api/rollbar";
import { CodeBlock, Json } from "../../ui/parts";
import { shown } from "../../util/format";

const LIBRARY = /site-packages|node_modules|\/lib\/python|\/\.cargo\/|\/rustc\/|\/usr\/lib|internal\/|node:/;
export const isOwn = (frame: Frame) => frame.in_project ?? !LIBRARY.test(frame.filename ?? "");

export function Traceback({ data }: { data: OccurrenceData }) {
  const body = data.body ?? {};
  const chain: Trace[] = body.trace_chain ?? (body.trace ? [body.trace] : []);
  if (body.message) {
    const { body: text, ...extra } = body.message;
    return (
      <section>
        <pre className="line" tabIndex={0}>{text}</pre>
        {Object.keys(extra).length > 0 && <Json value={extra} />}
      </section>
    );
  }
  if (body.crash_report) return <CodeBlock label="Crash report" code={body.crash_report.raw ?? ""} />;
  if (chain.length === 0) return <p className="note">This occurrence has no traceback.</p>;
  return <>{chain.map((trace, index) => <Chain key={index} trace={trace} isCause={index > 0} />)}</>;
}

function Chain({ trace, isCause }: { trace: Trace; isCause: boolean }) {
  const [all, setAll] = useState(false);
  // Rollbar has the most recent call last.
  const frames = [...(trace.frames ?? [])].reverse();
  const library = frames.filter((frame) => !isOwn(frame)).length;
  const hide = !all && library > 0 && library < frames.length;
  const own = frames.filter((frame) => !hide || isOwn(frame));
  return (
    <section className="traceback">
      <h3>{isCause && <span className="dim">caused by </span>}{trace.exception?.class}</h3>
      <p className="exception-message">{trace.exception?.message ?? trace.exception?.description}</p>
      <ol>
        {own.map((frame, index) => <FrameRow key={index} frame={frame} open={index === 0} />)}
      </ol>
      {library > 0 && library < frames.length && <button type="button" className="link" onClick={() => setAll(!all)}>{all ? "Only the application's frames" : `Show ${library} frames of libraries`}</button>}
    </section>
  );
}

function FrameRow({ frame, open }: { frame: Frame; open: boolean }) {
  const pre = frame.context?.pre ?? [];
  const post = frame.context?.post ?? [];
  const locals = Object.entries(frame.locals ?? {});
  const has = Boolean(frame.code || pre.length || post.length || locals.length);
  const first = (frame.lineno ?? 1) - pre.length;
  const place = <><code>{frame.filename ?? "(no file)"}{frame.lineno != null ? `:${frame.lineno}` : ""}{frame.colno != null ? `:${frame.colno}` : ""}</code> <span className="dim">in</span> <strong>{frame.method ?? "?"}</strong></>;
  if (!has) return <li className={isOwn(frame) ? "own" : "library"}>{place}</li>;
  return (
    <li className={isOwn(frame) ? "own" : "library"}>
      <details open={open}>
        <summary>{place}</summary>
        {(frame.code || pre.length > 0) && (
          <pre className="source" tabIndex={0} role="region" aria-label="Source code">
            {[...pre, frame.code ?? "", ...post].map((line, index) => (
              <div key={index} className={index === pre.length ? "at" : ""}><span className="lineno">{first + index}</span>{line || " "}</div>
            ))}
          </pre>
        )}
        {locals.length > 0 && (
          <dl className="locals">{locals.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{typeof value === "object" && value !== null ? <Json value={value} depth={2} /> : shown(value)}</dd></div>)}</dl>
        )}
      </details>
    </li>
  );
}
