//! Calls at random, told by events, by spans or by both, and what is to be said about each.

use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use crate::support::{span, with};

const STAGES: [&str; 4] = ["first_audio", "speech_to_text", "model", "text_to_speech"];

/// What one row tells: of a call, of a turn, or of a wait.
#[derive(Clone)]
pub struct Fact {
    pub time: DateTime<Utc>,
    pub is_event: bool,
    /// `call`, `turn`, or what was waited for.
    pub measured: &'static str,
    /// None where nobody can know.
    pub conversation: Option<String>,
    pub call: Dimensions,
    pub is_ended: bool,
    pub interrupted: Option<bool>,
    /// Of a call, how long it took; of a wait, how long it was.
    pub millis: Option<f64>,
}

#[derive(Clone, Copy)]
pub struct Dimensions {
    pub profile: &'static str,
    pub assistant: &'static str,
    pub version: &'static str,
    pub direction: &'static str,
    pub outcome: &'static str,
    pub reason: &'static str,
}

fn any<T: Copy>(random: &mut fastrand::Rng, of: &[T]) -> T {
    of[random.usize(..of.len())]
}

/// Facts, with the events and the spans that tell them.
#[derive(Default)]
pub struct Told {
    pub facts: Vec<Fact>,
    pub events: Vec<Value>,
    pub spans: Vec<Value>,
}

impl Fact {
    pub fn teller(&self) -> &'static str {
        if self.is_event { "events" } else { "spans" }
    }

    pub fn is_call(&self) -> bool {
        self.measured == "call"
    }

    pub fn counts_as_call(&self) -> bool {
        self.is_call() && self.is_ended
    }

    pub fn group(&self, split: &str) -> &'static str {
        let of_call = |text: &'static str| if self.is_call() { text } else { "" };
        let group = match split {
            "outcome" => of_call(self.call.outcome),
            "transfer_reason" => of_call(self.call.reason),
            "direction" => self.call.direction,
            "assistant" => self.call.assistant,
            "assistant_version" => self.call.version,
            "profile_code" => self.call.profile,
            "told_by" => self.teller(),
            other => panic!("{other}"),
        };
        if group.is_empty() { "none" } else { group }
    }

    pub fn micros(&self) -> u64 {
        (self.millis.unwrap_or_default() * 1e3).round() as u64
    }

    pub fn is_dead_air(&self) -> bool {
        self.measured == "first_audio" && self.millis > Some(3_000.0)
    }
}

impl Told {
    /// So many calls in three days from a beginning.
    pub fn any(random: &mut fastrand::Rng, first: DateTime<Utc>, calls: u64) -> Self {
        let mut told = Self::default();
        for number in 0..calls {
            told.add(random, first, number);
        }
        told
    }

    fn add(&mut self, random: &mut fastrand::Rng, first: DateTime<Utc>, number: u64) {
        let micros = random.i64(0..3 * 86_400_000_000);
        // Often exactly on a step, where an interval that is not half-open shows itself.
        let start =
            first + Duration::microseconds(if random.bool() { micros / 900_000_000 * 900_000_000 } else { micros });
        let length = Duration::milliseconds(any(random, &[0, 900_000, random.clone().i64(0..3_600_000)]));
        let call = Dimensions {
            profile: any(random, &["support", "sales", ""]),
            assistant: any(random, &["reception", "billing", ""]),
            version: any(random, &["1.0", "2.0"]),
            direction: any(random, &["inbound", "outbound", ""]),
            outcome: any(random, &["contained", "contained", "transferred", "abandoned", ""]),
            reason: any(random, &["asked", "failed", ""]),
        };
        // Who tells of its end, and who of its turns; nobody, sometimes.
        let (end_by_event, end_by_span) = any(random, &[(true, true), (true, false), (false, true), (false, false)]);
        let (turns_by_event, turns_by_span) =
            any(random, &[(true, true), (true, false), (false, true), (false, false)]);
        let is_named = random.u8(..10) > 0;
        let name = format!("call-{number}");
        let conversation = json!(is_named.then_some(&name));
        let of_spans = Some(if is_named { name.clone() } else { format!("{:032x}", number + 1) });
        let of_events = is_named.then_some(name);
        let fact = |time, is_event: bool, measured, millis| Fact {
            time,
            is_event,
            measured,
            conversation: if is_event { of_events.clone() } else { of_spans.clone() },
            call,
            is_ended: true,
            interrupted: None,
            millis,
        };
        if end_by_event {
            let end = start + length;
            let told_length =
                if random.bool() { Some(length.num_milliseconds() as f64) } else { any(random, &[None, Some(-1.0)]) };
            self.facts.push(fact(end, true, "call", told_length.filter(|millis| *millis >= 0.0)));
            let data = json!({
                "assistant_id": call.assistant, "assistant_version": call.version, "direction": call.direction,
                "outcome": call.outcome, "transfer_reason": call.reason, "duration_ms": told_length,
            });
            self.events.push(event("voice_call_ended", end, &call, &conversation, data));
        }
        let of_span = with(
            json!({"assistant_code": call.assistant, "assistant_version": call.version, "direction": call.direction, "profile_code": call.profile}),
            if is_named { json!({"gen_ai.conversation.id": conversation}) } else { json!({}) },
        );
        if end_by_span {
            let is_ended = random.u8(..5) > 0;
            let millis = length.num_milliseconds();
            self.facts.push(Fact { is_ended, ..fact(start, false, "call", is_ended.then_some(millis as f64)) });
            let attributes =
                json!({"voice_part": "call", "call.outcome": call.outcome, "transfer_reason": call.reason});
            let span = span(number, 0, start, millis as u64, &with(of_span.clone(), attributes));
            self.spans.push(if is_ended { span } else { with(span, json!({"endTimeUnixNano": "0"})) });
        }
        for turn in 0..random.u64(..5) {
            let time = start + length * random.i32(0..4) / 4;
            let waits: Vec<Option<u32>> =
                (0..4).map(|_| Some(random.u32(0..6_000)).filter(|millis| millis % 4 > 0)).collect();
            let interrupted = any(random, &[Some(true), Some(false), Some(false), None]);
            if turns_by_event {
                let data = json!({
                    "assistant_id": call.assistant, "assistant_version": call.version, "direction": call.direction, "interrupted": interrupted,
                    "first_audio_ms": waits[0], "speech_to_text_ms": waits[1], "model_ms": waits[2], "text_to_speech_ms": waits[3],
                });
                self.events.push(event("voice_turn", time, &call, &conversation, data));
                self.facts.push(Fact { interrupted, ..fact(time, true, "turn", None) });
                let of_turn = STAGES.iter().zip(&waits).filter_map(|(stage, wait)| Some((*stage, f64::from((*wait)?))));
                self.facts.extend(of_turn.map(|(stage, wait)| fact(time, true, stage, Some(wait))));
            }
            if turns_by_span {
                // In the words of LiveKit, model and voice tell their waits in spans of their own.
                let seconds = |wait: Option<u32>| wait.map(|millis| f64::from(millis) / 1e3);
                let mut spans = vec![
                    json!({"lk.interrupted": interrupted, "lk.e2e_latency": seconds(waits[0]), "lk.transcription_delay": seconds(waits[1])}),
                ];
                if interrupted.is_none() {
                    spans[0]["voice_part"] = "turn".into();
                }
                spans.extend(seconds(waits[2]).map(|wait| json!({"lk.response.ttft": wait})));
                spans.extend(seconds(waits[3]).map(|wait| json!({"lk.response.ttfb": wait})));
                for (place, mut attributes) in spans.into_iter().enumerate() {
                    attributes.as_object_mut().unwrap().retain(|_, value| !value.is_null());
                    let attributes = with(of_span.clone(), attributes);
                    self.spans.push(span(number, 1 + turn * 3 + place as u64, time, 10, &attributes));
                }
                self.facts.push(Fact { interrupted, ..fact(time, false, "turn", None) });
                let of_turn =
                    STAGES.iter().zip(&waits).filter_map(|(stage, wait)| Some((*stage, seconds(*wait)? * 1e3)));
                self.facts.extend(of_turn.map(|(stage, wait)| fact(time, false, stage, Some(wait))));
            }
        }
    }

    /// What counts between two instants, by the rule that `told_by` names.
    pub fn counted(&self, from: DateTime<Utc>, to: DateTime<Utc>, told_by: &str) -> Vec<&Fact> {
        let day = Duration::days(1);
        let is_told_otherwise = |fact: &Fact| {
            self.facts.iter().any(|other| {
                other.is_event
                    && matches!(other.measured, "call" | "turn")
                    && other.is_call() == fact.is_call()
                    && other.conversation.is_some()
                    && other.conversation == fact.conversation
                    && from - day <= other.time
                    && other.time < to + day
            })
        };
        let counts = |fact: &&Fact| match told_by {
            "auto" => fact.is_event || !is_told_otherwise(fact),
            one => fact.teller() == one,
        };
        self.facts.iter().filter(|fact| from <= fact.time && fact.time < to).filter(counts).collect()
    }
}

fn event(name: &str, time: DateTime<Utc>, call: &Dimensions, conversation: &Value, data: Value) -> Value {
    json!({
        "event": name, "time_utc": time.to_rfc3339(), "profile_code": (!call.profile.is_empty()).then_some(call.profile),
        "conversation_id": conversation, "data": data,
    })
}
