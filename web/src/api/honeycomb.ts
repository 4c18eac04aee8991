// Honeycomb's own API where Tracery's has nothing of the kind: boards and markers.

import { call } from "./client";

const honeycomb = <T>(path: string, ask: { method?: string; body?: unknown } = {}) => call<T>(`products/honeycomb/1/${path}`, ask);

export interface Board { id: string; name: string; description?: string; type?: string; panels?: Panel[]; queries?: Panel[] }
export interface Panel { type?: string; query_panel?: { query_id?: string; query_annotation_id?: string; query_style?: string }; query_id?: string; caption?: string }
export interface Marker { id: string; start_time: number; end_time?: number | null; message?: string; type?: string; url?: string }

export const boards = () => honeycomb<Board[]>("boards");
export const markers = (dataset: string) => honeycomb<Marker[]>(`markers/${encodeURIComponent(dataset || "__all__")}`);
