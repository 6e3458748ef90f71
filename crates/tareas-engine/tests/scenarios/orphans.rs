//! Blobs to which no record refers are removed, and no others.

use std::time::Duration;

use bytes::Bytes;
use tareas_core::{Actor, Body, Ending, TaskId};
use tareas_engine::ports::{BlobKey, Blobs};
use tareas_engine::services::OrphanSweeper;
use tareas_engine::{Claimed, NewArtifact, Submission};

use crate::world::{World, failure};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn large() -> Bytes {
    Bytes::from(format!("\"{}\"", "x".repeat(100_000)))
}

async fn put(world: &World, key: &BlobKey) {
    world.blobs().put(key, large()).await.unwrap();
}

async fn is_there(world: &World, key: &BlobKey) -> bool {
    world.blobs().get(key).await.is_ok()
}

/// Sweeps until nothing more is found; how many went. Time does not stand still meanwhile.
async fn sweep(world: &World) -> usize {
    let sweeper = OrphanSweeper::new(world.engine.clone());
    let walk = sweeper.walk();
    tokio::pin!(walk);
    loop {
        tokio::select! {
            removed = &mut walk => return removed,
            () = tokio::task::yield_now() => world.clock.advance(Duration::from_millis(10)),
        }
    }
}

async fn submit_large(world: &World) -> TaskId {
    let submission = Submission {
        payload: large(),
        ..world.square(1)
    };
    world.submit(submission).await.unwrap()
}

fn end_with_large_result(world: &World, claimed: &Claimed) {
    world.settle(claimed, Some(Ending::Succeeded(Body::Inline(large()))));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_dead_process_stored_and_never_recorded_is_removed_when_it_is_old() {
    let world = World::new();
    let never = TaskId::v7(world.engine.now(), 7);
    put(&world, &BlobKey::payload(never)).await;
    assert_eq!(sweep(&world).await, 0, "its record may still come");
    world.clock.advance(DAY);
    assert_eq!(sweep(&world).await, 0, "a retry may be on its way");
    world.clock.advance(DAY);
    assert_eq!(sweep(&world).await, 1);
    assert!(!is_there(&world, &BlobKey::payload(never)).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_record_names_stays() {
    let world = World::new();
    let id = submit_large(&world).await;
    world.clock.advance(2 * DAY);
    assert_eq!(sweep(&world).await, 0, "it waits");
    let claimed = world.take_one();
    assert_eq!(sweep(&world).await, 0, "it runs");
    end_with_large_result(&world, &claimed);
    assert_eq!(sweep(&world).await, 0, "it has ended");
    let task = world.task(id).await;
    assert_eq!(
        world
            .engine
            .body_bytes(task.result.as_ref().unwrap())
            .await
            .unwrap(),
        large()
    );
    assert_eq!(
        world.engine.body_bytes(&task.spec.payload).await.unwrap(),
        large()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_attempts_that_cannot_be_recorded_any_more_are_removed() {
    let world = World::new();
    let id = world.submit(world.square(1)).await.unwrap();
    let stale = BlobKey::result(id, 1, 7);
    put(&world, &stale).await;
    world.settle(&world.take_one(), Some(failure("no luck", true)));
    world.clock.advance(2 * DAY);
    assert_eq!(sweep(&world).await, 1, "attempt 1 is over");
    tareas_engine::services::Timer::new(world.engine.clone())
        .pass(world.engine.now())
        .await;
    let claimed = world.take_one();
    let on_its_way = BlobKey::result(id, claimed.task.attempt, 8);
    put(&world, &on_its_way).await;
    assert_eq!(sweep(&world).await, 0, "attempt 2 may name it yet");
    end_with_large_result(&world, &claimed);
    assert_eq!(sweep(&world).await, 1, "it named another one");
    assert!(!is_there(&world, &on_its_way).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_stay_as_long_as_the_result_that_they_came_with() {
    let world = World::new();
    let id = world.submit(world.square(1)).await.unwrap();
    let claimed = world.take_one();
    let stale = BlobKey::result_with_files(id, 1, 7, 2).with_files();
    for key in &stale {
        put(&world, key).await;
    }
    let file = NewArtifact {
        name: "a.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        bytes: Bytes::from_static(b"hello"),
    };
    let result = Bytes::from_static(b"1");
    let ending = world.engine.keep_artifacts(id, 1, result, vec![file]);
    let ending = ending.await;
    world.settle(&claimed, Some(ending));
    world.clock.advance(2 * DAY);
    assert_eq!(sweep(&world).await, stale.len(), "those of another try");
    let task = world.task(id).await;
    assert_eq!(tareas_engine::artifact_count(&task), 1);
    let (found, bytes) = world
        .engine
        .artifact(&task, "a.txt")
        .await
        .unwrap()
        .unwrap();
    assert_eq!((found.bytes, &bytes[..]), (5, &b"hello"[..]));
    assert!(
        world
            .engine
            .artifact(&task, "b.txt")
            .await
            .unwrap()
            .is_none()
    );
    world.engine.delete(id, Actor::System).await.unwrap();
    assert_eq!(world.blobs().list(None, 9).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_pages_of_orphans_go_in_one_walk() {
    let world = World::new();
    for number in 0..1_200 {
        let key = BlobKey::payload(TaskId::v7(world.engine.now(), number));
        world
            .blobs()
            .put(&key, Bytes::from_static(b"x"))
            .await
            .unwrap();
    }
    let kept = submit_large(&world).await;
    world.clock.advance(2 * DAY);
    assert_eq!(sweep(&world).await, 1_200);
    assert!(is_there(&world, &BlobKey::payload(kept)).await);
}
