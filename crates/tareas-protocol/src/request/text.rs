//! Text lines: a kind and the rest of the line.

use super::{Fault, Refusal, Request, is_name};

const LEAVE: [&str; 3] = ["salir", "exit", "quit"];
const HELP: [&str; 2] = ["help", "ayuda"];
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Decodes a text line. The words of leaving and helping are commands in any case, but just
/// when nothing follows them.
pub(super) fn decode(line: &str) -> Result<Request<'_>, Box<Refusal>> {
    let line = line.trim_start_matches(BYTE_ORDER_MARK).trim();
    let (kind, rest) = line.split_once([' ', '\t']).unwrap_or((line, ""));
    if rest.is_empty() && is_one_of(&LEAVE, kind) {
        return Ok(Request::Leave);
    }
    if rest.is_empty() && is_one_of(&HELP, kind) {
        return Ok(Request::Help);
    }
    if !is_name(kind) {
        return Err(Refusal::of(Fault::not_a_kind(kind)));
    }
    let rest = rest.trim_start();
    Ok(Request::Text { kind, rest })
}

fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}
