//! `GET /v1/tasks`: pages of tasks, newest first.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use tareas_engine::ports::{Page, PageCursor, TaskQuery};
use tareas_engine::queries::TASKS_PER_PAGE_MAX;
use tareas_protocol::Code;

use super::filter::{Filter, Wrong};
use super::json;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::{Query, Visit};
use crate::view::Whole;

/// Tasks on a page, if not said.
const LIMIT_DEFAULT: u64 = 50;
/// The parameters. The three conditions may also stand by themselves.
const PARAMETERS: [&str; 7] = [
    "filter", "limit", "cursor", "state", "status", "kind", "queue",
];

/// One page: tasks without payload and result, and where the next page begins.
pub(in crate::http) async fn list(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &PARAMETERS)?;
    let wanted = wanted(&visit, &query)?;
    let page = visit.server.engine.page(wanted).await;
    let page = page.map_err(|refusal| visit.refused(&refusal))?;
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
    let filter = read_filter(query).map_err(|wrong| wrong_filter(visit, &wrong))?;
    let Filter {
        phases,
        queue,
        kind,
    } = filter;
    let limit = usize::try_from(limit).unwrap_or(TASKS_PER_PAGE_MAX);
    Ok(TaskQuery {
        phases,
        queue,
        kind,
        cursor,
        limit,
    })
}

/// The conditions of a query.
pub(in crate::http) fn read_filter(query: &Query) -> Result<Filter, Wrong> {
    let mut filter = Filter::parse(query.get("filter").unwrap_or_default())?;
    for condition in ["state", "status", "kind", "queue"] {
        if let Some(value) = query.get(condition) {
            filter.add(condition, value)?;
        }
    }
    Ok(filter)
}

/// The answer to a filter that cannot be read.
pub(in crate::http) fn wrong_filter(visit: &Visit, wrong: &Wrong) -> Problem {
    let (en, es) = wrong.message();
    let mut error = visit
        .error(Code::InvalidValue)
        .message(visit.lang.pick(en, es));
    error.pointer = Some("filter".to_owned());
    if let Some(nearest) = wrong.nearest() {
        let question = visit.lang.pick("did you mean", "¿quiso decir");
        error = error.hint(format!("{question} `{nearest}`?"));
    }
    visit.problem(error)
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
