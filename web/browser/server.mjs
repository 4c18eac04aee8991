// A Tracery of its own for a test, Cruddur's traffic, and a browser: Debian's Chromium by Playwright.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const binary = process.env.TRACERY_BIN;
const cruddur = process.env.CRUDDUR_BIN ?? binary?.replace(/tracery$/, "cruddur");
if (!binary) throw new Error("TRACERY_BIN names the server's binary");

/** Serves from a folder of its own until `stop`. */
export async function serve(...flags) {
  const folder = mkdtempSync(join(tmpdir(), "tracery-web-"));
  const ready = join(folder, "ready.json");
  const any = ["--http", "--otlp-grpc", "--otlp-http", "--xray"].flatMap((flag) => [flag, "127.0.0.1:0"]);
  const child = spawn(binary, ["serve", "--data-dir", join(folder, "data"), ...any, "--ready-file", ready, ...flags], { stdio: ["ignore", "ignore", "inherit"], env: { ...process.env, TRACERY_LOG: "warn" } });
  while (!existsSync(ready)) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    await new Promise((done) => setTimeout(done, 50));
  }
  const addresses = JSON.parse(readFileSync(ready, "utf8"));
  return {
    url: `http://${addresses.http}`,
    addresses,
    data: join(folder, "data"),
    async stop() {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The sample application's traffic, to the end. */
export function traffic({ url, addresses }, seconds) {
  const run = spawnSync(cruddur, ["--traffic", String(seconds)], {
    env: {
      ...process.env,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://${addresses.otlp_http}`,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: url,
      ROLLBAR_ENDPOINT: `${url}/api/1/item/`,
      AWS_XRAY_DAEMON_ADDRESS: `udp:${addresses.xray_udp} tcp:${addresses.xray_tcp}`,
    },
  });
  if (run.status !== 0) throw new Error(`cruddur ended with ${run.status}: ${run.stderr}`);
}

export const launch = () =>
  chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"] });

/** A page whose complaints are kept: errors of scripts, and what the policy forbade. */
export async function open(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1360, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" && !/Failed to load resource/.test(message.text())) complaints.push(message.text());
  });
  page.on("dialog", (dialog) => { complaints.push(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  return { page, complaints, close: () => context.close() };
}

/** Until nothing on the page is loading any more. */
export const settled = (page) => page.waitForFunction(() => !document.querySelector(".loading, .progress") && document.querySelector("main h1, main .empty"), null, { timeout: 30_000 });
