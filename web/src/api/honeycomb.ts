// Honeycomb's own API where Tracery's has nothing of the kind: boards, the queries on them, and markers.

import type { Spec } from "../pages/query/spec";
import { call } from "./client";

const honeycomb = <T>(path: string, ask: { method?: string; body?: unknown } = {}) => call<T>(`products/honeycomb/1/${path}`, ask);

export interface Panel { type: "query" | "text"; query_panel?: { query_id: string; query_style?: string; dataset?: string }; text_panel?: { content: string }; caption?: string }
export interface Board { id: string; name: string; description?: string; panels: Panel[] }
export interface Marker { id: string; start_time: number; end_time?: number | null; message?: string; type?: string }

const slug = (dataset: string | undefined) => (!dataset || dataset === "__all__" ? "__all__" : dataset.toLowerCase().replace(/[^a-z0-9_.~-]+/g, "-"));

export const boards = () => honeycomb<Board[]>("boards");
export const board = (id: string) => honeycomb<Board>(`boards/${encodeURIComponent(id)}`);
export const createBoard = (name: string, panels: Panel[] = []) => honeycomb<Board>("boards", { body: { name, type: "flexible", panels } });
export const changeBoard = ({ id, name, description, panels }: Board) => honeycomb<Board>(`boards/${encodeURIComponent(id)}`, { method: "PUT", body: { name, description: description ?? "", type: "flexible", panels } });
export const deleteBoard = (id: string) => honeycomb<null>(`boards/${encodeURIComponent(id)}`, { method: "DELETE" });
export const createQuery = (dataset: string, spec: Spec) => honeycomb<{ id: string }>(`queries/${encodeURIComponent(slug(dataset))}`, { body: spec });
export const queryOf = (panel: NonNullable<Panel["query_panel"]>) => honeycomb<Spec & { id: string }>(`queries/${encodeURIComponent(slug(panel.dataset))}/${encodeURIComponent(panel.query_id)}`);
export const markers = (dataset: string) => honeycomb<Marker[]>(`markers/${encodeURIComponent(slug(dataset))}`);
export const createMarker = (dataset: string, message: string, startS: number) => honeycomb<Marker>(`markers/${encodeURIComponent(slug(dataset))}`, { body: { message, type: "note", start_time: startS } });
