//! What all forms of the dashboard share: which paths take one, the proof that a form is ours,
//! and where its answer leads.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use tareas_protocol::Code;

use super::frame::problem_page;
use crate::http::body;
use crate::http::look::Theme;
use crate::http::problem::{Answer, Problem};
use crate::http::visit::Visit;

/// Whether a form may be sent to this path; everything else takes JSON only.
pub(in crate::http) fn takes_form(path: &str) -> bool {
    let pages = [
        "/look",
        "/login",
        "/logout",
        "/tasks",
        "/failures",
        "/bulk",
        "/webhooks",
    ];
    pages.contains(&path)
        || path.starts_with("/webhooks/")
        || path.starts_with("/bulk/")
        || path.starts_with("/tasks/")
        || path.starts_with("/queues/")
}

/// The members of a form that was sent.
#[derive(Debug, Default)]
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the members, whoever sent them.
    pub(super) async fn read(visit: &Visit, request: Request) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let text = body::read(visit, &parts.headers, body).await?;
        let members = form_urlencoded::parse(&text);
        let owned = members.map(|(name, value)| (name.into_owned(), value.into_owned()));
        Ok(Self(owned.collect()))
    }

    /// The member of this name; empty when it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// Refuses a form that does not come from a page of this life of the server.
    pub(super) fn check(&self, visit: &Visit) -> Result<(), Problem> {
        let shown = self.get("token");
        if is_same(visit.form_token(), shown) {
            return Ok(());
        }
        let (en, es) = ("the page is out of date", "la página ha caducado");
        let hint = visit
            .lang
            .pick("load it again and send once more", "recárguela y repita");
        let error = visit
            .error(Code::CrossOrigin)
            .message(visit.lang.pick(en, es));
        Err(visit.problem(error.hint(hint)))
    }
}

/// Whether this is the token; takes as long for every wrong one of its length.
fn is_same(token: &str, shown: &str) -> bool {
    let differing = token
        .bytes()
        .zip(shown.bytes())
        .fold(0, |sum, (a, b)| sum | (a ^ b));
    !token.is_empty() && token.len() == shown.len() && differing == 0
}

/// Leads the browser to another page, to be loaded with `GET`.
pub(super) fn lead_to(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

/// The hidden member that proves a form to be ours.
pub(super) fn token_field(token: &str) -> Markup {
    html! { input type="hidden" name="token" value=(token); }
}

/// `POST /look`: keeps the chosen colours and leads back.
pub(in crate::http) async fn look(visit: Visit, request: Request) -> Answer {
    let form = Form::read(&visit, request).await?;
    if let Err(problem) = form.check(&visit) {
        return Ok(problem_page(&visit, &problem).await);
    }
    let back = Some(form.get("back")).filter(|back| is_here(back));
    let mut response = lead_to(back.unwrap_or("/"));
    Theme::from_name(form.get("theme")).remember(response.headers_mut());
    Ok(response)
}

/// Whether a text is a path of this server and cannot lead anywhere else. Browsers leave out tabs
/// and line breaks before they look.
pub(super) fn is_here(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_and_none_is_no_token() {
        assert!(is_same("abc", "abc"));
        for (token, shown) in [("abc", "abd"), ("abc", "ab"), ("abc", ""), ("", "")] {
            assert!(!is_same(token, shown), "{token} {shown}");
        }
    }

    #[test]
    fn forms_lead_nowhere_else() {
        assert!(is_here("/tasks?state=failed"));
        for path in [
            "",
            "tasks",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
        ] {
            assert!(!is_here(path), "{path}");
        }
        assert!(takes_form("/tasks/new") && !takes_form("/v1/tasks") && !takes_form("/queuesx"));
    }
}
