//! What the tables of assistants count.

use minijinja::value::Value as Variable;

use super::super::AssistantsService;
use super::super::notes::{CALLS, COST, ENDED, FAILED, RUNS};
use super::super::repository::SPANS;
use super::schemas::{Assistant, Customer, Model, Operation, SpanError, TableQuestion, Tool};
use crate::answer::{Table, TableRow};
use crate::auth::Reader;
use crate::clickhouse::Values;
use crate::query::Sources;
use crate::service::{AnswerError, Common};

impl AssistantsService {
    pub async fn assistants(
        &self,
        reader: &Reader,
        question: &TableQuestion<Assistant>,
    ) -> Result<Table<Assistant>, AnswerError> {
        let known = self.operational.assistant_names(&reader.principal.account).await;
        let mut values = Values::default();
        let codes = values.pieces("codes", &known.names.codes);
        let names = values.pieces("names", &known.names.names);
        let variables = vec![("codes", codes.into()), ("names", names.into())];
        let notes = &[RUNS, FAILED, ENDED, CALLS, COST];
        let mut table = self.table(reader, question, "assistants/assistants.sql", values, variables, notes).await?;
        table.meta.notes.extend(known.notes);
        Ok(table)
    }

    pub async fn models(&self, reader: &Reader, question: &TableQuestion<Model>) -> Result<Table<Model>, AnswerError> {
        let notes = &[CALLS, FAILED, ENDED, COST];
        self.table(reader, question, "assistants/models.sql", Values::default(), Vec::new(), notes).await
    }

    pub async fn tools(&self, reader: &Reader, question: &TableQuestion<Tool>) -> Result<Table<Tool>, AnswerError> {
        let notes = &[
            "A call of a tool is a span whose operation is `execute_tool`, or that names a tool.",
            "A timeout is a failed call whose error type says so: it contains `timeout`, `timed_out`, `timedout` or `deadline`.",
            FAILED,
            ENDED,
        ];
        self.table(reader, question, "assistants/tools.sql", Values::default(), Vec::new(), notes).await
    }

    pub async fn operations(
        &self,
        reader: &Reader,
        question: &TableQuestion<Operation>,
    ) -> Result<Table<Operation>, AnswerError> {
        self.table(reader, question, "assistants/operations.sql", Values::default(), Vec::new(), &[FAILED, ENDED]).await
    }

    pub async fn customers(
        &self,
        reader: &Reader,
        question: &TableQuestion<Customer>,
    ) -> Result<Table<Customer>, AnswerError> {
        self.table(reader, question, "assistants/customers.sql", Values::default(), Vec::new(), &[RUNS, CALLS, COST])
            .await
    }

    pub async fn errors(
        &self,
        reader: &Reader,
        question: &TableQuestion<SpanError>,
    ) -> Result<Table<SpanError>, AnswerError> {
        let notes = &[FAILED, "An error that is passed on counts in every span that it fails."];
        self.table(reader, question, "assistants/errors.sql", Values::default(), Vec::new(), notes).await
    }

    async fn table<R: TableRow>(
        &self,
        reader: &Reader,
        question: &TableQuestion<R>,
        template: &'static str,
        values: Values,
        variables: Vec<(&'static str, Variable)>,
        notes: &[&'static str],
    ) -> Result<Table<R>, AnswerError> {
        let common = Common {
            template,
            dataset: &SPANS,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            // No sum of durations gives their quantiles.
            fields: &["duration_ms"],
            sources: Sources::Any,
            notes,
        };
        self.service.table(reader, common, &question.paging, values, variables).await
    }
}
