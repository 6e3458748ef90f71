//! Frames: where lines end, whatever the packets.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use proptest::prelude::*;
use tareas_protocol::frame::{Frame, LineSplitter};
use tareas_protocol::limits::{BATCH_LINE_BYTES_MAX, DISCARD_BYTES_MAX, LINE_BYTES_MAX};
use tareas_protocol::request::Face;

#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Line(Vec<u8>),
    TooLong(Face, usize),
    Flood,
}

fn seen(frame: Frame<'_>) -> Seen {
    match frame {
        Frame::Line(line) => Seen::Line(line.to_vec()),
        Frame::TooLong { face, bytes_max } => Seen::TooLong(face, bytes_max),
        Frame::Flood => Seen::Flood,
    }
}

/// Feeds packets as a connection does, and ends the stream.
fn frames<'p>(
    mut splitter: LineSplitter,
    packets: impl IntoIterator<Item = &'p [u8]>,
) -> Vec<Seen> {
    let mut buffer: Vec<u8> = Vec::new();
    let mut frames = Vec::new();
    for packet in packets {
        buffer.extend_from_slice(packet);
        let mut window = &buffer[..];
        while let Some(frame) = splitter.next(&mut window) {
            frames.push(seen(frame));
        }
        let used = buffer.len() - window.len();
        buffer.drain(..used);
    }
    let mut window = &buffer[..];
    while let Some(frame) = splitter.finish(&mut window) {
        frames.push(seen(frame));
    }
    frames
}

fn lines(stream: &[u8]) -> Vec<String> {
    let lines = frames(LineSplitter::new(), [stream]).into_iter();
    lines
        .map(|frame| match frame {
            Seen::Line(line) => String::from_utf8(line).unwrap(),
            other => panic!("{other:?}"),
        })
        .collect()
}

#[test]
fn lines_end_at_lf_or_crlf_and_empty_ones_are_skipped() {
    let table: [(&str, &[&str]); 6] = [
        ("", &[]),
        ("\n\r\n  \n\t\r\n", &[]),
        ("a\nb\r\n\nc\n", &["a", "b", "c"]),
        ("sumar 2 + 2\nsalir", &["sumar 2 + 2", "salir"]),
        ("a\rb\n", &["a\rb"]),
        (" a \r\n", &[" a "]),
    ];
    for (stream, expected) in table {
        assert_eq!(lines(stream.as_bytes()), expected, "{stream:?}");
    }
}

#[test]
fn a_million_empty_lines_are_skipped_without_recursion() {
    assert!(lines(&b"\n".repeat(1_000_000)).is_empty());
}

#[test]
fn before_the_first_newline_a_complete_object_is_a_line() {
    let mut splitter = LineSplitter::new();
    let mut window = &br#"{"op":"echo","x":"}\"{"}{"op":"b""#[..];
    let first = Frame::Line(br#"{"op":"echo","x":"}\"{"}"#);
    assert_eq!(splitter.next(&mut window), Some(first));
    assert_eq!(splitter.next(&mut window), None);
    assert!(splitter.unframed(window));
}

#[test]
fn before_the_first_newline_a_silence_makes_a_line() {
    let mut splitter = LineSplitter::new();
    let mut window = &b"sumar 2 + 2"[..];
    assert_eq!(splitter.next(&mut window), None);
    assert!(splitter.unframed(window));
    let frame = splitter.take_unframed(&mut window);
    assert_eq!(frame, Some(Frame::Line(b"sumar 2 + 2")));
    assert!(!splitter.unframed(window));
    let mut window = &b"procesar datos\n"[..];
    let frame = splitter.next(&mut window);
    assert_eq!(frame, Some(Frame::Line(b"procesar datos")));
}

#[test]
fn after_the_first_newline_a_silence_means_nothing() {
    let mut splitter = LineSplitter::new();
    let mut window = &b"a\n{\"op\":\"b\"}"[..];
    assert_eq!(splitter.next(&mut window), Some(Frame::Line(b"a")));
    assert_eq!(splitter.next(&mut window), None);
    assert!(!splitter.unframed(window));
    assert_eq!(splitter.take_unframed(&mut window), None);
    assert!(splitter.begun(window));
}

#[test]
fn blanks_alone_begin_no_line() {
    let splitter = LineSplitter::new();
    assert!(!splitter.unframed(b" \r"));
    assert!(!splitter.begun(b" \r"));
}

/// A stream in packets of 64 KiB, as it would be read.
fn packets(stream: &[u8]) -> Vec<Seen> {
    let whole = frames(LineSplitter::new(), [stream]);
    let parts = frames(LineSplitter::new(), stream.chunks(64 * 1024));
    assert!(whole == parts, "the packets made a difference");
    whole
}

#[test]
fn a_line_of_the_limit_passes_and_one_byte_more_is_told_once() {
    let longest = b"x".repeat(LINE_BYTES_MAX);
    for end in ["\n", "\r\n"] {
        let stream = [&longest, end.as_bytes(), b"next\n"].concat();
        let expected = [Seen::Line(longest.clone()), Seen::Line(b"next".to_vec())];
        assert!(packets(&stream) == expected, "{end:?}");
        let stream = [b"x", &stream[..]].concat();
        let expected = [
            Seen::TooLong(Face::Text, LINE_BYTES_MAX),
            Seen::Line(b"next".to_vec()),
        ];
        assert_eq!(packets(&stream), expected, "{end:?}");
    }
}

#[test]
fn a_batch_may_be_longer_and_has_a_limit_too() {
    let padded = |head: &str, length: usize| {
        let mut line = head.as_bytes().to_vec();
        line.resize(length, b' ');
        line.extend_from_slice(b"\nnext\n");
        line
    };
    let head = r#"{"ref":1, "cmd" : "batch","tasks":[]"#;
    let passed = packets(&padded(head, BATCH_LINE_BYTES_MAX));
    assert!(matches!(&passed[..], [Seen::Line(_), Seen::Line(_)]));
    let refused = packets(&padded(head, BATCH_LINE_BYTES_MAX + 1));
    assert_eq!(refused[0], Seen::TooLong(Face::Json, BATCH_LINE_BYTES_MAX));
    let other = packets(&padded(r#"{"op":"batch""#, LINE_BYTES_MAX + 1));
    assert_eq!(other[0], Seen::TooLong(Face::Json, LINE_BYTES_MAX));
}

#[test]
fn a_line_without_end_is_given_up() {
    let mut stream = b"x".repeat(DISCARD_BYTES_MAX + 1);
    stream.extend_from_slice(b"\nnever seen\n");
    let expected = [Seen::TooLong(Face::Text, LINE_BYTES_MAX), Seen::Flood];
    assert_eq!(packets(&stream), expected);
    stream.remove(0);
    let frames = packets(&stream);
    assert_eq!(frames[1], Seen::Line(b"never seen".to_vec()));
}

/// Streams in which every rule of framing gets its turn.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("\n".to_owned()),
        Just("\r\n".to_owned()),
        Just(" ".to_owned()),
        Just(r#"{"op":"square","n":5}"#.to_owned()),
        Just(r#"{"a":[{"b":"}\\"}]}"#.to_owned()),
        Just("sumar 2 + 2".to_owned()),
        "[{}\\[\\]\"\\\\a\r\n ]{0,6}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn packets_make_no_difference(
        stream in stream(),
        cuts in prop::collection::vec(1_usize..9, 1..20),
    ) {
        let mut rest = &stream[..];
        let mut packets = Vec::new();
        for cut in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (packet, after) = rest.split_at((*cut).min(rest.len()));
            packets.push(packet);
            rest = after;
        }
        for splitter in [LineSplitter::new(), LineSplitter::without_classroom()] {
            let whole = frames(splitter.clone(), [&stream[..]]);
            let parts = frames(splitter, packets.iter().copied());
            prop_assert_eq!(whole, parts);
        }
    }
}
