//! Telling: what was decided, written into an outbox by whoever decided it.

use tareas_core::Position;
use tareas_engine::{Accepted, End, Listener, Refusal, Submitted};
use tareas_protocol::Lang;
use tareas_protocol::request::Face;
use tareas_protocol::response::{Acknowledgement, Durability, end_line};

use super::outbox::{Asked, Outbox};
use super::owed::{Deferred, Owed};
use super::tag::Tag;
use super::texts::Answered;
use crate::{codes, view};

/// Ends are handed over to the connection in pieces of this many bytes.
const PIECE_BYTES: usize = 64 * 1024;
/// How long an acknowledgement, and the end of a small task, usually is.
const ANSWER_BYTES: usize = 128;

/// The acknowledgement of an accepted submission.
pub(super) fn acknowledgement<'r>(
    accepted: &Accepted,
    durability: Durability,
    reference: Option<&'r str>,
) -> Acknowledgement<'r> {
    Acknowledgement {
        task_id: view::id_of(&accepted.task),
        status: view::status_of(accepted.task.phase()),
        duplicate: accepted.is_duplicate,
        durability,
        reference,
    }
}

impl Outbox {
    /// Acknowledges or refuses what was asked for. Called before any of the tasks can start.
    /// Text lines are told only when they are refused, but even then what was decided is
    /// waited for: usually their end leaves with the same commit.
    pub(super) fn acknowledge(&self, submitted: &Submitted, asked: &[Asked<'_>]) {
        let lang = self.lang();
        let in_json = asked.iter().filter(|line| line.face == Face::Json).count();
        let mut answers = Vec::with_capacity(in_json * ANSWER_BYTES);
        for (outcome, line) in submitted.outcomes.iter().zip(asked) {
            if line.face == Face::Json {
                self.answer(outcome, line, lang, &mut answers);
                end_line(&mut answers);
            }
        }
        self.hand_in(submitted, asked, &answers);
    }

    /// Queues the answers to what was submitted, and forgets what was refused.
    pub(super) fn hand_in(&self, submitted: &Submitted, asked: &[Asked<'_>], answers: &[u8]) {
        let lang = self.lang();
        let mut inner = self.lock();
        inner
            .queued
            .push(submitted.position, |out| out.extend_from_slice(answers));
        let refused = submitted
            .outcomes
            .iter()
            .zip(asked)
            .filter_map(|(outcome, line)| {
                let refusal = outcome.as_ref().err()?;
                Some((refusal, line.tag?, line.bytes))
            });
        for (refusal, tag, bytes) in refused {
            inner.refuse(submitted.position, refusal, tag, bytes, lang);
        }
        inner.release_texts();
        self.changed(inner);
    }

    fn answer(
        &self,
        outcome: &Result<Accepted, Refusal>,
        line: &Asked<'_>,
        lang: Lang,
        out: &mut Vec<u8>,
    ) {
        match outcome {
            Ok(accepted) => {
                acknowledgement(accepted, self.durability, line.reference).append_to(out);
            }
            Err(refusal) => {
                let mut error = codes::error(refusal, lang);
                error.reference = line.reference.map(str::to_owned);
                error.append_answer(out);
            }
        }
    }
}

impl Owed {
    /// Nothing will end: the line is answered by its refusal.
    pub(super) fn refuse(
        &mut self,
        position: Position,
        refusal: &Refusal,
        tag: Tag,
        bytes: usize,
        lang: Lang,
    ) {
        match tag {
            Tag::Plain { .. } => self.answered(Answered { lines: 1, bytes }),
            Tag::Entry(key) => drop(self.leave(key)),
            Tag::Text(number) => {
                let mut text = Vec::new();
                codes::error(refusal, lang).append_text(&mut text);
                end_line(&mut text);
                self.texts.know(number, position, text);
            }
        }
    }

    fn end(&mut self, position: Position, end: &End, lang: Lang, is_crowded: bool) {
        let tag = Tag::from_number(end.tag);
        let shown = view::TaskEnd::of(&end.task, lang).filter(|_| !is_crowded);
        match (tag, shown) {
            (Tag::Text(number), None) => self.texts.defer(number, end.task.id()),
            (Tag::Text(number), Some(shown)) => {
                let mut text = Vec::with_capacity(ANSWER_BYTES);
                shown.append_text(&mut text, lang);
                end_line(&mut text);
                self.texts.know(number, position, text);
            }
            (_, None) => self.deferred.push_back(Deferred {
                task: end.task.id(),
                tag,
            }),
            (_, Some(shown)) => self.end_in_json(position, tag, &shown),
        }
    }

    /// Tells the end of a task in JSON and takes its line for answered.
    pub(super) fn end_in_json(&mut self, position: Position, tag: Tag, end: &view::TaskEnd<'_>) {
        let reference = match tag {
            Tag::Entry(key) => match self.leave(key) {
                Some(entry) => entry.reference,
                // The wait was over in this very moment and is answered.
                None => return,
            },
            Tag::Plain { bytes } => {
                self.answered(Answered { lines: 1, bytes });
                None
            }
            Tag::Text(_) => None,
        };
        self.queued.push(position, |out| {
            end.append_json(out, reference.as_deref());
            end_line(out);
        });
    }
}

impl Listener for Outbox {
    /// Most ends answer plain JSON lines: those are written without the lock and handed over in
    /// pieces.
    fn ended(&self, position: Position, ends: Vec<End>) {
        let lang = self.lang();
        let mut piece = Vec::with_capacity(ends.len().min(256) * ANSWER_BYTES);
        let mut answered = Answered::default();
        let mut others = Vec::new();
        for end in &ends {
            let tag = Tag::from_number(end.tag);
            let Tag::Plain { bytes } = tag else {
                others.push(end);
                continue;
            };
            let Some(shown) = view::TaskEnd::of(&end.task, lang).filter(|_| !self.is_crowded())
            else {
                others.push(end);
                continue;
            };
            shown.append_json(&mut piece, None);
            end_line(&mut piece);
            answered.lines += 1;
            answered.bytes += bytes;
            if piece.len() > PIECE_BYTES {
                self.hand_over(position, &mut piece, &mut answered);
            }
        }
        self.hand_over(position, &mut piece, &mut answered);
        if !others.is_empty() {
            self.end_others(position, &others, lang);
        }
    }
}

impl Outbox {
    fn hand_over(&self, position: Position, piece: &mut Vec<u8>, answered: &mut Answered) {
        if piece.is_empty() {
            return;
        }
        let mut inner = self.lock();
        inner
            .queued
            .push(position, |out| out.extend_from_slice(piece));
        inner.answered(std::mem::take(answered));
        self.changed(inner);
        piece.clear();
    }

    fn end_others(&self, position: Position, ends: &[&End], lang: Lang) {
        let mut inner = self.lock();
        for end in ends {
            let is_crowded = inner.is_crowded(&self.limits);
            inner.end(position, end, lang, is_crowded);
        }
        inner.release_texts();
        self.changed(inner);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use tareas_core::{Body, State, Task};

    use super::*;
    use crate::ServerConfig;
    use crate::view::tests::task;

    const RESULT_BYTES: usize = 20_000;

    fn outbox() -> Outbox {
        let mut config = ServerConfig::default();
        config.limits.outbox_bytes_max = 4 * RESULT_BYTES;
        Outbox::new(&config)
    }

    fn asked(face: Face, reference: Option<&str>) -> Asked<'_> {
        Asked {
            face,
            reference,
            bytes: 10,
            wait: true,
            tag: None,
        }
    }

    fn end(outbox: &Outbox, tag: Tag, position: u64) {
        let result = Body::Inline(Bytes::from(vec![b'7'; RESULT_BYTES]));
        let task = Task {
            result: Some(result),
            ..task(State::Succeeded)
        };
        outbox.ended(
            Position(position),
            vec![End {
                tag: tag.to_number(),
                task,
            }],
        );
    }

    fn taken(outbox: &Outbox, durable: u64) -> usize {
        let mut out = Vec::new();
        outbox.take(Position(durable), &mut out);
        outbox.written();
        out.len()
    }

    #[test]
    fn results_that_find_too_much_waiting_are_kept_as_ids() {
        for face in [Face::Json, Face::Text] {
            for reference in [None, Some("1")] {
                let outbox = outbox();
                let mut lines: Vec<Asked<'_>> =
                    (0..1_000).map(|_| asked(face, reference)).collect();
                outbox.expect(&mut lines);
                outbox.stalled();
                lines
                    .iter()
                    .filter_map(|line| line.tag)
                    .for_each(|tag| end(&outbox, tag, 1));
                let waiting = taken(&outbox, 1);
                assert!(
                    (4 * RESULT_BYTES..6 * RESULT_BYTES).contains(&waiting),
                    "{waiting}"
                );
                assert!(outbox.owes(), "what was kept as an id is still owed");
            }
        }
    }

    #[test]
    fn what_waits_for_the_disk_is_not_held_against_the_client() {
        let outbox = outbox();
        let mut lines: Vec<Asked<'_>> = (0..10).map(|_| asked(Face::Json, None)).collect();
        outbox.expect(&mut lines);
        lines
            .iter()
            .filter_map(|line| line.tag)
            .for_each(|tag| end(&outbox, tag, 9));
        assert_eq!(taken(&outbox, 8), 0);
        assert!(taken(&outbox, 9) > 10 * RESULT_BYTES);
        assert!(!outbox.owes());
    }
}
