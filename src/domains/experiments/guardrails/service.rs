//! What guardrails are made of.

use chrono::{Duration, Utc};

use super::super::ExperimentsService;
use super::super::analysis::{CorrectionScope, Direction, MetricType, Observed, Role, analyze};
use super::super::notes::UNITS;
use super::super::repository::{CONVERSATIONS, GuardrailRow, RunsRow, SPANS};
use super::super::service::{Arms, Came, Judged, Purpose, Seen, is, micros};
use super::latency::latencies;
use super::schemas::{Guardrails, GuardrailsQuestion};
use crate::auth::Reader;
use crate::clickhouse::Value;
use crate::query::dataset::FieldName;
use crate::query::filters::Condition;
use crate::query::{Buckets, Range, Sources};
use crate::repository::{Ask, Facts};
use crate::service::{AnswerError, add_cost};
use crate::statistics::z_quantile;

/// How much the clock of what tells exposures may be ahead of that of spans.
const CLOCKS_APART: Duration = Duration::minutes(1);

/// Longer than anything takes.
const NEVER_MS: f64 = 1e18;

/// In the order in which the engine numbers them.
const METRICS: [&str; 4] = ["error_rate", "slow_runs", "tokens", "cost_usd"];

const RUNS: &str = "A run is a root span of a conversation in which a unit was exposed, from its first exposure there on (one minute earlier, as clocks differ), within the conversion window and before the end of the range. Tokens and cost are those of calls of models.";
const SLOW: &str = "`slow_runs` compares the 95th percentile: 5 % of the baseline's runs are slow, and more of a variant's when its percentile is higher.";

impl ExperimentsService {
    pub async fn guardrails(
        &self,
        reader: &Reader,
        id: &str,
        question: &GuardrailsQuestion,
    ) -> Result<Guardrails, AnswerError> {
        let range = question.date_range.resolve(Utc::now())?;
        let seen = self.seen(reader, id, &question.filters.conditions, &range).await?;
        let arms = Arms::new(&question.plan, &seen.variants)?;
        let of = Conversations { experiment: vec![is("experiment_id", id)], buckets: Buckets::whole(&range) };

        let mut ask = of.ask("experiments/runs.sql", &seen, question);
        ask.values.set("z", Value::Number(z_quantile(question.sureness.alpha)));
        let runs = self.service.ask::<RunsRow>(reader, ask).await?;
        let latency = latencies(&arms, &runs.rows.rows);
        let slow = latency.iter().find(|of| of.variant == arms.baseline).and_then(|of| of.p95_ms);

        let mut ask = of.ask("experiments/guardrails.sql", &seen, question);
        // Without runs of the baseline none is slower.
        ask.values.set("slow_from", Value::Number(slow.unwrap_or(NEVER_MS)));
        let used = self.service.ask::<GuardrailRow>(reader, ask).await?;

        let metrics = METRICS.iter().zip(0_u8..).map(|(name, number)| {
            let purpose = Purpose {
                id: (*name).to_owned(),
                role: Role::Guardrail,
                direction: Direction::Decrease,
                minimum_effect: Some(question.sureness.minimum_effect),
            };
            arms.observed(purpose, MetricType::Ratio, |variant| {
                let row = used.rows.rows.iter().find(|row| row.variant == variant && row.metric == number)?;
                Some(Observed::ratio([row.y_sum, row.d_sum], row.joint()))
            })
        });
        let judged = Judged {
            test: question.test,
            correction: question.correction,
            correction_scope: CorrectionScope::All,
            sureness: question.sureness,
            is_running: seen.is_running,
        };
        let came = Came {
            units: runs.rows.rows.iter().map(|row| (row.variant.as_str(), row.units)).collect(),
            multiple: runs.rows.rows.iter().map(|row| row.multiple_units).sum(),
        };
        let experiment = arms.experiment(metrics.collect(), &came, judged, question.multiple_exposures);
        let notes: Vec<&str> = [UNITS, RUNS, SLOW].into_iter().chain(judged.note()).collect();
        let mut meta = self.meta(reader, &range, &notes, &runs).await?;
        add_cost(&used, &mut meta);
        Ok(Guardrails { analysis: analyze(&experiment), latency, meta })
    }
}

/// Which conversations an experiment is about.
struct Conversations {
    experiment: Vec<Condition>,
    buckets: Buckets,
}

impl Conversations {
    /// A question whose template includes `exposed_spans.sql`.
    fn ask<'a>(&'a self, template: &'static str, seen: &'a Seen<'a>, question: &GuardrailsQuestion) -> Ask<'a> {
        let facts = |dataset, range: &'a Range, conditions: &'a [Condition], fields: &[&'static str]| {
            let fields = fields.iter().copied().map(FieldName::Column).collect();
            Facts { dataset, range, conditions, fields, sources: Sources::Any }
        };
        let mut ask = seen.ask_of_units(template, &self.buckets, question.multiple_exposures);
        let conversations = facts(&CONVERSATIONS, seen.always(), &self.experiment, &["experiment_id", "conversation"]);
        let spans = facts(&SPANS, seen.range, &[], &["conversation_id", "duration_ms"]);
        ask.joined = vec![("conversations", conversations), ("spans", spans)];
        ask.values.set("window", Value::Signed(micros(question.conversion_window.0)));
        ask.values.set("clocks_apart", Value::Signed(micros(CLOCKS_APART)));
        ask
    }
}
