// Asking questions of all events. The address holds dataset and question, so an answer can be linked to.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { Link, useNavigate, useSearchParams } from "react-router";
import type { RunningQuery } from "../../api/__generated__/api";
import * as own from "../../api/own";
import { Card, Copy, Empty, Failed, Heading, State } from "../../ui/parts";
import { ago, bytes, duration, number } from "../../util/format";
import { paths } from "../../util/path-builder";
import { TimePicker } from "../../ui/TimePicker";
import type { TimeRange } from "../../util/time";
import { AddToBoard } from "./AddToBoard";
import { Answer } from "./Answer";
import { Builder } from "./Builder";
import { describe, FIRST_SPEC, type Spec } from "./spec";

interface Past { dataset: string; spec: Spec; ms: number }
const HISTORY = "tracery.history";
const HISTORY_MAX = 50;

function readHistory(): Past[] {
  try {
    const kept = JSON.parse(localStorage.getItem(HISTORY) ?? "[]") as Past[];
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

function remember(dataset: string, spec: Spec) {
  const text = JSON.stringify(spec);
  const next = [{ dataset, spec, ms: Date.now() }, ...readHistory().filter((one) => one.dataset !== dataset || JSON.stringify(one.spec) !== text)];
  try {
    localStorage.setItem(HISTORY, JSON.stringify(next.slice(0, HISTORY_MAX)));
  } catch {
    // Without storage there is no history.
  }
}

export default function QueryPage() {
  const [parameters] = useSearchParams();
  const navigate = useNavigate();
  const dataset = parameters.get("dataset") || "__all__";
  const text = parameters.get("q") ?? "";
  const { spec, broken } = useMemo(() => {
    if (!text) return { spec: FIRST_SPEC, broken: "" };
    try {
      const read = JSON.parse(text) as Spec;
      if (read && typeof read === "object" && !Array.isArray(read)) return { spec: read, broken: "" };
    } catch {
      // Said below.
    }
    return { spec: FIRST_SPEC, broken: "The question in the address is not a query specification." };
  }, [text]);
  const [turn, setTurn] = useState(0);
  const [figures, setFigures] = useState<RunningQuery | null>(null);
  const client = useQueryClient();
  const key = ["query", dataset, spec, turn];
  const answer = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => own.query(dataset, spec, setFigures, signal),
    staleTime: Infinity, gcTime: 300_000, retry: false, enabled: !broken,
  });
  useEffect(() => setFigures(null), [answer.data, text]);
  useEffect(() => {
    if (answer.data && text) remember(dataset, spec);
  }, [answer.data]); // eslint-disable-line
  const run = (nextDataset: string, next: Spec) => {
    const address = paths.query(nextDataset, next);
    if (JSON.stringify(next) === JSON.stringify(spec) && nextDataset === dataset) setTurn(turn + 1);
    navigate(address);
  };
  const range: TimeRange = spec.start_time && spec.end_time
    ? { last: null, startMs: spec.start_time * 1000, endMs: spec.end_time * 1000 }
    : { last: spec.time_range ?? 7200, startMs: Date.now() - (spec.time_range ?? 7200) * 1000, endMs: Date.now() };
  const setTime = (next: { last: number } | { startMs: number; endMs: number }) => {
    const changed: Spec = { ...spec };
    for (const name of ["start_time", "end_time", "time_range"] as const) delete changed[name];
    if ("last" in next) changed.time_range = next.last;
    else Object.assign(changed, { start_time: Math.floor(next.startMs / 1000), end_time: Math.ceil(next.endMs / 1000) });
    run(dataset, changed);
  };
  return (
    <>
      <Heading title="Query" note={describe(spec)}>
        <TimePicker range={range} set={setTime} refresh={() => setTurn(turn + 1)} />
        <Copy text={location.href} label="Copy link" />
      </Heading>
      <div className="query-page">
        <div className="query-main">
          <Builder dataset={dataset} spec={spec} run={run} />
          {broken && <p className="failed" role="alert">{broken}</p>}
          {answer.isFetching && (
            <div className="progress" role="status">
              <progress {...(figures && figures.rows_total > 0 ? { value: figures.rows_scanned / figures.rows_total } : {})} aria-label="Rows read" />
              <span className="note">{figures ? `${number(figures.rows_scanned)} of ${number(figures.rows_total)} rows · ${bytes(figures.bytes_scanned)} read · ${duration(figures.elapsed_ms)}` : "asking…"}</span>
              <button type="button" className="quiet" onClick={() => void client.cancelQueries({ queryKey: key })}>Cancel</button>
            </div>
          )}
          {answer.error ? <Failed error={answer.error} retry={() => void answer.refetch()} /> : answer.data ? <Answer dataset={dataset} spec={spec} answer={answer.data} ask={(next) => run(dataset, next)} /> : !answer.isFetching && !broken && <Empty title="Cancelled.">Run the query again for its answer.</Empty>}
        </div>
        <Saved dataset={dataset} spec={spec} />
      </div>
    </>
  );
}

function Saved({ dataset, spec }: { dataset: string; spec: Spec }) {
  const client = useQueryClient();
  const [name, setName] = useState("");
  const saved = useQuery({ queryKey: ["saved"], queryFn: own.savedQueries });
  const save = useMutation({ mutationFn: () => own.saveQuery(name.trim(), dataset, spec), onSuccess: () => { setName(""); void client.invalidateQueries({ queryKey: ["saved"] }); } });
  const forget = useMutation({ mutationFn: own.forgetQuery, onSuccess: () => client.invalidateQueries({ queryKey: ["saved"] }) });
  const past = readHistory();
  return (
    <aside className="query-side" aria-label="Saved and past queries">
      <Card title="Save">
        <form className="row" onSubmit={(event) => { event.preventDefault(); if (name.trim()) save.mutate(); }}>
          <input value={name} onChange={(event) => setName(event.target.value)} placeholder="name of this query" aria-label="Name of this query" maxLength={320} />
          <button disabled={!name.trim() || save.isPending}>Save</button>
        </form>
        {save.error && <Failed error={save.error} />}
        {save.isSuccess && <p className="note" role="status">Saved.</p>}
        <AddToBoard dataset={dataset} spec={spec} />
      </Card>
      <Card title="Saved queries">
        <State of={saved} what="saved queries" empty={(all) => all.length === 0 && <p className="note">None yet.</p>}>
          {(all) => <ul className="plain">{all.map((one) => (
            <li key={one.id}>
              <Link to={paths.query(one.dataset, one.query as Spec)}>{one.name || "(no name)"}</Link> <span className="dim">{describe(one.query as Spec)}</span>
              <button type="button" className="link" aria-label={`Forget ${one.name}`} onClick={() => confirm(`Forget “${one.name}”?`) && forget.mutate(one.id)}>forget</button>
            </li>
          ))}</ul>}
        </State>
        {forget.error && <Failed error={forget.error} />}
      </Card>
      <Card title="Asked lately">
        {past.length === 0 ? <p className="note">Nothing yet.</p> : <ul className="plain">{past.slice(0, 12).map((one) => (
          <li key={one.ms}><Link to={paths.query(one.dataset, one.spec)}>{describe(one.spec)}</Link> <span className="dim">{ago(one.ms, Date.now())}</span></li>
        ))}</ul>}
      </Card>
    </aside>
  );
}
