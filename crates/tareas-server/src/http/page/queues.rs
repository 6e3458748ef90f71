//! The queues: what waits in each, and whether its tasks are started.

use std::sync::Arc;

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_core::Phase;
use tareas_engine::access::{Action, Object};

use super::forms::{Form, lead_to, token_field};
use super::frame::problem_page;
use super::numbers::count;
use super::{Scene, Sheet, Tab, document, states};
use crate::http::access::Did;
use crate::http::live::View;
use crate::http::operate::queue_name;
use crate::http::problem::{Answer, Problem};
use crate::http::pulse::QueueLine;
use crate::http::visit::{Query, Visit, path_text};

/// Queues that this page lists; all of them are at `/v1/queues`.
const QUEUES_SHOWN: usize = 500;

/// `GET /queues`.
pub(in crate::http) async fn queues(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let scene = Scene::of(&visit).await;
    let title = visit.lang.pick("Queues", "Colas");
    let note = visit.lang.pick(
        "A paused queue accepts tasks and starts none of them; what runs goes on.",
        "Una cola en pausa acepta tareas y no inicia ninguna; lo que está en curso sigue.",
    );
    let body = html! { h1 { (title) } (list(&scene)) p.fine-print { (note) } };
    let sheet = Sheet {
        title,
        tab: Tab::Queues,
        view: View::Queues,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

/// Every queue, with its pause.
pub(super) fn list(scene: &Scene<'_>) -> Markup {
    let lang = scene.lang;
    let queues = &scene.picture.queues;
    html! {
        section.panel.queue-list #queue-list data-live {
            @if queues.is_empty() {
                p.empty { (lang.pick("None yet: the first task makes one.",
                                     "Todavía ninguna: la primera tarea crea una.")) }
            } @else {
                table {
                    thead { tr {
                        th scope="col" { (lang.pick("queue", "cola")) }
                        @for phase in Phase::ALL { th scope="col" { (states::word(phase, lang)) } }
                        th scope="col" { span.aside { (lang.pick("action", "acción")) } }
                    } }
                    tbody { @for queue in queues.iter().take(QUEUES_SHOWN) { (row(scene, queue)) } }
                }
                @if queues.len() > QUEUES_SHOWN {
                    p.fine-print { "+" (queues.len() - QUEUES_SHOWN) " · "
                        a href="/v1/queues" { "/v1/queues" } }
                }
            }
        }
    }
}

fn row(scene: &Scene<'_>, queue: &QueueLine) -> Markup {
    let (lang, name) = (scene.lang, queue.name.as_str());
    let (action, word) = match queue.is_paused {
        true => ("resume", lang.pick("Resume", "Reanudar")),
        false => ("pause", lang.pick("Pause", "Pausar")),
    };
    html! {
        tr data-key={ "q-" (name) } {
            th scope="row" {
                a href=(format!("/tasks?queue={name}")) { (name) }
                " " a.past href=(format!("/history?queue={name}"))
                    aria-label=(format!("{} {name}", lang.pick("History of", "Historia de")))
                    title=(lang.pick("History", "Historia")) { "◷" }
                @if queue.is_paused { em.paused { " ⏸ " (lang.pick("paused", "en pausa")) } }
            }
            @for phase in Phase::ALL {
                td class=(phase.name()) .zero[queue.of(phase) == 0] data-label=(states::word(phase, lang)) {
                    a href=(format!("/tasks?queue={name}&state={}", phase.name())) {
                        (count(lang, queue.of(phase)))
                    }
                }
            }
            td.actions {
                form method="post" action=(format!("/queues/{name}")) {
                    (token_field(scene.token()))
                    button type="submit" name="action" value=(action)
                        aria-label=(format!("{word} {name}")) { (word) }
                }
            }
        }
    }
}

/// `POST /queues/{queue}`: pauses or resumes it.
pub(in crate::http) async fn set_queue(visit: Visit, request: Request) -> Answer {
    match set(&visit, request).await {
        Ok((paused, back)) => {
            let mut response = lead_to(back);
            let did = Did(if paused { "pause" } else { "resume" }.to_owned());
            response.extensions_mut().insert(did);
            Ok(response)
        }
        Err(problem) => Ok(problem_page(&visit, &problem).await),
    }
}

/// Whether it is paused now, and where to look.
async fn set(visit: &Visit, request: Request) -> Result<(bool, &'static str), Problem> {
    let (mut parts, body) = request.into_parts();
    let name = path_text(&mut parts, &()).await.unwrap_or_default();
    let form = Form::read(visit, Request::from_parts(parts, body)).await?;
    form.check(visit)?;
    let queue = queue_name(visit, &name)?;
    let paused = match form.get("action") {
        "pause" => true,
        "resume" => false,
        _ => return Err(visit.invalid("action", "pause or resume", "pause o resume")),
    };
    visit.may(Action::PauseQueue, Object::Queue(&queue))?;
    let (engine, of) = (Arc::clone(&visit.server.engine), queue.clone());
    let set = visit.uncut(async move { engine.pause(&of, paused).await });
    set.await?.map_err(|refusal| visit.refused(&refusal))?;
    visit.server.http.pulse.see_queues(&visit.server).await;
    tracing::info!(%queue, paused, peer = %visit.peer, "a queue was paused or resumed");
    let back = if form.get("back") == "/" {
        "/"
    } else {
        "/queues"
    };
    Ok((paused, back))
}
