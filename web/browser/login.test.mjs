// A server that knows its people: nothing is shown before a name and a password, and everything after; logging out ends it.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import { launch, open, serve, settled } from "./server.mjs";

let server;
let browser;
before(async () => { server = await serve("--auth", "required"); browser = await launch(); });
after(async () => { await browser?.close(); await server?.stop(); });

test("a person logs in, uses the products' protocols, and logs out", async () => {
  const made = spawnSync(process.env.TRACERY_BIN, ["users", "create-admin", "--data-dir", server.data, "--name", "ada"], { encoding: "utf8" });
  assert.equal(made.status, 0, made.stderr);
  const { password } = JSON.parse(made.stdout);
  const { page, complaints, close } = await open(browser);
  await page.goto(`${server.url}/errors`);
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  assert.equal(await page.getByRole("navigation").count(), 0);
  await page.getByLabel("Name").fill("ada");
  await page.getByLabel("Password").fill("wrong");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.locator("[role=alert]", { hasText: /./ }).waitFor();
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await settled(page);
  await page.getByText("No active error.").waitFor();
  await page.goto(`${server.url}/logs`);
  await page.getByText("No log group yet.").waitFor();
  await page.goto(`${server.url}/settings`);
  await page.getByLabel("Name", { exact: true }).fill("sender");
  await page.getByRole("button", { name: "Create" }).click();
  const key = await page.locator(".warning code").textContent();
  const sent = (headers) => fetch(`${server.url}/1/events/shop`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: '{"a":1}' });
  assert.equal((await sent({ "x-honeycomb-team": key })).status, 200);
  assert.equal((await sent({ "x-honeycomb-team": "another" })).status, 401);
  // The key sends and reads nothing; neither does it reach what the page reaches.
  const reached = await fetch(`${server.url}/api/v1/products/rollbar/api/1/items/`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(reached.status, 403);
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  assert.deepEqual(complaints, []);
  await close();
});
