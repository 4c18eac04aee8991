// The whole site on one screen. Pages are loaded when they are gone to.

import { type ComponentType, lazy } from "react";

type Loaded = Promise<{ default: ComponentType }>;
const page = (load: () => Loaded) => lazy(load);

export const routes: { path: string; title: string; Page: ComponentType }[] = [
  { path: "/", title: "Start", Page: page(() => import("./pages/start/StartPage")) },
  { path: "/connect", title: "Connect", Page: page(() => import("./pages/start/ConnectPage")) },
  { path: "/query", title: "Query", Page: page(() => import("./pages/query/QueryPage")) },
  { path: "/traces", title: "Traces", Page: page(() => import("./pages/trace/TracesPage")) },
  { path: "/trace/:id", title: "Trace", Page: page(() => import("./pages/trace/TracePage")) },
  { path: "/request/:id", title: "Request", Page: page(() => import("./pages/request/RequestPage")) },
  { path: "/map", title: "Map", Page: page(() => import("./pages/map/MapPage")) },
  { path: "/xray", title: "X-Ray", Page: page(() => import("./pages/xray/XRayPage")) },
  { path: "/logs", title: "Logs", Page: page(() => import("./pages/logs/GroupsPage")) },
  { path: "/logs/insights", title: "Insights", Page: page(() => import("./pages/logs/InsightsPage")) },
  { path: "/logs/group/:group", title: "Log group", Page: page(() => import("./pages/logs/GroupPage")) },
  { path: "/errors", title: "Errors", Page: page(() => import("./pages/errors/ItemsPage")) },
  { path: "/errors/item/:id", title: "Item", Page: page(() => import("./pages/errors/ItemPage")) },
  { path: "/errors/occurrence/:id", title: "Occurrence", Page: page(() => import("./pages/errors/OccurrencePage")) },
  { path: "/errors/deploys", title: "Deploys", Page: page(() => import("./pages/errors/DeploysPage")) },
  { path: "/errors/rql", title: "RQL", Page: page(() => import("./pages/errors/RqlPage")) },
  { path: "/boards", title: "Boards", Page: page(() => import("./pages/boards/BoardsPage")) },
  { path: "/boards/:id", title: "Board", Page: page(() => import("./pages/boards/BoardsPage").then((all) => ({ default: all.BoardPage }))) },
  { path: "/settings", title: "Settings", Page: page(() => import("./pages/settings/SettingsPage")) },
];
