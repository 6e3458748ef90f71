//! `logs`: what the attempts of a task have said; to whoever follows, also what they will say.
//!
//! Each follower is spawned work of its own that ends with its connection. It writes into the
//! connection's outbox and waits while too much is in there; what it has not read waits in the
//! notes of the engine, which are bounded.

use std::sync::Arc;
use std::time::Duration;

use tareas_core::{Position, Rejected, TaskId};
use tareas_engine::Heard;
use tareas_protocol::request::{Face, Logs};
use tareas_protocol::response::{AttemptLog, Logged, append_logs, end_line};
use tareas_protocol::{Code, ErrorObject};
use tokio::time::Instant;

use super::desk::Desk;
use super::outbox::Outbox;
use super::tag::Tag;
use crate::codes;
use crate::follow::{Followed, Follower, Place};

/// Tasks that one connection follows at once.
const FOLLOWED_MAX: usize = 64;
/// A follower looks whether it is still needed at least this often.
const SILENCE_MAX: Duration = Duration::from_secs(15);
/// While too much waits to be written, a follower looks for room this often.
const ROOM_EVERY: Duration = Duration::from_millis(20);

impl Desk {
    /// What the attempts of a task have said.
    pub(super) async fn logs(&mut self, logs: &Logs<'_>, reference: Option<&str>, bytes: usize) {
        let id = TaskId::from_bytes(logs.task_id);
        let found = match self.state.engine.task(id).await {
            Ok(Some(_)) => Ok(()),
            Ok(None) => Err(Rejected::NotFound.into()),
            Err(refusal) => Err(refusal),
        };
        if let Err(refusal) = found {
            let error = codes::error(&refusal, self.outbox.lang()).about(logs.task_id);
            return self.refuse(Face::Json, reference, 0, error);
        }
        match logs.follow {
            true => self.follow(id, logs, reference, bytes),
            false => self.tell_logs(id, reference),
        }
    }

    fn tell_logs(&self, id: TaskId, reference: Option<&str>) {
        let notes = self.state.engine.notes().of(id);
        let attempts = notes.iter().map(|notes| AttemptLog {
            attempt: notes.attempt,
            lines: &notes.log,
            output: &notes.output,
            truncated: notes.is_truncated || notes.is_output_truncated,
        });
        self.outbox.reply(Position::ZERO, |out| {
            append_logs(out, id.as_bytes(), attempts, reference);
        });
    }

    fn follow(&mut self, id: TaskId, logs: &Logs<'_>, reference: Option<&str>, bytes: usize) {
        while self.followed.try_join_next().is_some() {}
        if self.followed.len() >= FOLLOWED_MAX {
            let error = ErrorObject::new(Code::Overloaded, self.outbox.lang());
            return self.refuse(Face::Json, reference, 0, error.about(logs.task_id));
        }
        let place = Place::read(logs.after.as_deref().unwrap_or_default());
        let told = Told {
            follower: Follower::new(&self.state, id, place.seen()),
            place,
            outbox: Arc::clone(&self.outbox),
            tag: self.outbox.open_line(reference, bytes),
            reference: reference.map(str::to_owned),
        };
        self.followed.spawn(told.until_over());
    }
}

/// One followed task, and whom it is told.
#[derive(Debug)]
struct Told {
    follower: Follower,
    place: Place,
    outbox: Arc<Outbox>,
    /// The line that asked for it, which is not answered before the end.
    tag: Tag,
    reference: Option<String>,
}

impl Told {
    async fn until_over(mut self) {
        loop {
            while self.outbox.is_crowded() {
                tokio::time::sleep_until(Instant::now() + ROOM_EVERY).await;
            }
            match self.follower.next(SILENCE_MAX).await {
                Followed::Heard(heard) => self.tell(&heard),
                Followed::Silence => {}
                Followed::Ended(status) => {
                    let status = status.into();
                    self.push(|told, out| told.append(out, &Logged::End { status }));
                    break;
                }
                Followed::Over => {
                    self.push(Self::append_gone);
                    break;
                }
            }
        }
        if let Tag::Entry(key) = self.tag {
            self.outbox.answered(key);
        }
    }

    fn tell(&mut self, heard: &[Heard]) {
        let mut lines = Vec::new();
        for heard in heard {
            let at = self.place.pass(heard).unwrap_or_default();
            self.append(&mut lines, &logged(heard, at));
            end_line(&mut lines);
        }
        self.outbox.push_lines(Position::ZERO, &lines);
    }

    fn push(&self, append: impl FnOnce(&Self, &mut Vec<u8>)) {
        let mut line = Vec::new();
        append(self, &mut line);
        end_line(&mut line);
        self.outbox.push_lines(Position::ZERO, &line);
    }

    fn append(&self, out: &mut Vec<u8>, logged: &Logged<'_>) {
        let id = self.follower.id();
        logged.append_to(out, id.as_bytes(), self.reference.as_deref());
    }

    /// It was removed meanwhile, or the store is away.
    fn append_gone(&self, out: &mut Vec<u8>) {
        let id = *self.follower.id().as_bytes();
        let mut error = codes::error(&Rejected::NotFound.into(), self.outbox.lang()).about(id);
        error.reference.clone_from(&self.reference);
        error.append_answer(out);
    }
}

fn logged(heard: &Heard, at: String) -> Logged<'_> {
    match heard {
        Heard::Line { attempt, text, .. } => Logged::Line {
            attempt: *attempt,
            at: at.into(),
            text: text.into(),
        },
        Heard::Output { attempt, text, .. } => Logged::Output {
            attempt: *attempt,
            at: at.into(),
            text: text.into(),
        },
        Heard::Progress(attempt, progress) => Logged::Progress {
            attempt: *attempt,
            // In hundredths: what was a float of half the size is not to look longer than it was.
            percent: (f64::from(progress.percent) * 100.0).round() / 100.0,
            message: (&progress.message).into(),
        },
        Heard::Truncated(attempt) => Logged::Truncated { attempt: *attempt },
    }
}
