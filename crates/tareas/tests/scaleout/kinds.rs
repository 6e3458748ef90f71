//! Nodes that can run different kinds: each gets what it can run, and holds up nobody.

use std::process::Command;
use std::time::{Duration, Instant};

use super::are_missing;
use super::chance::Chance;
use super::client::fresh_id;
use super::server::{Node, ask, status};
use super::world::World;

/// Below what a node would need that finds its tasks in the records alone, one look after the
/// other.
const SOON: Duration = Duration::from_secs(30);

fn submit(port: u16, kind: &str, chance: &mut Chance) -> String {
    let id = fresh_id(chance);
    let line = format!(
        "{{\"cmd\":\"submit\",\"task_id\":\"{id}\",\"kind\":\"{kind}\",\"payload\":\"5\"}}\n"
    );
    let told = ask(port, &line);
    assert!(told.contains("queued"), "{told}");
    id
}

fn why(port: u16, id: &str) -> String {
    let told = Command::new(env!("CARGO_BIN_EXE_tareas"))
        .args(["--server", &format!("tcp://127.0.0.1:{port}")])
        .args(["why", id, "-o", "json"])
        .output()
        .unwrap();
    String::from_utf8(told.stdout).unwrap()
}

#[test]
fn a_node_takes_what_it_can_run_and_holds_nobody_up() {
    if are_missing() {
        return;
    }
    let mut world = World::start();
    let kinds = world.folder.path().join("kinds.toml");
    std::fs::write(&kinds, "[kinds.reverse]\ncommand = [\"rev\"]\n").unwrap();
    let mut special = world.another_node(&kinds);
    let (port, mut chance) = (world.servers[0].port(), Chance::new(11));
    // The server learns of the kind from the node.
    world.until("the kind is known", || {
        ask(
            port,
            "{\"cmd\":\"submit\",\"kind\":\"reverse\",\"payload\":\"x\"}\n",
        )
        .contains("queued")
    });
    let began = Instant::now();
    let special_ones: Vec<String> = (0..30)
        .map(|_| submit(port, "reverse", &mut chance))
        .collect();
    for id in &special_ones {
        world.until("the node that has it runs it", || {
            status(port, id) == "succeeded"
        });
    }
    assert!(began.elapsed() < SOON, "it took {:?}", began.elapsed());
    // What its node has claimed ahead and given back is an attempt, too; tasks that are handed on
    // by those who cannot run them have many.
    let handed_on = "SELECT count(*) FROM tareas.tasks WHERE kind = 'reverse' AND attempt > 8";
    assert_eq!(world.sql(handed_on), "0", "others have claimed some");

    Node::kill(&mut special);
    let waiting: Vec<String> = (0..300)
        .map(|_| submit(port, "reverse", &mut chance))
        .collect();
    let plain = submit(port, "square", &mut chance);
    world.until("others go on", || status(port, &plain) == "succeeded");
    world.until("it is said why", || {
        why(port, &waiting[0]).contains("no_worker_for_kind")
    });
    assert_eq!(status(port, &waiting[299]), "queued");
    let _special = world.another_node(&kinds);
    for id in &waiting {
        world.until("they run when there is one again", || {
            status(port, id) == "succeeded"
        });
    }
}
