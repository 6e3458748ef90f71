//! Queues, workers, kinds and the picture of the whole, described.

use axum::routing::{get, post};
use tareas_engine::access::Action;
use tareas_protocol::Code;

use super::operation::{Method, NO_BODY, Operation, Parameter, Shape, Within, answer};
use crate::http::{history, kinds, operate, scale, topology};

const QUEUE: Parameter = Parameter {
    name: "queue",
    within: Within::Path,
    about: ["The queue", "La cola"],
    schema: r#"{"type":"string","pattern":"^[A-Za-z0-9._:-]{1,128}$"}"#,
    example: "default",
};

/// Every operation on what operators look at.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "listQueues",
        tag: "queues",
        action: Action::ListQueues,
        path: "/v1/queues",
        route: || get(operate::queues),
        summary: ["List queues", "Listar colas"],
        about: [
            "With the number of their tasks in each state.",
            "Con el número de sus tareas en cada estado.",
        ],
        answers: &[answer(
            200,
            Shape::Json("QueueList"),
            ["All queues", "Todas las colas"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "getQueue",
        tag: "queues",
        action: Action::ViewQueue,
        path: "/v1/queues/{queue}",
        route: || get(operate::queue),
        summary: ["Show a queue", "Mostrar una cola"],
        parameters: &[QUEUE],
        answers: &[answer(
            200,
            Shape::Json("QueueDetail"),
            ["The queue", "La cola"],
        )],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "scaleQueue",
        tag: "queues",
        action: Action::ViewQueue,
        path: "/v1/queues/{queue}/scale",
        route: || get(scale::scale),
        summary: [
            "What an autoscaler needs to know",
            "Lo que necesita saber un autoescalador",
        ],
        about: [
            "`desired_threads` is what would work the backlog off within `within` seconds, by the mean run time that \
             this server has measured; a queue without backlog wants what it uses.",
            "`desired_threads` son los hilos que vaciarían la cola en `within` segundos, según la duración media que \
             midió este servidor; sin tareas en espera son los que usa.",
        ],
        parameters: &[
            QUEUE,
            Parameter {
                name: "within",
                within: Within::Query,
                about: ["In how many seconds", "En cuántos segundos"],
                schema: r#"{"type":"integer","minimum":1,"maximum":86400,"default":30}"#,
                example: "30",
            },
        ],
        answers: &[answer(200, Shape::Json("Scale"), ["Numbers", "Números"])],
        ..Operation::BASE
    },
    Operation {
        id: "pauseQueue",
        tag: "queues",
        action: Action::PauseQueue,
        method: Method::Post,
        path: "/v1/queues/{queue}/pause",
        route: || post(operate::pause),
        summary: [
            "Start no more tasks of a queue",
            "No empezar más tareas de una cola",
        ],
        about: ["What runs goes on.", "Lo que está en curso sigue."],
        parameters: &[QUEUE],
        body: NO_BODY,
        answers: &[answer(
            200,
            Shape::Json("QueuePaused"),
            ["It is paused", "Está en pausa"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "resumeQueue",
        tag: "queues",
        action: Action::PauseQueue,
        method: Method::Post,
        path: "/v1/queues/{queue}/resume",
        route: || post(operate::resume),
        summary: [
            "Start tasks of a queue again",
            "Volver a empezar tareas de una cola",
        ],
        parameters: &[QUEUE],
        body: NO_BODY,
        answers: &[answer(
            200,
            Shape::Json("QueuePaused"),
            ["It is open", "Está abierta"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "listWorkers",
        tag: "workers",
        action: Action::ViewSystem,
        path: "/v1/workers",
        route: || get(operate::workers),
        summary: ["List workers", "Listar trabajadores"],
        about: [
            "The server's own pool with what each thread runs, and the workers of other processes.",
            "El grupo de hilos del servidor con lo que ejecuta cada uno, y los trabajadores de otros procesos.",
        ],
        answers: &[answer(
            200,
            Shape::Json("WorkerList"),
            ["All workers", "Todos los trabajadores"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "listKinds",
        tag: "workers",
        action: Action::ListKinds,
        path: "/v1/kinds",
        route: || get(kinds::kinds),
        summary: ["List kinds of tasks", "Listar tipos de tareas"],
        about: [
            "With an example and, where there is one, the JSON Schema of the payload.",
            "Con un ejemplo y, donde existe, el JSON Schema de los datos.",
        ],
        answers: &[answer(
            200,
            Shape::Json("KindList"),
            ["All kinds", "Todos los tipos"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "getTopology",
        tag: "system",
        action: Action::ViewSystem,
        path: "/v1/topology",
        route: || get(topology::topology),
        summary: ["The system as it is now", "El sistema como está ahora"],
        about: [
            "What the map shows: rates, queues, workers with their threads, backends. Taken at most once a second.",
            "Lo que muestra el mapa: ritmos, colas, trabajadores con sus hilos, almacenes. Una vez por segundo como mucho.",
        ],
        answers: &[answer(
            200,
            Shape::Json("Topology"),
            ["The picture", "La imagen"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "getHistory",
        tag: "system",
        path: "/v1/history",
        action: Action::ViewSystem,
        route: || get(history::history),
        summary: [
            "What this server did lately",
            "Lo que hizo este servidor últimamente",
        ],
        about: [
            "Steps of one second for 5 minutes, ten seconds for an hour, or a minute for a day, oldest first; steps in \
             which the server did not run are left out. It survives a restart. Up to 32 queues have a history of their \
             own. With several processes, rates and times are those of the one that answers.",
            "Pasos de un segundo durante 5 minutos, de diez segundos durante una hora, o de un minuto durante un día, \
             los más antiguos primero; faltan aquellos en los que el servidor no funcionaba. Sobrevive a un \
             reinicio. Hasta 32 colas tienen historia propia. Con varios procesos, los ritmos y tiempos son del que \
             responde.",
        ],
        parameters: &[
            Parameter {
                name: "queue",
                within: Within::Query,
                about: ["Of this queue alone", "Solo de esta cola"],
                schema: r#"{"type":"string","pattern":"^[A-Za-z0-9._:-]{1,128}$"}"#,
                example: "default",
            },
            Parameter {
                name: "step",
                within: Within::Query,
                about: [
                    "How long a step is, in seconds",
                    "Duración de un paso, en segundos",
                ],
                schema: r#"{"type":"integer","enum":[1,10,60],"default":10}"#,
                example: "60",
            },
        ],
        answers: &[answer(
            200,
            Shape::Json("History"),
            ["The steps", "Los pasos"],
        )],
        ..Operation::BASE
    },
];
