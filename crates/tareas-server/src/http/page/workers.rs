//! The workers: every place where tasks run, every thread there, and what it runs.

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};

use super::crews::{Crew, Work, crews};
use super::numbers::duration;
use super::words::task_link;
use super::{Scene, Sheet, Tab, document};
use crate::http::live::View;
use crate::http::problem::Answer;
use crate::http::visit::{Query, Visit};

/// Threads whose cell on the map says what they run.
const NAMED_CELLS: usize = 8;
/// Threads that have a cell of their own; beyond it a bar stands for all.
const CELLS_SHOWN: usize = 32;
/// Threads of one crew that this page lists.
const THREADS_SHOWN: usize = 256;
/// Crews that the map shows; the others are counted.
const CREWS_ON_MAP: usize = 5;

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

/// Every crew and its threads.
pub(super) fn list(scene: &Scene<'_>) -> Markup {
    let (crews, more) = crews(scene);
    html! {
        div.lists #worker-list data-live {
            @for crew in &crews { (panel(scene, crew)) }
            @if more > 0 { p.fine-print data-key="more" { "+" (more) } }
        }
    }
}

fn panel(scene: &Scene<'_>, crew: &Crew) -> Markup {
    let lang = scene.lang;
    html! {
        section class={ "panel crew " (crew.health.class()) } data-key=(crew.key) {
            h2 {
                (crew.name) " · " (crew.what) " · " (crew.busy) "/" (crew.slots) " "
                (lang.pick("busy", "ocupados"))
                @if let Some(word) = crew.health.word(scene) { " " em { (word) } }
            }
            @if !crew.facts.is_empty() { p.fine-print { (crew.facts.join(" · ")) } }
            @if crew.slots == 0 && crew.running.is_empty() {
                p.empty { (lang.pick("Nothing runs tasks here. Give this server threads, or start a worker:",
                                     "Aquí nada ejecuta tareas. Dé hilos a este servidor, o inicie un trabajador:"))
                    " " code { "tareas serve --threads 4" } " · " code { "tareas worker" } }
            } @else {
                ul.thread-list {
                    @for slot in 0..crew.slots.min(THREADS_SHOWN) {
                        (thread(scene, slot, at(crew, slot)))
                    }
                }
                @if crew.slots > THREADS_SHOWN { p.fine-print { "+" (crew.slots - THREADS_SHOWN) } }
            }
        }
    }
}

fn thread(scene: &Scene<'_>, number: usize, work: Option<&Work>) -> Markup {
    let lang = scene.lang;
    html! {
        li data-key={ "t" (number) } class=(if work.is_some() { "busy" } else { "idle" }) {
            span.thread-number { "#" (number) }
            @match work {
                Some(work) => {
                    b { (work.kind) } (task_link(work.task))
                    @if work.attempt > 1 {
                        span.fine-print { (lang.pick("attempt ", "intento ")) (work.attempt) }
                    }
                    span.elapsed { (duration(lang, work.elapsed)) }
                }
                None => span.fine-print { (lang.pick("idle", "libre")) },
            }
        }
    }
}

/// What runs tasks, on the map: the threads of this server when they are alone, otherwise a line
/// for every crew.
pub(super) fn on_map(scene: &Scene<'_>) -> Markup {
    let (crews, more) = crews(scene);
    if let ([crew], 0) = (crews.as_slice(), more)
        && scene.picture.threads > 0
    {
        return cells(scene, crew, crew.slots <= NAMED_CELLS);
    }
    let hidden = more + crews.len().saturating_sub(CREWS_ON_MAP);
    html! {
        ul.crews {
            @for crew in crews.iter().filter(|crew| crew.slots > 0).take(CREWS_ON_MAP) {
                li class={ "crew " (crew.health.class()) } data-key=(crew.key) title=(crew.what) {
                    p {
                        b { (crew.name) }
                        @if let Some(word) = crew.health.word(scene) { " " em { (word) } }
                        span { (crew.busy) "/" (crew.slots) }
                    }
                    (cells(scene, crew, false))
                }
            }
            @if hidden > 0 { li data-key="more" { a href="/workers" { "+" (hidden) } } }
        }
    }
}

/// One cell for each thread, with what it runs where there is room to say it.
fn cells(scene: &Scene<'_>, crew: &Crew, is_named: bool) -> Markup {
    if crew.slots > CELLS_SHOWN {
        return html! {
            meter.cells min="0" max=(crew.slots) value=(crew.busy) { (crew.busy) "/" (crew.slots) }
        };
    }
    html! {
        ul.cells.named[is_named] {
            @for slot in 0..crew.slots { (cell(scene, slot, at(crew, slot), is_named)) }
        }
    }
}

fn cell(scene: &Scene<'_>, slot: usize, work: Option<&Work>, is_named: bool) -> Markup {
    let Some(work) = work else {
        let idle = scene.pick("idle", "libre");
        return html! {
            li data-key={ "c" (slot) } title={ "#" (slot) " " (idle) } {
                @if is_named { span { (idle) } }
            }
        };
    };
    let elapsed = duration(scene.lang, work.elapsed);
    html! {
        li.busy data-key={ "c" (slot) } title={ "#" (slot) " " (work.kind) " " (elapsed) } {
            a href=(format!("/tasks/{}", work.task)) {
                @if is_named { b { (work.kind) } span { (elapsed) } }
                @else { span.aside { (work.kind) } }
            }
        }
    }
}

fn at(crew: &Crew, slot: usize) -> Option<&Work> {
    crew.running.iter().find(|work| work.slot == slot)
}
