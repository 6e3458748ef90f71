//! The door for clients that speak AMQP: real servers, a real RabbitMQ, and a client that knows
//! nothing of tareas but the name of a queue.

#![expect(clippy::unwrap_used, reason = "these are tests")]

#[path = "../cli/run.rs"]
#[expect(dead_code, reason = "the tests of the commands use all of it")]
mod run;

mod client;

use std::sync::Arc;
use std::time::{Duration, Instant};

use client::{Client, Message};
use nix::sys::signal::Signal;
use run::{Server, tareas};
use tareas_services::{Rabbitmq, Service, is_missing};

/// Longest wait for something that must come about by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server with an open door, and a client; nothing where there is no RabbitMQ.
struct World {
    server: Server,
    client: Client,
    url: String,
}

impl World {
    fn start(name: &str) -> Option<Self> {
        if is_missing(Service::Rabbitmq) {
            return None;
        }
        let url = format!(
            "{}?prefix=door-{name}-{}",
            Rabbitmq::shared(),
            std::process::id()
        );
        let server = Server::start(&["--queue", &url, "--amqp-door"]);
        let client = Client::connect(&url, &format!("door-{name}-{}", std::process::id()));
        Some(Self {
            server,
            client,
            url,
        })
    }

    /// Another life of the server, after a kill.
    fn kill_and_restart(&mut self) {
        self.server.signal(Signal::SIGKILL);
        self.server.ended();
        let folder = Arc::clone(&self.server.folder);
        self.server = Server::start_in(folder, &["--queue", &self.url, "--amqp-door"]);
    }

    fn metric(&self, name: &str) -> f64 {
        let page = self.client.http(self.server.authority(), "/metrics");
        let value = page.lines().find_map(|line| {
            let (known, value) = line.split_once(' ')?;
            known.starts_with(name).then(|| value.parse().unwrap())
        });
        value.unwrap_or_else(|| panic!("{name} is not told:\n{page}"))
    }

    fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so(self) {
            assert!(Instant::now() < until, "not in time: {what}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn square(number: u64) -> Message {
    Message {
        body: format!(r#"{{"op":"square","n":{number}}}"#),
        id: Some(format!("m{number}")),
        correlation: Some(number.to_string()),
        ..Message::default()
    }
}

#[test]
fn ten_thousand_messages_are_answered() {
    const MESSAGES: u64 = 10_000;
    let Some(world) = World::start("many") else {
        return;
    };
    let replies = world.client.reply_queue();
    let began = Instant::now();
    let messages = (0..MESSAGES).map(|number| Message {
        reply_to: Some(replies.clone()),
        ..square(number)
    });
    world.client.send(messages.collect());
    let answers = world.client.receive(&replies, MESSAGES as usize);
    let seconds = began.elapsed().as_secs_f64();
    eprintln!("{:.0} messages/s, answered", MESSAGES as f64 / seconds);
    for (correlation, answer) in &answers {
        let number: u64 = correlation.as_deref().unwrap().parse().unwrap();
        let expected = format!(r#""result":{}"#, number * number);
        assert!(answer.contains(&expected), "{answer}");
    }
    let mut numbers: Vec<_> = answers.into_iter().map(|(number, _)| number).collect();
    numbers.sort();
    numbers.dedup();
    assert_eq!(numbers.len() as u64, MESSAGES, "one answer each");
    world.until("all are acknowledged", |world| {
        world.client.depth(".submit") == 0
    });
}

#[test]
fn what_can_never_be_a_task_is_put_aside() {
    let Some(world) = World::start("aside") else {
        return;
    };
    let replies = world.client.reply_queue();
    let message = |body: &str| Message {
        body: body.to_owned(),
        correlation: Some("c".to_owned()),
        reply_to: Some(replies.clone()),
        ..Message::default()
    };
    let nameless = Message {
        id: Some("<no name>".to_owned()),
        ..square(1)
    };
    world.client.send(vec![
        message("garbage \u{0}"),
        message(r#"{"op":"no_such_kind"}"#),
        message(r#"{"kind":"square","payload":{"n":5},"prioritty":5}"#),
        nameless,
    ]);
    let mut answers = world.client.receive(&replies, 3);
    answers.sort();
    assert!(answers.iter().all(|(id, _)| id.as_deref() == Some("c")));
    for code in ["TAR-1201", "TAR-1204"] {
        assert!(
            answers.iter().any(|(_, answer)| answer.contains(code)),
            "{answers:?}"
        );
    }
    world.until("they are put aside", |world| {
        world.client.depth(".submit.dead") == 4
    });
    let dead = world.client.take_dead(4);
    assert!(
        dead.iter()
            .any(|(code, body)| code == "TAR-1204" && body.contains("no_such_kind"))
    );
    assert!(
        dead.iter().all(|(code, _)| code.starts_with("TAR-")),
        "{dead:?}"
    );
    assert_eq!(world.client.depth(".submit"), 0);
    assert_eq!(world.metric("tareas_door_put_aside"), 4.0);
}

#[test]
fn a_sender_who_has_gone_harms_nobody() {
    let Some(world) = World::start("gone") else {
        return;
    };
    let gone = (0..100).map(|number| Message {
        reply_to: Some("nobody.is.here".to_owned()),
        ..square(number)
    });
    world.client.send(gone.collect());
    let replies = world.client.reply_queue();
    let last = Message {
        reply_to: Some(replies.clone()),
        priority: Some(9),
        ..square(100)
    };
    world.client.send(vec![last]);
    let answers = world.client.receive(&replies, 1);
    assert!(answers[0].1.contains("10000"), "{answers:?}");
    world.until("all are acknowledged", |world| {
        world.client.depth(".submit") == 0
    });
    let urgent = world.server.tareas(&["list", "-o", "jsonl"]).stdout;
    assert!(urgent.contains(r#""priority":9"#), "{urgent}");
}

#[test]
fn messages_that_are_delivered_again_are_one_task_each() {
    const MESSAGES: u64 = 5_000;
    let Some(mut world) = World::start("again") else {
        return;
    };
    world.client.send((0..MESSAGES).map(square).collect());
    for _ in 0..2 {
        world.until("some are taken", |world| {
            world.metric("tareas_door_taken") > 300.0
        });
        world.kill_and_restart();
    }
    // And once more, by a sender who has heard nothing.
    world.client.send((0..1_000).map(square).collect());
    world.until("all are acknowledged", |world| {
        world.client.depth(".submit") == 0
    });
    world.until("the last are taken", |world| {
        world.metric("tareas_door_taken") >= 1_000.0
    });
    let total = || {
        let counted = ["succeeded", "queued", "running", "scheduled", "failed"].map(|state| {
            let label = format!("state=\"{state}\"");
            let page = world.client.http(world.server.authority(), "/metrics");
            let lines = page
                .lines()
                .filter(|line| line.starts_with("tareas_queue_tasks{"));
            let of_state = lines.filter(|line| line.contains(&label));
            let numbers = of_state.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
            numbers.sum::<f64>()
        });
        (counted[0], counted.iter().sum::<f64>())
    };
    world.until("all have ended", |_| total().0 >= MESSAGES as f64);
    assert_eq!(total(), (MESSAGES as f64, MESSAGES as f64));
    assert_eq!(world.client.depth(".submit.dead"), 0);
}

#[test]
fn a_door_needs_rabbitmq() {
    let refused = tareas(&["serve", "--bind", "127.0.0.1:0", "--amqp-door"]);
    assert_eq!(refused.code, 78, "{refused:?}");
    assert!(refused.stderr.contains("amqp"), "{refused:?}");
}
