// A distribution over time on a canvas. Dragging a rectangle chooses a part of it.

import { type PointerEvent, useEffect, useRef, useState } from "react";
import { clock, number } from "../util/format";
import { useSetting } from "../util/settings";
import { type Heat, roundLevels } from "./series";

const HEIGHT = 240;
const MARGIN = { left: 66, right: 12, top: 10, bottom: 26 };
const color = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export interface Selection { startMs: number; endMs: number; low: number; high: number }

export function Heatmap({ title, heat, spell, onSelect, selected }: { title: string; heat: Heat; spell: (value: number) => string; onSelect?: (selection: Selection) => void; selected?: Selection | null }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const host = useRef<HTMLDivElement>(null);
  const [zone] = useSetting("zone", "local");
  const [tip, setTip] = useState<{ text: string; left: number; top: number } | null>(null);
  const [drag, setDrag] = useState<{ x0: number; y0: number; x1: number; y1: number } | null>(null);

  const from = heat.times[0] ?? 0;
  const to = (heat.times.at(-1) ?? 0) + heat.stepMs;
  const scaled = (value: number) => (heat.log ? Math.log10(Math.max(value, Number.MIN_VALUE)) : value);
  const floor = scaled(heat.low);
  const ceiling = scaled(heat.high) > floor ? scaled(heat.high) : floor + 1;
  const area = () => {
    const width = host.current?.clientWidth ?? 0;
    return { x: MARGIN.left, y: MARGIN.top, width: Math.max(10, width - MARGIN.left - MARGIN.right), height: HEIGHT - MARGIN.top - MARGIN.bottom };
  };
  const place = (value: number) => (scaled(value) - floor) / (ceiling - floor);
  const valueAt = (y: number) => {
    const share = Math.min(1, Math.max(0, 1 - (y - area().y) / area().height));
    const value = floor + share * (ceiling - floor);
    return heat.log ? 10 ** value : value;
  };
  const msAt = (x: number) => from + Math.min(1, Math.max(0, (x - area().x) / area().width)) * (to - from);

  useEffect(() => {
    const paint = () => {
      const element = canvas.current;
      const width = host.current?.clientWidth ?? 0;
      if (!element || width === 0) return;
      const ratio = devicePixelRatio || 1;
      element.width = Math.round(width * ratio);
      element.height = Math.round(HEIGHT * ratio);
      const context = element.getContext("2d");
      if (!context) return;
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      context.clearRect(0, 0, width, HEIGHT);
      context.font = "11px system-ui, sans-serif";
      const { x, y, width: wide, height } = area();
      context.fillStyle = color("--plot");
      context.fillRect(x, y, wide, height);
      const step = Math.max(1, (wide * heat.stepMs) / Math.max(1, to - from));
      context.fillStyle = color("--heat");
      heat.columns.forEach((cells, index) => {
        const left = x + (wide * ((heat.times[index] ?? 0) - from)) / Math.max(1, to - from);
        for (const cell of cells) {
          const [bottom, top] = [place(cell.low), Math.max(place(cell.high), place(cell.low) + 0.012)];
          context.globalAlpha = 0.14 + 0.86 * Math.sqrt(cell.count / heat.most);
          context.fillRect(left, y + height * (1 - top), Math.max(1, step - 0.5), height * (top - bottom));
        }
      });
      context.globalAlpha = 1;
      const powers: number[] = [];
      for (let power = Math.ceil(floor); power <= ceiling; power += 1) powers.push(10 ** power);
      const levels = heat.log && powers.length > 1 ? powers : roundLevels(heat.low, heat.high);
      context.textAlign = "right";
      context.textBaseline = "middle";
      for (const level of levels) {
        const at = y + height * (1 - place(level));
        context.strokeStyle = color("--rule");
        context.beginPath();
        context.moveTo(x, Math.round(at) + 0.5);
        context.lineTo(x + wide, Math.round(at) + 0.5);
        context.stroke();
        context.fillStyle = color("--dim");
        context.fillText(spell(level), x - 8, at);
      }
      context.textBaseline = "top";
      const count = Math.max(1, Math.min(8, Math.floor(wide / 100)));
      const days = to - from > 86_400_000;
      for (let index = 0; index <= count; index += 1) {
        context.textAlign = index === 0 ? "left" : index === count ? "right" : "center";
        const label = clock(from + ((to - from) * index) / count, zone, { date: days });
        context.fillText(label.slice(days ? 5 : 0, days ? 16 : 8), x + (wide * index) / count, y + height + 8);
      }
      if (selected) {
        const left = x + (wide * (selected.startMs - from)) / Math.max(1, to - from);
        const right = x + (wide * (selected.endMs - from)) / Math.max(1, to - from);
        context.strokeStyle = color("--bad");
        context.lineWidth = 2;
        const top = y + height * (1 - place(Math.min(selected.high, heat.high)));
        context.strokeRect(left, top, right - left, y + height * (1 - place(Math.max(selected.low, heat.low))) - top);
        context.lineWidth = 1;
      }
    };
    const observer = new ResizeObserver(paint);
    if (host.current) observer.observe(host.current);
    addEventListener("resize", paint);
    return () => {
      observer.disconnect();
      removeEventListener("resize", paint);
    };
  });

  const point = (event: PointerEvent) => {
    const box = host.current!.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const hover = (event: PointerEvent) => {
    const { x, y } = point(event);
    if (drag) {
      setDrag({ ...drag, x1: x, y1: y });
      return;
    }
    const index = Math.floor((msAt(x) - from) / heat.stepMs);
    const value = valueAt(y);
    const cell = heat.columns[index]?.find((one) => value >= one.low && value < one.high);
    setTip(cell ? { text: `${clock(heat.times[index] ?? 0, zone)}\n${spell(cell.low)} to ${spell(cell.high)}\n${number(cell.count)} events`, left: x + 12, top: Math.max(0, y - 50) } : null);
  };
  return (
    <figure className="chart">
      <figcaption>{title}</figcaption>
      <div
        ref={host}
        className="heatmap"
        style={{ height: HEIGHT }}
        onPointerDown={(event) => {
          if (!onSelect || event.button !== 0) return;
          event.currentTarget.setPointerCapture(event.pointerId);
          const { x, y } = point(event);
          setTip(null);
          setDrag({ x0: x, y0: y, x1: x, y1: y });
        }}
        onPointerMove={hover}
        onPointerLeave={() => setTip(null)}
        onPointerUp={() => {
          if (drag && onSelect && Math.abs(drag.x1 - drag.x0) > 4 && Math.abs(drag.y1 - drag.y0) > 4) {
            onSelect({
              startMs: msAt(Math.min(drag.x0, drag.x1)), endMs: msAt(Math.max(drag.x0, drag.x1)),
              low: valueAt(Math.max(drag.y0, drag.y1)), high: valueAt(Math.min(drag.y0, drag.y1)),
            });
          }
          setDrag(null);
        }}
      >
        <canvas ref={canvas} role="img" aria-label={`${title}: ${number(heat.total)} events, values from ${spell(heat.low)} to ${spell(heat.high)}`} />
        {drag && <div className="drag" style={{ left: Math.min(drag.x0, drag.x1), top: Math.min(drag.y0, drag.y1), width: Math.abs(drag.x1 - drag.x0), height: Math.abs(drag.y1 - drag.y0) }} />}
        {tip && <div className="tip" style={{ left: Math.min(tip.left, (host.current?.clientWidth ?? 0) - 170), top: tip.top }}>{tip.text}</div>}
      </div>
    </figure>
  );
}
