//! What regressions are found in: what both sides did, used and failed with.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::Utc;
use minijinja::value::Value as Variable;

use super::super::AssistantsService;
use super::super::notes::{CALLS, COST, ENDED, FAILED, RUNS};
use super::super::repository::{ArmRow, ErrorRow, MixRow, SPANS, UsedRow};
use super::compare::{Side, cells, judge, mix, risen_errors, verdict};
use super::schemas::{Cell, Compared, ComparedMetric, Mix, Regressions, RegressionsQuestion};
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value, Values};
use crate::query::Sources;
use crate::service::{AnswerError, Common, add_cost};
use crate::statistics::Z_95;

/// Assistants that are told apart, those with the most runs or calls.
const MOST_ASSISTANTS: usize = 20;
/// Rows from which they are chosen: two for each.
const MOST_ARMS: u64 = 2_002;

const QUANTILES: &str =
    "Latencies are compared by the difference of their quantiles, each with the interval of its rank.";
const ADJUSTED: &str = "p-values are adjusted for the number of cells by Benjamini and Hochberg.";
const OF_RUNS: &str = "Cost and tokens of a run are those of all calls in its trace, within the range.";
const OF_CALLS: &str = "Cost and tokens of a call are those of calls whose cost is known.";
const ERRORS: &str = "Errors are counted in traces that have a failed span of that type, of all traces of that side.";

/// By whether it is all together, and by assistant: baseline and candidate.
type Sides = BTreeMap<(bool, String), [Side; 2]>;

impl AssistantsService {
    pub async fn regressions(
        &self,
        reader: &Reader,
        question: &RegressionsQuestion,
    ) -> Result<Regressions, AnswerError> {
        let range = question.date_range.resolve(Utc::now())?;
        let (is_unit, variant, used, of_used) = match question.dimension {
            Compared::AssistantVersion => {
                ("facts.is_run", "facts.assistant_version", "assistants/regressions_of_runs.sql", OF_RUNS)
            }
            Compared::Model => ("facts.is_call", "facts.model", "assistants/regressions_of_calls.sql", OF_CALLS),
        };
        let notes = [RUNS, FAILED, ENDED, QUANTILES, CALLS, COST, of_used, ERRORS, ADJUSTED];
        let common = Common {
            template: "assistants/regressions.sql",
            dataset: &SPANS,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            // No sum of durations gives their quantiles.
            fields: &["duration_ms"],
            sources: Sources::Any,
            notes: &notes,
        };
        let arms = &question.arms;
        let mut values = Values::default();
        values.set("variants", Value::Texts(vec![arms.baseline.clone(), arms.candidate.clone()]));
        values.set("baseline", Value::Text(arms.baseline.clone()));
        values.set("candidate", Value::Text(arms.candidate.clone()));
        values.set("most_arms", Value::Whole(MOST_ARMS));
        values.set("z", Value::Number(Z_95));
        let variables: Vec<(&'static str, Variable)> =
            vec![("variant", Sql::constant(variant).into()), ("is_unit", Sql::constant(is_unit).into())];

        let of = |template| Common { template, ..common };
        let (did, used, failed, spread) = tokio::try_join!(
            self.service.within::<ArmRow>(reader, common, &range, values.clone(), variables.clone()),
            self.service.within::<UsedRow>(reader, of(used), &range, values.clone(), variables.clone()),
            self.service.within::<ErrorRow>(
                reader,
                of("assistants/regressions_errors.sql"),
                &range,
                values.clone(),
                variables.clone()
            ),
            self.service.within::<MixRow>(
                reader,
                of("assistants/regressions_mix.sql"),
                &range,
                values.clone(),
                variables.clone()
            ),
        )?;
        let mut meta = self.service.meta_within(reader, common, &range, &did).await?;
        add_cost(&used, &mut meta);
        add_cost(&failed, &mut meta);
        add_cost(&spread, &mut meta);

        let sides = sides_of(&did.rows.rows, &used.rows.rows, &arms.candidate);
        let nothing = [Side::default(), Side::default()];
        let [baseline, candidate] = sides.get(&(true, String::new())).unwrap_or(&nothing);
        let metrics =
            if question.dimension == Compared::Model { ComparedMetric::OF_CALLS } else { ComparedMetric::OF_RUNS };
        let mut cells = cells_of(&sides, metrics);
        judge(&mut cells, question.certainty);
        let traces = spread.rows.rows.iter().find(|row| row.dimension == "all");
        let traces = traces.map_or([0, 0], |row| [row.baseline_traces, row.candidate_traces]);
        let errors = risen_errors(&failed.rows.rows, traces);
        let mix = mix_of(&spread.rows.rows);
        Ok(Regressions {
            dimension: question.dimension.name(),
            baseline: arms.baseline.clone(),
            candidate: arms.candidate.clone(),
            unit: if question.dimension == Compared::Model { "call" } else { "run" },
            verdict: verdict([baseline, candidate], &cells, &errors, &mix, question.certainty),
            cells,
            errors,
            mix,
            meta,
        })
    }
}

fn sides_of(did: &[ArmRow], used: &[UsedRow], candidate: &str) -> Sides {
    let mut sides = Sides::new();
    for row in did {
        let side = usize::from(row.variant == candidate);
        let assistant = if row.is_all { String::new() } else { row.assistant_code.clone() };
        sides.entry((row.is_all, assistant)).or_default()[side].arm = row.clone();
    }
    for row in used {
        let side = usize::from(row.variant == candidate);
        let assistant = if row.is_all { String::new() } else { row.assistant_code.clone() };
        // Whoever has no run, or call, of its own is not compared.
        if let Some(sides) = sides.get_mut(&(row.is_all, assistant)) {
            sides[side].used = Some(row.clone());
        }
    }
    sides
}

/// The cells of all together, then of the largest assistants; of those that both sides have.
fn cells_of(sides: &Sides, metrics: &[ComparedMetric]) -> Vec<Cell> {
    let mut known: Vec<_> = sides.iter().collect();
    known.sort_by_key(|((is_all, _), [baseline, candidate])| {
        (!is_all, Reverse(baseline.arm.units.saturating_add(candidate.arm.units)))
    });
    let is_told = |(key, [baseline, candidate]): &(&(bool, String), &[Side; 2])| {
        key.0 || (baseline.arm.units > 0 && candidate.arm.units > 0)
    };
    known
        .into_iter()
        .filter(is_told)
        .take(1 + MOST_ASSISTANTS)
        .flat_map(|((is_all, assistant), [baseline, candidate])| {
            cells(*is_all, assistant, [baseline, candidate], metrics)
        })
        .collect()
}

fn mix_of(rows: &[MixRow]) -> Vec<Mix> {
    let mut counts: BTreeMap<&str, Vec<(u64, u64)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.dimension != "all") {
        counts.entry(&row.dimension).or_default().push((row.baseline_units, row.candidate_units));
    }
    counts.into_iter().filter_map(|(dimension, counts)| mix(dimension, &counts)).collect()
}
