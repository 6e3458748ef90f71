//! What tasks are made of.

use super::{Member, NONE};

pub(super) const TASK: &[Member] = &[
    ("task_id*", "uuid", ["Its identity", "Su identidad"]),
    (
        "status*",
        "state",
        ["Where it stands", "En qué estado está"],
    ),
    (
        "reason",
        "reason",
        [
            "Why it failed or was cancelled",
            "Por qué falló o se canceló",
        ],
    ),
    (
        "kind*",
        "name",
        ["Which handler runs it", "Qué código la ejecuta"],
    ),
    ("queue*", "name", ["Its lane", "Su cola"]),
    (
        "priority*",
        "limited",
        ["The highest first", "La más alta primero"],
    ),
    (
        "payload",
        "json",
        ["Its input; not in lists", "Su entrada; no en listas"],
    ),
    (
        "result",
        "json",
        [
            "What came of it; not in lists",
            "Lo que resultó; no en listas",
        ],
    ),
    (
        "result_ref",
        "ResultRef",
        ["Of a large result", "De un resultado grande"],
    ),
    (
        "error",
        "Error",
        ["What went wrong last", "Lo último que falló"],
    ),
    (
        "attempt*",
        "number",
        ["Attempts that have begun", "Intentos que han empezado"],
    ),
    (
        "max_attempts*",
        "number",
        ["Attempts there may be", "Intentos que puede haber"],
    ),
    (
        "attempts*",
        "[Attempt]",
        ["Those without success", "Los que no lograron nada"],
    ),
    ("progress", "Progress", NONE),
    (
        "submitted_at*",
        "instant",
        ["When it was accepted", "Cuándo se aceptó"],
    ),
    (
        "due_at",
        "instant",
        ["Not before then", "No antes de entonces"],
    ),
    (
        "started_at",
        "instant",
        ["Its last start", "Su último comienzo"],
    ),
    (
        "finished_at",
        "instant",
        ["When it ended", "Cuándo terminó"],
    ),
    (
        "expires_at",
        "instant",
        ["Not started after then", "No se empieza después"],
    ),
    ("worker", "text", ["Who runs it", "Quién la ejecuta"]),
    (
        "metadata*",
        "texts",
        ["Notes of the client", "Notas del cliente"],
    ),
    (
        "requires*",
        "[name]",
        ["Labels that a worker must have", "Etiquetas que exige"],
    ),
    (
        "idempotency_key",
        "text",
        ["One key is one task", "Una clave es una tarea"],
    ),
    (
        "trace_id",
        "text",
        ["The trace it belongs to", "La traza a la que pertenece"],
    ),
    (
        "why",
        "Why",
        ["Only while it waits", "Solo mientras espera"],
    ),
];

pub(super) const TASK_LIST: &[Member] = &[
    ("tasks*", "[Task]", ["Newest first", "Las nuevas primero"]),
    (
        "next_cursor*",
        "text?",
        [
            "Where the next page begins",
            "Dónde empieza la página siguiente",
        ],
    ),
];

pub(super) const ATTEMPT: &[Member] = &[
    (
        "attempt*",
        "number",
        ["Its number, from 1", "Su número, desde 1"],
    ),
    ("started_at", "instant", NONE),
    ("finished_at", "instant", NONE),
    ("outcome", "text", ["How it ended", "Cómo terminó"]),
    ("error", "Error", NONE),
    (
        "worker",
        "text",
        ["Who ran it, if it failed", "Quién lo ejecutó, si falló"],
    ),
    (
        "thread",
        "number",
        ["Which of its threads", "Cuál de sus hilos"],
    ),
    (
        "exit_code",
        "number",
        [
            "What the handler's own process ended with",
            "Con qué terminó el proceso propio del manejador",
        ],
    ),
    (
        "signal",
        "number",
        [
            "The signal that ended the handler's own process",
            "La señal que terminó el proceso propio del manejador",
        ],
    ),
    (
        "type",
        "text",
        [
            "What its handler calls the error, such as `ValueError`",
            "Cómo llama su manejador al error, por ejemplo `ValueError`",
        ],
    ),
    (
        "backtrace",
        "text",
        [
            "Where in the handler it happened",
            "Dónde ocurrió en el manejador",
        ],
    ),
];

pub(super) const PROGRESS: &[Member] = &[
    ("percent*", "number", ["0 to 100", "De 0 a 100"]),
    ("message", "text", NONE),
];

pub(super) const WHY: &[Member] = &[
    ("code*", "text", ["For programs", "Para programas"]),
    ("message*", "text", ["For people", "Para personas"]),
    (
        "hint*",
        "text",
        ["What to do; may be empty", "Qué hacer; puede estar vacío"],
    ),
];

pub(super) const ATTEMPT_LOG: &[Member] = &[
    ("attempt*", "number", NONE),
    ("lines*", "[text]", NONE),
    (
        "truncated*",
        "truth",
        ["Earlier lines are gone", "Faltan líneas anteriores"],
    ),
    (
        "output",
        "text",
        [
            "What it had of its result so far",
            "Lo que tenía de su resultado",
        ],
    ),
];

pub(super) const RESULT_REF: &[Member] = &[
    ("bytes*", "number", NONE),
    ("sha256*", "text", NONE),
    (
        "url*",
        "text",
        ["Where its bytes are", "Dónde están sus bytes"],
    ),
];

pub(super) const CANCELLED: &[Member] = &[
    ("task_id*", "uuid", NONE),
    ("status*", "state", NONE),
    (
        "cancel_requested",
        "truth",
        ["It was asked to stop", "Se le pidió parar"],
    ),
];

pub(super) const ACKNOWLEDGEMENT: &[Member] = &[
    ("task_id*", "uuid", NONE),
    ("status*", "state", NONE),
    ("duplicate", "truth", ["It was there already", "Ya existía"]),
    (
        "durability",
        "text",
        ["When it is not plain fsync", "Cuando no es fsync normal"],
    ),
];

pub(super) const BATCH_ANSWER: &[Member] = &[(
    "tasks*",
    "[AcceptedOrNot]",
    ["In the order of the request", "En el orden pedido"],
)];

pub(super) const ARTIFACT: &[Member] = &[
    ("name*", "text", NONE),
    ("type*", "text", NONE),
    ("bytes*", "number", NONE),
    ("sha256*", "text", NONE),
    ("url*", "text", NONE),
];
