//! Lines out of a stream that arrives in pieces, with a bound on each.

/// Takes bytes and gives lines.
#[derive(Debug)]
pub(super) struct Lines {
    held: Vec<u8>,
    line_bytes_max: usize,
}

impl Lines {
    /// Lines of at most so many bytes; a longer one comes out in pieces.
    pub(super) fn new(line_bytes_max: usize) -> Self {
        Self {
            held: Vec::new(),
            line_bytes_max,
        }
    }

    /// Takes what has arrived and hands on what is complete, without line breaks. What is not
    /// UTF-8 is replaced.
    pub(super) fn add(&mut self, bytes: &[u8], mut each: impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.hold(&rest[..end], &mut each);
            let line = std::mem::take(&mut self.held);
            each(&String::from_utf8_lossy(
                line.strip_suffix(b"\r").unwrap_or(&line),
            ));
            rest = &rest[end + 1..];
        }
        self.hold(rest, &mut each);
    }

    /// Hands on the last line, when the stream ended without a line break.
    pub(super) fn finish(&mut self, mut each: impl FnMut(&str)) {
        if !self.held.is_empty() {
            each(&String::from_utf8_lossy(&std::mem::take(&mut self.held)));
        }
    }

    fn hold(&mut self, bytes: &[u8], each: &mut impl FnMut(&str)) {
        self.held.extend_from_slice(bytes);
        while self.held.len() > self.line_bytes_max {
            let rest = self.held.split_off(self.line_bytes_max);
            let piece = std::mem::replace(&mut self.held, rest);
            each(&String::from_utf8_lossy(&piece));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_out_whole_however_they_arrive() {
        let mut lines = Lines::new(8);
        let mut found = Vec::new();
        for piece in [b"one\ntw".as_slice(), b"o\r\n\nlonger than that\nend"] {
            lines.add(piece, |line| found.push(line.to_owned()));
        }
        lines.finish(|line| found.push(line.to_owned()));
        assert_eq!(found, ["one", "two", "", "longer t", "han that", "end"]);
    }
}
