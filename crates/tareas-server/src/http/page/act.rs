//! What a person can do to one task: cancel it, put it back in line, run it again, remove it.
//! The answer says what happened, not what was wished for.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::response::Response;
use maud::{Markup, html};
use tareas_core::task::Options;
use tareas_core::{Phase, Task, TaskId};
use tareas_engine::{Refusal, Submission};

use super::Scene;
use super::forms::{Form, lead_to, token_field};
use super::frame::problem_page;
use super::send::accept_one;
use super::task::show;
use crate::http::access::Did;
use crate::http::problem::{Answer, Problem};
use crate::http::tasks::find;
use crate::http::visit::{TaskPath, Visit};

/// Metadata of a task that repeats another one: the id of that one.
const COPY_OF: &str = "copy_of";

/// What is said afterwards, by its name in URLs.
const SAID: [(&str, [&str; 2]); 5] = [
    ("cancelled", ["It is cancelled.", "Está cancelada."]),
    (
        "stopping",
        [
            "It is running and was asked to stop; it ends when its handler heeds that.",
            "Está en curso y se le pidió parar; terminará cuando su código lo atienda.",
        ],
    ),
    ("requeued", ["It is back in line.", "Ha vuelto a la cola."]),
    (
        "again",
        [
            "This is a new task that asks for the same; the other one stays as it is.",
            "Esta es una tarea nueva que pide lo mismo; la otra queda como está.",
        ],
    ),
    (
        "created",
        [
            "It is accepted and on record.",
            "Está aceptada y registrada.",
        ],
    ),
];

/// The words for what was done, by their name.
pub(super) fn said_of(name: &str) -> Option<[&'static str; 2]> {
    SAID.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, words)| *words)
}

/// Whether these words are about something that has yet to happen.
pub(super) fn is_a_wish(words: &[&'static str; 2]) -> bool {
    said_of("stopping") == Some(*words)
}

/// The buttons that make sense for a task as it stands.
pub(super) fn buttons(scene: &Scene<'_>, task: &Task) -> Markup {
    let phase = task.phase();
    let can_requeue = matches!(phase, Phase::Failed | Phase::Cancelled);
    let button = |action: &str, word: &str, class: &str| {
        html! { button type="submit" name="action" value=(action) class=(class) { (word) } }
    };
    html! {
        form.act method="post" action=(format!("/tasks/{}", task.id())) {
            (token_field(scene.token()))
            @if can_requeue {
                (button("requeue", scene.pick("Put back in line", "Volver a la cola"), "primary"))
            }
            @if !phase.is_terminal() && !task.cancel_requested {
                (button("cancel", scene.pick("Cancel", "Cancelar"), "danger"))
            }
            (button("again", scene.pick("Run again", "Ejecutar otra vez"), ""))
            a.button href=(format!("/tasks/new?from={}", task.id())) {
                (scene.pick("Run with changes…", "Ejecutar con cambios…"))
            }
            @if phase.is_terminal() {
                (button("delete", scene.pick("Remove", "Eliminar"), "danger"))
            }
        }
    }
}

/// `POST /tasks/{id}`: does one of these.
pub(in crate::http) async fn act(visit: Visit, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let path = TaskPath::from_request_parts(&mut parts, &()).await;
    let form = Form::read(&visit, Request::from_parts(parts, body)).await?;
    let (id, checked) = match path {
        Ok(TaskPath(id)) => (id, form.check(&visit)),
        Err(problem) => return Ok(problem_page(&visit, &problem).await),
    };
    let done = match checked {
        Ok(()) => perform(&visit, id, form.get("action")).await,
        Err(problem) => Err(problem),
    };
    Ok(match done {
        Ok(place) => {
            let mut response = lead_to(&place);
            let did = Did(form.get("action").to_owned());
            response.extensions_mut().insert(did);
            response
        }
        Err(problem) => refuse(&visit, id, &problem).await,
    })
}

/// The task as it is, with why not.
async fn refuse(visit: &Visit, id: TaskId, problem: &Problem) -> Response {
    match find(visit, id).await {
        Ok(task) => show(visit, task, None, Some(problem)).await,
        Err(_) => problem_page(visit, problem).await,
    }
}

/// Where to look afterwards.
async fn perform(visit: &Visit, id: TaskId, action: &str) -> Result<String, Problem> {
    let at = |said: &str| format!("/tasks/{id}?said={said}");
    let place = match action {
        "cancel" => at(cancel(visit, id).await?),
        "requeue" => at(requeue(visit, id).await?),
        "again" => format!("/tasks/{}?said=again", again(visit, id).await?),
        "delete" => {
            let (engine, by) = (Arc::clone(&visit.server.engine), visit.actor());
            let deleted = visit.uncut(async move { engine.delete(id, by).await });
            deleted.await?.map_err(|refusal| visit.refused(&refusal))?;
            "/tasks?said=deleted".to_owned()
        }
        _ => {
            let names = "cancel, requeue, again, delete";
            return Err(visit.invalid("action", names, names));
        }
    };
    tracing::info!(task = %id, peer = %visit.peer, action, "done from the dashboard");
    Ok(place)
}

async fn cancel(visit: &Visit, id: TaskId) -> Result<&'static str, Problem> {
    let (engine, by) = (Arc::clone(&visit.server.engine), visit.actor());
    let cancelled = visit.uncut(async move {
        let (task, position) = engine.cancel(id, by).await?;
        engine.until_durable(position).await?;
        Ok::<_, Refusal>(task.phase().is_terminal())
    });
    let is_over = cancelled
        .await?
        .map_err(|refusal| visit.refused(&refusal))?;
    Ok(if is_over { "cancelled" } else { "stopping" })
}

/// Puts a task back in line.
pub(super) async fn requeue(visit: &Visit, id: TaskId) -> Result<&'static str, Problem> {
    let (engine, by) = (Arc::clone(&visit.server.engine), visit.actor());
    let requeued = visit.uncut(async move {
        let (_, position) = engine.requeue(id, by).await?;
        engine.until_durable(position).await
    });
    requeued.await?.map_err(|refusal| visit.refused(&refusal))?;
    Ok("requeued")
}

/// Submits the same work once more, under an identity of its own.
async fn again(visit: &Visit, id: TaskId) -> Result<String, Problem> {
    let task = find(visit, id).await?;
    let payload = visit.server.engine.body_bytes(&task.spec.payload).await;
    let payload = payload.map_err(|refusal| visit.refused(&refusal))?;
    let mut options = Options {
        idempotency_key: None,
        expires_at: None,
        keep_until: None,
        ..task.spec.options().clone()
    };
    options.metadata.insert(COPY_OF.to_owned(), id.to_string());
    let submission = Submission {
        queue: task.spec.queue.clone(),
        priority: task.spec.priority,
        options: Some(Box::new(options)),
        ..Submission::new(task.spec.kind.clone(), payload)
    };
    accept_one(visit, submission).await
}
