// The service map: clients, services, databases and AWS resources of both OTLP and X-Ray, with rate, errors and latency.

import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { Link } from "react-router";
import * as xray from "../../api/xray";
import { Histogram } from "../../charts/Small";
import { percentile } from "../../charts/series";
import { Badge, Empty, Facts, Heading, State, Table } from "../../ui/parts";
import { TimePicker } from "../../ui/TimePicker";
import { duration, number, plural } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useTime } from "../../util/time";
import { useParameter } from "../../util/url";
import { layout, NODE_HEIGHT, NODE_WIDTH } from "./layout";

type Service = xray.MapService;

const rateOf = (statistics: xray.Statistics | undefined, seconds: number) => (statistics?.TotalCount ?? 0) / Math.max(1, seconds);
const meanMs = (statistics: xray.Statistics | undefined) => (statistics?.TotalCount ? ((statistics.TotalResponseTime ?? 0) / statistics.TotalCount) * 1000 : 0);
export function shares(statistics: xray.Statistics | undefined): { ok: number; error: number; throttle: number; fault: number } {
  const total = statistics?.TotalCount ?? 0;
  if (!total) return { ok: 1, error: 0, throttle: 0, fault: 0 };
  const fault = (statistics?.FaultStatistics?.TotalCount ?? 0) / total;
  const throttle = (statistics?.ErrorStatistics?.ThrottleCount ?? 0) / total;
  const error = (statistics?.ErrorStatistics?.TotalCount ?? 0) / total - throttle;
  return { ok: Math.max(0, 1 - fault - error - throttle), error, throttle, fault };
}

/** Clients are only known by those they call. */
const isClient = (service: Service) => service.Type === "client";

/** The expression that finds the traces through a node or along an edge. */
const quoted = (name: string) => `"${name.replace(/["\\]/g, "\\$&")}"`;
const expressionOf = (service: Service, target?: Service) => (target ? `edge(${quoted(service.Name)}, ${quoted(target.Name)})` : `service(${quoted(service.Name)})`);

export default function MapPage() {
  const { range, set } = useTime(3600);
  const [group, setGroup] = useParameter("group");
  const [chosenId, setChosen] = useParameter("node");
  const [find, setFind] = useState("");
  const [asTable, setAsTable] = useParameter("view");
  // X-Ray answers up to six hours at once.
  const startMs = Math.max(range.startMs, range.endMs - 6 * 3_600_000);
  const seconds = (range.endMs - startMs) / 1000;
  const map = useQuery({ queryKey: ["map", startMs, range.endMs, group], queryFn: () => xray.serviceGraph(startMs, range.endMs, group || undefined) });
  const groups = useQuery({ queryKey: ["xray groups"], queryFn: xray.groups, retry: false });
  return (
    <>
      <Heading title="Map" note="services, clients, databases and resources">
        {(groups.data?.length ?? 0) > 0 && (
          <select aria-label="Group" value={group} onChange={(event) => setGroup(event.target.value)}>
            <option value="">all requests</option>
            {groups.data!.map((one) => <option key={one.GroupARN} value={one.GroupName}>{one.GroupName}</option>)}
          </select>
        )}
        <input data-search type="search" placeholder="Find a node" aria-label="Find a node" value={find} onChange={(event) => setFind(event.target.value)} />
        <button type="button" className="quiet" aria-pressed={asTable === "table"} onClick={() => setAsTable(asTable === "table" ? "" : "table")}>Table</button>
        <TimePicker range={range} set={set} refresh={() => void map.refetch()} />
      </Heading>
      {startMs > range.startMs && <p className="note">The last six hours of this time.</p>}
      <State of={map} what="the map" empty={(services) => services.length === 0 && <Empty title="Nothing called anything in this time.">Choose a longer time, or <Link to={paths.connect()}>connect an application</Link>.</Empty>}>
        {(services) => {
          const chosen = services.find((one) => String(one.ReferenceId) === chosenId) ?? null;
          return (
            <div className="map-page">
              {asTable === "table" ? <AsTable services={services} seconds={seconds} choose={(id) => setChosen(String(id))} /> : <Drawing services={services} seconds={seconds} chosen={chosen} choose={(id) => setChosen(String(id))} find={find} />}
              {chosen && <NodeDetails service={chosen} services={services} seconds={seconds} range={{ startMs, endMs: range.endMs }} />}
            </div>
          );
        }}
      </State>
      <ul className="legend"><li><span className="swatch ok" />answered</li><li><span className="swatch error" />client errors (4xx)</li><li><span className="swatch throttle" />throttled (429)</li><li><span className="swatch fault" />failed (5xx)</li></ul>
    </>
  );
}

function Drawing({ services, seconds, chosen, choose, find }: { services: Service[]; seconds: number; chosen: Service | null; choose: (id: number) => void; find: string }) {
  const host = useRef<HTMLDivElement>(null);
  const [view, setView] = useState({ x: 0, y: 0, scale: 1 });
  const [drag, setDrag] = useState<{ x: number; y: number } | null>(null);
  const byId = useMemo(() => new Map(services.map((one) => [one.ReferenceId, one])), [services]);
  const edges = useMemo(() => services.flatMap((from) => (from.Edges ?? []).filter((edge) => byId.has(edge.ReferenceId)).map((edge) => ({ from, to: byId.get(edge.ReferenceId)!, edge }))), [services, byId]);
  const placed = useMemo(() => layout(services.map((one) => one.ReferenceId), edges.map(({ from, to }) => [from.ReferenceId, to.ReferenceId])), [services, edges]);
  const fit = () => {
    const box = host.current?.getBoundingClientRect();
    if (!box) return;
    const scale = Math.min(1.2, Math.max(0.15, Math.min(box.width / placed.width, box.height / placed.height)));
    setView({ scale, x: (box.width - placed.width * scale) / 2, y: (box.height - placed.height * scale) / 2 });
  };
  // A node's details beside it make the map smaller.
  useEffect(() => {
    const observer = new ResizeObserver(fit);
    if (host.current) observer.observe(host.current);
    return () => observer.disconnect();
  }, [placed]); // eslint-disable-line
  const most = Math.max(...edges.map(({ edge }) => edge.SummaryStatistics?.TotalCount ?? 0), 1);
  const zoom = (factor: number) => setView((known) => {
    const box = host.current!.getBoundingClientRect();
    const scale = Math.min(3, Math.max(0.1, known.scale * factor));
    const share = scale / known.scale;
    return { scale, x: box.width / 2 - (box.width / 2 - known.x) * share, y: box.height / 2 - (box.height / 2 - known.y) * share };
  });
  const wanted = find.trim().toLowerCase();
  const near = new Set(chosen ? [chosen.ReferenceId, ...edges.filter(({ from, to }) => from === chosen || to === chosen).flatMap(({ from, to }) => [from.ReferenceId, to.ReferenceId])] : []);
  const dim = (id: number, name: string) => (wanted ? !name.toLowerCase().includes(wanted) : chosen !== null && !near.has(id));
  return (
    <div className="map" ref={host}
      onPointerDown={(event) => { if (!(event.target as Element).closest(".map-node, button")) { event.currentTarget.setPointerCapture(event.pointerId); setDrag({ x: event.clientX - view.x, y: event.clientY - view.y }); } }}
      onPointerMove={(event) => drag && setView({ ...view, x: event.clientX - drag.x, y: event.clientY - drag.y })}
      onPointerUp={() => setDrag(null)}
    >
      <svg role="group" aria-label={`${plural(services.length, "node")}, ${plural(edges.length, "connection")}; the table says the same`}>
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 z" /></marker></defs>
        <g transform={`translate(${view.x} ${view.y}) scale(${view.scale})`}>
          {edges.map(({ from, to, edge }) => {
            const a = placed.nodes.get(from.ReferenceId)!;
            const b = placed.nodes.get(to.ReferenceId)!;
            const [x1, y1, x2, y2] = [a.x + NODE_WIDTH, a.y + NODE_HEIGHT / 2, b.x - 2, b.y + NODE_HEIGHT / 2];
            const bend = Math.max(40, Math.abs(x2 - x1) / 2);
            const bad = shares(edge.SummaryStatistics).fault > 0;
            const faded = chosen !== null && from !== chosen && to !== chosen;
            return (
              <g key={`${from.ReferenceId} ${to.ReferenceId}`} className={`map-edge ${bad ? "bad" : ""} ${faded ? "dimmed" : ""}`}>
                <path d={`M${x1} ${y1} C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`} strokeWidth={1 + 4 * Math.sqrt((edge.SummaryStatistics?.TotalCount ?? 0) / most)} markerEnd="url(#arrow)" />
                <text x={(x1 + x2) / 2} y={(y1 + y2) / 2 - 6} textAnchor="middle">{number(rateOf(edge.SummaryStatistics, seconds))}/s · {duration(meanMs(edge.SummaryStatistics))}</text>
              </g>
            );
          })}
          {services.map((service) => {
            const place = placed.nodes.get(service.ReferenceId)!;
            const part = shares(service.SummaryStatistics);
            let x = 0;
            const pieces = (["ok", "error", "throttle", "fault"] as const).map((kind) => {
              const width = part[kind] * NODE_WIDTH;
              const piece = <rect key={kind} className={`share ${kind}`} x={x} y={NODE_HEIGHT - 6} width={width} height={6} />;
              x += width;
              return piece;
            });
            return (
              <g key={service.ReferenceId} className={`map-node ${service === chosen ? "chosen" : ""} ${dim(service.ReferenceId, service.Name) ? "dimmed" : ""}`} transform={`translate(${place.x} ${place.y})`} tabIndex={0} role="button" aria-pressed={service === chosen} onClick={() => choose(service.ReferenceId)} onKeyDown={(event) => event.key === "Enter" && choose(service.ReferenceId)}>
                <rect className="box" width={NODE_WIDTH} height={NODE_HEIGHT} rx="8" />
                {pieces}
                <text className="name" x="10" y="20">{service.Name.length > 25 ? `${service.Name.slice(0, 24)}…` : service.Name}<title>{service.Name}</title></text>
                <text className="type" x="10" y="36">{service.Type || "service"}</text>
                {!isClient(service) && <text className="numbers" x="10" y="52">{number(rateOf(service.SummaryStatistics, seconds))}/s · {duration(meanMs(service.SummaryStatistics))}{part.fault > 0 ? ` · ${(part.fault * 100).toFixed(1)} % ✕` : ""}</text>}
              </g>
            );
          })}
        </g>
      </svg>
      <div className="map-tools"><button type="button" className="quiet" aria-label="Nearer" onClick={() => zoom(1.3)}>+</button><button type="button" className="quiet" aria-label="Farther" onClick={() => zoom(1 / 1.3)}>−</button><button type="button" className="quiet" onClick={fit}>Fit</button></div>
    </div>
  );
}

function NodeDetails({ service, services, seconds, range }: { service: Service; services: Service[]; seconds: number; range: { startMs: number; endMs: number } }) {
  const part = shares(service.SummaryStatistics);
  const histogram = service.ResponseTimeHistogram ?? [];
  const time = { from: Math.floor(range.startMs), to: Math.ceil(range.endMs) };
  const byId = new Map(services.map((one) => [one.ReferenceId, one]));
  const bars = [...histogram].sort((a, b) => a.Value - b.Value).map((entry, index, all) => ({ from: entry.Value * 1000, to: (all[index + 1]?.Value ?? entry.Value * 1.05) * 1000, count: entry.Count }));
  const ms = (share: number) => { const value = percentile(histogram, share); return value === null ? "–" : duration(value * 1000); };
  return (
    <aside className="details" aria-label={`About ${service.Name}`}>
      <h2>{service.Name}</h2>
      <Facts facts={[["Kind", service.Type], ["Requests", `${number(service.SummaryStatistics?.TotalCount ?? 0)} (${number(rateOf(service.SummaryStatistics, seconds))}/s)`], ["Average", duration(meanMs(service.SummaryStatistics))], ["50 / 95 / 99 %", `${ms(0.5)} / ${ms(0.95)} / ${ms(0.99)}`], ["Failed", part.fault > 0 && <Badge key="f" kind="bad">{(part.fault * 100).toFixed(1)} %</Badge>], ["Client errors", part.error > 0 && `${(part.error * 100).toFixed(1)} %`], ["Throttled", part.throttle > 0 && `${(part.throttle * 100).toFixed(1)} %`]]} />
      {bars.length > 0 && <><h3>Response times: choose one for its traces</h3><HistogramLinks bars={bars} name={service.Name} time={time} /></>}
      <p><Link to={paths.xray({ filter: expressionOf(service), ...time })}>Traces through it</Link> · <Link to={paths.xray({ filter: `${expressionOf(service)} AND fault`, ...time })}>failed ones</Link></p>
      {(service.Edges ?? []).length > 0 && (
        <>
          <h3>Calls</h3>
          <ul className="plain">{(service.Edges ?? []).map((edge) => {
            const to = byId.get(edge.ReferenceId);
            return to && <li key={edge.ReferenceId}><Link to={paths.xray({ filter: expressionOf(service, to), ...time })}>{to.Name}</Link> <span className="dim">{number(rateOf(edge.SummaryStatistics, seconds))}/s · {duration(meanMs(edge.SummaryStatistics))}</span></li>;
          })}</ul>
        </>
      )}
    </aside>
  );
}

function HistogramLinks({ bars, name, time }: { bars: { from: number; to: number; count: number }[]; name: string; time: { from: number; to: number } }) {
  const [chosen, setChosen] = useState<[number, number] | null>(null);
  return (
    <>
      <Histogram label="Response times" bars={bars} spell={duration} chosen={chosen} onRange={(from, to) => setChosen([from, to])} />
      {chosen && <p><Link to={paths.xray({ filter: `service(${quoted(name)}) { responsetime >= ${(chosen[0] / 1000).toFixed(6)} AND responsetime <= ${(chosen[1] / 1000).toFixed(6)} }`, ...time })}>Traces of {duration(chosen[0])} to {duration(chosen[1])}</Link></p>}
    </>
  );
}

function AsTable({ services, seconds, choose }: { services: Service[]; seconds: number; choose: (id: number) => void }) {
  return (
    <Table label="Nodes of the map" rows={services} rowKey={(row) => row.ReferenceId} columns={[
      { title: "Node", cell: (row) => <button type="button" className="link" onClick={() => choose(row.ReferenceId)}>{row.Name}</button>, sort: (row) => row.Name },
      { title: "Kind", cell: (row) => row.Type ?? "", sort: (row) => row.Type ?? "" },
      { title: "Rate", numeric: true, cell: (row) => `${number(rateOf(row.SummaryStatistics, seconds))}/s`, sort: (row) => row.SummaryStatistics?.TotalCount ?? 0 },
      { title: "Average", numeric: true, cell: (row) => duration(meanMs(row.SummaryStatistics)), sort: (row) => meanMs(row.SummaryStatistics) },
      { title: "Failed", numeric: true, cell: (row) => `${(shares(row.SummaryStatistics).fault * 100).toFixed(1)} %`, sort: (row) => shares(row.SummaryStatistics).fault },
      { title: "Calls", numeric: true, cell: (row) => (row.Edges ?? []).length, sort: (row) => (row.Edges ?? []).length },
    ]} />
  );
}
