//! Events, probes, metrics, error codes and this document, described.

use axum::routing::get;
use tareas_engine::access::Action;
use tareas_protocol::Code;

use super::operation::{Operation, Parameter, Shape, Within, answer};
use crate::http::{errors, health, live, socket};

const TEXT: Shape = Shape::Text("text/plain; charset=utf-8");

/// Every other operation for programs.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "events",
        tag: "system",
        action: Action::ViewSystem,
        path: "/v1/events",
        route: || get(live::events),
        summary: ["What changes, as it changes", "Lo que cambia, según cambia"],
        about: [
            "Server-sent events, one a second at most. `view=numbers` sends JSON for programs, the other views \
             parts of the dashboard. Whoever comes back says what was seen last with `Last-Event-ID`.",
            "Eventos del servidor, uno por segundo como mucho. `view=numbers` envía JSON para programas, las demás \
             vistas partes del panel. Quien vuelve dice con `Last-Event-ID` lo último que vio.",
        ],
        parameters: &[
            Parameter {
                name: "view",
                within: Within::Query,
                about: ["What to see", "Qué ver"],
                schema: r#"{"type":"string","enum":["numbers","frame","map","queues","workers"],"default":"numbers"}"#,
                example: "numbers",
            },
            Parameter {
                name: "Last-Event-ID",
                within: Within::Header,
                about: ["What was seen last", "Lo último que se vio"],
                schema: r#"{"type":"string"}"#,
                example: "18f-4",
            },
        ],
        answers: &[answer(
            200,
            Shape::Text("text/event-stream"),
            ["The stream", "El flujo"],
        )],
        codes: &[Code::TooManyConnections, Code::Overloaded],
        ..Operation::BASE
    },
    Operation {
        id: "socket",
        tag: "system",
        action: Action::Greet,
        path: socket::PATH,
        route: || get(socket::open),
        summary: [
            "The lines of the protocol over a WebSocket",
            "Las líneas del protocolo sobre un WebSocket",
        ],
        about: [
            "A text message carries one line or more; so do the answers.",
            "Un mensaje de texto lleva una línea o más; las respuestas también.",
        ],
        answers: &[answer(
            101,
            Shape::Nothing,
            ["Lines from here on", "Líneas desde aquí"],
        )],
        codes: &[Code::UpgradeRequired, Code::CrossOrigin, Code::Draining],
        ..Operation::BASE
    },
    Operation {
        id: "openapi",
        tag: "system",
        action: Action::Greet,
        path: "/v1/openapi.json",
        route: || get(super::openapi),
        summary: ["This document", "Este documento"],
        answers: &[answer(
            200,
            Shape::Json("Any"),
            ["OpenAPI 3.1", "OpenAPI 3.1"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "livez",
        tag: "probes",
        action: Action::Probe,
        path: "/livez",
        route: || get(health::livez),
        summary: ["Whether the process answers", "Si el proceso responde"],
        answers: &[answer(200, TEXT, ["`ok`", "`ok`"])],
        ..Operation::BASE
    },
    Operation {
        id: "readyz",
        tag: "probes",
        action: Action::Probe,
        path: "/readyz",
        route: || get(health::readyz),
        summary: [
            "Whether new tasks are welcome",
            "Si se aceptan tareas nuevas",
        ],
        parameters: &[Parameter {
            name: "verbose",
            within: Within::Query,
            about: ["Each check on a line", "Cada comprobación en una línea"],
            schema: r#"{"type":"string"}"#,
            example: "1",
        }],
        answers: &[
            answer(200, TEXT, ["`ok`", "`ok`"]),
            answer(503, TEXT, ["`draining` or `down`", "`draining` o `down`"]),
        ],
        ..Operation::BASE
    },
    Operation {
        id: "metrics",
        tag: "probes",
        action: Action::ViewSystem,
        path: "/metrics",
        route: || get(health::metrics),
        summary: ["Metrics for Prometheus", "Métricas para Prometheus"],
        answers: &[answer(
            200,
            Shape::Text(crate::metrics::CONTENT_TYPE),
            ["OpenMetrics text", "Texto OpenMetrics"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "listErrors",
        tag: "system",
        action: Action::Greet,
        path: "/errors",
        route: || get(errors::index),
        summary: ["All error codes", "Todos los códigos de error"],
        about: [
            "A page for browsers, JSON for everybody else.",
            "Una página para navegadores, JSON para los demás.",
        ],
        answers: &[answer(
            200,
            Shape::Json("ErrorCodeList"),
            ["The codes", "Los códigos"],
        )],
        ..Operation::BASE
    },
    Operation {
        id: "getError",
        tag: "system",
        action: Action::Greet,
        path: "/errors/{code}",
        route: || get(errors::one),
        summary: ["Explain an error code", "Explicar un código de error"],
        parameters: &[Parameter {
            name: "code",
            within: Within::Path,
            about: [
                "`TAR-1204`, `1204` or its name",
                "`TAR-1204`, `1204` o su nombre",
            ],
            schema: r#"{"type":"string"}"#,
            example: "TAR-1204",
        }],
        answers: &[answer(
            200,
            Shape::Json("ErrorCode"),
            ["The code", "El código"],
        )],
        codes: &[Code::NotFound],
        ..Operation::BASE
    },
];
