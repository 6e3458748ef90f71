//! A private PostgreSQL.
//!
//! The server is a child of the test in the foreground, so that it can be killed and waited for:
//! a killed server that nobody waits for stays a zombie, and the next start finds its process id
//! still alive in `postmaster.pid`. PostgreSQL refuses to run as root; then it is started as the
//! user `postgres`.

use std::collections::hash_map::RandomState;
use std::fs::{File, Permissions};
use std::hash::{BuildHasher, Hasher};
use std::io;
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tempfile::TempDir;

use crate::{Service, free_port};

/// Names an instance that was started before the tests, as `postgres://USER@HOST:PORT/DB`.
pub const SHARED: &str = "TAREAS_TEST_POSTGRES";
/// How long a server may take to answer, crash recovery included.
const START_PATIENCE: Duration = Duration::from_secs(30);
/// How often a free port may be taken away before the server binds it.
const PORT_TRIES: u32 = 5;
/// How often a server is started again before it is an error, and the pause between two tries.
const RESTART_TRIES: usize = 20;
const RESTART_PAUSE: Duration = Duration::from_millis(250);

/// A server of PostgreSQL; it ends when this is dropped, unless something else started it.
#[derive(Debug)]
pub struct Postgres {
    url: String,
    own: Option<Instance>,
}

/// A server that was started here.
#[derive(Debug)]
struct Instance {
    programs: PathBuf,
    folder: TempDir,
    port: u16,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Postgres {
    /// Starts a server of its own, with all defaults: it waits for the disk.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server of its own with settings such as `max_connections=200`.
    ///
    /// # Panics
    /// When it is not installed or does not start.
    pub fn start_with(settings: &[&str]) -> Self {
        let instance = Instance::start(settings).expect("PostgreSQL starts");
        let url = format!("postgres://postgres@127.0.0.1:{}/postgres", instance.port);
        Self {
            url,
            own: Some(instance),
        }
    }

    /// The instance that `TAREAS_TEST_POSTGRES` names, else one that the tests of this process
    /// share as long as one of them holds it.
    ///
    /// # Panics
    /// As [`Postgres::start`].
    pub fn shared() -> Arc<Self> {
        static RUNNING: Mutex<Weak<Postgres>> = Mutex::new(Weak::new());
        if let Ok(url) = std::env::var(SHARED)
            && !url.is_empty()
        {
            return Arc::new(Self { url, own: None });
        }
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        running.upgrade().unwrap_or_else(|| {
            let started = Arc::new(Self::start_with(&["max_connections=300"]));
            *running = Arc::downgrade(&started);
            started
        })
    }

    /// URL of its first database.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Makes a new, empty database and returns its URL.
    ///
    /// # Panics
    /// When it cannot be made.
    pub fn database(&self) -> String {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("t{number}_{:016x}", chance());
        self.sql(&format!("CREATE DATABASE {name}"));
        let (server, _) = self.url.rsplit_once('/').expect("a URL with a database");
        format!("{server}/{name}")
    }

    /// Runs one statement in its first database, with `psql`.
    ///
    /// # Panics
    /// When that fails.
    pub fn sql(&self, statement: &str) -> String {
        self.sql_in(&self.url, statement)
    }

    /// Runs one statement in the database with this URL, with `psql`.
    ///
    /// # Panics
    /// When that fails.
    pub fn sql_in(&self, url: &str, statement: &str) -> String {
        let program = Service::Postgres.program().expect("it is installed");
        let psql = program.with_file_name("psql");
        let told = Command::new(psql)
            .args([
                "-X",
                "-A",
                "-t",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-c",
                statement,
            ])
            .arg(url)
            .stdin(Stdio::null())
            .output()
            .expect("psql runs");
        let said = String::from_utf8_lossy(&told.stderr);
        assert!(told.status.success(), "{statement}: {said}");
        String::from_utf8_lossy(&told.stdout).trim().to_owned()
    }

    /// What it has written to its log since it was made.
    ///
    /// # Panics
    /// When it was not started here.
    pub fn log(&self) -> String {
        let own = self.own.as_ref();
        let instance = own.expect("an instance that was started here");
        let log = std::fs::read(instance.log()).expect("its log");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Kills the server as a crash of its machine would, and waits until it is gone.
    ///
    /// # Panics
    /// When it was not started here.
    pub fn kill9(&mut self) {
        self.instance().end(Signal::SIGKILL);
    }

    /// Stops the server in order; who is connected is thrown out.
    ///
    /// # Panics
    /// When it was not started here.
    pub fn stop(&mut self) {
        self.instance().end(Signal::SIGINT);
    }

    /// Starts it again, on the same port and with what it kept. A server that runs is stopped
    /// first.
    ///
    /// # Panics
    /// When it does not start, or was not started here.
    pub fn restart(&mut self) {
        let instance = self.instance();
        instance.end(Signal::SIGINT);
        // What a killed server leaves behind is gone when the last of its processes is.
        for _ in 1..RESTART_TRIES {
            if instance.run().is_ok() {
                return;
            }
            std::thread::sleep(RESTART_PAUSE);
        }
        instance.run().expect("PostgreSQL starts again");
    }

    fn instance(&mut self) -> &mut Instance {
        self.own
            .as_mut()
            .expect("an instance that was started here")
    }
}

impl Instance {
    fn start(settings: &[&str]) -> io::Result<Self> {
        let program = Service::Postgres
            .program()
            .ok_or_else(|| io::Error::other("it is not installed"))?;
        let programs = program.parent().unwrap_or(Path::new("/")).to_owned();
        let folder = tempfile::tempdir()?;
        // The user that it runs as must be able to pass through.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o711))?;
        let mut instance = Self {
            programs,
            folder,
            port: 0,
            settings: settings.iter().map(|text| (*text).to_owned()).collect(),
            child: None,
        };
        instance.init()?;
        let mut tries = 0;
        loop {
            instance.port = free_port();
            tries += 1;
            match instance.run() {
                Err(_) if tries < PORT_TRIES => {}
                Err(error) => return Err(error),
                Ok(()) => return Ok(instance),
            }
        }
    }

    fn init(&self) -> io::Result<()> {
        let home = self.home();
        std::fs::create_dir(&home)?;
        std::fs::set_permissions(&home, Permissions::from_mode(0o700))?;
        if Uid::effective().is_root() {
            let user = nix::unistd::User::from_name("postgres")?
                .ok_or_else(|| io::Error::other("there is no user postgres"))?;
            nix::unistd::chown(&home, Some(user.uid), Some(user.gid))?;
        }
        let told = self
            .program("initdb")
            .arg("-D")
            .arg(home.join("data"))
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8"])
            .args(["--locale=C.UTF-8", "--no-instructions"])
            .output()?;
        match told.status.success() {
            true => Ok(()),
            false => Err(io::Error::other(
                String::from_utf8_lossy(&told.stderr).into_owned(),
            )),
        }
    }

    /// Runs the server and waits until it answers.
    fn run(&mut self) -> io::Result<()> {
        let home = self.home();
        let log = File::options().create(true).append(true).open(self.log())?;
        let mut command = self.program("postgres");
        command.arg("-D").arg(home.join("data"));
        command.args(["-p", &self.port.to_string()]);
        let socket_folder = format!("unix_socket_directories={}", home.display());
        for setting in ["listen_addresses=127.0.0.1", &socket_folder] {
            command.args(["-c", setting]);
        }
        for setting in &self.settings {
            command.args(["-c", setting]);
        }
        command.stdout(log.try_clone()?).stderr(log);
        self.child = Some(command.spawn()?);
        self.until_it_answers()
    }

    fn until_it_answers(&mut self) -> io::Result<()> {
        let began = Instant::now();
        while began.elapsed() < START_PATIENCE {
            if let Some(child) = &mut self.child
                && let Some(status) = child.try_wait()?
            {
                let said = std::fs::read_to_string(self.log());
                self.child = None;
                return Err(io::Error::other(format!(
                    "it ended with {status}: {}",
                    said.unwrap_or_default()
                )));
            }
            if self.is_ready() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        self.end(Signal::SIGKILL);
        Err(io::Error::other("it does not answer"))
    }

    fn is_ready(&self) -> bool {
        let Ok(mut addresses) = ("127.0.0.1", self.port).to_socket_addrs() else {
            return false;
        };
        let Some(address) = addresses.next() else {
            return false;
        };
        if TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_err() {
            return false;
        }
        let asked = Command::new(self.programs.join("pg_isready"))
            .args(["-q", "-h", "127.0.0.1", "-p", &self.port.to_string()])
            .status();
        asked.is_ok_and(|status| status.success())
    }

    fn end(&mut self, signal: Signal) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let pid = i32::try_from(child.id()).expect("a process id is positive");
        // It may have ended by itself: then there is nothing to signal, only to wait for.
        let _ = kill(Pid::from_raw(pid), signal);
        let _ = child.wait();
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("pg")
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// One of its programs, as a user that it accepts. `setpriv` execs, so the child that is
    /// waited for is the program itself.
    fn program(&self, name: &str) -> Command {
        let program = self.programs.join(name);
        let mut command = match Uid::effective().is_root() {
            false => Command::new(program),
            true => {
                let mut command = Command::new("setpriv");
                command.args([
                    "--reuid=postgres",
                    "--regid=postgres",
                    "--init-groups",
                    "--",
                ]);
                command.arg(program);
                command
            }
        };
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        self.end(Signal::SIGINT);
    }
}

/// Chance, so that names do not meet those of an earlier run on a shared instance.
fn chance() -> u64 {
    RandomState::new().build_hasher().finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_committed_survives_a_crash() {
        if crate::is_missing(Service::Postgres) {
            return;
        }
        let mut postgres = Postgres::start();
        postgres.sql("CREATE TABLE t AS SELECT 25 AS n");
        postgres.kill9();
        postgres.restart();
        assert_eq!(postgres.sql("SELECT n FROM t"), "25");
        assert_ne!(postgres.database(), postgres.database());
        postgres.stop();
    }
}
