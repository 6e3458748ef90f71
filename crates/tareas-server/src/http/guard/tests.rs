//! The tables of [`super`]: hosts, origins and types.

use super::*;

fn config(bind: &str, public_url: Option<&str>) -> ServerConfig {
    let public_url = public_url.map(str::to_owned);
    ServerConfig {
        bind: vec![bind.parse().unwrap()],
        public_url,
        ..ServerConfig::default()
    }
}

#[test]
fn the_host_must_be_ours() {
    let loopback = config("127.0.0.1:5000", None);
    let everywhere = config("0.0.0.0:5000", Some("https://tareas.example/"));
    let one = config("192.168.1.5:5000", None);
    let table = [
        ("localhost:5000", true, true, true),
        ("LOCALHOST", true, true, true),
        ("localhost.", true, true, true),
        ("app.localhost:80", true, true, true),
        ("127.0.0.1:5000", true, true, true),
        ("127.9.9.9", true, true, true),
        ("[::1]:5000", true, true, true),
        ("[::ffff:127.0.0.1]", true, true, true),
        ("192.168.1.5:5000", false, true, true),
        ("192.168.1.6:5000", false, true, false),
        ("tareas.example", false, true, false),
        ("tareas.example:443", false, true, false),
        ("evil.example", false, false, false),
        ("localhost.evil.example", false, false, false),
        ("evillocalhost", false, false, false),
        ("127.0.0.1.evil.example", false, false, false),
        ("", false, false, false),
    ];
    for (host, on_loopback, on_everywhere, on_one) in table {
        assert_eq!(is_ours(host, &loopback), on_loopback, "{host}");
        assert_eq!(is_ours(host, &everywhere), on_everywhere, "{host}");
        assert_eq!(is_ours(host, &one), on_one, "{host}");
    }
}

#[test]
fn two_names_must_both_be_ours() {
    let config = config("127.0.0.1:5000", None);
    let ours = |uri: &str, hosts: &[&str]| {
        let mut headers = HeaderMap::new();
        for host in hosts {
            headers.append(header::HOST, host.parse().unwrap());
        }
        let uri: Uri = uri.parse().unwrap();
        is_our_host(host_of(&uri, &headers), &uri, &headers, &config)
    };
    assert!(ours("/", &["localhost"]));
    assert!(ours("/", &[]), "HTTP/1.0 names nobody");
    assert!(ours("http://localhost/", &[]));
    assert!(!ours("http://evil.example/", &["localhost"]));
    assert!(!ours("http://localhost/", &["evil.example"]));
    assert!(!ours("/", &["localhost", "localhost"]));
    assert!(!ours("/", &["ñ"]));
}

#[test]
fn changes_come_from_our_page_or_from_none() {
    let table: [(Option<&str>, Option<&str>, bool); 12] = [
        (None, None, true),
        (Some("http://localhost:5000"), None, true),
        (Some("http://localhost:5000"), Some("same-origin"), true),
        (None, Some("none"), true),
        (Some("https://tareas.example"), Some("same-origin"), true),
        (Some("http://localhost:3000"), None, false),
        (Some("http://localhost"), None, false),
        (Some("http://evil.example"), None, false),
        (Some("null"), None, false),
        (None, Some("cross-site"), false),
        (None, Some("same-site"), false),
        (Some("http://localhost:5000"), Some("cross-site"), false),
    ];
    for (origin, site, is_ours) in table {
        let mut headers = HeaderMap::new();
        if let Some(origin) = origin {
            headers.insert(header::ORIGIN, origin.parse().unwrap());
        }
        if let Some(site) = site {
            headers.insert("sec-fetch-site", site.parse().unwrap());
        }
        let public = Some("https://tareas.example/ui");
        let admitted = is_our_page(&headers, Some("localhost:5000"), public);
        assert_eq!(admitted, is_ours, "{origin:?} {site:?}");
    }
}

#[test]
fn a_form_is_taken_by_the_page_alone() {
    let table = [
        (Method::POST, "/v1/tasks", "application/json", true),
        (
            Method::POST,
            "/v1/tasks",
            "Application/JSON; charset=utf-8",
            true,
        ),
        (
            Method::POST,
            "/v1/tasks/batch",
            "application/x-ndjson",
            true,
        ),
        (Method::POST, "/v1/tasks", "text/plain", false),
        (Method::POST, "/v1/tasks", "", false),
        (
            Method::POST,
            "/v1/tasks",
            "application/x-www-form-urlencoded",
            false,
        ),
        (
            Method::POST,
            "/tasks/new",
            "application/x-www-form-urlencoded",
            true,
        ),
        (Method::PUT, "/v1/tasks", "multipart/form-data", true),
        (Method::DELETE, "/v1/tasks/1", "", true),
    ];
    for (method, path, media, is_safe) in table {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, media.parse().unwrap());
        assert_eq!(
            has_safe_type(&method, path, &headers),
            is_safe,
            "{method} {path} {media}"
        );
    }
}
