// What a server's keeper looks at: environments, keys, Rollbar's projects and tokens, what was refused, the store's health.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { Link } from "react-router";
import { environment as chosenEnvironment, send } from "../../api/client";
import * as own from "../../api/own";
import * as rollbar from "../../api/rollbar";
import { Badge, Card, CodeBlock, Copy, Empty, Failed, Field, Heading, State, Table, Tabs } from "../../ui/parts";
import { bytes, clock, number } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { useParameter } from "../../util/url";
import { ProjectPicker, useProject } from "../errors/ProjectPicker";
import { Notifications } from "./Notifications";

const KINDS: [string, string][] = [["ingest", "Ingest: sends telemetry"], ["configuration", "Configuration: sends, asks, manages one environment"], ["management", "Management: environments and keys"], ["aws", "AWS: an access key for X-Ray and CloudWatch Logs"], ["rollbar", "Rollbar: an access token"]];

export default function SettingsPage() {
  const [tab, setTab] = useParameter("tab", "keys");
  return (
    <>
      <Heading title="Settings"><Tabs label="Settings" current={tab} choose={(name) => setTab(name, true)} tabs={[["keys", "Keys"], ["environments", "Environments"], ["rollbar", "Rollbar"], ["rejected", "Rejected"], ["store", "Store"]]} /></Heading>
      {tab === "keys" && <Keys />}
      {tab === "environments" && <Environments />}
      {tab === "rollbar" && <Rollbar />}
      {tab === "rejected" && <Rejected />}
      {tab === "store" && <Store />}
    </>
  );
}

function Keys() {
  const [zone] = useSetting("zone", "local");
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["keys"], queryFn: own.keys });
  const done = () => client.invalidateQueries({ queryKey: ["keys"] });
  const create = useMutation({ mutationFn: ({ kind, name, scopes }: { kind: string; name: string; scopes: string[] }) => own.createKey(kind, name, scopes), onSuccess: done });
  const revoke = useMutation({ mutationFn: own.revokeKey, onSuccess: done });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    create.mutate({ kind: String(given.get("kind")), name: String(given.get("name")), scopes: String(given.get("scopes")).split(/[\s,]+/).filter(Boolean) });
  };
  return (
    <>
      <Card title={`A new key for “${chosenEnvironment()}”`}>
        <form className="search" onSubmit={submit}>
          <Field label="Kind"><select name="kind">{KINDS.map(([kind, title]) => <option key={kind} value={kind}>{title}</option>)}</select></Field>
          <Field label="Name"><input name="name" required maxLength={255} /></Field>
          <Field label="Scopes (none: those of its kind)"><input name="scopes" placeholder="send_events, run_queries" /></Field>
          <button disabled={create.isPending}>Create</button>
        </form>
        {create.error && <Failed error={create.error} />}
        {create.data && (
          <div className="warning" role="status">
            <strong>Shown this once:</strong> {create.data.kind === "aws" && <>access key id <code>{create.data.id}</code>, secret </>}<code>{create.data.key}</code> <Copy text={create.data.key} />
          </div>
        )}
      </Card>
      {revoke.error && <Failed error={revoke.error} />}
      <State of={found} what="keys" empty={(all) => all.length === 0 && <Empty title="No key yet.">Without <code>--auth required</code> none is needed.</Empty>}>
        {(all) => <Table label="Keys" rows={all} rowKey={(row) => row.id} columns={[
          { title: "Name", cell: (row) => row.name, sort: (row) => row.name },
          { title: "Kind", cell: (row) => row.kind, sort: (row) => row.kind },
          { title: "Id", cell: (row) => <code>{row.id}</code> },
          { title: "Scopes", cell: (row) => row.scopes.join(", ") },
          { title: "Made", cell: (row) => clock(row.created_ms, zone), sort: (row) => row.created_ms },
          { title: "", cell: (row) => (row.revoked_ms ? <Badge>revoked</Badge> : <button type="button" className="link" onClick={() => confirm(`Revoke ${row.name || row.id}? Whoever uses it is refused from now on.`) && revoke.mutate(row.id)}>revoke</button>) },
        ]} />}
      </State>
    </>
  );
}

function Environments() {
  const [name, setName] = useState("");
  const [, setEnvironment] = useSetting("environment", "default");
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["environments"], queryFn: own.environments });
  const create = useMutation({ mutationFn: () => own.createEnvironment(name.trim()), onSuccess: () => { setName(""); void client.invalidateQueries({ queryKey: ["environments"] }); } });
  return (
    <>
      <form className="row" onSubmit={(event) => { event.preventDefault(); if (name.trim()) create.mutate(); }}>
        <input value={name} onChange={(event) => setName(event.target.value)} placeholder="staging" aria-label="Name of a new environment" maxLength={255} />
        <button disabled={!name.trim()}>Create environment</button>
      </form>
      {create.error && <Failed error={create.error} />}
      <State of={found} what="environments">
        {(all) => <Table label="Environments" rows={all} rowKey={(row) => row.slug} columns={[
          { title: "Name", cell: (row) => row.name },
          { title: "Slug", cell: (row) => <code>{row.slug}</code> },
          { title: "", cell: (row) => (row.slug === chosenEnvironment() ? <Badge kind="good">chosen</Badge> : <button type="button" className="link" onClick={() => { setEnvironment(row.slug); void client.resetQueries(); }}>choose</button>) },
        ]} />}
      </State>
    </>
  );
}

const TOKEN_SCOPES = ["post_server_item", "post_client_item", "read", "write"];

function Rollbar() {
  const project = useProject();
  const client = useQueryClient();
  const tokens = useQuery({ queryKey: ["tokens", project.id], queryFn: () => rollbar.accessTokens(project.id!), enabled: project.id !== null, retry: false });
  const rules = useQuery({ queryKey: ["grouping rules", project.id], queryFn: () => rollbar.groupingRules(project.id!), enabled: project.id !== null, retry: false });
  const create = useMutation({ mutationFn: ({ name, scopes }: { name: string; scopes: string[] }) => rollbar.createAccessToken(project.id!, name, scopes), onSuccess: () => client.invalidateQueries({ queryKey: ["tokens"] }) });
  const make = useMutation({ mutationFn: (name: string) => rollbar.createProject(name), onSuccess: () => client.invalidateQueries({ queryKey: ["projects"] }) });
  return (
    <>
      <div className="toolbar">
        <ProjectPicker project={project} />
        <span className="note">{project.all.find((one) => one.id === project.id)?.name ?? "No project yet."}{project.id !== null && <> · number {project.id} · Sentry DSN <code>{`${location.protocol}//TOKEN@${location.host}/${project.id}`}</code></>}</span>
        <form className="row" onSubmit={(event) => { event.preventDefault(); const name = String(new FormData(event.currentTarget).get("name")).trim(); if (name) make.mutate(name); }}>
          <input name="name" placeholder="name" aria-label="Name of a new project" /><button className="quiet">New project</button>
        </form>
      </div>
      {make.error && <Failed error={make.error} />}
      <Card title="Access tokens">
        <form className="search" onSubmit={(event) => { event.preventDefault(); const given = new FormData(event.currentTarget); create.mutate({ name: String(given.get("name")), scopes: given.getAll("scope").map(String) }); }}>
          <Field label="Name"><input name="name" required /></Field>
          {TOKEN_SCOPES.map((scope) => <label className="inline" key={scope}><input type="checkbox" name="scope" value={scope} defaultChecked={scope.startsWith("post_")} /> {scope}</label>)}
          <button>Create token</button>
        </form>
        {create.error && <Failed error={create.error} />}
        {create.data && <div className="warning" role="status"><strong>Shown this once:</strong> <code>{create.data.access_token}</code> <Copy text={create.data.access_token} /></div>}
        <State of={tokens} what="tokens" empty={(all) => all.length === 0 && <Empty title="No token yet." />}>
          {(all) => <Table label="Access tokens" rows={all} rowKey={(row) => row.public_id} columns={[
            { title: "Name", cell: (row) => row.name },
            { title: "Scopes", cell: (row) => row.scopes.join(", ") },
            { title: "State", cell: (row) => <Badge kind={row.status === "enabled" ? "good" : ""}>{row.status}</Badge> },
            { title: "Rate", cell: (row) => (row.rate_limit_window_count ? `${number(row.rate_limit_window_count)} in ${row.rate_limit_window_size} s` : "not limited") },
          ]} />}
        </State>
      </Card>
      {project.id !== null && <Notifications project={project.id} />}
      <Card title="Grouping rules of one's own">
        <State of={rules} what="rules" empty={(all) => all.rules.length === 0 && <p className="note">None: items are grouped by the built-in algorithm, which each item explains.</p>}>
          {(all) => <CodeBlock label="Grouping rules" code={JSON.stringify(all.rules, null, 2)} />}
        </State>
      </Card>
    </>
  );
}

function Rejected() {
  const [zone] = useSetting("zone", "local");
  const project = useProject();
  const items = useQuery({ queryKey: ["rejected items", project.id], queryFn: () => rollbar.rejected(project.id!), enabled: project.id !== null, refetchInterval: 10_000, retry: false });
  return (
    <>
      <p>What X-Ray's ports did not keep is listed <Link to={paths.xray({ tab: "rejected" })}>there</Link>. Errors that were refused, newest first:</p>
      <State of={items} what="refused payloads" empty={(all) => all.length === 0 && <Empty title="Nothing was refused." />}>
        {(all) => <Table label="Refused payloads" rows={all} rowKey={(_, index) => index} columns={[
          { title: "Time", cell: (row) => clock(row.timestamp * 1000, zone) },
          { title: "Reason", cell: (row) => row.reason },
          { title: "Begins with", cell: (row) => <code>{String(row.payload).slice(0, 300)}</code> },
        ]} />}
      </State>
    </>
  );
}

/** `/metrics` as rows: name, labels, value. */
export function readMetrics(text: string): { name: string; labels: string; value: number }[] {
  return text.split("\n").filter((line) => line && !line.startsWith("#")).map((line) => {
    const found = /^([a-zA-Z_:][\w:]*)(\{.*\})?\s+(\S+)/.exec(line);
    return found ? { name: found[1]!, labels: found[2] ?? "", value: Number(found[3]) } : null;
  }).filter((one) => one !== null);
}

function Store() {
  const found = useQuery({ queryKey: ["metrics"], queryFn: async () => { const answer = await fetch("/metrics"); return readMetrics(await answer.text()); }, refetchInterval: 5_000 });
  const ready = useQuery({ queryKey: ["ready"], queryFn: async () => (await fetch("/readyz")).ok, refetchInterval: 5_000 });
  const running = useQuery({ queryKey: ["running"], queryFn: async () => (await (await send("queries")).json()) as { queries: { query_id: string; kind: string; elapsed_ms: number; rows_scanned: number }[] }, refetchInterval: 2_000 });
  return (
    <>
      <p>Catalog and store: {ready.data === undefined ? "…" : ready.data ? <Badge kind="good">reachable</Badge> : <Badge kind="bad">not reachable</Badge>} · {number(running.data?.queries.length ?? 0)} queries run now</p>
      <State of={found} what="figures">
        {(all) => <Table label="Figures of the server" rows={all} rowKey={(row) => row.name + row.labels} columns={[
          { title: "Figure", cell: (row) => <><code>{row.name}</code> <span className="dim">{row.labels}</span></>, sort: (row) => row.name },
          { title: "Value", numeric: true, cell: (row) => (/bytes/.test(row.name) ? bytes(row.value) : number(row.value)), sort: (row) => row.value },
        ]} />}
      </State>
    </>
  );
}
