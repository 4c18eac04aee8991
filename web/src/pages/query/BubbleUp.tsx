// What sets the chosen events apart: every field's values among them and among the rest, the most telling first.

import { useQuery } from "@tanstack/react-query";
import * as own from "../../api/own";
import { Empty, State, Warning } from "../../ui/parts";
import { number, shown } from "../../util/format";
import { narrowed, type Spec } from "./spec";

export interface Chosen { startMs?: number; endMs?: number; column?: string; low?: number; high?: number; group?: unknown[] }

interface FieldShare { name: string; difference?: number; values?: { value: unknown; selection?: number; baseline?: number; selection_count?: number; baseline_count?: number }[] }

/** How far the shares of a field's values lie apart: ids, of which each has its own, are of no use and come last. */
const apart = (field: FieldShare) => Math.max(0, ...(field.values ?? []).map((one) => Math.abs((one.selection ?? 0) - (one.baseline ?? 0))));

function selectionOf(chosen: Chosen): Record<string, unknown> {
  if (chosen.group) return { group: chosen.group };
  return {
    start_time: Math.floor((chosen.startMs ?? 0) / 1000), end_time: Math.max(Math.ceil((chosen.endMs ?? 0) / 1000), Math.floor((chosen.startMs ?? 0) / 1000) + 1),
    ...(chosen.column ? { column: chosen.column, min: chosen.low, max: chosen.high } : {}),
  };
}

export function BubbleUp({ dataset, spec, chosen, ask }: { dataset: string; spec: Spec; chosen: Chosen | null; ask: (spec: Spec) => void }) {
  const asked = { ...spec };
  if (chosen && !chosen.group) delete asked.breakdowns;
  const found = useQuery({ queryKey: ["bubble up", dataset, asked, chosen], queryFn: () => own.bubbleUp(dataset, asked, selectionOf(chosen!)), enabled: chosen !== null });
  if (!chosen) return <Empty title="Nothing is chosen yet.">Drag over a part of a heatmap, or press “what is different?” beside a group: this shows which fields set those events apart from the rest.</Empty>;
  return (
    <State of={found} what="differences" empty={(answer) => answer.fields.length === 0 && <Empty title="No field tells these events from the others." />}>
      {(answer) => (
        <>
          <p className="summary"><span className="swatch selection" /> {number(answer.selection_count)} chosen events against <span className="swatch baseline" /> {number(answer.baseline_count)} others. The most telling fields first.</p>
          {answer.fields_skipped > 0 && <Warning>{number(answer.fields_skipped)} fields were not compared: there are too many.</Warning>}
          <div className="bubble-fields">
            {[...(answer.fields as unknown as FieldShare[])].sort((a, b) => apart(b) - apart(a)).slice(0, 40).map((field) => (
              <section key={field.name} className="bubble-field">
                <h3>{field.name}</h3>
                <ul>
                  {(field.values ?? []).slice(0, 8).map((one, index) => {
                    const [selection, baseline] = [one.selection ?? share(one.selection_count, answer.selection_count), one.baseline ?? share(one.baseline_count, answer.baseline_count)];
                    return (
                      <li key={index}>
                        <span className="bubble-value" title={shown(one.value)}>{shown(one.value)}</span>
                        <span className="bubble-bars" role="img" aria-label={`${percent(selection)} of the chosen, ${percent(baseline)} of the others`}>
                          <span className="selection" style={{ width: `${selection * 100}%` }} />
                          <span className="baseline" style={{ width: `${baseline * 100}%` }} />
                        </span>
                        <span className="bubble-tools">
                          <button type="button" className="link" onClick={() => ask(narrowed(spec, field.name, one.value))}>only</button>
                          <button type="button" className="link" onClick={() => ask(narrowed(spec, field.name, one.value, true))}>not</button>
                        </span>
                      </li>
                    );
                  })}
                </ul>
                <button type="button" className="link" onClick={() => ask({ ...spec, breakdowns: [...new Set([...(spec.breakdowns ?? []), field.name])] })}>group by this</button>
              </section>
            ))}
          </div>
        </>
      )}
    </State>
  );
}

const share = (part: number | undefined, whole: number) => (whole > 0 ? (part ?? 0) / whole : 0);
const percent = (value: number) => `${Math.round(value * 100)} %`;
