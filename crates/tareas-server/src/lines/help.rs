//! The answer to `help`: the kinds, each with an example, on one line.

use std::sync::Arc;

use tareas_core::Kind;
use tareas_engine::KindRules;
use tareas_protocol::Lang;

/// Lines to try, by kind.
const EXAMPLES: &[(&str, &str)] = &[
    ("add", "add 2 + 2"),
    ("calc", "calc 2 + 3 * 4"),
    ("divide", "divide 7 / 2"),
    ("dividir", "dividir 7 / 2"),
    ("echo", "echo hello"),
    ("fail", r#"{"op":"fail","message":"on purpose"}"#),
    ("multiplicar", "multiplicar 6 * 7"),
    ("multiply", "multiply 6 * 7"),
    ("primes", "primes 1000"),
    ("procesar", "procesar datos"),
    ("restar", "restar 5 - 3"),
    ("sha256", "sha256 hello"),
    ("sleep", "sleep 30"),
    ("square", "square 5"),
    ("subtract", "subtract 5 - 3"),
    ("sumar", "sumar 2 + 2"),
    ("text", "text 100"),
    ("texto", "texto 100"),
    ("wordcount", "wordcount to be or not to be"),
];

/// Appends the help, without a line end.
pub(super) fn append_help(out: &mut Vec<u8>, kinds: &[(Kind, Arc<KindRules>)], lang: Lang) {
    let opening = lang.pick(
        "a line is a task, try: ",
        "una línea es una tarea, pruebe: ",
    );
    out.extend_from_slice(opening.as_bytes());
    for (index, (kind, rules)) in kinds.iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b" | ");
        }
        out.extend_from_slice(example(kind, rules).as_bytes());
    }
    let closing = lang.pick(" | to leave: exit", " | para salir: salir");
    out.extend_from_slice(closing.as_bytes());
}

/// The kind's own example, the one for a built-in, or the name alone.
fn example<'a>(kind: &'a Kind, rules: &'a KindRules) -> &'a str {
    if !rules.example.is_empty() && !rules.example.contains(['\n', '\r']) {
        return &rules.example;
    }
    let known = EXAMPLES.iter().find(|(known, _)| *known == kind.as_str());
    known.map_or(kind.as_str(), |(_, line)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_on_the_one_line() {
        let mut kinds = ["square", "resize", "scan"]
            .map(|kind| (Kind::new(kind).unwrap(), Arc::<KindRules>::default()));
        kinds[2].1 = Arc::new(KindRules {
            example: "scan page.png".to_owned(),
            ..KindRules::default()
        });
        let mut out = Vec::new();
        append_help(&mut out, &kinds, Lang::Es);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "una línea es una tarea, pruebe: square 5 | resize | scan page.png | para salir: salir"
        );
    }
}
