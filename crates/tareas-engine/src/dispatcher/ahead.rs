//! Claiming ahead: where a claim is a round trip to a store that others share, one service claims
//! for all threads, and they find work at hand.
//!
//! It claims for the threads that wait, and beyond that what the pool is expected to end within
//! [`WINDOW`], by the smoothed run time: thousands of quick tasks a second share one statement,
//! and a task that takes longer than the window is claimed only when a thread is free for it.
//! What was at hand for [`AT_HAND_MAX`] and has not begun is given back, since the estimate was
//! wrong; and nothing is begun that lies longer, since the process may have been stopped
//! meanwhile and taken for dead. At the end, what is at hand is given back, too.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Ending, SessionId, TaskId, Timestamp};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Claimed, Dispatcher, FENCED_LOOK, Idle, Settled, UNMEASURED};
use crate::kinds::nanos;
use crate::services::Service;

/// How much work, by the clock, is claimed beyond what threads wait for.
const WINDOW: Duration = Duration::from_millis(50);
/// Most tasks at hand that no thread waits for: what one statement claims.
const AHEAD_MAX: usize = 1_000;
/// What has not begun so long after its claim is given back.
const AT_HAND_MAX: Duration = Duration::from_millis(250);
/// While no thread has taken anything for so long, nothing is claimed ahead.
const STUCK_AFTER: Duration = Duration::from_millis(100);

/// Tasks at hand.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    at_hand: Mutex<VecDeque<AtHand>>,
    /// Whether somebody claims ahead; else every thread claims for itself.
    is_served: AtomicBool,
    /// When a thread last took something.
    taken_at: AtomicI64,
    /// There is something for a thread, or the process drains.
    ready: Notify,
    /// A thread waits, or has taken some.
    room: Notify,
}

/// One task, claimed and not begun.
#[derive(Debug)]
struct AtHand {
    claimed: Claimed,
    since: Timestamp,
}

impl AtHand {
    /// Whether the process that runs under this session may still begin it.
    fn is_of(&self, session: SessionId) -> bool {
        let lease = self.claimed.task.lease();
        lease.is_some_and(|lease| lease.session == session)
    }

    /// The claim, taken back.
    fn released(self) -> Settled {
        Settled {
            task: self.claimed.task.id(),
            attempt: self.claimed.task.attempt,
            ending: Some(Ending::Released),
            ran_by: None,
            run_time: Duration::ZERO,
        }
    }
}

impl Ahead {
    pub(super) fn is_served(&self) -> bool {
        self.is_served.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<AtHand>> {
        self.at_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn len(&self) -> usize {
        self.lock().len()
    }

    fn put(&self, claimed: Vec<Claimed>, since: Timestamp) {
        if claimed.is_empty() {
            return;
        }
        let claimed = claimed.into_iter();
        self.lock()
            .extend(claimed.map(|claimed| AtHand { claimed, since }));
        self.ready.notify_one();
    }

    /// Hands out up to `max` tasks. One that has killed a process before is handed out alone.
    fn take(&self, max: usize, session: SessionId, now: Timestamp, into: &mut Vec<Claimed>) {
        let mut at_hand = self.lock();
        while into.len() < max
            && let Some(first) = at_hand.front()
            && now.since(first.since) < AT_HAND_MAX
        {
            let is_suspect = first.claimed.task.crashes > 0;
            if is_suspect && !into.is_empty() {
                break;
            }
            let is_ours = first.is_of(session);
            if let Some(taken) = at_hand.pop_front()
                && is_ours
            {
                into.push(taken.claimed);
                if is_suspect {
                    break;
                }
            }
        }
        let has_more = !at_hand.is_empty();
        drop(at_hand);
        if !into.is_empty() {
            self.taken_at.store(now.as_micros(), Ordering::Relaxed);
        }
        if has_more {
            self.ready.notify_one();
        }
    }

    /// Takes out what has lain here since `before` or longer, and is still ours to give back.
    fn remove(&self, before: Timestamp, session: SessionId) -> Vec<Settled> {
        let mut at_hand = self.lock();
        let count = at_hand.partition_point(|one| one.since <= before);
        let removed = at_hand.drain(..count);
        removed
            .filter(|one| one.is_of(session))
            .map(AtHand::released)
            .collect()
    }

    fn remove_one(&self, task: TaskId, attempt: u64) -> Option<AtHand> {
        let mut at_hand = self.lock();
        let is_it = |one: &AtHand| {
            let found = &one.claimed.task;
            found.id() == task && found.attempt == attempt
        };
        let at = at_hand.iter().position(is_it)?;
        at_hand.remove(at)
    }
}

impl Dispatcher {
    /// Takes what is at hand, or waits for it; `false` when the system drains.
    pub(super) async fn take_at_hand(&self, ahead: &Ahead, into: &mut Vec<Claimed>) -> bool {
        loop {
            // Made before looking, so that nothing is missed in between.
            let ready = ahead.ready.notified();
            if self.engine.is_draining() {
                // The next thread is told, too.
                ahead.ready.notify_one();
                return false;
            }
            if self.engine.standing.may_claim() {
                let (session, now) = (self.engine.session(), self.engine.now());
                ahead.take(self.batch_size(), session, now, into);
            }
            if !into.is_empty() {
                ahead.room.notify_one();
                return true;
            }
            let _idle = Idle::count(&self.idle);
            ahead.room.notify_one();
            ready.await;
        }
    }

    /// Ends a task that is at hand and has not begun; `false` when it is not. To be called
    /// inside the runtime that the ports use.
    pub fn cancel_at_hand(self: &Arc<Self>, task: TaskId, attempt: u64) -> bool {
        let Some(found) = self.ahead.remove_one(task, attempt) else {
            return false;
        };
        let cancelled = Settled {
            ending: Some(Ending::Cancelled),
            ..found.released()
        };
        let this = Arc::clone(self);
        tokio::spawn(async move { this.settle_async(vec![cancelled]).await });
        true
    }

    /// How many tasks to claim now.
    fn wanted(&self) -> usize {
        let idle = self.idle.load(Ordering::Relaxed);
        let at_hand = self.ahead.len();
        let beyond = self.beyond(idle);
        let wanted = (beyond + idle).saturating_sub(at_hand);
        // Few at a time cost a statement each.
        let is_worth_it = at_hand == 0 || idle > 0 || wanted >= beyond.div_ceil(4);
        if is_worth_it { wanted } else { 0 }
    }

    /// Whether anything is still wanted.
    fn may_claim_more(&self) -> bool {
        let idle = self.idle.load(Ordering::Relaxed);
        idle > 0 || self.beyond(idle) > 0
    }

    /// How long tasks take is known better by now, and so how many are wanted.
    pub(super) fn estimate_anew(&self) {
        self.ahead.room.notify_one();
    }

    /// How many tasks may be at hand that no thread waits for.
    fn beyond(&self, idle: usize) -> usize {
        let taken_at = Timestamp::from_micros(self.ahead.taken_at.load(Ordering::Relaxed));
        let is_stuck = idle == 0 && self.engine.now().since(taken_at) >= STUCK_AFTER;
        match self.smoothed_ns.load(Ordering::Relaxed) {
            UNMEASURED => 0,
            _ if is_stuck => 0,
            smoothed => {
                let window = nanos(WINDOW) * u64::from(self.engine.threads());
                usize::try_from(window / smoothed).map_or(AHEAD_MAX, |many| many.min(AHEAD_MAX))
            }
        }
    }
}

/// The service that claims ahead.
#[derive(Debug)]
pub struct Claimer {
    dispatcher: Arc<Dispatcher>,
}

impl Claimer {
    /// A service that claims for the threads of this dispatcher.
    ///
    /// From now on they take nothing by themselves, so it must be run.
    pub fn new(dispatcher: Arc<Dispatcher>) -> Self {
        dispatcher.ahead.is_served.store(true, Ordering::Release);
        Self { dispatcher }
    }

    async fn serve(&self) {
        let Self { dispatcher } = self;
        let engine = &dispatcher.engine;
        while !engine.is_draining() {
            if !engine.standing.may_claim() {
                engine.ports.clock.sleep(FENCED_LOOK).await;
                continue;
            }
            match dispatcher.wanted() {
                0 => self.until_room().await,
                wanted => self.claim(wanted).await,
            }
        }
    }

    async fn claim(&self, wanted: usize) {
        let dispatcher = &self.dispatcher;
        let mut claimed = Vec::new();
        let deliveries = match dispatcher.next_suspect() {
            Some(delivery) => vec![delivery],
            None => dispatcher.receive_or_look(wanted, &mut claimed).await,
        };
        // They may have been long in coming.
        match dispatcher.may_claim_more() {
            true => dispatcher.claim_all(deliveries, &mut claimed).await,
            false => dispatcher.republish(deliveries).await,
        }
        dispatcher.ahead.put(claimed, dispatcher.engine.now());
    }

    /// Gives back what lies too long, whatever else is waited for.
    async fn keep_fresh(&self) {
        let engine = &self.dispatcher.engine;
        loop {
            engine.ports.clock.sleep(AT_HAND_MAX / 2).await;
            self.give_back(engine.now() - AT_HAND_MAX).await;
        }
    }

    /// Waits for a thread to take something, and no longer than what is at hand stays fresh.
    async fn until_room(&self) {
        let ahead = &self.dispatcher.ahead;
        let clock = &self.dispatcher.engine.ports.clock;
        tokio::select! {
            () = ahead.room.notified() => {}
            () = clock.sleep(AT_HAND_MAX) => {}
        }
    }

    async fn give_back(&self, before: Timestamp) {
        let dispatcher = &self.dispatcher;
        let released = dispatcher.ahead.remove(before, dispatcher.engine.session());
        if !released.is_empty() {
            dispatcher.settle_async(released).await;
        }
    }
}

#[async_trait]
impl Service for Claimer {
    fn name(&self) -> &'static str {
        "claimer"
    }

    async fn run(self: Box<Self>, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.serve() => {}
            () = self.keep_fresh() => {}
        }
        self.dispatcher.ahead.ready.notify_waiters();
        self.dispatcher.ahead.ready.notify_one();
        self.give_back(self.dispatcher.engine.now()).await;
    }
}
