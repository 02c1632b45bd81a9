//! A question in SQL, and what is told of it: how long its kind takes, and which ones were slow.

use std::time::Duration;

use super::{QueryError, Sql, Values};
use crate::config::Account;

/// A question in SQL.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: Sql,
    pub values: Values,
    /// What kind of question it is.
    pub template: &'static str,
    pub account: Account,
    pub query_id: String,
    /// Grows with every insert; an answer to the same statement at the same version is the same.
    pub data_version: u64,
}

/// The rows of an answer, and what it took.
#[derive(Debug)]
pub struct Rows<R> {
    pub rows: Vec<R>,
    pub query_id: String,
    pub rows_read: u64,
    /// The engine's own time.
    pub elapsed: Duration,
}

impl Statement {
    /// What makes two statements the same: text, values, and how new the data is.
    pub(super) fn identity(&self) -> String {
        let values = serde_json::to_string(&self.values).expect("values serialise");
        format!("{}\n{values}\n{}", self.sql, self.data_version)
    }

    /// For the engine's process list and logs: who asks what.
    pub(super) fn comment(&self) -> String {
        format!("chartwell {} {}", self.template, self.account)
    }

    /// Counts what came of it, and logs it when it was slow. Values are in neither: they may be people's.
    pub(super) fn note<R>(&self, outcome: &Result<Rows<R>, QueryError>, slow: Duration) {
        let template = self.template;
        match outcome {
            Ok(rows) => {
                metrics::histogram!("chartwell_query_seconds", "template" => template)
                    .record(rows.elapsed.as_secs_f64());
                metrics::counter!("chartwell_query_rows_read_total", "template" => template).increment(rows.rows_read);
                if !slow.is_zero() && rows.elapsed >= slow {
                    tracing::warn!(
                        template,
                        account = %self.account,
                        query_id = self.query_id,
                        elapsed_ms = rows.elapsed.as_millis(),
                        rows_read = rows.rows_read,
                        values = self.values.shapes(),
                        "a slow question"
                    );
                }
            }
            Err(error) => {
                let failure = error.failure.name();
                metrics::counter!("chartwell_query_failures_total", "template" => template, "failure" => failure)
                    .increment(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Value;
    use super::*;

    #[test]
    fn shapes_tell_what_values_are_and_never_which() {
        let mut values = Values::default();
        values.set("trace_id", Value::Text("a-secret".to_owned()));
        values.set("names", Value::Texts(vec!["jane".to_owned(), "joe".to_owned()]));
        values.set("limit", Value::Whole(50));
        assert_eq!(values.shapes(), "trace_id: text, names: texts(2), limit: number");
    }
}
