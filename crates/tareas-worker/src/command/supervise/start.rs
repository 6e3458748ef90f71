//! Starting the process: streams, limits, user, a folder for temporary files.

use std::ffi::OsString;
use std::fs::{DirBuilder, File};
use std::io::{self, PipeReader, PipeWriter, Read, Seek};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use nix::fcntl::{FcntlArg, FdFlag, fcntl};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Pid, Uid, chown, close, geteuid};

use crate::command::definition::{Account, Limits};
use crate::command::order::{Order, Streams};
use crate::command::sandbox::SandboxMode;
use crate::command::system;

/// The number under which a one-shot process finds the stream for its side notes.
const SIDE_NOTES: i32 = 3;
/// How many names are tried for a folder of temporary files.
const SCRATCH_NAMES_MAX: u32 = 100;
/// After its processor time is used up, a process has this long to write down why, in seconds.
const CPU_GRACE: u64 = 2;
/// The stack of the thread that starts a confined process, within what `memory_max` leaves.
const SPAWN_STACK_BYTES: usize = 256 * 1024;

/// What is prepared before anything else is opened.
#[derive(Debug)]
pub(super) struct Start {
    /// Keeps descriptor 3 free of anything that matters; nothing can be read from it.
    nothing: File,
}

/// A started process, and what goes with it.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) pid: Pid,
    /// What it writes to descriptor 3, if it may.
    pub(super) side_notes: Option<PipeReader>,
    _scratch: Scratch,
}

impl Start {
    /// Closes every file that came along by inheritance, and takes descriptor 3.
    pub(super) fn reserve() -> io::Result<Self> {
        let open = system::open_files()?.into_iter();
        for number in open.filter(|number| *number >= SIDE_NOTES) {
            // The folder that was just read is in its own list, and closed already.
            let _ = close(number);
        }
        Self::again()
    }

    /// Takes descriptor 3 again, for the next order.
    pub(super) fn again() -> io::Result<Self> {
        let nothing = File::options().read(true).write(true).open("/dev/null")?;
        Ok(Self { nothing })
    }

    /// A file that swallows everything and holds nothing.
    pub(super) fn nothing(&self) -> &File {
        &self.nothing
    }

    /// Starts the process of an order, whose payload is next in `control`.
    pub(super) fn process(
        self,
        order: &Order,
        streams: Streams,
        control: &UnixStream,
    ) -> io::Result<Started> {
        let scratch = Scratch::make(&order.scratch_in, order.account)?;
        let mut command = Command::new(&order.program);
        command
            .args(&order.arguments)
            .env_clear()
            .envs(order.environment.iter().map(|(name, value)| (name, value)))
            .env("TMPDIR", &scratch.0)
            .current_dir(&order.folder)
            .process_group(0);
        if let Some(account) = order.account.filter(|a| a.uid != geteuid().as_raw()) {
            command.uid(account.uid).gid(account.gid);
        }
        let Streams { output, stderr } = streams;
        command.stdin(input(order, control, &output)?);
        command.stdout(Stdio::from(output));
        command.stderr(Stdio::from(stderr));
        drop(self);
        let notes = (!order.talks).then(side_notes).transpose()?;
        limit(&order.limits)?;
        let own = [scratch.0.as_path(), order.out.as_path()];
        let child = spawn(&mut command, order, own).map_err(|error| named(&error, order))?;
        let pid = Pid::from_raw(i32::try_from(child.id()).map_err(io::Error::other)?);
        // From here on the tree alone holds its streams, so their ends mean its end.
        drop(command);
        Ok(Started {
            pid,
            side_notes: notes.map(|(reader, _writer)| reader),
            _scratch: scratch,
        })
    }
}

/// Starts it from a thread that has confined itself: a process has the sandbox of the thread that
/// started it, and the supervisor, which may be given further orders, stays as it is.
fn spawn(command: &mut Command, order: &Order, own: [&Path; 2]) -> io::Result<Child> {
    if order.sandbox.mode == SandboxMode::Off {
        return command.spawn();
    }
    let confined = || {
        let kept = system::confine(&order.sandbox, &order.program, own)?;
        order.sandbox.judge(kept)?;
        command.spawn()
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(SPAWN_STACK_BYTES);
        let thread = thread.spawn_scoped(scope, confined)?;
        let panicked = |_| Err(io::Error::other("the start of the process panicked"));
        thread.join().unwrap_or_else(panicked)
    })
}

/// The payload as a file, or the socket that the process talks through.
fn input(order: &Order, mut control: &UnixStream, talk: &OwnedFd) -> io::Result<Stdio> {
    if order.talks {
        return Ok(Stdio::from(talk.try_clone()?));
    }
    let mut payload = system::payload_file()?;
    let copied = io::copy(&mut (&mut control).take(order.payload_bytes), &mut payload)?;
    if copied < order.payload_bytes {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    payload.rewind()?;
    Ok(Stdio::from(payload))
}

/// A pipe whose writing end is inherited as descriptor 3, which must be the lowest free one.
fn side_notes() -> io::Result<(PipeReader, PipeWriter)> {
    let low = File::open("/dev/null")?;
    let (reader, writer) = io::pipe()?;
    drop(low);
    let writer = writer.try_clone()?;
    if writer.as_raw_fd() != SIDE_NOTES {
        return Err(io::Error::other("file descriptor 3 is taken"));
    }
    fcntl(writer.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
    Ok((reader, writer))
}

/// Limits this process, and so the one that it starts. The supervisor itself needs next to
/// nothing of either.
fn limit(limits: &Limits) -> io::Result<()> {
    if let Some(bytes) = limits.memory_bytes {
        setrlimit(Resource::RLIMIT_AS, bytes, bytes)?;
    }
    if let Some(seconds) = limits.cpu_seconds {
        setrlimit(
            Resource::RLIMIT_CPU,
            seconds,
            seconds.saturating_add(CPU_GRACE),
        )?;
    }
    Ok(())
}

fn named(error: &io::Error, order: &Order) -> io::Error {
    let (program, folder) = (order.program.display(), order.folder.display());
    io::Error::new(error.kind(), format!("{program} in {folder}: {error}"))
}

/// A folder for temporary files that goes with the process.
#[derive(Debug)]
struct Scratch(PathBuf);

impl Scratch {
    fn make(parent: &Path, account: Option<Account>) -> io::Result<Self> {
        let pid = std::process::id();
        for number in 0..SCRATCH_NAMES_MAX {
            let name = OsString::from(format!("tareas-{pid}-{number}"));
            let path = parent.join(name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Self(path).given_to(account),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn given_to(self, account: Option<Account>) -> io::Result<Self> {
        if let Some(Account { uid, gid }) = account {
            chown(&self.0, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))?;
        }
        Ok(self)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans temporary folders.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
