// A real server for the tests: the spawned binary, on free ports, in a folder of its own.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";

export async function startServer(...flags) {
  const directory = mkdtempSync(join(tmpdir(), "tracery-node-"));
  const ready = join(directory, "ready.json");
  const child = spawn(process.env.TRACERY_BIN, [
    "serve", "--data-dir", join(directory, "data"), "--http", "127.0.0.1:0", "--otlp-grpc", "127.0.0.1:0",
    "--otlp-http", "127.0.0.1:0", "--xray", "127.0.0.1:0", "--ready-file", ready, ...flags,
  ], { stdio: ["ignore", "ignore", openSync(join(directory, "tracery.log"), "w")] });
  const deadline = Date.now() + 60_000;
  while (!existsSync(ready)) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(readFileSync(join(directory, "tracery.log"), "utf8"));
    await pause(20);
  }
  const addresses = JSON.parse(readFileSync(ready, "utf8"));
  const url = (door, path = "") => `http://${addresses[door]}${path}`;
  return {
    url,
    /** The rows of a query's answer. */
    async rows(spec, dataset = "") {
      const answer = await fetch(url("http", `/api/v1/query?dataset=${encodeURIComponent(dataset)}`), {
        method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ time_range: 3600, ...spec }),
      });
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()).results.map((row) => row.data);
    },
    async trace(id) {
      return (await fetch(url("http", `/api/v1/traces/${id}`))).json();
    },
    async stop() {
      child.kill("SIGTERM");
      const [code] = await once(child, "exit");
      rmSync(directory, { recursive: true });
      return code;
    },
  };
}
