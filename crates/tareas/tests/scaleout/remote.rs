//! Remote workers at servers that share everything and run no tasks themselves.

use std::time::{Duration, Instant};

use tareas_services::OnQueues;

use super::are_missing;
use super::chance::Chance;
use super::client::fresh_id;
use super::server::{Node, ask, status};
use super::told::Receiver;
use super::world::World;

fn submit(port: u16, (kind, payload): (&str, &str), chance: &mut Chance) -> String {
    let id = fresh_id(chance);
    let line = format!(
        "{{\"cmd\":\"submit\",\"task_id\":\"{id}\",\"kind\":\"{kind}\",\"payload\":{payload}}}\n"
    );
    let told = ask(port, &line);
    assert!(told.contains("queued"), "{told}");
    id
}

/// A worker that knows one of the servers only.
fn worker_at(world: &World, name: &str, server: usize) -> Node {
    let place = format!("tcp://127.0.0.1:{}", world.servers[server].port());
    let arguments = ["--server".to_owned(), place];
    Node::start(&world.folder, name, &arguments)
}

#[test]
fn workers_get_the_tasks_of_every_server() {
    if are_missing() {
        return;
    }
    let mut world = World::start();
    world.nodes.clear();
    let receiver = Receiver::of_all_ends(&world);
    let worker = worker_at(&world, "first", 0);
    let mut chance = Chance::new(21);
    let ports = [0, 1].map(|number: usize| world.servers[number].port());
    let submit_at = |port: u16, many: usize, chance: &mut Chance| -> Vec<String> {
        let square = ("square", r#"{"n":5}"#);
        (0..many).map(|_| submit(port, square, chance)).collect()
    };
    let all_done = |ids: &[String], port: u16| {
        for id in ids {
            world.until("it runs", || status(port, id) == "succeeded");
        }
    };
    // Told by hints.
    for port in ports {
        all_done(&submit_at(port, 100, &mut chance), port);
    }

    // Nobody is told: they are found in the records.
    drop(worker);
    let waiting = submit_at(ports[1], 300, &mut chance);
    world.on_queues(OnQueues::Purge);
    let _worker = worker_at(&world, "second", 0);
    all_done(&waiting, ports[1]);
    let once = "SELECT count(*) FROM tareas.tasks WHERE state <> 3 OR charged > 1";
    assert_eq!(world.sql(once), "0", "each ended, and without a failure");

    // While a long task runs RabbitMQ waits for nothing, so it has nothing to lose patience with.
    let long = submit(ports[0], ("sleep", r#"{"ms":120000}"#), &mut chance);
    world.until("it runs", || status(ports[0], &long) == "running");
    world.until("its hint is acknowledged", || {
        let list = ["-q", "list_queues", "messages_unacknowledged"];
        let told = world.rabbitmq.rabbitmqctl(&list);
        let mut counts = told
            .split_whitespace()
            .filter_map(|word| word.parse::<u64>().ok());
        counts.all(|count| count == 0)
    });
    assert_eq!(status(ports[0], &long), "running");
    // The worker is not connected to the server that is asked to cancel it.
    cancel(ports[1], &long);
    world.until("it is cancelled", || status(ports[0], &long) == "cancelled");

    // Of every end one of the servers has told, and the other has not.
    let ends = world.sql("SELECT count(*) FROM tareas.tasks WHERE state >= 3");
    receiver.was_told_once_of(&world, ends.parse().unwrap());
}

/// Asks a server to cancel a task that runs, which then ends long before its grace is over.
fn cancel(port: u16, id: &str) {
    let told = ask(
        port,
        &format!("{{\"cmd\":\"cancel\",\"task_id\":\"{id}\"}}\n"),
    );
    assert!(told.contains("running"), "{told}");
}

/// What a worker node or a remote worker runs is cancelled at any server; and when a server ends
/// together with its remote worker, others run what that one held.
#[test]
fn what_runs_elsewhere_is_cancelled_and_taken_back() {
    if are_missing() {
        return;
    }
    let mut world = World::start();
    let mut chance = Chance::new(22);
    let ports = [0, 1].map(|number: usize| world.servers[number].port());
    let long = ("sleep", r#"{"ms":120000}"#);
    let on_a_node = submit(ports[0], long, &mut chance);
    world.until("it runs", || status(ports[0], &on_a_node) == "running");
    let asked = Instant::now();
    cancel(ports[1], &on_a_node);
    world.until("it is cancelled", || {
        status(ports[0], &on_a_node) == "cancelled"
    });
    assert!(
        asked.elapsed() < Duration::from_secs(15),
        "it was asked to stop"
    );

    world.nodes.clear();
    let mut worker = worker_at(&world, "first", 0);
    let held = submit(ports[1], ("sleep", r#"{"ms":2000}"#), &mut chance);
    world.until("it runs", || status(ports[1], &held) == "running");
    worker.kill();
    world.servers[0].kill();
    let _other = worker_at(&world, "second", 1);
    world.until("another one runs it", || {
        status(ports[1], &held) == "succeeded"
    });
    let told = format!("SELECT attempt FROM tareas.tasks WHERE id = '{held}'");
    assert_eq!(world.sql(&told), "2");
}
