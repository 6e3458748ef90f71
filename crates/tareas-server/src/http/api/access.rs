//! Tokens, login links and the audit log, described.

use axum::routing::{delete, get, post};
use tareas_engine::access::Action;
use tareas_protocol::Code;

use super::operation::{Body, Method, NO_BODY, Operation, Parameter, Shape, Within, answer};
use super::parameters::query;
use crate::http::tokens;

const ID: Parameter = Parameter {
    name: "id",
    within: Within::Path,
    about: [
        "The eight letters after `tr_`",
        "Las ocho letras después de `tr_`",
    ],
    schema: r#"{"type":"string","pattern":"^[0-9A-Za-z]{8}$"}"#,
    example: "Ab3dEf7h",
};

/// Every operation on access control.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        id: "listTokens",
        tag: "access",
        action: Action::ManageTokens,
        path: "/v1/tokens",
        route: || get(tokens::list),
        summary: ["List tokens", "Listar tokens"],
        about: [
            "The newest first, without their secrets; a token that is for some queues sees those that are for \
             no others.",
            "Los nuevos primero, sin sus secretos; un token para algunas colas ve los que no son para otras.",
        ],
        answers: &[answer(
            200,
            Shape::Json("TokenList"),
            ["All tokens", "Todos los tokens"],
        )],
        codes: &[Code::AccessOff],
        ..Operation::BASE
    },
    Operation {
        id: "createToken",
        tag: "access",
        action: Action::ManageTokens,
        method: Method::Post,
        path: "/v1/tokens",
        route: || post(tokens::create),
        summary: ["Make a token", "Crear un token"],
        about: [
            "Its text is in this answer and nowhere else.",
            "Su texto está en esta respuesta y en ningún otro sitio.",
        ],
        body: Some(Body {
            types: &[("application/json", "TokenRequest")],
            example: r#"{"name":"web","roles":["submit"],"queues":["mail*"],"expires_in_ms":7776000000}"#,
            is_optional: false,
        }),
        answers: &[answer(201, Shape::Json("Token"), ["The token", "El token"])],
        codes: &[Code::AccessOff, Code::Overloaded],
        ..Operation::BASE
    },
    Operation {
        id: "revokeToken",
        tag: "access",
        action: Action::ManageTokens,
        method: Method::Delete,
        path: "/v1/tokens/{id}",
        route: || delete(tokens::revoke),
        summary: ["Revoke a token", "Revocar un token"],
        about: [
            "And every link and session that came of it. Open connections end within five seconds, on every \
             server.",
            "Y todos los enlaces y sesiones que salieron de él. Las conexiones abiertas terminan en cinco \
             segundos, en todos los servidores.",
        ],
        parameters: &[ID],
        answers: &[answer(
            204,
            Shape::Nothing,
            ["It is revoked", "Está revocado"],
        )],
        codes: &[Code::AccessOff, Code::NotFound],
        ..Operation::BASE
    },
    Operation {
        id: "createLoginLink",
        tag: "access",
        action: Action::ManageTokens,
        method: Method::Post,
        path: "/v1/login-links",
        route: || post(tokens::link),
        summary: ["Make a login link", "Crear un enlace de entrada"],
        about: [
            "It opens the dashboard once, within half an hour, with the rights of the caller.",
            "Abre el panel una vez, en media hora, con los derechos de quien lo pide.",
        ],
        body: NO_BODY,
        answers: &[answer(
            201,
            Shape::Json("LoginLink"),
            ["The link", "El enlace"],
        )],
        codes: &[Code::AccessOff, Code::Overloaded],
        ..Operation::BASE
    },
    Operation {
        id: "readAudit",
        tag: "access",
        action: Action::ReadAudit,
        path: "/v1/audit",
        route: || get(tokens::audit),
        summary: ["Who did what", "Quién hizo qué"],
        about: ["The newest first.", "Lo nuevo primero."],
        parameters: &[
            query(
                "limit",
                ["Lines at most", "Líneas como mucho"],
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
            Shape::Json("AuditLog"),
            ["One page", "Una página"],
        )],
        codes: &[Code::AccessOff],
        ..Operation::BASE
    },
];
