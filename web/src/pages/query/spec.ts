// Honeycomb's query specification as the page writes it, its text form, and what both are made of. Pure.

export interface Calculation { op: string; column?: string; name?: string }
export interface Filter { column?: string; op: string; value?: unknown }
export interface Order { column?: string; op?: string; order?: "ascending" | "descending" }
export interface Having { calculate_op: string; column?: string; op: string; value: number }
export interface Formula { name: string; expression: string }
export interface CalculatedField { name: string; expression: string }
export interface Spec {
  calculations?: Calculation[];
  filters?: Filter[];
  filter_combination?: "AND" | "OR";
  breakdowns?: string[];
  orders?: Order[];
  havings?: Having[];
  limit?: number;
  time_range?: number;
  start_time?: number;
  end_time?: number;
  granularity?: number;
  calculated_fields?: CalculatedField[];
  compare_time_offset_seconds?: number;
}

export const CALCULATIONS = ["COUNT", "COUNT_DISTINCT", "SUM", "AVG", "MIN", "MAX", "HEATMAP", "P001", "P01", "P05", "P10", "P25", "P50", "P75", "P90", "P95", "P99", "P999", "RATE_SUM", "RATE_AVG", "RATE_MAX", "CONCURRENCY"];
export const WITHOUT_COLUMN = ["COUNT", "CONCURRENCY"];
export const OPERATORS = ["=", "!=", ">", ">=", "<", "<=", "starts-with", "does-not-start-with", "ends-with", "does-not-end-with", "contains", "does-not-contain", "exists", "does-not-exist", "in", "not-in"];
export const WITHOUT_VALUE = ["exists", "does-not-exist"];
export const FIRST_SPEC: Spec = { calculations: [{ op: "COUNT" }], time_range: 7200 };

export function calculationName(calculation: Calculation): string {
  return calculation.name || (calculation.column ? `${calculation.op}(${calculation.column})` : calculation.op);
}

export const calculationsOf = (spec: Spec): Calculation[] => (spec.calculations?.length ? spec.calculations : [{ op: "COUNT" }]);

/** Text as typed → the value a filter sends: numbers and truths as such, lists for `in`; quotes force text. */
export function filterValue(operator: string, text: string, fieldType: string): unknown {
  if (operator === "in" || operator === "not-in") return text.split(",").map((part) => filterValue("=", part.trim(), fieldType));
  if (/^".*"$/s.test(text)) return text.slice(1, -1);
  if (fieldType === "string" || fieldType === "text") return text;
  if (text === "true" || text === "false") return text === "true";
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}

export function spellValue(value: unknown): string {
  if (value === undefined || value === null) return "";
  return Array.isArray(value) ? value.map(String).join(", ") : String(value);
}

/** The specification as one line for people. */
export function describe(spec: Spec): string {
  const where = (spec.filters ?? []).map((filter) => `${filter.column} ${filter.op} ${spellValue(filter.value)}`.trim()).join(spec.filter_combination === "OR" ? " or " : " and ");
  const by = spec.breakdowns?.length ? ` by ${spec.breakdowns.join(", ")}` : "";
  return `${calculationsOf(spec).map(calculationName).join(", ")}${where ? ` where ${where}` : ""}${by}`;
}

/** The same question for those events only that have this value. */
export function narrowed(spec: Spec, column: string, value: unknown, not = false): Spec {
  const missing = value === null || value === undefined;
  const op = missing ? (not ? "exists" : "does-not-exist") : not ? "!=" : "=";
  return { ...spec, filters: [...(spec.filters ?? []), { column, op, ...(missing ? {} : { value }) }] };
}

const CALL = /^\s*([A-Z][A-Z0-9_]*)(?:\(([^)]*)\))?\s*$/;

/** The text form: `HEATMAP(duration_ms), COUNT where name = x and n > 3 by user.id order by COUNT limit 20`. */
export function print(spec: Spec): string {
  const quoted = (value: unknown) => {
    const one = (inner: unknown) => (typeof inner === "string" && (/[\s,"]|^$/.test(inner) || !Number.isNaN(Number(inner)) || inner === "true" || inner === "false") ? JSON.stringify(inner) : String(inner));
    return Array.isArray(value) ? `(${value.map(one).join(", ")})` : one(value);
  };
  const parts = [calculationsOf(spec).map((one) => (one.column ? `${one.op}(${one.column})` : one.op)).join(", ")];
  const joiner = spec.filter_combination === "OR" ? " or " : " and ";
  if (spec.filters?.length) parts.push(`where ${spec.filters.map((filter) => `${filter.column} ${filter.op}${WITHOUT_VALUE.includes(filter.op) ? "" : ` ${quoted(filter.value)}`}`).join(joiner)}`);
  if (spec.breakdowns?.length) parts.push(`by ${spec.breakdowns.join(", ")}`);
  if (spec.havings?.length) parts.push(`having ${spec.havings.map((one) => `${one.calculate_op}${one.column ? `(${one.column})` : ""} ${one.op} ${one.value}`).join(" and ")}`);
  if (spec.orders?.length) parts.push(`order by ${spec.orders.map((one) => `${one.op ? `${one.op}${one.column ? `(${one.column})` : ""}` : one.column}${one.order === "ascending" ? " asc" : ""}`).join(", ")}`);
  if (spec.limit) parts.push(`limit ${spec.limit}`);
  return parts.join(" ");
}

/** Reads the text form; throws an Error that says what is wrong. What the text does not tell is kept from `base`. */
export function parse(text: string, base: Spec): Spec {
  const words = [...text.matchAll(/"(?:[^"\\]|\\.)*"|\([^)]*\)|[^\s,()"]+(?:\([^)]*\))?|,/g)].map((found) => found[0]);
  const clauses: Record<string, string[]> = { calculate: [] };
  let clause = "calculate";
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    const lower = word.toLowerCase();
    if (lower === "where" || lower === "by" || lower === "having" || lower === "limit") clause = lower;
    else if (lower === "group" && words[index + 1]?.toLowerCase() === "by") { clause = "by"; index += 1; }
    else if (lower === "order" && words[index + 1]?.toLowerCase() === "by") { clause = "order"; index += 1; }
    else { (clauses[clause] ??= []).push(word); continue; }
    clauses[clause] ??= [];
  }
  const list = (all: string[]) => all.join(" ").split(/\s*,\s*/).map((one) => one.trim()).filter(Boolean);
  const calculation = (one: string): Calculation => {
    const found = CALL.exec(one);
    const op = found?.[1] ?? "";
    if (!found || !CALCULATIONS.includes(op)) throw new Error(`${one || "(nothing)"} is no calculation; ${CALCULATIONS.slice(0, 8).join(", ")} and others are.`);
    const column = found[2]?.trim();
    if (!column && !WITHOUT_COLUMN.includes(op)) throw new Error(`${op} needs a field: ${op}(duration_ms)`);
    return column ? { op, column } : { op };
  };
  const value = (word: string): unknown => {
    if (word.startsWith('"')) return JSON.parse(word);
    if (word.startsWith("(")) return word.slice(1, -1).split(",").map((one) => value(one.trim()));
    if (word === "true" || word === "false") return word === "true";
    return Number.isNaN(Number(word)) ? word : Number(word);
  };
  const spec: Spec = { ...base, calculations: list(clauses.calculate ?? []).map(calculation) };
  for (const name of ["filters", "filter_combination", "breakdowns", "orders", "havings", "limit"] as const) delete spec[name];
  if (!spec.calculations?.length) spec.calculations = [{ op: "COUNT" }];
  if (clauses.where) {
    const filters: Filter[] = [];
    const joins = new Set<string>();
    const left = [...clauses.where];
    while (left.length > 0) {
      const [column, op] = [left.shift() ?? "", left.shift() ?? ""];
      if (!OPERATORS.includes(op)) throw new Error(`${op || "(nothing)"} after ${column} is no operator; = != > contains exists in and others are.`);
      if (WITHOUT_VALUE.includes(op)) filters.push({ column, op });
      else {
        const word = left.shift();
        if (word === undefined) throw new Error(`${column} ${op} needs a value.`);
        filters.push({ column, op, value: value(word) });
      }
      const join = left.shift()?.toLowerCase();
      if (join !== undefined && join !== "and" && join !== "or") throw new Error(`Between filters stands and, or or: not ${join}.`);
      if (join) joins.add(join);
    }
    if (joins.size > 1) throw new Error("Filters are joined by and, or by or: not by both.");
    spec.filters = filters;
    if (joins.has("or")) spec.filter_combination = "OR";
  }
  if (clauses.by) spec.breakdowns = list(clauses.by);
  if (clauses.order) {
    spec.orders = list(clauses.order).map((one) => {
      const [what = "", direction = "desc"] = one.split(/\s+/);
      const order = direction.toLowerCase().startsWith("asc") ? ("ascending" as const) : ("descending" as const);
      const found = CALL.exec(what);
      return found && CALCULATIONS.includes(found[1] ?? "") ? { op: found[1] ?? "", ...(found[2] ? { column: found[2] } : {}), order } : { column: what, order };
    });
  }
  if (clauses.having) {
    const [what = "", op = "", number = ""] = clauses.having;
    const one = calculation(what);
    if (!Number.isFinite(Number(number)) || number === "") throw new Error("having needs a calculation, an operator and a number.");
    spec.havings = [{ calculate_op: one.op, ...(one.column ? { column: one.column } : {}), op, value: Number(number) }];
  }
  if (clauses.limit) {
    const limit = Number(clauses.limit[0]);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1000) throw new Error("limit is a number from 1 to 1000.");
    spec.limit = limit;
  }
  return spec;
}
