//! Looking at tasks and acting on them.

use tokio::io::AsyncWriteExt;

use crate::client::{Ask, Reply, connect, finished};
use crate::world::{World, until};

async fn get(world: &World, path: &str) -> Reply {
    Ask::get(path).send(world).await
}

/// A task that has not ended for a long time.
async fn sleeping(world: &World) -> String {
    let body = r#"{"op":"sleep","ms":60000}"#;
    Ask::post("/v1/tasks", body).send(world).await.task_id()
}

async fn scheduled(world: &World) -> String {
    let body = r#"{"kind":"echo","payload":1,"delay_ms":600000}"#;
    Ask::post("/v1/tasks", body).send(world).await.task_id()
}

async fn act(world: &World, id: &str, verb: &str) -> Reply {
    Ask::post(&format!("/v1/tasks/{id}/{verb}"), "")
        .send(world)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_result_is_served_as_it_is() {
    let world = World::new();
    let id = finished(&world, r#"{"kind":"text","payload":{"bytes":20}}"#)
        .await
        .task_id();
    let path = format!("/v1/tasks/{id}/result");
    let whole = get(&world, &path).await;
    assert_eq!(whole.status, 200);
    assert_eq!(whole.header("content-type"), Some("application/json"));
    assert_eq!(whole.header("accept-ranges"), Some("bytes"));
    assert_eq!(whole.body.len(), 22);
    let part = Ask::get(&path)
        .header("Range: bytes=1-4")
        .send(&world)
        .await;
    assert_eq!(part.status, 206);
    assert_eq!(part.header("content-range"), Some("bytes 1-4/22"));
    assert_eq!(part.body, whole.body[1..5]);
    let outside = Ask::get(&path)
        .header("Range: bytes=22-")
        .send(&world)
        .await;
    assert_eq!(
        (outside.status, outside.header("content-range")),
        (416, Some("bytes */22"))
    );
    let tag = whole.header("etag").unwrap();
    let same = Ask::get(&path)
        .header(&format!("If-None-Match: {tag}"))
        .send(&world)
        .await;
    assert_eq!((same.status, same.body.len()), (304, 0));
    let head = Ask::new("HEAD", &path).send(&world).await;
    assert_eq!(
        (head.status, head.header("content-length")),
        (200, Some("22"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_result_it_says_why() {
    let world = World::new();
    let id = scheduled(&world).await;
    get(&world, &format!("/v1/tasks/{id}/result"))
        .await
        .problem(409, "TAR-1212");
    let id = finished(&world, r#"{"kind":"calc","payload":"1 / 0"}"#)
        .await
        .task_id();
    let problem = get(&world, &format!("/v1/tasks/{id}/result"))
        .await
        .problem(409, "TAR-1210");
    assert_eq!(problem["task_id"], id);
    let nobody = "0190c1f0-0000-7000-8000-000000000001";
    get(&world, &format!("/v1/tasks/{nobody}/result"))
        .await
        .problem(404, "TAR-1207");
    for path in [format!("/v1/tasks/{nobody}"), "/v1/tasks/7".to_owned()] {
        get(&world, &path).await.problem(404, "TAR-1207");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_is_told_when_it_ends() {
    let world = World::new();
    let body = r#"{"op":"sleep","ms":100}"#;
    let id = Ask::post("/v1/tasks", body).send(&world).await.task_id();
    let task = get(&world, &format!("/v1/tasks/{id}/wait?timeout_ms=10000"))
        .await
        .json();
    assert_eq!(
        (task["status"].as_str(), task["result"].as_i64()),
        (Some("succeeded"), Some(100))
    );
    let task = get(&world, &format!("/v1/tasks/{id}?wait=10")).await.json();
    assert_eq!(task["status"], "succeeded");
    let id = scheduled(&world).await;
    let task = get(&world, &format!("/v1/tasks/{id}/wait?timeout_ms=20"))
        .await
        .json();
    assert_eq!(task["status"], "scheduled");
    let path = format!("/v1/tasks/{id}/wait?timeout_ms=3600001");
    get(&world, &path).await.problem(422, "TAR-1209");
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_ends_when_the_server_stops() {
    let world = World::new();
    let id = scheduled(&world).await;
    let path = format!("/v1/tasks/{id}/wait");
    let (reply, ()) = tokio::join!(get(&world, &path), async {
        until(|| world.state.engine.watched() > 0).await;
        world.stop.cancel();
    });
    assert_eq!(
        (reply.status, reply.json()["status"].as_str()),
        (200, Some("scheduled"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_who_has_left() {
    let world = World::new();
    let id = scheduled(&world).await;
    let mut stream = connect(&world);
    let ask = Ask::get(&format!("/v1/tasks/{id}/wait")).bytes();
    stream.write_all(&ask).await.unwrap();
    until(|| world.state.engine.watched() == 1).await;
    drop(stream);
    until(|| world.state.engine.watched() == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_it_waits_is_told() {
    let world = World::new();
    let id = scheduled(&world).await;
    let why = get(&world, &format!("/v1/tasks/{id}/why")).await.json();
    assert_eq!(why["code"], "not_due");
    assert!(why["message"].as_str().unwrap().starts_with("it is due in"));
    let id = finished(&world, r#"{"op":"echo"}"#).await.task_id();
    assert!(
        get(&world, &format!("/v1/tasks/{id}/why"))
            .await
            .json()
            .is_null()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_is_honest() {
    let world = World::new();
    let waiting = scheduled(&world).await;
    let cancelled = act(&world, &waiting, "cancel").await;
    assert_eq!(cancelled.status, 200, "{}", cancelled.text());
    assert_eq!(
        cancelled.text(),
        format!(r#"{{"task_id":"{waiting}","status":"cancelled"}}"#)
    );
    let running = sleeping(&world).await;
    until(|| {
        world
            .state
            .engine
            .slots()
            .iter()
            .any(|slot| slot.running.is_some())
    })
    .await;
    let asked = act(&world, &running, "cancel").await;
    assert_eq!(asked.status, 202, "{}", asked.text());
    let expected =
        format!(r#"{{"task_id":"{running}","status":"running","cancel_requested":true}}"#);
    assert_eq!(asked.text(), expected);
    let done = finished(&world, r#"{"op":"echo"}"#).await.task_id();
    act(&world, &done, "cancel").await.problem(409, "TAR-1210");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_task_may_be_requeued() {
    let world = World::new();
    let id = scheduled(&world).await;
    act(&world, &id, "cancel").await;
    let requeued = act(&world, &id, "requeue").await;
    assert_eq!(requeued.status, 202, "{}", requeued.text());
    assert_eq!(requeued.task_id(), id);
    let task = get(&world, &format!("/v1/tasks/{id}/wait?timeout_ms=10000"))
        .await
        .json();
    assert_eq!(
        (task["status"].as_str(), task["result"].as_i64()),
        (Some("succeeded"), Some(1))
    );
    act(&world, &id, "requeue").await.problem(409, "TAR-1210");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finished_task_may_be_deleted() {
    let world = World::new();
    let done = finished(&world, r#"{"op":"echo"}"#).await.task_id();
    let open = scheduled(&world).await;
    let delete = |id: &str| Ask::delete(&format!("/v1/tasks/{id}")).send(&world);
    delete(&open).await.problem(409, "TAR-1210");
    let deleted = delete(&done).await;
    assert_eq!((deleted.status, deleted.body.len()), (204, 0));
    get(&world, &format!("/v1/tasks/{done}"))
        .await
        .problem(404, "TAR-1207");
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_paged() {
    let world = World::new();
    for n in 0..5 {
        finished(
            &world,
            &format!(r#"{{"kind":"square","payload":{n},"queue":"q1"}}"#),
        )
        .await;
    }
    finished(&world, r#"{"kind":"calc","payload":"1 / 0"}"#).await;
    let world = &world;
    let all = get(world, "/v1/tasks").await.json();
    assert_eq!(all["tasks"].as_array().unwrap().len(), 6);
    assert_eq!(all["tasks"][0]["kind"], "calc", "newest first");
    assert!(all["tasks"][0].get("payload").is_none() && all["tasks"][1].get("result").is_none());
    assert!(all["next_cursor"].is_null());
    for (query, count) in [
        ("filter=state:failed", 1),
        ("filter=state:succeeded%20kind:square%20queue:q1", 5),
        ("state=failed,succeeded&queue=default", 1),
        ("kind=nothing", 0),
    ] {
        let path = format!("/v1/tasks?{query}");
        let tasks = get(world, &path).await.json()["tasks"]
            .as_array()
            .unwrap()
            .len();
        assert_eq!(tasks, count, "{query}");
    }
    for (query, code) in [
        ("filter=staet:failed", "TAR-1209"),
        ("state=nope", "TAR-1209"),
        ("limit=201", "TAR-1209"),
        ("cursor=x", "TAR-1209"),
    ] {
        get(world, &format!("/v1/tasks?{query}"))
            .await
            .problem(422, code);
    }
    get(world, "/v1/tasks?limt=1")
        .await
        .problem(400, "TAR-1202");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_follow_one_another() {
    let world = World::new();
    for n in 0..5 {
        finished(&world, &format!(r#"{{"kind":"square","payload":{n}}}"#)).await;
    }
    let mut path = "/v1/tasks?limit=2&kind=square".to_owned();
    let mut seen = Vec::new();
    loop {
        let reply = get(&world, &path).await;
        let page = reply.json();
        seen.extend(
            page["tasks"]
                .as_array()
                .unwrap()
                .iter()
                .map(|task| task["task_id"].clone()),
        );
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        let link = reply.header("link").unwrap();
        assert!(
            link.ends_with("; rel=\"next\"") && link.contains(cursor),
            "{link}"
        );
        path = format!("/v1/tasks?limit=2&kind=square&cursor={cursor}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 5);
}
