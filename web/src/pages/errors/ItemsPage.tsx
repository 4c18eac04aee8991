// Items: errors grouped into what makes sense to look at. Filters, the search box, changes of many at once.

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { Link } from "react-router";
import * as rollbar from "../../api/rollbar";
import { Badge, Empty, Failed, Heading, Level, State, Table } from "../../ui/parts";
import { ago, number, plural, short } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useParameter } from "../../util/url";

const STATUSES = ["active", "resolved", "muted", "archived"];
const LEVELS = ["critical", "error", "warning", "info", "debug"];
const SORTS: [string, string][] = [["last_occurrence", "last seen"], ["first_occurrence", "first seen"], ["activated", "activated"], ["occurrences", "most frequent"], ["level", "level"]];
const PAGE = 50;

export function ErrorTabs({ current }: { current: string }) {
  const tabs: [string, string, string][] = [["items", "Items", paths.errors()], ["deploys", "Deploys", paths.deploys()], ["rql", "RQL", paths.rql()]];
  return <nav className="tabs" aria-label="Errors">{tabs.map(([name, title, to]) => <Link key={name} to={to} aria-current={name === current ? "page" : undefined}>{title}</Link>)}</nav>;
}

export default function ItemsPage() {
  const [search, setSearch] = useParameter("query");
  const [status, setStatus] = useParameter("status", "active");
  const [level, setLevel] = useParameter("level");
  const [sort, setSort] = useParameter("sort", "last_occurrence");
  const [page, setPage] = useParameter("page", "1");
  const [text, setText] = useState(search);
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const client = useQueryClient();
  useEffect(() => setText(search), [search]);
  const found = useQuery({
    queryKey: ["items", search, status, level, sort, page],
    queryFn: () => rollbar.items({ query: search, status: status === "all" ? "" : status, level, sort, page, limit: PAGE }),
    placeholderData: keepPreviousData, refetchInterval: 10_000,
  });
  const change = useMutation({
    mutationFn: async (next: Record<string, unknown>) => { for (const id of chosen) await rollbar.updateItem(id, next); },
    onSettled: () => { setChosen(new Set()); void client.invalidateQueries({ queryKey: ["items"] }); },
  });
  const merge = useMutation({
    mutationFn: () => { const [into, ...others] = [...chosen]; return rollbar.merge(into!, others); },
    onSettled: () => { setChosen(new Set()); void client.invalidateQueries({ queryKey: ["items"] }); },
  });
  const toggle = (id: number) => setChosen((known) => { const next = new Set(known); if (!next.delete(id)) next.add(id); return next; });
  const all = found.data?.items ?? [];
  const most = Math.max(...all.map((item) => item.total_occurrences), 1);
  return (
    <>
      <Heading title="Errors"><ErrorTabs current="items" /></Heading>
      <form className="query-line" role="search" onSubmit={(event) => { event.preventDefault(); setPage("1"); setSearch(text, true); }}>
        <input data-search aria-label="Search items" placeholder={'Search: words of the title, title:"…", #12, code_version:…, fingerprint:…, !word'} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} />
        <button>Search</button>
        <select aria-label="Status" value={status} onChange={(event) => { setPage("1"); setStatus(event.target.value); }}>{[...STATUSES, "all"].map((name) => <option key={name}>{name}</option>)}</select>
        <select aria-label="Level" value={level} onChange={(event) => { setPage("1"); setLevel(event.target.value); }}><option value="">any level</option>{LEVELS.map((name) => <option key={name}>{name}</option>)}</select>
        <select aria-label="Order" value={sort} onChange={(event) => setSort(event.target.value)}>{SORTS.map(([value, title]) => <option key={value} value={value}>{title}</option>)}</select>
      </form>
      {chosen.size > 0 && (
        <div className="toolbar bulk" role="region" aria-label="Change the chosen items">
          <strong>{plural(chosen.size, "item")}</strong>
          <button type="button" className="quiet" onClick={() => change.mutate({ status: "resolved" })}>Resolve</button>
          <button type="button" className="quiet" onClick={() => change.mutate({ status: "muted" })}>Mute</button>
          <button type="button" className="quiet" onClick={() => change.mutate({ status: "archived" })}>Archive</button>
          <button type="button" className="quiet" onClick={() => change.mutate({ status: "active" })}>Reopen</button>
          <button type="button" className="quiet" disabled={chosen.size < 2} onClick={() => merge.mutate()}>Merge into the first</button>
          <button type="button" className="link" onClick={() => setChosen(new Set())}>none</button>
        </div>
      )}
      {(change.error || merge.error) && <Failed error={change.error ?? merge.error} />}
      <State of={found} what="items" empty={(data) => data.items.length === 0 && <Empty title={search || level || status !== "active" ? "No item matches." : "No active error."}>{!search && <>Nothing reports errors yet? <Link to={paths.connect() + "?product=rollbar"}>Connect an application</Link>.</>}</Empty>}>
        {(data) => (
          <>
            <Table label="Items" rows={data.items} rowKey={(row) => row.id} columns={[
              { title: <input type="checkbox" aria-label="Choose all" checked={chosen.size > 0 && chosen.size === data.items.length} onChange={(event) => setChosen(new Set(event.target.checked ? data.items.map((item) => item.id) : []))} />, cell: (row) => <input type="checkbox" aria-label={`Choose item ${row.counter}`} checked={chosen.has(row.id)} onChange={() => toggle(row.id)} /> },
              { title: "Level", cell: (row) => <Level level={row.level} /> },
              { title: "Item", className: "wide", cell: (row) => <><Link to={paths.item(row.id)}><span className="dim">#{row.counter}</span> {row.title}</Link><br /><span className="dim">{row.environment}{row.framework !== "unknown" ? ` · ${row.framework}` : ""}{row.group_item_id ? " · merged" : ""}</span></> },
              { title: "Status", cell: (row) => <Badge kind={row.status === "active" ? "warn" : row.status === "resolved" ? "good" : ""}>{row.snoozed ? "snoozed" : row.status}{row.resolved_in_version ? ` in ${row.resolved_in_version}` : ""}</Badge> },
              { title: "Occurrences", numeric: true, cell: (row) => <span className="meter"><span className="meter-bar" style={{ width: `${(row.total_occurrences / most) * 100}%` }} /><span className="meter-text">{short(row.total_occurrences)}</span></span> },
              { title: "IPs", numeric: true, cell: (row) => number(row.unique_occurrences) },
              { title: "Last seen", cell: (row) => ago(row.last_occurrence_timestamp * 1000, Date.now()) },
              { title: "First seen", cell: (row) => ago(row.first_occurrence_timestamp * 1000, Date.now()) },
            ]} />
            <div className="row">
              <button type="button" className="quiet" disabled={page === "1"} onClick={() => setPage(String(Number(page) - 1))}>‹ Newer</button>
              <span className="note">{number((Number(page) - 1) * PAGE + 1)} to {number((Number(page) - 1) * PAGE + data.items.length)} of {number(data.total_count)}</span>
              <button type="button" className="quiet" disabled={Number(page) * PAGE >= data.total_count} onClick={() => setPage(String(Number(page) + 1))}>Older ›</button>
            </div>
          </>
        )}
      </State>
    </>
  );
}
