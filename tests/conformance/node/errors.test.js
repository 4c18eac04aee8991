// Rollbar's SDK, command line and MCP server, and Sentry's SDK, for Node, unmodified: an endpoint, a proxy setting, or a DSN.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import * as Sentry from "@sentry/node";
import Rollbar from "rollbar";

import { startServer } from "./server.js";

const TOKEN = "0123456789abcdef0123456789abcdef";
let server;

before(async () => {
  server = await startServer();
});
after(async () => {
  assert.equal(await server.stop(), 0);
});

async function get(path) {
  const answer = await fetch(server.url("http", path), { headers: { "X-Rollbar-Access-Token": TOKEN } });
  const body = await answer.json();
  assert.equal(body.err, 0, JSON.stringify(body));
  return body.result;
}

async function itemNamed(title) {
  const { items } = await get("/api/1/items/");
  const item = items.find((one) => one.title === title);
  assert.ok(item, `${title} is not among ${items.map((one) => one.title)}`);
  return item;
}

test("rollbar.js reports errors and messages", async () => {
  const rollbar = new Rollbar({
    accessToken: TOKEN, endpoint: server.url("http", "/api/1/item/"), environment: "staging", codeVersion: "1.2.0",
  });
  const told = (call) => new Promise((resolve, reject) => call((error, answer) => (error ? reject(error) : resolve(answer))));
  const answer = await told((done) => rollbar.error(new TypeError("no cart"), { cart: 3 }, done));
  await told((done) => rollbar.warning("Hello World!", done));
  const error = await itemNamed("TypeError: no cart");
  assert.deepEqual([error.level, error.environment, error.framework], ["error", "staging", "node-js"]);
  const { instances: [occurrence] } = await get(`/api/1/item/${error.id}/instances`);
  assert.equal(occurrence.data.custom.cart, 3);
  assert.equal(occurrence.uuid, answer.result?.uuid ?? answer.uuid ?? occurrence.uuid);
  assert.equal((await itemNamed("Hello World!")).level, "warning");
});

test("rollbar-cli tells of deploys through a proxy setting", async () => {
  const cli = fileURLToPath(new URL("./node_modules/rollbar-cli/bin/rollbar", import.meta.url));
  const run = (...words) => promisify(execFile)(process.execPath, [cli, ...words], {
    env: { ...process.env, HTTPS_PROXY: server.url("http"), https_proxy: server.url("http"), NO_PROXY: "", no_proxy: "" },
  });
  const about = ["--access-token", TOKEN, "--code-version", "1.0.1", "--environment", "production"];
  await run("notify-deploy", ...about, "--status", "started", "--local-username", "foo_bar", "--comment", "Deploy Test");
  const { deploys: [started] } = await get("/api/1/deploys");
  assert.deepEqual([started.status, started.finish_time], ["started", null]);
  await run("notify-deploy", ...about, "--deploy-id", String(started.id), "--status", "succeeded");
  const { deploys: [deploy] } = await get("/api/1/deploys");
  assert.deepEqual([deploy.environment, deploy.revision, deploy.status, deploy.comment], ["production", "1.0.1", "succeeded", "Deploy Test"]);
});

test("the MCP server's tools find items, occurrences and versions, and change items", async () => {
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [fileURLToPath(new URL("./node_modules/@rollbar/mcp-server/build/index.js", import.meta.url))],
    env: { ...process.env, ROLLBAR_ACCESS_TOKEN: TOKEN, ROLLBAR_API_BASE: server.url("http", "/api/1") },
  });
  const client = new Client({ name: "test", version: "1" });
  await client.connect(transport);
  const call = async (name, words) => {
    const { content, isError } = await client.callTool({ name, arguments: words });
    assert.ok(!isError, JSON.stringify(content));
    return content.map((one) => one.text).join("\n");
  };
  const item = await itemNamed("TypeError: no cart");
  assert.match(await call("get-item-details", { counter: item.counter }), /no cart/);
  assert.match(await call("list-items", { environment: "staging" }), /TypeError: no cart/);
  assert.match(await call("list-occurrences", { counter: item.counter }), new RegExp(String(item.last_occurrence_id)));
  assert.match(await call("get-version", { version: "1.2.0", environment: "staging" }), /"new"/);
  assert.match(await call("get-deployments", { limit: 5 }), /Deploy Test/);
  assert.match(await call("get-top-items", { environment: "staging" }), /no cart/);
  await call("update-item", { itemId: item.id, status: "resolved" });
  assert.equal((await itemNamed("TypeError: no cart")).status, "resolved");
  await client.close();
});

test("Sentry's SDK reports errors with their trace", async () => {
  Sentry.init({ dsn: `http://${TOKEN}@${new URL(server.url("http")).host}/1`, environment: "staging", release: "2.0", tracesSampleRate: 1 });
  let traceId;
  Sentry.startSpan({ name: "checkout" }, (span) => {
    traceId = span.spanContext().traceId;
    Sentry.captureException(new RangeError("no such page", { cause: new Error("inner") }));
  });
  assert.ok(await Sentry.close(10_000));
  const item = await itemNamed("RangeError: no such page");
  const { instances: [occurrence] } = await get(`/api/1/item/${item.id}/instances`);
  assert.equal(occurrence.trace_id, traceId);
  assert.deepEqual(occurrence.data.body.trace_chain.map((one) => one.exception.class), ["RangeError", "Error"]);
  assert.equal(occurrence.data.code_version, "2.0");
});
