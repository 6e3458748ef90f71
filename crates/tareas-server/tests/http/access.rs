//! Tokens, sessions and login over HTTP.

use std::sync::Arc;

use tareas_adapters::MemoryAccess;
use tareas_engine::access::{
    Access, CHANCE, Limits, Networks, Principal, QueueScope, Roles, TokenText, Wanted,
};
use tareas_engine::ports::SystemClock;
use tareas_server::ServerConfig;

use crate::client::{Ask, Reply};
use crate::world::World;

const ID: &str = "0197a000-0000-7000-8000-000000000001";

pub(crate) struct Guarded {
    pub(crate) world: World,
    pub(crate) access: Arc<Access>,
}

impl Guarded {
    pub(crate) async fn new() -> Self {
        Self::with(ServerConfig::default()).await
    }

    /// The same, with whatever else is set up.
    async fn with(config: ServerConfig) -> Self {
        let (store, clock) = (Arc::new(MemoryAccess::default()), Arc::new(SystemClock));
        let access = Access::open(store, clock, Limits::default()).await.unwrap();
        let world = World::with(ServerConfig {
            access: Some(Arc::clone(&access)),
            ..config
        });
        Self { world, access }
    }

    pub(crate) async fn token(&self, roles: &str, queues: &str, seed: u32) -> TokenText {
        let wanted = Wanted {
            name: "ops".into(),
            roles: Roles::parse(roles).unwrap(),
            queues: QueueScope::parse(queues).unwrap(),
            from: Networks::default(),
            expires_at: None,
        };
        let by = Principal::everyone();
        let made = self.access.create_token(wanted, &by, &[seed; CHANCE]).await;
        made.unwrap().0
    }

    pub(crate) async fn send(&self, ask: Ask, token: &TokenText) -> Reply {
        let shown = format!("Authorization: Bearer {}", token.reveal());
        ask.header(&shown).send(&self.world).await
    }

    /// Logs in by a form; the cookie.
    async fn log_in(&self, form: String) -> Reply {
        form_to("/login", form).send(&self.world).await
    }

    async fn session(&self, token: &TokenText) -> String {
        let reply = self
            .log_in(format!("secret={}&next=/tasks", token.reveal()))
            .await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (303, Some("/tasks"))
        );
        cookie_of(&reply)
    }

    /// The token that forms of this session carry.
    async fn form_token(&self, cookie: &str) -> String {
        let page = Ask::get("/").header(cookie).send(&self.world).await;
        let text = page.text().to_owned();
        let after = text
            .split("name=\"token\" value=\"")
            .nth(1)
            .expect("a form");
        after.split('"').next().unwrap().to_owned()
    }
}

fn form_to(path: &str, form: String) -> Ask {
    Ask::new("POST", path)
        .header("Content-Type: application/x-www-form-urlencoded")
        .header("Origin: http://localhost:5000")
        .body(form)
}

fn cookie_of(reply: &Reply) -> String {
    let set = reply.header("set-cookie").expect("a cookie");
    for word in ["HttpOnly", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(word), "{set}");
    }
    format!("Cookie: {}", set.split(';').next().unwrap())
}

#[tokio::test]
async fn a_stranger_gets_nothing_but_what_is_open() {
    let guarded = Guarded::new().await;
    let about = |rest: &str| format!("/v1/tasks/{ID}{rest}");
    let asks = [
        Ask::get("/v1/tasks"),
        Ask::post("/v1/tasks", "{}"),
        Ask::post("/v1/tasks/batch", "[]"),
        Ask::get(&about("")),
        Ask::delete(&about("")),
        Ask::get(&about("/wait")),
        Ask::get(&about("/why")),
        Ask::get(&about("/log")),
        Ask::get(&about("/result")),
        Ask::post(&about("/cancel"), "{}"),
        Ask::post(&about("/requeue"), "{}"),
        Ask::get("/v1/queues"),
        Ask::post("/v1/queues/mail/pause", "{}"),
        Ask::get("/v1/workers"),
        Ask::get("/v1/kinds"),
        Ask::get("/v1/events"),
        Ask::get("/metrics"),
        Ask::get("/v1/tokens"),
        Ask::post("/v1/tokens", "{}"),
        Ask::post("/v1/login-links", "{}"),
        Ask::get("/v1/audit"),
        Ask::get("/"),
        Ask::get("/system"),
    ];
    for ask in asks {
        let reply = ask.send(&guarded.world).await;
        reply.problem(401, "TAR-1101");
        assert_eq!(
            reply.header("www-authenticate"),
            Some("Bearer realm=\"tareas\"")
        );
    }
    for path in ["/livez", "/readyz", "/login", "/favicon.ico", "/errors"] {
        assert_eq!(
            Ask::get(path).send(&guarded.world).await.status,
            200,
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_token_opens_what_its_roles_are_for() {
    let guarded = Guarded::new().await;
    let submit = guarded.token("submit", "*", 1).await;
    let read = guarded.token("read", "*", 2).await;
    let task = Ask::post("/v1/tasks", r#"{"op":"square","n":5}"#).header("Prefer: wait=20");
    let made = guarded.send(task, &submit).await;
    assert_eq!(made.json()["result"], 25);
    let path = format!("/v1/tasks/{}", made.task_id());
    assert_eq!(guarded.send(Ask::get(&path), &submit).await.status, 200);
    assert_eq!(guarded.send(Ask::get("/metrics"), &read).await.status, 200);
    assert_eq!(
        guarded.send(Ask::get("/v1/tasks"), &read).await.json()["tasks"][0]["kind"],
        "square"
    );
    for (ask, token) in [
        (Ask::get("/v1/tasks"), &submit),
        (Ask::get("/metrics"), &submit),
        (Ask::delete(&path), &submit),
        (Ask::delete(&path), &read),
        (Ask::post("/v1/tasks", r#"{"op":"square","n":5}"#), &read),
        (Ask::post("/v1/queues/default/pause", "{}"), &read),
        (Ask::get("/v1/audit"), &read),
        (Ask::get("/v1/tokens"), &read),
    ] {
        guarded.send(ask, token).await.problem(403, "TAR-1102");
    }
    let wrong = Ask::get("/livez").header("Authorization: Basic YTpi");
    wrong.send(&guarded.world).await.problem(401, "TAR-1101");
}

#[tokio::test]
async fn queues_of_others_are_not_there() {
    let guarded = Guarded::new().await;
    let all = guarded.token("operate", "*", 1).await;
    let some = guarded.token("operate", "mail*", 2).await;
    let task = |queue: &str| {
        let json = format!(r#"{{"kind":"echo","payload":1,"queue":"{queue}","delay_ms":60000}}"#);
        Ask::post("/v1/tasks", &json)
    };
    let foreign = guarded.send(task("pay"), &all).await.task_id();
    let own = guarded.send(task("mail.bulk"), &some).await.task_id();
    guarded
        .send(task("pay"), &some)
        .await
        .problem(403, "TAR-1102");
    let list = guarded.send(Ask::get("/v1/tasks"), &some).await.json();
    let ids: Vec<_> = list["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| &t["task_id"])
        .collect();
    assert_eq!(ids, [&own]);
    let queues = guarded.send(Ask::get("/v1/queues"), &some).await.json();
    let names: Vec<_> = queues["queues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|q| &q["name"])
        .collect();
    assert_eq!(names, ["mail.bulk"]);
    for (method, rest) in [
        ("GET", ""),
        ("DELETE", ""),
        ("GET", "/wait"),
        ("GET", "/why"),
        ("GET", "/log"),
        ("GET", "/result"),
        ("POST", "/cancel"),
        ("POST", "/requeue"),
    ] {
        let mut told = Vec::new();
        for id in [&*foreign, ID] {
            let ask = Ask::new(method, &format!("/v1/tasks/{id}{rest}"));
            let ask = ask.header("Content-Type: application/json");
            let reply = guarded.send(ask, &some).await;
            assert_eq!(reply.status, 404, "{method} {rest}");
            told.push(reply.text().replace(id, "ID"));
        }
        assert_eq!(told[0], told[1], "{method} {rest}");
    }
    guarded
        .send(Ask::post("/v1/queues/pay/pause", "{}"), &some)
        .await
        .problem(403, "TAR-1102");
    assert_eq!(
        guarded
            .send(Ask::post("/v1/queues/mail/pause", "{}"), &some)
            .await
            .status,
        200
    );
    guarded
        .send(Ask::get("/v1/workers"), &some)
        .await
        .problem(403, "TAR-1102");
}

#[tokio::test]
async fn a_person_is_led_to_the_login_and_back() {
    let guarded = Guarded::new().await;
    let page = Ask::get("/tasks?state=failed").header("Accept: text/html");
    let led = page.send(&guarded.world).await;
    let login = "/login?next=%2Ftasks%3Fstate%3Dfailed";
    assert_eq!((led.status, led.header("location")), (303, Some(login)));
    let form = Ask::get(login).send(&guarded.world).await;
    assert!(
        form.text().contains("value=\"/tasks?state=failed\""),
        "{}",
        form.text()
    );
    let token = guarded.token("read", "*", 1).await;
    let cookie = guarded.session(&token).await;
    let page = Ask::get("/").header(&cookie).send(&guarded.world).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("action=\"/logout\""));
    let away = guarded
        .log_in(format!("secret={}&next=//evil.example", token.reveal()))
        .await;
    assert_eq!(away.header("location"), Some("/"));
}

#[tokio::test]
async fn a_wrong_token_and_one_without_use_begin_no_session() {
    let guarded = Guarded::new().await;
    let limited = guarded.token("read", "mail", 1).await;
    for (secret, status) in [("tr_wrong", 401), (&*limited.reveal(), 403)] {
        let reply = guarded.log_in(format!("secret={secret}")).await;
        assert_eq!(reply.status, status);
        assert!(reply.header("set-cookie").is_none());
        assert!(reply.text().contains("<form"), "to try again");
    }
    let lines = guarded.access.audit(None, 5).await.unwrap();
    assert!(lines.iter().all(|(_, line)| line.deed.name() == "fail") && lines.len() == 2);
}

#[tokio::test]
async fn a_link_opens_once() {
    let guarded = Guarded::new().await;
    let admin = guarded.token("admin", "*", 1).await;
    let made = guarded
        .send(Ask::post("/v1/login-links", "{}"), &admin)
        .await;
    assert_eq!(made.status, 201);
    let path = made.json()["path"].as_str().unwrap().to_owned();
    // Looking at it, as a preview of a mail does, changes nothing.
    for _ in 0..2 {
        assert_eq!(Ask::get(&path).send(&guarded.world).await.status, 200);
    }
    let link = path.split("link=").nth(1).unwrap();
    let cookie = cookie_of(&guarded.log_in(format!("link={link}")).await);
    assert_eq!(guarded.log_in(format!("link={link}")).await.status, 401);
    assert_eq!(
        Ask::get("/")
            .header(&cookie)
            .send(&guarded.world)
            .await
            .status,
        200
    );
    guarded.access.revoke(admin.id()).await.unwrap();
    let page = Ask::get("/").header(&cookie).send(&guarded.world).await;
    page.problem(401, "TAR-1101");
}

#[tokio::test]
async fn a_cookie_is_no_token_and_a_form_needs_that_of_its_session() {
    let guarded = Guarded::new().await;
    let token = guarded.token("operate", "*", 1).await;
    let cookie = guarded.session(&token).await;
    let other = guarded.session(&token).await;
    let api = Ask::post("/v1/tasks", r#"{"op":"square","n":5}"#).header(&cookie);
    api.send(&guarded.world).await.problem(401, "TAR-1101");
    let shown = cookie.split('=').nth(1).unwrap();
    let bearer = Ask::get("/v1/tasks").header(&format!("Authorization: Bearer {shown}"));
    bearer.send(&guarded.world).await.problem(401, "TAR-1101");
    let (own, foreign) = (
        guarded.form_token(&cookie).await,
        guarded.form_token(&other).await,
    );
    let pause = |token: &str| form_to("/queues/mail", format!("action=pause&token={token}"));
    for wrong in ["", &*foreign, "0123456789abcdef0123456789abcdef"] {
        let reply = pause(wrong).header(&cookie).send(&guarded.world).await;
        assert_eq!(reply.status, 403, "{wrong}");
    }
    let silent = Ask::new("POST", "/queues/mail")
        .header("Content-Type: application/x-www-form-urlencoded")
        .body(format!("action=pause&token={own}"))
        .header(&cookie);
    silent.send(&guarded.world).await.problem(403, "TAR-1104");
    let reply = pause(&own).header(&cookie).send(&guarded.world).await;
    assert_eq!(reply.status, 303);
    let lines = guarded.access.audit(None, 1).await.unwrap();
    assert_eq!(
        (lines[0].1.deed.name(), &*lines[0].1.detail),
        ("pause", "/queues/mail pause")
    );
    assert!(lines[0].1.who.starts_with("ops ("), "{}", lines[0].1.who);
}

#[tokio::test]
async fn a_logout_ends_the_session_on_every_server() {
    let guarded = Guarded::new().await;
    let token = guarded.token("read", "*", 1).await;
    let cookie = guarded.session(&token).await;
    let form = guarded.form_token(&cookie).await;
    let out = form_to("/logout", format!("token={form}")).header(&cookie);
    let reply = out.send(&guarded.world).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/login"))
    );
    let page = Ask::get("/").header(&cookie).send(&guarded.world).await;
    page.problem(401, "TAR-1101");
}

#[tokio::test]
async fn a_login_ends_the_session_that_the_browser_had() {
    let guarded = Guarded::new().await;
    let token = guarded.token("read", "*", 1).await;
    let old = guarded.session(&token).await;
    let login = form_to("/login", format!("secret={}", token.reveal()));
    let fresh = cookie_of(&login.header(&old).send(&guarded.world).await);
    assert_ne!(old, fresh);
    let look = |cookie: &str| Ask::get("/").header(cookie);
    look(&old)
        .send(&guarded.world)
        .await
        .problem(401, "TAR-1101");
    assert_eq!(look(&fresh).send(&guarded.world).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_is_told_when_the_right_to_it_ends() {
    let guarded = Guarded::new().await;
    let token = guarded.token("submit", "*", 1).await;
    let task = r#"{"kind":"echo","payload":1,"delay_ms":3600000}"#;
    let id = guarded
        .send(Ask::post("/v1/tasks", task), &token)
        .await
        .task_id();
    let wait = guarded.send(Ask::get(&format!("/v1/tasks/{id}/wait")), &token);
    let revoke = async {
        // Before or after the wait has begun: it ends all the same.
        tokio::task::yield_now().await;
        guarded.access.revoke(token.id()).await.unwrap()
    };
    let (told, is_revoked) = tokio::join!(wait, revoke);
    assert!(is_revoked);
    told.problem(401, "TAR-1101");
}

#[tokio::test]
async fn what_was_ordered_in_bulk_is_written_down() {
    let guarded = Guarded::new().await;
    let token = guarded.token("operate", "*", 1).await;
    let order = r#"{"action":"delete","filter":"state:failed"}"#;
    let made = guarded.send(Ask::post("/v1/bulk", order), &token).await;
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let lines = guarded.access.audit(None, 1).await.unwrap();
    let line = format!("/v1/bulk delete state:failed ({id})");
    assert_eq!(
        (lines[0].1.deed.name(), &*lines[0].1.detail),
        ("operate", &*line)
    );
}

#[tokio::test]
async fn tokens_are_made_listed_and_revoked() {
    let guarded = Guarded::new().await;
    let admin = guarded.token("admin", "*", 1).await;
    let ask = r#"{"name":"web","roles":["submit"],"queues":["mail*"],"expires_in_ms":60000}"#;
    let made = guarded.send(Ask::post("/v1/tokens", ask), &admin).await;
    assert_eq!(made.status, 201);
    let (made, text) = (
        made.json(),
        made.json()["token"].as_str().unwrap().to_owned(),
    );
    let task = Ask::post("/v1/tasks", r#"{"kind":"echo","payload":1,"queue":"mail"}"#);
    let web = TokenText::parse(&text).unwrap();
    assert_eq!(guarded.send(task, &web).await.status, 202);
    let list = guarded.send(Ask::get("/v1/tokens"), &admin).await;
    assert!(
        !list.text().contains(&text[12..]),
        "the secret is nowhere else"
    );
    assert_eq!(list.json()["tokens"].as_array().unwrap().len(), 2);
    let path = format!("/v1/tokens/{}", made["id"].as_str().unwrap());
    assert_eq!(guarded.send(Ask::delete(&path), &admin).await.status, 204);
    guarded
        .send(Ask::delete(&path), &admin)
        .await
        .problem(404, "TAR-1207");
    guarded
        .send(Ask::get("/v1/kinds"), &web)
        .await
        .problem(401, "TAR-1101");
    let audit = guarded
        .send(Ask::get("/v1/audit?limit=1"), &admin)
        .await
        .json();
    assert_eq!(audit["entries"][0]["deed"], "revoke_token");
    let older = format!("/v1/audit?cursor={}", audit["next_cursor"]);
    let older = guarded.send(Ask::get(&older), &admin).await.json();
    assert_eq!(older["entries"][0]["deed"], "create_token");
    for wrong in [r#"{"name":"x"}"#, r#"{"name":"x","roles":["root"]}"#, "[]"] {
        let reply = guarded.send(Ask::post("/v1/tokens", wrong), &admin).await;
        assert!((400..500).contains(&reply.status), "{wrong}");
    }
}

#[tokio::test]
async fn without_access_control_there_are_no_tokens() {
    let world = World::new();
    for ask in [
        Ask::get("/v1/tokens"),
        Ask::post("/v1/tokens", "{}"),
        Ask::post("/v1/login-links", "{}"),
        Ask::get("/v1/audit"),
    ] {
        ask.send(&world).await.problem(409, "TAR-1106");
    }
    let login = Ask::get("/login").send(&world).await;
    assert_eq!((login.status, login.header("location")), (303, Some("/")));
}

#[tokio::test]
async fn a_stream_ends_with_the_right_to_look() {
    let guarded = Guarded::new().await;
    let token = guarded.token("read", "*", 1).await;
    let look = guarded.send(Ask::get("/v1/events"), &token);
    let revoke = async {
        let mut ticks = tokio::time::interval(std::time::Duration::from_millis(300));
        ticks.tick().await;
        ticks.tick().await;
        guarded.access.revoke(token.id()).await.unwrap();
    };
    let (reply, ()) = tokio::join!(look, revoke);
    assert_eq!(reply.status, 200, "it was open, and came to its end");
}

/// What the page of the system says about from where the server can be reached, in both languages.
async fn reachable_from(world: &World, token: Option<&TokenText>) -> [String; 2] {
    let mut told = [String::new(), String::new()];
    for (told, path) in told.iter_mut().zip(["/system?lang=en", "/system?lang=es"]) {
        let mut ask = Ask::get(path).header("Accept: text/html");
        if let Some(token) = token {
            ask = ask.header(&format!("Authorization: Bearer {}", token.reveal()));
        }
        let page = ask.send(world).await;
        let text = page.text();
        let names = [
            "<dt>Reachable from</dt><dd>",
            "<dt>Accesible desde</dt><dd>",
        ];
        let mut after = names.iter().filter_map(|name| text.split(name).nth(1));
        let after = after.next().expect("the fact");
        *told = after.split('<').next().unwrap().to_owned();
    }
    told
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_the_system_says_who_can_reach_it() {
    let bound = |addresses: &[&str]| ServerConfig {
        bind: addresses.iter().map(|text| text.parse().unwrap()).collect(),
        ..ServerConfig::default()
    };
    let local = ["this machine only", "solo esta máquina"];
    let asked = [
        "other machines, with a token",
        "otras máquinas, con un token",
    ];
    let open = [
        "other machines: open to everybody who reaches it",
        "otras máquinas: abierto a quien llegue a él",
    ];
    let for_a_balancer = ServerConfig {
        proxied: vec!["127.0.0.1:5001".parse().unwrap()],
        ..ServerConfig::default()
    };
    let behind_tls = ServerConfig {
        public_url: Some("https://tareas.example".to_owned()),
        ..ServerConfig::default()
    };
    let table = [
        (bound(&["127.0.0.1:5000"]), local, local),
        (bound(&["[::1]:5000", "[::ffff:127.0.0.1]:1"]), local, local),
        (bound(&["0.0.0.0:5000"]), asked, open),
        (bound(&["127.0.0.1:5000", "10.0.0.1:5000"]), asked, open),
        (for_a_balancer, asked, open),
        (behind_tls, asked, open),
    ];
    for (config, with_tokens, without) in table {
        let place = format!("{:?} {:?}", config.bind, config.proxied);
        let guarded = Guarded::with(config.clone()).await;
        let token = guarded.token("admin", "*", 1).await;
        let told = reachable_from(&guarded.world, Some(&token)).await;
        assert_eq!(told, with_tokens, "{place}");
        let insecure = true;
        let world = World::with(ServerConfig { insecure, ..config });
        assert_eq!(reachable_from(&world, None).await, without, "{place}");
    }
}
