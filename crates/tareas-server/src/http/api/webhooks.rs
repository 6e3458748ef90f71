//! Webhooks and their deliveries, described.

use axum::routing::{delete, get, post};
use tareas_engine::access::Action;
use tareas_protocol::Code;

use super::operation::{Body, Method, NO_BODY, Operation, Parameter, Shape, Within, answer};
use super::parameters::query;
use crate::http::webhooks;

const ID: Parameter = Parameter {
    name: "id",
    within: Within::Path,
    about: ["The id of the webhook", "El id del webhook"],
    schema: r#"{"type":"string","pattern":"^[0-9a-z]{8}$"}"#,
    example: "k3dsef7h",
};
const NUMBER: Parameter = Parameter {
    name: "number",
    within: Within::Path,
    about: ["The number of the delivery", "El número de la entrega"],
    schema: r#"{"type":"integer","minimum":1}"#,
    example: "7",
};

/// What all of them have in common.
const BASE: Operation = Operation {
    tag: "webhooks",
    action: Action::ManageWebhooks,
    codes: &[Code::NotFound],
    ..Operation::BASE
};

/// Every operation on webhooks.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "listWebhooks",
        path: "/v1/webhooks",
        route: || get(webhooks::list),
        summary: ["List webhooks", "Listar webhooks"],
        about: ["Without their secrets.", "Sin sus secretos."],
        answers: &[answer(
            200,
            Shape::Json("WebhookList"),
            ["All webhooks", "Todos los webhooks"],
        )],
        ..BASE
    },
    Operation {
        id: "createWebhook",
        method: Method::Post,
        path: "/v1/webhooks",
        route: || post(webhooks::create),
        summary: ["Make a webhook", "Crear un webhook"],
        about: [
            "Its secret is in this answer and nowhere else. It is told of tasks that end from now on; other \
             servers know of it within two seconds.",
            "Su secreto está en esta respuesta y en ningún otro sitio. Se le avisa de las tareas que terminen \
             desde ahora; los demás servidores lo conocen en dos segundos.",
        ],
        body: Some(Body {
            types: &[("application/json", "WebhookRequest")],
            example: r#"{"name":"shop","url":"https://example.org/hooks","queues":["mail*"],"ends":["failed"]}"#,
            is_optional: false,
        }),
        answers: &[answer(
            201,
            Shape::Json("Webhook"),
            ["The webhook", "El webhook"],
        )],
        codes: &[Code::NotFound, Code::Overloaded],
        ..BASE
    },
    Operation {
        id: "showWebhook",
        path: "/v1/webhooks/{id}",
        route: || get(webhooks::show),
        summary: ["Show a webhook", "Ver un webhook"],
        about: ["Without its secret.", "Sin su secreto."],
        parameters: &[ID],
        answers: &[answer(
            200,
            Shape::Json("Webhook"),
            ["The webhook", "El webhook"],
        )],
        ..BASE
    },
    Operation {
        id: "changeWebhook",
        method: Method::Post,
        path: "/v1/webhooks/{id}",
        route: || post(webhooks::change),
        summary: ["Change a webhook", "Cambiar un webhook"],
        about: [
            "What is not said stays. One that is enabled again is told of tasks that end from then on.",
            "Lo que no se dice queda. A uno que se vuelve a activar se le avisa de lo que termine desde \
             entonces.",
        ],
        parameters: &[ID],
        body: Some(Body {
            types: &[("application/json", "WebhookChange")],
            example: r#"{"enabled":false}"#,
            is_optional: false,
        }),
        answers: &[answer(
            200,
            Shape::Json("Webhook"),
            ["The webhook", "El webhook"],
        )],
        ..BASE
    },
    Operation {
        id: "deleteWebhook",
        method: Method::Delete,
        path: "/v1/webhooks/{id}",
        route: || delete(webhooks::remove),
        summary: ["Remove a webhook", "Borrar un webhook"],
        about: ["And its deliveries.", "Y sus entregas."],
        parameters: &[ID],
        answers: &[answer(
            204,
            Shape::Nothing,
            ["It is removed", "Está borrado"],
        )],
        ..BASE
    },
    Operation {
        id: "rotateWebhook",
        method: Method::Post,
        path: "/v1/webhooks/{id}/rotate",
        route: || post(webhooks::rotate),
        summary: ["Sign with another secret", "Firmar con otro secreto"],
        about: [
            "It is in this answer and nowhere else. The old one signs besides for a while: a day if not said.",
            "Está en esta respuesta y en ningún otro sitio. El anterior firma además por un tiempo: un día si \
             no se dice.",
        ],
        parameters: &[ID],
        body: Some(Body {
            types: &[("application/json", "RotateRequest")],
            example: r#"{"overlap_ms":3600000}"#,
            is_optional: true,
        }),
        answers: &[answer(
            200,
            Shape::Json("Webhook"),
            ["The webhook", "El webhook"],
        )],
        ..BASE
    },
    Operation {
        id: "testWebhook",
        method: Method::Post,
        path: "/v1/webhooks/{id}/test",
        route: || post(webhooks::test),
        summary: ["Send a test", "Enviar una prueba"],
        about: [
            "A message that tells of no task, delivered as any other.",
            "Un mensaje que no habla de ninguna tarea y se entrega como cualquiera.",
        ],
        parameters: &[ID],
        body: NO_BODY,
        answers: &[answer(
            202,
            Shape::Nothing,
            ["It will be delivered", "Se entregará"],
        )],
        ..BASE
    },
    Operation {
        id: "listDeliveries",
        path: "/v1/webhooks/{id}/deliveries",
        route: || get(webhooks::deliveries),
        summary: ["What was delivered", "Qué se entregó"],
        about: ["The newest first.", "Lo nuevo primero."],
        parameters: &[
            ID,
            query(
                "state",
                ["In this state alone", "Solo en este estado"],
                r#"{"type":"string","enum":["waiting","delivered","given_up"]}"#,
                "given_up",
            ),
            query(
                "limit",
                ["Deliveries at most", "Entregas como mucho"],
                r#"{"type":"integer","minimum":0,"maximum":500,"default":50}"#,
                "20",
            ),
            query(
                "cursor",
                [
                    "The `next_cursor` of the page before",
                    "El `next_cursor` de la página anterior",
                ],
                r#"{"type":"integer","minimum":0}"#,
                "100",
            ),
        ],
        answers: &[answer(
            200,
            Shape::Json("DeliveryList"),
            ["One page", "Una página"],
        )],
        ..BASE
    },
    Operation {
        id: "replayDelivery",
        method: Method::Post,
        path: "/v1/webhooks/{id}/deliveries/{number}/replay",
        route: || post(webhooks::replay),
        summary: ["Deliver again", "Entregar otra vez"],
        about: [
            "Under the same id, so that a receiver that has it already knows.",
            "Con el mismo id, para que lo note quien ya lo tiene.",
        ],
        parameters: &[ID, NUMBER],
        body: NO_BODY,
        answers: &[answer(
            202,
            Shape::Nothing,
            ["It will be delivered", "Se entregará"],
        )],
        ..BASE
    },
];
