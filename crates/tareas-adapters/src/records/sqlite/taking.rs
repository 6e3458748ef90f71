//! Taking what must be written, in pieces: the lock is held for one piece at a time.
//!
//! What is dirty when the first piece is taken is taken, oldest first, and nothing else. What
//! changes meanwhile goes to the end of the journal, behind all that, so no task is in the
//! same commit twice.

use tareas_core::Position;
use tareas_core::ledger::{Cut, Row};

use super::shared::{Shared, State};

/// Rows that are taken, or let go, under one hold of the lock.
pub(super) const PIECE: usize = 256;

/// What one commit has taken so far, and how much more it may take.
#[derive(Debug)]
pub(super) struct Taken {
    pieces: Vec<Cut>,
    rows_left: usize,
    bytes_left: usize,
}

impl Taken {
    /// Takes the first piece.
    pub(super) fn first(state: &mut State, rows_max: usize, bytes_max: usize) -> Self {
        let rows_left = state.ledger.journal_len().min(rows_max);
        let mut taken = Self {
            pieces: Vec::new(),
            rows_left,
            bytes_left: bytes_max,
        };
        taken.take(state);
        taken
    }

    /// Takes one more piece; `None` when there is no more to take.
    pub(super) fn more(&mut self, shared: &Shared) -> Option<&[Row]> {
        if self.rows_left == 0 || self.bytes_left == 0 {
            return None;
        }
        let mut state = shared.lock();
        if state.is_stopped {
            return None;
        }
        self.take(&mut state);
        drop(state);
        Some(self.last_rows())
    }

    fn take(&mut self, state: &mut State) {
        let piece = state.ledger.cut(self.rows_left.min(PIECE), self.bytes_left);
        state.writing += piece.rows.len();
        let bytes: usize = piece.rows.iter().map(bytes_of).sum();
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        self.rows_left = match piece.rows.len() {
            0 => 0,
            taken => self.rows_left - taken,
        };
        self.pieces.push(piece);
    }

    /// The rows of the newest piece.
    pub(super) fn last_rows(&self) -> &[Row] {
        self.pieces.last().map_or(&[], |piece| &piece.rows)
    }

    /// All pieces, in order.
    pub(super) fn pieces(&self) -> &[Cut] {
        &self.pieces
    }

    /// All pieces, one by one, to let go of.
    pub(super) fn into_pieces(self) -> impl Iterator<Item = Cut> {
        self.pieces.into_iter()
    }

    /// Once this is committed, everything decided at or below it is durable.
    pub(super) fn position(&self) -> Position {
        self.pieces
            .last()
            .map_or(Position::ZERO, |piece| piece.position)
    }

    /// How many rows it has.
    pub(super) fn rows(&self) -> usize {
        self.pieces.iter().map(|piece| piece.rows.len()).sum()
    }

    /// How many of them are the whole life of a task.
    pub(super) fn folded(&self) -> usize {
        self.pieces.iter().map(|piece| piece.folded).sum()
    }

    /// A cut that has the position and nothing else.
    pub(super) fn position_only(&self) -> Cut {
        let last = self.pieces.last();
        Cut {
            position: self.position(),
            rows: Vec::new(),
            counts: Vec::new(),
            keys: Vec::new(),
            queues: Vec::new(),
            high_seq: last.map_or(0, |piece| piece.high_seq),
            high_place: last.map_or(tareas_core::Place::START, |piece| piece.high_place),
            folded: 0,
        }
    }
}

fn bytes_of(row: &Row) -> usize {
    let result = row.task.result.as_ref().map_or(0, |body| body.inline_len());
    row.task.spec.payload.inline_len() + result
}
