//! `sumar`, `restar`, `multiplicar`, `dividir`, and the same in English.
//!
//! Numbers come as `2 + 2`, `2 3`, `2, 3`, `[2,3]` or `{"a":2,"b":3}`. A sign that touches the
//! number behind it and not the one before belongs to the number: `5 -3` are 5 and -3, while
//! `5 - 3` and `5-3` are one operation.

use bytes::Bytes;

use super::number::Number;
use super::payload::{Payload, invalid, number_of, object_in, quoted, refuse_others, unquoted};
use crate::{Context, HandlerError, Registry};

type Operate = fn(&Number, &Number) -> Result<Number, HandlerError>;

/// One operation under its two names.
struct Operation {
    spanish: &'static str,
    english: &'static str,
    /// What may stand between two numbers.
    signs: &'static [char],
    operate: Operate,
    /// Whether it takes more than two numbers: then their order does not matter.
    many: bool,
    describe: (&'static str, &'static str),
}

const OPERATIONS: [Operation; 4] = [
    Operation {
        spanish: "sumar",
        english: "add",
        signs: &['+'],
        operate: Number::add,
        many: true,
        describe: ("Adds numbers.", "Suma números."),
    },
    Operation {
        spanish: "restar",
        english: "subtract",
        signs: &['-', '−'],
        operate: Number::subtract,
        many: false,
        describe: (
            "Subtracts the second number from the first.",
            "Resta dos números.",
        ),
    },
    Operation {
        spanish: "multiplicar",
        english: "multiply",
        signs: &['*', '×', '·', 'x'],
        operate: Number::multiply,
        many: true,
        describe: ("Multiplies numbers.", "Multiplica números."),
    },
    Operation {
        spanish: "dividir",
        english: "divide",
        signs: &['/', '÷', ':'],
        operate: Number::divide,
        many: false,
        describe: (
            "Divides the first number by the second.",
            "Divide dos números.",
        ),
    },
];

pub(super) fn register(registry: &mut Registry) {
    for operation in &OPERATIONS {
        for name in [operation.spanish, operation.english] {
            let usage = operation.usage(name);
            let handler =
                move |_: &Context, payload: Bytes| operation.run(&payload, &usage)?.to_json();
            registry
                .register_raw(name, handler)
                .describe(operation.describe.0, operation.describe.1)
                .example(
                    &format!("{name} 6 {} 3", operation.signs[0]),
                    &format!(r#"{{"op":"{name}","a":6,"b":3}}"#),
                )
                .not_retryable();
        }
    }
}

impl Operation {
    fn usage(&self, name: &str) -> String {
        let many = if self.many {
            "two numbers or more"
        } else {
            "two numbers"
        };
        let sign = self.signs[0];
        format!("{name} takes {many}: `{name} 6 {sign} 3`, `{name} 6 3` or {{\"a\":6,\"b\":3}}")
    }

    fn run(&self, payload: &[u8], usage: &str) -> Result<Number, HandlerError> {
        let numbers = self.numbers(payload, usage)?;
        let [first, second, others @ ..] = numbers.as_slice() else {
            return Err(invalid(
                format_args!("{} given", how_many(numbers.len())),
                usage,
            ));
        };
        if !self.many && !others.is_empty() {
            return Err(invalid(
                format_args!("{} given", how_many(numbers.len())),
                usage,
            ));
        }
        let start = (self.operate)(first, second)?;
        others
            .iter()
            .try_fold(start, |result, next| (self.operate)(&result, next))
    }

    fn numbers(&self, payload: &[u8], usage: &str) -> Result<Vec<Number>, HandlerError> {
        let members = |object: std::collections::BTreeMap<_, _>| {
            refuse_others(&object, &["a", "b"], usage)?;
            object
                .into_values()
                .map(|value| number_of(value, usage))
                .collect()
        };
        match Payload::read(payload, usage)? {
            Payload::Text(text) => match object_in(&text) {
                Some(object) => members(object),
                None => self.split(unquoted(&text), usage),
            },
            Payload::Object(object) => members(object),
            Payload::List(list) => list.into_iter().map(|v| number_of(v, usage)).collect(),
            Payload::Number(number) => Ok(vec![Number::parse(number)?]),
            other => Err(invalid(format_args!("{} given", other.name()), usage)),
        }
    }

    /// The numbers of a line.
    fn split(&self, line: &str, usage: &str) -> Result<Vec<Number>, HandlerError> {
        let mut numbers = Vec::new();
        let mut rest = line;
        while !rest.is_empty() {
            let end = number_end(rest);
            if end == 0 {
                return Err(invalid(
                    format_args!("{} is not a number", quoted(rest)),
                    usage,
                ));
            }
            numbers.push(Number::parse(&rest[..end])?);
            let behind = &rest[end..];
            rest = self.skip_separator(behind, usage)?;
            if rest.is_empty() && !behind.is_empty() {
                return Err(invalid("a number is missing at the end", usage));
            }
        }
        Ok(numbers)
    }

    /// What follows the sign, the comma or the space between two numbers.
    fn skip_separator<'a>(&self, text: &'a str, usage: &str) -> Result<&'a str, HandlerError> {
        let next = text.trim_start();
        let spaced = next.len() < text.len();
        if let Some(behind) = next.strip_prefix([',', ';']) {
            let list = behind.is_empty() || behind.starts_with(char::is_whitespace);
            let ambiguous = "a comma without a space may be a decimal: write 2.5, or 2, 5";
            return if list {
                Ok(behind.trim_start())
            } else {
                Err(invalid(ambiguous, usage))
            };
        }
        let signed_number = spaced && number_end(next) > 0;
        match next.strip_prefix(self.signs) {
            Some(behind) if !signed_number => Ok(behind.trim_start()),
            _ if spaced || next.is_empty() => Ok(next),
            _ => Err(invalid(format_args!("unexpected {}", quoted(next)), usage)),
        }
    }
}

fn how_many(count: usize) -> String {
    match count {
        0 => "no number".to_owned(),
        1 => "one number".to_owned(),
        count => format!("{count} numbers"),
    }
}

/// Where the number that the text begins with ends; 0 if it begins with none.
fn number_end(text: &str) -> usize {
    let bytes = text.as_bytes();
    let digits = |from: usize| {
        from + bytes[from.min(bytes.len())..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count()
    };
    let start = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let mut end = digits(start);
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > end + 1 {
        end = digits(end + 1);
    }
    if end == start {
        return 0;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            return exponent;
        }
    }
    end
}
