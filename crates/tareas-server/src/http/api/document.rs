//! The OpenAPI 3.1 document, made from the table of operations.

use std::collections::BTreeMap;

use axum::extract::Request;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};
use tareas_protocol::{Code, Lang};

use super::operation::{Answer, Body, Operation, Parameter, Shape, Within};
use super::schemas::schemas;
use super::{LANG, operations};
use crate::http::problem::Answer as Response;
use crate::http::tasks::json as json_answer;
use crate::http::visit::{Query, Visit};

/// What the media type of errors is.
const PROBLEM: &str = "application/problem+json";

/// `GET /v1/openapi.json`.
pub(in crate::http) async fn openapi(visit: Visit, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    Query::read(&visit, &parts, &[])?;
    let text = document(&visit.server.config.version, visit.lang).to_string();
    Ok(json_answer(&visit, StatusCode::OK, text.into_bytes()))
}

/// The whole document, with its words in one language.
pub(super) fn document(version: &str, lang: Lang) -> Value {
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for operation in operations() {
        let method = operation.method.name().to_ascii_lowercase();
        let methods = paths.entry(operation.path).or_default();
        methods.insert(method, described(operation, lang));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "tareas",
            "version": version,
            "summary": lang.pick("A distributed task system", "Un sistema distribuido de tareas"),
            "license": { "name": "MIT OR Apache-2.0", "identifier": "MIT OR Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas(lang),
            "parameters": { "lang": parameter(&LANG, lang) },
            "securitySchemes": schemes(lang),
        },
    })
}

fn described(operation: &Operation, lang: Lang) -> Value {
    let parameters = operation
        .parameters
        .iter()
        .map(|known| parameter(known, lang));
    let mut parameters: Vec<Value> = parameters.collect();
    parameters.push(json!({ "$ref": "#/components/parameters/lang" }));
    let mut described = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": lang.pick(operation.summary[0], operation.summary[1]),
        "security": security(operation),
        "parameters": parameters,
        "responses": responses(operation, lang),
    });
    let about = lang.pick(operation.about[0], operation.about[1]);
    if !about.is_empty() {
        described["description"] = about.into();
    }
    if let Some(body) = &operation.body {
        described["requestBody"] = request_body(body);
    }
    described
}

/// Each role that is enough; nothing where nobody is asked.
fn security(operation: &Operation) -> Value {
    let roles = operation.action.roles().iter();
    roles
        .map(|role| json!({ "token": [role.name()] }))
        .collect()
}

/// What a token is, where access control is on.
fn schemes(lang: Lang) -> Value {
    let (en, es) = (
        "Where access control is on: a token with one of the roles that the operation names, or of \
         a session of the dashboard for what only looks",
        "Con control de acceso: un token con uno de los roles que nombra la operación, o una sesión del \
         panel para lo que solo mira",
    );
    json!({ "token": { "type": "http", "scheme": "bearer", "description": lang.pick(en, es) } })
}

fn parameter(parameter: &Parameter, lang: Lang) -> Value {
    let within = match parameter.within {
        Within::Path => "path",
        Within::Query => "query",
        Within::Header => "header",
    };
    json!({
        "name": parameter.name,
        "in": within,
        "required": parameter.within == Within::Path,
        "description": lang.pick(parameter.about[0], parameter.about[1]),
        "schema": schema_of(parameter),
    })
}

/// The schema of a parameter, as it is written in the table; a test holds all of them valid.
pub(super) fn schema_of(parameter: &Parameter) -> Value {
    serde_json::from_str(parameter.schema).unwrap_or_default()
}

fn request_body(body: &Body) -> Value {
    let example: Value = serde_json::from_str(body.example).unwrap_or_default();
    let content: Map<String, Value> = body
        .types
        .iter()
        .map(|(media, schema)| {
            let mut content = json!({ "schema": reference(schema) });
            if *media == "application/json" {
                content["example"] = example.clone();
            }
            ((*media).to_owned(), content)
        })
        .collect();
    json!({ "required": !body.is_optional, "content": content })
}

fn responses(operation: &Operation, lang: Lang) -> Value {
    let mut responses: BTreeMap<u16, Value> = BTreeMap::new();
    for answer in operation.answers {
        responses.insert(answer.status, response(answer, lang));
    }
    for (status, codes) in by_status(operation) {
        let problem = refused(&codes, lang);
        match responses.get_mut(&status) {
            // A probe that is not ready answers with the same status as a problem.
            Some(known) => known["content"][PROBLEM] = problem["content"][PROBLEM].clone(),
            None => drop(responses.insert(status, problem)),
        }
    }
    let each = responses
        .into_iter()
        .map(|(status, response)| (status.to_string(), response));
    Value::Object(each.collect())
}

fn response(answer: &Answer, lang: Lang) -> Value {
    let mut response = json!({ "description": lang.pick(answer.about[0], answer.about[1]) });
    match answer.shape {
        Shape::Nothing => {}
        Shape::Json(schema) => {
            response["content"]["application/json"]["schema"] = reference(schema);
        }
        Shape::Text(media) => {
            response["content"][media]["schema"] = json!({ "type": "string" });
        }
    }
    for (name, about) in answer.headers {
        response["headers"][*name] = json!({
            "description": lang.pick(about[0], about[1]),
            "schema": { "type": "string" },
        });
    }
    response
}

/// The codes that an operation may answer with, by their status.
pub(super) fn by_status(operation: &Operation) -> BTreeMap<u16, Vec<Code>> {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in operation.all_codes() {
        by_status.entry(code.http_status()).or_default().push(code);
    }
    by_status
}

fn refused(codes: &[Code], lang: Lang) -> Value {
    let words = codes
        .iter()
        .map(|code| format!("`{code}` {}", code.prose(lang).message));
    let words: Vec<String> = words.collect();
    json!({
        "description": words.join("; "),
        "content": { PROBLEM: { "schema": reference("Problem") } },
    })
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}
