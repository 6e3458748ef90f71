//! Webhooks for people: who is told of ended tasks, and a form for one more.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tareas_engine::webhooks::{Disabled, Webhook};

use super::forms::{Form, token_field};
use super::frame::problem_page;
use super::words::alert;
use super::{Scene, Sheet, Tab, document};
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};
use crate::http::webhooks::{fresh, make};
use crate::webhooks::WebhookRequest;

/// `GET /webhooks`: all of them, and a form.
pub(in crate::http) async fn webhooks(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let known = async {
        Query::read(&visit, &parts, &[])?;
        Ok::<_, Problem>(fresh(&visit).await?.known())
    };
    match known.await {
        Ok(known) => Ok(page(&visit, &known, &Form::default(), None).await),
        Err(problem) => Ok(problem_page(&visit, &problem).await),
    }
}

/// `POST /webhooks`: makes one, and shows its secret this once.
pub(in crate::http) async fn create_webhook(visit: Visit, request: Request) -> Answer {
    let form = Form::read(&visit, request).await?;
    let made = match form.check(&visit) {
        Ok(()) => make(&visit, &asked(&form)).await,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(webhook) => Ok(super::webhook::secret_page(&visit, &webhook).await),
        Err(problem) => {
            let known = fresh(&visit).await?.known();
            Ok(page(&visit, &known, &form, Some(&problem)).await)
        }
    }
}

/// What the form asks for; a field that is left empty asks for everything.
fn asked(form: &Form) -> WebhookRequest {
    let words = |name: &str| -> Vec<String> {
        let words = form
            .get(name)
            .split([',', ' '])
            .filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    let or_all = |words: Vec<String>, all: &[&str]| match words.is_empty() {
        true => all.iter().map(|word| (*word).to_owned()).collect(),
        false => words,
    };
    WebhookRequest {
        name: form.get("name").trim().to_owned(),
        url: form.get("url").trim().to_owned(),
        queues: or_all(words("queues"), &["*"]),
        kinds: words("kinds"),
        ends: or_all(words("ends"), &["succeeded", "failed", "cancelled"]),
    }
}

async fn page(
    visit: &Visit,
    known: &[Webhook],
    form: &Form,
    problem: Option<&Problem>,
) -> Response {
    let scene = Scene::of(visit).await;
    let title = "Webhooks";
    let body = html! {
        h1 { (title) }
        (list(&scene, known))
        (new(&scene, form, problem))
    };
    let sheet = Sheet {
        title,
        tab: Tab::System,
        view: View::Frame,
        body,
    };
    let status = problem.map_or(StatusCode::OK, Problem::status);
    (status, document(visit, &scene, &sheet)).into_response()
}

fn list(scene: &Scene<'_>, known: &[Webhook]) -> Markup {
    html! {
        section.panel {
            @if known.is_empty() {
                p.empty { (scene.pick("Nobody is told when tasks end.",
                    "No se avisa a nadie cuando terminan las tareas.")) }
            }
            ul.plain { @for webhook in known {
                li {
                    a href=(format!("/webhooks/{}", webhook.id)) { (webhook.wish.name) }
                    " · " (how_it_is(scene, webhook)) " · " code { (webhook.wish.url) }
                }
            } }
        }
    }
}

/// How a webhook is, in a few words.
pub(super) fn how_it_is(scene: &Scene<'_>, webhook: &Webhook) -> &'static str {
    match webhook.disabled {
        Some((Disabled::ByHand, _)) => scene.pick("disabled", "desactivado"),
        Some((Disabled::Gone, _)) => scene.pick("disabled: gone", "desactivado: ya no existe"),
        Some((Disabled::Failing, _)) => scene.pick(
            "disabled: it failed for too long",
            "desactivado: falló demasiado",
        ),
        Some((Disabled::Behind, _)) => scene.pick(
            "disabled: too far behind",
            "desactivado: demasiado atrasado",
        ),
        None if webhook.failing_since.is_some() => scene.pick("failing", "falla"),
        None => scene.pick("well", "bien"),
    }
}

fn new(scene: &Scene<'_>, form: &Form, problem: Option<&Problem>) -> Markup {
    let field = |name: &str, label: &str, placeholder: &str, most: &str, is_needed: bool| {
        html! {
            label { span { (label) }
                input type="text" name=(name) value=(form.get(name)) placeholder=(placeholder)
                    maxlength=(most) required[is_needed] autocomplete="off" autocapitalize="none"
                    spellcheck="false"; }
        }
    };
    let every = scene.pick("all", "todas");
    html! {
        form.panel.new-task method="post" action="/webhooks" {
            h2 { (scene.pick("New webhook", "Nuevo webhook")) }
            (token_field(scene.token()))
            @if let Some(problem) = problem { (alert(problem.error(), scene.lang)) }
            (field("name", scene.pick("Name", "Nombre"), "", "128", true))
            (field("url", "URL", "https://…", "2048", true))
            div.fields {
                (field("queues", scene.pick("Queues", "Colas"), every, "2000", false))
                (field("kinds", scene.pick("Kinds", "Tipos"), scene.pick("all", "todos"), "2000", false))
                (field("ends", scene.pick("Ends", "Finales"), "succeeded, failed, cancelled", "64", false))
            }
            p.buttons { button.primary type="submit" { (scene.pick("Create", "Crear")) } }
        }
    }
}
