//! Notes the statements that a repository sends, for verification and for snapshots.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clickhouse::Values;

/// Statements by template, as they were sent.
pub type Statements = BTreeMap<&'static str, Vec<(String, Values)>>;

/// Notes the statements that a repository sends.
#[derive(Clone, Default)]
pub struct Recorder(Arc<Mutex<Statements>>);

impl Recorder {
    pub fn note(&self, template: &'static str, sql: String, values: Values) {
        let mut statements = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = statements.entry(template).or_default();
        if known.iter().all(|(known, _)| *known != sql) {
            known.push((sql, values));
        }
    }

    pub fn statements(&self) -> Statements {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
