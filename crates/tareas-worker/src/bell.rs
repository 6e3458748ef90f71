//! A bell: wakes a thread that waits for file descriptors.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// Rung from any thread; readable from then on, for good.
#[derive(Debug)]
pub(crate) struct Bell {
    ear: PipeReader,
    clapper: PipeWriter,
}

impl Bell {
    pub(crate) fn new() -> io::Result<Self> {
        let (ear, clapper) = io::pipe()?;
        Ok(Self { ear, clapper })
    }

    /// Makes the bell readable. Rung a few times at most, so the pipe never fills.
    pub(crate) fn ring(&self) {
        // Both ends are here, so it can only fail when the system is out of everything; then
        // the request is still found by whoever looks at the flag.
        let _ = (&self.clapper).write(&[1]);
    }

    /// Waits until it was rung.
    pub(crate) fn wait(&self) -> io::Result<()> {
        (&self.ear).read_exact(&mut [0])
    }

    /// Readable when it was rung.
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.ear.as_fd()
    }
}
