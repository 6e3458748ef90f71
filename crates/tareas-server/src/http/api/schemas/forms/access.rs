//! What tokens, links and the audit log are made of.

use super::{Member, NONE};

pub(super) const TOKEN_REQUEST: &[Member] = &[
    (
        "name*",
        "name",
        [
            "Which program or person it is for",
            "Para qué programa o persona es",
        ],
    ),
    ("roles*", "roles", ["What it may do", "Qué permite"]),
    (
        "queues",
        "[text]",
        [
            "Names, or names with `*` at the end; all if not said",
            "Nombres, o nombres con `*` al final; todas si no se dice",
        ],
    ),
    (
        "from",
        "[text]",
        [
            "Networks that it may be used from; anywhere if not said",
            "Redes desde las que se puede usar; cualquiera si no se dice",
        ],
    ),
    (
        "expires_in_ms",
        "positive?",
        [
            "How long it lives; for ever if not said",
            "Cuánto vive; siempre si no se dice",
        ],
    ),
];

pub(super) const TOKEN: &[Member] = &[
    ("id*", "text", ["Its public half", "Su mitad pública"]),
    (
        "token",
        "text",
        [
            "The whole text, when it is made",
            "El texto entero, al crearlo",
        ],
    ),
    ("name*", "name", NONE),
    ("roles*", "roles", NONE),
    ("queues*", "[text]", NONE),
    ("from*", "[text]", NONE),
    ("created_at*", "instant", NONE),
    ("created_by*", "text", NONE),
    ("expires_at*", "instant?", NONE),
    ("used_at*", "instant?", ["To the minute", "Al minuto"]),
    ("revoked_at*", "instant?", NONE),
    (
        "valid*",
        "truth",
        ["Neither revoked nor expired", "Ni revocado ni caducado"],
    ),
];

pub(super) const LOGIN_LINK: &[Member] = &[
    ("path*", "text", NONE),
    (
        "url*",
        "text?",
        [
            "Where the server knows its public address",
            "Si el servidor conoce su dirección pública",
        ],
    ),
    ("expires_at*", "instant?", NONE),
];

pub(super) const AUDIT_LOG: &[Member] = &[
    ("entries*", "[AuditLine]", NONE),
    (
        "next_cursor*",
        "number?",
        ["Where the next page begins", "Dónde empieza la siguiente"],
    ),
];

pub(super) const AUDIT_LINE: &[Member] = &[
    ("number*", "number", NONE),
    ("at*", "instant", NONE),
    (
        "who*",
        "text",
        [
            "Name and id of a token; empty for this machine",
            "Nombre e id de un token; vacío para esta máquina",
        ],
    ),
    ("address*", "text", NONE),
    ("deed*", "deed", ["What was done", "Qué se hizo"]),
    ("detail*", "text", ["To what", "A qué"]),
];
