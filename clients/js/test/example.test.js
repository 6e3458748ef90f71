/** `examples/browser`: its page is served, and a browser's connection gets through to the server. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { connect } from "../src/index.js";
import { startServer } from "./server.js";
import "./websocket.js";

const program = fileURLToPath(new URL("../../../examples/browser/serve.mjs", import.meta.url));

test("the page, its scripts and its tasks come from one origin", async (t) => {
  const server = await startServer(t);
  const site = spawn("node", [program, "0", `127.0.0.1:${server.port}`], { stdio: ["ignore", "pipe", "ignore"] });
  t.after(() => site.kill());
  const [said] = await once(site.stdout, "data");
  const origin = said.toString().trim().replace(/\/$/, "");
  const get = async (path) => {
    const answer = await fetch(origin + path);
    return [answer.status, answer.headers.get("content-type"), await answer.text()];
  };
  const [status, type, page] = await get("/");
  assert.deepEqual([status, type], [200, "text/html; charset=utf-8"]);
  const [, , script] = await get(page.match(/src="([^"]+)"/)[1].replace(/^/, "/"));
  const module = script.match(/from "\.(\/tareas\/[^"]+)"/)[1];
  assert.deepEqual((await get(module)).slice(0, 2), [200, "text/javascript"]);
  assert.equal((await get("/tareas/..%2Fserve.mjs"))[0], 404);

  const client = await connect(origin);
  t.after(() => client.close());
  const task = await client.submit("square", { n: 12 });
  assert.equal(await task.result(), 144);
  assert.equal((await client.list()).tasks.length, 1);
  const log = await fetch(`${origin}/v1/tasks/${task.id}/log`, { headers: { accept: "text/event-stream" } });
  assert.match(await log.text(), /event: end\ndata: .*"succeeded"/);
});
