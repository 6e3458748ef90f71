//! Bulk actions: ordered, counted, carried out, stopped; over the API and on pages.

use serde_json::Value;

use crate::client::{Ask, Reply, finished};
use crate::world::World;

async fn failed_tasks(world: &World, count: usize) {
    for number in 0..count {
        let body = format!(r#"{{"kind":"calc","payload":"{number} / 0","queue":"q"}}"#);
        finished(world, &body).await;
    }
}

async fn order(world: &World, body: &str) -> Reply {
    Ask::post("/v1/bulk", body)
        .header("Prefer: wait=10")
        .send(world)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_counted_and_then_acted_upon() {
    let world = World::new();
    failed_tasks(&world, 5).await;
    finished(&world, r#"{"op":"square","n":5}"#).await;
    let counted = order(
        &world,
        r#"{"action":"delete","filter":"queue:q","dry_run":true}"#,
    )
    .await;
    assert_eq!(counted.status, 200, "{}", counted.text());
    let dry = counted.json();
    let numbers = |bulk: &Value| ["matched", "done", "skipped"].map(|name| bulk[name].as_u64());
    assert_eq!(numbers(&dry), [Some(5), Some(0), Some(0)]);
    assert_eq!(
        (&dry["state"], &dry["kinds"][0]["tasks"]),
        (&"finished".into(), &5.into())
    );
    assert_eq!(dry["samples"].as_array().unwrap().len(), 3);
    let some = order(
        &world,
        r#"{"action":"delete","filter":"queue:q","limit":2}"#,
    )
    .await;
    assert_eq!(numbers(&some.json()), [Some(2), Some(2), Some(0)]);
    let again = order(
        &world,
        r#"{"action":"requeue","filter":"state:failed age:0s"}"#,
    )
    .await
    .json();
    assert_eq!(numbers(&again), [Some(3), Some(3), Some(0)], "{again}");
    let place = counted.header("location").unwrap();
    let shown = Ask::get(&format!("{place}?wait=1")).send(&world).await;
    assert_eq!(shown.json()["id"], dry["id"]);
    let list = Ask::get("/v1/bulk").send(&world).await.json();
    assert_eq!(list["bulk"].as_array().unwrap().len(), 3);
    assert_eq!(list["bulk"][0]["action"], "requeue", "newest first");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_or_runs_is_cancelled() {
    let world = World::new();
    for _ in 0..6 {
        Ask::post("/v1/tasks", r#"{"op":"sleep","ms":60000}"#)
            .send(&world)
            .await;
    }
    let body = r#"{"action":"cancel","filter":"kind:sleep"}"#;
    let cancelled = order(&world, body).await.json();
    assert_eq!(
        (&cancelled["done"], &cancelled["state"]),
        (&6.into(), &"finished".into())
    );
    let left = Ask::get("/v1/tasks?state=queued").send(&world).await.json();
    assert!(left["tasks"].as_array().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused() {
    let world = World::new();
    let table = [
        (r#"{"action":"delete","filter":""}"#, 422, "TAR-1209"),
        (
            r#"{"action":"delete","filter":"state:faild"}"#,
            422,
            "TAR-1209",
        ),
        (r#"{"action":"explode","filter":"a:b"}"#, 422, "TAR-1209"),
        (r#"{"action":"delete"}"#, 422, "TAR-1209"),
        (
            r#"{"action":"delete","filter":"kind:a","limit":0}"#,
            422,
            "TAR-1209",
        ),
        (
            r#"{"action":"delete","filter":"kind:a","dryrun":true}"#,
            400,
            "TAR-1202",
        ),
        (
            r#"{"action":"delete","action":"cancel","filter":"kind:a"}"#,
            400,
            "TAR-1201",
        ),
        ("[]", 400, "TAR-1201"),
    ];
    for (body, status, code) in table {
        let reply = Ask::post("/v1/bulk", body).send(&world).await;
        let problem = reply.problem(status, code);
        assert!(!problem["hint"].as_str().unwrap().is_empty(), "{problem}");
    }
    let nowhere = "/v1/bulk/0190a0a0-0000-7000-8000-000000000001";
    let unknown = Ask::get(nowhere)
        .send(&world)
        .await
        .problem(404, "TAR-1207");
    assert!(unknown["hint"].as_str().unwrap().contains("stays done"));
    Ask::post(&format!("{nowhere}/stop"), "")
        .send(&world)
        .await
        .problem(404, "TAR-1207");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_has_ended_stays_as_it_is() {
    let world = World::new();
    failed_tasks(&world, 1).await;
    let body = r#"{"action":"delete","filter":"state:failed","dry_run":true}"#;
    let done = order(&world, body).await.json();
    let path = format!("/v1/bulk/{}/stop", done["id"].as_str().unwrap());
    let stopped = Ask::post(&path, "").send(&world).await.json();
    assert_eq!(stopped, done);
}

async fn send(world: &World, path: &str, form: &str) -> Reply {
    let token = world_token(world).await;
    Ask::new("POST", path)
        .header("Content-Type: application/x-www-form-urlencoded")
        .body(format!("token={token}&{form}"))
        .send(world)
        .await
}

async fn world_token(world: &World) -> String {
    let page = Ask::get("/tasks?filter=kind%3Acalc").send(world).await;
    let text = page.text();
    let field = text.split("name=\"token\" value=\"").nth(1).unwrap();
    field.split('"').next().unwrap().to_owned()
}

async fn until_ended(world: &World, place: &str) -> String {
    for _ in 0..200 {
        let page = Ask::get(place).send(world).await;
        if !page.text().contains("data-poll") {
            return page.text().to_owned();
        }
    }
    panic!("{place} does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_count_first_and_then_do_it() {
    let world = World::new();
    failed_tasks(&world, 3).await;
    let list = Ask::get("/tasks?filter=kind%3Acalc").send(&world).await;
    assert!(list.text().contains("All that match:"), "{}", list.text());
    let counted = send(
        &world,
        "/bulk",
        "action=delete&filter=kind%3Acalc&dry_run=yes",
    )
    .await;
    assert_eq!(counted.status, 303, "{}", counted.text());
    let page = until_ended(&world, counted.header("location").unwrap()).await;
    assert!(
        page.contains("Count for: ") && page.contains("Remove: 3"),
        "{page}"
    );
    let done = send(&world, "/bulk", "action=delete&filter=kind%3Acalc").await;
    let page = until_ended(&world, done.header("location").unwrap()).await;
    assert!(page.contains("done"), "{page}");
    let left = Ask::get("/v1/tasks?kind=calc").send(&world).await.json();
    assert!(left["tasks"].as_array().unwrap().is_empty());
    assert!(
        Ask::get("/bulk")
            .send(&world)
            .await
            .text()
            .contains("kind:calc")
    );
    let forged = Ask::new("POST", "/bulk")
        .header("Content-Type: application/x-www-form-urlencoded")
        .body("action=delete&filter=age%3A0s")
        .send(&world)
        .await;
    assert_eq!(forged.status, 403);
}
