//! Questions about voice agents, and rows of their answers.

use super::repository::{CALLS, TURNS};
use crate::answer::table_row;
use crate::latencies::Quantile;
use crate::query::dataset::Dataset;
use crate::query::filters::FilterSet;
use crate::query::{
    Aggregation, Comparison, DateRange, Filters, Paging, Sortable, Split, Verify, dimension, parameter, question,
    vocabulary,
};

vocabulary! {
    /// Who tells of what is counted.
    pub enum ToldBy as "told_by" {
        /// Both, each call once.
        Auto = "auto",
        Events = "events",
        Spans = "spans",
    }
}

parameter!(
    ToldBy,
    ToldBy::Auto,
    "What is counted: `auto` what events tell, and of what spans tell calls that no event tells of, and turns of conversations of whose turns no event tells; or only what `events` tell, or only what `spans` do."
);

vocabulary! {
    /// What a caller waits for.
    pub enum Stage as "stage" {
        /// The first audio of the answer: the whole wait.
        FirstAudio = "first_audio",
        /// The transcript.
        SpeechToText = "speech_to_text",
        /// The first token of the model.
        Model = "model",
        /// The first audio of the voice.
        TextToSpeech = "text_to_speech",
    }
}

parameter!(
    Stage,
    Stage::FirstAudio,
    "With `split_by`, the wait that is shown for each group: the whole one, or one of its parts; without, all of them are shown."
);

vocabulary! {
    /// What dead air is a share of.
    pub enum ShareOf as "share_of" {
        Turns = "turns",
        /// The time that calls took.
        Time = "time",
    }
}

parameter!(ShareOf, ShareOf::Turns, "What dead air is a share of: turns, or the time that calls took.");

dimension! {
    /// What a chart of calls can be split by.
    pub enum CallDimension {
        Outcome = "outcome" of "outcome",
        TransferReason = "transfer_reason" of "transfer_reason",
        Direction = "direction" of "direction",
        Assistant = "assistant" of "assistant_code",
        AssistantVersion = "assistant_version" of "assistant_version",
        Environment = "environment" of "environment",
        ProfileCode = "profile_code" of "profile_code",
        Platform = "platform" of "platform",
        ToldBy = "told_by" of "told_by",
    } by default Outcome
}

dimension! {
    /// What a chart of turns, or of shares of calls, can be split by.
    pub enum TurnDimension {
        Assistant = "assistant" of "assistant_code",
        AssistantVersion = "assistant_version" of "assistant_version",
        Environment = "environment" of "environment",
        ProfileCode = "profile_code" of "profile_code",
        Platform = "platform" of "platform",
        Direction = "direction" of "direction",
        ToldBy = "told_by" of "told_by",
    }
}

/// Filters of questions about calls.
#[derive(Debug, Clone, Copy)]
pub struct CallFilters;

impl FilterSet for CallFilters {
    const DATASET: &'static Dataset = &CALLS;
    const LISTS: &'static [(&'static str, &'static str)] = &[
        ("profile_codes", "profile_code"),
        ("platforms", "platform"),
        ("assistant_codes", "assistant_code"),
        ("assistant_versions", "assistant_version"),
        ("environments", "environment"),
        ("directions", "direction"),
        ("outcomes", "outcome"),
        ("transfer_reasons", "transfer_reason"),
    ];
}

/// Filters of questions about turns, which have no outcome.
#[derive(Debug, Clone, Copy)]
pub struct TurnFilters;

impl FilterSet for TurnFilters {
    const DATASET: &'static Dataset = &TURNS;
    const LISTS: &'static [(&'static str, &'static str)] = &[
        ("profile_codes", "profile_code"),
        ("platforms", "platform"),
        ("assistant_codes", "assistant_code"),
        ("assistant_versions", "assistant_version"),
        ("environments", "environment"),
        ("directions", "direction"),
    ];
}

question! {
    /// How many calls ended over time?
    pub struct CallsOverTimeQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        split: Split<CallDimension>,
        told_by: ToldBy,
        filters: Filters<CallFilters>,
        comparison: Comparison,
        verify: Verify,
    }
}

question! {
    /// Which share was it over time?
    pub struct RateQuestion {
        date_range: DateRange,
        aggregation: Aggregation,
        split: Split<TurnDimension>,
        told_by: ToldBy,
        filters: Filters<TurnFilters>,
        comparison: Comparison,
        verify: Verify,
    }
}

question! {
    /// How much dead air was there over time?
    pub struct DeadAirQuestion {
        share_of: ShareOf,
        rate: RateQuestion,
    }
}

question! {
    /// How long did callers wait over time?
    pub struct ResponseLatencyQuestion {
        stage: Stage,
        quantile: Quantile,
        rate: RateQuestion,
    }
}

question! {
    /// What are the totals?
    pub struct TotalsQuestion {
        date_range: DateRange,
        told_by: ToldBy,
        filters: Filters<TurnFilters>,
        comparison: Comparison,
        verify: Verify,
    }
}

question! {
    /// A table made of calls; each kind has rows of its own.
    pub struct TableQuestion<R: Sortable> {
        date_range: DateRange,
        told_by: ToldBy,
        filters: Filters<CallFilters>,
        paging: Paging<R>,
    }
}

table_row! {
    /// A call that has ended.
    pub struct Call {
        /// When it ended, where an event tells it, and when it began, where a span does; in UTC.
        #[schema(example = "2026-02-07T23:59:12.123456Z")]
        time: String,
        /// The id of the event, or of the span.
        #[schema(example = "0198c2f4-6d3e-7a10-b5c8-2f61d09e4a77")]
        call_id: String,
        #[schema(example = "call-4711")]
        conversation_id: Option<String>,
        /// Its trace, to look at with `assistants/traces/{trace_id}`; null where an event tells of the call.
        #[schema(example = "4bf92f3577b34da6a3ce929d0e0e4736")]
        trace_id: Option<String>,
        /// `events` or `spans`.
        #[schema(example = "events")]
        told_by: String,
        #[schema(example = "support")]
        profile_code: Option<String>,
        #[schema(example = "genesys")]
        platform: Option<String>,
        #[schema(example = "reception")]
        assistant_code: Option<String>,
        #[schema(example = "2.1.0")]
        assistant_version: Option<String>,
        #[schema(example = "production")]
        environment: Option<String>,
        #[schema(example = "inbound")]
        direction: Option<String>,
        /// `contained`, `transferred`, `abandoned`, or what else was told.
        #[schema(example = "transferred")]
        outcome: Option<String>,
        #[schema(example = "asked_for_a_person")]
        transfer_reason: Option<String>,
        #[schema(example = 184_000.0)]
        duration_ms: Option<f64>,
        #[schema(example = 12)]
        turns: u64,
        #[schema(example = 2)]
        interrupted_turns: u64,
        /// How long the caller waited for the first audio in half of the turns that tell it, at the most.
        #[schema(example = 840.0)]
        first_audio_p50_ms: Option<f64>,
        #[schema(example = 2100.5)]
        first_audio_p95_ms: Option<f64>,
        /// Turns whose first audio came after more than 3,000 ms.
        #[schema(example = 1)]
        dead_air_turns: u64,
        /// How long the caller waited in them.
        #[schema(example = 3450.0)]
        dead_air_ms: f64,
    }
    sorted by "-time", told apart by "told_by", "call_id"
}

table_row! {
    /// How often calls were transferred for one reason.
    pub struct TransferReason {
        /// Null for calls that name none.
        #[schema(example = "asked_for_a_person")]
        transfer_reason: Option<String>,
        /// Transferred calls with this reason.
        #[schema(example = 42)]
        calls: u64,
        /// Calls with this reason ÷ transferred calls.
        #[schema(example = 0.35)]
        share: f64,
        /// Transferred calls with this reason.
        #[schema(example = 42)]
        share_numerator: u64,
        /// Transferred calls.
        #[schema(example = 120)]
        share_denominator: u64,
        /// How long they took on average, of those that tell it.
        #[schema(example = 95_400.0)]
        duration_mean_ms: Option<f64>,
    }
    sorted by "-calls", told apart by "transfer_reason"
}
