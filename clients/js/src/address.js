/** Where a server is, and what is spoken to it. */

const PORT = "5000";
const SCHEMES = new Map([
  ["tcp:", "http:"],
  ["tls:", "https:"],
  ["http:", "http:"],
  ["ws:", "http:"],
  ["https:", "https:"],
  ["wss:", "https:"],
]);

/**
 * Reads `tcp://HOST:PORT` or `tls://HOST:PORT` (Node), `ws://…` or `http://…` (a browser, or Node from 22 on).
 *
 * @param {string} text
 */
export function parseAddress(text) {
  const full = String(text).includes("://") ? String(text) : `tcp://${text}`;
  const scheme = full.slice(0, full.indexOf("//"));
  const web = SCHEMES.get(scheme);
  if (web === undefined) {
    throw new TypeError(`'${scheme}//' is not spoken here: tcp://HOST:PORT, tls://HOST:PORT, ws:// or http://`);
  }
  // Only for web schemes do all platforms take a URL apart in the same way.
  const url = new URL(web + full.slice(scheme.length));
  const overTcp = scheme === "tcp:" || scheme === "tls:";
  const port = url.port || (overTcp ? PORT : "");
  const path = url.pathname.replace(/\/$/, "");
  return {
    text: full,
    overTcp,
    /** Whether the server has to prove its name. */
    isSecure: scheme === "tls:",
    host: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(port),
    /** The base of HTTP requests. */
    base: `${web}//${url.hostname}${port && `:${port}`}${path}`,
    /** The path of the WebSocket follows the base. */
    socket: `${web === "https:" ? "wss:" : "ws:"}//${url.hostname}${port && `:${port}`}${path}/v1/socket`,
  };
}
