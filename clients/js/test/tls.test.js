/** `tls://`: the server has to prove its name, and a token goes with it. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

import { ConnectionLost, Worker, connect } from "../src/index.js";
import { startServer } from "./server.js";

/** A certificate of localhost, which vouches for itself; its key is beside it. */
function certificate(folder) {
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost";
  const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
  return spawnSync("openssl", [...words.split(" "), ...files]).status === 0;
}

test("everything is said through TLS, and to nobody else", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "tareas-tls-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  if (!certificate(folder)) {
    return t.skip("there is no openssl");
  }
  const flags = ["--access", "--tls-cert", join(folder, "cert.pem"), "--tls-key", join(folder, "key.pem")];
  const server = await startServer(t, { flags });
  const ca = readFileSync(join(folder, "cert.pem"), "utf8");
  const url = `tls://localhost:${server.port}`;
  const tareas = await connect(url, { token: server.token, ca });
  t.after(() => tareas.close());
  const worker = new Worker(url, { token: server.token, ca });
  worker.task("greet", ({ name }) => `hello ${name}`);
  await worker.start();
  t.after(() => worker.stop());
  assert.equal(await (await tareas.submit("greet", { name: "ñ" })).result({ timeout: 60_000 }), "hello ñ");
  // Too long for a line: over HTTP.
  assert.equal((await (await tareas.submit("text", { bytes: 400_000 })).result()).length, 400_000);
  await assert.rejects(connect(url, { token: server.token }), ConnectionLost, "a certificate that nobody vouches for");
  await assert.rejects(connect(`tls://127.0.0.1:${server.port}`, { token: server.token, ca }), ConnectionLost, "another name");
});
