//! The API describes itself, and what it describes is there.

use crate::client::{Ask, finished};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn every_described_operation_is_reached() {
    let world = World::new();
    let document = Ask::get("/v1/openapi.json").send(&world).await.json();
    assert_eq!(document["openapi"], "3.1.0");
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let path = path
                .replace("{id}", "0190a0a0-0000-7000-8000-000000000001")
                .replace("{queue}", "default")
                .replace("{code}", "TAR-1204")
                .replace("{name}", "x");
            if path == "/v1/events" {
                continue;
            }
            let ask =
                Ask::new(&method.to_uppercase(), &path).header("Content-Type: application/json");
            let reply = ask.send(&world).await;
            let answers = operation["responses"].as_object().unwrap();
            let status = reply.status.to_string();
            assert!(
                answers.contains_key(&status),
                "{method} {path}: {status} {}",
                reply.text()
            );
            let content = &answers[&status]["content"];
            let media = reply.header("content-type").unwrap_or_default();
            assert!(content.get(media).is_some(), "{method} {path}: {media}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_documentation_is_in_both_languages() {
    let world = World::new();
    let english = Ask::get("/docs").send(&world).await;
    assert_eq!(english.status, 200);
    for part in [
        "POST /v1/bulk",
        "curl -X POST &#39;http://localhost:5000/v1/tasks",
        "TAR-1204",
    ] {
        let plain = part.replace("&#39;", "'");
        let text = english.text();
        assert!(text.contains(part) || text.contains(&plain), "{part}");
    }
    let spanish = Ask::get("/docs?lang=es").send(&world).await;
    assert!(spanish.text().contains("Enviar una tarea"));
    let document = Ask::get("/v1/openapi.json?lang=es")
        .send(&world)
        .await
        .json();
    assert_eq!(
        document["paths"]["/v1/tasks"]["post"]["summary"],
        "Enviar una tarea"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_has_a_version() {
    let world = World::new();
    let task = finished(&world, r#"{"op":"square","n":5}"#).await;
    let path = format!("/v1/tasks/{}", task.task_id());
    let shown = Ask::get(&path).send(&world).await;
    let tag = shown.header("etag").unwrap();
    let known = Ask::get(&path)
        .header(&format!("If-None-Match: {tag}"))
        .send(&world)
        .await;
    assert_eq!((known.status, known.header("etag")), (304, Some(tag)));
    let other = Ask::get(&path)
        .header("If-None-Match: \"0\"")
        .send(&world)
        .await;
    assert_eq!(other.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_changed_since_it_was_seen_is_left_alone() {
    let world = World::new();
    let task = r#"{"kind":"echo","payload":1,"delay_ms":3600000}"#;
    let made = Ask::post("/v1/tasks", task).send(&world).await;
    let path = format!("/v1/tasks/{}", made.task_id());
    let tag = made.header("etag").unwrap().to_owned();
    let act = |method: &str, rest: &str, tag: &str| {
        let ask = Ask::new(method, &format!("{path}{rest}"));
        ask.header("Content-Type: application/json")
            .header(&format!("If-Match: {tag}"))
            .send(&world)
    };
    for wrong in ["\"99\"", "W/\"1\"", "x"] {
        act("POST", "/cancel", wrong).await.problem(412, "TAR-1216");
    }
    act("POST", "/cancel", "\"1\", \"2\"")
        .await
        .problem(422, "TAR-1209");
    assert_eq!(act("POST", "/cancel", &tag).await.status, 200);
    // What is so already is so.
    assert_eq!(act("POST", "/cancel", &tag).await.status, 200);
    act("POST", "/requeue", &tag).await.problem(412, "TAR-1216");
    act("DELETE", "", &tag).await.problem(412, "TAR-1216");
    let shown = Ask::get(&path).send(&world).await;
    let tag = shown.header("etag").unwrap().to_owned();
    assert_eq!(act("DELETE", "", &tag).await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn autoscalers_and_maps_get_plain_numbers() {
    let world = World::new();
    finished(&world, r#"{"op":"square","n":5}"#).await;
    Ask::post("/v1/queues/slow/pause", "").send(&world).await;
    for _ in 0..3 {
        Ask::post("/v1/tasks", r#"{"kind":"echo","queue":"slow"}"#)
            .send(&world)
            .await;
    }
    let scale = Ask::get("/v1/queues/slow/scale?within=1")
        .send(&world)
        .await
        .json();
    assert_eq!(
        (&scale["waiting"], &scale["running"]),
        (&3.into(), &0.into())
    );
    assert!(
        scale["oldest_ms"].is_u64() && scale["desired_threads"].as_u64() >= Some(1),
        "{scale}"
    );
    let queue = Ask::get("/v1/queues/slow").send(&world).await.json();
    assert_eq!(
        (&queue["paused"], &queue["queued"]),
        (&true.into(), &3.into())
    );
    Ask::get("/v1/queues/nobody")
        .send(&world)
        .await
        .problem(404, "TAR-1207");
    Ask::get("/v1/queues/slow/scale?within=0")
        .send(&world)
        .await
        .problem(422, "TAR-1209");
    let topology = Ask::get("/v1/topology").send(&world).await.json();
    assert_eq!(topology["workers"][0]["name"], "local");
    assert_eq!(topology["backends"]["records"]["product"], "memory");
    assert_eq!(topology["store_up"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_find_by_words_and_numbers() {
    let world = World::new();
    for n in 0..4 {
        let body =
            format!(r#"{{"kind":"square","payload":{n},"priority":{n},"metadata":{{"n":"{n}"}}}}"#);
        finished(&world, &body).await;
    }
    finished(&world, r#"{"kind":"calc","payload":"1 / 0"}"#).await;
    for (filter, count) in [
        ("priority:>=2", 3),
        ("-kind:calc priority:0..1", 2),
        ("meta.n:3", 1),
        ("error:ZERO", 1),
        ("error:TAR-3004", 1),
        ("error:TAR-3002", 0),
        ("since:1h", 5),
        ("until:1h", 0),
        ("wait:<1h run:<1h", 5),
        ("reason:rejected", 1),
        ("id:0", 5),
        ("worker:local", 0),
    ] {
        let query = form_urlencoded::byte_serialize(filter.as_bytes()).collect::<String>();
        let page = Ask::get(&format!("/v1/tasks?filter={query}"))
            .send(&world)
            .await
            .json();
        assert_eq!(
            page["tasks"].as_array().map(Vec::len),
            Some(count),
            "{filter}: {page}"
        );
    }
    let one = Ask::get("/v1/tasks?limit=1&filter=error%3Azero")
        .send(&world)
        .await
        .json();
    let id = one["tasks"][0]["task_id"].as_str().unwrap();
    let by_id = Ask::get(&format!("/v1/tasks?filter=id%3A{id}"))
        .send(&world)
        .await
        .json();
    assert_eq!(by_id["tasks"][0]["kind"], "calc");
    let wrong = Ask::get("/v1/tasks?filter=kind%3Aa%20staet%3Ab")
        .send(&world)
        .await;
    let problem = wrong.problem(422, "TAR-1209");
    assert!(
        problem["detail"].as_str().unwrap().contains("character 8"),
        "{problem}"
    );
}
