//! How far everything is on disk, and who waits for it.
//!
//! One growing number. A waiter is woken once, when its position is reached, and nobody else
//! is woken with it.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tareas_core::Position;
use tareas_engine::ports::Stopped;

/// The durable position and its waiters.
#[derive(Debug, Default)]
pub(super) struct Durable {
    reached: AtomicU64,
    /// The position of the commit that is under way: readers may see it before it is told.
    committing: AtomicU64,
    waiters: Mutex<Waiters>,
}

#[derive(Debug, Default)]
struct Waiters {
    /// By the position they need, then by their number.
    wakers: BTreeMap<(u64, u64), Waker>,
    next_number: u64,
    stopped: Option<Stopped>,
}

impl Durable {
    /// Everything decided at or below it is on disk.
    pub(super) fn position(&self) -> Position {
        Position(self.reached.load(Ordering::Acquire))
    }

    /// What a snapshot that is opened now may show already.
    pub(super) fn visible(&self) -> Position {
        Position(self.committing.load(Ordering::Acquire)).max(self.position())
    }

    /// Says that a commit of everything up to `position` begins.
    pub(super) fn begin_commit(&self, position: Position) {
        self.committing.store(position.0, Ordering::Release);
    }

    /// Says that the commit was rolled back: nothing of it can be seen.
    pub(super) fn roll_back(&self) {
        self.committing.store(0, Ordering::Release);
    }

    /// Says that everything up to `position` is on disk.
    pub(super) fn reach(&self, position: Position) {
        self.reached.fetch_max(position.0, Ordering::AcqRel);
    }

    /// Wakes those whose position is reached, once each.
    pub(super) fn wake(&self) {
        let beyond = (self.position().0 + 1, 0);
        let reached = {
            let mut waiters = self.lock();
            if waiters
                .wakers
                .first_key_value()
                .is_none_or(|(needs, _)| *needs >= beyond)
            {
                return;
            }
            let rest = waiters.wakers.split_off(&beyond);
            std::mem::replace(&mut waiters.wakers, rest)
        };
        reached.into_values().for_each(Waker::wake);
    }

    /// Nothing more will be durable: wakes everybody with that.
    pub(super) fn stop(&self, reason: &str) {
        let waiting = {
            let mut waiters = self.lock();
            waiters.stopped.get_or_insert_with(|| Stopped {
                reason: reason.to_owned(),
            });
            std::mem::take(&mut waiters.wakers)
        };
        waiting.into_values().for_each(Waker::wake);
    }

    /// Why nothing more will be durable, if so.
    pub(super) fn stopped(&self) -> Option<Stopped> {
        self.lock().stopped.clone()
    }

    /// Waits until more than `after` is durable.
    pub(super) fn after(&self, after: Position) -> Reached<'_> {
        Reached {
            durable: self,
            needs: after.0 + 1,
            number: None,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiters> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits for a position; forgotten when dropped.
#[derive(Debug)]
pub(super) struct Reached<'d> {
    durable: &'d Durable,
    needs: u64,
    number: Option<u64>,
}

impl Future for Reached<'_> {
    type Output = Result<Position, Stopped>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let durable = self.durable;
        if durable.position().0 >= self.needs {
            return Poll::Ready(Ok(durable.position()));
        }
        let mut waiters = durable.lock();
        // Once more, now that a wake-up cannot slip through.
        if durable.position().0 >= self.needs {
            return Poll::Ready(Ok(durable.position()));
        }
        if let Some(stopped) = &waiters.stopped {
            return Poll::Ready(Err(stopped.clone()));
        }
        let number = self.number.unwrap_or(waiters.next_number);
        if self.number.is_none() {
            waiters.next_number += 1;
            self.number = Some(number);
        }
        waiters
            .wakers
            .insert((self.needs, number), context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Reached<'_> {
    fn drop(&mut self) {
        if let Some(number) = self.number {
            self.durable.lock().wakers.remove(&(self.needs, number));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;
    use std::task::Wake;

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicUsize);

    impl Wake for Counting {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    fn poll(waiting: &mut Reached<'_>, waker: &Arc<Counting>) -> Poll<Result<Position, Stopped>> {
        let waker = Waker::from(Arc::clone(waker));
        Pin::new(waiting).poll(&mut Context::from_waker(&waker))
    }

    #[test]
    fn only_those_whose_position_is_reached_are_woken_and_once() {
        let durable = Durable::default();
        let (near, far) = (Arc::new(Counting::default()), Arc::new(Counting::default()));
        let (mut first, mut second) = (durable.after(Position(2)), durable.after(Position(8)));
        assert!(poll(&mut first, &near).is_pending());
        assert!(poll(&mut second, &far).is_pending());
        durable.reach(Position(5));
        durable.wake();
        durable.wake();
        assert_eq!(
            (near.0.load(Ordering::SeqCst), far.0.load(Ordering::SeqCst)),
            (1, 0)
        );
        assert!(matches!(
            poll(&mut first, &near),
            Poll::Ready(Ok(Position(5)))
        ));
        durable.stop("the disk is gone");
        assert!(matches!(poll(&mut second, &far), Poll::Ready(Err(_))));
    }

    #[test]
    fn a_waiter_that_gives_up_leaves_nothing_behind() {
        let durable = Durable::default();
        let waker = Arc::new(Counting::default());
        let mut waiting = durable.after(Position(0));
        assert!(poll(&mut waiting, &waker).is_pending());
        drop(waiting);
        assert!(durable.lock().wakers.is_empty());
    }
}
