//! The task that was sent with the form, and how far it has travelled.

use maud::{Markup, html};
use tareas_core::{Phase, Task, TaskId};

use super::latest::{outcome, ran, waited};
use super::numbers::{clock, duration};
use super::states;
use super::words::task_link;
use crate::http::visit::Visit;

/// The place of the card while no task was sent.
pub(super) fn nothing() -> Markup {
    html! { section.sent #sent hidden {} }
}

/// The card of one task.
pub(super) async fn card(visit: &Visit, id: TaskId) -> Markup {
    match visit.server.engine.task(id).await {
        Ok(Some(task)) => steps(visit, &task),
        Ok(None) | Err(_) => nothing(),
    }
}

fn steps(visit: &Visit, task: &Task) -> Markup {
    let lang = visit.lang;
    let phase = task.phase();
    let has_started = task.started_at.is_some();
    let now = visit.server.engine.now();
    let is_under_way = !phase.is_terminal();
    html! {
        section.panel.sent #sent tabindex="-1" data-at=(phase.name())
            data-poll[is_under_way] {
            h2 { (lang.pick("Your task", "Su tarea")) " " (task_link(task.id())) }
            ol.steps {
                li.done {
                    b { (lang.pick("accepted", "aceptada")) }
                    span { (clock(task.spec.submitted_at)) " UTC" }
                }
                li.done[has_started].now[phase == Phase::Queued || phase == Phase::Scheduled] {
                    b { (lang.pick("waited", "esperó")) }
                    span { (waited(task).map_or("…".to_owned(), |time| duration(lang, time))) }
                }
                li.done[phase.is_terminal()].now[phase == Phase::Running] {
                    b { (lang.pick("ran", "duró")) }
                    span { (ran(task, now).map_or("…".to_owned(), |time| duration(lang, time))) }
                }
                li.done[phase.is_terminal()] {
                    b { (states::badge(phase, lang)) }
                    span.outcome { (outcome(task, lang, &visit.server.config.redaction)) }
                }
            }
        }
    }
}
