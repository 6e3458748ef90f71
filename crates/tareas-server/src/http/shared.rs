//! What the connections of one server share on this face.

use super::live::Live;
use super::pulse::Pulse;

/// What the connections of one server share on this face: the newest picture of the system, and
/// the token that proves that a form came from our own page.
#[derive(Debug, Default)]
pub struct HttpState {
    pub(super) pulse: Pulse,
    pub(super) live: Live,
    pub(super) form_token: FormToken,
}

impl HttpState {
    /// Streams of events that are open now.
    pub(crate) fn streams(&self) -> usize {
        self.live.open()
    }

    /// Ticks in which views were drawn for them, and how many that were.
    pub(crate) fn drawn(&self) -> [u64; 2] {
        self.live.counts()
    }
}

/// A secret of this life of the server, hidden in the page's form. A page of another origin can
/// send a form here but cannot read ours, so it cannot know the token.
pub(super) struct FormToken(Option<String>);

impl Default for FormToken {
    /// Without chance from the system there is no token, and no form is taken.
    fn default() -> Self {
        let mut chance = [0; 16];
        let made = getrandom::fill(&mut chance).ok();
        Self(made.map(|()| chance.iter().map(|byte| format!("{byte:02x}")).collect()))
    }
}

impl FormToken {
    /// The text for the form.
    pub(super) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

impl std::fmt::Debug for FormToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormToken(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_fresh_and_not_shown() {
        let (one, other) = (FormToken::default(), FormToken::default());
        assert!(one.text() != other.text() && one.text().len() == 32);
        assert_eq!(FormToken(None).text(), "");
        assert!(!format!("{one:?}").contains(one.text()));
    }
}
