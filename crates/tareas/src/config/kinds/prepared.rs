//! What a server makes of a kind: everything looked up that can be, once.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nix::unistd::{User, geteuid};
use serde_json::Value;
use tareas_core::Kind;
use tareas_engine::{KindRules, PayloadCheck};
use tareas_protocol::{Code, Lang};
use tareas_worker::command::{
    Account, CommandDefinition, Limits, Mode, Recycle, Sandbox, SandboxMode, SandboxSupport,
};

use super::schema::Schema;
use super::{KindConfig, SchemaSource};
use crate::config::Configuration;
use crate::output::Failure;
use crate::text::{Text, Values};

/// Most bytes of a result, when nothing else is said.
const OUTPUT_BYTES_DEFAULT: u64 = 1 << 20;
/// From SIGTERM to SIGKILL; below the time after which the pool gives a thread up.
const STOP_GRACE_DEFAULT: Duration = Duration::from_secs(3);
/// Variables of the server that a command gets.
const INHERITED: [&str; 4] = ["PATH", "HOME", "LANG", "TZ"];

/// A command, ready to be registered.
#[derive(Clone, Debug)]
pub(crate) struct CommandKind {
    /// Its name.
    pub(crate) kind: Kind,
    /// What is run.
    pub(crate) definition: CommandDefinition,
    /// What holds for its tasks.
    pub(crate) rules: KindRules,
}

impl CommandKind {
    /// All of a configuration; the first that cannot be used ends it.
    pub(crate) fn all_of(configuration: &Configuration, lang: Lang) -> Result<Vec<Self>, Failure> {
        let each = configuration.kinds.iter();
        each.map(|config| Preparing { config, lang }.kind())
            .collect()
    }

    /// Whether its sandbox was asked for and is more than the kernel can keep.
    pub(crate) fn wants_more_than(&self, support: SandboxSupport) -> bool {
        let mode = self.definition.sandbox.mode;
        let is_asked_for = matches!(mode, SandboxMode::ReadOnly | SandboxMode::Strict);
        is_asked_for && support != SandboxSupport::Full
    }
}

struct Preparing<'a> {
    config: &'a KindConfig,
    lang: Lang,
}

impl Preparing<'_> {
    fn kind(&self) -> Result<CommandKind, Failure> {
        let config = self.config;
        let kind =
            Kind::new(&config.name).map_err(|_| self.failure(Text::ExpectKind.plain(self.lang)))?;
        Ok(CommandKind {
            kind,
            definition: self.definition()?,
            rules: KindRules {
                timeout: config.timeout,
                retry: config.retry,
                queue: config.queue.clone(),
                payload: self.schema()?,
                description: [config.description.clone(), config.description.clone()],
                example: config.example.clone(),
                // Shown where it is JSON.
                example_json: config.example.clone(),
            },
        })
    }

    fn definition(&self) -> Result<CommandDefinition, Failure> {
        let config = self.config;
        let user = self.user()?;
        let bytes = config.max_output.unwrap_or(OUTPUT_BYTES_DEFAULT);
        let (program, arguments) = config
            .command
            .split_first()
            .ok_or_else(|| self.failure(Text::ExpectCommand.plain(self.lang)))?;
        Ok(CommandDefinition {
            program: self.program(program)?,
            arguments: arguments.to_vec(),
            environment: self.environment(user.as_ref()),
            folder: self.folder_of_command()?,
            account: user.map(|user| Account {
                uid: user.uid.as_raw(),
                gid: user.gid.as_raw(),
            }),
            limits: Limits {
                memory_bytes: config.memory_max,
                cpu_seconds: config.cpu_max.map(|cpu| cpu.as_secs().max(1)),
            },
            sandbox: self.sandbox()?,
            output_bytes_max: usize::try_from(bytes).unwrap_or(usize::MAX),
            concurrency: config.concurrency,
            mode: match config.is_persistent {
                true => Mode::Persistent(Recycle {
                    tasks: config.recycle_tasks,
                    memory_bytes: config.recycle_memory,
                }),
                false => Mode::OneShot,
            },
            stop_grace: config.stop_grace.unwrap_or(STOP_GRACE_DEFAULT),
        })
    }

    /// The folder of the file, from which relative paths are read.
    fn folder(&self) -> PathBuf {
        let path = std::path::absolute(&self.config.place.0);
        let path = path.unwrap_or_else(|_| self.config.place.0.clone());
        path.parent().unwrap_or(Path::new("/")).to_owned()
    }

    fn folder_of_command(&self) -> Result<PathBuf, Failure> {
        let folder = match &self.config.cwd {
            Some(cwd) => self.folder().join(cwd),
            None => self.folder(),
        };
        match folder.is_dir() {
            true => Ok(folder),
            false => Err(self.because(Text::FolderNotFound, &[("path", &folder.display())])),
        }
    }

    /// A path as it is, a bare name from the first folder of `PATH` that has it.
    fn program(&self, name: &str) -> Result<PathBuf, Failure> {
        let found = match name.contains('/') {
            true => Some(self.folder().join(name)).filter(|path| is_executable(path)),
            false => {
                let path = std::env::var_os("PATH").unwrap_or_default();
                let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
                places.find(|place| place.is_absolute() && is_executable(place))
            }
        };
        found.ok_or_else(|| self.because(Text::ProgramNotFound, &[("program", &name)]))
    }

    fn user(&self) -> Result<Option<User>, Failure> {
        let Some(name) = &self.config.user else {
            return Ok(None);
        };
        let user = User::from_name(name).ok().flatten();
        let user = user.ok_or_else(|| self.because(Text::NoSuchUser, &[("user", name)]))?;
        match geteuid().is_root() || geteuid() == user.uid {
            true => Ok(Some(user)),
            false => Err(self.because(Text::UserNeedsRoot, &[("user", name)])),
        }
    }

    fn sandbox(&self) -> Result<Sandbox, Failure> {
        let config = &self.config.sandbox;
        let sandbox = Sandbox {
            mode: config.mode.unwrap_or_default(),
            readable: self.existing(&config.read)?,
            writable: self.existing(&config.write)?,
            is_required: config.is_required && config.mode != Some(SandboxMode::Off),
        };
        match sandbox.is_required && SandboxSupport::here() != SandboxSupport::Full {
            true => Err(self.failure(Text::SandboxNotKept.plain(self.lang))),
            false => Ok(sandbox),
        }
    }

    fn existing(&self, paths: &[String]) -> Result<Vec<PathBuf>, Failure> {
        let found = paths.iter().map(|path| {
            let path = self.folder().join(path);
            match path.exists() {
                true => Ok(path),
                false => Err(self.because(Text::PathNotFound, &[("path", &path.display())])),
            }
        });
        found.collect()
    }

    fn environment(&self, user: Option<&User>) -> Vec<(String, String)> {
        let home = user.map(|user| user.dir.display().to_string());
        let inherited = INHERITED.iter().filter_map(|name| {
            let value = match (*name, &home) {
                ("HOME", Some(home)) => home.clone(),
                _ => std::env::var(name).ok()?,
            };
            Some(((*name).to_owned(), value))
        });
        let own = self.config.env.iter();
        inherited
            .filter(|(name, _)| !self.config.env.contains_key(name))
            .chain(own.map(|(name, value)| (name.clone(), value.clone())))
            .collect()
    }

    fn schema(&self) -> Result<Option<Arc<dyn PayloadCheck>>, Failure> {
        let bad = |why: String| self.because(Text::BadSchema, &[("why", &why)]);
        let schema = match &self.config.schema {
            None => return Ok(None),
            Some(SchemaSource::Inline(schema)) => schema.clone(),
            Some(SchemaSource::File(path)) => self.schema_in(path).map_err(bad)?,
        };
        let compiled = Schema::compile(&schema).map_err(bad)?;
        Ok(Some(Arc::new(compiled)))
    }

    fn schema_in(&self, path: &str) -> Result<Value, String> {
        let path = self.folder().join(path);
        let said = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let text = std::fs::read(&path).map_err(|error| said(&error))?;
        serde_json::from_slice(&text).map_err(|error| said(&error))
    }

    fn because(&self, text: Text, values: Values<'_>) -> Failure {
        self.failure(&text.fill(self.lang, values))
    }

    fn failure(&self, cause: &str) -> Failure {
        let (path, line) = &self.config.place;
        let values: Values<'_> = &[("kind", &self.config.name)];
        let code = Code::InvalidConfiguration;
        Failure::new(code, self.lang, Text::KindNotUsable, values)
            .because(format!("{cause}\n{}:{line}", path.display()))
            .with_hint("")
    }
}

fn is_executable(path: &Path) -> bool {
    let metadata = path.metadata();
    metadata.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}
