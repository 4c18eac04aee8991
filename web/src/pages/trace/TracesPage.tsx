// Traces with a span that matches, newest first.

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useSearchParams } from "react-router";
import * as own from "../../api/own";
import { Badge, Empty, Field, Heading, Meter, State, Table } from "../../ui/parts";
import { ago, clock, duration, number } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { PERIODS } from "../../util/time";

export default function TracesPage() {
  const [parameters, setParameters] = useSearchParams();
  const navigate = useNavigate();
  const [zone] = useSetting("zone", "local");
  const asked = Object.fromEntries(["service", "field", "value", "min_duration_ms", "errors_only", "seconds"].map((name) => [name, parameters.get(name) ?? ""]));
  const traces = useQuery({ queryKey: ["traces", asked], queryFn: () => own.traces({ ...asked, seconds: asked.seconds || 86_400, limit: 100 }), placeholderData: keepPreviousData });
  const services = useQuery({ queryKey: ["services", 86_400], queryFn: () => own.services(86_400) });
  const longest = Math.max(...(traces.data ?? []).map((trace) => trace.duration_ms), 1e-9);
  return (
    <>
      <Heading title="Traces" note="with a span that matches, newest first">
        <form className="row" role="search" onSubmit={(event) => {
          event.preventDefault();
          const id = String(new FormData(event.currentTarget).get("id")).trim().toLowerCase();
          if (id) navigate(paths.trace(id.replace(/^1-([0-9a-f]{8})-([0-9a-f]{24})$/, "$1$2")));
        }}>
          <input name="id" placeholder="Trace id" aria-label="Open a trace by its id" size={34} spellCheck={false} />
          <button>Open</button>
        </form>
      </Heading>
      <form className="search" onSubmit={(event) => {
        event.preventDefault();
        const next = new URLSearchParams();
        for (const [name, value] of new FormData(event.currentTarget)) if (String(value)) next.set(name, String(value));
        setParameters(next);
      }} key={parameters.toString()}>
        <Field label="Service"><input name="service" data-search list="trace-services" defaultValue={asked.service} /></Field>
        <datalist id="trace-services">{(services.data ?? []).map((one) => <option key={one.name} value={one.name} />)}</datalist>
        <Field label="Field"><input name="field" defaultValue={asked.field} placeholder="user.id" /></Field>
        <Field label="is"><input name="value" defaultValue={asked.value} /></Field>
        <Field label="At least (ms)"><input name="min_duration_ms" type="number" min="0" step="any" defaultValue={asked.min_duration_ms} /></Field>
        <Field label="Within"><select name="seconds" defaultValue={asked.seconds || "86400"}>{PERIODS.map(([value, label]) => <option key={value} value={value}>last {label}</option>)}</select></Field>
        <label className="inline"><input type="checkbox" name="errors_only" value="true" defaultChecked={asked.errors_only === "true"} /> failed only</label>
        <button>Search</button>
      </form>
      <State of={traces} what="traces" empty={(all) => all.length === 0 && <Empty title="No trace matches.">Widen the time, or drop a condition. Nothing at all yet? <Link to={paths.connect()}>Connect an application</Link>.</Empty>}>
        {(all) => (
          <Table label="Traces" rows={all} rowKey={(row) => row.trace_id} columns={[
            { title: "Begins with", cell: (row) => <Link to={paths.trace(row.trace_id)}>{row.root_name || "(no name)"}</Link>, sort: (row) => row.root_name },
            { title: "Service", cell: (row) => row.root_service, sort: (row) => row.root_service },
            { title: "Start", cell: (row) => <span title={ago(row.start_ms, Date.now())}>{clock(row.start_ms, zone, { millis: true })}</span>, sort: (row) => row.start_ms },
            { title: "Duration", cell: (row) => <Meter share={row.duration_ms / longest}>{duration(row.duration_ms)}</Meter>, sort: (row) => row.duration_ms },
            { title: "Spans", numeric: true, cell: (row) => number(row.span_count), sort: (row) => row.span_count },
            { title: "Failed", numeric: true, cell: (row) => (row.error_count ? <Badge kind="bad">{number(row.error_count)}</Badge> : ""), sort: (row) => row.error_count },
            { title: "", cell: (row) => <Link to={paths.request(row.trace_id)}>request</Link> },
          ]} />
        )}
      </State>
    </>
  );
}
