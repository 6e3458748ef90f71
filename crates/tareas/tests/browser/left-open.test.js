/**
 * A tab that is left open: twenty minutes of what a busy server tells, as quickly as the page takes it.
 * After one half the page holds no more than after the one before. Objects are counted, for bytes tell
 * too little: the text of an event, kept, is nothing to the heap of the script.
 */

import assert from "node:assert/strict";
import { test } from "node:test";
import { assertCalm, launch, open, SUITE } from "./browser.js";
import { pause, startServer } from "./server.js";

/** Events of one half: one a second, and something is new in each. */
const HALF = 600;
/** A half in which nothing has grown comes before so many are over. */
const HALVES_MAX = 4;
/** Events of one answer; then the stream ends and the page comes back, as it does after a restart. */
const PER_ANSWER = 200;
/** How often a task that runs is asked about in half of the time: each time the page is parsed whole. */
const POLLS = 100;
/** So much quicker than people see it. */
const QUICKER = 100;
/** What may come and go between two looks: what the browser itself keeps for a while. */
const ALLOWED = { Nodes: 200, JSEventListeners: 5, Documents: 2, Objects: 300, JSHeapUsedSize: 128 * 1024 };
/** Kinds of objects that a page makes; the others are the engine's. */
const OF_PAGE = new Set(["object", "string", "concatenated string", "sliced string", "number", "array", "closure", "native"]);
/** What the browser notes of its own work, a bounded number of times. */
const OF_TIMELINE = /^(Performance|LayoutShift|DOMRect|TaskAttribution|InternalNode)/;
/** What is told is made of so many real events, with other numbers and tasks each time. */
const RECORDED = 3;

test("nothing is left behind", SUITE, async (t) => {
  const server = await startServer(t);
  const browser = await launch(t);
  const recorded = await record(server, "/");
  await t.test("map", () => leaveOpen(browser, server, "/", recorded));
  await t.test("tasks", () => leaveOpen(browser, server, "/tasks", recorded));
  await t.test("task", () => leaveTaskOpen(browser, server));
});

async function leaveOpen(browser, server, path, recorded) {
  const page = await open(browser, server);
  const told = await Told.of(page, await partsOf(server.http + path, recorded));
  await page.goto(path);
  await assertHoldsNoMore(page, () => told.play(HALF));
}

/** After a second half as long as the first, the page holds what it held before; or after one more, for
 * what is left behind grows with each of them, and what the browser itself keeps does not. */
async function assertHoldsNoMore(page, half) {
  const halves = [];
  do {
    await half();
    halves.push(await held(page));
  } while (halves.length < HALVES_MAX && !(halves.length > 1 && growth(halves).length === 0));
  assert.deepEqual(growth(halves), [], "what it holds more after the last half than after the one before");
  assertCalm(page);
  await page.context().close();
}

/** The events, and the page that is told them in place of those of the server. */
class Told {
  static async of(page, recorded) {
    const told = new Told(recorded);
    await page.route("**/v1/events*", (route) => told.answer(route));
    return told;
  }

  constructor(recorded) {
    this.recorded = recorded;
    this.told = 0;
    this.wanted = 0;
    this.waiting = null;
  }

  /** Resolves when the page has taken so many more and asks for the next. */
  play(events) {
    this.wanted += events;
    const all = new Promise((resolve) => { this.done = resolve; });
    if (this.waiting) this.answer(this.waiting);
    return all;
  }

  async answer(route) {
    if (this.told >= this.wanted) {
      this.waiting = route;
      this.done?.();
      return;
    }
    this.waiting = null;
    const body = Array.from({ length: PER_ANSWER }, () => this.next()).join("");
    await route.fulfill({ contentType: "text/event-stream", body: `retry: 1\n\n${body}` });
  }

  next() {
    const number = this.told++;
    const parts = this.recorded[number % this.recorded.length];
    const changed = JSON.stringify(Object.fromEntries(parts.map(([id, html]) => [id, varied(html, number)])));
    return `id: 1-${number}\nevent: patch\ndata: ${changed}\n\n`;
  }
}

/** Of what changes on the map, that which another page shows as well. */
async function partsOf(url, recorded) {
  const html = await (await fetch(url)).text();
  return recorded.map((parts) => parts.filter(([id]) => html.includes(`id="${id}"`)));
}

/** What changes on a page from second to second while a server has something to do. */
async function record(server, path) {
  const html = await (await fetch(server.http + path)).text();
  const [, url] = html.match(/data-events="([^"]+)"/);
  const frames = [];
  for (let frame = 0; frame <= RECORDED; frame++) {
    frames.push(await changedFrom(frames.at(-1), server, url.replaceAll("&amp;", "&")));
  }
  const changed = (frame, number) => Object.entries(frame).filter(([id, part]) => part !== frames[number][id]);
  return frames.slice(1).map(changed);
}

/** What a page shows once more tasks have made it something else: the server looks once a second. */
async function changedFrom(last, server, url) {
  for (;;) {
    await Promise.all(Array.from({ length: 10 }, (_, n) => server.submit({ kind: "square", payload: n })));
    const frame = await whole(server.http + url);
    if (JSON.stringify(frame) !== JSON.stringify(last)) return frame;
    await pause(50);
  }
}

/** The first event of a stream: everything. */
async function whole(url) {
  const leaving = new AbortController();
  const stream = await fetch(url, { signal: leaving.signal });
  let text = "";
  for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const data = text.match(/^data: (.*)\n\n/m);
    if (data) {
      leaving.abort();
      return JSON.parse(data[1]);
    }
  }
  throw new Error("the stream ended");
}

/** Other numbers, and other tasks: with each event a row comes and another one goes. */
function varied(html, number) {
  const seen = new Map();
  const fresh = (id) => {
    if (!seen.has(id)) seen.set(id, number - seen.size);
    return id.slice(0, 24) + (seen.get(id) + 1_000_000).toString(16).padStart(12, "0");
  };
  return html
    .replace(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, fresh)
    .replace(/>\d+(?=[ <])/g, () => `>${(number * 7_919) % 10_000}`);
}

/** A task that runs is asked about again and again; the page sees no difference but the time. */
async function leaveTaskOpen(browser, server) {
  const { task_id } = await server.begin({ kind: "sleep", payload: 600_000 });
  const page = await open(browser, server);
  await page.addInitScript((times) => {
    const later = window.setTimeout;
    window.setTimeout = (what, ms) => later(what, ms / times);
  }, QUICKER);
  await page.goto(`/tasks/${task_id}`);
  const polls = new Polls(page, `**/tasks/${task_id}`);
  await assertHoldsNoMore(page, () => polls.let(POLLS));
}

/** Lets so many requests through and holds the one after them, so that nothing is under way. */
class Polls {
  constructor(page, url) {
    this.left = 0;
    this.ready = page.route(url, (route) => this.answer(route));
  }

  async let(requests) {
    await this.ready;
    this.left = requests;
    const all = new Promise((resolve) => { this.done = resolve; });
    if (this.waiting) this.answer(this.waiting);
    await all;
  }

  answer(route) {
    this.waiting = this.left-- > 0 ? null : route;
    return this.waiting ? this.done?.() : route.continue();
  }
}

/** What the page holds once everything that nobody needs is gone. */
async function held(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  for (let round = 0; round < 3; round++) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const counts = Object.fromEntries(metrics.map(({ name, value }) => [name, value]));
  counts.Objects = await objects(session);
  await session.detach();
  return counts;
}

/** How many objects and texts the script can reach, counted in a picture of its heap. */
async function objects(session) {
  const chunks = [];
  session.on("HeapProfiler.addHeapSnapshotChunk", ({ chunk }) => chunks.push(chunk));
  await session.send("HeapProfiler.takeHeapSnapshot");
  const { snapshot, nodes, strings } = JSON.parse(chunks.join(""));
  const { node_fields: fields, node_types: [types] } = snapshot.meta;
  let count = 0;
  for (let node = 0; node < nodes.length; node += fields.length) {
    const isOfPage = OF_PAGE.has(types[nodes[node]]) && !OF_TIMELINE.test(strings[nodes[node + 1]]);
    if (isOfPage) count++;
  }
  return count;
}

/** What there is more of after the last half than after the one before, beyond what is allowed. */
function growth(halves) {
  const [before, last] = halves.slice(-2);
  const grown = Object.entries(ALLOWED).filter(([name, allowed]) => last[name] - before[name] > allowed);
  return grown.map(([name]) => `${name}: ${before[name]}, then ${last[name]}`);
}
