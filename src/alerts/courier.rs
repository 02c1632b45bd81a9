//! The way of a message: signed, to one place, and again until it is taken.

use std::sync::Arc;
use std::time::Duration as Time;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Duration, Utc};
use reqwest::Client;
use serde_json::json;

use super::book::{Message, Outcome};
use super::guard::PublicOnly;
use super::rules::{Channel, Format};
use crate::config::Secret;
use crate::outbound::{ClientError, client, innermost};

/// How long a place may take.
const PATIENCE: Time = Time::from_secs(10);
/// A message that nobody took for this long is given up.
const GIVEN_UP_AFTER: Duration = Duration::hours(24);
const FIRST_PAUSE: Duration = Duration::seconds(10);
const LONGEST_PAUSE: Duration = Duration::hours(1);

/// Sends messages to a channel.
#[derive(Clone)]
pub struct Courier {
    channel: Channel,
    http: Client,
}

impl Courier {
    pub fn to(channel: &Channel) -> Result<Self, ClientError> {
        let agent = concat!("chartwell/", env!("CARGO_PKG_VERSION"));
        let builder = Client::builder().timeout(PATIENCE).connect_timeout(PATIENCE).no_proxy().user_agent(agent);
        let builder = if channel.allow_private { builder } else { builder.dns_resolver(Arc::new(PublicOnly)) };
        Ok(Self { channel: channel.clone(), http: client(builder)? })
    }

    /// Sends a message once; what failed comes as a sentence without the place, which may be a secret.
    pub async fn send(&self, message: &Message, now: DateTime<Utc>) -> Result<(), String> {
        let Self { channel, http } = self;
        let body = match channel.format {
            Format::Standard => message.body.clone(),
            Format::Slack => json!({"text": message.body["text"]}),
        };
        let body = body.to_string();
        let timestamp = now.timestamp().to_string();
        let mut request = http
            .post(channel.url.reveal())
            .header("content-type", "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", &timestamp);
        if let Some(secret) = &channel.secret {
            request = request.header("webhook-signature", signature(secret, &message.id, &timestamp, &body));
        }
        let response = request.body(body).send().await.map_err(|error| told(&error.without_url()))?;
        match response.status() {
            status if status.is_success() => Ok(()),
            status if status.is_redirection() => Err(format!("it answered {status}; redirects are not followed")),
            status => Err(format!("it answered {status}")),
        }
    }
}

fn told(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("it did not answer within {} s", PATIENCE.as_secs());
    }
    innermost(error)
}

/// As Standard Webhooks has it: id, time and body are signed together.
fn signature(secret: &Secret, id: &str, timestamp: &str, body: &str) -> String {
    let text = secret.reveal();
    let bytes = match text.strip_prefix("whsec_").map(|encoded| STANDARD.decode(encoded)) {
        Some(Ok(bytes)) => bytes,
        _ => text.as_bytes().to_vec(),
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes);
    let tag = hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(tag))
}

impl Message {
    /// What it is after it was sent.
    pub fn after(self, sent: Result<(), String>, now: DateTime<Utc>) -> Self {
        let tries = self.tries + 1;
        match sent {
            Ok(()) => Self { tries, outcome: Outcome::Delivered, reason: None, ..self },
            Err(reason) if now - self.created_at >= GIVEN_UP_AFTER => {
                Self { tries, outcome: Outcome::Dead, reason: Some(reason), ..self }
            }
            Err(reason) => {
                let pause = FIRST_PAUSE * 3_i32.pow(tries.saturating_sub(1).min(6));
                Self { tries, next_try: now + pause.min(LONGEST_PAUSE), reason: Some(reason), ..self }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_signed_as_standard_webhooks_has_it() {
        // The example of the specification.
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let body = r#"{"test": 2432232314}"#;
        let signed = signature(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn pauses_grow_to_an_hour_and_after_a_day_it_is_given_up() {
        let now: DateTime<Utc> = "2026-02-01T00:00:00Z".parse().unwrap();
        let mut message = Message {
            id: "m".to_owned(),
            channel: "ops".to_owned(),
            body: json!({}),
            created_at: now,
            tries: 0,
            next_try: now,
            outcome: Outcome::Waiting,
            reason: None,
        };
        let mut pauses = Vec::new();
        while message.outcome == Outcome::Waiting {
            let at = message.next_try;
            message = message.after(Err("no".to_owned()), at);
            pauses.push((message.next_try - at).num_seconds());
        }
        assert_eq!(pauses[..6], [10, 30, 90, 270, 810, 2_430]);
        assert!(pauses[6..pauses.len() - 1].iter().all(|pause| *pause == 3_600));
        assert!((25..40).contains(&message.tries) && message.outcome == Outcome::Dead, "{message:?}");
        assert_eq!(message.after(Ok(()), now).outcome, Outcome::Delivered);
    }
}
