//! Assigning: claims tasks for workers that have room, and hands them to their couriers.
//!
//! One loop for all workers, so that they take turns: first every slot that is free, in small
//! portions, then what workers may hold beyond.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{
    Applied, Batch, Command, Outcome, Phase, Position, Rejected, SessionId, Task, Token,
};
use tokio_util::sync::CancellationToken;

use super::session::{Assigned, HeldBy, Taking};
use crate::ports::Delivery;
use crate::services::Service;
use crate::{Engine, Refusal};

/// Claims of one round.
const ROUND_MAX: usize = 1_024;
/// Tasks beyond its slots that a worker is given in one turn.
const PORTION_MAX: usize = 64;
/// Before the store is asked again that could not answer.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Assigner {
    engine: Arc<Engine>,
}

/// A hint for one session.
#[derive(Debug)]
struct Picked {
    session: SessionId,
    token: Token,
    delivery: Delivery,
}

/// What a session was picked for in this round: how many, how much, how many suspects.
type Reserved = HashMap<SessionId, (usize, u64, usize)>;

impl Assigner {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }

    async fn serve(&self) {
        loop {
            let changed = self.engine.remote.changed.notified();
            if self.engine.is_draining() || !self.engine.assign().await {
                changed.await;
            }
        }
    }
}

#[async_trait]
impl Service for Assigner {
    fn name(&self) -> &'static str {
        "assigner"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.serve() => {}
        }
    }
}

impl Engine {
    /// One round; whether anything was claimed.
    pub(crate) async fn assign(&self) -> bool {
        let picked = self.pick();
        if picked.is_empty() {
            return false;
        }
        let commands = picked.iter().map(|picked| Command::Claim {
            task: picked.delivery.hint.task,
            expected_attempt: picked.delivery.hint.attempt,
            session: picked.session,
            token: Some(picked.token),
        });
        let batch = Batch {
            now: self.now(),
            commands: commands.collect(),
        };
        match self.ports.records.apply(batch).await {
            Ok(applied) => self.assigned(picked, applied).await,
            Err(error) => {
                tracing::warn!(error = %Refusal::from(error), "claims were not decided");
                self.ports.clock.sleep(RETRY_AFTER).await;
                self.give_up_on(picked).await;
            }
        }
        true
    }

    fn pick(&self) -> Vec<Picked> {
        let mut roster = self.remote.roster();
        let mut picked = Vec::new();
        let mut reserved = Reserved::new();
        let order = roster.in_turn();
        for beyond_slots in [false, true] {
            let mut is_any = true;
            while is_any && picked.len() < ROUND_MAX {
                is_any = false;
                for id in &order {
                    let room = ROUND_MAX - picked.len();
                    let taken = self.take_for(&roster, *id, beyond_slots, room, &mut reserved);
                    is_any |= !taken.is_empty();
                    if !taken.is_empty() {
                        roster.turn = Some(*id);
                    }
                    picked.extend(taken);
                }
            }
        }
        picked
    }

    /// One portion for one session.
    fn take_for(
        &self,
        roster: &super::roster::Roster,
        id: SessionId,
        beyond_slots: bool,
        room: usize,
        reserved: &mut Reserved,
    ) -> Vec<Picked> {
        let Some(session) = roster.sessions.get(&id) else {
            return Vec::new();
        };
        if session.courier().is_none() {
            return Vec::new();
        }
        let so_far = reserved.get(&id).copied().unwrap_or_default();
        let portion = match beyond_slots {
            true => PORTION_MAX,
            false => session.free_slots().saturating_sub(so_far.0).div_ceil(2),
        };
        if portion == 0 || room == 0 {
            return Vec::new();
        }
        let mut taking = Taking::new(session, &roster.speeds, so_far, beyond_slots);
        let taken = self.remote.shelves().take(&mut taking, portion.min(room));
        reserved.insert(id, taking.reserved());
        let picked = taken.into_iter().map(|delivery| Picked {
            session: id,
            token: self.remote.secret.token(),
            delivery,
        });
        picked.collect()
    }

    async fn assigned(&self, picked: Vec<Picked>, applied: Applied) {
        let position = applied.position;
        let mut started: BTreeMap<SessionId, Vec<(Task, Token)>> = BTreeMap::new();
        let mut too_early = Vec::new();
        for (picked, outcome) in picked.into_iter().zip(applied.outcomes) {
            match outcome {
                Outcome::Done(task) if task.phase() == Phase::Running => {
                    let of_session = started.entry(picked.session).or_default();
                    of_session.push((task, picked.token));
                }
                Outcome::Done(task) => self.ended(position, std::iter::once(&task)),
                Outcome::Refused(Rejected::Undurable { until }) => {
                    too_early.push((until, picked));
                }
                // Out of date, paused, or gone: whoever changes that publishes again.
                Outcome::Already(_) | Outcome::Refused(_) => {}
            }
        }
        for (session, tasks) in started {
            self.hand_over(session, position, tasks).await;
        }
        for (until, picked) in too_early {
            if self.until_durable(until).await.is_ok() {
                self.give_up_on(vec![picked]).await;
            }
        }
    }

    /// Brings claimed tasks to the worker of a session; what it is not there for is given back.
    pub(super) async fn hand_over(
        &self,
        id: SessionId,
        position: Position,
        tasks: Vec<(Task, Token)>,
    ) {
        let mut assigned = Vec::with_capacity(tasks.len());
        let mut released = Vec::new();
        for (task, token) in tasks {
            match self.body_bytes(&task.spec.payload).await {
                Ok(payload) => assigned.push(Assigned {
                    timeout: task.spec.timeout(),
                    task,
                    token,
                    payload,
                }),
                Err(refusal) => {
                    let trace_id = task.spec.trace_id();
                    tracing::warn!(task.id = %task.id(), trace_id, error = %refusal, "payload not readable");
                    released.push(held(&task, token));
                }
            }
        }
        if !released.is_empty() {
            self.ports.clock.sleep(RETRY_AFTER).await;
        }
        released.extend(self.give(id, position, assigned));
        self.release(&released).await;
    }

    /// Gives a session what was claimed for it; gives back what it is not there for any more.
    fn give(&self, id: SessionId, position: Position, assigned: Vec<Assigned>) -> Vec<HeldBy> {
        let mut roster = self.remote.roster();
        let roster = &mut *roster;
        let here = roster.sessions.get_mut(&id);
        let here = here.and_then(|session| Some((session.courier()?.clone(), session)));
        let Some((courier, session)) = here else {
            return assigned.iter().map(|a| held(&a.task, a.token)).collect();
        };
        let now = self.now();
        for assigned in &assigned {
            session.give(&assigned.task, assigned.token, &roster.speeds, now);
        }
        // With the lock held: whoever takes the session over next finds all that was sent.
        courier.assign(position, assigned);
        Vec::new()
    }

    async fn give_up_on(&self, picked: Vec<Picked>) {
        for Picked { delivery, .. } in picked {
            // A hint that is lost here is made again from the records.
            let _ = self
                .ports
                .queue
                .publish(&delivery.lane, &[delivery.hint])
                .await;
        }
    }
}

fn held(task: &Task, token: Token) -> HeldBy {
    HeldBy {
        task: task.id(),
        attempt: task.attempt,
        token,
    }
}
