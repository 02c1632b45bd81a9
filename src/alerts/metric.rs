//! What rules watch: numbers that the API answers with as well, asked the same way.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Days, Duration, DurationRound, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::rules::Window;
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
use crate::query::{FromParameters, Parameters, Problem, local_date, start_of_day};
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
            "calls_without_outcome",
            "turns_without_latency",
        ],
    ),
];

const PAGING: &str = "assistants.objectives_at_risk_now";
const TICKETING: &str = "assistants.objectives_at_risk";
const ANOMALIES: &str = "assistants.anomalies";
const ACTIVE_USERS: &str = "product.active_users";

/// An instant at which it is tried whether a question can be asked: its parameters have the same names at any other one.
const SOME_TIME: DateTime<Utc> = DateTime::from_timestamp(1_769_990_400, 0).unwrap();

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

    /// Whether its question can be asked of such a window with these parameters.
    pub fn check(self, filters: &str, window: Window) -> Result<(), String> {
        let own = self.own_parameters(Span::of(window, SOME_TIME, 0));
        let of_rule: Vec<String> = names(&own).collect();
        if let Some(name) = names(filters).find(|name| of_rule.contains(name)) {
            return Err(format!("`{name}` is set by the rule itself, from its metric and its window"));
        }
        let read = match self {
            Self::Total(Domain::Recommendations, _) => question::<RecommendationTotals>(&own, filters).map(drop),
            Self::Total(Domain::Assistants, _) => question::<AssistantTotals>(&own, filters).map(drop),
            Self::Total(Domain::VoiceAgents, _) => question::<VoiceTotals>(&own, filters).map(drop),
            Self::Burning(_) => question::<SloQuestion>(&own, filters).map(drop),
            Self::Anomalies => question::<AnomaliesQuestion>(&own, filters).map(drop),
            Self::ActiveUsers => question::<ActiveUsersQuestion>(&own, filters).map(drop),
        };
        read.map_err(|problem| problem.detail)
    }

    /// The parameters that a rule sets itself, for a time.
    fn own_parameters(self, span: Span) -> String {
        let shown = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let range = match span.day {
            Some((day, zone)) => format!("datetime_from={day}&datetime_to={day}&timezone={zone}"),
            None => format!("datetime_from={}&datetime_to={}", shown(span.from), shown(span.to)),
        };
        match self {
            Self::Total(..) | Self::Anomalies => range,
            Self::Burning(_) => format!("at={}&limit=1000", shown(span.to)),
            Self::ActiveUsers => format!("{range}&aggregation_level=day"),
        }
    }
}

/// The names of the parameters of a query string.
fn names(query: &str) -> impl Iterator<Item = String> {
    form_urlencoded::parse(query.as_bytes()).map(|(name, _)| name.into_owned())
}

/// A question with the parameters that a rule sets itself and those that it is given.
fn question<Q: FromParameters>(own: &str, filters: &str) -> Result<Q, Problem> {
    let query = if filters.is_empty() { own.to_owned() } else { format!("{own}&{filters}") };
    Parameters::read(&query).map_err(|problems| {
        let told = |Problem { parameter, detail, .. }: &Problem| match parameter {
            Some(name) => format!("`{name}` {detail}"),
            None => detail.clone(),
        };
        Problem::general(problems.0.iter().map(told).collect::<Vec<_>>().join("; "))
    })
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

impl Span {
    /// What a window is of at an instant, or was of so many days before.
    pub fn of(window: Window, now: DateTime<Utc>, days_before: u32) -> Self {
        let minute = on_the_minute(now) - Duration::days(days_before.into());
        match window {
            Window::Last(length) => Self { from: minute - length, to: minute, day: None },
            Window::Month(zone) => {
                let today = local_date(zone, minute);
                Self { from: start_of_day(zone, today.with_day(1).unwrap_or(today)), to: minute, day: None }
            }
            Window::Day(zone) => {
                let day = local_date(zone, now) - Days::new(u64::from(days_before) + 1);
                Self {
                    from: start_of_day(zone, day),
                    to: start_of_day(zone, day + Days::new(1)),
                    day: Some((day, zone)),
                }
            }
        }
    }
}

/// The beginning of the minute of an instant.
pub fn on_the_minute(now: DateTime<Utc>) -> DateTime<Utc> {
    now.duration_trunc(Duration::minutes(1)).unwrap_or(now)
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
        let own = &metric.own_parameters(span);
        match metric {
            Metric::Total(domain, id) => {
                let totals = match domain {
                    Domain::Recommendations => self.0.recommendations.totals(reader, &question(own, filters)?).await?,
                    Domain::Assistants => self.0.assistants.totals(reader, &question(own, filters)?).await?,
                    Domain::VoiceAgents => self.0.voice_agents.totals(reader, &question(own, filters)?).await?,
                };
                Ok(total(&totals, id))
            }
            Metric::Burning(state) => {
                let levels = self.0.assistants.slo(reader, &question(own, filters)?).await?.items;
                let is_judged = levels.iter().any(|level| level.state != State::NoData);
                Ok(is_judged.then(|| levels.iter().filter(|level| level.state <= state).count() as f64))
            }
            Metric::Anomalies => {
                let found = self.0.assistants.anomalies(reader, &question(own, filters)?).await?;
                Ok(Some(found.page.total as f64))
            }
            Metric::ActiveUsers => {
                let chart = self.0.product.active_users(reader, &question(own, filters)?).await?;
                let values = chart.series.first().map_or(&[][..], |series| &series.data);
                Ok(values.last().copied().flatten().map(crate::answer::Number::as_f64))
            }
        }
    }

    /// What a summary tells of a range: every total that there is, by its name, with the change since the range before.
    pub async fn totals(&self, reader: &Reader, range: &str) -> Result<Vec<(&'static str, Totals)>, AnswerError> {
        Ok(vec![
            ("Recommendations", self.0.recommendations.totals(reader, &question(range, "")?).await?),
            ("Assistants", self.0.assistants.totals(reader, &question(range, "")?).await?),
            ("Voice agents", self.0.voice_agents.totals(reader, &question(range, "")?).await?),
        ])
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Window; 3] =
        [Window::Last(Duration::minutes(5)), Window::Day(Tz::Europe__Amsterdam), Window::Month(Tz::UTC)];

    #[test]
    fn every_metric_can_be_asked_of_every_window() {
        for metric in Metric::names().iter().map(|name| Metric::by_name(name).unwrap()) {
            for window in ALL {
                assert_eq!(metric.check("", window), Ok(()), "{} {window:?}", metric.name());
            }
        }
    }

    #[test]
    fn what_a_rule_sets_itself_is_not_set_again() {
        let check = |name: &str, filters: &str, window| Metric::by_name(name).unwrap().check(filters, window);
        let [minutes, day, _] = ALL;
        for (metric, window, filters, named) in [
            ("assistants.runs", day, "timezone=Europe/Amsterdam", "timezone"),
            ("assistants.runs", minutes, "environment=production&datetime_to=2026-02-03", "datetime_to"),
            ("product.active_users", day, "aggregation_level=day", "aggregation_level"),
            ("assistants.objectives_at_risk", minutes, "limit=10", "limit"),
            ("assistants.objectives_at_risk_now", minutes, "at=2026-02-03", "at"),
        ] {
            let told = format!("`{named}` is set by the rule itself, from its metric and its window");
            assert_eq!(check(metric, filters, window), Err(told));
        }
        let unknown = check("assistants.runs", "assistant=a", minutes).unwrap_err();
        assert!(unknown.starts_with("`assistant` is not a parameter of this endpoint; did you mean"), "{unknown}");
        assert_eq!(check("product.active_users", "window=week", day), Ok(()));
    }

    #[test]
    fn a_question_that_cannot_be_read_is_an_error_and_no_end() {
        let own = Metric::ActiveUsers.own_parameters(Span::of(ALL[1], SOME_TIME, 0));
        let problem = question::<ActiveUsersQuestion>(&own, "timezone=UTC").unwrap_err();
        assert_eq!(problem.detail, "`timezone` is given more than once");
    }
}
