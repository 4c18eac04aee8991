// The OpenTelemetry SDK for Node with each of its exporters, and libhoney, unmodified: an endpoint is all they get.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { SpanKind, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter as GrpcExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtoExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { NodeSDK } from "@opentelemetry/sdk-node";
import Libhoney from "libhoney";

import { startServer } from "./server.js";

const REQUESTS = 30;
let server;
before(async () => { server = await startServer(); });
after(async () => { assert.equal(await server.stop(), 0); });

const EXPORTERS = {
  "http-proto": () => new ProtoExporter({ url: server.url("otlp_http", "/v1/traces") }),
  "http-json": () => new JsonExporter({ url: server.url("http", "/v1/traces") }),
  grpc: () => new GrpcExporter({ url: server.url("otlp_grpc") }),
};

for (const [kind, exporter] of Object.entries(EXPORTERS)) {
  test(`every span sent over ${kind} is found, with its parent and types`, async () => {
    const service = `node-${kind}`;
    const sdk = new NodeSDK({ serviceName: service, traceExporter: exporter(), autoDetectResources: false });
    sdk.start();
    const tracer = trace.getTracer("conformance");
    const users = new Set();
    let last;
    for (let number = 0; number < REQUESTS; number += 1) {
      const user = `user-${number % 7}`;
      users.add(user);
      tracer.startActiveSpan("GET /", { kind: SpanKind.SERVER, attributes: { "user.id": user, number, ratio: number / 8, even: number % 2 === 0 } }, (root) => {
        const child = tracer.startSpan("work");
        child.addEvent("looked up", { rows: number });
        child.setStatus({ code: SpanStatusCode.ERROR, message: "broken" });
        child.end();
        root.end();
        last = { traceId: root.spanContext().traceId, rootId: root.spanContext().spanId };
      });
    }
    await sdk.shutdown();
    trace.disable();

    const [row] = await server.rows({
      calculations: [{ op: "COUNT" }, { op: "COUNT_DISTINCT", column: "user.id" }, { op: "COUNT_DISTINCT", column: "trace.trace_id" }],
      filters: [{ column: "duration_ms", op: "exists" }],
    }, service);
    assert.deepEqual(row, { COUNT: 2 * REQUESTS, "COUNT_DISTINCT(user.id)": users.size, "COUNT_DISTINCT(trace.trace_id)": REQUESTS });

    const found = await server.trace(last.traceId);
    assert.equal(found.span_count, 2);
    const root = found.spans.find((span) => span.span_id === last.rootId);
    const child = found.spans.find((span) => span.parent_id === last.rootId);
    assert.equal(root.kind, "server");
    assert.equal(root.fields.number, REQUESTS - 1);
    assert.equal(root.fields.even, (REQUESTS - 1) % 2 === 0);
    assert.equal(child.status_code, 2);
    assert.deepEqual(child.events.map((event) => event.name), ["looked up"]);
  });
}

test("events of libhoney are counted, each as heavy as its sample rate", async () => {
  const answers = [];
  const honey = new Libhoney({
    apiHost: server.url("http"), writeKey: "any-key-will-do-in-open-mode", dataset: "node-shop",
    responseCallback: (responses) => answers.push(...responses),
  });
  for (let number = 0; number < REQUESTS; number += 1) {
    const event = honey.newEvent();
    event.add({ "user.id": `user-${number % 5}`, duration_ms: number });
    // Presampled: libhoney passes the rate on instead of rolling its own dice.
    event.sampleRate = number === 0 ? 10 : 1;
    event.sendPresampled();
  }
  await honey.flush();
  assert.deepEqual(answers.map((answer) => answer.status_code), Array(REQUESTS).fill(202));
  const [row] = await server.rows({ calculations: [{ op: "COUNT" }, { op: "COUNT_DISTINCT", column: "user.id" }, { op: "MAX", column: "duration_ms" }] }, "node-shop");
  assert.deepEqual(row, { COUNT: REQUESTS + 9, "COUNT_DISTINCT(user.id)": 5, "MAX(duration_ms)": REQUESTS - 1 });
});

test("libhoney hears which event was refused", async () => {
  const answers = [];
  const honey = new Libhoney({
    apiHost: server.url("http"), writeKey: "any-key-will-do-in-open-mode", dataset: "node-shop",
    responseCallback: (responses) => answers.push(...responses),
  });
  const wide = Object.fromEntries(Array.from({ length: 2001 }, (_, number) => [`field ${number}`, number]));
  for (const [number, fields] of [{ n: 1 }, wide, { n: 2 }].entries()) {
    const event = honey.newEvent();
    event.add(fields);
    event.metadata = number;
    event.send();
  }
  await honey.flush();
  // libhoney for Node looks for the reason under another name than the vendor sends it.
  const statuses = answers.map((answer) => [answer.metadata, answer.status_code]);
  assert.deepEqual(statuses.sort(), [[0, 202], [1, 400], [2, 202]]);
});

test("libhoney hears that its key is unknown", async () => {
  const locked = await startServer("--auth", "required");
  try {
    const answers = [];
    const honey = new Libhoney({
      apiHost: locked.url("http"), writeKey: "nobodys-key", dataset: "node-shop",
      responseCallback: (responses) => answers.push(...responses),
    });
    honey.sendNow({ n: 1 });
    await honey.flush();
    assert.deepEqual(answers.map((answer) => answer.status_code), [401]);
  } finally {
    await locked.stop();
  }
});
