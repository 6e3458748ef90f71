//! `/errors/TAR-1204`: what a code means, as a page for people and as JSON for programs.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde::Serialize;
use tareas_protocol::code::Prose;
use tareas_protocol::{Code, Lang};

use super::live::View;
use super::page::{Scene, Sheet, Tab, document};
use super::problem::Answer;
use super::tasks::json;
use super::visit::{Visit, path_text};

/// Everything about one code.
#[derive(Serialize)]
struct Explained {
    code: String,
    name: &'static str,
    message: &'static str,
    hint: &'static str,
    explanation: &'static str,
    retryable: bool,
    http_status: u16,
    exit_code: u8,
}

impl Explained {
    fn new(code: Code, lang: Lang) -> Self {
        let Prose {
            message,
            hint,
            explanation,
            ..
        } = code.prose(lang);
        Self {
            code: code.to_string(),
            name: code.name(),
            message,
            hint,
            explanation,
            retryable: code.is_retryable(),
            http_status: code.http_status(),
            exit_code: code.exit_code(),
        }
    }
}

/// One code: `TAR-1204`, `1204` or its name.
pub(super) async fn one(visit: Visit, request: Request) -> Answer {
    let (mut parts, _) = request.into_parts();
    let text = path_text(&mut parts, &()).await.unwrap_or_default();
    let code = Code::parse(&text).ok_or_else(|| visit.not_found())?;
    let explained = Explained::new(code, visit.lang);
    if !wants_page(&parts.headers) {
        return written(&visit, &explained);
    }
    let lang = visit.lang;
    let again = match code.is_retryable() {
        true => lang.pick("yes", "sí"),
        false => lang.pick("no", "no"),
    };
    let body = html! {
        article.prose {
            h1 { (explained.code) " " code { (explained.name) } }
            p.lead { (explained.message) "." }
            p { (explained.explanation) }
            p { strong { (lang.pick("What to do: ", "Qué hacer: ")) } (explained.hint) "." }
            dl.facts {
                dt { (lang.pick("May be tried again", "Se puede reintentar")) } dd { (again) }
                dt { (lang.pick("HTTP status", "Estado HTTP")) } dd { (explained.http_status) }
                dt { (lang.pick("Exit code", "Código de salida")) } dd { (explained.exit_code) }
            }
            p { a href=(path("/errors", lang)) { (lang.pick("All codes", "Todos los códigos")) } }
        }
    };
    Ok(page(&visit, &explained.code, body).await)
}

/// Every code.
pub(super) async fn index(visit: Visit, request: Request) -> Answer {
    let lang = visit.lang;
    let all: Vec<Explained> = Code::ALL
        .iter()
        .map(|code| Explained::new(*code, lang))
        .collect();
    if !wants_page(request.headers()) {
        return written(&visit, &all);
    }
    let title = lang.pick("Error codes", "Códigos de error");
    let body = html! {
        article.prose {
            h1 { (title) }
            table.plain {
                tbody {
                    @for explained in &all {
                        tr {
                            td { a href=(path(&format!("/errors/{}", explained.code), lang)) {
                                (explained.code)
                            } }
                            td { code { (explained.name) } }
                            td { (explained.message) }
                        }
                    }
                }
            }
        }
    };
    Ok(page(&visit, title, body).await)
}

async fn page(visit: &Visit, title: &str, body: Markup) -> Response {
    let scene = Scene::of(visit).await;
    let sheet = Sheet {
        title,
        tab: Tab::None,
        view: View::Frame,
        body,
    };
    document(visit, &scene, &sheet).into_response()
}

/// A path that keeps the language.
fn path(path: &str, lang: Lang) -> String {
    format!("{path}?lang={}", lang.as_str())
}

fn wants_page(headers: &HeaderMap) -> bool {
    let accept = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}

fn written(visit: &Visit, explained: &impl Serialize) -> Answer {
    let text = serde_json::to_vec(explained);
    let text = text.map_err(|_| visit.problem(visit.error(Code::Bug)))?;
    Ok(json(visit, StatusCode::OK, text))
}
