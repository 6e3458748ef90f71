//! Errors: problem+json in both languages, and their pages.

use crate::client::Ask;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn a_problem_speaks_the_callers_language() {
    let world = World::new();
    let ask = |language: &str| {
        let ask = Ask::post("/v1/tasks", r#"{"op":"sqaure"}"#);
        ask.header(&format!("Accept-Language: {language}"))
            .send(&world)
    };
    let english = ask("en-GB,es;q=0.5").await;
    let body = r#"{"type":"/errors/TAR-1204","title":"there is no such kind","status":422,"#;
    assert!(english.text().starts_with(body), "{}", english.text());
    assert_eq!(english.header("content-language"), Some("en"));
    let spanish = ask("es-MX,es;q=0.9,en;q=0.8").await;
    let problem = spanish.problem(422, "TAR-1204");
    assert_eq!(problem["title"], "no existe ese tipo");
    assert_eq!(problem["hint"], "¿quiso decir 'square'?");
    assert_eq!(spanish.header("content-language"), Some("es"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nowhere_and_the_wrong_method_are_problems() {
    let world = World::new();
    let nowhere = Ask::get("/v1/nothing")
        .send(&world)
        .await
        .problem(404, "TAR-1207");
    assert_eq!(nowhere["detail"], "there is nothing at `/v1/nothing`");
    let wrong = Ask::delete("/v1/tasks").send(&world).await;
    wrong.problem(405, "TAR-1214");
    let allow = wrong.header("allow").unwrap();
    assert!(allow.contains("GET") && allow.contains("POST"), "{allow}");
    for method in ["TRACE", "QUERY", "DELETE"] {
        let wrong = Ask::new(method, "/v1/topology").send(&world).await;
        wrong.problem(405, "TAR-1214");
    }
    Ask::get("/assets/page.css")
        .send(&world)
        .await
        .problem(404, "TAR-1207");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_code_has_a_page() {
    let world = World::new();
    let json = Ask::get("/errors/TAR-1204").send(&world).await.json();
    assert_eq!(json["name"], "unknown_kind");
    assert_eq!(json["http_status"], 422);
    let ask = Ask::get("/errors/tar-1204?lang=es").header("Accept: text/html");
    let page = ask.send(&world).await;
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.text().contains("<html lang=\"es\">"));
    assert!(page.text().contains("no existe ese tipo"));
    Ask::get("/errors/TAR-0000")
        .send(&world)
        .await
        .problem(404, "TAR-1207");
    let all = Ask::get("/errors").send(&world).await.json();
    assert_eq!(
        all.as_array().unwrap().len(),
        tareas_protocol::Code::ALL.len()
    );
}
