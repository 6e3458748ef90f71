//! Tasks through a pipe: one line each, one result line each, in order.

use std::io::{BufRead, Write};

use super::interrupt::Interrupt;
use super::request::{Typed, read};
use super::talk::{Manner, Talk};
use crate::cli::{Outcome, Session};
use crate::text::Text;

/// Ends with 0 when every task succeeded and 1 when one did not; at the prompt always with 0.
pub(super) fn run(session: &Session, manner: Manner) -> Outcome {
    let mut talk = Talk::open(session, manner, Interrupt::default())?;
    match manner {
        Manner::Full => talk.printer.plain(&talk.greeting()),
        Manner::Bare => session.voice.say(&talk.greeting()),
    }
    let mut code = 0;
    let mut lines = std::io::stdin().lock().lines();
    loop {
        if manner == Manner::Full {
            prompt(session);
        }
        let Some(Ok(line)) = lines.next() else { break };
        let this = match read(&line, session.lang()) {
            Typed::Nothing => 0,
            Typed::Leave => break,
            Typed::Task(task) => talk.task(&task),
            Typed::Line(line) => talk.line(&line),
            Typed::Wrong(error) => talk.wrong(&error),
        };
        code = if code == 0 { this } else { code };
    }
    let background = talk.wait_for_background();
    let any_failed = code != 0 || background != 0;
    Ok(u8::from(any_failed && manner == Manner::Bare))
}

fn prompt(session: &Session) {
    let mut stdout = std::io::stdout().lock();
    let prompt = Text::Prompt.plain(session.lang());
    // A reader that is gone is found out by the next line.
    let _ = stdout
        .write_all(prompt.as_bytes())
        .and_then(|()| stdout.flush());
}
