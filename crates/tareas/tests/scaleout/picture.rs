//! The whole picture, with the commands of the READMEs: a client, HAProxy, two servers, RabbitMQ,
//! two worker nodes, PostgreSQL and a bucket.

use std::path::Path;
use std::process::Command;

use tareas_services::{Service, is_missing};

use super::are_missing;
use super::world::World;

/// The block of a README that asks the whole system.
fn block(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let blocks = text.split("```sh\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let asks = |block: &&str| block.contains("FROM tareas_resultados");
    blocks.find(asks).expect("a block with psql").to_owned()
}

/// Runs a block as a person would, through the balancer.
fn run(block: &str, world: &World, port: u16) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_tareas")).parent().unwrap();
    let psql = Service::Postgres
        .program()
        .unwrap()
        .parent()
        .unwrap()
        .to_owned();
    let path = std::env::var("PATH").unwrap();
    let path = format!("{}:{}:{path}", program.display(), psql.display());
    let told = Command::new("bash")
        .args(["-euc", block])
        .env("PATH", path)
        .env("TAREAS_SERVER", format!("tcp://127.0.0.1:{port}"))
        .env("TAREAS_RECORDS", &world.database)
        .current_dir(world.folder.path())
        .output()
        .unwrap();
    assert!(told.status.success(), "{told:?}");
    String::from_utf8(told.stdout).unwrap()
}

#[test]
fn the_picture_of_the_classroom_is_complete() {
    if are_missing() || is_missing(Service::Haproxy) {
        return;
    }
    let world = World::start();
    let (_haproxy, port) = world.balanced();
    for (round, file) in (1..).zip(["README.md", "README.es.md"]) {
        let told = run(&block(file), &world, port);
        assert!(
            told.contains("Resultado de 'procesar datos de usuario' procesado correctamente."),
            "{told}"
        );
        assert!(
            told.contains("5242880"),
            "the size of the large result: {told}"
        );
        assert!(told.contains(&format!("({} rows)", 2 * round)), "{told}");
        let rows: Vec<&str> = told.lines().filter(|line| line.contains(" | ")).collect();
        let of = |text: &str| rows.iter().find(|row| row.contains(text)).copied();
        let small = of(" procesar datos de usuario ").expect(&told);
        assert!(
            !small.contains("/out/") && !small.contains("-out"),
            "{small}"
        );
        let large = of(" text 5242880 ").expect(&told);
        assert!(large.contains("out"), "{large}");
    }
    world.stop_in_order();
}
