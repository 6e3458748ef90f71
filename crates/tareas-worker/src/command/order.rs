//! What a supervisor is told to run: one length, one JSON object, then the payload.

use std::io::{self, Read, Write};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::definition::{Account, Limits};

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
    /// Where the process gets a folder of its own for temporary files.
    pub(super) scratch_in: PathBuf,
    /// Where it leaves files for the server, which removes the folder: the supervisor does only
    /// when there is no server any more.
    pub(super) out: PathBuf,
    pub(super) stop_grace_ms: u64,
    /// The supervisor's stdout is a socket that the process talks through, both ways;
    /// otherwise the process reads the payload and writes to the supervisor's stdout.
    pub(super) talks: bool,
    pub(super) payload_bytes: u64,
}

impl Order {
    pub(super) fn send(&self, payload: &[u8], mut to: impl Write) -> io::Result<()> {
        let json = serde_json::to_vec(self)?;
        let length = u32::try_from(json.len()).map_err(io::Error::other)?;
        let mut message = Vec::with_capacity(4 + json.len() + payload.len());
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(&json);
        message.extend_from_slice(payload);
        to.write_all(&message)
    }

    /// Reads the order and leaves the payload in the stream.
    pub(super) fn receive(mut from: impl Read) -> io::Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let length = u32::from_be_bytes(length);
        if length > ORDER_BYTES_MAX {
            return Err(io::Error::other("the order is too large"));
        }
        let mut json = vec![0; length as usize];
        from.read_exact(&mut json)?;
        Ok(serde_json::from_slice(&json)?)
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
            scratch_in: "/tmp".into(),
            out: "/tmp/out".into(),
            stop_grace_ms: 5,
            talks: false,
            payload_bytes: 2,
        };
        let mut wire = Vec::new();
        order.send(b"{}", &mut wire).unwrap();
        let mut rest = wire.as_slice();
        let received = Order::receive(&mut rest).unwrap();
        assert_eq!(format!("{received:?}"), format!("{order:?}"));
        assert_eq!(rest, b"{}");
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_anything_is_reserved() {
        assert!(Order::receive([0xFF; 8].as_slice()).is_err());
    }
}
