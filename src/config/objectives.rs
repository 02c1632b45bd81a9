//! Objectives: what assistants are to reach, by account and assistant.

use std::fmt::{self, Display};
use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use validator::Validate;

use super::values::{Account, list};

/// What assistants are to reach over 30 days.
#[derive(Debug, Clone, Serialize, Deserialize, Validate)]
pub struct ObjectivesConfig {
    /// `account:assistant:availability=0.99`, `…:latency=0.95@10000` (ms) or `…:cost_per_run=0.05` (US dollars);
    /// `*` is every account, or every assistant, that has no objective of its own of that kind.
    #[serde(deserialize_with = "list")]
    pub objectives: Vec<ObjectiveRule>,
}

impl Default for ObjectivesConfig {
    fn default() -> Self {
        let rule = |text: &str| text.parse().expect("a rule");
        Self { objectives: ["*:*:availability=0.99", "*:*:latency=0.95@10000"].map(rule).into() }
    }
}

/// What is to be reached.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Objective {
    /// The share of runs that do not fail.
    Availability { target: f64 },
    /// The share of ended runs that take no longer than the threshold.
    Latency { target: f64, threshold_ms: f64 },
    /// US dollars that a run costs on average at the most.
    CostPerRun { target_usd: Decimal },
}

impl Objective {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Availability { .. } => "availability",
            Self::Latency { .. } => "latency",
            Self::CostPerRun { .. } => "cost_per_run",
        }
    }
}

impl FromStr for Objective {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape =
            "an objective is `availability=0.99`, `latency=0.95@10000` (ms) or `cost_per_run=0.05` (US dollars)";
        let share = |text: &str| {
            let share = text.parse().ok().filter(|share: &f64| *share > 0.0 && *share < 1.0);
            share.ok_or_else(|| format!("`{}` is not a share between 0 and 1", crate::query::shown(text)))
        };
        match text.split_once('=').ok_or(shape)? {
            ("availability", target) => Ok(Self::Availability { target: share(target)? }),
            ("latency", target) => {
                let (target, threshold) = target.split_once('@').ok_or(shape)?;
                let millis = threshold.parse().ok().filter(|millis: &f64| *millis > 0.0 && millis.is_finite());
                let threshold_ms = millis
                    .ok_or_else(|| format!("`{}` is not a time in milliseconds", crate::query::shown(threshold)))?;
                Ok(Self::Latency { target: share(target)?, threshold_ms })
            }
            ("cost_per_run", target) => {
                // To the billionth, as costs are.
                let usd = target.parse::<Decimal>().ok().filter(|usd| *usd > Decimal::ZERO && usd.scale() <= 9);
                let usd = usd.filter(|usd| *usd <= Decimal::from(1_000_000));
                let target_usd =
                    usd.ok_or_else(|| format!("`{}` is not an amount in US dollars", crate::query::shown(target)))?;
                Ok(Self::CostPerRun { target_usd })
            }
            _ => Err(shape.to_owned()),
        }
    }
}

impl Display for Objective {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self {
            Self::Availability { target } => write!(formatter, "{name}={target}"),
            Self::Latency { target, threshold_ms } => write!(formatter, "{name}={target}@{threshold_ms}"),
            Self::CostPerRun { target_usd } => write!(formatter, "{name}={target_usd}"),
        }
    }
}

/// An objective, and whose it is.
#[derive(Debug, Clone, PartialEq)]
pub struct ObjectiveRule {
    /// None = of every account.
    pub account: Option<Account>,
    /// None = of every assistant.
    pub assistant: Option<String>,
    pub objective: Objective,
}

impl FromStr for ObjectiveRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = "a rule is `account:assistant:objective`, and `*` is every other account or assistant";
        let (account, rest) = text.split_once(':').ok_or(shape)?;
        // The code of an assistant may have a colon.
        let (assistant, objective) =
            rest.rsplit_once(':').filter(|(assistant, _)| !assistant.is_empty()).ok_or(shape)?;
        Ok(Self {
            account: if account == "*" { None } else { Some(account.parse()?) },
            assistant: (assistant != "*").then(|| assistant.to_owned()),
            objective: objective.parse()?,
        })
    }
}

impl Display for ObjectiveRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let account = self.account.as_ref().map_or("*", Account::as_str);
        write!(formatter, "{account}:{}:{}", self.assistant.as_deref().unwrap_or("*"), self.objective)
    }
}

impl Serialize for ObjectiveRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl ObjectivesConfig {
    /// The objectives of an assistant, one of each kind at the most: its own, else those of its account, else
    /// those of all. An assistant without a name has those that are nobody's own.
    pub fn of(&self, account: &Account, assistant: &str) -> Vec<Objective> {
        let applies = |rule: &&ObjectiveRule| {
            rule.account.as_ref().is_none_or(|of| of == account)
                && rule.assistant.as_ref().is_none_or(|of| of == assistant)
        };
        let own = |rule: &ObjectiveRule| (rule.assistant.is_some(), rule.account.is_some());
        let mut rules: Vec<&ObjectiveRule> = self.objectives.iter().filter(applies).collect();
        rules.sort_by_key(|rule| std::cmp::Reverse(own(rule)));
        let mut objectives: Vec<Objective> = Vec::new();
        for rule in rules {
            if objectives.iter().all(|known| known.name() != rule.objective.name()) {
                objectives.push(rule.objective);
            }
        }
        objectives.sort_by_key(|objective| objective.name());
        objectives
    }

    /// The assistants of an account that have an objective of their own.
    pub fn assistants<'a>(&'a self, account: &'a Account) -> impl Iterator<Item = &'a str> {
        let of_account = move |rule: &&ObjectiveRule| rule.account.as_ref().is_none_or(|of| of == account);
        self.objectives.iter().filter(of_account).filter_map(|rule| rule.assistant.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_objective_of_ones_own_goes_before_those_of_all() {
        let rules = [
            "*:*:availability=0.99",
            "*:*:latency=0.95@10000",
            "acme:*:availability=0.995",
            "acme:triage:availability=0.999",
            "*:a:b:cost_per_run=0.05",
        ];
        let config = ObjectivesConfig { objectives: rules.map(|rule| rule.parse().unwrap()).into() };
        let of = |account: &str, assistant: &str| {
            let account = account.parse().unwrap();
            config.of(&account, assistant).iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(of("acme", "triage"), "availability=0.999 latency=0.95@10000");
        assert_eq!(of("acme", ""), "availability=0.995 latency=0.95@10000");
        assert_eq!(of("other", "a:b"), "availability=0.99 cost_per_run=0.05 latency=0.95@10000");
        let acme = "acme".parse().unwrap();
        assert_eq!(config.assistants(&acme).collect::<Vec<_>>(), ["triage", "a:b"]);
        for rule in rules {
            assert_eq!(rule.parse::<ObjectiveRule>().unwrap().to_string(), rule);
        }
    }

    #[test]
    fn a_bad_objective_is_refused_with_what_would_be_good() {
        for (rule, why) in [
            ("acme", "a rule is `account:assistant:objective`"),
            ("acme:availability=0.9", "a rule is `account:assistant:objective`"),
            ("Acme:*:availability=0.9", "`Acme` is not an account"),
            ("*:*:availability=99", "`99` is not a share between 0 and 1"),
            ("*:*:availability=1", "`1` is not a share between 0 and 1"),
            ("*:*:latency=0.95", "an objective is"),
            ("*:*:latency=0.95@fast", "`fast` is not a time in milliseconds"),
            ("*:*:latency=0.95@inf", "`inf` is not a time in milliseconds"),
            ("*:*:cost_per_run=-1", "`-1` is not an amount in US dollars"),
            ("*:*:uptime=0.9", "an objective is"),
        ] {
            let refused = rule.parse::<ObjectiveRule>().unwrap_err();
            assert!(refused.starts_with(why), "{rule}: {refused}");
        }
    }
}
