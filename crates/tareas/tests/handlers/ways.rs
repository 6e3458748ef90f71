//! The ways to handle a task, each with the same repertoire.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tareas_client::worker::{RemoteWorker, WorkerOptions};
use tareas_worker::{Context, HandlerError, Registry};

use crate::stage::{Process, Stage, here};

/// How a task is handled.
#[derive(Debug)]
pub(crate) enum Way {
    BuiltIn,
    Rust,
    OneShot,
    Persistent,
    Python,
    JavaScript,
}

/// Whatever runs the handlers beside the server; dropping it ends it.
pub(crate) enum Runs {
    /// The threads of the server do.
    Server,
    Here {
        _worker: RemoteWorker,
    },
    Elsewhere {
        _process: Process,
    },
}

impl Way {
    /// Threads of the server: none where another process is to run the tasks.
    pub(crate) fn threads(&self) -> u16 {
        match self {
            Self::BuiltIn | Self::OneShot | Self::Persistent => 4,
            Self::Rust | Self::Python | Self::JavaScript => 0,
        }
    }

    /// Whether its interpreter is not there; a failure under CI.
    pub(crate) fn is_missing(&self) -> bool {
        let interpreter = match self {
            Self::BuiltIn | Self::Rust => return false,
            Self::OneShot | Self::Persistent | Self::Python => "python3",
            Self::JavaScript => "node",
        };
        let is_missing = Command::new(interpreter).arg("--version").output().is_err();
        if is_missing {
            let is_ci = std::env::var("CI").as_deref() == Ok("true");
            assert!(!is_ci, "{interpreter} is missing");
            eprintln!("SKIPPED: {interpreter} is missing");
        }
        is_missing
    }

    /// The kind and the payload that have a handler do this; `None` where it cannot.
    pub(crate) fn asked(&self, does: &str) -> Option<(&'static str, Value)> {
        let kind = match self {
            Self::BuiltIn => return built_in(does),
            Self::Rust => "rust",
            Self::OneShot => "one_shot",
            Self::Persistent => "persistent",
            Self::Python => "python",
            Self::JavaScript => "javascript",
        };
        Some((kind, json!({"do": does, "value": [1, "ñ", null]})))
    }

    /// Starts what runs the handlers, and waits until the server knows it.
    pub(crate) fn start(&self, stage: &Stage) -> Runs {
        let script = |program: &str, file: &str| {
            let mut command = Command::new(program);
            command.arg(here().join(file)).arg(stage.url());
            let process = Process::start(&mut command);
            stage.until_worker();
            Runs::Elsewhere { _process: process }
        };
        match self {
            Self::BuiltIn | Self::OneShot | Self::Persistent => Runs::Server,
            Self::Rust => Runs::Here {
                _worker: worker(stage),
            },
            Self::Python => script("python3", "worker.py"),
            Self::JavaScript => script("node", "worker.mjs"),
        }
    }
}

fn built_in(does: &str) -> Option<(&'static str, Value)> {
    Some(match does {
        "succeed" => ("echo", json!([1, "ñ", null])),
        "again" => (
            "fail",
            json!({"message": "broken", "retryable": true, "times": 1}),
        ),
        "fail" => ("fail", json!({"message": "broken", "retryable": true})),
        "reject" => ("fail", json!({"message": "wrong", "retryable": false})),
        "hang" | "wait" => ("sleep", json!({"ms": 60_000})),
        _ => return None,
    })
}

fn worker(stage: &Stage) -> RemoteWorker {
    let mut registry = Registry::new();
    registry.register("rust", handle);
    let options = WorkerOptions {
        name: "w".to_owned(),
        threads: 4,
        ..WorkerOptions::default()
    };
    let server = stage.url().parse().unwrap();
    let worker = RemoteWorker::start(server, Arc::new(registry), options).unwrap();
    stage.until_worker();
    worker
}

fn handle(context: &Context, asked: Value) -> Result<Value, HandlerError> {
    let is_first = context.attempt() == 1;
    match asked["do"].as_str().unwrap_or_default() {
        "again" if is_first => Err(HandlerError::retry("broken")),
        "fail" => Err(HandlerError::retry("broken")),
        "reject" => Err(HandlerError::rejected("wrong")),
        "later" if is_first => Err(HandlerError::retry("busy").after(Duration::from_secs(1))),
        "chat" => {
            context.progress(50.0, "half");
            context.log("hello");
            context.output("so far");
            context.sleep(Duration::from_secs(60))?;
            Ok(Value::Null)
        }
        "hang" | "wait" => {
            context.sleep(Duration::from_secs(60))?;
            Ok(Value::Null)
        }
        "talk" => {
            context.progress(50.0, "half");
            context.log("hello");
            Ok(Value::Null)
        }
        _ => Ok(asked["value"].clone()),
    }
}
