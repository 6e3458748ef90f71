//! The newest tasks: state, what was asked, how long it waited and ran, what came of it.

use maud::{Markup, html};
use tareas_core::{Body, Phase, State, Task, Timestamp};
use tareas_protocol::Lang;

use super::numbers::{bytes, clock, duration, instant};
use super::states;
use crate::http::pulse::Picture;
use crate::http::visit::Visit;

/// Characters of a payload or a result that the table shows.
const PREVIEW_CHARS: usize = 80;

/// The table.
pub(super) fn table(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    html! {
        section.panel.latest #latest data-live {
            h2 { (lang.pick("Latest tasks", "Últimas tareas")) }
            @if picture.latest.is_empty() {
                (empty(visit))
            } @else {
                table {
                    thead { tr {
                        th scope="col" { (lang.pick("state", "estado")) }
                        th scope="col" { (lang.pick("task", "tarea")) }
                        th.number scope="col" { (lang.pick("waited", "esperó")) }
                        th.number scope="col" { (lang.pick("ran", "duró")) }
                        th scope="col" { (lang.pick("result", "resultado")) }
                        th.number scope="col" { (lang.pick("at (UTC)", "a las (UTC)")) }
                    } }
                    tbody { @for task in &picture.latest { (row(task, picture.at, lang)) } }
                }
            }
        }
    }
}

fn row(task: &Task, now: Timestamp, lang: Lang) -> Markup {
    let id = task.id().to_string();
    let submitted = task.spec.submitted_at;
    html! {
        tr data-key=(id) {
            td.state-cell { (states::badge(task.phase(), lang)) }
            td.what {
                a href=(format!("/v1/tasks/{id}")) title=(id) { b { (task.spec.kind.as_str()) } }
                " " span.payload { (preview(&task.spec.payload, lang)) }
            }
            td.number.waited data-label=(lang.pick("waited", "esperó")) {
                (span_of(waited(task), lang))
            }
            td.number.ran data-label=(lang.pick("ran", "duró")) { (span_of(ran(task, now), lang)) }
            td.outcome { (outcome(task, lang)) }
            td.number.when {
                time datetime=(instant(submitted)) title=(instant(submitted)) { (clock(submitted)) }
            }
        }
    }
}

fn span_of(span: Option<std::time::Duration>, lang: Lang) -> String {
    span.map_or_else(|| "–".to_owned(), |span| duration(lang, span))
}

/// From acceptance to the start of the last attempt.
pub(super) fn waited(task: &Task) -> Option<std::time::Duration> {
    task.started_at
        .map(|started| started.since(task.spec.submitted_at))
}

/// How long the last attempt ran, or has been running.
pub(super) fn ran(task: &Task, now: Timestamp) -> Option<std::time::Duration> {
    let started = task.started_at?;
    match task.phase() {
        Phase::Running => Some(now.since(started)),
        phase if phase.is_terminal() => Some(task.finished_at?.since(started)),
        _ => None,
    }
}

/// What came of a task, or what it is waiting for.
pub(super) fn outcome(task: &Task, lang: Lang) -> String {
    let failure = || {
        task.failure
            .as_ref()
            .map(|failure| shortened(&failure.message))
    };
    match task.state {
        State::Succeeded => task
            .result
            .as_ref()
            .map_or_else(String::new, |r| preview(r, lang)),
        State::Failed(reason) => failure().unwrap_or_else(|| reason.name().to_owned()),
        State::Cancelled(reason) => reason.name().to_owned(),
        State::Scheduled { due_at } => {
            let at = clock(due_at);
            let due = lang.pick(format!("due at {at}"), format!("para las {at}"));
            failure().map_or(due.clone(), |failure| format!("{due} · {failure}"))
        }
        State::Running(_) if task.cancel_requested => {
            lang.pick("asked to stop", "se pidió parar").to_owned()
        }
        State::Queued { .. } | State::Running(_) => String::new(),
    }
}

/// The beginning of a payload or a result: a string as its content, other JSON as it is.
fn preview(body: &Body, lang: Lang) -> String {
    let text = match body {
        Body::Inline(text) => text,
        Body::Blob(blob) => return bytes(lang, blob.bytes),
    };
    match serde_json::from_slice::<String>(text) {
        Ok(string) => shortened(&string),
        Err(_) => shortened(&String::from_utf8_lossy(text)),
    }
}

/// The first characters, without any that would steer what is shown.
fn shortened(text: &str) -> String {
    let steers = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut characters = text.chars().map(|c| if steers(c) { ' ' } else { c });
    let mut short: String = characters.by_ref().take(PREVIEW_CHARS).collect();
    if characters.next().is_some() {
        short.push('…');
    }
    short
}

fn empty(visit: &Visit) -> Markup {
    let lang = visit.lang;
    let bind = visit
        .server
        .bound()
        .first()
        .or_else(|| visit.server.config.bind.first());
    let (host, port) = bind.map_or(("127.0.0.1".to_owned(), 5000), |bind| {
        let ip = if bind.ip().is_unspecified() {
            "127.0.0.1".to_owned()
        } else {
            bind.ip().to_string()
        };
        (ip, bind.port())
    });
    html! {
        div.empty {
            p { (lang.pick("No tasks yet. Send your first one above, or from a terminal:",
                           "Todavía no hay tareas. Envíe la primera arriba, o desde una terminal:")) }
            pre { code {
                "tareas submit --wait sumar 2 + 2\n"
                "printf 'sumar 2 + 2\\nsalir\\n' | nc " (host) " " (port) "\n"
                "curl -H 'Content-Type: application/json' -H 'Prefer: wait=5' \\\n"
                "     -d '{\"op\":\"square\",\"n\":5}' http://" (host) ":" (port) "/v1/tasks"
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_are_short_and_steer_nothing() {
        let inline = |text: &'static str| Body::Inline(text.into());
        assert_eq!(preview(&inline("\"a\\nb\""), Lang::En), "a b");
        assert_eq!(preview(&inline("{\"n\":5}"), Lang::En), "{\"n\":5}");
        assert_eq!(shortened("a\u{202e}b"), "a b");
        let long = "ñ".repeat(200);
        assert_eq!(shortened(&long).chars().count(), PREVIEW_CHARS + 1);
    }
}
