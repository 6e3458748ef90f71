//! Two servers and two worker nodes, and what they share.

use std::time::{Duration, Instant};

use tareas_services::{Postgres, Rabbitmq};
use tokio::runtime::Runtime;

use super::s3_support::Store;
use super::server::{Folder, Node, Server};

/// Longest wait for something that must come about by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// Fields are dropped in this order: processes before what they work with.
pub(crate) struct World {
    pub(crate) servers: Vec<Server>,
    pub(crate) nodes: Vec<Node>,
    nodes_started: usize,
    shared: Vec<String>,
    database: String,
    pub(crate) postgres: Postgres,
    pub(crate) rabbitmq: Rabbitmq,
    pub(crate) folder: Folder,
    _bucket: (Store, Runtime),
}

impl World {
    /// With leases that are short enough for a test.
    pub(crate) fn start() -> Self {
        Self::start_with("3s")
    }

    pub(crate) fn start_with(lease: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let store = runtime.block_on(Store::start());
        let (postgres, rabbitmq) = (Postgres::start(), Rabbitmq::start());
        let database = postgres.database();
        let mut shared = Vec::new();
        for (flag, value) in [
            ("--queue", rabbitmq.url()),
            ("--records", database.clone()),
            ("--blobs", store.url()),
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
            _bucket: (store, runtime),
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
