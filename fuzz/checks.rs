//! What holds for any bytes: shared by the fuzz targets and by the test that replays the corpus.

use tareas_protocol::Lang;
use tareas_protocol::frame::{Frame, LineSplitter};
use tareas_protocol::json::Scanner;
use tareas_protocol::proxy::{HEADER_BYTES_MAX, NotProxy, is_header, read};
use tareas_protocol::request::{Decoded, Decoder, Refusal, Request, Submission, append_submission};
use tareas_protocol::response::AnswerReader;

/// However a stream is cut into packets, its frames are the same, and each line is answered.
pub(crate) fn line(stream: &[u8]) {
    let whole = frames(&[stream]);
    let size = 1 + stream.first().map_or(0, |byte| usize::from(byte % 7));
    let packets: Vec<&[u8]> = stream.chunks(size).collect();
    assert_eq!(whole, frames(&packets));
    for frame in whole.into_iter().flatten() {
        assert!(!frame.iter().all(|byte| b" \t\r\n".contains(byte)));
        envelope(&frame);
    }
}

/// The lines of a stream; `None` for one that is too long.
fn frames(packets: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
    let owned = |frame: Frame<'_>| match frame {
        Frame::Line(line) => Some(line.to_vec()),
        Frame::TooLong { .. } | Frame::Flood => None,
    };
    let mut splitter = LineSplitter::new();
    let mut buffer = Vec::new();
    let mut frames = Vec::new();
    for packet in packets {
        buffer.extend_from_slice(packet);
        let mut window = &buffer[..];
        while let Some(frame) = splitter.next(&mut window) {
            frames.push(owned(frame));
        }
        let used = buffer.len() - window.len();
        buffer.drain(..used);
    }
    let mut window = &buffer[..];
    while let Some(frame) = splitter.finish(&mut window) {
        frames.push(owned(frame));
    }
    frames
}

/// Any line or body is decoded or refused in one line of its face; what is decoded reads back.
pub(crate) fn envelope(line: &[u8]) {
    let mut decoder = Decoder::new();
    match decoder.line(line).request {
        Ok(Request::Submit(task)) => submission(&task),
        Ok(Request::Text { kind, rest }) => submission(&Submission::from_text(kind, rest)),
        Ok(Request::Batch(batch)) => batch.tasks.iter().for_each(decoded),
        Ok(_) => {}
        Err(refusal) => refused(&refusal),
    }
    decoded(&decoder.submission(line));
    match decoder.submissions(line) {
        Ok(tasks) => tasks.iter().for_each(decoded),
        Err(refusal) => refused(&refusal),
    }
    if let Ok(tasks) = decoder.submission_lines(line) {
        tasks.iter().for_each(decoded);
    }
    // What a hostile server says may be refused, but no more.
    let _ = AnswerReader::new().read(line);
}

fn decoded(task: &Decoded<'_>) {
    match task {
        Ok(task) => submission(task),
        Err(refusal) => refused(refusal),
    }
}

fn submission(task: &Submission<'_>) {
    let payload = task.payload.to_bytes();
    let text = std::str::from_utf8(&payload).expect("a payload is UTF-8");
    Scanner::check(text).expect("a payload is JSON");
    let mut once = Vec::new();
    append_submission(&mut once, task);
    assert!(!once.contains(&b'\n'));
    // The full form nests a payload one deeper, so the limits may refuse what was just inside.
    let mut decoder = Decoder::new();
    if let Ok(Request::Submit(again)) = decoder.line(&once).request {
        let mut twice = Vec::new();
        append_submission(&mut twice, &again);
        assert_eq!(once, twice);
    }
}

fn refused(refusal: &Refusal) {
    for lang in [Lang::En, Lang::Es] {
        let error = refusal.to_error(lang);
        let mut json = Vec::new();
        error.append_answer(&mut json);
        let text = std::str::from_utf8(&json).expect("an error is UTF-8");
        Scanner::check(text).expect("an error is JSON");
        let mut plain = Vec::new();
        error.append_text(&mut plain);
        assert!(!plain.iter().any(u8::is_ascii_control));
    }
}

/// A header is read from exactly its bytes: cut anywhere, more are needed.
pub(crate) fn proxy(first: &[u8]) {
    match read(first) {
        Ok(Some(header)) => {
            assert!(header.bytes <= HEADER_BYTES_MAX);
            assert_eq!(read(&first[..header.bytes]), Ok(Some(header)));
            assert!((0..header.bytes).all(|cut| read(&first[..cut]) == Ok(None)));
        }
        Ok(None) => assert!(first.len() < HEADER_BYTES_MAX),
        Err(NotProxy::Missing) => assert!(!is_header(first)),
        Err(NotProxy::Malformed | NotProxy::TooLong) => {}
    }
}
