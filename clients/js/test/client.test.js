/** The client against a real server, over TCP and over a WebSocket. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ConnectionLost, Refused, TaskCancelled, TaskFailed, TimedOut, connect, uuid7 } from "../src/index.js";
import { startServer } from "./server.js";
import "./websocket.js";

async function client(test, server, over) {
  const made = await connect(server[over], { reconnectFor: 30_000 });
  test.after(() => made.close());
  return made;
}

for (const over of ["tcp", "ws"]) {
  describe(`over ${over}`, () => {
    test("a result comes back", async (t) => {
      const tareas = await client(t, await startServer(t), over);
      const task = await tareas.submit("square", { n: 5 });
      assert.equal(await task.result(), 25);
      assert.deepEqual(await (await tareas.submit("echo", { a: ["ñ\ud83d", null] })).result(), { a: ["ñ\ufffd", null] });
      assert.equal((await task.status()).status, "succeeded");
      assert.equal(await tareas.wait(task.id), 25);
      assert.equal(await tareas.task(task.id).result({ timeout: 1_000 }), 25);
    });

    test("many at once, one by one and in batches", async (t) => {
      const tareas = await client(t, await startServer(t), over);
      const wanted = Array.from({ length: 2_500 }, (_, n) => n * n);
      assert.deepEqual(await tareas.map("square", wanted.map((_, n) => ({ n })), { timeout: 60_000 }), wanted);
      const tasks = await tareas.submitMany(wanted.map((_, n) => ["square", { n }]));
      assert.equal(new Set(tasks.map((task) => task.id)).size, wanted.length);
      assert.deepEqual(await Promise.all(tasks.map((task) => task.result())), wanted);
      await assert.rejects(tareas.submitMany([["square", { n: 1 }], { kind: "squar", payload: 1 }]), { code: "TAR-1204" });
    });

    test("errors have codes", async (t) => {
      const tareas = await client(t, await startServer(t), over);
      await assert.rejects(tareas.submit("squar", { n: 5 }), (error) => {
        assert.ok(error instanceof Refused);
        assert.deepEqual([error.code, error.errorName, error.retryable], ["TAR-1204", "unknown_kind", false]);
        return true;
      });
      const failed = await tareas.submit("dividir", "1 0");
      await assert.rejects(failed.result(), (error) => error instanceof TaskFailed && error.reason === "rejected");
      assert.equal(await tareas.requeue(failed.id), "queued");
    });

    test("cancelling and waiting", async (t) => {
      const tareas = await client(t, await startServer(t), over);
      const task = await tareas.submit("echo", 1, { delay_ms: 60_000 });
      await assert.rejects(task.result({ timeout: 50 }), TimedOut);
      await assert.rejects(tareas.wait(task.id, { timeout: 50 }), TimedOut);
      assert.equal(await task.cancel(), "cancelled");
      await assert.rejects(task.result(), (error) => error instanceof TaskCancelled && error.reason === "requested");
    });

    test("large payloads and results", async (t) => {
      const tareas = await client(t, await startServer(t), over);
      const text = "ñ".repeat(400_000);
      assert.equal(await (await tareas.submit("echo", text)).result(), text);
    });

    test("a page of tasks", async (t) => {
      const tareas = await client(t, await startServer(t), over);
      await tareas.map("square", [{ n: 1 }, { n: 2 }, { n: 3 }]);
      const page = await tareas.list({ status: "succeeded", limit: 2 });
      assert.equal(page.tasks.length, 2);
      const rest = await tareas.list({ status: "succeeded", limit: 2, cursor: page.next_cursor });
      assert.equal(rest.tasks.length, 1);
      await assert.rejects(tareas.list({ status: "sleeping" }), Refused);
    });

    test("a restart of the server loses and doubles nothing", async (t) => {
      const server = await startServer(t);
      const tareas = await client(t, server, over);
      const task = await tareas.submit("sleep", { ms: 500 });
      await server.kill();
      const later = tareas.submit("square", { n: 4 });
      await server.start();
      assert.equal(await task.result({ timeout: 30_000 }), 500);
      assert.equal(await (await later).result({ timeout: 30_000 }), 16);
    });
  });
}

test("no server is said soon, and a closed client says so", async (t) => {
  await assert.rejects(connect("tcp://127.0.0.1:1"), ConnectionLost);
  await assert.rejects(connect("ftp://127.0.0.1:1"), TypeError);
  const server = await startServer(t);
  const tareas = await connect(server.tcp);
  const task = await tareas.submit("echo", 1, { delay_ms: 60_000 });
  tareas.close();
  await assert.rejects(task.result(), ConnectionLost);
  await assert.rejects(tareas.submit("echo", 1), ConnectionLost);
});

test("one id twice is one task", async (t) => {
  const tareas = await client(t, await startServer(t), "tcp");
  const task_id = uuid7();
  const twice = [tareas.submit("square", { n: 3 }, { task_id }), tareas.submit("square", { n: 3 }, { task_id })];
  const [one, two] = await Promise.all(twice);
  assert.equal(one.id, two.id);
  assert.deepEqual([await one.result(), await two.result()], [9, 9]);
  assert.equal((await tareas.list()).tasks.length, 1);
});

test("ids are version seven and in order", () => {
  const ids = Array.from({ length: 5_000 }, uuid7);
  assert.equal(new Set(ids).size, 5_000);
  assert.deepEqual(ids, [...ids].sort());
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  assert.ok(ids.every((id) => form.test(id)));
});
