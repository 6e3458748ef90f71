//! The follower: tells whoever waits here of tasks that have ended in other processes.
//!
//! A success that the others tell of is passed on as they tell it; any other end is looked up at
//! once. News may be lost, so ids that were watched in one round and still are in the next are
//! looked up together, too: all of them while nothing is heard, a few as long as news come in,
//! since then most tasks are only waiting for their turn. A task that ends here meanwhile is told
//! by the dispatcher, and costs no look.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tareas_core::{Task, TaskId};
use tokio_util::sync::CancellationToken;

use super::Service;
use crate::Engine;
use crate::ports::{Ended, News, PortError};

/// How often tasks are looked up.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Tasks per look; more take turns.
const TASKS_MAX: usize = 4_096;
/// The same, after a round in which something was heard.
const TASKS_WITH_NEWS: usize = 256;

/// See the module's documentation.
#[derive(Debug)]
pub struct Follower {
    engine: Arc<Engine>,
    news: Option<Arc<dyn News>>,
    /// Watched in the round before.
    before: Vec<TaskId>,
    /// Where the next turn begins.
    turn: usize,
    /// Something was heard since the last look.
    has_heard: bool,
}

impl Follower {
    /// A follower for this engine.
    pub fn new(engine: Arc<Engine>, news: Option<Arc<dyn News>>) -> Self {
        Self {
            engine,
            news,
            before: Vec::new(),
            turn: 0,
            has_heard: false,
        }
    }

    /// One round; how many had ended.
    ///
    /// # Errors
    /// When the store is unavailable.
    pub async fn look(&mut self) -> Result<usize, PortError> {
        let mut ids = std::mem::take(&mut self.before);
        let most = match std::mem::take(&mut self.has_heard) {
            true => TASKS_WITH_NEWS,
            false => TASKS_MAX,
        };
        self.before = self.engine.watches.some(self.turn, most);
        self.turn = match self.before.len() < most {
            true => 0,
            false => self.turn + most,
        };
        self.engine.watches.retain_watched(&mut ids);
        self.engine.tell_ended(&ids).await
    }
}

impl Engine {
    /// Has the listeners told of those among these tasks that have ended; how many have.
    pub(crate) async fn tell_ended(&self, ids: &[TaskId]) -> Result<usize, PortError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let (tasks, position) = self.ports.records.load(ids).await?;
        let has_ended = |task: &Task| task.state.is_terminal();
        let ended: Vec<Task> = tasks.into_iter().flatten().filter(has_ended).collect();
        self.ended_elsewhere(position, &ended);
        Ok(ended.len())
    }

    /// Passes news on to the listeners here, who need not have heard of these tasks at all.
    async fn pass_on(&self, news: Vec<Ended>) -> Result<usize, PortError> {
        let mut watched = news.iter().map(|ended| ended.id).collect();
        self.watches.retain_watched(&mut watched);
        let watched: HashSet<TaskId> = watched.into_iter().collect();
        let (mut whole, mut to_look_up) = (Vec::new(), Vec::new());
        for ended in news.into_iter().filter(|e| watched.contains(&e.id)) {
            match ended.task {
                Some(task) => whole.push(task),
                None => to_look_up.push(ended.id),
            }
        }
        // It is told after it was recorded, so nothing of this process need become durable first.
        self.ended_elsewhere(self.ports.records.durable(), &whole);
        Ok(whole.len() + self.tell_ended(&to_look_up).await?)
    }
}

/// Waits for news; for ever where there are none.
async fn hear(news: Option<&Arc<dyn News>>) -> Vec<Ended> {
    match news {
        Some(news) => news.hear().await,
        None => std::future::pending().await,
    }
}

#[async_trait]
impl Service for Follower {
    fn name(&self) -> &'static str {
        "follower"
    }

    async fn run(mut self: Box<Self>, shutdown: CancellationToken) {
        let (engine, news) = (Arc::clone(&self.engine), self.news.clone());
        let mut pause = engine.ports.clock.sleep(LOOK_EVERY);
        loop {
            let looked = tokio::select! {
                () = shutdown.cancelled() => return,
                heard = hear(news.as_ref()) => {
                    self.has_heard = true;
                    engine.pass_on(heard).await
                }
                () = &mut pause => {
                    pause = engine.ports.clock.sleep(LOOK_EVERY);
                    self.look().await
                }
            };
            if let Err(error) = looked {
                tracing::warn!(%error, "tasks of other processes were not looked up");
            }
        }
    }
}
