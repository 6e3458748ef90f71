/**
 * One connection that carries lines: over TCP in Node, over a WebSocket in a browser.
 *
 * A link says `onLines(lines)` for what comes and `onClose()` once at its end, whatever ends it.
 */

import { ConnectionLost } from "./errors.js";

const KEEPALIVE_MS = 30_000;
/** How long what was said last may take to leave. */
const PARTING_MS = 1_000;

/**
 * Opens a link.
 *
 * @param {ReturnType<import("./address.js").parseAddress>} address
 * @param {{ timeout: number, onLines: (lines: string[]) => void, onClose: () => void }} options
 * @returns {Promise<{ send(lines: string): void, close(): void }>}
 */
export async function openLink(address, options) {
  return address.overTcp ? openTcp(address, options) : openSocket(address, options);
}

async function openTcp(address, { timeout, onLines, onClose }) {
  const net = await import("node:net");
  const stream = net.createConnection({ host: address.host, port: address.port, noDelay: true });
  await new Promise((resolve, reject) => {
    const timer = setTimeout(() => stream.destroy(new Error("it does not answer")), timeout);
    const settle = (go) => (given) => {
      clearTimeout(timer);
      go(given);
    };
    stream.once("connect", settle(resolve));
    stream.once("error", settle((error) => reject(unreachable(address, error))));
  });
  stream.removeAllListeners("error");
  // The end that follows an error tells enough.
  stream.on("error", () => {});
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
    send: (lines) => socket.readyState === WebSocket.OPEN && socket.send(lines),
    close: () => {
      socket.close();
      // Without a network its own end comes much later.
      unref(setTimeout(ended, PARTING_MS));
    },
  };
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
