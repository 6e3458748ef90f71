//! `/v1/tasks/{id}`, described: what is asked of one task.

use axum::routing::{delete, get, post};
use tareas_engine::access::Action;
use tareas_protocol::Code;

use super::operation::{Answer, Method, NO_BODY, Operation, Parameter, Shape, Within, answer};
use super::parameters::{ETAG, WAIT, query};
use crate::http::tasks;

const ID: Parameter = Parameter {
    name: "id",
    within: Within::Path,
    about: ["The task", "La tarea"],
    schema: r#"{"type":"string","format":"uuid"}"#,
    example: "0190a0a0-0000-7000-8000-000000000001",
};

const ARTIFACT: Parameter = Parameter {
    name: "name",
    within: Within::Path,
    about: ["The file", "El archivo"],
    schema: r#"{"type":"string","minLength":1}"#,
    example: "out.png",
};

const IF_NONE_MATCH: Parameter = Parameter {
    name: "If-None-Match",
    within: Within::Header,
    about: [
        "The `ETag` of an earlier answer: 304 while the task is as it was",
        "El `ETag` de una respuesta anterior: 304 mientras la tarea siga igual",
    ],
    schema: r#"{"type":"string"}"#,
    example: "\"3\"",
};

const IF_MATCH: Parameter = Parameter {
    name: "If-Match",
    within: Within::Header,
    about: [
        "The `ETag` of an earlier answer: 412 when the task has changed since",
        "El `ETag` de una respuesta anterior: 412 si la tarea cambió desde entonces",
    ],
    schema: r#"{"type":"string"}"#,
    example: "\"3\"",
};

const TASK: Answer = Answer {
    status: 200,
    about: ["The task", "La tarea"],
    shape: Shape::Json("Task"),
    headers: &[ETAG],
};
const NOT_MODIFIED: Answer = Answer {
    status: 304,
    about: ["The task is as it was", "La tarea sigue igual"],
    shape: Shape::Nothing,
    headers: &[ETAG],
};

/// Every operation on one task.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "getTask",
        tag: "tasks",
        action: Action::FollowTask,
        path: "/v1/tasks/{id}",
        route: || get(tasks::show),
        summary: ["Show a task", "Mostrar una tarea"],
        about: [
            "With its attempts and, while it waits, why. The `ETag` is the task's version: it grows with each \
             change of the task itself.",
            "Con sus intentos y, mientras espera, el porqué. El `ETag` es la versión de la tarea: crece con cada \
             cambio de la tarea misma.",
        ],
        parameters: &[ID, WAIT, IF_NONE_MATCH],
        answers: &[TASK, NOT_MODIFIED],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "deleteTask",
        tag: "tasks",
        action: Action::DeleteTask,
        method: Method::Delete,
        path: "/v1/tasks/{id}",
        route: || delete(tasks::delete),
        summary: [
            "Remove a task that has ended",
            "Eliminar una tarea terminada",
        ],
        parameters: &[ID, IF_MATCH],
        answers: &[answer(204, Shape::Nothing, ["It is gone", "Ya no existe"])],
        codes: &[Code::NotFound, Code::Conflict, Code::Changed],
        ..Operation::BASE
    },
    Operation {
        id: "waitForTask",
        tag: "tasks",
        action: Action::FollowTask,
        path: "/v1/tasks/{id}/wait",
        route: || get(tasks::wait),
        summary: [
            "Wait for the end of a task",
            "Esperar el final de una tarea",
        ],
        about: [
            "The task when it has ended, or as it is when the time is over.",
            "La tarea cuando termine, o como esté al acabar el tiempo.",
        ],
        parameters: &[
            ID,
            query(
                "timeout_ms",
                ["How long at most", "Cuánto como mucho"],
                r#"{"type":"integer","minimum":0,"maximum":3600000}"#,
                "10000",
            ),
        ],
        answers: &[TASK],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "whyTask",
        tag: "tasks",
        action: Action::InspectTask,
        path: "/v1/tasks/{id}/why",
        route: || get(tasks::why),
        summary: ["Say why a task waits", "Decir por qué espera una tarea"],
        parameters: &[ID],
        answers: &[answer(
            200,
            Shape::Json("WhyOrNull"),
            [
                "Why, and what to do; `null` when it has ended",
                "El porqué y qué hacer; `null` si ya terminó",
            ],
        )],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "taskLog",
        tag: "tasks",
        action: Action::InspectTask,
        path: "/v1/tasks/{id}/log",
        route: || get(tasks::log),
        summary: [
            "What the attempts have logged lately",
            "Lo que los intentos registraron últimamente",
        ],
        about: [
            "Live, as server-sent events, for whoever accepts `text/event-stream`.",
            "En vivo, como eventos del servidor, para quien acepta `text/event-stream`.",
        ],
        parameters: &[ID],
        answers: &[answer(
            200,
            Shape::Json("Log"),
            ["The lines of each attempt", "Las líneas de cada intento"],
        )],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "listArtifacts",
        tag: "tasks",
        action: Action::FollowTask,
        path: "/v1/tasks/{id}/artifacts",
        route: || get(tasks::artifacts),
        summary: [
            "List the files that a task has left",
            "Listar los archivos que dejó una tarea",
        ],
        parameters: &[ID],
        answers: &[answer(
            200,
            Shape::Json("ArtifactList"),
            ["Names, types and sizes", "Nombres, tipos y tamaños"],
        )],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "getArtifact",
        tag: "tasks",
        action: Action::FollowTask,
        path: "/v1/tasks/{id}/artifacts/{name}",
        route: || get(tasks::artifact),
        summary: [
            "Download a file that a task has left",
            "Descargar un archivo que dejó una tarea",
        ],
        about: [
            "Or a part of it: `Range: bytes=0-99`, one range.",
            "O una parte: `Range: bytes=0-99`, un solo tramo.",
        ],
        parameters: &[ID, ARTIFACT],
        answers: &[
            answer(
                200,
                Shape::Text("*/*"),
                ["The file, of its own type", "El archivo, de su propio tipo"],
            ),
            answer(206, Shape::Text("*/*"), ["A part of it", "Una parte"]),
            answer(304, Shape::Nothing, ["It is as it was", "Sigue igual"]),
            answer(
                416,
                Shape::Text("*/*"),
                ["The range lies outside", "El tramo queda fuera"],
            ),
        ],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "taskResult",
        tag: "tasks",
        action: Action::FollowTask,
        path: "/v1/tasks/{id}/result",
        route: || get(tasks::result),
        summary: ["The result, byte by byte", "El resultado, byte a byte"],
        about: [
            "The JSON text of the result, or a part of it: `Range: bytes=0-99`, one range.",
            "El texto JSON del resultado, o una parte: `Range: bytes=0-99`, un solo tramo.",
        ],
        parameters: &[ID],
        answers: &[
            Answer {
                status: 200,
                about: ["The result", "El resultado"],
                shape: Shape::Json("Any"),
                headers: &[ETAG],
            },
            answer(
                206,
                Shape::Text("application/json"),
                ["A part of it", "Una parte"],
            ),
            answer(304, Shape::Nothing, ["It is as it was", "Sigue igual"]),
            answer(
                416,
                Shape::Nothing,
                ["The range lies outside", "El tramo queda fuera"],
            ),
        ],
        codes: &[Code::NotFound, Code::NotFinished, Code::Conflict],
        ..Operation::BASE
    },
    Operation {
        id: "cancelTask",
        tag: "tasks",
        action: Action::CancelTask,
        method: Method::Post,
        path: "/v1/tasks/{id}/cancel",
        route: || post(tasks::cancel),
        summary: ["Cancel a task", "Cancelar una tarea"],
        about: [
            "Honest about what happened: cancelled, or running and asked to stop.",
            "Dice lo que pasó: cancelada, o en curso y con la petición de parar.",
        ],
        parameters: &[ID, IF_MATCH],
        body: NO_BODY,
        answers: &[
            answer(
                200,
                Shape::Json("Cancelled"),
                ["It is cancelled", "Está cancelada"],
            ),
            answer(
                202,
                Shape::Json("Cancelled"),
                [
                    "It runs and was asked to stop",
                    "Está en curso y se le pidió parar",
                ],
            ),
        ],
        codes: &[Code::NotFound, Code::Conflict, Code::Changed],
    },
    Operation {
        id: "requeueTask",
        tag: "tasks",
        action: Action::RequeueTask,
        method: Method::Post,
        path: "/v1/tasks/{id}/requeue",
        route: || post(tasks::requeue),
        summary: [
            "Put a failed or cancelled task back in line",
            "Volver a encolar una tarea fallida o cancelada",
        ],
        parameters: &[ID, IF_MATCH],
        body: NO_BODY,
        answers: &[answer(
            202,
            Shape::Json("Acknowledgement"),
            ["It is back in line", "Ha vuelto a la cola"],
        )],
        codes: &[Code::NotFound, Code::Conflict, Code::Changed],
        ..Operation::BASE
    },
];
