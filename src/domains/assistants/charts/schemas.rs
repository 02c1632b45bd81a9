//! Questions about assistants over time.

use super::super::schemas::{SpanDimension, SpanFilters};
use crate::latencies::Quantile;
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
