// Lines, stacked areas or bars over time, on uPlot. Dragging chooses a range; a click on a name in the legend a group.
// The numbers stand in a table beside it, which is what a screen reader gets.

import { useEffect, useMemo, useRef } from "react";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { clock, number } from "../util/format";
import { useSetting } from "../util/settings";
import type { Lines } from "./series";

export type Style = "line" | "stack" | "bar";
export interface Mark { ms: number; label: string }

const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const HEIGHT = 220;

interface Props { title: string; data: Lines; style?: Style; spell?: (value: number) => string; marks?: Mark[]; onRange?: (startMs: number, endMs: number) => void; onLine?: (label: string, index: number) => void; height?: number }

/** Each line on top of those before it. */
export function stacked(values: (number | null)[][]): (number | null)[][] {
  const sums: number[] = [];
  return values.map((line) => line.map((value, index) => (sums[index] = (sums[index] ?? 0) + (value ?? 0))));
}

export function LineChart({ title, data, style = "line", spell = number, marks = [], onRange, onLine, height = HEIGHT }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const [zone] = useSetting("zone", "local");
  const latest = useRef({ onRange });
  latest.current = { onRange };
  const shown = useMemo(() => (style === "stack" ? stacked(data.lines.map((line) => line.values)) : data.lines.map((line) => line.values)), [data, style]);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let chart: uPlot | null = null;
    const draw = () => {
      chart?.destroy();
      const width = element.clientWidth;
      if (width === 0) return;
      const days = (data.times.at(-1) ?? 0) - (data.times[0] ?? 0) > 86_400_000;
      const axis = { stroke: color("--dim"), grid: { stroke: color("--rule"), width: 1 }, ticks: { stroke: color("--rule") } };
      const order = style === "stack" ? shown.map((_, index) => shown.length - 1 - index) : shown.map((_, index) => index);
      const lines: uPlot.Series[] = order.map((index) => {
        const stroke = color(`--line-${index % 8}`);
        return {
          label: data.lines[index]?.label || title,
          stroke,
          width: style === "bar" ? 0 : 1.6,
          ...(style === "line" ? {} : { fill: `${stroke}${style === "stack" ? "99" : "cc"}` }),
          ...(style === "bar" ? { paths: uPlot.paths.bars!({ size: [0.8, 60] }) } : {}),
          points: { show: data.times.length < 3 },
          spanGaps: false,
        };
      });
      chart = new uPlot(
        {
          width, height,
          legend: { show: false },
          cursor: { drag: { x: true, y: false, setScale: false }, points: { size: 6 } },
          series: [{}, ...lines],
          scales: { x: { time: false, range: [data.times[0] ?? 0, (data.times.at(-1) ?? 1) + data.stepMs] }, y: { range: (_, low, high) => [Math.min(0, low ?? 0), (high ?? 0) > 0 ? (high ?? 1) * 1.05 : 1] } },
          axes: [
            { ...axis, space: 90, values: (_, all) => all.map((ms) => clock(ms, zone, { date: days }).slice(days ? 5 : 0, days ? 16 : 8)) },
            { ...axis, size: 64, values: (_, all) => all.map((value) => spell(value)) },
          ],
          hooks: {
            setSelect: [(plot) => {
              const { left, width: wide } = plot.select;
              if (wide > 4) latest.current.onRange?.(plot.posToVal(left, "x"), plot.posToVal(left + wide, "x"));
              plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            }],
            setCursor: [(plot) => {
              const tip = element.querySelector<HTMLElement>(".tip");
              const at = plot.cursor.idx;
              if (!tip) return;
              tip.hidden = at === null || at === undefined || (plot.cursor.left ?? -1) < 0;
              if (tip.hidden || at === null || at === undefined) return;
              const values = data.lines.map((line, index) => ({ label: line.label, value: line.values[at], index })).filter((one) => typeof one.value === "number").sort((a, b) => (b.value ?? 0) - (a.value ?? 0)).slice(0, 8);
              tip.textContent = [clock(data.times[at] ?? 0, zone), ...values.map((one) => `${one.label ? `${one.label}  ` : ""}${spell(one.value ?? 0)}`)].join("\n");
              const left = (plot.cursor.left ?? 0) + plot.over.offsetLeft + 14;
              tip.style.left = `${Math.max(0, Math.min(left, width - tip.offsetWidth - 4))}px`;
              tip.style.top = "8px";
            }],
            draw: [(plot) => {
              const { ctx } = plot;
              ctx.save();
              ctx.strokeStyle = color("--accent");
              ctx.setLineDash([4, 4]);
              for (const mark of marks) {
                const x = plot.valToPos(mark.ms, "x", true);
                if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
                ctx.beginPath();
                ctx.moveTo(x, plot.bbox.top);
                ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
                ctx.stroke();
              }
              ctx.restore();
            }],
          },
        },
        [data.times, ...order.map((index) => shown[index] ?? [])] as uPlot.AlignedData,
        element,
      );
    };
    const observer = new ResizeObserver(draw);
    observer.observe(element);
    const redraw = () => draw();
    addEventListener("resize", redraw);
    return () => {
      observer.disconnect();
      removeEventListener("resize", redraw);
      chart?.destroy();
    };
  }, [data, shown, style, zone, title, height, marks, spell]);

  return (
    <figure className="chart">
      <figcaption>{title}</figcaption>
      <div ref={host} className="chart-host" role="img" aria-label={`${title}: ${data.lines.length} ${data.lines.length === 1 ? "line" : "lines"} over time; the table has the numbers`} style={{ minHeight: height }}>
        <div className="tip" hidden />
      </div>
      {data.lines.some((line) => line.label) && (
        <ul className="legend">
          {data.lines.map((line, index) => (
            <li key={line.label}>
              <button type="button" className="legend-name" onClick={onLine && (() => onLine(line.label, index))}>
                <span className={`swatch hue-${index % 8}`} />
                {line.label}
              </button>
            </li>
          ))}
          {data.omitted > 0 && <li className="dim">and {data.omitted} more in the table</li>}
        </ul>
      )}
      {marks.length > 0 && <p className="note">┊ {marks.map((mark) => mark.label).slice(0, 5).join(" · ")}</p>}
    </figure>
  );
}
