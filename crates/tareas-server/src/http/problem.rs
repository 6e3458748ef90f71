//! Errors as HTTP says them: problem+json (RFC 9457) with the members of the error object.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use tareas_protocol::id::id_string;
use tareas_protocol::json::{append_string, append_u64};
use tareas_protocol::trace::trace_id_text;
use tareas_protocol::{Code, ErrorObject, Lang};

/// The answer of a handler.
pub(super) type Answer = Result<Response, Problem>;

/// An error that is the whole answer to a request.
#[derive(Debug)]
pub(super) struct Problem(Box<Told>);

#[derive(Debug)]
struct Told {
    error: ErrorObject,
    status: StatusCode,
    lang: Lang,
    trace_id: Option<u128>,
}

impl Problem {
    /// The answer that says this error, with the status of its code.
    pub(super) fn new(error: ErrorObject, lang: Lang) -> Self {
        let status = error.code().map_or(500, Code::http_status);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self(Box::new(Told {
            error,
            status,
            lang,
            trace_id: None,
        }))
    }

    /// The same answer to a request that is part of a trace.
    pub(super) fn of_trace(mut self, trace_id: Option<u128>) -> Self {
        self.0.trace_id = trace_id;
        self
    }

    /// The same error, for a face that shows it in its own way.
    pub(super) fn error(&self) -> &ErrorObject {
        &self.0.error
    }

    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The body: `type`, `title`, `status`, `detail`, then the members of the error object.
    fn body(&self) -> Vec<u8> {
        let Told {
            error,
            status,
            lang,
            trace_id,
        } = &*self.0;
        let title = error
            .code()
            .map_or("error", |code| code.prose(*lang).message);
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"{\"type\":");
        append_string(&mut out, &format!("/errors/TAR-{:04}", error.number));
        out.extend_from_slice(b",\"title\":");
        append_string(&mut out, title);
        out.extend_from_slice(b",\"status\":");
        append_u64(&mut out, status.as_u16().into());
        out.extend_from_slice(b",\"detail\":");
        append_string(&mut out, &error.message);
        if let Some(id) = &error.task_id {
            out.extend_from_slice(b",\"task_id\":");
            append_string(&mut out, &id_string(id));
        }
        if let Some(trace_id) = trace_id {
            out.extend_from_slice(b",\"trace_id\":");
            append_string(&mut out, &trace_id_text(*trace_id));
        }
        out.push(b',');
        let rest = out.len();
        error.append_object(&mut out);
        out.remove(rest); // its opening brace: the object goes on
        out
    }

    /// When to come back, in whole seconds, for an answer that says "not now".
    fn retry_after(&self) -> Option<u64> {
        let is_later = matches!(self.0.status.as_u16(), 429 | 503);
        let asked = self
            .0
            .error
            .retry_after_ms
            .map(|delay| delay.div_ceil(1_000));
        asked.or((is_later && self.0.error.retryable).then_some(1))
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let lang = HeaderValue::from_static(self.0.lang.as_str());
        let mut response = (self.0.status, self.body()).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CONTENT_LANGUAGE, lang);
        if let Some(seconds) = self.retry_after() {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The whole answer to a request that nobody reads, for a connection that ends with it.
pub(crate) fn last_words(error: ErrorObject, lang: Lang) -> Vec<u8> {
    let problem = Problem::new(error, lang);
    let (body, seconds) = (problem.body(), problem.retry_after().unwrap_or(1));
    let head = format!(
        "HTTP/1.1 {}\r\nRetry-After: {seconds}\r\nConnection: close\r\n\
         Content-Type: application/problem+json\r\nContent-Length: {}\r\n\r\n",
        problem.status(),
        body.len()
    );
    [head.into_bytes(), body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_both() {
        let error = ErrorObject::new(Code::NotFound, Lang::En).message("no such task");
        let problem = Problem::new(error.about([1; 16]), Lang::En);
        let body: serde_json::Value = serde_json::from_slice(&problem.body()).unwrap();
        assert_eq!(body["type"], "/errors/TAR-1207");
        assert_eq!(body["status"], 404);
        assert_eq!(body["title"], Code::NotFound.prose(Lang::En).message);
        assert_eq!(body["detail"], "no such task");
        assert_eq!(body["code"], "TAR-1207");
        assert_eq!(body["name"], "not_found");
        assert_eq!(body["retryable"], false);
        assert_eq!(body["task_id"], "01010101-0101-0101-0101-010101010101");
    }

    #[test]
    fn a_problem_says_which_trace_it_belongs_to() {
        let error = ErrorObject::new(Code::NotFound, Lang::En);
        let problem = Problem::new(error, Lang::En).of_trace(Some(0xabc));
        let body: serde_json::Value = serde_json::from_slice(&problem.body()).unwrap();
        assert_eq!(body["trace_id"], "00000000000000000000000000000abc");
    }

    #[test]
    fn not_now_says_when() {
        let later = |error: ErrorObject| Problem::new(error, Lang::En).retry_after();
        assert_eq!(
            later(ErrorObject::new(Code::Overloaded, Lang::En).retry_after(1_500)),
            Some(2)
        );
        assert_eq!(later(ErrorObject::new(Code::Draining, Lang::En)), Some(1));
        assert_eq!(later(ErrorObject::new(Code::NotFound, Lang::En)), None);
    }
}
