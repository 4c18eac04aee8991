// What is going on: services with their three figures over the last hours, the newest errors, the newest traces.

import { useQueries, useQuery } from "@tanstack/react-query";
import { Link, Navigate } from "react-router";
import type { Service } from "../../api/__generated__/api";
import * as own from "../../api/own";
import * as rollbar from "../../api/rollbar";
import { Sparkline } from "../../charts/Small";
import { msOf, stepsOf } from "../../charts/series";
import { Badge, Card, Empty, Figure, Heading, Level, State, Table } from "../../ui/parts";
import { TimePicker } from "../../ui/TimePicker";
import { ago, duration, number, short } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useTime } from "../../util/time";

const ERROR = { column: "error", op: "=", value: true };

export default function StartPage() {
  const { range, set } = useTime(3600);
  const seconds = Math.max(60, Math.round((range.endMs - range.startMs) / 1000));
  const services = useQuery({ queryKey: ["services", seconds], queryFn: () => own.services(seconds), refetchInterval: 30_000 });
  const ever = useQuery({ queryKey: ["services", 31_536_000], queryFn: () => own.services(31_536_000), enabled: services.data?.length === 0 });
  const items = useQuery({ queryKey: ["items", "newest"], queryFn: () => rollbar.items({ status: "active", limit: 8 }), refetchInterval: 30_000, retry: false });
  const traces = useQuery({ queryKey: ["traces", "newest"], queryFn: () => own.traces({ limit: 8, seconds: Math.max(seconds, 3600) }), refetchInterval: 30_000 });
  if (services.data?.length === 0 && ever.data?.length === 0 && items.data?.items.length === 0) return <Navigate to={paths.connect()} replace />;
  return (
    <>
      <Heading title="What is going on"><TimePicker range={range} set={set} refresh={() => { void services.refetch(); void items.refetch(); void traces.refetch(); }} /></Heading>
      <State of={services} what="services" empty={(all) => all.length === 0 && <Empty title="No service sent spans in this time.">Choose a longer time, or <Link to={paths.connect()}>connect an application</Link>.</Empty>}>
        {(all) => <Services services={all} seconds={seconds} />}
      </State>
      <div className="columns">
        <Card title="Newest errors" tools={<Link to={paths.errors()}>all items</Link>}>
          <State of={items} what="errors" empty={(found) => found.items.length === 0 && <Empty title="No active error.">Either all is well, or nothing reports errors yet: <Link to={paths.connect()}>connect</Link>.</Empty>}>
            {(found) => <Table label="Newest errors" rows={found.items} rowKey={(row) => row.id} columns={[
              { title: "Error", cell: (row) => <><Level level={row.level} /> <Link to={paths.item(row.id)}>#{row.counter} {row.title}</Link></> },
              { title: "Times", numeric: true, cell: (row) => short(row.total_occurrences) },
              { title: "Last", cell: (row) => ago(row.last_occurrence_timestamp * 1000, Date.now()) },
            ]} />}
          </State>
        </Card>
        <Card title="Newest traces" tools={<Link to={paths.traces()}>search</Link>}>
          <State of={traces} what="traces" empty={(found) => found.length === 0 && <Empty title="No trace in this time." />}>
            {(found) => <Table label="Newest traces" rows={found} rowKey={(row) => row.trace_id} columns={[
              { title: "Trace", cell: (row) => <Link to={paths.trace(row.trace_id)}>{row.root_name || "(no name)"}</Link> },
              { title: "Service", cell: (row) => row.root_service },
              { title: "Duration", numeric: true, cell: (row) => duration(row.duration_ms) },
              { title: "", cell: (row) => (row.error_count > 0 ? <Badge kind="bad">failed</Badge> : "") },
              { title: "Start", cell: (row) => ago(row.start_ms, Date.now()) },
            ]} />}
          </State>
        </Card>
      </div>
    </>
  );
}

function Services({ services, seconds }: { services: Service[]; seconds: number }) {
  const granularity = Math.max(1, Math.ceil(seconds / 40));
  const shown = services.slice(0, 12);
  const series = useQueries({
    queries: shown.map((service) => ({
      queryKey: ["service series", service.name, seconds],
      queryFn: () => own.ask(service.name, { calculations: [{ op: "COUNT" }, { op: "P99", column: "duration_ms" }], time_range: seconds, granularity }),
      staleTime: 25_000, refetchInterval: 60_000,
    })),
  });
  const failed = useQueries({
    queries: shown.map((service) => ({ queryKey: ["service errors", service.name, seconds], queryFn: () => own.ask(service.name, { calculations: [{ op: "COUNT" }], filters: [ERROR], time_range: seconds, granularity }), staleTime: 25_000, refetchInterval: 60_000 })),
  });
  const before = useQueries({
    queries: shown.map((service) => ({
      queryKey: ["service yesterday", service.name, seconds],
      queryFn: () => own.ask(service.name, { calculations: [{ op: "COUNT" }, { op: "P99", column: "duration_ms" }], start_time: Math.floor(Date.now() / 1000) - seconds - 86_400, end_time: Math.floor(Date.now() / 1000) - 86_400 }),
      staleTime: 300_000,
    })),
  });
  const values = (answer: (typeof series)[number]["data"], name: string): number[] => {
    if (!answer) return [];
    const { times, stepMs } = stepsOf(answer);
    const at = new Map(answer.series.map((point) => [Math.floor(msOf(point.time) / stepMs) * stepMs, Number(point.data[name]) || 0]));
    return times.map((ms) => at.get(ms) ?? 0);
  };
  return (
    <div className="services">
      {shown.map((service, index) => {
        const count = Number(before[index]?.data?.results[0]?.data.COUNT) || 0;
        const p99 = Number(before[index]?.data?.results[0]?.data["P99(duration_ms)"]) || 0;
        const rate = service.request_count > 0 ? service.error_count / service.request_count : 0;
        return (
          <section key={service.name} className="service" aria-label={service.name}>
            <h2><Link to={paths.query(service.name, { calculations: [{ op: "COUNT" }, { op: "HEATMAP", column: "duration_ms" }], breakdowns: [], time_range: seconds })}>{service.name}</Link></h2>
            <div className="service-figures">
              <div><Figure value={`${number(service.rate_per_s)}/s`} label="requests" /><Sparkline label={`Requests of ${service.name} over time`} values={values(series[index]?.data, "COUNT")} /></div>
              <div><Figure kind={rate > 0 ? "bad" : ""} value={`${number(rate * 100)} %`} label="failed" /><Sparkline kind="bad" label={`Failures of ${service.name} over time`} values={values(failed[index]?.data, "COUNT")} /></div>
              <div><Figure value={service.duration_p99_ms === null ? "–" : duration(service.duration_p99_ms)} label="99th percentile" /><Sparkline kind="slow" label={`Duration of ${service.name} over time`} values={values(series[index]?.data, "P99(duration_ms)")} /></div>
            </div>
            <p className="note">{count > 0 ? <>Since yesterday: events {change(Number(series[index]?.data?.results[0]?.data.COUNT) || 0, count)}, 99th percentile {change(Number(series[index]?.data?.results[0]?.data["P99(duration_ms)"]) || 0, p99)}</> : "Nothing to compare with from yesterday."} <Link to={paths.traces({ service: service.name })}>traces</Link> · <Link to={paths.traces({ service: service.name, errors_only: "true" })}>failed</Link></p>
          </section>
        );
      })}
      {services.length > shown.length && <p className="note">and {services.length - shown.length} more services</p>}
    </div>
  );
}

function change(now: number, before: number): string {
  if (before === 0) return "new";
  const share = (now - before) / before;
  return `${share >= 0 ? "+" : "−"}${Math.abs(share * 100).toFixed(0)} %`;
}
