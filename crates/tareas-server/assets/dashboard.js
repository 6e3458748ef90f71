// Keeps the page alive: takes what has changed from one stream and changes just that, so that
// focus, selection and scroll stay where they are. Hidden and paused pages hold no stream.
// Without this script every page and every form works; it only stands still.
"use strict";

(() => {
  const AGAIN_MS = 5000;
  const POLL_MS = 1000;
  const POLL_QUICK_MS = 250;
  const QUICK_POLLS = 20;
  const REQUEST_MS = 5000;
  const TYPED_MS = 300;

  const button = document.querySelector("#live");
  const STORE_KEY = "tareas.paused";
  let paused = stored() === "yes";
  let stream = null;
  let again = null;
  let poll = null;
  let polls = 0;

  function stored() {
    try { return localStorage.getItem(STORE_KEY); } catch { return null; }
  }

  function store(value) {
    try { localStorage.setItem(STORE_KEY, value); } catch { /* A choice of this page only. */ }
  }

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
      const isOpen = name === "open" && from.nodeName === "DETAILS";
      if (!to.hasAttribute(name) && !isOpen) from.removeAttribute(name);
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
      const child = key ? keyed.get(key) : place;
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

  function parsed(html) {
    return new DOMParser().parseFromString(html, "text/html");
  }

  function replace(id, fresh) {
    const from = document.getElementById(id);
    const to = fresh.getElementById(id);
    if (!from || !to) return;
    // What all who look are sent holds nobody's token: forms carry that of this page.
    for (const field of to.querySelectorAll("input[name=token]")) {
      field.setAttribute("value", document.body.dataset.token);
    }
    morph(from, to);
  }

  function patch(event) {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) replace(id, parsed(html));
    show("live");
  }

  function listen() {
    clearTimeout(again);
    if (stream || paused || document.hidden || !document.body.dataset.events) return;
    stream = new EventSource(document.body.dataset.events);
    stream.addEventListener("open", () => show("live"));
    stream.addEventListener("patch", patch);
    stream.addEventListener("error", () => {
      show("lost");
      if (stream?.readyState !== EventSource.CLOSED) return;
      stream = null;
      again = setTimeout(listen, AGAIN_MS);
    });
  }

  function hush() {
    clearTimeout(again);
    stream?.close();
    stream = null;
  }

  async function load(url, options) {
    const signal = AbortSignal.timeout(REQUEST_MS);
    const answer = await fetch(url, { ...options, signal, cache: "no-store" });
    return { answer, fresh: parsed(await answer.text()) };
  }

  // A task that is under way is asked about again, quickly at first, until it has ended.
  function schedulePoll() {
    clearTimeout(poll);
    if (paused || document.hidden || !document.querySelector("[data-poll]")) return;
    poll = setTimeout(askAgain, polls++ < QUICK_POLLS ? POLL_QUICK_MS : POLL_MS);
  }

  async function askAgain() {
    try {
      const { fresh } = await load(location.href);
      for (const element of document.querySelectorAll("[data-poll]")) replace(element.id, fresh);
    } catch { /* The next one may succeed. */ }
    schedulePoll();
  }

  // The short form of the map is sent without leaving the page.
  async function send(event) {
    event.preventDefault();
    const form = event.target;
    const body = new URLSearchParams(new FormData(form, event.submitter));
    try {
      const { answer, fresh } = await load(form.action, { method: "POST", body });
      for (const id of ["sent", "send-note"]) replace(id, fresh);
      if (!answer.redirected) return;
      const place = new URL(answer.url);
      history.replaceState(null, "", place.pathname + place.search);
      form.querySelector("#task").value = "";
      polls = 0;
      schedulePoll();
    } catch {
      show("lost");
    }
  }

  // The commands beside the long form follow what is typed.
  function followTyping(form) {
    let typed = null;
    form.addEventListener("input", () => {
      clearTimeout(typed);
      typed = setTimeout(async () => {
        const body = new URLSearchParams(new FormData(form));
        body.set("show", "yes");
        try { replace("commands", (await load(form.action, { method: "POST", body })).fresh); } catch { /* Stays as it was. */ }
      }, TYPED_MS);
    });
  }

  function wake() {
    if (paused || document.hidden) hush();
    else { listen(); schedulePoll(); }
  }

  button.addEventListener("click", () => {
    paused = !paused;
    store(paused ? "yes" : "no");
    show(paused ? "paused" : "live");
    wake();
  });
  document.querySelector("#send")?.addEventListener("submit", send);
  const longForm = document.querySelector("#new-task");
  if (longForm) followTyping(longForm);
  document.addEventListener("visibilitychange", wake);
  window.addEventListener("pagehide", hush);
  window.addEventListener("pageshow", wake);

  button.hidden = false;
  show(paused ? "paused" : "live");
})();
