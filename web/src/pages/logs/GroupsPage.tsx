// Log groups: what is kept of each and for how long.

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import * as logs from "../../api/logs";
import * as own from "../../api/own";
import { Badge, Empty, Failed, Heading, State, Table, Warning } from "../../ui/parts";
import { bytes, clock } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { useParameter } from "../../util/url";

export const RETENTION = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653];

export function RegionPicker() {
  const [region, setRegion] = useSetting("region", "us-east-1");
  const client = useQueryClient();
  const known = useQuery({ queryKey: ["log regions"], queryFn: own.logRegions, staleTime: 60_000, retry: false });
  const all = [...new Set([region, ...(known.data ?? [])])];
  // The page opens where there is something, not where there is nothing.
  const only = known.data?.length && !known.data.includes(region) ? known.data[0]! : null;
  if (all.length < 2) return null;
  return (
    <>
      {only && <button type="button" className="quiet" onClick={() => { setRegion(only); void client.resetQueries({ queryKey: ["log groups"] }); }}>groups are in {only}</button>}
      <select aria-label="Region" value={region} onChange={(event) => { setRegion(event.target.value); void client.resetQueries({ queryKey: ["log groups"] }); }}>
        {all.map((name) => <option key={name}>{name}</option>)}
      </select>
    </>
  );
}

export default function GroupsPage() {
  const [pattern, setPattern] = useParameter("find");
  const [zone] = useSetting("zone", "local");
  const client = useQueryClient();
  const found = useQuery({ queryKey: ["log groups", pattern], queryFn: () => logs.groups(pattern), placeholderData: keepPreviousData });
  const keep = useMutation({ mutationFn: ({ group, days }: { group: string; days: number | null }) => logs.setRetention(group, days), onSuccess: () => client.invalidateQueries({ queryKey: ["log groups"] }) });
  return (
    <>
      <Heading title="Logs" note="groups">
        <RegionPicker />
        <input data-search type="search" placeholder="Find a group" aria-label="Find a group" value={pattern} onChange={(event) => setPattern(event.target.value)} />
        <Link className="button" to={paths.insights()}>Insights</Link>
      </Heading>
      {keep.error && <Failed error={keep.error} />}
      <State of={found} what="log groups" empty={(page) => page.logGroups.length === 0 && <Empty title={pattern ? "No group is called that." : "No log group yet."}>{!pattern && <><Link to={paths.connect()}>Connect an application</Link>: watchtower, an agent or the AWS CLI makes its group by itself.</>}</Empty>}>
        {(page) => (
          <>
            <Table label="Log groups" rows={page.logGroups} rowKey={(row) => row.logGroupName} columns={[
              { title: "Group", cell: (row) => <Link to={paths.logGroup(row.logGroupName)}>{row.logGroupName}</Link>, sort: (row) => row.logGroupName },
              { title: "Class", cell: (row) => <>{row.logGroupClass?.toLowerCase().replace("_", " ")} {row.deletionProtectionEnabled && <Badge>protected</Badge>}</> },
              { title: "Stored", numeric: true, cell: (row) => bytes(row.storedBytes ?? 0), sort: (row) => row.storedBytes ?? 0 },
              { title: "Kept for", cell: (row) => (
                <select aria-label={`Retention of ${row.logGroupName}`} value={row.retentionInDays ?? ""} onChange={(event) => keep.mutate({ group: row.logGroupName, days: event.target.value ? Number(event.target.value) : null })}>
                  <option value="">ever</option>
                  {RETENTION.map((days) => <option key={days} value={days}>{days} days</option>)}
                </select>
              ) },
              { title: "Metric filters", numeric: true, cell: (row) => row.metricFilterCount || "" },
              { title: "Made", cell: (row) => (row.creationTime ? clock(row.creationTime, zone) : "") },
              { title: "", cell: (row) => <><Link to={paths.logGroup(row.logGroupName, { tab: "tail" })}>live tail</Link> · <Link to={paths.insights({ groups: row.logGroupName })}>insights</Link></> },
            ]} />
            {page.nextToken && <Warning>The first 50 groups are shown. Find others by a part of their names.</Warning>}
          </>
        )}
      </State>
    </>
  );
}
