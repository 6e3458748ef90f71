//! A remote worker that a test plays: it collects what it is brought, and reports.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tareas_core::{Ending, Position, TaskId};
use tareas_engine::{
    Assigned, Courier, Engine, HeldBy, Opened, Said, SessionLink, Telling, Verdict, WorkerHello,
};

use super::world::kind;

#[derive(Debug, Default)]
pub(crate) struct Letters {
    assigned: Mutex<Vec<Assigned>>,
    cancelled: Mutex<Vec<(TaskId, u64)>>,
    pub(crate) events: Mutex<Vec<&'static str>>,
}

impl Courier for Letters {
    fn assign(&self, _position: Position, assigned: Vec<Assigned>) {
        self.assigned.lock().unwrap().extend(assigned);
    }

    fn cancel(&self, _position: Position, task: TaskId, attempt: u64) {
        self.cancelled.lock().unwrap().push((task, attempt));
    }

    fn drain(&self) {
        self.events.lock().unwrap().push("drain");
    }

    fn replaced(&self) {
        self.events.lock().unwrap().push("replaced");
    }
}

#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) engine: Arc<Engine>,
    pub(crate) letters: Arc<Letters>,
    pub(crate) link: SessionLink,
    pub(crate) resume: String,
    pub(crate) is_resumed: bool,
    pub(crate) dropped: Vec<HeldBy>,
}

pub(crate) fn hello(kinds: &[&str], slots: u16) -> WorkerHello {
    WorkerHello {
        name: "w".to_owned(),
        address: "127.0.0.1:1".to_owned(),
        queues: Vec::new(),
        kinds: kinds.iter().map(|name| kind(name)).collect(),
        labels: Vec::new(),
        slots,
        prefetch: 0,
        resume: None,
        holding: Vec::new(),
    }
}

pub(crate) fn held(assigned: &Assigned) -> HeldBy {
    HeldBy {
        task: assigned.task.id(),
        attempt: assigned.task.attempt,
        token: assigned.token,
    }
}

impl Worker {
    pub(crate) async fn connect(engine: &Arc<Engine>, hello: WorkerHello) -> Self {
        let letters = Arc::new(Letters::default());
        let opened = engine.work(hello, letters.clone()).await.unwrap();
        let Opened {
            link,
            resume,
            is_resumed,
            dropped,
            ..
        } = opened;
        let engine = engine.clone();
        Self {
            engine,
            letters,
            link,
            resume,
            is_resumed,
            dropped,
        }
    }

    /// What it was brought, as soon as that is at least one.
    pub(crate) async fn brought(&self) -> Vec<Assigned> {
        eventually(|| !self.letters.assigned.lock().unwrap().is_empty()).await;
        self.take()
    }

    pub(crate) fn take(&self) -> Vec<Assigned> {
        std::mem::take(&mut self.letters.assigned.lock().unwrap())
    }

    pub(crate) fn cancelled(&self) -> Vec<(TaskId, u64)> {
        std::mem::take(&mut self.letters.cancelled.lock().unwrap())
    }

    pub(crate) async fn ended(&self, held: HeldBy, ending: Option<Ending>) -> Verdict {
        let run_time = Some(Duration::from_micros(100));
        let files = Vec::new();
        let said = Said::Ended {
            ending,
            thread: None,
            run_time,
            files,
        };
        self.says(held, said).await
    }

    pub(crate) async fn says(&self, held: HeldBy, said: Said) -> Verdict {
        let tellings = vec![Telling { held, said }];
        self.engine.report(&self.link, tellings).await.unwrap().0[0]
    }
}

/// Lets everything else run until this holds.
pub(crate) async fn eventually(mut holds: impl FnMut() -> bool) {
    for _ in 0..1_000_000 {
        if holds() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never held");
}

/// Lets everything else run for a good while.
pub(crate) async fn a_while() {
    for _ in 0..2_000 {
        tokio::task::yield_now().await;
    }
}
