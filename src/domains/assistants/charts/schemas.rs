//! Questions about assistants over time.

use super::super::schemas::{SpanDimension, SpanFilters};
use crate::query::{Aggregation, Comparison, DateRange, Filters, Split, Verify, parameter, question, vocabulary};

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

question! {
    /// A chart of assistants over time.
    pub struct ChartQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        split: Split<SpanDimension>,
        filters: Filters<SpanFilters>,
        comparison: Comparison,
        verify: Verify,
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
