//! Who wants to know when a task has ended.
//!
//! A listener is one connection, or the engine's own waiting list. It watches a task under a tag
//! of its choosing and is told once, with the position that must be durable before anybody
//! outside may hear of it. Watching costs one map entry and ends with the task, or with the
//! listener.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tareas_core::ledger::IdHash;
use tareas_core::{Position, Task, TaskId};

/// One that is told of ends. Called on threads of the pool: it must not block.
pub trait Listener: fmt::Debug + Send + Sync + 'static {
    /// These watched tasks have ended. Nothing of it may leave the process before `position` is
    /// durable.
    fn ended(&self, position: Position, ends: Vec<End>);
}

/// The end of one watched task.
#[derive(Clone, Debug)]
pub struct End {
    /// The tag it was watched under.
    pub tag: u64,
    /// The task, in its terminal state.
    pub task: Task,
}

#[derive(Clone, Copy, Debug)]
struct Watcher {
    listener: u64,
    tag: u64,
}

#[derive(Debug)]
struct Watchers {
    /// Nearly every task has one watcher at most; the others wait in `more`.
    first: HashMap<TaskId, Watcher, IdHash>,
    more: HashMap<TaskId, Vec<Watcher>>,
}

/// All listeners and what they watch.
#[derive(Debug)]
pub(crate) struct Watches {
    watchers: Mutex<Watchers>,
    listeners: Mutex<Listeners>,
}

#[derive(Debug, Default)]
struct Listeners {
    next: u64,
    by_id: HashMap<u64, Member>,
}

#[derive(Debug)]
struct Member {
    listener: Arc<dyn Listener>,
    /// How many tasks it watches: tells whether anything is to be tidied up when it leaves.
    watched: Arc<AtomicUsize>,
}

/// A listener's membership. Dropping it ends it: what it watches is no longer told.
#[derive(Debug)]
pub struct Listening {
    watches: Arc<Watches>,
    id: u64,
    watched: Arc<AtomicUsize>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        lock(&self.watches.listeners).by_id.remove(&self.id);
        if self.watched.load(Ordering::Relaxed) > 0 {
            self.watches.forget(self.id);
        }
    }
}

impl Watches {
    /// Nobody yet. `seed` keeps clients from aiming at one bucket of the map.
    pub(crate) fn new(seed: u64) -> Self {
        let first = HashMap::with_hasher(IdHash(seed));
        Self {
            watchers: Mutex::new(Watchers {
                first,
                more: HashMap::new(),
            }),
            listeners: Mutex::default(),
        }
    }

    pub(crate) fn listen(self: &Arc<Self>, listener: Arc<dyn Listener>) -> Listening {
        let mut listeners = lock(&self.listeners);
        listeners.next += 1;
        let id = listeners.next;
        let watched = Arc::new(AtomicUsize::new(0));
        listeners.by_id.insert(
            id,
            Member {
                listener,
                watched: Arc::clone(&watched),
            },
        );
        Listening {
            watches: Arc::clone(self),
            id,
            watched,
        }
    }

    /// Forgets what a listener that has left still watches. Looks at everything that is watched:
    /// few connections leave with answers owed.
    fn forget(&self, listener: u64) {
        let mut watchers = lock(&self.watchers);
        let stays = |watcher: &Watcher| watcher.listener != listener;
        let Watchers { first, more } = &mut *watchers;
        more.retain(|_, watchers| {
            watchers.retain(stays);
            !watchers.is_empty()
        });
        first.retain(|task, watcher| {
            if stays(watcher) {
                return true;
            }
            let next = more.get_mut(task).and_then(Vec::pop);
            if more.get(task).is_some_and(Vec::is_empty) {
                more.remove(task);
            }
            next.is_some_and(|next| {
                *watcher = next;
                true
            })
        });
    }

    /// Watches these tasks for one listener.
    pub(crate) fn watch(&self, by: &Listening, tasks: impl Iterator<Item = (TaskId, u64)>) {
        let mut watchers = lock(&self.watchers);
        let mut count = 0;
        for (task, tag) in tasks {
            let watcher = Watcher {
                listener: by.id,
                tag,
            };
            if let Some(second) = watchers.first.insert(task, watcher) {
                watchers.more.entry(task).or_default().push(second);
            }
            count += 1;
        }
        by.watched.fetch_add(count, Ordering::Relaxed);
    }

    /// Stops watching one task under one tag; `false` when it was not watched so.
    pub(crate) fn unwatch(&self, by: &Listening, task: TaskId, tag: u64) -> bool {
        let mut watchers = lock(&self.watchers);
        let is_it = |watcher: &Watcher| watcher.listener == by.id && watcher.tag == tag;
        let mut was_watched = false;
        if let Some(more) = watchers.more.get_mut(&task) {
            let before = more.len();
            more.retain(|watcher| !is_it(watcher));
            was_watched = more.len() < before;
        }
        if watchers.first.get(&task).is_some_and(is_it) {
            was_watched = true;
            let next = watchers.more.get_mut(&task).and_then(Vec::pop);
            match next {
                Some(next) => watchers.first.insert(task, next),
                None => watchers.first.remove(&task),
            };
        }
        if watchers.more.get(&task).is_some_and(Vec::is_empty) {
            watchers.more.remove(&task);
        }
        if was_watched {
            by.watched.fetch_sub(1, Ordering::Relaxed);
        }
        was_watched
    }

    /// Tells one listener of one end.
    pub(crate) fn tell_one(&self, by: &Listening, position: Position, end: End) {
        if let Some(listener) = self.listener(by.id, 0) {
            listener.ended(position, vec![end]);
        }
    }

    /// The listener, which has so many watched tasks less from now on.
    fn listener(&self, id: u64, less: usize) -> Option<Arc<dyn Listener>> {
        let listeners = lock(&self.listeners);
        let member = listeners.by_id.get(&id)?;
        member.watched.fetch_sub(less, Ordering::Relaxed);
        Some(Arc::clone(&member.listener))
    }

    /// Tells whoever watches these tasks, each listener once.
    pub(crate) fn tell<'a>(&self, position: Position, ended: impl Iterator<Item = &'a Task>) {
        let told = self.take(ended);
        let mut start = 0;
        while start < told.len() {
            let listener = told[start].0.listener;
            let run = told[start..]
                .iter()
                .take_while(|(w, _)| w.listener == listener)
                .count();
            let ends = told[start..start + run]
                .iter()
                .map(|(watcher, task)| End {
                    tag: watcher.tag,
                    task: (*task).clone(),
                })
                .collect();
            if let Some(listener) = self.listener(listener, run) {
                listener.ended(position, ends);
            }
            start += run;
        }
    }

    fn take<'a>(&self, ended: impl Iterator<Item = &'a Task>) -> Vec<(Watcher, &'a Task)> {
        let mut watchers = lock(&self.watchers);
        let mut told = Vec::with_capacity(ended.size_hint().0);
        for task in ended {
            if let Some(first) = watchers.first.remove(&task.id()) {
                told.push((first, task));
                if !watchers.more.is_empty()
                    && let Some(more) = watchers.more.remove(&task.id())
                {
                    told.extend(more.into_iter().map(|watcher| (watcher, task)));
                }
            }
        }
        drop(watchers);
        if told
            .windows(2)
            .any(|pair| pair[0].0.listener != pair[1].0.listener)
        {
            told.sort_by_key(|(watcher, _)| watcher.listener);
        }
        told
    }

    /// Some of the watched tasks: those after the first `skip`, in an order that changes only
    /// with what is watched.
    pub(crate) fn some(&self, skip: usize, max: usize) -> Vec<TaskId> {
        let watchers = lock(&self.watchers);
        watchers
            .first
            .keys()
            .skip(skip)
            .take(max)
            .copied()
            .collect()
    }

    /// Leaves those that are still watched.
    pub(crate) fn retain_watched(&self, tasks: &mut Vec<TaskId>) {
        let watchers = lock(&self.watchers);
        tasks.retain(|task| watchers.first.contains_key(task));
    }

    /// Those that nobody watches.
    pub(crate) fn unwatched<'a>(&self, tasks: &[&'a Task]) -> Vec<&'a Task> {
        let watchers = lock(&self.watchers);
        let is_unwatched = |task: &&&Task| !watchers.first.contains_key(&task.id());
        tasks.iter().filter(is_unwatched).copied().collect()
    }

    /// How many watch this task.
    pub(crate) fn of(&self, task: TaskId) -> usize {
        let watchers = lock(&self.watchers);
        let more = watchers.more.get(&task).map_or(0, Vec::len);
        usize::from(watchers.first.contains_key(&task)) + more
    }

    /// How many tasks are watched.
    pub(crate) fn len(&self) -> usize {
        lock(&self.watchers).first.len()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Deaf;

    impl Listener for Deaf {
        fn ended(&self, _: Position, _: Vec<End>) {}
    }

    #[test]
    fn a_listener_that_leaves_takes_what_it_watched_with_it() {
        let watches = Arc::new(Watches::new(7));
        let [one, two] = [(); 2].map(|()| watches.listen(Arc::new(Deaf)));
        let [shared, own] = [7, 8].map(TaskId::from_u128);
        watches.watch(&one, [(shared, 1), (own, 2), (own, 3)].into_iter());
        watches.watch(&two, [(shared, 1)].into_iter());
        assert_eq!(watches.len(), 2);
        drop(one);
        assert_eq!(watches.len(), 1);
        assert!(watches.unwatch(&two, shared, 1));
        assert_eq!(watches.len(), 0);
        assert!(lock(&watches.watchers).more.is_empty());
    }
}
