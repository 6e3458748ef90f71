//! `/docs`: the same table as pages for people, from the server itself and in both languages.

use axum::extract::Request;
use axum::response::IntoResponse;
use maud::{Markup, html};
use serde_json::Value;
use tareas_protocol::Lang;

use super::document::{by_status, schema_of};
use super::operation::{Answer, Method, Operation, Parameter, Shape, Within};
use super::schemas::schemas;
use super::{LANG, operations};
use crate::filter::CONDITIONS;
use crate::http::live::View;
use crate::http::page::{Scene, Sheet, Tab, document};
use crate::http::problem::Answer as Response;
use crate::http::visit::{Query, Visit};

/// `GET /docs`.
pub(in crate::http) async fn docs(visit: Visit, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let scene = Scene::of(&visit).await;
    let lang = visit.lang;
    let host = parts
        .headers
        .get("host")
        .and_then(|host| host.to_str().ok());
    let base = visit.server.config.public_url.clone();
    let base = base.unwrap_or_else(|| format!("http://{}", host.unwrap_or("localhost:5000")));
    let title = lang.pick("HTTP API", "API HTTP");
    let body = html! {
        article.prose.api {
            h1 { (title) }
            p.lead { (lang.pick("Everything that programs can ask over HTTP. The same as a document: ",
                "Todo lo que los programas pueden pedir por HTTP. Lo mismo como documento: "))
                a href="/v1/openapi.json" { "OpenAPI 3.1" } "." }
            (contents(lang))
            (filter_language(lang))
            @for operation in operations() { (draw(operation, &base, lang)) }
            (forms(lang))
        }
    };
    let sheet = Sheet {
        title,
        tab: Tab::None,
        view: View::Frame,
        body,
    };
    Ok(document(&visit, &scene, &sheet).into_response())
}

fn contents(lang: Lang) -> Markup {
    html! {
        nav aria-label=(lang.pick("Operations", "Operaciones")) {
            ul.plain { @for operation in operations() {
                li {
                    a href=(format!("#{}", operation.id)) {
                        code { (operation.method.name()) " " (operation.path) }
                    }
                    " " (lang.pick(operation.summary[0], operation.summary[1]))
                }
            } }
        }
    }
}

fn filter_language(lang: Lang) -> Markup {
    html! {
        section #filter {
            h2 { (lang.pick("Filters", "Filtros")) }
            p { (lang.pick(
                "Conditions that hold together, with blanks between them. A list means any of its values, a `-` \
                 before state, kind, queue or reason that it must not hold. Values with blanks stand in quotes.",
                "Condiciones que se cumplen juntas, separadas por espacios. Una lista significa cualquiera de sus \
                 valores; un `-` ante state, kind, queue o reason, que no se cumpla. Los valores con espacios van \
                 entre comillas.")) }
            table.plain { tbody { @for condition in &CONDITIONS {
                tr {
                    td { code { (condition.name) ":" (condition.example) } }
                    td { (lang.pick(condition.about[0], condition.about[1])) }
                }
            } } }
        }
    }
}

fn draw(operation: &Operation, base: &str, lang: Lang) -> Markup {
    let about = lang.pick(operation.about[0], operation.about[1]);
    html! {
        section.operation id=(operation.id) {
            h2 { code { (operation.method.name()) " " (operation.path) } }
            p { strong { (lang.pick(operation.summary[0], operation.summary[1])) "." }
                @if !about.is_empty() { " " (about) } }
            pre { code { (curl(operation, base)) } }
            (roles(operation, lang))
            (parameters(operation, lang))
            (answers(operation, lang))
        }
    }
}

/// Who may, where access control is on.
fn roles(operation: &Operation, lang: Lang) -> Markup {
    let roles = operation.action.roles().iter().map(|role| role.name());
    let roles: Vec<&str> = roles.collect();
    html! {
        @if roles.is_empty() {
            p.fine-print { (lang.pick("Open to all", "Abierto a todos")) }
        } @else {
            p.fine-print { (lang.pick("Roles: ", "Roles: ")) (roles.join(", ")) }
        }
    }
}

/// The request as a command.
pub(super) fn curl(operation: &Operation, base: &str) -> String {
    let mut path = operation.path.to_owned();
    let mut query = String::new();
    let mut headers = String::new();
    for parameter in operation.parameters {
        match parameter.within {
            Within::Path => {
                path = path.replace(&format!("{{{}}}", parameter.name), parameter.example)
            }
            Within::Query if query.is_empty() => {
                let value = form_urlencoded::byte_serialize(parameter.example.as_bytes());
                query = format!("?{}={}", parameter.name, value.collect::<String>());
            }
            Within::Header => headers = format!(" -H '{}: {}'", parameter.name, parameter.example),
            Within::Query => {}
        }
    }
    let method = match operation.method {
        Method::Get => "",
        Method::Post => " -X POST",
        Method::Delete => " -X DELETE",
    };
    let body = operation.body.map_or_else(String::new, |body| {
        format!(" -H 'Content-Type: application/json' -d '{}'", body.example)
    });
    format!("curl{method} '{base}{path}{query}'{headers}{body}")
}

fn parameters(operation: &Operation, lang: Lang) -> Markup {
    let all = operation.parameters.iter().chain([&LANG]);
    html! {
        table.plain { tbody {
            @for parameter in all { (parameter_row(parameter, lang)) }
            @if let Some(body) = &operation.body {
                @for (media, schema) in body.types {
                    tr { td { (lang.pick("body", "cuerpo")) } td { code { (media) } }
                        td { (link_to(schema)) } }
                }
            }
        } }
    }
}

fn parameter_row(parameter: &Parameter, lang: Lang) -> Markup {
    let within = match parameter.within {
        Within::Path => lang.pick("path", "ruta"),
        Within::Query => lang.pick("query", "consulta"),
        Within::Header => lang.pick("header", "cabecera"),
    };
    html! {
        tr {
            td { (within) }
            td { code { (parameter.name) } " " span.fine-print { (form_of(&schema_of(parameter))) } }
            td { (lang.pick(parameter.about[0], parameter.about[1])) }
        }
    }
}

fn answers(operation: &Operation, lang: Lang) -> Markup {
    html! {
        table.plain { tbody {
            @for answer in operation.answers { (answer_row(answer, lang)) }
            @for (status, codes) in by_status(operation) {
                tr {
                    td { (status) }
                    td { @for code in &codes {
                        a href=(format!("/errors/{code}?lang={}", lang.as_str())) { (code) } " "
                    } }
                    td { @for (index, code) in codes.iter().enumerate() {
                        @if index > 0 { "; " } (code.prose(lang).message)
                    } }
                }
            }
        } }
    }
}

fn answer_row(answer: &Answer, lang: Lang) -> Markup {
    html! {
        tr {
            td { strong { (answer.status) } }
            td { @match answer.shape {
                Shape::Nothing => {}
                Shape::Json(schema) => { (link_to(schema)) }
                Shape::Text(media) => { code { (media) } }
            } }
            td { (lang.pick(answer.about[0], answer.about[1])) }
        }
    }
}

fn link_to(schema: &str) -> Markup {
    html! { a href=(format!("#form-{schema}")) { (schema) } }
}

/// Every form with its members.
fn forms(lang: Lang) -> Markup {
    let all = schemas(lang);
    html! {
        h2 { (lang.pick("Forms", "Formas")) }
        @if let Value::Object(all) = &all {
            @for (name, schema) in all {
                section id=(format!("form-{name}")) {
                    h3 { (name) }
                    @if let Some(Value::Object(members)) = schema.get("properties") {
                        table.plain { tbody { @for (member, form) in members {
                            tr {
                                td { code { (member) } }
                                td { (form_of(form)) }
                                td { (form.get("description").and_then(Value::as_str).unwrap_or_default()) }
                            }
                        } } }
                    } @else { p { (form_of(schema)) } }
                }
            }
        }
    }
}

/// A schema in a few words.
fn form_of(schema: &Value) -> Markup {
    if let Some(name) = referred(schema) {
        return link_to(name);
    }
    if let Some(items) = schema.get("items") {
        return html! { "[" (form_of(items)) "]" };
    }
    for several in ["oneOf", "anyOf"] {
        if let Some(Value::Array(each)) = schema.get(several) {
            return html! { @for (index, one) in each.iter().enumerate() {
                @if index > 0 { " | " } (form_of(one))
            } };
        }
    }
    if let Some(Value::Array(words)) = schema.get("enum") {
        let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
        return html! { (words.join(" | ")) };
    }
    let kind = match schema.get("type") {
        Some(Value::String(kind)) => kind.clone(),
        Some(Value::Array(kinds)) => {
            let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
            kinds.join(" | ")
        }
        _ => "JSON".to_owned(),
    };
    let format = schema.get("format").and_then(Value::as_str);
    html! { (kind) @if let Some(format) = format { " (" (format) ")" } }
}

fn referred(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.rsplit('/').next()
}
