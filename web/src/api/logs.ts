// CloudWatch Logs by the vendor's own operations, for whoever is logged in. Names and members are those of its model.

import { readSetting } from "../util/settings";
import { ApiError, read, send } from "./client";

export const region = () => readSetting("region", "us-east-1");

async function operate(name: string, body: unknown, signal?: AbortSignal): Promise<Response> {
  return send("products/cloudwatch-logs/", {
    method: "POST",
    body,
    headers: { "x-tracery-region": region(), "content-type": "application/x-amz-json-1.1", "x-amz-target": `Logs_20140328.${name}` },
    ...(signal ? { signal } : {}),
  });
}

const logs = async <T>(name: string, body: unknown, signal?: AbortSignal): Promise<T> => read<T>(await operate(name, body, signal));

export interface LogGroup { logGroupName: string; arn?: string; creationTime?: number; retentionInDays?: number; storedBytes?: number; metricFilterCount?: number; logGroupClass?: string; deletionProtectionEnabled?: boolean }
export interface LogStream { logStreamName: string; firstEventTimestamp?: number; lastEventTimestamp?: number; lastIngestionTime?: number; creationTime?: number }
export interface LogEvent { timestamp: number; message: string; ingestionTime?: number; eventId?: string; logStreamName?: string }
export type ResultRow = { field: string; value: string }[];
export interface QueryResults { status: string; results: ResultRow[]; statistics?: { recordsMatched: number; recordsScanned: number; bytesScanned: number }; nextToken?: string }
export interface QueryInfo { queryId: string; queryString: string; status: string; createTime: number; logGroupName?: string }
export interface QueryDefinition { queryDefinitionId: string; name: string; queryString: string; logGroupNames?: string[] }

export const groups = async (pattern: string) => {
  const found = await logs<{ logGroups: LogGroup[]; nextToken?: string }>("DescribeLogGroups", { limit: 50, ...(pattern ? { logGroupNamePattern: pattern } : {}) });
  return found;
};
export const streams = (group: string, nextToken?: string) =>
  logs<{ logStreams: LogStream[]; nextToken?: string }>("DescribeLogStreams", { logGroupName: group, orderBy: "LastEventTime", descending: true, limit: 50, ...(nextToken ? { nextToken } : {}) });
export const setRetention = (group: string, days: number | null) =>
  days === null ? logs<null>("DeleteRetentionPolicy", { logGroupName: group }) : logs<null>("PutRetentionPolicy", { logGroupName: group, retentionInDays: days });

export interface Filter { group: string; stream?: string; pattern?: string; startMs: number; endMs: number; nextToken?: string }

/** A page of matching events, oldest first. A page may be empty though more follow: it is asked until something is there. */
export async function filter(asked: Filter, signal?: AbortSignal): Promise<{ events: LogEvent[]; nextToken?: string }> {
  let nextToken = asked.nextToken;
  for (let turn = 0; turn < 20; turn += 1) {
    const page = await logs<{ events: LogEvent[]; nextToken?: string }>("FilterLogEvents", {
      logGroupName: asked.group,
      startTime: Math.floor(asked.startMs),
      endTime: Math.ceil(asked.endMs),
      limit: 500,
      ...(asked.pattern ? { filterPattern: asked.pattern } : {}),
      ...(asked.stream ? { logStreamNames: [asked.stream] } : {}),
      ...(nextToken ? { nextToken } : {}),
    }, signal);
    if (page.events.length > 0 || !page.nextToken) return page;
    nextToken = page.nextToken;
  }
  return { events: [], ...(nextToken ? { nextToken } : {}) };
}

/** The newest events of a group, newest first, by Insights: FilterLogEvents reads from the oldest on. */
export const newest = (group: string, pattern: string, startMs: number, endMs: number, signal?: AbortSignal) =>
  filterNewest({ group, pattern, startMs, endMs }, signal);

async function filterNewest(asked: Filter, signal?: AbortSignal): Promise<LogEvent[]> {
  // The newest page is searched for from the end, in windows that grow.
  let windowMs = 60_000;
  let endMs = asked.endMs;
  const found: LogEvent[] = [];
  while (endMs > asked.startMs && found.length < 500) {
    const startMs = Math.max(asked.startMs, endMs - windowMs);
    const events: LogEvent[] = [];
    let token: string | undefined;
    do {
      const page: { events: LogEvent[]; nextToken?: string } = await filter({ ...asked, startMs, endMs, ...(token ? { nextToken: token } : {}) }, signal);
      events.push(...page.events);
      token = page.nextToken;
    } while (token && events.length < 2_000);
    found.push(...events.reverse());
    endMs = startMs - 1;
    windowMs *= 4;
  }
  return found.slice(0, 500);
}

export const startQuery = (groupNames: string[], queryString: string, startMs: number, endMs: number) =>
  logs<{ queryId: string }>("StartQuery", { logGroupNames: groupNames, queryString, startTime: Math.floor(startMs / 1000), endTime: Math.ceil(endMs / 1000), limit: 10_000 });
export const queryResults = (queryId: string) => logs<QueryResults>("GetQueryResults", { queryId });
export const stopQuery = (queryId: string) => logs<{ success: boolean }>("StopQuery", { queryId });
export const queries = async () => (await logs<{ queries: QueryInfo[] }>("DescribeQueries", { maxResults: 50 })).queries;
export const definitions = async () => (await logs<{ queryDefinitions: QueryDefinition[] }>("DescribeQueryDefinitions", { maxResults: 1000 })).queryDefinitions;
export const saveDefinition = (name: string, queryString: string, logGroupNames: string[]) =>
  logs<{ queryDefinitionId: string }>("PutQueryDefinition", { name, queryString, logGroupNames });
export const groupFields = async (group: string) =>
  (await logs<{ logGroupFields: { name: string; percent: number }[] }>("GetLogGroupFields", { logGroupName: group })).logGroupFields;

export interface TailUpdate { events: { timestamp: number; message: string; logStreamName: string }[]; sampled: boolean }

/** Live Tail: hands over every update until `signal` says otherwise. */
export async function tail(group: LogGroup, pattern: string, update: (update: TailUpdate) => void, signal: AbortSignal): Promise<void> {
  const response = await send("products/cloudwatch-logs/", {
    method: "POST",
    signal,
    body: { logGroupIdentifiers: [group.arn?.replace(/:\*$/, "") ?? group.logGroupName], ...(pattern ? { logEventFilterPattern: pattern } : {}) },
    headers: { "x-tracery-region": region(), "content-type": "application/x-amz-json-1.1", "x-amz-target": "Logs_20140328.StartLiveTail" },
  });
  if (!response.ok || !response.body) return read(response);
  const reader = response.body.getReader();
  let held = new Uint8Array(0);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(held.length + value.length);
    joined.set(held);
    joined.set(value, held.length);
    const { messages, rest } = decodeFrames(joined);
    held = rest;
    for (const { headers, payload } of messages) {
      if (headers[":message-type"] === "exception") throw new ApiError(400, JSON.parse(payload).message ?? "Live Tail ended.");
      if (headers[":event-type"] !== "sessionUpdate") continue;
      const message = JSON.parse(payload);
      update({ events: message.sessionResults ?? [], sampled: Boolean(message.sessionMetadata?.sampled) });
    }
  }
}

export interface Frame { headers: Record<string, string>; payload: string }

/** The whole messages of the vendor's event stream at the start of `bytes`, and what is left. Text headers only. */
export function decodeFrames(bytes: Uint8Array): { messages: Frame[]; rest: Uint8Array<ArrayBuffer> } {
  const messages: Frame[] = [];
  const text = new TextDecoder();
  let offset = 0;
  while (bytes.length - offset >= 16) {
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset);
    const length = view.getUint32(0);
    if (length < 16 || bytes.length - offset < length) break;
    const headersEnd = 12 + view.getUint32(4);
    const headers: Record<string, string> = {};
    for (let at = 12; at < headersEnd; ) {
      const nameLength = view.getUint8(at);
      const name = text.decode(bytes.subarray(offset + at + 1, offset + at + 1 + nameLength));
      at += 1 + nameLength;
      if (view.getUint8(at) !== 7) break;
      const valueLength = view.getUint16(at + 1);
      headers[name] = text.decode(bytes.subarray(offset + at + 3, offset + at + 3 + valueLength));
      at += 3 + valueLength;
    }
    messages.push({ headers, payload: text.decode(bytes.subarray(offset + headersEnd, offset + length - 4)) });
    offset += length;
  }
  return { messages, rest: bytes.slice(offset) };
}
