//! The request of the form as a program would send it: the command line, curl, Python.

use maud::{Markup, html};

use super::draft::TaskDraft;
use super::{Scene, latest};

/// The three, each ready to be copied.
pub(super) fn commands(scene: &Scene<'_>, draft: &TaskDraft) -> Markup {
    let (host, port) = latest::address(scene);
    let url = format!("http://{host}:{port}/v1/tasks");
    let request = draft.request();
    let each = [
        ("tareas", command_line(draft)),
        ("curl", curl(&url, &request)),
        ("Python", python(&url, &request)),
    ];
    html! {
        section.panel.commands #commands aria-label=(scene.pick("The same from a program", "Lo mismo desde un programa")) {
            h2 { (scene.pick("The same from a program", "Lo mismo desde un programa")) }
            @for (name, text) in each {
                h3 { (name) }
                pre tabindex="0" { code { (text) } }
            }
        }
    }
}

fn command_line(draft: &TaskDraft) -> String {
    let mut words = vec!["tareas submit".to_owned()];
    let options = [
        ("--queue", &draft.queue, ""),
        ("--priority", &draft.priority, ""),
        ("--delay", &draft.delay_s, "s"),
        ("--attempts", &draft.max_attempts, ""),
        ("--key", &draft.key, ""),
    ];
    for (name, value, unit) in options
        .into_iter()
        .filter(|(_, value, _)| !value.is_empty())
    {
        words.push(format!("{name} {}", quoted(&format!("{value}{unit}"))));
    }
    words.push("--wait".to_owned());
    words.push(quoted(&draft.kind));
    match draft.json_payload() {
        Some(json) => words.push(format!("--json {}", quoted(json))),
        None if draft.payload.is_empty() => {}
        None => words.push(format!("-- {}", quoted(&draft.payload))),
    }
    words.join(" ")
}

fn curl(url: &str, request: &str) -> String {
    let request = quoted(request);
    format!(
        "curl -H 'Content-Type: application/json' -H 'Prefer: wait=5' \\\n     -d {request} {url}"
    )
}

/// A JSON string is a Python string too.
fn python(url: &str, request: &str) -> String {
    let mut literal = Vec::new();
    tareas_protocol::json::append_string(&mut literal, request);
    let literal = String::from_utf8(literal).unwrap_or_default();
    format!(
        "import urllib.request\n\
         body = {literal}.encode()\n\
         headers = {{\"Content-Type\": \"application/json\", \"Prefer\": \"wait=5\"}}\n\
         request = urllib.request.Request(\"{url}\", body, headers)\n\
         print(urllib.request.urlopen(request).read().decode())"
    )
}

/// One word of a POSIX shell, whatever is in it.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | '/');
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_sees_one_word() {
        assert_eq!(quoted("mail"), "mail");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
    }

    #[test]
    fn options_stand_before_the_kind() {
        let draft = TaskDraft {
            kind: "sumar".to_owned(),
            payload: "2 + 2".to_owned(),
            delay_s: "3".to_owned(),
            ..TaskDraft::default()
        };
        assert_eq!(
            command_line(&draft),
            "tareas submit --delay 3s --wait sumar -- '2 + 2'"
        );
    }
}
