/** Task ids: UUIDs of version 7, in order within one process. */

// Node 18 has it under another name only.
const source = globalThis.crypto ?? (await import("node:crypto")).webcrypto;

const COUNT_BITS = 26;
let lastMs = 0;
let count = 0;

/**
 * A new id. Every task has one before it is sent, so sending it again makes no second task.
 *
 * @returns {string}
 */
export function uuid7() {
  const chance = source.getRandomValues(new Uint8Array(9));
  let ms = Date.now();
  if (ms > lastMs) {
    // Room above it for many more within the same millisecond.
    count = (chance[6] << 12) | (chance[7] << 4) | (chance[8] >> 4);
  } else {
    ms = lastMs;
    count += 1;
    if (count >= 2 ** COUNT_BITS) {
      ms += 1;
      count = 0;
    }
  }
  lastMs = ms;
  const time = ms.toString(16).padStart(12, "0");
  const high = (0x7000 | (count >>> 14)).toString(16);
  const low = (0x8000 | (count & 0x3fff)).toString(16);
  const rest = Array.from(chance.subarray(0, 6), (byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${time.slice(0, 8)}-${time.slice(8)}-${high}-${low}-${rest}`;
}
