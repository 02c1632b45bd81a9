//! The rules: what is watched, from which value on, and whom to tell.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::metric::Metric;
use crate::config::{Account, Secret};

/// Times before that a value is set beside.
pub(super) const MOST_DAYS: u32 = 28;
pub(super) const MOST_WEEKS: u32 = 12;

/// What is watched, and whom to tell.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    pub rules: Vec<Rule>,
    pub channels: BTreeMap<String, Channel>,
    pub silences: Vec<Silence>,
    pub summaries: Vec<Summary>,
}

impl Rules {
    pub fn is_silent(&self, rule: &str, now: DateTime<Utc>) -> bool {
        self.silences.iter().any(|silence| {
            silence.from <= now && now < silence.until && silence.rule.as_deref().is_none_or(|named| named == rule)
        })
    }

    pub fn rule(&self, name: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.name == name)
    }
}

/// A number that is to stay within a bound.
#[derive(Debug, Clone)]
pub struct Rule {
    pub name: String,
    pub accounts: Vec<Account>,
    pub metric: Metric,
    /// Parameters of the question, as in a URL.
    pub filters: String,
    pub window: Window,
    pub threshold: Threshold,
    /// Set = the value is the change since the mean of the same time before: 0.5 is half more.
    pub compared_with: Option<Compared>,
    /// How long it has to be so before it counts; before it is over, too.
    pub lasting: Duration,
    pub no_data: NoData,
    pub severity: AlertSeverity,
    pub channel: Option<String>,
    /// What to do about it, in words.
    pub summary: String,
}

/// The time that a value is of. It ends with the last minute, or day, that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Last(Duration),
    /// Since the month began in the zone: for budgets.
    Month(Tz),
    /// The last day in the zone that is over.
    Day(Tz),
}

/// Times before that a value is set beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compared {
    /// The same time of as many days before.
    Days(u32),
    /// The same time of the same weekday, as many weeks before.
    Weeks(u32),
}

impl Compared {
    /// How many days before each of them lies.
    pub fn days_before(self) -> impl Iterator<Item = u32> {
        let (count, step) = match self {
            Self::Days(days) => (days, 1),
            Self::Weeks(weeks) => (weeks, 7),
        };
        (1..=count).map(move |number| number * step)
    }
}

impl std::fmt::Display for Compared {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Days(days) => write!(formatter, "{days}d"),
            Self::Weeks(weeks) => write!(formatter, "{weeks}w"),
        }
    }
}

impl std::str::FromStr for Compared {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (days, weeks) = (text.strip_suffix('d'), text.strip_suffix('w'));
        let count: u32 = days.or(weeks).and_then(|count| count.parse().ok()).ok_or(())?;
        match days {
            Some(_) if (1..=MOST_DAYS).contains(&count) => Ok(Self::Days(count)),
            None if (1..=MOST_WEEKS).contains(&count) => Ok(Self::Weeks(count)),
            _ => Err(()),
        }
    }
}

/// From which value on it counts, and from which on it is over again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Threshold {
    pub value: f64,
    pub is_upper: bool,
    pub recovers_at: f64,
}

impl Threshold {
    pub fn is_crossed(self, value: f64) -> bool {
        if self.is_upper { value > self.value } else { value < self.value }
    }

    /// Between both values it stays what it was.
    pub fn is_over(self, value: f64) -> bool {
        if self.is_upper { value <= self.recovers_at } else { value >= self.recovers_at }
    }
}

/// What it means that there is nothing to judge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoData {
    /// Who fires goes on; otherwise it is told as `no_data`, to nobody.
    #[default]
    Keep,
    /// It is what the rule is there to find.
    Fire,
    /// All is well.
    Ok,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertSeverity {
    /// Somebody has to look now.
    Page,
    /// Somebody has to look soon.
    #[default]
    Ticket,
    Info,
}

/// A place that alerts are told to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Channel {
    pub url: Secret,
    #[serde(default)]
    pub format: Format,
    /// Set = messages are signed with it, as Standard Webhooks has it.
    pub secret: Option<Secret>,
    /// Whether it may be on a private network.
    #[serde(default)]
    pub allow_private: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    #[default]
    Standard,
    Slack,
}

/// A time in which nobody is told.
#[derive(Debug, Clone)]
pub struct Silence {
    /// All rules where none is named.
    pub rule: Option<String>,
    pub from: DateTime<Utc>,
    pub until: DateTime<Utc>,
}

/// What was, once a day or a week.
#[derive(Debug, Clone)]
pub struct Summary {
    pub accounts: Vec<Account>,
    pub is_weekly: bool,
    /// Minutes since midnight.
    pub minute: u32,
    pub zone: Tz,
    pub channel: String,
}
