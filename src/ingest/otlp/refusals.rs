//! What of an export was refused: reasons, and how often each.

use std::collections::BTreeMap;

use super::values::TooMuch;
use crate::ingest::rejection::Rejection;

/// The code of an item that cannot be decoded.
pub const UNREADABLE: &str = "unreadable";
/// The code of a span that has no ids at all.
pub const WITHOUT_IDS: &str = "without_ids";
/// Reasons that the sender is told.
const MOST_TOLD: usize = 20;

/// Reasons by code and detail, with counts.
#[derive(Debug, Default)]
pub struct Refusals(BTreeMap<(&'static str, String), usize>);

impl Refusals {
    pub fn add(&mut self, Rejection { code, detail, .. }: Rejection) {
        *self.0.entry((code, detail)).or_default() += 1;
    }

    pub fn total(&self) -> usize {
        self.0.values().sum()
    }

    /// For the sender.
    pub fn message(&self) -> String {
        let told = self.0.iter().take(MOST_TOLD).map(|((code, detail), count)| format!("{code}: {detail} ({count})"));
        let untold: usize = self.0.values().skip(MOST_TOLD).sum();
        told.chain((untold > 0).then(|| format!("other reasons ({untold})"))).collect::<Vec<_>>().join("; ")
    }

    /// Whether something was refused, and all of it as if it was never meant to be what it was read as.
    pub fn are_of_another_kind(&self) -> bool {
        !self.0.is_empty() && self.0.keys().all(|(code, _)| [UNREADABLE, WITHOUT_IDS].contains(code))
    }

    pub fn codes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().map(|((code, _), count)| (*code, *count as u64))
    }
}

impl From<&TooMuch> for Rejection {
    fn from(TooMuch(why): &TooMuch) -> Self {
        Self::new("too_large", "", *why)
    }
}

impl From<TooMuch> for Rejection {
    fn from(too_much: TooMuch) -> Self {
        (&too_much).into()
    }
}
