//! The door: clients that speak AMQP leave submissions in the queue `tareas.submit`.
//!
//! A message is acknowledged when its task is recorded, so what a process that ends has not
//! finished is delivered to another one. What can never be a task goes to `tareas.submit.dead`,
//! confirmed before it is acknowledged. Both are durable quorum queues. The connection is built
//! again like the others (see `link.rs`).
//!
//! | file | what it does |
//! |---|---|
//! | `letter` | a message as the engine sees it, and as it lies in the queue of the dead |
//! | `life` | one life of the connection |

mod letter;
mod life;

use std::fmt;
use std::sync::atomic::AtomicU64;

use async_trait::async_trait;
use bytes::Bytes;
use tareas_engine::ports::{Door, Letter, LetterReceipt, Reason, ReplyAddress};
use tokio::sync::{Mutex, mpsc};
use tokio::task::JoinHandle;

use super::config::RabbitmqConfig;
use super::link;

/// Messages that may be here unfinished.
const PREFETCH_MESSAGES: u16 = 1_024;
/// Verdicts that wait to be sent; whoever has more waits.
const VERDICTS_MAX: usize = 1_024;

/// Submissions through RabbitMQ. See the module's documentation.
pub struct RabbitmqDoor {
    letters: Mutex<mpsc::Receiver<Letter>>,
    verdicts: mpsc::Sender<Verdict>,
    service: JoinHandle<()>,
}

/// What is to be said about letters.
#[derive(Debug)]
enum Verdict {
    Take(Vec<LetterReceipt>),
    PutAside(Vec<(Letter, Reason)>),
    Reply(ReplyAddress, Bytes),
}

/// What the service works with, in all lives of its connection.
#[derive(Debug)]
struct Ends {
    letters: mpsc::Sender<Letter>,
    verdicts: mpsc::Receiver<Verdict>,
}

impl RabbitmqDoor {
    /// Begins to connect, and goes on trying for as long as it lives. To be called inside a
    /// runtime.
    pub fn start(config: RabbitmqConfig) -> Self {
        let (sender, letters) = mpsc::channel(PREFETCH_MESSAGES.into());
        let (verdicts, receiver) = mpsc::channel(VERDICTS_MAX);
        let service = tokio::spawn(async move {
            let lives = AtomicU64::new(0);
            let ends = Mutex::new(Ends {
                letters: sender,
                verdicts: receiver,
            });
            link::keep("door", &config, || async {
                let mut ends = ends.lock().await;
                life::live(&config, &lives, &mut ends).await
            })
            .await;
        });
        Self {
            letters: Mutex::new(letters),
            verdicts,
            service,
        }
    }

    async fn say(&self, verdict: Verdict) {
        // The service ends with `self` only.
        let _ = self.verdicts.send(verdict).await;
    }
}

#[async_trait]
impl Door for RabbitmqDoor {
    async fn receive(&self, max: usize) -> Vec<Letter> {
        let mut letters = Vec::new();
        if self.letters.lock().await.recv_many(&mut letters, max).await == 0 {
            // The service has ended, which it does with `self` only.
            std::future::pending::<()>().await;
        }
        letters
    }

    async fn take(&self, receipts: Vec<LetterReceipt>) {
        self.say(Verdict::Take(receipts)).await;
    }

    async fn put_aside(&self, refused: Vec<(Letter, Reason)>) {
        self.say(Verdict::PutAside(refused)).await;
    }

    async fn reply(&self, to: ReplyAddress, body: Bytes) {
        self.say(Verdict::Reply(to, body)).await;
    }
}

impl fmt::Debug for RabbitmqDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RabbitmqDoor").finish_non_exhaustive()
    }
}

impl Drop for RabbitmqDoor {
    fn drop(&mut self) {
        self.service.abort();
    }
}
