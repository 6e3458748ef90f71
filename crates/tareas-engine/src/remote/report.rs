//! What workers say about their attempts: how they ended, how far they are.

use std::sync::Arc;
use std::time::Duration;

use tareas_core::{
    Applied, Body, Command, Ending, Fence, Outcome, Phase, Position, RanBy, SessionId,
};

use super::session::{Given, HeldBy};
use super::work::SessionLink;
use crate::ports::Stopped;
use crate::{Engine, NewArtifact, Progress};

/// Something a worker says about one attempt.
#[derive(Debug)]
pub struct Telling {
    /// The attempt.
    pub held: HeldBy,
    /// What is said.
    pub said: Said,
}

/// See [`Telling`].
#[derive(Debug)]
pub enum Said {
    /// It has ended.
    Ended {
        /// How; `None` when it ran over its limit.
        ending: Option<Ending>,
        /// Which of the worker's threads it ran over its limit on, if the worker says.
        thread: Option<u32>,
        /// How long it ran, if the worker says.
        run_time: Option<Duration>,
        /// Files that go with the result, if it has one.
        files: Vec<NewArtifact>,
    },
    /// How far it is.
    Progress(Progress),
    /// A line of its log.
    Log(String),
    /// A piece of what it has of its result so far, for whoever follows it.
    Output(String),
}

/// What became of what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is recorded, now or before: the worker may forget it.
    Recorded,
    /// The attempt is not this worker's any more: the worker is to forget it.
    Stale,
    /// It was taken note of.
    Noted,
}

impl Engine {
    /// Takes what a worker says, in order. Nothing of the verdicts may leave before the position
    /// is durable.
    ///
    /// # Errors
    /// When the store has stopped: nobody may be told anything any more.
    pub async fn report(
        &self,
        link: &SessionLink,
        tellings: Vec<Telling>,
    ) -> Result<(Vec<Verdict>, Position), Stopped> {
        let mut verdicts = vec![Verdict::Noted; tellings.len()];
        let (mut commands, mut of, mut run_times) = (Vec::new(), Vec::new(), Vec::new());
        for (index, Telling { held, said }) in tellings.into_iter().enumerate() {
            let (ending, thread, run_time, files) = match said {
                Said::Ended {
                    ending,
                    thread,
                    run_time,
                    files,
                } => (ending, thread, run_time, files),
                other => {
                    verdicts[index] = self.note(link, &held, other);
                    continue;
                }
            };
            let given = self.took_back(link.id, &held, run_time, ending.is_some());
            let run_time = run_time.or_else(|| given.as_ref().map(|given| self.seen(given)));
            let Some(ending) = self.with_files(&held, ending, files).await else {
                verdicts[index] = Verdict::Stale;
                continue;
            };
            let settlement = match ending {
                Some(ending) => Some(self.settlement(&held, self.signed(link, ending)).await),
                // Not fenced by a token, so it counts only while the worker is known to hold it.
                None => given
                    .is_some()
                    .then(|| self.overdue_on(link, &held, thread)),
            };
            match settlement {
                Some(command) => {
                    commands.push(command);
                    of.push(index);
                    run_times.push(run_time.unwrap_or_default());
                }
                None => verdicts[index] = Verdict::Stale,
            }
        }
        if commands.is_empty() {
            return Ok((verdicts, Position::ZERO));
        }
        let Some(applied) = self.apply_until_decided(commands).await else {
            return Err(Stopped {
                reason: "a report of a worker was not recorded".to_owned(),
            });
        };
        for (index, outcome) in of.iter().zip(&applied.outcomes) {
            verdicts[*index] = match outcome {
                Outcome::Done(_) | Outcome::Already(_) => Verdict::Recorded,
                Outcome::Refused(_) => Verdict::Stale,
            };
        }
        let position = applied.position;
        self.after_reports(&applied, &run_times).await;
        Ok((verdicts, position))
    }

    /// How long an attempt took as seen from here.
    fn seen(&self, given: &Given) -> Duration {
        self.now().since(given.given_at)
    }

    /// The worker does not hold this any more; what the server knew of it.
    fn took_back(
        &self,
        session: SessionId,
        held: &HeldBy,
        run_time: Option<Duration>,
        is_told: bool,
    ) -> Option<Given> {
        let mut roster = self.remote.roster();
        let roster = &mut *roster;
        let session = roster.sessions.get_mut(&session)?;
        let given = session.take_back(held)?;
        session.ended += 1;
        if is_told {
            let took = run_time.unwrap_or_else(|| self.seen(&given));
            let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
            roster.speeds.learn(&given.kind, micros);
        }
        Some(given)
    }

    fn ran_by(&self, link: &SessionLink, thread: Option<u32>) -> Option<RanBy> {
        let roster = self.remote.roster();
        let worker = roster.sessions.get(&link.id)?.name.clone();
        Some(RanBy { worker, thread })
    }

    /// A failure with the name of the worker that tells it.
    fn signed(&self, link: &SessionLink, mut ending: Ending) -> Ending {
        if let Ending::Failed { failure, .. } = &mut ending {
            let failure = Arc::make_mut(failure);
            let thread = failure.ran_by.take().and_then(|by| by.thread);
            failure.ran_by = self.ran_by(link, thread);
        }
        ending
    }

    /// The ending with its files stored; `None` when the attempt is not the present one, so that
    /// nothing of it is stored. One that is overtaken meanwhile loses at the fence, and what it
    /// has stored is nobody's and swept.
    async fn with_files(
        &self,
        held: &HeldBy,
        ending: Option<Ending>,
        files: Vec<NewArtifact>,
    ) -> Option<Option<Ending>> {
        let result = match ending {
            Some(Ending::Succeeded(Body::Inline(result))) if !files.is_empty() => result,
            other => return Some(other),
        };
        let task = self.task(held.task).await.ok().flatten()?;
        if task.attempt != held.attempt || task.phase() != Phase::Running {
            return None;
        }
        let kept = self.keep_artifacts(held.task, held.attempt, result, files);
        Some(Some(kept.await))
    }

    /// The command for an attempt that ran over its limit.
    fn overdue_on(&self, link: &SessionLink, held: &HeldBy, thread: Option<u32>) -> Command {
        Command::Overdue {
            task: held.task,
            attempt: held.attempt,
            ran_by: self.ran_by(link, thread),
            jitter: self.chance.jitter(),
        }
    }

    /// The command for an ending.
    async fn settlement(&self, held: &HeldBy, ending: Ending) -> Command {
        let HeldBy {
            task,
            attempt,
            token,
        } = *held;
        let jitter = self.chance.jitter();
        let ending = self
            .store_result(task, attempt, ending, Duration::ZERO)
            .await;
        let token = Some(token);
        Command::Settle {
            task,
            fence: Fence { attempt, token },
            ending,
            jitter,
        }
    }

    fn note(&self, link: &SessionLink, held: &HeldBy, said: Said) -> Verdict {
        let is_its = self
            .remote
            .roster()
            .sessions
            .get(&link.id)
            .is_some_and(|session| {
                let given = session.given.get(&held.task);
                given
                    .is_some_and(|given| given.attempt == held.attempt && given.token == held.token)
            });
        if !is_its {
            return Verdict::Stale;
        }
        match said {
            Said::Progress(progress) => self.notes.progress(held.task, held.attempt, progress),
            Said::Log(line) => self.notes.log(held.task, held.attempt, line),
            Said::Output(piece) => self.notes.output(held.task, held.attempt, piece),
            Said::Ended { .. } => {}
        }
        Verdict::Noted
    }

    /// Gives attempts back that a worker holds no longer: uncharged, in their old place.
    pub(super) async fn release(&self, held: &[HeldBy]) {
        if held.is_empty() {
            return;
        }
        let commands = held.iter().map(|held| Command::Settle {
            task: held.task,
            fence: Fence {
                attempt: held.attempt,
                token: Some(held.token),
            },
            ending: Ending::Released,
            jitter: self.chance.jitter(),
        });
        let run_times = vec![Duration::ZERO; held.len()];
        if let Some(applied) = self.apply_until_decided(commands.collect()).await {
            self.after_reports(&applied, &run_times).await;
        }
    }

    async fn after_reports(&self, applied: &Applied, run_times: &[Duration]) {
        self.settled(applied, run_times).await;
        self.remote.has_room();
    }
}
