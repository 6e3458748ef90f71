//! Every request of the lines, said by everybody: whether it is carried out is what `rights.txt`
//! says. `UPDATE_GOLDEN=1` writes the table anew.

use tareas_engine::access::{Role, TokenText};

use crate::access::Guarded;
use crate::table::{compare, joined};

/// Queue of the tokens that are for one, and another queue.
const OWN: &str = "mail";
const FOREIGN: &str = "pay";

/// Who asks about which queue: by a token of all queues, and by one of `mail`.
const CASES: [(&str, &str); 3] = [("*", OWN), (OWN, OWN), (OWN, FOREIGN)];

/// Every request. `ID` is a task and `QUEUE` a queue; text lines go to the queue `default`.
const LINES: [&str; 21] = [
    "square 5",
    "help",
    r#"{"op":"square","n":5}"#,
    r#"{"cmd":"submit","kind":"echo","payload":1,"queue":"QUEUE"}"#,
    r#"{"cmd":"batch","tasks":[{"kind":"echo","payload":1,"queue":"QUEUE"}]}"#,
    r#"{"cmd":"status","task_id":"ID"}"#,
    r#"{"cmd":"result","task_id":"ID"}"#,
    r#"{"cmd":"wait","task_id":"ID","timeout_ms":0}"#,
    r#"{"cmd":"logs","task_id":"ID"}"#,
    r#"{"cmd":"cancel","task_id":"ID"}"#,
    r#"{"cmd":"requeue","task_id":"ID"}"#,
    r#"{"cmd":"work","kinds":["resize"],"queues":["QUEUE"],"slots":1}"#,
    r#"{"cmd":"beat"}"#,
    r#"{"cmd":"done","task_id":"ID","attempt":1,"lease":"00000000000000000000000000000000","result":1}"#,
    r#"{"cmd":"fail","task_id":"ID","attempt":1,"lease":"00000000000000000000000000000000","error":{"message":"x"}}"#,
    r#"{"cmd":"artifact","task_id":"ID","attempt":1,"lease":"00000000000000000000000000000000","name":"x","chunk":""}"#,
    r#"{"cmd":"release","task_id":"ID","attempt":1,"lease":"00000000000000000000000000000000"}"#,
    r#"{"cmd":"many","items":[{"cmd":"beat"}]}"#,
    r#"{"cmd":"ping"}"#,
    r#"{"cmd":"hello"}"#,
    r#"{"cmd":"auth","token":"tr_x"}"#,
];

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_for_those_that_may_say_it() {
    let guarded = Guarded::start().await;
    let root = guarded.token("admin", "*", 1).await;
    let tokens = tokens(&guarded).await;
    let mut table = String::from("line: no token | each role: with all queues / own / foreign\n");
    for line in LINES {
        let nobody = said(&guarded, None, &root, line, OWN).await;
        table += &format!("{line}: {nobody}");
        for (role, tokens) in Role::ALL.iter().zip(&tokens) {
            let mut cells = Vec::new();
            for ((_, queue), token) in CASES.iter().zip(tokens) {
                cells.push(said(&guarded, Some(token), &root, line, queue).await);
            }
            table += &format!(" | {} {}", role.name(), joined(&cells));
        }
        table.push('\n');
    }
    guarded.server.stop().await;
    compare(&table, "lines/rights.txt");
}

/// For each role a token for each case.
async fn tokens(guarded: &Guarded) -> Vec<Vec<TokenText>> {
    let mut tokens = Vec::new();
    for (index, role) in Role::ALL.iter().enumerate() {
        let mut of_role = Vec::new();
        for (case, (queues, _)) in CASES.iter().enumerate() {
            let seed = 1_000 + (index * CASES.len() + case) as u32;
            of_role.push(guarded.token(role.name(), queues, seed).await);
        }
        tokens.push(of_role);
    }
    tokens
}

/// What is answered when the bearer of the token says the line.
async fn said(
    guarded: &Guarded,
    token: Option<&TokenText>,
    root: &TokenText,
    line: &str,
    queue: &str,
) -> &'static str {
    let id = fresh_task(guarded, root, queue).await;
    let line = line.replace("ID", &id).replace("QUEUE", queue);
    let mut client = match token {
        Some(token) => guarded.client(token).await,
        None => guarded.server.client().await,
    };
    client.send(format!("{line}\n")).await;
    let answer = client.line().await.unwrap_or_default();
    let codes = [
        ("TAR-1101", "401"),
        ("TAR-1102", "403"),
        ("TAR-1207", "404"),
    ];
    let found = codes.iter().find(|(code, _)| answer.contains(code));
    found.map_or("yes", |(_, word)| word)
}

async fn fresh_task(guarded: &Guarded, root: &TokenText, queue: &str) -> String {
    let mut client = guarded.client(root).await;
    let task = format!(
        r#"{{"cmd":"submit","kind":"echo","payload":1,"queue":"{queue}","delay_ms":3600000,"wait":false}}"#
    );
    client.send(format!("{task}\n")).await;
    client.json().await["task_id"].as_str().unwrap().to_owned()
}
