//! Bulk actions on pages: counted first, then confirmed with the count, then watched.
//!
//! The list of tasks orders a count of its filter; the page of the count asks whether to do it;
//! the page of what is done shows how far it is. It works without a script, by loading again.

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_engine::bulk::{BulkAction, BulkState, BulkView};
use tareas_protocol::Lang;

use super::forms::{Form, lead_to, token_field};
use super::frame::problem_page;
use super::numbers::{clock, count, instant};
use super::words::task_link;
use super::{Scene, Sheet, Tab, document};
use crate::filter::Words;
use crate::http::bulk::{Asked, did, find, order};
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit, path_text};

/// The buttons under a list: each counts first.
pub(super) fn buttons(scene: &Scene<'_>, words: &Words) -> Markup {
    let lang = scene.lang;
    html! {
        @if !words.is_empty() {
            form.buttons method="post" action="/bulk" {
                (token_field(scene.token()))
                input type="hidden" name="filter" value=(words);
                input type="hidden" name="dry_run" value="yes";
                span.fine-print { (lang.pick("All that match:", "Todas las que coinciden:")) }
                @for action in BulkAction::ALL {
                    button type="submit" name="action" value=(action.name()) {
                        (verb(action, lang)) "…"
                    }
                }
            }
        }
    }
}

fn verb(action: BulkAction, lang: Lang) -> &'static str {
    match action {
        BulkAction::Cancel => lang.pick("Cancel", "Cancelar"),
        BulkAction::Requeue => lang.pick("Put back in line", "Volver a la cola"),
        BulkAction::Delete => lang.pick("Remove", "Eliminar"),
    }
}

fn state_word(state: BulkState, lang: Lang) -> &'static str {
    match state {
        BulkState::Waiting => lang.pick("waits for others", "espera a otras"),
        BulkState::Running => lang.pick("under way", "en curso"),
        BulkState::Finished => lang.pick("done", "hecha"),
        BulkState::Stopped => lang.pick("stopped", "detenida"),
        BulkState::Failed => lang.pick(
            "given up: the store is gone",
            "abandonada: falta el almacén",
        ),
    }
}

/// `POST /bulk`: orders a count, or the thing itself.
pub(in crate::http) async fn order_bulk(visit: Visit, request: Request) -> Answer {
    let ordered = async {
        let form = Form::read(&visit, request).await?;
        form.check(&visit)?;
        let asked = Asked {
            action: form.get("action").to_owned(),
            filter: form.get("filter").to_owned(),
            is_dry_run: form.get("dry_run") == "yes",
            most: None,
        };
        order(&visit, asked)
    };
    Ok(match ordered.await {
        Ok(view) => {
            let mut response = lead_to(&format!("/bulk/{}", view.id));
            response.extensions_mut().insert(did(&view));
            response
        }
        Err(problem) => problem_page(&visit, &problem).await,
    })
}

/// `POST /bulk/{id}`: stops it.
pub(in crate::http) async fn stop_bulk(visit: Visit, request: Request) -> Answer {
    let stopped = async {
        let (mut parts, body) = request.into_parts();
        let name = path_text(&mut parts, &()).await;
        let form = Form::read(&visit, Request::from_parts(parts, body)).await?;
        form.check(&visit)?;
        let view = find(&visit, name)?;
        visit.server.engine.stop_bulk(view.id);
        tracing::info!(bulk = %view.id, peer = %visit.peer, "stop");
        Ok::<_, Problem>(format!("/bulk/{}", view.id))
    };
    Ok(match stopped.await {
        Ok(place) => lead_to(&place),
        Err(problem) => problem_page(&visit, &problem).await,
    })
}

/// `GET /bulk/{id}`: how far it is, and what can be done about it.
pub(in crate::http) async fn bulk(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let name = path_text(&mut parts, &()).await;
    let found = Query::read(&visit, &parts, &[]).and_then(|_| find(&visit, name));
    let view = match found {
        Ok(view) => view,
        Err(problem) => return Ok(problem_page(&visit, &problem).await),
    };
    let scene = Scene::of(&visit).await;
    let title = visit.lang.pick("Bulk action", "Acción masiva");
    let body = html! {
        h1 { (title) }
        (card(&scene, &view))
        p.fine-print { a href="/bulk" { (scene.pick("All bulk actions", "Todas las acciones masivas")) } }
    };
    let sheet = Sheet {
        title,
        tab: Tab::Tasks,
        view: View::Frame,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

fn card(scene: &Scene<'_>, view: &BulkView) -> Markup {
    let lang = scene.lang;
    let number = |number: u64| count(lang, number);
    html! {
        section.panel #bulk data-poll[!view.state.has_ended()] {
            h2 {
                @if view.is_dry_run { (lang.pick("Count for: ", "Recuento para: ")) }
                (verb(view.action, lang)) " · " (state_word(view.state, lang))
            }
            p { code { (view.filter) } }
            div role="status" { dl.facts {
                dt { (lang.pick("Tasks that match", "Tareas que coinciden")) } dd { (number(view.matched)) }
                @if !view.is_dry_run {
                    dt { (lang.pick("Done", "Hechas")) } dd { (number(view.done)) }
                    dt { (lang.pick("Skipped: no longer in such a state", "Omitidas: ya no en ese estado")) }
                    dd { (number(view.skipped)) }
                }
                @if let (Some(oldest), Some(newest)) = (view.oldest, view.newest) {
                    dt { (lang.pick("Accepted", "Aceptadas")) } dd { (instant(oldest)) " – " (instant(newest)) }
                }
            } }
            (kinds(view, lang))
            @if !view.samples.is_empty() {
                p.fine-print { (lang.pick("Such as ", "Como ")) @for id in &view.samples { (task_link(*id)) " " } }
            }
            (next(scene, view))
        }
    }
}

fn kinds(view: &BulkView, lang: Lang) -> Markup {
    html! {
        @if view.kinds.len() > 1 {
            ul.plain { @for (kind, tasks) in &view.kinds {
                li {
                    (count(lang, *tasks)) " × "
                    (kind.as_ref().map_or(lang.pick("others", "otros"), |kind| kind.as_str()))
                }
            } }
        }
    }
}

/// What can be done now: stop it, do what was counted, or look at the tasks.
fn next(scene: &Scene<'_>, view: &BulkView) -> Markup {
    let lang = scene.lang;
    let here = format!("/bulk/{}", view.id);
    html! {
        @if !view.state.has_ended() {
            form.buttons method="post" action=(here) {
                (token_field(scene.token()))
                button type="submit" { (lang.pick("Stop", "Detener")) }
                a.button href=(here) { (lang.pick("Load again", "Recargar")) }
            }
        } @else if view.is_dry_run && view.state == BulkState::Finished && view.matched > 0 {
            form.buttons method="post" action="/bulk" {
                (token_field(scene.token()))
                input type="hidden" name="filter" value=(view.filter);
                button.danger type="submit" name="action" value=(view.action.name()) {
                    (verb(view.action, lang)) ": " (count(lang, view.matched))
                }
                a.button href="/tasks" { (lang.pick("Leave them", "Dejarlas")) }
            }
        } @else if view.is_dry_run && view.state == BulkState::Finished {
            p.empty { (lang.pick("Nothing to do: no task matches in such a state.",
                "Nada que hacer: ninguna tarea coincide en ese estado.")) }
        }
    }
}

/// `GET /bulk`: those that are remembered.
pub(in crate::http) async fn bulks(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    if let Err(problem) = Query::read(&visit, &parts, &[]) {
        return Ok(problem_page(&visit, &problem).await);
    }
    let scene = Scene::of(&visit).await;
    let title = visit.lang.pick("Bulk actions", "Acciones masivas");
    let body = html! {
        h1 { (title) }
        (list(&scene))
    };
    let sheet = Sheet {
        title,
        tab: Tab::Tasks,
        view: View::Frame,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

fn list(scene: &Scene<'_>) -> Markup {
    let lang = scene.lang;
    let views = scene.server.engine.bulks();
    html! {
        section.panel {
            @if views.is_empty() {
                p.empty {
                    (lang.pick("None since the server started. Filter the ", "Ninguna desde que arrancó el servidor. Filtre las "))
                    a href="/tasks" { (lang.pick("tasks", "tareas")) }
                    (lang.pick(" to act on many at once.", " para actuar sobre muchas a la vez."))
                }
            }
            ul.plain { @for view in &views {
                li {
                    a href=(format!("/bulk/{}", view.id)) {
                        @if view.is_dry_run { (lang.pick("Count for: ", "Recuento para: ")) }
                        (verb(view.action, lang))
                    }
                    " " code { (view.filter) } " · " (state_word(view.state, lang)) " · "
                    (count(lang, if view.is_dry_run { view.matched } else { view.done }))
                    " · " time datetime=(instant(view.asked_at)) { (clock(view.asked_at)) } " UTC"
                }
            } }
        }
    }
}
