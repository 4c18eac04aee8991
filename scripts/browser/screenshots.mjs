// Pictures of the page in every state worth looking at: sizes, light and dark, empty, loading, failed, logged out.
// FULL, EMPTY and LOCKED are the addresses of three servers, PASSWORD is ada's on the locked one.
import { chromium } from "playwright-core";

const [folder] = process.argv.slice(2);
const { FULL, EMPTY, LOCKED, PASSWORD } = process.env;
const LONG_TRACE = "5eed".repeat(8);
const SIZES = { 1280: { width: 1280, height: 860 }, 390: { width: 390, height: 844 } };
const query = (spec, dataset = "__all__") => `#/query?${new URLSearchParams({ dataset, q: JSON.stringify(spec) })}`;
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const problems = [];

/** Opens `address` and takes a picture; `before` prepares the page, `after` does something on it. */
async function picture(name, address, { size = 1280, theme = "light", before, after, full = true, waits = true } = {}) {
  const context = await browser.newContext({ viewport: SIZES[size], colorScheme: theme });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(`${name}: ${error.message}`));
  await before?.(page);
  await page.goto(address);
  if (waits) await page.waitForFunction(() => !document.querySelector("[aria-busy]"), null, { timeout: 60000 });
  await page.waitForTimeout(300);
  await after?.(page);
  const file = `${name}-${size}-${theme}.png`;
  await page.screenshot({ path: `${folder}/${file}`, fullPage: full });
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wider > 0) problems.push(`${file} is ${wider} px wider than the window`);
  await context.close();
}

const traces = (await (await fetch(`${FULL}/api/v1/traces?service=cruddur&limit=200`)).json()).traces;
const starts = traces.map((one) => one.start_ms / 1000);
const during = { start_time: Math.floor(Math.min(...starts)) - 2, end_time: Math.ceil(Math.max(...starts)) + 2, granularity: 1 };
const deepest = traces.reduce((most, one) => (one.span_count > most.span_count ? one : most));
const pages = {
  home: `${FULL}/#/`,
  query: `${FULL}/${query({ ...during, calculations: [{ op: "HEATMAP", column: "duration_ms" }, { op: "COUNT_DISTINCT", column: "user.id" }] }, "cruddur")}`,
  groups: `${FULL}/${query({ ...during, calculations: [{ op: "COUNT" }, { op: "AVG", column: "duration_ms" }], breakdowns: ["name"], limit: 20 })}`,
  traces: `${FULL}/#/traces`,
  trace: `${FULL}/#/trace/${deepest.trace_id}`,
  long: `${FULL}/#/trace/${LONG_TRACE}`,
};
for (const [name, address] of Object.entries(pages)) {
  for (const theme of ["light", "dark"]) {
    for (const size of [1280, 390]) await picture(name, address, { size, theme });
  }
}
for (const name of ["", "query", "traces"]) await picture(`empty-${name || "home"}`, `${EMPTY}/#/${name}`);
await picture("bad-query", `${FULL}/${query({ calculations: [{ op: "MEDIAN", column: "duration_ms" }] })}`);
await picture("missing-trace", `${FULL}/#/trace/${"0f".repeat(16)}`);
const held = async (page) => page.route("**/api/v1/{query,services,traces}?**", () => {});
await picture("loading", `${FULL}/#/`, { waits: false, before: held, after: (page) => page.waitForTimeout(400) });
const slow = (page) => page.addInitScript(() => {
  const real = window.fetch;
  window.fetch = (address, options) => {
    if (!String(address).includes("/query?")) return real(address, options);
    const figures = { query_id: "1", elapsed_ms: 2300, rows_scanned: 1834000, rows_total: 5000000, bytes_scanned: 71000000, bytes_total: 300000000 };
    const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode(`event: progress\ndata: ${JSON.stringify(figures)}\n\n`)) });
    return Promise.resolve(new Response(body, { headers: { "content-type": "text/event-stream" } }));
  };
});
await picture("progress", `${FULL}/#/query`, { waits: false, before: slow, after: (page) => page.waitForSelector("progress") });
const down = (page) => page.route("**/api/v1/**", (route) => route.abort("connectionrefused"));
await picture("stopped", `${FULL}/#/`, { before: down });
await picture("login", `${LOCKED}/#/`);
await picture("login-wrong", `${LOCKED}/#/`, { theme: "dark", after: async (page) => {
  await page.fill("[name=name]", "ada");
  await page.fill("[name=password]", "wrong");
  await page.press("[name=password]", "Enter");
  await page.waitForFunction(() => document.querySelector(".login .bad").textContent !== "");
} });
await picture("logged-in", `${LOCKED}/#/`, { after: async (page) => {
  await page.fill("[name=name]", "ada");
  await page.fill("[name=password]", PASSWORD);
  await page.press("[name=password]", "Enter");
  await page.waitForSelector(".empty");
  await page.waitForTimeout(300);
} });
await picture("focus", pages.query, { full: false, after: async (page) => { for (let idx = 0; idx < 9; idx += 1) await page.keyboard.press("Tab"); } });
await picture("keys", pages.trace, { after: async (page) => { await page.focus(".waterfall"); for (const key of ["ArrowDown", "ArrowDown", "ArrowLeft"]) await page.keyboard.press(key); } });
await browser.close();
if (problems.length) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
}
