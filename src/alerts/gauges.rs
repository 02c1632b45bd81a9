//! What the metrics tell of the watch. Who does not watch tells nothing.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};

use super::book::Outcome;
use super::rules::Rule;
use super::state::AlertState;
use super::watch::Watch;
use crate::config::Account;

const EVALUATED: &str = "chartwell_alert_evaluated_timestamp_seconds";

impl Watch {
    /// There are rules to watch, and nobody has yet.
    pub fn begin(&self) {
        metrics::gauge!(EVALUATED).set(0.0);
    }

    /// Another instance watches, or none.
    pub fn rest(&self) {
        for rule in &self.rules.rules {
            rule.accounts.iter().for_each(|account| measure_state(account, rule, None));
        }
        self.measure_counts(|_| (0, 0));
    }

    /// These rules are watched no more.
    pub fn end(&self) {
        self.rest();
        metrics::gauge!(EVALUATED).set(f64::NAN);
    }

    pub(super) fn measure_messages(&self) {
        let mut counts: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
        for message in self.known.values().flat_map(|known| known.messages.values()) {
            let (waiting, dead) = counts.entry(&message.channel).or_default();
            match message.outcome {
                Outcome::Waiting => *waiting += 1,
                Outcome::Dead => *dead += 1,
                Outcome::Delivered => {}
            }
        }
        self.measure_counts(|channel| counts.get(channel).copied().unwrap_or_default());
    }

    /// Sets how many messages to each channel wait, and how many are dead.
    fn measure_counts(&self, count: impl Fn(&str) -> (u64, u64)) {
        let messages = self.known.values().flat_map(|known| known.messages.values());
        let channels: BTreeSet<&String> =
            self.rules.channels.keys().chain(messages.map(|message| &message.channel)).collect();
        for channel in channels {
            let (waiting, dead) = count(channel);
            metrics::gauge!("chartwell_alert_messages_waiting", "channel" => channel.clone()).set(waiting as f64);
            metrics::gauge!("chartwell_alert_messages_dead", "channel" => channel.clone()).set(dead as f64);
        }
    }
}

pub(super) fn measure_state(account: &Account, rule: &Rule, state: Option<AlertState>) {
    for of in AlertState::ALL {
        let labels = [("account", account.to_string()), ("rule", rule.name.clone()), ("state", of.name().to_owned())];
        metrics::gauge!("chartwell_alert_state", &labels).set(f64::from(u8::from(Some(of) == state)));
    }
}

pub(super) fn measure_evaluation(now: DateTime<Utc>) {
    metrics::gauge!(EVALUATED).set(now.timestamp() as f64);
}
