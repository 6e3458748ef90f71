//! What `tareas doctor` looks at: everything that a server needs, each with what to do about it.
//!
//! A check tells what it found in one line, says how bad that is, and how to put it right. It
//! changes nothing that stays: probes are removed again, a server that runs is left alone.
//! The prose is with the checks, in both languages; names of checks are for programs too.

mod backends;
mod data;
mod sandbox;
mod server;

use std::time::{Duration, Instant};

use tareas_protocol::Lang;

use crate::config::{Flags, ServeConfig};
use crate::output::Failure;
use crate::{cli::Session, serve};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// As it should be.
    Fine,
    /// It works, and could be better.
    Warning,
    /// A server could not run, or not keep what it promises.
    Failed,
}

/// What one check found.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    /// One line.
    pub(crate) found: String,
    /// What to do about it.
    pub(crate) remedy: Option<String>,
}

/// One check that was made.
#[derive(Clone, Debug)]
pub(crate) struct Check {
    /// Its name, for people and programs.
    pub(crate) name: &'static str,
    pub(crate) finding: Finding,
    pub(crate) took: Duration,
}

impl Finding {
    fn fine(found: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Fine,
            found: found.into(),
            remedy: None,
        }
    }

    fn warning(found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            found: found.into(),
            remedy: Some(remedy.into()),
        }
    }

    fn failed(found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Failed,
            ..Self::warning(found, remedy)
        }
    }

    /// What another command would have failed with.
    fn of(failure: &Failure) -> Self {
        let (found, remedy) = failure.in_short();
        Self {
            verdict: Verdict::Failed,
            found,
            remedy,
        }
    }
}

/// Makes every check that this configuration asks for, one after the other.
pub(crate) fn examine(session: &Session) -> Result<Vec<Check>, Failure> {
    let runtime = serve::runtime(&session.voice)?;
    let (lang, mut checks) = (session.lang(), Vec::new());
    let config = note(&mut checks, "configuration", || configuration(session));
    if let Some(config) = config {
        note(&mut checks, "data", || {
            (data::look(&config, lang), None::<()>)
        });
        note(&mut checks, "sandbox", || {
            (sandbox::look(&config, lang), None::<()>)
        });
        note(&mut checks, "records", || {
            (
                runtime.block_on(backends::records(&config, lang)),
                None::<()>,
            )
        });
        note(&mut checks, "queue", || {
            (runtime.block_on(backends::queue(&config, lang)), None::<()>)
        });
        note(&mut checks, "blobs", || {
            (runtime.block_on(backends::blobs(&config, lang)), None::<()>)
        });
    }
    note(&mut checks, "server", || {
        (server::look(session), None::<()>)
    });
    Ok(checks)
}

/// Makes a check and notes how long it took.
fn note<T>(
    checks: &mut Vec<Check>,
    name: &'static str,
    check: impl FnOnce() -> (Finding, Option<T>),
) -> Option<T> {
    let began = Instant::now();
    let (finding, more) = check();
    checks.push(Check {
        name,
        finding,
        took: began.elapsed(),
    });
    more
}

fn configuration(session: &Session) -> (Finding, Option<ServeConfig>) {
    let lang = session.lang();
    let read = session.configuration(Flags::new()).and_then(|layers| {
        let config = ServeConfig::of(&layers, lang)?;
        Ok((layers.file, config))
    });
    match read {
        Ok((file, config)) => (read_from(file, &config, lang), Some(config)),
        Err(failure) => (Finding::of(&failure), None),
    }
}

fn read_from(file: Option<String>, config: &ServeConfig, lang: Lang) -> Finding {
    let file = file.unwrap_or_else(|| {
        let (en, es) = (
            "no file, environment and defaults",
            "sin archivo, entorno y valores por defecto",
        );
        lang.pick(en, es).to_owned()
    });
    if config.insecure {
        let (en, es) = (
            "insecure is on: whoever reaches the server may run tasks; let only trusted networks in",
            "insecure está activo: quien llegue al servidor puede ejecutar tareas; deje entrar solo redes de confianza",
        );
        return Finding::warning(file, lang.pick(en, es));
    }
    Finding::fine(file)
}
