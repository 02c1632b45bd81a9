//! Spans at random, and what is to be said about each of them.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use crate::support::{span, with};

const ASSISTANTS: [&str; 3] = ["triage", "answers", ""];
const VERSIONS: [&str; 2] = ["1.0", "1.1"];
const MODELS: [&str; 3] = ["gpt-5", "claude-sonnet-5", "unknown"];
const OPERATIONS: [&str; 5] = ["invoke_agent", "chat", "embeddings", "execute_tool", "retrieval"];
const ERRORS: [&str; 3] = ["", "timeout", "rate_limit"];
const TOOLS: [&str; 3] = ["", "search", "lookup"];

/// A span, as tests count it.
pub struct Row {
    pub start: DateTime<Utc>,
    pub is_root: bool,
    pub assistant: &'static str,
    pub version: &'static str,
    pub model: &'static str,
    pub operation: &'static str,
    pub error: &'static str,
    pub status: u8,
    pub input: u64,
    pub output: u64,
    pub cached: u64,
    /// Millionths of a US dollar; 0 where it is not told.
    pub cost: u64,
    /// Whether the cost is told.
    pub is_priced: bool,
    /// None = it never ended.
    pub millis: Option<u64>,
    pub first_token_millis: Option<u32>,
    pub tool: &'static str,
    /// Digests, which are taken as they are.
    pub user: String,
    pub conversation: String,
}

/// One of so many texts, or none.
fn some_of(random: &mut fastrand::Rng, number: u32, text: impl Fn(u32) -> String) -> String {
    if random.u8(..8) == 0 { String::new() } else { text(random.u32(..number)) }
}

impl Row {
    pub fn any(random: &mut fastrand::Rng) -> Self {
        let start: DateTime<Utc> = "2026-03-27T20:00:00Z".parse().unwrap();
        // Often exactly on a step, where an interval that is not half-open shows itself.
        let micros = random.i64(0..3 * 86_400_000_000);
        let micros = if random.bool() { micros / 900_000_000 * 900_000_000 } else { micros };
        let input = random.u64(..3_000);
        Self {
            start: start + Duration::microseconds(micros),
            is_root: random.u8(..3) == 0,
            assistant: ASSISTANTS[random.usize(..3)],
            version: VERSIONS[random.usize(..2)],
            model: MODELS[random.usize(..3)],
            operation: OPERATIONS[random.usize(..5)],
            error: ERRORS[random.usize(..3)],
            status: random.u8(..3),
            input,
            output: random.u64(..500),
            cached: random.u64(..=input),
            cost: random.u64(..20_000),
            is_priced: true,
            millis: Some(random.u64(..5_000)).filter(|millis| millis % 7 > 0),
            first_token_millis: Some(random.u32(1..2_000)).filter(|millis| millis % 3 > 0),
            tool: if random.u8(..4) == 0 { TOOLS[random.usize(..3)] } else { "" },
            user: some_of(random, 20, |number| format!("{number:064x}")),
            conversation: some_of(random, 50, |number| format!("conversation-{number}")),
        }
    }

    /// One of a model without a price, and without a cost of its own as a rule.
    pub fn any_priced_or_not(random: &mut fastrand::Rng) -> Self {
        let row = Self::any(random);
        if row.model != "unknown" || random.u8(..40) == 0 { row } else { Self { cost: 0, is_priced: false, ..row } }
    }

    pub fn document(&self, index: usize) -> Value {
        let mut attributes = json!({
            "gen_ai.agent.name": self.assistant, "gen_ai.agent.version": self.version, "gen_ai.response.model": self.model,
            "gen_ai.operation.name": self.operation, "error.type": self.error, "gen_ai.usage.input_tokens": self.input,
            "gen_ai.usage.output_tokens": self.output, "gen_ai.usage.cache_read.input_tokens": self.cached,
            "gen_ai.usage.cost": self.cost as f64 / 1e6, "gen_ai.tool.name": self.tool, "user.id": self.user,
            "gen_ai.conversation.id": self.conversation,
        });
        if !self.is_priced {
            attributes.as_object_mut().unwrap().remove("gen_ai.usage.cost");
        }
        if let Some(millis) = self.first_token_millis {
            attributes["ai.response.msToFirstChunk"] = json!(millis);
        }
        let millis = self.millis.unwrap_or_default();
        let span = span(index as u64, u64::from(!self.is_root), self.start, millis, &attributes);
        let span = with(span, json!({"status": {"code": self.status}}));
        if self.millis.is_some() { span } else { with(span, json!({"endTimeUnixNano": null})) }
    }

    pub fn is_call(&self) -> bool {
        ["chat", "embeddings"].contains(&self.operation)
    }

    pub fn is_failed(&self) -> bool {
        self.status == 2 || (self.status == 0 && !self.error.is_empty())
    }

    pub fn is_tool_call(&self) -> bool {
        self.operation == "execute_tool" || !self.tool.is_empty()
    }

    /// A failure that is not explained has a type as well.
    pub fn error_type(&self) -> &'static str {
        if self.error.is_empty() && self.status == 2 { "unknown" } else { self.error }
    }

    pub fn group(&self, split: &str) -> &'static str {
        let group = match split {
            "assistant" => self.assistant,
            "assistant_version" => self.version,
            "model" => self.model,
            "status" => ["UNSET", "OK", "ERROR"][usize::from(self.status)],
            "error_type" => self.error_type(),
            other => panic!("{other}"),
        };
        if group.is_empty() { "none" } else { group }
    }
}
