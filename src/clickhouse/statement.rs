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

    /// Counts what came of it, and logs it when it was slow, also when it failed after so long; `waited` is how long the
    /// answer took. Values are in neither: they may be people's.
    pub(super) fn note<R>(&self, outcome: &Result<Rows<R>, QueryError>, waited: Duration, slow: Duration) {
        let template = self.template;
        let is_slow = |took: Duration| !slow.is_zero() && took >= slow;
        match outcome {
            Ok(rows) => {
                metrics::histogram!("chartwell_query_seconds", "template" => template)
                    .record(rows.elapsed.as_secs_f64());
                metrics::counter!("chartwell_query_rows_read_total", "template" => template).increment(rows.rows_read);
                if is_slow(rows.elapsed) {
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
                if is_slow(waited) {
                    tracing::warn!(
                        template,
                        account = %self.account,
                        query_id = self.query_id,
                        elapsed_ms = waited.as_millis(),
                        failure,
                        values = self.values.shapes(),
                        "a slow question"
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::{Failure, Value};
    use super::*;

    #[test]
    fn shapes_tell_what_values_are_and_never_which() {
        let mut values = Values::default();
        values.set("trace_id", Value::Text("a-secret".to_owned()));
        values.set("names", Value::Texts(vec!["jane".to_owned(), "joe".to_owned()]));
        values.set("limit", Value::Whole(50));
        assert_eq!(values.shapes(), "trace_id: text, names: texts(2), limit: number");
    }

    /// What is logged of an outcome that took so many milliseconds, where a second is slow.
    fn logged(outcome: Result<u64, QueryError>, millis: u64) -> Vec<serde_json::Value> {
        let mut values = Values::default();
        values.set("agent", Value::Text("jane".to_owned()));
        let (sql, account, query_id) =
            (Sql::constant("SELECT {agent:String}"), "acme".parse().unwrap(), "q-1".to_owned());
        let statement = Statement { sql, values, template: "agents.sql", account, query_id, data_version: 0 };
        let took = Duration::from_millis(millis);
        let rows = |rows_read| Rows { rows: vec![0_u8], query_id: "q-1".to_owned(), rows_read, elapsed: took };
        let log = Log::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt().json().flatten_event(true).with_writer(move || writer.clone());
        tracing::subscriber::with_default(subscriber.finish(), || {
            statement.note(&outcome.map(rows), took, Duration::from_secs(1));
        });
        let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
        assert!(!lines.contains("jane"), "{lines}");
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_question_that_fails_after_a_long_time_is_logged_like_a_slow_one() {
        let failed =
            || Err(QueryError { failure: Failure::Timeout, message: "Timeout exceeded: agent = 'jane'".to_owned() });
        let lines = logged(failed(), 30_000);
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        for (name, value) in [
            ("level", "WARN"),
            ("message", "a slow question"),
            ("template", "agents.sql"),
            ("account", "acme"),
            ("query_id", "q-1"),
            ("failure", "timeout"),
            ("elapsed_ms", "30000"),
            ("values", "agent: text"),
        ] {
            assert_eq!(line[name], value, "{line}");
        }

        assert!(logged(failed(), 999).is_empty());
        let lines = logged(Ok(5), 2_000);
        assert_eq!((&lines[0]["rows_read"], lines.len()), (&5.into(), 1));
        assert!(logged(Ok(5), 999).is_empty());
    }
}
