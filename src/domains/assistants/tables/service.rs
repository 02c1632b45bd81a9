//! What the tables of assistants count.

use chrono::Utc;
use minijinja::value::Value as Variable;

use super::super::AssistantsService;
use super::super::notes::{CALLS, COST, ENDED, FAILED, RUNS};
use super::super::repository::{LATENCIES, SPANS, TOTALS, USERS};
use super::schemas::{Assistant, Customer, Model, Operation, SpanError, TableQuestion, Tool};
use crate::answer::{Table, TableRow};
use crate::auth::Reader;
use crate::clickhouse::Values;
use crate::query::Sources;
use crate::query::dataset::Dataset;
use crate::service::{AnswerError, Common, Joined, TableOf};

/// What a table is made of.
#[derive(Clone, Copy)]
struct MadeOf {
    template: &'static str,
    dataset: &'static Dataset,
    /// What its rows are told apart by, and other fields that it reads: they decide where from.
    fields: &'static [&'static str],
    /// The same of latencies, where it shows some: no sum gives their quantiles, so they are read one by one.
    latencies: Option<&'static [&'static str]>,
    notes: &'static [&'static str],
}

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
        let made_of = MadeOf {
            template: "assistants/assistants.sql",
            dataset: &SPANS,
            fields: &["assistant_code"],
            latencies: Some(&["measured", "assistant_code", "milliseconds"]),
            notes: &[RUNS, FAILED, ENDED, CALLS, COST],
        };
        let variables = vec![("codes", codes.into()), ("names", names.into())];
        let mut table = self.table_with(reader, question, made_of, values, variables).await?;
        table.meta.notes.extend(known.notes);
        Ok(table)
    }

    pub async fn models(&self, reader: &Reader, question: &TableQuestion<Model>) -> Result<Table<Model>, AnswerError> {
        let made_of = MadeOf {
            template: "assistants/models.sql",
            dataset: &TOTALS,
            fields: &["model", "provider"],
            latencies: Some(&["measured", "model", "provider", "milliseconds"]),
            notes: &[CALLS, FAILED, ENDED, COST],
        };
        self.table(reader, question, made_of).await
    }

    pub async fn tools(&self, reader: &Reader, question: &TableQuestion<Tool>) -> Result<Table<Tool>, AnswerError> {
        let made_of = MadeOf {
            template: "assistants/tools.sql",
            dataset: &SPANS,
            fields: &["tool_name"],
            latencies: Some(&["measured", "tool_name", "milliseconds"]),
            notes: &[
                "A call of a tool is a span whose operation is `execute_tool`, or that names a tool.",
                "A timeout is a failed call whose error type says so: it contains `timeout`, `timed_out`, `timedout` or `deadline`.",
                FAILED,
                ENDED,
            ],
        };
        self.table(reader, question, made_of).await
    }

    pub async fn operations(
        &self,
        reader: &Reader,
        question: &TableQuestion<Operation>,
    ) -> Result<Table<Operation>, AnswerError> {
        let made_of = MadeOf {
            template: "assistants/operations.sql",
            dataset: &SPANS,
            fields: &["operation", "duration_ms"],
            latencies: None,
            notes: &[FAILED, ENDED],
        };
        self.table(reader, question, made_of).await
    }

    pub async fn customers(
        &self,
        reader: &Reader,
        question: &TableQuestion<Customer>,
    ) -> Result<Table<Customer>, AnswerError> {
        let made_of = MadeOf {
            template: "assistants/customers.sql",
            dataset: &USERS,
            fields: &["user_id_hash"],
            latencies: None,
            notes: &[RUNS, CALLS, COST],
        };
        self.table(reader, question, made_of).await
    }

    pub async fn errors(
        &self,
        reader: &Reader,
        question: &TableQuestion<SpanError>,
    ) -> Result<Table<SpanError>, AnswerError> {
        let made_of = MadeOf {
            template: "assistants/errors.sql",
            dataset: &SPANS,
            fields: &["trace_id", "conversation_id"],
            latencies: None,
            notes: &[FAILED, "An error that is passed on counts in every span that it fails."],
        };
        self.table(reader, question, made_of).await
    }

    async fn table<R: TableRow>(
        &self,
        reader: &Reader,
        question: &TableQuestion<R>,
        made_of: MadeOf,
    ) -> Result<Table<R>, AnswerError> {
        self.table_with(reader, question, made_of, Values::default(), Vec::new()).await
    }

    async fn table_with<R: TableRow>(
        &self,
        reader: &Reader,
        question: &TableQuestion<R>,
        MadeOf { template, dataset, fields, latencies, notes }: MadeOf,
        values: Values,
        variables: Vec<(&'static str, Variable)>,
    ) -> Result<Table<R>, AnswerError> {
        let common = Common {
            template,
            dataset,
            date_range: &question.date_range,
            comparison: None,
            conditions: &question.filters.conditions,
            fields,
            sources: Sources::Any,
            notes,
        };
        let joined = latencies.map(|fields| Joined { name: "latencies", dataset: &LATENCIES, fields });
        let range = question.date_range.resolve(Utc::now())?;
        let of = TableOf { about: &range, read: &range, joined: joined.as_slice() };
        self.service.table_of(reader, common, of, &question.paging, values, variables).await
    }
}
