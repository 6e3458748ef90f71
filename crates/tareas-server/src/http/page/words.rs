//! Small pieces that many pages show: an error, a note, a task's short id, a preview of a text.

use maud::{Markup, html};
use tareas_core::{Body, TaskId};
use tareas_protocol::{ErrorObject, Lang};

use super::numbers::bytes;
use crate::Redaction;

/// Characters of a payload or a result that lists show.
const PREVIEW_CHARS: usize = 80;

/// What is wrong, why, and what to do.
pub(super) fn alert(error: &ErrorObject, lang: Lang) -> Markup {
    let code = format!("TAR-{:04}", error.number);
    html! {
        p.error role="alert" {
            "✕ " (error.message) " "
            a href=(format!("/errors/{code}?lang={}", lang.as_str())) { (code) }
            @if !error.hint.is_empty() { br; span.fine-print { (error.hint) } }
        }
    }
}

/// A link to a task by the end of its id, by which people know it.
pub(super) fn task_link(id: TaskId) -> Markup {
    let id = id.to_string();
    html! {
        a.id href=(format!("/tasks/{id}")) title=(id) { "…" (id.get(28..).unwrap_or_default()) }
    }
}

/// The beginning of a payload or a result: a string as its content, other JSON as it is.
pub(super) fn preview(body: &Body, lang: Lang, redaction: &Redaction) -> String {
    let text = match body {
        Body::Inline(text) => text,
        Body::Blob(blob) => return bytes(lang, blob.bytes),
    };
    match serde_json::from_slice::<String>(text) {
        Ok(string) => shortened(&string),
        Err(_) => shortened(&String::from_utf8_lossy(&redaction.hide(text))),
    }
}

/// The first characters, without any that would steer what is shown.
pub(super) fn shortened(text: &str) -> String {
    let mut characters = text
        .chars()
        .map(|c| if steers(c) || c == '\n' { ' ' } else { c });
    let mut short: String = characters.by_ref().take(PREVIEW_CHARS).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

/// A text of several lines, without what would steer how it is shown.
pub(super) fn harmless(text: &str) -> String {
    let shown = |c: char| {
        if steers(c) && c != '\t' {
            '\u{fffd}'
        } else {
            c
        }
    };
    text.chars().map(shown).collect()
}

fn steers(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_short_and_steer_nothing() {
        let inline = |text: &'static str| Body::Inline(text.into());
        assert_eq!(
            preview(&inline("\"a\\nb\""), Lang::En, &Redaction::default()),
            "a b"
        );
        assert_eq!(
            preview(&inline("{\"n\":5}"), Lang::En, &Redaction::default()),
            "{\"n\":5}"
        );
        assert_eq!(shortened("a\u{202e}b"), "a b");
        let long = "ñ".repeat(200);
        assert_eq!(shortened(&long).chars().count(), PREVIEW_CHARS + 1);
        assert_eq!(harmless("a\n\tb\u{1b}[0m"), "a\n\tb\u{fffd}[0m");
    }
}
