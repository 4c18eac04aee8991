// The X-Ray SDK for Node over UDP, unmodified: an address is all it gets.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";

import AWSXRay from "aws-xray-sdk-core";

import { startServer } from "./server.js";

const PATIENCE_MS = 30_000;
let server;
before(async () => { server = await startServer(); });
after(async () => { assert.equal(await server.stop(), 0); });

/** UDP has no answer: asks until the answer is as wanted. */
async function until(question, wanted) {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await question();
    if (wanted(answer)) return answer;
    assert.ok(Date.now() < deadline, JSON.stringify(answer));
    await pause(20);
  }
}

test("a segment with subsegments, annotations, metadata and an error is a trace", async () => {
  AWSXRay.setDaemonAddress(server.url("xray_udp").replace("http://", ""));
  AWSXRay.enableManualMode();
  const segment = new AWSXRay.Segment("node-shop");
  segment.setUser("ada");
  segment.addAnnotation("tier", "gold");
  const remote = segment.addNewSubsegment("inventory");
  remote.namespace = "remote";
  remote.addMetadata("items", [1, 2], "cart");
  remote.close(new Error("no answer"));
  segment.addNewSubsegment("price").close();
  segment.close();
  // The SDK's own id is 1-8hex-24hex.
  const id = segment.trace_id.slice(2).replace("-", "");
  const found = await until(() => server.trace(id), (trace) => trace.span_count === 3);
  const [root] = found.spans.filter((span) => span.parent_id === null);
  assert.equal(root.name, "node-shop");
  assert.equal(root.fields["enduser.id"], "ada");
  assert.equal(root.fields.tier, "gold");
  const inventory = found.spans.find((span) => span.name === "inventory");
  assert.equal(inventory.kind, "client");
  assert.equal(inventory.fields["aws.xray.node"], "inventory");
  assert.equal(inventory.fields["aws.xray.metadata.cart"], JSON.stringify({ items: [1, 2] }));
  assert.equal(inventory.fields["aws.xray.fault"], true);
  assert.equal(inventory.events[0].fields["exception.message"], "no answer");
});
