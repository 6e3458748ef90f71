//! Answers about the connection itself.

use super::append_tail;
use crate::json::{append_string, append_u64};
use crate::time::append_instant;

/// Who the server is and what it can do.
#[derive(Debug, Clone, Copy)]
pub struct Hello<'a> {
    /// Its version.
    pub version: &'a str,
    /// What it offers besides the protocol itself.
    pub features: &'a [&'a str],
    /// How many workers there are, its own pool included.
    pub workers: u64,
    /// How many threads these have together.
    pub threads: u64,
    /// Its time, in microseconds since 1970.
    pub now_us: i64,
    /// How many lines a connection may have unanswered.
    pub open_max: u64,
}

/// The version of the protocol.
const PROTOCOL: u64 = 1;

impl Hello<'_> {
    /// Appends the answer to `hello`.
    pub fn append_to(&self, out: &mut Vec<u8>, reference: Option<&str>) {
        out.extend_from_slice(b"{\"server\":\"tareas\",\"version\":");
        append_string(out, self.version);
        out.extend_from_slice(b",\"protocol\":");
        append_u64(out, PROTOCOL);
        out.extend_from_slice(b",\"features\":");
        append_words(out, self.features);
        out.extend_from_slice(b",\"workers\":");
        append_u64(out, self.workers);
        out.extend_from_slice(b",\"threads\":");
        append_u64(out, self.threads);
        out.extend_from_slice(b",\"now\":");
        append_instant(out, self.now_us);
        out.extend_from_slice(b",\"open_max\":");
        append_u64(out, self.open_max);
        append_tail(out, reference);
    }
}

/// Appends the answer to `ping`.
pub fn append_pong(out: &mut Vec<u8>, reference: Option<&str>) {
    out.extend_from_slice(b"{\"pong\":true");
    append_tail(out, reference);
}

/// Appends the answer to `auth` when the token is good.
pub fn append_authenticated(out: &mut Vec<u8>, roles: &[&str], reference: Option<&str>) {
    out.extend_from_slice(b"{\"authenticated\":true,\"roles\":");
    append_words(out, roles);
    append_tail(out, reference);
}

fn append_words(out: &mut Vec<u8>, words: &[&str]) {
    out.push(b'[');
    for (index, word) in words.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        append_string(out, word);
    }
    out.push(b']');
}
