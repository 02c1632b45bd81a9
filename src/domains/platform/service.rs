//! What the platform says of the asker, the account and itself.

use std::num::{NonZeroU32, NonZeroU64};
use std::sync::Arc;

use metrics_exporter_prometheus::PrometheusHandle;

use super::schemas::{
    AccountReadiness, AttributeCount, CodeCount, CurrentAccount, FreshnessReport, KindCount, LimitsOfAccount, Me,
    ModelCount, MyLimits, OperationalDatabaseState, Readiness, SpoolState, TableFreshness,
};
use crate::auth::{OutsideGrant, Reader, Scope};
use crate::clickhouse::QueryError;
use crate::config::{Account, Config, LimitsConfig, Retention};
use crate::ingest::{Intake, IntakeError};
use crate::repository::{Connection, OperationalDatabase, Repository};
use crate::telemetry;

/// Why it cannot be said how fresh the data is.
#[derive(Debug, thiserror::Error)]
pub enum FreshnessError {
    #[error(transparent)]
    Intake(#[from] IntakeError),
    #[error(transparent)]
    Query(#[from] QueryError),
    #[error(transparent)]
    OutsideGrant(#[from] OutsideGrant),
}

/// Answers about the asker and the process.
#[derive(Clone)]
pub struct PlatformService {
    inner: Arc<Inner>,
}

struct Inner {
    repository: Arc<Repository>,
    operational: Arc<OperationalDatabase>,
    intake: Arc<Intake>,
    accounts: Vec<Account>,
    query_rate_limit: u32,
    limits: LimitsConfig,
    retention: Retention,
    metrics: PrometheusHandle,
}

impl PlatformService {
    pub fn new(
        (repository, operational): (Arc<Repository>, Arc<OperationalDatabase>),
        intake: Arc<Intake>,
        config: &Config,
        metrics: PrometheusHandle,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                repository,
                operational,
                intake,
                accounts: config.server.accounts.clone(),
                query_rate_limit: config.server.query_rate_limit,
                limits: config.limits.clone(),
                retention: config.retention(),
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

    pub async fn current_account(&self, reader: &Reader) -> CurrentAccount {
        let account = &reader.principal.account;
        let operational_database = match self.inner.operational.connection(account).await {
            Connection::StandIn => OperationalDatabaseState::StandIn,
            Connection::Answers => OperationalDatabaseState::Answers,
            Connection::DoesNotAnswer => OperationalDatabaseState::DoesNotAnswer,
        };
        let retention_days = Some(self.inner.retention.days(account)).filter(|days| *days > 0);
        let limits = self.inner.limits.of(account);
        CurrentAccount {
            account: account.to_string(),
            retention_days,
            operational_database,
            limits: LimitsOfAccount {
                queries_per_minute: limits.queries_per_minute.map(NonZeroU32::get),
                rows_per_minute: limits.rows_per_minute.map(NonZeroU32::get),
                rows_per_day: limits.rows_per_day.map(NonZeroU64::get),
                rows_today: self.inner.intake.rows_of_today(account),
            },
        }
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

    /// How fresh the data of the asker's account is, and what became of what was sent.
    pub async fn freshness(&self, reader: &Reader) -> Result<FreshnessReport, FreshnessError> {
        reader.principal.grants.check_all()?;
        let account = &reader.principal.account;
        let status = self.inner.intake.status(account)?;
        let dead_letters = self.inner.repository.dead_letters(account).await?;
        let mut tables = Vec::new();
        for (table, count) in &status.counts {
            let lag_ms = |quantile| count.lag(quantile).map(|lag| (lag.as_secs_f64() * 1e5).round() / 1e2);
            tables.push(TableFreshness {
                table: table.name(),
                newest_row: self.inner.repository.newest(account, table.name()).await?,
                lag_ms_p50: lag_ms(0.5),
                lag_ms_p95: lag_ms(0.95),
                accepted: count.accepted,
                duplicates: count.duplicates,
                rejected: count.rejected.iter().map(|(code, count)| CodeCount { code, count: *count }).collect(),
                dead_letters: dead_letters.get(table.name()).copied().unwrap_or(0),
            });
        }
        let (coverage, without_price) = status.coverage.counts();
        Ok(FreshnessReport {
            since: status.since,
            tables,
            anonymised: status
                .anonymised
                .iter()
                .map(|(kind, count)| KindCount { kind: kind.name(), count: *count })
                .collect(),
            spool: SpoolState { rows: status.spool_rows, bytes: status.spool_bytes },
            coverage: coverage
                .into_iter()
                .map(|(column, attribute, spans)| AttributeCount { column, attribute, spans })
                .collect(),
            models_without_price: without_price
                .into_iter()
                .map(|(provider, model, spans)| ModelCount { provider, model, spans })
                .collect(),
        })
    }

    pub fn metrics(&self) -> String {
        self.inner.intake.measure();
        self.inner.repository.measure();
        telemetry::measure();
        self.inner.metrics.render()
    }
}
