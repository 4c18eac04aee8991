// Made from openapi/api.json by `npm run types`; not to be changed by hand.

export type Error = {
  error: {
  code: string;
  message: string;
};
};

export type Session = {
  user: string | null;
  kind: string;
};

export type Login = {
  name: string;
  password: string;
};

export type User = {
  user: string;
};

export type Environment = {
  id: number;
  slug: string;
  name: string;
};

export type Environments = {
  environments: Environment[];
};

export type Key = {
  id: string;
  kind: string;
  name: string;
  scopes: string[];
  created_ms: number;
  revoked_ms: number | null;
};

export type Keys = {
  keys: Key[];
};

export type NewKey = {
  kind: string;
  name?: string;
  scopes?: string[];
};

export type CreatedKey = {
  id: string;
  kind: string;
  name: string;
  scopes: string[];
  created_ms: number;
  revoked_ms: number | null;
  environment: string;
  key: string;
};

export type Service = {
  name: string;
  request_count: number;
  error_count: number;
  rate_per_s: number;
  duration_p50_ms: number | null;
  duration_p99_ms: number | null;
  last_seen_ms: number;
};

export type Services = {
  services: Service[];
};

export type Field = {
  name: string;
  type: string;
  last_written_ms: number;
};

export type Fields = {
  fields: Field[];
};

export type Value = {
  value: string;
  count: number;
};

export type Values = {
  values: Value[];
};

export type QuerySpec = { [name: string]: unknown };

export type ResultRow = {
  data: { [name: string]: unknown };
};

export type SeriesPoint = {
  time: string;
  data: { [name: string]: unknown };
};

export type QueryAnswer = {
  query: QuerySpec;
  results: ResultRow[];
  series: SeriesPoint[];
  rows_examined: number;
  elapsed_ms: number;
  granularity: number;
  start_time: number;
  end_time: number;
  total_by_aggregate?: { [name: string]: unknown };
  total_by_aggregate_series?: SeriesPoint[];
  compare_results?: ResultRow[];
  compare_series?: SeriesPoint[];
};

export type RunningQuery = {
  query_id: string;
  kind: string;
  elapsed_ms: number;
  rows_scanned: number;
  rows_total: number;
  bytes_scanned: number;
  bytes_total: number;
};

export type RunningQueries = {
  queries: RunningQuery[];
};

export type BubbleUpSelection = {
  start_time?: number;
  end_time?: number;
  column?: string;
  min?: number;
  max?: number;
  group?: unknown[];
};

export type BubbleUp = {
  query: QuerySpec;
  selection: BubbleUpSelection;
};

export type BubbleUpAnswer = {
  selection_count: number;
  baseline_count: number;
  fields_skipped: number;
  fields: ({ [name: string]: unknown })[];
};

export type Sql = {
  sql: string;
};

export type SqlColumn = {
  name: string;
  type: string;
};

export type SqlAnswer = {
  columns: SqlColumn[];
  rows: unknown[][];
  truncated: boolean;
};

export type TraceSummary = {
  trace_id: string;
  root_name: string;
  root_service: string;
  start_ms: number;
  duration_ms: number;
  span_count: number;
  error_count: number;
};

export type Traces = {
  traces: TraceSummary[];
};

export type Attached = {
  name: string;
  time_ns: string;
  fields: { [name: string]: unknown };
};

export type Link = {
  trace_id: string | null;
  span_id: string | null;
  fields: { [name: string]: unknown };
};

export type Span = {
  span_id: string;
  parent_id: string | null;
  name: string;
  service: string;
  kind: string;
  status_code: number;
  start_ns: string;
  duration_ns: string;
  fields: { [name: string]: unknown };
  events: Attached[];
  links: Link[];
  logs: Attached[];
};

export type Trace = {
  trace_id: string;
  start_ns: string;
  duration_ns: string;
  span_count: number;
  offset: number;
  spans: Span[];
  attached_omitted: number;
  next_cursor: string | null;
};

export type SavedQuery = {
  id: string;
  name: string;
  dataset: string;
  query: QuerySpec;
  owner: string;
  created_ms: number;
};

export type SavedQueries = {
  saved_queries: SavedQuery[];
  next_cursor: string | null;
};

export type RejectedDocument = {
  received_ms: number;
  door: string;
  reason: string;
  message: string;
  byte_count: number;
  text: string;
};

export type RejectedDocuments = {
  rejected: RejectedDocument[];
};

export type DaemonRecord = {
  received_ms: number;
  counted_ms: number;
  hostname: string;
  instance_id: string;
  resource_arn: string;
  received_count: number;
  sent_count: number;
  spillover_count: number;
  rejected_count: number;
  connection_error_count: number;
};

export type DaemonRecords = {
  records: DaemonRecord[];
};

export type NewSavedQuery = {
  name: string;
  query: QuerySpec;
  dataset?: string;
};

export type NewEnvironment = {
  name: string;
};

export type LogRegions = {
  regions: string[];
};

export type Evidence = {
  reason: string;
  weight: number | null;
};

export type RequestRecord = {
  kind: string;
  source: string;
  time_ns: string;
  duration_ns: string;
  precision_ns: number;
  trace_id: string | null;
  span_id: string | null;
  service: string;
  name: string;
  method: string | null;
  path: string | null;
  status: number | null;
  failed: boolean;
  host: string | null;
  process: string | null;
  text: string;
  occurrence_id: number | null;
};

export type Member = {
  kind: string;
  source: string;
  time_ns: string;
  duration_ns: string;
  precision_ns: number;
  trace_id: string | null;
  span_id: string | null;
  service: string;
  name: string;
  method: string | null;
  path: string | null;
  status: number | null;
  failed: boolean;
  host: string | null;
  process: string | null;
  text: string;
  occurrence_id: number | null;
  strength: number;
  evidence: Evidence[];
};

export type RequestView = {
  trace_id: string;
  start_ns: string;
  duration_ns: string;
  entries: RequestRecord[];
  members: Member[];
  rival_count: number;
  is_partial: boolean;
};
