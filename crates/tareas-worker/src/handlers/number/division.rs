//! Division: exact when it divides, else the double nearest to the true quotient.

use num_bigint::{BigInt, Sign};

use super::{Number, too_large};
use crate::HandlerError;

pub(super) fn by_zero() -> HandlerError {
    HandlerError::rejected("division by zero is undefined").named("division_by_zero")
}

impl Number {
    /// The quotient. Rejected when `other` is zero.
    pub(in crate::handlers) fn divide(&self, other: &Self) -> Result<Self, HandlerError> {
        if other.is_zero() {
            return Err(by_zero());
        }
        let (Some(a), Some(b)) = (self.to_big(), other.to_big()) else {
            return Self::decimal(self.to_f64() / other.to_f64());
        };
        let whole = &a / &b;
        if &whole * &b == a {
            return Self::integer(whole);
        }
        Self::decimal(nearest(&a, &b)).map_err(|_| too_large())
    }
}

/// The double nearest to `a / b`: a quotient of 65 bits or more, whose last bit also says
/// whether anything is left, is rounded once.
fn nearest(a: &BigInt, b: &BigInt) -> f64 {
    const BITS: i64 = 66;
    let bits = |number: &BigInt| i64::try_from(number.bits()).unwrap_or(i64::MAX);
    let shift = BITS + bits(b) - bits(a);
    let (mut top, mut bottom) = (a.magnitude().clone(), b.magnitude().clone());
    if shift >= 0 {
        top <<= shift.unsigned_abs();
    } else {
        bottom <<= shift.unsigned_abs();
    }
    let quotient = &top / &bottom;
    let left_over = &quotient * &bottom != top;
    let rounded = u128::try_from(&quotient).unwrap_or(u128::MAX) | u128::from(left_over);
    let magnitude = scale(rounded as f64, -shift);
    if (a.sign() == Sign::Minus) == (b.sign() == Sign::Minus) {
        magnitude
    } else {
        -magnitude
    }
}

/// `value * 2^exponent`, in steps that stay in range.
fn scale(mut value: f64, mut exponent: i64) -> f64 {
    const STEP: i64 = 1000;
    while exponent.abs() > STEP && value != 0.0 && value.is_finite() {
        let step = STEP * exponent.signum();
        value *= 2f64.powi(step as i32);
        exponent -= step;
    }
    value * 2f64.powi(exponent.clamp(-STEP, STEP) as i32)
}
