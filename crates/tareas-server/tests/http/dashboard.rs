//! The pages of the dashboard: each in both languages, what they escape, and what their forms do.

use crate::client::{Ask, Reply, finished};
use crate::world::{World, until};

const PAGES: [(&str, &str, &str); 8] = [
    ("/", "Latest tasks", "Últimas tareas"),
    ("/tasks", "Tasks", "Tareas"),
    ("/tasks/new", "New task", "Nueva tarea"),
    ("/queues", "Queues", "Colas"),
    (
        "/workers",
        "threads of this server",
        "hilos de este servidor",
    ),
    ("/failures", "Failures", "Fallos"),
    ("/history", "History", "Historia"),
    ("/system", "Behind the ports", "Detrás de los puertos"),
];

const HOSTILE: &str = "<script>alert(1)</script>";

async fn page(world: &World, path: &str) -> Reply {
    Ask::get(path).header("Accept: text/html").send(world).await
}

fn token(page: &Reply) -> String {
    let text = page.text();
    let begin = "name=\"token\" value=\"";
    let from = text.find(begin).unwrap() + begin.len();
    text[from..].split('"').next().unwrap().to_owned()
}

async fn send(world: &World, path: &str, fields: &str) -> Reply {
    let token = token(&page(world, "/queues").await);
    Ask::new("POST", path)
        .header("Content-Type: application/x-www-form-urlencoded")
        .header("Origin: http://localhost:5000")
        .body(format!("token={token}&{fields}"))
        .send(world)
        .await
}

fn id_in(place: &str) -> &str {
    place
        .trim_start_matches("/tasks/")
        .split('?')
        .next()
        .unwrap()
}

/// Nothing that the policy forbids, nothing that came from a task as markup, one `h1`.
fn assert_clean(path: &str, text: &str) {
    for forbidden in [
        " style=",
        "<style",
        " onclick=",
        " onload=",
        "javascript:",
        HOSTILE,
    ] {
        assert!(!text.contains(forbidden), "{path}: {forbidden}");
    }
    assert_eq!(
        text.matches("<script").count(),
        text.matches("<script src=\"/assets/").count(),
        "{path}: scripts are files"
    );
    assert_eq!(text.matches("<h1").count(), 1, "{path}: one heading");
    assert!(
        text.contains("class=\"skip\"") && text.contains("id=\"main\""),
        "{path}"
    );
    assert!(text.len() < 60_000, "{path}: {} bytes", text.len());
    let links = ["href=\"", "src=\"", "action=\""];
    for link in links.iter().flat_map(|name| text.split(name).skip(1)) {
        assert!(
            link.starts_with(['/', '#']),
            "{path}: {} is elsewhere",
            &link[..20]
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_speaks_both_languages() {
    let world = World::new();
    finished(&world, r#"{"op":"square","n":5}"#).await;
    for (path, english, spanish) in PAGES {
        for (lang, words) in [("en", english), ("es", spanish)] {
            let shown = page(&world, &format!("{path}?lang={lang}")).await;
            assert_eq!(shown.status, 200, "{path}");
            let text = shown.text();
            assert!(text.contains(&format!("<html lang=\"{lang}\"")), "{path}");
            assert!(text.contains(words), "{path}: {words}");
            let kept = shown.header("set-cookie").unwrap();
            assert!(kept.starts_with(&format!("tareas_lang={lang};")), "{kept}");
            assert_clean(path, text);
        }
    }
    let again = Ask::get("/queues").header("Cookie: tareas_lang=es");
    assert!(
        again
            .send(&world)
            .await
            .text()
            .contains("<html lang=\"es\"")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_tasks_hold_is_a_text_on_every_page() {
    let world = World::new();
    let payload = format!(r#"{{"message":"{HOSTILE}","retryable":false}}"#);
    let body = format!(r#"{{"kind":"fail","payload":{payload},"metadata":{{"<b>":"{HOSTILE}"}}}}"#);
    let id = finished(&world, &body).await.task_id();
    for path in [
        "/".to_owned(),
        "/tasks?state=failed".to_owned(),
        format!("/tasks/{id}"),
        format!("/tasks/new?from={id}"),
        "/failures".to_owned(),
    ] {
        let shown = page(&world, &path).await;
        assert_clean(&path, shown.text());
        assert!(shown.text().contains("&lt;script&gt;"), "{path}");
    }
    for path in [
        "/tasks?kind=%3Cscript%3E",
        "/tasks?said=%3Cscript%3E",
        "/tasks/%3Cscript%3E",
        "/%3Cscript%3E",
    ] {
        assert!(
            !page(&world, path).await.text().contains("<script>"),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_by_links_and_paged() {
    let world = World::new();
    for number in 0..51 {
        let body = format!(r#"{{"kind":"square","payload":{number},"queue":"q"}}"#);
        finished(&world, &body).await;
    }
    let first = page(&world, "/tasks?state=succeeded&queue=q").await;
    let rows = |reply: &Reply| reply.text().matches("<tr data-key").count();
    assert_eq!(rows(&first), 50);
    let next = first
        .text()
        .split("href=\"")
        .find(|part| part.contains("cursor="))
        .unwrap();
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    assert!(next.contains("state=succeeded&queue=q&cursor="), "{next}");
    assert_eq!(rows(&page(&world, &next).await), 1);
    assert!(
        page(&world, "/tasks?state=cancelled")
            .await
            .text()
            .contains("Nothing matches")
    );
    let wrong = page(&world, "/tasks?state=faild").await;
    assert_eq!(wrong.status, 422, "{}", wrong.text());
    assert!(wrong.text().contains("did you mean `failed`?"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_can_be_made_and_shown_as_commands() {
    let world = World::new();
    let draft = "kind=square&payload=%7B%22n%22%3A+5%7D&priority=7&key=it-1";
    let shown = send(&world, "/tasks/new", &format!("{draft}&show=yes")).await;
    assert_eq!(shown.status, 200);
    let command =
        "tareas submit --priority 7 --key it-1 --wait square --json &#39;{&quot;n&quot;: 5}&#39;";
    let plain = command.replace("&#39;", "'");
    assert!(
        shown.text().contains(command) || shown.text().contains(&plain),
        "{}",
        shown.text()
    );
    assert!(shown.text().contains("urllib.request"));
    let sent = send(&world, "/tasks/new", draft).await;
    assert_eq!(sent.status, 303, "{}", sent.text());
    let id = id_in(sent.header("location").unwrap()).to_owned();
    let path = format!("/v1/tasks/{id}/wait?timeout_ms=10000");
    let task = Ask::get(&path).send(&world).await.json();
    assert_eq!(
        (&task["result"], &task["priority"]),
        (&25.into(), &7.into())
    );
    for (wrong, status, code) in [
        ("kind=square&payload=%7B%22n", 400, "TAR-1201"),
        ("kind=sqare&payload=5", 422, "TAR-1204"),
        ("kind=square&payload=5&priority=high", 400, "TAR-12"),
    ] {
        let back = send(&world, "/tasks/new", wrong).await;
        assert!(
            back.status == status || back.status == 422,
            "{wrong}: {}",
            back.status
        );
        assert!(
            back.text().contains(code) && back.text().contains("role=\"alert\""),
            "{wrong}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn buttons_say_what_happened() {
    let world = World::new();
    let later = r#"{"kind":"square","payload":5,"delay_ms":600000,"queue":"q"}"#;
    let id = Ask::post("/v1/tasks", later).send(&world).await.task_id();
    let path = format!("/tasks/{id}");
    let waiting = page(&world, &path).await;
    assert!(waiting.text().contains("data-poll") && waiting.text().contains("it is due in"));
    let refused = send(&world, &path, "action=delete").await;
    assert_eq!(refused.status, 409, "{}", refused.text());
    assert!(refused.text().contains("role=\"alert\"") && refused.text().contains("it is due in"));
    let done = send(&world, &path, "action=cancel").await;
    assert_eq!(
        done.header("location"),
        Some(&*format!("{path}?said=cancelled"))
    );
    let again = send(&world, &path, "action=again").await;
    let copy = id_in(again.header("location").unwrap()).to_owned();
    assert_ne!(copy, id);
    let ended = format!("/v1/tasks/{copy}/wait?timeout_ms=10000");
    let copy = Ask::get(&ended).send(&world).await.json();
    assert_eq!(copy["result"], 25);
    assert_eq!(copy["metadata"]["copy_of"], id);
    assert_eq!(send(&world, &path, "action=delete").await.status, 303);
    assert_eq!(page(&world, &path).await.status, 404);
    let forged = Ask::new("POST", &path)
        .header("Content-Type: application/x-www-form-urlencoded")
        .body("token=0&action=cancel");
    assert_eq!(forged.send(&world).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_paused_and_resumed() {
    let world = World::new();
    let paused = send(&world, "/queues/mail", "action=pause").await;
    assert_eq!(
        (paused.status, paused.header("location")),
        (303, Some("/queues"))
    );
    assert!(page(&world, "/queues").await.text().contains("⏸ paused"));
    assert!(
        page(&world, "/")
            .await
            .text()
            .contains("queue mail is paused, 0 waiting")
    );
    let resumed = send(&world, "/queues/mail", "action=resume&back=%2F").await;
    assert_eq!(resumed.header("location"), Some("/"));
    assert!(!page(&world, "/queues").await.text().contains("⏸ paused"));
    assert_eq!(
        send(&world, "/queues/a%2Fb", "action=pause").await.status,
        422
    );
    assert_eq!(
        send(&world, "/queues/mail", "action=purge").await.status,
        422
    );
    let forged = Ask::new("POST", "/queues/mail")
        .header("Content-Type: application/x-www-form-urlencoded")
        .body("action=pause");
    assert_eq!(forged.send(&world).await.status, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_are_grouped_and_put_back_together() {
    let world = World::new();
    for number in [4812, 7] {
        let body = format!(
            r#"{{"kind":"fail","payload":{{"message":"order {number} not found","retryable":false}}}}"#
        );
        finished(&world, &body).await;
    }
    finished(&world, r#"{"kind":"dividir","payload":"1 0"}"#).await;
    let shown = page(&world, "/failures").await;
    assert!(
        shown.text().contains("2 ×") && shown.text().contains("1 ×"),
        "{}",
        shown.text()
    );
    let done = send(
        &world,
        "/failures",
        "print=fail+rejected+order+%23+not+found",
    )
    .await;
    assert_eq!(
        done.header("location"),
        Some("/failures?done=2&skipped=0"),
        "{}",
        done.text()
    );
    let count = || {
        world
            .state
            .engine
            .tally()
            .counted()
            .finished
            .values()
            .sum::<u64>()
    };
    until(|| count() == 5).await;
    let told = page(&world, "/failures?done=2&skipped=0").await;
    assert!(told.text().contains("2 back in line, 0 skipped"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_colours_are_kept_and_lead_nowhere_else() {
    let world = World::new();
    let dark = send(&world, "/look", "theme=dark&back=%2Ftasks%3Fstate%3Dfailed").await;
    assert_eq!(dark.header("location"), Some("/tasks?state=failed"));
    assert!(
        dark.header("set-cookie")
            .unwrap()
            .starts_with("tareas_theme=dark;")
    );
    let kept = Ask::get("/")
        .header("Cookie: a=b; tareas_theme=dark")
        .send(&world)
        .await;
    assert!(kept.text().contains("class=\"dark\""));
    let away = send(&world, "/look", "theme=dark&back=%2F%2Fevil.example").await;
    assert_eq!(away.header("location"), Some("/"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_is_a_page_for_people_and_json_for_programs() {
    let world = World::new();
    let shown = page(&world, "/nowhere").await;
    assert_eq!(shown.status, 404);
    assert!(shown.text().contains("TAR-1207") && shown.text().contains("</html>"));
    Ask::get("/nowhere")
        .send(&world)
        .await
        .problem(404, "TAR-1207");
}

#[tokio::test(flavor = "multi_thread")]
async fn members_such_as_passwords_are_on_no_page() {
    let world = World::new();
    let body = r#"{"kind":"echo","payload":{"user":"ana","db":{"DB_Password":"hunter2"}}}"#;
    let id = finished(&world, body).await.task_id();
    for path in [
        format!("/?sent={id}"),
        "/tasks".to_owned(),
        format!("/tasks/{id}"),
        format!("/tasks/new?from={id}"),
    ] {
        let shown = page(&world, &path).await;
        assert_eq!(shown.status, 200, "{path}");
        assert!(shown.text().contains("ana"), "{path}");
        assert!(!shown.text().contains("hunter2"), "{path}");
    }
    let draft = page(&world, &format!("/tasks/new?from={id}&lang=es")).await;
    assert!(draft.text().contains("escríbalos de nuevo"));
    let whole = Ask::get(&format!("/v1/tasks/{id}")).send(&world).await;
    assert!(whole.text().contains("hunter2"), "programs get it whole");
}
