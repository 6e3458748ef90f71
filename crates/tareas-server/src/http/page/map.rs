//! The picture of the system: clients → server → queues → threads → records, and back.
//!
//! It is drawn with boxes rather than as one image, so that it becomes a column on a phone and
//! can be read aloud.

use maud::{Markup, html};
use tareas_core::Phase;

use super::numbers::{count, duration, rate};
use crate::http::pulse::{Picture, QueueLine};
use crate::http::visit::Visit;

/// Queues that the picture names; the others are counted.
const QUEUES_SHOWN: usize = 4;
/// Threads that have a cell of their own; beyond it a bar stands for all.
const CELLS_SHOWN: usize = 32;
/// Running tasks that the picture names.
const RUNNING_SHOWN: usize = 4;

/// The picture.
pub(super) fn map(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    let accepted = picture.rate.map(|rate| rate.accepted);
    let ended = picture.rate.map(|rate| rate.ended);
    html! {
        figure.map #map data-live aria-label=(lang.pick("The system now", "El sistema ahora")) {
            (clients(visit, picture))
            (flow(visit, accepted, ""))
            div.process {
                p.process-name {
                    strong { "tareas serve" }
                    " · " (lang.pick("this machine, one process", "esta máquina, un proceso"))
                }
                (server(visit, picture))
                (flow(visit, accepted, ""))
                (queues(visit, picture))
                (flow(visit, ended, ""))
                (threads(visit, picture))
                (flow(visit, ended, ""))
                (records(visit, picture))
            }
            (flow(visit, ended, lang.pick("results", "resultados")))
        }
    }
}

/// One box of the picture.
fn node(class: &str, icon: &str, title: &str, body: &Markup) -> Markup {
    html! {
        section class={ "node " (class) } {
            h2 { (shape(icon)) (title) }
            (body)
        }
    }
}

/// A number that stands out, and what it counts.
fn figure(number: &str, of: &str) -> Markup {
    html! { p.figure { strong { (number) } " " span { (of) } } }
}

fn clients(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    let number = |count_of: usize| count(lang, count_of as u64);
    let body = html! {
        (figure(&number(picture.lines + picture.http), lang.pick("connected", "conectados")))
        ul.facts {
            li { span { (lang.pick("lines", "líneas")) } b { (number(picture.lines)) } }
            li { span { "HTTP" } b { (number(picture.http)) } }
        }
    };
    node(
        "clients",
        "M4 6h16v9H4zM2 18h20",
        lang.pick("Clients", "Clientes"),
        &body,
    )
}

fn server(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    let body = html! {
        (figure(&count(lang, picture.accepted), lang.pick("accepted", "aceptadas")))
        ul.facts {
            li { span { (lang.pick("refused", "rechazadas")) } b { (count(lang, picture.refused)) } }
            li {
                span { (lang.pick("up for", "activo")) }
                b { (duration(lang, picture.at.since(picture.since))) }
            }
        }
        @if picture.is_draining { p.warn { (lang.pick("draining", "vaciándose")) } }
    };
    node(
        "server",
        "M4 4h16v6H4zM4 14h16v6H4zM7 7h.1M7 17h.1",
        lang.pick("Server", "Servidor"),
        &body,
    )
}

fn queues(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    let rest = picture.queues.len().saturating_sub(QUEUES_SHOWN);
    let body = html! {
        (figure(&count(lang, picture.of(Phase::Queued)), lang.pick("waiting", "en espera")))
        ul.facts {
            @for queue in busiest(&picture.queues) {
                li {
                    span.name {
                        (queue.name.as_str())
                        @if queue.is_paused { em { " ⏸ " (lang.pick("paused", "en pausa")) } }
                    }
                    b { (count(lang, queue.of(Phase::Queued))) }
                }
            }
            @if rest > 0 { li { span { "+" (rest) } } }
            @if picture.of(Phase::Scheduled) > 0 {
                li {
                    span { (lang.pick("scheduled", "programadas")) }
                    b { (count(lang, picture.of(Phase::Scheduled))) }
                }
            }
        }
    };
    node(
        "queues",
        "M4 6h16M4 12h16M4 18h10",
        lang.pick("Queues", "Colas"),
        &body,
    )
}

/// Paused queues first, then those with the most waiting.
fn busiest(queues: &[QueueLine]) -> Vec<&QueueLine> {
    let mut sorted: Vec<_> = queues.iter().collect();
    sorted.sort_by_key(|queue| (!queue.is_paused, u64::MAX - queue.of(Phase::Queued)));
    sorted.truncate(QUEUES_SHOWN);
    sorted
}

fn threads(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    let (busy, all) = (picture.running.len(), picture.threads);
    let body = html! {
        (figure(&format!("{busy}/{all}"), lang.pick("busy", "ocupados")))
        (cells(picture))
        ul.facts {
            @for slot in picture.running.iter().take(RUNNING_SHOWN) {
                @if let Some(running) = &slot.running {
                    li {
                        span.name { "#" (slot.slot) " " (running.kind) }
                        b { (duration(lang, running.since)) }
                    }
                }
            }
            @if all == 0 {
                li.warn { (lang.pick("no threads: nothing runs", "sin hilos: nada se ejecuta")) }
            }
        }
    };
    node(
        "threads",
        "M12 3v3M12 18v3M3 12h3M18 12h3M8 8h8v8H8z",
        lang.pick("Threads", "Hilos"),
        &body,
    )
}

fn cells(picture: &Picture) -> Markup {
    let (busy, all) = (picture.running.len(), picture.threads);
    if all > CELLS_SHOWN {
        return html! { meter.cells min="0" max=(all) value=(busy) { (busy) "/" (all) } };
    }
    let kind_in = |number: usize| {
        let slot = picture.running.iter().find(|slot| slot.slot == number)?;
        Some(slot.running.as_ref()?.kind.as_str())
    };
    html! {
        p.cells aria-hidden="true" {
            @for number in 0..all {
                @match kind_in(number) {
                    Some(kind) => { i.busy title={ "#" (number) " " (kind) } {} }
                    None => { i title={ "#" (number) } {} }
                }
            }
        }
    }
}

fn records(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    let body = html! {
        (figure(&count(lang, picture.stored()), lang.pick("stored", "guardadas")))
        ul.facts {
            @for phase in [Phase::Succeeded, Phase::Failed] {
                li {
                    span { (super::states::word(phase, lang)) }
                    b { (count(lang, picture.of(phase))) }
                }
            }
        }
        @if picture.store_is_up {
            p.fine { "✓ " (visit.server.config.durability_label()) }
        } @else {
            p.warn { "✕ " (lang.pick("the store has stopped", "el almacén se detuvo")) }
        }
    };
    let title = lang.pick("Records", "Registros");
    node(
        "records",
        "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
        title,
        &body,
    )
}

/// An arrow; dots run along it when tasks do.
fn flow(visit: &Visit, per_second: Option<f64>, label: &str) -> Markup {
    let class = if label.is_empty() { "" } else { " back" };
    html! {
        div class={ "flow " (speed(per_second)) (class) } {
            span.rate { (label) @if !label.is_empty() { " " } (rate(visit.lang, per_second)) }
            span.pipe aria-hidden="true" { span.dots {} }
        }
    }
}

fn speed(per_second: Option<f64>) -> &'static str {
    match per_second.unwrap_or_default() {
        rate if rate <= 0.0 => "still",
        rate if rate < 5.0 => "slow",
        rate if rate < 200.0 => "brisk",
        _ => "fast",
    }
}

/// A small drawing from one path.
fn shape(path: &str) -> Markup {
    html! {
        svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false" {
            path d=(path) {}
        }
    }
}
