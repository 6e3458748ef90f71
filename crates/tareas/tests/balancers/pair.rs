//! Two servers, and what must hold behind any balancer.

use std::io::Write;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::server::Server;
use crate::visitor::{ask, begin, finish, posts, sums};

/// How soon new connections must be answered after a kill; the shipped files promise one second,
/// a busy machine gets some more.
const OVER_WITHIN: Duration = Duration::from_secs(4);
/// Connections that wait for a task while their server drains; one server has threads for all,
/// since what has not begun when a drain does stays in the records.
const WAITING: usize = 8;

/// Two servers.
#[derive(Debug)]
pub(crate) struct Pair([Server; 2]);

impl Pair {
    pub(crate) fn start() -> Self {
        Self([Server::start(), Server::start()])
    }

    /// A shipped configuration with the addresses of these two.
    pub(crate) fn named_in(&self, config: &str) -> String {
        let [first, second] = &self.0;
        config
            .replace("tareas-1:5001", &format!("127.0.0.1:{}", first.port))
            .replace("tareas-2:5001", &format!("127.0.0.1:{}", second.port))
    }

    /// Lines through `nc`, lines and HTTP through sockets, all on one port; both servers work.
    pub(crate) fn serves_both_faces_through(&self, port: u16) {
        until_it_answers(port);
        assert_eq!(through_nc(port, "sumar 2 + 2\nsalir\n"), "4\n");
        for _ in 0..10 {
            sums(port).unwrap();
            let answer = posts(port).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
            assert!(answer.contains(r#""result":25"#), "{answer}");
        }
        let used = self.0.iter().filter(|server| accepted(server) > 1).count();
        assert_eq!(used, 2, "one server did everything");
    }

    /// One is killed: whoever comes then is answered by the other.
    pub(crate) fn survives_a_kill_behind(&mut self, port: u16) {
        until_it_answers(port);
        self.0[0].signal(Signal::SIGKILL);
        let killed = Instant::now();
        let mut in_a_row = 0;
        while in_a_row < 20 {
            in_a_row = sums(port).map_or(0, |()| in_a_row + 1);
            assert!(killed.elapsed() < OVER_WITHIN, "still not answered");
        }
        self.0[0].ended();
    }

    /// One is told to stop while connections wait for results and others keep coming: each is
    /// answered.
    pub(crate) fn drains_without_loss_behind(&mut self, port: u16) {
        until_it_answers(port);
        let waiting: Vec<TcpStream> = (0..WAITING)
            .map(|_| begin(port, "sleep 1000\nsalir\n").unwrap())
            .collect();
        let is_over = Arc::new(AtomicBool::new(false));
        let come = {
            let is_over = Arc::clone(&is_over);
            std::thread::spawn(move || keep_coming(port, &is_over))
        };
        self.0[0].signal(Signal::SIGTERM);
        for mut stream in waiting {
            assert_eq!(finish(&mut stream).unwrap(), "1000\n");
        }
        assert_eq!(self.0[0].ended(), Some(0));
        std::thread::sleep(Duration::from_millis(300));
        is_over.store(true, Ordering::Relaxed);
        let answered = come.join().unwrap();
        assert!(answered > 20, "only {answered} came in all that time");
    }
}

/// Comes again and again, and must be answered each time; how often.
fn keep_coming(port: u16, is_over: &AtomicBool) -> usize {
    let mut answered = 0;
    while !is_over.load(Ordering::Relaxed) {
        sums(port).unwrap_or_else(|error| panic!("after {answered} answers: {error}"));
        answered += 1;
        std::thread::sleep(Duration::from_millis(5));
    }
    answered
}

/// A balancer that has just started may not have found its servers yet.
fn until_it_answers(port: u16) {
    let began = Instant::now();
    while let Err(error) = sums(port) {
        assert!(began.elapsed() < Duration::from_secs(20), "{error}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How many connections a server has taken, this one included.
fn accepted(server: &Server) -> u64 {
    let metrics = "PROXY UNKNOWN\r\nGET /metrics HTTP/1.1\r\nHost: localhost\r\n\
                   Connection: close\r\n\r\n";
    let metrics = ask(server.port, metrics).unwrap();
    let counted = metrics
        .lines()
        .find_map(|line| line.strip_prefix("tareas_connections_accepted_total "));
    counted.unwrap().trim().parse().unwrap()
}

fn through_nc(port: u16, text: &str) -> String {
    let mut nc = Command::new("nc")
        .args(["127.0.0.1", &port.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    nc.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = nc.wait_with_output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}
