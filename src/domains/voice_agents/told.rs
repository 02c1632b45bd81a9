//! Who tells of a call: events, spans, or both. A call that both tell of counts once, by one rule for every question.
//!
//! What events tell counts. Of what spans tell, calls count that no event tells of, and turns of conversations of whose
//! turns no event tells: both are known by the id of the conversation. Looking at conversations one by one takes time,
//! so it is done only where a range has events and spans; one that has only one of both is read from rollups.

use chrono::{Duration, Utc};
use minijinja::value::Value as Variable;

use super::VoiceAgentsService;
use super::notes::ONCE;
use super::repository::{FACTS, TellersRow};
use super::schemas::ToldBy;
use crate::auth::Reader;
use crate::clickhouse::{Sql, Values};
use crate::query::dataset::{FieldName, Kind};
use crate::query::filters::{Condition, Operand, Operator, Predicate};
use crate::query::{Comparison, DateRange, Range, Sources};
use crate::repository::AskError;
use crate::service::{AnswerError, Common};

/// A call and what else is told of it lie no further apart.
const FURTHEST: Duration = Duration::days(1);

/// What of a question depends on who tells.
#[derive(Debug, Clone)]
pub struct Told {
    /// The filters of the question, and who it asks.
    pub conditions: Vec<Condition>,
    /// Whether conversations have to be looked at.
    pub is_told_twice: bool,
    /// Whether turns are left out.
    has_only_calls: bool,
    told_by: ToldBy,
}

impl Told {
    /// The fields that a question reads: with the conversation, it is answered from single facts.
    pub fn fields(&self, fields: &[&'static str]) -> Vec<&'static str> {
        let conversation: &[&str] = if self.is_told_twice { &["measured", "conversation"] } else { &[] };
        [fields, conversation].concat()
    }

    pub fn notes(&self, notes: &[&'static str]) -> Vec<&'static str> {
        let once: &[&str] = if self.is_told_twice { &[ONCE] } else { &[] };
        [notes, once].concat()
    }

    /// The same about calls alone, so that nothing else has to be read.
    pub fn of_calls(self) -> Self {
        Self { has_only_calls: true, ..self }
    }

    /// Names of the templates.
    pub fn variables(&self) -> Vec<(&'static str, Variable)> {
        let tellers = match self.told_by {
            ToldBy::Auto => "'events', 'spans'",
            ToldBy::Events => "'events'",
            ToldBy::Spans => "'spans'",
        };
        vec![
            ("is_told_twice", self.is_told_twice.into()),
            ("tellers", Sql::constant(tellers).into()),
            ("has_only_calls", self.has_only_calls.into()),
        ]
    }
}

impl VoiceAgentsService {
    /// Finds out who tells of the range of a question, and of the earlier one.
    pub(super) async fn told(
        &self,
        sources: Sources,
        reader: &Reader,
        told_by: ToldBy,
        conditions: &[Condition],
        date_range: &DateRange,
        comparison: Option<&Comparison>,
    ) -> Result<Told, AnswerError> {
        // Whoever may see some conversations only cannot be told of them by facts that do not name them.
        reader.principal.grants.check(&FACTS, &[]).map_err(AskError::from)?;
        let mut told = Told { conditions: conditions.to_vec(), is_told_twice: false, has_only_calls: false, told_by };
        if told_by != ToldBy::Auto {
            told.conditions.push(is_told_by(told_by));
            return Ok(told);
        }
        let now = Utc::now();
        let range = date_range.resolve(now)?;
        let first = comparison.and_then(|it| it.earlier(&range, now)).map_or(range.from, |it| it.range.from);
        let around = Range { from: range.from.min(first) - FURTHEST, to: range.to + FURTHEST, zone: range.zone };
        let common = Common {
            template: "voice_agents/tellers.sql",
            dataset: &FACTS,
            date_range,
            comparison: None,
            // Whom a filter leaves out tells of calls all the same.
            conditions: &[],
            fields: &["told_by"],
            sources,
            notes: &[],
        };
        let answered =
            self.service.within::<TellersRow>(reader, common, &around, Values::default(), told.variables()).await?;
        let told_of = answered.rows.rows.first().cloned().unwrap_or_default();
        told.is_told_twice = self.always_looks_closely || (told_of.by_events > 0 && told_of.by_spans > 0);
        Ok(told)
    }
}

fn is_told_by(told_by: ToldBy) -> Condition {
    let predicate = Predicate {
        field: FieldName::Column("told_by"),
        kind: Kind::Text,
        operator: Operator::Eq,
        operand: Operand::Texts(vec![told_by.name().to_owned()]),
    };
    Condition { parameter: ToldBy::PARAMETER, any_of: vec![predicate] }
}
