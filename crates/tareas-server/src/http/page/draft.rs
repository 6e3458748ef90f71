//! What stands in the form of a new task, and the JSON request that it means.

use serde_json::value::RawValue;
use tareas_core::Task;
use tareas_protocol::json::append_string;

use super::forms::Form;

/// The members of the form, as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct TaskDraft {
    /// The kind.
    pub(super) kind: String,
    /// A JSON object or array, else a text.
    pub(super) payload: String,
    /// Empty for the default of the kind.
    pub(super) queue: String,
    /// Empty for the default.
    pub(super) priority: String,
    /// In seconds; empty for at once.
    pub(super) delay_s: String,
    /// Empty for the default of the kind.
    pub(super) max_attempts: String,
    /// Empty for none.
    pub(super) key: String,
    /// Some of its payload is hidden, and has to be written again.
    pub(super) is_partly_hidden: bool,
}

impl TaskDraft {
    /// What was sent.
    pub(super) fn of(form: &Form) -> Self {
        let get = |name| form.get(name).trim().to_owned();
        Self {
            kind: get("kind"),
            // Browsers send lines as CRLF.
            payload: form.get("payload").replace("\r\n", "\n"),
            queue: get("queue"),
            priority: get("priority"),
            delay_s: get("delay"),
            max_attempts: get("max_attempts"),
            key: get("key"),
            is_partly_hidden: false,
        }
    }

    /// The same again as this task, to be changed.
    pub(super) fn like(task: &Task, payload: &[u8]) -> Self {
        let payload = match serde_json::from_slice::<String>(payload) {
            Ok(text) => text,
            Err(_) => String::from_utf8_lossy(payload).into_owned(),
        };
        let retry = task.spec.options().retry;
        Self {
            kind: task.spec.kind.to_string(),
            payload,
            queue: task.spec.queue.to_string(),
            priority: task.spec.priority.level().to_string(),
            max_attempts: retry.map_or_else(String::new, |retry| retry.max_attempts.to_string()),
            ..Self::default()
        }
    }

    /// The payload when it is a JSON object or array; `None` for a text.
    pub(super) fn json_payload(&self) -> Option<&str> {
        let text = self.payload.trim();
        let is_json = text.starts_with(['{', '[']);
        is_json
            .then_some(text)
            .filter(|text| serde_json::from_str::<&RawValue>(text).is_ok())
    }

    /// Looks like JSON and is not.
    pub(super) fn is_broken(&self) -> bool {
        self.payload.trim_start().starts_with('{') && self.json_payload().is_none()
    }

    /// The body of `POST /v1/tasks`. What is no number goes in as a text, to be refused by name.
    pub(super) fn request(&self) -> String {
        let mut out = Members::default();
        out.text("kind", &self.kind);
        match self.json_payload() {
            Some(json) => out.raw("payload", json),
            None => out.text("payload", &self.payload),
        }
        if !self.queue.is_empty() {
            out.text("queue", &self.queue);
        }
        out.number("priority", &self.priority, 1);
        out.number("delay_ms", &self.delay_s, 1_000);
        out.number("max_attempts", &self.max_attempts, 1);
        if !self.key.is_empty() {
            out.text("idempotency_key", &self.key);
        }
        out.finish()
    }
}

/// A JSON object, member by member.
#[derive(Default)]
struct Members(Vec<u8>);

impl Members {
    fn name(&mut self, name: &str) {
        self.0.push(if self.0.is_empty() { b'{' } else { b',' });
        append_string(&mut self.0, name);
        self.0.push(b':');
    }

    fn text(&mut self, name: &str, text: &str) {
        self.name(name);
        append_string(&mut self.0, text);
    }

    fn raw(&mut self, name: &str, json: &str) {
        self.name(name);
        self.0.extend_from_slice(json.as_bytes());
    }

    fn number(&mut self, name: &str, text: &str, unit: u64) {
        if text.is_empty() {
            return;
        }
        match text
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(unit))
        {
            Some(number) => self.raw(name, &number.to_string()),
            None => self.text(name, text),
        }
    }

    fn finish(mut self) -> String {
        self.0.push(b'}');
        String::from_utf8(self.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_becomes_a_request() {
        let draft = TaskDraft {
            kind: "square".to_owned(),
            payload: " {\"n\": 12345678901234567890123} ".to_owned(),
            priority: "9".to_owned(),
            delay_s: "2".to_owned(),
            max_attempts: "many".to_owned(),
            ..TaskDraft::default()
        };
        let request = "{\"kind\":\"square\",\"payload\":{\"n\": 12345678901234567890123},\
                       \"priority\":9,\"delay_ms\":2000,\"max_attempts\":\"many\"}";
        assert_eq!(draft.request(), request);
    }

    #[test]
    fn what_is_no_object_is_a_text() {
        let of = |payload: &str| TaskDraft {
            payload: payload.to_owned(),
            ..TaskDraft::default()
        };
        assert_eq!(
            of("2 + 2").request(),
            "{\"kind\":\"\",\"payload\":\"2 + 2\"}"
        );
        assert_eq!(of("{\"a\":1},\"x\":{}").json_payload(), None);
        assert!(of("{\"a\":").is_broken() && !of("a {").is_broken());
    }
}
