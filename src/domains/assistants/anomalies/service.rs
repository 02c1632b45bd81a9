//! What anomalies are found in: the charts by the day, and the days before them.

use chrono::{Datelike, Duration, NaiveDate, Utc};

use super::super::AssistantsService;
use super::super::charts::schemas::{ChartQuestion, QuantilesQuestion};
use super::super::notes::{CALLS, COST, ERROR_RATE, LATENCY, RUNS};
use super::schemas::{AnomaliesQuestion, Anomaly, Basis, DailyMetric, Side};
use super::scores::{BASELINE_DAYS, Days, Score};
use crate::answer::{Chart, Meta, Number, Page, RangeMeta, Series, Table};
use crate::auth::Reader;
use crate::latencies::Quantile;
use crate::query::{Aggregation, CompareAlign, Comparison, DateRange, Level, Problem, Range, Split, Verify};
use crate::service::AnswerError;

/// Days that are looked at.
const MOST_DAYS: Duration = Duration::days(366);

const NOTES: [&str; 7] = [
    "Expected is the median of the same weekday in the 42 days before, or of all of them while there are fewer than three of it.",
    "The spread is 1.4826 times the median absolute deviation of the days before, each from what was expected of it: at least a tenth of what is expected, and at least what chance alone does to so many runs.",
    RUNS,
    ERROR_RATE,
    LATENCY,
    CALLS,
    COST,
];

/// The charts of the metrics, by the day.
type Charts = [(DailyMetric, Chart); 4];

impl AssistantsService {
    pub async fn anomalies(
        &self,
        reader: &Reader,
        question: &AnomaliesQuestion,
    ) -> Result<Table<Anomaly>, AnswerError> {
        let zone = question.date_range.zone;
        let Some((first, after)) = question.date_range.whole_days(Utc::now())? else {
            return Err(Problem::parameter("range", "has no local day that is over").into());
        };
        if after - first > MOST_DAYS {
            let detail = format!("has more than {} days, which is the most that is looked at", MOST_DAYS.num_days());
            return Err(Problem::parameter("range", detail).into());
        }
        let baseline = first - chrono::Days::new(BASELINE_DAYS as u64);
        if baseline.year() < 2000 {
            return Err(Problem::parameter("datetime_from", "is not 42 days after the beginning of 2000").into());
        }
        let all_days = DateRange::of_days(zone, baseline, after);
        let charts = self.by_day(reader, question, all_days).await?;
        let scored = Scored { charts: &charts, is_split: question.split.by.is_some() };
        let (mut anomalies, unscored) = scored.anomalies(question.min_score.0);
        anomalies
            .sort_by(|one, other| other.score.abs().total_cmp(&one.score.abs()).then_with(|| other.day.cmp(&one.day)));
        let meta = meta_of(&charts, &DateRange::of_days(zone, first, after).resolve(Utc::now())?, unscored);
        let (total, pagination) = (anomalies.len() as u64, question.pagination);
        let items = anomalies.into_iter().skip(pagination.offset as usize).take(pagination.limit as usize).collect();
        Ok(Table { items, page: Page::new(pagination, total), meta })
    }

    async fn by_day(
        &self,
        reader: &Reader,
        question: &AnomaliesQuestion,
        date_range: DateRange,
    ) -> Result<Charts, AnswerError> {
        let chart = ChartQuestion {
            date_range,
            aggregation: Aggregation(Level::Day),
            split: Split { by: question.split.by, top: question.split.top },
            filters: question.filters.clone(),
            comparison: Comparison { with: None, align: CompareAlign::Elapsed },
            verify: Verify(false),
        };
        let latency = QuantilesQuestion { quantile: Quantile::P95, chart: chart.clone() };
        let (runs, rates, latency, cost) = tokio::try_join!(
            self.runs(reader, &chart),
            self.error_rate(reader, &chart),
            self.latency(reader, &latency),
            self.cost(reader, &chart),
        )?;
        Ok([
            (DailyMetric::Runs, runs),
            (DailyMetric::ErrorRate, rates),
            (DailyMetric::LatencyP95, latency),
            (DailyMetric::Cost, cost),
        ])
    }
}

/// Charts whose days are scored, from the first one that is no baseline on.
struct Scored<'a> {
    charts: &'a Charts,
    is_split: bool,
}

impl Scored<'_> {
    /// The days that are unlike those before, and how many could not be compared.
    fn anomalies(&self, min_score: f64) -> (Vec<Anomaly>, usize) {
        let (mut anomalies, mut unscored) = (Vec::new(), 0);
        for (metric, chart) in self.charts {
            for series in chart.series.iter().filter(|series| self.is_shown(*metric, series)) {
                let values = values_of(series);
                let runs = self.runs_of(series, values.len());
                let days = Days { metric: *metric, values: &values, runs: &runs };
                for (day, seen) in values.iter().enumerate().skip(BASELINE_DAYS) {
                    match (*seen, days.score(day)) {
                        (Some(seen), Some(score)) if score.score.abs() >= min_score => {
                            let day = chart.x_axis[0].data[day].as_deref().and_then(day_of);
                            anomalies.extend(day.map(|day| self.anomaly(*metric, series, day, seen, score)));
                        }
                        (Some(_), None) => unscored += 1,
                        _ => {}
                    }
                }
            }
        }
        (anomalies, unscored)
    }

    /// All series of a split chart but the rest, which is of other groups in each chart; else the one line that is meant.
    fn is_shown(&self, metric: DailyMetric, series: &Series) -> bool {
        if self.is_split { series.id != "other" } else { metric != DailyMetric::LatencyP95 || series.id == "p95" }
    }

    /// The runs by the day, of the same group.
    fn runs_of(&self, series: &Series, days: usize) -> Vec<f64> {
        let [(_, runs), ..] = self.charts;
        let same = runs.series.iter().find(|of| !self.is_split || of.id == series.id);
        let runs = same.map(values_of).unwrap_or_default();
        if runs.is_empty() { vec![0.0; days] } else { runs.into_iter().map(Option::unwrap_or_default).collect() }
    }

    fn anomaly(&self, metric: DailyMetric, series: &Series, day: NaiveDate, seen: f64, score: Score) -> Anomaly {
        Anomaly {
            day: day.to_string(),
            metric,
            group: self.is_split.then(|| series.id.clone()),
            unit: metric.unit(),
            direction: if score.score < 0.0 { Side::Below } else { Side::Above },
            seen,
            expected: score.expected,
            spread: score.spread,
            score: score.score,
            basis: score.basis,
            baseline_days: score.baseline_days as u64,
            explanation: explanation(metric, day, seen, score),
        }
    }
}

impl DailyMetric {
    const fn unit(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::ErrorRate => "ratio",
            Self::LatencyP95 => "ms",
            Self::Cost => "usd",
        }
    }

    const fn label(self) -> &'static str {
        match self {
            Self::Runs => "Runs",
            Self::ErrorRate => "The error rate",
            Self::LatencyP95 => "Latency (p95)",
            Self::Cost => "Cost",
        }
    }
}

fn explanation(metric: DailyMetric, day: NaiveDate, seen: f64, score: Score) -> String {
    let such_days = match score.basis {
        Basis::Weekday => weekday(day),
        Basis::AllDays => "day",
    };
    let unit = match metric {
        DailyMetric::Runs | DailyMetric::ErrorRate => "",
        DailyMetric::LatencyP95 => " ms",
        DailyMetric::Cost => " USD",
    };
    format!(
        "{} {} {}{unit}; {} was expected, the median of {} {such_days}s. That is {} times the usual spread of {} {}.",
        metric.label(),
        if metric == DailyMetric::Runs { "were" } else { "was" },
        shown(seen),
        shown(score.expected),
        score.baseline_days,
        shown(score.score.abs()),
        shown(score.spread),
        if score.score < 0.0 { "below" } else { "above" },
    )
}

/// The local day of a label of the time axis.
fn day_of(label: &str) -> Option<NaiveDate> {
    label.get(..10)?.parse().ok()
}

fn weekday(day: NaiveDate) -> &'static str {
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
        [day.weekday().num_days_from_monday() as usize]
}

/// A number with three or four digits that count.
fn shown(number: f64) -> String {
    let digits = 3 - number.abs().max(1e-6).log10().floor().clamp(-6.0, 3.0) as i32;
    let scale = 10_f64.powi(digits.max(0));
    format!("{}", (number * scale).round() / scale)
}

fn values_of(series: &Series) -> Vec<Option<f64>> {
    series.data.iter().map(|value| value.map(Number::as_f64)).collect()
}

/// What the answer says about itself: what its charts do, and how it came about.
fn meta_of(charts: &Charts, range: &Range, unscored: usize) -> Meta {
    let [(_, first), others @ ..] = charts;
    let mut meta = Meta {
        range: RangeMeta::new(range),
        timezone: range.zone.name().to_owned(),
        source: first.meta.source.clone(),
        fresh_as_of: first.meta.fresh_as_of.clone(),
        notes: NOTES.map(str::to_owned).into(),
        cost: first.meta.cost.clone(),
        ..Meta::default()
    };
    for (_, chart) in others {
        meta.cost.add(&chart.meta.cost);
        let known = |note: &&String| !meta.notes.contains(note);
        let further: Vec<String> = chart.meta.notes.iter().filter(known).cloned().collect();
        meta.notes.extend(further);
    }
    if unscored > 0 {
        meta.notes.push(format!("{unscored} values could not be scored: there are fewer than seven days before them."));
    }
    meta
}
