/**
 * One connection that carries lines: over TCP or TLS in Node, over a WebSocket in a browser.
 *
 * A link says `onLines(lines)` for what comes and `onClose()` once at its end, whatever ends it.
 */

import { ConnectionLost } from "./errors.js";

const KEEPALIVE_MS = 30_000;
/** The server's own limit is 8 MiB, and a character may have three bytes. */
const MESSAGE_CHARS = 2 * 1024 * 1024;
/** How long what was said last may take to leave. */
const PARTING_MS = 1_000;

/**
 * Opens a link.
 *
 * @param {ReturnType<import("./address.js").parseAddress>} address
 * @param {{ timeout: number, ca?: string, onLines: (lines: string[]) => void, onClose: () => void }} options
 * @returns {Promise<{ send(lines: string): void, close(): void }>}
 */
export async function openLink(address, options) {
  return address.overTcp ? openTcp(address, options) : openSocket(address, options);
}

async function openTcp(address, { timeout, ca, onLines, onClose }) {
  const { isSecure, host, port } = address;
  const net = await import(isSecure ? "node:tls" : "node:net");
  // With TLS the certificate is checked against `ca`, or what Node trusts, and the host.
  const stream = net.connect({ host, port, noDelay: true, ...(isSecure && ca !== undefined && { ca }) });
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => stream.destroy(new Error("it does not answer")), timeout);
    const settle = (go) => (given) => {
      clearTimeout(timer);
      go(given);
    };
    stream.once(isSecure ? "secureConnect" : "connect", settle(resolve));
    stream.once("error", settle((error) => reject(unreachable(address, error))));
  });
  stream.removeAllListeners("error");
  // The end that follows an error tells enough.
  stream.on("error", () => {});
  stream.setNoDelay(true);
  stream.setKeepAlive(true, KEEPALIVE_MS);
  stream.setEncoding("utf8");
  const cut = lineCutter(onLines);
  stream.on("data", cut);
  stream.once("close", onClose);
  return {
    send: (lines) => void stream.write(lines),
    close: () => {
      stream.end();
      unref(setTimeout(() => stream.destroy(), PARTING_MS));
    },
  };
}

async function openSocket(address, { timeout, onLines, onClose }) {
  if (typeof WebSocket === "undefined") {
    throw new ConnectionLost("this Node has no WebSocket (22 has): use a tcp:// address");
  }
  const socket = new WebSocket(address.socket);
  await new Promise((resolve, reject) => {
    const fail = () => {
      clearTimeout(timer);
      reject(unreachable(address));
    };
    const timer = setTimeout(() => {
      socket.close();
      fail();
    }, timeout);
    socket.onopen = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
    socket.onerror = fail;
    socket.onclose = fail;
  });
  const ended = once(onClose);
  socket.onerror = null;
  socket.onclose = ended;
  socket.onmessage = ({ data }) => onLines(data.split("\n"));
  return {
    send: (lines) => {
      for (const message of messages(lines)) {
        if (socket.readyState === WebSocket.OPEN) socket.send(message);
      }
    },
    close: () => {
      socket.close();
      // Without a network its own end comes much later.
      unref(setTimeout(ended, PARTING_MS));
    },
  };
}

/**
 * Asks over HTTP.
 *
 * @returns {Promise<{ ok: boolean, json(): Promise<any> }>}
 */
export async function ask(address, path, { headers, timeout, ca }) {
  const url = address.base + path;
  if (!address.isSecure || ca === undefined) {
    return fetch(url, { headers, signal: AbortSignal.timeout(timeout) });
  }
  // Only this one takes certificates.
  const https = await import("node:https");
  return new Promise((resolve, reject) => {
    const request = https.get(url, { headers, ca, signal: AbortSignal.timeout(timeout) }, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.once("error", reject);
      response.once("end", () => {
        const ok = response.statusCode >= 200 && response.statusCode < 300;
        resolve({ ok, json: async () => JSON.parse(Buffer.concat(parts).toString("utf8")) });
      });
    });
    request.once("error", reject);
  });
}

/** Cuts what comes into lines. */
function lineCutter(onLines) {
  let parts = [];
  return (chunk) => {
    if (!chunk.includes("\n")) {
      parts.push(chunk);
      return;
    }
    const lines = chunk.split("\n");
    lines[0] = parts.join("") + lines[0];
    const rest = lines.pop();
    parts = rest === "" ? [] : [rest];
    onLines(lines);
  };
}

function once(call) {
  let isDone = false;
  return () => {
    if (!isDone) {
      isDone = true;
      call();
    }
  };
}

/** Whole lines, in messages that a server takes. */
function* messages(lines) {
  let start = 0;
  while (lines.length - start > MESSAGE_CHARS) {
    const end = lines.lastIndexOf("\n", start + MESSAGE_CHARS) + 1;
    if (end <= start) break;
    yield lines.slice(start, end);
    start = end;
  }
  yield lines.slice(start);
}

/** In Node a timer that is not worth staying for. */
function unref(timer) {
  timer.unref?.();
}

function unreachable(address, cause) {
  const why = cause?.message ? `: ${cause.message}` : "";
  return new ConnectionLost(`no server at ${address.text}${why}`, { cause });
}

/**
 * How long to wait before the next try to connect: longer each time, and by chance, so that those
 * who lost one server do not come back as one.
 */
export function pauseMs(attempt, mostMs) {
  return Math.min(mostMs, 100 * 2 ** Math.min(attempt, 10)) * (0.2 + 0.8 * Math.random());
}

/** Waits for so many milliseconds, or until `signal` is aborted. */
export function sleep(ms, signal) {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      resolve(undefined);
    };
    const timer = setTimeout(end, ms);
    if (signal?.aborted) {
      end();
    } else {
      signal?.addEventListener("abort", end);
    }
  });
}
