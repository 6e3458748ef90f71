//! The newest tasks: state, what was asked, how long it waited and ran, what came of it.

use maud::{Markup, html};
use tareas_core::{Phase, State, Task, Timestamp};
use tareas_protocol::Lang;

use super::numbers::{clock, duration, instant};
use super::words::{preview, shortened};
use super::{Scene, states};
use crate::Redaction;

/// The table.
pub(super) fn table(scene: &Scene<'_>) -> Markup {
    let (lang, picture) = (scene.lang, &scene.picture);
    html! {
        section.panel.latest #latest data-live {
            h2 { (lang.pick("Latest tasks", "Últimas tareas")) }
            @if picture.latest.is_empty() {
                (empty(scene))
            } @else {
                (rows(&picture.latest, picture.at, scene))
                p.more { a href="/tasks" { (lang.pick("All tasks", "Todas las tareas")) " →" } }
            }
        }
    }
}

/// Tasks, one a row.
pub(super) fn rows(tasks: &[Task], now: Timestamp, scene: &Scene<'_>) -> Markup {
    let lang = scene.lang;
    html! {
        table.tasks {
            thead { tr {
                th scope="col" { (lang.pick("state", "estado")) }
                th scope="col" { (lang.pick("task", "tarea")) }
                th.number scope="col" { (lang.pick("waited", "esperó")) }
                th.number scope="col" { (lang.pick("ran", "duró")) }
                th scope="col" { (lang.pick("result", "resultado")) }
                th.number scope="col" { (lang.pick("at (UTC)", "a las (UTC)")) }
            } }
            tbody { @for task in tasks { (row(task, now, scene)) } }
        }
    }
}

fn row(task: &Task, now: Timestamp, scene: &Scene<'_>) -> Markup {
    let (lang, redaction) = (scene.lang, &scene.server.config.redaction);
    let id = task.id().to_string();
    let submitted = task.spec.submitted_at;
    html! {
        tr data-key=(id) {
            td.state-cell { (states::badge(task.phase(), lang)) }
            td.what {
                a href=(format!("/tasks/{id}")) title=(id) { b { (task.spec.kind.as_str()) } }
                " " span.payload { (preview(&task.spec.payload, lang, redaction)) }
            }
            td.number.waited data-label=(lang.pick("waited", "esperó")) {
                (span_of(waited(task), lang))
            }
            td.number.ran data-label=(lang.pick("ran", "duró")) { (span_of(ran(task, now), lang)) }
            td.outcome { (outcome(task, lang, redaction)) }
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
pub(super) fn outcome(task: &Task, lang: Lang, redaction: &Redaction) -> String {
    let failure = || {
        task.failure
            .as_ref()
            .map(|failure| shortened(&failure.message))
    };
    match task.state {
        State::Succeeded => task
            .result
            .as_ref()
            .map_or_else(String::new, |r| preview(r, lang, redaction)),
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

/// The address to give in examples.
pub(super) fn address(scene: &Scene<'_>) -> (String, u16) {
    let server = scene.server;
    let bind = server
        .bound()
        .first()
        .or_else(|| server.config.bind.first());
    bind.map_or(("127.0.0.1".to_owned(), 5000), |bind| {
        let ip = bind.ip();
        let is_any = ip.is_unspecified();
        let host = if is_any {
            "127.0.0.1".to_owned()
        } else {
            ip.to_string()
        };
        (host, bind.port())
    })
}

fn empty(scene: &Scene<'_>) -> Markup {
    let lang = scene.lang;
    let (host, port) = address(scene);
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
