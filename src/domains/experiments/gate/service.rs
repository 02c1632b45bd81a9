//! What gates are decided by.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

use super::super::ExperimentsService;
use super::super::repository::{INTERACTIONS, InteractionsRow};
use super::super::service::{is, usual_baseline};
use super::judge::{judge, worst};
use super::schemas::{GateAnswer, GateQuestion, GateVariant, JudgedVariants};
use crate::auth::Reader;
use crate::clickhouse::{Value, Values};
use crate::query::dataset::FieldName;
use crate::query::{Buckets, Problem, Range, Sources};
use crate::repository::{Ask, Facts};
use crate::service::AnswerError;

/// The grain of the sums that gates are decided by.
const QUARTER_SECONDS: i64 = 900;
/// More rows than bins of as many variants as an experiment may have.
const MOST_ROWS: u64 = 100_000;

const FAILED: &str = "Failed are events `error`, and interactions whose `data.outcome` is `error`, `failure`, `failed` or `timeout`, of all events `interaction` and `error` that name the experiment and a variant.";
const LATENCY: &str = "Latencies are `data.latency_ms` of interactions, counted in bins of 2 % width: p95 is within 1 % of the exact one.";

impl ExperimentsService {
    pub async fn gate(&self, reader: &Reader, id: &str, question: &GateQuestion) -> Result<GateAnswer, AnswerError> {
        let range = window(&question.judged, question.at.0.unwrap_or_else(Utc::now));
        let mut conditions = vec![is("experiment_id", id)];
        conditions.extend_from_slice(&question.filters.conditions);
        let fields = ["experiment_id", "variant", "bin"].map(FieldName::Column).to_vec();
        let mut values = Values::default();
        values.set("most_rows", Value::Whole(MOST_ROWS));
        let ask = Ask {
            template: "experiments/gate.sql",
            facts: Facts {
                dataset: &INTERACTIONS,
                range: &range,
                conditions: &conditions,
                fields,
                sources: Sources::Any,
            },
            joined: Vec::new(),
            buckets: &Buckets::whole(&range),
            values,
            variables: Vec::new(),
        };
        let answered = self.service.ask::<InteractionsRow>(reader, ask).await?;
        let mut variants: BTreeMap<&str, Vec<&InteractionsRow>> = BTreeMap::new();
        for row in &answered.rows.rows {
            variants.entry(&row.variant).or_default().push(row);
        }
        // Whoever had no interaction in the window was exposed to somebody at least.
        let named = [&question.judged.variant, &question.judged.baseline];
        let is_known = |name: &Option<String>| name.as_deref().is_none_or(|name| variants.contains_key(name));
        let known = match named.into_iter().all(is_known) && !variants.is_empty() {
            true => Vec::new(),
            false => self.seen(reader, id, &[], &range).await?.variants,
        };
        for name in &known {
            variants.entry(name).or_default();
        }
        let judged = judged(&question.judged, &variants.keys().copied().collect::<Vec<_>>())?;
        let sureness = (question.judged.fewest, question.judged.alpha);
        let of = |name: &&str| judge(name, variants.get(name).map_or(&[], Vec::as_slice), question.limits, sureness);
        let variants: Vec<GateVariant> = judged.iter().map(of).collect();
        let found = |variant: &GateVariant| variant.reasons.iter().map(|reason| (variant.decision, *reason)).collect();
        let (decision, reasons) = worst(variants.iter().flat_map::<Vec<_>, _>(found).collect());
        let meta = self.service.meta_about(reader, &INTERACTIONS, &[FAILED, LATENCY], &range, &answered).await?;
        Ok(GateAnswer { decision, reasons, variants, meta })
    }
}

/// Whole quarters of an hour, the last of which may only have begun.
fn window(judged: &JudgedVariants, at: DateTime<Utc>) -> Range {
    let quarter = |number: i64| DateTime::from_timestamp(number * QUARTER_SECONDS, 0).unwrap_or(at);
    let from = (at - judged.window).timestamp().div_euclid(QUARTER_SECONDS);
    let to = at.timestamp().div_euclid(QUARTER_SECONDS) + 1;
    Range { zone: Tz::UTC, from: quarter(from), to: quarter(to) }
}

/// The variants that are judged, of those that are known.
fn judged<'a>(of: &'a JudgedVariants, known: &[&'a str]) -> Result<Vec<&'a str>, Problem> {
    if let Some(baseline) = of.baseline.as_deref().filter(|baseline| !known.contains(baseline)) {
        return Err(Problem::not_allowed("baseline", baseline, known));
    }
    match of.variant.as_deref() {
        Some(variant) if known.contains(&variant) => Ok(vec![variant]),
        Some(other) => Err(Problem::not_allowed("variant", other, known)),
        None => {
            let baseline = of.baseline.as_deref().or_else(|| usual_baseline(known));
            Ok(known.iter().copied().filter(|name| Some(*name) != baseline).collect())
        }
    }
}
