//! What objects are made of: each member with its form and its meaning.
//!
//! A `*` behind a name: always there. Forms: a word of `super::form`, `[X]` for a list, `X?` for
//! X or `null`, a capital letter for another form of this table.

mod access;
mod operators;
mod submissions;
mod tasks;
mod webhooks;

use super::super::operation::Text;
use access::{AUDIT_LINE, AUDIT_LOG, LOGIN_LINK, TOKEN, TOKEN_REQUEST};
use operators::{
    BACKEND, BACKENDS, BULK, BULK_ORDER, HISTORY, HISTORY_STEP, KIND, KIND_COUNT, QUEUE,
    QUEUE_DETAIL, QUEUE_PAUSED, RATES, SCALE, SLOT, TOPOLOGY, WORKER,
};
use submissions::{BACKOFF, SHORT_SUBMISSION, SUBMISSION};
use tasks::{
    ACKNOWLEDGEMENT, ARTIFACT, ATTEMPT, ATTEMPT_LOG, BATCH_ANSWER, CANCELLED, PROGRESS, RESULT_REF,
    TASK, TASK_LIST, WHY,
};
use webhooks::{DELIVERY, DELIVERY_LIST, ROTATE_REQUEST, WEBHOOK, WEBHOOK_CHANGE, WEBHOOK_REQUEST};

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
    ("Artifact", false, ARTIFACT),
    ("ArtifactList", false, &[("artifacts*", "[Artifact]", NONE)]),
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
    ("History", false, HISTORY),
    ("HistoryStep", false, HISTORY_STEP),
    ("Backends", false, BACKENDS),
    ("Backend", false, BACKEND),
    ("TokenRequest", true, TOKEN_REQUEST),
    ("Token", false, TOKEN),
    ("TokenList", false, &[("tokens*", "[Token]", NONE)]),
    ("LoginLink", false, LOGIN_LINK),
    ("AuditLog", false, AUDIT_LOG),
    ("AuditLine", false, AUDIT_LINE),
    ("WebhookRequest", true, WEBHOOK_REQUEST),
    ("WebhookChange", true, WEBHOOK_CHANGE),
    ("RotateRequest", true, ROTATE_REQUEST),
    ("Webhook", false, WEBHOOK),
    ("WebhookList", false, &[("webhooks*", "[Webhook]", NONE)]),
    ("DeliveryList", false, DELIVERY_LIST),
    ("Delivery", false, DELIVERY),
    ("Error", false, ERROR),
    ("ErrorCode", false, ERROR_CODE),
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
    ("trace_id", "text", ["Of the request", "De la petición"]),
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
