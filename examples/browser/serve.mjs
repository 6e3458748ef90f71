/**
 * Puts a page and a tareas server behind one origin, as any web server or balancer would.
 *
 *     node serve.mjs [PORT] [HOST:PORT of tareas]
 *
 * `/v1/` goes to tareas, WebSocket included; everything else is files. The `Host` of the browser
 * is passed on as it is: tareas compares it with the `Origin` of the page.
 */

import { createReadStream } from "node:fs";
import http from "node:http";
import net from "node:net";

const [port = "8080", tareas = "127.0.0.1:5000"] = process.argv.slice(2);
const [host, tareasPort] = tareas.split(":");

const SDK = "../../clients/js/src/";
const TYPES = { html: "text/html; charset=utf-8", css: "text/css", js: "text/javascript" };
const PAGE = { "/": "index.html", "/app.js": "app.js", "/style.css": "style.css" };

/** The file for a path: those of the page by name, those of the package by their form. */
function fileOf(path) {
  const part = path.match(/^\/tareas\/([a-z0-9]+\.js)$/)?.[1];
  const file = part === undefined ? PAGE[path] : SDK + part;
  return file && new URL(file, import.meta.url);
}

const server = http.createServer((request, response) => {
  if (request.url.startsWith("/v1/")) {
    const { method, url: path, headers } = request;
    const passed = http.request({ host, port: tareasPort, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.writeHead(502).end());
    response.on("close", () => passed.destroy());
    return void request.pipe(passed);
  }
  const file = fileOf(request.url);
  if (file === undefined) {
    return void response.writeHead(404).end();
  }
  const stream = createReadStream(file);
  stream.once("error", () => response.writeHead(404).end());
  stream.once("open", () => {
    response.setHeader("Content-Type", TYPES[file.pathname.split(".").pop()]);
    stream.pipe(response);
  });
});

server.on("upgrade", (request, browser, head) => {
  const upstream = net.connect(Number(tareasPort), host, () => {
    const { rawHeaders } = request;
    let text = `${request.method} ${request.url} HTTP/1.1\r\n`;
    for (let at = 0; at < rawHeaders.length; at += 2) {
      text += `${rawHeaders[at]}: ${rawHeaders[at + 1]}\r\n`;
    }
    upstream.write(`${text}\r\n`);
    upstream.write(head);
    upstream.pipe(browser).pipe(upstream);
  });
  upstream.on("error", () => browser.destroy());
  browser.on("error", () => upstream.destroy());
});

server.listen(Number(port), "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/`));
