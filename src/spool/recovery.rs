//! What the log says when it is opened: which rows still have to be inserted, and with which token.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Instant;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Kind;
use super::backlog::{Lane, Waiting};
use super::ids::KnownIds;
use super::log::{Place, Recovered};
use super::records::{BatchRecord, DoneRecord, RowsRecord, id_key};
use crate::config::Account;

#[derive(Default)]
pub(super) struct Recovery {
    waiting: BTreeMap<Place, (Lane, u64)>,
    batches: HashMap<Uuid, Vec<Place>>,
    failure: Option<String>,
}

/// What was found.
pub(super) struct Outcome {
    pub waiting: Vec<Waiting>,
    /// Batches that were begun, with their tokens.
    pub begun: Vec<(Uuid, Vec<Waiting>)>,
    pub unfinished: BTreeSet<Place>,
}

impl Recovery {
    /// Notes a record, and the ids of its rows.
    pub(super) fn note(&mut self, record: &Recovered, ids: &mut KnownIds, now: DateTime<Utc>) {
        fail::fail_point!("spool-recovery", |_| std::process::abort());
        let noted = match record.kind {
            Kind::Rows => self.rows(record, ids, now),
            Kind::Batch => postcard::from_bytes(&record.payload).map_err(told).map(|BatchRecord { token, places }| {
                self.batches.insert(token, places);
            }),
            Kind::Done => postcard::from_bytes(&record.payload).map_err(told).map(|DoneRecord { token }| {
                for place in self.batches.remove(&token).unwrap_or_default() {
                    self.waiting.remove(&place);
                }
            }),
        };
        if let Err(failure) = noted {
            self.failure.get_or_insert(failure);
        }
    }

    fn rows(&mut self, record: &Recovered, ids: &mut KnownIds, now: DateTime<Utc>) -> Result<(), String> {
        if !RowsRecord::is_ours(&record.payload) {
            return Err("the spool holds rows of another release: start that one once more, until its spool is empty"
                .to_owned());
        }
        let (lane, rows) = note_rows(record, ids, now)?;
        self.waiting.insert(record.place, (lane, rows));
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Outcome, String> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let unfinished = self.waiting.keys().copied().collect();
        let since = Instant::now();
        let waiting = |(place, (lane, rows))| Waiting { place, lane, rows, since, in_memory: None };
        let mut begun = Vec::new();
        for (token, places) in self.batches {
            // A record of the batch that cannot be read any more is not there.
            let records: Vec<Waiting> =
                places.iter().filter_map(|place| self.waiting.remove_entry(place).map(waiting)).collect();
            if !records.is_empty() {
                begun.push((token, records));
            }
        }
        Ok(Outcome { waiting: self.waiting.into_iter().map(waiting).collect(), begun, unfinished })
    }
}

/// Notes the ids of a record's rows, where it has some.
pub(super) fn note_ids(record: &Recovered, ids: &mut KnownIds, now: DateTime<Utc>) -> Result<(), String> {
    if record.kind == Kind::Rows { note_rows(record, ids, now).map(drop) } else { Ok(()) }
}

fn note_rows(record: &Recovered, ids: &mut KnownIds, now: DateTime<Utc>) -> Result<(Lane, u64), String> {
    let RowsRecord { account, rows, .. } = RowsRecord::decode(&record.payload).map_err(told)?;
    let account: Account = account.parse().map_err(told)?;
    let keys: Vec<Vec<u8>> = rows.ids().map(|id| id_key(&account, rows.table, id)).collect();
    ids.note(keys, now).map_err(|error| format!("the index of known ids cannot be written: {error}"))?;
    Ok((Lane { account, table: rows.table, month: rows.month }, rows.len() as u64))
}

fn told(error: impl std::fmt::Display) -> String {
    format!("a record of the spool cannot be read: {error}")
}
