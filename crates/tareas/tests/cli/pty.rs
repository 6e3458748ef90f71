//! The prompt on a terminal: line editing, history, results above the prompt.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use nix::pty::{Winsize, openpty};

use crate::run::{Server, program};

const PATIENCE: Duration = Duration::from_secs(60);

/// A client on a terminal of its own.
struct Typist {
    child: Child,
    terminal: File,
    shown: Arc<Mutex<String>>,
    seen: usize,
    _home: tempfile::TempDir,
}

impl Typist {
    fn start(server: &Server, arguments: &[&str]) -> Self {
        Self::run(server, "client", arguments)
    }

    /// A command on a terminal of 80 columns and 24 lines.
    fn run(server: &Server, name: &str, arguments: &[&str]) -> Self {
        let size = Winsize {
            ws_row: 24,
            ws_col: 80,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(Some(&size), None).unwrap();
        let home = tempfile::tempdir().unwrap();
        let stdio = |fd: &OwnedFd| Stdio::from(fd.try_clone().unwrap());
        let mut command = program();
        command
            .env("TERM", "xterm")
            .env("XDG_STATE_HOME", home.path());
        command.args(["-s", &server.url, name]).args(arguments);
        command
            .stdin(stdio(&pty.slave))
            .stdout(stdio(&pty.slave))
            .stderr(stdio(&pty.slave));
        let child = command.spawn().unwrap();
        drop((pty.slave, command));
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut reading, keep) = (
            File::from(pty.master.try_clone().unwrap()),
            Arc::clone(&shown),
        );
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(bytes) = reading.read(&mut buffer) {
                if bytes == 0 {
                    return;
                }
                keep.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..bytes]));
            }
        });
        Self {
            child,
            terminal: File::from(pty.master),
            shown,
            seen: 0,
            _home: home,
        }
    }

    fn press(&mut self, keys: &str) {
        self.terminal.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until this is shown, after what was waited for before.
    fn sees(&mut self, text: &str) {
        let began = Instant::now();
        loop {
            let shown = self.shown.lock().unwrap().clone();
            if let Some(at) = shown[self.seen..].find(text) {
                self.seen += at + text.len();
                return;
            }
            assert!(
                began.elapsed() < PATIENCE,
                "no `{text}` in {:?}",
                &shown[self.seen..]
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ends_with(mut self, code: i32) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(code));
                return;
            }
            assert!(began.elapsed() < PATIENCE, "the client does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Typist {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const PROMPT: &str = "Enter a task (or 'exit' to leave): ";

#[test]
fn a_person_types_tasks_and_leaves() {
    let server = Server::start(&[]);
    let mut typist = Typist::start(&server, &[]);
    typist.sees("Connected to the server at ");
    typist.sees(PROMPT);
    typist.press("sumar 2 + 2\r");
    typist.sees("Server answered: 4");
    typist.sees(PROMPT);
    // The line before, once more.
    typist.press("\x1b[A\r");
    typist.sees("Server answered: 4");
    typist.sees(PROMPT);
    typist.press("EXIT\r");
    typist.ends_with(0);
}

#[test]
fn ctrl_d_leaves_with_0_in_spanish_too() {
    let server = Server::start(&[]);
    let mut typist = Typist::start(&server, &["--lang", "es"]);
    typist.sees("Conectado al servidor en ");
    typist.sees("Ingrese una tarea (o 'salir' para terminar): ");
    typist.press("\x04");
    typist.ends_with(0);
}

#[test]
fn a_result_in_the_background_comes_above_the_line_being_typed() {
    let server = Server::start(&[]);
    let mut typist = Typist::start(&server, &[]);
    typist.sees(PROMPT);
    typist.press("sleep 300 &\r");
    typist.sees("Server answered: Task 'sleep 300' sent to the processing queue.");
    typist.sees(PROMPT);
    typist.press("square 1");
    typist.sees("Server answered: 300");
    // What was typed is still there, and can be gone on with.
    typist.press("2\r");
    typist.sees("Server answered: 144");
    typist.sees(PROMPT);
    typist.press("\x04");
    typist.ends_with(0);
}

#[test]
fn a_lost_server_is_said_and_found_again() {
    let mut server = Server::start(&[]);
    let address = server.authority().to_owned();
    let mut typist = Typist::start(&server, &[]);
    typist.sees(PROMPT);
    server.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(server.ended().0, 0);
    typist.sees("connection lost");
    let again = Server::start_in(Arc::clone(&server.folder), &["--bind", &address]);
    typist.press("sumar 20 + 22\r");
    typist.sees("connected again to ");
    typist.sees("Server answered: 42");
    typist.press("quit\r");
    typist.ends_with(0);
    drop(again);
}

#[test]
fn the_live_view_pauses_a_queue_and_gives_the_terminal_back() {
    let server = Server::start(&[]);
    server.tareas(&["submit", "square", "5", "--wait"]);
    let mut typist = Typist::run(&server, "top", &[]);
    typist.sees("tareas top");
    typist.sees("Queues");
    typist.sees("default");
    typist.press("p");
    typist.sees("paused");
    typist.press("?");
    // Only the cells that change are sent, so words come one by one.
    typist.sees("choose");
    typist.press("qq");
    typist.sees("\x1b[?1049l");
    typist.ends_with(0);
}

#[test]
fn a_person_is_asked_before_many_tasks_change() {
    let server = Server::start(&[]);
    let id = server.submit(&["square", "5"]);
    assert_eq!(server.tareas(&["wait", &id]).stdout, "25\n");
    let mut typist = Typist::run(&server, "delete", &["--filter", "kind:square"]);
    typist.sees("Remove 1 tasks? [y/N] ");
    typist.press("n\r");
    typist.ends_with(2);
    let mut typist = Typist::run(&server, "delete", &["--filter", "kind:square"]);
    typist.sees("[y/N] ");
    typist.press("y\r");
    typist.sees("1 removed, 0 skipped");
    typist.ends_with(0);
}
