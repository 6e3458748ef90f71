//! The door: submissions that clients leave in a queue of their own, such as RabbitMQ's.
//!
//! A letter is taken when its task is recorded durably, and not before; the same letter
//! delivered twice is one task, since its identity is the task's idempotency key. What can never
//! be a task is put aside with the reason; what cannot be one now is tried again after a pause,
//! and nothing else is received until then. Where a letter says where its sender waits, the end of the
//! task is brought there by the process that took it, as long as that lives.

mod read;
mod replies;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tareas_engine::ports::{Clock, Door, Letter, Reason};
use tareas_engine::services::Service;
use tareas_engine::{Engine, Listening, Refusal, Submission};
use tareas_protocol::{ErrorObject, Lang};
use tokio_util::sync::CancellationToken;

use self::read::Reader;
use self::replies::Replies;
use crate::codes;

/// Letters that become tasks in one commit.
const LETTERS_AT_ONCE: usize = 256;
/// How long to wait before letters are tried again that cannot be taken now.
const PAUSE: Duration = Duration::from_millis(500);

/// What the door has done since the start.
#[derive(Debug, Default)]
pub struct DoorCounts {
    /// Letters that became tasks, or were delivered again.
    pub taken: AtomicU64,
    /// Letters that can never be tasks.
    pub put_aside: AtomicU64,
    /// Times that a letter could not be taken and was tried again.
    pub retried: AtomicU64,
}

/// Receives letters and has them accepted. See the module's documentation.
#[derive(Debug)]
pub struct Doorkeeper {
    engine: Arc<Engine>,
    door: Arc<dyn Door>,
    clock: Arc<dyn Clock>,
    counts: Arc<DoorCounts>,
    lang: Lang,
    reader: Reader,
    replies: Arc<Replies>,
    listening: Listening,
    /// Letters that wait to be tried again.
    held: Vec<Letter>,
}

/// A letter that could be read.
struct Asked {
    letter: Letter,
    /// The tag under which its end is told.
    tag: Option<u64>,
}

impl Doorkeeper {
    /// A keeper of this door.
    pub fn new(
        engine: Arc<Engine>,
        door: Arc<dyn Door>,
        clock: Arc<dyn Clock>,
        counts: Arc<DoorCounts>,
        lang: Lang,
    ) -> Self {
        let replies = Arc::new(Replies::default());
        let listening = engine.listen(Arc::clone(&replies) as _);
        Self {
            engine,
            door,
            clock,
            counts,
            lang,
            reader: Reader::default(),
            replies,
            listening,
            held: Vec::new(),
        }
    }

    /// Reads letters and has those accepted that can be read.
    async fn admit(&mut self, letters: Vec<Letter>) {
        let now = self.engine.now();
        let (mut asked, mut submissions, mut refused) = (Vec::new(), Vec::new(), Vec::new());
        for letter in letters {
            match self.reader.submission(&letter, now, self.lang) {
                Ok((mut submission, wait)) => {
                    let reply_to = letter.reply_to.clone().filter(|_| wait);
                    let tag = reply_to.and_then(|to| self.replies.expect(to));
                    submission.watch = tag;
                    submissions.push(submission);
                    asked.push(Asked { letter, tag });
                }
                Err(error) => refused.push((letter, error)),
            }
        }
        if !submissions.is_empty() {
            self.submit(submissions, asked, &mut refused).await;
        }
        self.put_aside(refused).await;
    }

    async fn submit(
        &mut self,
        submissions: Vec<Submission>,
        asked: Vec<Asked>,
        refused: &mut Vec<(Letter, Box<ErrorObject>)>,
    ) {
        let listening = Some(&self.listening);
        let submitted = self.engine.submit(submissions, listening, |_| ()).await;
        let is_durable = self.engine.until_durable(submitted.position).await.is_ok();
        let mut taken = Vec::with_capacity(asked.len());
        for (outcome, Asked { letter, tag }) in submitted.outcomes.into_iter().zip(asked) {
            match outcome {
                Ok(_) if is_durable => taken.push(letter.receipt),
                Err(refusal) if is_durable && !may_pass(&refusal) => {
                    self.replies.forget(tag);
                    refused.push((letter, Box::new(codes::error(&refusal, self.lang))));
                }
                _ => {
                    self.replies.forget(tag);
                    self.held.push(letter);
                }
            }
        }
        let count = taken.len() as u64;
        self.counts.taken.fetch_add(count, Ordering::Relaxed);
        if count > 0 {
            self.door.take(taken).await;
        }
    }

    /// Tells whoever waits, and keeps the letters where a person finds them.
    async fn put_aside(&self, refused: Vec<(Letter, Box<ErrorObject>)>) {
        if refused.is_empty() {
            return;
        }
        let count = refused.len() as u64;
        self.counts.put_aside.fetch_add(count, Ordering::Relaxed);
        let mut aside = Vec::with_capacity(refused.len());
        for (letter, error) in refused {
            tracing::warn!(code = error.number, why = %error.message, "a letter is put aside");
            if let Some(to) = letter.reply_to.clone() {
                let mut answer = Vec::new();
                error.append_answer(&mut answer);
                self.door.reply(to, answer.into()).await;
            }
            let reason = Reason {
                code: format!("TAR-{:04}", error.number),
                message: error.message.to_string(),
            };
            aside.push((letter, reason));
        }
        self.door.put_aside(aside).await;
    }

    async fn try_again(&mut self) {
        let held = std::mem::take(&mut self.held);
        let count = held.len() as u64;
        self.counts.retried.fetch_add(count, Ordering::Relaxed);
        self.admit(held).await;
    }

    /// Brings ends to those who wait for them.
    async fn tell(&self, ready: Vec<replies::Ready>) {
        for replies::Ready { position, to, task } in ready {
            if self.engine.until_durable(position).await.is_err() {
                // Nothing is ever durable here again: nobody may be told.
                return;
            }
            let end = crate::view::TaskEnd::read(&self.engine, &task, self.lang).await;
            let answer = match end {
                Ok(Some(end)) => {
                    let mut answer = Vec::new();
                    end.append_json(&mut answer, None);
                    answer
                }
                // It is not an end after all: nothing to be told.
                Ok(None) => continue,
                Err(refusal) => {
                    let mut answer = Vec::new();
                    let error = codes::error(&refusal, self.lang);
                    let error = error.about(crate::view::id_of(&task));
                    error.append_answer(&mut answer);
                    answer
                }
            };
            self.door.reply(to, answer.into()).await;
        }
    }
}

/// Whether the same letter may become a task later.
fn may_pass(refusal: &Refusal) -> bool {
    codes::error(refusal, Lang::En).retryable
        || matches!(refusal, Refusal::Unknown(_) | Refusal::Stopped(_))
}

#[async_trait]
impl Service for Doorkeeper {
    fn name(&self) -> &'static str {
        "door"
    }

    async fn run(mut self: Box<Self>, shutdown: CancellationToken) {
        let (door, replies, clock) = (
            Arc::clone(&self.door),
            Arc::clone(&self.replies),
            Arc::clone(&self.clock),
        );
        let mut pause = clock.sleep(PAUSE);
        loop {
            let is_draining = self.engine.is_draining();
            let is_open = self.held.is_empty() && !is_draining;
            tokio::select! {
                () = shutdown.cancelled() => return,
                ready = replies.ready() => self.tell(ready).await,
                letters = door.receive(LETTERS_AT_ONCE), if is_open => {
                    self.admit(letters).await;
                    pause = clock.sleep(PAUSE);
                }
                () = &mut pause => {
                    if !self.held.is_empty() && !is_draining {
                        self.try_again().await;
                    }
                    pause = clock.sleep(PAUSE);
                }
            }
        }
    }
}
