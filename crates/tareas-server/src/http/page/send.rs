//! The form "send a test task". It works without a script.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tareas_engine::Submission;
use tareas_protocol::request::{self, Decoder};
use tareas_protocol::{Code, ErrorObject, Lang};

use super::Scene;
use super::forms::{Form, lead_to, token_field};
use super::home::whole;
use super::words::alert;
use crate::http::problem::{Answer, Problem};
use crate::http::tasks::accept;
use crate::http::visit::Visit;
use crate::intake;

/// Tasks to try, if their kinds are known.
const EXAMPLES: [&str; 5] = [
    "sumar 2 + 2",
    "square 12",
    "procesar datos",
    "primes 200000",
    "sleep 3000",
];

/// What stands in the form, and what was wrong with it.
#[derive(Debug, Default)]
pub(super) struct Draft {
    text: String,
    error: Option<ErrorObject>,
}

/// The form itself.
pub(super) fn form(scene: &Scene<'_>, draft: &Draft) -> Markup {
    let lang = scene.lang;
    let kinds = scene.server.engine.kinds().all();
    let is_known = |example: &&str| {
        let kind = example.split(' ').next().unwrap_or_default();
        kinds.iter().any(|known| known.as_str() == kind)
    };
    html! {
        form.panel.send #send method="post" action="/tasks" {
            h2 { label for="task" { (lang.pick("Send a test task", "Enviar una tarea de prueba")) } }
            (token_field(scene.token()))
            input type="hidden" name="lang" value=(lang.as_str());
            div.field {
                input #task type="text" name="task" list="kinds" required maxlength="65536"
                    autocomplete="off" autocapitalize="none" spellcheck="false"
                    placeholder="sumar 2 + 2" value=(draft.text)
                    aria-invalid=[draft.error.as_ref().map(|_| "true")]
                    aria-describedby="send-note";
                button.primary type="submit" { (lang.pick("Send", "Enviar")) }
            }
            datalist #kinds { @for kind in &kinds { option value=(kind.as_str()) {} } }
            div #send-note { @if let Some(error) = &draft.error { (alert(error, lang)) } }
            p.examples {
                @for example in EXAMPLES.iter().filter(|example| is_known(example)) {
                    button type="submit" name="example" value=(example) formnovalidate { (example) }
                }
            }
        }
    }
}

/// `POST /tasks`: takes the form and leads back to the page, which then shows the task.
pub(in crate::http) async fn send(mut visit: Visit, request: Request) -> Answer {
    let form = Form::read(&visit, request).await?;
    if !form.get("lang").is_empty() {
        visit.lang = Lang::parse(form.get("lang"));
    }
    let example = form.get("example");
    let line = if example.is_empty() {
        form.get("task")
    } else {
        example
    };
    let sent = match form.check(&visit) {
        Ok(()) => submit(&visit, line).await,
        Err(problem) => Err(problem),
    };
    match sent {
        Ok(id) => Ok(lead_to(&format!(
            "/?lang={}&sent={id}#sent",
            visit.lang.as_str()
        ))),
        Err(problem) => Ok(show_again(&visit, line.to_owned(), problem).await),
    }
}

async fn submit(visit: &Visit, line: &str) -> Result<String, Problem> {
    let submission = decode(line).map_err(|refusal| visit.problem(refusal.to_error(visit.lang)))?;
    accept_one(visit, submission).await
}

/// Has one task accepted: its id.
pub(super) async fn accept_one(visit: &Visit, submission: Submission) -> Result<String, Problem> {
    let submitted = accept(visit, vec![submission]).await?;
    match submitted.outcomes.into_iter().next() {
        Some(Ok(accepted)) => Ok(accepted.task.id().to_string()),
        Some(Err(refusal)) => Err(visit.refused(&refusal)),
        None => Err(visit.problem(visit.error(Code::Bug))),
    }
}

/// A line as a client at a terminal would send it, text or JSON.
fn decode(line: &str) -> Result<Submission, Box<request::Refusal>> {
    let mut decoder = Decoder::new();
    let decoded = match decoder.line(line.trim().as_bytes()).request? {
        request::Request::Text { kind, rest } => request::Submission::from_text(kind, rest),
        request::Request::Submit(decoded) => decoded,
        _ => {
            let kind = line
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            return Err(request::Refusal::of(request::Fault::NotAKind { kind }));
        }
    };
    let kind = intake::kind(&decoded.kind)?;
    let payload = decoded.payload.to_bytes();
    intake::submission(&decoded, kind, payload, None)
}

async fn show_again(visit: &Visit, text: String, problem: Problem) -> Response {
    let draft = Draft {
        text,
        error: Some(problem.error().clone()),
    };
    (problem.status(), whole(visit, None, &draft).await).into_response()
}
