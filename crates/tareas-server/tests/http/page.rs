//! The page for people.

use crate::client::{Ask, Reply, finished};
use crate::world::World;

async fn home(world: &World) -> Reply {
    Ask::get("/").send(world).await
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let from = text
        .find(before)
        .unwrap_or_else(|| panic!("{before} in {text}"))
        + before.len();
    let length = text[from..].find(after).unwrap();
    &text[from..from + length]
}

fn token(page: &Reply) -> String {
    between(page.text(), "name=\"token\" value=\"", "\"").to_owned()
}

async fn send_form(world: &World, fields: &str) -> Reply {
    let ask = Ask::new("POST", "/tasks").header("Content-Type: application/x-www-form-urlencoded");
    ask.header("Origin: http://localhost:5000")
        .body(fields)
        .send(world)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_stands_without_a_script() {
    let world = World::new();
    let page = home(&world).await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let text = page.text();
    for part in [
        "id=\"map\"",
        "id=\"health\"",
        "id=\"states\"",
        "id=\"latest\"",
        "id=\"send\"",
    ] {
        assert!(text.contains(part), "{part}");
    }
    assert!(text.contains("No tasks yet"));
    assert!(!text.contains(" style=") && !text.contains("<style") && !text.contains("onclick"));
    assert_eq!(
        text.matches("<script").count(),
        text.matches("<script src=\"/assets/").count(),
        "scripts are files"
    );
    let asset = between(text, "rel=\"stylesheet\" href=\"", "\"");
    let style = Ask::get(asset).send(&world).await;
    assert_eq!(
        style.header("cache-control"),
        Some("public, max-age=31536000, immutable")
    );
    assert_eq!(
        style.header("content-type"),
        Some("text/css; charset=utf-8")
    );
    let script = Ask::get(between(text, "<script src=\"", "\""))
        .send(&world)
        .await;
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert!(page.body.len() + style.body.len() + script.body.len() < 64_000);
    assert!(style.body.len() < 32_000 && script.body.len() < 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tasks_hold_is_escaped() {
    let world = World::new();
    let payload = r#"<script>alert(1)</script><img src=x onerror='a()'>\"&"#;
    let body = format!(r#"{{"kind":"echo","payload":"{payload}","queue":"q"}}"#);
    let id = finished(&world, &body).await.task_id();
    let failing = r#"{"kind":"fail","payload":{"message":"<script>x</script>","retryable":false}}"#;
    finished(&world, failing).await;
    for path in [
        "/".to_owned(),
        format!("/?sent={id}"),
        "/tasks".to_owned(),
        format!("/tasks/{id}"),
        format!("/tasks/new?from={id}"),
    ] {
        let page = Ask::get(&path).send(&world).await;
        let text = page.text();
        assert!(
            text.contains("&lt;script&gt;alert(1)&lt;/script&gt;"),
            "{text}"
        );
        assert!(
            !text.contains("<script>") && !text.contains("<img src=x"),
            "{text}"
        );
    }
    for path in [
        "/?sent=%3Cscript%3E",
        "/?lang=%3Cscript%3E",
        "/%3Cscript%3E",
    ] {
        let page = Ask::get(path).send(&world).await;
        assert!(!page.text().contains("<script>"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_speaks_both_languages() {
    let world = World::new();
    let spanish = Ask::get("/")
        .header("Accept-Language: es")
        .send(&world)
        .await;
    assert!(spanish.text().contains("<html lang=\"es\">"));
    assert!(spanish.text().contains("Últimas tareas"));
    let english = Ask::get("/?lang=en")
        .header("Accept-Language: es")
        .send(&world)
        .await;
    assert!(english.text().contains("Latest tasks"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_sends_a_task_and_shows_it() {
    let world = World::new();
    let token = token(&home(&world).await);
    let sent = send_form(&world, &format!("token={token}&lang=es&task=sumar+2+%2B+2")).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let place = sent.header("location").unwrap();
    let id = between(place, "sent=", "#");
    assert_eq!(place, format!("/?lang=es&sent={id}#sent"));
    let path = format!("/v1/tasks/{id}/wait?timeout_ms=10000");
    assert_eq!(Ask::get(&path).send(&world).await.json()["result"], 4);
    let page = Ask::get(&format!("/?lang=es&sent={id}")).send(&world).await;
    let card = between(page.text(), "id=\"sent\"", "</section>");
    assert!(card.contains("Su tarea") && card.contains("<span class=\"outcome\">4</span>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_example_and_json_are_tasks_too() {
    let world = World::new();
    let token = token(&home(&world).await);
    let example = format!("token={token}&task=&example=square+12");
    assert_eq!(send_form(&world, &example).await.status, 303);
    let json = format!("token={token}&task=%7B%22op%22%3A%22square%22%2C%22n%22%3A5%7D");
    assert_eq!(send_form(&world, &json).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_that_is_wrong_comes_back_with_its_text() {
    let world = World::new();
    let token = token(&home(&world).await);
    let table = [
        ("sumra+1", "TAR-1204"),
        ("%22%3E%3Cscript%3E", "TAR-1204"),
        ("salir", "TAR-1204"),
        ("%7B%22op%22", "TAR-1201"),
        ("", "TAR-1204"),
    ];
    for (task, code) in table {
        let page = send_form(&world, &format!("token={token}&task={task}")).await;
        assert!(matches!(page.status, 400 | 422), "{task}");
        assert!(
            page.text().contains("role=\"alert\"") && page.text().contains(code),
            "{task} {}",
            between(page.text(), "id=\"send-note\"", "</div>")
        );
        assert!(!page.text().contains("\"><script>"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_page_is_refused() {
    let world = World::new();
    for token in ["", "token=&", "token=00000000000000000000000000000000&"] {
        let page = send_form(&world, &format!("{token}task=sumar+1+1")).await;
        assert_eq!(page.status, 403, "{}", page.text());
        assert!(page.text().contains("TAR-1104"));
    }
    let token = token(&home(&world).await);
    let foreign = Ask::new("POST", "/tasks")
        .header("Content-Type: application/x-www-form-urlencoded")
        .header("Origin: http://evil.example")
        .body(format!("token={token}&task=sumar+1+1"));
    foreign.send(&world).await.problem(403, "TAR-1104");
    assert_eq!(
        world
            .state
            .engine
            .tally()
            .counted()
            .submitted
            .values()
            .sum::<u64>(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_can_install_it_and_keeps_nothing_about_tasks() {
    let world = World::new();
    let page = home(&world).await;
    let place = between(page.text(), "rel=\"manifest\" href=\"", "\"");
    let manifest = Ask::get(place).send(&world).await;
    assert_eq!(
        manifest.header("content-type"),
        Some("application/manifest+json")
    );
    let described = manifest.json();
    for icon in described["icons"].as_array().unwrap() {
        let shown = Ask::get(icon["src"].as_str().unwrap()).send(&world).await;
        assert_eq!(shown.status, 200);
        assert_eq!(shown.header("content-type"), icon["type"].as_str());
    }
    let worker = Ask::get("/service-worker.js").send(&world).await;
    let kept = format!("[{}]", between(worker.text(), "KEPT = [", "]"));
    let kept: Vec<String> = serde_json::from_str(&kept).unwrap();
    for path in &kept {
        assert_eq!(Ask::get(path).send(&world).await.status, 200, "{path}");
        assert!(path == "/offline" || path.starts_with("/assets/"), "{path}");
    }
    let offline = Ask::get("/offline").send(&world).await;
    assert!(offline.text().contains("cannot be reached"));
    assert!(offline.text().contains("No se puede alcanzar"));
}
