// Building the page. Everything that came from telemetry goes through `el`, which makes text nodes and never parses
// HTML; the other helpers show the four states of anything that is loaded: loading, empty, failed, there.

/** Makes an element. `properties` holds attributes, `class`, `on…` listeners and `style` as an object. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [key, text] of Object.entries(value)) element.style.setProperty(key, text);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  append(element, children);
  return element;
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function replace(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/**
 * Shows `load()` in `target`: a note while it runs, its nodes when done, the error with a way to try again. What `load`
 * gets shows other nodes meanwhile.
 */
export async function show(target, what, load) {
  target.setAttribute("aria-busy", "true");
  // A fast answer should not flash a note.
  const note = setTimeout(() => replace(target, el("p", { class: "note", role: "status" }, `Loading ${what}…`)), 150);
  try {
    const nodes = await load((...meanwhile) => { clearTimeout(note); replace(target, meanwhile); });
    clearTimeout(note);
    replace(target, nodes);
  } catch (error) {
    clearTimeout(note);
    if (error.name === "AbortError") return;
    const retry = el("button", { type: "button", onclick: () => show(target, what, load) }, "Try again");
    replace(target, el("div", { class: "failed", role: "alert" },
      el("strong", {}, `Cannot load ${what}. `), el("span", {}, error.message), " ", retry));
  } finally {
    target.removeAttribute("aria-busy");
  }
}

export function empty(title, ...hint) {
  return el("div", { class: "empty" }, el("strong", {}, title), el("p", {}, ...hint));
}

/** A table whose numeric columns are right-aligned. `columns`: [{title, cell(row), numeric?}]. */
export function table(caption, columns, rows) {
  const align = (column) => (column.numeric ? "number" : null);
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {},
      el("caption", { class: "hidden" }, caption),
      el("thead", {}, el("tr", {}, columns.map((column) => el("th", { scope: "col", class: align(column) }, column.title)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, columns.map((column) => el("td", { class: align(column) }, column.cell(row))))))));
}

export function duration(ms) {
  if (!Number.isFinite(ms)) return "–";
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(2) : ms < 100 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 60000) return `${(ms / 1000).toFixed(2)} s`;
  return `${(ms / 60000).toFixed(1)} min`;
}

export function bytes(count) {
  if (count < 1024) return `${count} B`;
  const power = Math.min(4, Math.floor(Math.log2(count) / 10));
  return `${(count / 1024 ** power).toFixed(1)} ${["", "KiB", "MiB", "GiB", "TiB"][power]}`;
}

export function number(value) {
  if (typeof value !== "number" || !Number.isFinite(value)) return "–";
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  const digits = Math.abs(value) >= 100 ? 1 : Math.abs(value) >= 1 ? 2 : 4;
  return value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

export function clock(ms, withDate = false) {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "–";
  const two = (part) => String(part).padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withDate ? `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}` : time;
}

export function ago(ms) {
  const seconds = Math.max(0, (Date.now() - ms) / 1000);
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86400)} days ago`;
}

/** How a field's value is shown, whatever its type. */
export function shown(value) {
  if (value === null || value === undefined) return "—";
  return typeof value === "string" ? value : JSON.stringify(value);
}
