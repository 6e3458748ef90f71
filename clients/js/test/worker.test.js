/** The worker against a real server, over TCP and over a WebSocket. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Rejected, Retry, TaskCancelled, TaskFailed, Worker, connect } from "../src/index.js";
import { pause, startServer, until } from "./server.js";
import "./websocket.js";

/** A server, a client and a worker that has not started. */
async function stage(t, { over = "tcp", ...options } = {}) {
  const server = await startServer(t);
  const tareas = await connect(server.tcp);
  const app = new Worker(server[over], options);
  t.after(async () => {
    tareas.close();
    await app.stop();
  });
  return { server, tareas, app };
}

for (const over of ["tcp", "ws"]) {
  test(`handlers run, report and fail over ${over}`, async (t) => {
    const { tareas, app } = await stage(t, { over, concurrency: 4, name: "js" });
    const seen = [];
    app.task("js_add", ({ a, b }) => a + b);
    app.task("js_context", async (payload, context) => {
      context.progress(50, "half");
      context.log("hello");
      return { attempt: context.attempt, queue: context.queue, left: context.remaining() > 1_000 };
    });
    app.task("js_again", async (payload, context) => {
      seen.push(context.attempt);
      if (seen.length < 2) throw new Retry("not yet", { afterMs: 100 });
      return "done";
    });
    app.task("js_wrong", async () => {
      throw new Rejected("never");
    });
    app.task("js_big", (count) => "ñ\u{1f600}".repeat(count));
    app.task("js_odd", () => 10n);
    app.task("js_nothing", () => {});
    await app.start();
    assert.equal(await (await tareas.submit("js_add", { a: 2, b: 3 })).result(), 5);
    const told = await tareas.submit("js_context", 1);
    assert.deepEqual(await told.result(), { attempt: 1, queue: "default", left: true });
    const log = await tareas.fetchJson(`/v1/tasks/${told.id}/log`);
    assert.deepEqual(log.attempts[0].lines, ["hello"]);
    assert.equal(await (await tareas.submit("js_again", 1)).result(), "done");
    assert.deepEqual(seen, [1, 2]);
    await assert.rejects((await tareas.submit("js_wrong", 1)).result(), (error) => error instanceof TaskFailed && /never/.test(error.message));
    assert.equal(await (await tareas.submit("js_big", 300_000)).result(), "ñ\u{1f600}".repeat(300_000));
    await assert.rejects((await tareas.submit("js_odd", 1)).result(), { reason: "rejected" });
    assert.equal(await (await tareas.submit("js_nothing", 1)).result(), null);
  });
}

test("a running task is cancelled", async (t) => {
  const { tareas, app } = await stage(t);
  let why;
  app.task("js_long", async (payload, context) => {
    context.signal.addEventListener("abort", () => (why = context.signal.reason.why));
    await context.sleep(60_000);
  });
  await app.start();
  const task = await tareas.submit("js_long", 1);
  await until(async () => (await task.status()).status === "running");
  assert.equal(await task.cancel(), "running");
  await assert.rejects(task.result({ timeout: 10_000 }), TaskCancelled);
  assert.equal(why, "cancelled");
});

test("an attempt that takes too long has failed", async (t) => {
  const { tareas, app } = await stage(t);
  // A timer would keep the process of the test for as long.
  app.task("js_slow", () => new Promise(() => {}));
  await app.start();
  const task = await tareas.submit("js_slow", 1, { timeout_ms: 300, max_attempts: 1 });
  await assert.rejects(task.result({ timeout: 10_000 }), TaskFailed);
  assert.equal((await task.status()).error.name, "timeout");
});

test("what is held is given back when the worker stops", async (t) => {
  const { server, tareas, app } = await stage(t, { drainGrace: 100 });
  app.task("js_stuck", (payload, context) => context.sleep(60_000));
  await app.start();
  const task = await tareas.submit("js_stuck", 1);
  await until(async () => (await task.status()).status === "running");
  await app.stop();
  await until(async () => (await task.status()).status === "queued");
  const next = new Worker(server.tcp);
  t.after(() => next.stop());
  next.task("js_stuck", () => "by another");
  await next.start();
  assert.equal(await task.result({ timeout: 10_000 }), "by another");
});

test("a worker goes on across a restart of the server", async (t) => {
  const { server, tareas, app } = await stage(t);
  const runs = [];
  app.task("js_across", async (payload) => {
    runs.push(payload);
    await pause(3_000);
    return payload;
  });
  await app.start();
  const task = await tareas.submit("js_across", 7);
  await until(() => runs.length > 0);
  await server.kill();
  await server.start();
  assert.equal(await task.result({ timeout: 30_000 }), 7);
  assert.deepEqual(runs, [7]);
});

test("it is quick enough", async (t) => {
  const { tareas, app } = await stage(t, { prefetch: 2_048 });
  app.task("js_square", ({ n }) => n ** 2);
  await app.start();
  const payloads = Array.from({ length: 10_000 }, (_, n) => ({ n }));
  await tareas.map("js_square", payloads.slice(0, 500));
  const began = performance.now();
  const results = await tareas.map("js_square", payloads, { timeout: 120_000 });
  const rate = (payloads.length / (performance.now() - began)) * 1_000;
  assert.deepEqual(results, payloads.map(({ n }) => n ** 2));
  console.error(`javascript worker and client: ${Math.round(rate)} tasks/s`);
});
