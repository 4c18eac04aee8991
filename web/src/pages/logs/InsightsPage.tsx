// Logs Insights: a query over groups, with its rows, a chart of what is counted by time, fields and saved queries.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import * as logs from "../../api/logs";
import { LineChart } from "../../charts/LineChart";
import type { Lines } from "../../charts/series";
import type { Language } from "../../ui/Editor";
import { Card, Empty, Failed, Heading, Json, Segmented, State, Table } from "../../ui/parts";
import { TimePicker } from "../../ui/TimePicker";
import { ago, bytes, number } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useTime } from "../../util/time";
import { useParameter } from "../../util/url";
import { RegionPicker } from "./GroupsPage";
import { traceIdIn } from "./Line";

const Editor = lazy(() => import("../../ui/Editor"));

export const INSIGHTS: Language = {
  comment: "#",
  keywords: ["fields", "display", "filter", "stats", "sort", "limit", "parse", "dedup", "pattern", "diff", "unmask", "filterIndex", "unnest", "by", "as", "asc", "desc", "and", "or", "not", "in", "like", "@timestamp", "@message", "@logStream", "@log", "@ingestionTime", "@ptr"],
  functions: ["count", "count_distinct", "sum", "avg", "min", "max", "pct", "stddev", "earliest", "latest", "sortsFirst", "sortsLast", "bin", "datefloor", "dateceil", "fromMillis", "toMillis", "now", "abs", "ceil", "floor", "greatest", "least", "log", "sqrt", "isempty", "isblank", "concat", "ltrim", "rtrim", "trim", "strlen", "toupper", "tolower", "substr", "replace", "strcontains", "coalesce", "ispresent", "isValidIp", "isIpv4InSubnet", "jsonParse", "jsonStringify"],
};
const FIRST = "fields @timestamp, @message\n| sort @timestamp desc\n| limit 100";

type Row = Record<string, string>;

/** A query without the groups and times that the list of past ones puts before it. */
const asked = (queryString: string) => queryString.replace(/^SOURCE [^|]*\|\s*/, "");

/** Rows with a time and numbers make a chart: one line a number and group. */
export function chartOf(rows: Row[], columns: string[]): Lines | null {
  const time = columns.find((name) => /^(bin|datefloor|dateceil)\(|^@timestamp$/.test(name) && rows.some((row) => !Number.isNaN(Date.parse(`${row[name] ?? ""}Z`.replace(" ", "T")))));
  if (!time || time === "@timestamp") return null;
  const rest = columns.filter((name) => name !== time && name !== "@ptr");
  const numeric = rest.filter((name) => rows.every((row) => row[name] === undefined || row[name] === "" || !Number.isNaN(Number(row[name]))));
  const groups = rest.filter((name) => !numeric.includes(name));
  if (numeric.length === 0) return null;
  const msOf = (row: Row) => Date.parse(`${row[time]}Z`.replace(" ", "T"));
  const times = [...new Set(rows.map(msOf))].filter(Number.isFinite).sort((a, b) => a - b);
  if (times.length < 2) return null;
  const stepMs = times.slice(1).reduce((least, ms, index) => Math.min(least, ms - times[index]!), Infinity);
  const all: number[] = [];
  for (let ms = times[0]!; ms <= times.at(-1)! && all.length < 5_000; ms += stepMs) all.push(ms);
  const at = new Map(all.map((ms, index) => [ms, index]));
  const lines = new Map<string, (number | null)[]>();
  for (const row of rows) {
    for (const name of numeric) {
      const label = [...groups.map((group) => row[group] ?? ""), ...(numeric.length > 1 || groups.length === 0 ? [name] : [])].join(" · ");
      if (!lines.has(label)) lines.set(label, all.map(() => null));
      const index = at.get(msOf(row));
      if (index !== undefined && row[name] !== undefined && row[name] !== "") lines.get(label)![index] = Number(row[name]);
    }
  }
  const shown = [...lines].slice(0, 10).map(([label, values]) => ({ label, values }));
  return { times: all, stepMs, lines: shown, omitted: lines.size - shown.length };
}

export default function InsightsPage() {
  const { range, set } = useTime(3600);
  const [groupText, setGroups] = useParameter("groups");
  const [query, setQuery] = useParameter("q", FIRST);
  const [text, setText] = useState(query);
  const [queryId, setQueryId] = useState<string | null>(null);
  const [style, setStyle] = useState("line");
  const client = useQueryClient();
  useEffect(() => setText(query), [query]);
  const groups = useMemo(() => groupText.split(",").filter(Boolean), [groupText]);
  const known = useQuery({ queryKey: ["log groups", ""], queryFn: () => logs.groups("") });
  const fields = useQuery({ queryKey: ["group fields", groups[0]], queryFn: () => logs.groupFields(groups[0]!), enabled: groups.length > 0, retry: false, staleTime: 60_000 });
  const past = useQuery({ queryKey: ["insights queries"], queryFn: logs.queries, retry: false });
  const saved = useQuery({ queryKey: ["insights definitions"], queryFn: logs.definitions, retry: false });
  const start = useMutation({
    mutationFn: (asked: string) => logs.startQuery(groups, asked, range.startMs, range.endMs),
    onSuccess: (made) => { setQueryId(made.queryId); void client.invalidateQueries({ queryKey: ["insights queries"] }); },
  });
  const results = useQuery({
    queryKey: ["insights results", queryId],
    queryFn: () => logs.queryResults(queryId!),
    enabled: queryId !== null,
    refetchInterval: (state) => (state.state.data && ["Running", "Scheduled"].includes(state.state.data.status) ? 250 : false),
  });
  const run = () => { setQuery(text, true); start.mutate(text); };
  // A link with a question is answered at once.
  useEffect(() => { if (groups.length && query !== FIRST) start.mutate(query); }, []); // eslint-disable-line
  const rows = useMemo(() => (results.data?.results ?? []).map((row): Row => Object.fromEntries(row.map((cell) => [cell.field, cell.value]))), [results.data]);
  const columns = useMemo(() => { const all = new Set<string>(); for (const row of results.data?.results ?? []) for (const cell of row) all.add(cell.field); all.delete("@ptr"); return [...all]; }, [results.data]);
  const chart = useMemo(() => chartOf(rows, columns), [rows, columns]);
  const names = useMemo(() => (fields.data ?? []).map((one) => one.name), [fields.data]);
  return (
    <>
      <Heading title={<><Link to={paths.logs()}>Logs</Link> / Insights</>}><RegionPicker /><TimePicker range={range} set={set} /></Heading>
      <div className="query-page">
        <div className="query-main">
          <form className="builder" aria-label="Insights query" onSubmit={(event) => { event.preventDefault(); run(); }}>
            <div className="row chips">
              {groups.map((name) => <span className="chip" key={name}>{name} <button type="button" aria-label={`Without ${name}`} onClick={() => setGroups(groups.filter((other) => other !== name).join(","))}>×</button></span>)}
              <select aria-label="Add a log group" value="" onChange={(event) => setGroups([...groups, event.target.value].join(","))}>
                <option value="">+ log group</option>
                {(known.data?.logGroups ?? []).filter((one) => !groups.includes(one.logGroupName)).map((one) => <option key={one.logGroupName}>{one.logGroupName}</option>)}
              </select>
            </div>
            <Suspense fallback={<textarea value={text} onChange={(event) => setText(event.target.value)} aria-label="Query" />}>
              <Editor value={text} change={setText} run={run} language={INSIGHTS} names={names} label="Insights query" placeholder={FIRST} />
            </Suspense>
            <div className="row actions">
              <button disabled={groups.length === 0 || start.isPending}>Run query</button>
              {groups.length === 0 && <span className="note">Choose a log group first.</span>}
              <SaveDefinition query={text} groups={groups} />
            </div>
          </form>
          {start.error && <Failed error={start.error} />}
          {results.error && <Failed error={results.error} />}
          {results.data && (
            <>
              <p className="note" role="status">
                {["Running", "Scheduled"].includes(results.data.status) && <><span className="spinner" aria-hidden="true" /> </>}
                {results.data.status} · {number(results.data.statistics?.recordsMatched ?? 0)} of {number(results.data.statistics?.recordsScanned ?? 0)} records match · {bytes(results.data.statistics?.bytesScanned ?? 0)} read
                {results.data.status === "Running" && <> · <button type="button" className="link" onClick={() => void logs.stopQuery(queryId!)}>stop</button></>}
              </p>
              {chart && <><Segmented label="Chart" value={style} choose={setStyle} options={[["line", "Lines"], ["stack", "Stacked"], ["bar", "Bars"]]} /><LineChart title="By time" data={chart} style={style as "line" | "stack" | "bar"} /></>}
              {rows.length === 0 && results.data.status === "Complete" ? <Empty title="No record matches.">Widen the time, or drop a condition.</Empty> : <Rows rows={rows} columns={columns} group={groups.length === 1 ? groups[0]! : null} />}
            </>
          )}
        </div>
        <aside className="query-side" aria-label="Fields and queries">
          <Card title="Fields">
            {groups.length === 0 ? <p className="note">Of the chosen group.</p> : <State of={fields} what="fields">{(all) => <ul className="plain">{all.slice(0, 40).map((one) => <li key={one.name}><button type="button" className="link" onClick={() => setText(`fields @timestamp, ${one.name}, @message\n| filter ispresent(${one.name})\n| limit 100`)}>{one.name}</button> <span className="dim">{one.percent} %</span></li>)}</ul>}</State>}
          </Card>
          <Card title="Saved queries">
            <State of={saved} what="saved queries" empty={(all) => all.length === 0 && <p className="note">None yet.</p>}>{(all) => <ul className="plain">{all.map((one) => <li key={one.queryDefinitionId}><Link to={paths.insights({ groups: (one.logGroupNames ?? groups).join(","), q: one.queryString })} reloadDocument>{one.name}</Link></li>)}</ul>}</State>
          </Card>
          <Card title="Asked lately">
            <State of={past} what="queries" empty={(all) => all.length === 0 && <p className="note">Nothing yet.</p>}>{(all) => <ul className="plain">{all.slice(0, 10).map((one) => <li key={one.queryId}><button type="button" className="link" onClick={() => setText(asked(one.queryString))}>{asked(one.queryString).slice(0, 80)}</button> <span className="dim">{ago(one.createTime, Date.now())}</span></li>)}</ul>}</State>
          </Card>
        </aside>
      </div>
    </>
  );
}

function SaveDefinition({ query, groups }: { query: string; groups: string[] }) {
  const [name, setName] = useState("");
  const client = useQueryClient();
  const save = useMutation({ mutationFn: () => logs.saveDefinition(name.trim(), query, groups), onSuccess: () => { setName(""); void client.invalidateQueries({ queryKey: ["insights definitions"] }); } });
  return (
    <>
      <input value={name} onChange={(event) => setName(event.target.value)} placeholder="name" aria-label="Name of this query" />
      <button type="button" className="quiet" disabled={!name.trim()} onClick={() => save.mutate()}>Save</button>
      {save.error && <Failed error={save.error} />}
    </>
  );
}

const ROWS_SHOWN = 1_000;

function Rows({ rows, columns, group }: { rows: Row[]; columns: string[]; group: string | null }) {
  const [open, setOpen] = useState<Row | null>(null);
  const trace = open ? traceIdIn(Object.values(open).join(" ")) : null;
  const at = open?.["@timestamp"] ? Date.parse(`${open["@timestamp"]}Z`.replace(" ", "T")) : 0;
  let parsed: unknown = null;
  if (open?.["@message"]) {
    try { parsed = JSON.parse(open["@message"]); } catch { parsed = null; }
  }
  return (
    <>
      {rows.length > ROWS_SHOWN && <p className="note">The first {number(ROWS_SHOWN)} of {number(rows.length)} rows.</p>}
      {open && (
        <Card title="Row" tools={<button type="button" className="link" onClick={() => setOpen(null)}>close</button>}>
          <dl className="fields">{Object.entries(open).map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
          {parsed !== null && typeof parsed === "object" && <Json value={parsed} />}
          <p className="row">
            {trace && <><Link to={paths.request(trace)}>request</Link> <Link to={paths.trace(trace)}>trace</Link></>}
            {group && at > 0 && <Link to={paths.logGroup(group, { from: at - 30_000, to: at + 30_000 })}>lines around</Link>}
          </p>
        </Card>
      )}
      <Table label="Rows" rows={rows.slice(0, ROWS_SHOWN)} rowKey={(_, index) => index} onRow={setOpen} columns={columns.map((name) => ({
        title: name,
        numeric: rows.length > 0 && rows.every((row) => row[name] === undefined || (row[name] !== "" && !Number.isNaN(Number(row[name])))),
        sort: (row: Row) => { const value = row[name] ?? ""; return value !== "" && !Number.isNaN(Number(value)) ? Number(value) : value; },
        cell: (row: Row) => <span className="log-text">{row[name] ?? ""}</span>,
      }))} />
    </>
  );
}
