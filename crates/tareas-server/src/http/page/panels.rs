//! The health line and the panels of numbers.

use maud::{Markup, html};
use tareas_core::Phase;

use super::numbers::{clock, count, instant, rate};
use super::states;
use crate::http::pulse::Picture;
use crate::http::visit::Visit;

/// One sentence about how the system is.
pub(super) fn health(visit: &Visit, picture: &Picture) -> Markup {
    let troubles = troubles(visit, picture);
    let lang = visit.lang;
    let numbers = [
        (
            lang.pick("in", "entran"),
            rate(lang, picture.rate.map(|rate| rate.accepted)),
        ),
        (
            lang.pick("out", "salen"),
            rate(lang, picture.rate.map(|rate| rate.ended)),
        ),
        (
            lang.pick("waiting", "en espera"),
            count(lang, picture.of(Phase::Queued)),
        ),
    ];
    html! {
        p.health.bad[!troubles.is_empty()] #health data-live role="status" {
            @if troubles.is_empty() {
                strong { "✓ " (lang.pick("All good", "Todo bien")) }
                @for (word, number) in numbers { span { (number) " " (word) } }
            } @else {
                @for trouble in &troubles { strong { "⚠ " (trouble) } }
            }
        }
    }
}

fn troubles(visit: &Visit, picture: &Picture) -> Vec<String> {
    let lang = visit.lang;
    let mut found = Vec::new();
    if !picture.store_is_up {
        let text = lang.pick("the store has stopped", "el almacén se detuvo");
        found.push(text.to_owned());
    }
    if picture.is_draining {
        let text = lang.pick(
            "draining: takes nothing new",
            "vaciándose: no acepta tareas nuevas",
        );
        found.push(text.to_owned());
    }
    if picture.read_at < picture.at {
        let since = clock(picture.read_at);
        found.push(lang.pick(
            format!("tasks as of {since}"),
            format!("tareas a las {since}"),
        ));
    }
    if picture.threads == 0 && picture.of(Phase::Queued) > 0 {
        let text = lang.pick("no threads, so nothing runs", "sin hilos, nada se ejecuta");
        found.push(text.to_owned());
    }
    for queue in picture.queues.iter().filter(|queue| queue.is_paused) {
        let (name, waiting) = (queue.name.as_str(), count(lang, queue.of(Phase::Queued)));
        found.push(lang.pick(
            format!("queue {name} is paused, {waiting} waiting"),
            format!("la cola {name} está en pausa, {waiting} en espera"),
        ));
    }
    found
}

/// How many tasks are in each state.
pub(super) fn states(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    html! {
        section.panel.by-state #states data-live {
            h2 { (lang.pick("Tasks by state", "Tareas por estado")) }
            ul {
                @for phase in Phase::ALL {
                    li {
                        a href=(format!("/v1/tasks?state={}", phase.name())) {
                            b { (count(lang, picture.of(phase))) }
                            (states::badge(phase, lang))
                        }
                    }
                }
            }
        }
    }
}

/// Every queue, with its pause.
pub(super) fn queues(visit: &Visit, picture: &Picture) -> Markup {
    let lang = visit.lang;
    let head = |phase| {
        html! {
            th scope="col" class=(Phase::name(phase)) title=(states::word(phase, lang)) {
                span aria-hidden="true" { (states::sign(phase)) }
                span.aside { (states::word(phase, lang)) }
            }
        }
    };
    html! {
        section.panel.queue-list #queue-list data-live {
            h2 { (lang.pick("Queues", "Colas")) }
            @if picture.queues.is_empty() {
                p.empty { (lang.pick("None yet: the first task makes one.",
                                     "Todavía ninguna: la primera tarea crea una.")) }
            } @else {
                div.scroll { table {
                    thead { tr {
                        th scope="col" { (lang.pick("queue", "cola")) }
                        @for phase in Phase::ALL { (head(phase)) }
                    } }
                    tbody {
                        @for queue in &picture.queues {
                            tr data-key=(queue.name.as_str()) {
                                th scope="row" {
                                    (queue.name.as_str())
                                    @if queue.is_paused {
                                        em.paused { " ⏸ " (lang.pick("paused", "en pausa")) }
                                    }
                                }
                                @for phase in Phase::ALL { td { (count(lang, queue.of(phase))) } }
                            }
                        }
                    }
                } }
            }
            p.taken { (lang.pick("as of", "a las")) " "
                time datetime=(instant(picture.at)) title=(instant(picture.at)) {
                    (clock(picture.at))
                } " UTC" }
        }
    }
}
