//! One webhook for people: how it is, what was delivered, and what can be done about it.

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tareas_engine::webhooks::{Delivery, DeliveryPhase, DeliveryQuery, Webhook};

use super::forms::{Form, lead_to, token_field};
use super::frame::problem_page;
use super::numbers::{clock, instant};
use super::webhooks::how_it_is;
use super::words::task_link;
use super::{Scene, Sheet, Tab, document};
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};
use crate::http::webhooks::{Act, act, find, page_of};
use crate::webhooks::OVERLAP_DEFAULT;

/// Deliveries on the page.
const DELIVERIES: usize = 50;

/// `GET /webhooks/{id}`: how it is, and its newest deliveries.
pub(in crate::http) async fn webhook(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let found = async {
        let query = Query::read(&visit, &parts, &["cursor"])?;
        let before = query.number(&visit, "cursor", u64::MAX)?;
        let webhook = find(&visit, &mut parts).await?;
        let asked = DeliveryQuery {
            webhook: Some(webhook.id.clone()),
            phase: None,
            before,
            limit: DELIVERIES,
        };
        Ok::<_, Problem>((page_of(&visit, &asked).await?, webhook))
    };
    match found.await {
        Ok((deliveries, webhook)) => Ok(page(&visit, &webhook, &deliveries).await),
        Err(problem) => Ok(problem_page(&visit, &problem).await),
    }
}

/// `POST /webhooks/{id}`: tests, enables, disables, rotates, removes it, or replays a delivery.
pub(in crate::http) async fn act_on_webhook(visit: Visit, request: Request) -> Answer {
    let acted = async {
        let (mut parts, body) = request.into_parts();
        let webhook = find(&visit, &mut parts).await?;
        let form = Form::read(&visit, Request::from_parts(parts, body)).await?;
        form.check(&visit)?;
        let asked = match (form.get("replay").parse(), form.get("action")) {
            (Ok(number), _) => Act::Replay(number),
            (_, "test") => Act::Test,
            (_, "enable") => Act::Enable(true),
            (_, "disable") => Act::Enable(false),
            (_, "rotate") => Act::Rotate(OVERLAP_DEFAULT),
            (_, "delete") => Act::Delete,
            _ => return Err(visit.invalid("action", "one of the page", "una de la página")),
        };
        let done = act(&visit, &webhook, asked).await?;
        Ok((asked, done))
    };
    Ok(match acted.await {
        Ok((Act::Rotate(_), webhook)) => secret_page(&visit, &webhook).await,
        Ok((Act::Delete, _)) => lead_to("/webhooks"),
        Ok((_, webhook)) => lead_to(&format!("/webhooks/{}", webhook.id)),
        Err(problem) => problem_page(&visit, &problem).await,
    })
}

/// Shows a secret this once.
pub(super) async fn secret_page(visit: &Visit, webhook: &Webhook) -> Response {
    let scene = Scene::of(visit).await;
    let here = format!("/webhooks/{}", webhook.id);
    let body = html! {
        h1 { (webhook.wish.name) }
        section.panel {
            h2 { (scene.pick("The secret of this webhook", "El secreto de este webhook")) }
            p { code { (webhook.secrets.current.reveal()) } }
            p.fine-print { (scene.pick("This is the only time that it is shown.", "Solo se muestra esta vez.")) }
            p.buttons { a.button href=(here) { (scene.pick("Go on", "Seguir")) } }
        }
    };
    let mut response = framed(visit, &scene, body);
    let never = axum::http::HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(axum::http::header::CACHE_CONTROL, never);
    response
}

async fn page(visit: &Visit, webhook: &Webhook, deliveries: &[Delivery]) -> Response {
    let scene = Scene::of(visit).await;
    let body = html! {
        h1 { (webhook.wish.name) }
        (facts(&scene, webhook))
        (table(&scene, webhook, deliveries))
        p.fine-print { a href="/webhooks" { (scene.pick("All webhooks", "Todos los webhooks")) } }
    };
    framed(visit, &scene, body)
}

fn framed(visit: &Visit, scene: &Scene<'_>, body: Markup) -> Response {
    let sheet = Sheet {
        title: "Webhook",
        tab: Tab::System,
        view: View::Frame,
        body,
    };
    document(visit, scene, &sheet).into_response()
}

fn facts(scene: &Scene<'_>, webhook: &Webhook) -> Markup {
    let wish = &webhook.wish;
    let kinds: Vec<&str> = wish.kinds.iter().map(|kind| kind.as_str()).collect();
    let kinds = match kinds.is_empty() {
        true => scene.pick("all", "todos").to_owned(),
        false => kinds.join(", "),
    };
    let ends: Vec<&str> = wish.ends.iter().map(|end| end.name()).collect();
    html! {
        section.panel {
            dl.facts {
                dt { (scene.pick("State", "Situación")) } dd { (how_it_is(scene, webhook)) }
                dt { "URL" } dd { code { (wish.url) } }
                dt { (scene.pick("Queues", "Colas")) } dd { (wish.queues) }
                dt { (scene.pick("Kinds", "Tipos")) } dd { (kinds) }
                dt { (scene.pick("Ends", "Finales")) } dd { (ends.join(", ")) }
                @if let Some(since) = webhook.failing_since {
                    dt { (scene.pick("Failing since", "Falla desde")) } dd { (instant(since)) }
                }
                @if !webhook.last_error.is_empty() {
                    dt { (scene.pick("Last error", "Último error")) } dd { (webhook.last_error) }
                }
                dt { (scene.pick("Made", "Creado")) } dd { (instant(webhook.created_at)) }
            }
            (buttons(scene, webhook))
        }
    }
}

fn buttons(scene: &Scene<'_>, webhook: &Webhook) -> Markup {
    let (enable, word) = match webhook.is_enabled() {
        true => ("disable", scene.pick("Disable", "Desactivar")),
        false => ("enable", scene.pick("Enable", "Activar")),
    };
    html! {
        form.buttons method="post" action=(format!("/webhooks/{}", webhook.id)) {
            (token_field(scene.token()))
            button type="submit" name="action" value="test" { (scene.pick("Send a test", "Enviar una prueba")) }
            button type="submit" name="action" value=(enable) { (word) }
            button type="submit" name="action" value="rotate" { (scene.pick("Another secret", "Otro secreto")) }
            button.danger type="submit" name="action" value="delete" { (scene.pick("Remove", "Eliminar")) }
        }
    }
}

fn table(scene: &Scene<'_>, webhook: &Webhook, deliveries: &[Delivery]) -> Markup {
    let older = deliveries.last().filter(|_| deliveries.len() == DELIVERIES);
    html! {
        section.panel {
            h2 { (scene.pick("Deliveries", "Entregas")) }
            @if deliveries.is_empty() {
                p.empty { (scene.pick("Nothing was delivered yet.", "Aún no se ha entregado nada.")) }
            } @else {
                form method="post" action=(format!("/webhooks/{}", webhook.id)) {
                    (token_field(scene.token()))
                    ul.plain { @for delivery in deliveries { (line(scene, delivery)) } }
                }
            }
            @if let Some(last) = older {
                p.fine-print { a href=(format!("/webhooks/{}?cursor={}", webhook.id, last.number)) {
                    (scene.pick("Older", "Anteriores"))
                } }
            }
        }
    }
}

fn line(scene: &Scene<'_>, delivery: &Delivery) -> Markup {
    let state = match delivery.phase {
        DeliveryPhase::Waiting => scene.pick("waiting", "en espera"),
        DeliveryPhase::Delivered => scene.pick("delivered", "entregada"),
        DeliveryPhase::GivenUp => scene.pick("given up", "abandonada"),
    };
    let last = delivery.last.as_ref();
    html! {
        li {
            time datetime=(instant(delivery.made_at)) { (clock(delivery.made_at)) } " UTC · "
            (delivery.message.event)
            @if let Some(task) = delivery.message.task { " " (task_link(task)) }
            " · " (state)
            @if delivery.tries > 0 { " · " (scene.pick("tries: ", "intentos: ")) (delivery.tries) }
            @if let Some(made) = last {
                @if let Some(status) = made.status { " · " (status) }
                @if !made.answer.is_empty() { " · " code { (made.answer) } }
            }
            @if delivery.phase != DeliveryPhase::Waiting {
                " " button type="submit" name="replay" value=(delivery.number) {
                    (scene.pick("Deliver again", "Entregar otra vez"))
                }
            }
        }
    }
}
