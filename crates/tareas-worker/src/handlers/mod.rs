//! The built-in kinds, one file a family, and what they share: reading payloads and numbers.

mod arithmetic;
pub mod builtin;
mod calc;
mod fail;
mod number;
mod payload;
mod primes;
mod sleep;
mod square;
mod text;
