//! Replies: what every line but a single submission is answered with.

use std::time::Duration;

use tareas_core::{Actor, Phase, Position, Rejected, TaskId};
use tareas_engine::access::Deed;
use tareas_protocol::request::{Face, Line, Request};
use tareas_protocol::response::{
    Acknowledgement, Hello, Status, append_cancel_requested, append_cancelled, append_pong,
    append_status, append_wait_timed_out,
};
use tareas_protocol::{Lang, TaskIdBytes};
use tokio::time::Instant;

use super::desk::{Desk, Next};
use super::help::append_help;
use super::tag::Tag;
use crate::codes;
use crate::view::{self, TaskEnd, Whole};

/// What this server offers besides the protocol itself.
const FEATURES: [&str; 8] = [
    "batch",
    "cancel",
    "requeue",
    "schedule",
    "priorities",
    "http",
    "workers",
    "logs",
];

type Refusal = tareas_engine::Refusal;

impl Desk {
    /// Answers a line that is not a single submission.
    pub(super) async fn answer(&mut self, line: Line<'_>, bytes: usize) -> Next {
        let (face, reference) = (line.face, line.reference);
        let request = match line.request {
            Ok(request) => request,
            Err(refusal) => {
                self.submit_reports().await;
                self.refuse(face, reference, bytes, refusal.to_error(self.outbox.lang()));
                return Next::GoOn;
            }
        };
        if let Err(error) = self.judge_request(&request).await {
            self.submit_reports().await;
            self.refuse(face, reference, bytes, *error);
            return Next::GoOn;
        }
        if let Request::Report(report) = request {
            self.take_report(report, reference);
            return Next::GoOn;
        }
        self.submit_reports().await;
        let about = |task_id| TaskId::from_bytes(task_id);
        match request {
            Request::Leave => {
                self.at_work.said_goodbye = true;
                return Next::Leave;
            }
            Request::Work(work) => self.work(&work, reference).await,
            Request::Beat { slots } => self.beat(slots, reference),
            Request::Many(items) => self.many(items, reference).await,
            Request::Help => self.help(bytes),
            Request::Ping => self
                .outbox
                .reply(Position::ZERO, |out| append_pong(out, reference)),
            Request::Hello { lang } => self.hello(lang, reference),
            Request::Auth { token } => return self.auth(&token, face, reference, bytes).await,
            Request::Batch(batch) => self.batch(batch, reference, bytes).await,
            Request::Wait {
                task_id,
                timeout_ms,
            } => {
                let timeout = Duration::from_millis(timeout_ms);
                self.wait(about(task_id), timeout, reference, bytes).await;
            }
            Request::Status { task_id } => self.status(about(task_id), reference).await,
            Request::Result { task_id } => self.result(about(task_id), reference).await,
            Request::Logs(logs) => self.logs(&logs, reference, bytes).await,
            Request::Cancel { task_id } => self.cancel(about(task_id), reference).await,
            Request::Requeue { task_id } => self.requeue(about(task_id), reference).await,
            // Taken or gathered before it comes here.
            Request::Report(_) | Request::Submit(_) | Request::Text { .. } => {}
        }
        Next::GoOn
    }

    fn help(&self, bytes: usize) {
        let mut text = Vec::new();
        append_help(
            &mut text,
            &self.state.engine.kinds().all_with_rules(),
            self.outbox.lang(),
        );
        self.outbox.reply_in_text(bytes, text);
    }

    fn hello(&self, lang: Option<Lang>, reference: Option<&str>) {
        if let Some(lang) = lang {
            self.outbox.set_lang(lang);
        }
        let is_stranger = self.principal.is_nobody();
        let threads = match is_stranger {
            true => 0,
            false => u64::from(self.state.engine.threads()),
        };
        let (workers, slots) = match is_stranger {
            true => (0, 0),
            false => self.state.engine.workers_connected(),
        };
        let hello = Hello {
            version: &self.state.config.version,
            features: &FEATURES,
            workers: u64::from(threads > 0) + workers,
            threads: threads + slots,
            now_us: self.state.engine.now().as_micros(),
            open_max: self.outbox.limits.open_lines_max as u64,
        };
        self.outbox
            .reply(Position::ZERO, |out| hello.append_to(out, reference));
    }

    async fn status(&self, id: TaskId, reference: Option<&str>) {
        let engine = &self.state.engine;
        let whole = match engine.task(id).await {
            Ok(Some(task)) => Whole::gather(engine, task).await,
            Ok(None) => Err(Rejected::NotFound.into()),
            Err(refusal) => Err(refusal),
        };
        let lang = self.outbox.lang();
        match whole {
            Ok(whole) => self.outbox.reply(Position::ZERO, |out| {
                whole.append_to(out, reference, lang);
            }),
            Err(refusal) => self.refuse_about(id, &refusal, reference),
        }
    }

    async fn result(&self, id: TaskId, reference: Option<&str>) {
        if let Err(refusal) = self.try_result(id, reference).await {
            self.refuse_about(id, &refusal, reference);
        }
    }

    async fn try_result(&self, id: TaskId, reference: Option<&str>) -> Result<(), Refusal> {
        let engine = &self.state.engine;
        let task = engine.task(id).await?.ok_or(Rejected::NotFound)?;
        let end = TaskEnd::read(engine, &task, self.outbox.lang()).await?;
        let status = view::status_of(task.phase());
        self.outbox.reply(Position::ZERO, |out| match end {
            Some(end) => end.append_json(out, reference),
            None => append_status(out, id.as_bytes(), status, reference),
        });
        Ok(())
    }

    async fn wait(&self, id: TaskId, timeout: Duration, reference: Option<&str>, bytes: usize) {
        let tag = self
            .outbox
            .expect_end(id, reference, bytes, Instant::now() + timeout);
        let watched = self
            .state
            .engine
            .watch(&self.listening, id, tag.to_number())
            .await;
        if let (Err(refusal), Tag::Entry(key)) = (watched, tag) {
            self.outbox.forget(key);
            self.refuse_about(id, &refusal, reference);
        }
    }

    /// Answers the waits whose time is over.
    pub(super) async fn give_up_waits(&self, now: Instant) {
        for (key, id) in self.outbox.overdue(now) {
            let tag = Tag::Entry(key).to_number();
            // Not watched any more: its end is told already.
            if self.state.engine.unwatch(&self.listening, id, tag)
                && let Some(entry) = self.outbox.forget(key)
            {
                self.timed_out(id, entry.reference.as_deref()).await;
            }
        }
    }

    async fn timed_out(&self, id: TaskId, reference: Option<&str>) {
        match self.state.engine.task(id).await {
            Ok(Some(task)) if task.state.is_terminal() => self.result(id, reference).await,
            Ok(Some(task)) => {
                let status = view::status_of(task.phase());
                self.outbox.reply(Position::ZERO, |out| {
                    append_wait_timed_out(out, id.as_bytes(), status, reference);
                });
            }
            Ok(None) => self.refuse_about(id, &Rejected::NotFound.into(), reference),
            Err(refusal) => self.refuse_about(id, &refusal, reference),
        }
    }

    async fn cancel(&self, id: TaskId, reference: Option<&str>) {
        let by = Actor::Client(self.peer.clone());
        let id_bytes: TaskIdBytes = *id.as_bytes();
        match self.state.engine.cancel(id, by).await {
            Ok((task, position)) => {
                self.note(Deed::Cancel, id).await;
                self.outbox.reply(position, |out| match task.phase() {
                    Phase::Cancelled => append_cancelled(out, &id_bytes, reference),
                    _ => append_cancel_requested(out, &id_bytes, reference),
                });
            }
            Err(refusal) => self.refuse_decided(id, &refusal, reference).await,
        }
    }

    async fn requeue(&self, id: TaskId, reference: Option<&str>) {
        let by = Actor::Client(self.peer.clone());
        match self.state.engine.requeue(id, by).await {
            Ok((_, position)) => {
                self.note(Deed::Requeue, id).await;
                let acknowledgement = Acknowledgement {
                    task_id: *id.as_bytes(),
                    status: Status::Queued,
                    duplicate: false,
                    durability: self.outbox.durability,
                    reference,
                };
                self.outbox
                    .reply(position, |out| acknowledgement.append_to(out));
            }
            Err(refusal) => self.refuse_decided(id, &refusal, reference).await,
        }
    }

    /// A refusal tells something of the task's state, so that state must be durable first.
    async fn refuse_decided(&self, id: TaskId, refusal: &Refusal, reference: Option<&str>) {
        // Looking waits for it. If that fails nothing is told on this connection any more.
        let _ = self.state.engine.task(id).await;
        self.refuse_about(id, refusal, reference);
    }

    fn refuse_about(&self, id: TaskId, refusal: &Refusal, reference: Option<&str>) {
        let error = codes::error(refusal, self.outbox.lang()).about(*id.as_bytes());
        self.refuse(Face::Json, reference, 0, error);
    }
}
