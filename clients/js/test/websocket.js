/**
 * `WebSocket` as browsers have it, for the versions of Node that lack it: as much of RFC 6455 as
 * the package uses. Importing this file makes it global where it is missing.
 */

import { createHash, randomBytes } from "node:crypto";
import http from "node:http";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

class PlainWebSocket {
  static OPEN = 1;
  readyState = 0;
  #rest = Buffer.alloc(0);
  #stream;

  constructor(url) {
    const key = randomBytes(16).toString("base64");
    const headers = { Origin: new URL(url.replace(/^ws/, "http")).origin, Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Key": key, "Sec-WebSocket-Version": "13" };
    const asked = http.get(url.replace(/^ws/, "http"), { headers });
    asked.once("upgrade", (answer, stream, head) => {
      const accept = createHash("sha1").update(key + GUID).digest("base64");
      if (answer.headers["sec-websocket-accept"] !== accept) {
        return stream.destroy();
      }
      this.#stream = stream;
      this.readyState = 1;
      stream.on("data", (chunk) => this.#read(chunk));
      stream.on("error", () => {});
      stream.once("close", () => this.#ended());
      this.onopen?.();
      this.#read(head);
    });
    asked.once("response", (answer) => answer.destroy() && this.#ended());
    asked.once("error", () => this.#ended());
  }

  send(text) {
    this.#frame(TEXT, Buffer.from(text));
  }

  close() {
    if (this.readyState === 1) {
      this.readyState = 2;
      this.#frame(CLOSE, Buffer.from([0x03, 0xe8]));
    }
  }

  #ended() {
    if (this.readyState !== 3) {
      this.readyState = 3;
      this.onclose?.();
    }
  }

  #frame(opcode, payload) {
    const short = payload.length < 126 ? payload.length : payload.length < 65_536 ? 126 : 127;
    const head = [Buffer.from([0x80 | opcode, 0x80 | short])];
    if (short === 126) {
      head.push(Buffer.alloc(2));
      head[1].writeUInt16BE(payload.length);
    } else if (short === 127) {
      head.push(Buffer.alloc(8));
      head[1].writeBigUInt64BE(BigInt(payload.length));
    }
    const mask = randomBytes(4);
    const masked = payload.map((byte, at) => byte ^ mask[at % 4]);
    this.#stream.write(Buffer.concat([...head, mask, masked]));
  }

  /** Frames as a server sends them: whole messages, not masked. */
  #read(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      const rest = this.#rest;
      if (rest.length < 2) {
        return;
      }
      const short = rest[1] & 0x7f;
      const at = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (rest.length < at) {
        return;
      }
      const length = short < 126 ? short : short === 126 ? rest.readUInt16BE(2) : Number(rest.readBigUInt64BE(2));
      if (rest.length < at + length) {
        return;
      }
      this.#rest = rest.subarray(at + length);
      this.#take(rest[0] & 0x0f, rest.subarray(at, at + length));
    }
  }

  #take(opcode, payload) {
    if (opcode === TEXT) {
      this.onmessage?.({ data: payload.toString() });
    } else if (opcode === PING) {
      this.#frame(PONG, payload);
    } else if (opcode === CLOSE) {
      this.close();
      this.#stream.end();
    }
  }
}

globalThis.WebSocket ??= PlainWebSocket;
