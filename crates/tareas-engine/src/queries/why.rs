//! Why a task is waiting: a code for programs, a sentence for people, and what to do.

use tareas_core::ledger::lane;
use tareas_core::{Place, State, Task, Timestamp};

use crate::Engine;
use crate::remote::Lack;

/// How far the position in line is counted.
const AHEAD_MAX: usize = 1_000;

/// Why a task has not started or not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Why {
    /// For programs.
    pub code: WhyCode,
    /// For people.
    pub message: String,
    /// What to do about it, when something can be done.
    pub hint: Option<String>,
}

/// The reasons for waiting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the words are explained by the message")]
pub enum WhyCode {
    NotDue,
    RetryBackoff,
    QueuePaused,
    NoWorkers,
    NoWorkerForKind,
    NoWorkerForQueue,
    NoWorkerWithLabels,
    UnknownKind,
    BehindOthers,
    NextInLine,
    Running,
    CancelRequested,
    Draining,
}

impl WhyCode {
    /// The word on wires.
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotDue => "not_due",
            Self::RetryBackoff => "retry_backoff",
            Self::QueuePaused => "queue_paused",
            Self::NoWorkers => "no_workers",
            Self::NoWorkerForKind => "no_worker_for_kind",
            Self::NoWorkerForQueue => "no_worker_for_queue",
            Self::NoWorkerWithLabels => "no_worker_with_labels",
            Self::UnknownKind => "unknown_kind",
            Self::BehindOthers => "behind_others",
            Self::NextInLine => "next_in_line",
            Self::Running => "running",
            Self::CancelRequested => "cancel_requested",
            Self::Draining => "draining",
        }
    }
}

impl Engine {
    /// Why this task has not started, or not ended; `None` when it has ended.
    pub async fn why(&self, task: &Task) -> Option<Why> {
        match task.state {
            State::Scheduled { due_at } => Some(self.why_scheduled(task, due_at)),
            State::Queued { place } => Some(self.why_queued(task, place).await),
            State::Running(_) => Some(why_running(task)),
            State::Succeeded | State::Failed(_) | State::Cancelled(_) => None,
        }
    }

    fn why_scheduled(&self, task: &Task, due_at: Timestamp) -> Why {
        let wait = due_at.since(self.now());
        let wait_text = format!("{:.1} s", wait.as_secs_f64());
        if task.attempt == 0 {
            let message = format!("it is due in {wait_text}");
            return Why {
                code: WhyCode::NotDue,
                message,
                hint: None,
            };
        }
        let cause = task
            .failure
            .as_ref()
            .map_or("", |failure| failure.message.as_str());
        Why {
            code: WhyCode::RetryBackoff,
            message: format!(
                "attempt {} failed ({cause}); next one in {wait_text}",
                task.attempt
            ),
            hint: None,
        }
    }

    async fn why_queued(&self, task: &Task, place: Place) -> Why {
        let queue = &task.spec.queue;
        if self.is_draining() {
            let message = "this server is draining: it starts nothing new".to_owned();
            return Why {
                code: WhyCode::Draining,
                message,
                hint: None,
            };
        }
        if self.queues().get(queue).copied().unwrap_or_default() {
            return Why {
                code: WhyCode::QueuePaused,
                message: format!("queue `{queue}` is paused"),
                hint: Some(format!("resume it: tareas queues resume {queue}")),
            };
        }
        if self.kinds.look_up(&task.spec.kind).is_none() {
            return Why {
                code: WhyCode::UnknownKind,
                message: format!("no worker has announced kind `{}`", task.spec.kind),
                hint: Some("start a worker that handles it".to_owned()),
            };
        }
        if let Some(lack) = self.lack_for(&task.spec)
            && let Some(lack) = self.lack_elsewhere(&task.spec, lack).await
        {
            return why_not_matched(task, lack);
        }
        self.why_in_line(task, place).await
    }

    async fn why_in_line(&self, task: &Task, place: Place) -> Why {
        let ready = self
            .ports
            .records
            .ready(&lane(task), crate::engine::FROM_THE_START, AHEAD_MAX)
            .await;
        let ahead = ready
            .unwrap_or_default()
            .iter()
            .take_while(|hint| hint.place < place)
            .count();
        if ahead == 0 {
            let message = "it is next in line: all threads are busy".to_owned();
            let hint = Some("more threads: tareas serve --threads N".to_owned());
            return Why {
                code: WhyCode::NextInLine,
                message,
                hint,
            };
        }
        let at_least = if ahead >= AHEAD_MAX { "at least " } else { "" };
        Why {
            code: WhyCode::BehindOthers,
            message: format!("{at_least}{ahead} tasks of its lane come first"),
            hint: Some("more threads, or a higher priority".to_owned()),
        }
    }
}

fn why_not_matched(task: &Task, lack: Lack) -> Why {
    let (kind, queue) = (&task.spec.kind, &task.spec.queue);
    let start = |rest: &str| format!("start one: tareas worker {rest}");
    let (code, message, hint) = match lack {
        Lack::Workers => (
            WhyCode::NoWorkers,
            "no worker is connected and this server has no threads".to_owned(),
            "start one: tareas worker, or the server with --threads 1 or more".to_owned(),
        ),
        Lack::Kind => (
            WhyCode::NoWorkerForKind,
            format!("no worker that is connected has a handler for kind `{kind}`"),
            start(&format!("--kinds {kind}")),
        ),
        Lack::Queue => (
            WhyCode::NoWorkerForQueue,
            format!("no worker with kind `{kind}` takes from queue `{queue}`"),
            start(&format!("--queues {queue}")),
        ),
        Lack::Labels(labels) => {
            let labels: Vec<String> = labels
                .iter()
                .map(|label| format!("--label {label}"))
                .collect();
            let message = format!("no worker with kind `{kind}` has the labels that it requires");
            (
                WhyCode::NoWorkerWithLabels,
                message,
                start(&labels.join(" ")),
            )
        }
    };
    let hint = Some(hint);
    Why {
        code,
        message,
        hint,
    }
}

fn why_running(task: &Task) -> Why {
    if task.cancel_requested {
        let message = "it was asked to stop and has not answered yet".to_owned();
        return Why {
            code: WhyCode::CancelRequested,
            message,
            hint: None,
        };
    }
    let message = format!("attempt {} is running", task.attempt);
    Why {
        code: WhyCode::Running,
        message,
        hint: None,
    }
}
