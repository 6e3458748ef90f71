//! What submissions are made of.

use super::{Member, NONE};

pub(super) const SUBMISSION: &[Member] = &[
    ("cmd", "submit", NONE),
    ("kind*", "name", ["Which handler", "Qué código"]),
    ("payload", "json", ["Any JSON", "Cualquier JSON"]),
    (
        "task_id",
        "uuid",
        ["A UUIDv7 of the last 24 h", "Un UUIDv7 de las últimas 24 h"],
    ),
    (
        "queue",
        "name",
        ["`default` if not said", "`default` si no se dice"],
    ),
    ("priority", "limited", ["5 if not said", "5 si no se dice"]),
    (
        "delay_ms",
        "limited",
        ["Not before so long from now", "No antes de tanto tiempo"],
    ),
    (
        "due_at",
        "instant",
        ["Not before then", "No antes de entonces"],
    ),
    (
        "expires_at",
        "instant",
        ["Not started after then", "No se empieza después"],
    ),
    ("timeout_ms", "limited", ["Of one attempt", "De un intento"]),
    (
        "max_attempts",
        "limited",
        ["Attempts there may be", "Intentos que puede haber"],
    ),
    ("backoff", "Backoff", ["Between attempts", "Entre intentos"]),
    (
        "idempotency_key",
        "name",
        ["One key is one task", "Una clave es una tarea"],
    ),
    (
        "retention_ms",
        "number",
        ["How long it is kept", "Cuánto se conserva"],
    ),
    ("metadata", "texts", ["Notes", "Notas"]),
    (
        "requires",
        "[name]",
        ["Labels of workers", "Etiquetas de trabajadores"],
    ),
    (
        "traceparent",
        "text",
        ["The span that submits it", "El span que la envía"],
    ),
    (
        "tracestate",
        "text",
        ["What goes with that", "Lo que va con él"],
    ),
    ("wait", "truth", ["Of no effect here", "Aquí sin efecto"]),
];

pub(super) const SHORT_SUBMISSION: &[Member] = &[
    ("op*", "name", ["Which handler", "Qué código"]),
    (
        "task_id",
        "uuid",
        ["A UUIDv7 of the last 24 h", "Un UUIDv7 de las últimas 24 h"],
    ),
];

pub(super) const BACKOFF: &[Member] = &[
    (
        "initial_ms",
        "limited",
        ["After the first attempt", "Tras el primer intento"],
    ),
    ("max_ms", "limited", ["Never longer", "Nunca más"]),
    (
        "factor",
        "limited",
        ["From one to the next", "De uno al siguiente"],
    ),
];
