//! Two servers and two worker nodes, and what they share.

use std::path::Path;
use std::time::{Duration, Instant};

use tareas_services::{Bucket, FaultProxy, Haproxy, OnQueues, Postgres, Rabbitmq, free_port};

use super::server::{Folder, Node, Server};

/// Longest wait for something that must come about by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fields are dropped in this order: processes before what they work with.
pub(crate) struct World {
    pub(crate) servers: Vec<Server>,
    pub(crate) nodes: Vec<Node>,
    nodes_started: usize,
    shared: Vec<String>,
    pub(crate) database: String,
    pub(crate) postgres: Postgres,
    pub(crate) rabbitmq: Rabbitmq,
    pub(crate) folder: Folder,
    /// Between everybody and PostgreSQL.
    pub(crate) wire: FaultProxy,
    pub(crate) bucket: Bucket,
}

impl World {
    /// With leases that are short enough for a test.
    pub(crate) fn start() -> Self {
        Self::start_with("3s")
    }

    pub(crate) fn start_with(lease: &str) -> Self {
        let bucket = Bucket::start();
        let (postgres, rabbitmq) = (Postgres::start(), Rabbitmq::start());
        let database = postgres.database();
        let (port, path) = port_and_path(&database);
        let wire = FaultProxy::start(([127, 0, 0, 1], port).into());
        let records = format!("postgres://postgres@{}/{path}", wire.address());
        let mut shared = Vec::new();
        for (flag, value) in [
            ("--queue", rabbitmq.url()),
            ("--records", records),
            ("--blobs", bucket.url()),
            ("--lease", lease.to_owned()),
        ] {
            shared.extend([flag.to_owned(), value]);
        }
        let folder = Folder::new();
        let servers = ["one", "two"].map(|name| Server::start(&folder, name, &shared));
        let mut world = Self {
            servers: servers.into(),
            nodes: Vec::new(),
            nodes_started: 0,
            shared,
            database,
            postgres,
            rabbitmq,
            folder,
            wire,
            bucket,
        };
        world.add_node();
        world.add_node();
        world
    }

    pub(crate) fn add_node(&mut self) {
        self.nodes_started += 1;
        let name = format!("node{}", self.nodes_started);
        let node = Node::start(&self.folder, &name, &self.shared);
        self.nodes.push(node);
    }

    /// A node with a configuration of its own.
    pub(crate) fn another_node(&mut self, config: &Path) -> Node {
        self.nodes_started += 1;
        let name = format!("node{}", self.nodes_started);
        let mut arguments = self.shared.clone();
        arguments.extend(["--config".to_owned(), config.display().to_string()]);
        Node::start(&self.folder, &name, &arguments)
    }

    /// The shipped file of HAProxy in front of both servers, and its port.
    pub(crate) fn balanced(&self) -> (Haproxy, u16) {
        let port = free_port();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../deploy/haproxy.cfg");
        let mut config = std::fs::read_to_string(path).unwrap();
        config = config.replace("bind :5000", &format!("bind 127.0.0.1:{port}"));
        for (number, server) in (1..).zip(&self.servers) {
            let place = format!("127.0.0.1:{}", server.proxied_port());
            config = config.replace(&format!("tareas-{number}:5001"), &place);
        }
        (Haproxy::start(&config, port), port)
    }

    /// Does this to the queues of RabbitMQ that tell of tasks.
    pub(crate) fn on_queues(&self, what: OnQueues) {
        self.rabbitmq.on_queues(what, "tareas.q.");
    }

    pub(crate) fn run_for(&self, time: Duration) {
        std::thread::sleep(time);
    }

    pub(crate) fn until(&self, what: &str, is_so: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !is_so() {
            assert!(Instant::now() < until, "not in time: {what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn sql(&self, statement: &str) -> String {
        self.postgres.sql_in(&self.database, statement)
    }

    /// Everybody drains and ends with 0.
    pub(crate) fn stop_in_order(self) {
        for node in self.nodes {
            node.stop_in_order();
        }
        for server in self.servers {
            server.stop_in_order();
        }
    }
}

/// Of `postgres://USER@HOST:PORT/PATH`.
fn port_and_path(url: &str) -> (u16, &str) {
    let (_, place) = url.rsplit_once(':').unwrap();
    let (port, path) = place.split_once('/').unwrap();
    (port.parse().unwrap(), path)
}
