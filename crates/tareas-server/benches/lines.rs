//! How fast lines are served: one process, a real socket, one pool thread.
//!
//! `cargo bench -p tareas-server --bench lines -- [memory|sqlite] [pipelined|closed] [TASKS]`
//!
//! `pipelined`: one connection that sends short JSON lines without waiting, two lines back each.
//! `closed`: 1,000 connections that send a text line each and wait for its answer.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use tareas_adapters::records::sqlite::SqliteConfig;
use tareas_adapters::{FolderBlobs, MemoryQueue, MemoryRecords, SqliteRecords};
use tareas_core::{Body, Ending, Kind, SessionId};
use tareas_engine::ports::{Records, Settings, SystemClock};
use tareas_engine::services::{self, Supervisor};
use tareas_engine::{Claimed, Dispatcher, Engine, EngineConfig, Ports, Settled};
use tareas_server::{Listener, ServerConfig, ServerState};
use tareas_worker::{Context, Registry};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

const CONNECTIONS: usize = 1_000;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let has = |word: &str| words.iter().any(|given| given == word);
    let tasks = words
        .iter()
        .find_map(|word| word.parse().ok())
        .unwrap_or(300_000);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let _entered = runtime.enter();
    let (listener, engine, supervisor) = if has("sqlite") {
        let config = SqliteConfig::new(folder.path(), Arc::new(SystemClock));
        serve(
            Arc::new(SqliteRecords::open(config).expect("a store")),
            folder.path(),
        )
    } else {
        serve(Arc::new(MemoryRecords::default()), folder.path())
    };
    let address = listener.addresses()[0];
    for _ in 0..3 {
        let started = Instant::now();
        if has("closed") {
            closed(address, tasks)
        } else {
            pipelined(address, tasks)
        }
        let seconds = started.elapsed().as_secs_f64();
        report(&format!("{:.0} tasks/s", tasks as f64 / seconds));
    }
    engine.drain();
    runtime.block_on(supervisor.stop(std::time::Duration::from_secs(5)));
}

#[expect(clippy::print_stdout, reason = "a benchmark prints")]
fn report(line: &str) {
    println!("{line}");
}

fn serve<R: Records + Settings>(
    records: Arc<R>,
    folder: &std::path::Path,
) -> (Listener, Arc<Engine>, Supervisor) {
    let ports = Ports {
        settings: Arc::clone(&records) as _,
        records,
        queue: Arc::new(MemoryQueue::default()),
        blobs: Arc::new(FolderBlobs::open(folder.join("blobs")).expect("a folder")),
        clock: Arc::new(SystemClock),
    };
    let engine = Engine::new(ports, EngineConfig::new(SessionId(1), 1, 42));
    let registry = Registry::with_builtins();
    engine.kinds().announce(
        registry
            .kinds()
            .iter()
            .filter_map(|k| Kind::new(&k.name).ok()),
    );
    let supervisor = Supervisor::new();
    services::start(&engine, &supervisor);
    let dispatcher = Dispatcher::new(Arc::clone(&engine));
    std::thread::spawn(move || {
        let mut claimed = Vec::new();
        while dispatcher.take(&mut claimed) {
            let started = Instant::now();
            let mut settled: Vec<_> = claimed.drain(..).map(|c| run(&registry, c)).collect();
            let each = started.elapsed() / settled.len().max(1) as u32;
            settled
                .iter_mut()
                .for_each(|settled| settled.run_time = each);
            dispatcher.settle(settled);
        }
    });
    let config = ServerConfig {
        bind: vec![([127, 0, 0, 1], 0).into()],
        ..ServerConfig::default()
    };
    let state = ServerState::new(Arc::clone(&engine), config);
    (Listener::start(state).expect("a port"), engine, supervisor)
}

fn run(registry: &Registry, claimed: Claimed) -> Settled {
    let task = &claimed.task;
    let context = Context::detached(task.spec.kind.text().clone());
    let result = registry.run(&context, claimed.payload).expect("a result");
    Settled {
        task: task.id(),
        attempt: task.attempt,
        ending: Some(Ending::Succeeded(Body::Inline(result))),
        ran_by: None,
        run_time: std::time::Duration::ZERO,
    }
}

fn pipelined(address: SocketAddr, tasks: usize) {
    let mut reader = std::net::TcpStream::connect(address).expect("a connection");
    let mut writer = reader.try_clone().expect("a handle");
    let sending = std::thread::spawn(move || {
        let mut lines = Vec::new();
        for n in 0..tasks {
            let _ = writeln!(lines, "{{\"op\":\"square\",\"n\":{n}}}");
            if lines.len() > 60_000 || n + 1 == tasks {
                writer.write_all(&lines).expect("sent");
                lines.clear();
            }
        }
    });
    let mut buffer = vec![0; 1 << 20];
    let mut lines = 0;
    while lines < 2 * tasks {
        let count = reader.read(&mut buffer).expect("answers");
        assert!(count > 0, "closed after {lines} lines");
        lines += buffer[..count]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
    }
    sending.join().expect("all sent");
}

fn closed(address: SocketAddr, tasks: usize) {
    let each = tasks / CONNECTIONS;
    let clients = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async move {
            let clients: Vec<_> = (0..CONNECTIONS)
                .map(|_| tokio::spawn(ask(address, each)))
                .collect();
            for client in clients {
                client.await.expect("a client");
            }
        });
    });
    clients.join().expect("all answered");
}

async fn ask(address: SocketAddr, times: usize) {
    let mut stream = tokio::net::TcpStream::connect(address)
        .await
        .expect("a connection");
    stream.set_nodelay(true).expect("an option");
    let (reader, mut writer) = stream.split();
    let (mut reader, mut line) = (BufReader::new(reader), String::new());
    for _ in 0..times {
        writer.write_all(b"square 12\n").await.expect("sent");
        line.clear();
        reader.read_line(&mut line).await.expect("an answer");
        assert_eq!(line, "144\n");
    }
}
