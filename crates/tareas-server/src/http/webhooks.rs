//! `/v1/webhooks`: who is told of ended tasks, and what was told.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::IntoResponse;
use serde::Serialize;
use tareas_engine::access::Deed;
use tareas_engine::ports::{EgressFault, PortError};
use tareas_engine::webhooks::{
    Change, DeedFailed, Delivery, DeliveryPhase, DeliveryQuery, SEED_BYTES, Seed, Webhook,
    WebhookId, Webhooks,
};
use tareas_protocol::{Code, Lang};

use super::body;
use super::problem::{Answer, Problem};
use super::tasks::json;
use super::visit::{Query, Visit};
use crate::access::denied;
use crate::webhooks::{
    DeliveryList, RotateRequest, WebhookChange, WebhookList, WebhookRequest, WebhookView, parse,
    wrong,
};

/// Deliveries on a page, if not said, and at most.
const DELIVERIES_DEFAULT: u64 = 50;
const DELIVERIES_MAX: u64 = 500;

/// `GET /v1/webhooks`: all of them, without their secrets.
pub(super) async fn list(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let webhooks = fresh(&visit).await?;
    written(&visit, StatusCode::OK, &WebhookList::of(&webhooks.known()))
}

/// `POST /v1/webhooks`: makes one; its secret is in this answer and nowhere else.
pub(super) async fn create(visit: Visit, request: Request) -> Answer {
    on(&visit)?;
    let (parts, body) = request.into_parts();
    let text = body::read(&visit, &parts.headers, body).await?;
    let asked = parse::<WebhookRequest>(&text, visit.lang);
    let asked = asked.map_err(|error| visit.problem(*error))?;
    let made = make(&visit, &asked).await?;
    written(&visit, StatusCode::CREATED, &WebhookView::of(&made, true))
}

/// `GET /v1/webhooks/{id}`: one of them.
pub(super) async fn show(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let webhook = find(&visit, &mut parts).await?;
    written(&visit, StatusCode::OK, &WebhookView::of(&webhook, false))
}

/// `POST /v1/webhooks/{id}`: changes one, enables or disables it.
pub(super) async fn change(visit: Visit, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let webhook = find(&visit, &mut parts).await?;
    let text = body::read(&visit, &parts.headers, body).await?;
    let asked: WebhookChange = parse(&text, visit.lang).map_err(|error| visit.problem(*error))?;
    let wish = asked.wish(&webhook, visit.lang);
    let change = Change {
        wish: Some(wish.map_err(|error| visit.problem(*error))?),
        enabled: asked.enabled,
    };
    let changed = on(&visit)?.change(&webhook.id, &change).await;
    let changed = changed.map_err(|error| failed(&visit, error))?;
    note(&visit, Deed::ChangeWebhook, &changed).await;
    written(&visit, StatusCode::OK, &WebhookView::of(&changed, false))
}

/// `DELETE /v1/webhooks/{id}`: removes one, with its deliveries.
pub(super) async fn remove(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let webhook = find(&visit, &mut parts).await?;
    act(&visit, &webhook, Act::Delete).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v1/webhooks/{id}/rotate`: another secret, shown in this answer and nowhere else.
pub(super) async fn rotate(visit: Visit, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let webhook = find(&visit, &mut parts).await?;
    let text = body::read(&visit, &parts.headers, body).await?;
    let asked = parse::<RotateRequest>(&text, visit.lang);
    let overlap = asked.and_then(|asked| asked.overlap(visit.lang));
    let overlap = overlap.map_err(|error| visit.problem(*error))?;
    let rotated = act(&visit, &webhook, Act::Rotate(overlap)).await?;
    written(&visit, StatusCode::OK, &WebhookView::of(&rotated, true))
}

/// `POST /v1/webhooks/{id}/test`: a message that tells of nothing.
pub(super) async fn test(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let webhook = find(&visit, &mut parts).await?;
    act(&visit, &webhook, Act::Test).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// `GET /v1/webhooks/{id}/deliveries`: what was told, newest first.
pub(super) async fn deliveries(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["limit", "cursor", "state"])?;
    let limit = query
        .number(&visit, "limit", DELIVERIES_MAX)?
        .unwrap_or(DELIVERIES_DEFAULT)
        .max(1);
    let limit = usize::try_from(limit).unwrap_or(DELIVERIES_MAX as usize);
    let before = query.number(&visit, "cursor", u64::MAX)?;
    let words = "waiting, delivered, given_up";
    let phase = query.get("state").map(|word| {
        DeliveryPhase::of_name(word).ok_or_else(|| visit.invalid("state", words, words))
    });
    let asked = DeliveryQuery {
        webhook: Some(find(&visit, &mut parts).await?.id),
        phase: phase.transpose()?,
        before,
        limit,
    };
    let found = page_of(&visit, &asked).await?;
    written(&visit, StatusCode::OK, &DeliveryList::of(&found, limit))
}

/// `POST /v1/webhooks/{id}/deliveries/{number}/replay`: makes one again that has ended.
pub(super) async fn replay(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let webhook = find(&visit, &mut parts).await?;
    let number = path_texts(&mut parts).await.get(1).map(|text| text.parse());
    let Some(Ok(number)) = number else {
        return Err(visit.not_found());
    };
    act(&visit, &webhook, Act::Replay(number)).await?;
    Ok(StatusCode::ACCEPTED.into_response())
}

/// What can be done to a webhook.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// Send it a message that tells of nothing.
    Test,
    /// Deliver to it, or not.
    Enable(bool),
    /// Sign with another secret; the old one signs besides for so long.
    Rotate(Duration),
    /// Remove it.
    Delete,
    /// Make this delivery again.
    Replay(u64),
}

impl Act {
    const fn deed(self) -> Deed {
        match self {
            Self::Test => Deed::TestWebhook,
            Self::Enable(_) => Deed::ChangeWebhook,
            Self::Rotate(_) => Deed::RotateWebhook,
            Self::Delete => Deed::DeleteWebhook,
            Self::Replay(_) => Deed::ReplayDelivery,
        }
    }
}

/// Makes a webhook, and writes that down.
pub(super) async fn make(visit: &Visit, asked: &WebhookRequest) -> Result<Webhook, Problem> {
    let webhooks = on(visit)?;
    let wish = asked.wish(visit.lang);
    let wish = wish.map_err(|error| visit.problem(*error))?;
    let by = visit.identity.principal.name().cloned().unwrap_or_default();
    let made = webhooks.create(wish, by, &seed(visit)?).await;
    let made = made.map_err(|error| failed(visit, error))?;
    note(visit, Deed::CreateWebhook, &made).await;
    Ok(made)
}

/// Does this to a webhook, and writes it down; the webhook as it is then.
pub(super) async fn act(visit: &Visit, webhook: &Webhook, act: Act) -> Result<Webhook, Problem> {
    let webhooks = on(visit)?;
    let id = &webhook.id;
    let same = |(): ()| webhook.clone();
    let done = match act {
        Act::Test => webhooks.test(id).await.map(|_| webhook.clone()),
        Act::Enable(enabled) => {
            let change = Change {
                wish: None,
                enabled: Some(enabled),
            };
            webhooks.change(id, &change).await
        }
        Act::Rotate(overlap) => webhooks.rotate(id, &seed(visit)?, overlap).await,
        Act::Delete => webhooks.remove(id).await.map(same),
        Act::Replay(number) => webhooks.replay(id, number).await.map(same),
    };
    let done = done.map_err(|error| failed(visit, error))?;
    note(visit, act.deed(), webhook).await;
    Ok(done)
}

/// These deliveries.
pub(super) async fn page_of(
    visit: &Visit,
    query: &DeliveryQuery,
) -> Result<Vec<Delivery>, Problem> {
    let found = on(visit)?.deliveries(query).await;
    found.map_err(|error| away(visit, error))
}

/// The webhooks of this server.
pub(super) fn on(visit: &Visit) -> Result<&Arc<Webhooks>, Problem> {
    let webhooks = visit.server.config.webhooks.as_ref();
    webhooks.ok_or_else(|| visit.not_found())
}

/// The same, as they are stored now.
pub(super) async fn fresh(visit: &Visit) -> Result<&Arc<Webhooks>, Problem> {
    let webhooks = on(visit)?;
    let read = webhooks.refresh().await;
    read.map_err(|error| away(visit, error))?;
    Ok(webhooks)
}

async fn path_texts(parts: &mut Parts) -> Vec<String> {
    let params = RawPathParams::from_request_parts(parts, &()).await;
    let texts = |params: RawPathParams| params.iter().map(|(_, text)| text.to_owned()).collect();
    params.map(texts).unwrap_or_default()
}

/// The webhook that the path names first.
pub(super) async fn find(visit: &Visit, parts: &mut Parts) -> Result<Webhook, Problem> {
    let texts = path_texts(parts).await;
    let id: Option<WebhookId> = texts.first().and_then(|text| text.parse().ok());
    let id = id.ok_or_else(|| visit.not_found())?;
    fresh(visit)
        .await?
        .get(&id)
        .ok_or_else(|| visit.not_found())
}

fn seed(visit: &Visit) -> Result<Seed, Problem> {
    let mut seed = [0; SEED_BYTES];
    let drawn = getrandom::fill(&mut seed);
    drawn.map_err(|_| visit.problem(visit.error(Code::Bug)))?;
    Ok(seed)
}

async fn note(visit: &Visit, deed: Deed, webhook: &Webhook) {
    let Some(access) = &visit.server.config.access else {
        return;
    };
    let detail = format!("{} ({})", webhook.wish.name, webhook.id);
    let by = &visit.identity.principal;
    access.note(by, visit.peer.ip(), deed, &detail).await;
}

fn failed(visit: &Visit, error: DeedFailed) -> Problem {
    match error {
        DeedFailed::NotFound => visit.not_found(),
        DeedFailed::Full => visit.problem(visit.error(Code::Overloaded)),
        DeedFailed::Url(fault) => visit.problem(*url_refused(&fault, visit.lang)),
        DeedFailed::Store(error) => away(visit, error),
    }
}

/// Says what a URL should be, and what the guard has said of this one.
fn url_refused(fault: &EgressFault, lang: Lang) -> Box<tareas_protocol::ErrorObject> {
    let en = "an https:// URL that leads to a public address";
    let es = "una URL https:// que lleve a una dirección pública";
    let error = wrong("url", lang.pick(en, es), lang);
    let hint = match lang {
        Lang::En => format!("{fault}; `webhook_networks` names networks that are allowed besides"),
        Lang::Es => format!("{fault}; `webhook_networks` nombra redes que además se permiten"),
    };
    Box::new(error.hint(hint))
}

fn away(visit: &Visit, error: PortError) -> Problem {
    visit.problem(denied(&error.into(), visit.lang))
}

fn written(visit: &Visit, status: StatusCode, view: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(view);
    let text = text.map_err(|_| visit.problem(visit.error(Code::Bug)))?;
    Ok(json(visit, status, text))
}
