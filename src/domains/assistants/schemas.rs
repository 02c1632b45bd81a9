//! Questions about assistants, and rows of their answers.

use super::repository::SPANS;
use crate::query::dataset::Dataset;
use crate::query::filters::FilterSet;
use crate::query::{Aggregation, Comparison, DateRange, Filters, Split, dimension, parameter, question, vocabulary};

dimension! {
    /// What a chart of assistants can be split by.
    pub enum SpanDimension {
        Assistant = "assistant" of "assistant_code",
        AssistantVersion = "assistant_version" of "assistant_version",
        Environment = "environment" of "environment",
        ProfileCode = "profile_code" of "profile_code",
        Operation = "operation" of "operation",
        Provider = "provider" of "provider",
        Model = "model" of "model",
        EventType = "event_type" of "event_type",
        Status = "status" of "status_code",
        ErrorType = "error_type" of "error_type",
    }
}

vocabulary! {
    /// Which tokens are counted.
    pub enum Tokens as "tokens" {
        /// Input and output.
        All = "all",
        Input = "input",
        Output = "output",
        /// A part of the input.
        CachedInput = "cached_input",
    }
}

parameter!(
    Tokens,
    Tokens::All,
    "Which tokens are counted: input and output together, one of them, or the part of the input that came from a cache."
);

vocabulary! {
    /// A quantile of a chart that is split.
    pub enum Quantile as "quantile" {
        P50 = "p50",
        P75 = "p75",
        P90 = "p90",
        P95 = "p95",
        P99 = "p99",
    }
}

parameter!(
    Quantile,
    Quantile::P95,
    "With `split_by`, the quantile that is shown for each group; without, all of them are shown."
);

/// Filters of questions about assistants.
#[derive(Debug, Clone, Copy)]
pub struct SpanFilters;

impl FilterSet for SpanFilters {
    const DATASET: &'static Dataset = &SPANS;
    const LISTS: &'static [(&'static str, &'static str)] = &[
        ("assistant_codes", "assistant_code"),
        ("assistant_versions", "assistant_version"),
        ("environments", "environment"),
        ("profile_codes", "profile_code"),
        ("operations", "operation"),
        ("providers", "provider"),
        ("models", "model"),
    ];
}

question! {
    /// A chart of assistants over time.
    pub struct ChartQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        split: Split<SpanDimension>,
        filters: Filters<SpanFilters>,
        comparison: Comparison,
    }
}

question! {
    /// How many tokens were used over time?
    pub struct TokensQuestion {
        tokens: Tokens,
        chart: ChartQuestion,
    }
}

question! {
    /// How long did it take over time?
    pub struct QuantilesQuestion {
        quantile: Quantile,
        chart: ChartQuestion,
    }
}
