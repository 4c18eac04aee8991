// Charts in the size of a word or a card: sparklines and histograms.

import { type PointerEvent, useState } from "react";

/** A line of values without axes. */
export function Sparkline({ values, label, kind = "" }: { values: number[]; label: string; kind?: string }) {
  const most = Math.max(...values, 1e-9);
  const width = 120;
  const height = 28;
  const step = width / Math.max(1, values.length);
  return (
    <svg className={`sparkline ${kind}`} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label} preserveAspectRatio="none">
      {values.map((value, index) => {
        const high = value > 0 ? Math.max(1.5, (value / most) * height) : 0.5;
        return <rect key={index} x={index * step} y={height - high} width={Math.max(0.6, step - 0.8)} height={high} />;
      })}
    </svg>
  );
}

interface Bar { from: number; to: number; count: number }

/** Bars of equal width. A range is chosen by dragging over them, or by the two lists below. */
export function Histogram({ bars, label, spell, onRange, chosen }: { bars: Bar[]; label: string; spell: (value: number) => string; onRange?: (from: number, to: number) => void; chosen?: [number, number] | null }) {
  const [drag, setDrag] = useState<[number, number] | null>(null);
  const most = Math.max(...bars.map((bar) => bar.count), 1);
  const total = bars.reduce((sum, bar) => sum + bar.count, 0);
  const indexAt = (event: PointerEvent<HTMLDivElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return Math.min(bars.length - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * bars.length)));
  };
  const choose = (one: number, other: number) => onRange?.(bars[Math.min(one, other)]!.from, bars[Math.max(one, other)]!.to);
  const range: [number, number] | null = drag ? [bars[Math.min(...drag)]!.from, bars[Math.max(...drag)]!.to] : (chosen ?? null);
  const first = chosen ? Math.max(0, bars.findIndex((bar) => bar.to > chosen[0])) : 0;
  const last = chosen ? Math.max(first, bars.findLastIndex((bar) => bar.from < chosen[1])) : bars.length - 1;
  if (bars.length === 0) return null;
  return (
    <div className="histogram">
      <div
        className={onRange ? "bars choosable" : "bars"}
        role="img"
        aria-label={`${label}: ${total} from ${spell(bars[0]!.from)} to ${spell(bars.at(-1)!.to)}`}
        onPointerDown={(event) => { if (!onRange) return; event.currentTarget.setPointerCapture(event.pointerId); const at = indexAt(event); setDrag([at, at]); }}
        onPointerMove={(event) => drag && setDrag([drag[0], indexAt(event)])}
        onPointerUp={() => { if (drag) choose(...drag); setDrag(null); }}
      >
        {bars.map((bar, index) => (
          <span key={index} className={!range || (bar.to > range[0] && bar.from < range[1]) ? "in" : ""} title={`${spell(bar.from)} to ${spell(bar.to)}: ${bar.count}`}>
            <span style={{ height: `${(bar.count / most) * 100}%` }} />
          </span>
        ))}
      </div>
      {onRange && (
        <div className="row">
          <label className="inline">from <select value={first} onChange={(event) => choose(Number(event.target.value), Math.max(Number(event.target.value), last))}>{bars.map((bar, index) => <option key={index} value={index}>{spell(bar.from)}</option>)}</select></label>
          <label className="inline">to <select value={last} onChange={(event) => choose(Math.min(first, Number(event.target.value)), Number(event.target.value))}>{bars.map((bar, index) => <option key={index} value={index}>{spell(bar.to)}</option>)}</select></label>
        </div>
      )}
    </div>
  );
}

/** Values into so many bars of equal width on a logarithmic scale. */
export function logBars(values: number[], count: number): Bar[] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [];
  const low = Math.min(...positive);
  const high = Math.max(...positive, low * 1.01);
  const ratio = (high / low) ** (1 / count);
  const bars = Array.from({ length: count }, (_, index) => ({ from: low * ratio ** index, to: low * ratio ** (index + 1), count: 0 }));
  for (const value of positive) {
    const index = Math.min(count - 1, Math.floor(Math.log(value / low) / Math.log(ratio)));
    const bar = bars[Math.max(0, index)];
    if (bar) bar.count += 1;
  }
  return bars;
}
