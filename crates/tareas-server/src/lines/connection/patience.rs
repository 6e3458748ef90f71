//! How long a connection may take for what, and what is given up then.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::BytesMut;
use tareas_protocol::request::Face;
use tareas_protocol::{Code, ErrorObject};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::Instant;

use super::super::outbox::Parking;
use super::{Connection, Lost, READ_BYTES_MIN};

/// Buffers are given back when nothing has happened for this long.
const TRIM_AFTER: Duration = Duration::from_secs(5);

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    /// When something has to be given up, if nothing else happens before.
    pub(super) fn deadline(&self, parking: &Parking) -> Instant {
        let limits = &self.desk.outbox.limits;
        let mut at = self.last_heard + limits.idle_after;
        let mut sooner = |instant: Option<Instant>| at = instant.map_or(at, |other| at.min(other));
        sooner(parking.deadline);
        if self.desk.principal.is_nobody() && !self.is_leaving {
            sooner(Some(self.opened_at + limits.authenticate_within));
        }
        sooner(self.stalled_at.map(|since| since + limits.stalled_after));
        if !self.is_leaving {
            sooner(self.begun_at.map(|since| since + limits.line_within));
            if self.splitter.unframed(&self.buffer) {
                sooner(Some(self.last_heard + limits.unframed_wait));
            }
        }
        if !self.is_trimmed {
            sooner(Some(self.last_heard + TRIM_AFTER));
        }
        at.max(Instant::now())
    }

    /// Gives up what is over its time.
    pub(super) async fn alarm(&mut self) -> Result<(), Lost> {
        let now = Instant::now();
        let limits = self.desk.outbox.limits.clone();
        let is_over = |since: Option<Instant>, within| since.is_some_and(|at| now >= at + within);
        if is_over(self.stalled_at, limits.stalled_after) {
            self.desk
                .state
                .connections
                .stalled
                .fetch_add(1, Ordering::Relaxed);
            return Err(Lost::Stalled);
        }
        let is_unknown = self.desk.principal.is_nobody() && !self.is_leaving;
        if is_unknown && is_over(Some(self.opened_at), limits.authenticate_within) {
            self.leave_with(Code::Unauthenticated);
        }
        self.desk.give_up_waits(now).await;
        let quiet_since = Some(self.last_heard);
        self.is_silent =
            is_over(quiet_since, limits.unframed_wait) && self.splitter.unframed(&self.buffer);
        if is_over(self.begun_at, limits.line_within) && !self.is_silent {
            self.end_if_unfinished(now);
        }
        if is_over(quiet_since, limits.idle_after) {
            self.end_if_idle(now);
        }
        if !self.is_trimmed && is_over(quiet_since, TRIM_AFTER) {
            self.trim();
        }
        Ok(())
    }

    /// Ends a connection on which nothing was said for long, unless something is owed.
    fn end_if_idle(&mut self, now: Instant) {
        let owes = self.outbox().owes();
        if owes || self.is_leaving {
            self.last_heard = now;
        } else {
            self.leave_idle();
        }
    }

    /// Ends a connection that began a line and did not end it, though it was read.
    fn end_if_unfinished(&mut self, now: Instant) {
        if self.outbox().has_room() {
            self.leave_idle();
        } else {
            self.begun_at = Some(now);
        }
    }

    fn leave_idle(&mut self) {
        self.leave_with(Code::Idle);
    }

    fn leave_with(&mut self, code: Code) {
        let lang = self.outbox().lang();
        let error = ErrorObject::new(code, lang);
        self.desk.refuse(Face::of(&self.buffer), None, 0, error);
        self.is_leaving = true;
    }

    fn trim(&mut self) {
        self.is_trimmed = true;
        self.outbox().trim();
        if self.out.is_empty() {
            self.out = Vec::new();
        }
        if self.buffer.is_empty() {
            self.buffer = BytesMut::new();
            self.read_bytes = READ_BYTES_MIN;
        }
    }
}
