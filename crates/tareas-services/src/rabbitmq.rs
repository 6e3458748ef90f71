//! RabbitMQ: a node of one's own, with its own HOME, node name, ports and name server.
//!
//! Everything that is started ends with the test, however the test ends: a guard process waits
//! for the test to close its end of a pipe, then kills what it was told of and removes the
//! folder.

use std::fs::{self, File};
use std::io::{self, Write};
use std::net::TcpStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::ports::free_port;

/// Where the programs are. Not the wrappers of the same name, which change the user.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";
/// How long a node may take to start, on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(90);
/// Ports may be taken between looking and starting.
const START_TRIES: u32 = 3;
/// The URL of a node that something else has started for all tests.
pub const SHARED: &str = "TAREAS_TEST_RABBITMQ";
/// Waits for the end of its input, then ends the node and its name server.
const GUARD: &str = r#"
cat >/dev/null
[ -s "$HOME/node.pid" ] && kill -9 "$(cat "$HOME/node.pid")" 2>/dev/null
for _ in 1 2 3 4 5 6 7 8 9 10; do
  epmd -kill 2>/dev/null | grep -q Killed && break
  sleep 0.2
done
rm -rf "$HOME"
"#;

/// What is done to queues at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnQueues {
    /// Their messages go.
    Purge,
    /// They go.
    Delete,
}

/// A running node, and everything about it.
#[derive(Debug)]
pub struct Rabbitmq {
    folder: PathBuf,
    ports: Ports,
    node: Mutex<Option<Child>>,
    guard: Child,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    amqp: u16,
    nodes: u16,
    names: u16,
}

impl Rabbitmq {
    /// Starts a node and waits until it takes connections.
    ///
    /// # Panics
    /// When it does not start; what it said is in the message.
    pub fn start() -> Self {
        for _ in 1..START_TRIES {
            if let Ok(started) = Self::try_start() {
                return started;
            }
        }
        Self::try_start().expect("RabbitMQ starts")
    }

    /// The URL of a node for tests that leave it as it is: the one in `TAREAS_TEST_RABBITMQ`,
    /// else one that is started once per process. Whoever uses it keeps to a prefix of its own.
    ///
    /// # Panics
    /// As [`start`](Self::start).
    pub fn shared() -> &'static str {
        static URL: OnceLock<String> = OnceLock::new();
        static NODE: OnceLock<Rabbitmq> = OnceLock::new();
        URL.get_or_init(|| match std::env::var(SHARED) {
            Ok(url) if !url.is_empty() => url,
            _ => NODE.get_or_init(Self::start).url(),
        })
    }

    fn try_start() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("rabbitmq-").tempdir()?;
        let ports = Ports {
            amqp: free_port(),
            nodes: free_port(),
            names: free_port(),
        };
        let config = format!(
            "listeners.tcp.default = 127.0.0.1:{}\ndisk_free_limit.absolute = 50MB\n\
             log.file.level = warning\n",
            ports.amqp
        );
        fs::write(folder.path().join("rabbit.conf"), config)?;
        fs::write(folder.path().join("plugins"), "[].\n")?;
        // From here on the guard removes the folder.
        let folder = folder.keep();
        let guard = with_environment(Command::new("/bin/sh"), &folder, ports)
            .args(["-c", GUARD])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What ends the group of the test must not end its guard.
            .process_group(0)
            .spawn()?;
        let started = Self {
            folder,
            ports,
            node: Mutex::new(None),
            guard,
        };
        started.boot()?;
        Ok(started)
    }

    /// Where it takes connections, as the default user, in the default virtual host.
    pub fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.ports.amqp)
    }

    /// Its port, for proxies.
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// Makes a virtual host and gives its URL.
    ///
    /// # Panics
    /// When the node does not make it.
    pub fn vhost(&self, name: &str) -> String {
        self.rabbitmqctl(&["add_vhost", name]);
        self.rabbitmqctl(&["set_permissions", "-p", name, "guest", ".*", ".*", ".*"]);
        format!("{}/{name}", self.url())
    }

    /// Stops the node in good order and starts it again, on the same port and folder.
    ///
    /// # Panics
    /// When it does not come back.
    pub fn restart(&self) {
        self.stop();
        self.start_again();
    }

    /// Starts the node after [`stop`](Self::stop) or [`kill9`](Self::kill9).
    ///
    /// # Panics
    /// When it does not come back.
    pub fn start_again(&self) {
        self.boot().expect("RabbitMQ starts again");
    }

    /// Stops the node in good order.
    pub fn stop(&self) {
        self.end(Signal::SIGTERM);
    }

    /// Ends the node as a power cut would end its process.
    pub fn kill9(&self) {
        self.end(Signal::SIGKILL);
    }

    /// Runs `rabbitmqctl`; what it printed.
    ///
    /// # Panics
    /// When it fails.
    pub fn rabbitmqctl(&self, args: &[&str]) -> String {
        let output = self.control(args).expect("rabbitmqctl runs");
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {printed}{complaint}");
        printed
    }

    /// Empties, or removes, every queue whose name begins like this. One call for all of them: the
    /// tool takes a second or more of processor time to start.
    ///
    /// # Panics
    /// When the node does not do it.
    pub fn on_queues(&self, what: OnQueues, prefix: &str) {
        let each = match what {
            OnQueues::Purge => "rabbit_amqqueue:purge(Q)",
            OnQueues::Delete => "rabbit_amqqueue:delete(Q, false, false, <<\"tests\">>)",
        };
        let all = format!(
            "[{each} || Q <- rabbit_amqqueue:list(), \
             {{resource, _, queue, <<\"{prefix}\", _/binary>>}} <- [amqqueue:get_name(Q)]]."
        );
        self.rabbitmqctl(&["eval", &all]);
    }

    fn control(&self, args: &[&str]) -> io::Result<Output> {
        let program = Path::new(PROGRAMS).join("rabbitmqctl");
        with_environment(Command::new(program), &self.folder, self.ports)
            .args(["--quiet"])
            .args(args)
            .stdin(Stdio::null())
            .output()
    }

    fn boot(&self) -> io::Result<()> {
        let log = File::create(self.folder.join("out.log"))?;
        let program = Path::new(PROGRAMS).join("rabbitmq-server");
        let mut node = with_environment(Command::new(program), &self.folder, self.ports)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        fs::write(self.pid_file(), node.id().to_string())?;
        let ready = self.until_ready(&mut node);
        *self.lock() = Some(node);
        ready
    }

    fn until_ready(&self, node: &mut Child) -> io::Result<()> {
        let deadline = Instant::now() + START_TIMEOUT;
        while !self.greets() {
            if node.try_wait()?.is_some() || Instant::now() > deadline {
                let said = fs::read_to_string(self.folder.join("out.log"))?;
                return Err(io::Error::other(format!("RabbitMQ did not start: {said}")));
            }
            sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Whether the port answers to the greeting of the protocol.
    fn greets(&self) -> bool {
        use io::Read;
        let greeted = || -> io::Result<()> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.ports.amqp))?;
            stream.set_read_timeout(Some(Duration::from_secs(1)))?;
            stream.write_all(b"AMQP\x00\x00\x09\x01")?;
            stream.read_exact(&mut [0])
        };
        greeted().is_ok()
    }

    fn end(&self, signal: Signal) {
        let Some(mut node) = self.lock().take() else {
            return;
        };
        let pid = Pid::from_raw(i32::try_from(node.id()).expect("a process id"));
        // It may have ended by itself.
        let _ = kill(pid, signal);
        let _ = node.wait();
        let _ = fs::remove_file(self.pid_file());
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.join("node.pid")
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Child>> {
        self.node
            .lock()
            .unwrap_or_else(|broken| broken.into_inner())
    }
}

impl Drop for Rabbitmq {
    fn drop(&mut self) {
        self.kill9();
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// The environment that keeps a node apart from every other one of this machine.
fn with_environment(mut command: Command, folder: &Path, ports: Ports) -> Command {
    let at = |name: &str| folder.join(name);
    command
        .current_dir(folder)
        .env("HOME", folder)
        .env("RABBITMQ_NODENAME", format!("t{}@localhost", ports.amqp))
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", ports.amqp.to_string())
        .env("RABBITMQ_DIST_PORT", ports.nodes.to_string())
        .env("ERL_EPMD_PORT", ports.names.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_MNESIA_BASE", at("mnesia"))
        .env("RABBITMQ_MNESIA_DIR", at("mnesia/db"))
        .env("RABBITMQ_LOG_BASE", at("log"))
        .env("RABBITMQ_PID_FILE", at("rabbit.pid"))
        .env("RABBITMQ_CONF_ENV_FILE", at("none"))
        .env("RABBITMQ_CONFIG_FILE", at("rabbit.conf"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins"))
        // Makes the start script become the node, so that the child is the node itself.
        .env("RUNNING_UNDER_SYSTEMD", "1")
        // Its schedulers sleep when there is nothing to do, instead of spinning on processors
        // that everything else here needs.
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1} \
             +sbwt none +sbwtdcpu none +sbwtdio none",
        );
    command
}
