//! The workers: every thread, and what it runs.

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_engine::Running;

use super::numbers::duration;
use super::words::task_link;
use super::{Scene, Sheet, Tab, document};
use crate::http::live::View;
use crate::http::operate::OWN_POOL;
use crate::http::problem::Answer;
use crate::http::visit::{Query, Visit};

/// Threads whose cell on the map says what they run.
const NAMED_CELLS: usize = 8;
/// Threads that have a cell of their own; beyond it a bar stands for all.
const CELLS_SHOWN: usize = 32;
/// Threads that this page lists.
const THREADS_SHOWN: usize = 256;

/// `GET /workers`.
pub(in crate::http) async fn workers(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let scene = Scene::of(&visit).await;
    let title = visit.lang.pick("Workers", "Trabajadores");
    let body = html! { h1 { (title) } (list(&scene)) };
    let sheet = Sheet {
        title,
        tab: Tab::Workers,
        view: View::Workers,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

/// Every worker: until others can connect, the server's own pool.
pub(super) fn list(scene: &Scene<'_>) -> Markup {
    let lang = scene.lang;
    let (busy, all) = (scene.picture.running.len(), scene.picture.threads);
    html! {
        section.panel #worker-list data-live {
            h2 {
                (OWN_POOL) " · " (lang.pick("threads of this server", "hilos de este servidor"))
                " · " (busy) "/" (all) " " (lang.pick("busy", "ocupados"))
            }
            @if all == 0 {
                p.empty { (lang.pick("This server runs nothing itself. Give it threads:",
                                     "Este servidor no ejecuta nada. Dele hilos:"))
                    " " code { "tareas serve --threads 4" } }
            } @else {
                ul.thread-list {
                    @for number in 0..all.min(THREADS_SHOWN) { (thread(scene, number)) }
                }
                @if all > THREADS_SHOWN { p.fine-print { "+" (all - THREADS_SHOWN) } }
            }
        }
    }
}

fn thread(scene: &Scene<'_>, number: usize) -> Markup {
    let lang = scene.lang;
    html! {
        li data-key={ "t" (number) } class=(if running(scene, number).is_some() { "busy" } else { "idle" }) {
            span.thread-number { "#" (number) }
            @match running(scene, number) {
                Some(running) => {
                    b { (running.kind) } (task_link(running.task))
                    @if running.attempt > 1 {
                        span.fine-print { (lang.pick("attempt ", "intento ")) (running.attempt) }
                    }
                    span.elapsed { (duration(lang, running.since)) }
                }
                None => span.fine-print { (lang.pick("idle", "libre")) },
            }
        }
    }
}

/// The threads on the map: one cell each, with what it runs where there is room to say it.
pub(super) fn cells(scene: &Scene<'_>) -> Markup {
    let (busy, all) = (scene.picture.running.len(), scene.picture.threads);
    if all > CELLS_SHOWN {
        return html! { meter.cells min="0" max=(all) value=(busy) { (busy) "/" (all) } };
    }
    let is_named = all <= NAMED_CELLS;
    html! {
        ul.cells.named[is_named] {
            @for number in 0..all { (cell(scene, number, is_named)) }
        }
    }
}

fn cell(scene: &Scene<'_>, number: usize, is_named: bool) -> Markup {
    let idle = scene.pick("idle", "libre");
    let Some(running) = running(scene, number) else {
        return html! {
            li data-key={ "c" (number) } title={ "#" (number) " " (idle) } {
                @if is_named { span { (idle) } }
            }
        };
    };
    let elapsed = duration(scene.lang, running.since);
    html! {
        li.busy data-key={ "c" (number) } title={ "#" (number) " " (running.kind) " " (elapsed) } {
            a href=(format!("/tasks/{}", running.task)) {
                @if is_named { b { (running.kind) } span { (elapsed) } }
                @else { span.aside { (running.kind) } }
            }
        }
    }
}

fn running<'s>(scene: &'s Scene<'_>, number: usize) -> Option<&'s Running> {
    let slot = scene
        .picture
        .running
        .iter()
        .find(|slot| slot.slot == number)?;
    slot.running.as_ref()
}
