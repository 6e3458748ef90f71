//! A TCP proxy of loopback that breaks connections when a test says so.
//!
//! Bytes go through unchanged until a fault is asked for. `stall` keeps connections open and
//! passes nothing; `cut` ends those that are open; `cut_instead_of` ends a connection when certain
//! bytes are about to pass, which is how an answer is lost on its way.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// How often a waiting thread looks again.
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// Bytes that are passed at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// Whose bytes are watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What the client sends.
    Client,
    /// What the server answers.
    Server,
}

/// A proxy in front of one server.
#[derive(Debug)]
pub struct FaultProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: SocketAddr,
    is_stalled: AtomicBool,
    is_refusing: AtomicBool,
    is_over: AtomicBool,
    open: Mutex<Vec<TcpStream>>,
    trap: Mutex<Option<(Side, Vec<u8>)>>,
}

impl FaultProxy {
    /// A proxy to `target`, on a free port of loopback.
    ///
    /// # Panics
    /// When loopback gives no port.
    pub fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound socket has one");
        let shared = Arc::new(Shared {
            target,
            is_stalled: AtomicBool::new(false),
            is_refusing: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            open: Mutex::default(),
            trap: Mutex::default(),
        });
        let accepting = Arc::clone(&shared);
        spawn(move || accepting.accept(&listener));
        Self { address, shared }
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends every open connection; new ones are let through.
    pub fn cut(&self) {
        for stream in lock(&self.shared.open).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    /// Ends every open connection and every new one, until [`resume`](Self::resume).
    pub fn refuse(&self) {
        self.shared.is_refusing.store(true, Ordering::SeqCst);
        self.cut();
    }

    /// Passes nothing more, and keeps connections open.
    pub fn stall(&self) {
        self.shared.is_stalled.store(true, Ordering::SeqCst);
    }

    /// Ends a stall or a refusal; what was held back is passed now.
    pub fn resume(&self) {
        self.shared.is_stalled.store(false, Ordering::SeqCst);
        self.shared.is_refusing.store(false, Ordering::SeqCst);
    }

    /// Ends the first connection on which `side` sends `bytes`, instead of passing them. Once.
    pub fn cut_instead_of(&self, side: Side, bytes: &[u8]) {
        *lock(&self.shared.trap) = Some((side, bytes.to_vec()));
    }

    /// Whether the trap of [`cut_instead_of`](Self::cut_instead_of) has sprung.
    pub fn has_sprung(&self) -> bool {
        lock(&self.shared.trap).is_none()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the listener, which ends.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        while let Ok((client, _)) = listener.accept() {
            if self.is_over.load(Ordering::SeqCst) {
                return;
            }
            if self.is_refusing.load(Ordering::SeqCst) {
                continue;
            }
            if let Ok(server) = TcpStream::connect(self.target) {
                // A connection that ends at once is what faults look like.
                let _ = self.join(client, server);
            }
        }
    }

    fn join(self: &Arc<Self>, client: TcpStream, server: TcpStream) -> io::Result<()> {
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        let (from_client, to_client) = (client.try_clone()?, client.try_clone()?);
        let (from_server, to_server) = (server.try_clone()?, server.try_clone()?);
        lock(&self.open).extend([client, server]);
        let this = Arc::clone(self);
        spawn(move || this.pass(Side::Client, from_client, to_server));
        let this = Arc::clone(self);
        spawn(move || this.pass(Side::Server, from_server, to_client));
        Ok(())
    }

    fn pass(&self, side: Side, mut from: TcpStream, mut to: TcpStream) {
        let mut chunk = vec![0; CHUNK_BYTES];
        while let Ok(count) = from.read(&mut chunk) {
            while self.is_stalled.load(Ordering::SeqCst) && !self.is_over.load(Ordering::SeqCst) {
                sleep(LOOK_EVERY);
            }
            let is_over = count == 0 || self.springs(side, &chunk[..count]);
            if is_over || to.write_all(&chunk[..count]).is_err() {
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    }

    fn springs(&self, side: Side, chunk: &[u8]) -> bool {
        let mut trap = lock(&self.trap);
        let is_hit = trap.as_ref().is_some_and(|(watched, bytes)| {
            *watched == side && chunk.windows(bytes.len().max(1)).any(|part| part == bytes)
        });
        if is_hit {
            *trap = None;
        }
        is_hit
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that answers each byte with the next one.
    fn successor() -> SocketAddr {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                spawn(move || answer(stream));
            }
        });
        address
    }

    fn answer(mut stream: TcpStream) {
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() {
            let _ = stream.write_all(&[byte[0] + 1]);
        }
    }

    fn ask(stream: &mut TcpStream, byte: u8) -> io::Result<u8> {
        let mut answer = [0];
        stream.set_read_timeout(Some(Duration::from_millis(500)))?;
        stream.write_all(&[byte])?;
        stream.read_exact(&mut answer)?;
        Ok(answer[0])
    }

    #[test]
    fn bytes_pass_until_the_connection_is_cut() {
        let proxy = FaultProxy::start(successor());
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(ask(&mut stream, 1).unwrap(), 2);
        proxy.cut();
        assert!(ask(&mut stream, 3).is_err());
        let mut again = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(ask(&mut again, 5).unwrap(), 6);
    }

    #[test]
    fn a_stall_delays_and_loses_nothing() {
        let proxy = FaultProxy::start(successor());
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(ask(&mut stream, 1).unwrap(), 2);
        proxy.stall();
        assert!(ask(&mut stream, 3).is_err());
        proxy.resume();
        let mut late = [0];
        stream.set_read_timeout(None).unwrap();
        stream.read_exact(&mut late).unwrap();
        assert_eq!(late, [4]);
    }

    #[test]
    fn an_answer_can_be_lost_on_its_way() {
        let proxy = FaultProxy::start(successor());
        proxy.cut_instead_of(Side::Server, &[8]);
        let mut stream = TcpStream::connect(proxy.address()).unwrap();
        assert_eq!(ask(&mut stream, 1).unwrap(), 2);
        assert!(ask(&mut stream, 7).is_err());
        assert!(proxy.has_sprung());
    }
}
