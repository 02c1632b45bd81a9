//! What the platform says of the asker, the account and itself.

use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;

use super::schemas::{AccountReadiness, CurrentAccount, Me, MyLimits, Readiness};
use crate::auth::{Reader, Scope};
use crate::clickhouse::QueryError;
use crate::config::Account;
use crate::repository::Repository;

/// Answers about the asker and the process.
#[derive(Clone)]
pub struct PlatformService {
    inner: Arc<Inner>,
}

struct Inner {
    repository: Arc<Repository>,
    accounts: Vec<Account>,
    query_rate_limit: u32,
    retention_days: u32,
    metrics: PrometheusHandle,
}

impl PlatformService {
    pub fn new(
        repository: Arc<Repository>,
        accounts: &[Account],
        (query_rate_limit, retention_days): (u32, u32),
        metrics: PrometheusHandle,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                repository,
                accounts: accounts.to_vec(),
                query_rate_limit,
                retention_days,
                metrics,
            }),
        }
    }

    pub fn me(&self, reader: &Reader) -> Me {
        let principal = &reader.principal;
        let default = (self.inner.query_rate_limit > 0).then_some(self.inner.query_rate_limit);
        let limits = [default, principal.requests_per_minute];
        Me {
            subject: principal.subject.clone(),
            account: principal.account.to_string(),
            scopes: principal.scopes.iter().copied().map(Scope::name).collect(),
            grants: principal.grants.0.clone(),
            limits: MyLimits { requests_per_minute: limits.into_iter().flatten().min() },
        }
    }

    pub fn current_account(&self, reader: &Reader) -> CurrentAccount {
        let retention_days = (self.inner.retention_days > 0).then_some(self.inner.retention_days);
        CurrentAccount { account: reader.principal.account.to_string(), retention_days }
    }

    /// Asks every account; `reason_of` names a failure.
    pub async fn readiness(&self, reason_of: impl Fn(QueryError) -> &'static str) -> Readiness {
        let mut accounts = Vec::new();
        for account in &self.inner.accounts {
            let failure = self.inner.repository.probe(account).await.err().map(&reason_of);
            accounts.push(AccountReadiness { account: account.to_string(), ready: failure.is_none(), reason: failure });
        }
        let ready = accounts.iter().all(|account| account.ready);
        Readiness { status: if ready { "ready" } else { "not ready" }, ready, accounts }
    }

    pub fn metrics(&self) -> String {
        self.inner.metrics.render()
    }
}
