// Small parts that every page uses: states, tables, tabs, badges, figures. Accessible, without knowledge of the data.

import { type ReactNode, useId, useState } from "react";
import { Link } from "react-router";
import { ApiError } from "../api/client";

export function Heading({ title, children, note }: { title: ReactNode; children?: ReactNode; note?: ReactNode }) {
  return (
    <header className="heading">
      <h1>{title}</h1>
      {note && <span className="note">{note}</span>}
      {children && <div className="heading-tools">{children}</div>}
    </header>
  );
}

export function Card({ title, children, tools, className = "" }: { title?: ReactNode; children: ReactNode; tools?: ReactNode; className?: string }) {
  const id = useId();
  return (
    <section className={`card ${className}`} aria-labelledby={title ? id : undefined}>
      {(title || tools) && (
        <div className="card-head">
          {title && <h2 id={id}>{title}</h2>}
          {tools && <div className="card-tools">{tools}</div>}
        </div>
      )}
      {children}
    </section>
  );
}

export function Loading({ what }: { what: string }) {
  return (
    <div className="loading" role="status">
      <span className="spinner" aria-hidden="true" /> Loading {what}…
    </div>
  );
}

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="empty">
      <strong>{title}</strong>
      {children && <div>{children}</div>}
    </div>
  );
}

export function Failed({ error, retry }: { error: unknown; retry?: () => void }) {
  const status = error instanceof ApiError && error.status > 0 ? ` (${error.status})` : "";
  return (
    <div className="failed" role="alert">
      <span>
        {error instanceof Error ? error.message : String(error)}
        {status}
      </span>
      {retry && (
        <button type="button" className="quiet" onClick={retry}>
          Try again
        </button>
      )}
    </div>
  );
}

export const Warning = ({ children }: { children: ReactNode }) => <p className="warning">{children}</p>;

interface Asked<T> { data: T | undefined; error: unknown; isPending: boolean; refetch: () => unknown }

/** One of the four states of what was asked: waiting, failed, nothing there, there. */
export function State<T>({ of, what, empty, children }: { of: Asked<T>; what: string; empty?: (data: T) => ReactNode | false; children: (data: T) => ReactNode }) {
  if (of.data === undefined) return of.error ? <Failed error={of.error} retry={() => void of.refetch()} /> : <Loading what={what} />;
  const nothing = empty?.(of.data);
  return (
    <>
      {of.error ? <Failed error={of.error} retry={() => void of.refetch()} /> : null}
      {nothing ? nothing : children(of.data)}
    </>
  );
}

export interface Column<T> { title: ReactNode; cell: (row: T, index: number) => ReactNode; numeric?: boolean; sort?: (row: T) => number | string; className?: string }

export function Table<T>({ label, columns, rows, rowKey, onRow }: { label: string; columns: Column<T>[]; rows: T[]; rowKey: (row: T, index: number) => string | number; onRow?: (row: T) => void }) {
  const [order, setOrder] = useState<{ column: number; down: boolean } | null>(null);
  const sort = order && columns[order.column]?.sort;
  const shown = sort
    ? [...rows].sort((a, b) => {
        const [left, right] = [sort(a), sort(b)];
        const compared = typeof left === "number" && typeof right === "number" ? left - right : String(left).localeCompare(String(right));
        return order.down ? -compared : compared;
      })
    : rows;
  return (
    <div className="scroll" tabIndex={0} role="region" aria-label={label}>
      <table>
        <thead>
          <tr>
            {columns.map((column, index) => (
              <th key={index} scope="col" className={column.numeric ? "numeric" : undefined} aria-sort={order?.column === index ? (order.down ? "descending" : "ascending") : undefined}>
                {column.sort ? (
                  <button type="button" className="sort" onClick={() => setOrder((known) => ({ column: index, down: known?.column === index ? !known.down : Boolean(column.numeric) }))}>
                    {column.title}
                    <span aria-hidden="true">{order?.column === index ? (order.down ? " ↓" : " ↑") : ""}</span>
                  </button>
                ) : (
                  column.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row, index) => (
            <tr key={rowKey(row, index)} onClick={onRow && (() => onRow(row))} className={onRow ? "clickable" : undefined}>
              {columns.map((column, at) => (
                <td key={at} className={[column.numeric ? "numeric" : "", column.className ?? ""].join(" ").trim() || undefined}>
                  {column.cell(row, index)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function Tabs({ tabs, current, choose, label }: { tabs: [string, ReactNode][]; current: string; choose: (name: string) => void; label: string }) {
  return (
    <div className="tabs" role="tablist" aria-label={label} onKeyDown={(event) => {
      const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
      if (!step) return;
      const at = tabs.findIndex(([name]) => name === current);
      const next = tabs[(at + step + tabs.length) % tabs.length];
      if (next) {
        choose(next[0]);
        (event.currentTarget.children[(at + step + tabs.length) % tabs.length] as HTMLElement | undefined)?.focus();
      }
    }}>
      {tabs.map(([name, title]) => (
        <button key={name} type="button" role="tab" aria-selected={name === current} tabIndex={name === current ? 0 : -1} onClick={() => choose(name)}>
          {title}
        </button>
      ))}
    </div>
  );
}

export function Segmented({ label, options, value, choose }: { label: string; options: [string, string][]; value: string; choose: (value: string) => void }) {
  return (
    <div className="segmented" role="group" aria-label={label}>
      {options.map(([name, title]) => (
        <button key={name} type="button" aria-pressed={name === value} onClick={() => choose(name)}>
          {title}
        </button>
      ))}
    </div>
  );
}

export const Badge = ({ kind = "", children, title }: { kind?: string; children: ReactNode; title?: string }) => (
  <span className={`badge ${kind}`} title={title}>
    {children}
  </span>
);

/** A status of HTTP in the colour of its class. */
export const HttpStatus = ({ status }: { status: number }) => <Badge kind={status >= 500 ? "bad" : status >= 400 ? "warn" : "good"}>{status}</Badge>;

export const Level = ({ level }: { level: string }) => <Badge kind={`level-${level}`}>{level}</Badge>;

export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      className="quiet copy"
      onClick={async () => {
        await navigator.clipboard.writeText(text);
        setDone(true);
        setTimeout(() => setDone(false), 1500);
      }}
    >
      {done ? "Copied" : label}
    </button>
  );
}

export function CodeBlock({ code, label = "Code" }: { code: string; label?: string }) {
  return (
    <div className="code-block">
      <pre tabIndex={0} role="region" aria-label={label}>
        <code>{code}</code>
      </pre>
      <Copy text={code} />
    </div>
  );
}

export function Facts({ facts }: { facts: [ReactNode, ReactNode][] }) {
  return (
    <dl className="facts">
      {facts
        .filter(([, value]) => value !== null && value !== undefined && value !== "" && value !== false)
        .map(([name, value], index) => (
          <div key={index}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

export function Figure({ value, label, kind = "" }: { value: ReactNode; label: string; kind?: string }) {
  return (
    <div className={`figure ${kind}`}>
      <strong>{value}</strong>
      <span>{label}</span>
    </div>
  );
}

/** A part of a whole, with its number. */
export function Meter({ share, children }: { share: number; children: ReactNode }) {
  return (
    <span className="meter">
      <span className="meter-bar" style={{ width: `${Math.max(0, Math.min(1, share)) * 100}%` }} />
      <span className="meter-text">{children}</span>
    </span>
  );
}

export const Id = ({ id, to }: { id: string; to?: string }) =>
  to ? (
    <Link to={to}>
      <code title={id}>{id.slice(0, 12)}…</code>
    </Link>
  ) : (
    <code title={id}>{id}</code>
  );

/** JSON as a tree that opens level by level. */
export function Json({ value, depth = 0, name }: { value: unknown; depth?: number; name?: string }) {
  const key = name === undefined ? null : <span className="json-key">{name}: </span>;
  if (value === null || typeof value !== "object") {
    return (
      <div className="json-leaf">
        {key}
        <span className={`json-${value === null ? "null" : typeof value}`}>{typeof value === "string" ? value : String(value)}</span>
      </div>
    );
  }
  const entries = Object.entries(value);
  if (entries.length === 0) return <div className="json-leaf">{key}{Array.isArray(value) ? "[]" : "{}"}</div>;
  return (
    <details className="json" open={depth < 2}>
      <summary>
        {key}
        <span className="dim">{Array.isArray(value) ? `[${entries.length}]` : `{${entries.length}}`}</span>
      </summary>
      <div className="json-inner">
        {entries.slice(0, 500).map(([inner, one]) => (
          <Json key={inner} name={inner} value={one} depth={depth + 1} />
        ))}
        {entries.length > 500 && <div className="dim">and {entries.length - 500} more</div>}
      </div>
    </details>
  );
}

export function Field({ label, children }: { label: string; children: ReactNode }) {
  return (
    <label className="field">
      <span>{label}</span>
      {children}
    </label>
  );
}
