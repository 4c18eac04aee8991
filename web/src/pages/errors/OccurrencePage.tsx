// One occurrence: its traceback, its request, person and server, what led to it, and the payload as it was sent.

import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import * as rollbar from "../../api/rollbar";
import { Card, Empty, Facts, Failed, Heading, Json, Level, Loading } from "../../ui/parts";
import { clock, shown } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { safeHref } from "../../util/url";
import { ApiError } from "../../api/client";
import { Traceback } from "./Traceback";

export default function OccurrencePage() {
  const { id = "" } = useParams();
  const [zone] = useSetting("zone", "local");
  const found = useQuery({ queryKey: ["occurrence", id], queryFn: () => rollbar.occurrence(id), retry: false });
  if (found.error) return found.error instanceof ApiError && found.error.status === 404 ? <><Heading title="Occurrence" /><Empty title="This occurrence is not there." /></> : <Failed error={found.error} />;
  if (!found.data) return <Loading what="the occurrence" />;
  const { data, trace_id: trace, item_id: item, timestamp } = found.data;
  const { request, server, person, client, custom, notifier } = data;
  const href = typeof request?.url === "string" ? safeHref(request.url) : null;
  return (
    <>
      <Heading title={data.body?.message ? "Message" : (data.body?.trace_chain?.[0] ?? data.body?.trace)?.exception?.class ?? "Occurrence"}>
        <Level level={data.level ?? "error"} />
        <Link className="button" to={paths.item(item)}>Item</Link>
        {trace && <Link className="button" to={paths.request(trace)}>Whole request</Link>}
      </Heading>
      <p className="summary">{clock(timestamp * 1000, zone)} · {data.environment} {data.code_version && <>· <code>{data.code_version}</code></>} {notifier?.name && <>· {notifier.name} {notifier.version}</>}</p>
      <div className="columns wide-left">
        <div>
          <Card title="Traceback"><Traceback data={data} /></Card>
          {(data.body?.telemetry?.length ?? 0) > 0 && (
            <Card title="What led to it">
              <ol className="telemetry">{data.body!.telemetry!.map((one, index) => <li key={index}><time>{one.timestamp_ms ? clock(one.timestamp_ms, zone, { date: false, millis: true }) : ""}</time> <Level level={one.level ?? "info"} /> {one.type} <code>{JSON.stringify(one.body)}</code></li>)}</ol>
            </Card>
          )}
          <Card title="As it was sent"><Json value={data} depth={1} /></Card>
        </div>
        <div>
          {request && <Card title="Request"><Facts facts={[["URL", href ? <a key="u" href={href} rel="noreferrer noopener" target="_blank">{request.url}</a> : shown(request.url)], ["Method", request.method], ["Address", request.user_ip]]} /><Json value={request} depth={1} /></Card>}
          {person && <Card title="Person"><Facts facts={[["Id", person.id], ["Name", person.username], ["Email", person.email]]} /></Card>}
          {server && <Card title="Server"><Json value={server} depth={1} /></Card>}
          {client && <Card title="Client"><Json value={client} depth={1} /></Card>}
          {custom && <Card title="Custom"><Json value={custom} depth={1} /></Card>}
        </div>
      </div>
    </>
  );
}
