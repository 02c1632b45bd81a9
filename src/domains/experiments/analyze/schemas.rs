//! Sufficient statistics as they are sent, and what is impossible of them.

use std::collections::BTreeMap;

use super::super::analysis::{
    Arm, Correction, CorrectionScope, Direction, Experiment, Handling, Metric, MetricType, MultipleExposures, Observed,
    PriorChoice, Role, Settings, TestChoice,
};
use crate::json::{FromJson, Items, Json, Named, Place, bounded, document};
use crate::statistics::{Impossible, Joint, Sum, Sums};

const MOST_METRICS: usize = 100;
const MOST_VARIANTS: usize = 50;

bounded! {
    /// What tests and intervals leave out: 0.05 makes intervals of 95 %.
    pub struct Alpha [0.000_1, 0.5] = 0.05
}

bounded! {
    /// Units, of baseline and variant together, at which the sequential interval is to be the narrowest.
    pub struct SequentialTuning [1.0, 1e12] = 5_000.0
}

bounded! {
    /// A relative effect.
    pub struct RelativeEffect [0.0, 10.0]
}

/// A sum that is taken as exactly as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exact(pub Sum);

impl FromJson for Exact {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        /// Beyond it, squares leave the range of numbers.
        const LARGEST: f64 = 1e100;
        match value {
            Some(Json::Int(number)) => Some(Self((*number).into())),
            Some(Json::UInt(number)) => Some(Self((*number).into())),
            value => match f64::take(value, place)? {
                number if number.abs() <= LARGEST => Some(Self(number.into())),
                _ => place.refuse(format!("is not from -{LARGEST:e} to {LARGEST:e}")),
            },
        }
    }
}

document! {
    /// An experiment as sufficient statistics.
    pub struct AnalyzeBody {
        /// The variant that the others are compared with.
        #[schema(example = "A")]
        baseline: String,
        #[schema(required = false)]
        alpha: Alpha,
        /// By which test it is decided: `auto` is `sequential`, since an experiment can be sent again with more units.
        #[schema(required = false)]
        test: TestChoice,
        #[schema(required = false)]
        sequential_tuning: SequentialTuning,
        /// How p-values are adjusted for their number.
        #[schema(required = false)]
        correction: Correction,
        /// Which p-values are adjusted together.
        #[schema(required = false)]
        correction_scope: CorrectionScope,
        /// What the Bayesian view believes of relative lifts before there are data: `normal` is N(0, 0.3²).
        #[schema(required = false)]
        prior: PriorChoice,
        /// The relative effect from which on a goal matters; 0.01 by default.
        #[schema(example = 0.01)]
        minimum_effect: Option<RelativeEffect>,
        /// The planned part of each variant, of whatever they add up to; equal by default. 0 or less makes a holdout,
        /// which is not tested.
        #[schema(value_type = Option<BTreeMap<String, f64>>)]
        weights: Option<Named<f64>>,
        /// The units that came to each variant; by default the most that a metric has.
        #[schema(value_type = Option<BTreeMap<String, u64>>)]
        exposures: Option<Named<u64>>,
        #[schema(value_type = Vec<MetricBody>, min_items = 1, max_items = 100)]
        metrics: Items<CheckedMetric>,
    }
}

document! {
    /// A metric of all variants.
    pub struct MetricBody {
        #[schema(example = "success")]
        id: String,
        /// A goal is to get better, a guardrail is not to get worse.
        #[schema(required = false)]
        role: Role,
        /// Of units that converted or did not, of a number or a count per unit, or of a sum over a sum.
        metric_type as "type": MetricType,
        /// Which way is better.
        #[schema(required = false)]
        direction: Direction,
        /// The relative effect from which on it matters: of a goal in place of that of the request; of a guardrail, how
        /// much worse it may be at most.
        minimum_effect: Option<RelativeEffect>,
        #[schema(value_type = BTreeMap<String, VariantBody>)]
        variants: Named<VariantBody>,
    }
}

document! {
    /// The sums of a metric over the units of a variant. A variant without a unit needs `n` alone.
    pub struct VariantBody {
        /// Units.
        #[schema(example = 1000)]
        n: u64,
        /// Σy; of a conversion the units that converted, of a ratio that of the numerator.
        #[schema(value_type = Option<f64>, example = 200)]
        sum: Option<Exact>,
        /// Σy²; of a conversion it is the sum, and need not be given.
        #[schema(value_type = Option<f64>, example = 200)]
        sum_squares: Option<Exact>,
        /// Σd, of a ratio.
        #[schema(value_type = Option<f64>)]
        denominator_sum: Option<Exact>,
        /// Σd², of a ratio.
        #[schema(value_type = Option<f64>)]
        denominator_sum_squares: Option<Exact>,
        /// Σy·d, of a ratio.
        #[schema(value_type = Option<f64>)]
        product_sum: Option<Exact>,
        /// Σx of what the same units did before the experiment, for CUPED; in all variants, or in none. Not of ratios.
        #[schema(value_type = Option<f64>)]
        pre_sum: Option<Exact>,
        /// Σx²
        #[schema(value_type = Option<f64>)]
        pre_sum_squares: Option<Exact>,
        /// Σy·x
        #[schema(value_type = Option<f64>)]
        pre_product_sum: Option<Exact>,
    }
}

/// A question that can be answered.
pub struct AnalyzeQuestion(pub Experiment);

impl FromJson for AnalyzeQuestion {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        AnalyzeBody::take(value, place)?.checked(place).map(Self)
    }
}

impl AnalyzeBody {
    fn checked(self, place: &mut Place<'_>) -> Option<Experiment> {
        let variants = self.variants(place)?;
        let is_known = |name: &str| variants.iter().any(|known| known == name);
        if !is_known(&self.baseline) {
            place.within("baseline", |place| place.refuse_word::<(), _>(&self.baseline, &variants));
        }
        refuse_other_names(self.weights.as_ref(), "weights", &variants, place);
        refuse_other_names(self.exposures.as_ref(), "exposures", &variants, place);
        let weight = |name: &str| self.weights.as_ref().map_or(Some(1.0), |weights| weights.get(name).copied());
        if weight(&self.baseline).is_some_and(|weight| weight <= 0.0) {
            place.within("weights", |place| {
                place.refuse_field(&self.baseline, "is the baseline's, and must be above 0");
            });
        }
        if !variants.iter().any(|name| *name != self.baseline && weight(name).is_none_or(|weight| weight > 0.0)) {
            place.refuse_field("weights", "leave no variant to compare with the baseline");
        }
        let metrics: Vec<Metric> = self.metrics.0.into_iter().flatten().map(|CheckedMetric(metric)| metric).collect();
        let most = |name: &str| {
            let of = metrics.iter().flat_map(|metric| &metric.variants).filter(|(variant, _)| variant == name);
            of.map(|(_, observed)| observed.units).max().unwrap_or(0)
        };
        let exposures = |name: &str| self.exposures.as_ref().map_or(Some(most(name)), |of| of.get(name).copied());
        let arm =
            |name: &String| Some(Arm { variant: name.clone(), weight: weight(name)?, exposures: exposures(name)? });
        let arms = variants.iter().filter_map(arm).collect();
        let settings = Settings {
            alpha: self.alpha.0,
            test: self.test,
            is_running: true,
            sequential_tuning: self.sequential_tuning.0,
            correction: self.correction,
            correction_scope: self.correction_scope,
            prior: self.prior,
            minimum_effect: self.minimum_effect.map_or(Settings::default().minimum_effect, |of| of.0),
        };
        let multiple_exposures = MultipleExposures { units: 0, handling: Handling::Exclude };
        Some(Experiment { baseline: self.baseline, arms, metrics, multiple_exposures, settings })
    }

    /// The names of the variants, which all metrics have.
    fn variants(&self, place: &mut Place<'_>) -> Option<Vec<String>> {
        place.within("metrics", |place| {
            let metrics = &self.metrics.0;
            if metrics.is_empty() || metrics.len() > MOST_METRICS {
                return place.refuse(format!("are {}, not 1 to {MOST_METRICS}", metrics.len()));
            }
            let mut known: Option<Vec<String>> = None;
            let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
            for (index, CheckedMetric(metric)) in
                metrics.iter().enumerate().filter_map(|(index, metric)| Some((index, metric.as_ref()?)))
            {
                place.within(index.to_string(), |place| {
                    if let Some(before) = ids.insert(&metric.id, index) {
                        place.refuse_field("id", format!("is that of the metric {before} too"));
                    }
                    let names: Vec<String> = metric.variants.iter().map(|(name, _)| name.clone()).collect();
                    let first = known.get_or_insert_with(|| names.clone());
                    place.within("variants", |place| refuse_other(&names, first, place));
                });
            }
            known
        })
    }
}

/// Refuses names that are none of the variants, and variants that are not named.
fn refuse_other_names<T>(given: Option<&Named<T>>, field: &str, variants: &[String], place: &mut Place<'_>) {
    let Some(given) = given else { return };
    let names: Vec<String> = given.names().map(str::to_owned).collect();
    place.within(field, |place| refuse_other(&names, variants, place));
}

fn refuse_other(names: &[String], variants: &[String], place: &mut Place<'_>) {
    for name in names.iter().filter(|name| !variants.contains(name)) {
        place.within(name, |place| place.refuse_word::<(), _>(name, variants));
    }
    for missing in variants.iter().filter(|name| !names.contains(name)) {
        place.refuse_field(missing, "is missing: every variant has to be there");
    }
}

/// A metric whose statistics are possible.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedMetric(pub Metric);

impl FromJson for CheckedMetric {
    fn take(value: Option<&Json<'_>>, place: &mut Place<'_>) -> Option<Self> {
        let body = MetricBody::take(value, place)?;
        let count = body.variants.0.len();
        if !(2..=MOST_VARIANTS).contains(&count) {
            place.refuse_field("variants", format!("are {count}, not 2 to {MOST_VARIANTS}"));
        }
        let has_before = body.variants.0.iter().filter_map(|(_, of)| of.as_ref()).any(VariantBody::has_before);
        // One that is wrong is noted, and stands as an empty one until all are read.
        let check = |(name, of): (String, Option<VariantBody>)| {
            let observed = place.within("variants", |place| {
                place.within(&name, |place| of?.observed(body.metric_type, has_before, place))
            });
            (name, observed.unwrap_or(Observed::EMPTY))
        };
        Some(Self(Metric {
            variants: body.variants.0.into_iter().map(check).collect(),
            id: body.id,
            role: body.role,
            metric_type: body.metric_type,
            direction: body.direction,
            minimum_effect: body.minimum_effect.map(|of| of.0),
        }))
    }
}

impl VariantBody {
    const RATIO: [&'static str; 3] = ["denominator_sum", "denominator_sum_squares", "product_sum"];
    const BEFORE: [&'static str; 3] = ["pre_sum", "pre_sum_squares", "pre_product_sum"];

    fn has_before(&self) -> bool {
        [self.pre_sum, self.pre_sum_squares, self.pre_product_sum].iter().any(Option::is_some)
    }

    fn observed(self, metric_type: MetricType, has_before: bool, place: &mut Place<'_>) -> Option<Observed> {
        let kind = metric_type.name();
        if metric_type == MetricType::Conversion {
            self.part(place)?;
        }
        let of_ratio = [self.denominator_sum, self.denominator_sum_squares, self.product_sum];
        let of_before = [self.pre_sum, self.pre_sum_squares, self.pre_product_sum];
        let is_ratio = metric_type == MetricType::Ratio;
        let (unused, names) = if is_ratio { (of_before, Self::BEFORE) } else { (of_ratio, Self::RATIO) };
        for (_, name) in unused.iter().zip(names).filter(|(value, _)| value.is_some()) {
            place.refuse_field(name, format!("is not used by a `{kind}`; leave it out"));
        }
        let squares =
            if metric_type == MetricType::Conversion { self.sum_squares.or(self.sum) } else { self.sum_squares };
        let y = self.sums([("sum", self.sum), ("sum_squares", squares)], kind, place);
        let second = match (is_ratio, has_before) {
            (true, _) => Some((of_ratio, Self::RATIO, kind)),
            (false, true) => Some((of_before, Self::BEFORE, "CUPED")),
            (false, false) => None,
        };
        let joint = match second {
            None => None,
            Some(([sum, squares, products], names, kind)) => {
                let x = self.sums([(names[0], sum), (names[1], squares)], kind, place);
                let products = self.needed((names[2], products), kind, place);
                let (x, products) = (x?, products?);
                joint(y?, x, (names[2], products), place)
            }
        };
        let y = y?;
        if is_ratio {
            let sums = [y.sum.value(), of_ratio[0].map_or(0.0, |sum| sum.0.value())];
            return Some(joint.map_or(Observed::EMPTY, |joint| Observed::ratio(sums, joint)));
        }
        let observed = match metric_type {
            MetricType::Conversion => self.conversions(y, place)?,
            MetricType::Count => self.counts(y, place)?,
            MetricType::Mean | MetricType::Ratio => of_mean(y)?,
        };
        Some(Observed { before: joint, ..observed })
    }

    /// A field that must be given, unless there are no units.
    fn needed(&self, (name, value): (&str, Option<Exact>), kind: &str, place: &mut Place<'_>) -> Option<Sum> {
        match value {
            Some(value) => Some(value.0),
            None if self.n == 0 => Some(Sum::default()),
            None => place.within(name, |place| place.refuse(format!("is missing: `{kind}` needs it"))),
        }
    }

    /// No more units converted than there are. The squares of such sums are impossible too; this says it plainly.
    fn part(&self, place: &mut Place<'_>) -> Option<()> {
        match self.sum.map(|sum| sum.0.value()) {
            Some(sum) if self.n > 0 && sum > self.n as f64 => {
                place.within("sum", |place| place.refuse(format!("is {sum} of {} units: a proportion above 1", self.n)))
            }
            _ => Some(()),
        }
    }

    /// The sums of one variable, when some values have them.
    fn sums(&self, fields: [(&str, Option<Exact>); 2], kind: &str, place: &mut Place<'_>) -> Option<Sums> {
        let [sum, squares] = fields.map(|field| self.needed(field, kind, place));
        let sums = Sums { n: self.n, sum: sum?, squares: squares? };
        match sums.sample() {
            Ok(_) => Some(sums),
            Err(impossible) => {
                let is_sum = impossible == Impossible::SumOfNothing && sums.sum.value() != 0.0;
                let name = if is_sum { fields[0].0 } else { fields[1].0 };
                place.within(name, |place| place.refuse(format!("is {impossible}")))
            }
        }
    }

    /// Each value is 0 or 1.
    fn conversions(&self, y: Sums, place: &mut Place<'_>) -> Option<Observed> {
        let (n, sum) = (self.n, y.sum.value());
        if sum < 0.0 || sum.fract() != 0.0 {
            return place
                .within("sum", |place| place.refuse("is no number of units: those that converted are counted"));
        }
        if y.squares != y.sum {
            let detail = "is not the sum, as it is when each value is 0 or 1; use `count` or `mean` for other values";
            return place.within("sum_squares", |place| place.refuse(detail));
        }
        Some(Observed::proportion(sum as u64, n))
    }

    /// Each value is a whole number, and not negative.
    fn counts(&self, y: Sums, place: &mut Place<'_>) -> Option<Observed> {
        let (sum, squares) = (y.sum.value(), y.squares.value());
        if sum < 0.0 || sum.fract() != 0.0 {
            return place.within("sum", |place| place.refuse("is no sum of counts; use `mean` for other numbers"));
        }
        if squares < sum {
            let detail = "is less than the sum, which the squares of counts never are; use `mean` for other numbers";
            return place.within("sum_squares", |place| place.refuse(detail));
        }
        of_mean(y)
    }
}

fn of_mean(y: Sums) -> Option<Observed> {
    let sample = y.sample().ok()?;
    Some(sample.map_or(Observed::EMPTY, |sample| Observed::mean(y.sum.value(), sample)))
}

/// Both variables together, when some values have them; nothing without a unit.
fn joint(y: Sums, x: Sums, (name, products): (&str, Sum), place: &mut Place<'_>) -> Option<Joint> {
    match Joint::of_sums(y, x, products) {
        Ok(joint) => joint,
        Err(impossible) => place.within(name, |place| place.refuse(format!("is {impossible}"))),
    }
}
