//! The files in `deploy/` are what their programs take, as far as that can be told without a
//! cluster: HAProxy and Nginx check theirs, systemd its units; YAML is read, and what it says to
//! this program is checked by this program.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;
use tareas_services::{Haproxy, Nginx, Service, is_missing};

use crate::deployed;

/// Reads YAML from stdin and writes all its documents as JSON.
const TO_JSON: &str = "import json, sys, yaml; \
    print(json.dumps(list(yaml.safe_load_all(sys.stdin))))";

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

#[test]
fn systemd_takes_the_units() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["tareas.service", "tareas-worker.service"] {
        // The program need not be installed for this.
        let unit = deployed(&format!("systemd/{name}"))
            .replace("/usr/local/bin/tareas", env!("CARGO_BIN_EXE_tareas"));
        assert!(unit.contains("TimeoutStopSec=60"));
        let path = folder.path().join(name);
        std::fs::write(&path, unit).unwrap();
        let checked = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .arg(&path)
            .output();
        let Ok(checked) = checked else {
            eprintln!("SKIPPED: systemd-analyze is not installed");
            return;
        };
        let said = String::from_utf8_lossy(&checked.stderr);
        // Other units of this machine are none of our business.
        let ours: Vec<_> = said.lines().filter(|line| line.contains(name)).collect();
        assert!(ours.is_empty(), "{ours:?}");
    }
}

#[test]
fn the_compose_file_starts_what_it_promises() {
    let Some(documents) = yaml("compose.yaml") else {
        return;
    };
    let services = &documents[0]["services"];
    for name in ["haproxy", "rabbitmq", "postgres", "s3", "bucket"] {
        assert!(services[name]["image"].is_string(), "{name}");
    }
    assert_eq!(services["worker"]["deploy"]["replicas"], 3);
    for name in ["tareas-1", "tareas-2"] {
        let server = &services[name];
        let environment = server["environment"].as_object().unwrap();
        let environment = environment
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        takes(&environment.collect());
        assert!(
            documents[0]["volumes"]
                .get(name.replace("tareas", "server"))
                .is_some()
        );
    }
    for service in services.as_object().unwrap().values() {
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{port}");
        }
    }
}

#[test]
fn the_objects_of_kubernetes_are_whole() {
    let Some(documents) = yaml("kubernetes/tareas.yaml") else {
        return;
    };
    let of_kind = |kind: &str| {
        let found = documents.iter().find(|object| object["kind"] == kind);
        found.unwrap_or_else(|| panic!("no {kind}"))
    };
    let pod = &of_kind("StatefulSet")["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/readyz");
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/livez");
    let variables = container["env"].as_array().unwrap().iter();
    let said = variables.filter_map(|variable| {
        let value = match (&variable["value"], variable["name"].as_str()?) {
            (Value::String(value), _) => value.clone(),
            // What a secret might say.
            (_, "TAREAS_RECORDS") => "postgres://ana:secret@db/tareas".to_owned(),
            (_, "TAREAS_QUEUE") => "amqp://ana:secret@queue".to_owned(),
            _ => return None,
        };
        Some((variable["name"].as_str()?.to_owned(), value))
    });
    takes(&said.collect());
    let worker = &of_kind("Deployment")["spec"];
    assert_eq!(worker["replicas"], 3);
    let scaled = yaml("kubernetes/keda.yaml").unwrap();
    let target = &scaled[0]["spec"]["scaleTargetRef"]["name"];
    assert_eq!(*target, of_kind("Deployment")["metadata"]["name"]);
}

/// This program takes such an environment, and knows each of its own variables in it.
fn takes(environment: &BTreeMap<String, String>) {
    let run = |arguments: &[&str]| {
        let folder = tempfile::tempdir().unwrap();
        let ran = Command::new(env!("CARGO_BIN_EXE_tareas"))
            .env_clear()
            .envs(environment)
            .current_dir(folder.path())
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(ran.status.success(), "{environment:?}: {said}");
        String::from_utf8(ran.stdout).unwrap()
    };
    run(&["config", "check"]);
    let keys = run(&["config", "default"]);
    for name in environment.keys() {
        if let Some(key) = name.strip_prefix("TAREAS_") {
            let key = key.to_ascii_lowercase();
            assert!(keys.contains(&format!("{key} = ")), "no key {key}");
        }
    }
}

/// The documents of a file in `deploy/`; `None` where nothing reads YAML.
fn yaml(name: &str) -> Option<Vec<Value>> {
    let text = deployed(name);
    assert!(!text.contains('\t'), "{name} has tabs");
    let python = Command::new("python3")
        .args(["-c", TO_JSON])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut python) = python else {
        eprintln!("SKIPPED: python3 is not installed");
        return None;
    };
    // Without the module it ends before it has read everything.
    let _ = python.stdin.take().unwrap().write_all(text.as_bytes());
    let output = python.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("No module named 'yaml'") {
        eprintln!("SKIPPED: python3 has no module yaml");
        return None;
    }
    assert!(output.status.success(), "{name}: {said}");
    Some(serde_json::from_slice(&output.stdout).unwrap())
}
