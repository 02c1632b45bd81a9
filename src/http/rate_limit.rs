//! Rate limits: requests a minute for each subject of an account.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use moka::sync::Cache;

use crate::auth::Principal;
use crate::config::ServerConfig;

type Limiter = RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// Subjects whose counts are forgotten when they have been quiet: their quota is whole again.
const FORGET_AFTER: Duration = Duration::from_secs(120);

/// Counts requests. A limit of n a minute lets n through at once, and then n a minute evenly.
pub struct RateLimits {
    query: u32,
    ingestion: u32,
    /// A limiter for each limit that is in use.
    limiters: Cache<(bool, u32), Arc<Limiter>>,
    clock: DefaultClock,
}

/// `RateLimit-Policy` and `RateLimit`, as the IETF draft writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitHeaders {
    policy: &'static str,
    quota: u32,
    remaining: u32,
    /// Seconds until the whole quota is there again.
    reset: u32,
}

impl RateLimits {
    pub fn new(config: &ServerConfig) -> Self {
        Self {
            query: config.query_rate_limit,
            ingestion: config.ingest_rate_limit,
            limiters: Cache::builder().max_capacity(1_000).build(),
            clock: DefaultClock::default(),
        }
    }

    /// Counts one request; refuses it with the seconds after which to try again. Without a limit in
    /// force there are no headers.
    pub fn count(
        &self,
        principal: &Principal,
        is_ingestion: bool,
    ) -> Result<Option<LimitHeaders>, (u32, LimitHeaders)> {
        let default = if is_ingestion { self.ingestion } else { self.query };
        // A token can lower the limit, never raise it.
        let quota = match (NonZeroU32::new(default), principal.requests_per_minute.and_then(NonZeroU32::new)) {
            (Some(default), Some(own)) => default.min(own),
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => return Ok(None),
        };
        let limiter = self.limiters.get_with((is_ingestion, quota.get()), || Arc::new(limiter(quota)));
        let key = format!("{}\n{}", principal.account, principal.subject);
        let headers = |remaining: u32| LimitHeaders {
            policy: if is_ingestion { "ingest" } else { "query" },
            quota: quota.get(),
            remaining,
            reset: ((quota.get() - remaining) * 60).div_ceil(quota.get()),
        };
        match limiter.check_key(&key) {
            Ok(state) => Ok(Some(headers(state.remaining_burst_capacity()))),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                Err((u32::try_from(wait.as_secs()).unwrap_or(59) + 1, headers(0)))
            }
        }
    }

    /// Forgets subjects that have been quiet; runs until it is dropped.
    pub async fn forget_quiet_subjects(&self) {
        loop {
            tokio::time::sleep(FORGET_AFTER).await;
            for (_, limiter) in &self.limiters {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
        }
    }
}

fn limiter(quota: NonZeroU32) -> Limiter {
    RateLimiter::dashmap(Quota::per_minute(quota)).with_middleware()
}

impl LimitHeaders {
    pub fn add_to(self, headers: &mut HeaderMap) {
        let Self { policy, quota, remaining, reset } = self;
        let values = [
            ("ratelimit-policy", format!(r#""{policy}";q={quota};w=60"#)),
            ("ratelimit", format!(r#""{policy}";r={remaining};t={reset}"#)),
        ];
        for (name, value) in values {
            headers.insert(
                HeaderName::from_static(name),
                HeaderValue::try_from(value).expect("letters, digits and signs"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::Grants;

    fn principal(subject: &str, requests_per_minute: Option<u32>) -> Principal {
        let account = "demo".parse().unwrap();
        Principal {
            subject: subject.to_owned(),
            account,
            scopes: Vec::new(),
            grants: Grants::default(),
            requests_per_minute,
        }
    }

    fn limits(query: u32) -> RateLimits {
        RateLimits::new(&ServerConfig { query_rate_limit: query, ..ServerConfig::default() })
    }

    #[test]
    fn a_subject_has_its_quota_and_no_more() {
        let limits = limits(3);
        let (a, b) = (principal("a", None), principal("b", None));
        let remaining: Vec<u32> = (0..3).map(|_| limits.count(&a, false).unwrap().unwrap().remaining).collect();
        assert_eq!(remaining, [2, 1, 0]);
        let (seconds, headers) = limits.count(&a, false).unwrap_err();
        assert!((1..=20).contains(&seconds));
        assert_eq!((headers.quota, headers.remaining, headers.reset), (3, 0, 60));
        assert!(limits.count(&b, false).is_ok());
    }

    #[test]
    fn a_token_lowers_the_limit_and_never_raises_it() {
        let quota =
            |limits: &RateLimits, own| limits.count(&principal("a", own), false).unwrap().map(|headers| headers.quota);
        assert_eq!(quota(&limits(10), Some(5)), Some(5));
        assert_eq!(quota(&limits(10), Some(50)), Some(10));
        assert_eq!(quota(&limits(0), Some(5)), Some(5));
        assert_eq!(quota(&limits(0), None), None);
        assert_eq!(limits(10).count(&principal("a", None), true), Ok(None));
    }
}
