//! Nothing is told before it is durable, and nothing at all once the store has stopped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use tareas_adapters::MemoryRecords;
use tareas_core::{
    Applied, Attempt, Batch, Hint, Kind, Lane, Place, Position, QueueName, SessionId, Sweep, Task,
    TaskId, Timestamp, Want,
};
use tareas_engine::ports::{
    ApplyError, Counts, Page, PortError, Records, Settings, Stopped, StoredSession, TaskQuery,
};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::support::Server;

/// Records whose disk waits for the test.
#[derive(Debug, Default)]
struct Held(MemoryRecords, Arc<Disk>);

#[derive(Debug, Default)]
struct Disk {
    durable: AtomicU64,
    has_stopped: AtomicBool,
    moved: Notify,
}

impl Disk {
    fn write_up_to(&self, position: u64) {
        self.durable.fetch_max(position, Ordering::SeqCst);
        self.moved.notify_waiters();
    }

    fn stop(&self) {
        self.has_stopped.store(true, Ordering::SeqCst);
        self.moved.notify_waiters();
    }
}

#[async_trait]
impl Records for Held {
    async fn apply(&self, batch: Batch) -> Result<Applied, ApplyError> {
        self.0.apply(batch).await
    }

    async fn claim_next(&self, want: Want) -> Result<Applied, ApplyError> {
        self.0.claim_next(want).await
    }

    async fn sweep(
        &self,
        sweep: Sweep,
        now: Timestamp,
        limit: usize,
    ) -> Result<Applied, ApplyError> {
        self.0.sweep(sweep, now, limit).await
    }

    fn durable(&self) -> Position {
        Position(self.1.durable.load(Ordering::SeqCst))
    }

    async fn durable_after(&self, after: Position) -> Result<Position, Stopped> {
        loop {
            let moved = self.1.moved.notified();
            if self.1.has_stopped.load(Ordering::SeqCst) {
                return Err(Stopped {
                    reason: "the test says so".to_owned(),
                });
            }
            if self.durable() > after {
                return Ok(self.durable());
            }
            moved.await;
        }
    }

    async fn ready(&self, lane: &Lane, after: Place, limit: usize) -> Result<Vec<Hint>, PortError> {
        self.0.ready(lane, after, limit).await
    }

    async fn load(&self, ids: &[TaskId]) -> Result<(Vec<Option<Task>>, Position), PortError> {
        self.0.load(ids).await
    }

    async fn page(&self, query: &TaskQuery) -> Result<Page, PortError> {
        self.0.page(query).await
    }

    async fn attempts(&self, id: TaskId) -> Result<Vec<Attempt>, PortError> {
        self.0.attempts(id).await
    }

    fn counts(&self) -> Counts {
        self.0.counts()
    }
}

#[async_trait]
impl Settings for Held {
    fn queues(&self) -> BTreeMap<QueueName, bool> {
        self.0.queues()
    }

    async fn pause(&self, queue: &QueueName, paused: bool) -> Result<Position, ApplyError> {
        self.0.pause(queue, paused).await
    }

    fn lost_sessions(&self) -> Vec<StoredSession> {
        self.0.lost_sessions()
    }

    async fn open_session(&self, session: StoredSession) -> Result<(), PortError> {
        self.0.open_session(session).await
    }

    async fn close_session(&self, session: SessionId) -> Result<(), PortError> {
        self.0.close_session(session).await
    }

    fn remembered_kinds(&self) -> Vec<Kind> {
        self.0.remembered_kinds()
    }

    async fn remember_kinds(&self, kinds: &[Kind]) -> Result<(), PortError> {
        self.0.remember_kinds(kinds).await
    }
}

async fn held() -> (Server, Arc<Disk>) {
    let records = Held::default();
    let disk = Arc::clone(&records.1);
    (Server::over(records, |_| {}).await, disk)
}

const A_MOMENT: Duration = Duration::from_millis(100);

#[tokio::test(flavor = "multi_thread")]
async fn answers_wait_for_the_disk() {
    let (server, disk) = held().await;
    let mut json = server.client().await;
    let mut text = server.client().await;
    json.send("{\"op\":\"square\",\"n\":5}\n").await;
    text.send("square 6\n").await;
    assert!(
        timeout(A_MOMENT, json.line()).await.is_err(),
        "told before it is durable"
    );
    assert!(
        timeout(A_MOMENT, text.line()).await.is_err(),
        "told before it is durable"
    );
    disk.write_up_to(u64::MAX / 2);
    assert_eq!(json.json().await["status"], "queued");
    assert_eq!(json.json().await["result"], 25);
    text.expect("36").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_position_releases_what_was_decided_up_to_it() {
    let (server, disk) = held().await;
    let mut client = server.client().await;
    client
        .send("{\"cmd\":\"submit\",\"kind\":\"echo\",\"wait\":false}\n")
        .await;
    assert!(timeout(A_MOMENT, client.line()).await.is_err());
    disk.write_up_to(1);
    assert_eq!(client.json().await["status"], "queued");
    client.send("{\"cmd\":\"ping\"}\n").await;
    assert_eq!(client.json().await["pong"], true);
    disk.write_up_to(u64::MAX / 2);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_has_stopped_tells_nobody_anything() {
    let (server, disk) = held().await;
    let mut client = server.client().await;
    client.send("{\"op\":\"square\",\"n\":5}\n").await;
    assert!(timeout(A_MOMENT, client.line()).await.is_err());
    disk.stop();
    assert_eq!(client.rest().await, "");
    server
        .until("nothing is watched", |server| server.engine.watched() == 0)
        .await;
    disk.write_up_to(u64::MAX / 2);
    drop(server);
}
