//! The question for sessions, and what it is answered with.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::schemas::UseFilters;
use crate::answer::{Meta, Shape, csv_of};
use crate::query::{Comparison, DateRange, Filters, Verify, question};

question! {
    /// How long were sessions, and what was done in them?
    pub struct SessionsQuestion {
        date_range: DateRange,
        filters: Filters<UseFilters>,
        comparison: Comparison,
        verify: Verify,
    }
}

/// The sessions of a range.
#[derive(Debug, Serialize, ToSchema)]
pub struct Sessions {
    #[serde(flatten)]
    pub figures: SessionFigures,
    /// The earlier period, where one was asked for.
    pub comparison: Option<SessionFigures>,
    pub meta: Meta,
}

/// What there is to say about sessions.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SessionFigures {
    /// Sessions that ended.
    #[schema(example = 5120)]
    pub sessions: u64,
    /// Those whose end the client told.
    #[schema(example = 4800)]
    pub told_sessions: u64,
    /// Those that are made of their events.
    #[schema(example = 320)]
    pub built_sessions: u64,
    /// Different users who had one.
    #[schema(example = 344)]
    pub users: u64,
    pub duration_ms: Spread,
    pub pages: Spread,
    pub interactions: Spread,
    /// Sessions by their duration, the shortest first.
    pub histogram: Vec<DurationBin>,
}

/// How values are spread; null without any. Interpolated between values.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Spread {
    #[schema(example = 412_000.0)]
    pub mean: Option<f64>,
    #[schema(example = 184_000.0)]
    pub p50: Option<f64>,
    pub p75: Option<f64>,
    pub p90: Option<f64>,
    #[schema(example = 1_840_000.0)]
    pub p95: Option<f64>,
    pub p99: Option<f64>,
}

/// Sessions that took so long, `[from_ms, to_ms)`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct DurationBin {
    #[schema(example = 60_000)]
    pub from_ms: u32,
    /// Null for the longest.
    #[schema(example = 180_000)]
    pub to_ms: Option<u32>,
    #[schema(example = 1210)]
    pub sessions: u64,
    /// Of all sessions; null without any.
    #[schema(example = 0.236)]
    pub share: Option<f64>,
}

impl Shape for Sessions {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        #[derive(Serialize)]
        struct Measured {
            measure: &'static str,
            sessions: u64,
            #[serde(flatten)]
            spread: Spread,
        }
        let SessionFigures { sessions, duration_ms, pages, interactions, .. } = self.figures;
        let measured = |measure, spread| Measured { measure, sessions, spread };
        csv_of(&[
            measured("duration_ms", duration_ms),
            measured("pages", pages),
            measured("interactions", interactions),
        ])
    }
}
