//! The price book: what a call cost, in exact decimals.

use chrono::{DateTime, NaiveDate, Utc};
use figment::Figment;
use figment::providers::{Format, Toml};
use rust_decimal::Decimal;
use serde::Deserialize;

/// Prices by provider and model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceBook {
    #[serde(default, rename = "price")]
    prices: Vec<Price>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    provider: String,
    /// A name, or the beginning of one with `*` after it.
    model_pattern: String,
    valid_from: NaiveDate,
    /// The first day that it is not valid any more.
    valid_to: Option<NaiveDate>,
    /// US dollars per million tokens.
    input: Decimal,
    cache_read: Decimal,
    output: Decimal,
    #[serde(default)]
    unit: Unit,
    cache_mode: CacheMode,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Unit {
    #[default]
    PerMillion,
}

/// How a provider counts cached input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CacheMode {
    /// Inside the input tokens.
    Subtract,
    /// Beside them.
    Additive,
}

/// The tokens of a call.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tokens {
    pub input: u32,
    pub cached: u32,
    pub output: u32,
}

impl PriceBook {
    /// The prices that come with the program.
    pub fn built_in() -> Self {
        Self::read(include_str!("../../../prices.toml")).expect("the price book of the program is in order")
    }

    pub fn read(text: &str) -> Result<Self, String> {
        Figment::from(Toml::string(text)).extract().map_err(|error| error.to_string())
    }

    /// What a call cost, in billionths of a US dollar; `None` for a model without a price.
    pub fn cost(&self, provider: &str, model: &str, at: DateTime<Utc>, tokens: Tokens) -> Option<i64> {
        let price = self.prices.iter().find(|price| price.fits(provider, model, at.date_naive()))?;
        Some(billionths(price.cost(tokens)))
    }
}

impl Price {
    fn fits(&self, provider: &str, model: &str, day: NaiveDate) -> bool {
        let is_model = match self.model_pattern.strip_suffix('*') {
            Some(beginning) => model.starts_with(beginning),
            None => model == self.model_pattern,
        };
        is_model
            && is_provider(&self.provider, provider)
            && self.valid_from <= day
            && self.valid_to.is_none_or(|to| day < to)
    }

    fn cost(&self, tokens: Tokens) -> Decimal {
        let full = match self.cache_mode {
            CacheMode::Subtract => tokens.input.saturating_sub(tokens.cached),
            CacheMode::Additive => tokens.input,
        };
        let Unit::PerMillion = self.unit;
        let parts = [(full, self.input), (tokens.cached, self.cache_read), (tokens.output, self.output)];
        let sum: Decimal = parts.iter().map(|(count, price)| Decimal::from(*count) * price).sum();
        sum / Decimal::from(1_000_000)
    }
}

/// Whether a provider as it is told (`azure.ai.openai`, `gcp.gemini`) is the one of the price.
fn is_provider(known: &str, told: &str) -> bool {
    let told = told.to_ascii_lowercase();
    let aliases: &[&str] = match known {
        "openai" => &["azure.ai.openai", "az.ai.openai", "azure", "azure_openai"],
        "google" => &["gcp.gemini", "gcp.vertex_ai", "gcp.gen_ai", "vertex_ai", "gemini", "google.generativeai"],
        "anthropic" => &["aws.bedrock", "bedrock"],
        _ => &[],
    };
    // Who does not name a provider means the one that the model is known for.
    told.is_empty() || told == known || aliases.contains(&told.as_str())
}

/// In billionths, the half of one rounded to the even neighbour.
pub fn billionths(dollars: Decimal) -> i64 {
    let mut rounded = dollars.round_dp(9);
    rounded.rescale(9);
    i64::try_from(rounded.mantissa()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(rows: &str) -> PriceBook {
        PriceBook::read(rows).unwrap()
    }

    fn day(day: &str) -> DateTime<Utc> {
        format!("{day}T12:00:00Z").parse().unwrap()
    }

    const ROW: &str = "[[price]]\nprovider = 'p'\nmodel_pattern = 'm*'\nvalid_from = '2026-01-01'\nvalid_to = '2026-02-01'\ninput = '3'\ncache_read = '0.30'\noutput = '15'\nunit = 'per_million'\n";

    #[test]
    fn cached_tokens_are_a_part_of_the_input_or_come_beside_it() {
        let tokens = Tokens { input: 1_000, cached: 400, output: 200 };
        let subtract = book(&format!("{ROW}cache_mode = 'subtract'"));
        assert_eq!(subtract.cost("p", "m1", day("2026-01-15"), tokens), Some(4_920_000));
        let additive = book(&format!("{ROW}cache_mode = 'additive'"));
        assert_eq!(additive.cost("p", "m1", day("2026-01-15"), tokens), Some(6_120_000));
    }

    #[test]
    fn a_price_is_for_its_provider_its_models_and_its_time() {
        let book = book(&format!("{ROW}cache_mode = 'subtract'"));
        let cost = |provider: &str, model: &str, at: &str| book.cost(provider, model, day(at), Tokens::default());
        assert_eq!(cost("p", "m", "2026-01-01"), Some(0));
        assert_eq!(cost("", "m", "2026-01-31"), Some(0));
        assert_eq!(cost("p", "n", "2026-01-15"), None);
        assert_eq!(cost("q", "m", "2026-01-15"), None);
        assert_eq!(cost("p", "m", "2025-12-31"), None);
        assert_eq!(cost("p", "m", "2026-02-01"), None);
    }

    #[test]
    fn the_built_in_book_is_in_order() {
        let book = PriceBook::built_in();
        assert!(book.prices.len() > 10);
        for (index, price) in book.prices.iter().enumerate() {
            // A row that an earlier one hides would never count.
            let name = price.model_pattern.trim_end_matches('*');
            let first = book.prices.iter().position(|other| other.fits(&price.provider, name, price.valid_from));
            assert_eq!(first, Some(index), "{} {}", price.provider, price.model_pattern);
        }
    }

    #[test]
    fn a_mistake_in_a_book_is_named() {
        let error = PriceBook::read(&format!("{ROW}cache_mode = 'sideways'")).unwrap_err();
        assert!(error.contains("sideways"), "{error}");
    }
}
