// Rollbar by the vendor's own API, for whoever is logged in: such a caller sees all projects of the environment.

import { call, type Parameters } from "./client";

interface Wrapped<T> { err: number; result: T; message?: string }

const rollbar = async <T>(path: string, ask: { method?: string; parameters?: Parameters; body?: unknown } = {}): Promise<T> =>
  (await call<Wrapped<T>>(`products/rollbar/api/1/${path}`, ask)).result;

export interface Project { id: number; name: string; status?: string }
export interface Grouping { version?: number; by?: string; parts?: string[] }
export interface Item {
  id: number; counter: number; project_id: number; environment: string; title: string; hash: string; grouping: Grouping; level: string; status: string; framework: string; platform: string;
  first_occurrence_timestamp: number; last_occurrence_timestamp: number; last_occurrence_id: number; last_activated_timestamp: number | null; last_resolved_timestamp: number | null;
  resolved_in_version: string | null; total_occurrences: number; unique_occurrences: number; assigned_user_id: number | null; snoozed: boolean; snooze_enabled: boolean; group_item_id: number | null;
  suspect_deploy?: { id: number; revision?: string; environment?: string; start_time?: number; local_username?: string | null } | null; members?: number[] | Item[];
}
export interface Frame { filename?: string; lineno?: number; colno?: number; method?: string; code?: string; context?: { pre?: string[]; post?: string[] }; locals?: Record<string, unknown>; in_project?: boolean }
export interface Trace { frames?: Frame[]; exception?: { class?: string; message?: string; description?: string } }
export interface OccurrenceData {
  body?: { trace?: Trace; trace_chain?: Trace[]; message?: { body?: string; [more: string]: unknown }; crash_report?: { raw?: string }; telemetry?: { level?: string; type?: string; timestamp_ms?: number; body?: Record<string, unknown> }[] };
  level?: string; environment?: string; framework?: string; platform?: string; language?: string; code_version?: string; timestamp?: number; context?: string;
  request?: Record<string, any>; server?: Record<string, unknown>; client?: Record<string, unknown>; person?: { id?: string; username?: string; email?: string } | null; custom?: Record<string, unknown>; notifier?: { name?: string; version?: string }; uuid?: string;
}
export interface Occurrence { id: number | string; item_id: number; project_id: number; timestamp: number; trace_id?: string | null; data: OccurrenceData }
export interface HistoryEntry { id?: number; timestamp?: number; type?: string; action?: string; text?: string; by?: string; [more: string]: unknown }
export interface Deploy { id: number; environment: string; revision: string; local_username: string | null; comment: string | null; status: string; start_time: number; finish_time: number | null; project_id: number }

export const projects = () => rollbar<Project[]>("projects");
export const createProject = (name: string) => rollbar<Project>("projects", { body: { name } });
export const items = (parameters: Parameters) => rollbar<{ page: number; total_count: number; items: Item[] }>("items/", { parameters });
export const item = (id: number | string) => rollbar<Item>(`item/${id}`);
export const updateItem = (id: number | string, change: Record<string, unknown>) => rollbar<unknown>(`item/${id}`, { method: "PATCH", body: change });
export const history = async (id: number | string) => rollbar<any>(`item/${id}/history`);
export const comment = (id: number | string, text: string) => rollbar<unknown>(`item/${id}/comments`, { body: { comment: text } });
export const merge = (id: number | string, others: number[]) => rollbar<unknown>(`item/${id}/merge`, { body: { item_ids: others } });
export const unmerge = (id: number | string) => rollbar<unknown>(`item/${id}/unmerge`, { body: {} });
export const instancesOf = (id: number | string, page: number) => rollbar<{ instances: Occurrence[] }>(`item/${id}/instances`, { parameters: { page } });
export const occurrence = (id: number | string) => rollbar<Occurrence>(`instance/${id}`);
export const deploys = (project: number) => rollbar<{ deploys: Deploy[]; total_count?: number }>("deploys", { parameters: { project_id: project } });
export const occurrenceCounts = (parameters: Parameters) => rollbar<[number, number][]>("reports/occurrence_counts", { parameters });
export interface RqlJob { id: number; status: string; query_string?: string; date_created?: number }
export interface RqlResult { job_id?: number; result?: { isSimpleSelect?: boolean; errors?: unknown[]; warnings?: unknown[]; executionTime?: number; effectiveTimestamp?: number; rowcount?: number; rows?: unknown[]; selectionColumns?: string[]; columns?: string[] } ; error?: string }
export const startRql = (project: number, query_string: string) => rollbar<RqlJob>("rql/jobs", { body: { query_string, project_id: project } });
export const rqlJob = (project: number, id: number) => rollbar<RqlJob>(`rql/job/${id}`, { parameters: { project_id: project } });
export const rqlResult = (project: number, id: number) => rollbar<any>(`rql/job/${id}/result`, { parameters: { project_id: project } });
export const accessTokens = (project: number) => rollbar<any[]>(`project/${project}/access_tokens`);
export const createAccessToken = (project: number, name: string, scopes: string[]) => rollbar<any>(`project/${project}/access_tokens`, { body: { name, scopes } });
export const groupingRules = (project: number) => rollbar<any>(`project/${project}/grouping_rules`);
export interface Rule { id: number; status: string; trigger: string; filters: { type: string; operation?: string; value?: unknown; path?: string }[]; config: Record<string, unknown> }
const of = (project: number) => ({ parameters: { project_id: project } });
export const channel = (project: number, name: string) => rollbar<{ enabled?: boolean; url?: string }>(`notifications/${name}`, of(project));
export const setChannel = (project: number, name: string, url: string) => rollbar<unknown>(`notifications/${name}`, { ...of(project), method: "PUT", body: { enabled: url !== "", url } });
export const rules = (project: number, name: string) => rollbar<Rule[]>(`notifications/${name}/rules`, of(project));
export const addRule = (project: number, name: string, rule: Partial<Rule>) => rollbar<Rule[]>(`notifications/${name}/rules`, { ...of(project), body: [rule] });
export const deleteRule = (project: number, name: string, id: number) => rollbar<unknown>(`notifications/${name}/rule/${id}`, { ...of(project), method: "DELETE" });
export const testChannel = (project: number, name: string) => rollbar<string>(`notifications/${name}/test`, { ...of(project), body: {} });
export const ruleHistory = (project: number, name: string, id: number) => rollbar<{ timestamp: number; event: string; outcome: string; detail: string }[]>(`notifications/${name}/rule/${id}/history`, of(project));
export const rejected = (project: number) => rollbar<any[]>(`project/${project}/rejected`);
