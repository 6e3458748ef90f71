//! The picture of the system: clients → server → queues → threads → records, and back.
//!
//! It is drawn with boxes rather than as one image, so that it becomes a column on a phone and
//! can be read aloud. What several processes share stands outside of the frame of this one.

use maud::{Markup, html};
use tareas_core::Phase;
use tareas_engine::ports::{MemberPresence, MemberRole};

use super::numbers::{count, duration, rate};
use super::{Scene, workers};
use crate::backends::Backend;
use crate::http::pulse::QueueLine;

/// Queues that the picture names; the others are counted.
const QUEUES_SHOWN: usize = 4;

/// Other servers that the picture names; more are counted.
const SERVERS_SHOWN: usize = 4;

/// The picture.
pub(super) fn figure(scene: &Scene<'_>) -> Markup {
    let (lang, backends) = (scene.lang, &scene.server.config.backends);
    let process = match backends.are_shared() {
        true => lang.pick("one process of several", "un proceso de varios"),
        false => lang.pick("this machine, one process", "esta máquina, un proceso"),
    };
    let summary = lang.pick(
        "Clients send tasks to the server, the server puts them in queues, threads run them, records keep them, results go back.",
        "Los clientes envían tareas al servidor, el servidor las pone en colas, los hilos las ejecutan, los registros las guardan y los resultados vuelven.",
    );
    html! {
        figure.map #map aria-label=(summary) {
            (clients(scene))
            (flow(scene, "flow-in"))
            div.process.shared[backends.are_shared()] {
                p.process-name { strong { "tareas serve" } " · " (process) }
                (server(scene))
                (flow(scene, "flow-accepted"))
                (queues(scene))
                (flow(scene, "flow-taken"))
                (threads(scene))
                (flow(scene, "flow-ended"))
                (records(scene))
            }
            (flow(scene, "flow-back"))
        }
    }
}

/// What moves in it.
pub(super) fn live_parts(scene: &Scene<'_>) -> Vec<(&'static str, Markup)> {
    let mut parts = vec![
        ("node-clients", clients(scene)),
        ("node-server", server(scene)),
        ("node-queues", queues(scene)),
        ("node-threads", threads(scene)),
        ("node-records", records(scene)),
    ];
    for id in [
        "flow-in",
        "flow-accepted",
        "flow-taken",
        "flow-ended",
        "flow-back",
    ] {
        parts.push((id, flow(scene, id)));
    }
    parts
}

/// A box: its name, its drawing, its title and where the title leads.
struct Node {
    name: &'static str,
    icon: &'static str,
    title: &'static str,
    leads_to: &'static str,
    is_shared: bool,
}

impl Node {
    fn draw(&self, body: &Markup) -> Markup {
        html! {
            section class={ "node " (self.name) @if self.is_shared { " outside" } }
                id={ "node-" (self.name) } data-live {
                h2 { a href=(self.leads_to) { (shape(self.icon)) (self.title) } }
                (body)
            }
        }
    }
}

/// A number that stands out, and what it counts.
fn figure_of(number: &str, of: &str) -> Markup {
    html! { p.figure { strong { (number) } " " span { (of) } } }
}

fn clients(scene: &Scene<'_>) -> Markup {
    let (lang, picture) = (scene.lang, &scene.picture);
    let number = |count_of: usize| count(lang, count_of as u64);
    let node = Node {
        name: "clients",
        icon: "M4 6h16v9H4zM2 18h20",
        title: lang.pick("Clients", "Clientes"),
        leads_to: "/system",
        is_shared: false,
    };
    node.draw(&html! {
        (figure_of(&number(picture.lines + picture.http), lang.pick("connected", "conectados")))
        ul.facts {
            li { span { (lang.pick("lines", "líneas")) } b { (number(picture.lines)) } }
            li { span { "HTTP" } b { (number(picture.http)) } }
        }
    })
}

fn server(scene: &Scene<'_>) -> Markup {
    let (lang, picture) = (scene.lang, &scene.picture);
    let node = Node {
        name: "server",
        icon: "M4 4h16v6H4zM4 14h16v6H4zM7 7h.1M7 17h.1",
        title: lang.pick("Server", "Servidor"),
        leads_to: "/system",
        is_shared: false,
    };
    node.draw(&html! {
        (figure_of(&count(lang, picture.accepted), lang.pick("accepted", "aceptadas")))
        ul.facts {
            li { span { (lang.pick("refused", "rechazadas")) } b { (count(lang, picture.refused)) } }
            li {
                span { (lang.pick("up for", "activo")) }
                b { (duration(lang, picture.at.since(picture.since))) }
            }
        }
        @if picture.is_draining { p.warn { (lang.pick("draining", "vaciándose")) } }
        (other_servers(scene))
    })
}

fn queues(scene: &Scene<'_>) -> Markup {
    let (lang, picture) = (scene.lang, &scene.picture);
    let backend = &scene.server.config.backends.queue;
    let node = Node {
        name: "queues",
        icon: "M4 6h16M4 12h16M4 18h10",
        title: lang.pick("Queues", "Colas"),
        leads_to: "/queues",
        is_shared: backend.is_shared,
    };
    let rest = picture.queues.len().saturating_sub(QUEUES_SHOWN);
    node.draw(&html! {
        (figure_of(&count(lang, picture.of(Phase::Queued)), lang.pick("waiting", "en espera")))
        ul.facts {
            @for queue in busiest(&picture.queues) { (queue_fact(scene, queue)) }
            @if rest > 0 { li { span { "+" (rest) } } }
            @if picture.of(Phase::Scheduled) > 0 {
                li {
                    span { (lang.pick("scheduled", "programadas")) }
                    b { (count(lang, picture.of(Phase::Scheduled))) }
                }
            }
        }
        (product(scene, backend))
    })
}

fn queue_fact(scene: &Scene<'_>, queue: &QueueLine) -> Markup {
    html! {
        li {
            span.name {
                a href=(format!("/tasks?queue={}", queue.name)) { (queue.name.as_str()) }
                @if queue.is_paused { em { " ⏸ " (scene.pick("paused", "en pausa")) } }
            }
            b { (count(scene.lang, queue.of(Phase::Queued))) }
        }
    }
}

/// Paused queues first, then those with the most waiting.
fn busiest(queues: &[QueueLine]) -> Vec<&QueueLine> {
    let mut sorted: Vec<_> = queues.iter().collect();
    sorted.sort_by_key(|queue| (!queue.is_paused, u64::MAX - queue.of(Phase::Queued)));
    sorted.truncate(QUEUES_SHOWN);
    sorted
}

fn threads(scene: &Scene<'_>) -> Markup {
    let (lang, picture) = (scene.lang, &scene.picture);
    let (busy, all) = picture.all_threads();
    let is_alone = picture.threads == all;
    let node = Node {
        name: "threads",
        icon: "M12 3v3M12 18v3M3 12h3M18 12h3M8 8h8v8H8z",
        title: match is_alone {
            true => lang.pick("Worker threads", "Hilos trabajadores"),
            false => lang.pick("Workers", "Trabajadores"),
        },
        leads_to: "/workers",
        is_shared: picture.threads == 0 && !is_alone,
    };
    node.draw(&html! {
        (figure_of(&format!("{busy}/{all}"), lang.pick("busy", "ocupados")))
        (workers::on_map(scene))
        @if all == 0 {
            p.warn { (lang.pick("no worker: nothing runs", "ningún trabajador: nada se ejecuta")) }
        }
    })
}

/// The other servers on the same records.
fn other_servers(scene: &Scene<'_>) -> Markup {
    let others = scene.picture.others.iter();
    let others: Vec<_> = others
        .filter(|other| other.report.identity.role == MemberRole::Server)
        .collect();
    let rest = others.len().saturating_sub(SERVERS_SHOWN);
    html! {
        @if !others.is_empty() {
            p.product { (scene.pick("and beside it", "y a su lado")) }
            ul.facts {
                @for other in others.iter().take(SERVERS_SHOWN) {
                    li title=(other.report.identity.address) {
                        span.name { (other.report.identity.name) }
                        @if other.presence == MemberPresence::Here {
                            b { (count(scene.lang, other.report.accepted)) }
                        } @else {
                            em { (scene.pick("away", "ausente")) }
                        }
                    }
                }
                @if rest > 0 { li { span { "+" (rest) } } }
            }
        }
    }
}

fn records(scene: &Scene<'_>) -> Markup {
    let (lang, picture) = (scene.lang, &scene.picture);
    let backends = &scene.server.config.backends;
    let node = Node {
        name: "records",
        icon: "M4 6c0-4 16-4 16 0v12c0 4-16 4-16 0zM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0",
        title: lang.pick("Storage", "Almacén"),
        leads_to: "/system",
        is_shared: backends.records.is_shared,
    };
    node.draw(&html! {
        (figure_of(&count(lang, picture.stored()), lang.pick("stored", "guardadas")))
        ul.facts {
            @for phase in [Phase::Succeeded, Phase::Failed] {
                li {
                    span { (super::states::word(phase, lang)) }
                    b { (count(lang, picture.of(phase))) }
                }
            }
        }
        (product(scene, &backends.records))
        (product(scene, &backends.blobs))
        @if !picture.store_is_up {
            p.warn { "✕ " (lang.pick("has stopped", "se detuvo")) }
        } @else if picture.is_full {
            p.warn { "✕ " (lang.pick("full", "lleno")) }
        } @else {
            p.fine { "✓ " (scene.server.config.durability_label()) }
        }
    })
}

/// What a box really is, and where.
fn product(scene: &Scene<'_>, backend: &Backend) -> Markup {
    let product = match backend.product.as_str() {
        "memory" => scene.pick("in memory", "en memoria"),
        "files" => scene.pick("files", "archivos"),
        other => other,
    };
    html! {
        p.product title=(backend.place) {
            strong { (product) } @if !backend.place.is_empty() { " " span { (backend.place) } }
        }
    }
}

/// An arrow; dots run along it when tasks do.
fn flow(scene: &Scene<'_>, id: &'static str) -> Markup {
    let rates = scene.picture.rate;
    let is_inward = matches!(id, "flow-in" | "flow-accepted");
    let per_second = match is_inward {
        true => rates.map(|rate| rate.accepted),
        false => rates.map(|rate| rate.ended),
    };
    let is_back = id == "flow-back";
    html! {
        div id=(id) class={ "flow " (speed(per_second)) @if is_back { " back" } } data-live {
            span.rate {
                @if is_back { (scene.pick("results ", "resultados ")) }
                (rate(scene.lang, per_second))
            }
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
