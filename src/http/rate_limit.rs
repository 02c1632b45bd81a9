//! Rate limits: requests a minute for each subject of an account, and questions for all of them together.

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
use crate::config::{LimitsConfig, ServerConfig};

type Limiter = RateLimiter<String, DashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// Subjects whose counts are forgotten when they have been quiet: their quota is whole again.
const FORGET_AFTER: Duration = Duration::from_secs(120);

/// Counts requests. A limit of n a minute lets n through at once, and then n a minute evenly.
pub struct RateLimits {
    query: u32,
    ingestion: u32,
    accounts: LimitsConfig,
    counted: RequestCounts,
    clock: DefaultClock,
}

/// What was counted until now: it stays when limits become others. Cheap to clone.
#[derive(Clone)]
pub struct RequestCounts {
    /// A limiter for each limit that is in use.
    limiters: Cache<(Policy, NonZeroU32), Arc<Limiter>>,
}

/// What a limit is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Policy {
    /// Questions of a subject.
    Query,
    /// Ingestion requests of a subject.
    Ingest,
    /// Questions of all subjects of an account.
    Account,
}

/// `RateLimit-Policy` and `RateLimit`, as the IETF draft writes them: of the limit that is nearer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitHeaders {
    policy: Policy,
    quota: u32,
    remaining: u32,
    /// Seconds until the whole quota is there again.
    reset: u32,
}

impl RateLimits {
    pub fn new(config: &ServerConfig, accounts: &LimitsConfig, counted: RequestCounts) -> Self {
        Self {
            query: config.query_rate_limit,
            ingestion: config.ingest_rate_limit,
            accounts: accounts.clone(),
            counted,
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
        let own = [NonZeroU32::new(default), principal.requests_per_minute.and_then(NonZeroU32::new)];
        let of_subject = own.into_iter().flatten().min();
        let of_account = self.accounts.of(&principal.account).queries_per_minute.filter(|_| !is_ingestion);
        let policy = if is_ingestion { Policy::Ingest } else { Policy::Query };
        let subject = || format!("{}\n{}", principal.account, principal.subject);
        let of_subject = of_subject.map(|limit| self.count_one(policy, limit, &subject())).transpose()?;
        let account = principal.account.as_str();
        let of_account = of_account.map(|limit| self.count_one(Policy::Account, limit, account)).transpose()?;
        Ok([of_subject, of_account].into_iter().flatten().min_by_key(|headers| headers.remaining))
    }

    fn count_one(&self, policy: Policy, quota: NonZeroU32, key: &str) -> Result<LimitHeaders, (u32, LimitHeaders)> {
        let limiter = self.counted.limiters.get_with((policy, quota), || Arc::new(limiter(quota)));
        let headers = |remaining: u32| LimitHeaders {
            policy,
            quota: quota.get(),
            remaining,
            reset: ((quota.get() - remaining) * 60).div_ceil(quota.get()),
        };
        match limiter.check_key(&key.to_owned()) {
            Ok(state) => Ok(headers(state.remaining_burst_capacity())),
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                Err((u32::try_from(wait.as_secs()).unwrap_or(59) + 1, headers(0)))
            }
        }
    }
}

impl Default for RequestCounts {
    fn default() -> Self {
        Self { limiters: Cache::builder().max_capacity(1_000).build() }
    }
}

impl RequestCounts {
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

impl Policy {
    const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Ingest => "ingest",
            Self::Account => "account",
        }
    }
}

fn limiter(quota: NonZeroU32) -> Limiter {
    RateLimiter::dashmap(Quota::per_minute(quota)).with_middleware()
}

impl LimitHeaders {
    pub fn add_to(self, headers: &mut HeaderMap) {
        let Self { policy, quota, remaining, reset } = self;
        let policy = policy.name();
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
        limits_of(query, &[])
    }

    fn limits_of(query: u32, of_accounts: &[&str]) -> RateLimits {
        let server = ServerConfig { query_rate_limit: query, ..ServerConfig::default() };
        let account_limits = of_accounts.iter().map(|rule| rule.parse().unwrap()).collect();
        RateLimits::new(&server, &LimitsConfig { account_limits }, RequestCounts::default())
    }

    #[test]
    fn the_subjects_of_an_account_share_its_limit() {
        let limits = limits_of(3, &["demo:queries_per_minute=4"]);
        let count = |subject: &str| limits.count(&principal(subject, None), false);
        let told = |subject: &str| count(subject).map(|headers| headers.map(|of| (of.policy, of.remaining)));
        assert_eq!(told("a"), Ok(Some((Policy::Query, 2))));
        assert_eq!(told("a"), Ok(Some((Policy::Query, 1))));
        assert_eq!(told("b"), Ok(Some((Policy::Account, 1))));
        assert_eq!(told("c"), Ok(Some((Policy::Account, 0))));
        assert_eq!(count("d").unwrap_err().1.policy, Policy::Account);
        // Ingestion has limits of its own.
        assert_eq!(limits.count(&principal("d", None), true), Ok(None));
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
