//! What the pages show of workers that are not threads of the server.

use std::sync::Arc;
use std::time::Duration;

use tareas_core::{Kind, Position, TaskId};
use tareas_engine::{Assigned, Courier, WorkerHello};

use crate::client::Ask;
use crate::world::{World, until};

/// A worker that is given tasks, and keeps them.
#[derive(Debug)]
struct Keeps;

impl Courier for Keeps {
    fn assign(&self, _: Position, _: Vec<Assigned>) {}

    fn cancel(&self, _: Position, _: TaskId, _: u64) {}

    fn drain(&self) {}

    fn replaced(&self) {}
}

fn hello() -> WorkerHello {
    WorkerHello {
        name: "atelier-7".to_owned(),
        address: "127.0.0.1:9".to_owned(),
        queues: Vec::new(),
        kinds: vec![Kind::new("paint").unwrap()],
        labels: vec!["gpu".into()],
        slots: 3,
        prefetch: 0,
        resume: None,
        holding: Vec::new(),
    }
}

async fn page(world: &World, path: &str) -> String {
    let page = Ask::get(path).header("Accept: text/html").send(world).await;
    page.text().to_owned()
}

/// Waits until the map says this: a picture is shown for a second.
#[expect(
    clippy::disallowed_methods,
    reason = "pictures are made by the clock of the machine"
)]
async fn told_on_map(world: &World, what: &str) {
    for _ in 0..300 {
        if page(world, "/").await.contains(what) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("no {what} on {}", page(world, "/").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_remote_worker_and_what_it_holds_are_shown_and_missed_when_it_is_gone() {
    let world = World::new();
    let engine = &world.state.engine;
    let opened = engine.work(hello(), Arc::new(Keeps)).await.unwrap();
    let id = Ask::post("/v1/tasks", r#"{"op":"paint","colour":"red"}"#)
        .send(&world)
        .await
        .task_id();
    until(|| engine.workers().iter().any(|worker| worker.running == 1)).await;
    let workers = page(&world, "/workers").await;
    for shown in [
        "atelier-7",
        "remote worker",
        "1/3",
        "paint",
        "labels: gpu",
        &id,
    ] {
        assert!(workers.contains(shown), "no {shown} in {workers}");
    }
    let map = page(&world, "/").await;
    assert!(
        map.contains("atelier-7") && map.contains("Workers"),
        "{map}"
    );
    assert!(!map.contains("is gone"), "{map}");

    engine.leave(&opened.link, false).await;
    told_on_map(&world, "worker atelier-7 is gone; tasks in its hands: 1").await;
    // Whoever looks later is told, too.
    told_on_map(&world, "tasks put back in line: 1").await;
    let _back = engine.work(hello(), Arc::new(Keeps)).await.unwrap();
    until(|| engine.workers_lost().is_empty()).await;
}
