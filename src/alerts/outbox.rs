//! Messages on their way: to each channel one after the other, the oldest first.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use futures::future::BoxFuture;

use super::book::{Known, Message, Outcome, SUMMARY};
use super::watch::Watch;
use crate::config::Account;

/// A message that was sent, to where, and what came of it.
pub struct Sent {
    account: Account,
    message: Message,
    outcome: Result<(), String>,
}

/// What waits for a channel.
struct Queue<'a> {
    account: &'a Account,
    oldest: &'a Message,
    /// When any of them is due: a new message wakes a channel that is left alone for a while.
    next_try: DateTime<Utc>,
}

impl Watch {
    /// Messages that are to be sent now, one to each channel.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<BoxFuture<'static, Sent>> {
        let mut due: Vec<BoxFuture<'static, Sent>> = Vec::new();
        for (name, Queue { account, oldest, next_try }) in queues(&self.known) {
            let Some(courier) = self.couriers.get(name).cloned() else { continue };
            if next_try > now || !self.busy.insert(name.to_owned()) {
                continue;
            }
            let (account, message) = (account.clone(), oldest.clone());
            due.push(Box::pin(async move {
                let outcome = courier.send(&message, now).await;
                Sent { account, message, outcome }
            }));
        }
        due
    }

    /// Notes what came of a message.
    pub async fn note(&mut self, Sent { account, message, outcome }: Sent, now: DateTime<Utc>) {
        self.busy.remove(&message.channel);
        let result = if outcome.is_ok() { "delivered" } else { "failed" };
        metrics::counter!("chartwell_alert_deliveries_total", "channel" => message.channel.clone(), "result" => result)
            .increment(1);
        let message = message.after(outcome, now);
        match message.outcome {
            Outcome::Delivered => {}
            Outcome::Waiting => {
                tracing::warn!(%account, channel = message.channel, reason = message.reason, tries = message.tries, "a message could not be delivered; it is sent again");
            }
            Outcome::Dead => tell_dead(&account, &message),
        }
        self.write_down(&account, &[&message]).await;
        settle(&mut self.known, account, message, now);
        self.measure_messages();
    }

    /// Gives up messages whose channel is not among the rules any more.
    pub(super) async fn give_up_without_channel(&mut self) {
        let mut given_up: Vec<(Account, Message)> = Vec::new();
        for (account, known) in &mut self.known {
            let waiting = known.messages.values_mut().filter(|message| message.outcome == Outcome::Waiting);
            for message in waiting.filter(|message| !self.rules.channels.contains_key(&message.channel)) {
                message.outcome = Outcome::Dead;
                message.reason = Some("there is no such channel any more".to_owned());
                tell_dead(account, message);
                given_up.push((account.clone(), message.clone()));
            }
        }
        for (account, message) in given_up {
            self.write_down(&account, &[&message]).await;
        }
    }

    async fn write_down(&self, account: &Account, messages: &[&Message]) {
        if let Err(error) = self.book.note_messages(account, messages).await {
            tracing::warn!(%account, %error, "what became of a message cannot be written down");
        }
    }
}

fn tell_dead(account: &Account, message: &Message) {
    tracing::error!(%account, channel = message.channel, reason = message.reason, tries = message.tries, "a message is given up");
}

/// What waits, by channel.
fn queues(known: &HashMap<Account, Known>) -> BTreeMap<&str, Queue<'_>> {
    let mut queues: BTreeMap<&str, Queue<'_>> = BTreeMap::new();
    for (account, known) in known {
        for message in known.messages.values().filter(|message| message.outcome == Outcome::Waiting) {
            let new = Queue { account, oldest: message, next_try: message.next_try };
            let queue = queues.entry(&message.channel).or_insert(new);
            queue.next_try = queue.next_try.min(message.next_try);
            if (message.created_at, &message.id) < (queue.oldest.created_at, &queue.oldest.id) {
                (queue.account, queue.oldest) = (account, message);
            }
        }
    }
    queues
}

/// What is known after a message was sent. Who waits for the same channel waits as long as it has to; when it is not in
/// the way any more, no longer.
fn settle(known: &mut HashMap<Account, Known>, account: Account, message: Message, now: DateTime<Utc>) {
    let next_try = if message.outcome == Outcome::Waiting { message.next_try } else { now };
    let waiting = |other: &&mut Message| other.outcome == Outcome::Waiting && other.channel == message.channel;
    for other in known.values_mut().flat_map(|known| known.messages.values_mut()).filter(waiting) {
        other.next_try = next_try;
    }
    let messages = &mut known.entry(account).or_default().messages;
    // A summary is kept, so that it is not made again.
    if message.outcome == Outcome::Delivered && !message.id.starts_with(SUMMARY) {
        messages.remove(&message.id);
    } else {
        messages.insert(message.id.clone(), message);
    }
}

#[cfg(test)]
mod tests {
    use chrono::Duration;
    use serde_json::Value;

    use super::*;

    fn time(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_770_000_000 + second, 0).unwrap()
    }

    fn message(id: &str, channel: &str, second: i64) -> Message {
        let (created_at, id, channel) = (time(second), id.to_owned(), channel.to_owned());
        let (tries, outcome, reason) = (0, Outcome::Waiting, None);
        Message { id, channel, body: Value::Null, created_at, tries, next_try: created_at, outcome, reason }
    }

    fn known(messages: &[(&str, Message)]) -> HashMap<Account, Known> {
        let mut all: HashMap<Account, Known> = HashMap::new();
        for (account, message) in messages {
            let known = all.entry(account.parse().unwrap()).or_default();
            known.messages.insert(message.id.clone(), message.clone());
        }
        all
    }

    /// The message that would be sent to each channel, and in how many seconds.
    fn next(known: &HashMap<Account, Known>, second: i64) -> String {
        let shown = |(channel, queue): (&str, Queue<'_>)| {
            let seconds = (queue.next_try - time(second)).num_seconds().max(0);
            format!("{channel}: {} of {} in {seconds}", queue.oldest.id, queue.account)
        };
        queues(known).into_iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    /// Sends what is due, and notes what came of it.
    fn send(known: &mut HashMap<Account, Known>, second: i64, outcome: Result<(), &str>) {
        let (account, message) = {
            let all = queues(known);
            let queue = all.values().find(|queue| queue.next_try <= time(second)).unwrap();
            (queue.account.clone(), queue.oldest.clone())
        };
        let message = message.after(outcome.map_err(str::to_owned), time(second));
        settle(known, account, message, time(second));
    }

    #[test]
    fn to_each_channel_the_oldest_goes_first_whatever_account_it_is_of() {
        let messages =
            [("a", message("m2", "ops", 2)), ("b", message("m1", "ops", 1)), ("a", message("m3", "chat", 3))];
        assert_eq!(next(&known(&messages), 3), "chat: m3 of a in 0, ops: m1 of b in 0");
    }

    #[test]
    fn nothing_overtakes_what_was_not_taken_and_a_new_message_wakes_the_channel() {
        let mut known = known(&[("a", message("m1", "ops", 0)), ("a", message("m2", "ops", 1))]);
        send(&mut known, 1, Err("no"));
        assert_eq!(next(&known, 1), "ops: m1 of a in 10");
        send(&mut known, 11, Err("no"));
        assert_eq!(next(&known, 11), "ops: m1 of a in 30");
        let account: Account = "a".parse().unwrap();
        known.get_mut(&account).unwrap().messages.insert("m3".to_owned(), message("m3", "ops", 15));
        assert_eq!(next(&known, 15), "ops: m1 of a in 0");
        send(&mut known, 15, Err("no"));
        assert_eq!(next(&known, 15), "ops: m1 of a in 90");
        // Once it is taken, nothing waits for the rest.
        send(&mut known, 105, Ok(()));
        assert_eq!(next(&known, 105), "ops: m2 of a in 0");
        send(&mut known, 105, Ok(()));
        send(&mut known, 105, Ok(()));
        assert_eq!(next(&known, 105), "");
    }

    #[test]
    fn what_is_given_up_is_not_in_the_way_any_more() {
        let mut known = known(&[("a", message("m1", "ops", 0)), ("a", message("m2", "ops", 1))]);
        let day = Duration::days(1).num_seconds();
        send(&mut known, day, Err("no"));
        assert_eq!(next(&known, day), "ops: m2 of a in 0");
        let dead = &known[&"a".parse().unwrap()].messages["m1"];
        assert_eq!((dead.outcome, dead.reason.as_deref()), (Outcome::Dead, Some("no")));
    }

    #[test]
    fn a_summary_that_was_delivered_is_known() {
        let mut known = known(&[("a", message("summary-1", "ops", 0)), ("a", message("alert-1", "ops", 1))]);
        send(&mut known, 1, Ok(()));
        send(&mut known, 1, Ok(()));
        let ids: Vec<&String> = known[&"a".parse().unwrap()].messages.keys().collect();
        assert_eq!(ids, ["summary-1"]);
    }
}
