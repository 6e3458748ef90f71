//! Handing open files to another process, with a few bytes, over a socket.

use std::io::{self, IoSlice, IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

/// How many files come at once.
const FILES: usize = 2;

/// Sends some bytes and copies of two open files.
pub(super) fn send<const N: usize>(
    to: &UnixStream,
    bytes: [u8; N],
    files: [BorrowedFd<'_>; FILES],
) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
    let mut beside = SendAncillaryBuffer::new(&mut space);
    if !beside.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("there is no room for the files"));
    }
    // A few bytes leave as a whole or not at all.
    sendmsg(to, &[IoSlice::new(&bytes)], &mut beside, SendFlags::empty())?;
    Ok(())
}

/// Receives what [`send`] sent; `None` when the other side has ended before it. None of the files
/// is inherited by a process that is started from here.
pub(super) fn receive<const N: usize>(
    mut from: &UnixStream,
) -> io::Result<Option<([u8; N], [OwnedFd; FILES])>> {
    let mut bytes = [0; N];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES))];
    let mut beside = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut into = [IoSliceMut::new(&mut bytes)];
        match recvmsg(from, &mut into, &mut beside, RecvFlags::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            received => break received?.bytes,
        }
    };
    if received == 0 {
        return Ok(None);
    }
    let files: Vec<OwnedFd> = beside
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(files) => Some(files),
            _ => None,
        })
        .flatten()
        .collect();
    from.read_exact(&mut bytes[received..])?;
    let files = <[OwnedFd; FILES]>::try_from(files);
    let files = files.map_err(|_| io::Error::other("the files of an order are missing"))?;
    for file in &files {
        fcntl(file.as_fd(), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    Ok(Some((bytes, files)))
}
