//! The same over HTTP/2, without TLS and without asking first.

use axum::body::Body;
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::client::connect;
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn both_versions_are_guarded_alike() {
    let world = World::new();
    let stream = TokioIo::new(connect(&world));
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    tokio::spawn(connection);
    let table = [
        ("GET", "http://localhost:5000/livez", "", 200),
        ("GET", "http://evil.example/livez", "", 403),
        (
            "POST",
            "http://localhost:5000/v1/tasks",
            r#"{"op":"square","n":5}"#,
            202,
        ),
    ];
    for (method, uri, body, status) in table {
        let request = Request::builder().method(method).uri(uri);
        let request = request
            .header("content-type", "application/json")
            .body(Body::from(body));
        let reply = sender.send_request(request.unwrap()).await.unwrap();
        assert_eq!(reply.status(), status, "{uri}");
        assert_eq!(reply.headers()["x-content-type-options"], "nosniff");
    }
}
