//! Secrets are planted everywhere a server is given some, and looked for everywhere it tells
//! something: its log with everything in it, every page and answer, and what commands print.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use tareas_services::{Postgres, Service, is_missing};

use super::{Server, program, run};

/// Every route, from the table of rights.
const ROUTES: &str = include_str!("../../../tareas-server/tests/http/rights.txt");
/// A server that does not give up is listened to for so long.
const HEARD_FOR: Duration = Duration::from_secs(2);
/// Answers that do not end by themselves.
const ENDLESS: [&str; 2] = ["/v1/events", "/v1/socket"];
/// Of the configuration.
const DATABASE: &str = "planted-database-password";
const BUCKET: &str = "planted-bucket-secret";
const BROKER: &str = "planted-broker-password";
/// Of a token that does not fit, and of tasks: a member with a telling name, and any other.
const WRONG: &str = "plantedwrongtokenplantedwrongtokenplantedwr";
const PASSWORD: &str = "planted-payload-password";
const NOTE: &str = "planted-payload-note";
/// Who may see tasks may see what was asked, but for members with telling names.
const OF_TASKS: [&str; 3] = ["/tasks", "/failures", "/v1/tasks"];

#[test]
fn no_planted_secret_is_told() {
    let postgres = (!is_missing(Service::Postgres)).then(Postgres::shared);
    let records = postgres.as_ref().map_or("sqlite:".to_owned(), |postgres| {
        let password = format!("postgres:{DATABASE}@");
        postgres.database().replace("postgres@", &password)
    });
    let given = [
        ("TAREAS_RECORDS", &*records),
        ("TAREAS_LOG", "trace"),
        ("TAREAS_WEBHOOK_NETWORKS", "loopback"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", BUCKET),
    ];
    let server = Server::start_with(tempfile::tempdir().unwrap(), &given, &[]);
    let token = std::fs::read_to_string(server.path("data/admin-token")).unwrap();
    let (ids, webhook) = live(&server);
    let token = token.trim();
    let secrets = [&token[12..], &webhook, WRONG, DATABASE, BUCKET, BROKER];
    let all: Vec<&str> = [&secrets[..], &[PASSWORD, NOTE]].concat();

    for path in paths(&ids) {
        let told = ask(&server, token, &path);
        assert!(told.starts_with("HTTP/1.1 "), "{path}: {told}");
        assert_silent(&path, &told, &secrets);
        if !path.starts_with("/v1/tasks") {
            assert_silent(&path, &told, &[PASSWORD]);
        }
        if !is_of_tasks(&path) {
            assert_silent(&path, &told, &[NOTE]);
        }
    }
    for words in [
        &["audit"][..],
        &["webhook", "list", "-o", "json"],
        &["token", "list", "-o", "json"],
        &["workers"],
        &["doctor"],
    ] {
        let (_, told, said) = server.admin(words);
        assert_silent(&words.join(" "), &(told + &said), &all);
    }
    let mut show = program(server.folder.path());
    let (code, shown, said) = run(show.envs(given).args(["config", "show", "--origin"]));
    assert_eq!(code, 0, "{said}");
    assert_silent("config show", &(shown + &said), &all);
    assert_silent("the log", &server.said(), &all);
}

/// A server that cannot reach what it needs says why, and no more.
#[test]
fn what_cannot_be_reached_is_told_without_its_secret() {
    let nowhere = tareas_services::free_port();
    for (variable, url) in [
        (
            "TAREAS_RECORDS",
            format!("postgres://postgres:{DATABASE}@127.0.0.1:{nowhere}/none"),
        ),
        (
            "TAREAS_RECORDS",
            format!("postgres://postgres:{DATABASE}@127.0.0.1:port/none"),
        ),
        (
            "TAREAS_QUEUE",
            format!("amqp://guest:{BROKER}@127.0.0.1:{nowhere}/%2f"),
        ),
        (
            "TAREAS_QUEUE",
            format!("amqp://guest:{BROKER}@127.0.0.1:port"),
        ),
    ] {
        let told = told_at_start(variable, &url);
        assert!(!told.is_empty(), "{url}");
        assert_silent(variable, &told, &[DATABASE, BROKER]);
    }
}

/// What a server says until it ends, or for a while when it goes on trying.
fn told_at_start(variable: &str, url: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let mut child = program(folder.path())
        .env(variable, url)
        .env("TAREAS_LOG", "trace")
        .args(["serve", "--bind", "127.0.0.1:0"])
        .stdin(Stdio::null())
        .stderr(std::fs::File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let enough = Instant::now() + HEARD_FOR;
    while child.try_wait().unwrap().is_none() && Instant::now() < enough {
        std::thread::sleep(Duration::from_millis(20));
    }
    // It may have ended by itself.
    let _ = child.kill();
    child.wait().unwrap();
    std::fs::read_to_string(&log).unwrap()
}

/// What happens on a server in a day: tasks that end well and badly, a webhook that fails, and
/// somebody with a wrong token. The ids of a task and of the webhook, and its secret.
fn live(server: &Server) -> ([String; 2], String) {
    let payload = format!(r#"{{"password":"{PASSWORD}","note":"{NOTE}"}}"#);
    let nowhere = format!("http://127.0.0.1:{}/", tareas_services::free_port());
    let (code, told, said) = server.admin(&["webhook", "create", "hook", &nowhere]);
    assert_eq!(code, 0, "{said}");
    let (webhook, secret) = told.trim().split_once(' ').unwrap();
    let (code, task, said) = server.admin(&["submit", "echo", &payload, "-o", "id"]);
    assert_eq!(code, 0, "{said}");
    server.admin(&["submit", "square", &payload, "--wait"]);
    server.admin(&["submit", "nobody-knows-this", &payload]);
    let wrong = format!("tr_abcdefgh_{WRONG}");
    let (code, ..) = run(server
        .command("tcp")
        .env("TAREAS_TOKEN", &wrong)
        .args(["list"]));
    assert_eq!(code, 4);
    let refused = ask(server, &wrong, "/v1/tasks");
    assert!(
        refused.contains(" 401 ") && !refused.contains(WRONG),
        "{refused}"
    );
    server.admin(&["wait", task.trim()]);
    let secret = secret.trim_start_matches("whsec_").trim();
    (
        [task.trim().to_owned(), webhook.to_owned()],
        secret.to_owned(),
    )
}

/// Every path that can be read, with the ids of what there is.
fn paths([task, webhook]: &[String; 2]) -> Vec<String> {
    let routes = ROUTES.lines().filter_map(|line| line.strip_prefix("GET "));
    let paths = routes.map(|line| line.split_once(": ").unwrap().0);
    let paths = paths.filter(|path| !ENDLESS.contains(path)).map(|path| {
        let id = if path.contains("webhooks") {
            webhook
        } else {
            task
        };
        path.replace("{id}", id).replace("{queue}", "default")
    });
    paths.collect()
}

fn is_of_tasks(path: &str) -> bool {
    path == "/" || OF_TASKS.iter().any(|of| path.starts_with(of))
}

fn ask(server: &Server, token: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {token}\r\n\
         Connection: close\r\n\r\n",
        server.port
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut told = Vec::new();
    stream.read_to_end(&mut told).unwrap();
    String::from_utf8_lossy(&told).into_owned()
}

#[track_caller]
fn assert_silent(place: &str, told: &str, secrets: &[&str]) {
    for secret in secrets {
        let line = told.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{place} tells {secret}");
    }
}
