//! The forms of what is sent and answered, as JSON Schema (2020-12), with words in one language.

mod forms;

use serde_json::{Map, Value, json};
use tareas_core::{Phase, Reason};
use tareas_engine::access::{Deed, Role};
use tareas_engine::bulk::{BulkAction, BulkState};
use tareas_protocol::Lang;
use tareas_protocol::limits::{
    ATTEMPT_TIMEOUT_MS_MAX, ATTEMPTS_MAX, BACKOFF_FACTOR_MAX, BACKOFF_MS_MAX, BATCH_TASKS_MAX,
    DELAY_MS_MAX, PRIORITY_MAX,
};

use forms::{ERROR, FORMS, Member, PROBLEM};

/// Names of kinds, queues, keys and labels.
const NAME: &str = "^[A-Za-z0-9._:-]{1,128}$";

/// All of them by name.
pub(super) fn schemas(lang: Lang) -> Value {
    let mut all = Map::new();
    for (name, is_closed, members) in FORMS {
        all.insert((*name).to_owned(), object(lang, *is_closed, members.iter()));
    }
    let problem = object(lang, false, PROBLEM.iter().chain(ERROR));
    let others = [
        (
            "Any",
            json!({ "description": lang.pick("Any JSON", "Cualquier JSON") }),
        ),
        ("Lines", json!({ "type": "string" })),
        ("Problem", problem),
        ("WhyOrNull", form("Why?", "")),
        (
            "AcceptedOrNot",
            json!({ "anyOf": [form("Acknowledgement", ""), form("Refused", "")] }),
        ),
        (
            "Submission",
            json!({ "anyOf": [form("FullSubmission", ""), form("ShortSubmission", "")] }),
        ),
        (
            "SubmissionList",
            json!({
                "type": "array", "maxItems": BATCH_TASKS_MAX, "items": form("Submission", ""),
            }),
        ),
        ("ErrorCodeList", form("[ErrorCode]", "")),
    ];
    all.extend(others.map(|(name, schema)| (name.to_owned(), schema)));
    Value::Object(all)
}

fn object<'m>(lang: Lang, is_closed: bool, members: impl Iterator<Item = &'m Member>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    for (name, word, about) in members {
        let is_required = name.ends_with('*');
        let name = name.trim_end_matches('*');
        let mut schema = form(word, name);
        let about = lang.pick(about[0], about[1]);
        if !about.is_empty() {
            schema["description"] = about.into();
        }
        if is_required {
            required.push(name);
        }
        properties.insert(name.to_owned(), schema);
    }
    let mut schema = json!({ "type": "object", "required": required, "properties": properties });
    if is_closed {
        schema["additionalProperties"] = false.into();
    }
    schema
}

/// The schema of a form's word; `name` is the member that has it.
fn form(word: &str, name: &str) -> Value {
    if let Some(items) = word
        .strip_prefix('[')
        .and_then(|word| word.strip_suffix(']'))
    {
        return json!({ "type": "array", "items": form(items, name) });
    }
    if let Some(word) = word.strip_suffix('?') {
        return json!({ "anyOf": [form(word, name), { "type": "null" }] });
    }
    if word.starts_with(char::is_uppercase) {
        return json!({ "$ref": format!("#/components/schemas/{word}") });
    }
    match word {
        "text" => json!({ "type": "string" }),
        "name" => json!({ "type": "string", "pattern": NAME }),
        "filter" => json!({ "type": "string", "minLength": 1, "maxLength": 2_000 }),
        "code" => json!({ "type": "string", "pattern": "^TAR-[0-9]{4}$" }),
        "uuid" => json!({ "type": "string", "format": "uuid" }),
        "instant" => json!({ "type": "string", "format": "date-time" }),
        "number" => json!({ "type": "integer", "minimum": 0 }),
        "positive" => json!({ "type": "integer", "minimum": 1 }),
        "rate" => json!({ "type": "number", "minimum": 0 }),
        "limited" => limited(name),
        "truth" => json!({ "type": "boolean" }),
        "object" => json!({ "type": "object" }),
        "texts" => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        "submit" => json!({ "const": "submit" }),
        "state" => words(&Phase::ALL.map(Phase::name)),
        "end" => words(&["succeeded", "failed", "cancelled"]),
        "reason" => words(&Reason::ALL.map(Reason::name)),
        "action" => words(&BulkAction::ALL.map(BulkAction::name)),
        "roles" => {
            let names = Role::ALL.map(Role::name);
            json!({ "type": "array", "minItems": 1, "items": words(&names) })
        }
        "deed" => {
            let names: Vec<&str> = Deed::ALL.iter().map(|deed| deed.name()).collect();
            words(&names)
        }
        "progress" => words(&BulkState::ALL.map(BulkState::name)),
        _ => json!({}),
    }
}

fn words(words: &[&str]) -> Value {
    json!({ "type": "string", "enum": words })
}

/// Numbers between the limits of the protocol.
fn limited(name: &str) -> Value {
    let (from, to) = match name {
        "priority" => (0, u64::from(PRIORITY_MAX)),
        "delay_ms" => (0, DELAY_MS_MAX),
        "timeout_ms" => (1, ATTEMPT_TIMEOUT_MS_MAX),
        "max_attempts" => (1, u64::from(ATTEMPTS_MAX)),
        "factor" => return json!({ "type": "number", "minimum": 1, "maximum": BACKOFF_FACTOR_MAX }),
        _ => (0, BACKOFF_MS_MAX),
    };
    json!({ "type": "integer", "minimum": from, "maximum": to })
}
