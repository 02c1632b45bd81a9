//! From sufficient statistics to comparisons, health and a decision. Pure, and the same for the same input.

mod adjust;
mod compare;
mod decide;
mod health;
mod input;
mod schemas;

pub use health::{is_alarming, is_enough, planned_exposures, srm};
pub use input::{
    Arm, Correction, CorrectionScope, Direction, Experiment, Handling, Metric, MetricType, MultipleExposures, Observed,
    Outcome, PriorChoice, Role, Settings, TestChoice,
};
pub use schemas::{Analysis, Decision, DecisionCode, MetricAnalysis, Note, Reason, Srm, TestName, Variant};

/// Analyses an experiment: every metric of every variant beside the baseline, whether units came as planned, and what
/// to do.
pub fn analyze(experiment: &Experiment) -> Analysis {
    let mut metrics: Vec<_> = experiment.metrics.iter().map(|metric| compare::metric(experiment, metric)).collect();
    adjust::adjust(&mut metrics, &experiment.settings);
    let health = health::health(experiment);
    let decision = decide::decide(experiment, &metrics, &health);
    Analysis { baseline: experiment.baseline.clone(), metrics, health, decision }
}
