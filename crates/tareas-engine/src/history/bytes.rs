//! A history as bytes: for each line its name and its rings, all numbers with the smallest byte
//! first, and a checksum at the end. What was torn, or written by another version, is not read.

use tareas_core::QueueName;

use super::ring::{Placed, Ring};
use super::{Line, Lines, QUEUES_MAX, Sample, Step};

/// How it begins; another layout begins otherwise.
const HEAD: &[u8] = b"tareas history 1\n";

/// All lines, as bytes.
pub(super) fn write(lines: &Lines) -> Vec<u8> {
    let mut out = HEAD.to_vec();
    number(&mut out, lines.queues.len() as u32);
    write_line(&mut out, "", &lines.all);
    for (queue, line) in &lines.queues {
        write_line(&mut out, queue.as_str(), line);
    }
    let sum = checksum(&out);
    out.extend_from_slice(&sum.to_le_bytes());
    out
}

fn write_line(out: &mut Vec<u8>, name: &str, line: &Line) {
    number(out, name.len() as u32);
    out.extend_from_slice(name.as_bytes());
    for ring in &line.0 {
        number(out, ring.samples().len() as u32);
        for placed in ring.samples() {
            for word in words(placed) {
                number(out, word);
            }
        }
    }
}

fn number(out: &mut Vec<u8>, number: u32) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn words((place, sample): &Placed) -> [u32; 8] {
    [
        *place,
        sample.accepted,
        sample.ended,
        sample.failed,
        sample.waiting,
        sample.running,
        sample.wait_ms.to_bits(),
        sample.run_ms.to_bits(),
    ]
}

/// What [`write`] has written; `None` for anything else.
pub(super) fn read(bytes: &[u8]) -> Option<Lines> {
    let (text, sum) = bytes.split_last_chunk::<8>()?;
    if checksum(text) != u64::from_le_bytes(*sum) {
        return None;
    }
    let mut rest = Rest(text.strip_prefix(HEAD)?);
    let queues = rest.number()? as usize;
    if queues > QUEUES_MAX {
        return None;
    }
    let mut lines = Lines::default();
    let (_, all) = rest.line()?;
    lines.all = all;
    for _ in 0..queues {
        let (name, line) = rest.line()?;
        lines.queues.insert(QueueName::new(name).ok()?, line);
    }
    rest.0.is_empty().then_some(lines)
}

/// What has not been read yet.
struct Rest<'b>(&'b [u8]);

impl<'b> Rest<'b> {
    fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk::<4>()?;
        self.0 = rest;
        Some(u32::from_le_bytes(*number))
    }

    fn text(&mut self) -> Option<&'b str> {
        let length = self.number()? as usize;
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }

    fn line(&mut self) -> Option<(&'b str, Line)> {
        let name = self.text()?;
        let mut line = Line::default();
        for (ring, step) in line.0.iter_mut().zip(Step::ALL) {
            self.ring(ring, step)?;
        }
        Some((name, line))
    }

    fn ring(&mut self, ring: &mut Ring, step: Step) -> Option<()> {
        let samples = self.number()? as usize;
        if samples > step.kept() {
            return None;
        }
        for _ in 0..samples {
            ring.push(self.placed()?);
        }
        Some(())
    }

    fn placed(&mut self) -> Option<Placed> {
        let place = self.number()?;
        let sample = Sample {
            accepted: self.number()?,
            ended: self.number()?,
            failed: self.number()?,
            waiting: self.number()?,
            running: self.number()?,
            wait_ms: f32::from_bits(self.number()?),
            run_ms: f32::from_bits(self.number()?),
        };
        Some((place, sample))
    }
}

/// FNV-1a: tells what was torn, not what was forged.
fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| {
        (sum ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
