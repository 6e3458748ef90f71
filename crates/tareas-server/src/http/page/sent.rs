//! The task that was sent with the form, and how far it has travelled.

use maud::{Markup, html};
use tareas_core::{Phase, Task, TaskId};

use super::latest::{outcome, ran, waited};
use super::numbers::{clock, duration};
use super::states;
use crate::http::visit::Visit;

/// The place of the card while no task was sent.
pub(super) fn nothing() -> Markup {
    html! { section.sent #sent data-live hidden {} }
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
    let id = task.id().to_string();
    html! {
        section.panel.sent #sent data-live tabindex="-1" {
            h2 {
                (lang.pick("Your task", "Su tarea")) " "
                a.id href=(format!("/v1/tasks/{id}")) title=(id) {
                    "…" (id.get(28..).unwrap_or_default())
                }
            }
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
                    span.outcome { (outcome(task, lang)) }
                }
            }
        }
    }
}
