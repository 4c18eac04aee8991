// AWS X-Ray by the vendor's own operations, for whoever is logged in. Times are seconds since the epoch.

import { call } from "./client";

const xray = <T>(path: string, body: unknown) => call<T>(`products/xray/${path}`, { method: "POST", body });

export interface Statistics { OkCount?: number; ErrorStatistics?: { ThrottleCount?: number; OtherCount?: number; TotalCount?: number }; FaultStatistics?: { OtherCount?: number; TotalCount?: number }; TotalCount?: number; TotalResponseTime?: number }
export interface HistogramEntry { Value: number; Count: number }
export interface Edge { ReferenceId: number; StartTime?: number; EndTime?: number; SummaryStatistics?: Statistics; ResponseTimeHistogram?: HistogramEntry[] }
export interface MapService { ReferenceId: number; Name: string; Names?: string[]; Root?: boolean; Type?: string; State?: string; AccountId?: string; Edges?: Edge[]; SummaryStatistics?: Statistics; ResponseTimeHistogram?: HistogramEntry[]; DurationHistogram?: HistogramEntry[] }
export interface Summary {
  Id: string; StartTime?: number; Duration?: number; ResponseTime?: number; HasFault?: boolean; HasError?: boolean; HasThrottle?: boolean; IsPartial?: boolean;
  Http?: { HttpURL?: string; HttpStatus?: number; HttpMethod?: string; ClientIp?: string };
  Annotations?: Record<string, { AnnotationValue: { NumberValue?: number; BooleanValue?: boolean; StringValue?: string } }[]>;
  Users?: { UserName: string }[]; EntryPoint?: { Name?: string };
}
export interface Group { GroupName: string; GroupARN: string; FilterExpression?: string }
export interface SamplingRule { RuleName: string; Priority: number; FixedRate: number; ReservoirSize: number; ServiceName: string; ServiceType: string; Host: string; HTTPMethod: string; URLPath: string; ResourceARN: string; Version: number }
export interface SamplingStatistic { RuleName: string; Timestamp: number; RequestCount: number; BorrowCount: number; SampledCount: number }

const seconds = (ms: number) => ms / 1000;

/** Every page, up to `max` of them. */
async function pages<T>(ask: (token: string | undefined) => Promise<{ NextToken?: string } & T>, max: number): Promise<T[]> {
  const found: T[] = [];
  let token: string | undefined;
  do {
    const page = await ask(token);
    found.push(page);
    token = page.NextToken;
  } while (token && found.length < max);
  return found;
}

export const serviceGraph = async (startMs: number, endMs: number, groupName?: string) =>
  (await pages((NextToken) => xray<{ Services: MapService[]; NextToken?: string }>("ServiceGraph", { StartTime: seconds(startMs), EndTime: seconds(endMs), ...(groupName ? { GroupName: groupName } : {}), ...(NextToken ? { NextToken } : {}) }), 20)).flatMap((page) => page.Services);

export async function summaries(startMs: number, endMs: number, expression: string, max = 500): Promise<{ summaries: Summary[]; more: boolean }> {
  const found: Summary[] = [];
  let token: string | undefined;
  do {
    const page: { TraceSummaries: Summary[]; NextToken?: string } = await xray("TraceSummaries", {
      StartTime: seconds(startMs), EndTime: seconds(endMs), ...(expression ? { FilterExpression: expression } : {}), ...(token ? { NextToken: token } : {}),
    });
    found.push(...page.TraceSummaries);
    token = page.NextToken;
  } while (token && found.length < max);
  return { summaries: found, more: token !== undefined };
}

export const groups = async () => (await xray<{ Groups: Group[] }>("Groups", {})).Groups;
export const createGroup = (GroupName: string, FilterExpression: string) => xray<{ Group: Group }>("CreateGroup", { GroupName, FilterExpression });
export const deleteGroup = (GroupName: string) => xray<object>("DeleteGroup", { GroupName });
export const samplingRules = async () => (await xray<{ SamplingRuleRecords: { SamplingRule: SamplingRule }[] }>("GetSamplingRules", {})).SamplingRuleRecords.map((record) => record.SamplingRule);
export const samplingStatistics = async () => (await xray<{ SamplingStatisticSummaries: SamplingStatistic[] }>("SamplingStatisticSummaries", {})).SamplingStatisticSummaries;
export interface RawTrace { Id: string; Duration?: number; Segments: { Id: string; Document: string }[] }
export const rawTrace = async (id: string) => (await xray<{ Traces: RawTrace[] }>("Traces", { TraceIds: [id] })).Traces[0] ?? null;

/** OpenTelemetry's 32 digits in X-Ray's form. */
export const xrayId = (hex: string) => `1-${hex.slice(0, 8)}-${hex.slice(8)}`;
export const hexId = (id: string) => (id.startsWith("1-") ? id.slice(2).replace("-", "") : id);
