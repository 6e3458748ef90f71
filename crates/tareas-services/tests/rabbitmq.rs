//! A RabbitMQ node starts, comes back after a crash, and leaves nothing behind.

use tareas_services::{Rabbitmq, Service, is_missing};

#[test]
fn a_node_comes_back_and_then_is_gone() {
    if is_missing(Service::Rabbitmq) {
        return;
    }
    let node = Rabbitmq::start();
    let connects = |node: &Rabbitmq| std::net::TcpStream::connect(("127.0.0.1", node.port()));
    assert!(node.vhost("one").ends_with("/one"));
    node.kill9();
    assert!(connects(&node).is_err());
    node.start_again();
    assert!(node.rabbitmqctl(&["list_vhosts"]).contains("one"));
    let port = node.port();
    drop(node);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err());
}
