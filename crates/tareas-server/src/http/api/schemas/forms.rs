//! What objects are made of: each member with its form and its meaning.
//!
//! A `*` behind a name: always there. Forms: a word of [`super::form`], `[X]` for a list, `X?` for
//! X or `null`, a capital letter for another form of this table.

use super::super::operation::Text;

/// An object by its name, whether nothing else may be in it, and its members.
pub(super) type Form = (&'static str, bool, &'static [Member]);
/// Name, form, meaning.
pub(super) type Member = (&'static str, &'static str, Text);

const NONE: Text = ["", ""];

/// Every object.
pub(super) const FORMS: &[Form] = &[
    ("Nothing", false, &[]),
    ("Task", false, TASK),
    ("TaskList", false, TASK_LIST),
    ("Attempt", false, ATTEMPT),
    ("Progress", false, PROGRESS),
    ("Why", false, WHY),
    ("Log", false, &[("attempts*", "[AttemptLog]", NONE)]),
    ("AttemptLog", false, ATTEMPT_LOG),
    ("ResultRef", false, RESULT_REF),
    ("Cancelled", false, CANCELLED),
    ("Acknowledgement", false, ACKNOWLEDGEMENT),
    ("Refused", false, &[("error*", "Error", NONE)]),
    ("BatchAnswer", false, BATCH_ANSWER),
    ("FullSubmission", true, SUBMISSION),
    ("ShortSubmission", false, SHORT_SUBMISSION),
    ("Backoff", true, BACKOFF),
    ("Bulk", false, BULK),
    ("BulkOrder", true, BULK_ORDER),
    ("BulkList", false, &[("bulk*", "[Bulk]", NONE)]),
    ("KindCount", false, KIND_COUNT),
    ("Queue", false, QUEUE),
    ("QueueDetail", false, QUEUE_DETAIL),
    ("QueueList", false, &[("queues*", "[Queue]", NONE)]),
    ("QueuePaused", false, QUEUE_PAUSED),
    ("Scale", false, SCALE),
    ("Worker", false, WORKER),
    ("Slot", false, SLOT),
    ("WorkerList", false, &[("workers*", "[Worker]", NONE)]),
    ("Kind", false, KIND),
    ("KindList", false, &[("kinds*", "[Kind]", NONE)]),
    ("Topology", false, TOPOLOGY),
    ("Rates", false, RATES),
    ("Backends", false, BACKENDS),
    ("Backend", false, BACKEND),
    ("Error", false, ERROR),
    ("ErrorCode", false, ERROR_CODE),
];

const TASK: &[Member] = &[
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
        "why",
        "Why",
        ["Only while it waits", "Solo mientras espera"],
    ),
];

const TASK_LIST: &[Member] = &[
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

const ATTEMPT: &[Member] = &[
    (
        "attempt*",
        "number",
        ["Its number, from 1", "Su número, desde 1"],
    ),
    ("started_at", "instant", NONE),
    ("finished_at", "instant", NONE),
    ("outcome", "text", ["How it ended", "Cómo terminó"]),
    ("error", "Error", NONE),
    ("worker", "text", NONE),
];

const PROGRESS: &[Member] = &[
    ("percent*", "number", ["0 to 100", "De 0 a 100"]),
    ("message", "text", NONE),
];

const WHY: &[Member] = &[
    ("code*", "text", ["For programs", "Para programas"]),
    ("message*", "text", ["For people", "Para personas"]),
    (
        "hint*",
        "text",
        ["What to do; may be empty", "Qué hacer; puede estar vacío"],
    ),
];

const ATTEMPT_LOG: &[Member] = &[
    ("attempt*", "number", NONE),
    ("lines*", "[text]", NONE),
    (
        "truncated*",
        "truth",
        ["Earlier lines are gone", "Faltan líneas anteriores"],
    ),
];

const RESULT_REF: &[Member] = &[
    ("bytes*", "number", NONE),
    ("sha256*", "text", NONE),
    (
        "url*",
        "text",
        ["Where its bytes are", "Dónde están sus bytes"],
    ),
];

const CANCELLED: &[Member] = &[
    ("task_id*", "uuid", NONE),
    ("status*", "state", NONE),
    (
        "cancel_requested",
        "truth",
        ["It was asked to stop", "Se le pidió parar"],
    ),
];

const ACKNOWLEDGEMENT: &[Member] = &[
    ("task_id*", "uuid", NONE),
    ("status*", "state", NONE),
    ("duplicate", "truth", ["It was there already", "Ya existía"]),
    (
        "durability",
        "text",
        ["When it is not plain fsync", "Cuando no es fsync normal"],
    ),
];

const BATCH_ANSWER: &[Member] = &[(
    "tasks*",
    "[AcceptedOrNot]",
    ["In the order of the request", "En el orden pedido"],
)];

const SUBMISSION: &[Member] = &[
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
    ("wait", "truth", ["Of no effect here", "Aquí sin efecto"]),
];

const SHORT_SUBMISSION: &[Member] = &[
    ("op*", "name", ["Which handler", "Qué código"]),
    (
        "task_id",
        "uuid",
        ["A UUIDv7 of the last 24 h", "Un UUIDv7 de las últimas 24 h"],
    ),
];

const BACKOFF: &[Member] = &[
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

const BULK: &[Member] = &[
    ("id*", "uuid", NONE),
    ("action*", "action", NONE),
    ("filter*", "text", ["To which tasks", "A qué tareas"]),
    ("dry_run*", "truth", ["It only counts", "Solo cuenta"]),
    (
        "limit*",
        "number?",
        ["At most to so many", "Como mucho a tantas"],
    ),
    ("state*", "progress", ["How far it is", "Cómo va"]),
    (
        "matched*",
        "number",
        ["Tasks that were found", "Tareas encontradas"],
    ),
    ("done*", "number", ["Of them: done", "De ellas: hechas"]),
    (
        "skipped*",
        "number",
        [
            "Of them: changed meanwhile",
            "De ellas: cambiaron entretanto",
        ],
    ),
    ("kinds*", "[KindCount]", NONE),
    ("samples*", "[uuid]", ["Some of them", "Algunas de ellas"]),
    ("oldest*", "instant?", NONE),
    ("newest*", "instant?", NONE),
    ("asked_at*", "instant", NONE),
    ("started_at*", "instant?", NONE),
    ("finished_at*", "instant?", NONE),
];

const BULK_ORDER: &[Member] = &[
    (
        "action*",
        "action",
        ["What is done to each", "Qué se hace a cada una"],
    ),
    (
        "filter*",
        "filter",
        [
            "To which tasks; `age:0s` is all",
            "A qué tareas; `age:0s` son todas",
        ],
    ),
    ("dry_run", "truth", ["Only count", "Solo contar"]),
    (
        "limit",
        "positive?",
        ["At most to so many", "Como mucho a tantas"],
    ),
];

const KIND_COUNT: &[Member] = &[
    (
        "kind*",
        "text?",
        ["`null` for all others", "`null` para los demás"],
    ),
    ("tasks*", "number", NONE),
];

const QUEUE: &[Member] = &[
    ("name*", "name", NONE),
    (
        "paused*",
        "truth",
        [
            "None of its tasks is started",
            "Ninguna de sus tareas empieza",
        ],
    ),
    ("scheduled*", "number", NONE),
    ("queued*", "number", NONE),
    ("running*", "number", NONE),
    ("succeeded*", "number", NONE),
    ("failed*", "number", NONE),
    ("cancelled*", "number", NONE),
];

const QUEUE_DETAIL: &[Member] = &[
    ("name*", "name", NONE),
    (
        "paused*",
        "truth",
        [
            "None of its tasks is started",
            "Ninguna de sus tareas empieza",
        ],
    ),
    (
        "oldest_ms*",
        "number?",
        ["How long the first has waited", "Cuánto espera la primera"],
    ),
    ("scheduled*", "number", NONE),
    ("queued*", "number", NONE),
    ("running*", "number", NONE),
    ("succeeded*", "number", NONE),
    ("failed*", "number", NONE),
    ("cancelled*", "number", NONE),
];

const QUEUE_PAUSED: &[Member] = &[("queue*", "name", NONE), ("paused*", "truth", NONE)];

const SCALE: &[Member] = &[
    ("queue*", "name", NONE),
    ("waiting*", "number", ["Tasks in line", "Tareas en cola"]),
    ("running*", "number", NONE),
    (
        "oldest_ms*",
        "number?",
        ["How long the first has waited", "Cuánto espera la primera"],
    ),
    (
        "mean_run_ms*",
        "rate",
        ["As this server has measured", "Según midió este servidor"],
    ),
    (
        "desired_threads*",
        "number",
        [
            "To work the line off in time",
            "Para vaciar la cola a tiempo",
        ],
    ),
];

const WORKER: &[Member] = &[
    (
        "name*",
        "text",
        [
            "`local`: the server's own pool",
            "`local`: el grupo del servidor",
        ],
    ),
    ("threads*", "number", NONE),
    ("busy*", "number", NONE),
    (
        "slots",
        "[Slot]",
        ["Only of the own pool", "Solo del grupo propio"],
    ),
    ("session", "text", NONE),
    ("address", "text", NONE),
    ("state", "text", NONE),
    ("ended", "number", NONE),
    ("kinds", "[text]", NONE),
    (
        "queues",
        "[text]",
        ["All when empty", "Todas si está vacía"],
    ),
    ("labels", "[text]", NONE),
    (
        "silent_ms",
        "number",
        ["Since it was heard last", "Desde que se le oyó"],
    ),
];

const SLOT: &[Member] = &[
    ("slot*", "number", NONE),
    ("task_id", "uuid", ["What it runs", "Lo que ejecuta"]),
    ("attempt", "number", NONE),
    ("kind", "text", NONE),
    ("running_ms", "number", NONE),
];

const KIND: &[Member] = &[
    ("kind*", "name", NONE),
    ("description", "text", NONE),
    (
        "example",
        "text",
        ["A line to try", "Una línea para probar"],
    ),
    (
        "example_json",
        "json",
        ["The same as JSON", "Lo mismo en JSON"],
    ),
    (
        "schema",
        "json",
        ["JSON Schema of the payload", "JSON Schema de los datos"],
    ),
];

const TOPOLOGY: &[Member] = &[
    ("at*", "instant", ["When it was taken", "Cuándo se tomó"]),
    (
        "since*",
        "instant",
        ["When the server started", "Cuándo arrancó el servidor"],
    ),
    ("version*", "text", NONE),
    (
        "accepted*",
        "number",
        ["Since the start", "Desde el arranque"],
    ),
    ("refused*", "number", NONE),
    ("ended*", "number", NONE),
    ("per_second*", "Rates?", NONE),
    ("threads*", "number", NONE),
    ("running*", "[Slot]", NONE),
    ("queues*", "[Queue]", NONE),
    ("workers*", "[Worker]", NONE),
    ("backends*", "Backends", NONE),
    ("connections*", "object", NONE),
    ("draining*", "truth", NONE),
    ("store_up*", "truth", NONE),
    ("storage_full*", "truth", NONE),
];

const RATES: &[Member] = &[
    ("accepted*", "rate", NONE),
    ("ended*", "rate", NONE),
    ("failed*", "rate", NONE),
];

const BACKENDS: &[Member] = &[
    ("queue*", "Backend", NONE),
    ("records*", "Backend", NONE),
    ("blobs*", "Backend", NONE),
];

const BACKEND: &[Member] = &[
    ("product*", "text", NONE),
    ("place*", "text", NONE),
    ("shared*", "truth", NONE),
];

pub(super) const ERROR: &[Member] = &[
    ("code*", "code", ["Never translated", "Nunca se traduce"]),
    (
        "name*",
        "text",
        ["The same as a word", "Lo mismo en una palabra"],
    ),
    ("message*", "text", ["One sentence", "Una frase"]),
    ("hint*", "text", ["What to do", "Qué hacer"]),
    (
        "retryable*",
        "truth",
        [
            "The same may succeed later",
            "Lo mismo puede servir después",
        ],
    ),
    ("retry_after_ms", "number", NONE),
    (
        "pointer",
        "text",
        [
            "What in the request it is about",
            "De qué parte de la petición trata",
        ],
    ),
];

/// What a problem has before the members of an error.
pub(super) const PROBLEM: &[Member] = &[
    ("type*", "text", ["A page about it", "Una página sobre él"]),
    ("title*", "text", NONE),
    ("status*", "number", NONE),
    ("detail*", "text", NONE),
    ("task_id", "uuid", NONE),
];

const ERROR_CODE: &[Member] = &[
    ("code*", "code", NONE),
    ("name*", "text", NONE),
    ("message*", "text", NONE),
    ("hint*", "text", NONE),
    ("explanation*", "text", NONE),
    ("retryable*", "truth", NONE),
    ("http_status*", "number", NONE),
    ("exit_code*", "number", NONE),
];
