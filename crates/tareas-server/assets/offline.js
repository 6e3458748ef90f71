// Looks whether the server answers again, and then loads what was asked for.
"use strict";

(() => {
  const AGAIN_MS = 2000;
  const REQUEST_MS = 5000;

  async function look() {
    try {
      const answer = await fetch("/livez", { cache: "no-store", signal: AbortSignal.timeout(REQUEST_MS) });
      if (answer.ok) { location.reload(); return; }
    } catch { /* Not yet. */ }
    setTimeout(look, AGAIN_MS);
  }

  for (const since of document.querySelectorAll("time")) since.textContent = new Date().toLocaleTimeString();
  setTimeout(look, AGAIN_MS);
})();
