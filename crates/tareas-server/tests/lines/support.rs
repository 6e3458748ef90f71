//! A real listener over a real engine in memory, and clients for it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tareas_adapters::{FolderBlobs, MemoryQueue, MemoryRecords};
use tareas_core::{Body, Cause, Ending, Failure, Kind, SessionId};
use tareas_engine::ports::{Records, SystemClock};
use tareas_engine::services::{self, Supervisor};
use tareas_engine::{Claimed, Dispatcher, Engine, EngineConfig, Ports, Settled};
use tareas_server::{Listener, ServerConfig, ServerState};
use tareas_worker::{Context, Registry};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// Longer than anything here takes, even on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Server {
    pub(crate) engine: Arc<Engine>,
    pub(crate) listener: Listener,
    pub(crate) state: Arc<ServerState>,
    supervisor: Supervisor,
    threads: Vec<JoinHandle<()>>,
    _blobs: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(configure: impl FnOnce(&mut ServerConfig)) -> Self {
        Self::over(MemoryRecords::default(), configure).await
    }

    pub(crate) async fn over<R>(records: R, configure: impl FnOnce(&mut ServerConfig)) -> Self
    where
        R: Records + tareas_engine::ports::Settings,
    {
        let blobs = tempfile::tempdir().unwrap();
        let records = Arc::new(records);
        let ports = Ports {
            settings: Arc::clone(&records) as _,
            records,
            queue: Arc::new(MemoryQueue::default()),
            blobs: Arc::new(FolderBlobs::open(blobs.path()).unwrap()),
            clock: Arc::new(SystemClock),
        };
        let engine = Engine::new(ports, EngineConfig::new(SessionId(1), 2, 42));
        let registry = Arc::new(Registry::with_builtins());
        engine.announce_own(registry.kinds().iter().map(|k| Kind::new(&k.name).unwrap()));
        let supervisor = Supervisor::new();
        services::start(&engine, &supervisor);
        let dispatcher = Arc::new(Dispatcher::new(Arc::clone(&engine)));
        let threads = (0..2)
            .map(|_| pool_thread(&dispatcher, &registry))
            .collect();
        let mut config = ServerConfig {
            bind: vec![([127, 0, 0, 1], 0).into()],
            ..ServerConfig::default()
        };
        configure(&mut config);
        let state = ServerState::new(Arc::clone(&engine), config);
        let listener = Listener::start(Arc::clone(&state)).unwrap();
        Self {
            engine,
            listener,
            state,
            supervisor,
            threads,
            _blobs: blobs,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.listener.addresses()[0]
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address()).await
    }

    /// Waits until something holds.
    pub(crate) async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let tried = timeout(PATIENCE, async {
            while !holds(self) {
                tokio::task::yield_now().await;
            }
        });
        assert!(tried.await.is_ok(), "{what}");
    }

    pub(crate) async fn stop(mut self) {
        self.engine.drain();
        for thread in self.threads.drain(..) {
            tokio::task::spawn_blocking(|| thread.join())
                .await
                .unwrap()
                .unwrap();
        }
        assert!(
            self.listener.finish(PATIENCE).await,
            "a connection did not end"
        );
        assert!(self.supervisor.stop(PATIENCE).await);
        assert_eq!(self.engine.watched(), 0, "something is watched by nobody");
    }
}

fn pool_thread(dispatcher: &Arc<Dispatcher>, registry: &Arc<Registry>) -> JoinHandle<()> {
    let (dispatcher, registry) = (Arc::clone(dispatcher), Arc::clone(registry));
    let runtime = tokio::runtime::Handle::current();
    std::thread::spawn(move || {
        let _runtime = runtime.enter();
        let mut claimed = Vec::new();
        while dispatcher.take(&mut claimed) {
            let settled = claimed
                .drain(..)
                .map(|claimed| run(&registry, claimed))
                .collect();
            dispatcher.settle(settled);
        }
    })
}

fn run(registry: &Registry, claimed: Claimed) -> Settled {
    let task = &claimed.task;
    let context = Context::detached(task.spec.kind.as_str()).with_attempt(task.attempt);
    let started = std::time::Instant::now();
    let ending = match registry.run(&context, claimed.payload) {
        Ok(result) => Ending::Succeeded(Body::Inline(result)),
        Err(error) => Ending::Failed {
            failure: Arc::new(Failure {
                cause: if error.retryable {
                    Cause::Handler
                } else {
                    Cause::Rejected
                },
                name: None,
                message: error.message,
                backtrace: None,
                ran_by: None,
                process_end: None,
            }),
            retryable: error.retryable,
            retry_after: error.retry_after,
        },
    };
    Settled {
        task: task.id(),
        attempt: task.attempt,
        ending: Some(ending),
        ran_by: None,
        run_time: started.elapsed(),
    }
}

/// A client that speaks lines.
pub(crate) struct Client {
    answers: Answers,
    pub(crate) writer: OwnedWriteHalf,
}

/// What a server says.
pub(crate) struct Answers(BufReader<OwnedReadHalf>);

impl Answers {
    /// The next line; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.0.read_line(&mut line));
        let count = read.await.expect("no line came").unwrap();
        (count > 0).then(|| line.trim_end_matches('\n').to_owned())
    }

    pub(crate) async fn json(&mut self) -> serde_json::Value {
        let line = self.line().await.expect("the connection ended");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let (reader, writer) = TcpStream::connect(address).await.unwrap().into_split();
        Self {
            answers: Answers(BufReader::new(reader)),
            writer,
        }
    }

    pub(crate) async fn send(&mut self, text: impl AsRef<[u8]>) {
        self.writer.write_all(text.as_ref()).await.unwrap();
    }

    /// The next line; `None` at the end.
    pub(crate) async fn line(&mut self) -> Option<String> {
        self.answers.line().await
    }

    pub(crate) async fn json(&mut self) -> serde_json::Value {
        self.answers.json().await
    }

    pub(crate) fn split(self) -> (Answers, OwnedWriteHalf) {
        (self.answers, self.writer)
    }

    pub(crate) async fn expect(&mut self, line: &str) {
        assert_eq!(self.line().await.as_deref(), Some(line));
    }

    /// Sends a line and gives the next one back.
    pub(crate) async fn ask(&mut self, line: &str) -> serde_json::Value {
        self.send(format!("{line}\n")).await;
        self.json().await
    }

    /// Everything up to the end of the connection.
    pub(crate) async fn rest(&mut self) -> String {
        let mut rest = String::new();
        let read = timeout(PATIENCE, self.answers.0.read_to_string(&mut rest));
        read.await.expect("the connection did not end").unwrap();
        rest
    }

    /// Says that nothing more is sent.
    pub(crate) async fn end(&mut self) {
        self.writer.shutdown().await.unwrap();
    }

    /// Ends the connection so that the server notices at once.
    pub(crate) fn reset(self) {
        let stream = self.answers.0.into_inner().reunite(self.writer).unwrap();
        socket2::SockRef::from(&stream)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
    }
}
