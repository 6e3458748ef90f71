//! Numbers of the built-ins: integers are exact up to 10,000 digits, everything else is a
//! double that is written as the shortest decimal that reads back as the same.

mod division;
mod power;

use std::fmt;

use bytes::Bytes;
use num_bigint::BigInt;

use super::payload::quoted;
use crate::HandlerError;

/// Most digits of an integer, read or written.
const DIGITS_MAX: usize = 10_000;
/// No integer of `DIGITS_MAX` digits needs more bits.
const BITS_MAX: u64 = 33_220;

/// A number: `Big` only when it does not fit `Small`, `Decimal` never infinite nor NaN.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Number {
    Small(i128),
    Big(BigInt),
    Decimal(f64),
}

pub(super) fn too_large() -> HandlerError {
    HandlerError::rejected("the number is too large: integers have 10,000 digits at most")
        .named("too_large")
}

impl Number {
    /// Reads `-12`, `+3`, `2.5`, `.5`, `1e3`.
    pub(super) fn parse(text: &str) -> Result<Self, HandlerError> {
        let not_a_number = || {
            HandlerError::rejected(format!("{} is not a number", quoted(text)))
                .named("invalid_payload")
        };
        let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
        if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Err(not_a_number());
        }
        if unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
            return Self::parse_integer(text, unsigned.len());
        }
        let decimal = text.parse().map_err(|_| not_a_number())?;
        Self::decimal(decimal)
    }

    fn parse_integer(text: &str, digits: usize) -> Result<Self, HandlerError> {
        if let Ok(small) = text.parse() {
            return Ok(Self::Small(small));
        }
        if digits > DIGITS_MAX {
            return Err(too_large());
        }
        text.parse().map(Self::Big).map_err(HandlerError::from)
    }

    fn decimal(value: f64) -> Result<Self, HandlerError> {
        if value.is_finite() {
            Ok(Self::Decimal(value))
        } else {
            Err(too_large())
        }
    }

    fn integer(value: BigInt) -> Result<Self, HandlerError> {
        match i128::try_from(&value) {
            Ok(small) => Ok(Self::Small(small)),
            Err(_) if value.bits() > BITS_MAX => Err(too_large()),
            Err(_) => Ok(Self::Big(value)),
        }
    }

    /// The integer, if it is one and fits.
    pub(super) fn to_u64(&self) -> Option<u64> {
        match self {
            Self::Small(value) => u64::try_from(*value).ok(),
            Self::Big(_) | Self::Decimal(_) => None,
        }
    }

    pub(super) fn is_integer(&self) -> bool {
        !matches!(self, Self::Decimal(_))
    }

    pub(super) fn is_negative(&self) -> bool {
        match self {
            Self::Small(value) => *value < 0,
            Self::Big(value) => value.sign() == num_bigint::Sign::Minus,
            Self::Decimal(value) => *value < 0.0,
        }
    }

    fn is_zero(&self) -> bool {
        matches!(self, Self::Small(0)) || matches!(self, Self::Decimal(value) if *value == 0.0)
    }

    /// The nearest double.
    fn to_f64(&self) -> f64 {
        match self {
            Self::Small(value) => *value as f64,
            // Reading decimal digits rounds correctly; infinite when out of range.
            Self::Big(value) => value.to_string().parse().unwrap_or(f64::INFINITY),
            Self::Decimal(value) => *value,
        }
    }

    fn to_big(&self) -> Option<BigInt> {
        match self {
            Self::Small(value) => Some(BigInt::from(*value)),
            Self::Big(value) => Some(value.clone()),
            Self::Decimal(_) => None,
        }
    }

    pub(super) fn add(&self, other: &Self) -> Result<Self, HandlerError> {
        self.combine(other, i128::checked_add, |a, b| a + b, |a, b| a + b)
    }

    pub(super) fn subtract(&self, other: &Self) -> Result<Self, HandlerError> {
        self.combine(other, i128::checked_sub, |a, b| a - b, |a, b| a - b)
    }

    pub(super) fn multiply(&self, other: &Self) -> Result<Self, HandlerError> {
        self.combine(other, i128::checked_mul, |a, b| a * b, |a, b| a * b)
    }

    pub(super) fn negate(&self) -> Result<Self, HandlerError> {
        Self::Small(0).subtract(self)
    }

    /// The remainder, with the sign of the left side.
    pub(super) fn remainder(&self, other: &Self) -> Result<Self, HandlerError> {
        if other.is_zero() {
            return Err(division::by_zero());
        }
        self.combine(other, i128::checked_rem, |a, b| a % b, |a, b| a % b)
    }

    /// Applies an operation in the narrowest arithmetic that holds both sides and the result.
    fn combine(
        &self,
        other: &Self,
        small: fn(i128, i128) -> Option<i128>,
        big: fn(BigInt, BigInt) -> BigInt,
        decimal: fn(f64, f64) -> f64,
    ) -> Result<Self, HandlerError> {
        if let (Self::Small(a), Self::Small(b)) = (self, other)
            && let Some(result) = small(*a, *b)
        {
            return Ok(Self::Small(result));
        }
        match (self.to_big(), other.to_big()) {
            (Some(a), Some(b)) => Self::integer(big(a, b)),
            _ => Self::decimal(decimal(self.to_f64(), other.to_f64())),
        }
    }

    /// The number as JSON text.
    pub(super) fn to_json(&self) -> Result<Bytes, HandlerError> {
        let text = self.to_string();
        if text.trim_start_matches('-').len() > DIGITS_MAX {
            return Err(too_large());
        }
        Ok(Bytes::from(text))
    }
}

/// As JSON writes numbers; a decimal without fraction is written as an integer.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Small(value) => value.fmt(f),
            Self::Big(value) => value.fmt(f),
            Self::Decimal(0.0) => f.write_str("0"),
            Self::Decimal(value) if (1e-6..1e21).contains(&value.abs()) => value.fmt(f),
            Self::Decimal(value) => write!(f, "{value:e}"),
        }
    }
}
