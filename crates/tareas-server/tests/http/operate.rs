//! Queues, workers, kinds, probes and metrics.

use crate::client::{Ask, finished};
use crate::world::{THREADS, World, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_is_paused_and_resumed() {
    let world = World::new();
    finished(&world, r#"{"kind":"echo","queue":"mail"}"#).await;
    let paused = Ask::post("/v1/queues/mail/pause", "").send(&world).await;
    assert_eq!(
        (paused.status, paused.text()),
        (200, r#"{"queue":"mail","paused":true}"#)
    );
    let body = r#"{"kind":"echo","queue":"mail"}"#;
    let id = Ask::post("/v1/tasks", body).send(&world).await.task_id();
    let queues = Ask::get("/v1/queues").send(&world).await.json();
    let mail = queues["queues"]
        .as_array()
        .unwrap()
        .iter()
        .find(|queue| queue["name"] == "mail");
    let expected = serde_json::json!({"name": "mail", "paused": true, "scheduled": 0, "queued": 1,
        "running": 0, "succeeded": 1, "failed": 0, "cancelled": 0});
    assert_eq!(mail, Some(&expected));
    let why = Ask::get(&format!("/v1/tasks/{id}/why"))
        .send(&world)
        .await
        .json();
    assert_eq!(why["code"], "queue_paused");
    Ask::post("/v1/queues/mail/resume", "").send(&world).await;
    let task = Ask::get(&format!("/v1/tasks/{id}?wait=10"))
        .send(&world)
        .await
        .json();
    assert_eq!(task["status"], "succeeded");
    Ask::post("/v1/queues/a%20b/pause", "")
        .send(&world)
        .await
        .problem(422, "TAR-1209");
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_tell_what_they_run() {
    let world = World::new();
    let body = r#"{"op":"sleep","ms":60000}"#;
    let id = Ask::post("/v1/tasks", body).send(&world).await.task_id();
    until(|| {
        world
            .state
            .engine
            .slots()
            .iter()
            .any(|slot| slot.running.is_some())
    })
    .await;
    let workers = Ask::get("/v1/workers").send(&world).await.json();
    let own = &workers["workers"][0];
    assert_eq!(own["name"], "local");
    assert_eq!(own["threads"], THREADS);
    assert_eq!(own["busy"], 1);
    let slots = own["slots"].as_array().unwrap();
    let busy = slots
        .iter()
        .find(|slot| slot["task_id"] == id.as_str())
        .unwrap();
    assert_eq!(busy["kind"], "sleep");
    assert_eq!(busy["attempt"], 1);
    assert!(busy["running_ms"].is_u64());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_kinds_are_listed() {
    let world = World::new();
    let kinds = Ask::get("/v1/kinds").send(&world).await.json();
    let kinds: Vec<_> = kinds["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .map(|kind| kind["kind"].clone())
        .collect();
    assert!(
        kinds.contains(&"square".into()) && kinds.contains(&"sumar".into()),
        "{kinds:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_say_little() {
    let world = World::new();
    let get = |path: &'static str| Ask::get(path).send(&world);
    assert_eq!(get("/livez").await.text(), "ok\n");
    assert_eq!(get("/readyz").await.text(), "ok\n");
    assert_eq!(
        get("/readyz?verbose").await.text(),
        "[+] store ok\n[+] accepting ok\nok\n"
    );
    world.state.engine.drain();
    assert_eq!(get("/livez").await.status, 200);
    let ready = get("/readyz?verbose").await;
    assert_eq!(ready.status, 503);
    assert_eq!(
        ready.text(),
        "[+] store ok\n[-] accepting failed\ndraining\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_open_metrics() {
    let world = World::new();
    finished(&world, r#"{"op":"square","n":5}"#).await;
    finished(&world, r#"{"kind":"calc","payload":"1 / 0"}"#).await;
    let reply = Ask::get("/metrics").send(&world).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(reply.header("content-type"), Some(kind));
    let text = reply.text();
    for line in [
        "# TYPE tareas_tasks_submitted counter\n",
        "tareas_tasks_submitted_total{queue=\"default\"} 2\n",
        "tareas_tasks_finished_total{queue=\"default\",kind=\"square\",outcome=\"succeeded\"} 1\n",
        "tareas_tasks_finished_total{queue=\"default\",kind=\"calc\",outcome=\"failed\"} 1\n",
        "tareas_task_run_seconds_count 2\n",
        "tareas_queue_tasks{queue=\"default\",state=\"succeeded\"} 1\n",
        "tareas_worker_threads{worker=\"local\",state=\"idle\"} 2\n",
        "tareas_backend_up{backend=\"records\"} 1\n",
        "tareas_build_info{version=",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(text.ends_with("# EOF\n"));
    families_are_whole(text);
}

/// Each family is described once, and its samples follow its description.
fn families_are_whole(text: &str) {
    let mut families = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().unwrap();
            assert!(!families.contains(&name), "{name} stands twice");
            families.push(name);
        } else if !line.starts_with('#') {
            let family = families.last().unwrap();
            assert!(line.starts_with(family), "{line} after {family}");
        }
    }
}
