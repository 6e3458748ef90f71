//! What each command is answered with, beyond the conversations of the protocol page.

use std::time::{Duration, Instant};

use super::support::Server;

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_scheduled_is_waited_for_and_cancelled() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let id = client
        .ask(r#"{"cmd":"submit","kind":"echo","delay_ms":600000,"ref":"s"}"#)
        .await["task_id"]
        .clone();
    client
        .send(format!(
            "{{\"cmd\":\"wait\",\"task_id\":{id},\"ref\":\"w\"}}\n"
        ))
        .await;
    let said = client
        .ask(&format!(r#"{{"cmd":"cancel","task_id":{id},"ref":"c"}}"#))
        .await;
    let ends = [said, client.json().await, client.json().await];
    let of = |reference: &str| ends.iter().find(|end| end["ref"] == reference).unwrap();
    assert_eq!(of("c")["status"], "cancelled");
    for reference in ["s", "w"] {
        assert_eq!(of(reference)["reason"], "requested");
    }
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_of_a_waiting_task_says_why() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let id = client
        .ask(
            r#"{"cmd":"submit","kind":"echo","delay_ms":600000,"wait":false,"metadata":{"a":"b"}}"#,
        )
        .await["task_id"]
        .clone();
    let task = client
        .ask(&format!(r#"{{"cmd":"status","task_id":{id},"ref":1}}"#))
        .await;
    assert_eq!(task["status"], "scheduled");
    assert_eq!(task["why"]["code"], "not_due");
    assert_eq!(task["metadata"]["a"], "b");
    assert_eq!(task["ref"], 1);
    let result = client
        .ask(&format!(r#"{{"cmd":"result","task_id":{id}}}"#))
        .await;
    assert_eq!(result["status"], "scheduled");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_attempts_are_told_with_the_task() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let submission =
        r#"{"cmd":"submit","kind":"fail","payload":{"message":"no","retryable":true,"times":9},
        "max_attempts":2,"backoff":{"initial_ms":0,"max_ms":0}}"#
            .replace('\n', "");
    let id = client.ask(&submission).await["task_id"].clone();
    let end = client.json().await;
    assert_eq!(end["reason"], "attempts_exhausted");
    assert_eq!(end["error"]["code"], "TAR-3005");
    assert_eq!(end["error"]["message"], "no");
    let task = client
        .ask(&format!(r#"{{"cmd":"status","task_id":{id}}}"#))
        .await;
    assert_eq!(task["attempts"].as_array().unwrap().len(), 2);
    assert_eq!(task["attempts"][0]["error"]["code"], "TAR-3001");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_duplicate_is_acknowledged_as_one_and_told_the_same_end() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let line = r#"{"cmd":"submit","kind":"square","payload":{"n":5},"idempotency_key":"k"}"#;
    let first = client.ask(line).await;
    assert_eq!(client.json().await["result"], 25);
    let second = client.ask(line).await;
    assert_eq!(
        (&second["duplicate"], &second["task_id"]),
        (&true.into(), &first["task_id"])
    );
    assert_eq!(client.json().await["result"], 25);
    let other = client.ask(&line.replace('5', "6")).await;
    assert_eq!(other["error"]["code"], "TAR-1206");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_waits_is_told_its_ends() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let said = client
        .ask(r#"{"cmd":"batch","ref":"b","tasks":[{"op":"square","n":2},{"op":"nope"},{"op":"square","n":3,"ref":"own"}]}"#)
        .await;
    let tasks = said["tasks"].as_array().unwrap();
    assert_eq!(said["ref"], "b");
    assert_eq!(tasks[1]["error"]["code"], "TAR-1204");
    assert_eq!(tasks[2]["ref"], "own");
    let mut ends = [client.json().await, client.json().await];
    ends.sort_by_key(|end| end["result"].as_u64());
    assert_eq!(
        (&ends[0]["result"], &ends[0]["ref"]),
        (&4.into(), &"b".into())
    );
    assert_eq!(
        (&ends[1]["result"], &ends[1]["ref"]),
        (&9.into(), &"own".into())
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_batch_is_answered() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let said = client.ask(r#"{"cmd":"batch","tasks":[]}"#).await;
    assert_eq!(said["tasks"].as_array().unwrap().len(), 0);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_chooses_its_language() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.ask(r#"{"cmd":"hello","lang":"es"}"#).await;
    client.send("nada 5\n").await;
    assert!(
        client
            .line()
            .await
            .unwrap()
            .starts_with("error: ningún trabajador")
    );
    let said = client.ask(r#"{"op":"square","n":1,"n":2}"#).await;
    assert_eq!(said["error"]["message"], "el miembro 'n' aparece dos veces");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_told_that_nobody_asks_for_one() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let said = client
        .ask(r#"{"cmd":"auth","token":"secret","ref":1}"#)
        .await;
    assert_eq!(said["error"]["code"], "TAR-1106");
    assert!(!said.to_string().contains("secret"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn results_of_every_size_arrive() {
    let server = Server::start().await;
    let mut client = server.client().await;
    // Inline in the record, in the blob store but on the line, and too long for a line.
    for bytes in [10, 100_000, 250_000] {
        client
            .ask(&format!(r#"{{"op":"text","bytes":{bytes}}}"#))
            .await;
        assert_eq!(client.json().await["result"].as_str().unwrap().len(), bytes);
        client.send(format!("text {bytes}\n")).await;
        assert_eq!(client.line().await.unwrap().len(), bytes);
    }
    let id = client.ask(r#"{"op":"text","bytes":300000}"#).await["task_id"].clone();
    let end = client.json().await;
    assert_eq!(end["result_ref"]["bytes"], 300_002);
    let url = format!("/v1/tasks/{}/result", id.as_str().unwrap());
    assert_eq!(end["result_ref"]["url"], url);
    client.send("text 300000\n").await;
    assert!(
        client
            .line()
            .await
            .unwrap()
            .starts_with("[300002 bytes: /v1/tasks/")
    );
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_takes_no_longer_than_it_may() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let id = client
        .ask(r#"{"cmd":"submit","kind":"echo","delay_ms":600000,"wait":false}"#)
        .await["task_id"]
        .clone();
    let started = Instant::now();
    let line = format!(r#"{{"cmd":"wait","task_id":{id},"timeout_ms":80,"ref":"w"}}"#);
    let said = client.ask(&line).await;
    assert_eq!(
        (&said["timed_out"], &said["ref"]),
        (&true.into(), &"w".into())
    );
    assert!(started.elapsed() >= Duration::from_millis(80));
    assert_eq!(server.engine.watched(), 0);
    server.stop().await;
}
