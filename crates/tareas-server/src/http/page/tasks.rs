//! The list of tasks: filtered, newest first, a page at a time.

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_engine::ports::{Page, TaskQuery};

use super::filter::{self, path};
use super::frame::problem_page;
use super::{Scene, Sheet, Tab, bulk, document, latest};
use crate::filter::Words;
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::tasks::{cursor, cursor_text, meaning, words_of};
use crate::http::visit::{Query, Visit};

/// Tasks on a page.
const TASKS_PER_PAGE: usize = 50;
/// The parameters.
const PARAMETERS: [&str; 6] = ["filter", "state", "kind", "queue", "cursor", "said"];

/// `GET /tasks`.
pub(in crate::http) async fn tasks(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let found = match Query::read(&visit, &parts, &PARAMETERS) {
        Ok(query) => find(&visit, &query).await.map(|found| (query, found)),
        Err(problem) => Err(problem),
    };
    let (query, (words, page)) = match found {
        Ok(found) => found,
        Err(problem) => return Ok(problem_page(&visit, &problem).await),
    };
    let scene = Scene::of(&visit).await;
    let title = visit.lang.pick("Tasks", "Tareas");
    let body = html! {
        h1 { (title) }
        @if query.get("said") == Some("deleted") {
            p.note role="status" { (scene.pick("The task was removed.", "La tarea fue eliminada.")) }
        }
        (filter::draw(&scene, &words))
        (bulk::buttons(&scene, &words))
        (list(&scene, &words, &page, query.get("cursor").is_some()))
    };
    let sheet = Sheet {
        title,
        tab: Tab::Tasks,
        view: View::Frame,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

async fn find(visit: &Visit, query: &Query) -> Result<(Words, Page), Problem> {
    let words = words_of(visit, query)?;
    let cursor = query.get("cursor").map(|text| {
        let (en, es) = ("a page of this list", "una página de esta lista");
        cursor(text).ok_or_else(|| visit.invalid("cursor", en, es))
    });
    let wanted = TaskQuery {
        filter: meaning(visit, &words)?,
        cursor: cursor.transpose()?,
        limit: TASKS_PER_PAGE,
    };
    let page = visit.server.engine.page(wanted).await;
    Ok((words, page.map_err(|refusal| visit.refused(&refusal))?))
}

fn list(scene: &Scene<'_>, words: &Words, page: &Page, is_later: bool) -> Markup {
    let lang = scene.lang;
    html! {
        section.panel.latest {
            @if page.tasks.is_empty() {
                p.empty {
                    @if page.next.is_some() {
                        (lang.pick("None on this stretch of the list.", "Ninguna en este tramo de la lista."))
                    } @else if words.is_empty() && !is_later {
                        (lang.pick("No tasks yet. ", "Todavía no hay tareas. "))
                        a href="/tasks/new" { (lang.pick("Make one", "Cree una")) } "."
                    } @else {
                        (lang.pick("Nothing matches. ", "Nada coincide. "))
                        a href="/tasks" { (lang.pick("Show all", "Mostrar todas")) } "."
                    }
                }
            } @else {
                (latest::rows(&page.tasks, scene.server.engine.now(), scene))
            }
            nav.pages aria-label=(lang.pick("Pages of the list", "Páginas de la lista")) {
                @if is_later { a href=(path(words, None)) { "↑ " (lang.pick("Newest", "Más nuevas")) } }
                @else { a href=(path(words, None)) { "↻ " (lang.pick("Refresh", "Actualizar")) } }
                @if let Some(next) = page.next {
                    a href=(path(words, Some(&cursor_text(next)))) rel="next" {
                        (lang.pick("Older", "Más antiguas")) " ↓"
                    }
                }
            }
        }
    }
}
