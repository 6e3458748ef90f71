//! Frames: where one line ends and the next begins.
//!
//! A line ends at LF; a CR before it is not part of it. Empty lines (nothing but blanks) are
//! skipped. [`LineSplitter`] hands out lines borrowed from the read buffer and allocates
//! nothing. However the bytes were cut into packets, the same bytes give the same frames.
//!
//! **Oversize.** A line may have [`LINE_BYTES_MAX`] bytes. It may have [`BATCH_LINE_BYTES_MAX`]
//! if it is a JSON object whose member `"cmd":"batch"` stands at the top level within the first
//! [`BATCH_HEAD_BYTES_MAX`](crate::limits::BATCH_HEAD_BYTES_MAX) bytes, so before the tasks. A longer line is told once as
//! [`Frame::TooLong`] and thrown away up to its newline; one of more than
//! [`DISCARD_BYTES_MAX`] ends the stream with [`Frame::Flood`].
//!
//! **Classroom framing.** Simple socket programs send without any newline. Until a stream has
//! carried its first one, a complete JSON object is a line at once, and
//! [`take_unframed`](LineSplitter::take_unframed) lets the connection, which owns the timer,
//! declare what came before a silence to be a line.

mod head;
mod outline;

use crate::limits::{BATCH_LINE_BYTES_MAX, DISCARD_BYTES_MAX, LINE_BYTES_MAX};
use crate::request::Face;
use outline::Outline;

/// One step of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'b> {
    /// A line that is not empty, without its line end.
    Line(&'b [u8]),
    /// A line is longer than allowed. Told once; what is left of the line is thrown away.
    TooLong {
        /// The face on which to answer.
        face: Face,
        /// What would have been allowed, in bytes.
        bytes_max: usize,
    },
    /// A line went on beyond all patience: answer and close. Nothing follows it.
    Flood,
}

/// Cuts one stream into lines. One per connection and direction.
///
/// ```
/// use tareas_protocol::frame::{Frame, LineSplitter};
///
/// let mut splitter = LineSplitter::new();
/// let buffer = b"sumar 2 + 2\r\nsquare 5\nsal";
/// let mut window = &buffer[..];
/// assert_eq!(splitter.next(&mut window), Some(Frame::Line(b"sumar 2 + 2")));
/// assert_eq!(splitter.next(&mut window), Some(Frame::Line(b"square 5")));
/// assert_eq!(splitter.next(&mut window), None);
/// let used = buffer.len() - window.len(); // what the connection may drop from its buffer
/// assert_eq!(&buffer[used..], b"sal");
/// ```
#[derive(Debug, Clone)]
pub struct LineSplitter {
    state: State,
    /// Whether this stream has carried a newline, which ends classroom framing for good.
    framed: bool,
    /// How many bytes at the beginning of the next window hold no newline.
    searched: usize,
    /// What the object at the beginning of the next window looks like so far.
    outline: Outline,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Reading,
    /// Throwing away a line of which so many bytes have been seen.
    Discarding(usize),
    Flooded,
}

enum Step<'b> {
    Frame(Frame<'b>),
    /// Something was used up that is no frame; go on.
    Skipped,
    /// More bytes are needed.
    Starved,
}

impl Default for LineSplitter {
    fn default() -> Self {
        Self::new()
    }
}

impl LineSplitter {
    /// A splitter at the beginning of a stream, classroom framing included.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Reading,
            framed: false,
            searched: 0,
            outline: Outline::new(),
        }
    }

    /// A splitter for a stream whose other end is known to send newlines: what a server sends,
    /// or a file of lines.
    #[must_use]
    pub fn without_classroom() -> Self {
        Self {
            framed: true,
            ..Self::new()
        }
    }

    /// The next frame in `window`, which is moved past it; `None` when more bytes are needed.
    ///
    /// The window of a call begins where that of the call before ended: the connection drops
    /// what was used, appends what it reads, and asks again. No bytes are looked at twice.
    #[inline]
    pub fn next<'b>(&mut self, window: &mut &'b [u8]) -> Option<Frame<'b>> {
        loop {
            let step = match self.state {
                State::Reading if self.framed => self.line(window),
                State::Reading => self.first_line(window),
                State::Discarding(seen) => self.discard(seen, window),
                State::Flooded => {
                    *window = &[];
                    Step::Starved
                }
            };
            match step {
                Step::Frame(frame) => return Some(frame),
                Step::Skipped => {}
                Step::Starved => return None,
            }
        }
    }

    /// The last line of a stream that has ended: what is left counts without a newline.
    pub fn finish<'b>(&mut self, window: &mut &'b [u8]) -> Option<Frame<'b>> {
        let frame = self.next(window);
        if frame.is_some() || self.state != State::Reading {
            return frame;
        }
        self.take_rest(window)
    }

    /// Whether bytes are waiting that a silence would make a line.
    #[must_use]
    pub fn unframed(&self, window: &[u8]) -> bool {
        !self.framed && self.state == State::Reading && !is_blank(window)
    }

    /// After a silence: what is waiting, as a line, if [`unframed`](Self::unframed) holds.
    pub fn take_unframed<'b>(&mut self, window: &mut &'b [u8]) -> Option<Frame<'b>> {
        if !self.unframed(window) {
            return None;
        }
        self.take_rest(window)
    }

    /// Whether part of a line has been read, so that its end is owed in time.
    #[must_use]
    pub fn begun(&self, window: &[u8]) -> bool {
        matches!(self.state, State::Discarding(_)) || !is_blank(window)
    }

    fn take_rest<'b>(&mut self, window: &mut &'b [u8]) -> Option<Frame<'b>> {
        self.outline = Outline::new();
        let rest = *window;
        match self.take(rest, rest.len(), window) {
            Step::Frame(frame) => Some(frame),
            Step::Skipped | Step::Starved => None,
        }
    }

    /// The usual: a line ends at the next newline.
    #[inline]
    fn line<'b>(&mut self, window: &mut &'b [u8]) -> Step<'b> {
        let Some(more) = memchr::memchr(b'\n', &window[self.searched..]) else {
            self.searched = window.len();
            return self.overlong(window);
        };
        let length = self.searched + more;
        self.take(&window[..length], length + 1, window)
    }

    /// Before the first newline: a line ends there or where its JSON object ends.
    fn first_line<'b>(&mut self, window: &mut &'b [u8]) -> Step<'b> {
        while let Some(&byte) = window.get(self.searched) {
            let complete = self.outline.push(byte);
            self.searched += 1;
            if complete || byte == b'\n' {
                let used = self.searched;
                self.framed = !complete;
                self.outline = Outline::new();
                return self.take(&window[..used - usize::from(!complete)], used, window);
            }
        }
        self.overlong(window)
    }

    /// Takes a line whose end has been found and moves the window by `used` bytes.
    #[inline]
    fn take<'b>(&mut self, line: &'b [u8], used: usize, window: &mut &'b [u8]) -> Step<'b> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.len() > LINE_BYTES_MAX
            && let Some(refusal) = self.refuse(line)
        {
            return Step::Frame(refusal);
        }
        self.searched = 0;
        *window = &window[used..];
        if is_blank(line) {
            return Step::Skipped;
        }
        Step::Frame(Frame::Line(line))
    }

    /// A window without the end of a line: too long already, or to be waited for.
    #[inline]
    fn overlong<'b>(&mut self, window: &[u8]) -> Step<'b> {
        let line = window.strip_suffix(b"\r").unwrap_or(window);
        if line.len() <= LINE_BYTES_MAX {
            return Step::Starved;
        }
        self.refuse(line).map_or(Step::Starved, Step::Frame)
    }

    /// The refusal of a line of which at least `line` is there, unless it is a batch within its
    /// own limit. The window stays: the calls that follow throw the line away.
    #[cold]
    fn refuse<'b>(&mut self, line: &[u8]) -> Option<Frame<'b>> {
        let face = Face::of(line);
        let is_batch = face == Face::Json && head::is_batch(line);
        let bytes_max = if is_batch {
            BATCH_LINE_BYTES_MAX
        } else {
            LINE_BYTES_MAX
        };
        if line.len() <= bytes_max {
            return None;
        }
        self.state = State::Discarding(0);
        self.searched = 0;
        Some(Frame::TooLong { face, bytes_max })
    }

    fn discard<'b>(&mut self, seen: usize, window: &mut &'b [u8]) -> Step<'b> {
        let end = memchr::memchr(b'\n', window);
        let seen = seen + end.unwrap_or(window.len());
        if seen > DISCARD_BYTES_MAX {
            self.state = State::Flooded;
            return Step::Frame(Frame::Flood);
        }
        let Some(end) = end else {
            self.state = State::Discarding(seen);
            *window = &[];
            return Step::Starved;
        };
        self.state = State::Reading;
        self.framed = true;
        self.outline = Outline::new();
        *window = &window[end + 1..];
        Step::Skipped
    }
}

/// Whether a line says nothing: what JSON calls white space, and no other bytes.
#[inline]
pub(crate) fn is_blank(line: &[u8]) -> bool {
    line.iter()
        .all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}
