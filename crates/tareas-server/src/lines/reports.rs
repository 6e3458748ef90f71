//! What a remote worker says on its connection, and what it is answered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use smol_str::SmolStr;
use tareas_core::{
    Body, Cause, Ending, Failure, Kind, Position, ProcessEnd, QueueName, RanBy, TaskId, Token,
};
use tareas_engine::{HeldBy, Progress, Said, SessionLink, Telling, Verdict, WorkerHello};
use tareas_protocol::request::{Face, Failed, Held, Item, Report, Reported, Work};
use tareas_protocol::response::{Session, append_beat_answer, append_many_answer, append_recorded};
use tareas_protocol::{Code, ErrorObject, TaskIdBytes};

use super::courier::LineCourier;
use super::desk::Desk;
use super::pieces::{Flaw, Gathered, Key, Pieces};
use crate::codes;

/// What a connection keeps of the worker that speaks on it.
#[derive(Debug, Default)]
pub(super) struct AtWork {
    link: Option<SessionLink>,
    /// Another connection has the session now.
    is_replaced: Arc<AtomicBool>,
    /// Reports that stand one after the other become one call of the engine.
    pending: Vec<Pending>,
    pieces: Pieces,
    /// The worker said that it leaves.
    pub(super) said_goodbye: bool,
}

#[derive(Debug)]
struct Pending {
    telling: Telling,
    reference: Option<SmolStr>,
}

impl AtWork {
    pub(super) fn is_replaced(&self) -> bool {
        self.is_replaced.load(Ordering::Acquire)
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }
}

impl Desk {
    /// Something was read: the worker on this connection is alive.
    pub(super) fn heard(&self) {
        if let Some(link) = &self.at_work.link {
            self.state.engine.heard(link);
        }
    }

    /// The connection ends.
    pub(super) async fn leave_work(&mut self) {
        if let Some(link) = self.at_work.link.take() {
            let with_goodbye = self.at_work.said_goodbye;
            self.state.engine.leave(&link, with_goodbye).await;
        }
    }

    /// A worker is there.
    pub(super) async fn work(&mut self, work: &Work<'_>, reference: Option<&str>) {
        let engine = Arc::clone(&self.state.engine);
        let is_replaced = Arc::clone(&self.at_work.is_replaced);
        let courier = Arc::new(LineCourier::new(Arc::clone(&self.outbox), is_replaced));
        if let Some(before) = self.at_work.link.take() {
            engine.leave(&before, true).await;
        }
        let hello = self.hello_of(work);
        match engine.work(hello, Arc::clone(&courier) as _).await {
            Ok(opened) => {
                let dropped = opened.dropped.iter().map(|held| Held {
                    task_id: *held.task.as_bytes(),
                    attempt: held.attempt,
                    lease: held.token.bits().to_be_bytes(),
                });
                let beat = engine.patience().beat();
                let session = Session {
                    session: opened.name.into(),
                    resume: opened.resume.into(),
                    beat_ms: u64::try_from(beat.as_millis()).unwrap_or(u64::MAX),
                    resumed: opened.is_resumed,
                    dropped: dropped.collect(),
                };
                self.at_work.link = Some(opened.link);
                self.outbox
                    .reply(Position::ZERO, |out| session.append_to(out, reference));
                courier.begin();
            }
            Err(refusal) => {
                let error = codes::error(&refusal, self.outbox.lang());
                self.refuse(Face::Json, reference, 0, error);
            }
        }
    }

    fn hello_of(&self, work: &Work<'_>) -> WorkerHello {
        // Names were checked when the line was decoded.
        let kinds = work.kinds.iter().filter_map(|name| Kind::new(name).ok());
        let queues = work
            .queues
            .iter()
            .filter_map(|name| QueueName::new(name).ok());
        let labels = work.labels.iter().map(|label| SmolStr::new(&**label));
        let name = work.name.as_deref().unwrap_or_default();
        WorkerHello {
            name: name.to_owned(),
            address: self.address.to_string(),
            queues: queues.collect(),
            kinds: kinds.collect(),
            labels: labels.collect(),
            slots: work.slots,
            prefetch: work.prefetch,
            resume: work.resume.as_ref().map(|token| token.reveal().to_owned()),
            holding: work.holding.iter().map(held_by).collect(),
        }
    }

    /// A sign of life.
    pub(super) fn beat(&self, slots: Option<u16>, reference: Option<&str>) {
        let engine = &self.state.engine;
        match &self.at_work.link {
            Some(link) if engine.has_session(link) => {
                if let Some(slots) = slots {
                    engine.set_slots(link, slots);
                }
                self.outbox
                    .reply(Position::ZERO, |out| append_beat_answer(out, reference));
            }
            _ => self.refuse_session(reference),
        }
    }

    fn refuse_session(&self, reference: Option<&str>) {
        let error = ErrorObject::new(Code::SessionLost, self.outbox.lang());
        self.refuse(Face::Json, reference, 0, error);
    }

    /// One report; it is carried out together with those that follow at once.
    pub(super) fn take_report(&mut self, report: Report<'_>, reference: Option<&str>) {
        if self.at_work.link.is_none() {
            return self.refuse_session(reference);
        }
        match self.telling(report) {
            Ok(Some(telling)) => self.at_work.pending.push(Pending {
                telling,
                reference: reference.map(SmolStr::new),
            }),
            Ok(None) => {}
            Err(error) => self.refuse(Face::Json, reference, 0, *error),
        }
    }

    /// Carries out the reports that were taken.
    pub(super) async fn submit_reports(&mut self) {
        let Some(link) = self.at_work.link.clone() else {
            return;
        };
        let pending = std::mem::take(&mut self.at_work.pending);
        if pending.is_empty() {
            return;
        }
        let mut asked = Vec::with_capacity(pending.len());
        let mut tellings = Vec::with_capacity(pending.len());
        for Pending { telling, reference } in pending {
            asked.push((*telling.held.task.as_bytes(), reference));
            tellings.push(telling);
        }
        // When the store has stopped nothing is told on this connection any more.
        let Ok((verdicts, position)) = self.state.engine.report(&link, tellings).await else {
            return;
        };
        for (verdict, (id, reference)) in verdicts.into_iter().zip(asked) {
            let reference = reference.as_deref();
            match verdict {
                Verdict::Noted => {}
                Verdict::Recorded => self
                    .outbox
                    .reply(position, |out| append_recorded(out, &id, reference)),
                Verdict::Stale => {
                    let mut error = ErrorObject::new(Code::Stale, self.outbox.lang()).about(id);
                    error.reference = reference.map(str::to_owned);
                    self.outbox.reply(position, |out| error.append_answer(out));
                }
            }
        }
    }

    /// Several reports in one line, answered by one line.
    pub(super) async fn many(&mut self, items: Vec<Item<'_>>, reference: Option<&str>) {
        let Some(link) = self.at_work.link.clone() else {
            return self.refuse_session(reference);
        };
        let lang = self.outbox.lang();
        let (mut tellings, mut errors) = (Vec::with_capacity(items.len()), Vec::new());
        for (index, item) in items.into_iter().enumerate() {
            let telling = match item {
                Ok(report) => self.telling(report),
                Err(refusal) => Err(Box::new(refusal.to_error(lang))),
            };
            match telling {
                Ok(telling) => tellings.extend(telling),
                Err(error) => errors.push((index, *error)),
            }
        }
        let ids: Vec<TaskId> = tellings.iter().map(|telling| telling.held.task).collect();
        let Ok((verdicts, position)) = self.state.engine.report(&link, tellings).await else {
            return;
        };
        let of = |wanted| {
            verdicts
                .iter()
                .zip(&ids)
                .filter(move |(v, _)| **v == wanted)
        };
        let recorded = of(Verdict::Recorded).count() as u64;
        let stale: Vec<TaskIdBytes> = of(Verdict::Stale).map(|(_, id)| *id.as_bytes()).collect();
        self.outbox.reply(position, |out| {
            append_many_answer(out, recorded, &stale, &errors, reference);
        });
    }

    /// A report as the engine takes it; `None` for a piece of something, which is kept here.
    fn telling(&mut self, report: Report<'_>) -> Result<Option<Telling>, Box<ErrorObject>> {
        let key = (report.held.task_id, report.held.attempt);
        let pieces = &mut self.at_work.pieces;
        let said = match report.said {
            Reported::Output { chunk } => {
                return self.kept(key, |pieces| pieces.add_result(key, &chunk));
            }
            Reported::Artifact {
                name,
                media_type,
                chunk,
            } => {
                let media_type = media_type.as_deref();
                return self.kept(key, |pieces| {
                    pieces.add_file(key, &name, media_type, &chunk)
                });
            }
            Reported::Done { result, run_us } => {
                let gathered = pieces.take(&key);
                self.done(key.0, result, run_us, gathered)?
            }
            Reported::Failed(failed) => {
                pieces.take(&key);
                let run_time = failed.run_us.map(Duration::from_micros);
                let thread = failed.thread;
                let ending = (!failed.timed_out).then(|| ending_of(failed));
                Said::Ended {
                    ending,
                    thread,
                    run_time,
                    files: Vec::new(),
                }
            }
            Reported::Released => {
                pieces.take(&key);
                ended(Ending::Released, None)
            }
            Reported::Progress { percent, message } => Said::Progress(Progress {
                percent: percent as f32,
                message: message.into_owned(),
            }),
            Reported::Log { text } => Said::Log(text.into_owned()),
            Reported::Partial { text } => Said::Output(text.into_owned()),
        };
        let held = held_by(&report.held);
        Ok(Some(Telling { held, said }))
    }

    /// Keeps a piece. One that cannot be kept is refused, and has its attempt fail in the end.
    fn kept(
        &mut self,
        key: Key,
        add: impl FnOnce(&mut Pieces) -> Result<(), Flaw>,
    ) -> Result<Option<Telling>, Box<ErrorObject>> {
        let lang = self.outbox.lang();
        add(&mut self.at_work.pieces)
            .map(|()| None)
            .map_err(|flaw| {
                let code = match flaw {
                    Flaw::TooLarge | Flaw::TooMany => Code::TooLarge,
                    Flaw::BadName | Flaw::NotBase64 => Code::InvalidValue,
                };
                Box::new(ErrorObject::new(code, lang).about(key.0))
            })
    }

    /// An attempt with a result, and with what was sent before in pieces.
    fn done(
        &self,
        task: TaskIdBytes,
        result: Option<&str>,
        run_us: Option<u64>,
        mut gathered: Gathered,
    ) -> Result<Said, Box<ErrorObject>> {
        let run_time = run_us.map(Duration::from_micros);
        if let Some(flaw) = gathered.flaw {
            return Ok(ended(spoiled(flaw), run_time));
        }
        let result = match result {
            Some(result) => Some(Bytes::copy_from_slice(result.as_bytes())),
            None => gathered.result(),
        };
        let malformed = || ErrorObject::new(Code::Malformed, self.outbox.lang()).about(task);
        Ok(Said::Ended {
            ending: Some(Ending::Succeeded(Body::Inline(
                result.ok_or_else(|| Box::new(malformed()))?,
            ))),
            thread: None,
            run_time,
            files: gathered.files(),
        })
    }
}

/// An end without files.
fn ended(ending: Ending, run_time: Option<Duration>) -> Said {
    Said::Ended {
        ending: Some(ending),
        thread: None,
        run_time,
        files: Vec::new(),
    }
}

/// Rejected: another attempt would say the same.
fn spoiled(flaw: Flaw) -> Ending {
    Ending::Failed {
        retryable: false,
        retry_after: None,
        failure: Arc::new(Failure {
            cause: Cause::Rejected,
            name: Some("invalid_artifact".to_owned()),
            message: flaw.sentence(),
            backtrace: None,
            ran_by: None,
            process_end: None,
        }),
    }
}

fn held_by(held: &Held) -> HeldBy {
    HeldBy {
        task: TaskId::from_bytes(held.task_id),
        attempt: held.attempt,
        token: Token::new(u128::from_be_bytes(held.lease)),
    }
}

fn ending_of(failed: Failed<'_>) -> Ending {
    let cause = if failed.retryable {
        Cause::Handler
    } else {
        Cause::Rejected
    };
    Ending::Failed {
        retryable: failed.retryable,
        retry_after: failed.retry_after_ms.map(Duration::from_millis),
        failure: Arc::new(Failure {
            cause,
            name: failed.name.map(|name| name.into_owned()),
            message: failed.message.into_owned(),
            backtrace: failed.backtrace.map(|text| text.into_owned()),
            // The engine knows the name of the worker.
            ran_by: failed.thread.map(|thread| RanBy {
                worker: String::new(),
                thread: Some(thread),
            }),
            process_end: ProcessEnd::of(failed.exit_code, failed.signal),
        }),
    }
}
