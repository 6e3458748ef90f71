//! Everything the command line says to people, in both languages, in one place.
//!
//! [`Text`] is the catalogue (see [`catalogue`]), [`help`] the Spanish of `--help`. The texts of
//! errors that travel over the wire are not here: they belong to `tareas-protocol`. Flags, JSON
//! members, codes and states are never translated.

mod catalogue;
pub(crate) mod help;

pub(crate) use catalogue::Text;
use tareas_protocol::Lang;

/// The values that a text is filled with: name and value.
pub(crate) type Values<'a> = &'a [(&'a str, &'a dyn std::fmt::Display)];

impl Text {
    /// The text in a language, as it is.
    pub(crate) fn plain(self, lang: Lang) -> &'static str {
        let (english, spanish) = self.both();
        lang.pick(english, spanish)
    }

    /// The text in a language, with `{name}` replaced by the value of that name.
    pub(crate) fn fill(self, lang: Lang, values: Values<'_>) -> String {
        let mut filled = String::new();
        let mut rest = self.plain(lang);
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                filled.push('{');
                rest = after;
                continue;
            };
            match values.iter().find(|(known, _)| *known == name) {
                Some((_, value)) => filled += &value.to_string(),
                None => filled += &format!("{{{name}}}"),
            }
            rest = after;
        }
        filled + rest
    }
}

/// The language of a process: `--lang`, then the environment, then English.
pub(crate) fn lang_of(flag: Option<&str>, env: impl Fn(&str) -> Option<String>) -> Lang {
    let variables = ["TAREAS_LANG", "LC_ALL", "LC_MESSAGES", "LANG"];
    let from_env = || {
        variables
            .iter()
            .find_map(|name| env(name).filter(|text| !text.is_empty()))
    };
    let tag = flag.map(str::to_owned).or_else(from_env);
    tag.map_or(Lang::En, |tag| Lang::parse(&tag))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn names(text: &str) -> BTreeSet<&str> {
        text.split('{')
            .skip(1)
            .filter_map(|rest| Some(rest.split_once('}')?.0))
            .collect()
    }

    #[test]
    fn both_languages_are_complete() {
        for text in Text::ALL {
            let (english, spanish) = text.both();
            assert!(!english.is_empty() && !spanish.is_empty(), "{text:?}");
            assert_eq!(names(english), names(spanish), "{text:?}");
            assert_eq!(english.ends_with(' '), spanish.ends_with(' '), "{text:?}");
            assert_eq!(english.lines().count(), spanish.lines().count(), "{text:?}");
        }
    }

    #[test]
    fn the_texts_of_the_classroom_are_exact() {
        let es = |text: Text| text.plain(Lang::Es);
        assert_eq!(
            es(Text::Prompt),
            "Ingrese una tarea (o 'salir' para terminar): "
        );
        assert_eq!(
            Text::Prompt.plain(Lang::En),
            "Enter a task (or 'exit' to leave): "
        );
        let sent = Text::SentToQueue.fill(Lang::Es, &[("task", &"procesar datos")]);
        assert_eq!(
            sent,
            "Tarea 'procesar datos' enviada a la cola de procesamiento."
        );
        let answer = Text::Answer.fill(Lang::Es, &[("answer", &"4")]);
        assert_eq!(answer, "Respuesta del servidor: 4");
    }

    #[test]
    fn values_are_filled_in_and_braces_of_values_stay() {
        let filled = Text::Answer.fill(Lang::En, &[("answer", &r#"{"n":5}"#)]);
        assert_eq!(filled, r#"Server answered: {"n":5}"#);
    }

    #[test]
    fn the_flag_wins_over_the_environment() {
        let env = |name: &str| (name == "LANG").then(|| "es_MX.UTF-8".to_owned());
        assert_eq!(lang_of(None, env), Lang::Es);
        assert_eq!(lang_of(Some("en"), env), Lang::En);
        assert_eq!(lang_of(None, |_| None), Lang::En);
    }
}
