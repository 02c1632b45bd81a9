//! A submission: the rows of one request on their way into the spool.
//!
//! They are cleaned and encoded as they are read, so that no more than a part of a request is there as values,
//! which take many times the memory of their text.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::anonymise::{Anonymiser, EntityService, Personal};
use super::intake::{Intake, IntakeError};
use crate::config::Account;
use crate::rows::{Month, Row, Rows};
use crate::spool::{Accepted, Refused};

/// Rows that are cleaned and encoded together: so many, or made of so many bytes.
const TOGETHER: usize = 1_000;
const BYTES_TOGETHER: usize = 1 << 20;
/// How long a patient sender waits before it tries again.
const WAIT_FOR_ROOM: Duration = Duration::from_millis(200);

/// Rows of one account and table that are accepted together, or not at all.
pub struct Submission<'i, R> {
    intake: &'i Intake,
    account: &'i Account,
    anonymiser: &'i Anonymiser,
    entities: Option<&'i EntityService>,
    accepted_at: DateTime<Utc>,
    /// Rows that are read and not yet encoded.
    read: Vec<R>,
    read_bytes: usize,
    by_month: BTreeMap<Month, Rows>,
}

impl<'i, 'a, R: Row<'a> + Personal> Submission<'i, R> {
    pub(super) fn new(
        intake: &'i Intake,
        account: &'i Account,
        anonymiser: &'i Anonymiser,
        entities: Option<&'i EntityService>,
    ) -> Self {
        let (accepted_at, by_month) = (Utc::now(), BTreeMap::new());
        Self { intake, account, anonymiser, entities, accepted_at, read: Vec::new(), read_bytes: 0, by_month }
    }

    /// Adds a row that was made of so many bytes, without the personal data that is in it.
    pub async fn add(&mut self, row: R, bytes: usize) -> Result<(), IntakeError> {
        self.read.push(row);
        self.read_bytes += bytes;
        if self.read.len() >= TOGETHER || self.read_bytes >= BYTES_TOGETHER {
            self.clean().await?;
            // A large request keeps a core for a while; others may have it in between.
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Adds a row as it is.
    pub(super) fn add_as_it_is(&mut self, row: &R) {
        let (month, accepted_at) = (Month::of(row.time()), self.accepted_at);
        self.by_month.entry(month).or_insert_with(|| Rows::new(R::TABLE, month, accepted_at)).push(row);
    }

    async fn clean(&mut self) -> Result<(), IntakeError> {
        self.read.iter_mut().for_each(|row| self.anonymiser.clean(row));
        if let Some(entities) = self.entities {
            entities.clean(&mut self.read, self.anonymiser).await?;
        }
        let mut read = std::mem::take(&mut self.read);
        read.iter().for_each(|row| self.add_as_it_is(row));
        read.clear();
        (self.read, self.read_bytes) = (read, 0);
        Ok(())
    }

    pub fn is_empty(&self) -> bool {
        self.read.is_empty() && self.by_month.is_empty()
    }

    /// Hands the rows on. When this returns `Ok`, they are on disk and will be inserted, each id once.
    pub async fn commit(mut self) -> Result<Accepted, IntakeError> {
        self.clean().await?;
        let rows: Vec<Rows> = self.by_month.into_values().collect();
        let reserved = self.intake.reserve(self.account, rows.iter().map(Rows::len).sum())?;
        let taken = self.intake.put(self.account, R::TABLE, rows).await?;
        reserved.into_iter().for_each(|reserved| reserved.accepted(taken.accepted));
        Ok(taken)
    }

    /// Hands the rows on as soon as the spool has room for them.
    pub async fn commit_patiently(mut self) -> Result<Accepted, IntakeError> {
        self.clean().await?;
        let rows: Vec<Rows> = self.by_month.into_values().collect();
        loop {
            match self.intake.put(self.account, R::TABLE, rows.clone()).await {
                Err(IntakeError::Refused(Refused::Full { .. })) => tokio::time::sleep(WAIT_FOR_ROOM).await,
                taken => return taken,
            }
        }
    }
}
