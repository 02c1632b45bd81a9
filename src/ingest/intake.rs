//! The intake: rows that were read go into the spool, by table and month.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::anonymise::{Anonymiser, EntityError, EntityService, Personal};
use super::genai::Coverage;
use super::quotas::{OverQuota, Quotas, Reserved};
use super::submission::Submission;
use crate::clickhouse::{ClickHouse, QueryError};
use crate::config::{Account, Config, Kind};
use crate::migrations::salt;
use crate::outbound::ClientError;
use crate::rows::{Count, Counters, Row, Rows, Table};
use crate::spool::{Accepted, Refused, Spool};
use crate::topics::{Topics, TopicsError};

/// Takes in rows of all accounts.
pub struct Intake {
    spool: Spool,
    /// Set = rows are handed to Kafka instead of the spool.
    topics: Option<Topics>,
    accounts: HashMap<Account, AccountIntake>,
    quotas: Quotas,
    entities: Option<EntityService>,
    counters: Arc<Counters>,
    /// When the process began to count.
    since: DateTime<Utc>,
}

/// How ingestion stands for one account.
pub struct Status<'i> {
    pub since: DateTime<Utc>,
    pub counts: Vec<(Table, Count)>,
    pub anonymised: Vec<(Kind, u64)>,
    pub coverage: &'i Coverage,
    pub spool_rows: u64,
    pub spool_bytes: u64,
}

/// What belongs to one account.
struct AccountIntake {
    salt: String,
    coverage: Arc<Coverage>,
    anonymiser: Anonymiser,
}

#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    #[error("there is no account {0}")]
    UnknownAccount(Account),
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(transparent)]
    Topics(#[from] TopicsError),
    #[error(transparent)]
    Entities(#[from] EntityError),
    #[error(transparent)]
    OverQuota(#[from] OverQuota),
}

/// The intake cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum IntakeOpenError {
    #[error("the accounts cannot be opened: {0}")]
    Accounts(#[from] QueryError),
    #[error("CHARTWELL_ENTITY_SERVICE_URL: {0}")]
    EntityService(#[from] ClientError),
}

impl Intake {
    /// Opens the intake, of accounts that were migrated.
    pub async fn open(
        clickhouse: &ClickHouse,
        spool: Spool,
        topics: Option<Topics>,
        config: &Config,
        counters: Arc<Counters>,
    ) -> Result<Self, IntakeOpenError> {
        let intake = Self {
            spool,
            topics,
            accounts: HashMap::new(),
            quotas: Quotas::new(clickhouse.clone(), &config.limits),
            entities: EntityService::new(&config.anonymise)?,
            counters,
            since: Utc::now(),
        };
        intake.with(clickhouse, config).await
    }

    /// The same intake by other settings; it goes on with what it has counted.
    pub async fn with(&self, clickhouse: &ClickHouse, config: &Config) -> Result<Self, IntakeOpenError> {
        let mut accounts = HashMap::new();
        for account in &config.server.accounts {
            let known = self.accounts.get(account);
            let salt = match known {
                Some(known) => known.salt.clone(),
                None => salt(clickhouse, account).await?,
            };
            let regions = config.anonymise.anonymise_phone_regions.iter().map(|region| region.0).collect();
            let anonymiser = Anonymiser::new(config.anonymise.kinds(account), regions, &salt);
            let (anonymiser, coverage) = match known {
                Some(known) => (anonymiser.after(&known.anonymiser), Arc::clone(&known.coverage)),
                None => (anonymiser, Arc::default()),
            };
            accounts.insert(account.clone(), AccountIntake { salt, coverage, anonymiser });
        }
        Ok(Self {
            spool: self.spool.clone(),
            topics: self.topics.clone(),
            accounts,
            quotas: self.quotas.with(&config.limits),
            entities: EntityService::new(&config.anonymise)?,
            counters: Arc::clone(&self.counters),
            since: self.since,
        })
    }

    /// The salt that raw user ids of an account are hashed with.
    pub fn salt(&self, account: &Account) -> Result<&str, IntakeError> {
        Ok(&self.account(account)?.salt)
    }

    /// Which attributes of an account's spans filled which columns.
    pub fn coverage(&self, account: &Account) -> Result<&Coverage, IntakeError> {
        Ok(&self.account(account)?.coverage)
    }

    fn account(&self, account: &Account) -> Result<&AccountIntake, IntakeError> {
        self.accounts.get(account).ok_or_else(|| IntakeError::UnknownAccount(account.clone()))
    }

    /// Begins to take in rows of an account.
    pub fn submission<'i, 'a, R: Row<'a> + Personal>(
        &'i self,
        account: &'i Account,
    ) -> Result<Submission<'i, R>, IntakeError> {
        let anonymiser = &self.account(account)?.anonymiser;
        let entities = self.entities.as_ref().filter(|_| anonymiser.wants_names());
        Ok(Submission::new(self, account, anonymiser, entities))
    }

    /// Takes in rows as they are, as a patient client sends them.
    pub async fn take_as_they_are<'a, R: Row<'a> + Personal>(
        &self,
        account: &Account,
        rows: &[R],
    ) -> Result<Accepted, IntakeError> {
        let mut submission = self.submission(account)?;
        rows.iter().for_each(|row| submission.add_as_it_is(row));
        submission.commit_patiently().await
    }

    /// Keeps room for rows that are about to be taken, where an account may have so many and no more.
    pub(super) fn reserve<'q>(
        &'q self,
        account: &'q Account,
        rows: usize,
    ) -> Result<Option<Reserved<'q>>, IntakeError> {
        Ok(self.quotas.reserve(account, rows)?)
    }

    /// How many rows an account has sent today, where that is limited.
    pub fn rows_of_today(&self, account: &Account) -> Option<u64> {
        self.quotas.rows_of_today(account)
    }

    /// Takes rows of a table that are ready.
    pub(super) async fn put(&self, account: &Account, table: Table, rows: Vec<Rows>) -> Result<Accepted, IntakeError> {
        let taken = match &self.topics {
            None => self.spool.commit(account, rows).await?,
            Some(topics) => topics.commit(account, rows).await?,
        };
        self.counters.note_taken(account, table, taken.accepted, taken.duplicates);
        Ok(taken)
    }

    /// Notes that rows were refused.
    pub fn note_rejected(&self, account: &Account, table: Table, code: &'static str, rows: u64) {
        self.counters.note_rejected(account, table, code, rows);
    }

    /// How ingestion stands.
    pub fn status(&self, account: &Account) -> Result<Status<'_>, IntakeError> {
        let AccountIntake { coverage, anonymiser, .. } = self.account(account)?;
        Ok(Status {
            since: self.since,
            counts: Table::ALL.into_iter().map(|table| (table, self.counters.count(account, table))).collect(),
            anonymised: anonymiser.counts().collect(),
            coverage,
            spool_rows: self.spool.backlog().rows(),
            spool_bytes: self.spool.backlog().bytes(),
        })
    }

    /// Sets the gauges of the metrics.
    pub fn measure(&self) {
        metrics::gauge!("chartwell_spool_rows").set(self.spool.backlog().rows() as f64);
        metrics::gauge!("chartwell_spool_bytes").set(self.spool.backlog().bytes() as f64);
    }

    /// Makes durable what is known of rows that were handed on.
    pub fn close(&self) {
        self.topics.iter().for_each(Topics::flush);
    }

    /// Resolves when everything that was taken is inserted.
    pub async fn settled(&self) {
        self.spool.backlog().emptied().await;
    }
}
