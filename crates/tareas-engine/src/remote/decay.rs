//! What is over by the clock: sessions of which nothing is heard, workers that did not come
//! back, attempts that took longer than they may.
//!
//! Level-triggered: a look at everything, once a second and when something is known to be due.

use std::time::Duration;

use tareas_core::{Command, Position, RanBy, SessionId, TaskId, Timestamp};

use super::session::{Presence, Session};
use crate::Engine;

/// How much longer than its place in the window an attempt may have waited to begin.
const DELIVERY_MAX: Duration = Duration::from_secs(1);

/// An attempt that took longer than it may.
struct Overdue {
    task: TaskId,
    attempt: u64,
    worker: String,
}

impl Engine {
    /// Ends what is over by now.
    pub(crate) async fn pass_workers(&self, now: Timestamp) {
        let overdue = self.end_sessions(now);
        for Overdue {
            task,
            attempt,
            worker,
        } in overdue
        {
            self.end_attempt(task, attempt, worker).await;
        }
        self.bury().await;
    }

    /// Takes sessions out that are over; what of the others took too long.
    fn end_sessions(&self, now: Timestamp) -> Vec<Overdue> {
        let patience = self.config.patience;
        let slack = patience.deadline_slack + DELIVERY_MAX;
        let mut roster = self.remote.roster();
        let is_over = |session: &Session| match session.presence {
            Presence::Here(_) => session.heard_at() + patience.session_ttl <= now,
            Presence::Away(until) => until <= now,
        };
        let over: Vec<SessionId> = roster
            .sessions
            .values()
            .filter(|session| is_over(session))
            .map(|session| session.id)
            .collect();
        for id in over {
            roster.lose(id, now);
        }
        let sessions = roster.sessions.values();
        let given = sessions.flat_map(|session| session.given.iter().map(move |g| (session, g)));
        given
            .filter(|(_, (_, given))| given.deadline_at + slack <= now)
            .map(|(session, (task, given))| Overdue {
                task: *task,
                attempt: given.attempt,
                worker: session.name.clone(),
            })
            .collect()
    }

    /// T8: its worker does not say what became of it. The slot is the worker's again; the
    /// worker is asked to stop.
    async fn end_attempt(&self, task: TaskId, attempt: u64, worker: String) {
        let command = Command::Overdue {
            task,
            attempt,
            ran_by: Some(RanBy {
                worker,
                thread: None,
            }),
            jitter: self.chance.jitter(),
        };
        let decided = self.apply_one(command).await;
        {
            let mut roster = self.remote.roster();
            for session in roster.sessions.values_mut() {
                let given = session.given.get(&task);
                if given.is_some_and(|given| given.attempt == attempt) {
                    session.forget(task);
                    if let (Some(courier), Ok((_, position))) = (session.courier(), &decided) {
                        courier.cancel(*position, task, attempt);
                    }
                }
            }
        }
        // Refused means that the attempt has ended by itself meanwhile.
        if let Ok((task, position)) = decided {
            self.after_attempt(position, &task).await;
        }
        self.remote.has_room();
    }

    /// Takes back what sessions held that are over. What cannot be done now is done with the
    /// next pass.
    pub(super) async fn bury(&self) {
        let over = std::mem::take(&mut self.remote.roster().over);
        if !over.is_empty() {
            self.want_kinds();
        }
        for over in over {
            let reclaimed = self
                .reclaim(over.session, over.slots, over.worker.clone())
                .await;
            let closed = match reclaimed {
                Ok(_) => self.ports.settings.close_session(over.session).await,
                Err(refusal) => {
                    tracing::warn!(error = %refusal, "the tasks of a lost worker were not taken back");
                    self.remote.roster().over.push(over);
                    continue;
                }
            };
            if let Err(error) = closed {
                tracing::warn!(%error, "a session was not closed; it is closed at the next start");
            }
        }
    }

    /// Asks the worker that runs this attempt to stop it; `false` when none does.
    pub(crate) fn ask_worker_to_stop(
        &self,
        task: TaskId,
        attempt: u64,
        position: Position,
    ) -> bool {
        let roster = self.remote.roster();
        let holder = roster.holder(task, attempt);
        let courier = holder.and_then(Session::courier);
        if let Some(courier) = courier {
            courier.cancel(position, task, attempt);
        }
        courier.is_some()
    }
}
