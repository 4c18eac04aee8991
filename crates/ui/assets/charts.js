// Charts on canvas: lines over time, and a heatmap. Both scale to their element and to the screen's pixels, redraw
// when either changes, and describe themselves in words; the table beside them holds the same numbers.

import { clock, el, number } from "./dom.js";

const HEIGHT = 230;
const MARGIN = { left: 64, right: 12, top: 10, bottom: 26 };
const LINES = ["--line-0", "--line-1", "--line-2", "--line-3", "--line-4", "--line-5", "--line-6", "--line-7"];
/** More lines than this are not told apart by anybody. */
export const LINES_MAX = 8;

const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function canvasFigure(title, describe, draw, hover) {
  const canvas = el("canvas", { role: "img", "aria-label": describe });
  const tip = el("div", { class: "tip", hidden: true });
  const frame = el("div", { class: "canvas" }, canvas, tip);
  const paint = () => {
    const width = frame.clientWidth;
    if (width === 0) return;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(HEIGHT * ratio);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, HEIGHT);
    context.font = "11px system-ui, sans-serif";
    draw(context, plotArea(width));
  };
  new ResizeObserver(paint).observe(frame);
  const repaint = () => (frame.isConnected ? paint() : removeEventListener("resize", repaint));
  addEventListener("resize", repaint);
  canvas.addEventListener("pointermove", (event) => {
    const text = hover(event.offsetX, event.offsetY, plotArea(frame.clientWidth));
    tip.hidden = !text;
    if (!text) return;
    tip.textContent = text;
    tip.style.left = `${Math.max(0, Math.min(event.offsetX + 12, frame.clientWidth - tip.offsetWidth - 4))}px`;
    tip.style.top = `${Math.max(0, event.offsetY - tip.offsetHeight - 8)}px`;
  });
  canvas.addEventListener("pointerleave", () => { tip.hidden = true; });
  return el("figure", {}, el("figcaption", {}, title), frame);
}

const plotArea = (width) => ({ x: MARGIN.left, y: MARGIN.top, width: Math.max(10, width - MARGIN.left - MARGIN.right), height: HEIGHT - MARGIN.top - MARGIN.bottom });

function drawTimes(context, area, from, to) {
  context.fillStyle = color("--dim");
  context.textAlign = "center";
  context.textBaseline = "top";
  const count = Math.max(1, Math.min(8, Math.floor(area.width / 90)));
  for (let idx = 0; idx <= count; idx += 1) {
    const x = area.x + (area.width * idx) / count;
    const label = clock(from + ((to - from) * idx) / count, to - from > 86400000);
    context.textAlign = idx === 0 ? "left" : idx === count ? "right" : "center";
    context.fillText(to - from > 86400000 ? label.slice(5, 16) : to - from > 1800000 ? label.slice(0, 5) : label, x, area.y + area.height + 8);
  }
}

function drawLevels(context, area, levels, position, spell) {
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const level of levels) {
    const y = position(level);
    context.strokeStyle = color("--rule");
    context.beginPath();
    context.moveTo(area.x, Math.round(y) + 0.5);
    context.lineTo(area.x + area.width, Math.round(y) + 0.5);
    context.stroke();
    context.fillStyle = color("--dim");
    context.fillText(spell(level), area.x - 8, y);
  }
}

/** 1, 2 or 5 times a power of ten, so that about four levels fit. */
export function roundLevels(low, high) {
  if (!(high > low)) return [low];
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  const levels = [];
  for (let level = Math.ceil(low / step) * step; level <= high + step * 1e-9; level += step) levels.push(Number(level.toPrecision(12)));
  return levels;
}

/** `lines`: [{label, points: [[ms, number or null]…]}] over the instants from `from` to `to`; `spell` writes a value. */
export function lineChart(title, lines, from, to, spell) {
  const drawn = lines.slice(0, LINES_MAX);
  const all = drawn.flatMap((line) => line.points.map((point) => point[1])).filter(Number.isFinite);
  const high = Math.max(...all, 0) || 1;
  const low = Math.min(...all, 0);
  const x = (area, ms) => area.x + (area.width * (ms - from)) / Math.max(1, to - from);
  const y = (area, value) => area.y + area.height * (1 - (value - low) / (high - low));
  const draw = (context, area) => {
    drawLevels(context, area, roundLevels(low, high), (level) => y(area, level), spell);
    drawTimes(context, area, from, to);
    context.lineWidth = 1.6;
    drawn.forEach((line, idx) => {
      context.strokeStyle = context.fillStyle = color(LINES[idx % LINES.length]);
      context.beginPath();
      let pen = false;
      line.points.forEach(([ms, value], point_idx) => {
        if (!Number.isFinite(value)) { pen = false; return; }
        if (pen) context.lineTo(x(area, ms), y(area, value));
        else context.moveTo(x(area, ms), y(area, value));
        // A point without neighbours would leave no mark.
        if (!pen && !Number.isFinite(line.points[point_idx + 1]?.[1])) context.fillRect(x(area, ms) - 1.5, y(area, value) - 1.5, 3, 3);
        pen = true;
      });
      context.stroke();
    });
  };
  const hover = (px, py, area) => {
    let best = null;
    for (const line of drawn) {
      for (const [ms, value] of line.points) {
        if (!Number.isFinite(value)) continue;
        const distance = Math.hypot(x(area, ms) - px, (y(area, value) - py) / 2);
        if (distance < 40 && (!best || distance < best.distance)) best = { distance, text: `${line.label ? `${line.label}\n` : ""}${clock(ms)}  ${spell(value)}` };
      }
    }
    return best?.text;
  };
  const last = drawn.map((line) => line.points.findLast((point) => Number.isFinite(point[1]))?.[1]);
  const figure = canvasFigure(title, `${title}: ${drawn.length} line${drawn.length === 1 ? "" : "s"} from ${clock(from)} to ${clock(to)}, highest ${spell(high)}, last ${last.map(spell).join(", ")}`, draw, hover);
  if (drawn.some((line) => line.label)) {
    figure.append(el("ul", { class: "legend" }, drawn.map((line, idx) => el("li", {}, el("span", { class: "swatch", style: { "background-color": `var(${LINES[idx % LINES.length]})` } }), line.label)),
      lines.length > drawn.length && el("li", {}, `and ${lines.length - drawn.length} more in the table`)));
  }
  return figure;
}

/**
 * The buckets of a heatmap cell as `[low, high, count]`. A cell is `{scale, low, high, counts}`: equal steps from low
 * to high, or equal ratios where the scale is `log`.
 */
export function heatmapBuckets(cell) {
  if (!Array.isArray(cell?.counts)) return [];
  const { low, high, counts } = cell;
  const logarithmic = cell.scale === "log" && low > 0;
  const edge = (index) => logarithmic
    ? low * (high / low) ** (index / counts.length)
    : low + (high - low) * (index / counts.length);
  return counts.map((count, index) => [edge(index), edge(index + 1), count]).filter(([, , count]) => count > 0);
}

/** `columns`: [[ms, buckets of `heatmapBuckets`]…], `step` ms wide each; `log` is the scale, `spell` writes a value. */
export function heatmap(title, columns, from, to, step, log, spell) {
  const buckets = columns.flatMap((column) => column[1]);
  const smallest = buckets.reduce((low, bucket) => Math.min(low, bucket[0]), Infinity);
  const largest = buckets.reduce((high, bucket) => Math.max(high, bucket[1]), -Infinity);
  const scaled = log ? Math.log10 : (value) => value;
  const floor = scaled(smallest);
  const ceiling = scaled(largest) > floor ? scaled(largest) : floor + 1;
  const place = (value) => (scaled(value) - floor) / (ceiling - floor);
  // Groups share a time: their buckets add up.
  const cells = columns.map(([ms, list]) => {
    const merged = new Map();
    for (const [low, high, count] of list) {
      const from = place(low);
      const cell = merged.get(low) ?? { low, high, from, to: Math.max(place(high), from + 0.01), count: 0 };
      cell.count += count;
      merged.set(low, cell);
    }
    return [ms, [...merged.values()]];
  });
  const most = cells.reduce((high, [, list]) => list.reduce((inner, cell) => Math.max(inner, cell.count), high), 1);
  const draw = (context, area) => {
    context.fillStyle = color("--plot");
    context.fillRect(area.x, area.y, area.width, area.height);
    const width = Math.max(2, (area.width * step) / Math.max(1, to - from));
    context.fillStyle = color("--heat");
    for (const [ms, rows] of cells) {
      const x = area.x + (area.width * (ms - from)) / Math.max(1, to - from);
      for (const cell of rows) {
        context.globalAlpha = 0.14 + 0.86 * Math.sqrt(cell.count / most);
        const left = Math.max(area.x, x);
        context.fillRect(left, area.y + area.height * (1 - cell.to), Math.max(1, Math.min(width, area.x + area.width - left)), area.height * (cell.to - cell.from));
      }
    }
    context.globalAlpha = 1;
    const powers = [];
    for (let power = Math.ceil(floor); power <= ceiling; power += 1) powers.push(10 ** power);
    const levels = log && powers.length > 1 ? powers : roundLevels(smallest, largest);
    drawLevels(context, area, levels, (level) => area.y + area.height * (1 - place(level)), spell);
    drawTimes(context, area, from, to);
  };
  const hover = (px, py, area) => {
    const ms = from + ((px - area.x) / area.width) * (to - from);
    const at = 1 - (py - area.y) / area.height;
    const column = cells.find(([start]) => ms >= start && ms < start + step);
    const cell = column?.[1].find((one) => at >= one.from && at < one.to);
    return cell ? `${clock(column[0])}  ${spell(cell.low)} to ${spell(cell.high)}\n${number(cell.count)} events` : "";
  };
  const total = buckets.reduce((sum, bucket) => sum + bucket[2], 0);
  return canvasFigure(title, `${title}: ${number(total)} events from ${clock(from)} to ${clock(to)}, values from ${spell(smallest)} to ${spell(largest)}`, draw, hover);
}
