//! The form of a new task: any kind, with its example, and the same request for programs.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tareas_core::{Kind, TaskId};
use tareas_engine::Submission;
use tareas_protocol::Code;
use tareas_protocol::request::{Decoder, Refusal};

use super::commands::commands;
use super::draft::TaskDraft;
use super::forms::{Form, lead_to, token_field};
use super::frame::problem_page;
use super::send::accept_one;
use super::words::alert;
use super::{Scene, Sheet, Tab, document};
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::tasks::find;
use crate::http::visit::{Query, Visit};
use crate::intake;

/// The kind that stands in the form first, if it is known.
const FIRST_KIND: &str = "sumar";

/// `GET /tasks/new`: the form, empty, for one kind, or like an earlier task.
pub(in crate::http) async fn new_task(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let draft = async {
        let query = Query::read(&visit, &parts, &["kind", "from"])?;
        match query.get("from") {
            Some(from) => like(&visit, from).await,
            None => Ok(example(&visit, query.get("kind"))),
        }
    };
    Ok(match draft.await {
        Ok(draft) => page(&visit, &draft, None).await,
        Err(problem) => problem_page(&visit, &problem).await,
    })
}

async fn like(visit: &Visit, from: &str) -> Result<TaskDraft, Problem> {
    let id: TaskId = from.parse().map_err(|_| visit.not_found())?;
    let task = find(visit, id).await?;
    let payload = visit.server.engine.body_bytes(&task.spec.payload).await;
    let payload = payload.map_err(|refusal| visit.refused(&refusal))?;
    let visible = visit.server.config.redaction.hide(&payload);
    let is_partly_hidden = *visible != *payload;
    let draft = TaskDraft::like(&task, &visible);
    Ok(TaskDraft {
        is_partly_hidden,
        ..draft
    })
}

/// The example of a kind: a line that begins with the kind, or JSON.
fn example(visit: &Visit, kind: Option<&str>) -> TaskDraft {
    let all = visit.server.engine.kinds().all_with_rules();
    let by_name = |name: &str| all.iter().find(|(kind, _)| kind.as_str() == name);
    let known = kind
        .and_then(by_name)
        .or_else(|| by_name(FIRST_KIND))
        .or_else(|| all.first());
    let Some((kind, rules)) = known else {
        return TaskDraft::default();
    };
    let line = rules.example.trim();
    let payload = line
        .strip_prefix(kind.as_str())
        .unwrap_or(line)
        .trim_start();
    TaskDraft {
        kind: kind.to_string(),
        payload: payload.to_owned(),
        ..TaskDraft::default()
    }
}

/// `POST /tasks/new`: accepts the task and leads to it; with `show`, only shows the commands.
pub(in crate::http) async fn create(visit: Visit, request: Request) -> Answer {
    let form = Form::read(&visit, request).await?;
    let draft = TaskDraft::of(&form);
    let is_to_show = !form.get("show").is_empty();
    let sent = match form.check(&visit) {
        Ok(()) if is_to_show => return Ok(page(&visit, &draft, None).await),
        Ok(()) => submit(&visit, &draft).await,
        Err(problem) => Err(problem),
    };
    Ok(match sent {
        Ok(id) => lead_to(&format!("/tasks/{id}?said=created")),
        Err(problem) => page(&visit, &draft, Some(&problem)).await,
    })
}

async fn submit(visit: &Visit, draft: &TaskDraft) -> Result<String, Problem> {
    if draft.is_broken() {
        let (en, es) = (
            "the payload is not valid JSON",
            "el contenido no es JSON válido",
        );
        let error = visit
            .error(Code::Malformed)
            .message(visit.lang.pick(en, es));
        return Err(visit.problem(error));
    }
    let submission = decode(&draft.request());
    let submission = submission.map_err(|refusal| visit.problem(refusal.to_error(visit.lang)))?;
    accept_one(visit, submission).await
}

/// The request as the engine takes it; judged as that of a program would be.
fn decode(request: &str) -> Result<Submission, Box<Refusal>> {
    let mut decoder = Decoder::new();
    let decoded = decoder.submission(request.as_bytes())?;
    let kind = intake::kind(&decoded.kind)?;
    let payload = decoded.payload.to_bytes();
    intake::submission(&decoded, kind, payload, None)
}

async fn page(visit: &Visit, draft: &TaskDraft, problem: Option<&Problem>) -> Response {
    let scene = Scene::of(visit).await;
    let title = visit.lang.pick("New task", "Nueva tarea");
    let body = html! {
        h1 { (title) }
        (kind_chips(&scene, draft))
        div.columns.even {
            (form(&scene, draft, problem))
            (commands(&scene, draft))
        }
    };
    let sheet = Sheet {
        title,
        tab: Tab::Tasks,
        view: View::Frame,
        body,
    };
    let status = problem.map_or(StatusCode::OK, Problem::status);
    (status, document(visit, &scene, &sheet)).into_response()
}

fn kind_chips(scene: &Scene<'_>, draft: &TaskDraft) -> Markup {
    html! {
        nav.chips aria-label=(scene.pick("Kinds, with an example each", "Tipos, con un ejemplo cada uno")) {
            @for (kind, rules) in scene.server.engine.kinds().all_with_rules() {
                @let [english, spanish] = &rules.description;
                a href=(format!("/tasks/new?kind={kind}")) title=(scene.pick(english, spanish))
                    aria-current=[(kind.as_str() == draft.kind).then_some("true")] { (Kind::as_str(&kind)) }
            }
        }
    }
}

fn form(scene: &Scene<'_>, draft: &TaskDraft, problem: Option<&Problem>) -> Markup {
    let lang = scene.lang;
    html! {
        form.panel.new-task #new-task method="post" action="/tasks/new" {
            (token_field(scene.token()))
            @if let Some(problem) = problem { (alert(problem.error(), lang)) }
            @if draft.is_partly_hidden {
                p.error role="alert" { (lang.pick(
                    "Some members of the payload are hidden here: write them again before you send it.",
                    "Algunos miembros del contenido están ocultos aquí: escríbalos de nuevo antes de enviarlo.")) }
            }
            label { span { (lang.pick("Kind", "Tipo")) }
                input type="text" name="kind" list="all-kinds" required maxlength="128" value=(draft.kind)
                    autocomplete="off" autocapitalize="none" spellcheck="false"; }
            (kind_names(scene))
            label { span { (lang.pick("Payload: a JSON object or array, else a text",
                                      "Contenido: un objeto o lista JSON; si no, un texto")) }
                textarea name="payload" rows="5" spellcheck="false" autocapitalize="none" { (draft.payload) } }
            div.fields {
                (field("queue", lang.pick("Queue", "Cola"), &draft.queue, "default", "text"))
                (field("priority", lang.pick("Priority, 0–9", "Prioridad, 0–9"), &draft.priority, "5", "numeric"))
                (field("delay", lang.pick("Delay, seconds", "Espera, segundos"), &draft.delay_s, "0", "numeric"))
                (field("max_attempts", lang.pick("Attempts at most", "Intentos, máximo"), &draft.max_attempts, "", "numeric"))
                (field("key", lang.pick("Idempotency key", "Clave de idempotencia"), &draft.key, "", "text"))
            }
            p.buttons {
                button.primary type="submit" { (lang.pick("Send", "Enviar")) }
                button type="submit" name="show" value="yes" formnovalidate {
                    (lang.pick("Show as commands", "Ver como órdenes"))
                }
            }
        }
    }
}

fn kind_names(scene: &Scene<'_>) -> Markup {
    html! {
        datalist #all-kinds {
            @for kind in scene.server.engine.kinds().all() { option value=(Kind::as_str(&kind)) {} }
        }
    }
}

fn field(name: &str, label: &str, value: &str, placeholder: &str, mode: &str) -> Markup {
    html! {
        label { span { (label) }
            input type="text" inputmode=(mode) name=(name) value=(value) placeholder=(placeholder)
                maxlength="128" autocomplete="off" autocapitalize="none" spellcheck="false"; }
    }
}
