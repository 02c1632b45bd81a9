//! Senders of events that never give up.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::{StatusCode, header};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::support::{claims, message, sign, with};

/// Sends batches of events, and each one again until it is accepted.
pub struct Sender {
    http: reqwest::Client,
    token: String,
    random: fastrand::Rng,
    /// The batch that was sent and not acknowledged.
    pub pending: Option<Vec<Value>>,
    pub acknowledged: u64,
    pub refused: u64,
}

impl Sender {
    pub fn new(account: &str, seed: u64) -> Self {
        let http =
            reqwest::Client::builder().timeout(Duration::from_secs(120)).pool_max_idle_per_host(1).build().unwrap();
        Self {
            http,
            token: sign(&chartwell::auth::Claims { exp: crate::support::now() + 86_400, ..claims(account) }),
            random: fastrand::Rng::with_seed(seed),
            pending: None,
            acknowledged: 0,
            refused: 0,
        }
    }

    fn batch(&mut self) -> Vec<Value> {
        (0..1 + self.random.usize(..40))
            .map(|_| {
                let id = uuid::Uuid::from_u64_pair(self.random.u64(..), self.random.u64(..));
                let minutes = self.random.i64(0..100_000);
                let time = (chrono::Utc::now() - chrono::Duration::minutes(minutes)).to_rfc3339();
                with(message(&time, &[("gpt", 3, false)]), json!({"event_id": id}))
            })
            .collect()
    }

    /// Sends one batch; `false` when there was no answer.
    pub async fn send(&mut self, url: &str) -> bool {
        let batch = match self.pending.take() {
            Some(batch) => batch,
            None => self.batch(),
        };
        let request = self.http.post(format!("{url}/api/v1/events")).bearer_auth(&self.token).json(&batch);
        let answer = match request.send().await {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers());
                assert!(status != StatusCode::SERVICE_UNAVAILABLE || headers.contains_key(header::RETRY_AFTER));
                Some((status, response.json::<Value>().await))
            }
            Err(_) => None,
        };
        match answer {
            Some((StatusCode::ACCEPTED, Ok(body))) => {
                let told = body["accepted"].as_u64().unwrap() + body["duplicates"].as_u64().unwrap();
                assert_eq!(told, batch.len() as u64, "{body}");
                self.acknowledged += told;
                true
            }
            Some((StatusCode::SERVICE_UNAVAILABLE, Ok(body))) => {
                assert_eq!(body["code"], "ingestion_unavailable");
                self.refused += 1;
                self.pending = Some(batch);
                tokio::time::sleep(Duration::from_millis(20)).await;
                true
            }
            Some((status, body)) => panic!("{status} {body:?}"),
            None => {
                self.pending = Some(batch);
                false
            }
        }
    }
}

/// Senders send until the program does not answer any more, or until they are to stop.
pub async fn load(senders: Vec<Sender>, url: &str, stop: &Arc<AtomicBool>) -> Vec<Sender> {
    let mut tasks = JoinSet::new();
    for mut sender in senders {
        let (url, stop) = (url.to_owned(), Arc::clone(stop));
        tasks.spawn(async move {
            while !stop.load(Ordering::Relaxed) && sender.send(&url).await {}
            sender
        });
    }
    tasks.join_all().await
}
