// X-Ray's own view: traces by filter expression, their response times, groups, sampling rules with what they decided.

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { lazy, Suspense, useEffect, useMemo, useState } from "react";
import { Link } from "react-router";
import { ApiError } from "../../api/client";
import * as own from "../../api/own";
import * as xray from "../../api/xray";
import { Histogram, logBars } from "../../charts/Small";
import type { Language } from "../../ui/Editor";
import { Badge, Card, Empty, Failed, Field, Heading, HttpStatus, State, Table, Tabs, Warning } from "../../ui/parts";
import { TimePicker } from "../../ui/TimePicker";
import { clock, duration, number } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { useTime } from "../../util/time";
import { useParameter } from "../../util/url";

const Editor = lazy(() => import("../../ui/Editor"));

const LANGUAGE: Language = {
  keywords: ["AND", "OR", "NOT", "CONTAINS", "BEGINSWITH", "ENDSWITH", "ok", "error", "fault", "throttle", "partial", "first", "last", "root", "inferred", "responsetime", "duration", "name", "user", "http.status", "http.url", "http.method", "http.useragent", "http.clientip", "group.name", "group.arn", "true", "false"],
  functions: ["service", "edge", "id", "json"],
};

/** Where the server says that an expression is wrong, if it says. */
const placeOf = (error: unknown): number | null => {
  const found = error instanceof ApiError ? /(?:position|offset|character|column|at) (\d+)/i.exec(error.message) : null;
  return found ? Number(found[1]) : null;
};

export default function XRayPage() {
  const [tab, setTab] = useParameter("tab", "traces");
  return (
    <>
      <Heading title="X-Ray"><Tabs label="X-Ray" current={tab} choose={(name) => setTab(name, true)} tabs={[["traces", "Traces"], ["groups", "Groups"], ["sampling", "Sampling"], ["rejected", "Rejected"]]} /></Heading>
      {tab === "traces" && <Traces />}
      {tab === "groups" && <Groups />}
      {tab === "sampling" && <Sampling />}
      {tab === "rejected" && <Rejected />}
    </>
  );
}

function Traces() {
  const { range, set } = useTime(3600);
  const [zone] = useSetting("zone", "local");
  const [filter, setFilter] = useParameter("filter");
  const [text, setText] = useState(filter);
  const [chosen, setChosen] = useState<[number, number] | null>(null);
  useEffect(() => setText(filter), [filter]);
  const startMs = Math.max(range.startMs, range.endMs - 24 * 3_600_000);
  const found = useQuery({ queryKey: ["summaries", startMs, range.endMs, filter], queryFn: () => xray.summaries(startMs, range.endMs, filter), retry: false });
  const bars = useMemo(() => logBars((found.data?.summaries ?? []).map((one) => (one.ResponseTime ?? 0) * 1000), 36), [found.data]);
  const shown = (found.data?.summaries ?? []).filter((one) => !chosen || ((one.ResponseTime ?? 0) * 1000 >= chosen[0] && (one.ResponseTime ?? 0) * 1000 <= chosen[1]));
  const run = () => { setChosen(null); if (text.trim() === filter) void found.refetch(); else setFilter(text.trim(), true); };
  return (
    <>
      <form className="query-line" onSubmit={(event) => { event.preventDefault(); run(); }}>
        <Suspense fallback={<input value={text} onChange={(event) => setText(event.target.value)} aria-label="Filter expression" />}>
          <Editor value={text} change={setText} run={run} language={LANGUAGE} label="Filter expression" placeholder='service("cruddur-backend") { fault } AND annotation.user = "andrew"' errorAt={found.error ? placeOf(found.error) : null} />
        </Suspense>
        <button>Search</button>
        <TimePicker range={range} set={set} />
      </form>
      {startMs > range.startMs && <p className="note">The last 24 hours of this time.</p>}
      <State of={found} what="traces" empty={(answer) => answer.summaries.length === 0 && <Empty title="No trace matches.">Widen the time, or drop a condition.</Empty>}>
        {({ summaries, more }) => (
          <>
            <Card title="Response times" tools={chosen && <button type="button" className="link" onClick={() => setChosen(null)}>all</button>}>
              <Histogram label="Response times: choose a range" bars={bars} spell={duration} chosen={chosen} onRange={(from, to) => setChosen([from, to])} />
            </Card>
            {more && <Warning>{number(summaries.length)} traces are shown; there are more.</Warning>}
            <Table label="Traces" rows={shown} rowKey={(row) => row.Id} columns={[
              { title: "Trace", cell: (row) => <Link to={paths.trace(xray.hexId(row.Id))}><code>{row.Id}</code></Link> },
              { title: "Start", cell: (row) => (row.StartTime ? clock(row.StartTime * 1000, zone, { millis: true }) : ""), sort: (row) => row.StartTime ?? 0 },
              { title: "Method", cell: (row) => row.Http?.HttpMethod ?? "" },
              { title: "URL", cell: (row) => row.Http?.HttpURL ?? row.EntryPoint?.Name ?? "", sort: (row) => row.Http?.HttpURL ?? "" },
              { title: "Status", cell: (row) => (row.Http?.HttpStatus ? <HttpStatus status={row.Http.HttpStatus} /> : row.HasFault ? <Badge kind="bad">fault</Badge> : row.HasError ? <Badge kind="warn">error</Badge> : ""), sort: (row) => row.Http?.HttpStatus ?? 0 },
              { title: "Response", numeric: true, cell: (row) => (row.IsPartial ? <Badge>running</Badge> : duration((row.ResponseTime ?? 0) * 1000)), sort: (row) => row.ResponseTime ?? 0 },
              { title: "Annotations", numeric: true, cell: (row) => Object.keys(row.Annotations ?? {}).length || "" },
              { title: "", cell: (row) => <Link to={paths.request(xray.hexId(row.Id))}>request</Link> },
            ]} />
          </>
        )}
      </State>
    </>
  );
}

function Groups() {
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["xray groups"], queryFn: xray.groups });
  const changed = () => client.invalidateQueries({ queryKey: ["xray groups"] });
  const create = useMutation({ mutationFn: ({ name, expression }: { name: string; expression: string }) => xray.createGroup(name, expression), onSuccess: changed });
  const remove = useMutation({ mutationFn: xray.deleteGroup, onSuccess: changed });
  return (
    <>
      <form className="search" onSubmit={(event) => { event.preventDefault(); const given = new FormData(event.currentTarget); create.mutate({ name: String(given.get("name")), expression: String(given.get("expression")) }); }}>
        <Field label="Name"><input name="name" required maxLength={32} /></Field>
        <Field label="Filter expression"><input name="expression" size={50} placeholder="responsetime > 1" /></Field>
        <button disabled={create.isPending}>Create group</button>
      </form>
      {(create.error || remove.error) && <Failed error={create.error ?? remove.error} />}
      <State of={found} what="groups" empty={(all) => all.length === 0 && <Empty title="No group yet.">A group is a filter expression with a name: map and traces can be narrowed to it.</Empty>}>
        {(all) => <Table label="Groups" rows={all} rowKey={(row) => row.GroupARN} columns={[
          { title: "Group", cell: (row) => row.GroupName },
          { title: "Filter expression", cell: (row) => <code>{row.FilterExpression}</code> },
          { title: "", cell: (row) => <><Link to={paths.xray({ filter: row.FilterExpression })}>traces</Link> · <Link to={paths.map({ group: row.GroupName })}>map</Link>{row.GroupName !== "Default" && <> · <button type="button" className="link" onClick={() => confirm(`Delete the group ${row.GroupName}?`) && remove.mutate(row.GroupName)}>delete</button></>}</> },
        ]} />}
      </State>
    </>
  );
}

function Sampling() {
  const rules = useQuery({ queryKey: ["sampling rules"], queryFn: xray.samplingRules });
  const statistics = useQuery({ queryKey: ["sampling statistics"], queryFn: xray.samplingStatistics, refetchInterval: 10_000 });
  const of = (name: string) => (statistics.data ?? []).filter((one) => one.RuleName === name).reduce((sum, one) => ({ requests: sum.requests + one.RequestCount, sampled: sum.sampled + one.SampledCount, borrowed: sum.borrowed + one.BorrowCount }), { requests: 0, sampled: 0, borrowed: 0 });
  return (
    <State of={rules} what="sampling rules" empty={(all) => all.length === 0 && <Empty title="No sampling rule." />}>
      {(all) => <Table label="Sampling rules" rows={[...all].sort((a, b) => a.Priority - b.Priority)} rowKey={(row) => row.RuleName} columns={[
        { title: "Priority", numeric: true, cell: (row) => row.Priority },
        { title: "Rule", cell: (row) => row.RuleName },
        { title: "Applies to", cell: (row) => <code>{[`service ${row.ServiceName}`, `${row.HTTPMethod} ${row.Host}${row.URLPath === "*" ? "/*" : row.URLPath}`].join(" · ")}</code> },
        { title: "Reservoir", numeric: true, cell: (row) => `${row.ReservoirSize}/s` },
        { title: "Then", numeric: true, cell: (row) => `${number(row.FixedRate * 100)} %` },
        { title: "Asked", numeric: true, cell: (row) => number(of(row.RuleName).requests) },
        { title: "Sampled", numeric: true, cell: (row) => number(of(row.RuleName).sampled) },
        { title: "Borrowed", numeric: true, cell: (row) => number(of(row.RuleName).borrowed) },
      ]} />}
    </State>
  );
}

function Rejected() {
  const [zone] = useSetting("zone", "local");
  const found = useQuery({ queryKey: ["xray rejected"], queryFn: own.xrayRejected, refetchInterval: 10_000 });
  return (
    <State of={found} what="what was not kept" empty={(all) => all.length === 0 && <Empty title="Everything that came was kept.">Documents and datagrams that cannot be read are listed here with the reason: UDP has no answer.</Empty>}>
      {(all) => <Table label="Not kept" rows={all} rowKey={(_, index) => index} columns={[
        { title: "Received", cell: (row) => clock(row.received_ms, zone) },
        { title: "Door", cell: (row) => row.door },
        { title: "Reason", cell: (row) => <>{row.reason}<br /><span className="dim">{row.message}</span></> },
        { title: "Begins with", cell: (row) => <code>{row.text.slice(0, 300)}</code> },
      ]} />}
    </State>
  );
}
