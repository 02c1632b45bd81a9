//! The question for the health of an experiment, and its answer.

use serde::Serialize;
use utoipa::ToSchema;

use super::super::analysis::{Handling, Srm};
use super::super::schemas::{ExposureFilters, Plan, VariantUnits};
use crate::answer::{Meta, Shape, csv_of};
use crate::json::word;
use crate::query::{DateRange, Filters, question, vocabulary};

question! {
    /// Did an experiment run as planned?
    pub struct HealthQuestion {
        date_range: DateRange,
        plan: Plan,
        multiple_exposures: Handling,
        filters: Filters<ExposureFilters>,
    }
}

/// Whether an experiment ran as planned, and where not.
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthReport {
    pub status: HealthStatus,
    /// Why it is not healthy; those of the status first.
    pub reasons: Vec<HealthReason>,
    #[schema(example = "A")]
    pub baseline: String,
    /// Units of arms with a weight: what is tested.
    #[schema(example = 4210)]
    pub units: u64,
    /// Null without a unit, or with fewer than two arms of a weight.
    pub srm: Option<Srm>,
    pub arms: Vec<HealthArm>,
    /// Arms with a weight that no unit came to.
    pub empty_arms: Vec<String>,
    /// Days in the time zone of the question that had a unit, in order.
    pub days: Vec<HealthCell>,
    /// The platforms with the most units, at most 20, by the first exposure of a unit.
    pub platforms: Vec<HealthCell>,
    /// The profiles with the most units, at most 20, by the first exposure of a unit.
    pub profile_codes: Vec<HealthCell>,
    pub multiple_exposures: SeveralVariants,
    pub shift: ExposureShift,
    pub late_exposures: LateExposures,
    pub meta: Meta,
}

vocabulary! {
    /// What it comes to.
    pub enum HealthStatus as "health_status" {
        /// Nothing speaks against it.
        Healthy = "healthy",
        /// Look at it: numbers may be read, with the reasons in mind.
        Warning = "warning",
        /// Units did not come as planned: no number of the experiment can be trusted until that is explained.
        Broken = "broken",
    }
}
word!(HealthStatus);

vocabulary! {
    /// Why an experiment is not healthy.
    pub enum HealthReason as "health_reason" {
        /// The numbers of units do not fit the weights: `srm.alarm`. Broken.
        SampleRatioMismatch = "sample_ratio_mismatch",
        /// On some day they do not.
        MismatchOfDay = "mismatch_of_day",
        /// On some platform they do not.
        MismatchOfPlatform = "mismatch_of_platform",
        /// Under some profile they do not.
        MismatchOfProfileCode = "mismatch_of_profile_code",
        /// No unit came to an arm that has a weight.
        EmptyArm = "empty_arm",
        /// More than 1 % of the units were exposed to several variants.
        UnitsOfSeveralVariants = "units_of_several_variants",
        /// Units of the second half of the range are others than those of the first.
        ExposureShift = "exposure_shift",
        /// More of one variant came in late than of another: of its newest units some are still missing.
        LateExposures = "late_exposures",
        /// Fewer than 100 units: a mismatch cannot be told yet.
        FewUnits = "few_units",
        /// Fewer than two arms have a weight: there is no ratio.
        NothingToCompare = "nothing_to_compare",
    }
}
word!(HealthReason);

vocabulary! {
    /// Why a test has no result.
    pub enum HealthNote as "health_note" {
        /// Fewer than 100 units: not tested, and not counted among the tests.
        FewUnits = "few_units",
        /// Fewer than two arms have a weight: there is no ratio.
        NothingToCompare = "nothing_to_compare",
        /// One half of the range has no unit of the variant.
        EmptyHalf = "empty_half",
    }
}
word!(HealthNote);

/// An arm as it was planned, and as units came to it.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HealthArm {
    #[schema(example = "B")]
    pub variant: String,
    #[schema(example = 2105)]
    pub units: u64,
    /// The planned part, 0 to 1; null for a holdout, which is not tested.
    #[schema(example = 0.5)]
    pub planned: Option<f64>,
    /// The part that came; null for a holdout, and without a unit.
    #[schema(example = 0.4998)]
    pub seen: Option<f64>,
}

/// Units of one day, platform or profile, and whether they came as planned.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct HealthCell {
    /// The day, or the name; null for units whose first exposure names none.
    #[schema(example = "genesys")]
    pub value: Option<String>,
    /// Of arms with a weight.
    #[schema(example = 1805)]
    pub units: u64,
    /// Of every arm.
    pub variants: Vec<VariantUnits>,
    /// χ² against the weights, for one look; null where it is not tested.
    #[schema(example = 0.31)]
    pub p_value: Option<f64>,
    #[schema(example = -0.509)]
    pub p_log10: Option<f64>,
    /// For the number of cells of this kind that are tested, by Benjamini and Hochberg.
    #[schema(example = 0.77)]
    pub p_value_adjusted: Option<f64>,
    /// Adjusted p below 0.001.
    pub alarm: bool,
    pub notes: Vec<HealthNote>,
}

/// Units that were exposed to several variants.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct SeveralVariants {
    #[schema(example = 12)]
    pub units: u64,
    /// Of all units that were first exposed in the range; null without one.
    #[schema(example = 0.0028)]
    pub share: Option<f64>,
    pub handling: Handling,
    /// Who was first in one and came to another, the most first; a unit of three variants is in two of these.
    pub pairs: Vec<VariantPair>,
}

/// Units that were first in one variant and came to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct VariantPair {
    #[schema(example = "A")]
    pub first: String,
    #[schema(example = "B")]
    pub other: String,
    #[schema(example = 7)]
    pub units: u64,
}

/// Whether other units came in the second half of the range than in the first.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ExposureShift {
    /// Where the second half of the range begins, in the time zone of the question.
    #[schema(example = "2026-02-04T12:00:00+00:00")]
    pub second_half_from: String,
    /// Of each variant, by platform and by profile.
    pub tests: Vec<ShiftTest>,
}

vocabulary! {
    /// What units are told apart by.
    pub enum HealthDimension as "health_dimension" {
        Platform = "platform",
        ProfileCode = "profile_code",
    }
}
word!(HealthDimension);

/// How alike the units of both halves are spread over platforms, or profiles.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ShiftTest {
    pub dimension: HealthDimension,
    #[schema(example = "B")]
    pub variant: String,
    /// Units of the first and of the second half.
    #[schema(example = json!([1040, 1065]))]
    pub units: [u64; 2],
    /// Of Pearson's test of homogeneity; null where it is not tested.
    #[schema(example = 2.1)]
    pub chi_squared: Option<f64>,
    #[schema(example = 3)]
    pub degrees_of_freedom: Option<u64>,
    #[schema(example = 0.55)]
    pub p_value: Option<f64>,
    /// For the number of these tests, by Benjamini and Hochberg.
    #[schema(example = 0.77)]
    pub p_value_adjusted: Option<f64>,
    /// How far both are apart: 0 where they are alike, 1 where they share nothing.
    #[schema(example = 0.03)]
    pub cramers_v: Option<f64>,
    /// Adjusted p below 0.001, and V of 0.1 or more.
    pub is_shifted: bool,
    pub notes: Vec<HealthNote>,
}

/// Exposures that came in more than an hour after they happened, of all units that were first exposed in the range.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LateExposures {
    #[serde(flatten)]
    pub all: Lateness,
    /// By the variant of the unit.
    pub variants: Vec<VariantLateness>,
    /// Of Pearson's test that as much of every variant is late; null with fewer than 100 exposures, and where all or none
    /// are.
    #[schema(example = 0.61)]
    pub p_value: Option<f64>,
    /// How far they are apart, 0 to 1.
    #[schema(example = 0.008)]
    pub cramers_v: Option<f64>,
    /// p below 0.001, and V of 0.1 or more.
    pub is_uneven: bool,
}

/// How many exposures came in late.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Lateness {
    #[schema(example = 9870)]
    pub exposures: u64,
    #[schema(example = 41)]
    pub late: u64,
    /// late ÷ exposures; null without an exposure.
    #[schema(example = 0.0042)]
    pub share: Option<f64>,
}

/// How many exposures of units of a variant came in late.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct VariantLateness {
    #[schema(example = "B")]
    pub variant: String,
    #[serde(flatten)]
    pub lateness: Lateness,
}

/// A day, a platform or a profile, as a line of CSV.
#[derive(Serialize)]
struct CellRow<'a> {
    dimension: &'static str,
    #[serde(flatten)]
    cell: &'a HealthCell,
}

impl Shape for HealthReport {
    fn meta(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn csv(&self) -> String {
        let of = [("day", &self.days), ("platform", &self.platforms), ("profile_code", &self.profile_codes)];
        let rows =
            of.into_iter().flat_map(|(dimension, cells)| cells.iter().map(move |cell| CellRow { dimension, cell }));
        csv_of(&rows.collect::<Vec<_>>())
    }
}
