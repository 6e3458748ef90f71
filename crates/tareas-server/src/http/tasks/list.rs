//! `GET /v1/tasks`: pages of tasks, newest first.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use tareas_engine::filter::Filter;
use tareas_engine::ports::{Page, PageCursor, TaskQuery};
use tareas_engine::queries::TASKS_PER_PAGE_MAX;

use super::json;
use crate::filter::{self, Words, Wrong};
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};
use crate::view::Whole;

/// Tasks on a page, if not said.
const LIMIT_DEFAULT: u64 = 50;
/// The parameters.
const PARAMETERS: [&str; 7] = [
    "filter", "limit", "cursor", "state", "status", "kind", "queue",
];
/// Those that are conditions by themselves.
const ALONE: [(&str, &str); 4] = [
    ("state", "state"),
    ("status", "state"),
    ("kind", "kind"),
    ("queue", "queue"),
];

/// One page: tasks without payload and result, and where the next page begins. Tasks of queues
/// that are not there for the caller are left out, which may make it short.
pub(in crate::http) async fn list(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &PARAMETERS)?;
    let wanted = wanted(&visit, &query)?;
    let page = visit.server.engine.page(wanted).await;
    let mut page = page.map_err(|refusal| visit.refused(&refusal))?;
    page.tasks.retain(|task| visit.sees(&task.spec.queue));
    let next = page.next.map(cursor_text);
    let mut response = json(&visit, StatusCode::OK, body(&visit, page, next.as_deref()));
    if let Some(next) = next.and_then(|next| link(parts.uri.query(), &next)) {
        response.headers_mut().insert(header::LINK, next);
    }
    Ok(response)
}

fn wanted(visit: &Visit, query: &Query) -> Result<TaskQuery, Problem> {
    let max = TASKS_PER_PAGE_MAX as u64;
    let limit = query
        .number(visit, "limit", max)?
        .unwrap_or(LIMIT_DEFAULT)
        .max(1);
    let cursor = match query.get("cursor") {
        Some(text) => Some(cursor(text).ok_or_else(|| {
            let (en, es) = (
                "a `next_cursor` of this list",
                "un `next_cursor` de esta lista",
            );
            visit.invalid("cursor", en, es)
        })?),
        None => None,
    };
    let words = words_of(visit, query)?;
    let filter = meaning(visit, &words)?;
    let limit = usize::try_from(limit).unwrap_or(TASKS_PER_PAGE_MAX);
    Ok(TaskQuery {
        filter,
        cursor,
        limit,
    })
}

/// The conditions of a query: those of its filter, and those that stand by themselves.
pub(in crate::http) fn words_of(visit: &Visit, query: &Query) -> Result<Words, Problem> {
    let wrong = |wrong: Wrong| visit.problem(wrong.error(visit.lang));
    let mut words = Words::split(query.get("filter").unwrap_or_default()).map_err(wrong)?;
    for (parameter, condition) in ALONE {
        if let Some(value) = query.get(parameter) {
            words.add(condition, value).map_err(wrong)?;
        }
    }
    Ok(words)
}

/// What the words of a filter mean now.
pub(in crate::http) fn meaning(visit: &Visit, words: &Words) -> Result<Filter, Problem> {
    let meaning = filter::meaning(words, &visit.server.engine);
    meaning.map_err(|wrong| visit.problem(wrong.error(visit.lang)))
}

fn body(visit: &Visit, page: Page, next: Option<&str>) -> Vec<u8> {
    let mut out = Vec::with_capacity(page.tasks.len() * 512 + 64);
    out.extend_from_slice(b"{\"tasks\":[");
    for (index, task) in page.tasks.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        Whole::listed(task).append_to(&mut out, None, visit.lang);
    }
    out.extend_from_slice(b"],\"next_cursor\":");
    match next {
        Some(next) => tareas_protocol::json::append_string(&mut out, next),
        None => out.extend_from_slice(b"null"),
    }
    out.push(b'}');
    out
}

/// Cursors look like nothing, so that nobody computes with them.
pub(in crate::http) fn cursor_text(cursor: PageCursor) -> String {
    format!("c{:x}", cursor.0)
}

/// The cursor of such a text.
pub(in crate::http) fn cursor(text: &str) -> Option<PageCursor> {
    let digits = text.strip_prefix('c')?;
    u128::from_str_radix(digits, 16).ok().map(PageCursor)
}

/// The same list from the next cursor on, as `Link: <…>; rel="next"`.
fn link(query: Option<&str>, next: &str) -> Option<HeaderValue> {
    let members = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let kept = members.filter(|(name, _)| name != "cursor");
    let mut link = form_urlencoded::Serializer::new(String::new());
    link.extend_pairs(kept).append_pair("cursor", next);
    HeaderValue::from_str(&format!("</v1/tasks?{}>; rel=\"next\"", link.finish())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_as_it_was_written() {
        for number in [0, 1, u128::MAX] {
            assert_eq!(
                cursor(&cursor_text(PageCursor(number))),
                Some(PageCursor(number))
            );
        }
        for text in ["", "c", "12", "cx", "c-1"] {
            assert_eq!(cursor(text), None, "{text}");
        }
    }

    #[test]
    fn the_next_page_keeps_the_filter() {
        let next = link(Some("filter=state%3Afailed&cursor=c1"), "c2").unwrap();
        assert_eq!(
            next,
            "</v1/tasks?filter=state%3Afailed&cursor=c2>; rel=\"next\""
        );
    }
}
