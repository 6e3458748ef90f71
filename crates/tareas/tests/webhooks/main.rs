//! Webhooks as people use them: the real program, and a receiver in Python that verifies what
//! arrives with the code of the documentation.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod stage;

use std::time::Duration;

use stage::{Receiver, Server, until};

#[test]
fn an_end_is_told_signed_and_told_again_when_asked() {
    let Some(receiver) = Receiver::start(0) else {
        return;
    };
    let server = Server::start(&[]);
    let (id, secret) = server.create(&receiver.url("/ok"), &["--ends", "succeeded,failed"]);
    receiver.set_secrets(&[&secret]);
    server.submit("square", "7");
    let told = receiver.next();
    assert_eq!(told["valid"][0], true, "{told}");
    assert_eq!(told["headers"]["content-type"], "application/json");
    let message = stage::message(&told);
    assert_eq!(message["type"], "task.succeeded");
    assert_eq!(message["data"]["result"], 49);
    assert_eq!(message["data"]["kind"], "square");
    receiver.verify_with_node(&told, &secret);

    server.submit("fail", r#"{"message":"no","max_attempts":1}"#);
    let told = receiver.next();
    let message = stage::message(&told);
    assert_eq!(message["type"], "task.failed", "{message}");
    assert!(message["data"]["error"]["code"].is_string(), "{message}");

    let delivered = || server.deliveries(&id, "delivered");
    until(|| delivered().len() == 2);
    let first = delivered().pop().unwrap();
    assert_eq!(
        (&first["status"], &first["tries"]),
        (&204.into(), &1.into())
    );
    server.tareas(&["webhook", "replay", &id, &first["number"].to_string()]);
    assert_eq!(receiver.next()["id"], first["message_id"]);
}

#[test]
fn a_secret_is_replaced_while_both_sign() {
    let Some(receiver) = Receiver::start(0) else {
        return;
    };
    let server = Server::start(&[]);
    let (id, old) = server.create(&receiver.url("/ok"), &[]);
    let rotated = server.tareas(&["webhook", "rotate", &id, "--overlap", "1h"]);
    let new = rotated.split_whitespace().nth(1).unwrap().to_owned();
    receiver.set_secrets(&[&old, &new]);
    server.tareas(&["webhook", "test", &id]);
    let told = receiver.next();
    assert_eq!(told["valid"], serde_json::json!([true, true]), "{told}");
    assert_eq!(stage::message(&told)["type"], "webhook.test");
    server.tareas(&["webhook", "rotate", &id, "--overlap", "0s"]);
    server.tareas(&["webhook", "test", &id]);
    assert_eq!(receiver.next()["valid"], serde_json::json!([false, false]));
}

#[test]
fn what_ended_before_a_kill_is_told_after_it() {
    let Some(receiver) = Receiver::start(0) else {
        return;
    };
    let dies = [("TAREAS_FAILPOINT", "webhooks_before_record:1")];
    let mut server = Server::start(&dies);
    let (_, secret) = server.create(&receiver.url("/ok"), &[]);
    receiver.set_secrets(&[&secret]);
    // It was told that the task has ended, or was killed just before: the record knows.
    let task = server.try_submit("square", "9");
    server.wait_for_its_end();
    server.start_again(&[]);
    let told = receiver.next();
    assert_eq!(told["valid"][0], true, "{told}");
    let message = stage::message(&told);
    assert_eq!(message["data"]["result"], 81);
    if let Some(task) = task {
        assert_eq!(message["data"]["task_id"], task);
    }
}

/// Sent, and killed before that was written down: it is sent again, and the receiver can tell.
#[test]
fn what_was_sent_when_the_server_was_killed_comes_again_as_the_same_message() {
    let Some(receiver) = Receiver::start(0) else {
        return;
    };
    let claims = ("TAREAS_TEST_CLAIMED_MS", "500");
    let mut server = Server::start(&[claims, ("TAREAS_FAILPOINT", "webhooks_before_settle:1")]);
    let (id, secret) = server.create(&receiver.url("/ok"), &[]);
    receiver.set_secrets(&[&secret]);
    // It was told that the task has ended, or was killed just before.
    server.try_submit("square", "9");
    let first = receiver.next();
    server.wait_for_its_end();
    server.start_again(&[claims]);
    let second = receiver.next();
    assert_eq!(first["id"], second["id"]);
    assert_eq!(stage::message(&first), stage::message(&second));
    assert_eq!(second["valid"][0], true, "{second}");
    // The name serves as well as the id.
    until(|| server.deliveries("hook", "delivered").len() == 1);
    assert_eq!(server.deliveries(&id, "delivered")[0]["tries"], 1);
}

#[test]
fn an_address_that_was_down_gets_what_it_missed() {
    let port = tareas_services::free_port();
    let server = Server::start(&[]);
    let (id, secret) = server.create(&format!("http://127.0.0.1:{port}/ok"), &[]);
    for number in 0..3 {
        server.submit("square", &number.to_string());
    }
    until(|| {
        server
            .deliveries(&id, "waiting")
            .iter()
            .any(|one| one["tries"] != 0)
    });
    let listed = server.tareas(&["webhook", "list"]);
    assert!(listed.contains("failing"), "{listed}");
    let Some(receiver) = Receiver::start(port) else {
        return;
    };
    receiver.set_secrets(&[&secret]);
    for _ in 0..3 {
        assert_eq!(receiver.next()["valid"][0], true);
    }
    until(|| server.tareas(&["webhook", "list"]).contains("well"));
}

#[test]
fn an_address_that_is_gone_is_told_nothing_more() {
    let Some(receiver) = Receiver::start(0) else {
        return;
    };
    let server = Server::start(&[]);
    let (id, _) = server.create(&receiver.url("/gone"), &[]);
    server.submit("square", "2");
    let is_gone = r#""disabled":"gone""#;
    until(|| {
        server
            .tareas(&["webhook", "list", "-o", "json"])
            .contains(is_gone)
    });
    let map = server.page("/");
    assert!(map.contains("webhook hook was disabled: HTTP 410"), "{map}");
    server.submit("square", "3");
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(server.deliveries(&id, "waiting").len(), 1);
}

#[test]
fn one_that_does_not_answer_holds_up_nobody() {
    let Some(receiver) = Receiver::start(0) else {
        return;
    };
    let server = Server::start(&[]);
    let (slow, _) = server.create(&receiver.url("/slow"), &[]);
    let (quick, _) = server.create(&receiver.url("/ok"), &[]);
    for number in 0..20 {
        server.submit("square", &number.to_string());
    }
    until(|| server.deliveries(&quick, "delivered").len() == 20);
    assert!(server.deliveries(&slow, "delivered").is_empty());
}

#[test]
fn what_leads_inside_is_refused() {
    let server = Server::start(&[("TAREAS_WEBHOOK_NETWORKS", "")]);
    for url in [
        "http://127.0.0.1:81/",
        "https://169.254.169.254/",
        "https://10.0.0.1/",
    ] {
        let (code, said) = server.try_tareas(&["webhook", "create", "hook", url]);
        assert_eq!(code, 2, "{url}: {said}");
        assert!(said.contains("url") && said.contains("public"), "{said}");
    }
    // A name is judged by where it leads, at each delivery.
    let (id, _) = server.create("https://localhost/", &[]);
    server.submit("square", "2");
    let tried = || {
        server
            .deliveries(&id, "waiting")
            .iter()
            .any(|one| one["tries"] != 0)
    };
    until(tried);
    let answer = server.deliveries(&id, "waiting")[0]["answer"].to_string();
    assert!(answer.contains("not a public address"), "{answer}");
}
