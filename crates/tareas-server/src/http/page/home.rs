//! The map: the system as it works, and a task to try.

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_core::TaskId;

use super::send::Draft;
use super::{Scene, Sheet, Tab, attention, chart, document, latest, map, panels, send, sent};
use crate::http::live::View;
use crate::http::problem::Answer;
use crate::http::visit::{Query, Visit};

/// `GET /`: the map.
pub(in crate::http) async fn home(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["sent"])?;
    let sent = query.get("sent").and_then(|id| id.parse().ok());
    Ok(whole(&visit, sent, &Draft::default()).await.into_response())
}

/// The whole page, with what stands in the form.
pub(super) async fn whole(visit: &Visit, sent: Option<TaskId>, draft: &Draft) -> Markup {
    let scene = Scene::of(visit).await;
    let card = match sent {
        Some(id) => sent::card(visit, id).await,
        None => sent::nothing(),
    };
    let body = html! {
        h1.aside { (visit.lang.pick("The system now", "El sistema ahora")) }
        (attention::strip(&scene))
        (map::figure(&scene))
        div.columns {
            div.side { (send::form(&scene, draft)) (card) (panels::states(&scene)) (chart::rates(&scene)) }
            div.lists { (latest::table(&scene)) (panels::scale_out(&scene)) }
        }
    };
    let sheet = Sheet {
        title: "tareas",
        tab: Tab::Map,
        view: View::Map,
        body,
    };
    document(visit, &scene, &sheet)
}

/// What moves on this page.
pub(super) fn live_parts(scene: &Scene<'_>) -> Vec<(&'static str, Markup)> {
    let mut parts = map::live_parts(scene);
    parts.extend([
        ("attention", attention::strip(scene)),
        ("states", panels::states(scene)),
        ("rates", chart::rates(scene)),
        ("latest", latest::table(scene)),
    ]);
    parts
}
