//! What the questions about recommendations mean, and how their answers are shaped.

use std::collections::HashMap;
use std::sync::Arc;

use super::repository::{FunnelRow, MESSAGES, RECOMMENDATIONS, TotalsRow};
use super::schemas::{
    AcceptanceRateQuestion, Agent, AgentsQuestion, AssistedShareQuestion, AssistedTextPerSourceQuestion,
    FunnelQuestion, FunnelStep, Metric, SeriesQuestion, Step, TotalsQuestion,
};
use crate::answer::{Card, Chart, Measure, NO_GROUP, Outline, Page, Table, Total, Totals};
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value, Values};
use crate::query::{Compare, Dimension, MOST_GROUPS, Sources, Split};
use crate::service::{AnswerError, ChartOf, Common, Service, Shown, SplitBy};
use crate::statistics::{ALPHA, wilson_interval};

const CHARACTERS_NOTE: &str = "Characters are counted in sent messages that have a profile code.";
const SOURCE_NOTE: &str =
    "A message counts for the source category that most of its assisted characters came from; `none` has none.";
const RATE_NOTE: &str =
    "Numerator: recommendations accepted. Denominator: recommendations shown. Each counts at its own time.";
const SHARE_NOTE: &str = "Numerator: characters from suggestions. Denominator: characters sent.";

/// Answers questions about recommendations.
#[derive(Clone)]
pub struct RecommendationsService {
    service: Arc<Service>,
}

impl RecommendationsService {
    pub fn new(service: Arc<Service>) -> Self {
        Self { service }
    }

    pub async fn series(&self, reader: &Reader, question: &SeriesQuestion) -> Result<Chart, AnswerError> {
        let metric = question.metric;
        let is_message = matches!(metric, Metric::Messages | Metric::AssistedMessages);
        let splits_messages_by_source = is_message && question.split.by.is_some_and(|by| by.column() == "source");
        let common = Common {
            template: "recommendations/series.sql",
            dataset: &RECOMMENDATIONS,
            date_range: &question.date_range,
            comparison: Some(&question.comparison),
            conditions: &question.filters.conditions,
            fields: &[],
            sources: Sources::Any,
            notes: if splits_messages_by_source { &[SOURCE_NOTE] } else { &[] },
        };
        let chart = ChartOf {
            aggregation: question.aggregation,
            outline: Outline { measure: Measure::Count, unit: if is_message { "messages" } else { "recommendations" } },
            shown: Shown::Sums(metric.name()),
            split: split(&question.split),
            variables: &[("metric", Sql::constant(metric.name()).into())],
        };
        self.service.chart(reader, common, chart).await
    }

    pub async fn assisted_text_per_source(
        &self,
        reader: &Reader,
        question: &AssistedTextPerSourceQuestion,
    ) -> Result<Chart, AnswerError> {
        let common = Common {
            template: "recommendations/assisted_text_per_source.sql",
            dataset: &RECOMMENDATIONS,
            date_range: &question.date_range,
            comparison: Some(&question.comparison),
            conditions: &question.filters.conditions,
            fields: &[],
            sources: Sources::Any,
            notes: &[CHARACTERS_NOTE],
        };
        let chart = ChartOf {
            aggregation: question.aggregation,
            outline: Outline { measure: Measure::Count, unit: "characters" },
            shown: Shown::Sums("characters"),
            split: Some(SplitBy { column: "source", top: MOST_GROUPS }),
            variables: &[],
        };
        self.service.chart(reader, common, chart).await
    }

    pub async fn acceptance_rate(
        &self,
        reader: &Reader,
        question: &AcceptanceRateQuestion,
    ) -> Result<Chart, AnswerError> {
        let common = Common {
            template: "recommendations/acceptance_rate.sql",
            dataset: &RECOMMENDATIONS,
            date_range: &question.date_range,
            comparison: Some(&question.comparison),
            conditions: &question.filters.conditions,
            fields: &[],
            sources: Sources::Any,
            notes: &[RATE_NOTE],
        };
        let chart = ChartOf {
            aggregation: question.aggregation,
            outline: Outline { measure: Measure::Ratio, unit: "ratio" },
            shown: Shown::Sums("acceptance_rate"),
            split: split(&question.split),
            variables: &[],
        };
        self.service.chart(reader, common, chart).await
    }

    pub async fn assisted_share(
        &self,
        reader: &Reader,
        question: &AssistedShareQuestion,
    ) -> Result<Chart, AnswerError> {
        let common = Common {
            template: "recommendations/assisted_share.sql",
            dataset: &MESSAGES,
            date_range: &question.date_range,
            comparison: Some(&question.comparison),
            conditions: &question.filters.conditions,
            fields: &[],
            sources: Sources::Any,
            notes: &[SHARE_NOTE, CHARACTERS_NOTE],
        };
        let chart = ChartOf {
            aggregation: question.aggregation,
            outline: Outline { measure: Measure::Ratio, unit: "ratio" },
            shown: Shown::Sums("assisted_share"),
            split: split(&question.split),
            variables: &[],
        };
        self.service.chart(reader, common, chart).await
    }

    pub async fn funnel(&self, reader: &Reader, question: &FunnelQuestion) -> Result<Table<FunnelStep>, AnswerError> {
        let common = Common {
            template: "recommendations/funnel.sql",
            dataset: &RECOMMENDATIONS,
            date_range: &question.date_range,
            comparison: Some(&question.comparison),
            conditions: &question.filters.conditions,
            fields: &["source"],
            sources: Sources::Any,
            notes: &[
                "Accepted ÷ shown; sent ÷ accepted. Steps are counted as events, each at its own time; intervals are Wilson's, 95 %.",
            ],
        };
        let mut values = Values::default();
        values.set("top", Value::Whole(MOST_GROUPS));
        let compared = self.service.compared::<FunnelRow>(reader, common, values, Vec::new()).await?;
        let meta = self.service.meta_of(reader, common, &compared).await?;
        let earlier = compared.earlier.as_ref().map(|(_, answered)| answered.rows.rows.as_slice());
        let items: Vec<FunnelStep> = funnel_steps(&compared.current.rows.rows, earlier);
        let rows = items.len() as u64;
        Ok(Table { items, page: Page { offset: 0, limit: rows, total: rows }, meta })
    }

    pub async fn totals(&self, reader: &Reader, question: &TotalsQuestion) -> Result<Totals, AnswerError> {
        let comparison = question.comparison.or(Compare::PreviousPeriod);
        let common = Common {
            template: "recommendations/totals.sql",
            dataset: &MESSAGES,
            date_range: &question.date_range,
            comparison: Some(&comparison),
            conditions: &question.filters.conditions,
            fields: &["agent_id"],
            sources: Sources::Any,
            notes: &[RATE_NOTE, SHARE_NOTE, CHARACTERS_NOTE],
        };
        let compared = self.service.compared::<TotalsRow>(reader, common, Values::default(), Vec::new()).await?;
        let meta = self.service.meta_of(reader, common, &compared).await?;
        let (current, earlier) = compared.map(|rows| cards(rows.first().unwrap_or(&TotalsRow::default())));
        Ok(Totals { totals: Card::compared(&current, earlier.as_deref()), meta })
    }

    pub async fn agents(&self, reader: &Reader, question: &AgentsQuestion) -> Result<Table<Agent>, AnswerError> {
        let common = Common {
            template: "recommendations/agents.sql",
            dataset: &MESSAGES,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &["agent_id"],
            sources: Sources::Any,
            notes: &[RATE_NOTE, SHARE_NOTE, CHARACTERS_NOTE],
        };
        self.service.table(reader, common, &question.paging, Values::default(), Vec::new()).await
    }
}

fn split<D: Dimension>(split: &Split<D>) -> Option<SplitBy> {
    split.by.map(|by| SplitBy { column: by.column(), top: split.top })
}

fn funnel_steps(rows: &[FunnelRow], earlier: Option<&[FunnelRow]>) -> Vec<FunnelStep> {
    let steps_of = |row: &FunnelRow| {
        [
            (Step::Shown, row.shown_count, None),
            (Step::Accepted, row.accepted_count, Some(row.shown_count)),
            (Step::SentUnedited, row.sent_unedited_count, Some(row.accepted_count)),
            (Step::SentEdited, row.sent_edited_count, Some(row.accepted_count)),
        ]
    };
    let rate = |count: u64, of: Option<u64>| of.filter(|of| *of > 0).map(|of| count as f64 / of as f64);
    let earlier: Option<HashMap<&str, &FunnelRow>> =
        earlier.map(|rows| rows.iter().map(|row| (row.source.as_str(), row)).collect());
    let mut steps = Vec::new();
    for row in rows {
        let before = earlier.as_ref().map(|earlier| earlier.get(row.source.as_str()).map(|row| steps_of(row)));
        for (index, (step, count, of)) in steps_of(row).into_iter().enumerate() {
            let before = before.as_ref().map(|steps| steps.map_or((0, None), |steps| (steps[index].1, steps[index].2)));
            steps.push(FunnelStep {
                source: if row.source.is_empty() { NO_GROUP.to_owned() } else { row.source.clone() },
                step,
                count,
                numerator: count,
                denominator: of,
                rate: rate(count, of),
                interval: of.and_then(|of| wilson_interval(count, of, ALPHA)),
                previous_count: before.map(|(count, _)| count),
                previous_rate: before.and_then(|(count, of)| rate(count, of)),
            });
        }
    }
    steps
}

fn cards(row: &TotalsRow) -> Vec<Total> {
    vec![
        Total::count("messages", "Messages", "count", row.total_messages),
        Total::count("assisted_messages", "Assisted messages", "count", row.total_assisted_messages),
        Total::count("sent_characters", "Characters sent", "characters", row.total_sent_characters),
        Total::count("assisted_characters", "Characters saved", "characters", row.total_assisted_characters),
        Total::ratio("assisted_share", "Assisted share", row.total_assisted_characters, row.total_sent_characters),
        Total::count("shown", "Recommendations shown", "count", row.total_shown),
        Total::count("accepted", "Recommendations accepted", "count", row.total_accepted),
        Total::count("dismissed", "Recommendations dismissed", "count", row.total_dismissed),
        Total::ratio("acceptance_rate", "Acceptance rate", row.total_accepted, row.total_shown),
        Total::count("active_agents", "Active agents", "count", row.active_agents),
    ]
}
