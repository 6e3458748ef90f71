// Shows a page of its own when the server cannot be reached. Nothing that the server says about
// tasks is kept: only that page and what it is drawn with. NAME and KEPT stand in the line above.
"use strict";

const OFFLINE = "/offline";

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(visit(request));
  else if (KEPT.includes(new URL(request.url).pathname)) event.respondWith(kept(request));
});

async function keep() {
  const cache = await caches.open(NAME);
  await cache.addAll(KEPT.map((path) => new Request(path, { cache: "reload" })));
  await self.skipWaiting();
}

async function forgetOthers() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("tareas-") && name !== NAME).map((name) => caches.delete(name)));
}

async function visit(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

async function kept(request) {
  return (await caches.match(request)) ?? fetch(request);
}
