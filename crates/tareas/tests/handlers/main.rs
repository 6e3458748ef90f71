//! One table of what can become of a task, and every way to handle one: the same lives.
//!
//! Each way has a handler that does what its payload says (`{"do":"again"}`): a function in Rust,
//! a command for each task, a command that stays, a worker in Python, one in JavaScript, and, as
//! far as they can, the built-in kinds. What a client sees must not tell which of them it was.

#![expect(clippy::unwrap_used, reason = "these are tests")]

mod stage;
mod ways;

use std::time::Duration;

use serde_json::{Value, json};
use stage::Stage;
use ways::Way;

/// How one life goes.
struct Life {
    /// What the handler is to do.
    does: &'static str,
    /// Options of the task.
    options: &'static str,
    status: &'static str,
    reason: Option<&'static str>,
    /// Code of its error.
    code: Option<&'static str>,
    /// The last attempt.
    attempt: u64,
    /// How the attempts before it, or all if none succeeded, have ended.
    outcomes: &'static [&'static str],
}

const LIVES: [Life; 9] = [
    Life {
        does: "succeed",
        options: "{}",
        status: "succeeded",
        reason: None,
        code: None,
        attempt: 1,
        outcomes: &[],
    },
    Life {
        does: "again",
        options: r#"{"backoff":{"initial_ms":10}}"#,
        status: "succeeded",
        reason: None,
        code: None,
        attempt: 2,
        outcomes: &["failed"],
    },
    Life {
        does: "fail",
        options: r#"{"max_attempts":2,"backoff":{"initial_ms":10}}"#,
        status: "failed",
        reason: Some("attempts_exhausted"),
        code: Some("TAR-3005"),
        attempt: 2,
        outcomes: &["failed", "failed"],
    },
    Life {
        does: "reject",
        options: r#"{"max_attempts":3}"#,
        status: "failed",
        reason: Some("rejected"),
        code: Some("TAR-3004"),
        attempt: 1,
        outcomes: &["failed"],
    },
    Life {
        does: "later",
        options: r#"{"backoff":{"initial_ms":1,"max_ms":2}}"#,
        status: "succeeded",
        reason: None,
        code: None,
        attempt: 2,
        outcomes: &["failed"],
    },
    Life {
        does: "hang",
        options: r#"{"max_attempts":1,"timeout_ms":700}"#,
        status: "failed",
        reason: Some("timeout"),
        code: Some("TAR-3002"),
        attempt: 1,
        outcomes: &["timed_out"],
    },
    Life {
        does: "wait",
        options: "{}",
        status: "cancelled",
        reason: Some("requested"),
        code: None,
        attempt: 1,
        outcomes: &["cancelled"],
    },
    Life {
        does: "chat",
        options: "{}",
        status: "cancelled",
        reason: Some("requested"),
        code: None,
        attempt: 1,
        outcomes: &["cancelled"],
    },
    Life {
        does: "talk",
        options: "{}",
        status: "succeeded",
        reason: None,
        code: None,
        attempt: 1,
        outcomes: &[],
    },
];

#[test]
fn a_built_in_kind() {
    live(&Way::BuiltIn);
}

#[test]
fn a_function_in_rust() {
    live(&Way::Rust);
}

#[test]
fn a_command_for_each_task() {
    live(&Way::OneShot);
}

#[test]
fn a_command_that_stays() {
    live(&Way::Persistent);
}

#[test]
fn a_worker_in_python() {
    live(&Way::Python);
}

#[test]
fn a_worker_in_javascript() {
    live(&Way::JavaScript);
}

/// Goes through the whole table with one way to handle tasks.
fn live(way: &Way) {
    if way.is_missing() {
        return;
    }
    let stage = Stage::new(way.threads());
    let _worker = way.start(&stage);
    cancel_queued(&stage, way);
    // One at a time: what is taken together with one that hangs is given back, which is an attempt
    // more than the table says.
    for life in &LIVES {
        let Some((kind, payload)) = way.asked(life.does) else {
            continue;
        };
        let mut options: Value = serde_json::from_str(life.options).unwrap();
        options["kind"] = kind.into();
        options["payload"] = payload;
        let id = stage.submit(options);
        match life.does {
            "wait" => stage.until(|| stage.task(&id)["status"] == "running"),
            "chat" => hear_it_live(&stage, &id),
            _ => {}
        }
        if life.outcomes == ["cancelled"] {
            stage.say(&json!({"cmd": "cancel", "task_id": id}));
        }
        let task = stage.ended(&id);
        let seen = (
            &task["status"],
            task["reason"].as_str(),
            task["error"]["code"].as_str(),
        );
        let wanted = (&Value::from(life.status), life.reason, life.code);
        assert_eq!(seen, wanted, "{way:?} {}: {task}", life.does);
        assert_eq!(
            task["attempt"], life.attempt,
            "{way:?} {}: {task}",
            life.does
        );
        let attempts = task["attempts"].as_array().unwrap();
        let outcomes: Vec<&str> = attempts
            .iter()
            .filter_map(|a| a["outcome"].as_str())
            .collect();
        assert_eq!(outcomes, life.outcomes, "{way:?} {}: {task}", life.does);
        look_closer(&stage, way, life, &task);
    }
}

/// A task that waits is cancelled at once, and nobody ever runs it.
fn cancel_queued(stage: &Stage, way: &Way) {
    let Some((kind, payload)) = way.asked("succeed") else {
        return;
    };
    let id = stage.submit(json!({"kind": kind, "payload": payload, "delay_ms": 600_000}));
    stage.say(&json!({"cmd": "cancel", "task_id": id}));
    let task = stage.ended(&id);
    assert_eq!(
        (&task["status"], &task["attempt"]),
        (&"cancelled".into(), &0.into()),
        "{task}"
    );
}

/// Follows a task that has said everything and goes on: it is all heard before its end.
fn hear_it_live(stage: &Stage, id: &str) {
    let mut heard = stage.follow(id);
    let mut wanted = vec!["log hello", "output so far", "progress half"];
    while !wanted.is_empty() {
        let event = heard.next().unwrap();
        let text = |member: &str| event[member].as_str().unwrap_or_default().trim().to_owned();
        let said = format!("{} {}{}", text("event"), text("text"), text("message"));
        wanted.retain(|wanted| *wanted != said);
        assert_ne!(text("event"), "end", "{wanted:?} was not heard");
    }
}

/// What only one of the lives has.
fn look_closer(stage: &Stage, way: &Way, life: &Life, task: &Value) {
    match life.does {
        "succeed" => assert_eq!(task["result"], json!([1, "ñ", null])),
        "fail" => {
            let message = task["error"]["message"].as_str().unwrap();
            assert!(message.contains("broken"), "{task}");
            for attempt in task["attempts"].as_array().unwrap() {
                look_at_failure(way, attempt);
            }
        }
        "later" => {
            let at = |name: &str| {
                task[name]
                    .as_str()
                    .unwrap()
                    .parse::<jiff::Timestamp>()
                    .unwrap()
            };
            let waited = at("started_at").duration_since(at("submitted_at"));
            assert!(
                waited.unsigned_abs() >= Duration::from_secs(1),
                "{waited:?}: {task}"
            );
        }
        "talk" => {
            assert_eq!(
                task["progress"],
                json!({"percent": 50, "message": "half"}),
                "{task}"
            );
            let log = stage.log(task["task_id"].as_str().unwrap());
            assert_eq!(log["attempts"][0]["lines"], json!(["hello"]), "{log}");
        }
        _ => {}
    }
}

/// What is kept of an attempt that failed.
fn look_at_failure(way: &Way, attempt: &Value) {
    for told in ["type", "worker"] {
        assert!(
            attempt[told].as_str().is_some_and(|text| !text.is_empty()),
            "{told}: {attempt}"
        );
    }
    let trace = attempt["backtrace"].as_str().unwrap_or_default();
    match way {
        Way::Python => assert!(trace.starts_with("Traceback"), "{attempt}"),
        Way::JavaScript => assert!(trace.contains("\n    at "), "{attempt}"),
        // Their threads have numbers.
        _ => assert!(
            attempt["thread"].as_u64().is_some_and(|thread| thread > 0),
            "{attempt}"
        ),
    }
    let message = attempt["error"]["message"].as_str().unwrap_or_default();
    assert!(message.contains("broken"), "{attempt}");
    let at = |name: &str| {
        let time = attempt[name].as_str().unwrap_or_default();
        time.parse::<jiff::Timestamp>().unwrap()
    };
    assert!(at("started_at") <= at("finished_at"), "{attempt}");
}
