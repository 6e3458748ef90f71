//! `GET /v1/history`: what this process did in the last minutes, hour or day, step by step.

use axum::extract::Request;
use serde::Serialize;
use tareas_core::{QueueName, Timestamp};
use tareas_engine::history::{Sample, Step};

use super::operate::{queue_name, written};
use super::problem::{Answer, Problem};
use super::tasks::instant;
use super::visit::{Query, Visit};

#[derive(Serialize)]
struct History<'a> {
    queue: Option<&'a str>,
    step_s: u32,
    kept: usize,
    queues: Vec<String>,
    steps: Vec<Line>,
}

#[derive(Serialize)]
struct Line {
    at: String,
    accepted: u32,
    ended: u32,
    failed: u32,
    waiting: u32,
    running: u32,
    wait_ms: f32,
    run_ms: f32,
}

impl Line {
    fn of((at, sample): (Timestamp, Sample)) -> Self {
        Self {
            at: instant(at),
            accepted: sample.accepted,
            ended: sample.ended,
            failed: sample.failed,
            waiting: sample.waiting,
            running: sample.running,
            wait_ms: sample.wait_ms,
            run_ms: sample.run_ms,
        }
    }
}

/// The steps of all tasks, or of one queue; none for a queue that has no line of its own.
pub(super) async fn history(visit: Visit, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::read(&visit, &parts, &["queue", "step"])?;
    let queue = asked_queue(&visit, &query)?;
    let step = match query.number(&visit, "step", u64::MAX)? {
        None => Step::TenSeconds,
        Some(seconds) => Step::of_seconds(seconds)
            .ok_or_else(|| visit.invalid("step", "1, 10 or 60", "1, 10 o 60"))?,
    };
    let engine = &visit.server.engine;
    let history = engine.history();
    let queues = history.queues();
    let shown = History {
        queue: queue.as_ref().map(QueueName::as_str),
        step_s: step.seconds(),
        kept: step.kept(),
        queues: queues.iter().map(ToString::to_string).collect(),
        steps: history
            .steps(queue.as_ref(), step, engine.now())
            .into_iter()
            .map(Line::of)
            .collect(),
    };
    written(&visit, &shown)
}

/// The queue that the query names, if it names one.
pub(super) fn asked_queue(visit: &Visit, query: &Query) -> Result<Option<QueueName>, Problem> {
    let named = query.get("queue").map(|name| queue_name(visit, name));
    named.transpose()
}
