//! What systemd is told over `NOTIFY_SOCKET`.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::server::Server;

#[test]
fn whoever_started_it_hears_that_it_is_ready_and_that_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    let variables = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let mut server = Server::with(0, &["--bind", "127.0.0.1:0"], &variables);
    assert!(next(&socket).starts_with("READY=1\n"));
    server.signal(Signal::SIGTERM);
    assert!(next(&socket).starts_with("STOPPING=1\n"));
    assert_eq!(server.ended(), Some(0));
}

fn next(socket: &UnixDatagram) -> String {
    let mut bytes = [0; 256];
    let count = socket.recv(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes[..count]).into_owned()
}
