//! What a funnel is asked of: the events of each unit, in their order.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Utc;
use minijinja::value::Value as Variable;

use super::super::ProductService;
use super::super::notes::{CONVERSION, GROUPS, LOOSE, SAME_INSTANT, STEPS, STRICT, TIMES};
use super::super::repository::{FunnelRow, USES};
use super::schemas::{ConversionWindow, Funnel, FunnelGroup, FunnelQuestion, Order, ProductFunnelStep, Unit};
use crate::answer::NO_GROUP;
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value, Values};
use crate::query::{Dimension, Problem, Range, Sources};
use crate::repository::Answered;
use crate::service::{AnswerError, Common, add_cost, verified};
use crate::statistics::{ALPHA, wilson_interval};

/// The name of the rest.
const REST: &str = "other";

/// How a funnel is told apart: by nothing, by the largest groups, or by these.
#[derive(Clone, Copy)]
enum Groups<'a> {
    All,
    Largest,
    Kept(&'a [FunnelRow]),
}

impl ProductService {
    pub async fn funnel(&self, reader: &Reader, question: &FunnelQuestion) -> Result<Funnel, AnswerError> {
        verified(question.verify, |sources| self.funnel_from(sources, reader, question)).await
    }

    async fn funnel_from(
        &self,
        sources: Sources,
        reader: &Reader,
        question: &FunnelQuestion,
    ) -> Result<Funnel, AnswerError> {
        let now = Utc::now();
        let range = question.date_range.resolve(now)?;
        let window = window_of(question.window, &range)?;
        let of_order = if question.order == Order::Strict { STRICT } else { LOOSE };
        let common = Common {
            template: "product/funnel.sql",
            dataset: &USES,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            // Only single facts tell what came first.
            fields: &["name", "user", "session"],
            sources,
            notes: &[STEPS, of_order, SAME_INSTANT, CONVERSION, TIMES, GROUPS],
        };
        let asked = Asked { product: self, reader, common, question, window };
        let (all, groups) = asked.both(&range, Groups::Largest).await?;
        let mut meta = self.service.meta_within(reader, common, &range, &all).await?;
        let kept = groups.as_ref().map_or(&[][..], |groups| &groups.rows.rows);
        let earlier = match question.comparison.earlier(&range, now) {
            None => None,
            Some(earlier) => {
                let window = Range { to: earlier.until, ..earlier.range };
                Some(asked.both(&window, Groups::Kept(kept)).await?)
            }
        };
        for answered in [groups.as_ref(), earlier.as_ref().map(|(all, _)| all)].into_iter().flatten() {
            add_cost(answered, &mut meta);
        }
        let events: Vec<&str> = question.steps.0.iter().map(|step| step.written.as_str()).collect();
        let nothing = FunnelRow::default();
        let earlier_all = earlier.as_ref().map(|(all, _)| all.rows.rows.first().unwrap_or(&nothing));
        let earlier_groups = earlier.as_ref().and_then(|(_, groups)| groups.as_ref());
        if let Some(answered) = earlier_groups {
            add_cost(answered, &mut meta);
        }
        Ok(Funnel {
            unit: question.unit.name(),
            order: question.order.name(),
            window_ms: window.num_milliseconds(),
            steps: steps_of(&events, all.rows.rows.first().unwrap_or(&nothing), earlier_all),
            groups: groups_of(&events, kept, earlier_groups.map(|groups| groups.rows.rows.as_slice())),
            meta,
        })
    }
}

/// The window that was asked for, which is no longer than the range.
fn window_of(window: ConversionWindow, range: &Range) -> Result<chrono::Duration, Problem> {
    let length = range.to - range.from;
    if window.is_given && window.length > length {
        return Err(Problem::parameter(ConversionWindow::PARAMETER, "is longer than the range"));
    }
    Ok(window.length.min(length))
}

/// What times are counted from, so that 50 bits hold them for 35 years. There are no events before 2020.
fn base_us(range: &Range) -> u64 {
    const YEAR_2020: i64 = 1_577_836_800_000_000;
    range.from.timestamp_micros().max(YEAR_2020).unsigned_abs()
}

/// A funnel that is asked of several ranges.
struct Asked<'a> {
    product: &'a ProductService,
    reader: &'a Reader,
    common: Common<'a>,
    question: &'a FunnelQuestion,
    window: chrono::Duration,
}

impl Asked<'_> {
    /// All units together, and by group where that is asked for.
    async fn both(
        &self,
        range: &Range,
        groups: Groups<'_>,
    ) -> Result<(Answered<FunnelRow>, Option<Answered<FunnelRow>>), AnswerError> {
        if self.question.split.by.is_none() {
            return Ok((self.ask(range, Groups::All).await?, None));
        }
        let (all, groups) = tokio::try_join!(self.ask(range, Groups::All), self.ask(range, groups))?;
        Ok((all, Some(groups)))
    }

    async fn ask(&self, range: &Range, groups: Groups<'_>) -> Result<Answered<FunnelRow>, AnswerError> {
        let mut values = Values::default();
        let steps = self.question.steps.0.iter().enumerate().map(|(bit, step)| {
            let whole = |number: usize| Variable::from(Sql::whole(u32::try_from(number).unwrap_or(u32::MAX)));
            let condition = Variable::from(step.condition(&mut values));
            BTreeMap::from([
                ("number", whole(bit + 1)),
                ("before", whole(bit)),
                ("bit", whole(bit)),
                ("condition", condition),
            ])
        });
        let steps: Vec<BTreeMap<&'static str, Variable>> = steps.collect();
        let unit = match self.question.unit {
            Unit::User => "user",
            Unit::Session => "session",
        };
        let column = self.question.split.by.filter(|_| !matches!(groups, Groups::All)).map(Dimension::column);
        let group = column.map_or(Sql::constant("''"), |column| {
            Sql::words(&[Sql::constant("toString("), Sql::identifier(column), Sql::constant(")")])
        });
        values.set("window_us", Value::Whole(self.window.num_microseconds().unwrap_or(i64::MAX).unsigned_abs()));
        values.set("base_us", Value::Whole(base_us(range)));
        match groups {
            Groups::Kept(kept) => {
                let names = kept.iter().filter(|row| row.is_rest == 0).map(|row| row.series.clone());
                values.set("kept", Value::Texts(names.collect::<BTreeSet<_>>().into_iter().collect()));
            }
            Groups::All | Groups::Largest => values.set("top", Value::Whole(self.question.split.top)),
        }
        let variables = vec![
            ("later", Variable::from(steps[1..].to_vec())),
            ("steps", Variable::from(steps)),
            ("unit", Sql::identifier(unit).into()),
            ("group", group.into()),
            ("is_split", Variable::from(column.is_some())),
            ("is_strict", Variable::from(self.question.order == Order::Strict)),
            ("has_kept", Variable::from(matches!(groups, Groups::Kept(_)))),
        ];
        self.product.service.within(self.reader, self.common, range, values, variables).await
    }
}

/// The rows of the largest groups first, equal ones by name; the rest last.
fn groups_of(events: &[&str], rows: &[FunnelRow], earlier: Option<&[FunnelRow]>) -> Vec<FunnelGroup> {
    let mut rows: Vec<&FunnelRow> = rows.iter().collect();
    let size = |row: &FunnelRow| row.units.first().copied().unwrap_or_default();
    rows.sort_by(|a, b| (a.is_rest, size(b), &a.series).cmp(&(b.is_rest, size(a), &b.series)));
    let nothing = FunnelRow::default();
    let group = |row: &FunnelRow| {
        let is_same = |before: &&FunnelRow| before.series == row.series && before.is_rest == row.is_rest;
        let earlier = earlier.map(|earlier| earlier.iter().find(is_same).unwrap_or(&nothing));
        let group = match (row.is_rest > 0, row.series.is_empty()) {
            (true, _) => REST.to_owned(),
            (false, true) => NO_GROUP.to_owned(),
            (false, false) => row.series.clone(),
        };
        FunnelGroup { group, is_rest: row.is_rest > 0, steps: steps_of(events, row, earlier) }
    };
    rows.into_iter().map(group).collect()
}

fn steps_of(events: &[&str], row: &FunnelRow, earlier: Option<&FunnelRow>) -> Vec<ProductFunnelStep> {
    let units = |row: &FunnelRow, index: usize| row.units.get(index).copied().unwrap_or_default();
    let rate = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let step = |(index, event): (usize, &&str)| {
        let (came, first) = (units(row, index), units(row, 0));
        let before = index.checked_sub(1).map(|before| units(row, before));
        let time = |times: &[Vec<f64>], level: usize| {
            let of_step = times.get(index.checked_sub(1)?)?;
            of_step.get(level).copied().filter(|millis| millis.is_finite())
        };
        ProductFunnelStep {
            step: index + 1,
            event: (*event).to_owned(),
            units: came,
            conversion_rate: rate(came, first),
            conversion_rate_numerator: came,
            conversion_rate_denominator: first,
            interval: wilson_interval(came, first, ALPHA),
            step_rate: before.and_then(|before| rate(came, before)),
            step_rate_numerator: came,
            step_rate_denominator: before,
            dropped: before.map(|before| before - came),
            drop_off_rate: before.and_then(|before| rate(before - came, before)),
            from_first_p50_ms: time(&row.from_first, 0),
            from_first_p90_ms: time(&row.from_first, 1),
            from_previous_p50_ms: time(&row.from_previous, 0),
            from_previous_p90_ms: time(&row.from_previous, 1),
            previous_units: earlier.map(|earlier| units(earlier, index)),
            previous_conversion_rate: earlier.and_then(|earlier| rate(units(earlier, index), units(earlier, 0))),
            previous_step_rate: earlier
                .and_then(|earlier| rate(units(earlier, index), units(earlier, index.checked_sub(1)?))),
        }
    };
    events.iter().enumerate().map(step).collect()
}
