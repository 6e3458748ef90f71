//! Two servers behind a balancer, with the files in `deploy/`: through one port, one killed, one
//! drained; and what systemd is told.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should panic")]

mod files;
mod notify;
mod pair;
mod server;
mod visitor;

use tareas_services::{Haproxy, Nginx, Service, free_port, is_missing};

use pair::Pair;

/// A file in `deploy/`.
fn deployed(name: &str) -> String {
    let path = format!("{}/../../deploy/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// The shipped file of HAProxy, for servers and a port of this machine.
fn haproxy(pair: &Pair) -> (Haproxy, u16) {
    let port = free_port();
    let config = deployed("haproxy.cfg").replace("bind :5000", &format!("bind 127.0.0.1:{port}"));
    (Haproxy::start(&pair.named_in(&config), port), port)
}

/// The shipped file of Nginx, for servers and a port of this machine.
fn nginx(pair: &Pair) -> (Nginx, u16) {
    let port = free_port();
    let config = deployed("nginx.conf").replace("listen 5000", &format!("listen 127.0.0.1:{port}"));
    (Nginx::start(&pair.named_in(&config), port), port)
}

#[test]
fn haproxy_serves_lines_and_http_and_survives_a_kill() {
    if !is_missing(Service::Haproxy) {
        let mut pair = Pair::start();
        let (_haproxy, port) = haproxy(&pair);
        pair.serves_both_faces_through(port);
        pair.survives_a_kill_behind(port);
    }
}

#[test]
fn haproxy_loses_no_answer_when_a_server_drains() {
    if !is_missing(Service::Haproxy) {
        let mut pair = Pair::start();
        let (_haproxy, port) = haproxy(&pair);
        pair.drains_without_loss_behind(port);
    }
}

#[test]
fn nginx_serves_lines_and_http_and_survives_a_kill() {
    if !is_missing(Service::Nginx) {
        let mut pair = Pair::start();
        let (_nginx, port) = nginx(&pair);
        pair.serves_both_faces_through(port);
        pair.survives_a_kill_behind(port);
    }
}

#[test]
fn nginx_loses_no_answer_when_a_server_drains() {
    if !is_missing(Service::Nginx) {
        let mut pair = Pair::start();
        let (_nginx, port) = nginx(&pair);
        pair.drains_without_loss_behind(port);
    }
}
