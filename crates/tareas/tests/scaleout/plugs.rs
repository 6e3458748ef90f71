//! Plugs that are pulled under load: what everybody works with goes away, and comes back. A few
//! seconds each, and as long as in earnest with `TAREAS_TEST_LONG`.

use std::time::{Duration, Instant};

use tareas_services::{OnQueues, Service, Side, is_missing};

use super::chance::Chance;
use super::large::Large;
use super::world::World;
use super::{are_missing, assert_clean, client, server, under, under_at};

/// How long the system may take to be as before, once everything is back.
const HEALED_WITHIN: Duration = Duration::from_secs(30);

/// How long something stays away: shortly, and in the long tests.
fn outage(short: u64, long: u64) -> Duration {
    Duration::from_secs(match std::env::var_os("TAREAS_TEST_LONG") {
        Some(_) => long,
        None => short,
    })
}

/// A new task goes through, without anybody doing anything about it.
fn heals(world: &World) {
    let began = Instant::now();
    let mut chance = Chance::new(u64::from(began.elapsed().subsec_nanos()) ^ 0x5EED);
    let port = world.servers[1].port();
    let id = client::fresh_id(&mut chance);
    let line = format!(
        "{{\"cmd\":\"submit\",\"task_id\":\"{id}\",\"kind\":\"square\",\"payload\":{{\"n\":5}}}}\n"
    );
    world.until("a task goes through", || {
        server::ask(port, &line);
        server::status(port, &id) == "succeeded"
    });
    let took = began.elapsed();
    assert!(took < HEALED_WITHIN, "healed after {took:?}");
    eprintln!("healed in {took:?}");
}

#[test]
fn nothing_is_lost_when_rabbitmq_is_restarted_emptied_and_away() {
    if are_missing() {
        return;
    }
    assert_clean(&under(|world| {
        for what in [OnQueues::Purge, OnQueues::Delete] {
            world.on_queues(what);
            heals(world);
        }
        // Restarted in good order, with a while between: a start is seconds of processor time, so there is one.
        world.rabbitmq.stop();
        world.run_for(outage(4, 60));
        world.rabbitmq.start_again();
        heals(world);
    }));
}

#[test]
fn nothing_is_lost_when_postgresql_is_away() {
    if are_missing() {
        return;
    }
    assert_clean(&under(|world| {
        world.postgres.stop();
        world.run_for(outage(4, 30));
        world.postgres.restart();
        heals(world);
    }));
}

#[test]
fn nothing_is_lost_when_answers_of_postgresql_are() {
    if are_missing() {
        return;
    }
    assert_clean(&under(|world| {
        for answer in ["SELECT ", "COMMIT"].iter().cycle().take(12) {
            // The statement is done; whoever sent it is not told.
            world.wire.cut_instead_of(Side::Server, answer.as_bytes());
            world.run_for(Duration::from_millis(250));
        }
        world.wire.refuse();
        world.run_for(outage(1, 10));
        world.wire.resume();
        heals(world);
    }));
}

#[test]
fn nothing_is_lost_when_the_bucket_fails() {
    if are_missing() {
        return;
    }
    let mut results = 0;
    let verdict = under(|world| {
        let large = Large::start(world.servers[1].port());
        world.run_for(Duration::from_secs(1));
        world.bucket.fail(true);
        world.run_for(outage(4, 30));
        // Small results need no bucket.
        heals(world);
        world.bucket.fail(false);
        results += large.all_succeed_within(HEALED_WITHIN);
        let in_bucket = "SELECT count(*) FROM tareas_resultados WHERE archivo_s3_key IS NOT NULL";
        assert_eq!(world.sql(in_bucket), results.to_string());
    });
    assert_clean(&verdict);
    assert!(results > 10, "only {results} large results");
}

#[test]
fn nothing_is_lost_when_a_server_is_lost_behind_haproxy() {
    if are_missing() || is_missing(Service::Haproxy) {
        return;
    }
    let world = World::start();
    let (_haproxy, port) = world.balanced();
    assert_clean(&under_at(world, &[port, port], |world| {
        world.servers[0].kill();
        world.run_for(outage(3, 30));
        heals(world);
        world.servers[0].kill_and_restart();
        world.run_for(Duration::from_secs(1));
    }));
}
