//! The price book: what a call cost, in exact decimals.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::clickhouse::Sql;

/// Prices by provider and model.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceBook {
    #[serde(default, rename = "price")]
    prices: Vec<Price>,
    /// As it was read.
    #[serde(skip)]
    text: String,
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

    /// The prices of a file, or, without one, those that come with the program.
    pub fn open(file: Option<&Path>) -> Result<Self, PriceBookError> {
        let Some(file) = file else { return Ok(Self::built_in()) };
        let error = |place: String, why: String| PriceBookError { place: format!("{}{place}", file.display()), why };
        let text = std::fs::read_to_string(file).map_err(|reason| error(String::new(), reason.to_string()))?;
        Self::parse(&text).map_err(|(line, why)| error(format!(":{line}"), why))
    }

    pub fn read(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|(line, why)| format!("line {line}: {why}"))
    }

    /// Reads a book, or says in which line it is wrong.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let book: Self = toml::from_str(text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            (line_of(at), error.message().lines().collect::<Vec<_>>().join(" "))
        })?;
        let lines: Vec<usize> = text.match_indices("[[price]]").map(|(at, _)| line_of(at)).collect();
        for (index, price) in book.prices.iter().enumerate() {
            price.check().map_err(|why| (lines.get(index).copied().unwrap_or(1), why.to_owned()))?;
        }
        Ok(Self { text: text.to_owned(), ..book })
    }

    /// The book as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// How many prices there are.
    pub fn len(&self) -> usize {
        self.prices.len()
    }

    pub fn is_empty(&self) -> bool {
        self.prices.is_empty()
    }

    /// What a call cost, in billionths of a US dollar; `None` for a model without a price.
    pub fn cost(&self, provider: &str, model: &str, at: DateTime<Utc>, tokens: Tokens) -> Option<i64> {
        let price = self.prices.iter().find(|price| price.fits(provider, model, at.date_naive()))?;
        Some(billionths(price.cost(tokens)))
    }

    /// The same of the columns of a span, in SQL: a `Nullable(Decimal(18, 9))`.
    pub fn cost_sql(&self) -> Sql {
        // Whole numbers all along: billionths of a dollar for a million tokens, then for what there was.
        let amounts = self
            .prices
            .iter()
            .flat_map(|price| [price.fits_sql(), Sql::constant(","), price.amount_sql(), Sql::constant(",")]);
        let beginning = Sql::constant(
            "arrayMap(amount -> if(isNull(amount), NULL, CAST(toDecimal256(least(\
             intDiv(assumeNotNull(amount), 1000000) + (modulo(assumeNotNull(amount), 1000000) > 500000 OR \
             (modulo(assumeNotNull(amount), 1000000) = 500000 AND modulo(intDiv(assumeNotNull(amount), 1000000), 2) = 1)), \
             toInt128('999999999999999999')), 0) * toDecimal256('0.000000001', 9), 'Decimal(18, 9)')), [multiIf(",
        );
        let none = Sql::constant("false, toInt128(0), CAST(NULL, 'Nullable(Int128)'))])[1]");
        Sql::words(&std::iter::once(beginning).chain(amounts).chain([none]).collect::<Vec<_>>())
    }
}

/// A price book that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{place}: {why} (CHARTWELL_PRICES)")]
pub struct PriceBookError {
    /// The file, and the line where there is one.
    place: String,
    why: String,
}

/// As many decimals as money has here.
const DECIMALS: u32 = 9;

impl Price {
    fn check(&self) -> Result<(), &'static str> {
        for amount in [self.input, self.cache_read, self.output] {
            if amount.is_sign_negative() && !amount.is_zero() {
                return Err("a price is below zero");
            }
            if amount.normalize().scale() > DECIMALS {
                return Err("a price has more than nine decimals");
            }
            if amount >= Decimal::from(1_000_000_000) {
                return Err("a price is a billion dollars or more");
            }
        }
        if self.valid_to.is_some_and(|to| to <= self.valid_from) {
            return Err("`valid_to` is not after `valid_from`");
        }
        if self.model_pattern.trim_end_matches('*').contains('*') {
            return Err("a `model_pattern` has its `*` at its end");
        }
        Ok(())
    }

    /// The same as [`Self::fits`], of the columns of a span.
    fn fits_sql(&self) -> Sql {
        let constant = Sql::constant;
        let model = match self.model_pattern.strip_suffix('*') {
            Some(beginning) => [constant("(startsWith(model,"), Sql::text(beginning), constant(")")],
            None => [constant("(model ="), Sql::text(&self.model_pattern), constant("")],
        };
        let names = std::iter::once(&*self.provider).chain(aliases(&self.provider).iter().copied());
        let mut words = model.to_vec();
        words.push(constant("AND lower(provider) IN (''"));
        words.extend(names.flat_map(|name| [constant(","), Sql::text(name)]));
        words.extend([constant(") AND toDate32(start_time) >="), day_sql(self.valid_from)]);
        if let Some(to) = self.valid_to {
            words.extend([constant("AND toDate32(start_time) <"), day_sql(to)]);
        }
        words.push(constant(")"));
        Sql::words(&words)
    }

    /// The same as [`Self::cost`], in billionths of a millionth.
    fn amount_sql(&self) -> Sql {
        let full = match self.cache_mode {
            CacheMode::Subtract => {
                "toInt128(greatest(toInt64(ifNull(input_tokens, 0)) - toInt64(ifNull(cached_input_tokens, 0)), 0)) *"
            }
            CacheMode::Additive => "toInt128(ifNull(input_tokens, 0)) *",
        };
        let Unit::PerMillion = self.unit;
        Sql::words(&[
            Sql::constant(full),
            billionths_sql(self.input),
            Sql::constant("+ toInt128(ifNull(cached_input_tokens, 0)) *"),
            billionths_sql(self.cache_read),
            Sql::constant("+ toInt128(ifNull(output_tokens, 0)) *"),
            billionths_sql(self.output),
        ])
    }

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
    // Who does not name a provider means the one that the model is known for.
    told.is_empty() || told == known || aliases(known).contains(&told.as_str())
}

/// Other names of a provider.
fn aliases(known: &str) -> &'static [&'static str] {
    match known {
        "openai" => &["azure.ai.openai", "az.ai.openai", "azure", "azure_openai"],
        "google" => &["gcp.gemini", "gcp.vertex_ai", "gcp.gen_ai", "vertex_ai", "gemini", "google.generativeai"],
        "anthropic" => &["aws.bedrock", "bedrock"],
        _ => &[],
    }
}

fn day_sql(day: NaiveDate) -> Sql {
    Sql::call("toDate32", &[&day.format("%Y-%m-%d").to_string()])
}

fn billionths_sql(dollars: Decimal) -> Sql {
    let mut exact = dollars;
    exact.rescale(DECIMALS);
    Sql::call("toInt128", &[&exact.mantissa().to_string()])
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
