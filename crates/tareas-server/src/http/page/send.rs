//! The form "send a test task". It works without a script.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tareas_engine::Submission;
use tareas_protocol::request::{self, Decoder};
use tareas_protocol::{Code, ErrorObject, Lang};

use super::{FORM_PATH, whole};
use crate::http::body;
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
pub(super) fn form(visit: &Visit, draft: &Draft) -> Markup {
    let lang = visit.lang;
    let kinds = visit.server.engine.kinds().all();
    let is_known = |example: &&str| {
        let kind = example.split(' ').next().unwrap_or_default();
        kinds.iter().any(|known| known.as_str() == kind)
    };
    html! {
        form.panel.send #send method="post" action=(FORM_PATH) {
            h2 { label for="task" { (lang.pick("Send a test task", "Enviar una tarea de prueba")) } }
            input type="hidden" name="token" value=(visit.server.http.form_token.text());
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
            div #send-note { @if let Some(error) = &draft.error { (wrong(error, lang)) } }
            p.examples {
                @for example in EXAMPLES.iter().filter(|example| is_known(example)) {
                    button type="submit" name="example" value=(example) formnovalidate { (example) }
                }
            }
        }
    }
}

fn wrong(error: &ErrorObject, lang: Lang) -> Markup {
    let code = format!("TAR-{:04}", error.number);
    html! {
        p.error role="alert" {
            "✕ " (error.message) " "
            a href=(format!("/errors/{code}?lang={}", lang.as_str())) { (code) }
            @if !error.hint.is_empty() { br; (error.hint) }
        }
    }
}

/// `POST /tasks`: takes the form and leads back to the page, which then shows the task.
pub(in crate::http) async fn send(mut visit: Visit, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let text = body::read(&visit, &parts.headers, body).await?;
    let form = Form::read(&text);
    visit.lang = form.lang.unwrap_or(visit.lang);
    if !visit.server.http.form_token.is(&form.token) {
        let (en, es) = ("the page is out of date", "la página ha caducado");
        let hint = visit
            .lang
            .pick("load it again and send once more", "recárguela y repita");
        let error = visit
            .error(Code::CrossOrigin)
            .message(visit.lang.pick(en, es))
            .hint(hint);
        return Ok(show_again(&visit, form.task, visit.problem(error)).await);
    }
    match submit(&visit, &form.task).await {
        Ok(id) => Ok(lead_back(&visit, &id)),
        Err(problem) => Ok(show_again(&visit, form.task, problem).await),
    }
}

/// The members of the form.
#[derive(Default)]
struct Form {
    token: String,
    task: String,
    lang: Option<Lang>,
}

impl Form {
    fn read(text: &[u8]) -> Self {
        let mut form = Self::default();
        let mut example = None;
        for (name, value) in form_urlencoded::parse(text) {
            match &*name {
                "token" => form.token = value.into_owned(),
                "task" => form.task = value.into_owned(),
                "example" => example = Some(value.into_owned()),
                "lang" => form.lang = Some(Lang::parse(&value)),
                _ => {}
            }
        }
        form.task = example.unwrap_or(form.task);
        form
    }
}

async fn submit(visit: &Visit, line: &str) -> Result<String, Problem> {
    let submission = decode(line).map_err(|refusal| visit.problem(refusal.to_error(visit.lang)))?;
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

fn lead_back(visit: &Visit, id: &str) -> Response {
    let place = format!("/?lang={}&sent={id}#sent", visit.lang.as_str());
    let place = HeaderValue::from_str(&place).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

async fn show_again(visit: &Visit, text: String, problem: Problem) -> Response {
    let draft = Draft {
        text,
        error: Some(problem.error().clone()),
    };
    (problem.status(), whole(visit, None, &draft).await).into_response()
}
