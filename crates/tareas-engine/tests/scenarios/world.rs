//! A world for one scenario: an engine over memory, a listener, and a pool that the test plays.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tareas_adapters::blobs::FolderBlobs;
use tareas_adapters::queue::MemoryQueue;
use tareas_adapters::records::MemoryRecords;
use tareas_core::ledger::Config;
use tareas_core::{
    Body, Cause, Ending, Failure, Kind, Position, QueueName, SessionId, Task, TaskId, Timestamp,
};
use tareas_engine::ports::{ApplyError, PortError, Queue, Settings, StoredSession, TestClock};
use tareas_engine::{
    Claimed, Dispatcher, End, Engine, EngineConfig, Listener, Listening, Membership, Pool,
    PoolSlot, Ports, Refusal, Running, Settled, Submission, Submitted,
};

pub(crate) fn kind(name: &str) -> Kind {
    Kind::new(name).unwrap()
}

pub(crate) fn succeeded(text: &str) -> Ending {
    Ending::Succeeded(Body::Inline(Bytes::copy_from_slice(text.as_bytes())))
}

pub(crate) fn failure(message: &str, retryable: bool) -> Ending {
    let cause = if retryable {
        Cause::Handler
    } else {
        Cause::Rejected
    };
    let message = message.to_owned();
    let failure = Arc::new(Failure {
        cause,
        name: None,
        message,
        backtrace: None,
        ran_by: None,
        process_end: None,
    });
    Ending::Failed {
        failure,
        retryable,
        retry_after: None,
    }
}

#[derive(Debug, Default)]
struct Ear {
    heard: Mutex<Vec<End>>,
}

impl Listener for Ear {
    fn ended(&self, _position: Position, ends: Vec<End>) {
        self.heard.lock().unwrap().extend(ends);
    }
}

#[derive(Debug, Default)]
struct PlayedPool {
    asked_to_stop: Mutex<Vec<(TaskId, u64)>>,
    running: Mutex<Vec<Running>>,
}

impl Pool for PlayedPool {
    fn cancel(&self, task: TaskId, attempt: u64) -> bool {
        self.asked_to_stop.lock().unwrap().push((task, attempt));
        true
    }

    fn slots(&self) -> Vec<PoolSlot> {
        let running = self.running.lock().unwrap().clone();
        let slots = running.into_iter().enumerate();
        slots
            .map(|(slot, running)| PoolSlot {
                slot,
                running: Some(running),
            })
            .collect()
    }
}

/// Settings that know of the sessions of earlier lives, as a store on disk would.
#[derive(Debug)]
struct LifeBefore {
    records: Arc<MemoryRecords>,
    sessions: Sessions,
    lost: Vec<StoredSession>,
}

type Sessions = Arc<Mutex<Vec<StoredSession>>>;

/// Threads of the pool in each life.
const THREADS: u16 = 2;

#[async_trait::async_trait]
impl Settings for LifeBefore {
    fn queues(&self) -> BTreeMap<QueueName, bool> {
        self.records.queues()
    }

    async fn pause(&self, queue: &QueueName, paused: bool) -> Result<Position, ApplyError> {
        self.records.pause(queue, paused).await
    }

    fn lost_sessions(&self) -> Vec<StoredSession> {
        self.lost.clone()
    }

    async fn open_session(&self, session: StoredSession) -> Result<(), PortError> {
        self.sessions.lock().unwrap().push(session);
        Ok(())
    }

    async fn close_session(&self, session: SessionId) -> Result<(), PortError> {
        let mut sessions = self.sessions.lock().unwrap();
        sessions.retain(|stored| stored.id != session);
        Ok(())
    }

    fn remembered_kinds(&self) -> Vec<Kind> {
        Vec::new()
    }

    async fn remember_kinds(&self, _kinds: &[Kind]) -> Result<(), PortError> {
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) engine: Arc<Engine>,
    pub(crate) dispatcher: Dispatcher,
    pub(crate) clock: Arc<TestClock>,
    records: Arc<MemoryRecords>,
    pool: Arc<PlayedPool>,
    ear: Arc<Ear>,
    listening: Option<Listening>,
    folder: Arc<tempfile::TempDir>,
    sessions: Sessions,
    life: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_heads(1_000)
    }

    pub(crate) fn with_heads(heads_max: usize) -> Self {
        let clock = Arc::new(TestClock::new(Timestamp::from_millis(1_700_000_000_000)));
        let records = Arc::new(MemoryRecords::open(Config::default()));
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let queue = Arc::new(MemoryQueue::new(heads_max));
        let world = Self::born(clock, records, folder, Sessions::default(), queue, 1, None);
        assert_eq!(tareas_engine::block_on(world.engine.recover()).unwrap(), 0);
        world
    }

    /// A world whose hints go this way.
    pub(crate) fn with_queue(queue: Arc<dyn Queue>) -> Self {
        let world = Self::new().reborn_with(queue);
        assert_eq!(tareas_engine::block_on(world.engine.recover()).unwrap(), 0);
        world
    }

    fn born(
        clock: Arc<TestClock>,
        records: Arc<MemoryRecords>,
        folder: Arc<tempfile::TempDir>,
        sessions: Sessions,
        queue: Arc<dyn Queue>,
        life: u64,
        membership: Option<Membership>,
    ) -> Self {
        let ports = Ports {
            records: records.clone(),
            settings: Arc::new(LifeBefore {
                records: records.clone(),
                sessions: sessions.clone(),
                lost: sessions.lock().unwrap().clone(),
            }),
            queue,
            blobs: Arc::new(FolderBlobs::open(folder.path()).unwrap()),
            clock: clock.clone(),
        };
        let engine = Engine::new(
            ports,
            EngineConfig {
                membership,
                ..EngineConfig::new(SessionId(life), THREADS, 0xC0FFEE ^ life)
            },
        );
        engine.announce_own([kind("square")]);
        let pool = Arc::new(PlayedPool::default());
        engine.set_pool(pool.clone());
        let ear = Arc::new(Ear::default());
        let listening = Some(engine.listen(ear.clone()));
        let dispatcher = Dispatcher::new(engine.clone());
        Self {
            engine,
            dispatcher,
            clock,
            records,
            pool,
            ear,
            listening,
            folder,
            sessions,
            life,
        }
    }

    /// The process dies and another one opens the same records.
    pub(crate) fn reborn(self) -> Self {
        self.reborn_with(Arc::new(MemoryQueue::new(1_000)))
    }

    /// As [`reborn`](Self::reborn), with hints that go this way.
    pub(crate) fn reborn_with(self, queue: Arc<dyn Queue>) -> Self {
        let (clock, records) = (self.clock, self.records);
        let (folder, sessions, life) = (self.folder, self.sessions, self.life + 1);
        Self::born(clock, records, folder, sessions, queue, life, None)
    }

    /// Another process on the same records, which has these peers.
    pub(crate) fn beside(&self, membership: Membership) -> Self {
        Self::born(
            Arc::clone(&self.clock),
            Arc::clone(&self.records),
            Arc::clone(&self.folder),
            Sessions::default(),
            Arc::new(MemoryQueue::new(1_000)),
            self.life + 1,
            Some(membership),
        )
    }

    /// The client goes away.
    pub(crate) fn hang_up(mut self) -> Self {
        self.listening = None;
        self
    }

    pub(crate) fn listening(&self) -> Option<&Listening> {
        self.listening.as_ref()
    }

    pub(crate) fn square(&self, n: u64) -> Submission {
        let payload = Bytes::from(n.to_string());
        Submission {
            watch: Some(n),
            ..Submission::new(kind("square"), payload)
        }
    }

    pub(crate) async fn submit(&self, submission: Submission) -> Result<TaskId, Refusal> {
        let outcome = self.submit_all(vec![submission]).await.outcomes.remove(0);
        outcome.map(|accepted| accepted.task.id())
    }

    pub(crate) async fn submit_all(&self, submissions: Vec<Submission>) -> Submitted {
        self.engine
            .submit(submissions, self.listening.as_ref(), |_| {})
            .await
    }

    pub(crate) fn take_one(&self) -> Claimed {
        let mut claimed = Vec::new();
        assert!(self.dispatcher.take(&mut claimed));
        assert_eq!(
            claimed.len(),
            1,
            "an unmeasured pool takes one task at a time"
        );
        claimed.remove(0)
    }

    /// For work that a service brings: time passes until there is some.
    pub(crate) async fn take_while_time_passes(&self) -> Claimed {
        while self.engine.hints_held() == 0 {
            self.clock.advance(Duration::from_millis(300));
            tokio::task::yield_now().await;
        }
        self.take_one()
    }

    /// No hint is deliverable.
    pub(crate) fn nothing_to_take(&self) -> bool {
        self.engine.hints_held() == 0
    }

    /// Whatever hints there are lead to no start.
    pub(crate) fn nothing_starts(&self) -> bool {
        self.dispatcher.try_take().is_empty()
    }

    pub(crate) fn settle(&self, claimed: &Claimed, ending: Option<Ending>) {
        let (task, attempt) = (claimed.task.id(), claimed.task.attempt);
        let run_time = Duration::from_secs(1);
        self.dispatcher.settle(vec![Settled {
            task,
            attempt,
            ending,
            ran_by: None,
            run_time,
        }]);
    }

    /// The blobs, as another process would see them.
    pub(crate) fn blobs(&self) -> FolderBlobs {
        FolderBlobs::open(self.folder.path()).unwrap()
    }

    pub(crate) async fn task(&self, id: TaskId) -> Task {
        self.engine.task(id).await.unwrap().unwrap()
    }

    pub(crate) fn heard(&self) -> Vec<End> {
        std::mem::take(&mut self.ear.heard.lock().unwrap())
    }

    /// A thread has run this attempt for a minute.
    pub(crate) fn runs(&self, task: TaskId, attempt: u64) {
        self.pool.running.lock().unwrap().push(Running {
            task,
            attempt,
            kind: "square".to_owned(),
            since: Duration::from_secs(60),
        });
    }

    pub(crate) fn asked_to_stop(&self) -> Vec<(TaskId, u64)> {
        self.pool.asked_to_stop.lock().unwrap().clone()
    }
}
