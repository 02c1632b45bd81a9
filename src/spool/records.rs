//! What the records of the log say.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::log::Place;
use crate::config::Account;
use crate::rows::{Rows, Table};

/// The form of rows in this release. It changes when a row has other fields, or records others.
const FORM: u8 = 1;

/// Rows that were accepted.
#[derive(Serialize, Deserialize)]
pub(super) struct RowsRecord<'a> {
    form: u8,
    pub account: Cow<'a, str>,
    pub rows: Cow<'a, Rows>,
}

/// A batch that is about to be inserted.
#[derive(Serialize, Deserialize)]
pub(super) struct BatchRecord {
    pub token: Uuid,
    pub places: Vec<Place>,
}

/// A batch that was inserted.
#[derive(Serialize, Deserialize)]
pub(super) struct DoneRecord {
    pub token: Uuid,
}

impl<'a> RowsRecord<'a> {
    pub(super) fn new(account: &'a Account, rows: &'a Rows) -> Self {
        Self { form: FORM, account: Cow::Borrowed(account.as_str()), rows: Cow::Borrowed(rows) }
    }

    /// Whether this release reads rows of this form.
    pub(super) fn is_ours(bytes: &[u8]) -> bool {
        bytes.first() == Some(&FORM)
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        // Besides the rows there is the account, and a few numbers.
        let room = self.account.len() + usize::try_from(self.rows.size_bytes()).unwrap_or(0) + 64;
        postcard::to_extend(self, Vec::with_capacity(room)).expect("memory takes what is written to it")
    }

    pub(super) fn decode(bytes: &'a [u8]) -> postcard::Result<Self> {
        let record: Self = postcard::from_bytes(bytes)?;
        if record.rows.is_whole() { Ok(record) } else { Err(postcard::Error::DeserializeBadEncoding) }
    }
}

impl BatchRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        encode(self)
    }
}

impl DoneRecord {
    pub(super) fn encode(&self) -> Vec<u8> {
        encode(self)
    }
}

fn encode(record: &impl Serialize) -> Vec<u8> {
    postcard::to_stdvec(record).expect("memory takes what is written to it")
}

/// The key of an id in the index: ids of two accounts or tables are two ids.
pub fn id_key(account: &Account, table: Table, id: &[u8]) -> Vec<u8> {
    let account = account.as_str().as_bytes();
    let mut key = Vec::with_capacity(account.len() + id.len() + 2);
    key.extend_from_slice(account);
    key.extend_from_slice(&[0, table.code()]);
    key.extend_from_slice(id);
    key
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Month;

    #[test]
    fn rows_whose_parts_do_not_go_together_are_refused() {
        let account: Account = "acme".parse().unwrap();
        let none = Rows::new(Table::Events, Month::of(chrono::Utc::now()), chrono::Utc::now());
        let mut bytes = RowsRecord::new(&account, &none).encode();
        assert!(RowsRecord::decode(&bytes).is_ok());
        // Its last two bytes are the lengths of the ends and of the rows: one row that ends nowhere.
        let last = bytes.len() - 1;
        bytes.splice(last - 1..last, [1, 200, 1]);
        assert!(postcard::from_bytes::<RowsRecord<'_>>(&bytes).is_ok() && RowsRecord::decode(&bytes).is_err());
    }
}
