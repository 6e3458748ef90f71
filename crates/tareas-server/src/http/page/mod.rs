//! The page for people: what the system is, alive.
//!
//! The server writes whole pages that work without a script; the script asks for `/live` once a
//! second and changes what has changed. Everything that comes from tasks is escaped by the
//! template engine: nothing here writes markup from text.

mod assets;
mod chart;
mod document;
mod latest;
mod map;
mod numbers;
mod panels;
mod send;
mod sent;
mod states;

pub(super) use assets::{asset, icon};
pub(super) use document::document;
pub(super) use send::send;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tareas_core::TaskId;

use super::problem::Answer;
use super::visit::{Query, Visit};
use send::Draft;

/// Where the form of the page is sent.
pub(super) const FORM_PATH: &str = "/tasks";

/// `GET /`: the whole page.
pub(super) async fn home(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let sent = sent_id(&Query::read(&visit, &parts, &["sent"])?);
    Ok(whole(&visit, sent, &Draft::default()).await.into_response())
}

/// `GET /live`: what changes of the page, once more. `304` when nothing has changed.
pub(super) async fn live(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let sent = sent_id(&Query::read(&visit, &parts, &["sent"])?);
    let moving = moving(&visit, sent).await;
    let fragment = html! { (moving.top) (moving.side) (moving.lists) }.into_string();
    Ok(tagged(fragment, &parts.headers))
}

/// The whole page, with what stands in the form.
async fn whole(visit: &Visit, sent: Option<TaskId>, draft: &Draft) -> Markup {
    let moving = moving(visit, sent).await;
    let body = html! {
        (moving.top)
        div.columns {
            div.side { (send::form(visit, draft)) (moving.side) }
            div.lists { (moving.lists) }
        }
    };
    document(visit, "tareas", "/", &body)
}

/// The parts of the page that move.
struct Moving {
    /// Above everything.
    top: Markup,
    /// Below the form.
    side: Markup,
    /// What may be long.
    lists: Markup,
}

async fn moving(visit: &Visit, sent: Option<TaskId>) -> Moving {
    let picture = visit.server.http.pulse.picture(&visit.server).await;
    let sent = match sent {
        Some(id) => sent::card(visit, id).await,
        None => sent::nothing(),
    };
    Moving {
        top: html! { (panels::health(visit, &picture)) (map::map(visit, &picture)) },
        side: html! {
            (sent)
            (panels::states(visit, &picture))
            (chart::rates(visit, &picture))
        },
        lists: html! {
            (latest::table(visit, &picture))
            (panels::queues(visit, &picture))
        },
    }
}

fn sent_id(query: &Query) -> Option<TaskId> {
    query.get("sent")?.parse().ok()
}

/// A fragment with a tag made from its content, or 304 when the caller has that already.
fn tagged(fragment: String, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:016x}\"", assets::fingerprint(fragment.as_bytes()));
    let Ok(tag) = HeaderValue::from_str(&tag) else {
        return fragment.into_response();
    };
    let fixed = [
        (header::ETAG, tag.clone()),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
    ];
    if headers.get(header::IF_NONE_MATCH) == Some(&tag) {
        return (StatusCode::NOT_MODIFIED, fixed).into_response();
    }
    (fixed, fragment).into_response()
}
