//! What the numbers about assistants mean, in sentences that answers carry.

pub const RUNS: &str = "A run is a root span; filters and groups are those of the root span.";
pub const FAILED: &str = "A span failed when its status is an error, or is not set while an error has a type.";
pub const ERROR_RATE: &str = "Numerator: runs that failed. Denominator: runs. A span failed when its status is an error, or is not set while an error has a type.";
pub const ENDED: &str =
    "Durations are those of spans that have ended; their quantiles are interpolated between values.";
pub const CALLS: &str = "Tokens and cost are counted in calls of models (`chat`, `generate_content`, `text_completion`, `embeddings`): agents and workflows repeat what their children used.";
pub const LATENCY: &str = "From the start to the end of each run that has ended; interpolated between values.";
pub const FIRST_TOKEN: &str =
    "Of calls of models that were streamed, as their spans tell; interpolated between values.";
pub const COST: &str = "Calls without a cost of their own and without a price count as nothing.";
