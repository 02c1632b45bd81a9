//! Coverage: which attributes fill which columns, and which models have no price.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Models that are told apart; there are not so many, unless somebody makes names up.
const MOST_MODELS: usize = 200;

/// Counts of one account, since the start of the process.
#[derive(Debug, Default)]
pub struct Coverage {
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    attributes: BTreeMap<(&'static str, &'static str), u64>,
    without_price: BTreeMap<(String, String), u64>,
}

/// Column, attribute, spans.
pub type AttributeCounts = Vec<(&'static str, &'static str, u64)>;
/// Provider, model, spans.
pub type ModelCounts = Vec<(String, String, u64)>;

impl Coverage {
    pub fn note(&self, column: &'static str, attribute: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.attributes.entry((column, attribute)).or_default() += 1;
    }

    pub fn note_without_price(&self, provider: &str, model: &str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let known = counts.without_price.len();
        let key = (provider.to_owned(), model.to_owned());
        if known < MOST_MODELS || counts.without_price.contains_key(&key) {
            *counts.without_price.entry(key).or_default() += 1;
        }
    }

    /// Which attributes filled which columns, and the models without a price.
    pub fn counts(&self) -> (AttributeCounts, ModelCounts) {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let attributes = counts.attributes.iter().map(|((column, name), spans)| (*column, *name, *spans));
        let models =
            counts.without_price.iter().map(|((provider, model), spans)| (provider.clone(), model.clone(), *spans));
        (attributes.collect(), models.collect())
    }
}
