//! What the view knows beside the newest picture: the last minute, what is selected, what a key
//! means.

use std::collections::VecDeque;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::widgets::TableState;
use tareas_protocol::Lang;

use super::picture::Picture;

/// Beats that are remembered, for the bars.
const BEATS_MAX: usize = 24;

/// What somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// To leave.
    Leave,
    /// A queue paused, or open.
    SetPaused(String, bool),
}

/// Everything that is drawn.
#[derive(Debug)]
pub(super) struct State {
    pub(super) server: String,
    pub(super) lang: Lang,
    pub(super) picture: Picture,
    /// Why the newest picture is not new.
    pub(super) missing: Option<String>,
    pub(super) accepted: VecDeque<f64>,
    pub(super) ended: VecDeque<f64>,
    pub(super) selected: TableState,
    pub(super) shows_keys: bool,
    is_held: bool,
}

impl State {
    pub(super) fn new(server: &str, lang: Lang) -> Self {
        Self {
            server: server.to_owned(),
            lang,
            picture: Picture::default(),
            missing: None,
            accepted: VecDeque::new(),
            ended: VecDeque::new(),
            selected: TableState::default().with_selected(0),
            shows_keys: false,
            is_held: false,
        }
    }

    /// Takes a picture over, unless the view is held.
    pub(super) fn see(&mut self, picture: Picture) {
        if let Some([accepted, ended, _]) = picture.rates {
            for (beats, beat) in [(&mut self.accepted, accepted), (&mut self.ended, ended)] {
                beats.push_back(beat);
                if beats.len() > BEATS_MAX {
                    beats.pop_front();
                }
            }
        }
        self.missing = None;
        if !self.is_held {
            self.picture = picture;
            // Drawing a table without rows takes the selection away.
            let chosen = self.selected.selected().unwrap_or_default();
            self.selected.select(Some(chosen));
        }
    }

    /// The server did not answer.
    pub(super) fn miss(&mut self, why: String) {
        self.missing = Some(why);
    }

    /// Whether the view stands still because somebody wants to read it.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// What a key asks for, beyond what it changes here.
    pub(super) fn press(&mut self, key: KeyEvent) -> Option<Ask> {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return Some(Ask::Leave),
            KeyCode::Char('q') | KeyCode::Esc if !self.shows_keys => return Some(Ask::Leave),
            KeyCode::Char('?' | 'q') | KeyCode::F(1) | KeyCode::Esc => {
                self.shows_keys = !self.shows_keys;
            }
            KeyCode::Down | KeyCode::Char('j') => self.select(1),
            KeyCode::Up | KeyCode::Char('k') => self.select(-1),
            KeyCode::Char(' ') => self.is_held = !self.is_held,
            KeyCode::Char('p') => return self.toggle_paused(),
            _ => {}
        }
        None
    }

    fn select(&mut self, by: isize) {
        let last = self.picture.queues.len().saturating_sub(1);
        let now = self.selected.selected().unwrap_or_default();
        self.selected
            .select(Some(now.saturating_add_signed(by).min(last)));
    }

    fn toggle_paused(&self) -> Option<Ask> {
        let queue = self.picture.queues.get(self.selected.selected()?)?;
        Some(Ask::SetPaused(queue.name.clone(), !queue.is_paused))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::picture::tests::TOPOLOGY;

    fn press(state: &mut State, code: KeyCode) -> Option<Ask> {
        state.press(KeyEvent::new(code, KeyModifiers::NONE))
    }

    #[test]
    fn keys_select_pause_hold_and_leave() {
        let mut state = State::new("tcp://x:1", Lang::En);
        assert_eq!(
            press(&mut state, KeyCode::Char('p')),
            None,
            "nothing is there"
        );
        state.see(Picture::read(TOPOLOGY, Vec::new()));
        let pause = Ask::SetPaused("default".to_owned(), true);
        assert_eq!(press(&mut state, KeyCode::Char('p')), Some(pause));
        for _ in 0..5 {
            press(&mut state, KeyCode::Down);
        }
        let resume = Ask::SetPaused("mail".to_owned(), false);
        assert_eq!(press(&mut state, KeyCode::Char('p')), Some(resume));
        press(&mut state, KeyCode::Char(' '));
        state.see(Picture::default());
        assert_eq!(state.picture.queues.len(), 2, "it is held");
        press(&mut state, KeyCode::Char('?'));
        assert_eq!(
            press(&mut state, KeyCode::Esc),
            None,
            "the keys go away first"
        );
        assert_eq!(press(&mut state, KeyCode::Esc), Some(Ask::Leave));
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(state.press(control), Some(Ask::Leave));
    }

    #[test]
    fn the_last_minute_is_bounded() {
        let mut state = State::new("", Lang::En);
        for _ in 0..100 {
            state.see(Picture::read(TOPOLOGY, Vec::new()));
        }
        assert_eq!(state.accepted.len(), BEATS_MAX);
    }
}
