//! What service levels are made of.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{SubsecRound, Utc};
use futures::future::try_join_all;

use super::super::AssistantsService;
use super::super::notes::{CALLS, COST, FAILED, RUNS};
use super::super::repository::{FastRow, LATENCIES, ReachedRow, TOTALS};
use super::levels::{Counted, WINDOWS, level};
use super::schemas::{ServiceLevel, SloQuestion};
use crate::answer::{Meta, Page, Table};
use crate::auth::Reader;
use crate::clickhouse::{Value, Values};
use crate::config::Objective;
use crate::query::dataset::FieldName;
use crate::query::filters::Operand;
use crate::query::{DateRange, Range, Sources};
use crate::service::{AnswerError, Common, add_cost};

/// Assistants that are looked at, those with the most runs first.
const MOST_ASSISTANTS: u64 = 10_000;

const NOTES: [&str; 6] = [
    RUNS,
    FAILED,
    "A burn rate is the share of bad runs ÷ the share that the target allows; of costs, what a run costs ÷ what it may.",
    "A rule fires while the burn rate is above its factor in the long window, and in the short one as well.",
    CALLS,
    COST,
];

impl AssistantsService {
    pub async fn slo(&self, reader: &Reader, question: &SloQuestion) -> Result<Table<ServiceLevel>, AnswerError> {
        // Whole seconds, so that the same question is asked by everybody who looks at once.
        let at = question.at.0.unwrap_or_else(|| Utc::now().trunc_subsecs(0));
        let windows = WINDOWS.map(|(_, length)| Range { zone: chrono_tz::Tz::UTC, from: at - length, to: at });
        let (counted, meta) = self.counted(reader, question, &windows).await?;
        let account = &reader.principal.account;
        let known: BTreeSet<&str> = counted.keys().map(String::as_str).chain(self.expected(reader, question)).collect();
        let nothing = [Counted::default(); WINDOWS.len()];
        let mut levels: Vec<ServiceLevel> = known
            .into_iter()
            .flat_map(|assistant| {
                let counted = counted.get(assistant).unwrap_or(&nothing);
                self.objectives
                    .of(account, assistant)
                    .into_iter()
                    .map(move |objective| level(assistant, objective, counted))
            })
            .collect();
        levels.sort_by(|one, other| urgency(one).cmp(&urgency(other)));
        let (total, pagination) = (levels.len() as u64, question.pagination);
        let items = levels.into_iter().skip(pagination.offset as usize).take(pagination.limit as usize).collect();
        Ok(Table { items, page: Page::new(pagination, total), meta })
    }

    /// Assistants that have an objective of their own and are asked for, whether they had runs or not. Who may read only a
    /// part is not told of assistants that are not in it.
    fn expected<'a>(&'a self, reader: &'a Reader, question: &'a SloQuestion) -> impl Iterator<Item = &'a str> {
        let conditions = &question.filters.conditions;
        let is_asked = move |assistant: &&str| {
            reader.principal.grants.0.is_empty()
                && conditions.iter().all(|condition| match condition.any_of.as_slice() {
                    [only] => match &only.operand {
                        Operand::Texts(codes) => {
                            condition.parameter == "assistant_codes"
                                && only.field == FieldName::Column("assistant_code")
                                && codes.iter().any(|code| code == assistant)
                        }
                        _ => false,
                    },
                    _ => false,
                })
        };
        self.objectives.assistants(&reader.principal.account).filter(is_asked)
    }

    /// What each assistant did in each of the windows.
    async fn counted(
        &self,
        reader: &Reader,
        question: &SloQuestion,
        windows: &[Range; WINDOWS.len()],
    ) -> Result<(BTreeMap<String, [Counted; WINDOWS.len()]>, Meta), AnswerError> {
        let all_time = DateRange::all_time();
        let sums = Common {
            template: "assistants/slo.sql",
            dataset: &TOTALS,
            date_range: &all_time,
            comparison: None,
            conditions: &question.filters.conditions,
            fields: &["assistant_code"],
            sources: Sources::Any,
            notes: &NOTES,
        };
        let latencies = Common {
            template: "assistants/slo_latencies.sql",
            dataset: &LATENCIES,
            fields: &["assistant_code", "measured", "milliseconds"],
            ..sums
        };
        let mut values = Values::default();
        values.set("most_assistants", Value::Whole(MOST_ASSISTANTS));
        let thresholds = self.thresholds(reader, values.clone());
        let sums_of = |range| self.service.within::<ReachedRow>(reader, sums, range, values.clone(), Vec::new());
        let fast_of = |range| self.service.within::<FastRow>(reader, latencies, range, thresholds.clone(), Vec::new());
        let (sums_of, fast_of) =
            tokio::try_join!(try_join_all(windows.iter().map(sums_of)), try_join_all(windows.iter().map(fast_of)))?;

        let mut counted: BTreeMap<String, [Counted; WINDOWS.len()]> = BTreeMap::new();
        let [.., period] = windows;
        let [.., of_period] = sums_of.as_slice() else { unreachable!("an answer for each window") };
        let mut meta = self.service.meta_within(reader, sums, period, of_period).await?;
        for (window, answered) in sums_of.iter().enumerate() {
            if window + 1 < windows.len() {
                add_cost(answered, &mut meta);
            }
            for row in &answered.rows.rows {
                let in_window = &mut counted.entry(row.assistant_code.clone()).or_default()[window];
                (in_window.runs, in_window.failed_runs, in_window.cost) = (row.runs, row.failed_runs, row.cost_usd);
            }
        }
        for (window, answered) in fast_of.iter().enumerate() {
            add_cost(answered, &mut meta);
            for row in &answered.rows.rows {
                let in_window = &mut counted.entry(row.assistant_code.clone()).or_default()[window];
                (in_window.ended_runs, in_window.fast_runs) = (row.ended_runs, row.fast_runs);
            }
        }
        Ok((counted, meta))
    }

    /// The values of the statement that counts fast runs: the threshold of each assistant, as far as it has one.
    fn thresholds(&self, reader: &Reader, mut values: Values) -> Values {
        let account = &reader.principal.account;
        let threshold = |assistant: &str| {
            let of = |objective| match objective {
                Objective::Latency { threshold_ms, .. } => Some(threshold_ms),
                _ => None,
            };
            self.objectives.of(account, assistant).into_iter().find_map(of).unwrap_or(0.0)
        };
        let codes: Vec<String> = self.objectives.assistants(account).map(str::to_owned).collect();
        values.set("thresholds", Value::Numbers(codes.iter().map(|code| threshold(code)).collect()));
        values.set("codes", Value::Texts(codes));
        values.set("threshold", Value::Number(threshold("")));
        values
    }
}

/// The most urgent first, then those with the least left.
fn urgency(level: &ServiceLevel) -> (super::schemas::State, i64, Option<&str>, &str) {
    let left = level.error_budget.map_or(f64::INFINITY, |budget| budget.remaining * 1e6);
    (level.state, left as i64, level.assistant_code.as_deref(), level.objective)
}
