//! What bulk actions, queues, workers and the picture of the whole are made of.

use super::{Member, NONE};

pub(super) const BULK: &[Member] = &[
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

pub(super) const BULK_ORDER: &[Member] = &[
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

pub(super) const KIND_COUNT: &[Member] = &[
    (
        "kind*",
        "text?",
        ["`null` for all others", "`null` para los demás"],
    ),
    ("tasks*", "number", NONE),
];

pub(super) const QUEUE: &[Member] = &[
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

pub(super) const QUEUE_DETAIL: &[Member] = &[
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

pub(super) const QUEUE_PAUSED: &[Member] = &[("queue*", "name", NONE), ("paused*", "truth", NONE)];

pub(super) const SCALE: &[Member] = &[
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

pub(super) const HISTORY: &[Member] = &[
    ("queue*", "name?", ["`null`: all", "`null`: todas"]),
    (
        "step_s*",
        "positive",
        ["How long a step is", "Duración de un paso"],
    ),
    (
        "kept*",
        "positive",
        ["How many are kept", "Cuántos se guardan"],
    ),
    (
        "queues*",
        "[name]",
        ["With a history of their own", "Con historia propia"],
    ),
    ("steps*", "[HistoryStep]", NONE),
];

pub(super) const HISTORY_STEP: &[Member] = &[
    ("at*", "instant", ["When it began", "Cuándo empezó"]),
    ("accepted*", "number", NONE),
    ("ended*", "number", NONE),
    ("failed*", "number", NONE),
    (
        "waiting*",
        "number",
        ["The most at a time", "Las que más a la vez"],
    ),
    (
        "running*",
        "number",
        ["The most at a time", "Las que más a la vez"],
    ),
    (
        "wait_ms*",
        "rate",
        [
            "How long those that ended had waited, in the mean",
            "Cuánto esperaron de media las que terminaron",
        ],
    ),
    (
        "run_ms*",
        "rate",
        [
            "How long those that ended had run, in the mean",
            "Cuánto duraron de media las que terminaron",
        ],
    ),
];

pub(super) const WORKER: &[Member] = &[
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
    (
        "role",
        "text",
        [
            "Of another process on the same stores",
            "De otro proceso en los mismos almacenes",
        ],
    ),
    (
        "reported_ms",
        "number",
        ["Since it told of itself", "Desde que informó de sí"],
    ),
];

pub(super) const SLOT: &[Member] = &[
    ("slot*", "number", NONE),
    ("task_id", "uuid", ["What it runs", "Lo que ejecuta"]),
    ("attempt", "number", NONE),
    ("kind", "text", NONE),
    ("running_ms", "number", NONE),
];

pub(super) const KIND: &[Member] = &[
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

pub(super) const TOPOLOGY: &[Member] = &[
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

pub(super) const RATES: &[Member] = &[
    ("accepted*", "rate", NONE),
    ("ended*", "rate", NONE),
    ("failed*", "rate", NONE),
];

pub(super) const BACKENDS: &[Member] = &[
    ("queue*", "Backend", NONE),
    ("records*", "Backend", NONE),
    ("blobs*", "Backend", NONE),
];

pub(super) const BACKEND: &[Member] = &[
    ("product*", "text", NONE),
    ("place*", "text", NONE),
    ("shared*", "truth", NONE),
];
