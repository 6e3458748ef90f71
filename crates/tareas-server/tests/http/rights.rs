//! Every route, asked by everybody: whether it answers is what `rights.txt` says.
//!
//! The routes are those of `docs/access.md`, which another test keeps whole. Each is really asked,
//! so that a handler that forgets to look at the queue of a task is found. `UPDATE_GOLDEN=1` writes
//! the table anew.

use std::time::Duration;

use tareas_engine::access::{Role, TokenText};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::access::Guarded;
use crate::client::{Ask, Reply, connect};
use crate::table::{compare, joined};

const ROUTES: &str = include_str!("../../../../docs/access.md");

/// Longer than any answer takes, unless there is none.
const PATIENCE: Duration = Duration::from_secs(30);

/// Queue of the tokens that are for one, and another queue.
const OWN: &str = "mail";
const FOREIGN: &str = "pay";

const WEBHOOK: &str = r#"{"name":"x","url":"http://127.0.0.1:1/"}"#;

/// Who asks about which queue: by a token of all queues, and by one of `mail`.
const CASES: [(&str, &str); 3] = [("*", OWN), (OWN, OWN), (OWN, FOREIGN)];

#[tokio::test(flavor = "multi_thread")]
async fn every_route_answers_those_that_it_is_for() {
    let asking = Asking::new().await;
    let mut table = String::from("route: no token | each role: with all queues / own / foreign\n");
    for (method, path) in routes() {
        let nobody = asking.cell(None, method, path, OWN).await;
        table += &format!("{method} {path}: {nobody}");
        for (role, tokens) in Role::ALL.iter().zip(&asking.tokens) {
            let mut cells = Vec::new();
            for ((_, queue), token) in CASES.iter().zip(tokens) {
                cells.push(asking.cell(Some(token), method, path, queue).await);
            }
            table += &format!(" | {} {}", role.name(), joined(&cells));
        }
        table.push('\n');
    }
    compare(&table, "http/rights.txt");
}

/// The lines ``| `GET /v1/tasks` | `list_tasks` |`` of the documentation.
fn routes() -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = ROUTES.lines().filter_map(|line| {
        let route = line.strip_prefix("| `")?.split('`').next()?;
        route.split_once(' ')
    });
    lines.filter(|(_, path)| path.starts_with('/'))
}

struct Asking {
    guarded: Guarded,
    tokens: Vec<Vec<TokenText>>,
    /// Of an administrator: makes what is asked about.
    root: TokenText,
    bulk: String,
    asset: String,
}

impl Asking {
    async fn new() -> Self {
        let guarded = Guarded::new().await;
        let mut tokens = Vec::new();
        for (index, role) in Role::ALL.iter().enumerate() {
            let mut of_role = Vec::new();
            for (case, (queues, _)) in CASES.iter().enumerate() {
                let seed = 1_000 + (index * CASES.len() + case) as u32;
                of_role.push(guarded.token(role.name(), queues, seed).await);
            }
            tokens.push(of_role);
        }
        let root = guarded.token("admin", "*", 1).await;
        let order = r#"{"action":"delete","filter":"state:failed","dry_run":true}"#;
        let order = guarded.send(Ask::post("/v1/bulk", order), &root).await;
        let login = Ask::get("/login").send(&guarded.world).await;
        let asset = login.text().split("/assets/").nth(1).unwrap();
        Self {
            bulk: order.json()["id"].as_str().unwrap().to_owned(),
            asset: asset.split('"').next().unwrap().to_owned(),
            tokens,
            root,
            guarded,
        }
    }

    /// What is told when the bearer asks about something of this queue.
    async fn cell(
        &self,
        token: Option<&TokenText>,
        method: &str,
        path: &str,
        queue: &str,
    ) -> &'static str {
        let place = self.place(path, queue).await;
        let is_form = method == "POST" && !path.starts_with("/v1/");
        let media = match is_form {
            true => "application/x-www-form-urlencoded",
            false => "application/json",
        };
        let mut ask = Ask::new(method, &place)
            .header(&format!("Content-Type: {media}"))
            .body(body(method, path, queue));
        if let Some(token) = token {
            ask = ask.header(&format!("Authorization: Bearer {}", token.reveal()));
        }
        let reply = timeout(PATIENCE, self.head_of(ask)).await;
        word(
            &reply.unwrap_or_else(|_| panic!("{method} {place} is not answered")),
            path,
        )
    }

    /// The path with something fresh of this queue in it.
    async fn place(&self, path: &str, queue: &str) -> String {
        let (start, rest) = path.split_once('{').unwrap_or((path, ""));
        let rest = rest.split_once('}').map_or("", |(_, rest)| rest);
        let named = match start {
            "/v1/tasks/" | "/tasks/" => self.fresh_task(queue).await,
            "/v1/bulk/" | "/bulk/" => self.bulk.clone(),
            "/v1/queues/" | "/queues/" => queue.to_owned(),
            "/v1/tokens/" => self.fresh_token(queue).await,
            "/v1/webhooks/" | "/webhooks/" => self.fresh_webhook().await,
            "/errors/" => "TAR-1204".to_owned(),
            "/assets/" => self.asset.clone(),
            _ => return path.to_owned(),
        };
        let rest = rest
            .replace("{name}", "x")
            .replace("{number}", "1")
            .replace("/wait", "/wait?timeout_ms=0");
        format!("{start}{named}{rest}")
    }

    async fn fresh_task(&self, queue: &str) -> String {
        let task = Ask::post("/v1/tasks", &task(queue));
        self.guarded.send(task, &self.root).await.task_id()
    }

    /// A webhook that nothing was delivered to.
    async fn fresh_webhook(&self) -> String {
        let known = self
            .guarded
            .send(Ask::get("/v1/webhooks"), &self.root)
            .await;
        if let Some(id) = known.json()["webhooks"][0]["id"].as_str() {
            return id.to_owned();
        }
        let made = Ask::post("/v1/webhooks", WEBHOOK);
        let made = self.guarded.send(made, &self.root).await.json();
        made["id"].as_str().unwrap().to_owned()
    }

    async fn fresh_token(&self, queue: &str) -> String {
        let wanted = format!(r#"{{"name":"x","roles":["read"],"queues":["{queue}"]}}"#);
        let made = Ask::post("/v1/tokens", &wanted);
        let made = self.guarded.send(made, &self.root).await.json();
        made["id"].as_str().unwrap().to_owned()
    }

    /// Sends it; of an answer without end, the beginning.
    async fn head_of(&self, ask: Ask) -> Reply {
        let mut stream = connect(&self.guarded.world);
        stream.write_all(&ask.bytes()).await.unwrap();
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(stream.read_u8().await.unwrap());
        }
        let mut reply = Reply::parse(&head);
        let media = reply.header("content-type").unwrap_or_default();
        let is_endless = media.starts_with("text/event-stream");
        if !is_endless {
            stream.read_to_end(&mut reply.body).await.unwrap();
        }
        reply
    }
}

fn task(queue: &str) -> String {
    format!(r#"{{"kind":"echo","payload":1,"queue":"{queue}","delay_ms":3600000}}"#)
}

fn body(method: &str, path: &str, queue: &str) -> String {
    match (method, path) {
        ("POST", "/v1/tasks") => task(queue),
        ("POST", "/v1/tasks/batch") => format!("[{}]", task(queue)),
        ("POST", "/v1/bulk") => {
            r#"{"action":"delete","filter":"state:failed","dry_run":true}"#.to_owned()
        }
        ("POST", "/v1/webhooks") => WEBHOOK.to_owned(),
        ("POST", "/v1/tokens") => {
            format!(r#"{{"name":"x","roles":["read"],"queues":["{queue}"]}}"#)
        }
        _ => String::new(),
    }
}

/// What an answer says of the right to it. A form that does not come from one of our pages is
/// refused by another code: whoever is told so may send one.
fn word(reply: &Reply, path: &str) -> &'static str {
    let text = String::from_utf8_lossy(&reply.body);
    let is_told = |code: &str| text.contains(code);
    match reply.status {
        401 if reply.header("www-authenticate").is_some() => "401",
        403 if is_told("TAR-1102") => "403",
        404 if is_told("TAR-1207") => "404",
        200 if path.ends_with("/batch") && is_told("TAR-1102") => "403",
        500.. => panic!("{path}: {} {text}", reply.status),
        _ => "yes",
    }
}
