// The AWS SDK for JavaScript against CloudWatch Logs, unmodified: an endpoint, and no prefix before its name.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import {
  CloudWatchLogsClient, CreateLogGroupCommand, CreateLogStreamCommand, DescribeLogGroupsCommand, GetLogEventsCommand,
  GetQueryResultsCommand, PutLogEventsCommand, ResourceNotFoundException, StartLiveTailCommand, StartQueryCommand,
} from "@aws-sdk/client-cloudwatch-logs";

import { startServer } from "./server.js";

const PATIENCE_MS = 30_000;
let server;
let client;
const where = { logGroupName: "js/shop", logStreamName: "node" };

before(async () => {
  server = await startServer();
  client = new CloudWatchLogsClient({
    endpoint: server.url("http"), region: "eu-west-1", disableHostPrefix: true, maxAttempts: 1,
    credentials: { accessKeyId: "any", secretAccessKey: "any" },
  });
  await client.send(new CreateLogGroupCommand({ logGroupName: where.logGroupName }));
  await client.send(new CreateLogStreamCommand(where));
});
after(async () => {
  client.destroy();
  assert.equal(await server.stop(), 0);
});

const put = (...messages) => client.send(new PutLogEventsCommand({
  ...where, logEvents: messages.map((message) => ({ timestamp: Date.now(), message })),
}));

test("events come back as they were put, in raw UTF-8", async () => {
  const answer = await put("plain", "é 日本 \u{1F600}", JSON.stringify({ status: 500, user: { id: "u1" } }));
  assert.ok(answer.nextSequenceToken);
  assert.equal(answer.rejectedLogEventsInfo, undefined);
  const { events } = await client.send(new GetLogEventsCommand({ ...where, startFromHead: true }));
  assert.deepEqual(events.map((event) => event.message), ["plain", "é 日本 \u{1F600}", '{"status":500,"user":{"id":"u1"}}']);
  await assert.rejects(
    client.send(new PutLogEventsCommand({ ...where, logStreamName: "none", logEvents: [{ timestamp: Date.now(), message: "m" }] })),
    (error) => error instanceof ResourceNotFoundException && error.message === "The specified log stream does not exist.",
  );
});

test("a query runs", async () => {
  const now = Math.floor(Date.now() / 1000);
  const { queryId } = await client.send(new StartQueryCommand({
    logGroupName: where.logGroupName, startTime: now - 600, endTime: now + 600,
    queryString: "filter status = 500 | stats count(*) as n by user.id",
  }));
  const deadline = Date.now() + PATIENCE_MS;
  let answer;
  do {
    assert.ok(Date.now() < deadline);
    answer = await client.send(new GetQueryResultsCommand({ queryId }));
  } while (answer.status !== "Complete");
  assert.deepEqual(answer.results, [[{ field: "user.id", value: "u1" }, { field: "n", value: "1" }]]);
});

test("a live tail shows what arrives", async () => {
  const { logGroups } = await client.send(new DescribeLogGroupsCommand({ logGroupNamePrefix: where.logGroupName }));
  const { responseStream } = await client.send(new StartLiveTailCommand({
    logGroupIdentifiers: [logGroups[0].logGroupArn], logEventFilterPattern: "ERROR",
  }));
  const deadline = Date.now() + PATIENCE_MS;
  const found = [];
  for await (const event of responseStream) {
    assert.ok(Date.now() < deadline);
    if (event.sessionStart) {
      assert.deepEqual(event.sessionStart.logGroupIdentifiers, [logGroups[0].logGroupArn]);
      await put("INFO quiet", "ERROR loud é");
    } else {
      found.push(...event.sessionUpdate.sessionResults);
      if (found.length > 0) break;
    }
  }
  assert.deepEqual(found.map((event) => [event.message, event.logStreamName]), [["ERROR loud é", "node"]]);
});
