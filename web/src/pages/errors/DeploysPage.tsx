// Deploys as the pipelines told of them.

import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import * as rollbar from "../../api/rollbar";
import { Badge, CodeBlock, Empty, Heading, State, Table } from "../../ui/parts";
import { clock, duration } from "../../util/format";
import { paths } from "../../util/path-builder";
import { useSetting } from "../../util/settings";
import { ErrorTabs } from "./ItemsPage";
import { ProjectPicker, useProject } from "./ProjectPicker";

export default function DeploysPage() {
  const project = useProject();
  const [zone] = useSetting("zone", "local");
  const found = useQuery({ queryKey: ["deploys", project.id], queryFn: () => rollbar.deploys(project.id!), enabled: project.id !== null });
  return (
    <>
      <Heading title="Deploys"><ProjectPicker project={project} /><ErrorTabs current="deploys" /></Heading>
      {project.id === null ? <Empty title="No project yet." /> : (
        <State of={found} what="deploys" empty={(all) => all.deploys.length === 0 && <Empty title="No deploy was told of yet."><CodeBlock code={`rollbar-cli notify-deploy TOKEN $(whoami) production "$(git rev-parse HEAD)"\n# or:\ncurl -H "X-Rollbar-Access-Token: TOKEN" -d environment=production -d revision="$(git rev-parse HEAD)" ${location.origin}/api/1/deploy/`} /></Empty>}>
          {(all) => <Table label="Deploys" rows={all.deploys} rowKey={(row) => row.id} columns={[
            { title: "Start", cell: (row) => clock(row.start_time * 1000, zone), sort: (row) => row.start_time },
            { title: "Environment", cell: (row) => row.environment },
            { title: "Revision", cell: (row) => <Link to={paths.errors({ query: `code_version:${row.revision}`, status: "all" })}><code>{row.revision}</code></Link> },
            { title: "Status", cell: (row) => <Badge kind={row.status === "succeeded" ? "good" : row.status === "failed" ? "bad" : ""}>{row.status}</Badge> },
            { title: "Took", numeric: true, cell: (row) => (row.finish_time ? duration((row.finish_time - row.start_time) * 1000) : "") },
            { title: "By", cell: (row) => row.local_username ?? "" },
            { title: "Comment", cell: (row) => row.comment ?? "" },
          ]} />}
        </State>
      )}
    </>
  );
}
