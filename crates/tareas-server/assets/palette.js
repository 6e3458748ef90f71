// The command palette (Ctrl-K, Cmd-K, /), the keys of one letter, and the sheet that lists them (?).
// It only presses what is on the page anyway: links, and buttons of forms.
"use strict";

(() => {
  const SHOWN_MAX = 12;
  const SEQUENCE_MS = 3000;
  const STORE_KEY = "tareas.keys";
  const PLACES = { m: "/", t: "/tasks", q: "/queues", w: "/workers", f: "/failures", s: "/system", h: "/history", b: "/bulk" };

  const palette = document.querySelector("#palette");
  const field = document.querySelector("#palette-text");
  const list = document.querySelector("#palette-list");
  const sheet = document.querySelector("#keys");
  const toggle = document.querySelector("#keys-on");
  const opener = document.querySelector("#find");
  let known = [];
  let shown = [];
  let chosen = 0;
  let sequence = 0;

  // Without capitals and accents, as people type.
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const word = (name) => palette.dataset[name];
  const go = (path) => () => location.assign(path);

  // A button that destroys is not pressed from here: it gets the focus, and Enter presses it.
  const press = (button) => () => {
    button.scrollIntoView({ block: "center" });
    button.focus();
    if (!button.matches(".danger")) button.click();
  };

  function ofPage() {
    const links = [...palette.querySelectorAll("#palette-places a")];
    const buttons = [...document.querySelectorAll("main form button[name=action], main form.act a.button")];
    const act = (button) => ({ label: button.ariaLabel || button.textContent.trim(), kind: word("act"), run: press(button) });
    const places = links.map((link) => ({ label: link.textContent, kind: word("go"), run: go(link.href) }));
    return [...buttons.map(act), ...places, act(document.querySelector("#live"))];
  }

  async function learn() {
    const ask = async (path) => (await fetch(path, { headers: { accept: "application/json" } })).json();
    const [queues, kinds] = await Promise.allSettled([ask("/v1/queues"), ask("/v1/kinds")]);
    const names = (answer, of, member) => (answer.value?.[of] ?? []).map((one) => one[member]);
    known = [
      ...names(queues, "queues", "name").map((name) => ({ label: name, kind: word("queue"), run: go(`/tasks?queue=${encodeURIComponent(name)}`) })),
      ...names(kinds, "kinds", "kind").map((name) => ({ label: name, kind: word("kind"), run: go(`/tasks/new?kind=${encodeURIComponent(name)}`) })),
    ];
    draw();
  }

  // What the text itself may mean: a task, the beginning of its id, or a filter.
  function meant(text) {
    const id = text.replace(/^…/, "");
    if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) return [{ label: id, kind: word("task"), run: go(`/tasks/${id}`) }];
    const filter = /^[0-9a-f-]{6,}$/i.test(id) ? `id:${id}` : text;
    if (!/^-?[a-z_.]+:./i.test(filter)) return [];
    return [{ label: filter, kind: word("filter"), run: go(`/tasks?filter=${encodeURIComponent(filter)}`) }];
  }

  function draw() {
    const text = field.value.trim();
    const words = plain(text).split(/\s+/);
    const fits = ({ label, kind }) => words.every((each) => plain(`${label} ${kind}`).includes(each));
    shown = [...meant(text), ...[...ofPage(), ...known].filter(fits)].slice(0, SHOWN_MAX);
    chosen = Math.min(chosen, Math.max(shown.length - 1, 0));
    list.replaceChildren(...shown.map(option));
    document.querySelector("#palette-empty").hidden = shown.length > 0;
    mark();
  }

  function option({ label, kind }, index) {
    const row = document.createElement("li");
    row.id = `palette-${index}`;
    row.setAttribute("role", "option");
    const name = document.createElement("span");
    name.textContent = label;
    const small = document.createElement("small");
    small.textContent = kind;
    row.append(name, small);
    row.addEventListener("click", () => { chosen = index; run(); });
    return row;
  }

  function mark() {
    for (const [index, row] of [...list.children].entries()) {
      row.setAttribute("aria-selected", String(index === chosen));
      if (index === chosen) row.scrollIntoView({ block: "nearest" });
    }
    if (shown.length) field.setAttribute("aria-activedescendant", `palette-${chosen}`);
    else field.removeAttribute("aria-activedescendant");
  }

  function run() {
    const what = shown[chosen];
    if (!what) return;
    palette.close();
    what.run();
  }

  function open() {
    field.value = "";
    chosen = 0;
    palette.showModal();
    draw();
    if (!known.length) learn();
  }

  field.addEventListener("input", () => { chosen = 0; draw(); });
  field.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) chosen = (chosen + step + shown.length) % shown.length;
    else if (event.key === "Enter") run();
    else return;
    event.preventDefault();
    mark();
  });
  for (const dialog of [palette, sheet]) {
    dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  }

  function areKeysOn() {
    try { return localStorage.getItem(STORE_KEY) !== "off"; } catch { return true; }
  }

  // The link of the next or the previous row, from where the focus is.
  function step(by) {
    const rows = [...document.querySelectorAll("main table .what a, main .failure h2 a, main .queue-list th a")];
    const at = rows.indexOf(document.activeElement);
    rows[at < 0 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)]?.focus();
  }

  const KEYS = {
    "?": () => sheet.showModal(),
    "/": () => { const filter = document.querySelector("main input[name=filter]:not([type=hidden])"); if (filter) filter.select(); else open(); },
    j: () => step(1),
    k: () => step(-1),
    n: go("/tasks/new"),
    p: () => document.querySelector("#live").click(),
    g: () => { sequence = Date.now(); },
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (palette.open) palette.close();
      else open();
      return;
    }
    const isTyping = event.target.closest("input, textarea, select, [contenteditable], dialog");
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping || !areKeysOn()) return;
    const isSecond = Date.now() - sequence < SEQUENCE_MS;
    sequence = 0;
    const act = isSecond && PLACES[event.key] ? go(PLACES[event.key]) : KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  toggle.checked = areKeysOn();
  toggle.addEventListener("change", () => {
    try { localStorage.setItem(STORE_KEY, toggle.checked ? "on" : "off"); } catch { /* A choice of this page only. */ }
  });
  opener.hidden = false;
  opener.addEventListener("click", open);

  // Makes the dashboard installable, and has a page to show when the server cannot be reached.
  navigator.serviceWorker?.register("/service-worker.js").catch(() => { /* Only an extra. */ });
})();
