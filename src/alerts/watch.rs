//! The watch: every minute all rules are evaluated, and who is to know is told.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration as Time;

use chrono::{DateTime, Utc};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::book::{Book, Known, Message, Outcome};
use super::courier::Courier;
use super::gauges::{measure_evaluation, measure_state};
use super::metric::{Questions, Span, reader};
use super::rules::{Rule, Rules};
use super::state::{AlertState, News, Standing};
use super::summaries::Due;
use super::text;
use crate::auth::Reader;
use crate::clickhouse::QueryError;
use crate::config::Account;
use crate::outbound::ClientError;
use crate::service::AnswerError;

/// Rows of a minute are stored this long after it is over.
const SETTLED: Time = Time::from_secs(5);
/// How often it is looked whether a message is to be sent again.
const LOOKED_FOR_MESSAGES: Time = Time::from_secs(1);

/// Evaluates rules and tells of them.
pub struct Watch {
    pub(super) rules: Arc<Rules>,
    accounts: Vec<Account>,
    questions: Questions,
    pub(super) book: Book,
    /// By the name of the channel.
    pub(super) couriers: BTreeMap<String, Courier>,
    pub(super) known: HashMap<Account, Known>,
    /// Channels that a message is on its way to: one that hangs keeps no other one waiting.
    pub(super) busy: BTreeSet<String>,
}

impl Watch {
    pub fn new(rules: Arc<Rules>, accounts: &[Account], questions: Questions, book: Book) -> Result<Self, ClientError> {
        let (accounts, known) = (accounts.to_vec(), HashMap::new());
        let couriers = rules.channels.iter().map(|(name, channel)| Ok((name.clone(), Courier::to(channel)?)));
        let couriers = couriers.collect::<Result<_, ClientError>>()?;
        Ok(Self { rules, accounts, questions, book, couriers, known, busy: BTreeSet::new() })
    }

    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// Watches without end, from what is known; it can be broken off and begun again.
    pub async fn run(&mut self) {
        self.busy.clear();
        while let Err(error) = self.recall().await {
            tracing::warn!(%error, "what is known of alerts cannot be read yet");
            tokio::time::sleep(SETTLED).await;
        }
        // Tasks of their own: an evaluation may take longer than a place is waited for.
        let mut sending = JoinSet::new();
        let mut next_evaluation = tokio::time::Instant::now() + until_next_evaluation(Utc::now());
        loop {
            self.due(Utc::now()).into_iter().for_each(|message| drop(sending.spawn(message)));
            tokio::select! {
                () = tokio::time::sleep_until(next_evaluation) => {
                    self.evaluate(Utc::now()).await;
                    next_evaluation = tokio::time::Instant::now() + until_next_evaluation(Utc::now());
                }
                Some(sent) = sending.join_next() => self.note(sent.expect("nothing ends it"), Utc::now()).await,
                () = tokio::time::sleep(LOOKED_FOR_MESSAGES) => {}
            }
        }
    }

    /// Reads what is known from before.
    pub async fn recall(&mut self) -> Result<(), QueryError> {
        for account in &self.accounts {
            self.known.insert(account.clone(), self.book.known(account).await?);
        }
        self.give_up_without_channel().await;
        self.measure_messages();
        Ok(())
    }

    /// Evaluates all rules, in all accounts.
    pub async fn evaluate(&mut self, now: DateTime<Utc>) {
        let rules = Arc::clone(&self.rules);
        for account in self.accounts.clone() {
            let reader = reader(&account);
            let mut news: BTreeMap<String, Vec<(&Rule, Standing, News)>> = BTreeMap::new();
            let mut standings: Vec<(&Rule, Standing)> = Vec::new();
            for rule in rules.rules.iter().filter(|rule| rule.accounts.contains(&account)) {
                let value = match value(&self.questions, &reader, rule, now).await {
                    Ok(value) => value,
                    Err(error) => {
                        // What cannot be asked now is neither well nor ill.
                        tracing::warn!(%account, rule = rule.name, %error, "a rule cannot be evaluated");
                        metrics::counter!("chartwell_alert_failures_total", "rule" => rule.name.clone()).increment(1);
                        continue;
                    }
                };
                let known = self.known.entry(account.clone()).or_default();
                let before = known.standings.get(&rule.name).cloned().unwrap_or_else(|| Standing::new(now));
                let (standing, told) = before.next(rule, value, now, rules.is_silent(&rule.name, now));
                measure_state(&account, rule, Some(standing.state));
                if standing.state != before.state {
                    let (before, state) = (before.state.name(), standing.state.name());
                    tracing::info!(%account, rule = rule.name, value, before, state, "an alert has changed");
                }
                if let (Some(told), Some(channel)) = (told, &rule.channel) {
                    news.entry(channel.clone()).or_default().push((rule, standing.clone(), told));
                }
                known.standings.insert(rule.name.clone(), standing.clone());
                standings.push((rule, standing));
            }
            // Together, what one place is told at one time.
            let messages: Vec<Message> = news
                .into_iter()
                .map(|(channel, news)| message(channel, text::of_alerts(&account, &news, now), now))
                .collect();
            let summaries = self.summaries(&account, &reader, now).await;
            self.keep(&account, &standings, messages.into_iter().chain(summaries).collect()).await;
        }
        measure_evaluation(now);
    }

    async fn keep(&mut self, account: &Account, standings: &[(&Rule, Standing)], messages: Vec<Message>) {
        let standings: Vec<(&str, &Standing)> = standings.iter().map(|(rule, of)| (rule.name.as_str(), of)).collect();
        let noted = async {
            // First the messages: a rule that was noted as told would not be told again.
            self.book.note_messages(account, &messages.iter().collect::<Vec<_>>()).await?;
            self.book.note_standings(account, &standings).await
        };
        if let Err(error) = noted.await {
            tracing::warn!(%account, %error, "what became of alerts cannot be written down");
        }
        let known = self.known.entry(account.clone()).or_default();
        known.messages.extend(messages.into_iter().map(|message| (message.id.clone(), message)));
        self.measure_messages();
    }

    async fn summaries(&self, account: &Account, reader: &Reader, now: DateTime<Utc>) -> Vec<Message> {
        let mut messages = Vec::new();
        for summary in &self.rules.summaries {
            let Some(Due { id, range }) = summary.due(account, now) else { continue };
            // The same one is not told twice, whoever watches.
            let known = self.known.get(account);
            if known.is_some_and(|known| known.messages.contains_key(&id)) {
                continue;
            }
            match self.questions.totals(reader, &range).await {
                Ok(totals) => {
                    let firing = known.map_or_else(Vec::new, |known| firing(&self.rules, account, known));
                    let body = text::of_summary(account, summary.is_weekly, &totals, &firing, now);
                    messages.push(Message { id, ..message(summary.channel.clone(), body, now) });
                }
                Err(error) => tracing::warn!(%account, %error, "a summary cannot be made"),
            }
        }
        messages
    }
}

/// The value that a rule judges at an instant; nothing where there is nothing to judge.
pub async fn value(
    questions: &Questions,
    reader: &Reader,
    rule: &Rule,
    now: DateTime<Utc>,
) -> Result<Option<f64>, AnswerError> {
    let asked = |days| questions.value(reader, rule.metric, &rule.filters, Span::of(rule.window, now, days));
    let value = asked(0).await?;
    let (Some(value), Some(compared)) = (value, rule.compared_with) else { return Ok(value) };
    let mut before = Vec::new();
    for days in compared.days_before() {
        before.push(asked(days).await?);
    }
    Ok(change(value, &before))
}

/// The change of a value since the mean of those before, the newest first; nothing where that is 0. The oldest that
/// have nothing, or 0, are of a time before anything came in.
fn change(value: f64, before: &[Option<f64>]) -> Option<f64> {
    let oldest = before.iter().rposition(|value| value.is_some_and(|value| value != 0.0))?;
    let values: Vec<f64> = before[..=oldest].iter().copied().flatten().collect();
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (mean != 0.0).then(|| (value - mean) / mean.abs())
}

/// The rules of an account that fire, of those that there are.
fn firing<'a>(rules: &'a Rules, account: &Account, known: &Known) -> Vec<&'a str> {
    let fires =
        |rule: &&Rule| known.standings.get(&rule.name).is_some_and(|standing| standing.state == AlertState::Firing);
    let rules = rules.rules.iter().filter(|rule| rule.accounts.contains(account)).filter(fires);
    let mut firing: Vec<&str> = rules.map(|rule| rule.name.as_str()).collect();
    firing.sort_unstable();
    firing
}

fn message(channel: String, body: serde_json::Value, now: DateTime<Utc>) -> Message {
    let id = format!("alert-{}", Uuid::now_v7().simple());
    Message { id, channel, body, created_at: now, tries: 0, next_try: now, outcome: Outcome::Waiting, reason: None }
}

/// Until rows of the next minute that ends are stored, or of one that has just ended.
fn until_next_evaluation(now: DateTime<Utc>) -> Time {
    let since_last = (now.timestamp_millis() - SETTLED.as_millis() as i64).rem_euclid(60_000);
    Time::from_millis(60_000 - since_last.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_minute_is_evaluated_five_seconds_after_it_is_over() {
        for (now, seconds) in [
            ("12:00:05.000", 60.0),
            ("12:00:05.001", 59.999),
            ("12:00:59.000", 6.0),
            // The one before took almost a minute.
            ("12:01:00.000", 5.0),
            ("12:01:04.999", 0.001),
        ] {
            let now: DateTime<Utc> = format!("2026-02-01T{now}Z").parse().unwrap();
            assert_eq!(until_next_evaluation(now), Time::from_secs_f64(seconds), "{now}");
        }
    }

    #[test]
    fn days_before_the_first_data_are_nothing_to_compare_with() {
        let some = |values: &[f64]| -> Vec<Option<f64>> { values.iter().copied().map(Some).collect() };
        assert_eq!(change(12.0, &some(&[8.0, 8.0, 8.0])), Some(0.5));
        // It began two days ago.
        assert_eq!(change(12.0, &some(&[8.0, 8.0, 0.0, 0.0, 0.0])), Some(0.5));
        assert_eq!(change(12.0, &[Some(8.0), None, Some(8.0), Some(0.0), None]), Some(0.5));
        // A day without anything since then counts.
        assert_eq!(change(12.0, &some(&[8.0, 0.0, 16.0, 0.0])), Some(0.5));
        for nothing in [&[][..], &[None, None], &some(&[0.0, 0.0]), &some(&[-4.0, 4.0])] {
            assert_eq!(change(12.0, nothing), None, "{nothing:?}");
        }
    }

    #[test]
    fn only_rules_that_there_are_fire() {
        let text = |name: &str| {
            format!("[[rule]]\nname = \"{name}\"\nmetric = \"assistants.runs\"\nwindow = \"5m\"\nabove = 1.0\n")
        };
        let (demo, acme): (Account, Account) = ("demo".parse().unwrap(), "acme".parse().unwrap());
        let rules = text("b") + &text("a") + &text("elsewhere") + "accounts = [\"acme\"]\n" + &text("well");
        let rules = Rules::read(&rules, &[demo.clone(), acme]).unwrap();
        let standing = |state| Standing { state, ..Standing::new(Utc::now()) };
        let mut known = Known::default();
        for name in ["a", "b", "elsewhere", "of-before"] {
            known.standings.insert(name.to_owned(), standing(AlertState::Firing));
        }
        known.standings.insert("well".to_owned(), standing(AlertState::Ok));
        assert_eq!(firing(&rules, &demo, &known), ["a", "b"]);
    }
}
