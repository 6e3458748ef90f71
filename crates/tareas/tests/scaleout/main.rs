//! Several real processes on one PostgreSQL, one RabbitMQ and one bucket: what each of them may
//! suffer, and what must hold all the same.
//!
//! Clients write down what they were told, handlers write down every start; at the end, nothing
//! that was acknowledged is missing, no result that was told has changed, all has ended.

#![expect(clippy::unwrap_used, reason = "these are tests")]

#[path = "../kill/chance.rs"]
mod chance;
#[path = "../kill/checker.rs"]
mod checker;
#[path = "../kill/client.rs"]
mod client;
#[path = "../kill/history.rs"]
mod history;
mod kinds;
mod large;
mod picture;
mod plugs;
mod remote;
mod server;
mod told;
mod world;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chance::Chance;
use checker::Verdict;
use client::Load;
use history::History;
use tareas_services::{Service, is_missing};
use world::World;

fn are_missing() -> bool {
    is_missing(Service::Postgres) || is_missing(Service::Rabbitmq)
}

fn rounds() -> u32 {
    match std::env::var_os("TAREAS_TEST_LONG") {
        Some(_) => 10,
        None => 1,
    }
}

/// Two servers and two nodes under load, while this happens.
fn under(trouble: impl FnMut(&mut World)) -> Verdict {
    let world = World::start();
    let ports = [0, 1].map(|number: usize| world.servers[number].port());
    under_at(world, &ports, trouble)
}

/// The same, with a client at each of these ports.
fn under_at(mut world: World, ports: &[u16], mut trouble: impl FnMut(&mut World)) -> Verdict {
    let history = Arc::new(History::default());
    let mut chance = Chance::new(u64::from(std::process::id()));
    let start = |port: &u16| Load::start(*port, 1, true, chance.next(), Arc::clone(&history));
    let loads: Vec<Load> = ports.iter().map(start).collect();
    for _ in 0..rounds() {
        world.run_for(Duration::from_secs(2));
        trouble(&mut world);
        world.run_for(Duration::from_secs(2));
    }
    for load in loads {
        load.stop();
    }
    let verdict = checker::judge(&world.servers[1], &history, &world.folder, rounds());
    world.stop_in_order();
    eprintln!("{verdict}");
    verdict
}

fn assert_clean(verdict: &Verdict) {
    assert!(verdict.is_clean(), "{verdict}");
    assert!(verdict.acknowledged > 100, "too little load: {verdict}");
}

#[test]
fn nothing_is_lost_when_a_server_is_killed() {
    if !are_missing() {
        assert_clean(&under(|world| world.servers[0].kill_and_restart()));
    }
}

#[test]
fn nothing_is_lost_when_a_node_is_killed() {
    if !are_missing() {
        assert_clean(&under(|world| {
            let node = world.nodes.remove(0);
            drop(node);
            world.add_node();
        }));
    }
}

#[test]
fn nothing_is_lost_when_a_server_and_a_node_are_killed() {
    if !are_missing() {
        assert_clean(&under(|world| {
            drop(world.nodes.remove(0));
            world.servers[0].kill_and_restart();
            world.add_node();
        }));
    }
}

#[test]
fn nothing_is_lost_when_rabbitmq_is_killed() {
    if !are_missing() {
        assert_clean(&under(|world| {
            world.rabbitmq.kill9();
            world.run_for(Duration::from_secs(2));
            world.rabbitmq.start_again();
        }));
    }
}

#[test]
fn nothing_is_lost_when_postgresql_is_killed() {
    if !are_missing() {
        assert_clean(&under(|world| {
            world.postgres.kill9();
            world.run_for(Duration::from_secs(1));
            world.postgres.restart();
        }));
    }
}

/// The tasks of a node that dies run elsewhere.
fn taken_over_within(limit: Duration, strike: fn(&mut server::Node)) {
    let mut world = World::start_with("3s");
    drop(world.nodes.remove(1));
    let port = world.servers[0].port();
    let mut chance = Chance::new(7);
    let id = client::fresh_id(&mut chance);
    let line = format!(
        "{{\"cmd\":\"submit\",\"task_id\":\"{id}\",\"kind\":\"sleep\",\"payload\":{{\"ms\":1500}}}}\n"
    );
    // The process that is to judge has to be trusted first.
    world.run_for(Duration::from_secs(5));
    server::ask(port, &line);
    world.until("it runs", || server::status(port, &id) == "running");
    strike(&mut world.nodes[0]);
    let struck = Instant::now();
    world.add_node();
    world.until("it has ended", || server::status(port, &id) == "succeeded");
    let took = struck.elapsed();
    assert!(took < limit, "it took {took:?}");
    eprintln!("taken over and run again in {took:?}");
}

#[test]
fn tasks_of_a_killed_node_run_elsewhere() {
    if !are_missing() {
        // A fifth of the usual lease: 7 s become 1.4, the task itself takes 1.5 s, and another node has to
        // start, on a machine that may be slow.
        taken_over_within(Duration::from_millis(8_500), server::Node::kill);
    }
}

#[test]
fn tasks_of_a_silent_node_run_elsewhere() {
    if !are_missing() {
        taken_over_within(Duration::from_millis(12_000), server::Node::stop_answering);
    }
}

#[test]
fn a_node_without_shared_stores_is_refused() {
    for (arguments, key) in [
        (&["--records", "postgres://u@h/d"][..], "--queue"),
        (&["--queue", "amqp://h"], "--records"),
        (
            &["--queue", "amqp://h", "--records", "postgres://u@h/d"],
            "--blobs",
        ),
    ] {
        let told = Command::new(env!("CARGO_BIN_EXE_tareas"))
            .arg("worker")
            .args(arguments)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&told.stderr).into_owned();
        assert_eq!(told.status.code(), Some(78), "{said}");
        assert!(said.contains(key), "{said}");
    }
}
