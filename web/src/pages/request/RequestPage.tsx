// The request view: all that one request left behind, from all four doors, on one time axis. Joins by evidence say how
// strong they are; what may be of another request is shown as that, or left away.

import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link, useParams } from "react-router";
import type { Member } from "../../api/__generated__/api";
import { ApiError } from "../../api/client";
import * as own from "../../api/own";
import * as rollbar from "../../api/rollbar";
import { Badge, Copy, Empty, Facts, Failed, Heading, HttpStatus, Json, Loading, Segmented, Warning } from "../../ui/parts";
import { clock, duration, msOfNs, number, plural, shown } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { useParameter } from "../../util/url";
import { Traceback } from "../errors/Traceback";
import { axisRange, axisRows, type AxisRow, certainty, DOORS, percent, REASONS, type TraceOfRequest } from "./model";

const TRACES_MAX = 12;

export default function RequestPage() {
  const { id = "" } = useParams();
  const [zone] = useSetting("zone", "local");
  const [least, setLeast] = useParameter("least", "0.5");
  const [chosenId, setChosen] = useState<string | null>(null);
  const view = useQuery({ queryKey: ["request", id], queryFn: () => own.requestView(id), staleTime: 5_000 });
  const joined = useMemo(() => {
    const found = new Map<string, Member>();
    for (const member of view.data?.members ?? []) if (member.kind === "trace" && member.trace_id && !found.has(member.trace_id)) found.set(member.trace_id, member);
    return [...found.values()].sort((a, b) => b.strength - a.strength).slice(0, TRACES_MAX);
  }, [view.data]);
  const wanted = joined.filter((member) => member.strength >= Number(least));
  const spans = useQueries({ queries: [id, ...wanted.map((member) => member.trace_id!)].map((traceId) => ({ queryKey: ["trace page", traceId], queryFn: () => own.trace(traceId), enabled: Boolean(view.data), retry: false, staleTime: 10_000 })) });
  const traces: TraceOfRequest[] = useMemo(
    () => [
      { traceId: id, door: view.data?.entries[0]?.source ?? "otlp", strength: 1, member: null, spans: spans[0]?.data?.spans ?? [] },
      ...wanted.map((member, index) => ({ traceId: member.trace_id!, door: member.source, strength: member.strength, member, spans: spans[index + 1]?.data?.spans ?? [] })),
    ],
    [id, view.data, spans.map((one) => one.dataUpdatedAt).join()], // eslint-disable-line
  );
  const rows = useMemo(() => axisRows(traces, view.data?.members ?? [], Number(least), view.data ? BigInt(view.data.start_ns) + BigInt(view.data.duration_ns) : 0n), [traces, view.data, least]);

  if (view.error) {
    const missing = view.error instanceof ApiError && view.error.status === 404;
    return (
      <>
        <Heading title="Request" />
        {missing ? <Empty title="Nothing bears this id.">It may not have arrived yet, be older than what is kept, or belong to another environment.</Empty> : <Failed error={view.error} retry={() => void view.refetch()} />}
      </>
    );
  }
  if (!view.data) return <Loading what="the request" />;
  const { entries, members, rival_count: rivals, is_partial: isPartial } = view.data;
  const entry = entries[0] ?? joined[0];
  const chosen = rows.find((row) => row.id === chosenId) ?? rows[0] ?? null;
  const hidden = members.filter((member) => member.strength < Number(least)).length;
  const doors = new Set(rows.map((row) => row.door));
  return (
    <>
      <Heading title={entry?.method && entry.path ? `${entry.method} ${entry.path}` : (entry?.name ?? "Request")} note={<code className="id">{id}</code>}>
        <Copy text={location.href} label="Copy link" />
        <Link className="button" to={paths.trace(id)}>Trace</Link>
      </Heading>
      <p className="summary">
        {entry?.status ? <HttpStatus status={entry.status} /> : null} {clock(msOfNs(view.data.start_ns), zone, { millis: true })} · <strong>{duration(Number(BigInt(view.data.duration_ns)) / 1e6)}</strong>
        {entry && <> · {entry.service}</>} · seen by {[...doors].map((door) => <Badge key={door} kind={`door-${door}`}>{DOORS[door] ?? door}</Badge>)}
      </p>
      {isPartial && <Warning>More happened at this time than was looked at: what is far from the request in time may be missing.</Warning>}
      <div className="toolbar">
        <Segmented label="Show what belongs" value={least} choose={setLeast} options={[["1", "by id only"], ["0.5", "likely and surer"], ["0.1", "everything possible"]]} />
        <span className="note">{plural(rows.length, "row")}{hidden > 0 ? `, ${plural(hidden, "weaker join")} left away` : ""}{rivals > 0 ? ` · weighed against ${plural(rivals, "other request")} of that second` : ""}</span>
      </div>
      {spans.some((one) => one.isPending && one.fetchStatus !== "idle") && <Loading what="spans" />}
      <div className="request">
        <Axis rows={rows} chosen={chosen} choose={(row) => setChosen(row.id)} />
        {chosen && <RowDetails key={chosen.id} row={chosen} />}
      </div>
    </>
  );
}

function Axis({ rows, chosen, choose }: { rows: AxisRow[]; chosen: AxisRow | null; choose: (row: AxisRow) => void }) {
  const { fromNs, toNs } = useMemo(() => axisRange(rows), [rows]);
  const total = Math.max(1, Number(toNs - fromNs));
  const share = (ns: bigint) => Math.min(100, Math.max(0, (Number(ns - fromNs) / total) * 100));
  return (
    <div className="axis" role="listbox" aria-label="Everything of this request, by time" tabIndex={0} onKeyDown={(event) => {
      const step = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
      if (!step || rows.length === 0) return;
      event.preventDefault();
      const next = rows[Math.min(rows.length - 1, Math.max(0, (chosen ? rows.indexOf(chosen) : 0) + step))];
      if (next) choose(next);
    }}>
      <div className="axis-row scale" aria-hidden="true">
        <span className="axis-name" />
        <span className="axis-time">{[0, 0.25, 0.5, 0.75].map((part) => <span key={part} className="tick" style={{ left: `${part * 100}%` }}>{duration((part * total) / 1e6)}</span>)}</span>
      </div>
      {rows.map((row) => {
        const left = share(row.startNs);
        const sure = certainty(row.strength);
        return (
          <div key={row.id} role="option" aria-selected={row === chosen} className={`axis-row ${row === chosen ? "chosen" : ""} ${row.failed ? "error" : ""} sure-${sure}`} onClick={() => choose(row)}>
            <span className="axis-name" style={{ paddingLeft: `calc(6px + ${Math.min(row.depth, 16)} * var(--indent))` }}>
              <span className={`door-dot door-${row.door}`} title={DOORS[row.door] ?? row.door} />
              <span className="mark" aria-hidden="true">{row.kind === "log" ? "≡" : row.kind === "error" ? "✕" : "▬"}</span>
              <span className="text" title={row.title}>{row.title || "(empty)"} <span className="dim">{row.detail}</span></span>
              {row.member && row.strength < 1 && <Badge kind={`sure ${sure}`} title="How surely this belongs to the request">{sure} {percent(row.strength)}</Badge>}
            </span>
            <span className="axis-time">
              {row.kind === "span" ? <span className={`bar door-${row.door}`} style={{ left: `${left}%`, width: `${Math.max(0.3, share(row.startNs + row.durationNs) - left)}%` }} /> : <span className={`dot door-${row.door}`} style={{ left: `${left}%` }} />}
              {row.kind === "span" && <span className="bar-text" style={left < 70 ? { left: `${share(row.startNs + row.durationNs)}%` } : { right: `${100 - left}%` }}>{duration(Number(row.durationNs) / 1e6)}</span>}
            </span>
          </div>
        );
      })}
    </div>
  );
}

function RowDetails({ row }: { row: AxisRow }) {
  const [zone] = useSetting("zone", "local");
  const { member, span } = row;
  const parsed = useMemo(() => {
    if (row.kind !== "log") return null;
    try { return JSON.parse(row.member?.text ?? "") as unknown; } catch { return null; }
  }, [row]);
  return (
    <div className="details" aria-label="The chosen row">
      <h2>{row.kind === "log" ? "Log line" : row.title}</h2>
      <Facts facts={[
        ["Door", DOORS[row.door] ?? row.door],
        ["Time", clock(msOfNs(String(row.startNs)), zone, { millis: true })],
        ["Duration", row.kind === "span" ? duration(Number(row.durationNs) / 1e6) : null],
        ["Service", span?.service ?? member?.service],
        ["Stream", row.kind === "log" ? member?.name : null],
        ["Host", member?.host],
        ["Process", member?.process],
        ["Trace", row.traceId ? <Link key="t" to={paths.trace(row.traceId, span?.span_id)}><code>{row.traceId}</code></Link> : "none of its own"],
      ]} />
      {member && (
        <section>
          <h3>Why it is here</h3>
          <p>{member.strength >= 1 ? "It bears the request's id." : `The evidence makes it ${percent(member.strength)} that this belongs to the request; no id says so.`}</p>
          <ul className="evidence">
            {member.evidence.map((one, index) => <li key={index}>{REASONS[one.reason] ?? one.reason}{one.weight !== null && <span className="dim"> +{number(one.weight)}</span>}</li>)}
          </ul>
        </section>
      )}
      {row.kind === "log" && (parsed ? <Json value={parsed} /> : <pre className="line" tabIndex={0}>{row.member?.text ?? row.title}</pre>)}
      {row.kind === "error" && member?.occurrence_id != null && <ErrorOf id={member.occurrence_id} />}
      {span && <dl className="fields">{Object.entries(span.fields).sort(([a], [b]) => a.localeCompare(b)).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{shown(value)}</dd></div>)}</dl>}
    </div>
  );
}

function ErrorOf({ id }: { id: number }) {
  const found = useQuery({ queryKey: ["occurrence", id], queryFn: () => rollbar.occurrence(id), retry: false });
  if (found.error) return <Failed error={found.error} />;
  if (!found.data) return <Loading what="the error" />;
  return (
    <>
      <p><Link to={paths.item(found.data.item_id)}>Item</Link> · <Link to={paths.occurrence(id)}>this occurrence</Link></p>
      <Traceback data={found.data.data} />
    </>
  );
}
