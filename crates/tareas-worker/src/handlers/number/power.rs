//! Powers: exact for integers as long as the result is within the limit on digits.

use num_bigint::BigInt;

use super::{BITS_MAX, Number, too_large};
use crate::HandlerError;

impl Number {
    /// `self` to the power of `exponent`.
    pub(in crate::handlers) fn power(&self, exponent: &Self) -> Result<Self, HandlerError> {
        let Some(base) = self.to_big() else {
            return self.real_power(exponent);
        };
        match exponent {
            Self::Decimal(_) => self.real_power(exponent),
            _ if exponent.is_negative() => Self::Small(1).divide(&self.power(&exponent.negate()?)?),
            _ => match self {
                Self::Small(0 | 1) if exponent.is_zero() => Ok(Self::Small(1)),
                Self::Small(0 | 1) => Ok(self.clone()),
                Self::Small(-1) if exponent.is_even() => Ok(Self::Small(1)),
                Self::Small(-1) => Ok(Self::Small(-1)),
                _ => Self::integer(whole_power(&base, exponent)?),
            },
        }
    }

    fn real_power(&self, exponent: &Self) -> Result<Self, HandlerError> {
        let value = self.to_f64().powf(exponent.to_f64());
        if value.is_nan() {
            let text = format!("{self} to the power of {exponent} is not a real number");
            return Err(HandlerError::rejected(text).named("undefined"));
        }
        Self::decimal(value)
    }

    fn is_even(&self) -> bool {
        match self {
            Self::Small(value) => value % 2 == 0,
            Self::Big(value) => !value.bit(0),
            Self::Decimal(_) => false,
        }
    }
}

/// Looks at the size of the result before any work is done.
fn whole_power(base: &BigInt, exponent: &Number) -> Result<BigInt, HandlerError> {
    let exponent = exponent
        .to_u64()
        .and_then(|e| u32::try_from(e).ok())
        .ok_or_else(too_large)?;
    let bits_at_least = (base.bits() - 1).saturating_mul(u64::from(exponent));
    if bits_at_least > BITS_MAX {
        return Err(too_large());
    }
    Ok(base.pow(exponent))
}
