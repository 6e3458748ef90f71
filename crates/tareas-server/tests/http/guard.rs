//! Foreign pages stay outside, loopback included.

use crate::client::{Ask, Reply};
use crate::world::World;
use tareas_server::ServerConfig;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; manifest-src 'self'; worker-src 'self'; frame-ancestors 'none'; \
    base-uri 'none'; form-action 'self'";

fn is_hardened(reply: &Reply) -> bool {
    reply.header("content-security-policy") == Some(POLICY)
        && reply.header("x-content-type-options") == Some("nosniff")
        && reply.header("referrer-policy") == Some("same-origin")
        && reply.header("access-control-allow-origin").is_none()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_our_own_names_are_answered() {
    let public_url = Some("https://tareas.example".to_owned());
    let world = World::with(ServerConfig {
        public_url,
        ..ServerConfig::default()
    });
    let table = [
        ("localhost:5000", 200),
        ("127.0.0.1:5000", 200),
        ("[::1]:5000", 200),
        ("tareas.example", 200),
        ("evil.example:5000", 403),
        ("10.0.0.1", 403),
    ];
    for path in ["/", "/v1/tasks", "/livez"] {
        for (host, status) in table {
            let reply = Ask::get(path).host(Some(host)).send(&world).await;
            assert_eq!(reply.status, status, "{host} {path}");
            assert!(is_hardened(&reply), "{host} {path}");
        }
    }
    let reply = Ask::get("/").host(Some("evil.example")).send(&world).await;
    let problem = reply.problem(403, "TAR-1103");
    assert_eq!(
        problem["detail"],
        "`evil.example` is not a name of this server"
    );
    let absolute = Ask::get("http://evil.example/livez").send(&world).await;
    absolute.problem(403, "TAR-1103");
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_pages_change_nothing() {
    let world = World::new();
    let table: [(&[&str], u16); 9] = [
        (&[], 202),
        (&["Origin: http://localhost:5000"], 202),
        (
            &[
                "Origin: http://localhost:5000",
                "Sec-Fetch-Site: same-origin",
            ],
            202,
        ),
        (&["Sec-Fetch-Site: none"], 202),
        (&["Origin: http://evil.example"], 403),
        (&["Origin: http://localhost:3000"], 403),
        (&["Origin: null"], 403),
        (&["Sec-Fetch-Site: cross-site"], 403),
        (
            &["Sec-Fetch-Site: same-site", "Origin: http://localhost:5000"],
            403,
        ),
    ];
    for (headers, status) in table {
        let mut ask = Ask::post("/v1/tasks", r#"{"op":"echo"}"#);
        for header in headers {
            ask = ask.header(header);
        }
        let reply = ask.send(&world).await;
        assert_eq!(reply.status, status, "{headers:?} {}", reply.text());
        if status == 403 {
            reply.problem(403, "TAR-1104");
        }
    }
    for verb in ["POST", "DELETE", "PUT"] {
        let ask = Ask::new(verb, "/v1/queues/default/pause").header("Origin: http://evil.example");
        ask.send(&world).await.problem(403, "TAR-1104");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_says_that_it_is_json() {
    let world = World::new();
    let types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "",
    ];
    for media in types {
        let ask = Ask::new("POST", "/v1/tasks").header(&format!("Content-Type: {media}"));
        ask.body(r#"{"op":"echo"}"#)
            .send(&world)
            .await
            .problem(415, "TAR-1213");
    }
    let none = Ask::new("POST", "/v1/queues/default/pause")
        .send(&world)
        .await;
    none.problem(415, "TAR-1213");
    assert!(
        world
            .state
            .engine
            .queues()
            .values()
            .all(|is_paused| !is_paused)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_origin_is_let_in_by_asking_first() {
    let world = World::new();
    let ask = Ask::new("OPTIONS", "/v1/tasks").header("Origin: http://evil.example");
    let reply = ask
        .header("Access-Control-Request-Method: POST")
        .send(&world)
        .await;
    assert_eq!(reply.status, 405);
    assert!(is_hardened(&reply));
}
