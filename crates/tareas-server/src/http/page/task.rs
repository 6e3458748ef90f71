//! One task: what was asked, its life, what came of it, why it waits, and what can be done.

use axum::extract::{FromRequestParts, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use maud::{Markup, html};
use tareas_core::{Attempt, Body, Failure, Phase, ProcessEnd, Task};
use tareas_engine::{Artifact, AttemptNotes, Why};
use tareas_protocol::{ErrorObject, Lang};

use super::act;
use super::frame::problem_page;
use super::numbers::{bytes, clock, duration, instant};
use super::timeline::{outcome, timeline};
use super::words::{alert, harmless};
use super::{Scene, Sheet, Tab, document, reasons, states};
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::tasks::{find, url_of};
use crate::http::visit::{Query, TaskPath, Visit};
use crate::view::error_of;

/// Longest payload or result that the page shows; longer ones are behind a link.
const SHOWN_BYTES_MAX: u64 = 64 * 1024;

/// `GET /tasks/{id}`.
pub(in crate::http) async fn task(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let found = async {
        let query = Query::read(&visit, &parts, &["said"])?;
        let said = query.get("said").and_then(act::said_of);
        let TaskPath(id) = TaskPath::from_request_parts(&mut parts, &()).await?;
        Ok::<_, Problem>((find(&visit, id).await?, said))
    };
    Ok(match found.await {
        Ok((task, said)) => {
            // Asked to stop, and it has: the page says so by itself.
            let said = said.filter(|said| !(task.phase().is_terminal() && act::is_a_wish(said)));
            let said = said.map(|[en, es]| visit.lang.pick(en, es));
            show(&visit, task, said, None).await
        }
        Err(problem) => problem_page(&visit, &problem).await,
    })
}

/// The page of a task, with what was just said or refused.
pub(super) async fn show(
    visit: &Visit,
    task: Task,
    said: Option<&str>,
    problem: Option<&Problem>,
) -> Response {
    let seen = match Seen::gather(visit, task).await {
        Ok(seen) => seen,
        Err(problem) => return problem_page(visit, &problem).await,
    };
    let scene = Scene::of(visit).await;
    let id = seen.task.id().to_string();
    let is_under_way = !seen.task.phase().is_terminal();
    let title = format!(
        "{} …{}",
        seen.task.spec.kind,
        id.get(28..).unwrap_or_default()
    );
    let body = html! {
        p.crumb { a href="/tasks" { "◂ " (visit.lang.pick("Tasks", "Tareas")) } }
        div #said data-poll[is_under_way] role="status" { @if let Some(said) = said { p.note { (said) } } }
        @if let Some(problem) = problem { (alert(problem.error(), visit.lang)) }
        (seen.draw(&scene))
    };
    let sheet = Sheet {
        title: &title,
        tab: Tab::Tasks,
        view: View::Frame,
        body,
    };
    let status = problem.map_or(StatusCode::OK, Problem::status);
    (status, document(visit, &scene, &sheet)).into_response()
}

/// Everything that the page says about a task.
struct Seen {
    task: Task,
    payload: Option<Bytes>,
    result: Option<Bytes>,
    files: Vec<Artifact>,
    error: Option<ErrorObject>,
    attempts: Vec<Attempt>,
    notes: Vec<AttemptNotes>,
    why: Option<Why>,
}

impl Seen {
    async fn gather(visit: &Visit, task: Task) -> Result<Self, Problem> {
        let engine = &visit.server.engine;
        let attempts = engine.attempts(task.id()).await;
        let files = engine.artifacts(&task).await;
        Ok(Self {
            files: files.map_err(|refusal| visit.refused(&refusal))?,
            payload: short(visit, Some(&task.spec.payload)).await?,
            result: short(visit, task.result.as_ref()).await?,
            error: error_of(&task, visit.lang),
            attempts: attempts.map_err(|refusal| visit.refused(&refusal))?,
            notes: engine.notes().of(task.id()),
            why: engine.why(&task).await,
            task,
        })
    }

    /// All of it moves until the task has ended.
    fn draw(&self, scene: &Scene<'_>) -> Markup {
        let (task, lang) = (&self.task, scene.lang);
        let is_under_way = !task.phase().is_terminal();
        html! {
            article.task #task-view data-poll[is_under_way] {
                header.task-head {
                    h1 { (states::badge(task.phase(), lang)) " " (task.spec.kind.as_str()) }
                    code.id { (task.id()) }
                    (act::buttons(scene, task))
                }
                (self.waiting(scene))
                @if let Some(error) = &self.error {
                    section.panel.why-failed { h2 { (why_it_ended(task.phase(), lang)) } (alert(error, lang)) }
                }
                (self.outcome(scene))
                (timeline(task, &self.attempts, scene.server.engine.now(), lang))
                (self.attempts(scene))
                (self.log(scene))
                section.panel {
                    h2 { (lang.pick("Payload", "Contenido")) }
                    (text(self.payload.as_ref(), &task.spec.payload, &format!("/v1/tasks/{}", task.id()), scene))
                }
                (self.facts(scene))
            }
        }
    }

    fn waiting(&self, scene: &Scene<'_>) -> Markup {
        let lang = scene.lang;
        let Some(why) = &self.why else {
            return html! {};
        };
        let (message, hint) = reasons::sentence(&self.task, why, lang);
        let progress = self
            .notes
            .iter()
            .rev()
            .find_map(|notes| notes.progress.as_ref());
        html! {
            section.panel.why {
                h2 { (lang.pick("Now", "Ahora")) }
                p { (message) "." @if let Some(hint) = hint { " " span.fine-print { (hint) } } }
                @if let Some(progress) = progress {
                    p { progress max="100" value=(progress.percent) { (progress.percent) " %" }
                        " " (progress.message) }
                }
            }
        }
    }

    fn outcome(&self, scene: &Scene<'_>) -> Markup {
        let Some(result) = &self.task.result else {
            return html! {};
        };
        let path = format!("/v1/tasks/{}/result", self.task.id());
        html! {
            section.panel.result {
                h2 { (scene.pick("Result", "Resultado")) }
                (text(self.result.as_ref(), result, &path, scene))
                (self.files(scene))
            }
        }
    }

    fn files(&self, scene: &Scene<'_>) -> Markup {
        html! {
            @if !self.files.is_empty() {
                h3 { (scene.pick("Files", "Archivos")) }
                ul.files { @for file in &self.files {
                    li { a href=(url_of(self.task.id(), &file.name)) { (harmless(&file.name)) }
                        " " span.fine-print { (bytes(scene.lang, file.bytes)) } }
                } }
            }
        }
    }

    fn attempts(&self, scene: &Scene<'_>) -> Markup {
        let lang = scene.lang;
        html! {
            @if !self.attempts.is_empty() {
                section.panel {
                    h2 { (lang.pick("Attempts without success", "Intentos sin éxito")) }
                    ol.attempts { @for attempt in self.attempts.iter().rev() {
                        li {
                            b { (lang.pick("attempt ", "intento ")) (attempt.attempt) ": "
                                (outcome(attempt.outcome.name(), lang)) }
                            " " time datetime=(instant(attempt.ended_at)) { (clock(attempt.ended_at)) } " UTC"
                            @if let Some(started) = attempt.started_at {
                                " · " (duration(lang, attempt.ended_at.since(started)))
                            }
                            @if let Some(failure) = &attempt.failure {
                                p.message { (harmless(&failure.message)) }
                                @if let Some(circumstances) = circumstances(failure, lang) {
                                    p.muted { (harmless(&circumstances)) }
                                }
                                @if let Some(trace) = &failure.backtrace {
                                    details { summary { (lang.pick("Where in the code", "Dónde, en el código")) }
                                        pre { (harmless(trace)) } }
                                }
                            }
                        }
                    } }
                }
            }
        }
    }

    fn log(&self, scene: &Scene<'_>) -> Markup {
        let lang = scene.lang;
        html! {
            @for notes in self.notes.iter().rev().filter(|notes| !notes.log.is_empty()) {
                section.panel.log {
                    h2 { (lang.pick("Log of attempt ", "Registro del intento ")) (notes.attempt) }
                    pre tabindex="0" { @for line in &notes.log { (harmless(line)) "\n" } }
                    @if notes.is_truncated { p.fine-print { (lang.pick("The rest was dropped.", "El resto se descartó.")) } }
                }
            }
        }
    }

    fn facts(&self, scene: &Scene<'_>) -> Markup {
        let (task, lang) = (&self.task, scene.lang);
        let (spec, options) = (&task.spec, task.spec.options());
        html! {
            section.panel {
                h2 { (lang.pick("What was asked", "Qué se pidió")) }
                dl.facts {
                    dt { (lang.pick("Queue", "Cola")) }
                    dd { a href=(format!("/tasks?queue={}", spec.queue)) { (spec.queue.as_str()) } }
                    dt { (lang.pick("Priority", "Prioridad")) } dd { (spec.priority.level()) }
                    dt { (lang.pick("Attempts", "Intentos")) } dd { (task.attempt) " / " (spec.retry().max_attempts) }
                    dt { (lang.pick("Time limit", "Tiempo máximo")) } dd { (duration(lang, spec.timeout())) }
                    dt { (lang.pick("Accepted", "Aceptada")) } dd { (instant(spec.submitted_at)) }
                    dt { (lang.pick("Kept after its end", "Se guarda tras su fin")) } dd { (duration(lang, spec.retention())) }
                    @if let Some(key) = &options.idempotency_key {
                        dt { (lang.pick("Idempotency key", "Clave de idempotencia")) } dd { (key) }
                    }
                    @if let Some(trace) = spec.trace_id() {
                        dt { (lang.pick("Trace", "Traza")) } dd { code { (trace) } }
                    }
                    @if let Some(expires) = options.expires_at {
                        dt { (lang.pick("Expires", "Caduca")) } dd { (instant(expires)) }
                    }
                    @for (name, value) in &options.metadata { dt { (harmless(name)) } dd { (harmless(value)) } }
                }
                p.fine-print { a href=(format!("/v1/tasks/{}", task.id())) { "JSON" } }
            }
        }
    }
}

/// The title above the reason of an end without a result.
fn why_it_ended(phase: Phase, lang: Lang) -> &'static str {
    match phase {
        Phase::Cancelled => lang.pick("Why it ended", "Por qué terminó"),
        _ => lang.pick("What went wrong", "Qué falló"),
    }
}

/// The bytes of a body that is short enough for a page.
async fn short(visit: &Visit, body: Option<&Body>) -> Result<Option<Bytes>, Problem> {
    let Some(body) = body.filter(|body| length(body) <= SHOWN_BYTES_MAX) else {
        return Ok(None);
    };
    let text = visit.server.engine.body_bytes(body).await;
    text.map(Some).map_err(|refusal| visit.refused(&refusal))
}

fn length(body: &Body) -> u64 {
    match body {
        Body::Inline(text) => text.len() as u64,
        Body::Blob(blob) => blob.bytes,
    }
}

/// A payload or a result: a string as its content, other JSON exactly as it is; a link when long.
fn text(shown: Option<&Bytes>, body: &Body, path: &str, scene: &Scene<'_>) -> Markup {
    let Some(shown) = shown else {
        return html! { p { a href=(path) { (bytes(scene.lang, length(body))) } } };
    };
    let visible = scene.server.config.redaction.hide(shown);
    let plain = match serde_json::from_slice::<String>(&visible) {
        Ok(string) => string,
        Err(_) => String::from_utf8_lossy(&visible).into_owned(),
    };
    html! {
        pre.body tabindex="0" { (harmless(&plain)) }
        @if visible.len() != shown.len() || *visible != **shown {
            p.fine-print { (scene.pick("Some members are hidden on pages. ", "Algunos miembros se ocultan en las páginas. "))
                a href=(path) { (scene.pick("As it is", "Tal cual")) } }
        }
    }
}

/// Who ran it and how its process ended, as far as that is known.
fn circumstances(failure: &Failure, lang: Lang) -> Option<String> {
    let by = failure.ran_by.as_ref().map(|by| match by.thread {
        Some(thread) => format!("{} · {} {thread}", by.worker, lang.pick("thread", "hilo")),
        None => by.worker.clone(),
    });
    let process = failure.process_end.map(|end| match end {
        ProcessEnd::Exit(code) => format!("{} {code}", lang.pick("exit code", "código de salida")),
        ProcessEnd::Signal(number) => format!("{} {number}", lang.pick("signal", "señal")),
    });
    let parts: Vec<String> = by.into_iter().chain(process).collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}
