// Tracery's own API. Types come from openapi/api.json.

import type {
  BubbleUpAnswer, CreatedKey, Environment, Field, Key, QueryAnswer, RejectedDocument, RequestView, RunningQuery, SavedQuery, Service, Session, Trace, TraceSummary, Value,
} from "./__generated__/api";
import { call, callWithProgress, type Parameters } from "./client";
import type { Spec } from "../pages/query/spec";

export const session = () => call<Session>("session");
export const logIn = (name: string, password: string) => call<{ user: string }>("session", { body: { name, password } });
export const logOut = () => call<null>("session", { method: "DELETE" });
export const environments = async () => (await call<{ environments: Environment[] }>("environments")).environments;
export const createEnvironment = (name: string) => call<Environment>("environments", { body: { name } });
export const keys = async () => (await call<{ keys: Key[] }>("keys")).keys;
export const createKey = (kind: string, name: string, scopes: string[] = []) => call<CreatedKey>("keys", { body: { kind, name, scopes } });
export const revokeKey = (id: string) => call<null>(`keys/${encodeURIComponent(id)}`, { method: "DELETE" });
export const services = async (seconds: number) => (await call<{ services: Service[] }>("services", { parameters: { seconds } })).services;
export const fields = async (dataset: string) => (await call<{ fields: Field[] }>("fields", { parameters: { dataset } })).fields;
export const values = async (dataset: string, field: string, prefix: string) =>
  (await call<{ values: Value[] }>("values", { parameters: { dataset, field, prefix, limit: 20 } })).values;
export const traces = async (parameters: Parameters) => (await call<{ traces: TraceSummary[] }>("traces", { parameters })).traces;
export const trace = (id: string, cursor?: string | null) => call<Trace>(`traces/${encodeURIComponent(id)}`, { parameters: { cursor, limit: 10_000 } });
export const requestView = (traceId: string) => call<RequestView>(`requests/${encodeURIComponent(traceId)}`);
export const savedQueries = async () => (await call<{ saved_queries: SavedQuery[] }>("saved_queries", { parameters: { limit: 1000 } })).saved_queries;
export const saveQuery = (name: string, dataset: string, query: Spec) => call<SavedQuery>("saved_queries", { body: { name, dataset, query } });
export const forgetQuery = (id: string) => call<null>(`saved_queries/${encodeURIComponent(id)}`, { method: "DELETE" });
export const logRegions = async () => (await call<{ regions: string[] }>("log_regions")).regions;
export const xrayRejected = async () => (await call<{ rejected: RejectedDocument[] }>("xray/rejected")).rejected;
export const bubbleUp = (dataset: string, query: Spec, selection: Record<string, unknown>) =>
  call<BubbleUpAnswer>("bubble_up", { parameters: { dataset }, body: { query, selection } });

export const query = (dataset: string, spec: Spec, progress: (figures: RunningQuery) => void, signal: AbortSignal) =>
  callWithProgress<QueryAnswer, RunningQuery>("query", { parameters: { dataset }, body: spec, signal }, progress);
/** Without progress, for small charts. */
export const ask = (dataset: string, spec: Spec, signal?: AbortSignal) => call<QueryAnswer>("query", { parameters: { dataset }, body: spec, ...(signal ? { signal } : {}) });
