//! The files in `deploy/` are what their programs take.

use tareas_services::{Haproxy, Nginx, Service, is_missing};

use crate::deployed;

#[test]
fn haproxy_takes_its_file() {
    if !is_missing(Service::Haproxy) {
        Haproxy::check(&deployed("haproxy.cfg")).unwrap();
        assert!(Haproxy::check("frontend without a bind or a mode\n  nonsense\n").is_err());
    }
}

#[test]
fn nginx_takes_its_file() {
    if !is_missing(Service::Nginx) {
        // Nginx wants to know every address when it starts.
        let config = deployed("nginx.conf")
            .replace("tareas-1:", "127.0.0.1:")
            .replace("tareas-2:", "127.0.0.2:");
        Nginx::check(&config).unwrap();
        assert!(Nginx::check("nonsense;").is_err());
    }
}
