// The query builder: one row a calculation and a filter, the rest as small fields; and the same question as text.

import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useId, useState } from "react";
import * as own from "../../api/own";
import type { Language } from "../../ui/Editor";
import { CALCULATIONS, type Calculation, type Filter, filterValue, OPERATORS, parse, print, type Spec, spellValue, WITHOUT_COLUMN, WITHOUT_VALUE } from "./spec";

const Editor = lazy(() => import("../../ui/Editor"));

const LANGUAGE: Language = { keywords: ["where", "by", "group", "order", "having", "limit", "and", "or", "asc", "desc", "contains", "exists", "in", "does-not-exist", "starts-with", "ends-with"], functions: CALCULATIONS };
const RELATIONS = ["root.", "parent.", "child.", "any.", "any2.", "any3.", "none."];

interface Props { dataset: string; spec: Spec; run: (dataset: string, spec: Spec) => void }

export function Builder({ dataset: given, spec: initial, run }: Props) {
  const id = useId();
  const [dataset, setDataset] = useState(given);
  const [spec, setSpec] = useState(initial);
  const [asText, setAsText] = useState(false);
  const [text, setText] = useState(() => print(initial));
  const [problem, setProblem] = useState("");
  useEffect(() => { setSpec(initial); setText(print(initial)); setDataset(given); setProblem(""); }, [initial, given]);
  const fields = useQuery({ queryKey: ["fields", dataset], queryFn: () => own.fields(dataset || "__all__"), staleTime: 30_000 });
  const services = useQuery({ queryKey: ["services", 86_400], queryFn: () => own.services(86_400), staleTime: 30_000 });
  const typeOf = (name: string) => fields.data?.find((one) => one.name === name)?.type ?? "";
  const change = (next: Partial<Spec>) => setSpec((known) => ({ ...known, ...next }));
  const calculations = spec.calculations ?? [];
  const filters = spec.filters ?? [];
  const names = [...(fields.data ?? []).map((one) => one.name)];

  const submit = () => {
    try {
      const asked = asText ? parse(text, spec) : tidy(spec);
      setProblem("");
      run(dataset.trim() || "__all__", asked);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };
  const setCalculation = (index: number, next: Calculation | null) => change({ calculations: replaced(calculations, index, next) });
  const setFilter = (index: number, next: Filter | null) => change({ filters: replaced(filters, index, next) });
  return (
    <form className="builder" aria-label="Query" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <datalist id={`${id}-fields`}>{names.map((name) => <option key={name} value={name} />)}{RELATIONS.map((name) => <option key={name} value={name} label="of another span of the trace" />)}</datalist>
      <datalist id={`${id}-datasets`}>{(services.data ?? []).map((one) => <option key={one.name} value={one.name} />)}</datalist>
      <div className="clause">
        <span className="clause-title">From</span>
        <div className="row">
          <input aria-label="Dataset" list={`${id}-datasets`} placeholder="all datasets" value={dataset === "__all__" ? "" : dataset} onChange={(event) => setDataset(event.target.value)} />
          <button type="button" className="quiet" aria-pressed={asText} onClick={() => {
            if (asText) {
              try { setSpec(parse(text, spec)); setProblem(""); } catch (error) { setProblem(error instanceof Error ? error.message : String(error)); return; }
            } else setText(print(tidy(spec)));
            setAsText(!asText);
          }}>{asText ? "As form" : "As text"}</button>
        </div>
      </div>
      {asText ? (
        <Suspense fallback={<textarea className="editor" value={text} onChange={(event) => setText(event.target.value)} aria-label="Query as text" />}>
          <Editor value={text} change={setText} run={submit} language={LANGUAGE} names={names} label="Query as text" placeholder="HEATMAP(duration_ms), COUNT where http.route exists by service.name" />
        </Suspense>
      ) : (
        <>
          <div className="clause">
            <span className="clause-title">Calculate</span>
            <div className="rows">
              {calculations.map((one, index) => (
                <div className="row" key={index}>
                  <select aria-label="Calculation" value={one.op} onChange={(event) => setCalculation(index, WITHOUT_COLUMN.includes(event.target.value) ? { op: event.target.value } : { ...one, op: event.target.value })}>
                    {CALCULATIONS.map((op) => <option key={op}>{op}</option>)}
                  </select>
                  {!WITHOUT_COLUMN.includes(one.op) && <input aria-label="of the field" list={`${id}-fields`} required placeholder="field" value={one.column ?? ""} onChange={(event) => setCalculation(index, { ...one, column: event.target.value })} />}
                  <button type="button" className="quiet" aria-label="Remove this calculation" onClick={() => setCalculation(index, null)}>×</button>
                </div>
              ))}
              <button type="button" className="quiet add" onClick={() => change({ calculations: [...calculations, { op: calculations.length ? "AVG" : "COUNT", ...(calculations.length ? { column: "duration_ms" } : {}) }] })}>+ calculation</button>
            </div>
          </div>
          <div className="clause">
            <span className="clause-title">Where</span>
            <div className="rows">
              {filters.map((one, index) => (
                <FilterRow key={index} filter={one} dataset={dataset} fieldsId={`${id}-fields`} typeOf={typeOf} set={(next) => setFilter(index, next)} />
              ))}
              <div className="row">
                <button type="button" className="quiet add" onClick={() => change({ filters: [...filters, { column: "", op: "=", value: "" }] })}>+ filter</button>
                {filters.length > 1 && (
                  <select aria-label="Filters are joined by" value={spec.filter_combination ?? "AND"} onChange={(event) => change({ filter_combination: event.target.value as "AND" | "OR" })}>
                    <option value="AND">all of them</option>
                    <option value="OR">any of them</option>
                  </select>
                )}
              </div>
            </div>
          </div>
          <div className="clause">
            <span className="clause-title">Group by</span>
            <div className="row chips">
              {(spec.breakdowns ?? []).map((name) => (
                <span className="chip" key={name}>{name} <button type="button" aria-label={`Do not group by ${name}`} onClick={() => change({ breakdowns: (spec.breakdowns ?? []).filter((other) => other !== name) })}>×</button></span>
              ))}
              <input aria-label="Group by a field" list={`${id}-fields`} placeholder="+ field" onKeyDown={(event) => {
                if (event.key !== "Enter" || !event.currentTarget.value.trim()) return;
                event.preventDefault();
                addBreakdown(event.currentTarget);
              }} onBlur={(event) => addBreakdown(event.currentTarget)} />
            </div>
          </div>
          <details className="more" open={Boolean(spec.orders?.length || spec.havings?.length || spec.granularity || spec.compare_time_offset_seconds || spec.calculated_fields?.length) || undefined}>
            <summary>Order, limit, having, granularity, comparison, calculated field</summary>
            <div className="row wrap">
              <label className="inline">order by
                <select value={spec.orders?.[0] ? `${spec.orders[0].op ?? ""}|${spec.orders[0].column ?? ""}` : ""} onChange={(event) => {
                  const [op, column] = event.target.value.split("|");
                  change({ orders: event.target.value ? [{ ...(op ? { op } : {}), ...(column ? { column } : {}), order: spec.orders?.[0]?.order ?? "descending" }] : [] });
                }}>
                  <option value="">(first calculation)</option>
                  {calculations.filter((one) => one.op !== "HEATMAP").map((one, index) => <option key={index} value={`${one.op}|${one.column ?? ""}`}>{one.op}{one.column ? `(${one.column})` : ""}</option>)}
                  {(spec.breakdowns ?? []).map((name) => <option key={name} value={`|${name}`}>{name}</option>)}
                </select>
              </label>
              <select aria-label="Direction" value={spec.orders?.[0]?.order ?? "descending"} disabled={!spec.orders?.length} onChange={(event) => change({ orders: [{ ...spec.orders![0]!, order: event.target.value as "ascending" | "descending" }] })}>
                <option value="descending">highest first</option>
                <option value="ascending">lowest first</option>
              </select>
              <label className="inline">at most <input type="number" min="1" max="1000" value={spec.limit ?? ""} placeholder="100" onChange={(event) => setOrDrop("limit", Number(event.target.value))} /> groups</label>
              <label className="inline">step <input type="number" min="1" placeholder="auto" value={spec.granularity ?? ""} onChange={(event) => setOrDrop("granularity", Number(event.target.value))} /> s</label>
              <label className="inline">compare with
                <select value={spec.compare_time_offset_seconds ?? ""} onChange={(event) => setOrDrop("compare_time_offset_seconds", Number(event.target.value))}>
                  <option value="">nothing</option>
                  <option value="1800">30 minutes before</option>
                  <option value="3600">an hour before</option>
                  <option value="86400">a day before</option>
                  <option value="604800">a week before</option>
                </select>
              </label>
            </div>
            <div className="row wrap">
              <label className="inline">having
                <select value={spec.havings?.[0] ? `${spec.havings[0].calculate_op}|${spec.havings[0].column ?? ""}` : ""} onChange={(event) => {
                  const [op = "", column] = event.target.value.split("|");
                  change({ havings: op ? [{ calculate_op: op, ...(column ? { column } : {}), op: spec.havings?.[0]?.op ?? ">", value: spec.havings?.[0]?.value ?? 0 }] : [] });
                }}>
                  <option value="">(no condition)</option>
                  {calculations.filter((one) => one.op !== "HEATMAP").map((one, index) => <option key={index} value={`${one.op}|${one.column ?? ""}`}>{one.op}{one.column ? `(${one.column})` : ""}</option>)}
                </select>
              </label>
              {spec.havings?.[0] && (
                <>
                  <select aria-label="Comparison" value={spec.havings[0].op} onChange={(event) => change({ havings: [{ ...spec.havings![0]!, op: event.target.value }] })}>{["=", "!=", ">", ">=", "<", "<="].map((op) => <option key={op}>{op}</option>)}</select>
                  <input type="number" step="any" aria-label="Number" value={spec.havings[0].value} onChange={(event) => change({ havings: [{ ...spec.havings![0]!, value: Number(event.target.value) }] })} />
                </>
              )}
              <label className="inline">field <input placeholder="name" value={spec.calculated_fields?.[0]?.name ?? ""} onChange={(event) => change({ calculated_fields: [{ name: event.target.value, expression: spec.calculated_fields?.[0]?.expression ?? "" }] })} /></label>
              <label className="inline">= <input size={34} placeholder="IF(GT($duration_ms, 100), &quot;slow&quot;, &quot;fast&quot;)" value={spec.calculated_fields?.[0]?.expression ?? ""} onChange={(event) => change({ calculated_fields: [{ name: spec.calculated_fields?.[0]?.name ?? "", expression: event.target.value }] })} /></label>
            </div>
          </details>
        </>
      )}
      {problem && <p className="failed" role="alert">{problem}</p>}
      <div className="row actions"><button>Run query</button><span className="note">{asText ? "Ctrl Enter runs it" : ""}</span></div>
    </form>
  );

  function addBreakdown(input: HTMLInputElement) {
    const name = input.value.trim();
    input.value = "";
    if (name && !(spec.breakdowns ?? []).includes(name)) change({ breakdowns: [...(spec.breakdowns ?? []), name] });
  }
  function setOrDrop(name: "limit" | "granularity" | "compare_time_offset_seconds", value: number) {
    setSpec((known) => {
      const next = { ...known };
      if (value > 0) next[name] = value;
      else delete next[name];
      return next;
    });
  }
}

function replaced<T>(list: T[], index: number, next: T | null): T[] {
  return next === null ? list.filter((_, at) => at !== index) : list.map((one, at) => (at === index ? next : one));
}

/** Without what was left empty. */
export function tidy(spec: Spec): Spec {
  const next: Spec = { ...spec };
  next.filters = (spec.filters ?? []).filter((filter) => filter.column);
  next.calculated_fields = (spec.calculated_fields ?? []).filter((field) => field.name && field.expression);
  for (const name of ["filters", "breakdowns", "orders", "havings", "calculated_fields"] as const) if (!next[name]?.length) delete next[name];
  if ((next.filters?.length ?? 0) < 2) delete next.filter_combination;
  if (!next.calculations?.length) next.calculations = [{ op: "COUNT" }];
  return next;
}

function FilterRow({ filter, dataset, fieldsId, typeOf, set }: { filter: Filter; dataset: string; fieldsId: string; typeOf: (name: string) => string; set: (filter: Filter | null) => void }) {
  const id = useId();
  const [typed, setTyped] = useState(spellValue(filter.value));
  const [wanted, setWanted] = useState(false);
  useEffect(() => setTyped(spellValue(filter.value)), [filter.value]);
  const values = useQuery({ queryKey: ["values", dataset, filter.column, typed], queryFn: () => own.values(dataset || "__all__", filter.column ?? "", typed), enabled: wanted && Boolean(filter.column) && filter.op !== "in", staleTime: 30_000, retry: false });
  return (
    <div className="row">
      <input aria-label="Field" list={fieldsId} placeholder="field" value={filter.column ?? ""} onChange={(event) => set({ ...filter, column: event.target.value })} />
      <select aria-label="Operator" value={filter.op} onChange={(event) => set(WITHOUT_VALUE.includes(event.target.value) ? { ...(filter.column ? { column: filter.column } : {}), op: event.target.value } : { ...filter, op: event.target.value })}>
        {OPERATORS.map((op) => <option key={op}>{op}</option>)}
      </select>
      {!WITHOUT_VALUE.includes(filter.op) && (
        <>
          <input aria-label="Value" list={id} placeholder="value" value={typed} onFocus={() => setWanted(true)} onChange={(event) => setTyped(event.target.value)} onBlur={() => set({ ...filter, value: filterValue(filter.op, typed, typeOf(filter.column ?? "")) })} onKeyDown={(event) => event.key === "Enter" && set({ ...filter, value: filterValue(filter.op, typed, typeOf(filter.column ?? "")) })} />
          <datalist id={id}>{(values.data ?? []).map((one) => <option key={one.value} value={one.value} label={`${one.count}`} />)}</datalist>
        </>
      )}
      <button type="button" className="quiet" aria-label="Remove this filter" onClick={() => set(null)}>×</button>
    </div>
  );
}
