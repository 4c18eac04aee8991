// Charts in the size of a word or a card: sparklines and histograms, as SVG.

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

/** Bars of equal width; a drag or two clicks choose a range. */
export function Histogram({ bars, label, spell, onRange, chosen }: { bars: Bar[]; label: string; spell: (value: number) => string; onRange?: (from: number, to: number) => void; chosen?: [number, number] | null }) {
  const most = Math.max(...bars.map((bar) => bar.count), 1);
  return (
    <div className="histogram" role="group" aria-label={label}>
      {bars.map((bar, index) => {
        const inside = !chosen || (bar.to > chosen[0] && bar.from < chosen[1]);
        const text = `${spell(bar.from)} to ${spell(bar.to)}: ${bar.count}`;
        return onRange ? (
          <button key={index} type="button" className={inside ? "in" : ""} title={text} aria-label={text} onClick={() => onRange(bar.from, bar.to)}>
            <span style={{ height: `${(bar.count / most) * 100}%` }} />
          </button>
        ) : (
          <span key={index} className={`bar-cell ${inside ? "in" : ""}`} title={text}>
            <span style={{ height: `${(bar.count / most) * 100}%` }} />
          </span>
        );
      })}
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
