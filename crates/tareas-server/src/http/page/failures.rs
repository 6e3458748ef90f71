//! What has failed lately, grouped: tasks of one kind that failed in the same way are one line.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use tareas_core::{Kind, Phase, Reason, Task, TaskId, Timestamp};
use tareas_engine::filter::Filter;
use tareas_engine::ports::TaskQuery;
use tareas_engine::queries::TASKS_PER_PAGE_MAX;

use super::act::requeue;
use super::forms::{Form, lead_to, token_field};
use super::frame::problem_page;
use super::numbers::{clock, count, instant};
use super::words::{shortened, task_link};
use super::{Scene, Sheet, Tab, document};
use crate::http::access::Did;
use crate::http::live::View;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};
use tareas_core::task::Cause;

/// Tasks of a group that are named.
const SAMPLES: usize = 3;
/// Characters of a message that make two failures the same.
const PRINT_CHARS: usize = 120;

/// Tasks that failed in the same way.
#[derive(Debug)]
struct Group {
    kind: Kind,
    reason: Option<Reason>,
    message: String,
    newest: Timestamp,
    oldest: Timestamp,
    tasks: Vec<TaskId>,
}

/// `GET /failures`.
pub(in crate::http) async fn failures(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let groups = async {
        let query = Query::read(&visit, &parts, &["done", "skipped"])?;
        let done = query.number(&visit, "done", u64::MAX)?;
        let skipped = query
            .number(&visit, "skipped", u64::MAX)?
            .unwrap_or_default();
        Ok::<_, Problem>((groups(&visit).await?, done.map(|done| (done, skipped))))
    };
    let (groups, done) = match groups.await {
        Ok(found) => found,
        Err(problem) => return Ok(problem_page(&visit, &problem).await),
    };
    let scene = Scene::of(&visit).await;
    let title = visit.lang.pick("Failures", "Fallos");
    let body = html! {
        h1 { (title) }
        @if let Some((done, skipped)) = done { (answer(&scene, done, skipped)) }
        (list(&scene, &groups))
    };
    let sheet = Sheet {
        title,
        tab: Tab::Failures,
        view: View::Frame,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

/// The newest failed tasks by group, the largest group first.
async fn groups(visit: &Visit) -> Result<Vec<(String, Group)>, Problem> {
    let wanted = TaskQuery {
        filter: Filter::of_phases([Phase::Failed]),
        limit: TASKS_PER_PAGE_MAX,
        ..TaskQuery::default()
    };
    let page = visit.server.engine.page(wanted).await;
    let page = page.map_err(|refusal| visit.refused(&refusal))?;
    let mut groups = BTreeMap::<String, Group>::new();
    for task in &page.tasks {
        let group = groups.entry(print(task)).or_insert_with(|| Group::of(task));
        let at = ended_at(task);
        group.newest = group.newest.max(at);
        group.oldest = group.oldest.min(at);
        group.tasks.push(task.id());
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, group)| (usize::MAX - group.tasks.len(), group.kind.clone()));
    Ok(groups)
}

impl Group {
    fn of(task: &Task) -> Self {
        let message = task
            .failure
            .as_ref()
            .map(|failure| shortened(&failure.message));
        let reason = task.reason();
        Self {
            kind: task.spec.kind.clone(),
            message: message.unwrap_or_else(|| reason.map_or("", Reason::name).to_owned()),
            reason,
            newest: ended_at(task),
            oldest: ended_at(task),
            tasks: Vec::new(),
        }
    }
}

fn ended_at(task: &Task) -> Timestamp {
    task.finished_at.unwrap_or(task.spec.submitted_at)
}

/// What makes two failures the same: kind, cause, and the message without what differs from
/// task to task.
fn print(task: &Task) -> String {
    let failure = task.failure.as_ref();
    let cause = failure.map_or("", |failure| Cause::name(failure.cause));
    let message = failure.map_or("", |failure| failure.message.as_str());
    format!("{} {cause} {}", task.spec.kind, normalised(message))
}

/// Numbers become `#`, and so do words that hold digits, as ids do.
fn normalised(message: &str) -> String {
    let word = |word: &str| {
        if word.bytes().any(|byte| byte.is_ascii_digit()) {
            "#".to_owned()
        } else {
            word.to_owned()
        }
    };
    let words: Vec<_> = message.split_whitespace().map(word).collect();
    words.join(" ").chars().take(PRINT_CHARS).collect()
}

fn list(scene: &Scene<'_>, groups: &[(String, Group)]) -> Markup {
    let lang = scene.lang;
    let (failed, succeeded) = (
        scene.picture.of(Phase::Failed),
        scene.picture.of(Phase::Succeeded),
    );
    if groups.is_empty() {
        return html! {
            section.panel { p.empty {
                (lang.pick("No failures. ", "Sin fallos. "))
                (count(lang, succeeded)) " " (lang.pick("tasks succeeded.", "tareas terminadas."))
            } }
        };
    }
    let seen: usize = groups.iter().map(|(_, group)| group.tasks.len()).sum();
    html! {
        p.fine-print {
            @if failed > seen as u64 {
                (lang.pick("The newest ", "Las ")) (seen)
                (lang.pick(" of ", " más nuevas de ")) (count(lang, failed)) ". "
            }
            a href="/tasks?state=failed" { (lang.pick("All failed tasks", "Todas las tareas fallidas")) }
        }
        @for (print, group) in groups { (draw(scene, print, group)) }
    }
}

fn draw(scene: &Scene<'_>, print: &str, group: &Group) -> Markup {
    let lang = scene.lang;
    let number = group.tasks.len();
    html! {
        section.panel.failure {
            h2 { b.failed { (count(lang, number as u64)) " ×" } " "
                a href=(format!("/tasks?state=failed&kind={}", group.kind)) { (group.kind.as_str()) }
                @if let Some(reason) = group.reason { " " code { (reason.name()) } } }
            p.message { (group.message) }
            p.fine-print {
                (lang.pick("last ", "última ")) time datetime=(instant(group.newest)) title=(instant(group.newest)) {
                    (clock(group.newest)) }
                @if number > 1 {
                    " · " (lang.pick("first ", "primera "))
                    time datetime=(instant(group.oldest)) title=(instant(group.oldest)) { (clock(group.oldest)) }
                }
                " UTC · "
                @for id in group.tasks.iter().take(SAMPLES) { (task_link(*id)) " " }
            }
            form method="post" action="/failures" {
                (token_field(scene.token()))
                input type="hidden" name="print" value=(print);
                button type="submit" {
                    (lang.pick("Put back in line: ", "Volver a la cola: ")) (count(lang, number as u64))
                }
            }
        }
    }
}

fn answer(scene: &Scene<'_>, done: u64, skipped: u64) -> Markup {
    let (done, skipped) = (count(scene.lang, done), count(scene.lang, skipped));
    html! {
        p.note role="status" { (scene.pick(
            format!("{done} back in line, {skipped} skipped (no longer failed)."),
            format!("{done} de vuelta en la cola, {skipped} omitidas (ya no estaban fallidas)."),
        )) }
    }
}

/// `POST /failures`: puts the tasks of one group back in line, as far as they still have failed.
pub(in crate::http) async fn requeue_group(visit: Visit, request: Request) -> Answer {
    let done = async {
        let form = Form::read(&visit, request).await?;
        form.check(&visit)?;
        let wanted = form.get("print");
        let all = groups(&visit).await?;
        let group = all.into_iter().find(|(print, _)| print == wanted);
        let mut counts = [0_usize; 2];
        for id in group.map(|(_, group)| group.tasks).unwrap_or_default() {
            let is_done = requeue(&visit, id).await.is_ok();
            counts[usize::from(!is_done)] += 1;
        }
        tracing::info!(peer = %visit.peer, done = counts[0], "a group was put back in line");
        Ok::<_, Problem>(counts)
    };
    Ok(match done.await {
        Ok([done, skipped]) => {
            let mut response = lead_to(&format!("/failures?done={done}&skipped={skipped}"));
            let did = Did(format!("requeue {done}"));
            response.extensions_mut().insert(did);
            response
        }
        Err(problem) => problem_page(&visit, &problem).await,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_task_to_task_does_not_count() {
        let one = normalised("order 4812 not found at 0x7f3a in  db");
        assert_eq!(one, normalised("order 7 not found at 0x11 in db"));
        assert_ne!(one, normalised("order 7 not found at 0x11 in cache"));
        assert_eq!(normalised(&"é ".repeat(300)).chars().count(), PRINT_CHARS);
    }
}
