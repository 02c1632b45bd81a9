//! A run: somebody asks, and an assistant finds, calls, asks others, and answers.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use opentelemetry_proto::tonic::common::v1::KeyValue;

use super::cast::{
    ASSISTANTS, Assistant, BROKEN, FAILURES, IN_CIRCLES, INTENTS, Model, SONNET, Topic, VECTORS, Version,
};
use super::trace::{CLIENT, INTERNAL, Place, SERVER, Trace, real, said, text, texts, truth, whole};
use super::version_at;
use crate::demo::chance::around;
use crate::demo::plot::Plot;
use crate::ingest::otlp::Origin;
use crate::json::Object;

/// Of a hundred runs, how many ask another assistant for help.
const ASKS_FOR_HELP: f64 = 0.22;
/// Calls of models whose instrumentation does not tell which one it was.
const WITHOUT_MODEL: f64 = 0.004;
/// Runs whose process ended before they did.
const WITHOUT_END: f64 = 0.002;
/// How many of those that run in circles are stopped.
const STOPPED: f64 = 0.5;

/// Who asks what of whom.
#[derive(Clone)]
pub struct Casting<'a> {
    pub assistant: &'static Assistant,
    pub version: &'static Version,
    pub topic: &'static Topic,
    pub environment: &'static str,
    pub profile: &'static str,
    pub user: &'a str,
    pub conversation: &'a str,
    /// Which of the conversation's runs it is.
    pub turn: usize,
    /// Whether the assistant runs in circles.
    pub in_circles: bool,
    pub plot: &'a Plot,
    pub time: DateTime<Utc>,
}

/// An assistant at work within a trace: a root, or one that another asked for help.
struct Work<'a, 'r> {
    trace: &'r mut Trace,
    random: &'r mut fastrand::Rng,
    casting: Casting<'a>,
    origin: Arc<Origin>,
    /// What every span says.
    common: Vec<KeyValue>,
    /// Tokens that the next prompt has.
    prompt: f64,
}

/// A call of a model.
struct Call<'q> {
    model: &'static Model,
    asked: &'q str,
    answered: &'q str,
    finish: &'static str,
    output: f64,
    is_streamed: bool,
}

type Failed = (&'static str, &'static str);

/// The trace of a run.
pub fn run(casting: Casting<'_>, before: Option<([u8; 16], Vec<u8>)>, random: &mut fastrand::Rng) -> Trace {
    let mut trace = Trace::new(random);
    let fate = Fate::of(casting.version, random);
    let loses_end = random.f64() < WITHOUT_END;
    let work = Work::new(&mut trace, random, casting);
    let _ = work.whole_run(fate, true);
    if let Some(before) = before {
        trace.follow(before);
    }
    if loses_end {
        trace.lose_end();
    }
    trace
}

/// What becomes of a run.
#[derive(Clone, Copy)]
enum Fate {
    Well,
    /// Something fails and is tried again.
    Mended(usize),
    Fails(usize),
    Broken,
}

impl Fate {
    fn of(version: &Version, random: &mut fastrand::Rng) -> Self {
        let luck = random.f64();
        let mut left = random.f64();
        let failure = FAILURES.iter().position(|(share, ..)| {
            left -= share;
            left < 0.0
        });
        let failure = failure.unwrap_or(0);
        if luck < version.broken {
            Self::Broken
        } else if luck < version.broken + version.failing {
            Self::Fails(failure)
        } else if luck < version.broken + 2.0 * version.failing {
            Self::Mended(failure)
        } else {
            Self::Well
        }
    }

    /// What fails in the model, or in the tool.
    fn failure(self, in_tool: bool) -> Option<Failed> {
        match self {
            Self::Mended(failure) | Self::Fails(failure) => {
                let (_, error, is_tool, told) = FAILURES[failure];
                (is_tool == in_tool).then_some((error, told))
            }
            Self::Broken => in_tool.then_some(BROKEN),
            Self::Well => None,
        }
    }

    fn is_mended(self) -> bool {
        matches!(self, Self::Mended(_))
    }
}

impl<'a, 'r> Work<'a, 'r> {
    fn new(trace: &'r mut Trace, random: &'r mut fastrand::Rng, casting: Casting<'a>) -> Self {
        let Casting { assistant, version, .. } = casting;
        let common = vec![
            text("gen_ai.agent.name", assistant.code),
            text("gen_ai.agent.version", version.number),
            text("gen_ai.conversation.id", casting.conversation),
            text("user.id", casting.user),
            text("profile_code", casting.profile),
        ];
        let origin = origin(&casting, random);
        let prompt = around(random, 780.0 * version.wordiness, 0.25) + 260.0 * casting.turn as f64;
        Self { trace, random, casting, origin, common, prompt }
    }

    /// Says what every span says, and this.
    fn with(&self, operation: &str, more: impl IntoIterator<Item = KeyValue>) -> Vec<KeyValue> {
        let mut attributes = vec![text("gen_ai.operation.name", operation)];
        attributes.extend(self.common.iter().cloned());
        attributes.extend(more);
        attributes
    }

    fn begin(&mut self, name: String, kind: i32, attributes: Vec<KeyValue>) -> Place {
        self.trace.begin(name, kind, attributes, &self.origin, self.random)
    }

    fn pass(&mut self, milliseconds: f64) {
        let milliseconds = around(self.random, milliseconds * self.casting.version.slowness, 0.35);
        self.trace.pass(milliseconds);
    }

    /// From the question to the answer. Only a root may ask for help.
    fn whole_run(mut self, fate: Fate, is_root: bool) -> Result<(), Failed> {
        let Casting { assistant, version, topic, in_circles, .. } = self.casting;
        let id = format!("asst_{}_{}", assistant.code.replace('-', "_"), version.number.replace('.', "_"));
        let about = [text("gen_ai.agent.id", id), text("gen_ai.input.messages", said("user", topic.question, None))];
        let attributes = self.with("invoke_agent", about);
        let kind = if is_root { SERVER } else { INTERNAL };
        let root = self.begin(format!("invoke_agent {}", assistant.code), kind, attributes);
        self.pass(6.0);
        let outcome = match in_circles {
            true => self.circles(),
            false => self.steps(fate, is_root),
        };
        self.pass(3.0);
        match outcome {
            Ok(()) => {
                self.trace.add(root, [text("gen_ai.output.messages", said("assistant", topic.answer, Some("stop")))]);
            }
            Err(failed) => self.trace.fail(root, failed, false),
        }
        self.trace.end();
        outcome
    }

    fn steps(&mut self, fate: Fate, is_root: bool) -> Result<(), Failed> {
        let Casting { assistant, version, topic, .. } = self.casting;
        if assistant.is_voice {
            self.speech("speech_to_text", 210.0, topic.question);
        }
        if assistant.sorts_first {
            let sorted = Call { asked: topic.question, answered: assistant.profile, ..Call::of(&INTENTS, 3.0) };
            self.call(sorted, None)?;
        }
        let finds = self.random.f64() < 0.65;
        if finds {
            self.retrieval();
        }
        let uses_tool = self.random.f64() < 0.62 || matches!(fate, Fate::Broken) || fate.failure(true).is_some();
        if uses_tool {
            let wants = Call {
                asked: topic.question,
                answered: topic.tool[1],
                finish: "tool_calls",
                ..Call::of(version.model, 34.0)
            };
            self.call(wants, None)?;
            self.tool_with(fate)?;
        }
        if is_root && self.random.f64() < ASKS_FOR_HELP {
            self.help()?;
        }
        // Who is wordy thinks before it speaks.
        if version.wordiness > 1.25 && self.random.f64() < 0.7 {
            let plan = Call {
                asked: topic.question,
                answered: "The answer is complete and polite.",
                ..Call::of(version.model, 90.0)
            };
            self.call(plan, None)?;
        }
        self.answer(fate)?;
        if assistant.is_voice {
            self.speech("text_to_speech", 260.0, topic.answer);
        }
        Ok(())
    }

    /// The tool, once more when it failed and that can be mended.
    fn tool_with(&mut self, fate: Fate) -> Result<(), Failed> {
        match (fate.failure(true), fate.is_mended()) {
            (None, _) => self.tool(None),
            (Some(failed), false) => self.tool(Some(failed)),
            (Some(failed), true) => {
                let _ = self.tool(Some(failed));
                self.pass(400.0);
                self.tool(None)
            }
        }
    }

    fn answer(&mut self, fate: Fate) -> Result<(), Failed> {
        let Casting { version, topic, .. } = self.casting;
        let length = topic.answer.len() as f64 * 0.55 * version.wordiness;
        let answer = || Call {
            asked: topic.question,
            answered: topic.answer,
            is_streamed: true,
            ..Call::of(version.model, length)
        };
        match (fate.failure(false), fate.is_mended()) {
            (None, _) => self.call(answer(), None),
            (Some(failed), false) => self.call(answer(), Some(failed)),
            (Some(failed), true) => {
                let _ = self.call(answer(), Some(failed));
                self.pass(900.0);
                self.call(answer(), None)
            }
        }
    }

    /// Another assistant is asked, in its present version.
    fn help(&mut self) -> Result<(), Failed> {
        let casting = &self.casting;
        let Some(helper) = ASSISTANTS.iter().find(|known| Some(known.code) == casting.assistant.helper) else {
            return Ok(());
        };
        let topic = &helper.topics[self.random.usize(..helper.topics.len())];
        let version = version_at(helper, casting.plot, casting.time, casting.environment == "staging", self.random);
        let casting = Casting { assistant: helper, version, topic, in_circles: false, ..casting.clone() };
        Work::new(self.trace, self.random, casting).whole_run(Fate::Well, false)
    }

    /// The dear day: documents are read again and again, and each prompt has all that was said before.
    fn circles(&mut self) -> Result<(), Failed> {
        let topic = self.casting.topic;
        let rounds = 14 + self.random.usize(..22);
        self.prompt = around(self.random, 42_000.0, 0.2);
        for _ in 0..rounds {
            let again = Call {
                asked: "The documents are not complete yet. Read them again.",
                answered: topic.tool[1],
                finish: "tool_calls",
                ..Call::of(&SONNET, 60.0)
            };
            self.call(again, None)?;
            self.tool(None)?;
            self.prompt += around(self.random, 2_400.0, 0.3);
        }
        if self.random.f64() < STOPPED { Err(IN_CIRCLES) } else { self.answer(Fate::Well) }
    }

    fn call(&mut self, call: Call<'_>, failed: Option<Failed>) -> Result<(), Failed> {
        let model = call.model;
        let is_known = self.random.f64() >= WITHOUT_MODEL;
        let output = around(self.random, call.output, 0.25).max(1.0).round();
        let first_token = around(self.random, model.first_token_ms * self.casting.version.slowness, 0.32);
        let mut about = vec![
            text("gen_ai.provider.name", model.provider),
            real("gen_ai.request.temperature", if call.finish == "stop" { 0.3 } else { 0.0 }),
            whole("gen_ai.request.max_tokens", 1_024),
            truth("gen_ai.request.stream", call.is_streamed),
            text("server.address", model.address),
            whole("server.port", 443),
            text("gen_ai.input.messages", said("user", call.asked, None)),
        ];
        if is_known {
            about.push(text("gen_ai.request.model", model.name));
        }
        let attributes = self.with("chat", about);
        let name = if is_known { format!("chat {}", model.name) } else { "chat".to_owned() };
        let place = self.begin(name, CLIENT, attributes);
        self.trace.pass(first_token);
        if let Some(failed) = failed {
            self.trace.fail(place, failed, true);
            self.trace.end();
            return Err(failed);
        }
        if call.is_streamed {
            self.trace.note(place, "gen_ai.first_chunk", Vec::new());
            self.trace.add(place, [real("gen_ai.response.time_to_first_chunk", first_token / 1e3)]);
        }
        self.trace.pass(output * model.token_ms * self.casting.version.slowness);
        let cached = if self.casting.turn > 0 || self.random.f64() < 0.45 { (self.prompt * 0.55).round() } else { 0.0 };
        let input = if model.counts_cached_beside { self.prompt - cached } else { self.prompt };
        let mut told = vec![
            text("gen_ai.response.id", format!("resp-{:016x}", self.random.u64(..))),
            texts("gen_ai.response.finish_reasons", &[call.finish]),
            whole("gen_ai.usage.input_tokens", input as i64),
            whole("gen_ai.usage.output_tokens", output as i64),
            whole("gen_ai.usage.cache_read.input_tokens", cached as i64),
            text("gen_ai.output.messages", said("assistant", call.answered, Some(call.finish))),
        ];
        if is_known {
            told.push(text("gen_ai.response.model", model.name));
        }
        self.trace.add(place, told);
        self.trace.end();
        self.prompt += output + 40.0;
        Ok(())
    }

    fn tool(&mut self, failed: Option<Failed>) -> Result<(), Failed> {
        let [tool, given, gives] = self.casting.topic.tool;
        let about = [
            text("gen_ai.tool.name", tool),
            text("gen_ai.tool.type", "function"),
            text("gen_ai.tool.call.id", format!("call_{:012x}", self.random.u64(..1 << 48))),
            text("gen_ai.tool.call.arguments", given),
        ];
        let attributes = self.with("execute_tool", about);
        let place = self.begin(format!("execute_tool {tool}"), INTERNAL, attributes);
        // Some tools are slower than others, always the same ones.
        self.pass(70.0 + 23.0 * (tool.len() % 7) as f64);
        match failed {
            Some(("timeout", _)) => self.trace.pass(10_000.0),
            None => self.trace.add(place, [text("gen_ai.tool.call.result", gives)]),
            Some(_) => {}
        }
        if let Some(failed) = failed {
            self.trace.fail(place, failed, true);
        }
        self.trace.end();
        failed.map_or(Ok(()), Err)
    }

    /// Articles that may help, found by their vectors.
    fn retrieval(&mut self) {
        let topic = self.casting.topic;
        let documents = format!(r#"[{{"title":"{}","score":{:.2}}}]"#, topic.article, 0.7 + 0.3 * self.random.f64());
        let about = [
            text("gen_ai.data_source.id", "knowledge-base"),
            whole("gen_ai.request.top_k", 4),
            text("gen_ai.retrieval.query.text", topic.question),
            text("gen_ai.retrieval.documents", documents),
        ];
        let attributes = self.with("retrieval", about);
        self.begin("retrieval knowledge-base".to_owned(), CLIENT, attributes);
        self.pass(3.0);
        let tokens = (topic.question.len() / 4) as i64;
        let about = [
            text("gen_ai.provider.name", VECTORS.provider),
            text("gen_ai.request.model", VECTORS.name),
            text("gen_ai.response.model", VECTORS.name),
            whole("gen_ai.embeddings.dimension.count", 1_536),
            whole("gen_ai.usage.input_tokens", tokens),
            text("server.address", VECTORS.address),
        ];
        let attributes = self.with("embeddings", about);
        self.begin(format!("embeddings {}", VECTORS.name), CLIENT, attributes);
        self.pass(VECTORS.first_token_ms);
        self.trace.end();
        self.pass(24.0);
        self.trace.end();
        self.prompt += around(self.random, 520.0, 0.3);
    }

    /// Speech becomes text, or text speech.
    fn speech(&mut self, operation: &'static str, milliseconds: f64, words: &str) {
        let key = if operation == "speech_to_text" { "gen_ai.output.messages" } else { "gen_ai.input.messages" };
        let about = [text("gen_ai.provider.name", "self_hosted"), text(key, said("user", words, None))];
        let attributes = self.with(operation, about);
        self.begin(operation.to_owned(), CLIENT, attributes);
        self.pass(milliseconds);
        self.trace.end();
    }
}

impl Call<'_> {
    fn of(model: &'static Model, output: f64) -> Self {
        Self { model, asked: "", answered: "", finish: "stop", output, is_streamed: false }
    }
}

/// Where an assistant runs.
fn origin(casting: &Casting<'_>, random: &mut fastrand::Rng) -> Arc<Origin> {
    let Casting { assistant, version, environment, .. } = casting;
    let instance = random.u32(1..=3);
    let resource = Object::from([
        ("service.name", assistant.code.into()),
        ("service.namespace", "contact-centre".into()),
        ("service.version", version.number.into()),
        ("service.instance.id", format!("{}-{instance}", assistant.code).into()),
        ("deployment.environment.name", (*environment).into()),
        ("cloud.region", "eu-west-1".into()),
        ("telemetry.sdk.language", "python".into()),
        ("telemetry.sdk.name", "opentelemetry".into()),
        ("telemetry.sdk.version", "1.38.0".into()),
    ]);
    let scope = Object::from([("name", "opentelemetry.instrumentation.genai".into()), ("version", "0.9.0".into())]);
    Arc::new(Origin { resource, scope })
}
