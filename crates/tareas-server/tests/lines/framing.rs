//! Where lines end, and what is refused before it is looked at.

use super::support::Server;

const MIB: usize = 1024 * 1024;

#[tokio::test(flavor = "multi_thread")]
async fn a_classroom_client_sends_no_newlines() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send("sumar 2 + 2").await;
    client.expect("4").await;
    client.send(r#"{"op": "square", "n": 5}"#).await;
    assert_eq!(client.json().await["status"], "queued");
    assert_eq!(client.json().await["result"], 25);
    client.send("salir").await;
    assert_eq!(client.rest().await, "");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_may_arrive_in_any_pieces() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send("\r\n  \nsquare 1\r\n").await;
    client.expect("1").await;
    for byte in b"square 7\n" {
        client.send([*byte]).await;
        tokio::task::yield_now().await;
    }
    client.expect("49").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_too_long_is_thrown_away() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send("square 2\n").await;
    client.expect("4").await;
    client
        .send(format!("echo {}\nsquare 3\n", "x".repeat(3 * MIB)))
        .await;
    assert!(client.line().await.unwrap().contains("[TAR-1205]"));
    client.expect("9").await;
    let said = client
        .ask(&format!(r#"{{"op":"echo","x":"{}"}}"#, "y".repeat(2 * MIB)))
        .await;
    assert_eq!(said["error"]["code"], "TAR-1205");
    assert_eq!(client.ask(r#"{"cmd":"ping"}"#).await["pong"], true);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_never_ends_ends_the_connection() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send("square 2\n").await;
    client.expect("4").await;
    client.send(vec![b'z'; 18 * MIB]).await;
    assert!(client.line().await.unwrap().contains("[TAR-1205]"));
    assert!(client.line().await.unwrap().contains("TAR-1205"));
    assert_eq!(client.line().await, None);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_batch_is_a_line() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let task = format!(r#"{{"op":"echo","x":"{}"}}"#, "x".repeat(1_000));
    let tasks = vec![task; 3_000].join(",");
    let said = client
        .ask(&format!(
            r#"{{"cmd":"batch","wait":false,"tasks":[{tasks}]}}"#
        ))
        .await;
    let tasks = said["tasks"].as_array().unwrap();
    assert!(tasks.len() == 3_000 && tasks.iter().all(|task| task["status"] == "queued"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_lines_are_refused_and_the_connection_lives_on() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let deep = format!(
        r#"{{"op":"echo","x":{}1{}}}"#,
        "[".repeat(70),
        "]".repeat(70)
    );
    let table: &[(&[u8], &str)] = &[
        (b"{\"op\":\"echo\",\"x\":\"\xff\"}", "TAR-1201"),
        (deep.as_bytes(), "TAR-1201"),
        (br#"{"op":"square","n":1,"n":2}"#, "TAR-1201"),
        (br#"{"op":"square","n":1,"\u006e":2}"#, "TAR-1201"),
        (br#"{"op":"square","n":1"#, "TAR-1201"),
        (br#"{"op":"square"} {"op":"square"}"#, "TAR-1201"),
        (br#"{"cmd":"submit","kind":"echo","paylod":1}"#, "TAR-1202"),
        (br#"{"cmd":"submit"}"#, "TAR-1209"),
        (
            br#"{"cmd":"submit","kind":"echo","priority":"high"}"#,
            "TAR-1209",
        ),
        (br#"{"cmd":"fly"}"#, "TAR-1208"),
        (br#"{"cmd":"work","name":"w"}"#, "TAR-1209"),
        (br#"{"hello":"world"}"#, "TAR-1208"),
        (br#"{"cmd":"status","task_id":"7"}"#, "TAR-1209"),
    ];
    for (line, code) in table {
        client.send(line).await;
        client.send("\n").await;
        let said = client.json().await;
        assert_eq!(
            said["error"]["code"],
            *code,
            "{} {said}",
            String::from_utf8_lossy(line)
        );
    }
    client.send(b"echo \xc3\x28\n").await;
    assert!(client.line().await.unwrap().contains("[TAR-1201]"));
    client.send("square 5\n").await;
    client.expect("25").await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_is_told_that_it_is_not_spoken() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client
        .send(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        .await;
    assert!(client.rest().await.contains("[TAR-2002]"));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_speaks_on_the_same_port() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let host = server.address();
    client
        .send(format!(
            "GET /livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ))
        .await;
    assert!(client.rest().await.starts_with("HTTP/1.1 200"));
    server.stop().await;
}
