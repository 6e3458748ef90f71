//! Seeking: work for remote workers that no hint came for.
//!
//! A shared queue loses hints, and tells of no more than the head of a long backlog. So beside one
//! a worker that has had room for [`IDLE_WAIT`] and nothing on the shelves gets the oldest tasks
//! that it can run straight from the records; every [`LOOK_EVERY`] each worker with room does,
//! or a task whose hint was lost would starve while newer hints keep the worker busy. While a
//! look finds as much as it asked for, the next one follows as soon as there is room again.

use std::sync::Arc;

use async_trait::async_trait;
use tareas_core::{Outcome, Phase, QueueName, SessionId, Task, Timestamp, Token, Want};
use tokio_util::sync::CancellationToken;

use super::session::{Session, Taking};
use crate::dispatcher::gaps::{IDLE_WAIT, LOOK_EVERY};
use crate::services::Service;
use crate::{Engine, Refusal};

/// Claims of one look.
const LOOK_MAX: usize = 1_000;

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Seeker {
    engine: Arc<Engine>,
    /// When there was a look for everybody.
    looked: Timestamp,
}

/// A worker that is looked for, and how much for.
struct Hungry {
    session: SessionId,
    room: usize,
    want: Want,
}

impl Seeker {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self {
            engine,
            looked: Timestamp::EPOCH,
        }
    }

    async fn serve(&mut self) {
        let mut is_more = false;
        loop {
            tokio::select! {
                () = self.engine.remote.room.notified(), if is_more => {}
                () = self.engine.ports.clock.sleep(IDLE_WAIT) => {}
            }
            is_more = self.pass().await;
        }
    }

    /// One look for each worker that needs one; whether one of them found all it asked for.
    async fn pass(&mut self) -> bool {
        let engine = Arc::clone(&self.engine);
        if engine.is_draining() || !engine.standing.may_claim() || !engine.remote.has_workers() {
            return false;
        }
        let is_for_all = engine.now().since(self.looked) >= LOOK_EVERY;
        let queues = engine.open_queues(is_for_all);
        if is_for_all {
            self.looked = engine.now();
            let suspects = engine.waiting_suspects(&queues).await;
            engine.shelve(suspects).await;
        }
        let mut is_more = false;
        for hungry in engine.hungry(&queues, is_for_all) {
            is_more |= engine.look_for(hungry).await;
        }
        is_more
    }
}

#[async_trait]
impl Service for Seeker {
    fn name(&self) -> &'static str {
        "seeker"
    }

    async fn run(mut self: Box<Self>, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.serve() => {}
        }
    }
}

impl Engine {
    /// The workers to look for, and what they want of these queues.
    fn hungry(&self, queues: &[QueueName], is_for_all: bool) -> Vec<Hungry> {
        let (now, roster) = (self.now(), self.remote.roster());
        let shelves = self.remote.shelves();
        let mut hungry = Vec::new();
        for session in roster.sessions.values() {
            let taking = Taking::new(session, &roster.speeds, (0, 0, 0), true);
            let room = taking.room().min(LOOK_MAX);
            let is_idle = || !shelves.has_any(&taking);
            if session.courier().is_some() && room > 0 && (is_for_all || is_idle()) {
                hungry.push(Hungry {
                    session: session.id,
                    room,
                    want: self.want_of(session, queues, room, now),
                });
            }
        }
        hungry
    }

    fn want_of(
        &self,
        session: &Session,
        queues: &[QueueName],
        room: usize,
        now: Timestamp,
    ) -> Want {
        let fit = &session.fit;
        let queues = queues.iter().filter(|queue| fit.takes_from(queue));
        let tokens = (0..room).map(|_| Some(self.remote.secret.token()));
        Want {
            queues: queues.cloned().collect(),
            kinds: Some(Arc::new(fit.kinds.clone())),
            labels: Some(Arc::new(fit.labels.clone())),
            session: session.id,
            tokens: tokens.collect(),
            now,
        }
    }

    /// Claims what waits longest for one worker, and hands it over; whether that was all that
    /// was asked for.
    async fn look_for(&self, hungry: Hungry) -> bool {
        let applied = match self.ports.records.claim_next(hungry.want).await {
            Ok(applied) => applied,
            Err(error) => {
                tracing::warn!(error = %Refusal::from(error), "nothing was claimed for a worker");
                return false;
            }
        };
        // Whoever is accepting one of these tasks right now queues its acknowledgement first.
        drop(self.acknowledging.write().await);
        let position = applied.position;
        let mut started: Vec<(Task, Token)> = Vec::new();
        for outcome in applied.outcomes {
            let Outcome::Done(task) = outcome else {
                continue;
            };
            match task.lease().and_then(|lease| lease.token) {
                Some(token) if task.phase() == Phase::Running => started.push((task, token)),
                _ => self.ended(position, std::iter::once(&task)),
            }
        }
        let found_all = started.len() >= hungry.room;
        if !started.is_empty() {
            self.hand_over(hungry.session, position, started).await;
        }
        found_all
    }
}
