//! A queue in RabbitMQ, shared by several processes.
//!
//! Messages are lists of hints in quorum queues, one per queue of tasks and band of priorities.
//! They are sent persistent and mandatory, and confirmed beside the caller; they are acknowledged
//! when every hint in them is. One connection publishes, another receives, and each is built
//! again from nothing when anything goes wrong (see `link.rs`).
//!
//! Any of it may be lost, doubled or late, and nothing depends on it: claims sort out doubles,
//! and pools find in the records what nobody told them. So no call here waits for RabbitMQ, and
//! an outage of it costs latency only. See `docs/rabbitmq.md`.

mod acks;
mod config;
mod consumer;
mod door;
mod lines;
mod link;
mod message;
mod names;
mod news;
mod publisher;
mod shelf;
mod survey;
mod told;
mod window;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use lapin::Connection;
use tareas_core::{Hint, Kind, Lane, QueueName};
use tareas_engine::ports::{Delivery, PortError, Queue, QueueDepth, Receipt, Spilled};
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;

pub use self::config::{InvalidUrl, RabbitmqConfig};
pub use self::door::RabbitmqDoor;
use self::lines::{Lines, Wanted};
use self::link::LinkError;
use self::message::{HINTS_MAX, Message};
use self::names::{Band, Line};
pub use self::news::RabbitmqNews;
use self::shelf::Shelf;
pub use self::survey::{Survey, Tried, survey};
use self::window::Window;

/// Messages that wait to be sent; more are lost.
const OUTBOX_MESSAGES: usize = 1_024;

/// Hints through RabbitMQ.
pub struct RabbitmqQueue {
    shared: Arc<Shared>,
    outbox: mpsc::Sender<Message>,
    halves: [JoinHandle<()>; 2],
}

/// What both halves and the callers see.
#[derive(Debug)]
struct Shared {
    config: RabbitmqConfig,
    shelf: Shelf,
    window: Window,
    up: watch::Sender<Up>,
    lines: Lines,
    /// There are lines that nobody receives from.
    new_lines: Notify,
    lost: AtomicU64,
    /// Held while a queue of RabbitMQ is looked for and made: two at once may both fail.
    making: tokio::sync::Mutex<()>,
}

/// What works.
#[derive(Clone, Copy, Debug, Default)]
struct Up {
    publishing: bool,
    receiving: bool,
    is_closed: bool,
}

impl RabbitmqQueue {
    /// Begins to connect, and goes on trying for as long as it lives. To be called inside a
    /// runtime.
    pub fn start(config: RabbitmqConfig) -> Self {
        let (outbox, taken) = mpsc::channel(OUTBOX_MESSAGES);
        let shared = Arc::new(Shared {
            config,
            shelf: Shelf::new(),
            window: Window::default(),
            up: watch::Sender::default(),
            lines: Lines::default(),
            new_lines: Notify::new(),
            lost: AtomicU64::new(0),
            making: tokio::sync::Mutex::default(),
        });
        let halves = [
            tokio::spawn(publisher::run(Arc::clone(&shared), taken)),
            tokio::spawn(consumer::run(Arc::clone(&shared))),
        ];
        Self {
            shared,
            outbox,
            halves,
        }
    }

    /// Waits until both connections work.
    pub async fn until_connected(&self) {
        let mut up = self.shared.up.subscribe();
        // It fails when the sender is gone, which is in `self`.
        let _ = up.wait_for(|up| up.publishing && up.receiving).await;
    }

    /// How many hints did not reach RabbitMQ since the start, as far as is known.
    pub fn lost(&self) -> u64 {
        self.shared.lost.load(Ordering::Relaxed)
    }

    fn send(&self, lane: &Lane, kind: Option<&Kind>, hints: &[Hint]) {
        let mut message = Message {
            lane: lane.clone(),
            kind: kind.cloned(),
            hints: hints.to_vec(),
        };
        let line = message.line().within_names(&self.shared.config.prefix);
        message.kind.clone_from(&line.kind);
        // What does not fit into the window is left to the records.
        if self.shared.window.admit(&line, hints.len()) && self.outbox.try_send(message).is_err() {
            self.shared.lost(&line, hints.len());
        }
    }
}

impl Shared {
    fn is_closed(&self) -> bool {
        self.up.borrow().is_closed
    }

    /// Waits until nothing more is to be received.
    async fn closed(&self) {
        let mut up = self.up.subscribe();
        // It fails when the sender is gone, which is in `self`.
        let _ = up.wait_for(|up| up.is_closed).await;
    }

    fn lost(&self, line: &Line, hints: usize) {
        self.lost.fetch_add(hints as u64, Ordering::Relaxed);
        self.window.gone(line, hints);
        tracing::debug!(queue = %line.queue, hints, "hints are lost");
    }

    async fn ensure(&self, connection: &Connection, name: &str) -> Result<(), LinkError> {
        let _making = self.making.lock().await;
        link::ensure(connection, name).await
    }

    /// Whether tasks of this kind have lines of their own.
    fn is_apart(&self, kind: &Kind) -> bool {
        let everywhere = self.config.everywhere.as_ref();
        everywhere.is_some_and(|kinds| !kinds.contains(kind))
    }

    /// This line is there.
    fn exists(&self, line: &Line) {
        if self.lines.exists(line) {
            self.new_lines.notify_one();
        }
    }

    /// This queue may have lines: its middle one is made, the others are looked for.
    fn known(&self, queue: &QueueName) {
        self.exists(&Line {
            queue: queue.clone(),
            band: Band::Middle,
            kind: None,
        });
    }
}

impl fmt::Debug for RabbitmqQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitmqQueue")
            .field("config", &self.shared.config)
            .field("up", &*self.shared.up.borrow())
            .field("lost", &self.lost())
            .finish_non_exhaustive()
    }
}

impl Drop for RabbitmqQueue {
    fn drop(&mut self) {
        for half in &self.halves {
            half.abort();
        }
    }
}

#[async_trait]
impl Queue for RabbitmqQueue {
    async fn publish(&self, lane: &Lane, hints: &[Hint]) -> Result<(), PortError> {
        for hints in hints.chunks(HINTS_MAX) {
            self.send(lane, None, hints);
        }
        Ok(())
    }

    fn is_apart(&self, kind: &Kind) -> bool {
        self.shared.is_apart(kind)
    }

    async fn publish_apart(
        &self,
        kind: &Kind,
        lane: &Lane,
        hints: &[Hint],
    ) -> Result<(), PortError> {
        for hints in hints.chunks(HINTS_MAX) {
            self.send(lane, Some(kind), hints);
        }
        Ok(())
    }

    fn want(&self, kinds: &HashSet<Kind>) {
        let apart = kinds.iter().filter(|kind| self.shared.is_apart(kind));
        let wanted = Wanted {
            common: kinds.iter().any(|kind| !self.shared.is_apart(kind)),
            apart: apart.cloned().collect(),
        };
        if self.shared.lines.want(wanted) {
            self.shared.new_lines.notify_one();
        }
    }

    async fn receive(&self, max: usize) -> Result<Vec<Delivery>, PortError> {
        Ok(self.shared.shelf.receive(max).await)
    }

    fn try_receive(&self, max: usize) -> Vec<Delivery> {
        self.shared.shelf.take(max).unwrap_or_default()
    }

    fn acknowledge(&self, receipts: &[Receipt]) {
        self.shared.shelf.acknowledge(receipts);
    }

    fn is_shared(&self) -> bool {
        true
    }

    /// Nothing is fed: what is not told is found in the records.
    fn spilled(&self) -> Vec<Spilled> {
        Vec::new()
    }

    async fn refill(
        &self,
        spilled: &Spilled,
        hints: &[Hint],
        _is_all: bool,
    ) -> Result<(), PortError> {
        self.publish(&spilled.lane, hints).await
    }

    fn pause(&self, queue: &QueueName, paused: bool) {
        self.shared.shelf.pause(queue, paused);
        self.shared.known(queue);
    }

    fn depth(&self) -> Vec<QueueDepth> {
        let distant = self.shared.window.all().into_iter().map(|(line, ready)| {
            let priority = line.band.priority();
            let queue = line.queue;
            QueueDepth {
                lane: Lane { queue, priority },
                hints: ready.hints,
                is_spilled: ready.is_full,
            }
        });
        let distant = distant.filter(|depth| depth.hints > 0 || depth.is_spilled);
        let mut depth = self.shared.shelf.depth();
        depth.extend(distant);
        depth
    }

    fn close(&self) {
        self.shared.shelf.close();
        self.shared.up.send_modify(|up| up.is_closed = true);
    }
}
