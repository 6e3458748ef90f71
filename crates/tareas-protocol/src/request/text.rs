//! Text lines: a kind and the rest of the line.

use std::borrow::Cow;

use super::{Fault, Refusal, Request, Token, is_name};
use crate::limits::TOKEN_BYTES_MAX;

const LEAVE: [&str; 3] = ["salir", "exit", "quit"];
const HELP: [&str; 2] = ["help", "ayuda"];
/// Before a token. Any other text after it makes it a kind like any other.
const AUTH: [&str; 1] = ["auth"];
const TOKEN: &str = "tr_";
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Decodes a text line. The words of leaving and helping are commands in any case, but just
/// when nothing follows them, and `auth` when a token does.
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
    if is_one_of(&AUTH, kind) && rest.starts_with(TOKEN) && rest.len() <= TOKEN_BYTES_MAX {
        let token = Token::of(Cow::Borrowed(rest));
        return Ok(Request::Auth { token });
    }
    Ok(Request::Text { kind, rest })
}

fn is_one_of(words: &[&str], word: &str) -> bool {
    words.iter().any(|known| known.eq_ignore_ascii_case(word))
}
