//! `tareas explain`: what an error code means, without a server.

use clap::Args;
use tareas_protocol::Code;
use tareas_protocol::code::exit;

use super::{Outcome, Session};
use crate::output::{Failure, table};
use crate::text::Text;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    /// TAR-1204, 1204 or unknown_kind; all codes when left out
    code: Option<String>,
}

pub(super) fn run(args: &ExplainArgs, session: &Session) -> Outcome {
    let (voice, lang) = (&session.voice, session.lang());
    let Some(text) = &args.code else {
        let rows: Vec<Vec<String>> = Code::ALL
            .iter()
            .map(|code| {
                let message = code.prose(lang).message.to_owned();
                vec![code.to_string(), code.name().to_owned(), message]
            })
            .collect();
        voice.result(&table(&[], &rows));
        return Ok(exit::OK);
    };
    let code = Code::parse(text.trim()).ok_or_else(|| {
        Failure::usage(lang, Text::UnknownCode, &[("code", text)])
            .with_hint(Text::UnknownCodeHint.plain(lang))
    })?;
    let prose = code.prose(lang);
    let heading = voice.paint.bold(&format!("{code} {}", code.name()));
    let explanation = wrapped(prose.explanation);
    let hint = Text::Hint.plain(lang);
    voice.result(&format!(
        "{heading}\n{}\n\n{explanation}\n\n{hint}: {}",
        prose.message, prose.hint
    ));
    Ok(exit::OK)
}

/// Lines of at most 80 characters.
fn wrapped(text: &str) -> String {
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines
            .last_mut()
            .map(|line| line.chars().count())
            .unwrap_or_default();
        match lines.last_mut() {
            Some(line) if last == 0 => line.push_str(word),
            Some(line) if last + 1 + word.chars().count() <= 80 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
