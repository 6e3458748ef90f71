//! The prompt: line editing, history, and results that arrive while somebody types.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustyline::error::ReadlineError;
use rustyline::{Config, DefaultEditor};
use tareas_protocol::Code;

use super::interrupt::Interrupt;
use super::request::{Typed, read};
use super::talk::{Manner, Talk};
use crate::cli::{Outcome, Session};
use crate::output::Failure;
use crate::text::Text;

/// Lines that are remembered.
const HISTORY_LINES: usize = 10_000;

/// Leaves with 0, whatever came of the tasks: a person has seen it.
pub(super) fn run(session: &Session) -> Outcome {
    let mut editor = editor(session)?;
    let mut talk = Talk::open(session, Manner::Full, Interrupt::take_over())?;
    talk.printer.plain(&talk.greeting());
    session.voice.say(Text::HelpLine.plain(session.lang()));
    if let Ok(printer) = editor.create_external_printer() {
        talk.printer.print_above(Box::new(printer));
    }
    let history = history_file();
    if let Some(path) = &history {
        // The first time there is none.
        let _ = editor.load_history(path);
    }
    loop {
        match editor.readline(Text::Prompt.plain(session.lang())) {
            Ok(line) if !answer(&line, &mut talk, session) => break,
            Ok(_) | Err(ReadlineError::Interrupted) => {}
            Err(_) => break,
        }
        if let Some(path) = &history {
            // A history that cannot be kept is no reason to stop.
            let _ = editor.save_history(path);
        }
    }
    Ok(0)
}

/// Answers one line; `false` to leave.
fn answer(line: &str, talk: &mut Talk, session: &Session) -> bool {
    match read(line, session.lang()) {
        Typed::Nothing => {}
        Typed::Leave => return false,
        Typed::Task(task) => {
            talk.task(&task);
        }
        Typed::Line(line) => {
            talk.line(&line);
        }
        Typed::Wrong(error) => {
            talk.wrong(&error);
        }
    }
    true
}

fn editor(session: &Session) -> Result<DefaultEditor, Failure> {
    let lang = session.lang();
    let failed = |error: ReadlineError| {
        Failure::new(Code::Bug, lang, Text::CannotRead, &[("path", &"stdin")])
            .because(error.to_string())
    };
    let config = Config::builder()
        .auto_add_history(true)
        .history_ignore_space(true);
    let config = config.max_history_size(HISTORY_LINES).map_err(failed)?;
    DefaultEditor::with_config(config.build()).map_err(failed)
}

/// `~/.local/state/tareas/history`, or below `XDG_STATE_HOME`: made with mode 600, since tasks
/// may hold what is nobody else's business. `None` when there is no home.
fn history_file() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = set("XDG_STATE_HOME").map(PathBuf::from);
    let state = state.or_else(|| Some(PathBuf::from(set("HOME")?).join(".local/state")))?;
    let path = state.join("tareas").join("history");
    touch(&path).ok()?;
    Some(path)
}

fn touch(path: &Path) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)?;
    Ok(())
}
