//! `/v1/bulk`, described.

use axum::routing::{get, post};
use tareas_engine::access::Action;
use tareas_protocol::Code;

use super::operation::{
    Answer, Body, Method, NO_BODY, Operation, Parameter, Shape, Within, answer,
};
use super::parameters::{APPLIED, PREFER, WAIT};
use crate::http::bulk;

const ID: Parameter = Parameter {
    name: "id",
    within: Within::Path,
    about: ["The bulk action", "La acción masiva"],
    schema: r#"{"type":"string","format":"uuid"}"#,
    example: "0190a0a0-0000-7000-8000-000000000002",
};
const LOCATION: (&str, [&str; 2]) = (
    "Location",
    ["Where its progress is", "Dónde está su avance"],
);

/// Every operation on bulk actions.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "listBulk",
        tag: "bulk",
        action: Action::OperateTasks,
        path: "/v1/bulk",
        route: || get(bulk::list),
        summary: ["List bulk actions", "Listar acciones masivas"],
        about: [
            "Those of this life of the server, newest first, 100 at most.",
            "Las de esta vida del servidor, las nuevas primero, 100 como mucho.",
        ],
        answers: &[answer(
            200,
            Shape::Json("BulkList"),
            ["Bulk actions", "Acciones masivas"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "orderBulk",
        tag: "bulk",
        action: Action::OperateTasks,
        method: Method::Post,
        path: "/v1/bulk",
        route: || post(bulk::create),
        summary: [
            "Do something to every task that a filter finds",
            "Hacer algo a cada tarea que un filtro encuentra",
        ],
        about: [
            "Carried out beside everything else, one after another. Relative times are fixed when it is ordered; \
             tasks that come later are not touched. `dry_run` only counts. It ends with the server that carries \
             it out: what it has done stays done.",
            "Se ejecuta al lado de todo lo demás, una tras otra. Los tiempos relativos se fijan al pedirla; las \
             tareas posteriores no se tocan. `dry_run` solo cuenta. Termina con el servidor que la ejecuta: lo \
             hecho queda hecho.",
        ],
        parameters: &[PREFER],
        body: Some(Body {
            types: &[("application/json", "BulkOrder")],
            example: r#"{"action":"requeue","filter":"state:failed since:1h","dry_run":true}"#,
            is_optional: false,
        }),
        answers: &[
            Answer {
                status: 200,
                about: ["It has ended in time", "Terminó a tiempo"],
                shape: Shape::Json("Bulk"),
                headers: &[LOCATION, APPLIED],
            },
            Answer {
                status: 202,
                about: [
                    "It waits in line or goes on",
                    "Espera su turno o está en curso",
                ],
                shape: Shape::Json("Bulk"),
                headers: &[LOCATION, APPLIED],
            },
        ],
        codes: &[Code::Overloaded],
    },
    Operation {
        id: "getBulk",
        tag: "bulk",
        action: Action::OperateTasks,
        path: "/v1/bulk/{id}",
        route: || get(bulk::show),
        summary: ["How far a bulk action is", "Cómo va una acción masiva"],
        parameters: &[ID, WAIT],
        answers: &[answer(
            200,
            Shape::Json("Bulk"),
            ["The bulk action", "La acción masiva"],
        )],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "stopBulk",
        tag: "bulk",
        action: Action::OperateTasks,
        method: Method::Post,
        path: "/v1/bulk/{id}/stop",
        route: || post(bulk::stop),
        summary: ["Stop a bulk action", "Detener una acción masiva"],
        about: [
            "Before its next page of tasks.",
            "Antes de su siguiente página de tareas.",
        ],
        parameters: &[ID],
        body: NO_BODY,
        answers: &[answer(
            200,
            Shape::Json("Bulk"),
            ["As it is now", "Como está ahora"],
        )],
        codes: &[Code::NotFound],
    },
];
