//! What every question about assistants may ask: by what to split, and what to leave out.

use super::repository::SPANS;
use crate::query::dataset::Dataset;
use crate::query::dimension;
use crate::query::filters::FilterSet;

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
