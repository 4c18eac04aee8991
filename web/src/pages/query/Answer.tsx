// The answer of a query: charts, table, and the other ways to look at the same events.

import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { Link } from "react-router";
import type { QueryAnswer, ResultRow } from "../../api/__generated__/api";
import * as honeycomb from "../../api/honeycomb";
import * as own from "../../api/own";
import * as rollbar from "../../api/rollbar";
import { Heatmap, type Selection } from "../../charts/Heatmap";
import { LineChart, type Mark, type Style } from "../../charts/LineChart";
import { bucketsOf, groupLabel, heatOf, linesOf } from "../../charts/series";
import { type Column, Empty, Failed, Loading, Meter, Segmented, State, Table, Tabs } from "../../ui/parts";
import { duration, number, shown } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useParameter } from "../../util/url";
import { BubbleUp, type Chosen } from "./BubbleUp";
import { type Calculation, calculationName, calculationsOf, narrowed, type Spec } from "./spec";

/** Deploys of the first projects, which is nearly always all of them. */
const deploysOfAll = async (): Promise<rollbar.Deploy[]> => {
  const projects = await rollbar.projects();
  return (await Promise.all(projects.slice(0, 5).map((project) => rollbar.deploys(project.id)))).flatMap((answer) => answer.deploys);
};

/** How values of a calculation are spelled: times with their unit. */
export function speller(calculation: Calculation): (value: number) => string {
  const counted = ["COUNT", "COUNT_DISTINCT", "CONCURRENCY"].includes(calculation.op);
  return !counted && /(^|[._])ms$/.test(calculation.column ?? "") ? (ms) => (ms === 0 ? "0" : duration(ms)) : number;
}

interface Props { dataset: string; spec: Spec; answer: QueryAnswer; ask: (spec: Spec) => void }

export function Answer({ dataset, spec: asked, answer, ask }: Props) {
  const spec: Spec = useMemo(() => ({ ...asked, ...(answer.query as Spec) }), [asked, answer]);
  const [tab, setTab] = useParameter("tab", "results");
  const [style, setStyle] = useParameter("style", "line");
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const calculations = calculationsOf(spec);
  const breakdowns = spec.breakdowns ?? [];
  const nothing = answer.results.length === 0 || (breakdowns.length === 0 && answer.results.every((row) => calculations.every((one) => !row.data[calculationName(one)])));
  const markers = useQuery({ queryKey: ["markers", dataset], queryFn: () => honeycomb.markers(dataset), staleTime: 30_000, retry: false });
  const deploys = useQuery({ queryKey: ["deploys of all"], queryFn: deploysOfAll, staleTime: 60_000, retry: false });
  const marks: Mark[] = useMemo(
    () => [
      ...(markers.data ?? []).map((one) => ({ ms: one.start_time * 1000, label: one.message || one.type || "marker" })),
      ...(deploys.data ?? []).map((one) => ({ ms: one.start_time * 1000, label: `${one.revision} to ${one.environment}` })),
    ].filter((mark) => mark.ms >= answer.start_time * 1000 && mark.ms <= answer.end_time * 1000),
    [markers.data, deploys.data, answer],
  );
  const choose = (next: Chosen) => {
    setChosen(next);
    setTab("bubbleup", true);
  };
  const range = (startMs: number, endMs: number) => {
    const next: Spec = { ...asked, start_time: Math.floor(startMs / 1000), end_time: Math.max(Math.ceil(endMs / 1000), Math.floor(startMs / 1000) + 1) };
    delete next.time_range;
    ask(next);
  };
  return (
    <>
      <div className="toolbar">
        <Tabs label="Ways to look at the answer" current={tab} choose={(name) => setTab(name, true)} tabs={[["results", "Results"], ["bubbleup", "BubbleUp"], ["traces", "Slowest traces"], ["raw", "Raw rows"]]} />
        {tab === "results" && <Segmented label="Chart" value={style} choose={setStyle} options={[["line", "Lines"], ["stack", "Stacked"], ["bar", "Bars"], ["stat", "Numbers"], ["table", "Table"]]} />}
        <span className="note">{number(answer.elapsed_ms)} ms · {number(answer.rows_examined)} rows examined</span>
      </div>
      {tab === "results" && (nothing ? <Empty title="No events match.">Widen the time range or drop a filter.</Empty> : (
        <>
          {style === "stat" ? (
            <div className="figures">{calculations.filter((one) => one.op !== "HEATMAP").map((one) => (
              <div className="figure" key={calculationName(one)}><strong>{speller(one)(Number(answer.results[0]?.data[calculationName(one)] ?? 0))}</strong><span>{calculationName(one)}{breakdowns.length ? ` of ${groupLabel(answer.results[0]?.data ?? {}, breakdowns)}` : ""}</span></div>
            ))}</div>
          ) : style !== "table" && calculations.map((one) => (
            <Chart key={calculationName(one)} calculation={one} answer={answer} spec={spec} style={style as Style} marks={marks} onRange={range} onSelect={(selection) => choose({ ...selection, column: one.column ?? "" })} onGroup={(index) => choose({ group: breakdowns.map((name) => answer.results[index]?.data[name] ?? null) })} />
          ))}
          <Results spec={spec} answer={answer} ask={ask} choose={choose} />
        </>
      ))}
      {tab === "bubbleup" && <BubbleUp dataset={dataset} spec={spec} chosen={chosen} ask={ask} />}
      {tab === "traces" && <Slowest dataset={dataset} spec={spec} />}
      {tab === "raw" && <Raw dataset={dataset} spec={spec} />}
    </>
  );
}

function Chart({ calculation, answer, spec, style, marks, onRange, onSelect, onGroup }: { calculation: Calculation; answer: QueryAnswer; spec: Spec; style: Style; marks: Mark[]; onRange: (startMs: number, endMs: number) => void; onSelect: (selection: Selection) => void; onGroup: (index: number) => void }) {
  const spell = useMemo(() => speller(calculation), [calculation]);
  const heat = useMemo(() => (calculation.op === "HEATMAP" ? heatOf(answer, calculation) : null), [answer, calculation]);
  const lines = useMemo(() => (calculation.op === "HEATMAP" ? null : linesOf(answer, spec, calculation)), [answer, spec, calculation]);
  const title = calculationName(calculation);
  if (calculation.op === "HEATMAP") return heat ? <Heatmap title={`${title} – drag to ask what sets a part apart`} heat={heat} spell={spell} onSelect={onSelect} /> : null;
  return lines ? <LineChart title={title} data={lines} style={style} spell={spell} marks={marks} onRange={onRange} onLine={(_, index) => onGroup(index)} /> : null;
}

function Results({ spec, answer, ask, choose }: { spec: Spec; answer: QueryAnswer; ask: (spec: Spec) => void; choose: (chosen: Chosen) => void }) {
  const breakdowns = spec.breakdowns ?? [];
  const calculations = calculationsOf(spec);
  const most = new Map(calculations.map((one) => [calculationName(one), Math.max(...answer.results.map((row) => Number(row.data[calculationName(one)]) || 0), 1e-9)]));
  const cell = (data: Record<string, unknown>, one: Calculation) => {
    const value = data[calculationName(one)];
    if (one.op === "HEATMAP") return `${number(bucketsOf(value).reduce((sum, bucket) => sum + bucket.count, 0))} events`;
    return typeof value === "number" ? <Meter share={breakdowns.length ? value / (most.get(calculationName(one)) ?? 1) : 0}>{speller(one)(value)}</Meter> : shown(value);
  };
  const sortValue = (value: unknown) => (typeof value === "number" ? value : String(value ?? ""));
  return (
    <Table label="Results" rows={answer.results} rowKey={(_, index) => index} columns={[
      ...breakdowns.map((name) => ({
        title: name,
        sort: (row: { data: Record<string, unknown> }) => sortValue(row.data[name]),
        cell: (row: { data: Record<string, unknown> }) => name.endsWith("trace.trace_id") && typeof row.data[name] === "string"
          ? <Link to={paths.trace(row.data[name])}><code>{row.data[name]}</code></Link>
          : <button type="button" className="link" title="Only these" onClick={() => ask(narrowed(spec, name, row.data[name]))}>{shown(row.data[name])}</button>,
      })),
      ...calculations.map((one) => ({ title: calculationName(one), numeric: true, sort: (row: { data: Record<string, unknown> }) => sortValue(row.data[calculationName(one)]), cell: (row: { data: Record<string, unknown> }) => cell(row.data, one) })),
      ...(breakdowns.length ? [{ title: "", cell: (row: { data: Record<string, unknown> }) => <button type="button" className="link" onClick={() => choose({ group: breakdowns.map((name) => row.data[name] ?? null) })}>what is different?</button> }] : []),
    ]} />
  );
}

const timeOf = (spec: Spec): Spec => ({ ...(spec.start_time ? { start_time: spec.start_time } : {}), ...(spec.end_time ? { end_time: spec.end_time } : {}), ...(spec.time_range ? { time_range: spec.time_range } : {}) });

/** The traces with the longest matching spans. */
function Slowest({ dataset, spec }: { dataset: string; spec: Spec }) {
  const asked: Spec = { ...timeOf(spec), filters: [...(spec.filters ?? []), { column: "trace.trace_id", op: "exists" }], ...(spec.calculated_fields ? { calculated_fields: spec.calculated_fields } : {}), breakdowns: ["trace.trace_id", "name", "service.name"], calculations: [{ op: "MAX", column: "duration_ms" }], orders: [{ op: "MAX", column: "duration_ms", order: "descending" }], limit: 50 };
  // With "or" between filters one more would widen; then all traces of the time are ranked.
  if (spec.filter_combination === "OR") asked.filters = [{ column: "trace.trace_id", op: "exists" }];
  const found = useQuery({ queryKey: ["slowest", dataset, asked], queryFn: ({ signal }) => own.ask(dataset, asked, signal) });
  return (
    <State of={found} what="the slowest traces" empty={(answer) => answer.results.length === 0 && <Empty title="None of these events has a trace." />}>
      {(answer) => {
        const longest = Number(answer.results[0]?.data["MAX(duration_ms)"]) || 1;
        return <Table label="Slowest traces" rows={answer.results} rowKey={(_, index) => index} columns={[
          { title: "Span", cell: (row) => <Link to={paths.trace(String(row.data["trace.trace_id"]))}>{shown(row.data.name)}</Link> },
          { title: "Service", cell: (row) => shown(row.data["service.name"]) },
          { title: "Duration", numeric: true, cell: (row) => <Meter share={Number(row.data["MAX(duration_ms)"]) / longest}>{duration(Number(row.data["MAX(duration_ms)"]))}</Meter> },
          { title: "Trace", cell: (row) => <code>{shown(row.data["trace.trace_id"])}</code> },
          { title: "", cell: (row) => <Link to={paths.request(String(row.data["trace.trace_id"]))}>request</Link> },
        ]} />;
      }}
    </State>
  );
}

const RAW_FIELDS = ["service.name", "name", "duration_ms", "trace.trace_id", "trace.span_id"];

/** Single events: grouped by what tells them apart. */
function Raw({ dataset, spec }: { dataset: string; spec: Spec }) {
  const fields = useQuery({ queryKey: ["fields", dataset], queryFn: () => own.fields(dataset), staleTime: 30_000 });
  const used = [...(spec.filters ?? []).map((filter) => filter.column ?? ""), ...(spec.breakdowns ?? []), ...calculationsOf(spec).map((one) => one.column ?? "")].filter((name) => name && !name.includes(" "));
  const known = new Set((fields.data ?? []).map((one) => one.name));
  const shownFields = [...new Set([...RAW_FIELDS, ...used])].filter((name) => known.has(name)).slice(0, 12);
  const asked: Spec = { ...timeOf(spec), ...(spec.filters ? { filters: spec.filters } : {}), ...(spec.filter_combination ? { filter_combination: spec.filter_combination } : {}), ...(spec.calculated_fields ? { calculated_fields: spec.calculated_fields } : {}), breakdowns: shownFields, calculations: [{ op: "COUNT" }], limit: 200 };
  const found = useQuery({ queryKey: ["raw rows", dataset, asked], queryFn: ({ signal }) => own.ask(dataset, asked, signal), enabled: Boolean(fields.data) && shownFields.length > 0 });
  if (fields.error) return <Failed error={fields.error} />;
  if (!fields.data) return <Loading what="fields" />;
  return (
    <State of={found} what="rows" empty={(answer) => answer.results.length === 0 && <Empty title="No events match." />}>
      {(answer) => <Table label="Rows" rows={answer.results} rowKey={(_, index) => index} columns={shownFields.map((name): Column<ResultRow> => ({
        title: name, numeric: typeof answer.results[0]?.data[name] === "number", sort: (row) => (typeof row.data[name] === "number" ? (row.data[name] as number) : String(row.data[name] ?? "")),
        cell: (row) => name === "trace.trace_id" && row.data[name] ? <Link to={paths.trace(String(row.data[name]), String(row.data["trace.span_id"] ?? ""))}><code>{String(row.data[name]).slice(0, 12)}…</code></Link> : name === "duration_ms" && typeof row.data[name] === "number" ? duration(row.data[name] as number) : shown(row.data[name]),
      }))} />}
    </State>
  );
}
