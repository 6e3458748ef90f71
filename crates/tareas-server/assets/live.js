// Keeps the page alive: asks for what has changed once a second and changes just that, so that
// focus, selection and scroll stay where they are. Stands still in hidden tabs and when paused.
"use strict";

(() => {
  const button = document.querySelector("#live");
  if (!button || !document.querySelector("[data-live]")) return;

  const EVERY_MS = 1000;
  const GIVE_UP_MS = 5000;
  let paused = localStorage.getItem("tareas.paused") === "yes";
  let tag = null;
  let timer = null;
  let busy = false;

  function show(state) {
    button.dataset.state = state;
    button.setAttribute("aria-pressed", String(paused));
    button.querySelector(".word").textContent = button.dataset[state + "Text"];
    document.documentElement.classList.toggle("still", state !== "live");
  }

  // Makes `from` equal to `to`, touching only what differs.
  function morph(from, to) {
    if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
      from.replaceWith(document.importNode(to, true));
      return;
    }
    if (from.nodeType !== Node.ELEMENT_NODE) {
      if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
      return;
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name)) from.removeAttribute(name);
    }
    for (const { name, value } of to.attributes) {
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    morphChildren(from, to);
  }

  function keyOf(node) {
    return node.nodeType === Node.ELEMENT_NODE ? node.getAttribute("data-key") : null;
  }

  // Rows with a key move as a whole; everything else is matched by its place.
  function morphChildren(from, to) {
    const keyed = new Map();
    for (const child of from.childNodes) {
      const key = keyOf(child);
      if (key) keyed.set(key, child);
    }
    let place = from.firstChild;
    for (const wanted of to.childNodes) {
      const key = keyOf(wanted);
      let child = key ? keyed.get(key) : place;
      if (!child || (!key && keyOf(child))) {
        from.insertBefore(document.importNode(wanted, true), place);
        continue;
      }
      if (child !== place) from.insertBefore(child, place);
      const next = child.nextSibling;
      morph(child, wanted);
      place = next;
    }
    while (place) {
      const next = place.nextSibling;
      place.remove();
      place = next;
    }
  }

  function apply(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const to of fresh.querySelectorAll("[data-live]")) {
      const from = document.getElementById(to.id);
      if (from) morph(from, to);
    }
    return fresh;
  }

  async function ask() {
    const headers = tag ? { "If-None-Match": tag } : {};
    const signal = AbortSignal.timeout(GIVE_UP_MS);
    const answer = await fetch("/live" + location.search, { headers, signal, cache: "no-store" });
    if (answer.status === 304) return;
    if (!answer.ok) throw new Error(String(answer.status));
    tag = answer.headers.get("ETag");
    apply(await answer.text());
  }

  async function tick() {
    if (busy || paused || document.hidden) return;
    busy = true;
    try {
      await ask();
      show(paused ? "paused" : "live");
    } catch {
      tag = null;
      show("lost");
    } finally {
      busy = false;
    }
  }

  // The form is sent without leaving the page; without this script it is sent as any form.
  async function send(event) {
    event.preventDefault();
    const form = event.target;
    const body = new URLSearchParams(new FormData(form, event.submitter));
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      const fresh = apply(await answer.text());
      const note = fresh.getElementById("send-note");
      if (note) morph(document.getElementById("send-note"), note);
      if (answer.redirected) {
        const place = new URL(answer.url);
        history.replaceState(null, "", place.pathname + place.search);
        form.querySelector("#task").value = "";
        tag = null;
      }
    } catch {
      show("lost");
    }
  }

  button.addEventListener("click", () => {
    paused = !paused;
    localStorage.setItem("tareas.paused", paused ? "yes" : "no");
    show(paused ? "paused" : "live");
    tick();
  });
  document.querySelector("#send")?.addEventListener("submit", send);
  document.addEventListener("visibilitychange", tick);
  window.addEventListener("pagehide", () => clearInterval(timer));
  window.addEventListener("pageshow", () => {
    clearInterval(timer);
    timer = setInterval(tick, EVERY_MS);
  });

  button.hidden = false;
  show(paused ? "paused" : "live");
})();
