//! `/v1/tasks`, described: what is asked of tasks together.

use axum::routing::{get, post};
use tareas_engine::access::Action;
use tareas_protocol::Code;

use super::operation::{Answer, Body, Method, Operation, Parameter, Shape, Within, answer};
use super::parameters::{APPLIED, ETAG, PREFER, TEXT, query};
use crate::http::tasks;

const LIST_PARAMETERS: &[Parameter] = &[
    query(
        "filter",
        [
            "Which tasks: conditions that hold together, such as `state:failed kind:resize since:1h`",
            "Qué tareas: condiciones que se cumplen juntas, como `state:failed kind:resize since:1h`",
        ],
        r#"{"type":"string","maxLength":2000}"#,
        "state:failed since:1h",
    ),
    query(
        "state",
        ["A condition by itself", "Una condición suelta"],
        TEXT,
        "failed,cancelled",
    ),
    query(
        "status",
        ["The same as `state`", "Lo mismo que `state`"],
        TEXT,
        "failed",
    ),
    query(
        "kind",
        ["A condition by itself", "Una condición suelta"],
        TEXT,
        "resize",
    ),
    query(
        "queue",
        ["A condition by itself", "Una condición suelta"],
        TEXT,
        "mail",
    ),
    query(
        "limit",
        ["How many at most", "Cuántas como mucho"],
        r#"{"type":"integer","minimum":0,"maximum":200,"default":50}"#,
        "50",
    ),
    query(
        "cursor",
        [
            "Where an earlier page ended: its `next_cursor`",
            "Dónde terminó una página anterior: su `next_cursor`",
        ],
        TEXT,
        "c2a",
    ),
];

const LOCATION: (&str, [&str; 2]) = ("Location", ["Where the task is", "Dónde está la tarea"]);
const REPLAYED: (&str, [&str; 2]) = (
    "Idempotent-Replayed",
    [
        "`true` when the task was there already",
        "`true` cuando la tarea ya existía",
    ],
);
const ACCEPTING: &[Code] = &[
    Code::InvalidPayload,
    Code::UnknownKind,
    Code::IdempotencyMismatch,
    Code::IdWindow,
    Code::Overloaded,
    Code::QueueFull,
    Code::StorageFull,
    Code::Conflict,
];

/// Every operation on tasks together.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "listTasks",
        tag: "tasks",
        action: Action::ListTasks,
        path: "/v1/tasks",
        route: || get(tasks::list),
        summary: [
            "List tasks, newest first",
            "Listar tareas, las nuevas primero",
        ],
        about: [
            "Without payloads and results. A page looks at a bounded number of tasks, so it may be short, or \
             empty, and still have a `next_cursor`.",
            "Sin datos ni resultados. Una página mira un número limitado de tareas: puede ser corta, o estar \
             vacía, y aun así tener `next_cursor`.",
        ],
        parameters: LIST_PARAMETERS,
        answers: &[Answer {
            status: 200,
            about: ["A page", "Una página"],
            shape: Shape::Json("TaskList"),
            headers: &[(
                "Link",
                [
                    "The next page, `rel=\"next\"`",
                    "La página siguiente, `rel=\"next\"`",
                ],
            )],
        }],
        ..Operation::BASE
    },
    Operation {
        id: "submitTask",
        tag: "tasks",
        action: Action::Submit,
        method: Method::Post,
        path: "/v1/tasks",
        route: || post(tasks::submit),
        summary: ["Submit a task", "Enviar una tarea"],
        about: [
            "Accepted means recorded. In the short form every member but `op`, `task_id` and `ref` is the payload.",
            "Aceptada significa registrada. En la forma corta todo miembro salvo `op`, `task_id` y `ref` son los datos.",
        ],
        parameters: &[
            PREFER,
            Parameter {
                name: "Idempotency-Key",
                within: Within::Header,
                about: [
                    "Submissions with one key are one task, for 24 h at least",
                    "Los envíos con una misma clave son una sola tarea, al menos 24 h",
                ],
                schema: r#"{"type":"string","maxLength":130}"#,
                example: "order-991",
            },
        ],
        body: Some(Body {
            types: &[("application/json", "Submission")],
            example: r#"{"kind":"square","payload":{"n":5},"priority":7}"#,
            is_optional: false,
        }),
        answers: &[
            Answer {
                status: 200,
                about: [
                    "It has ended in time, or was there already",
                    "Terminó a tiempo, o ya existía",
                ],
                shape: Shape::Json("Task"),
                headers: &[LOCATION, APPLIED, REPLAYED, ETAG],
            },
            Answer {
                status: 202,
                about: ["Accepted", "Aceptada"],
                shape: Shape::Json("Task"),
                headers: &[LOCATION, APPLIED, ETAG],
            },
        ],
        codes: ACCEPTING,
    },
    Operation {
        id: "submitBatch",
        tag: "tasks",
        action: Action::Submit,
        method: Method::Post,
        path: "/v1/tasks/batch",
        route: || post(tasks::batch),
        summary: ["Submit many tasks", "Enviar muchas tareas"],
        about: [
            "A JSON array, or a task on each line (NDJSON); 10,000 at most. Each is accepted or refused by itself.",
            "Un arreglo JSON, o una tarea por línea (NDJSON); 10 000 como mucho. Cada una se acepta o rechaza sola.",
        ],
        body: Some(Body {
            types: &[
                ("application/json", "SubmissionList"),
                ("application/x-ndjson", "Lines"),
            ],
            example: r#"[{"op":"square","n":5},{"kind":"echo","payload":"hola"}]"#,
            is_optional: false,
        }),
        answers: &[answer(
            200,
            Shape::Json("BatchAnswer"),
            ["One answer for each", "Una respuesta por tarea"],
        )],
        codes: ACCEPTING,
        ..Operation::BASE
    },
];
