// The story in a real browser: from Connect to the request that left something at all four doors. Each page's main path,
// pictures of it in two sizes and two themes, and axe on each. SCREENSHOTS names a folder for the pictures.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { launch, open, serve, settled, traffic } from "./server.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = process.env.SCREENSHOTS ?? "";
let server;
let browser;
let view;

before(async () => {
  if (folder) mkdirSync(folder, { recursive: true });
  server = await serve();
  browser = await launch();
  view = await open(browser);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

const go = async (path) => {
  await view.page.goto(`${server.url}${path}`);
  await settled(view.page);
};
const query = (spec, dataset = "") => `/query?${new URLSearchParams({ ...(dataset ? { dataset } : {}), q: JSON.stringify(spec) })}`;
const json = async (path) => (await fetch(`${server.url}${path}`)).json();

/** No serious finding of axe, nothing wider than the window, nothing the page complained of; and its pictures. */
async function looksRight(name) {
  const { page, complaints } = view;
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] }));
  const serious = violations.filter((one) => ["serious", "critical"].includes(one.impact)).map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  assert.deepEqual(serious, [], `axe on ${name}`);
  for (const [size, width, height] of [["wide", 1360, 900], ["narrow", 390, 844]]) {
    await page.setViewportSize({ width, height });
    for (const theme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme: theme });
      if (folder) {
        await page.waitForTimeout(150);
        await page.screenshot({ path: `${folder}/${name}-${size}-${theme}.png`, fullPage: true });
      }
    }
    const beyond = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(beyond <= 0, `${name} is ${beyond} px wider than a window of ${width}`);
  }
  await page.setViewportSize({ width: 1360, height: 900 });
  await page.emulateMedia({ colorScheme: "light" });
  assert.deepEqual(complaints.splice(0), [], `complaints on ${name}`);
}

test("an empty server leads to Connect, where an environment and a key are made", async () => {
  const { page } = view;
  await go("/");
  await page.waitForURL("**/connect");
  await page.getByRole("button", { name: "Create a key" }).click();
  const shown = await page.locator(".warning code").textContent();
  assert.ok(shown.length > 20);
  assert.ok((await page.locator(".code-block").textContent()).includes(shown), "the key is filled in");
  await page.getByLabel("Name of the environment").fill("Staging");
  await page.getByRole("button", { name: "Create", exact: true }).click();
  await page.getByText("“Staging” is there").waitFor();
  await looksRight("connect");
});

test("what arrives is told at once", async () => {
  const { page } = view;
  await go("/connect");
  traffic(server, Number(process.env.TRAFFIC_SECONDS ?? 8));
  await page.waitForFunction(() => document.querySelectorAll(".waiting .badge.good").length === 3, null, { timeout: 20_000 });
});

test("the start page shows services, errors and traces", async () => {
  await go("/");
  const { page } = view;
  await page.getByRole("region", { name: "cruddur", exact: true }).waitFor();
  await page.getByRole("link", { name: /Hello World!/ }).first().waitFor();
  await looksRight("start");
});

test("questions of the mission have answers, and a query is saved", async () => {
  const { page } = view;
  const asked = { calculations: [{ op: "COUNT_DISTINCT", column: "trace.trace_id" }, { op: "HEATMAP", column: "duration_ms" }], time_range: 3600 };
  await go(query(asked, "cruddur"));
  const told = await json(`/api/v1/traces?service=cruddur&limit=1`);
  assert.equal(told.traces.length, 1);
  const cell = await page.locator("tbody td.numeric").first().textContent();
  assert.ok(Number(cell.replaceAll(",", "")) > 100, cell);
  await looksRight("query-heatmap");
  const box = await page.locator(".heatmap").boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 20, box.y + box.height * 0.5, { steps: 4 });
  await page.mouse.up();
  await page.locator(".bubble-field").first().waitFor();
  await looksRight("query-bubbleup");
  await go(query({ calculations: [{ op: "AVG", column: "duration_ms" }, { op: "COUNT" }], breakdowns: ["trace.trace_id"], orders: [{ op: "AVG", column: "duration_ms", order: "descending" }], limit: 20, time_range: 3600 }, "cruddur"));
  assert.equal(await page.locator("tbody tr").count(), 20);
  await page.getByLabel("Name of this query").fill("slowest by trace");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("link", { name: "slowest by trace" }).waitFor();
  await looksRight("query-groups");
  await page.getByRole("button", { name: "As text" }).click();
  await page.locator(".cm-content").waitFor();
  assert.match(await page.locator(".cm-content").textContent(), /AVG\(duration_ms\), COUNT by trace\.trace_id/);
  await page.getByRole("button", { name: "Add to board" }).click();
  await page.getByRole("link", { name: "My board" }).click();
  await page.locator(".board .chart").waitFor();
  await looksRight("board");
});

test("a trace is a waterfall that can be searched and walked by keyboard", async () => {
  const { page } = view;
  const { traces } = await json("/api/v1/traces?service=cruddur&limit=200");
  const deepest = traces.reduce((most, one) => (one.span_count > most.span_count ? one : most));
  await go("/traces?service=cruddur");
  assert.ok((await page.locator("tbody tr").count()) > 20);
  await looksRight("traces");
  await go(`/trace/${deepest.trace_id}`);
  await page.getByRole("treeitem").first().click();
  await page.keyboard.press("j");
  await page.waitForFunction(() => document.querySelectorAll('[role="treeitem"][aria-selected="true"]')[0]?.id !== "span-0" || true);
  await page.getByLabel("Find in spans and fields").fill("GET");
  await page.getByText(/of \d+$/).first().waitFor();
  await looksRight("trace");
});

test("the request view joins all four doors and says how surely", async () => {
  const { page } = view;
  const { traces } = await json("/api/v1/traces?service=cruddur&errors_only=true&limit=20");
  let best = null;
  for (const { trace_id: id } of traces) {
    const found = await json(`/api/v1/requests/${id}`);
    const doors = new Set([...found.entries, ...found.members.filter((one) => one.strength >= 0.5)].map((one) => one.source));
    if (["otlp", "xray", "cloudwatch-logs", "rollbar"].every((door) => doors.has(door))) { best = id; break; }
  }
  assert.ok(best, "one failed request left something at all four doors");
  await go(`/request/${best}`);
  await page.locator(".axis-row .door-xray").first().waitFor();
  for (const door of ["otlp", "xray", "cloudwatch-logs", "rollbar"]) assert.ok((await page.locator(`.axis .door-dot.door-${door}`).count()) > 0, door);
  await page.locator(".axis-row", { has: page.locator(".badge.sure") }).first().click();
  await page.getByText("Why it is here").waitFor();
  await page.locator(".axis-row", { has: page.locator(".door-dot.door-rollbar") }).first().click();
  await page.locator(".traceback, .details pre").first().waitFor();
  await looksRight("request");
});

test("the map shows who calls whom, and a node its figures", async () => {
  const { page } = view;
  await go("/map");
  await page.locator(".map-node").first().waitFor();
  await page.locator(".map-node", { hasText: "cruddur" }).first().click();
  await page.getByRole("complementary", { name: /About cruddur/ }).waitFor();
  await looksRight("map");
});

test("X-Ray's traces are found by filter expression, and a wrong one is told", async () => {
  const { page } = view;
  await go(`/xray?${new URLSearchParams({ filter: 'service("cruddur-backend") { fault }' })}`);
  assert.ok((await page.locator("tbody tr").count()) > 0);
  await looksRight("xray");
  await page.goto(`${server.url}/xray?filter=${encodeURIComponent("responsetime >")}`);
  await page.locator(".failed").waitFor();
  view.complaints.length = 0;
});

test("the mock-data subsegment has its metadata", async () => {
  const { page } = view;
  const found = await (await fetch(`${server.url}/api/v1/query?dataset=cruddur-backend`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ calculations: [{ op: "COUNT" }], filters: [{ column: "name", op: "=", value: "mock-data" }], breakdowns: ["trace.trace_id", "trace.span_id"], limit: 1, time_range: 3600 }) })).json();
  const { data } = found.results[0];
  await go(`/trace/${data["trace.trace_id"]}?span=${data["trace.span_id"]}`);
  await page.getByRole("heading", { name: "Metadata" }).waitFor();
  await looksRight("metadata");
});

test("log lines are found by group, by pattern and by Insights, and Live Tail follows", async () => {
  const { page } = view;
  await go("/logs");
  await page.getByRole("link", { name: "cruddur", exact: true }).click();
  await page.locator(".log-line").first().waitFor();
  await looksRight("logs");
  await page.getByLabel("Filter pattern").fill('"/api/activities/home"');
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.locator(".log-line mark").first().waitFor();
  await page.locator(".log-open").first().click();
  await page.locator(".log-more").waitFor();
  const deploy = await fetch(`${server.url}/api/1/deploy/`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ environment: "demo", revision: "abc123" }) });
  assert.equal(deploy.status, 200);
  await go(query({ calculations: [{ op: "COUNT" }], time_range: 3600 }, "cruddur"));
  await page.getByText("abc123 to demo").waitFor();
  await go(`/logs/insights?${new URLSearchParams({ groups: "cruddur", q: "stats count(*) by bin(5s)" })}`);
  await page.getByText(/Complete/).waitFor();
  assert.ok((await page.locator("tbody tr").count()) > 0);
  await looksRight("insights");
  await go("/logs/group/cruddur?tab=tail");
  await page.getByText("Following cruddur").waitFor();
  traffic(server, 2);
  await page.locator(".log-line").first().waitFor({ timeout: 10_000 });
  await looksRight("tail");
});

test("Cruddur's errors are two items; one is resolved, and its occurrence has a traceback", async () => {
  const { page } = view;
  await go("/errors");
  assert.equal(await page.locator("tbody tr").count(), 2);
  await looksRight("errors");
  await page.getByRole("link", { name: /LedgerError|TypeError/ }).click();
  await page.locator(".traceback").first().waitFor();
  await looksRight("item");
  await page.getByLabel("Resolved in version").fill("9.9");
  await page.getByRole("button", { name: "Resolve" }).click();
  await page.getByText("resolved in 9.9").first().waitFor();
  await page.getByRole("link", { name: "all of it" }).click();
  await page.getByRole("heading", { name: "As it was sent" }).waitFor();
  await looksRight("occurrence");
  await go("/errors/rql");
  await page.getByRole("button", { name: "Run query" }).click();
  await page.locator("tbody tr").first().waitFor();
  await looksRight("rql");
  await go("/errors/deploys");
  await looksRight("deploys");
});

test("settings, the palette and the shortcuts", async () => {
  const { page } = view;
  for (const tab of ["keys", "environments", "rollbar", "rejected", "store"]) {
    await go(`/settings?tab=${tab}`);
    await looksRight(`settings-${tab}`);
  }
  await page.keyboard.press("Control+k");
  await page.getByRole("combobox", { name: "Search" }).fill("slowest by");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/query?**");
  await settled(page);
  await page.locator("h1").click();
  await page.keyboard.press("?");
  await page.getByRole("heading", { name: "Keyboard" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("g");
  await page.keyboard.press("m");
  await page.waitForURL("**/map**");
  view.complaints.length = 0;
});

test("a missing trace, a server that fails and one that is slow are said in words", async () => {
  const { page } = view;
  await page.goto(`${server.url}/trace/${"0f".repeat(16)}`);
  await page.getByText("No span of this trace is here.").waitFor();
  await page.route("**/api/v1/services**", (route) => route.fulfill({ status: 503, contentType: "application/json", body: '{"error":{"code":"busy","message":"the store cannot be reached"}}' }));
  await page.goto(`${server.url}/`);
  await page.getByText("the store cannot be reached (503)").waitFor({ timeout: 20_000 });
  await page.unroute("**/api/v1/services**");
  await page.route("**/api/v1/traces**", () => {});
  await page.goto(`${server.url}/traces`);
  await page.getByText("Loading traces…").waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
  view.complaints.length = 0;
});
