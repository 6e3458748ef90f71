//! Access control and TLS as people use them: the real program, from the first token on.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod secrets;

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use tareas_services::free_port;
use tempfile::TempDir;

/// Nothing here takes longer, unless it hangs.
const PATIENCE: Duration = Duration::from_secs(60);

fn program(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tareas"));
    command
        .env_clear()
        .env("LANG", "C")
        .env("PATH", std::env::var_os("PATH").unwrap())
        .env("TAREAS_DATA", folder.join("data"))
        .current_dir(folder);
    command
}

/// A server with access control, and what it has said. Dropping it kills it.
struct Server {
    child: Child,
    folder: TempDir,
    port: u16,
    said: Arc<Mutex<String>>,
}

/// Exit code, stdout, stderr.
type Ran = (i32, String, String);

impl Server {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), arguments)
    }

    fn start_in(folder: TempDir, arguments: &[&str]) -> Self {
        Self::start_with(folder, &[], arguments)
    }

    fn start_with(folder: TempDir, variables: &[(&str, &str)], arguments: &[&str]) -> Self {
        let port = free_port();
        let mut child = program(folder.path())
            .envs(variables.iter().copied())
            .args(["serve", "--access", "--bind", &format!("127.0.0.1:{port}")])
            .args(arguments)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let said = Arc::new(Mutex::new(String::new()));
        let note = {
            let said = Arc::clone(&said);
            move |line: &str| said.lock().unwrap().push_str(&format!("{line}\n"))
        };
        let is_ready = lines.by_ref().map(Result::unwrap).any(|line| {
            note(&line);
            line.contains("--wait")
        });
        assert!(is_ready, "{}", said.lock().unwrap());
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| note(&line)));
        Self {
            child,
            folder,
            port,
            said,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A command of a client, without any token.
    fn command(&self, scheme: &str) -> Command {
        let mut command = program(self.folder.path());
        command.args(["-s", &format!("{scheme}://127.0.0.1:{}", self.port)]);
        command
    }

    /// Runs a command as an administrator.
    fn admin(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command("tcp");
        command
            .arg("--token-file")
            .arg(self.path("data/admin-token"));
        run(command.args(arguments))
    }

    fn create(&self, arguments: &[&str]) -> String {
        let all: Vec<&str> = ["token", "create"]
            .iter()
            .chain(arguments)
            .copied()
            .collect();
        let (code, token, said) = self.admin(&all);
        assert_eq!(code, 0, "{said}");
        token.trim().to_owned()
    }

    fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

#[track_caller]
fn until(what: &str, holds: impl Fn() -> bool) {
    let give_up = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < give_up, "{what}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

const SQUARE: [&str; 4] = ["submit", "square", "5", "--wait"];

#[test]
fn the_first_token_leads_to_all_others() {
    let server = Server::start(&[]);
    let first = server.path("data/admin-token");
    let mode = std::fs::metadata(&first).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let (code, _, said) = run(server.command("tcp").args(SQUARE));
    assert_eq!(code, 4, "{said}");
    assert!(
        said.contains("TAR-1101") && said.contains("--token-file"),
        "{said}"
    );
    let web = server.create(&[
        "web",
        "--role",
        "submit",
        "--queues",
        "default",
        "--expires",
        "1h",
    ]);
    let as_web = |arguments: &[&str]| {
        run(server
            .command("tcp")
            .env("TAREAS_TOKEN", &web)
            .args(arguments))
    };
    assert_eq!(as_web(&SQUARE).1, "25\n");
    assert_eq!(as_web(&["list"]).0, 4);
    let (_, list, _) = server.admin(&["token", "list", "-o", "json"]);
    let list: Value = serde_json::from_str(&list).unwrap();
    assert_eq!(list["tokens"][0]["name"], "web");
    let id = list["tokens"][0]["id"].as_str().unwrap();
    assert_eq!(server.admin(&["token", "revoke", id]).0, 0);
    assert_eq!(as_web(&SQUARE).0, 4);
    let (_, link, _) = server.admin(&["token", "login-link"]);
    assert!(
        link.starts_with(&format!("http://127.0.0.1:{}/login?link=tl_", server.port)),
        "{link}"
    );
    let (_, audit, _) = server.admin(&["audit"]);
    for word in ["create_token", "revoke_token", "create_link", "first ("] {
        assert!(audit.contains(word), "{audit}");
    }
    let secret = std::fs::read_to_string(&first).unwrap();
    for secret in [secret.trim(), &web] {
        assert!(!server.said().contains(&secret[12..]), "no secret is told");
        assert!(!audit.contains(&secret[12..]));
    }
}

#[test]
fn whoever_has_the_data_folder_makes_tokens_beside_the_server() {
    let server = Server::start(&[]);
    let local = [
        "token",
        "create",
        "here",
        "--role",
        "read,submit",
        "--local",
    ];
    let (code, token, said) = run(program(server.folder.path()).args(local));
    assert_eq!(code, 0, "{said}");
    let token = token.trim();
    until("the server knows it", || {
        let mut command = server.command("tcp");
        run(command.env("TAREAS_TOKEN", token).args(SQUARE)).1 == "25\n"
    });
    let id = &token[3..11];
    let revoke = ["token", "revoke", id, "--local"];
    assert_eq!(run(program(server.folder.path()).args(revoke)).0, 0);
    until("the server has forgotten it", || {
        run(server
            .command("tcp")
            .env("TAREAS_TOKEN", token)
            .args(SQUARE))
        .0 == 4
    });
}

#[test]
fn a_remote_worker_shows_its_token() {
    let server = Server::start(&["--threads", "0"]);
    let token = server.create(&["gpu", "--role", "work"]);
    let file = server.path("worker-token");
    std::fs::write(&file, format!("{token}\n")).unwrap();
    let mut worker = server
        .command("tcp")
        .args(["worker", "--threads", "1", "--token-file"])
        .arg(&file)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let (code, result, said) =
        server.admin(&["submit", "square", "6", "--wait", "--timeout", "60s"]);
    assert_eq!((code, &*result), (0, "36\n"), "{said}");
    let (_, workers, _) = server.admin(&["workers"]);
    assert!(workers.contains("worker-"), "{workers}");
    // It may have ended by itself.
    let _ = worker.kill();
    worker.wait().unwrap();
}

#[test]
fn nobody_is_exposed_by_mistake() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |arguments: &[&str]| {
        let bind = format!("0.0.0.0:{}", free_port());
        let mut command = program(folder.path());
        run(command.args(["serve", "--bind", &bind]).args(arguments))
    };
    let (code, _, said) = refused(&[]);
    assert_eq!(code, 78);
    assert!(said.contains("without access control"), "{said}");
    let (code, _, said) = refused(&["--access"]);
    assert_eq!(code, 78);
    assert!(
        said.contains("without TLS") && said.contains("--tls-cert"),
        "{said}"
    );
    let (code, _, said) = refused(&["--access", "--tls-cert", "cert.pem"]);
    assert_eq!(code, 78);
    assert!(said.contains("go together"), "{said}");
}

/// A certificate authority, and a server's certificate and key made by it, in this folder.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let words = arguments.split(' ');
        let (code, _, said) = run(Command::new("openssl").args(words).current_dir(folder));
        assert_eq!(code, 0, "{said}");
    };
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2";
    openssl(&format!(
        "req -x509 {new} -keyout ca.key -out ca.pem -subj /CN=tests"
    ));
    openssl(&format!(
        "req {new} -keyout key.new -out server.csr -subj /CN=localhost"
    ));
    let names = "subjectAltName=DNS:localhost,IP:127.0.0.1\nbasicConstraints=CA:FALSE\n";
    std::fs::write(folder.join("names"), names).unwrap();
    openssl(
        "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem",
    );
    std::fs::rename(folder.join("key.new"), folder.join("key.pem")).unwrap();
}

/// Whether there is what makes certificates.
fn has_openssl() -> bool {
    let found = Command::new("openssl").arg("version").output().is_ok();
    if !found {
        eprintln!("SKIPPED: openssl is not installed");
    }
    found
}

#[test]
fn everything_is_spoken_through_tls_on_the_same_port() {
    if !has_openssl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let old = folder.path().join("old-ca.pem");
    std::fs::copy(folder.path().join("ca.pem"), &old).unwrap();
    let server = Server::start_in(folder, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let token = std::fs::read_to_string(server.path("data/admin-token")).unwrap();
    let with = |scheme: &str, ca: &Path, arguments: &[&str]| {
        let mut command = server.command(scheme);
        command.env("TAREAS_TOKEN", &token).arg("--tls-ca").arg(ca);
        run(command.args(arguments))
    };
    let ca = server.path("ca.pem");
    for scheme in ["tls", "https", "tcp"] {
        assert_eq!(with(scheme, &ca, &SQUARE).1, "25\n", "{scheme}");
        assert!(
            with(scheme, &ca, &["queues"]).1.contains("default"),
            "{scheme}"
        );
        assert_eq!(
            with(scheme, &ca, &["client", "square 5"]).1,
            "25\n",
            "{scheme}"
        );
    }
    let large = with("tls", &ca, &["submit", "text", "300000", "--wait"]).1;
    assert_eq!(large.trim_end().len(), 300_000, "longer than any buffer");
    // Certificates are exchanged without a restart.
    certificates(server.folder.path());
    assert_eq!(with("tls", &old, &SQUARE).1, "25\n");
    kill(Pid::from_raw(server.child.id() as i32), Signal::SIGHUP).unwrap();
    until("the new certificate is shown", || {
        with("tls", &ca, &SQUARE).1 == "25\n"
    });
    let (code, _, said) = with("tls", &old, &SQUARE);
    assert_eq!(code, 69, "{said}");
    let (_, audit, _) = with("tls", &ca, &["audit"]);
    assert!(audit.contains("reload"), "{audit}");
}

#[test]
fn a_handshake_that_does_not_end_is_given_up() {
    if !has_openssl() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let server = Server::start_in(folder, &["--tls-cert", "cert.pem", "--tls-key", "key.pem"]);
    let mut silent: Vec<_> = (0..50)
        .map(|_| {
            let mut stream = std::net::TcpStream::connect(("127.0.0.1", server.port)).unwrap();
            stream.write_all(b"\x16\x03\x01\x02\x00").unwrap();
            stream.set_read_timeout(Some(PATIENCE)).unwrap();
            stream
        })
        .collect();
    // They lock out nobody.
    let token = std::fs::read_to_string(server.path("data/admin-token")).unwrap();
    let mut square = server.command("tls");
    square
        .env("TAREAS_TOKEN", &token)
        .arg("--tls-ca")
        .arg(server.path("ca.pem"));
    let (code, result, said) = run(square.args(SQUARE));
    assert_eq!((code, &*result), (0, "25\n"), "{said}");
    for stream in &mut silent {
        let end = stream.read(&mut [0; 64]).map_err(|error| error.kind());
        let is_still_open = matches!(end, Err(ErrorKind::WouldBlock | ErrorKind::TimedOut));
        assert!(!is_still_open, "{end:?}");
    }
}
