/** JSON as the server takes it. */

const LONE_SURROGATE = /\\ud[89a-f]/;

/**
 * One JSON text without line breaks. `undefined` is `null`, and half of a surrogate pair, which
 * no UTF-8 can hold, is U+FFFD.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function dumps(value) {
  const text = JSON.stringify(value === undefined ? null : value);
  if (text === undefined) {
    throw new TypeError("a function or symbol cannot be sent");
  }
  return LONE_SURROGATE.test(text) ? JSON.stringify(value, (_, part) => wellFormed(part)) : text;
}

function wellFormed(part) {
  return typeof part === "string" ? new TextDecoder().decode(new TextEncoder().encode(part)) : part;
}

/**
 * Reads lines of JSON. A goodbye of the server may be text, which answers nothing.
 *
 * @param {string[]} lines
 * @param {(said: any) => void} take
 */
export function eachObject(lines, take) {
  for (const line of lines) {
    if (line.startsWith("{")) {
      take(JSON.parse(line));
    }
  }
}

/**
 * Cuts a text into pieces of about `length`, never between the halves of a surrogate pair.
 *
 * @param {string} text
 * @param {number} length
 */
export function* pieces(text, length) {
  for (let start = 0; start < text.length; ) {
    let end = Math.min(start + length, text.length);
    const last = text.charCodeAt(end - 1);
    if (end < text.length && last >= 0xd800 && last < 0xdc00) {
      end -= 1;
    }
    yield text.slice(start, end);
    start = end;
  }
}
