/** `index.d.ts` names what the package has, and nothing else. `tsc`, where it is, reads it too. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import * as tareas from "../src/index.js";

const file = new URL("../index.d.ts", import.meta.url);
const types = readFileSync(file, "utf8");

/** The members of a class, as the declarations have them. */
function declared(name) {
  const body = types.match(new RegExp(`export class ${name}\\b[^{]*\\{([^]*?)\\n\\}`));
  return Array.from((body?.[1] ?? "").matchAll(/^ {2}(?:readonly )?(\w+)[?]?[(<:]/gm), (found) => found[1]);
}

test("every export has types, and every typed value is exported", () => {
  const values = Array.from(types.matchAll(/^export (?:class|function) (\w+)/gm), (found) => found[1]);
  assert.deepEqual(values.sort(), Object.keys(tareas).sort());
});

test("every method has types", () => {
  for (const name of ["Client", "Worker", "Task", "Context"]) {
    const methods = Object.getOwnPropertyNames(tareas[name].prototype);
    // `stop` of a context is for the worker alone.
    const hidden = name === "Context" ? ["constructor", "stop"] : ["constructor"];
    const wanted = methods.filter((method) => !hidden.includes(method));
    const known = declared(name).filter((member) => member !== "constructor");
    assert.deepEqual(wanted.filter((method) => !known.includes(method)), [], name);
    const made = { Task: ["id"], Context: ["taskId", "attempt", "kind", "queue", "metadata", "traceparent", "tracestate", "deadline"] };
    const unknown = known.filter((member) => !methods.includes(member) && !(made[name] ?? []).includes(member));
    assert.deepEqual(unknown, [], name);
  }
});

test("the compiler reads them", (t) => {
  const found = spawnSync("tsc", ["--version"]);
  if (found.error) {
    return t.skip("there is no tsc");
  }
  const ran = spawnSync("tsc", ["--strict", "--noEmit", "--lib", "es2022,dom", file.pathname], { encoding: "utf8" });
  assert.equal(ran.status, 0, ran.stdout);
});
