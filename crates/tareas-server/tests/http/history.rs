//! What the server did, step by step: for programs and for people.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tareas_engine::ports::{BoxError, Chronicle};
use tareas_engine::services::Historian;

use crate::client::{Ask, finished};
use crate::world::World;

/// Keeps it in memory, where a next life finds it.
#[derive(Clone, Debug, Default)]
struct Memory(Arc<Mutex<Option<Vec<u8>>>>);

#[async_trait]
impl Chronicle for Memory {
    async fn read(&self) -> Result<Option<Vec<u8>>, BoxError> {
        Ok(self.0.lock().unwrap().clone())
    }

    async fn write(&self, bytes: Vec<u8>) -> Result<(), BoxError> {
        *self.0.lock().unwrap() = Some(bytes);
        Ok(())
    }
}

/// A historian of this world, who has begun to count.
fn historian(world: &World, kept: &Memory) -> Historian {
    let engine = Arc::clone(&world.state.engine);
    let mut historian = Historian::new(engine, Box::new(kept.clone()));
    historian.beat();
    historian
}

/// All steps of this path, summed up by member.
async fn sums(world: &World, path: &str) -> [u64; 3] {
    let shown = Ask::get(path).send(world).await;
    assert_eq!(shown.status, 200, "{}", shown.text());
    let shown = shown.json();
    let steps = shown["steps"].as_array().unwrap();
    let sum = |name: &str| steps.iter().map(|step| step[name].as_u64().unwrap()).sum();
    ["accepted", "ended", "failed"].map(sum)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_told_by_step_and_queue_and_outlives_the_server() {
    let kept = Memory::default();
    let world = World::new();
    let mut historian = historian(&world, &kept);
    finished(&world, r#"{"op":"square","n":5}"#).await;
    historian.beat();
    finished(
        &world,
        r#"{"kind":"square","payload":{"n":5},"queue":"mail"}"#,
    )
    .await;
    finished(
        &world,
        r#"{"kind":"dividir","payload":"1 0","queue":"mail"}"#,
    )
    .await;
    historian.beat();
    historian.keep().await;

    let next = World::new();
    self::historian(&next, &kept).remember().await;
    for world in [&world, &next] {
        for step in [1, 10, 60] {
            let path = format!("/v1/history?step={step}");
            assert_eq!(sums(world, &path).await, [3, 3, 1]);
            let of_default = format!("{path}&queue=default");
            assert_eq!(sums(world, &of_default).await, [1, 1, 0]);
            assert_eq!(sums(world, &format!("{path}&queue=nobody")).await, [0; 3]);
        }
        for span in ["5m", "1h", "24h"] {
            let page = Ask::get(&format!("/history?span={span}")).send(world).await;
            assert_eq!(page.text().matches("<polyline").count(), 7, "{span}");
        }
    }
    assert_eq!(sums(&next, "/v1/history?queue=mail").await[2], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_refused() {
    let world = World::new();
    for path in [
        "/v1/history?step=7",
        "/v1/history?queue=%20",
        "/v1/history?since=1h",
        "/history?span=1y",
    ] {
        let refused = Ask::get(path)
            .header("Accept: text/html")
            .send(&world)
            .await;
        assert!(
            [400, 422].contains(&refused.status),
            "{path}: {}",
            refused.status
        );
    }
    let empty = Ask::get("/history?lang=es").send(&world).await;
    assert!(empty.text().contains("Todavía no se sabe nada"));
}
