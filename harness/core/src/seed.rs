//! Seeds that are hashed, never added, and one portable generator.
//!
//! Additive seeding (`seed + index`) makes neighbouring data sets share almost all their items; a derived
//! seed shares nothing with its neighbours.

use std::fmt;

use rand_chacha::rand_core::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

/// A 64-bit seed, written as 16 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Seed(pub u64);

impl Seed {
    /// The seed of child `index` of the stream named `label`.
    #[must_use]
    pub fn derive(self, label: &str, index: u64) -> Self {
        let digest = Sha256::new()
            .chain_update(self.0.to_le_bytes())
            .chain_update((label.len() as u64).to_le_bytes())
            .chain_update(label)
            .chain_update(index.to_le_bytes())
            .finalize();
        Self(u64::from_le_bytes(std::array::from_fn(|i| digest[i])))
    }

    /// A seed from any text, such as an example id.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(0).derive(text, 0)
    }

    /// The generator that this seed starts.
    #[must_use]
    pub fn rng(self) -> Rng {
        let digest = Sha256::digest(self.0.to_le_bytes());
        Rng(ChaCha8Rng::from_seed(digest.into()))
    }
}

impl fmt::Display for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Serialize for Seed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Seed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16)
            .map(Self)
            .map_err(|_| serde::de::Error::custom(format!("a seed is 16 hexadecimal digits, not {text:?}")))
    }
}

/// ChaCha8 with integer helpers; the same stream on every machine.
#[derive(Clone, Debug)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The next 32 bits.
    pub fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Uniform in `0..bound`, without modulo bias.
    ///
    /// # Panics
    /// If `bound` is 0.
    pub fn below(&mut self, bound: u32) -> u32 {
        assert!(bound > 0, "nothing to draw from");
        // Lemire's method: reject the few low products that would make some values more likely.
        let threshold = bound.wrapping_neg() % bound;
        loop {
            let product = u64::from(self.0.next_u32()) * u64::from(bound);
            if product as u32 >= threshold {
                return (product >> 32) as u32;
            }
        }
    }

    /// Uniform index in `0..len`.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(u32::try_from(len).expect("collections drawn from are small")) as usize
    }

    /// Uniform in `low..=high`.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True with a chance of `parts` in `whole`.
    pub fn chance(&mut self, parts: u32, whole: u32) -> bool {
        self.below(whole) < parts
    }

    /// Uniform in [0, 1) with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Shuffles in place (Fisher-Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.index(i + 1));
        }
    }

    /// One item of a non-empty slice.
    pub fn choose<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_streams_are_portable() {
        // Golden values: a change here changes every generated split.
        assert_eq!(Seed(7).derive("maze", 3).to_string(), "187fde51b6c6dfa2");
        let mut rng = Seed(7).rng();
        assert_eq!([rng.below(10), rng.below(10), rng.below(10), rng.below(10)], [2, 0, 3, 8]);
    }

    #[test]
    fn neighbouring_seeds_share_no_children() {
        let children = |seed: u64| (0..500).map(move |i| Seed(seed).derive("item", i));
        let all: std::collections::BTreeSet<_> = (0..4).flat_map(children).collect();
        assert_eq!(all.len(), 2000);
    }

    #[test]
    fn a_seed_survives_its_text() {
        let seed = Seed(0x0123_4567_89ab_cdef);
        let text = serde_json::to_string(&seed).unwrap();
        assert_eq!(text, "\"0123456789abcdef\"");
        assert_eq!(serde_json::from_str::<Seed>(&text).unwrap(), seed);
    }
}
