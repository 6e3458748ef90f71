//! The plain path: many lines out, many lines in, nothing remembered in between.
//!
//! For programs that count nanoseconds, such as `tareas bench`. The caller writes whole lines
//! and reads whole lines; refs, ids and retries are its own affair.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use memchr::memrchr;

use crate::{Address, Error, Result};

/// How much is read from the socket at once.
const READ_BYTES: usize = 256 * 1024;

/// A connection without memory.
#[derive(Debug)]
pub struct Pipeline {
    stream: TcpStream,
}

/// The writing half.
#[derive(Debug)]
pub struct PipelineWriter {
    stream: TcpStream,
}

/// The reading half.
#[derive(Debug)]
pub struct PipelineReader {
    stream: TcpStream,
    buffer: Vec<u8>,
    filled: usize,
    /// Bytes that were handed out last and are to be dropped.
    told: usize,
}

impl Pipeline {
    /// Connects.
    ///
    /// # Errors
    /// [`Error::Unreachable`].
    pub fn connect(address: &Address, timeout: Duration) -> Result<Self> {
        let unreachable = |source| Error::Unreachable {
            address: address.clone(),
            tries: 1,
            elapsed: Duration::ZERO,
            source,
        };
        Ok(Self {
            stream: address.connect(timeout).map_err(unreachable)?,
        })
    }

    /// The socket itself, for an event loop of the caller's.
    pub fn into_stream(self) -> TcpStream {
        self.stream
    }

    /// Both halves, for two threads.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn split(self) -> io::Result<(PipelineWriter, PipelineReader)> {
        let writer = PipelineWriter {
            stream: self.stream.try_clone()?,
        };
        let buffer = vec![0; READ_BYTES];
        Ok((
            writer,
            PipelineReader {
                stream: self.stream,
                buffer,
                filled: 0,
                told: 0,
            },
        ))
    }
}

impl PipelineWriter {
    /// Writes whole lines, with their newlines.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        self.stream.write_all(lines)
    }

    /// Says that nothing more comes; the server gives what it owes and closes.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn finish(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl PipelineReader {
    /// Waits for more and gives all whole lines that are there, the last newline included.
    /// Nothing at the end of the stream.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn read(&mut self) -> io::Result<&[u8]> {
        self.buffer.copy_within(self.told..self.filled, 0);
        self.filled -= self.told;
        self.told = 0;
        while self.told == 0 {
            if self.filled == self.buffer.len() {
                self.buffer.resize(self.buffer.len() * 2, 0);
            }
            let bytes = self.stream.read(&mut self.buffer[self.filled..])?;
            if bytes == 0 {
                return Ok(&[]);
            }
            let fresh = &self.buffer[self.filled..self.filled + bytes];
            if let Some(newline) = memrchr(b'\n', fresh) {
                self.told = self.filled + newline + 1;
            }
            self.filled += bytes;
        }
        Ok(&self.buffer[..self.told])
    }

    /// The longest silence that is borne.
    ///
    /// # Errors
    /// When the duration is zero.
    pub fn set_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.stream.set_read_timeout(timeout)
    }
}
