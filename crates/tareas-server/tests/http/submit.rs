//! `POST /v1/tasks` and `POST /v1/tasks/batch`.

use serde_json::json;

use crate::client::{Ask, finished};
use crate::world::World;

type Outcome = (u16, &'static str);

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_accepted_and_can_be_found() {
    let world = World::new();
    let reply = Ask::post("/v1/tasks", r#"{"op":"sleep","ms":5000}"#)
        .send(&world)
        .await;
    assert_eq!(reply.status, 202, "{}", reply.text());
    let id = reply.task_id();
    assert_eq!(
        reply.header("location"),
        Some(format!("/v1/tasks/{id}").as_str())
    );
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let task = reply.json();
    assert_eq!(task["kind"], "sleep");
    assert_eq!(task["payload"], json!({"ms": 5000}));
    assert_eq!(task["queue"], "default");
    assert_eq!(task["priority"], 5);
    let found = Ask::get(&format!("/v1/tasks/{id}")).send(&world).await;
    assert_eq!((found.status, found.task_id()), (200, id));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_prefers_to_wait_gets_the_result() {
    let world = World::new();
    let ask = Ask::post("/v1/tasks", r#"{"op":"square","n":5}"#).header("Prefer: wait=10");
    let reply = ask.send(&world).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(reply.header("preference-applied"), Some("wait=10"));
    assert_eq!(reply.json()["status"], "succeeded");
    assert_eq!(reply.json()["result"], 25);
    let failed = finished(&world, r#"{"kind":"calc","payload":"1 / 0"}"#).await;
    assert_eq!(failed.json()["status"], "failed");
    assert_eq!(failed.json()["error"]["code"], "TAR-3004");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_ends_in_time() {
    let world = World::new();
    let ask = Ask::post("/v1/tasks", r#"{"op":"sleep","ms":60000}"#).header("Prefer: wait=1");
    let reply = ask.send(&world).await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.header("preference-applied"), Some("wait=1"));
    assert_eq!(reply.json()["status"], "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_full_form_says_everything() {
    let world = World::new();
    let body = r#"{"kind":"echo","payload":[1],"queue":"slow","priority":9,"delay_ms":60000,
        "max_attempts":2,"metadata":{"a":"b"},"requires":[],"idempotency_key":"k1"}"#;
    let task = Ask::post("/v1/tasks", body).send(&world).await.json();
    assert_eq!(task["status"], "scheduled");
    assert_eq!(task["queue"], "slow");
    assert_eq!(task["priority"], 9);
    assert_eq!(task["max_attempts"], 2);
    assert_eq!(task["metadata"], json!({"a": "b"}));
    assert_eq!(task["idempotency_key"], "k1");
    assert_eq!(task["why"]["code"], "not_due");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_is_one_task() {
    let world = World::new();
    let send = |key: &'static str, body: &'static str| {
        let ask = Ask::post("/v1/tasks", body).header(&format!("Idempotency-Key: {key}"));
        ask.send(&world)
    };
    let first = send("order-1", r#"{"op":"square","n":2}"#).await;
    let again = send("\"order-1\"", r#"{"op":"square","n":2}"#).await;
    assert_eq!((first.status, again.status), (202, 200));
    assert_eq!(first.header("idempotent-replayed"), None);
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    assert_eq!(first.task_id(), again.task_id());
    send("order-1", r#"{"op":"square","n":3}"#)
        .await
        .problem(422, "TAR-1206");
    send("not a name", r#"{"op":"square","n":3}"#)
        .await
        .problem(422, "TAR-1209");
    let other = r#"{"kind":"square","payload":2,"idempotency_key":"order-2"}"#;
    send("order-1", other).await.problem(422, "TAR-1209");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_with_its_code() {
    let world = World::new();
    let table: [(&str, Outcome); 7] = [
        (r#"{"op":"sqaure","n":5}"#, (422, "TAR-1204")),
        (r#"{"op":"square","n":5"#, (400, "TAR-1201")),
        (
            r#"{"kind":"square","payload":5,"prioritee":3}"#,
            (400, "TAR-1202"),
        ),
        (
            r#"{"kind":"square","payload":5,"priority":10}"#,
            (422, "TAR-1209"),
        ),
        (r#"{"kind":"square","kind":"square"}"#, (400, "TAR-1201")),
        (r#"[1]"#, (400, "TAR-1201")),
        ("", (400, "TAR-1201")),
    ];
    for (body, (status, code)) in table {
        Ask::post("/v1/tasks", body)
            .send(&world)
            .await
            .problem(status, code);
    }
    let unknown = Ask::post("/v1/tasks", r#"{"op":"sqaure"}"#)
        .send(&world)
        .await;
    assert_eq!(unknown.json()["hint"], "did you mean 'square'?");
    Ask::post("/v1/tasks?wiat=1", "{}")
        .send(&world)
        .await
        .problem(400, "TAR-1202");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_item_by_item() {
    let world = World::new();
    let body = r#"[{"op":"square","n":1},{"op":"nope"},{"kind":"echo","bogus":1},{"op":"echo"}]"#;
    let reply = Ask::post("/v1/tasks/batch", body).send(&world).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let tasks = reply.json()["tasks"].clone();
    assert_eq!(tasks[0]["status"], "queued");
    assert_eq!(tasks[1]["error"]["code"], "TAR-1204");
    assert_eq!(tasks[2]["error"]["code"], "TAR-1202");
    assert_eq!(tasks[2]["error"]["pointer"], "/2/bogus");
    assert_eq!(tasks[3]["status"], "queued");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_may_be_lines() {
    let world = World::new();
    let lines = "{\"op\":\"square\",\"n\":1}\n\n{\"op\":\r\n{\"op\":\"echo\"}";
    let ask = Ask::new("POST", "/v1/tasks/batch").header("Content-Type: application/x-ndjson");
    let reply = ask.body(lines).send(&world).await;
    let tasks = reply.json()["tasks"].clone();
    assert_eq!(tasks.as_array().unwrap().len(), 3, "{tasks}");
    assert_eq!(tasks[0]["status"], "queued");
    assert_eq!(tasks[1]["error"]["code"], "TAR-1201");
    assert_eq!(tasks[2]["status"], "queued");
    Ask::post("/v1/tasks/batch", "{}")
        .send(&world)
        .await
        .problem(400, "TAR-1201");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_server_takes_nothing_new() {
    let world = World::new();
    world.state.engine.drain();
    let reply = Ask::post("/v1/tasks", r#"{"op":"echo"}"#)
        .send(&world)
        .await;
    reply.problem(503, "TAR-1305");
    assert_eq!(reply.header("retry-after"), Some("1"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_hands_its_place_in_a_trace_on() {
    const HEADER: &str = "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let world = World::new();
    let trace = |path, body: &'static str, header| {
        let ask = Ask::post(path, body).header(header);
        let world = &world;
        async move {
            let id = ask.send(world).await.json();
            let id = id["task_id"]
                .as_str()
                .or(id["tasks"][0]["task_id"].as_str());
            let shown = Ask::get(&format!("/v1/tasks/{}", id.unwrap()))
                .send(world)
                .await;
            shown.json()["trace_id"].as_str().map(str::to_owned)
        }
    };
    let (said, own) = ("0af7651916cd43dd8448eb211c80319c", "1".repeat(32));
    let one = r#"{"op":"square","n":5}"#;
    assert_eq!(trace("/v1/tasks", one, HEADER).await.as_deref(), Some(said));
    let many = r#"[{"op":"square","n":5}]"#;
    assert_eq!(
        trace("/v1/tasks/batch", many, HEADER).await.as_deref(),
        Some(said)
    );
    // What the task says itself counts for more; what cannot be read counts for nothing.
    let with_own = r#"{"kind":"square","payload":5,
        "traceparent":"00-11111111111111111111111111111111-b7ad6b7169203331-01"}"#;
    assert_eq!(trace("/v1/tasks", with_own, HEADER).await, Some(own));
    assert_eq!(trace("/v1/tasks", one, "traceparent: nonsense").await, None);
    let refused = Ask::post("/v1/tasks", r#"{"op":"squar"}"#).header(HEADER);
    assert_eq!(refused.send(&world).await.json()["trace_id"], said);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_submission_by_another_span_is_the_same() {
    let world = World::new();
    let submit = |span: &str| {
        let parent = format!("00-{}-{span}-01", "1".repeat(32));
        let body = format!(
            r#"{{"kind":"square","payload":5,"idempotency_key":"k","traceparent":"{parent}"}}"#
        );
        let world = &world;
        async move { Ask::post("/v1/tasks", &body).send(world).await }
    };
    let (first, again) = (
        submit("000000000000000a").await,
        submit("000000000000000b").await,
    );
    assert_eq!((first.status, again.status), (202, 200), "{}", again.text());
    assert_eq!(first.task_id(), again.task_id());
}
