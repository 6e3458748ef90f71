//! `calc`: arithmetic as people write it, `2 + 3 * 4`.
//!
//! A Pratt parser that computes as it reads. `^` (or `**`) binds tighter than the minus before
//! it and to the right; `%` is the remainder with the sign of its left side. Length, depth and
//! the size of every intermediate result are bounded, so no expression runs away.

use bytes::Bytes;

use super::number::Number;
use super::payload::{Payload, invalid, object_in, quoted, unquoted};
use crate::{Context, HandlerError, Registry};

const USAGE: &str = "calc takes an expression of numbers, + - * / % ^ and parentheses: \
                     `calc 2 + 3 * 4` or {\"expression\":\"2 + 3 * 4\"}";
const LENGTH_MAX: usize = 64 * 1024;
const DEPTH_MAX: usize = 200;

pub(super) fn register(registry: &mut Registry) {
    registry
        .register_raw("calc", calc)
        .describe("Works out an expression.", "Calcula una expresión.")
        .example(
            "calc 2 + 3 * 4",
            r#"{"op":"calc","expression":"2 + 3 * 4"}"#,
        )
        .not_retryable();
}

fn calc(context: &Context, payload: Bytes) -> Result<Bytes, HandlerError> {
    let payload = match Payload::read(&payload, USAGE)? {
        Payload::Number(number) => return Number::parse(number)?.to_json(),
        other => other,
    };
    let text = match payload {
        Payload::Text(text) if object_in(&text).is_some() => {
            Payload::read(text.as_bytes(), USAGE)?.into_text(&["expression"], USAGE)?
        }
        other => other.into_text(&["expression"], USAGE)?,
    };
    let expression = unquoted(&text);
    if expression.len() > LENGTH_MAX {
        return Err(invalid("the expression is longer than 64 KiB", USAGE));
    }
    Parser {
        context,
        text: expression,
        at: 0,
        depth: 0,
    }
    .whole()?
    .to_json()
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

/// How tight a minus before a number binds: `-2 ^ 2` is -4, `-2 * 3` is (-2) * 3.
const MINUS: u8 = 5;

impl Operator {
    /// Bytes it takes, and which one it is.
    fn at_start_of(text: &str) -> Option<(usize, Self)> {
        if text.starts_with("**") {
            return Some((2, Self::Power));
        }
        let sign = text.chars().next()?;
        let operator = match sign {
            '+' => Self::Add,
            '-' | '−' => Self::Subtract,
            '*' | '×' | '·' => Self::Multiply,
            '/' | '÷' => Self::Divide,
            '%' => Self::Remainder,
            '^' => Self::Power,
            _ => return None,
        };
        Some((sign.len_utf8(), operator))
    }

    /// How tight it binds to its left and to its right.
    fn binding(self) -> (u8, u8) {
        match self {
            Self::Add | Self::Subtract => (1, 2),
            Self::Multiply | Self::Divide | Self::Remainder => (3, 4),
            Self::Power => (8, 7),
        }
    }

    fn apply(self, left: &Number, right: &Number) -> Result<Number, HandlerError> {
        match self {
            Self::Add => left.add(right),
            Self::Subtract => left.subtract(right),
            Self::Multiply => left.multiply(right),
            Self::Divide => left.divide(right),
            Self::Remainder => left.remainder(right),
            Self::Power => left.power(right),
        }
    }
}

struct Parser<'a> {
    context: &'a Context,
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn whole(mut self) -> Result<Number, HandlerError> {
        let value = self.expression(0)?;
        if self.rest().is_empty() {
            Ok(value)
        } else {
            Err(self.unexpected())
        }
    }

    /// An expression whose operators all bind tighter than `floor`.
    fn expression(&mut self, floor: u8) -> Result<Number, HandlerError> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(invalid("the expression is nested too deeply", USAGE));
        }
        let mut left = self.operand()?;
        while let Some((length, operator)) = Operator::at_start_of(self.rest()) {
            let (to_left, to_right) = operator.binding();
            if to_left < floor {
                break;
            }
            self.at += length;
            let right = self.expression(to_right)?;
            self.context.check()?;
            left = operator.apply(&left, &right)?;
        }
        self.depth -= 1;
        Ok(left)
    }

    /// A number, something in parentheses, or one of them with a sign before it.
    fn operand(&mut self) -> Result<Number, HandlerError> {
        match self.rest().chars().next() {
            Some('(') => {
                self.at += 1;
                let inner = self.expression(0)?;
                self.close()?;
                Ok(inner)
            }
            Some(sign @ ('-' | '−')) => {
                self.at += sign.len_utf8();
                self.expression(MINUS)?.negate()
            }
            Some('+') => {
                self.at += 1;
                self.expression(MINUS)
            }
            Some('0'..='9' | '.') => self.number(),
            _ => Err(self.unexpected()),
        }
    }

    fn close(&mut self) -> Result<(), HandlerError> {
        match self.rest().chars().next() {
            Some(')') => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(self.unexpected()),
            None => Err(invalid("a \")\" is missing", USAGE)),
        }
    }

    fn number(&mut self) -> Result<Number, HandlerError> {
        let rest = self.rest();
        let mut before = ' ';
        let length = rest.find(|c: char| {
            let exponent_sign = matches!(c, '+' | '-') && matches!(before, 'e' | 'E');
            before = c;
            !(c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E') || exponent_sign)
        });
        let number = &rest[..length.unwrap_or(rest.len())];
        self.at += number.len();
        Number::parse(number)
    }

    /// What is left, without white space in front.
    fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start();
        self.at = self.text.len() - rest.len();
        rest
    }

    fn unexpected(&mut self) -> HandlerError {
        let rest = self.rest();
        if rest.is_empty() {
            return invalid("the expression ends too early", USAGE);
        }
        let position = self.text[..self.at].chars().count() + 1;
        let text = format!("unexpected {} at character {position}", quoted(rest));
        invalid(text, USAGE)
    }
}
