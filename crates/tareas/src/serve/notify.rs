//! What the program that started the server is told: that it is ready, that it stops.
//!
//! systemd names a socket in `NOTIFY_SOCKET` (`Type=notify`) and takes one datagram for each
//! change. Without the variable nobody asks, and nothing is sent.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixDatagram;

const SOCKET: &str = "NOTIFY_SOCKET";

/// A change of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It takes connections.
    Ready,
    /// It has begun to stop.
    Stopping,
}

/// Tells whoever asked for it. That nobody hears it changes nothing for the server.
pub(super) fn tell(state: State) {
    let Some(socket) = std::env::var_os(SOCKET).filter(|socket| !socket.is_empty()) else {
        return;
    };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(%error, ?socket, "nobody was told");
    }
}

fn send(socket: &OsStr, state: State) -> io::Result<()> {
    let message: &[u8] = match state {
        State::Ready => b"READY=1\nSTATUS=taking tasks",
        State::Stopping => b"STOPPING=1\nSTATUS=draining",
    };
    let sender = UnixDatagram::unbound()?;
    match socket.as_bytes().strip_prefix(b"@") {
        Some(name) => connect_abstract(&sender, name)?,
        None => sender.connect(socket)?,
    }
    sender.send(message).map(|_| ())
}

/// A name that is no file: only Linux has them.
#[cfg(target_os = "linux")]
fn connect_abstract(sender: &UnixDatagram, name: &[u8]) -> io::Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::SocketAddr;

    sender.connect_addr(&SocketAddr::from_abstract_name(name)?)
}

#[cfg(not(target_os = "linux"))]
fn connect_abstract(_: &UnixDatagram, _: &[u8]) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(receiver: &UnixDatagram) -> String {
        let mut bytes = [0; 128];
        let count = receiver.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    #[test]
    fn a_socket_in_a_folder_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let receiver = UnixDatagram::bind(&path).unwrap();
        send(path.as_os_str(), State::Ready).unwrap();
        assert!(received(&receiver).starts_with("READY=1\n"));
        send(path.as_os_str(), State::Stopping).unwrap();
        assert!(received(&receiver).starts_with("STOPPING=1\n"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_socket_without_a_file_is_told() {
        use std::os::linux::net::SocketAddrExt;
        use std::os::unix::net::SocketAddr;

        let name = format!("tareas-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        send(OsStr::new(&format!("@{name}")), State::Ready).unwrap();
        assert!(received(&receiver).starts_with("READY=1\n"));
    }

    #[test]
    fn a_socket_that_is_not_there_is_an_error_and_no_more() {
        assert!(send(OsStr::new("/nowhere/notify"), State::Ready).is_err());
    }
}
