//! The list of tasks: filtered by state, queue and kind, newest first, a page at a time.

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_core::{Kind, Phase};
use tareas_engine::ports::{Page, TaskQuery};

use super::frame::problem_page;
use super::numbers::count;
use super::{Scene, Sheet, Tab, document, latest, states};
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::tasks::{Filter, cursor, cursor_text, read_filter, wrong_filter};
use crate::http::visit::{Query, Visit};

/// Tasks on a page.
const TASKS_PER_PAGE: usize = 50;
/// Queues that have a chip; others are reached by their name.
const QUEUE_CHIPS: usize = 12;
/// The parameters.
const PARAMETERS: [&str; 6] = ["filter", "state", "kind", "queue", "cursor", "said"];

/// `GET /tasks`.
pub(in crate::http) async fn tasks(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let found = match Query::read(&visit, &parts, &PARAMETERS) {
        Ok(query) => find(&visit, &query).await.map(|found| (query, found)),
        Err(problem) => Err(problem),
    };
    let (query, (filter, page)) = match found {
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
        (chips(&scene, &filter))
        (list(&scene, &filter, &page, query.get("cursor").is_some()))
    };
    let sheet = Sheet {
        title,
        tab: Tab::Tasks,
        view: View::Frame,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

async fn find(visit: &Visit, query: &Query) -> Result<(Filter, Page), Problem> {
    let filter = read_filter(query).map_err(|wrong| wrong_filter(visit, &wrong))?;
    let cursor = query.get("cursor").map(|text| {
        let (en, es) = ("a page of this list", "una página de esta lista");
        cursor(text).ok_or_else(|| visit.invalid("cursor", en, es))
    });
    let wanted = TaskQuery {
        phases: filter.phases.clone(),
        queue: filter.queue.clone(),
        kind: filter.kind.clone(),
        cursor: cursor.transpose()?,
        limit: TASKS_PER_PAGE,
    };
    let page = visit.server.engine.page(wanted).await;
    Ok((filter, page.map_err(|refusal| visit.refused(&refusal))?))
}

/// The filter as links: each leads to the list with one condition exchanged.
fn chips(scene: &Scene<'_>, filter: &Filter) -> Markup {
    let lang = scene.lang;
    let one = match filter.phases.as_slice() {
        [phase] => Some(*phase),
        _ => None,
    };
    let with_state = |phase: Option<Phase>| {
        let phases = phase.into_iter().collect();
        path(
            &Filter {
                phases,
                ..filter.clone()
            },
            None,
        )
    };
    html! {
        nav.chips aria-label=(lang.pick("State", "Estado")) {
            a href=(with_state(None)) aria-current=[filter.phases.is_empty().then_some("true")] {
                (lang.pick("all", "todas"))
            }
            @for phase in Phase::ALL {
                a href=(with_state(Some(phase))) aria-current=[(one == Some(phase)).then_some("true")] {
                    (states::badge(phase, lang)) " " (count(lang, in_phase(scene, filter, phase)))
                }
            }
        }
        (queue_chips(scene, filter))
        (names(scene, filter))
    }
}

/// Counted in all queues, or in the one that is looked at.
fn in_phase(scene: &Scene<'_>, filter: &Filter, phase: Phase) -> u64 {
    let lines = scene.picture.queues.iter();
    let chosen = lines.filter(|line| {
        filter
            .queue
            .as_ref()
            .is_none_or(|queue| *queue == line.name)
    });
    chosen.map(|line| line.of(phase)).sum()
}

fn queue_chips(scene: &Scene<'_>, filter: &Filter) -> Markup {
    let queues = &scene.picture.queues;
    let with = |queue| {
        path(
            &Filter {
                queue,
                ..filter.clone()
            },
            None,
        )
    };
    html! {
        @if queues.len() > 1 {
            nav.chips aria-label=(scene.pick("Queue", "Cola")) {
                a href=(with(None)) aria-current=[filter.queue.is_none().then_some("true")] {
                    (scene.pick("all queues", "todas las colas"))
                }
                @for line in queues.iter().take(QUEUE_CHIPS) {
                    @let is_it = filter.queue.as_ref() == Some(&line.name);
                    a href=(with(Some(line.name.clone()))) aria-current=[is_it.then_some("true")] {
                        (line.name.as_str())
                    }
                }
            }
        }
    }
}

/// The two names, to be typed.
fn names(scene: &Scene<'_>, filter: &Filter) -> Markup {
    let lang = scene.lang;
    let states: Vec<_> = filter.phases.iter().map(|phase| phase.name()).collect();
    html! {
        form.filter method="get" action="/tasks" role="search" {
            @if !states.is_empty() { input type="hidden" name="state" value=(states.join(",")); }
            @if let Some(queue) = &filter.queue { input type="hidden" name="queue" value=(queue); }
            label for="kind" { (lang.pick("Kind", "Tipo")) }
            @if let Some(kind) = &filter.kind {
                span.chosen { (kind.as_str()) " "
                    a href=(path(&Filter { kind: None, ..filter.clone() }, None))
                        aria-label=(lang.pick("any kind", "cualquier tipo")) { "✕" } }
            } @else {
                input #kind type="text" name="kind" list="kinds" required maxlength="128"
                    autocomplete="off" autocapitalize="none" spellcheck="false";
                button type="submit" { (lang.pick("Filter", "Filtrar")) }
                datalist #kinds { @for kind in scene.server.engine.kinds().all() {
                    option value=(Kind::as_str(&kind)) {}
                } }
            }
        }
    }
}

fn list(scene: &Scene<'_>, filter: &Filter, page: &Page, is_later: bool) -> Markup {
    let lang = scene.lang;
    html! {
        section.panel.latest {
            @if page.tasks.is_empty() {
                p.empty {
                    @if page.next.is_some() {
                        (lang.pick("None on this stretch of the list.", "Ninguna en este tramo de la lista."))
                    } @else if *filter == Filter::default() && !is_later {
                        (lang.pick("No tasks yet. ", "Todavía no hay tareas. "))
                        a href="/tasks/new" { (lang.pick("Make one", "Cree una")) } "."
                    } @else {
                        (lang.pick("Nothing matches. ", "Nada coincide. "))
                        a href="/tasks" { (lang.pick("Show all", "Mostrar todas")) } "."
                    }
                }
            } @else {
                (latest::rows(&page.tasks, scene.server.engine.now(), lang))
            }
            nav.pages aria-label=(lang.pick("Pages of the list", "Páginas de la lista")) {
                @if is_later { a href=(path(filter, None)) { "↑ " (lang.pick("Newest", "Más nuevas")) } }
                @else { a href=(path(filter, None)) { "↻ " (lang.pick("Refresh", "Actualizar")) } }
                @if let Some(next) = page.next {
                    a href=(path(filter, Some(&cursor_text(next)))) rel="next" {
                        (lang.pick("Older", "Más antiguas")) " ↓"
                    }
                }
            }
        }
    }
}

/// The list under this filter, from this cursor on.
fn path(filter: &Filter, cursor: Option<&str>) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if !filter.phases.is_empty() {
        let states: Vec<_> = filter.phases.iter().map(|phase| phase.name()).collect();
        query.append_pair("state", &states.join(","));
    }
    if let Some(queue) = &filter.queue {
        query.append_pair("queue", queue.as_str());
    }
    if let Some(kind) = &filter.kind {
        query.append_pair("kind", kind.as_str());
    }
    if let Some(cursor) = cursor {
        query.append_pair("cursor", cursor);
    }
    let query = query.finish();
    if query.is_empty() {
        "/tasks".to_owned()
    } else {
        format!("/tasks?{query}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_reads_back_as_its_filter() {
        let filter = Filter::parse("state:failed,cancelled kind:a.b queue:mail").unwrap();
        assert_eq!(
            path(&filter, Some("c1")),
            "/tasks?state=failed%2Ccancelled&queue=mail&kind=a.b&cursor=c1"
        );
        assert_eq!(path(&Filter::default(), None), "/tasks");
    }
}
