//! Tokens on lines: who is asked, what a token allows, and when it ends.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tareas_adapters::MemoryAccess;
use tareas_engine::access::{
    Access, CHANCE, Limits, Networks, Principal, QueueScope, Roles, TokenText, Wanted,
};
use tareas_engine::ports::SystemClock;

use crate::support::{Client, Server};

pub(crate) struct Guarded {
    pub(crate) server: Server,
    pub(crate) access: Arc<Access>,
}

impl Guarded {
    pub(crate) async fn start() -> Self {
        Self::within(Duration::from_secs(30)).await
    }

    /// A server that gives strangers so long.
    async fn within(patience: Duration) -> Self {
        let store = Arc::new(MemoryAccess::default());
        let clock = Arc::new(SystemClock);
        let access = Access::open(store, clock, Limits::default()).await.unwrap();
        let server = Server::with(|config| {
            config.access = Some(Arc::clone(&access));
            config.limits.authenticate_within = patience;
        });
        Self {
            server: server.await,
            access,
        }
    }

    pub(crate) async fn token(&self, roles: &str, queues: &str, seed: u32) -> TokenText {
        let wanted = Wanted {
            name: "web".into(),
            roles: Roles::parse(roles).unwrap(),
            queues: QueueScope::parse(queues).unwrap(),
            from: Networks::default(),
            expires_at: None,
        };
        let by = Principal::everyone();
        let made = self.access.create_token(wanted, &by, &[seed; CHANCE]).await;
        made.unwrap().0
    }

    /// A client that has shown a token.
    pub(crate) async fn client(&self, token: &TokenText) -> Client {
        let mut client = self.server.client().await;
        let auth = json!({ "cmd": "auth", "token": token.reveal() });
        client.send(format!("{auth}\n")).await;
        assert_eq!(client.json().await["authenticated"], true);
        client
    }
}

async fn code(client: &mut Client, line: &str) -> serde_json::Value {
    client.send(format!("{line}\n")).await;
    client.json().await["error"]["code"].clone()
}

const ID: &str = "0197a000-0000-7000-8000-000000000001";

#[tokio::test]
async fn a_stranger_is_asked_for_a_token_whatever_they_say() {
    let guarded = Guarded::start().await;
    let mut client = guarded.server.client().await;
    let about = format!(r#""task_id":"{ID}""#);
    for line in [
        r#"{"op":"square","n":5}"#.to_owned(),
        r#"{"cmd":"submit","kind":"echo","payload":1}"#.to_owned(),
        r#"{"cmd":"batch","tasks":[{"op":"square","n":5}]}"#.to_owned(),
        format!(r#"{{"cmd":"status",{about}}}"#),
        format!(r#"{{"cmd":"result",{about}}}"#),
        format!(r#"{{"cmd":"wait",{about}}}"#),
        format!(r#"{{"cmd":"cancel",{about}}}"#),
        format!(r#"{{"cmd":"requeue",{about}}}"#),
        r#"{"cmd":"work","kinds":["echo"]}"#.to_owned(),
        r#"{"cmd":"beat"}"#.to_owned(),
        r#"{"cmd":"many","items":[]}"#.to_owned(),
    ] {
        assert_eq!(code(&mut client, &line).await, "TAR-1101", "{line}");
    }
    for line in ["square 5\n", "help\n"] {
        client.send(line).await;
        let answer = client.line().await.unwrap();
        assert!(answer.contains("[TAR-1101]"), "{answer}");
    }
    client
        .send("{\"cmd\":\"ping\"}\n{\"cmd\":\"hello\"}\n")
        .await;
    assert_eq!(client.json().await["pong"], true);
    assert_eq!(
        client.json().await["threads"],
        0,
        "that is nobody's business"
    );
    drop(client);
    guarded.server.stop().await;
}

#[tokio::test]
async fn a_token_opens_what_it_is_for_in_json_and_in_text() {
    let guarded = Guarded::start().await;
    let token = guarded.token("submit", "*", 1).await;
    let mut client = guarded.client(&token).await;
    client.send("{\"op\":\"square\",\"n\":5}\n").await;
    let id = client.json().await["task_id"].clone();
    assert_eq!(client.json().await["result"], 25);
    client
        .send(format!("{{\"cmd\":\"result\",\"task_id\":{id}}}\n"))
        .await;
    assert_eq!(client.json().await["result"], 25);
    assert_eq!(
        code(
            &mut client,
            &format!(r#"{{"cmd":"requeue","task_id":{id}}}"#)
        )
        .await,
        "TAR-1102"
    );
    assert_eq!(
        code(&mut client, r#"{"cmd":"work","kinds":["echo"]}"#).await,
        "TAR-1102"
    );
    let mut other = guarded.server.client().await;
    other
        .send(format!("AUTH {}\nsquare 6\n", token.reveal()))
        .await;
    assert_eq!(other.line().await.unwrap(), "ok: submit");
    assert_eq!(other.line().await.unwrap(), "36");
    drop((client, other));
    guarded.server.stop().await;
}

#[tokio::test]
async fn a_task_of_another_queue_is_answered_as_one_that_does_not_exist() {
    let guarded = Guarded::start().await;
    let all = guarded.token("submit", "*", 1).await;
    let some = guarded.token("operate", "mail*", 2).await;
    let mut owner = guarded.client(&all).await;
    let submit = r#"{"cmd":"submit","kind":"echo","payload":1,"queue":"pay","wait":false}"#;
    owner.send(format!("{submit}\n")).await;
    let foreign = owner.json().await["task_id"].as_str().unwrap().to_owned();
    let mut client = guarded.client(&some).await;
    for command in ["status", "result", "wait", "cancel", "requeue"] {
        let mut told = Vec::new();
        for id in [&*foreign, ID] {
            client
                .send(format!("{{\"cmd\":\"{command}\",\"task_id\":\"{id}\"}}\n"))
                .await;
            told.push(client.line().await.unwrap().replace(id, "ID"));
        }
        assert_eq!(told[0], told[1], "{command}");
        assert!(told[0].contains("TAR-1207"), "{}", told[0]);
    }
    assert_eq!(code(&mut client, submit).await, "TAR-1102");
    let batch = r#"{"cmd":"batch","wait":false,"tasks":[
        {"kind":"echo","payload":1,"queue":"pay"},{"kind":"echo","payload":1,"queue":"mail.bulk"}]}"#;
    client.send(format!("{}\n", batch.replace('\n', ""))).await;
    let told = client.json().await;
    assert_eq!(told["tasks"][0]["error"]["code"], "TAR-1102");
    assert_eq!(told["tasks"][1]["status"], "queued");
    drop((owner, client));
    guarded.server.stop().await;
}

#[tokio::test]
async fn a_worker_needs_its_role_and_its_queues() {
    let guarded = Guarded::start().await;
    let token = guarded.token("work", "mail*", 1).await;
    let mut client = guarded.client(&token).await;
    let work = |queues: &str| format!(r#"{{"cmd":"work","kinds":["resize"]{queues},"slots":1}}"#);
    assert_eq!(code(&mut client, &work("")).await, "TAR-1102", "all queues");
    assert_eq!(
        code(&mut client, &work(r#","queues":["pay"]"#)).await,
        "TAR-1102"
    );
    assert_eq!(
        code(&mut client, r#"{"op":"square","n":5}"#).await,
        "TAR-1102"
    );
    client
        .send(format!("{}\n", work(r#","queues":["mail"]"#)))
        .await;
    assert_eq!(client.json().await["event"], "session");
    client.send("exit\n").await;
    drop(client);
    guarded.server.stop().await;
}

#[tokio::test]
async fn a_revoked_token_ends_the_connections_that_are_open_with_it() {
    let guarded = Guarded::start().await;
    let token = guarded.token("submit", "*", 1).await;
    let mut client = guarded.client(&token).await;
    client
        .send("{\"cmd\":\"submit\",\"kind\":\"echo\",\"payload\":1,\"delay_ms\":3600000}\n")
        .await;
    let id = client.json().await["task_id"].clone();
    guarded.access.revoke(token.id()).await.unwrap();
    assert_eq!(client.line().await, None);
    let mut again = guarded.server.client().await;
    let auth = json!({ "cmd": "auth", "token": token.reveal() });
    assert_eq!(code(&mut again, &auth.to_string()).await, "TAR-1101");
    let other = guarded.token("submit", "*", 2).await;
    let mut client = guarded.client(&other).await;
    client
        .send(format!("{{\"cmd\":\"cancel\",\"task_id\":{id}}}\n"))
        .await;
    assert!(client.line().await.is_some());
    drop((client, again));
    guarded.server.stop().await;
}

#[tokio::test]
async fn wrong_tokens_are_counted_and_silence_is_not_waited_for() {
    let guarded = Guarded::within(Duration::from_secs(2)).await;
    let token = guarded.token("submit", "*", 1).await;
    let mut silent = guarded.server.client().await;
    let mut idle = guarded.server.client().await;
    idle.send("{\"cmd\":\"ping\"}\n").await;
    let mut client = guarded.server.client().await;
    for _ in 0..3 {
        let wrong = r#"{"cmd":"auth","token":"tr_12345678_12345678901234567890123456789012"}"#;
        assert_eq!(code(&mut client, wrong).await, "TAR-1101");
    }
    assert_eq!(client.line().await, None);
    let mut known = guarded.client(&token).await;
    known.send("{\"op\":\"sleep\",\"ms\":3000}\n").await;
    assert!(known.json().await["task_id"].is_string());
    assert_eq!(silent.line().await, None);
    assert_eq!(idle.json().await["pong"], true);
    assert!(idle.line().await.unwrap().contains("[TAR-1101]"));
    assert_eq!(idle.line().await, None);
    assert_eq!(
        known.json().await["result"],
        3000,
        "who is known may be slow"
    );
    drop((known, client, silent, idle));
    guarded.server.stop().await;
}

#[tokio::test]
async fn what_was_cancelled_and_requeued_is_written_down() {
    let guarded = Guarded::start().await;
    let token = guarded.token("operate", "*", 1).await;
    let mut client = guarded.client(&token).await;
    client
        .send("{\"cmd\":\"submit\",\"kind\":\"echo\",\"payload\":1,\"delay_ms\":60000,\"wait\":false}\n")
        .await;
    let id = client.json().await["task_id"].as_str().unwrap().to_owned();
    for command in ["cancel", "requeue"] {
        client
            .send(format!("{{\"cmd\":\"{command}\",\"task_id\":\"{id}\"}}\n"))
            .await;
        assert!(client.json().await["error"].is_null());
    }
    let lines = guarded.access.audit(None, 10).await.unwrap();
    let lines: Vec<_> = lines
        .iter()
        .map(|(_, line)| (line.deed.name(), &*line.detail))
        .collect();
    assert_eq!(lines, [("requeue", &*id), ("cancel", &*id)]);
    drop(client);
    guarded.server.stop().await;
}

#[tokio::test]
async fn without_access_control_nobody_is_asked() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let auth = r#"{"cmd":"auth","token":"tr_x"}"#;
    assert_eq!(code(&mut client, auth).await, "TAR-1106");
    client.send("square 5\n").await;
    assert_eq!(client.line().await.unwrap(), "25");
    drop(client);
    server.stop().await;
}
