// Talking to the server this page came from: one way to ask, one kind of error. Every call belongs to the environment
// that is chosen.

import { readSetting } from "../util/settings";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly code = "",
    readonly detail: unknown = null,
  ) {
    super(message);
  }
}

const REQUEST_MS_MAX = 120_000;

export type Parameters = Record<string, string | number | boolean | null | undefined>;

export interface Ask {
  method?: string;
  parameters?: Parameters;
  body?: unknown;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export const environment = () => readSetting("environment", "default");

/** The products' parameters are their own: to them the environment is told in a header. */
const isProduct = (path: string) => path.startsWith("products/");

function address(path: string, parameters: Parameters): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...(isProduct(path) ? {} : { environment: environment() }), ...parameters })) {
    if (value !== "" && value !== null && value !== undefined) query.set(name, String(value));
  }
  return `/api/v1/${path}?${query}`;
}

export async function send(path: string, ask: Ask = {}): Promise<Response> {
  const { method = ask.body === undefined ? "GET" : "POST", parameters = {}, body, headers = {}, signal } = ask;
  const signals = [AbortSignal.timeout(REQUEST_MS_MAX), ...(signal ? [signal] : [])];
  try {
    return await fetch(address(path, parameters), {
      method,
      signal: AbortSignal.any(signals),
      headers: { accept: "application/json", ...(isProduct(path) ? { "x-tracery-environment": environment() } : {}), ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    if (error instanceof DOMException && error.name === "TimeoutError") throw new ApiError(0, "The server took longer than two minutes.");
    throw new ApiError(0, "The server does not answer. Is it running, and is this computer connected to it?");
  }
}

/** What the products' errors have in common: somewhere in them is a text for people. */
function reason(answer: unknown): { message: string; code: string } {
  const found = answer as Record<string, any> | null;
  const message = found?.error?.message ?? found?.Message ?? found?.message ?? found?.detail ?? found?.error;
  const code = found?.error?.code ?? found?.__type ?? "";
  return { message: typeof message === "string" ? message : "The server refused.", code: String(code) };
}

export async function read<T>(response: Response): Promise<T> {
  if (response.status === 204) return null as T;
  const text = await response.text();
  let answer: unknown = null;
  try {
    answer = text === "" ? null : JSON.parse(text);
  } catch {
    if (response.ok) throw new ApiError(response.status, "The server's answer is not JSON.");
  }
  if (response.status === 401) dispatchEvent(new Event("tracery:unauthenticated"));
  if (!response.ok) {
    const { message, code } = reason(answer);
    throw new ApiError(response.status, message, code, answer);
  }
  return answer as T;
}

export const call = async <T>(path: string, ask: Ask = {}): Promise<T> => read<T>(await send(path, ask));

/** Asks with progress: the server tells how far it is until the answer comes. Aborting cancels at the server too. */
export async function callWithProgress<T, P>(path: string, ask: Ask, progress: (figures: P) => void): Promise<T> {
  const response = await send(path, { ...ask, headers: { accept: "text/event-stream" } });
  if (!response.headers.get("content-type")?.startsWith("text/event-stream") || !response.body) return read<T>(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new ApiError(0, "The answer broke off.");
    text += value;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const line = (name: string) => lines.find((one) => one.startsWith(name))?.slice(name.length).trim() ?? "";
      const event = line("event:");
      if (event === "progress") progress(JSON.parse(line("data:")) as P);
      if (event === "result") return JSON.parse(line("data:")) as T;
      if (event === "error") {
        const { message, code } = reason(JSON.parse(line("data:")));
        throw new ApiError(400, message, code);
      }
    }
  }
}
