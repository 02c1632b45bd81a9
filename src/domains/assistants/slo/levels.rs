//! From counts by window to service levels. Pure.
//!
//! Burn rates, windows and factors are those of The Site Reliability Workbook (Beyer et al. 2018), chapter 5, "Alerting on
//! SLOs", for a period of 30 days: 2 % of the budget in an hour, 5 % in six hours, 10 % in three days.

use chrono::Duration;

use super::schemas::{BurnRate, ErrorBudget, Rule, ServiceLevel, Severity, State};
use crate::answer::{Figure, Money, Number};
use crate::config::Objective;

/// The windows that are looked back on, the shortest first; the last one is the period that a budget is for.
pub const WINDOWS: [(&str, Duration); 6] = [
    ("5m", Duration::minutes(5)),
    ("30m", Duration::minutes(30)),
    ("1h", Duration::hours(1)),
    ("6h", Duration::hours(6)),
    ("3d", Duration::days(3)),
    ("30d", Duration::days(30)),
];
const PERIOD: usize = WINDOWS.len() - 1;

/// Severity, long and short window, factor.
const RULES: [(Severity, usize, usize, f64); 3] =
    [(Severity::Page, 2, 0, 14.4), (Severity::Page, 3, 1, 6.0), (Severity::Ticket, 4, 3, 1.0)];

/// What an assistant did in a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    pub runs: u64,
    pub failed_runs: u64,
    pub cost: Money,
    /// Runs whose length is known.
    pub ended_runs: u64,
    /// Those of them that took no longer than the threshold of the assistant.
    pub fast_runs: u64,
}

/// How much of something was used up in a window, of how much there was.
#[derive(Debug, Clone, Copy)]
struct Used {
    /// Bad runs, or what the runs cost.
    spent: Figure,
    runs: u64,
}

impl Used {
    fn of(objective: Objective, counted: &Counted) -> Self {
        let count = |count| Figure::Number(Number::Count(count));
        match objective {
            Objective::Availability { .. } => Self { spent: count(counted.failed_runs), runs: counted.runs },
            Objective::Latency { .. } => {
                Self { spent: count(counted.ended_runs - counted.fast_runs), runs: counted.ended_runs }
            }
            Objective::CostPerRun { .. } => Self { spent: Figure::Money(counted.cost), runs: counted.runs },
        }
    }

    /// What may be used up.
    fn allowed(self, objective: Objective) -> Figure {
        match objective {
            Objective::Availability { target } | Objective::Latency { target, .. } => {
                // 1 − 0.99 is 0.01, and not 0.010000000000000009.
                let missable = ((1.0 - target) * 1e12).round() / 1e12;
                Figure::Number(Number::Real(missable * self.runs as f64))
            }
            Objective::CostPerRun { target_usd } => Figure::Money(Money::of(target_usd).times(self.runs)),
        }
    }

    /// What was used up ÷ what may be; `None` without runs.
    fn burn_rate(self, objective: Objective) -> Option<f64> {
        (self.runs > 0).then(|| self.spent.as_f64() / self.allowed(objective).as_f64())
    }
}

/// How an assistant stands with an objective, by what it did in each of the [`WINDOWS`].
pub fn level(assistant: &str, objective: Objective, counted: &[Counted; WINDOWS.len()]) -> ServiceLevel {
    let used = counted.map(|counted| Used::of(objective, &counted));
    let rates = used.map(|used| used.burn_rate(objective));
    let rules = RULES.map(|(severity, long, short, factor)| Rule {
        severity,
        long_window: WINDOWS[long].0,
        short_window: WINDOWS[short].0,
        factor,
        is_firing: rates[long].zip(rates[short]).map(|(long, short)| long > factor && short > factor),
    });
    let period = used[PERIOD];
    let (target, threshold_ms, numerator) = match objective {
        Objective::Availability { target } => (real(target), None, good(period)),
        Objective::Latency { target, threshold_ms } => (real(target), Some(threshold_ms), good(period)),
        Objective::CostPerRun { target_usd } => (Figure::Money(Money::of(target_usd)), None, period.spent),
    };
    let value = (period.runs > 0).then(|| match numerator {
        Figure::Money(cost) => Figure::Money(cost.divided_by(period.runs)),
        Figure::Number(good) => real(good.as_f64() / period.runs as f64),
    });
    let error_budget = rates[PERIOD].map(|rate| ErrorBudget {
        allowed: period.allowed(objective),
        spent: period.spent,
        remaining: 1.0 - rate,
    });
    ServiceLevel {
        assistant_code: (!assistant.is_empty()).then(|| assistant.to_owned()),
        objective: objective.name(),
        target,
        threshold_ms,
        state: state(period, &rules),
        value,
        numerator,
        denominator: period.runs,
        error_budget,
        burn_rates: (0..WINDOWS.len())
            .map(|index| BurnRate {
                window: WINDOWS[index].0,
                numerator: used[index].spent,
                denominator: used[index].runs,
                burn_rate: rates[index],
            })
            .collect(),
        rules: rules.into(),
    }
}

fn state(period: Used, rules: &[Rule]) -> State {
    let fires = |severity| rules.iter().any(|rule| rule.severity == severity && rule.is_firing == Some(true));
    if period.runs == 0 {
        State::NoData
    } else if fires(Severity::Page) {
        State::Page
    } else if fires(Severity::Ticket) {
        State::Ticket
    } else {
        State::Ok
    }
}

fn real(value: f64) -> Figure {
    Figure::Number(Number::Real(value))
}

/// The runs that used up nothing.
fn good(used: Used) -> Figure {
    match used.spent {
        Figure::Number(Number::Count(bad)) => Figure::Number(Number::Count(used.runs.saturating_sub(bad))),
        spent => spent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(runs: u64, failed_runs: u64) -> Counted {
        Counted { runs, failed_runs, ended_runs: runs, fast_runs: runs - failed_runs, ..Counted::default() }
    }

    fn availability(counted: [Counted; 6]) -> ServiceLevel {
        level("triage", Objective::Availability { target: 0.99 }, &counted)
    }

    #[test]
    fn a_budget_is_what_the_target_allows_to_miss() {
        let level = availability([runs(10, 0); 6].map(|_| runs(10_000, 69)));
        let budget = level.error_budget.unwrap();
        assert!((budget.allowed.as_f64() - 100.0).abs() < 1e-9 && budget.spent.as_f64() == 69.0);
        assert!((budget.remaining - 0.31).abs() < 1e-9, "{budget:?}");
        assert_eq!((level.numerator.as_f64(), level.denominator), (9_931.0, 10_000));
        assert_eq!(level.value.unwrap().as_f64(), 0.9931);
        assert_eq!(level.state, State::Ok);
    }

    #[test]
    fn a_rule_fires_while_both_of_its_windows_burn() {
        let state = |counted: [(u64, u64); 6]| availability(counted.map(|(all, failed)| runs(all, failed))).state;
        // 15 % of the runs of an hour fail: 15 times as many as may.
        assert_eq!(state([(10, 2), (60, 9), (100, 15), (600, 15), (5_000, 15), (9_000, 15)]), State::Page);
        // It is over: the last five minutes are fine.
        assert_eq!(state([(10, 0), (60, 0), (100, 15), (600, 15), (5_000, 15), (9_000, 15)]), State::Ok);
        // 7 % over six hours, and in the last half hour still.
        assert_eq!(state([(10, 0), (60, 6), (100, 7), (600, 42), (5_000, 42), (9_000, 42)]), State::Page);
        // 2 % over three days, and in the last six hours still.
        assert_eq!(state([(10, 0), (60, 0), (100, 2), (600, 12), (5_000, 100), (9_000, 100)]), State::Ticket);
        // Exactly as fast as the factor is not faster.
        assert_eq!(state([(10, 0), (60, 0), (100, 0), (600, 6), (5_000, 50), (9_000, 50)]), State::Ok);
    }

    #[test]
    fn without_traffic_nothing_is_known_which_is_not_all_good() {
        let level = availability([Counted::default(); 6]);
        assert_eq!((level.state, level.value, level.error_budget), (State::NoData, None, None));
        assert!(level.burn_rates.iter().all(|rate| rate.burn_rate.is_none()));
        let quiet = availability([runs(0, 0), runs(0, 0), runs(0, 0), runs(0, 0), runs(10, 9), runs(10, 9)]);
        assert_eq!(quiet.state, State::Ok);
        assert!(quiet.rules.iter().all(|rule| rule.is_firing.is_none()));
    }

    #[test]
    fn a_run_is_slow_beyond_the_threshold_and_dear_above_the_target() {
        let counted =
            Counted { runs: 12, ended_runs: 10, fast_runs: 7, cost: Money(900_000_000), ..Counted::default() };
        let latency = level("", Objective::Latency { target: 0.9, threshold_ms: 500.0 }, &[counted; 6]);
        assert_eq!((latency.assistant_code, latency.denominator, latency.threshold_ms), (None, 10, Some(500.0)));
        assert!((latency.burn_rates[0].burn_rate.unwrap() - 3.0).abs() < 1e-9);
        let cost = level("a", Objective::CostPerRun { target_usd: "0.05".parse().unwrap() }, &[counted; 6]);
        assert_eq!(cost.value, Some(Figure::Money(Money(75_000_000))));
        let budget = cost.error_budget.unwrap();
        assert_eq!(
            (budget.allowed, budget.spent),
            (Figure::Money(Money(600_000_000)), Figure::Money(Money(900_000_000)))
        );
        assert!((budget.remaining + 0.5).abs() < 1e-12, "{budget:?}");
        assert_eq!(cost.state, State::Ticket);
    }
}
