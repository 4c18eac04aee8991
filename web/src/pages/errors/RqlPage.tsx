// The RQL console: a query over occurrences and deploys, and its rows.

import { useMutation } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { Link } from "react-router";
import * as rollbar from "../../api/rollbar";
import type { Language } from "../../ui/Editor";
import { Empty, Failed, Heading, Loading, Table } from "../../ui/parts";
import { duration, plural, shown } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useParameter } from "../../util/url";
import { ErrorTabs } from "./ItemsPage";
import { ProjectPicker, useProject } from "./ProjectPicker";

const Editor = lazy(() => import("../../ui/Editor"));
const LANGUAGE: Language = {
  keywords: ["select", "from", "where", "group", "by", "order", "limit", "asc", "desc", "and", "or", "not", "in", "like", "is", "null", "between", "as", "distinct", "item_occurrence", "deploy", "item.id", "item.counter", "item.title", "item.level", "item.status", "item.environment", "occurrence_id", "timestamp", "environment", "level", "uuid", "body.trace.exception.class", "body.message.body", "person.id", "person.username", "request.url", "request.method", "code_version"],
  functions: ["count", "count_distinct", "sum", "avg", "min", "max", "unix_timestamp", "concat", "lower", "upper", "length", "substring", "date", "hour", "minute"],
};
const FIRST = "SELECT item.counter, item.title, count(*)\nFROM item_occurrence\nWHERE timestamp > unix_timestamp() - 86400\nGROUP BY item.counter, item.title\nORDER BY count(*) DESC\nLIMIT 20";

interface Result { rows: unknown[]; columns?: string[]; selectionColumns?: string[]; errors?: unknown[]; executionTime?: number }

export default function RqlPage() {
  const project = useProject();
  const [query, setQuery] = useParameter("q", FIRST);
  const [text, setText] = useState(query);
  const run = useMutation({
    mutationFn: async (asked: string): Promise<Result> => {
      const job = await rollbar.startRql(project.id!, asked);
      for (let turn = 0; turn < 300; turn += 1) {
        const { status } = await rollbar.rqlJob(project.id!, job.id);
        if (!["new", "running", "queued"].includes(status)) {
          const { result } = (await rollbar.rqlResult(project.id!, job.id)) as { result: Result };
          if (status !== "success") throw new Error(String(result?.errors?.[0] ?? `The query ended as ${status}.`));
          return result;
        }
        await new Promise((done) => setTimeout(done, 200));
      }
      throw new Error("The query takes longer than a minute.");
    },
  });
  const go = () => { setQuery(text, true); run.mutate(text); };
  const columns = run.data?.columns ?? run.data?.selectionColumns ?? [];
  const cell = (row: unknown, name: string, index: number): unknown => (Array.isArray(row) ? row[index] : (row as Record<string, unknown>)[name]);
  const show = (name: string, value: unknown) => {
    if (name === "occurrence_id" && value != null) return <Link to={paths.occurrence(String(value))}>{String(value)}</Link>;
    if (name === "item.id" && value != null) return <Link to={paths.item(String(value))}>{String(value)}</Link>;
    return shown(value);
  };
  return (
    <>
      <Heading title="RQL"><ProjectPicker project={project} /><ErrorTabs current="rql" /></Heading>
      <form className="builder" aria-label="RQL query" onSubmit={(event) => { event.preventDefault(); go(); }}>
        <Suspense fallback={<textarea value={text} onChange={(event) => setText(event.target.value)} aria-label="RQL query" />}>
          <Editor value={text} change={setText} run={go} language={LANGUAGE} label="RQL query" />
        </Suspense>
        <div className="row actions"><button disabled={run.isPending || project.id === null}>Run query</button><span className="note">Ctrl Enter runs it</span></div>
      </form>
      {run.isPending && <Loading what="rows" />}
      {run.error && <Failed error={run.error} />}
      {run.data && (run.data.rows.length === 0 ? <Empty title="No row." /> : (
        <>
          <p className="note">{plural(run.data.rows.length, "row")}{run.data.executionTime ? ` in ${duration(run.data.executionTime * 1000)}` : ""}</p>
          <Table label="Rows" rows={run.data.rows} rowKey={(_, index) => index} columns={columns.map((name, index) => ({ title: name, numeric: typeof cell(run.data!.rows[0], name, index) === "number", cell: (row) => show(name, cell(row, name, index)), sort: (row) => { const value = cell(row, name, index); return typeof value === "number" ? value : String(value ?? ""); } }))} />
        </>
      ))}
    </>
  );
}
