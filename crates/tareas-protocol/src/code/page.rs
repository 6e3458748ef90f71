//! The pages of `docs/errors/`, as text.

use super::{Code, Prose};
use crate::lang::Lang;
use std::fmt::Write;

impl Code {
    /// The page about this code: Markdown, in both languages.
    #[must_use]
    pub fn page(self) -> String {
        let mut page = format!("# {self} `{}`\n\n", self.name());
        let again = if self.is_retryable() { "yes" } else { "no" };
        let (http, exit) = (self.http_status(), self.exit_code());
        page.push_str("| may be tried again | HTTP status | exit code |\n|---|---|---|\n");
        line(&mut page, format_args!("| {again} | {http} | {exit} |\n"));
        section(&mut page, "English", "What to do", self.prose(Lang::En));
        section(&mut page, "Español", "Qué hacer", self.prose(Lang::Es));
        page
    }

    /// What `tareas explain` prints about this code.
    #[must_use]
    pub fn explain(self, lang: Lang) -> String {
        let prose = self.prose(lang);
        let name = self.name();
        let (message, explanation, hint) = (prose.message, prose.explanation, prose.hint);
        let label = lang.pick("hint", "pista");
        format!("{self} {name}: {message}\n\n{explanation}\n\n{label}: {hint}\n")
    }
}

fn section(page: &mut String, title: &str, advice: &str, prose: Prose) {
    let Prose {
        message,
        hint,
        explanation,
    } = prose;
    let message = sentence(message);
    line(
        page,
        format_args!("\n## {title}\n\n**{message}.** {explanation}\n"),
    );
    line(page, format_args!("\n{advice}: {hint}.\n"));
}

/// The sentence with its first letter in upper case.
fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

/// The index of the pages: Markdown, one row per code.
#[must_use]
pub fn index() -> String {
    let mut page = String::from(
        "# Error codes\n\nThese pages are generated from the table in `tareas-protocol`; \
         `UPDATE_DOCS=1 cargo test -p tareas-protocol` writes them anew.\n\n\
         | code | name | meaning | significado |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let (name, en, es) = (code.name(), code.prose(Lang::En), code.prose(Lang::Es));
        let (en, es) = (en.message, es.message);
        line(
            &mut page,
            format_args!("| [{code}]({code}.md) | `{name}` | {en} | {es} |\n"),
        );
    }
    page
}

fn line(page: &mut String, line: std::fmt::Arguments<'_>) {
    page.write_fmt(line)
        .expect("writing to a String cannot fail");
}
