//! `$TAREAS_OUT`: the folder in which a program leaves files that are kept with its result.
//!
//! The folder is the server's own, made and read by it, since it outlives the program by a
//! moment. Only plain files count, and only those that the program's user owns: a link would
//! have the server read what the program itself may not.

use std::fs::{DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use nix::fcntl::OFlag;
use nix::unistd::{Gid, Uid, chown, geteuid};

use super::definition::Account;
use crate::artifact::{self, ARTIFACTS_BYTES_MAX, ARTIFACTS_MAX, Artifact};
use crate::{Context, HandlerError};

/// The name of the variable that tells a program of it.
pub(super) const VARIABLE: &str = "TAREAS_OUT";
/// How many names are tried for a folder.
const NAMES_MAX: u32 = 100;

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A folder of its own for one process. Dropping it removes it with all that is in it.
#[derive(Debug)]
pub(super) struct OutFolder {
    path: PathBuf,
    owner: u32,
}

impl OutFolder {
    pub(super) fn make(parent: &Path, account: Option<Account>) -> io::Result<Self> {
        let pid = std::process::id();
        for _ in 0..NAMES_MAX {
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("tareas-out-{pid}-{number}"));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Self::given_to(path, account),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn given_to(path: PathBuf, account: Option<Account>) -> io::Result<Self> {
        let owner = account.map_or(geteuid().as_raw(), |account| account.uid);
        let folder = Self { path, owner };
        if let Some(Account { uid, gid }) = account {
            let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
            chown(&folder.path, Some(uid), Some(gid))?;
        }
        Ok(folder)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The variable that a program finds it by.
    pub(super) fn variable(&self) -> (String, String) {
        (VARIABLE.to_owned(), self.path.display().to_string())
    }

    /// Keeps the files with the attempt.
    pub(super) fn collect(&self, context: &Context) -> Result<(), HandlerError> {
        let mut paths = self.entries()?;
        paths.sort_unstable();
        let mut room = ARTIFACTS_BYTES_MAX as u64;
        for path in paths {
            let name = path.file_name().unwrap_or_default();
            let Some(file) = self.open(&path)? else {
                context.log(format!(
                    "{} is no plain file and is not kept",
                    name.display()
                ));
                continue;
            };
            let mut bytes = Vec::new();
            let count = file.take(room + 1).read_to_end(&mut bytes)? as u64;
            let name = name
                .to_str()
                .ok_or_else(|| artifact::unusable("the name of a file is not UTF-8".to_owned()))?;
            context.attach(Artifact::new(name, bytes)?)?;
            room = room.saturating_sub(count);
        }
        Ok(())
    }

    /// Removes what is in it, for the next task of the same process.
    pub(super) fn clear(&self) {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten();
        for path in entries.flatten().map(|entry| entry.path()) {
            // A file or a folder: what cannot be removed is seen again after the next task.
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
    }

    /// Whether nothing is in it.
    pub(super) fn is_empty(&self) -> bool {
        std::fs::read_dir(&self.path).is_ok_and(|mut entries| entries.next().is_none())
    }

    /// What is in it; one more than may be kept at most.
    fn entries(&self) -> io::Result<Vec<PathBuf>> {
        let entries = std::fs::read_dir(&self.path)?.take(ARTIFACTS_MAX + 1);
        entries
            .map(|entry| entry.map(|entry| entry.path()))
            .collect()
    }

    /// A plain file of the program's user; `None` for everything else.
    fn open(&self, path: &Path) -> io::Result<Option<File>> {
        // Neither through a link, nor waiting for the other end of a pipe.
        let flags = OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK;
        let opened = File::options()
            .read(true)
            .custom_flags(flags.bits())
            .open(path);
        let Ok(file) = opened else { return Ok(None) };
        let found = file.metadata()?;
        Ok((found.is_file() && found.uid() == self.owner).then_some(file))
    }
}

impl Drop for OutFolder {
    fn drop(&mut self) {
        // What cannot be removed is left to whoever cleans temporary folders.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_files_are_kept_and_nothing_else() {
        let folder = OutFolder::make(&std::env::temp_dir(), None).unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("b.txt"), "two").unwrap();
        std::fs::write(at("a.csv"), "one").unwrap();
        std::fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", at("link")).unwrap();
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRUSR).unwrap();
        let mut context = Context::detached("x");
        folder.collect(&context).unwrap();
        let kept = context.take_trail().unwrap();
        let names: Vec<&str> = kept.artifacts.iter().map(|a| a.name.as_str()).collect();
        assert_eq!(names, ["a.csv", "b.txt"]);
        assert_eq!(kept.log.lines().count(), 3);
        folder.clear();
        assert_eq!(folder.entries().unwrap().len(), 0);
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn too_many_are_refused() {
        let folder = OutFolder::make(&std::env::temp_dir(), None).unwrap();
        for number in 0..=ARTIFACTS_MAX {
            std::fs::write(folder.path().join(number.to_string()), "").unwrap();
        }
        let error = folder.collect(&Context::detached("x")).unwrap_err();
        assert_eq!(
            (error.name.as_str(), error.retryable),
            ("invalid_artifact", false)
        );
    }
}
