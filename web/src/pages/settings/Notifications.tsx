// Who is told of what: a channel's receiver, its rules, what became of their deliveries, and a test.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import * as rollbar from "../../api/rollbar";
import { Badge, Card, Empty, Failed, Field, State, Table } from "../../ui/parts";
import { clock } from "../../util/format";
import { useSetting } from "../../util/settings";

const TRIGGERS = ["new_item", "reactivated_item", "reopened_item", "resolved_item", "exp_repeat_item", "occurrence", "deploy"];
const LEVELS = ["debug", "info", "warning", "error", "critical"];

export function Notifications({ project }: { project: number }) {
  const [name, setName] = useState("slack");
  const [url, setUrl] = useState("");
  const [open, setOpen] = useState<number | null>(null);
  const client = useQueryClient();
  const channel = useQuery({ queryKey: ["channel", project, name], queryFn: () => rollbar.channel(project, name), retry: false });
  const rules = useQuery({ queryKey: ["rules", project, name], queryFn: () => rollbar.rules(project, name), retry: false });
  useEffect(() => setUrl(channel.data?.url ?? ""), [channel.data]);
  const done = () => { for (const key of ["channel", "rules"]) void client.invalidateQueries({ queryKey: [key] }); };
  const set = useMutation({ mutationFn: () => rollbar.setChannel(project, name, url.trim()), onSuccess: done });
  const add = useMutation({ mutationFn: (rule: Partial<rollbar.Rule>) => rollbar.addRule(project, name, rule), onSuccess: done });
  const remove = useMutation({ mutationFn: (id: number) => rollbar.deleteRule(project, name, id), onSuccess: done });
  const test = useMutation({ mutationFn: () => rollbar.testChannel(project, name) });
  const failed = set.error ?? add.error ?? remove.error ?? test.error;
  return (
    <Card title="Notifications" tools={<select aria-label="Channel" value={name} onChange={(event) => setName(event.target.value)}><option value="slack">Slack</option><option value="webhook">Webhook</option></select>}>
      <form className="row" onSubmit={(event) => { event.preventDefault(); set.mutate(); }}>
        <input type="url" size={50} value={url} onChange={(event) => setUrl(event.target.value)} placeholder={name === "slack" ? "https://hooks.slack.com/services/…" : "https://…"} aria-label="Address of the receiver" />
        <button>Keep</button>
        <button type="button" className="quiet" disabled={!channel.data?.url || test.isPending} onClick={() => test.mutate()}>Send a test</button>
        {test.data && <span className="note" role="status">{test.data}</span>}
      </form>
      <form className="search" onSubmit={(event) => {
        event.preventDefault();
        const given = new FormData(event.currentTarget);
        const filters = [["environment", "eq"], ["level", "gte"], ["title", "contains"]].flatMap(([type, operation]) => (given.get(type!) ? [{ type: type!, operation: operation!, value: String(given.get(type!)) }] : []));
        add.mutate({ trigger: String(given.get("trigger")), filters, config: given.get("template") ? { message_template: String(given.get("template")) } : {} });
      }}>
        <Field label="When"><select name="trigger">{TRIGGERS.map((one) => <option key={one}>{one}</option>)}</select></Field>
        <Field label="in the environment"><input name="environment" placeholder="any" /></Field>
        <Field label="level at least"><select name="level"><option value="">any</option>{LEVELS.map((one) => <option key={one}>{one}</option>)}</select></Field>
        <Field label="title contains"><input name="title" /></Field>
        {name === "slack" && <Field label="message"><input name="template" size={34} placeholder="{{title}} in {{environment}} {{link}}" /></Field>}
        <button disabled={add.isPending}>Add rule</button>
      </form>
      {failed && <Failed error={failed} />}
      <State of={rules} what="rules" empty={(all) => all.length === 0 && <Empty title="Nobody is told of anything yet.">Keep an address, then add a rule.</Empty>}>
        {(all) => <Table label="Rules" rows={all} rowKey={(row) => row.id} columns={[
          { title: "When", cell: (row) => row.trigger },
          { title: "If", cell: (row) => row.filters.map((filter) => `${filter.type}${filter.path ? ` ${filter.path}` : ""} ${filter.operation ?? "eq"} ${String(filter.value ?? "")}`).join(" and ") || "always" },
          { title: "", cell: (row) => <Badge kind={row.status === "enabled" ? "good" : ""}>{row.status}</Badge> },
          { title: "", cell: (row) => <><button type="button" className="link" onClick={() => setOpen(open === row.id ? null : row.id)}>history</button> · <button type="button" className="link" onClick={() => remove.mutate(row.id)}>delete</button></> },
        ]} />}
      </State>
      {open !== null && <History project={project} name={name} rule={open} />}
    </Card>
  );
}

function History({ project, name, rule }: { project: number; name: string; rule: number }) {
  const [zone] = useSetting("zone", "local");
  const found = useQuery({ queryKey: ["rule history", project, rule], queryFn: () => rollbar.ruleHistory(project, name, rule), refetchInterval: 5_000 });
  return (
    <State of={found} what="history" empty={(all) => all.length === 0 && <p className="note">Nothing was told by this rule yet.</p>}>
      {(all) => <Table label="Deliveries" rows={all} rowKey={(_, index) => index} columns={[
        { title: "Time", cell: (row) => clock(row.timestamp * 1000, zone) },
        { title: "Of", cell: (row) => row.event },
        { title: "", cell: (row) => <Badge kind={row.outcome === "delivered" ? "good" : "bad"}>{row.outcome.replace("_", " ")}</Badge> },
        { title: "Reason", cell: (row) => row.detail },
      ]} />}
    </State>
  );
}
