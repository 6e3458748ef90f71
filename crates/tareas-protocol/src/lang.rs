//! The two languages of everything a person reads.

/// A language of messages and hints. Names, codes and numbers are the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Spanish.
    Es,
}

impl Lang {
    /// Reads a language tag or locale such as `es`, `es-MX` or `es_ES.UTF-8`; anything that is
    /// not Spanish is English.
    #[must_use]
    pub fn parse(tag: &str) -> Self {
        let language = tag.split(['-', '_', '.', '@']).next().unwrap_or("");
        if language.trim().eq_ignore_ascii_case("es") {
            return Self::Es;
        }
        Self::En
    }

    /// `en` or `es`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.pick("en", "es")
    }

    /// The one of two texts that is in this language.
    #[must_use]
    pub fn pick<T>(self, en: T, es: T) -> T {
        match self {
            Self::En => en,
            Self::Es => es,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_locales_are_understood() {
        for tag in ["es", "ES", "es-MX", "es_ES.UTF-8"] {
            assert_eq!(Lang::parse(tag), Lang::Es, "{tag}");
        }
        for tag in ["", "en", "C.UTF-8", "est", "fr"] {
            assert_eq!(Lang::parse(tag), Lang::En, "{tag}");
        }
    }
}
