//! The server itself: what it is, what stands behind it, how it is.

use std::sync::atomic::Ordering;

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_engine::access::{Action, Object};

use super::numbers::{bytes, count, duration, instant};
use super::{Scene, Sheet, Tab, document};
use crate::backends::Backend;
use crate::http::live::View;
use crate::http::problem::Answer;
use crate::http::visit::{Query, Visit};
use crate::metrics::Reading;

/// `GET /system`.
pub(in crate::http) async fn system(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let scene = Scene::of(&visit).await;
    let title = visit.lang.pick("System", "Sistema");
    let body = html! {
        h1 { (title) }
        @if visit.may(Action::ManageWebhooks, Object::Unnamed).is_ok() {
            p.fine-print { a href="/webhooks" { "Webhooks" } }
        }
        div.columns.even {
            div.stack { (checks(&scene)) (server(&scene)) (limits(&scene)) }
            div.stack { (backends(&scene)) (readings(&scene)) (connections(&scene)) }
        }
    };
    let sheet = Sheet {
        title,
        tab: Tab::System,
        view: View::Frame,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

fn panel(title: &str, facts: &[(String, String)]) -> Markup {
    html! {
        section.panel {
            h2 { (title) }
            dl.facts { @for (name, value) in facts { dt { (name) } dd { (value) } } }
        }
    }
}

fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// What `/readyz` asks, and what else can be wrong.
fn checks(scene: &Scene<'_>) -> Markup {
    let picture = &scene.picture;
    let is_any_paused = picture.queues.iter().any(|queue| queue.is_paused);
    let checks = [
        (
            picture.store_is_up,
            "store",
            scene.pick("can be relied on", "es de confianza"),
            scene.pick("has stopped", "se detuvo"),
        ),
        (
            !picture.is_full,
            "storage",
            scene.pick("has room", "tiene sitio"),
            scene.pick("is full", "está lleno"),
        ),
        (
            !picture.is_draining,
            "accepting",
            scene.pick("takes new tasks", "acepta tareas nuevas"),
            scene.pick("takes nothing new", "no acepta nada nuevo"),
        ),
        (
            picture.threads > 0,
            "threads",
            scene.pick("run tasks here", "ejecutan tareas aquí"),
            scene.pick("run nothing here", "no ejecutan nada aquí"),
        ),
        (
            !is_any_paused,
            "queues",
            scene.pick("none is paused", "ninguna en pausa"),
            scene.pick("some are paused", "hay alguna en pausa"),
        ),
    ];
    html! {
        section.panel.checks {
            h2 { (scene.pick("Health", "Salud")) }
            ul { @for (is_fine, name, fine, wrong) in checks {
                li class=(if is_fine { "fine" } else { "warn" }) {
                    (if is_fine { "✓ " } else { "✕ " }) code { (name) } " "
                    (if is_fine { fine } else { wrong })
                }
            } }
        }
    }
}

fn server(scene: &Scene<'_>) -> Markup {
    let config = &scene.server.config;
    let bound: Vec<_> = scene
        .server
        .bound()
        .iter()
        .map(ToString::to_string)
        .collect();
    panel(
        scene.pick("Server", "Servidor"),
        &[
            fact(scene.pick("Version", "Versión"), config.version.clone()),
            fact(scene.pick("Since", "Desde"), instant(scene.picture.since)),
            fact(
                scene.pick("Up for", "Activo"),
                duration(scene.lang, scene.picture.at.since(scene.picture.since)),
            ),
            fact(scene.pick("Listens on", "Escucha en"), bound.join(", ")),
            fact(
                scene.pick("Reachable from", "Accesible desde"),
                exposure(scene),
            ),
            fact(
                scene.pick("Accepted means", "Aceptada significa"),
                durability(scene),
            ),
            fact(
                scene.pick("Threads", "Hilos"),
                scene.picture.threads.to_string(),
            ),
        ],
    )
}

/// From where it can be reached, and whether whoever comes is asked for a token.
fn exposure(scene: &Scene<'_>) -> &'static str {
    let config = &scene.server.config;
    match (config.is_for_this_machine(), config.access.is_some()) {
        (true, _) => scene.pick("this machine only", "solo esta máquina"),
        (false, true) => scene.pick(
            "other machines, with a token",
            "otras máquinas, con un token",
        ),
        (false, false) => scene.pick(
            "other machines: open to everybody who reaches it",
            "otras máquinas: abierto a quien llegue a él",
        ),
    }
}

fn durability(scene: &Scene<'_>) -> &'static str {
    match scene.server.config.durability_label() {
        "fsync" => scene.pick("on disk (fsync)", "en disco (fsync)"),
        "os" => scene.pick(
            "handed to the operating system",
            "entregada al sistema operativo",
        ),
        other => other,
    }
}

fn backends(scene: &Scene<'_>) -> Markup {
    let backends = &scene.server.config.backends;
    let told = |backend: &Backend| {
        let shared = scene.pick(
            "shared by several processes",
            "compartido por varios procesos",
        );
        let mut text = backend.product.clone();
        for more in [
            backend.place.as_str(),
            if backend.is_shared { shared } else { "" },
        ] {
            if !more.is_empty() {
                text.push_str(" · ");
                text.push_str(more);
            }
        }
        text
    };
    panel(
        scene.pick("Behind the ports", "Detrás de los puertos"),
        &[
            fact(scene.pick("Queue", "Cola"), told(&backends.queue)),
            fact(scene.pick("Records", "Registros"), told(&backends.records)),
            fact(
                scene.pick("Large bytes", "Bytes grandes"),
                told(&backends.blobs),
            ),
        ],
    )
}

fn readings(scene: &Scene<'_>) -> Markup {
    let readings = scene.server.readings.read();
    html! {
        @if !readings.is_empty() {
            section.panel {
                h2 { (scene.pick("Readings of the store", "Lecturas del almacén")) }
                dl.facts { @for reading in &readings {
                    dt title=(reading.name) { (reading.help.trim_end_matches('.')) }
                    dd { (value(scene, reading)) }
                } }
            }
        }
    }
}

fn value(scene: &Scene<'_>, reading: &Reading) -> String {
    match reading.unit {
        Some("bytes") => bytes(scene.lang, reading.value as u64),
        Some("seconds") => {
            let spent = std::time::Duration::try_from_secs_f64(reading.value);
            duration(scene.lang, spent.unwrap_or_default())
        }
        _ => count(scene.lang, reading.value as u64),
    }
}

fn connections(scene: &Scene<'_>) -> Markup {
    let connections = &scene.server.connections;
    let gauge = |number: usize| count(scene.lang, number as u64);
    panel(
        scene.pick("Connections", "Conexiones"),
        &[
            fact(
                scene.pick("Lines", "Líneas"),
                gauge(connections.lines.load(Ordering::Relaxed)),
            ),
            fact("HTTP", gauge(connections.http.load(Ordering::Relaxed))),
            fact(
                scene.pick("Live streams", "Flujos en vivo"),
                gauge(scene.server.http.streams()),
            ),
            fact(
                scene.pick("Accepted since the start", "Aceptadas desde el inicio"),
                count(scene.lang, connections.accepted.load(Ordering::Relaxed)),
            ),
            fact(
                scene.pick("Turned away", "Rechazadas"),
                count(scene.lang, connections.turned_away.load(Ordering::Relaxed)),
            ),
            fact(
                scene.pick("Took nothing and were closed", "No leían y se cerraron"),
                count(scene.lang, connections.stalled.load(Ordering::Relaxed)),
            ),
        ],
    )
}

fn limits(scene: &Scene<'_>) -> Markup {
    let limits = &scene.server.config.limits;
    let span = |limit| duration(scene.lang, limit);
    panel(
        scene.pick("Limits", "Límites"),
        &[
            fact(
                "body_bytes_max",
                bytes(scene.lang, limits.body_bytes_max as u64),
            ),
            fact(
                "open_lines_max",
                count(scene.lang, limits.open_lines_max as u64),
            ),
            fact("idle_after", span(limits.idle_after)),
            fact("stalled_after", span(limits.stalled_after)),
            fact("line_within", span(limits.line_within)),
            fact("http_header_within", span(limits.http_header_within)),
        ],
    )
}
