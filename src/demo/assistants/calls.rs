//! Voice calls: turns that are heard, answered and spoken, and how each call ended.

use chrono::{DateTime, Duration, Utc};
use uuid::Uuid;

use super::cast::{Assistant, ON_THE_PHONE};
use super::{AssistantStory, assistant, version_at};
use crate::demo::chance::{around, of_hour};
use crate::demo::people::{PLATFORMS, PROFILES, pick};
use crate::demo::rhythm::Slot;
use crate::json::{Json, Object};
use crate::rows::Event;

/// How much slower text becomes speech on the slow day.
const SLOW_SPEECH: f64 = 7.0;

const TRANSFER_REASONS: [(&str, f64); 5] = [
    ("asked_for_a_person", 0.38),
    ("out_of_scope", 0.24),
    ("not_identified", 0.18),
    ("tool_failed", 0.12),
    ("language", 0.08),
];

/// A call on its way.
struct Call<'s> {
    story: &'s AssistantStory,
    assistant: &'static Assistant,
    number: u64,
    profile: &'static str,
    platform: &'static str,
    time: DateTime<Utc>,
    events: Vec<Event<'static>>,
}

/// The calls that begin in an hour; none goes on behind the end of the story.
pub fn calls(story: &AssistantStory, slot: &Slot) -> Vec<Event<'static>> {
    let mut random = of_hour(story.seed, 2, slot.from);
    let assistant = assistant(ON_THE_PHONE);
    let length_us = (slot.to - slot.from).num_microseconds().unwrap_or(1) as f64;
    (0..slot.events)
        .flat_map(|_| {
            let time = slot.from + Duration::microseconds((random.f64() * length_us) as i64);
            let profile = if random.f64() < 0.6 { assistant.profile } else { pick(&PROFILES, &mut random) };
            let platform = pick(&PLATFORMS, &mut random);
            let call = Call { story, assistant, number: random.u64(..), profile, platform, time, events: Vec::new() };
            call.told(&mut random)
        })
        .collect()
}

impl Call<'_> {
    fn told(mut self, random: &mut fastrand::Rng) -> Vec<Event<'static>> {
        let began = self.time;
        let version = version_at(self.assistant, &self.story.plot, began, false, random).number;
        let is_slow = self.story.plot.slow_speech().contains(&began);
        let luck = random.f64();
        // Who waits long for an answer hangs up, or asks for a person.
        let outcome = match is_slow {
            false if luck < 0.68 => "contained",
            false if luck < 0.90 => "transferred",
            true if luck < 0.38 => "contained",
            true if luck < 0.70 => "transferred",
            _ => "abandoned",
        };
        let turns = if outcome == "abandoned" { 1 + random.usize(..4) } else { 3 + random.usize(..8) };
        for _ in 0..turns {
            self.pass(around(random, 5_200.0, 0.4));
            let speech = if is_slow { SLOW_SPEECH } else { 1.0 };
            let [heard, thought, spoken] = [(190.0, 0.3), (620.0, 0.4), (170.0 * speech, 0.35)]
                .map(|(usual, spread)| around(random, usual, spread));
            let first_audio = heard + thought + spoken + around(random, 55.0, 0.3);
            let chance = if is_slow { 0.24 } else { 0.08 };
            let turn = Object::from([
                ("speech_to_text_ms", tenths(heard)),
                ("model_ms", tenths(thought)),
                ("text_to_speech_ms", tenths(spoken)),
                ("first_audio_ms", tenths(first_audio)),
                ("interrupted", (random.f64() < chance).into()),
            ]);
            self.push("voice_turn", turn, version, random);
            self.pass(first_audio + around(random, 4_400.0, 0.4));
        }
        self.pass(around(random, 1_500.0, 0.4));
        let mut ended = Object::from([
            ("duration_ms", Json::float((self.time - began).num_milliseconds() as f64)),
            ("outcome", outcome.into()),
            ("direction", if random.f64() < 0.86 { "inbound" } else { "outbound" }.into()),
        ]);
        if outcome == "transferred" {
            ended.insert("transfer_reason", pick(&TRANSFER_REASONS, random));
        }
        self.push("voice_call_ended", ended, version, random);
        self.within_the_story()
    }

    /// A call that would not be over yet has begun earlier.
    fn within_the_story(mut self) -> Vec<Event<'static>> {
        let late = self.time - self.story.to;
        if late >= Duration::zero() {
            let earlier = late + Duration::milliseconds(1);
            let first = self.events.first().map_or(self.time, |event| event.time_utc);
            if first - earlier < self.story.from {
                return Vec::new();
            }
            self.events.iter_mut().for_each(|event| event.time_utc -= earlier);
        }
        self.events
    }

    fn pass(&mut self, milliseconds: f64) {
        self.time += Duration::milliseconds(milliseconds as i64);
    }

    fn push(
        &mut self,
        event: &'static str,
        mut data: Object<'static>,
        version: &'static str,
        random: &mut fastrand::Rng,
    ) {
        data.insert("assistant_id", self.assistant.code);
        data.insert("assistant_version", version);
        self.events.push(Event {
            event_id: Uuid::from_u64_pair(random.u64(..), random.u64(..)),
            time_utc: self.time,
            event: event.into(),
            profile_code: Some(self.profile.into()),
            platform_session_id: None,
            platform: Some(self.platform.into()),
            agent_id: None,
            agent_email: None,
            agent_name: None,
            visitor_id: Some(format!("caller-{:012x}", self.number & 0xffff_ffff_ffff).into()),
            conversation_id: Some(format!("call-{:016x}", self.number).into()),
            data,
            suggestions: Vec::new(),
        });
    }
}

fn tenths(milliseconds: f64) -> Json<'static> {
    Json::float((milliseconds * 10.0).round() / 10.0)
}
