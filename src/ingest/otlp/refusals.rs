//! What of an export was refused: reasons, and how often each.

use std::collections::BTreeMap;

use super::values::TooMuch;
use crate::ingest::rejection::Rejection;

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
        let reasons: Vec<String> =
            self.0.iter().map(|((code, detail), count)| format!("{code}: {detail} ({count})")).collect();
        reasons.join("; ")
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
