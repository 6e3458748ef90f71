//! Recalling: answers that found too much waiting, or whose result is in the blob store, are
//! read again when there is room.

use smol_str::SmolStr;
use tareas_core::{Position, Rejected, TaskId};
use tareas_engine::{Engine, Refusal};
use tareas_protocol::response::{append_status, end_line};
use tareas_protocol::{Code, ErrorObject, Lang};

use super::outbox::Outbox;
use super::owed::Deferred;
use super::tag::Tag;
use super::texts::Answered;
use crate::{codes, view};

/// An answer to be read.
#[derive(Debug)]
struct Recalled {
    task: TaskId,
    tag: Tag,
    reference: Option<SmolStr>,
}

impl Outbox {
    /// Reads deferred answers as long as there is room for them.
    pub(super) async fn recall(&self, engine: &Engine) {
        while let Some(recalled) = self.next_recalled() {
            let text = self.read(engine, &recalled).await;
            self.recalled(&recalled, text);
        }
    }

    fn next_recalled(&self) -> Option<Recalled> {
        let mut inner = self.lock();
        if !inner.can_recall(&self.limits) {
            return None;
        }
        if let Some((number, task)) = inner.texts.front_deferred() {
            return Some(Recalled {
                task,
                tag: Tag::Text(number),
                reference: None,
            });
        }
        while let Some(Deferred { task, tag }) = inner.deferred.pop_front() {
            let reference = match tag {
                Tag::Entry(key) => match inner.entries.get(&key) {
                    Some(entry) => entry.reference.clone(),
                    None => continue,
                },
                _ => None,
            };
            return Some(Recalled {
                task,
                tag,
                reference,
            });
        }
        None
    }

    /// The answer, as it is in the records now. They were durable when this was deferred, or
    /// are by the time that this returns.
    async fn read(&self, engine: &Engine, recalled: &Recalled) -> Vec<u8> {
        let lang = self.lang();
        let mut out = Vec::new();
        match engine.task(recalled.task).await {
            Ok(Some(task)) => match view::TaskEnd::read(engine, &task, lang).await {
                Ok(Some(end)) if matches!(recalled.tag, Tag::Text(_)) => {
                    end.append_text(&mut out, lang);
                }
                Ok(Some(end)) => end.append_json(&mut out, recalled.reference.as_deref()),
                Ok(None) => recalled.append_requeued(&task, lang, &mut out),
                Err(refusal) => recalled.append_error(&refusal, lang, &mut out),
            },
            // Removed before it could be told.
            Ok(None) => recalled.append_error(&Rejected::NotFound.into(), lang, &mut out),
            Err(refusal) => recalled.append_error(&refusal, lang, &mut out),
        }
        end_line(&mut out);
        out
    }

    fn recalled(&self, recalled: &Recalled, text: Vec<u8>) {
        let mut inner = self.lock();
        match recalled.tag {
            Tag::Text(number) => {
                inner.texts.know(number, Position::ZERO, text);
                inner.release_texts();
            }
            tag => {
                match tag {
                    Tag::Entry(key) => drop(inner.leave(key)),
                    Tag::Plain { bytes } => inner.answered(Answered { lines: 1, bytes }),
                    Tag::Text(_) => {}
                }
                inner
                    .queued
                    .push(Position::ZERO, |out| out.extend_from_slice(&text));
            }
        }
        self.changed(inner);
    }
}

impl Recalled {
    fn append_error(&self, refusal: &Refusal, lang: Lang, out: &mut Vec<u8>) {
        self.append(codes::error(refusal, lang), out);
    }

    /// An operator has put it back in line after its end.
    fn append_requeued(&self, task: &tareas_core::Task, lang: Lang, out: &mut Vec<u8>) {
        if matches!(self.tag, Tag::Text(_)) {
            return self.append(ErrorObject::new(Code::NotFinished, lang), out);
        }
        let status = view::status_of(task.phase());
        append_status(out, &view::id_of(task), status, self.reference.as_deref());
    }

    fn append(&self, error: ErrorObject, out: &mut Vec<u8>) {
        if matches!(self.tag, Tag::Text(_)) {
            return error.append_text(out);
        }
        let mut error = error.about(*self.task.as_bytes());
        error.reference = self.reference.as_ref().map(ToString::to_string);
        error.append_answer(out);
    }
}
