//! What webhooks and their deliveries are made of.

use super::{Member, NONE};

const QUEUES: [&str; 2] = [
    "Names, or names with `*` at the end; all if not said",
    "Nombres, o nombres con `*` al final; todas si no se dice",
];
const KINDS: [&str; 2] = ["All if not said", "Todos si no se dice"];
const ENDS: [&str; 2] = [
    "Of which ends it is told; of all if not said",
    "De qué finales se le avisa; de todos si no se dice",
];
const URL: [&str; 2] = [
    "Where deliveries go: `https://`, to a public address",
    "Adónde van las entregas: `https://`, a una dirección pública",
];

pub(super) const WEBHOOK_REQUEST: &[Member] = &[
    ("name*", "name", NONE),
    ("url*", "text", URL),
    ("queues", "[text]", QUEUES),
    ("kinds", "[name]", KINDS),
    ("ends", "[end]", ENDS),
];

pub(super) const WEBHOOK_CHANGE: &[Member] = &[
    ("name", "name", NONE),
    ("url", "text", URL),
    ("queues", "[text]", NONE),
    ("kinds", "[name]", ["All when empty", "Todos si está vacía"]),
    ("ends", "[end]", NONE),
    (
        "enabled",
        "truth",
        ["Whether anything is delivered", "Si se entrega algo"],
    ),
];

pub(super) const ROTATE_REQUEST: &[Member] = &[(
    "overlap_ms",
    "number?",
    [
        "How long the old secret signs besides",
        "Cuánto firma además el secreto anterior",
    ],
)];

pub(super) const WEBHOOK: &[Member] = &[
    ("id*", "text", NONE),
    (
        "secret",
        "text",
        [
            "What its deliveries are signed with, when it is made",
            "Con qué se firman sus entregas, al crearlo",
        ],
    ),
    ("name*", "name", NONE),
    ("url*", "text", NONE),
    ("queues*", "[text]", NONE),
    ("kinds*", "[name]", NONE),
    ("ends*", "[end]", NONE),
    ("enabled*", "truth", NONE),
    (
        "disabled*",
        "text?",
        [
            "Why nothing is delivered: by_hand, gone, failing, behind",
            "Por qué no se entrega nada: by_hand, gone, failing, behind",
        ],
    ),
    ("disabled_at*", "instant?", NONE),
    (
        "failing_since*",
        "instant?",
        [
            "Since when every delivery has failed",
            "Desde cuándo falla toda entrega",
        ],
    ),
    ("last_error*", "text?", NONE),
    ("created_at*", "instant", NONE),
    ("created_by*", "text", NONE),
    ("changed_at*", "instant", NONE),
    (
        "old_secret_until*",
        "instant?",
        [
            "Until when the secret before signs besides",
            "Hasta cuándo firma además el secreto anterior",
        ],
    ),
];

pub(super) const DELIVERY_LIST: &[Member] = &[
    ("deliveries*", "[Delivery]", NONE),
    (
        "next_cursor*",
        "number?",
        ["Where the next page begins", "Dónde empieza la siguiente"],
    ),
];

pub(super) const DELIVERY: &[Member] = &[
    ("number*", "positive", NONE),
    (
        "message_id*",
        "text",
        ["The header `webhook-id`", "La cabecera `webhook-id`"],
    ),
    ("event*", "text", NONE),
    ("task_id*", "uuid?", NONE),
    (
        "state*",
        "text",
        [
            "waiting, delivered, given_up",
            "waiting, delivered, given_up",
        ],
    ),
    ("tries*", "number", NONE),
    ("made_at*", "instant", NONE),
    ("next_try_at*", "instant?", NONE),
    (
        "tried_at*",
        "instant?",
        ["The last try", "El último intento"],
    ),
    ("took_ms*", "number?", NONE),
    (
        "status*",
        "number?",
        ["Of the last answer", "De la última respuesta"],
    ),
    (
        "answer*",
        "text?",
        [
            "How it begins, or why there was none",
            "Cómo empieza, o por qué no la hubo",
        ],
    ),
];
