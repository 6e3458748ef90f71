//! The decoder: one line or body into what it asks for.

use super::field::Fields;
use super::{
    Decoded, Expected, Face, Fault, Item, Line, Refusal, Request, Submission, command, text, worker,
};
use crate::frame::is_blank;
use crate::json::{Flaw, FlawKind, Scanner, Span};
use crate::limits::{BATCH_TASKS_MAX, ITEMS_MAX, JSON_KEYS_MAX};

/// Decodes lines and bodies, one after the other, and keeps its memory between them.
#[derive(Debug, Default)]
pub struct Decoder {
    scanner: Scanner,
}

impl Decoder {
    /// A decoder that has not allocated anything yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one line of a client.
    pub fn line<'a>(&mut self, line: &'a [u8]) -> Line<'a> {
        let face = Face::of(line);
        let line = match utf8(line) {
            Ok(line) => line,
            Err(refusal) => return Line::refused(face, refusal),
        };
        match face {
            Face::Text => Line {
                face,
                reference: None,
                request: text::decode(line),
            },
            Face::Json => self.json_line(line),
        }
    }

    fn json_line<'a>(&mut self, line: &'a str) -> Line<'a> {
        let fields = match Fields::scan(&mut self.scanner, line) {
            Ok(fields) => fields,
            Err(refusal) => return Line::refused(Face::Json, refusal),
        };
        let reference = match fields.reference() {
            Ok(reference) => reference,
            Err(refusal) => return Line::refused(Face::Json, refusal),
        };
        Line {
            face: Face::Json,
            reference,
            request: request(&fields, reference),
        }
    }

    /// Decodes an HTTP body: one submission, short or full, with or without `cmd`.
    pub fn submission<'a>(&mut self, body: &'a [u8]) -> Decoded<'a> {
        self.one(utf8(body)?)
    }

    /// Decodes an HTTP body: a JSON array of submissions.
    ///
    /// The outer error is about the body as a whole.
    pub fn submissions<'a>(&mut self, body: &'a [u8]) -> Result<Vec<Decoded<'a>>, Box<Refusal>> {
        self.array(utf8(body)?, "")
    }

    /// Decodes an HTTP body: a submission on each line (NDJSON).
    ///
    /// A line that is not UTF-8 is refused by itself; the outer error is about the body.
    pub fn submission_lines<'a>(
        &mut self,
        body: &'a [u8],
    ) -> Result<Vec<Decoded<'a>>, Box<Refusal>> {
        let lines = body.split(|byte| *byte == b'\n');
        let mut tasks = Vec::new();
        for line in lines.filter(|line| !is_blank(line)) {
            if tasks.len() == BATCH_TASKS_MAX {
                return Err(Refusal::of(Fault::TooManyTasks));
            }
            tasks.push(self.submission(line));
        }
        Ok(tasks)
    }

    /// Decodes an array of submissions that stands at `pointer`.
    pub(super) fn array<'a>(
        &mut self,
        text: &'a str,
        pointer: &str,
    ) -> Result<Vec<Decoded<'a>>, Box<Refusal>> {
        let mut spans: Vec<Span> = Vec::new();
        Scanner::array(text, BATCH_TASKS_MAX, &mut spans).map_err(Refusal::json)?;
        if spans.len() > BATCH_TASKS_MAX {
            return Err(Refusal::of(Fault::TooManyTasks).at(pointer.to_owned()));
        }
        let tasks = spans.iter().enumerate().map(|(index, span)| {
            self.one(span.of(text))
                .map_err(|refusal| refusal.under(&format!("{pointer}/{index}")))
        });
        Ok(tasks.collect())
    }

    /// Decodes the items of a worker's `many`.
    pub(super) fn reports<'a>(&mut self, text: &'a str) -> Result<Vec<Item<'a>>, Box<Refusal>> {
        let mut spans: Vec<Span> = Vec::new();
        Scanner::array(text, ITEMS_MAX, &mut spans).map_err(Refusal::json)?;
        if spans.len() > ITEMS_MAX {
            return Err(Refusal::of(Fault::TooManyTasks).at("/items".to_owned()));
        }
        let items = spans.iter().enumerate().map(|(index, span)| {
            self.report(span.of(text))
                .map_err(|refusal| refusal.under(&format!("/items/{index}")))
        });
        Ok(items.collect())
    }

    fn report<'a>(&mut self, text: &'a str) -> Item<'a> {
        let fields = Fields::scan(&mut self.scanner, text)?;
        fields.within_keys()?;
        let Some(cmd) = fields.cmd() else {
            return Err(Refusal::of(Fault::Missing { member: "cmd" }));
        };
        match cmd.text.trim_matches('"') {
            command if worker::is_report(command) => worker::report(command, &fields),
            _ => Err(cmd.expected(Expected::ReportCommand)),
        }
    }

    fn one<'a>(&mut self, text: &'a str) -> Decoded<'a> {
        let fields = Fields::scan(&mut self.scanner, text)?;
        fields.within_keys()?;
        let reference = fields.reference()?;
        Submission::decode(&fields, reference)
    }
}

fn request<'a>(
    fields: &Fields<'_, 'a>,
    reference: Option<&'a str>,
) -> Result<Request<'a>, Box<Refusal>> {
    if fields.keys() > JSON_KEYS_MAX && !command::is_several(fields) {
        fields.within_keys()?;
    }
    if fields.has_op() {
        return Submission::short(fields, reference).map(Request::Submit);
    }
    command::decode(fields, reference)
}

fn utf8(bytes: &[u8]) -> Result<&str, Box<Refusal>> {
    std::str::from_utf8(bytes).map_err(|error| {
        Refusal::json(Flaw {
            kind: FlawKind::NotUtf8,
            at: error.valid_up_to(),
        })
    })
}

impl Line<'_> {
    #[cold]
    fn refused(face: Face, refusal: Box<Refusal>) -> Self {
        Self {
            face,
            reference: None,
            request: Err(refusal),
        }
    }
}
