//! Signed requests, as Standard Webhooks has them: an id, a time and the body are signed together, so that
//! neither another body nor another time goes with the signature, and an id is taken once.
//!
//! Only ingestion may be signed. A signature is no token: it reads nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use moka::sync::Cache;

use super::principal::{Grants, Principal, Scope};
use crate::config::{Account, SigningKey};

/// Clocks may differ by this much, and a request may be as old.
const TOLERANCE_SECONDS: i64 = 5 * 60;
/// Ids that are remembered, for as long as their signatures are good.
const MOST_IDS: u64 = 1_000_000;
const LONGEST_ID: usize = 256;

/// The headers of a signed request.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    pub key_id: &'a str,
    pub id: &'a str,
    pub timestamp: &'a str,
    pub signature: &'a str,
}

/// Why a signed request is not let in. The reason is for the log and the metrics alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignatureRefused {
    Invalid(&'static str),
    /// This id was accepted before, or is being taken in now.
    Replayed,
}

/// Checks signatures.
pub struct Signatures {
    keys: HashMap<String, Key>,
    ids: KnownRequests,
}

/// The ids of requests that were taken: they stay known when keys become others. Cheap to clone.
#[derive(Clone)]
pub struct KnownRequests(Cache<String, ()>);

impl Default for KnownRequests {
    fn default() -> Self {
        let twice_the_tolerance = Duration::from_secs(2 * TOLERANCE_SECONDS.unsigned_abs());
        Self(Cache::builder().max_capacity(MOST_IDS).time_to_live(twice_the_tolerance).build())
    }
}

struct Key {
    key: hmac::Key,
    principal: Arc<Principal>,
}

/// A signed request that was let in. Its id is forgotten again unless it is [`Self::accepted`].
pub struct SignedIn {
    pub principal: Arc<Principal>,
    id: Option<String>,
    ids: KnownRequests,
}

impl Signatures {
    pub fn new(keys: &[SigningKey], accounts: &[Account], ids: KnownRequests) -> Self {
        let served = keys.iter().filter(|key| accounts.contains(&key.account));
        let keys = served.map(|key| {
            let principal = Principal {
                subject: format!("key:{}", key.key_id),
                account: key.account.clone(),
                scopes: Scope::ALL.into_iter().filter(|scope| scope.is_ingestion()).collect(),
                grants: Grants::default(),
                requests_per_minute: None,
            };
            let secret = hmac::Key::new(hmac::HMAC_SHA256, &key.secret_bytes());
            (key.key_id.clone(), Key { key: secret, principal: Arc::new(principal) })
        });
        Self { keys: keys.collect(), ids }
    }

    /// Checks a request. Its id is taken by it, until it is dropped without having been accepted.
    pub fn check(&self, signed: Signed<'_>, body: &[u8], now: DateTime<Utc>) -> Result<SignedIn, SignatureRefused> {
        let invalid = SignatureRefused::Invalid;
        let key = self.keys.get(signed.key_id).ok_or(invalid("unknown key"))?;
        // With a dot in an id, one signed text would be two requests: it could be replayed under another id.
        if signed.id.is_empty() || signed.id.len() > LONGEST_ID || signed.id.contains('.') {
            return Err(invalid("no id"));
        }
        let seconds: i64 = signed.timestamp.parse().map_err(|_| invalid("no time"))?;
        if seconds.abs_diff(now.timestamp()) > TOLERANCE_SECONDS.unsigned_abs() {
            return Err(invalid("too early or too late"));
        }
        let mut content = format!("{}.{}.", signed.id, signed.timestamp).into_bytes();
        content.extend_from_slice(body);
        // While a secret is replaced, a request may carry the signatures of both.
        let is_signed = signed.signature.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|told| {
            // Compares in constant time.
            STANDARD.decode(told).is_ok_and(|told| hmac::verify(&key.key, &content, &told).is_ok())
        });
        if !is_signed {
            return Err(invalid("signature"));
        }
        let id = format!("{}\n{}", signed.key_id, signed.id);
        if !self.ids.0.entry(id.clone()).or_insert(()).is_fresh() {
            return Err(SignatureRefused::Replayed);
        }
        Ok(SignedIn { principal: Arc::clone(&key.principal), id: Some(id), ids: self.ids.clone() })
    }
}

impl SignedIn {
    /// Keeps the id: the request was taken in.
    pub fn accepted(mut self) {
        self.id = None;
    }
}

impl Drop for SignedIn {
    /// A sender whose request failed sends it again under its id.
    fn drop(&mut self) {
        if let Some(id) = &self.id {
            self.ids.0.invalidate(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn signatures() -> Signatures {
        let keys: Vec<SigningKey> =
            [format!("old:demo:{SECRET}"), "new:demo:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()]
                .iter()
                .map(|key| key.parse().unwrap())
                .collect();
        Signatures::new(&keys, &["demo".parse().unwrap()], KnownRequests::default())
    }

    fn sign(secret: &[u8], id: &str, timestamp: &str, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, format!("{id}.{timestamp}.{body}").as_bytes())))
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn the_example_of_the_standard_is_accepted() {
        let signed = Signed {
            key_id: "new",
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            timestamp: "1614265330",
            signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        };
        let body = br#"{"test": 2432232314}"#;
        assert!(signatures().check(signed, body, at(1_614_265_330)).is_ok());
    }

    #[test]
    fn whatever_is_changed_is_refused() {
        let signatures = signatures();
        let good = sign(SECRET.as_bytes(), "m1", "1000", "body");
        let check = |key_id, id, timestamp, signature: &str, body: &str, now| {
            signatures
                .check(Signed { key_id, id, timestamp, signature }, body.as_bytes(), at(now))
                .map(SignedIn::accepted)
        };
        assert!(check("old", "m1", "1000", &format!("v1a,xxx v1,AAAA {good}"), "body", 1_300).is_ok());
        for (key_id, id, timestamp, signature, body, now) in [
            ("old", "m1", "1000", good.as_str(), "other", 1_000),
            ("old", "m2", "1000", &good, "body", 1_000),
            ("old", "m1", "1001", &good, "body", 1_000),
            ("new", "m1", "1000", &good, "body", 1_000),
            ("none", "m1", "1000", &good, "body", 1_000),
            ("old", "m1", "1000", &good, "body", 1_301),
            ("old", "m1", "1000", &good, "body", 699),
            ("old", "m1", "1000", "v1,", "body", 1_000),
            ("old", "m1", "1000", &good[3..], "body", 1_000),
            ("old", "m1", "", &good, "body", 1_000),
            ("old", "", "1000", &good, "body", 1_000),
        ] {
            let refused = check(key_id, id, timestamp, signature, body, now);
            assert!(
                matches!(refused, Err(SignatureRefused::Invalid(_))),
                "{key_id} {id} {timestamp} {signature} {body} {now}"
            );
        }
    }

    #[test]
    fn what_was_signed_is_one_request_however_it_is_split() {
        let signatures = signatures();
        let signature = sign(SECRET.as_bytes(), "m1", "1000", "1001.body");
        let is_let_in = |id, timestamp, body: &str| {
            signatures
                .check(Signed { key_id: "old", id, timestamp, signature: &signature }, body.as_bytes(), at(1_000))
                .is_ok()
        };
        assert!(is_let_in("m1", "1000", "1001.body"));
        assert!(!is_let_in("m1.1000", "1001", "body"));
    }

    #[test]
    fn an_id_is_taken_once_and_again_after_a_failure() {
        let signatures = signatures();
        let signature = sign(SECRET.as_bytes(), "m1", "1000", "body");
        let check = || {
            let signed = Signed { key_id: "old", id: "m1", timestamp: "1000", signature: &signature };
            signatures.check(signed, b"body", at(1_000))
        };
        let first = check().ok().unwrap();
        assert!(matches!(check(), Err(SignatureRefused::Replayed)), "while the first is being taken in");
        drop(first);
        check().ok().unwrap().accepted();
        assert!(matches!(check(), Err(SignatureRefused::Replayed)), "after it was taken in");
    }
}
