// Everything about one span: where it stands against its peers, its fields with one click to filter or group, events,
// links, logs, errors, and what X-Ray keeps of it.

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import type { RequestRecord } from "../api/__generated__/api";
import * as own from "../api/own";
import { Histogram } from "../charts/Small";
import { bucketsOf } from "../charts/series";
import type { Spec } from "../pages/query/spec";
import { Badge, CodeBlock, Facts, HttpStatus, Json } from "../ui/parts";
import { clock, duration, shown } from "../util/format";
import { paths } from "../util/path-builder";
import { useSetting } from "../util/settings";
import { safeHref } from "../util/url";
import { type Node, sinceMs, type Tree } from "./model";

const METADATA = "aws.xray.metadata.";

function parsed(text: unknown): unknown {
  if (typeof text !== "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function SpanDetails({ tree, node, beside }: { tree: Tree; node: Node; beside: RequestRecord[] }) {
  const [zone] = useSetting("zone", "local");
  const [filter, setFilter] = useState("");
  const { span } = node;
  const fields = Object.entries(span.fields).sort(([a], [b]) => a.localeCompare(b));
  const metadata = fields.filter(([name]) => name.startsWith(METADATA));
  const annotationKeys = parsed(span.fields["aws.xray.annotations"]);
  const annotations = Array.isArray(annotationKeys) ? annotationKeys.map((key) => [String(key), span.fields[String(key)] ?? span.fields[`annotation.${key}`]] as const) : [];
  const plain = fields.filter(([name]) => !name.startsWith(METADATA) && name.toLowerCase().includes(filter.toLowerCase()));
  const exceptions = span.events.filter((event) => event.name === "exception" || event.fields["exception.type"]);
  const status = span.fields["http.response.status_code"] ?? span.fields["http.status_code"];
  return (
    <div className="details" aria-label="The chosen span">
      <h2>{span.name || "(no name)"}</h2>
      <Facts facts={[
        ["Service", <Link key="s" to={paths.query(span.service)}>{span.service}</Link>],
        ["Kind", span.kind],
        ["Start", `${clock(tree.startMs + node.startMs, zone, { millis: true })} (+${duration(node.startMs)})`],
        ["Duration", node.running ? "still running" : duration(node.durationMs)],
        ["Status", typeof status === "number" ? <HttpStatus status={status} /> : node.failed ? <Badge kind="bad">error</Badge> : null],
        ["Span id", <code key="i">{span.span_id}</code>],
        ["Parent", node.orphan ? <span className="bad">{span.parent_id} has not arrived</span> : null],
      ]} />
      <Peers node={node} />
      {exceptions.map((event, index) => (
        <section key={index} className="exception">
          <h3>✕ {shown(event.fields["exception.type"])}</h3>
          <p>{shown(event.fields["exception.message"])}</p>
          {typeof event.fields["exception.stacktrace"] === "string" && <CodeBlock label="Stack trace" code={event.fields["exception.stacktrace"]} />}
        </section>
      ))}
      {annotations.length > 0 && (
        <section>
          <h3>Annotations</h3>
          <Facts facts={annotations.map(([key, value]) => [key, shown(value)])} />
        </section>
      )}
      {metadata.length > 0 && (
        <section>
          <h3>Metadata</h3>
          {metadata.map(([name, value]) => <Json key={name} name={name.slice(METADATA.length)} value={parsed(value)} />)}
        </section>
      )}
      {(span.logs.length > 0 || beside.length > 0) && (
        <section>
          <h3>Logs and errors of this span</h3>
          <ul className="beside">
            {span.logs.map((log, index) => (
              <li key={`l${index}`}><span className="dim">+{duration(sinceMs(log.time_ns, span.start_ns))}</span> {shown(log.fields.body ?? log.name)}</li>
            ))}
            {beside.map((record, index) => (
              <li key={`b${index}`}>
                {record.kind === "error" && record.occurrence_id !== null ? <Link to={paths.occurrence(record.occurrence_id)}>✕ {record.name}</Link> : <span>{record.text}</span>}
              </li>
            ))}
          </ul>
        </section>
      )}
      {span.events.length > exceptions.length && (
        <section>
          <h3>Events</h3>
          {span.events.filter((event) => !exceptions.includes(event)).map((event, index) => (
            <details key={index}>
              <summary>+{duration(sinceMs(event.time_ns, span.start_ns))} {event.name}</summary>
              <Json value={event.fields} depth={1} />
            </details>
          ))}
        </section>
      )}
      {span.links.length > 0 && (
        <section>
          <h3>Links</h3>
          <ul>{span.links.map((link, index) => <li key={index}>{link.trace_id ? <Link to={paths.trace(link.trace_id, link.span_id)}><code>{link.trace_id}</code></Link> : "(no trace)"}</li>)}</ul>
        </section>
      )}
      <section>
        <h3>Fields</h3>
        <input type="search" placeholder="Filter fields" aria-label="Filter fields" value={filter} onChange={(event) => setFilter(event.target.value)} />
        <dl className="fields">
          {plain.map(([name, value]) => {
            const href = typeof value === "string" ? safeHref(value) : null;
            return (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{href ? <a href={href} rel="noreferrer noopener" target="_blank">{shown(value)}</a> : shown(value)}</dd>
                <dd className="field-tools">
                  <Link title="Only events with this value" to={paths.query(span.service, { calculations: [{ op: "COUNT" }], filters: [{ column: name, op: "=", value }], time_range: 7200 })}>filter</Link>
                  <Link title="By the values of this field" to={paths.query(span.service, { calculations: [{ op: "COUNT" }], breakdowns: [name], time_range: 7200 })}>group</Link>
                </dd>
              </div>
            );
          })}
        </dl>
      </section>
    </div>
  );
}

/** How long spans of this name and service took in the hours around, and where this one lies. */
function Peers({ node }: { node: Node }) {
  const { span } = node;
  const atS = Math.floor(Number(BigInt(span.start_ns) / 1_000_000_000n));
  const spec: Spec = {
    calculations: [{ op: "HEATMAP", column: "duration_ms" }],
    filters: [{ column: "name", op: "=", value: span.name }],
    start_time: atS - 3600, end_time: atS + 3600, granularity: 7200,
  };
  const found = useQuery({ queryKey: ["peers", span.service, span.name, Math.floor(atS / 600)], queryFn: () => own.ask(span.service, spec), staleTime: Infinity, retry: false });
  const buckets = bucketsOf(found.data?.results[0]?.data["HEATMAP(duration_ms)"]);
  const total = buckets.reduce((sum, one) => sum + one.count, 0);
  if (total < 5) return null;
  const faster = buckets.filter((one) => one.high <= node.durationMs).reduce((sum, one) => sum + one.count, 0);
  return (
    <section>
      <h3>Against its peers</h3>
      <Histogram label="Durations of spans of this name" bars={buckets.map((one) => ({ from: one.low, to: one.high, count: one.count }))} spell={duration} chosen={[node.durationMs, node.durationMs + 1e-9]} />
      <p className="note">Slower than {Math.round((faster / total) * 100)} % of {total} spans of this name in the two hours around.</p>
    </section>
  );
}
