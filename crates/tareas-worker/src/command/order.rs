//! What a supervisor is told to run: one length, one JSON object, then the payload. With the
//! length come the open files that are to be the process's output and its stderr.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::definition::{Account, Limits};
use super::handover;
use super::sandbox::Sandbox;

/// Largest order, payload excluded: an environment and arguments, which a person wrote.
const ORDER_BYTES_MAX: u32 = 4 * 1024 * 1024;

/// One process to start and to watch over.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Order {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: Vec<(String, String)>,
    pub(super) folder: PathBuf,
    pub(super) account: Option<Account>,
    pub(super) limits: Limits,
    pub(super) sandbox: Sandbox,
    /// Where the process gets a folder of its own for temporary files.
    pub(super) scratch_in: PathBuf,
    /// Where it leaves files for the server, which removes the folder: the supervisor does only
    /// when there is no server any more.
    pub(super) out: PathBuf,
    pub(super) stop_grace_ms: u64,
    /// The output is a socket that the process talks through, both ways; otherwise the process
    /// reads the payload and writes there.
    pub(super) talks: bool,
    pub(super) payload_bytes: u64,
}

/// Where a process writes to.
#[derive(Debug)]
pub(super) struct Streams {
    pub(super) output: OwnedFd,
    pub(super) stderr: OwnedFd,
}

impl Order {
    pub(super) fn send(
        &self,
        payload: &[u8],
        streams: &Streams,
        mut to: &UnixStream,
    ) -> io::Result<()> {
        let json = serde_json::to_vec(self)?;
        let length = u32::try_from(json.len()).map_err(io::Error::other)?;
        let files = [streams.output.as_fd(), streams.stderr.as_fd()];
        handover::send(to, length.to_be_bytes(), files)?;
        let mut message = json;
        message.extend_from_slice(payload);
        to.write_all(&message)
    }

    /// Reads an order and leaves the payload in the stream; `None` when there is none any more.
    pub(super) fn receive(mut from: &UnixStream) -> io::Result<Option<(Self, Streams)>> {
        let Some((length, [output, stderr])) = handover::receive(from)? else {
            return Ok(None);
        };
        let length = u32::from_be_bytes(length);
        if length > ORDER_BYTES_MAX {
            return Err(io::Error::other("the order is too large"));
        }
        let mut json = vec![0; length as usize];
        from.read_exact(&mut json)?;
        let order = serde_json::from_slice(&json)?;
        Ok(Some((order, Streams { output, stderr })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_arrives_as_it_was_sent() {
        let order = Order {
            program: "/bin/true".into(),
            arguments: vec!["a b".to_owned()],
            environment: vec![("PATH".to_owned(), "/bin".to_owned())],
            folder: "/".into(),
            account: Some(Account { uid: 1, gid: 2 }),
            limits: Limits::default(),
            sandbox: Sandbox::default(),
            scratch_in: "/tmp".into(),
            out: "/tmp/out".into(),
            stop_grace_ms: 5,
            talks: false,
            payload_bytes: 2,
        };
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (mut heard, said) = io::pipe().unwrap();
        let streams = Streams {
            output: said.into(),
            stderr: std::fs::File::open("/dev/null").unwrap().into(),
        };
        order.send(b"{}", &streams, &ours).unwrap();
        drop((streams, ours));
        let (received, streams) = Order::receive(&theirs).unwrap().unwrap();
        assert_eq!(format!("{received:?}"), format!("{order:?}"));
        let mut rest = Vec::new();
        (&theirs).read_to_end(&mut rest).unwrap();
        assert_eq!(rest, b"{}");
        io::PipeWriter::from(streams.output)
            .write_all(b"x")
            .unwrap();
        let mut through = Vec::new();
        heard.read_to_end(&mut through).unwrap();
        assert_eq!(through, b"x");
        assert!(Order::receive(&theirs).unwrap().is_none());
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_anything_is_reserved() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let nothing = std::fs::File::open("/dev/null").unwrap();
        handover::send(&ours, [0xFF; 4], [nothing.as_fd(), nothing.as_fd()]).unwrap();
        assert!(Order::receive(&theirs).is_err());
    }

    #[test]
    fn an_order_without_its_files_is_refused() {
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        ours.write_all(&[0; 4]).unwrap();
        assert!(Order::receive(&theirs).is_err());
    }
}
