//! Questions about recommendations, and rows of their answers.

use serde::Serialize;
use utoipa::ToSchema;

use super::repository::{MESSAGES, RECOMMENDATIONS};
use crate::answer::table_row;
use crate::query::dataset::Dataset;
use crate::query::filters::FilterSet;
use crate::query::{
    Aggregation, Comparison, DateRange, Filters, Paging, Split, dimension, parameter, question, vocabulary,
};

vocabulary! {
    /// What is counted over time.
    pub enum Metric as "metric" {
        /// Sent messages.
        Messages = "messages",
        /// Sent messages with text from a suggestion.
        AssistedMessages = "assisted_messages",
        /// Recommendations shown.
        Shown = "shown",
        Accepted = "accepted",
        Dismissed = "dismissed",
    }
}

parameter!(
    Metric,
    Metric::Messages,
    "What is counted: messages sent, messages with text from a suggestion, or recommendations shown, accepted or dismissed."
);

dimension! {
    /// What a chart of recommendations can be split by.
    pub enum RecommendationDimension {
        /// The source category; a message counts for the one that most of its text came from.
        Source = "source" of "source",
        Platform = "platform" of "platform",
        ProfileCode = "profile_code" of "profile_code",
        Agent = "agent" of "agent_id",
    }
}

dimension! {
    /// What a chart of messages can be split by.
    pub enum MessageDimension {
        Platform = "platform" of "platform",
        ProfileCode = "profile_code" of "profile_code",
        Agent = "agent" of "agent_id",
    }
}

/// Filters of questions whose answer has sources.
#[derive(Debug, Clone, Copy)]
pub struct RecommendationFilters;

impl FilterSet for RecommendationFilters {
    const DATASET: &'static Dataset = &RECOMMENDATIONS;
    const LISTS: &'static [(&'static str, &'static str)] = &[
        ("profile_codes", "profile_code"),
        ("platforms", "platform"),
        ("agent_ids", "agent_id"),
        ("sources", "source"),
    ];
}

/// Filters of questions about whole messages, which have several sources.
#[derive(Debug, Clone, Copy)]
pub struct MessageFilters;

impl FilterSet for MessageFilters {
    const DATASET: &'static Dataset = &MESSAGES;
    const LISTS: &'static [(&'static str, &'static str)] =
        &[("profile_codes", "profile_code"), ("platforms", "platform"), ("agent_ids", "agent_id")];
}

question! {
    /// How many of a metric are there over time?
    pub struct SeriesQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        metric: Metric,
        split: Split<RecommendationDimension>,
        filters: Filters<RecommendationFilters>,
        comparison: Comparison,
    }
}

question! {
    /// How many characters came from suggestions over time, per source?
    pub struct AssistedTextPerSourceQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        filters: Filters<RecommendationFilters>,
        comparison: Comparison,
    }
}

question! {
    /// Which share of the shown recommendations was accepted over time?
    pub struct AcceptanceRateQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        split: Split<RecommendationDimension>,
        filters: Filters<RecommendationFilters>,
        comparison: Comparison,
    }
}

question! {
    /// Which share of the sent characters came from suggestions over time?
    pub struct AssistedShareQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        split: Split<MessageDimension>,
        filters: Filters<MessageFilters>,
        comparison: Comparison,
    }
}

question! {
    /// What becomes of recommendations, per source?
    pub struct FunnelQuestion {
        date_range: DateRange,
        filters: Filters<RecommendationFilters>,
        comparison: Comparison,
    }
}

question! {
    /// What are the totals?
    pub struct TotalsQuestion {
        date_range: DateRange,
        filters: Filters<MessageFilters>,
        comparison: Comparison,
    }
}

question! {
    /// What did each agent do?
    pub struct AgentsQuestion {
        date_range: DateRange,
        filters: Filters<MessageFilters>,
        paging: Paging<Agent>,
    }
}

/// A step of the funnel of one source.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct FunnelStep {
    /// The source category; `none` where events name no source.
    #[schema(example = "autocomplete")]
    pub source: String,
    pub step: Step,
    /// Recommendations that came this far.
    #[schema(example = 420)]
    pub count: u64,
    /// Of this step.
    #[schema(example = 420)]
    pub numerator: u64,
    /// Of the step before: `shown` for `accepted`, `accepted` for both kinds of `sent`.
    #[schema(example = 1000)]
    pub denominator: Option<u64>,
    /// Numerator ÷ denominator; null for the first step and without a denominator.
    #[schema(example = 0.42)]
    pub rate: Option<f64>,
    /// Wilson interval of the rate, 95 %; null where events of the step outnumber those before it.
    #[schema(example = json!([0.3898, 0.4508]))]
    pub interval: Option<[f64; 2]>,
    /// The count of the earlier period; null without a comparison.
    pub previous_count: Option<u64>,
    /// The rate of the earlier period; null without a comparison.
    pub previous_rate: Option<f64>,
}

/// A step of the funnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Shown,
    Accepted,
    SentUnedited,
    SentEdited,
}

table_row! {
    /// What one agent did.
    pub struct Agent {
        #[schema(example = "agent-17")]
        agent_id: String,
        /// The newest name.
        #[schema(example = "Sam de Vries")]
        agent_name: Option<String>,
        /// Sent messages.
        #[schema(example = 310)]
        messages: u64,
        /// Sent messages with text from a suggestion.
        #[schema(example = 205)]
        assisted_messages: u64,
        /// Assisted ÷ sent characters of messages with a profile code.
        #[schema(example = 0.37)]
        assisted_share: Option<f64>,
        /// Assisted characters.
        assisted_share_numerator: u64,
        /// Sent characters.
        assisted_share_denominator: u64,
        /// Recommendations shown.
        #[schema(example = 840)]
        shown: u64,
        #[schema(example = 352)]
        accepted: u64,
        /// Accepted ÷ shown.
        #[schema(example = 0.419)]
        acceptance_rate: Option<f64>,
        /// Accepted recommendations.
        acceptance_rate_numerator: u64,
        /// Shown recommendations.
        acceptance_rate_denominator: u64,
        /// Characters of sent messages that came from suggestions, so did not have to be typed.
        #[schema(example = 9120)]
        characters_saved: u64,
    }
    sorted by "-messages", told apart by "agent_id"
}
