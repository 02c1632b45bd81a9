//! What an experiment is made of: its variants, its arms, and what their units did.

use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};

use super::analysis::{
    Arm, Correction, CorrectionScope, Direction, Experiment, Handling, Metric as Analysed, MetricType,
    MultipleExposures, Observed, Role, Settings, TestChoice,
};
use super::notes::{OVER, STILL_RUNNING};
use super::repository::{ArmRow, EXPOSURES, GOALS, VariantRow};
use super::schemas::{ConversionWindow, EventOf, Metric, MetricKind, Plan, Sureness};
use crate::answer::Meta;
use crate::auth::Reader;
use crate::clickhouse::{Sql, Value, Values};
use crate::query::dataset::{FieldName, Kind};
use crate::query::filters::{Condition, Operand, Operator, Predicate};
use crate::query::{Buckets, Problem, Range, Sources};
use crate::repository::{Answered, Ask, Facts};
use crate::service::{AnswerError, Service};

/// Variants of an experiment: more are none.
pub(super) const MOST_VARIANTS: usize = 50;
/// From this age of its newest exposure on, an experiment is over. Longer than a weekend, or an outage: the test that is
/// taken when it is over must not be one more look.
pub(super) const STILL: Duration = Duration::days(7);
/// Names of a baseline that is not named.
const BASELINES: [&str; 3] = ["control", "baseline", "a"];

/// Answers questions about experiments.
#[derive(Clone)]
pub struct ExperimentsService {
    pub(super) service: Arc<Service>,
    /// Variants of experiments that nobody was exposed to.
    assumed: &'static [&'static str],
}

/// An experiment as a question sees it.
pub(super) struct Seen<'a> {
    pub range: &'a Range,
    /// Which experiment, and whose exposures count.
    pub conditions: Vec<Condition>,
    /// In the order that numbers them.
    pub variants: Vec<String>,
    /// Whether units still come to it.
    pub is_running: bool,
    /// Until the end of the range, from the beginning of time: the first exposure of a unit is the first of all.
    always: Range,
}

/// The arms of an experiment as they were planned: names and weights, and which of them is the baseline.
pub(super) struct Arms {
    pub weights: Vec<(String, f64)>,
    pub baseline: String,
}

impl ExperimentsService {
    pub fn new(service: Arc<Service>) -> Self {
        Self { service, assumed: &[] }
    }

    /// The same, with variants for experiments that nobody was exposed to.
    pub fn assuming(self, variants: &'static [&'static str]) -> Self {
        Self { assumed: variants, ..self }
    }

    /// The experiment, which must have been exposed to somebody at some time.
    pub(super) async fn seen<'a>(
        &self,
        reader: &Reader,
        id: &str,
        filters: &[Condition],
        range: &'a Range,
    ) -> Result<Seen<'a>, AnswerError> {
        let mut conditions = vec![is("experiment_id", id)];
        let mut values = Values::default();
        values.set("most_variants", Value::Whole(MOST_VARIANTS as u64 + 1));
        let always = until(DateTime::<Utc>::MAX_UTC, range);
        let variants = self
            .service
            .ask::<VariantRow>(
                reader,
                Ask {
                    template: "experiments/variants.sql",
                    facts: Facts {
                        fields: ["experiment_id", "variant"].map(FieldName::Column).to_vec(),
                        ..exposures(&always, &conditions, Sources::Any)
                    },
                    joined: Vec::new(),
                    buckets: &Buckets::whole(range),
                    values,
                    variables: Vec::new(),
                },
            )
            .await?;
        let rows = &variants.rows.rows;
        if rows.is_empty() && self.assumed.is_empty() {
            return Err(AnswerError::NotFound("There is no such experiment: nobody was exposed to it."));
        }
        if rows.len() > MOST_VARIANTS {
            return Err(Problem::general(format!("the experiment has more than {MOST_VARIANTS} variants")).into());
        }
        let assumed = self.assumed.iter().copied().filter(|_| rows.is_empty());
        let newest = rows.iter().map(|row| row.last_exposure).max().and_then(DateTime::from_timestamp_micros);
        conditions.extend_from_slice(filters);
        Ok(Seen {
            range,
            conditions,
            variants: rows.iter().map(|row| row.variant.as_str()).chain(assumed).map(str::to_owned).collect(),
            is_running: newest.is_some_and(|newest| Utc::now() - newest < STILL),
            always: until(range.to, range),
        })
    }

    pub(super) async fn meta<R>(
        &self,
        reader: &Reader,
        range: &Range,
        notes: &[&'static str],
        answered: &Answered<R>,
    ) -> Result<Meta, AnswerError> {
        self.service.meta_about(reader, &EXPOSURES, notes, range, answered).await
    }

    /// What units of each variant did. A variant without a unit has no row.
    pub(super) async fn metric(
        &self,
        reader: &Reader,
        seen: &Seen<'_>,
        metric: &Metric,
        (window, handling): (ConversionWindow, Handling),
    ) -> Result<Answered<ArmRow>, AnswerError> {
        let before = Duration::days(metric.cuped_days as i64);
        // What counts as one where no number is added up.
        let value = match &metric.value {
            Some(FieldName::Path(keys)) => Sql::number_at("data", keys),
            _ => Sql::constant("toNullable(1.)"),
        };
        let kind = match metric.kind {
            MetricKind::Conversion => "conversion",
            MetricKind::Count | MetricKind::Mean | MetricKind::Ratio => "sum",
            MetricKind::EventRatio => "events",
        };
        let (done, buckets) = (Range { from: seen.range.from - before, ..*seen.range }, Buckets::whole(seen.range));
        let mut ask = seen.ask_of_units("experiments/metric.sql", &buckets, handling);
        // Exposures by event are counted in the range, which sums of all time do not tell.
        if metric.kind == MetricKind::EventRatio {
            ask.facts = exposures(seen.range, &seen.conditions, Sources::Raw);
        }
        ask.joined = vec![("goals", events(&done, &metric.goal))];
        ask.joined.extend(metric.denominator.as_ref().map(|of| ("denominators", events(seen.range, of))));
        ask.values.set("window", Value::Signed(micros(window.0)));
        ask.values.set("before", Value::Signed(micros(before)));
        ask.variables = vec![
            ("value", value.into()),
            ("kind", kind.into()),
            ("has_denominators", metric.denominator.is_some().into()),
            ("has_before", (metric.cuped_days > 0).into()),
        ];
        self.service.ask(reader, ask).await
    }
}

impl Seen<'_> {
    pub fn always(&self) -> &Range {
        &self.always
    }

    /// A question whose template includes `units.sql`.
    pub fn ask_of_units<'a>(&'a self, template: &'static str, buckets: &'a Buckets, handling: Handling) -> Ask<'a> {
        let mut values = Values::default();
        values.set("variants", Value::Texts(self.variants.clone()));
        values.set("from", Value::Signed(self.range.from.timestamp_micros()));
        values.set("keeps_multiple", Value::Whole((handling == Handling::First).into()));
        Ask {
            template,
            facts: exposures(&self.always, &self.conditions, Sources::Any),
            joined: Vec::new(),
            buckets,
            values,
            variables: Vec::new(),
        }
    }
}

/// The condition that a field is a text.
pub(super) fn is(field: &'static str, text: &str) -> Condition {
    let operand = Operand::Texts(vec![text.to_owned()]);
    let predicate = Predicate { field: FieldName::Column(field), kind: Kind::Text, operator: Operator::Eq, operand };
    Condition { parameter: field, any_of: vec![predicate] }
}

/// All that was before an instant: the first exposure of a unit is the first of all.
pub(super) fn until(to: DateTime<Utc>, range: &Range) -> Range {
    let last = DateTime::from_timestamp(4_102_444_799, 0).expect("the last second of 2099");
    let first = DateTime::from_timestamp(946_684_800, 0).expect("the first second of 2000");
    Range { zone: range.zone, from: first, to: to.min(last) }
}

fn exposures<'a>(range: &'a Range, conditions: &'a [Condition], sources: Sources) -> Facts<'a> {
    let fields = ["experiment_id", "unit", "variant"].map(FieldName::Column).to_vec();
    Facts { dataset: &EXPOSURES, range, conditions, fields, sources }
}

pub(super) fn events<'a>(range: &'a Range, of: &'a EventOf) -> Facts<'a> {
    Facts { dataset: &GOALS, range, conditions: &of.conditions, fields: Vec::new(), sources: Sources::Any }
}

/// The variant that is taken as the baseline when none is named.
pub(super) fn usual_baseline<'a>(names: &[&'a str]) -> Option<&'a str> {
    let usual = BASELINES.iter().find_map(|usual| names.iter().find(|name| name.eq_ignore_ascii_case(usual)));
    usual.or(names.first()).copied()
}

impl Arms {
    /// The plan, with the variants that there are.
    pub fn new(plan: &Plan, seen: &[String]) -> Result<Self, Problem> {
        let weights: Vec<(String, f64)> = match &plan.weights {
            None => seen.iter().map(|variant| (variant.clone(), 1.0)).collect(),
            Some(weights) => weights.clone(),
        };
        let names: Vec<&str> = weights.iter().map(|(name, _)| name.as_str()).collect();
        if let Some(missing) = seen.iter().find(|variant| !names.contains(&variant.as_str())) {
            let detail = format!("have none for `{missing}`, to which units were exposed");
            return Err(Problem::parameter("weights", detail).with_allowed(seen));
        }
        let baseline = match &plan.baseline {
            Some(baseline) if names.contains(&baseline.as_str()) => baseline.clone(),
            Some(other) => return Err(Problem::not_allowed("baseline", other, &names)),
            None => {
                let (planned, others): (Vec<_>, Vec<_>) = weights.iter().partition(|(_, weight)| *weight > 0.0);
                let names: Vec<&str> = planned.iter().chain(&others).map(|(name, _)| name.as_str()).collect();
                usual_baseline(&names).unwrap_or_default().to_owned()
            }
        };
        if weights.iter().any(|(name, weight)| *name == baseline && *weight <= 0.0) {
            return Err(Problem::parameter("weights", format!("have none above 0 for the baseline, `{baseline}`")));
        }
        Ok(Self { weights, baseline })
    }

    /// The experiment with what was observed of its metrics.
    pub fn experiment(
        &self,
        metrics: Vec<Analysed>,
        came: &Came<'_>,
        judged: Judged,
        handling: Handling,
    ) -> Experiment {
        let units = |name: &str| came.units.iter().find(|(variant, _)| *variant == name).map_or(0, |(_, units)| *units);
        let arm =
            |(name, weight): &(String, f64)| Arm { variant: name.clone(), weight: *weight, exposures: units(name) };
        Experiment {
            baseline: self.baseline.clone(),
            arms: self.weights.iter().map(arm).collect(),
            multiple_exposures: MultipleExposures { units: came.multiple, handling },
            metrics,
            settings: judged.settings(),
        }
    }

    /// A metric of all arms, in their order.
    pub fn observed(
        &self,
        purpose: Purpose,
        metric_type: MetricType,
        of: impl Fn(&str) -> Option<Observed>,
    ) -> Analysed {
        let of = |(name, _): &(String, f64)| (name.clone(), of(name).unwrap_or(Observed::EMPTY));
        Analysed {
            id: purpose.id,
            role: purpose.role,
            metric_type,
            direction: purpose.direction,
            minimum_effect: purpose.minimum_effect,
            variants: self.weights.iter().map(of).collect(),
        }
    }

    /// A metric of events.
    pub fn observed_events(&self, purpose: Purpose, metric: &Metric, rows: &[ArmRow]) -> Analysed {
        self.observed(purpose, metric.kind.metric_type(), |name| {
            rows.iter().find(|row| row.variant == name).map(|row| observed(metric, row))
        })
    }
}

/// What a metric is called, and what it is for.
pub(super) struct Purpose {
    pub id: String,
    pub role: Role,
    pub direction: Direction,
    /// As [`Analysed::minimum_effect`].
    pub minimum_effect: Option<f64>,
}

/// Units that came to each variant, and those that came to several.
pub(super) struct Came<'a> {
    pub units: Vec<(&'a str, u64)>,
    pub multiple: u64,
}

impl<'a> Came<'a> {
    pub fn of(rows: &'a [ArmRow]) -> Self {
        Self {
            units: rows.iter().map(|row| (row.variant.as_str(), row.units)).collect(),
            multiple: rows.iter().map(|row| row.multiple_units).sum(),
        }
    }
}

/// How the numbers are judged.
#[derive(Clone, Copy)]
pub(super) struct Judged {
    pub test: TestChoice,
    pub correction: Correction,
    pub correction_scope: CorrectionScope,
    pub sureness: Sureness,
    pub is_running: bool,
}

impl Judged {
    /// By which test it is decided, where nobody said so.
    pub fn note(self) -> Option<&'static str> {
        let note = if self.is_running { STILL_RUNNING } else { OVER };
        (self.test == TestChoice::Auto).then_some(note)
    }

    fn settings(self) -> Settings {
        Settings {
            alpha: self.sureness.alpha,
            minimum_effect: self.sureness.minimum_effect,
            test: self.test,
            correction: self.correction,
            correction_scope: self.correction_scope,
            is_running: self.is_running,
            ..Settings::default()
        }
    }
}

impl MetricKind {
    const fn metric_type(self) -> MetricType {
        match self {
            Self::Conversion => MetricType::Conversion,
            Self::Count => MetricType::Count,
            Self::Mean => MetricType::Mean,
            Self::Ratio | Self::EventRatio => MetricType::Ratio,
        }
    }
}

fn observed(metric: &Metric, row: &ArmRow) -> Observed {
    if !row.has_goal_events {
        return Observed::unheard_of(row.units);
    }
    let plain = match metric.kind {
        MetricKind::Conversion => Observed::proportion(row.y_sum as u64, row.units),
        MetricKind::Count | MetricKind::Mean => Observed::mean(row.y_sum, row.y()),
        MetricKind::Ratio | MetricKind::EventRatio => Observed::ratio([row.y_sum, row.d_sum], row.with_denominator()),
    };
    let is_before_known = metric.cuped_days > 0 && row.units > 0;
    Observed {
        before: is_before_known.then(|| row.with_before()),
        units_without_before: is_before_known.then_some(row.units_without_before),
        ..plain
    }
}

pub(super) const fn micros(length: Duration) -> i64 {
    length.num_seconds() * 1_000_000
}
