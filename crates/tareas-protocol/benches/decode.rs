//! Nanoseconds per line of the hot paths: `cargo bench -p tareas-protocol`.
//!
//! `cargo bench -p tareas-protocol --bench decode -- NAME LINES` runs one of them so many times,
//! for counting its instructions.

use std::hint::black_box;
use std::time::Instant;
use tareas_protocol::frame::LineSplitter;
use tareas_protocol::request::{Decoder, Request};
use tareas_protocol::response::{
    Acknowledgement, AnswerReader, Durability, End, ResultText, Status, end_line,
};

const RUNS: usize = 15;
const LINES: usize = 100_000;

const SHORT: &[u8] = br#"{"op":"square","n":5}"#;
const SHORT_REF: &[u8] = br#"{"op":"square","n":12345,"ref":77}"#;
const TEXT: &[u8] = b"sumar 2 + 2";
const FULL: &[u8] = br#"{"cmd":"submit","kind":"resize","payload":{"width":640,"height":480,"source":"photos/2026/11/21.jpg"},"queue":"images","priority":7,"max_attempts":3,"ref":"a-1"}"#;
const ACK: &[u8] = br#"{"task_id":"019abcde-f012-7345-8678-9abcdef012ff","status":"queued"}"#;
const END: &[u8] =
    br#"{"task_id":"019abcde-f012-7345-8678-9abcdef012ff","status":"succeeded","result":25}"#;
const ID: [u8; 16] = *b"\x01\x9a\xbc\xde\xf0\x12\x73\x45\x86\x78\x9a\xbc\xde\xf0\x12\xff";

/// Prints the median of several runs of one piece of work.
#[expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
fn measure(name: &str, mut work: impl FnMut()) {
    if let Some((wanted, lines)) = one_alone() {
        if wanted == name {
            (0..lines).for_each(|_| work());
        }
        return;
    }
    let mut nanos: Vec<f64> = (0..RUNS)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..LINES {
                work();
            }
            begin.elapsed().as_nanos() as f64 / LINES as f64
        })
        .collect();
    nanos.sort_by(f64::total_cmp);
    println!("{name:<32} {:>8.1} ns", nanos[RUNS / 2]);
}

/// The one piece of work that was asked for, and how many times to do it.
fn one_alone() -> Option<(String, usize)> {
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    Some((words.next()?, words.next()?.parse().ok()?))
}

fn decode(name: &str, line: &'static [u8]) {
    let mut decoder = Decoder::new();
    measure(name, || {
        let line = decoder.line(black_box(line));
        assert!(black_box(line).request.is_ok());
    });
}

fn decode_with_payload() {
    let mut decoder = Decoder::new();
    measure("decode short + payload bytes", || {
        let line = decoder.line(black_box(SHORT));
        if let Ok(Request::Submit(submission)) = line.request {
            black_box(submission.payload.to_bytes());
        }
    });
}

fn encode() {
    let mut out = Vec::with_capacity(1 << 16);
    let acknowledgement = Acknowledgement {
        task_id: ID,
        status: Status::Queued,
        duplicate: false,
        durability: Durability::Full,
        reference: None,
    };
    measure("encode acknowledgement", || {
        if out.len() > 60_000 {
            out.clear();
        }
        black_box(&acknowledgement).append_to(&mut out);
        end_line(&mut out);
    });
    let end = End::Succeeded {
        result: ResultText::Json(b"25"),
    };
    measure("encode end", || {
        if out.len() > 60_000 {
            out.clear();
        }
        black_box(&end).append_to(&mut out, black_box(&ID), None);
        end_line(&mut out);
    });
}

fn read(name: &str, line: &'static [u8]) {
    let mut reader = AnswerReader::new();
    measure(name, || {
        assert!(black_box(reader.read(black_box(line))).is_ok());
    });
}

fn split() {
    let stream = [SHORT, b"\n"].concat().repeat(1_000);
    let mut splitter = LineSplitter::without_classroom();
    let mut window = &stream[..];
    measure("split a line", || {
        if splitter.next(&mut window).is_none() {
            window = black_box(&stream);
        }
    });
}

fn main() {
    split();
    decode("decode short", SHORT);
    decode("decode short with ref", SHORT_REF);
    decode_with_payload();
    decode("decode text", TEXT);
    decode("decode full form", FULL);
    encode();
    read("read acknowledgement", ACK);
    read("read end", END);
}
