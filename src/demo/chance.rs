//! Chance, always the same for the same seed.

use chrono::{DateTime, Utc};

/// What an hour's numbers are drawn from; each part of the story has numbers of its own.
pub fn of_hour(seed: u64, part: u64, from: DateTime<Utc>) -> fastrand::Rng {
    let hour = (from.timestamp_millis() as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    fastrand::Rng::with_seed(seed ^ hour ^ part.wrapping_mul(0xd1b5_4a32_d192_ed03))
}

/// A positive number around the usual one; the logarithm spreads as a bell does.
pub fn around(random: &mut fastrand::Rng, usual: f64, spread: f64) -> f64 {
    // The sum of four even draws has a variance of a third.
    let bell = (0..4).map(|_| random.f64() - 0.5).sum::<f64>() * 3f64.sqrt();
    usual * (bell * spread).exp()
}
