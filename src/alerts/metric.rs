//! What rules watch: numbers that the API answers with as well, asked the same way.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use std::sync::Arc;

use crate::answer::Totals;
use crate::auth::{Grants, Principal, Reader, Scope};
use crate::config::Account;
use crate::domains::Domains;
use crate::domains::assistants::anomalies::schemas::AnomaliesQuestion;
use crate::domains::assistants::slo::schemas::{SloQuestion, State};
use crate::domains::assistants::totals::schemas::TotalsQuestion as AssistantTotals;
use crate::domains::product::active_users::schemas::ActiveUsersQuestion;
use crate::domains::recommendations::schemas::TotalsQuestion as RecommendationTotals;
use crate::domains::voice_agents::schemas::TotalsQuestion as VoiceTotals;
use crate::query::{FromParameters, Parameters};
use crate::service::AnswerError;

/// A number that rules can watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// One of the totals of a domain.
    Total(Domain, &'static str),
    /// Service levels for which a rule of this state fires.
    Burning(State),
    /// Days that are unlike such days before.
    Anomalies,
    ActiveUsers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    Recommendations,
    Assistants,
    VoiceAgents,
}

/// The totals that there are, by domain.
const TOTALS: [(Domain, &str, &[&str]); 3] = [
    (
        Domain::Recommendations,
        "recommendations",
        &[
            "messages",
            "assisted_messages",
            "sent_characters",
            "assisted_characters",
            "assisted_share",
            "shown",
            "accepted",
            "dismissed",
            "acceptance_rate",
            "active_agents",
        ],
    ),
    (
        Domain::Assistants,
        "assistants",
        &[
            "runs",
            "error_rate",
            "latency_p50",
            "latency_p95",
            "conversations",
            "calls",
            "tool_calls",
            "tool_success_rate",
            "input_tokens",
            "output_tokens",
            "cost",
            "cost_per_run",
            "runs_without_end",
            "calls_without_model",
            "calls_without_cost",
        ],
    ),
    (
        Domain::VoiceAgents,
        "voice_agents",
        &[
            "calls",
            "containment_rate",
            "transfer_rate",
            "abandonment_rate",
            "duration_mean",
            "turns",
            "first_audio_p50",
            "first_audio_p95",
            "interruption_rate",
            "dead_air_turns",
            "dead_air_time",
            "calls_without_end",
        ],
    ),
];

const PAGING: &str = "assistants.objectives_at_risk_now";
const TICKETING: &str = "assistants.objectives_at_risk";
const ANOMALIES: &str = "assistants.anomalies";
const ACTIVE_USERS: &str = "product.active_users";

/// Parameters that a rule sets itself.
const RANGE: &str = "datetime_from=2026-02-01T00:00:00Z&datetime_to=2026-02-02T00:00:00Z";

impl Metric {
    pub fn names() -> Vec<String> {
        let of_totals = TOTALS.iter().flat_map(|(_, domain, ids)| ids.iter().map(move |id| format!("{domain}.{id}")));
        let others = [PAGING, TICKETING, ANOMALIES, ACTIVE_USERS];
        of_totals.chain(others.into_iter().map(str::to_owned)).collect()
    }

    pub fn by_name(name: &str) -> Option<Self> {
        match name {
            PAGING => return Some(Self::Burning(State::Page)),
            TICKETING => return Some(Self::Burning(State::Ticket)),
            ANOMALIES => return Some(Self::Anomalies),
            ACTIVE_USERS => return Some(Self::ActiveUsers),
            _ => {}
        }
        let (domain, id) = name.split_once('.')?;
        let (domain, _, ids) = TOTALS.iter().find(|(_, known, _)| *known == domain)?;
        ids.iter().find(|known| **known == id).map(|id| Self::Total(*domain, id))
    }

    pub fn name(self) -> String {
        match self {
            Self::Total(domain, id) => {
                let name = TOTALS.iter().find(|(known, ..)| *known == domain).map_or("", |(_, name, _)| name);
                format!("{name}.{id}")
            }
            Self::Burning(State::Page) => PAGING.to_owned(),
            Self::Burning(_) => TICKETING.to_owned(),
            Self::Anomalies => ANOMALIES.to_owned(),
            Self::ActiveUsers => ACTIVE_USERS.to_owned(),
        }
    }

    /// Whether it is known of whole days alone.
    pub fn is_of_days(self) -> bool {
        matches!(self, Self::Anomalies | Self::ActiveUsers)
    }

    /// Whether its question can be asked with these parameters.
    pub fn check(self, filters: &str) -> Result<(), String> {
        match self {
            Self::Total(Domain::Recommendations, _) => read::<RecommendationTotals>(RANGE, filters).map(drop),
            Self::Total(Domain::Assistants, _) => read::<AssistantTotals>(RANGE, filters).map(drop),
            Self::Total(Domain::VoiceAgents, _) => read::<VoiceTotals>(RANGE, filters).map(drop),
            Self::Burning(_) => read::<SloQuestion>("at=2026-02-01T00:00:00Z", filters).map(drop),
            Self::Anomalies => read::<AnomaliesQuestion>(RANGE, filters).map(drop),
            Self::ActiveUsers => read::<ActiveUsersQuestion>(RANGE, filters).map(drop),
        }
    }
}

fn read<Q: FromParameters>(own: &str, filters: &str) -> Result<Q, String> {
    let query = if filters.is_empty() { own.to_owned() } else { format!("{own}&{filters}") };
    Parameters::read(&query)
        .map_err(|problems| problems.0.iter().map(|problem| problem.detail.clone()).collect::<Vec<_>>().join("; "))
}

/// What rules ask.
#[derive(Clone)]
pub struct Questions(pub Domains);

/// The time that a value is of: `[from, to)`, and for values of days, the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub from: DateTime<Utc>,
    pub to: DateTime<Utc>,
    pub day: Option<(NaiveDate, Tz)>,
}

impl Questions {
    /// The value of a metric; nothing where there is nothing to judge.
    pub async fn value(
        &self,
        reader: &Reader,
        metric: Metric,
        filters: &str,
        span: Span,
    ) -> Result<Option<f64>, AnswerError> {
        let shown = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let range = match span.day {
            Some((day, zone)) => format!("datetime_from={day}&datetime_to={day}&timezone={zone}"),
            None => format!("datetime_from={}&datetime_to={}", shown(span.from), shown(span.to)),
        };
        match metric {
            Metric::Total(domain, id) => {
                let totals = match domain {
                    Domain::Recommendations => self.0.recommendations.totals(reader, &checked(&range, filters)).await?,
                    Domain::Assistants => self.0.assistants.totals(reader, &checked(&range, filters)).await?,
                    Domain::VoiceAgents => self.0.voice_agents.totals(reader, &checked(&range, filters)).await?,
                };
                Ok(total(&totals, id))
            }
            Metric::Burning(state) => {
                let at = format!("at={}&limit=1000", shown(span.to));
                let levels = self.0.assistants.slo(reader, &checked(&at, filters)).await?.items;
                let is_judged = levels.iter().any(|level| level.state != State::NoData);
                Ok(is_judged.then(|| levels.iter().filter(|level| level.state <= state).count() as f64))
            }
            Metric::Anomalies => {
                let found = self.0.assistants.anomalies(reader, &checked(&range, filters)).await?;
                Ok(Some(found.page.total as f64))
            }
            Metric::ActiveUsers => {
                let chart = self
                    .0
                    .product
                    .active_users(reader, &checked(&format!("{range}&aggregation_level=day"), filters))
                    .await?;
                let values = chart.series.first().map_or(&[][..], |series| &series.data);
                Ok(values.last().copied().flatten().map(crate::answer::Number::as_f64))
            }
        }
    }

    /// What a summary tells of a range: every total that there is, by its name, with the change since the range before.
    pub async fn totals(&self, reader: &Reader, range: &str) -> Result<Vec<(&'static str, Totals)>, AnswerError> {
        Ok(vec![
            ("Recommendations", self.0.recommendations.totals(reader, &checked(range, "")).await?),
            ("Assistants", self.0.assistants.totals(reader, &checked(range, "")).await?),
            ("Voice agents", self.0.voice_agents.totals(reader, &checked(range, "")).await?),
        ])
    }
}

/// A question whose parameters were checked when the rules were read.
fn checked<Q: FromParameters>(own: &str, filters: &str) -> Q {
    read(own, filters).unwrap_or_else(|reason| panic!("`{filters}` was checked at the start: {reason}"))
}

fn total(totals: &Totals, id: &str) -> Option<f64> {
    let card = totals.totals.iter().find(|card| card.id == id)?;
    card.value.map(crate::answer::Figure::as_f64).filter(|value| value.is_finite())
}

/// Who asks for alerts: the program itself, which may see all of an account but what people wrote.
pub fn reader(account: &Account) -> Reader {
    let principal = Principal {
        subject: "alerts".to_owned(),
        account: account.clone(),
        scopes: Scope::ALL.into_iter().filter(|scope| !scope.is_ingestion() && *scope != Scope::TracesRead).collect(),
        grants: Grants::default(),
        requests_per_minute: None,
    };
    Reader::new(Arc::new(principal), format!("alerts-{}", uuid::Uuid::now_v7()).into())
}
