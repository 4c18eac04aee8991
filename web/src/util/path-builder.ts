// Every address of the site, in one place: pages link to each other through these only.

import type { Spec } from "../pages/query/spec";

type Parameters = Record<string, string | number | boolean | null | undefined>;

export function withParameters(path: string, parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== "" && value !== null && value !== undefined && value !== false) query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

const part = encodeURIComponent;

export const paths = {
  start: () => "/",
  connect: () => "/connect",
  query: (dataset?: string, spec?: Spec, more: Parameters = {}) =>
    withParameters("/query", { dataset: dataset === "__all__" ? "" : dataset, q: spec ? JSON.stringify(spec) : "", ...more }),
  traces: (parameters: Parameters = {}) => withParameters("/traces", parameters),
  trace: (id: string, span?: string | null) => withParameters(`/trace/${part(id)}`, { span }),
  request: (traceId: string) => `/request/${part(traceId)}`,
  map: (parameters: Parameters = {}) => withParameters("/map", parameters),
  xray: (parameters: Parameters = {}) => withParameters("/xray", parameters),
  logs: () => "/logs",
  logGroup: (group: string, parameters: Parameters = {}) => withParameters(`/logs/group/${part(group)}`, parameters),
  insights: (parameters: Parameters = {}) => withParameters("/logs/insights", parameters),
  errors: (parameters: Parameters = {}) => withParameters("/errors", parameters),
  item: (id: number | string, parameters: Parameters = {}) => withParameters(`/errors/item/${part(String(id))}`, parameters),
  occurrence: (id: number | string) => `/errors/occurrence/${part(String(id))}`,
  deploys: () => "/errors/deploys",
  rql: (parameters: Parameters = {}) => withParameters("/errors/rql", parameters),
  boards: () => "/boards",
  board: (id: string) => `/boards/${part(id)}`,
  settings: (tab = "") => withParameters("/settings", { tab }),
};
