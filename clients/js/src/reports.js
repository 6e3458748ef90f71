/**
 * What a worker has said and must not be lost: reports, many to a line, each line kept until the
 * server says that it is recorded.
 */

import { dumps, pieces } from "./json.js";

const LINE_ITEMS = 512;
const LINE_CHARS = 256 * 1024;
const PIECE_CHARS = 128 * 1024;
/** A multiple of three, so that pieces of Base64 need no padding between them. */
const PIECE_BYTES = 96 * 1024;
const MESSAGE_CHARS = 4_000;
const STACK_CHARS = 16_000;

/** The reports of one worker. */
export class Reports {
  #items = [];
  /** Lines that are not answered, in order. */
  #sent = [];
  #next = 1;

  /** Whether there is something that no line carries yet. */
  get isWaiting() {
    return this.#items.length > 0;
  }

  /** Adds a report about what `held` stands for; `ends` when it settles the attempt. */
  add(held, command, members = {}, ends = false) {
    const about = { task_id: held.task_id, attempt: held.attempt, lease: held.lease };
    let text = dumps({ cmd: command, ...about, ...members });
    if (command === "done" && text.length > LINE_CHARS) {
      const { result, ...rest } = members;
      for (const chunk of pieces(dumps(result), PIECE_CHARS)) {
        this.#items.push({ text: dumps({ cmd: "output", ...about, chunk }), isPiece: true });
      }
      text = dumps({ cmd: command, ...about, ...rest });
    }
    this.#items.push({ text, held: ends ? held : undefined, isDone: command === "done" });
  }

  /** Adds files that go with the result that follows. */
  addFiles(held, files) {
    const about = { task_id: held.task_id, attempt: held.attempt, lease: held.lease };
    for (const [name, { type, bytes }] of files) {
      for (let start = 0; start === 0 || start < bytes.length; start += PIECE_BYTES) {
        const chunk = base64(bytes.subarray(start, start + PIECE_BYTES));
        this.#items.push({ text: dumps({ cmd: "artifact", ...about, name, type, chunk }), isPiece: true });
      }
    }
  }

  /** Closes what was said into lines. */
  takeLines() {
    const lines = [];
    const hasPieces = this.#items.some((item) => item.isPiece);
    let start = 0;
    while (start < this.#items.length) {
      const items = [];
      for (let chars = 0; start < this.#items.length && items.length < LINE_ITEMS; start += 1) {
        chars += this.#items[start].text.length;
        if (items.length > 0 && chars > LINE_CHARS) {
          break;
        }
        items.push(this.#items[start]);
      }
      const texts = items.map((item) => item.text).join(",");
      const line = { ref: this.#next++, text: `{"cmd":"many","items":[${texts}]` };
      line.text += `,"ref":${line.ref}}\n`;
      line.endings = items.filter((item) => item.held !== undefined);
      this.#sent.push(line);
      lines.push(line);
    }
    this.#items = [];
    // A server keeps pieces for a connection only: they are said again until all is recorded.
    lines.forEach((line) => {
      line.until = hasPieces ? this.#next - 1 : line.ref;
    });
    return lines.map((line) => line.text);
  }

  /** All lines that are not answered. */
  unanswered() {
    return this.#sent.map((line) => line.text);
  }

  /** A line is answered: what it settled. Lines are answered in order. */
  answered(ref) {
    const settled = [];
    while (this.#sent.length > 0 && this.#sent[0].until <= ref) {
      settled.push(...this.#sent.shift().endings);
    }
    return settled;
  }
}

function base64(bytes) {
  if (globalThis.Buffer !== undefined) {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
  }
  let text = "";
  for (let start = 0; start < bytes.length; start += 8_192) {
    text += String.fromCharCode(...bytes.subarray(start, start + 8_192));
  }
  return btoa(text);
}

/** What went wrong in a handler, as the server takes it. */
export function failure(error) {
  const isError = error instanceof Error;
  return {
    name: String(isError ? error.name : typeof error).slice(0, 128),
    message: String(isError ? error.message : error).slice(0, MESSAGE_CHARS),
    backtrace: String(isError ? error.stack ?? "" : "").slice(0, STACK_CHARS),
  };
}
