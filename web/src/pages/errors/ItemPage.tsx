// One item: what happened, how often, since when, why it was grouped, and what is done about it.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useMemo, useState } from "react";
import { Link, useParams } from "react-router";
import { ApiError } from "../../api/client";
import * as rollbar from "../../api/rollbar";
import { LineChart } from "../../charts/LineChart";
import type { Lines } from "../../charts/series";
import { Badge, Card, Empty, Facts, Failed, Figure, Heading, Level, Loading, State, Table } from "../../ui/parts";
import { ago, clock, number, short } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { Traceback } from "./Traceback";

export default function ItemPage() {
  const { id = "" } = useParams();
  const [zone] = useSetting("zone", "local");
  const client = useQueryClient();
  const item = useQuery({ queryKey: ["item", id], queryFn: () => rollbar.item(id), refetchInterval: 15_000, retry: false });
  const instances = useQuery({ queryKey: ["instances", id], queryFn: () => rollbar.instancesOf(id, 1) });
  const history = useQuery({ queryKey: ["item history", id], queryFn: () => rollbar.history(id) });
  const counts = useQuery({ queryKey: ["item counts", id, item.data?.project_id], queryFn: () => rollbar.occurrenceCounts({ item_id: id, project_id: item.data!.project_id, bucket_size: 3600, buckets: 48, min_level: "debug" }), enabled: Boolean(item.data), retry: false });
  const refresh = () => { for (const name of ["item", "item history", "items"]) void client.invalidateQueries({ queryKey: [name] }); };
  const change = useMutation({ mutationFn: (next: Record<string, unknown>) => rollbar.updateItem(id, next), onSuccess: refresh });
  const unmerge = useMutation({ mutationFn: () => rollbar.unmerge(id), onSuccess: refresh });
  const chart: Lines | null = useMemo(() => {
    const points = (counts.data ?? []).map(([second, count]) => [second * 1000, count] as const).sort((a, b) => a[0] - b[0]);
    if (points.length < 2) return null;
    return { times: points.map((point) => point[0]), stepMs: points[1]![0] - points[0]![0], lines: [{ label: "", values: points.map((point) => point[1]) }], omitted: 0 };
  }, [counts.data]);
  if (item.error) return item.error instanceof ApiError && item.error.status === 404 ? <><Heading title="Item" /><Empty title="This item is not there.">It may belong to another environment.</Empty></> : <Failed error={item.error} />;
  if (!item.data) return <Loading what="the item" />;
  const { data } = item;
  const latest = instances.data?.instances[0];
  const people = new Map((instances.data?.instances ?? []).filter((one) => one.data.person?.id).map((one) => [one.data.person!.id!, one.data.person!]));
  const versions = new Map<string, number>();
  for (const one of instances.data?.instances ?? []) if (one.data.code_version) versions.set(one.data.code_version, (versions.get(one.data.code_version) ?? 0) + 1);
  return (
    <>
      <Heading title={<><span className="dim">#{data.counter}</span> {data.title}</>}><Level level={data.level} /> <Badge kind={data.status === "active" ? "warn" : data.status === "resolved" ? "good" : ""}>{data.snoozed ? "snoozed" : data.status}{data.resolved_in_version ? ` in ${data.resolved_in_version}` : ""}</Badge></Heading>
      <Actions item={data} change={(next) => change.mutate(next)} />
      {(change.error || unmerge.error) && <Failed error={change.error ?? unmerge.error} />}
      <div className="figures">
        <Figure value={short(data.total_occurrences)} label="occurrences" />
        <Figure value={number(data.unique_occurrences)} label="addresses" />
        <Figure value={ago(data.last_occurrence_timestamp * 1000, Date.now())} label="last seen" />
        <Figure value={ago(data.first_occurrence_timestamp * 1000, Date.now())} label="first seen" />
      </div>
      {chart && <LineChart title="Occurrences an hour" data={chart} style="bar" height={140} />}
      <div className="columns wide-left">
        <div>
          <Card title="The newest occurrence" tools={latest && <><Link to={paths.occurrence(latest.id)}>all of it</Link>{latest.trace_id && <Link to={paths.request(latest.trace_id)}>its request</Link>}</>}>
            <State of={instances} what="occurrences" empty={(all) => all.instances.length === 0 && <p className="note">Its occurrences are gone.</p>}>{(all) => <Traceback data={all.instances[0]!.data} />}</State>
          </Card>
          <Card title="Occurrences">
            <State of={instances} what="occurrences">
              {(all) => <Table label="Occurrences" rows={all.instances} rowKey={(row) => row.id} columns={[
                { title: "Time", cell: (row) => <Link to={paths.occurrence(row.id)}>{clock(row.timestamp * 1000, zone)}</Link> },
                { title: "Where", cell: (row) => String(row.data.request?.url ?? row.data.context ?? "") },
                { title: "Version", cell: (row) => row.data.code_version ?? "" },
                { title: "Person", cell: (row) => row.data.person?.username ?? row.data.person?.email ?? row.data.person?.id ?? "" },
                { title: "Request", cell: (row) => (row.trace_id ? <Link to={paths.request(row.trace_id)}><code>{row.trace_id.slice(0, 12)}…</code></Link> : "") },
              ]} />}
            </State>
          </Card>
        </div>
        <div>
          <Card title="Why these are one item">
            <p>By {data.grouping.by ?? "its fingerprint"}.</p>
            <ol className="parts">{(data.grouping.parts ?? []).map((part, index) => <li key={index}><code>{part}</code></li>)}</ol>
            <Facts facts={[["Fingerprint", <code key="h">{data.hash}</code>], ["Algorithm", data.grouping.version]]} />
            {data.group_item_id && <button type="button" className="quiet" onClick={() => unmerge.mutate()}>Take out of the group</button>}
          </Card>
          {data.suspect_deploy && <Card title="Suspect deploy"><p>It was first seen, or came back, after <strong>{data.suspect_deploy.revision}</strong>{data.suspect_deploy.local_username ? ` by ${data.suspect_deploy.local_username}` : ""}{data.suspect_deploy.start_time ? `, ${clock(data.suspect_deploy.start_time * 1000, zone)}` : ""}.</p></Card>}
          {versions.size > 0 && <Card title="Versions"><ul className="plain">{[...versions].map(([version, count]) => <li key={version}><code>{version}</code> <span className="dim">{number(count)} of the newest</span></li>)}</ul></Card>}
          {people.size > 0 && <Card title="People"><ul className="plain">{[...people.values()].slice(0, 20).map((person) => <li key={person.id}>{person.username ?? person.email ?? person.id} <span className="dim">{person.email}</span></li>)}</ul></Card>}
          <Comments id={id} done={refresh} />
          <Card title="History">
            <State of={history} what="history" empty={(all: any[]) => all.length === 0 && <p className="note">Nothing was changed yet.</p>}>
              {(all: any[]) => <ul className="plain">{all.map((one) => <li key={one.id}><strong>{String(one.event).replaceAll("_", " ")}</strong> <span className="dim">{ago(one.timestamp * 1000, Date.now())}</span>{one.detail ? <div>{typeof one.detail === "object" ? Object.entries(one.detail).map(([name, value]) => `${name}: ${String(value)}`).join(", ") : String(one.detail)}</div> : null}</li>)}</ul>}
            </State>
          </Card>
        </div>
      </div>
    </>
  );
}

function Actions({ item, change }: { item: rollbar.Item; change: (next: Record<string, unknown>) => void }) {
  const [version, setVersion] = useState("");
  return (
    <div className="toolbar" role="group" aria-label="Change this item">
      {item.status !== "resolved" && (
        <form className="row" onSubmit={(event) => { event.preventDefault(); change({ status: "resolved", ...(version.trim() ? { resolved_in_version: version.trim() } : {}) }); }}>
          <button>Resolve</button>
          <input placeholder="in version (optional)" aria-label="Resolved in version" maxLength={40} value={version} onChange={(event) => setVersion(event.target.value)} />
        </form>
      )}
      {item.status !== "active" && <button type="button" onClick={() => change({ status: "active" })}>Reopen</button>}
      {item.status !== "muted" && <button type="button" className="quiet" onClick={() => change({ status: "muted" })}>Mute</button>}
      {item.status !== "archived" && <button type="button" className="quiet" onClick={() => change({ status: "archived" })}>Archive</button>}
      <button type="button" className="quiet" onClick={() => change({ snoozed: !item.snoozed })}>{item.snoozed ? "Wake" : "Snooze"}</button>
      <label className="inline">level <select value={item.level} onChange={(event) => change({ level: event.target.value })}>{["critical", "error", "warning", "info", "debug"].map((name) => <option key={name}>{name}</option>)}</select></label>
      <label className="inline">assigned to user <input type="number" min="1" size={6} defaultValue={item.assigned_user_id ?? ""} aria-label="Assigned to the user with the number" onBlur={(event) => { const next = event.target.value ? Number(event.target.value) : null; if (next !== item.assigned_user_id) change({ assigned_user_id: next }); }} /></label>
      <button type="button" className="quiet" onClick={() => { const title = prompt("Title of the item", item.title); if (title) change({ title }); }}>Rename</button>
    </div>
  );
}

function Comments({ id, done }: { id: string; done: () => void }) {
  const [text, setText] = useState("");
  const add = useMutation({ mutationFn: () => rollbar.comment(id, text.trim()), onSuccess: () => { setText(""); done(); } });
  return (
    <Card title="Comment">
      <form onSubmit={(event: FormEvent) => { event.preventDefault(); if (text.trim()) add.mutate(); }}>
        <textarea rows={2} value={text} onChange={(event) => setText(event.target.value)} aria-label="Comment" placeholder="What is known about it" />
        <button disabled={!text.trim() || add.isPending}>Comment</button>
        {add.error && <Failed error={add.error} />}
      </form>
    </Card>
  );
}
