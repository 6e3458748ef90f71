//! A text as a QR code for a terminal: whoever stands beside it reads it with a phone.
//!
//! Each letter holds two points, one above the other. Where colours may be used the points are
//! black on white whatever the terminal's own colours are; where not, the light ones are drawn,
//! which is right on a dark terminal.

use qrcodegen::{QrCode, QrCodeEcc};

use super::Paint;

/// Light points around it, without which cameras do not find it.
const MARGIN: i32 = 2;

/// The lines of the code; `None` when the text is too long for one.
pub(crate) fn qr_code(text: &str, paint: Paint) -> Option<String> {
    let code = QrCode::encode_text(text, QrCodeEcc::Low).ok()?;
    let span = || -MARGIN..code.size() + MARGIN;
    let is_drawn = |x, y| match paint.is_on() {
        true => code.get_module(x, y),
        false => is_light(&code, x, y),
    };
    let lines = span().step_by(2).map(|y| {
        let points: String = span()
            .map(|x| letter(is_drawn(x, y), is_drawn(x, y + 1)))
            .collect();
        paint.black_on_white(&points)
    });
    Some(lines.collect::<Vec<_>>().join("\n"))
}

/// Whether a point is light: of the code, or of its margin.
fn is_light(code: &QrCode, x: i32, y: i32) -> bool {
    y < code.size() + MARGIN && !code.get_module(x, y)
}

fn letter(upper: bool, lower: bool) -> char {
    match (upper, lower) {
        (true, true) => '█',
        (true, false) => '▀',
        (false, true) => '▄',
        (false, false) => ' ',
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::output::ColorChoice;

    const LINK: &str = "https://tareas.example:5000/login?link=tl_abcdefgh_0123456789";

    fn drawn(choice: ColorChoice) -> String {
        qr_code(LINK, choice.paint(&io::stdout(), |_| None)).unwrap()
    }

    #[test]
    fn it_is_a_square_with_its_margin_and_its_corners() {
        let drawn = drawn(ColorChoice::Never);
        let lines: Vec<&str> = drawn.lines().collect();
        let width = lines[0].chars().count();
        assert!(lines.iter().all(|line| line.chars().count() == width));
        assert_eq!(lines.len(), width.div_ceil(2));
        // The margin is light, and a corner is a dark square in a light one in a dark one.
        assert!(lines[0].chars().all(|point| point == '█'));
        for (line, corner) in
            lines[1..5]
                .iter()
                .zip(["██ ▄▄▄▄▄ █", "██ █   █ █", "██ █▄▄▄█ █", "██▄▄▄▄▄▄▄█"])
        {
            assert!(line.starts_with(corner), "{drawn}");
        }
    }

    #[test]
    fn with_colours_dark_is_black_and_light_is_white() {
        let drawn = drawn(ColorChoice::Always);
        let first = drawn.lines().next().unwrap();
        assert!(first.starts_with("\x1b[30;107m ") && first.ends_with(" \x1b[0m"));
        assert!(!first.contains('█'));
    }

    #[test]
    fn what_is_too_long_has_no_code() {
        let plain = ColorChoice::Never.paint(&io::stdout(), |_| None);
        assert!(qr_code(&"x".repeat(8_000), plain).is_none());
    }
}
