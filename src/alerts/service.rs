//! How alerts stand, for whoever asks.

use std::sync::Arc;

use chrono::Utc;

use super::book::{Book, Outcome, Status};
use super::rules::Rules;
use super::schemas::{Alert, Alerts, Deliveries};
use super::text::told_window;
use crate::auth::Reader;
use crate::repository::AskError;

#[derive(Clone)]
pub struct AlertsService {
    rules: Arc<Rules>,
    book: Book,
}

impl AlertsService {
    pub fn new(rules: Arc<Rules>, book: Book) -> Self {
        Self { rules, book }
    }

    /// The rules of the asker's account. Another instance may be the one that watches them.
    pub async fn alerts(&self, reader: &Reader) -> Result<Alerts, AskError> {
        reader.principal.grants.check_all()?;
        let (account, now) = (&reader.principal.account, Utc::now());
        let Status { standings, mut undelivered } = self.book.status(account).await?;
        let rules = self.rules.rules.iter().filter(|rule| rule.accounts.contains(account));
        let items = rules.map(|rule| {
            let standing = standings.get(&rule.name);
            Alert {
                rule: rule.name.clone(),
                severity: rule.severity,
                state: standing.map_or_else(Default::default, |standing| standing.state),
                since: standing.map(|standing| standing.since),
                evaluated_at: standing.map(|standing| standing.evaluated_at),
                metric: rule.metric.name(),
                filters: rule.filters.clone(),
                window: told_window(rule.window),
                value: standing.and_then(|standing| standing.value),
                threshold: rule.threshold.value,
                side: if rule.threshold.is_upper { "above" } else { "below" },
                recovers_at: rule.threshold.recovers_at,
                for_seconds: rule.lasting.num_seconds(),
                compared_with: rule.compared_with.map(|compared| compared.to_string()),
                channel: rule.channel.clone(),
                is_silenced: self.rules.is_silent(&rule.name, now),
                summary: rule.summary.clone(),
            }
        });
        let mut deliveries = Deliveries::default();
        undelivered.sort_by_key(|message| message.next_try);
        for message in undelivered {
            match message.outcome {
                Outcome::Dead => deliveries.dead += 1,
                _ => deliveries.waiting += 1,
            }
            deliveries.reason = message.reason.or(deliveries.reason);
        }
        Ok(Alerts { items: items.collect(), deliveries })
    }
}
