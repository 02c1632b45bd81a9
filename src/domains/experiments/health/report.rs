//! From the units of each variant, by day, platform and profile, to what is wrong with them. Pure.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::super::analysis::{Handling, is_alarming, is_enough, planned_exposures, srm};
use super::super::repository::HealthRow;
use super::super::schemas::VariantUnits;
use super::super::service::Arms;
use super::schemas::{
    ExposureShift, HealthArm, HealthCell, HealthDimension, HealthNote, HealthReason, HealthReport, HealthStatus,
    LateExposures, Lateness, SeveralVariants, ShiftTest, VariantLateness, VariantPair,
};
use crate::answer::Meta;
use crate::statistics::{benjamini_hochberg, homogeneity, sample_ratio};

/// The part of units of several variants above which they are worth a look.
const MANY_MULTIPLE: f64 = 0.01;
/// From which V on, and below which p, two samples differ. V of 0.1 is what Cohen 1988 calls a small effect.
const APART: (f64, f64) = (0.1, 0.001);

/// What a report is made of.
pub struct Report<'a> {
    pub arms: &'a Arms,
    /// In the order that numbers them.
    pub variants: &'a [String],
    pub zone: Tz,
    pub middle: DateTime<Utc>,
    pub handling: Handling,
    pub rows: &'a [HealthRow],
}

/// Units by variant.
type Units<'a> = BTreeMap<&'a str, u64>;

impl Report<'_> {
    pub fn told(&self, meta: Meta) -> HealthReport {
        // Each unit is in one of the days.
        let all = self.units(self.of("day"));
        let counts = self.counts(&all);
        let units = planned_exposures(&counts);
        let mut report = HealthReport {
            status: HealthStatus::Healthy,
            reasons: Vec::new(),
            baseline: self.arms.baseline.clone(),
            units,
            srm: srm(&counts),
            arms: self.arms_told(&all, units),
            empty_arms: Vec::new(),
            days: self.cells("day", |start| self.date(start)),
            platforms: self.cells("platform", named),
            profile_codes: self.cells("profile_code", named),
            multiple_exposures: self.several(),
            shift: self.shift(),
            late_exposures: self.late(),
            meta,
        };
        let empty = report.arms.iter().filter(|arm| arm.planned.is_some() && arm.units == 0);
        report.empty_arms = empty.map(|arm| arm.variant.clone()).collect();
        (report.status, report.reasons) = judged(&report);
        report
    }

    fn of<'r>(&'r self, dimension: &'r str) -> impl Iterator<Item = &'r HealthRow> {
        self.rows.iter().filter(move |row| row.dimension == dimension)
    }

    fn units<'r>(&self, rows: impl Iterator<Item = &'r HealthRow>) -> Units<'r> {
        let mut units = Units::new();
        rows.for_each(|row| *units.entry(&row.variant).or_default() += row.units);
        units
    }

    /// Units and weight of each arm.
    fn counts(&self, units: &Units<'_>) -> Vec<(u64, f64)> {
        let of = |(name, weight): &(String, f64)| (units.get(name.as_str()).copied().unwrap_or(0), *weight);
        self.arms.weights.iter().map(of).collect()
    }

    fn arms_told(&self, all: &Units<'_>, units: u64) -> Vec<HealthArm> {
        let planned: f64 = self.arms.weights.iter().map(|(_, weight)| weight.max(0.0)).sum();
        let arm = |((variant, weight), (came, _)): (&(String, f64), (u64, f64))| HealthArm {
            variant: variant.clone(),
            units: came,
            planned: (*weight > 0.0).then(|| weight / planned),
            seen: (*weight > 0.0 && units > 0).then(|| came as f64 / units as f64),
        };
        self.arms.weights.iter().zip(self.counts(all)).map(arm).collect()
    }

    /// The day that begins at an instant.
    fn date(&self, start: &str) -> Option<String> {
        let start = DateTime::from_timestamp(start.parse().ok()?, 0)?;
        Some(start.with_timezone(&self.zone).format("%Y-%m-%d").to_string())
    }

    /// The values of a dimension that are told apart: days in order, others with the most units first.
    fn cells(&self, dimension: &str, name: impl Fn(&str) -> Option<String>) -> Vec<HealthCell> {
        let mut by_value: BTreeMap<&str, Vec<&HealthRow>> = BTreeMap::new();
        for row in self.of(dimension).filter(|row| row.is_rest == 0) {
            by_value.entry(&row.value).or_default().push(row);
        }
        // A row may be of units that do not count.
        let mut cells: Vec<HealthCell> = by_value
            .into_iter()
            .map(|(value, rows)| self.cell(name(value), &self.units(rows.into_iter())))
            .filter(|cell| cell.variants.iter().any(|variant| variant.units > 0))
            .collect();
        if dimension != "day" {
            cells.sort_by_key(|cell| std::cmp::Reverse(cell.variants.iter().map(|variant| variant.units).sum::<u64>()));
        }
        let adjusted = adjust(cells.iter().map(|cell| cell.p_value));
        for (cell, p) in cells.iter_mut().zip(adjusted) {
            cell.p_value_adjusted = p;
            cell.alarm = p.is_some_and(|p| is_alarming(p, cell.units));
        }
        cells
    }

    fn cell(&self, value: Option<String>, units: &Units<'_>) -> HealthCell {
        let counts = self.counts(units);
        let names = self.arms.weights.iter().map(|(name, _)| name.clone());
        let planned = planned_exposures(&counts);
        let (tested, notes) = match sample_ratio(&counts) {
            Some(ratio) if is_enough(planned) => (Some(ratio.p), Vec::new()),
            None if self.planned_arms() < 2 => (None, vec![HealthNote::NothingToCompare]),
            _ => (None, vec![HealthNote::FewUnits]),
        };
        HealthCell {
            value,
            units: planned,
            variants: names.zip(&counts).map(|(variant, (units, _))| VariantUnits { variant, units: *units }).collect(),
            p_value: tested.map(|p| p.value),
            p_log10: tested.map(|p| p.log10),
            p_value_adjusted: None,
            alarm: false,
            notes,
        }
    }

    fn planned_arms(&self) -> usize {
        self.arms.weights.iter().filter(|(_, weight)| *weight > 0.0).count()
    }

    fn several(&self) -> SeveralVariants {
        let mut pairs: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        let (mut units, mut counted) = (0, 0);
        for row in self.of("day") {
            units += row.multiple_units;
            counted += row.units;
            for (other, came) in self.variants.iter().zip(&row.others).filter(|(_, came)| **came > 0) {
                *pairs.entry((&row.variant, other)).or_default() += came;
            }
        }
        let all = counted + if self.handling == Handling::First { 0 } else { units };
        let pair = |((first, other), units): (&(&str, &str), &u64)| VariantPair {
            first: (*first).to_owned(),
            other: (*other).to_owned(),
            units: *units,
        };
        let mut pairs: Vec<VariantPair> = pairs.iter().map(pair).collect();
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.units));
        SeveralVariants { units, share: share(units, all), handling: self.handling, pairs }
    }

    fn shift(&self) -> ExposureShift {
        let dimensions = HealthDimension::ALL.iter();
        let each = |dimension: &HealthDimension| {
            self.arms.weights.iter().map(|(variant, _)| self.shift_of(*dimension, variant)).collect::<Vec<_>>()
        };
        let mut tests: Vec<ShiftTest> = dimensions.flat_map(each).collect();
        let adjusted = adjust(tests.iter().map(|test| test.p_value));
        for (test, p) in tests.iter_mut().zip(adjusted) {
            test.p_value_adjusted = p;
            test.is_shifted = are_apart(p, test.cramers_v);
        }
        ExposureShift { second_half_from: self.middle.with_timezone(&self.zone).to_rfc3339(), tests }
    }

    fn shift_of(&self, dimension: HealthDimension, variant: &str) -> ShiftTest {
        let mut halves: BTreeMap<(u8, &str), (u64, u64)> = BTreeMap::new();
        for row in self.of(dimension.name()).filter(|row| row.variant == variant) {
            let counts = halves.entry((row.is_rest, &row.value)).or_default();
            *(if row.is_later == 0 { &mut counts.0 } else { &mut counts.1 }) += row.units;
        }
        let counts: Vec<(u64, u64)> = halves.into_values().collect();
        let (first, second) = counts.iter().fold((0, 0), |sums, count| (sums.0 + count.0, sums.1 + count.1));
        let (tested, notes) = match homogeneity(&counts) {
            Some(spread) if is_enough(first + second) => (Some(spread), Vec::new()),
            None if first + second > 0 => (None, vec![HealthNote::EmptyHalf]),
            _ => (None, vec![HealthNote::FewUnits]),
        };
        ShiftTest {
            dimension,
            variant: variant.to_owned(),
            units: [first, second],
            chi_squared: tested.map(|spread| spread.chi_squared),
            degrees_of_freedom: tested.map(|spread| spread.freedom),
            p_value: tested.map(|spread| spread.p.value),
            p_value_adjusted: None,
            cramers_v: tested.map(|spread| spread.cramers_v),
            is_shifted: false,
            notes,
        }
    }

    fn late(&self) -> LateExposures {
        let of = |rows: &mut dyn Iterator<Item = &HealthRow>| {
            let (exposures, late) =
                rows.fold((0, 0), |sums, row| (sums.0 + row.exposures, sums.1 + row.late_exposures));
            Lateness { exposures, late, share: share(late, exposures) }
        };
        let variant = |(variant, _): &(String, f64)| VariantLateness {
            variant: variant.clone(),
            lateness: of(&mut self.of("day").filter(|row| row.variant == *variant)),
        };
        let all = of(&mut self.of("day"));
        let variants: Vec<VariantLateness> = self.arms.weights.iter().map(variant).collect();
        let counts: Vec<(u64, u64)> =
            variants.iter().map(|of| (of.lateness.late, of.lateness.exposures - of.lateness.late)).collect();
        let tested = homogeneity(&counts).filter(|_| is_enough(all.exposures));
        let (p_value, cramers_v) = (tested.map(|spread| spread.p.value), tested.map(|spread| spread.cramers_v));
        LateExposures { all, variants, p_value, cramers_v, is_uneven: are_apart(p_value, cramers_v) }
    }
}

/// Whether two samples differ, and by enough to matter.
fn are_apart(p: Option<f64>, v: Option<f64>) -> bool {
    p.is_some_and(|p| p < APART.1) && v.is_some_and(|v| v >= APART.0)
}

fn named(name: &str) -> Option<String> {
    (!name.is_empty()).then(|| name.to_owned())
}

fn share(part: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

/// p-values adjusted among those that there are.
fn adjust(p_values: impl Iterator<Item = Option<f64>>) -> Vec<Option<f64>> {
    let p_values: Vec<Option<f64>> = p_values.collect();
    let tested: Vec<f64> = p_values.iter().copied().flatten().collect();
    let mut adjusted = benjamini_hochberg(&tested).into_iter();
    p_values.into_iter().map(|p| p.and_then(|_| adjusted.next())).collect()
}

/// What a report comes to.
fn judged(report: &HealthReport) -> (HealthStatus, Vec<HealthReason>) {
    let alarms = |cells: &[HealthCell]| cells.iter().any(|cell| cell.alarm);
    let are_many = report.multiple_exposures.share.is_some_and(|share| share > MANY_MULTIPLE);
    let is_broken = report.srm.is_some_and(|srm| srm.alarm);
    let lack = if report.arms.iter().filter(|arm| arm.planned.is_some()).count() < 2 {
        Some(HealthReason::NothingToCompare)
    } else {
        (!is_enough(report.units)).then_some(HealthReason::FewUnits)
    };
    let reasons = [
        (is_broken, HealthReason::SampleRatioMismatch),
        (alarms(&report.days), HealthReason::MismatchOfDay),
        (alarms(&report.platforms), HealthReason::MismatchOfPlatform),
        (alarms(&report.profile_codes), HealthReason::MismatchOfProfileCode),
        (!report.empty_arms.is_empty(), HealthReason::EmptyArm),
        (are_many, HealthReason::UnitsOfSeveralVariants),
        (report.shift.tests.iter().any(|test| test.is_shifted), HealthReason::ExposureShift),
        (report.late_exposures.is_uneven, HealthReason::LateExposures),
    ];
    let reasons: Vec<HealthReason> =
        reasons.into_iter().filter(|(is_so, _)| *is_so).map(|(_, reason)| reason).chain(lack).collect();
    let status = match reasons.is_empty() {
        true => HealthStatus::Healthy,
        false if is_broken => HealthStatus::Broken,
        false => HealthStatus::Warning,
    };
    (status, reasons)
}
