//! A fast hash for task ids, with a seed so that clients cannot aim at one bucket.

use std::hash::{BuildHasher, Hasher};

/// Builds hashers of ids with one seed per ledger.
#[derive(Clone, Copy, Debug)]
pub struct IdHash(pub u64);

impl BuildHasher for IdHash {
    type Hasher = IdHasher;

    fn build_hasher(&self) -> IdHasher {
        IdHasher {
            seed: self.0,
            hash: 0,
        }
    }
}

/// Folds the 16 bytes of an id into 64 bits with one wide multiplication.
#[derive(Clone, Copy, Debug)]
pub struct IdHasher {
    seed: u64,
    hash: u64,
}

const ODD: u64 = 0x9E37_79B9_7F4A_7C15;

impl IdHasher {
    fn fold(&mut self, bits: u128) {
        let (low, high) = (
            bits as u64 ^ self.seed,
            (bits >> 64) as u64 ^ ODD ^ self.hash,
        );
        let product = u128::from(low) * u128::from(high | 1);
        self.hash = (product as u64 ^ (product >> 64) as u64).wrapping_mul(ODD);
    }
}

impl Hasher for IdHasher {
    fn write(&mut self, bytes: &[u8]) {
        // An id comes whole.
        if let Ok(id) = bytes.try_into() {
            return self.fold(u128::from_le_bytes(id));
        }
        for chunk in bytes.chunks(16) {
            let mut wide = [0; 16];
            wide[..chunk.len()].copy_from_slice(chunk);
            self.fold(u128::from_le_bytes(wide));
        }
    }

    fn write_usize(&mut self, _length_prefix: usize) {
        // The length of an id says nothing.
    }

    fn finish(&self) -> u64 {
        self.hash
    }
}
