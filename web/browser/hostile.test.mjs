// Everything that telemetry can name, named by somebody who means harm, on every page: nothing of it runs.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, open, serve, settled } from "./server.mjs";

const HOSTILE = '"><img src=x onerror="window.harmed=1"><script>window.harmed=1</script>';
const LINK = "javascript:window.harmed=1";
const TRACE = "ab".repeat(16);
let server;
let browser;
before(async () => { server = await serve(); browser = await launch(); });
after(async () => { await browser?.close(); await server?.stop(); });

const post = async (path, body, headers = {}) => {
  const answer = await fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
};
const logs = (name, body) => post("/", body, { "content-type": "application/x-amz-json-1.1", "x-amz-target": `Logs_20140328.${name}` });

test("hostile names, messages and addresses are shown as text", async () => {
  const now = Date.now();
  const text = (value) => ({ stringValue: value });
  const attributes = [{ key: "service.name", value: text(HOSTILE) }];
  await post("/v1/traces", { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ spans: [{
    traceId: TRACE, spanId: "cd".repeat(8), name: HOSTILE, kind: 2, startTimeUnixNano: `${now}000000`, endTimeUnixNano: `${now + 5}000000`, status: { code: 2, message: HOSTILE },
    attributes: [{ key: "url.full", value: text(LINK) }, { key: HOSTILE, value: text(HOSTILE) }, { key: "http.request.method", value: text("GET") }, { key: "url.path", value: text(`/${HOSTILE}`) }],
    events: [{ name: "exception", timeUnixNano: `${now + 1}000000`, attributes: [{ key: "exception.type", value: text(HOSTILE) }, { key: "exception.stacktrace", value: text(HOSTILE) }] }],
  }] }] }] });
  await post("/TraceSegments", { TraceSegmentDocuments: [JSON.stringify({ trace_id: `1-${Math.floor(now / 1000).toString(16)}-${"0".repeat(23)}1`, id: "00000000000000aa", name: "evil", start_time: now / 1000, end_time: now / 1000 + 0.1, http: { request: { method: "GET", url: LINK } }, metadata: { default: { [HOSTILE]: HOSTILE } }, annotations: { note: HOSTILE } })] });
  await logs("CreateLogGroup", { logGroupName: "evil" });
  await logs("CreateLogStream", { logGroupName: "evil", logStreamName: HOSTILE.replaceAll(":", "").replaceAll("*", "") });
  await logs("PutLogEvents", { logGroupName: "evil", logStreamName: HOSTILE, logEvents: [{ timestamp: now, message: HOSTILE }, { timestamp: now, message: JSON.stringify({ [HOSTILE]: LINK, trace_id: TRACE }) }] });
  await post("/api/1/item/", { data: { environment: HOSTILE, level: "error", context: HOSTILE, request: { url: LINK, method: HOSTILE }, person: { id: "1", username: HOSTILE }, custom: { link: LINK }, body: { trace: { frames: [{ filename: HOSTILE, lineno: 1, method: HOSTILE, code: HOSTILE, locals: { [HOSTILE]: HOSTILE } }], exception: { class: HOSTILE, message: HOSTILE } } } } });
  const items = await (await fetch(`${server.url}/api/1/items/`)).json();
  const item = items.result.items[0];

  const { page, complaints, close } = await open(browser);
  const spec = JSON.stringify({ calculations: [{ op: "COUNT" }], breakdowns: ["service.name", "name"], time_range: 3600 });
  const pages = ["/", "/connect", `/query?q=${encodeURIComponent(spec)}`, "/traces", `/trace/${TRACE}`, `/request/${TRACE}`, "/map", "/xray", "/logs", "/logs/group/evil", "/logs/group/evil?tab=streams", `/logs/insights?groups=evil&q=${encodeURIComponent("fields @timestamp, @message")}`, "/errors", `/errors/item/${item.id}`, `/errors/occurrence/${item.last_occurrence_id}`, "/errors/rql", "/errors/deploys", "/boards", "/settings", "/settings?tab=rollbar", "/settings?tab=rejected"];
  for (const path of pages) {
    await page.goto(`${server.url}${path}`);
    await settled(page);
    const closed = page.locator(".log-open[aria-expanded='false']");
    while ((await closed.count()) > 0) await closed.first().click();
    assert.equal(await page.evaluate(() => window.harmed), undefined, path);
    assert.equal(await page.locator('main img[src="x"], main script, main a[href^="javascript"]').count(), 0, path);
  }
  assert.deepEqual(complaints, []);
  await close();
});
