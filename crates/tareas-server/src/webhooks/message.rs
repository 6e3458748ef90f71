//! The messages that webhooks get: thin, as Standard Webhooks 1.0 has them.
//!
//! What pages hide in results is hidden here, too: a message leaves the system.

use serde::Serialize;
use serde_json::value::RawValue;
use tareas_core::{Phase, Reason, Timestamp};
use tareas_engine::webhooks::{Ended, Message, ResultNote, Webhook, Writer};
use tareas_protocol::{ErrorObject, Lang};

use crate::redaction::Redaction;
use crate::tokens::shown;
use crate::view::error_of_end;

/// Writes messages.
#[derive(Clone, Debug, Default)]
pub struct MessageWriter {
    /// What results do not show.
    pub redaction: Redaction,
    /// The language of what people read in them.
    pub lang: Lang,
}

#[derive(Serialize)]
struct Told<'a, D> {
    #[serde(rename = "type")]
    event: &'a str,
    timestamp: String,
    data: D,
}

#[derive(Serialize)]
struct EndData<'a> {
    task_id: String,
    kind: &'a str,
    queue: &'a str,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    attempt: u64,
    submitted_at: String,
    started_at: Option<String>,
    finished_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    result_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorData>,
}

#[derive(Serialize)]
struct ErrorData {
    code: String,
    name: String,
    message: String,
    retryable: bool,
}

#[derive(Serialize)]
struct TestData<'a> {
    webhook_id: &'a str,
    name: &'a str,
}

impl MessageWriter {
    fn result(&self, ended: &Ended) -> (Option<Box<RawValue>>, Option<u64>) {
        match &ended.result {
            ResultNote::None => (None, None),
            ResultNote::LeftOut(bytes) => (None, Some(*bytes)),
            ResultNote::Whole(text) => {
                let text = String::from_utf8(self.redaction.hide(text).into_owned());
                (
                    text.ok().and_then(|text| RawValue::from_string(text).ok()),
                    None,
                )
            }
        }
    }
}

impl Writer for MessageWriter {
    fn end(&self, ended: &Ended) -> Message {
        let event = match ended.phase {
            Phase::Succeeded => "task.succeeded",
            Phase::Failed => "task.failed",
            _ => "task.cancelled",
        };
        let (result, result_bytes) = self.result(ended);
        let told = Told {
            event,
            timestamp: shown(ended.finished_at),
            data: EndData {
                task_id: ended.task.to_string(),
                kind: ended.kind.as_str(),
                queue: ended.queue.as_str(),
                status: ended.phase.name(),
                reason: ended.reason.map(Reason::name),
                attempt: ended.attempt,
                submitted_at: shown(ended.submitted_at),
                started_at: ended.started_at.map(shown),
                finished_at: shown(ended.finished_at),
                result,
                result_bytes,
                error: error_of_end(ended, self.lang).map(error_data),
            },
        };
        Message {
            id: ended.message_id(),
            event: event.into(),
            task: Some(ended.task),
            body: json(&told),
        }
    }

    fn test(&self, webhook: &Webhook, id: &str, now: Timestamp) -> Message {
        let event = "webhook.test";
        let told = Told {
            event,
            timestamp: shown(now),
            data: TestData {
                webhook_id: webhook.id.as_str(),
                name: &webhook.wish.name,
            },
        };
        Message {
            id: id.into(),
            event: event.into(),
            task: None,
            body: json(&told),
        }
    }
}

fn error_data(error: ErrorObject) -> ErrorData {
    ErrorData {
        code: format!("TAR-{:04}", error.number),
        name: error.name.into_owned(),
        message: error.message.into_owned(),
        retryable: error.retryable,
    }
}

fn json(told: &impl Serialize) -> String {
    // Texts and numbers only: there is nothing that could not be written.
    serde_json::to_string(told).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use std::sync::Arc;
    use tareas_core::{Cause, Failure, Kind, QueueName, TaskId};

    use super::*;

    fn ended(result: ResultNote) -> Ended {
        Ended {
            task: TaskId::from_u128(7),
            version: 3,
            kind: Kind::new("square").unwrap(),
            queue: QueueName::default(),
            phase: Phase::Succeeded,
            reason: None,
            attempt: 1,
            max_attempts: 1,
            submitted_at: Timestamp::from_millis(1_000),
            started_at: None,
            finished_at: Timestamp::from_millis(2_000),
            result,
            failure: None,
        }
    }

    fn body(ended: &Ended) -> serde_json::Value {
        let message = MessageWriter::default().end(ended);
        assert!(message.body.len() < 20 * 1024);
        serde_json::from_str(&message.body).unwrap()
    }

    #[test]
    fn a_short_result_is_told_without_what_pages_hide() {
        let text = Bytes::from_static(br#"{"n":1e400,"password":"x"}"#);
        let message = MessageWriter::default().end(&ended(ResultNote::Whole(text)));
        let shown = r#""result":{"n":1e400,"password":"[hidden]"}"#;
        assert!(message.body.contains(shown), "{}", message.body);
        assert_eq!(message.id, "msg_00000000000000000000000000000007_3");
        let told = body(&ended(ResultNote::LeftOut(70_000)));
        assert_eq!(told["data"]["result_bytes"], 70_000);
        assert_eq!(told["data"]["result"], serde_json::Value::Null);
        assert_eq!(told["type"], "task.succeeded");
        assert_eq!(told["timestamp"], "1970-01-01T00:00:02.000Z");
    }

    #[test]
    fn a_failure_is_told_with_its_code() {
        let failure = Failure {
            cause: Cause::Handler,
            name: Some("ValueError".to_owned()),
            message: "\u{1}ñ\"".to_owned(),
            backtrace: Some("secret".to_owned()),
            ran_by: None,
            process_end: None,
        };
        let told = body(&Ended {
            phase: Phase::Failed,
            reason: Some(Reason::AttemptsExhausted),
            failure: Some(Arc::new(failure)),
            ..ended(ResultNote::None)
        });
        assert_eq!(told["data"]["error"]["code"], "TAR-3001", "{told}");
        assert_eq!(told["data"]["error"]["message"], "ValueError: \u{1}ñ\"");
        assert!(!told.to_string().contains("secret"));
    }
}
