//! Waiting for several file descriptors at once.

use std::io;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Waits until one of these can be read or has ended, or the time is over (`None`: for ever).
/// Tells which; those that are absent never are.
pub(crate) fn ready<const N: usize>(
    files: [Option<BorrowedFd<'_>>; N],
    wait: Option<Duration>,
) -> io::Result<[bool; N]> {
    let mut polled: Vec<PollFd<'_>> = Vec::with_capacity(N);
    polled.extend(
        files
            .iter()
            .flatten()
            .map(|file| PollFd::new(*file, PollFlags::POLLIN)),
    );
    match poll(&mut polled, timeout(wait)) {
        Ok(_) => {}
        Err(Errno::EINTR) => return Ok([false; N]),
        Err(error) => return Err(error.into()),
    }
    let mut polled = polled.iter();
    Ok(files.map(|file| {
        let polled = file.and_then(|_| polled.next());
        polled.is_some_and(|file| file.any().unwrap_or(true))
    }))
}

/// In whole milliseconds, rounded up, so that nobody looks again too early.
fn timeout(wait: Option<Duration>) -> PollTimeout {
    let Some(wait) = wait else {
        return PollTimeout::NONE;
    };
    let milliseconds = wait.as_nanos().div_ceil(1_000_000);
    PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::fd::AsFd;

    use super::*;

    #[test]
    fn what_can_be_read_is_named() {
        let (quiet, _keep) = io::pipe().unwrap();
        let (loud, mut writer) = io::pipe().unwrap();
        writer.write_all(b"x").unwrap();
        let files = [Some(quiet.as_fd()), None, Some(loud.as_fd())];
        assert_eq!(ready(files, None).unwrap(), [false, false, true]);
        let wait = Some(Duration::from_micros(10));
        assert_eq!(ready([Some(quiet.as_fd())], wait).unwrap(), [false]);
    }
}
